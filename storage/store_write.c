/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that add chunks to the local store.
 *
 * Order of durability: data packs (fsync, rename, folder), the data index, metadata packs, the
 * metadata index; whoever names what was stored does so after the commit. Full packs are synced
 * and renamed by a thread of their own, so that writing goes on meanwhile; an index over them is
 * written now and then, which bounds what a session remembers and what a kill loses.
 */
#include "storage/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/store_private.h"
#include "storage/untouched.h"

#define PACK_ENTRIES_MAX (128u << 10) /* chunks at which a pack is full, however short */
#define FLUSH_ENTRIES    (256u << 10) /* chunks in full packs at which their index is written */
#define YOUNG_SECONDS    3600         /* a pack younger than this need not be made young again */
#define PACKS_UNDER_WAY  4            /* full packs that may wait for their sync */
#define WRITEOUT_STEP    (8u << 20)   /* bytes whose writing out begins together */

struct MlvNewPack {
	MlvTemp *temp;
	MlvId name;
	guint64 size;
	GArray *entries; /* MlvPackEntry; NULL while it is being written */
	gboolean sync;
	guint64 writeout; /* where writing out goes on; under finish_lock */
	guint pending;    /* threads that write what they have reserved; under finish_lock */
	GError *error;    /* what went wrong in one of them, or in the sync; under finish_lock */
};

/* The packs of one class that a session writes. */
typedef struct {
	MlvClass pack_class;
	MlvNewPack *pack; /* being written, with its writer, or NULL */
	MlvPackWriter *writer;
	GPtrArray *full; /* MlvNewPack whose index is not written */
	gsize full_entries;
} Lane;

typedef struct {
	MlvId id;
	guint8 kind;
} Key;

struct MlvStoreWriter {
	MlvStore *store;
	MlvWriteOptions options;
	GMutex lane_lock; /* of the lanes and of `written` */
	Lane data, meta;
	GMutex claim_lock;
	GHashTable *claimed; /* Key: chunks of this session that no index has */
	GThread *finisher;
	GAsyncQueue *to_finish; /* MlvNewPack, or the writer itself as the end mark */
	GMutex finish_lock;
	GCond finish_cond;
	guint unfinished; /* under finish_lock */
	guint64 written;
	guint8 *scratch; /* compressed bytes of one chunk; main thread */
};

static guint key_hash(gconstpointer data)
{
	return mlv_id_hash(data);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	const Key *x = a, *y = b;

	return x->kind == y->kind && mlv_id_equal(&x->id, &y->id);
}

static void pack_free(gpointer data)
{
	MlvNewPack *pack = data;

	if (!pack)
		return;
	mlv_temp_free(pack->temp);
	if (pack->entries)
		g_array_unref(pack->entries);
	g_clear_error(&pack->error);
	g_free(pack);
}

/* Takes the error over; the first one stays. Under finish_lock. */
static void note_error(MlvNewPack *pack, GError *error)
{
	if (error && !pack->error)
		pack->error = error;
	else
		g_clear_error(&error);
}

/* Syncs full packs as they come, once all that was reserved in them is written. Publishing is left
 * to the flush, folder syncs too. */
static gpointer finish_packs(gpointer user)
{
	MlvStoreWriter *writer = user;

	for (gpointer item; (item = g_async_queue_pop(writer->to_finish)) != writer;) {
		MlvNewPack *pack = item;
		GError *error = NULL;

		g_mutex_lock(&writer->finish_lock);
		while (pack->pending > 0)
			g_cond_wait(&writer->finish_cond, &writer->finish_lock);
		g_mutex_unlock(&writer->finish_lock);
		if (pack->sync)
			mlv_temp_sync(pack->temp, &error);
		g_mutex_lock(&writer->finish_lock);
		note_error(pack, error);
		writer->unfinished--;
		g_cond_broadcast(&writer->finish_cond);
		g_mutex_unlock(&writer->finish_lock);
	}
	return NULL;
}

