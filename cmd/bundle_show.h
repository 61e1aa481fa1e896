/* SPDX-License-Identifier: Apache-2.0 */
/* What `mlv bundle` says: for people and, with `json`, for programs. */
#ifndef MLV_CMD_BUNDLE_SHOW_H
#define MLV_CMD_BUNDLE_SHOW_H

#include "cmd/cmd.h"
#include "core/bundle_apply.h"

/* `size` is in bytes, of the whole bundle; 0 where it is not known. */
void mlv_bundle_note_created(MlvCmd *cmd, const char *file, const MlvBundleManifest *manifest,
			     guint64 size);
gboolean mlv_bundle_show_created(MlvCmd *cmd, const char *file, const MlvBundleManifest *manifest,
				 guint64 size, GError **error);
gboolean mlv_bundle_show_list(MlvCmd *cmd, gboolean json, const char *file,
			      const MlvBundleManifest *manifest, guint64 size, GError **error);
/* Sets the exit status where prerequisites are lacking; `asked`: there was a store to ask. */
gboolean mlv_bundle_show_verified(MlvCmd *cmd, gboolean json, const char *file,
				  const MlvBundleManifest *manifest, const MlvBundleResult *result,
				  gboolean asked, GError **error);
gboolean mlv_bundle_show_applied(MlvCmd *cmd, gboolean json, const char *file,
				 const MlvBundleManifest *manifest, const MlvBundleResult *result,
				 GError **error);

#endif
