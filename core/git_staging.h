/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Staging: changes to pointers, .gitignore lines and files, in the work tree and in git's index
 * together.
 *
 *	g_autoptr(MlvStaging) stage = mlv_staging_new(repo);
 *	mlv_staging_pointer(stage, "data/images", &pointer);
 *	mlv_staging_commit(stage, error);
 *
 * Calls only collect; mlv_staging_commit() takes git's index.lock (waiting some seconds for another
 * git or mlv), reads the index afresh, writes the files, changes the index and puts it in place, once
 * for all. If it fails the index is as it was. Main thread only.
 */
#ifndef MLV_CORE_GIT_STAGING_H
#define MLV_CORE_GIT_STAGING_H

#include "core/git_tree.h"

typedef struct MlvStaging MlvStaging;

MlvStaging *mlv_staging_new(MlvRepo *repo);
void mlv_staging_free(MlvStaging *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvStaging, mlv_staging_free)

/* Writes the pointer file of data at `path`, stages it, and enters the data in .gitignore. */
void mlv_staging_pointer(MlvStaging *stage, const char *path, const MlvPointer *pointer);
/* Takes the pointer of `path` (and the record of its import) out of index and work tree, and its
 * line out of .gitignore. */
void mlv_staging_remove_pointer(MlvStaging *stage, const char *path);
/* The parts: only the line in the .gitignore of the folder of `path`. Other edits of that file stay
 * unstaged. */
void mlv_staging_ignore(MlvStaging *stage, const char *path, gboolean add);

/* Stages these bytes under `path` (mode 0100644 or 0100755), and writes them to the work tree if
 * `write`. */
void mlv_staging_bytes(MlvStaging *stage, const char *path, GBytes *bytes, guint32 mode,
		       gboolean write);
/* Stages a file of the work tree as it is, as `git add FILE` (filters of git attributes
 * included). */
void mlv_staging_file(MlvStaging *stage, const char *path);
/* Takes a path out of the index (all its stages), the work tree untouched. */
void mlv_staging_forget(MlvStaging *stage, const char *path);
/* Leaves a path unmerged: stages 1, 2, 3 from the bytes given (NULL: that side has none). */
void mlv_staging_conflict(MlvStaging *stage, const char *path, GBytes *base, GBytes *ours,
			  GBytes *theirs);
/* Stages every tracked file of git's that was changed or removed, as `git commit -a`; by git, so
 * not after mlv_staging_lock(). */
void mlv_staging_all_tracked(MlvStaging *stage);

/* Takes the lock now: what is read after it (pointers, say) is what will be changed. */
gboolean mlv_staging_lock(MlvStaging *stage, GError **error);
gboolean mlv_staging_is_empty(const MlvStaging *stage);
/* Does it all. The stage is empty after. */
gboolean mlv_staging_commit(MlvStaging *stage, GError **error);

/* Removes a lock of git's index that a killed mlv left, so that git itself can take it. */
void mlv_staging_recover(MlvRepo *repo);

#endif