MlvStoreWriter *mlv_store_writer_new(MlvStore *store, const MlvWriteOptions *options)
{
	MlvStoreWriter *writer = g_new0(MlvStoreWriter, 1);

	writer->store = store;
	writer->options = *options;
	writer->data.pack_class = MLV_CLASS_DATA;
	writer->meta.pack_class = MLV_CLASS_META;
	writer->data.full = g_ptr_array_new_with_free_func(pack_free);
	writer->meta.full = g_ptr_array_new_with_free_func(pack_free);
	writer->claimed = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
	g_mutex_init(&writer->lane_lock);
	g_mutex_init(&writer->claim_lock);
	g_mutex_init(&writer->finish_lock);
	g_cond_init(&writer->finish_cond);
	writer->to_finish = g_async_queue_new();
	writer->scratch = g_malloc(MLV_CHUNK_LIMIT);
	return writer;
}

/* --- claims
 * ---------------------------------------------------------------------------------------- */

gboolean mlv_store_writer_claim(MlvStoreWriter *writer, MlvKind kind, const MlvId *id,
				gboolean *mine, GError **error)
{
	MlvPlace place;
	gboolean found;

	if (!mlv_store_find(writer->store, kind, id, &place, &found, error))
		return FALSE;
	if (found) {
		g_rw_lock_reader_lock(&writer->store->lock);
		StorePack *pack = writer->store->packs->pdata[place.pack];
		g_rw_lock_reader_unlock(&writer->store->lock);
		if (!g_atomic_int_get(&pack->touched))
			g_atomic_int_set(&pack->touched, 1);
		*mine = FALSE;
		return TRUE;
	}
	Key *key = g_new(Key, 1);
	key->id = *id;
	key->kind = (guint8)kind;
	g_mutex_lock(&writer->claim_lock);
	*mine = !g_hash_table_contains(writer->claimed, key);
	if (*mine)
		g_hash_table_add(writer->claimed, g_steal_pointer(&key));
	g_mutex_unlock(&writer->claim_lock);
	g_free(key);
	return TRUE;
}

/* Chunks that an index has need not be remembered. */
static void forget_claims(MlvStoreWriter *writer, const GArray *entries)
{
	g_mutex_lock(&writer->claim_lock);
	for (guint i = 0; i < entries->len; i++) {
		const MlvPackEntry *entry = &g_array_index(entries, MlvPackEntry, i);
		Key key = { entry->id, entry->kind };
		g_hash_table_remove(writer->claimed, &key);
	}
	g_mutex_unlock(&writer->claim_lock);
}

/* --- packs
 * ----------------------------------------------------------------------------------------- */

MlvTemp *mlv_store_temp(MlvStore *store, GError **error)
{
	return mlv_temp_open(store->fd, "packs", error);
}

static gboolean lane_open(MlvStoreWriter *writer, Lane *lane, GError **error)
{
	if (lane->writer)
		return TRUE;
	MlvTemp *temp = mlv_store_temp(writer->store, error);
	if (!temp)
		return FALSE;
	lane->pack = g_new0(MlvNewPack, 1);
	lane->pack->temp = temp;
	lane->writer =
		mlv_pack_writer_new(mlv_temp_fd(temp), lane->pack_class, mlv_temp_label(temp));
	mlv_pack_writer_set_writeout(lane->writer, writer->options.sync);
	return TRUE;
}

/* Hands a finished pack to the finisher, waiting while too many are under way. */
static void lane_push(MlvStoreWriter *writer, Lane *lane, MlvNewPack *pack)
{
	pack->sync = writer->options.sync;
	g_ptr_array_add(lane->full, pack);
	lane->full_entries += pack->entries->len;
	if (!writer->finisher)
		writer->finisher = g_thread_new("mlv-sync", finish_packs, writer);
	g_mutex_lock(&writer->finish_lock);
	while (writer->unfinished >= PACKS_UNDER_WAY)
		g_cond_wait(&writer->finish_cond, &writer->finish_lock);
	writer->unfinished++;
	g_mutex_unlock(&writer->finish_lock);
	g_async_queue_push(writer->to_finish, pack);
}

/* Ends the pack being written, if there is one. */
static gboolean lane_close(MlvStoreWriter *writer, Lane *lane, GError **error)
{
	MlvId name;

	if (!lane->writer)
		return TRUE;
	if (!mlv_pack_writer_finish(lane->writer, &name, error))
		return FALSE;
	MlvNewPack *pack = g_steal_pointer(&lane->pack);
	pack->name = name;
	pack->size = mlv_pack_writer_size(lane->writer);
	pack->entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
	g_array_append_vals(pack->entries, mlv_pack_writer_entries(lane->writer),
			    (guint)mlv_pack_writer_count(lane->writer));
	g_clear_pointer(&lane->writer, mlv_pack_writer_free);
	lane_push(writer, lane, pack);
	return TRUE;
}

