/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc of a remote: which roots may go. storage/remote_gc.h does the rest.
 *
 * An entry of a root stays as long as its commit is reached by anything here (references, reflogs,
 * work trees) or by a reference of a git remote, as listed now. This clone's own entries go
 * otherwise; another clone's root goes only as a whole, past the grace period, and not with a grace
 * of 0. Where a git remote cannot be listed, or has a reference whose commit is not here, nothing
 * can be said, and all entries stay. Roots of other repositories always stay. Main thread only.
 */
#ifndef MLV_CORE_COLLECT_REMOTE_H
#define MLV_CORE_COLLECT_REMOTE_H

#include "core/sync.h"
#include "storage/remote_gc.h"

typedef struct {
	guint64 grace;      /* seconds; G_MAXUINT64: for ever */
	const char *forget; /* a clone's id whose roots go whatever they are, or NULL */
	gboolean dry_run;
	const volatile sig_atomic_t *cancel;
	void (*waiting)(gpointer user); /* for a lock; may be NULL */
	gpointer user;
} MlvCollectRemoteOptions;

/* `unsure` (may be NULL) comes back as the reason, to be freed, why nothing could be said of
 * commits that are not here. */
gboolean mlv_collect_remote(MlvSync *sync, MlvLocal *local, const MlvCollectRemoteOptions *options,
			    MlvRemoteGcResult *result, char **unsure, GError **error);

#endif
