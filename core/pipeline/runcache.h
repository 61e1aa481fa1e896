/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run cache: what stages made of which commands, dependencies and parameters, so that nothing
 * is computed twice. <git common dir>/mlv/runs/, shared by all work trees; mlv-runcache(5).
 *
 *	mlv_runcache_key(&inputs, &key);
 *	g_autoptr(MlvLock) hit = mlv_runcache_find(repo, &key, error);
 *	if (hit) const MlvLockStage *stage = mlv_runcache_stage(hit);
 *
 * An entry is an mlv.lock of one stage, its paths relative to the root, behind a line with its key,
 * in a file named by that.
 * An entry keeps what it names from gc until it was not used for the grace period. Losing entries
 * costs time only. Main thread.
 */
#ifndef MLV_CORE_PIPELINE_RUNCACHE_H
#define MLV_CORE_PIPELINE_RUNCACHE_H

#include "core/pipeline/lock.h"
#include "core/repo.h"

/* What a result follows from. */
typedef struct {
	const GPtrArray *cmds;   /* of char * */
	const char *shell;       /* or NULL */
	const char *wdir;        /* relative to the root */
	const GPtrArray *deps;   /* of MlvLockPath *, sorted by path */
	const GPtrArray *params; /* of MlvParam *, sorted by file and key */
	/* "NAME=value" of the declared environment (mlv.env), sorted; of char *; may be NULL. */
	const GPtrArray *environ;
} MlvRunInputs;
void mlv_runcache_key(const MlvRunInputs *inputs, MlvId *key);

/* The entry of a key; NULL without an error if there is none, or none that can be read. It counts
 * as used now. */
MlvLock *mlv_runcache_find(MlvRepo *repo, const MlvId *key, GError **error);
/* The one stage of an entry. Borrowed. */
const MlvLockStage *mlv_runcache_stage(const MlvLock *entry);
MlvLockStage *mlv_runcache_copy_stage(const MlvLockStage *stage);
/* Writes an entry, in place of the one there was. What it names is in the store, on disk. */
gboolean mlv_runcache_put(MlvRepo *repo, const MlvId *key, const MlvLockStage *stage,
			  GError **error);

/* An entry's bytes; NULL if they are none of that key. */
MlvLock *mlv_runcache_parse(const MlvId *key, GBytes *bytes);
/* One that comes from elsewhere, under the key that it says itself. */
MlvLock *mlv_runcache_parse_foreign(GBytes *bytes, MlvId *key);
gboolean mlv_runcache_put_bytes(MlvRepo *repo, const MlvId *key, GBytes *bytes, GError **error);
/* Bytes of an entry that can travel. */
#define MLV_RUNCACHE_OBJECT_MAX (256u * 1024)

/* Each entry used at or after `since` (unix seconds), with its bytes; FALSE ends it. */
typedef gboolean (*MlvRunCacheEach)(const MlvId *key, GBytes *bytes, gpointer user, GError **error);
gboolean mlv_runcache_foreach(MlvRepo *repo, gint64 since, MlvRunCacheEach each, gpointer user,
			      GError **error);
/* Removes the entries that were not used since. */
gboolean mlv_runcache_sweep(MlvRepo *repo, gint64 since, guint64 *removed, GError **error);

/* A lock on one key, or on one stage of a work tree, that ends with the process: two processes
 * never make the same thing at once. */
typedef struct MlvRunLocks MlvRunLocks;
MlvRunLocks *mlv_runlocks_open(MlvRepo *repo, GError **error);
void mlv_runlocks_close(MlvRunLocks *locks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRunLocks, mlv_runlocks_close)
/* *taken FALSE: another process has it. */
gboolean mlv_runlocks_take_key(MlvRunLocks *locks, const MlvId *key, gboolean *taken,
			       GError **error);
gboolean mlv_runlocks_take_stage(MlvRunLocks *locks, const char *address, gboolean *taken,
				 GError **error);
void mlv_runlocks_drop_key(MlvRunLocks *locks, const MlvId *key);
void mlv_runlocks_drop_stage(MlvRunLocks *locks, const char *address);
/* A descriptor that keeps this work tree's locks for as long as a process has it open: what a
 * killed mlv left running goes on keeping others away. Borrowed. */
int mlv_runlocks_fd(const MlvRunLocks *locks);
/* For the time in which mlv.lock files are read, changed and written: waits. */
gboolean mlv_runlocks_take_files(MlvRunLocks *locks, GError **error);
void mlv_runlocks_drop_files(MlvRunLocks *locks);

#endif
