/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/store_write.c and its lanes of packs (storage/store_lane.c) share. */
#ifndef MLV_STORAGE_STORE_WRITE_PRIVATE_H
#define MLV_STORAGE_STORE_WRITE_PRIVATE_H

#include "storage/store_private.h"

typedef struct MlvNewPack {
	MlvTemp *temp;
	MlvId name;
	guint64 size;
	GArray *entries; /* MlvPackEntry; NULL while it is being written */
	gboolean sync;
	guint64 writeout; /* where writing out goes on; under finish_lock */
	guint pending;    /* threads that write what they have reserved; under finish_lock */
	GError *error;    /* what went wrong in one of them, or in the sync; under finish_lock */
} MlvNewPack;

/* The packs of one class that a session writes. */
typedef struct {
	MlvClass pack_class;
	MlvNewPack *pack; /* being written, with its writer, or NULL */
	MlvPackWriter *writer;
	GPtrArray *full; /* MlvNewPack whose index is not written */
	gsize full_entries;
} StoreLane;

/* Of the locks, lane_lock is taken first. A thread that holds it may wait for packs to be filled:
 * so who has reserved room fills it before anything else. */
struct MlvStoreWriter {
	MlvStore *store;
	MlvWriteOptions options;
	GMutex lane_lock; /* of the lanes and of `failed` */
	StoreLane data, meta;
	GError *failed; /* nothing more is written: what a flush that failed left is not known */
	GMutex claim_lock;
	GHashTable *claimed; /* chunks of this session that no index has */
	GThread *finisher;
	GAsyncQueue *to_finish; /* MlvNewPack, or the writer itself as the end mark */
	GMutex finish_lock;
	GCond finish_cond;
	guint unfinished; /* under finish_lock */
	guint64 written;  /* atomic by __atomic builtins */
	guint8 *scratch;  /* compressed bytes of one chunk; main thread */
};

void mlv_store_lane_init(StoreLane *lane, MlvClass pack_class);
void mlv_store_lane_clear(StoreLane *lane);
/* Ends the thread that syncs; packs that it was given are synced first. */
void mlv_store_lane_stop(MlvStoreWriter *writer);

/* A thread has reserved room in the pack; it has filled it, or failed, as `error` tells, which is
 * taken over and given when the pack is published. Takes finish_lock. */
void mlv_store_lane_begin_fill(MlvStoreWriter *writer, MlvNewPack *pack);
void mlv_store_lane_end_fill(MlvStoreWriter *writer, MlvNewPack *pack, GError *error);

/* All of these under lane_lock. */

/* Room for `stored` bytes more in lane->writer: ends a full pack, begins a new one. */
gboolean mlv_store_lane_room(MlvStoreWriter *writer, StoreLane *lane, guint64 stored,
			     GError **error);
/* Ends the pack being written, if there is one. */
gboolean mlv_store_lane_close(MlvStoreWriter *writer, StoreLane *lane, GError **error);
/* Hands a complete pack over, its entries set, waiting while too many are under way. */
void mlv_store_lane_push(MlvStoreWriter *writer, StoreLane *lane, MlvNewPack *pack);
/* Whether so much is in full packs that their index should be written. */
gboolean mlv_store_lane_is_long(const StoreLane *lane);
/* The full packs of a lane become durable and visible. */
gboolean mlv_store_lane_flush(MlvStoreWriter *writer, StoreLane *lane, GError **error);

/* Chunks that an index has need not be remembered. Takes claim_lock. */
void mlv_store_writer_forget(MlvStoreWriter *writer, const GArray *entries);

#endif
