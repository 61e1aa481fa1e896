/* SPDX-License-Identifier: Apache-2.0 */
/* What planning and writing a bundle share. Private to core/bundle_*.c. */
#ifndef MLV_CORE_BUNDLE_PRIVATE_H
#define MLV_CORE_BUNDLE_PRIVATE_H

#include "core/bundle_plan.h"

struct MlvBundlePlan {
	MlvStore *store;
	const MlvBundleOptions *options;
	MlvBundleManifest *manifest;
	/* Where the chunks lie, guint64: the store's number of the pack in the high half, the
	 * offset in it in the low one. Sorted, each once. */
	GArray *data, *meta;
};

/* Which commits the options mean: sets prerequisites, commits and names of the manifest. */
gboolean mlv_bundle_choose_commits(MlvRepo *repo, const MlvBundleOptions *options,
				   MlvBundleManifest *manifest, GError **error);

#endif
