/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlv.lock, beside a pipeline file: for each stage what ran and what came of it. mlv-lock(5) is the
 * format, which is YAML in one fixed layout: a line an entry, so that git merges it.
 *
 *	g_autoptr(MlvLock) lock = mlv_lock_read(&files, "sub", error);
 *	const MlvLockStage *old = mlv_lock_get(lock, "train");
 *	mlv_lock_set(lock, stage);
 *	g_autofree char *text = mlv_lock_format(lock, &length);
 *
 * Paths are relative to the root in memory, and to the lock's folder in the file. One thread.
 */
#ifndef MLV_CORE_PIPELINE_LOCK_H
#define MLV_CORE_PIPELINE_LOCK_H

#include "core/pipeline/params.h"
#include "core/pointer.h"

#define MLV_LOCK_NAME "mlv.lock"
#define MLV_LOCK_MAX  (64u << 20)

/* What a path held. */
typedef struct {
	char *path;      /* relative to the root, or outside, or a URL */
	char *etag;      /* of a URL, then `pointer` is not set; else NULL */
	MlvPointer held; /* kind, mode (executable or not), id, size; of a folder files and bytes */
	/* Of an output, each a line "cache: false" or "push: false" behind the others; FALSE
	 * otherwise. What reads a commit knows the output by the lock alone. */
	gboolean no_cache; /* it is git's, the store has it not */
	gboolean no_push;  /* it stays in this clone's store */
} MlvLockPath;
MlvLockPath *mlv_lock_path_new(const char *path, const MlvPointer *held, const char *etag);
void mlv_lock_path_free(MlvLockPath *path);
/* Whether both held the same: id, kind, mode; or etag. */
gboolean mlv_lock_path_same(const MlvLockPath *a, const MlvLockPath *b);

typedef struct {
	char *name;
	GPtrArray *cmds;   /* of char * */
	GPtrArray *deps;   /* of MlvLockPath *, sorted by path; matches of globs, not globs */
	GPtrArray *params; /* of MlvParam *, sorted by file and key */
	GPtrArray *outs;   /* of MlvLockPath *, sorted by path */
	gboolean conflict; /* a merge left two versions of it: it counts as changed */
} MlvLockStage;
MlvLockStage *mlv_lock_stage_new(const char *name);
void mlv_lock_stage_free(MlvLockStage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvLockStage, mlv_lock_stage_free)
/* By path; NULL if it is not there. */
const MlvLockPath *mlv_lock_stage_dep(const MlvLockStage *stage, const char *path);
const MlvLockPath *mlv_lock_stage_out(const MlvLockStage *stage, const char *path);
const MlvParam *mlv_lock_stage_param(const MlvLockStage *stage, const char *file, const char *key);

typedef struct MlvLock MlvLock;

/* An empty one for a folder's pipeline file. */
MlvLock *mlv_lock_new(const char *folder);
/* The lock of a folder; where there is none an empty one. Merge conflicts are no error: a stage on
 * which the sides differ, or whose lines they tear apart, has `conflict`. A later version of the
 * format is MLV_ERROR_UNSUPPORTED; damage is MLV_ERROR_CORRUPT with the line. */
MlvLock *mlv_lock_read(const MlvFiles *files, const char *folder, GError **error);
MlvLock *mlv_lock_parse(const char *folder, const char *data, gsize length, const char *label,
			GError **error);
void mlv_lock_free(MlvLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvLock, mlv_lock_free)

const MlvLockStage *mlv_lock_get(const MlvLock *lock, const char *name);
/* Puts a stage's block in place of the one it had; takes `stage` and sorts what is in it. */
void mlv_lock_set(MlvLock *lock, MlvLockStage *stage);
gboolean mlv_lock_remove(MlvLock *lock, const char *name);
/* The names of all, sorted, of char *, borrowed; the caller frees the array. */
GPtrArray *mlv_lock_names(const MlvLock *lock);
/* Whether the text it was read from had conflict markers. */
gboolean mlv_lock_has_conflicts(const MlvLock *lock);
/* The text, the same for the same stages; NULL for a lock without stages. Caller frees. */
char *mlv_lock_format(const MlvLock *lock, gsize *length);

#endif
