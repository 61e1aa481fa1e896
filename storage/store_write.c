/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that add chunks to the local store.
 *
 * Order of durability: data packs (fsync, rename, folder), the data index, metadata packs, the
 * metadata index; whoever names what was stored does so after the commit.
 */
#include "storage/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/store_write_private.h"
#include "storage/untouched.h"

#define YOUNG_SECONDS 3600       /* a pack younger than this need not be made young again */
#define WRITEOUT_STEP (8u << 20) /* bytes whose writing out begins together */

typedef struct {
	MlvId id;
	guint8 kind;
} Key;

static guint key_hash(gconstpointer data)
{
	return mlv_id_hash(data);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	const Key *x = a, *y = b;

	return x->kind == y->kind && mlv_id_equal(&x->id, &y->id);
}

MlvStoreWriter *mlv_store_writer_new(MlvStore *store, const MlvWriteOptions *options)
{
	MlvStoreWriter *writer = g_new0(MlvStoreWriter, 1);

	writer->store = store;
	writer->options = *options;
	mlv_store_lane_init(&writer->data, MLV_CLASS_DATA);
	mlv_store_lane_init(&writer->meta, MLV_CLASS_META);
	writer->claimed = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
	g_mutex_init(&writer->lane_lock);
	g_mutex_init(&writer->claim_lock);
	g_mutex_init(&writer->finish_lock);
	g_cond_init(&writer->finish_cond);
	writer->to_finish = g_async_queue_new();
	writer->scratch = g_malloc(MLV_CHUNK_LIMIT);
	return writer;
}

/* --- claims ----------------------------------------------------------------------------------- */

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

void mlv_store_writer_forget(MlvStoreWriter *writer, const GArray *entries)
{
	g_mutex_lock(&writer->claim_lock);
	for (guint i = 0; i < entries->len; i++) {
		const MlvPackEntry *entry = &g_array_index(entries, MlvPackEntry, i);
		Key key = { entry->id, entry->kind };
		g_hash_table_remove(writer->claimed, &key);
	}
	g_mutex_unlock(&writer->claim_lock);
}

/* --- packs ------------------------------------------------------------------------------------ */

MlvTemp *mlv_store_temp(MlvStore *store, GError **error)
{
	return mlv_temp_open(store->fd, "packs", error);
}

static guint64 stored_sum(const MlvPackEntry *entries, gsize count)
{
	guint64 sum = 0;

	for (gsize i = 0; i < count; i++)
		sum += entries[i].stored;
	return sum;
}

static StoreLane *lane_of(MlvStoreWriter *writer, MlvKind kind)
{
	return mlv_class_of(kind) == MLV_CLASS_DATA ? &writer->data : &writer->meta;
}

/* Whether the session can go on; else why not. Under lane_lock. */
static gboolean is_usable(const MlvStoreWriter *writer, GError **error)
{
	if (writer->failed && error)
		*error = g_error_copy(writer->failed);
	return !writer->failed;
}

gboolean mlv_store_writer_reserve(MlvStoreWriter *writer, MlvPackEntry *entries, gsize count,
				  MlvStoreRoom *room, GError **error)
{
	StoreLane *lane = lane_of(writer, entries[0].kind);
	guint64 sum = stored_sum(entries, count);
	G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);

	if (!is_usable(writer, error))
		return FALSE;
	if (!mlv_store_lane_room(writer, lane, sum, &writer->failed) ||
	    !mlv_pack_writer_reserve(lane->writer, entries, count, &room->offset, &writer->failed))
		return is_usable(writer, error);
	__atomic_fetch_add(&writer->written, sum, __ATOMIC_RELAXED);
	room->pack = lane->pack;
	mlv_store_lane_begin_fill(writer, room->pack);
	return TRUE;
}

/* Has the kernel begin to write out what lies well behind `end`, where the pack was filled last: a
 * write beside what is being written out would wait for it. Only a hint: what fails here fails
 * again in the sync. */
static void begin_writeout(MlvStoreWriter *writer, MlvNewPack *pack, guint64 end)
{
	guint64 from;

	g_mutex_lock(&writer->finish_lock);
	from = pack->writeout;
	gboolean due = end >= from + 2 * WRITEOUT_STEP;
	if (due)
		pack->writeout += WRITEOUT_STEP;
	g_mutex_unlock(&writer->finish_lock);
	if (due)
		sync_file_range(mlv_temp_fd(pack->temp), (off_t)from, WRITEOUT_STEP,
				SYNC_FILE_RANGE_WRITE);
}