static gboolean publish_pack(MlvStoreWriter *writer, MlvNewPack *pack, GHashTable *folders,
			     GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	gboolean existed;

	if (pack->error) {
		g_propagate_error(error, g_steal_pointer(&pack->error));
		return FALSE;
	}
	mlv_pack_path(&pack->name, path);
	if (!mlv_temp_publish(pack->temp, path, 0444, FALSE, &existed, error))
		return FALSE;
	g_hash_table_add(folders, g_path_get_dirname(path));
	if (mlv_store_clone_block(writer->store) > 0)
		mlv_untouched_note(writer->store->fd, &pack->name, mlv_temp_fd(pack->temp));
	return TRUE;
}

/* All full packs of a lane get their final names, durably. */
static gboolean publish_packs(MlvStoreWriter *writer, Lane *lane, GError **error)
{
	g_autoptr(GHashTable) folders =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer folder;

	g_mutex_lock(&writer->finish_lock);
	while (writer->unfinished > 0)
		g_cond_wait(&writer->finish_cond, &writer->finish_lock);
	g_mutex_unlock(&writer->finish_lock);
	for (guint i = 0; i < lane->full->len; i++)
		if (!publish_pack(writer, lane->full->pdata[i], folders, error))
			return FALSE;
	if (!writer->options.sync)
		return TRUE;
	g_hash_table_iter_init(&iter, folders);
	while (g_hash_table_iter_next(&iter, &folder, NULL))
		if (!mlv_file_sync_dir(writer->store->fd, folder, error))
			return FALSE;
	return mlv_file_sync_dir(writer->store->fd, "packs", error);
}

static gboolean publish_index(MlvStoreWriter *writer, MlvIndexBuilder *builder, GError **error)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];
	MlvId name;
	gboolean existed;
	g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &name);
	g_autoptr(MlvTemp) temp = mlv_temp_open(writer->store->fd, "live", error);

	mlv_index_path(&name, path);
	if (!temp ||
	    !mlv_file_write(mlv_temp_fd(temp), g_bytes_get_data(bytes, NULL),
			    g_bytes_get_size(bytes), mlv_temp_label(temp), error) ||
	    !mlv_temp_publish(temp, path, 0444, writer->options.sync, &existed, error))
		return FALSE;
	g_auto(MlvFd) fd = openat(writer->store->fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mlv_fail_errno(error, "cannot open '%s'", path);
	g_autoptr(MlvIndex) index = mlv_index_open(fd, &name, FALSE, path, error);
	if (!index)
		return FALSE;
	mlv_store_add_index(writer->store, index);
	return TRUE;
}

/* The full packs of a lane become durable and visible. */
static gboolean lane_flush(MlvStoreWriter *writer, Lane *lane, GError **error)
{
	if (lane->full->len == 0)
		return TRUE;
	if (!publish_packs(writer, lane, error))
		return FALSE;
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(lane->pack_class);
	for (guint i = 0; i < lane->full->len; i++) {
		MlvNewPack *pack = lane->full->pdata[i];
		mlv_index_builder_add_pack(builder, &pack->name, pack->size,
					   (MlvPackEntry *)(void *)pack->entries->data,
					   pack->entries->len);
	}
	if (!publish_index(writer, builder, error))
		return FALSE;
	for (guint i = 0; i < lane->full->len; i++)
		forget_claims(writer, ((MlvNewPack *)lane->full->pdata[i])->entries);
	g_ptr_array_set_size(lane->full, 0);
	lane->full_entries = 0;
	return mlv_store_merge_indexes(writer->store, lane->pack_class, writer->options.sync,
				       error);
}

/* Room for `stored` bytes more: ends a full pack; now and then its index is written, data only
 * (metadata may name nothing that is not durable, so it waits for the commit). */
static gboolean lane_room(MlvStoreWriter *writer, Lane *lane, guint64 stored, GError **error)
{
	if (lane->writer &&
	    (mlv_pack_writer_size(lane->writer) + stored > MLV_PACK_TARGET + MLV_CHUNK_LIMIT ||
	     mlv_pack_writer_count(lane->writer) >= PACK_ENTRIES_MAX) &&
	    !lane_close(writer, lane, error))
		return FALSE;
	if (lane->pack_class == MLV_CLASS_META && lane->full_entries >= FLUSH_ENTRIES)
		return lane_close(writer, &writer->data, error) &&
		       lane_flush(writer, &writer->data, error) &&
		       lane_flush(writer, lane, error) && lane_open(writer, lane, error);
	if (lane->full_entries >= FLUSH_ENTRIES && !lane_flush(writer, lane, error))
		return FALSE;
	return lane_open(writer, lane, error);
}

