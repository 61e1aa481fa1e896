/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Staging: changes to pointers, .gitignore lines and files, in the work tree and in git's index
 * together.
 *
 *	g_autoptr(MlvStage) stage = mlv_stage_new(repo);
 *	mlv_stage_pointer(stage, "data/images", &pointer);
 *	mlv_stage_commit(stage, error);
 *
 * Calls only collect; mlv_stage_commit() writes the files, then takes git's index.lock (waiting
 * some seconds for another git), reads the index afresh, changes it and puts it in place, once for
 * all. If it fails the index is as it was. Main thread only.
 */
#ifndef MLV_CORE_GIT_STAGE_H
#define MLV_CORE_GIT_STAGE_H

#include "core/git_tree.h"

typedef struct MlvStage MlvStage;

MlvStage *mlv_stage_new(MlvRepo *repo);
void mlv_stage_free(MlvStage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvStage, mlv_stage_free)

/* Writes the pointer file of data at `path`, stages it, and enters the data in .gitignore. */
void mlv_stage_pointer(MlvStage *stage, const char *path, const MlvPointer *pointer);
/* Takes the pointer of `path` (and the record of its import) out of index and work tree, and its
 * line out of .gitignore. */
void mlv_stage_remove_pointer(MlvStage *stage, const char *path);
/* The parts: only the line in the .gitignore of the folder of `path`. Other edits of that file stay
 * unstaged. */
void mlv_stage_ignore(MlvStage *stage, const char *path, gboolean add);

/* Stages these bytes under `path` (mode 0100644 or 0100755), and writes them to the work tree if
 * `write`. */
void mlv_stage_bytes(MlvStage *stage, const char *path, GBytes *bytes, guint32 mode,
		     gboolean write);
/* Stages a file of the work tree as it is, as `git add FILE` (filters of git attributes
 * included). */
void mlv_stage_file(MlvStage *stage, const char *path);
/* Takes a path out of the index (all its stages), the work tree untouched. */
void mlv_stage_forget(MlvStage *stage, const char *path);
/* Leaves a path unmerged: stages 1, 2, 3 from the bytes given (NULL: that side has none). */
void mlv_stage_conflict(MlvStage *stage, const char *path, GBytes *base, GBytes *ours,
			GBytes *theirs);
/* Stages every tracked file of git's that was changed or removed, as `git commit -a`. */
void mlv_stage_all_tracked(MlvStage *stage);

gboolean mlv_stage_is_empty(const MlvStage *stage);
/* Does it all. The stage is empty after. */
gboolean mlv_stage_commit(MlvStage *stage, GError **error);

/* Before git itself is to change the index: removes a lock that a killed mlv left. */
void mlv_stage_recover(MlvRepo *repo);

#endif
