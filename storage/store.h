/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local store: packs and indexes in a directory, mapped and read in place.
 *
 *	g_autoptr(MlvStore) store = mlv_store_open(path, TRUE, NULL, NULL, error);
 *	mlv_store_find(store, MLV_KIND_BLOB, &id, &place, &found, error);
 *	mlv_store_read(store, &place, buffer, error);
 *
 * An open store holds a lock (shared) that keeps gc out until it is closed or the process ends.
 * Finding and reading are thread safe, and what of writing says so; all else belongs to the
 * main thread.
 */
#ifndef MLV_STORAGE_STORE_H
#define MLV_STORAGE_STORE_H

#include "storage/file.h"
#include "storage/index.h"
#include "storage/source.h"

typedef struct MlvStore MlvStore;

/* Where a chunk lies: valid while the store is open. */
typedef struct {
	MlvPackEntry entry;
	guint pack; /* number of the pack in this open store */
} MlvPlace;

/* `waiting` (may be NULL) is called once if the lock is held by somebody else: it says what is
 * waited for. */
typedef void (*MlvStoreWaiting)(gboolean exclusive, gpointer user);

/* Opens the store in the directory `path`; with `create` makes what is missing of it. Without, a
 * store that is not there is MLV_ERROR_MISSING. */
MlvStore *mlv_store_open(const char *path, gboolean create, MlvStoreWaiting waiting, gpointer user,
			 GError **error);
/* The same for fsck: a format file or indexes that are damaged are passed over (every byte of
 * each index is checked), so that what is left can be looked at and mended. */
MlvStore *mlv_store_open_damaged(const char *path, MlvStoreWaiting waiting, gpointer user,
				 GError **error);
void mlv_store_close(MlvStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvStore, mlv_store_close)

/* Turns the shared lock into an exclusive one (for gc): waits until nobody else has the store
 * open. The indexes are read anew. */
gboolean mlv_store_lock_exclusive(MlvStore *store, MlvStoreWaiting waiting, gpointer user,
				  GError **error);

/* Reads the names in live/ again and maps indexes that are new. */
gboolean mlv_store_refresh(MlvStore *store, GError **error);

const char *mlv_store_path(const MlvStore *store);
int mlv_store_fd(const MlvStore *store);      /* the directory, borrowed */
gsize mlv_store_clone_block(MlvStore *store); /* mlv_file_clone_block of it, found out once */
MlvSource *mlv_store_source(MlvStore *store); /* borrowed; thread safe */

/* A number that changes whenever gc deletes something; 0 before. Who remembers that something is
 * in the store remembers this beside it. */
gboolean mlv_store_generation(MlvStore *store, guint64 *generation, GError **error);
/* For gc, before the first deletion. */
gboolean mlv_store_new_generation(MlvStore *store, gboolean sync, GError **error);

/* The live indexes of a class (elements MlvIndex *), in no particular order; release with
 * g_ptr_array_unref. */
GPtrArray *mlv_store_indexes(MlvStore *store, MlvClass index_class);

/* Looks up a chunk. Absence is success with *found FALSE. */
gboolean mlv_store_find(MlvStore *store, MlvKind kind, const MlvId *id, MlvPlace *place,
			gboolean *found, GError **error);
/* Reads a chunk into `out` (place->entry.raw bytes), decoded and checked against its id. */
gboolean mlv_store_read(MlvStore *store, const MlvPlace *place, guint8 *out, GError **error);
/* The stored bytes as they lie in the pack (place->entry.stored bytes), not checked. */
gboolean mlv_store_read_stored(MlvStore *store, const MlvPlace *place, guint8 *out, GError **error);
/* Finds and reads: the usual way. MLV_ERROR_MISSING where the chunk is not here. */
GBytes *mlv_store_read_chunk(MlvStore *store, MlvKind kind, const MlvId *id, GError **error);