gboolean mlv_store_writer_fill(MlvStoreWriter *writer, const MlvStoreRoom *room,
			       const MlvStorePiece *pieces, gsize count, GError **error)
{
	MlvNewPack *pack = room->pack;
	guint64 at = room->offset;
	GError *failed = NULL;

	for (gsize i = 0; i < count && !failed; i++) {
		mlv_file_write_at(mlv_temp_fd(pack->temp), pieces[i].bytes, pieces[i].length, at,
				  mlv_temp_label(pack->temp), &failed);
		at += pieces[i].length;
	}
	if (!failed && writer->options.sync)
		begin_writeout(writer, pack, room->offset);
	gboolean ok = !failed;
	if (failed && error)
		*error = g_error_copy(failed);
	mlv_store_lane_end_fill(writer, pack, failed);
	return ok;
}

gboolean mlv_store_writer_clone(MlvStoreWriter *writer, int source, guint64 offset,
				const guint8 *data, MlvPackEntry *entries, gsize count,
				GError **error)
{
	guint64 sum = stored_sum(entries, count);
	G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);

	if (!is_usable(writer, error))
		return FALSE;
	__atomic_fetch_add(&writer->written, sum, __ATOMIC_RELAXED);
	if (mlv_store_lane_room(writer, &writer->data, sum, &writer->failed))
		mlv_pack_writer_clone(writer->data.writer, source, offset,
				      mlv_store_clone_block(writer->store), data, entries, count,
				      &writer->failed);
	return is_usable(writer, error);
}

static gboolean add_one(MlvStoreWriter *writer, const guint8 *stored, MlvPackEntry *entry,
			GError **error)
{
	MlvStorePiece piece = { stored, entry->stored };
	MlvStoreRoom room;

	return mlv_store_writer_reserve(writer, entry, 1, &room, error) &&
	       mlv_store_writer_fill(writer, &room, &piece, 1, error);
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
	StoreLane *lane = table->pack_class == MLV_CLASS_DATA ? &writer->data : &writer->meta;
	MlvNewPack *pack = g_new0(MlvNewPack, 1);

	pack->temp = temp;
	pack->name = table->name;
	pack->size = table->size;
	pack->entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
	g_array_append_vals(pack->entries, table->entries, (guint)table->count);
	G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);
	__atomic_fetch_add(&writer->written, table->size, __ATOMIC_RELAXED);
	mlv_pack_table_free(table);
	mlv_store_lane_push(writer, lane, pack);
	if (!writer->failed && lane->pack_class == MLV_CLASS_DATA && mlv_store_lane_is_long(lane))
		mlv_store_lane_flush(writer, lane, &writer->failed);
	return is_usable(writer, error);
}

/* --- the end ---------------------------------------------------------------------------------- */

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
	G_GNUC_UNUSED g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&writer->lane_lock);

	if (!is_usable(writer, error))
		return FALSE;
	if (!mlv_store_lane_close(writer, &writer->data, &writer->failed) ||
	    !mlv_store_lane_close(writer, &writer->meta, &writer->failed) ||
	    !mlv_store_lane_flush(writer, &writer->data, &writer->failed) ||
	    !mlv_store_lane_flush(writer, &writer->meta, &writer->failed))
		return is_usable(writer, error);
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
	return __atomic_load_n(&writer->written, __ATOMIC_RELAXED);
}

void mlv_store_writer_free(MlvStoreWriter *writer)
{
	if (!writer)
		return;
	mlv_store_lane_stop(writer);
	mlv_store_lane_clear(&writer->data);
	mlv_store_lane_clear(&writer->meta);
	g_clear_error(&writer->failed);
	g_async_queue_unref(writer->to_finish);
	g_hash_table_unref(writer->claimed);
	g_mutex_clear(&writer->lane_lock);
	g_mutex_clear(&writer->claim_lock);
	g_mutex_clear(&writer->finish_lock);
	g_cond_clear(&writer->finish_cond);
	g_free(writer->scratch);
	g_free(writer);
}
