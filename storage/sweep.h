/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting what nothing needs from a local store, at the level of chunks and packs: the caller
 * says what is needed.
 *
 *	mlv_store_lock_exclusive(store, ...);
 *	g_autoptr(MlvMarks) marks = mlv_marks_new();
 *	mlv_sweep_mark(store, MLV_KIND_TREE, &id, marks, error) ...
 *	mlv_sweep_run(store, marks, &options, &result, error);
 *
 * A chunk that is not marked goes if its pack is old enough and either nothing in the pack is
 * marked, or at least a quarter of its bytes is not: then what is marked is copied to a new pack.
 * Many small packs are gathered the same way.
 *
 * Order, so that a kill at any instant leaves a clean store: new packs, an index over them, an
 * index without the old packs that supersedes the others, the removal of those, and only then that
 * of the old packs. Main thread only.
 */
#ifndef MLV_STORAGE_SWEEP_H
#define MLV_STORAGE_SWEEP_H

#include <signal.h>

#include "storage/store.h"

typedef struct {
	guint64 grace;    /* seconds that a pack must be old; 0: any; G_MAXUINT64: none is */
	gint64 now;       /* unix seconds */
	gboolean dry_run; /* change nothing; the result is what a run would give */
	gboolean sync;
	const volatile sig_atomic_t *cancel; /* may be NULL */
	void (*progress)(guint64 bytes,
			 gpointer user); /* so many bytes of packs dealt with more; may be NULL */
	gpointer user;
} MlvSweepOptions;

typedef struct {
	guint64 objects; /* chunks dropped */
	guint64 bytes;   /* of disk that the packs take less */
	guint64 packs_deleted;
	guint64 packs_rewritten; /* half-dead ones and small ones: replaced by */
	guint64 packs_written;
	guint64 packs_adopted;              /* no index named them and they hold something needed */
	guint64 live_objects, live_bytes;   /* stored: what is needed */
	guint64 young_objects, young_bytes; /* not needed, in packs that are too young */
	guint64 sparse_objects,
		sparse_bytes; /* not needed, in packs that are not worth rewriting */
	guint64 unreadable;   /* packs that no index names and that cannot be read: left alone */
} MlvSweepResult;

/* Marks a chunk and all that lies below it, by what the chunks themselves say: sizes and depths
 * that a reference may state wrongly have no influence. What is not here is passed over; what
 * cannot be decoded has nothing below. A chunk whose bytes are damaged is MLV_ERROR_CORRUPT. */
gboolean mlv_sweep_mark(MlvStore *store, MlvKind kind, const MlvId *id, MlvMarks *marks,
			GError **error);

/* The store's lock is held exclusively. The store is refreshed after. An index that does not fit
 * the packs is MLV_ERROR_CORRUPT, and nothing is changed. */
gboolean mlv_sweep_run(MlvStore *store, const MlvMarks *marks, const MlvSweepOptions *options,
		       MlvSweepResult *result, GError **error);

#endif
