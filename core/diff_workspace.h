/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the work tree's data are against the pointers of any state: the index, a commit. Main
 * thread.
 */
#ifndef MLV_CORE_DIFF_WORKSPACE_H
#define MLV_CORE_DIFF_WORKSPACE_H

#include "core/compare.h"
#include "core/local.h"
#include "core/snapshot.h"

typedef struct {
	guint threads; /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	const MlvPathspec *paths; /* NULL: all */
	/* What could not be read or compared, and why. */
	void (*problem)(const char *path, const char *why, gpointer user);
	void (*progress)(guint64 bytes, guint64 files, gpointer user);
	gpointer user;
} MlvDiffWorkspaceOptions;

/* Gives `compare` the differences between `from` (of MlvTracked *, sorted by path) and the data of
 * what is tracked in git's index. Files are hashed only where stat data do not say that they are
 * unchanged. The caller finishes the comparison, which must hold what it gets (renames or sorted).
 * *problems tells whether something could not be read. */
gboolean mlv_diff_workspace(MlvLocal *local, const GPtrArray *from,
			    const MlvDiffWorkspaceOptions *options, MlvCompare *compare,
			    gboolean *problems, GError **error);

#endif
