/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/remote_gc*.c share. */
#ifndef MLV_STORAGE_REMOTE_GC_PRIVATE_H
#define MLV_STORAGE_REMOTE_GC_PRIVATE_H

#include "storage/remote_gc.h"
#include "storage/remote_private.h"

/* A pack as packs/ lists it. */
typedef struct {
	MlvIndexPack pack;
	gint64 mtime;
	guint64 live;      /* bytes of chunks in it that are needed and not elsewhere */
	guint64 stored;    /* bytes of all chunks in it, by the indexes */
	guint8 pack_class; /* MlvClass, 0: no index names it */
	gboolean named;
	gboolean goes;    /* to be tombstoned now */
	gboolean rewrite; /* of these: `live` is not 0 */
} GcPack;

typedef struct {
	const MlvRemoteGc *gc;
	MlvRemote *remote;
	MlvRemoteGcResult *result;
	gint64 now;
	GArray *packs;       /* GcPack, sorted by name */
	GHashTable *by_name; /* MlvId in packs -> GcPack */
	GPtrArray *drop;     /* char *: names of roots that go */
	GHashTable *dropped; /* the same as a set */
	GHashTable *marked;  /* char *: names of roots that are in `hard` already */
	MlvMarks *hard;      /* needed by confirmed roots */
	MlvMarks *soft;      /* needed by pending ones only */
	/* RemoteWant: needed, and only in tombstoned packs; or, in the first look, in packs
	 * that go */
	GArray *rescue;
	GArray *absent;   /* MlvChunkKey: needed, and nowhere that is known of */
	gboolean lacking; /* a pending root lacks something */
	gboolean dug;     /* tables of tombstoned packs have been read since the listing */
} GcState;

GcPack *mlv_gc_find_pack(const GcState *state, const MlvId *name);

/* --- remote_gc_mark.c ------------------------------------------------------------------------- */

/* Decides which of the listed roots go. Only in the first look: a root that appears later stays. */
gboolean mlv_gc_judge_roots(GcState *state, GError **error);
/* Marks from all roots of the view that stay and are not marked yet. */
gboolean mlv_gc_mark(GcState *state, GError **error);
/* Begins marking anew. */
void mlv_gc_forget_marks(GcState *state);
/* Looks every marked chunk up: tallies packs' live bytes if `tally`; fills rescue and absent. */
gboolean mlv_gc_place(GcState *state, gboolean tally, GError **error);

/* --- remote_gc_delete.c ----------------------------------------------------------------------- */

/* Deletes the roots that go: before anything is tombstoned. */
gboolean mlv_gc_delete_roots(GcState *state, GError **error);
/* Deletes packs that were tombstoned, and indexes that were superseded, before the second
 * listing; then merges away the entries of these packs. */
gboolean mlv_gc_delete_dead(GcState *state, GError **error);

/* --- remote_copy.c ---------------------------------------------------------------------------- */

/* Copies chunks of a class into new packs on the remote, each hashed on the way; adds these to
 * `builder`. Chunks of other classes are passed over. Sorts `wants`. A pack that is gone is
 * MLV_ERROR_MISSING. */
gboolean mlv_remote_copy(MlvRemote *remote, RemoteWant *wants, gsize count, MlvClass pack_class,
			 const char *temp_dir, MlvIndexBuilder *builder, GError **error);

#endif