static guint64 stored_sum(const MlvPackEntry *entries, gsize count)
{
	guint64 sum = 0;

	for (gsize i = 0; i < count; i++)
		sum += entries[i].stored;
	return sum;
}

static Lane *lane_of(MlvStoreWriter *writer, MlvKind kind)
{
	return mlv_class_of(kind) == MLV_CLASS_DATA ? &writer->data : &writer->meta;
}

gboolean mlv_store_writer_reserve(MlvStoreWriter *writer, MlvPackEntry *entries, gsize count,
				  MlvStoreRoom *room, GError **error)
{
	Lane *lane = lane_of(writer, entries[0].kind);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);

	room->length = stored_sum(entries, count);
	if (!lane_room(writer, lane, room->length, error) ||
	    !mlv_pack_writer_reserve(lane->writer, entries, count, &room->offset, error))
		return FALSE;
	writer->written += room->length;
	room->pack = lane->pack;
	g_mutex_lock(&writer->finish_lock);
	room->pack->pending++;
	g_mutex_unlock(&writer->finish_lock);
	return TRUE;
}

/* The bytes of a pack that are written out next, now that it is filled to `offset`; zero length: not
 * yet. They lie well behind: a write beside what is being written out would wait for it. Under
 * finish_lock. */
static guint64 next_writeout(MlvNewPack *pack, guint64 offset, guint64 *length)
{
	guint64 from = pack->writeout;

	*length = offset >= from + 2 * WRITEOUT_STEP ? WRITEOUT_STEP : 0;
	pack->writeout += *length;
	return from;
}

gboolean mlv_store_writer_fill(MlvStoreWriter *writer, const MlvStoreRoom *room, const guint8 *data,
			       GError **error)
{
	MlvNewPack *pack = room->pack;
	int fd = mlv_temp_fd(pack->temp);
	guint64 from = 0, length = 0;
	GError *failed = NULL;
	gboolean ok = mlv_file_write_at(fd, data, room->length, room->offset,
					mlv_temp_label(pack->temp), &failed);

	if (!ok && error)
		*error = g_error_copy(failed);
	if (ok && writer->options.sync) {
		g_mutex_lock(&writer->finish_lock);
		from = next_writeout(pack, room->offset, &length);
		g_mutex_unlock(&writer->finish_lock);
	}
	/* Only a hint: what fails here fails again in the sync. */
	if (length > 0)
		sync_file_range(fd, (off_t)from, (off_t)length, SYNC_FILE_RANGE_WRITE);
	g_mutex_lock(&writer->finish_lock);
	note_error(pack, failed);
	if (--pack->pending == 0)
		g_cond_broadcast(&writer->finish_cond);
	g_mutex_unlock(&writer->finish_lock);
	return ok;
}

gboolean mlv_store_writer_clone(MlvStoreWriter *writer, int source, guint64 offset,
				const guint8 *data, MlvPackEntry *entries, gsize count,
				GError **error)
{
	guint64 sum = stored_sum(entries, count);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);

	writer->written += sum;
	return lane_room(writer, &writer->data, sum, error) &&
	       mlv_pack_writer_clone(writer->data.writer, source, offset,
				     mlv_store_clone_block(writer->store), data, entries, count,
				     error);
}

static gboolean add_one(MlvStoreWriter *writer, const guint8 *stored, MlvPackEntry *entry,
			GError **error)
{
	MlvStoreRoom room;

	return mlv_store_writer_reserve(writer, entry, 1, &room, error) &&
	       mlv_store_writer_fill(writer, &room, stored, error);
}

gboolean mlv_store_writer_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			      gpointer user, GError **error)
{
	MlvStoreWriter *writer = user;
	MlvPackEntry entry = {
		.id = *id, .kind = (guint8)kind, .raw = (guint32)length, .stored = (guint32)length
	};
	gboolean mine;
	gsize compressed = 0;

	if (!mlv_store_writer_claim(writer, kind, id, &mine, error))
		return FALSE;
	if (!mine)
		return TRUE;
	if (writer->options.level != 0)
		compressed =
			mlv_codec_compress(data, length, writer->scratch, writer->options.level);
	if (compressed > 0) {
		entry.codec = MLV_CODEC_ZSTD;
		entry.stored = (guint32)compressed;
		data = writer->scratch;
	}
	entry.check = mlv_pack_check_value(&entry, data);
	return add_one(writer, data, &entry, error);
}

