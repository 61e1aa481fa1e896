/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pointers a set of commits holds, each distinct one once: for push, fetch and gc. Trees and
 * pointers that were seen are not read again, so the cost follows what changed in history, not its
 * length times the tree's size. Main thread only.
 */
#ifndef MLV_CORE_GIT_REACH_H
#define MLV_CORE_GIT_REACH_H

#include "core/git_tree.h"

typedef struct MlvGitReach MlvGitReach;

MlvGitReach *mlv_git_reach_new(MlvRepo *repo);
void mlv_git_reach_free(MlvGitReach *reach);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvGitReach, mlv_git_reach_free)

/* This commit, with all its ancestors if `history`. */
gboolean mlv_git_reach_add(MlvGitReach *reach, const MlvOid *commit, gboolean history,
			   GError **error);
/* Not this commit's ancestors, nor itself. One that is not here is passed over. Before any add. */
gboolean mlv_git_reach_hide(MlvGitReach *reach, const MlvOid *commit, GError **error);
/* Everything that git keeps for the user: every ref (stash, remote-tracking and runs included),
 * every reflog entry, HEAD, index and unfinished operation of every work tree. The work trees' own
 * pointer files are the caller's. */
gboolean mlv_git_reach_add_everything(MlvGitReach *reach, GError **error);
/* The roots of the work trees other than this repository's own that are still there, of char *. */
GPtrArray *mlv_git_worktrees(MlvRepo *repo, GError **error);

/* Called once for each distinct pointer blob (tracked->path is one path of it; tracked->error may
 * be set). `commit` is one commit that holds it, NULL for an index. Borrowed during the call. FALSE
 * ends the walk. */
typedef gboolean (*MlvGitReachVisit)(const MlvTracked *tracked, const MlvOid *commit, gpointer user,
				     GError **error);
/* Walks what was added; may be called again after more was added: only what is new is visited. */
gboolean mlv_git_reach_run(MlvGitReach *reach, MlvGitReachVisit visit, gpointer user,
			   GError **error);
/* The tips that were added (commits), sorted, of MlvOid: a fingerprint of what was read. */
GArray *mlv_git_reach_tips(const MlvGitReach *reach);

#endif
