/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the work tree on their way into git's object database. Each takes a file of its own
 * there, which is most of the time that it takes to store it: many go into one pack.
 *
 *	g_autoptr(MlvGitBlobs) blobs = mlv_git_blobs_new(repo);
 *	if (mlv_git_blobs_add(blobs, "src/a.py", NULL, &oid)) ...
 *	mlv_git_blobs_flush(blobs, error);
 *
 * Within the git_*.c files only. Main thread.
 */
#ifndef MLV_CORE_GIT_BLOBS_H
#define MLV_CORE_GIT_BLOBS_H

#include "core/git_internal.h"

typedef struct MlvGitBlobs MlvGitBlobs;

MlvGitBlobs *mlv_git_blobs_new(MlvRepo *repo);
void mlv_git_blobs_free(MlvGitBlobs *blobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvGitBlobs, mlv_git_blobs_free)

/* Takes a regular file as it is; `known` is what git says it comes to, NULL if that was not asked.
 * FALSE for one that is large, that filters would change, or that cannot be read: libgit2 has to
 * store it. *oid is its name, under which it is found after the next flush. */
gboolean mlv_git_blobs_add(MlvGitBlobs *blobs, const char *path, const git_oid *known,
			   git_oid *oid);
gboolean mlv_git_blobs_flush(MlvGitBlobs *blobs, GError **error);

#endif