gboolean mlv_store_writer_put_stored(MlvStoreWriter *writer, const MlvPackEntry *entry,
				     const guint8 *stored, GError **error)
{
	MlvPackEntry copy = *entry;

	copy.check = mlv_pack_check_value(&copy, stored);
	return add_one(writer, stored, &copy, error);
}

gboolean mlv_store_writer_adopt(MlvStoreWriter *writer, MlvTemp *temp, MlvPackTable *table,
				GError **error)
{
	Lane *lane = table->pack_class == MLV_CLASS_DATA ? &writer->data : &writer->meta;
	MlvNewPack *pack = g_new0(MlvNewPack, 1);

	pack->temp = temp;
	pack->name = table->name;
	pack->size = table->size;
	pack->entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
	g_array_append_vals(pack->entries, table->entries, (guint)table->count);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);
	writer->written += table->size;
	mlv_pack_table_free(table);
	lane_push(writer, lane, pack);
	return lane->full_entries < FLUSH_ENTRIES || lane->pack_class == MLV_CLASS_META ||
	       lane_flush(writer, lane, error);
}

/* --- the end
 * --------------------------------------------------------------------------------------- */

/* Makes a pack young, and keeps what is noted of its state: the touch is our own. */
static void touch_pack(MlvStore *store, const MlvId *name)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	struct stat st;

	mlv_pack_path(name, path);
	if (fstatat(store->fd, path, &st, 0) < 0 || st.st_mtime >= time(NULL) - YOUNG_SECONDS)
		return;
	g_autoptr(MlvUntouched) untouched = mlv_untouched_open(store->fd);
	g_auto(MlvFd) fd = openat(store->fd, path, O_RDONLY | O_CLOEXEC);
	gboolean held = fd >= 0 && mlv_untouched_holds(untouched, name, fd);
	utimensat(store->fd, path, NULL, 0);
	if (held)
		mlv_untouched_note(store->fd, name, fd);
}

/* gc judges a pack by its age, and somebody relies on these packs from now on. */
static void touch_packs(MlvStoreWriter *writer)
{
	for (guint i = 0; i < writer->store->packs->len; i++) {
		StorePack *pack = writer->store->packs->pdata[i];

		if (g_atomic_int_get(&pack->touched))
			touch_pack(writer->store, &pack->name);
		pack->touched = 0;
	}
}

gboolean mlv_store_writer_commit(MlvStoreWriter *writer, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);

	if (!lane_close(writer, &writer->data, error) ||
	    !lane_close(writer, &writer->meta, error) ||
	    !lane_flush(writer, &writer->data, error) || !lane_flush(writer, &writer->meta, error))
		return FALSE;
	touch_packs(writer);
	return TRUE;
}

MlvStore *mlv_store_writer_store(const MlvStoreWriter *writer)
{
	return writer->store;
}

const MlvWriteOptions *mlv_store_writer_options(const MlvStoreWriter *writer)
{
	return &writer->options;
}

guint64 mlv_store_writer_written(const MlvStoreWriter *writer)
{
	return writer->written;
}

static void lane_clear(Lane *lane)
{
	g_clear_pointer(&lane->writer, mlv_pack_writer_free);
	g_clear_pointer(&lane->pack, pack_free);
	g_ptr_array_unref(lane->full);
}

void mlv_store_writer_free(MlvStoreWriter *writer)
{
	if (!writer)
		return;
	if (writer->finisher) {
		g_async_queue_push(writer->to_finish, writer);
		g_thread_join(writer->finisher);
	}
	lane_clear(&writer->data);
	lane_clear(&writer->meta);
	g_async_queue_unref(writer->to_finish);
	g_hash_table_unref(writer->claimed);
	g_mutex_clear(&writer->lane_lock);
	g_mutex_clear(&writer->claim_lock);
	g_mutex_clear(&writer->finish_lock);
	g_cond_clear(&writer->finish_cond);
	g_free(writer->scratch);
	g_free(writer);
}