MlvId mlv_store_pack_name(MlvStore *store, guint pack);
/* A descriptor of the pack, counted: give it back with mlv_store_pack_release. */
int mlv_store_pack_acquire(MlvStore *store, guint pack, GError **error);
void mlv_store_pack_release(MlvStore *store, guint pack);
/* Opens a pack of this store by name for reading; the caller closes. -1 with *error. */
int mlv_store_pack_open(MlvStore *store, const MlvId *name, GError **error);

/* --- writing ---------------------------------------------------------------------------------- */

typedef struct {
	gboolean sync; /* fsync before anything is named (mlv.fsync) */
	int level;     /* zstd level for metadata and compressible data; 0: store raw */
} MlvWriteOptions;

/* A session that adds chunks. Nothing of it is visible before mlv_store_writer_commit, save packs
 * that were full and their index; a session that is dropped leaves only temporary files, which
 * the next gc sweeps. */
typedef struct MlvStoreWriter MlvStoreWriter;
MlvStoreWriter *mlv_store_writer_new(MlvStore *store, const MlvWriteOptions *options);

/* Whether the chunk must be written: FALSE in *mine if the store or this session has it. If
 * *mine, the caller has promised to write it. A pack that a chunk is found in is made young at
 * commit. Thread safe. */
gboolean mlv_store_writer_claim(MlvStoreWriter *writer, MlvKind kind, const MlvId *id,
				gboolean *mine, GError **error);

/* Room in a pack that chunks have reserved, to be filled by the thread that has them. */
typedef struct {
	struct MlvNewPack *pack;
	guint64 offset;
} MlvStoreRoom;
/* Stored bytes of chunks that lie one behind the other in memory. */
typedef struct {
	const guint8 *bytes;
	gsize length;
} MlvStorePiece;
/* Gives claimed chunks of one class (at least one) their place, one behind the other; each entry's
 * offset is set here. The thread fills the room before it does anything else in the session, which
 * may wait for it. After a failure the session only fails. Thread safe. */
gboolean mlv_store_writer_reserve(MlvStoreWriter *writer, MlvPackEntry *entries, gsize count,
				  MlvStoreRoom *room, GError **error);
/* Writes the stored bytes of those chunks, which are all of the pieces'. If that fails the commit
 * fails too. Thread safe: what was hashed a moment ago is still in that core's cache. */
gboolean mlv_store_writer_fill(MlvStoreWriter *writer, const MlvStoreRoom *room,
			       const MlvStorePiece *pieces, gsize count, GError **error);
/* Appends claimed raw data chunks that lie one behind the other, in `data` and in a file whose
 * blocks can be shared, as mlv_pack_writer_clone. Thread safe. */
gboolean mlv_store_writer_clone(MlvStoreWriter *writer, int source, guint64 offset,
				const guint8 *data, MlvPackEntry *entries, gsize count,
				GError **error);
/* Stores one chunk of any kind: claims, compresses where it pays, appends. An MlvPutChunk with
 * `user` the writer. */
gboolean mlv_store_writer_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			      gpointer writer, GError **error);
/* Appends one claimed chunk in its stored form (from another pack). */
gboolean mlv_store_writer_put_stored(MlvStoreWriter *writer, const MlvPackEntry *entry,
				     const guint8 *stored, GError **error);
/* Takes over a complete, verified pack: `temp` is published under `table`'s name at the next
 * flush. Takes ownership of both. */
gboolean mlv_store_writer_adopt(MlvStoreWriter *writer, MlvTemp *temp, MlvPackTable *table,
				GError **error);

/* A temporary file in the store's file system, for adopt and for unpacking. */
MlvTemp *mlv_store_temp(MlvStore *store, GError **error);

/* Everything of this session durable and visible. The writer is empty after, and can be used on. */
gboolean mlv_store_writer_commit(MlvStoreWriter *writer, GError **error);
MlvStore *mlv_store_writer_store(const MlvStoreWriter *writer);
const MlvWriteOptions *mlv_store_writer_options(const MlvStoreWriter *writer);
/* Bytes of chunks stored anew by this session, as stored. */
guint64 mlv_store_writer_written(const MlvStoreWriter *writer);
void mlv_store_writer_free(MlvStoreWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvStoreWriter, mlv_store_writer_free)

#endif
