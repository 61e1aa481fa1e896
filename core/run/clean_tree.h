/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clean work trees of a commit, beside the user's: git's own linked ones, in a folder below mlv's
 * that is removed with all in it.
 *
 *	g_autoptr(MlvCleanTree) tree = mlv_clean_tree_new(repo, "verify", error);
 *	mlv_clean_tree_fill(tree, "HEAD", error);
 *	... mlv_clean_tree_path(tree) ...
 *
 * What a killed process leaves of one, mlv_runs_settle() removes. Main thread.
 */
#ifndef MLV_CORE_RUN_CLEAN_TREE_H
#define MLV_CORE_RUN_CLEAN_TREE_H

#include "core/repo.h"

/* Checks `rev` out into a new linked work tree at `path`, HEAD detached: all of git's files, and
 * no hook has a say. */
gboolean mlv_clean_tree_add(MlvRepo *repo, const char *path, const char *rev, GError **error);
/* Lets git forget the work trees that are gone. */
void mlv_clean_tree_prune(MlvRepo *repo);

typedef struct MlvCleanTree MlvCleanTree;

/* Makes the folder, called `what` and some digits, and locks it; it is empty as yet. */
MlvCleanTree *mlv_clean_tree_new(MlvRepo *repo, const char *what, GError **error);
/* Before it is filled: a path outside of the repository ("../x"), as the repository's root sees
 * it, will lead from the tree to the same thing. Any but such a path is passed over. */
gboolean mlv_clean_tree_link(MlvCleanTree *tree, const char *outside, GError **error);
/* Checks it out, submodules too: what of these cannot be had is warned of. */
gboolean mlv_clean_tree_fill(MlvCleanTree *tree, const char *rev, GError **error);
/* The absolute path of a folder in the tree ("" is the root), which is made if it is not there;
 * where that cannot be, the root's. Caller frees. */
char *mlv_clean_tree_enter(const MlvCleanTree *tree, const char *folder);
/* Absolute paths: of the tree, and of the folder that it is in, for whatever goes with it. */
const char *mlv_clean_tree_path(const MlvCleanTree *tree);
const char *mlv_clean_tree_folder(const MlvCleanTree *tree);
/* The folder's name. */
const char *mlv_clean_tree_name(const MlvCleanTree *tree);
/* Removes all. */
void mlv_clean_tree_free(MlvCleanTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvCleanTree, mlv_clean_tree_free)

#endif
