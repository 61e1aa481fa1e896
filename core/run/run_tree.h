/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole state of a work tree as one tree of git's: code as it stands there, and pointers that
 * say what the tracked data are, added or not. Main thread.
 */
#ifndef MLV_CORE_RUN_RUN_TREE_H
#define MLV_CORE_RUN_RUN_TREE_H

#include "core/git_snapshot.h"

/* As mlv_git_snapshot(), but that the pointer of data that were changed and not added is one of the
 * data as they are now, which go to the store; the work tree's pointers stay as they are. Data that
 * are not here, and outputs of stages, keep theirs; data of which some cannot be read are told to
 * options->left_out and keep theirs too. */
gboolean mlv_run_tree(MlvRepo *repo, const MlvGitSnapshotOptions *options, MlvOid *tree,
		      GError **error);

#endif
