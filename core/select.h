/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the paths of `rm` and `mv` name: whole targets, parts of tracked directories, or folders
 * that hold targets. Main thread.
 */
#ifndef MLV_CORE_SELECT_H
#define MLV_CORE_SELECT_H

#include "core/git_tree.h"

typedef struct {
	char *path;
	const MlvTracked *target; /* what path is, or lies in; borrowed */
	gboolean part;            /* it lies in it */
} MlvSelected;

/* Every target that the work tree or the index has a usable pointer of, sorted, of MlvTracked *. */
GPtrArray *mlv_select_targets(MlvRepo *repo, GError **error);
/* What one path (relative to the root; a pointer's own name stands for its data) names, added to
 * `selected` (of MlvSelected *, freed by mlv_selected_free). A folder of targets gives each of
 * them where `recursive`, else an error. */
gboolean mlv_select_path(const GPtrArray *targets, const char *path, gboolean recursive,
			 GPtrArray *selected, GError **error);
void mlv_selected_free(gpointer selected);

#endif
