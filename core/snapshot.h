/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the work tree to objects: what tracked targets hold now, compared file by file with what
 * their pointers say, and, where wanted, stored.
 *
 *	MlvSnapshot *snapshot = mlv_snapshot_new(&options);
 *	mlv_snapshot_target(snapshot, "data/images", "data/images", &base, user, error) ...
 *	mlv_snapshot_finish(snapshot, error);
 *	                      results have come by options.done, changes by options.change
 *
 * Unchanged directories cost one statx a file; changed ones are put together anew. With a writer
 * everything is in the store once finish has returned (it commits the writer); without, files are
 * only hashed. Main thread.
 */
#ifndef MLV_CORE_SNAPSHOT_H
#define MLV_CORE_SNAPSHOT_H

#include <signal.h>

#include "core/compare.h"
#include "core/ignore.h"
#include "core/partial.h"
#include "core/pointer.h"
#include "core/statcache.h"
#include "storage/store.h"

typedef enum {
	MLV_PROBLEM_UNREADABLE, /* a file or directory could not be read, or changed meanwhile */
	MLV_PROBLEM_KIND,       /* a socket, device or fifo: left out */
	MLV_PROBLEM_REFUSED,    /* a nested repository, a pointer, a name that cannot be stored */
} MlvProblemType;

typedef struct {
	const char *path; /* of the target */
	gpointer user;
	gboolean present; /* something is there */
	/* Nothing in it was unreadable or refused: it may be staged, absence too. */
	gboolean complete;
	MlvPointer pointer; /* what is there now; mode SYMLINK for a part that is one */
	gboolean has_base;  /* a base was given */
	gboolean same;      /* and it is the same */
	gboolean stored;    /* all of it is known to be in the store */
} MlvSnapshotResult;

typedef struct {
	MlvRepo *repo;
	MlvStore *store; /* what it has need not be hashed again; base trees */
	MlvStatCache *cache;
	MlvStatWriter *cache_writer; /* NULL: the cache is not renewed */
	MlvPartial *partial;
	MlvStoreWriter *writer; /* NULL: nothing is stored */
	gboolean leave_open;    /* the writer is committed by the caller, later */
	/* What is left out beside what .mlvignore files say; borrowed, may be NULL. */
	MlvIgnoreRules *leave_out;
	guint threads; /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	void (*done)(const MlvSnapshotResult *result, gpointer data);
	/* Each difference between base and work tree (never a rename), borrowed; its target is
	 * the path given. May be NULL. */
	void (*change)(const MlvChange *change, gpointer data);
	void (*problem)(MlvProblemType type, const char *path, const char *why, gpointer data);
	void (*progress)(guint64 bytes, guint64 files, gpointer data); /* so far; may be NULL */
	gpointer data;
} MlvSnapshotOptions;

typedef struct MlvSnapshot MlvSnapshot;

/* options and all it names are borrowed until the snapshot is freed. */
MlvSnapshot *mlv_snapshot_new(const MlvSnapshotOptions *options);
/* One target, or a part of one (`owner` is the target; the same as path for a whole one): a file
 * or directory of the work tree. `base` (may be NULL) is what was there by the pointer. A special
 * file is a problem, and so is a symlink that is a whole target. Its result may come later. */
gboolean mlv_snapshot_target(MlvSnapshot *snapshot, const char *path, const char *owner,
			     const MlvPointer *base, gpointer user, GError **error);
/* Whether the directory that stands at a target's path was never brought here, as far as the stat
 * cache knows, and lacks more than half of what it is tracked as, or nobody knows: somebody has
 * made it since. */
gboolean mlv_snapshot_is_unbrought(const MlvSnapshotOptions *options, const char *target,
				   const MlvPointer *base);
/* Says of what the base cannot be read, and what brings it; gives FALSE. */
gboolean mlv_snapshot_blame(const char *path, GError **error);
/* Waits for all results; commits the writer. */
gboolean mlv_snapshot_finish(MlvSnapshot *snapshot, GError **error);
void mlv_snapshot_free(MlvSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSnapshot, mlv_snapshot_free)

#endif
