/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packs of a session: one of each class is being filled, full ones wait for their index.
 *
 * Full packs are synced by a thread of their own, so that writing goes on meanwhile; an index over
 * them is written now and then, which bounds what a session remembers and what a kill loses.
 */
#include <fcntl.h>

#include "storage/store_write_private.h"
#include "storage/untouched.h"

#define PACK_ENTRIES_MAX (128u << 10) /* chunks at which a pack is full, however short */
#define FLUSH_ENTRIES    (256u << 10) /* chunks in full packs at which their index is written */
#define PACKS_UNDER_WAY  4            /* full packs that may wait for their sync */

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

void mlv_store_lane_init(StoreLane *lane, MlvClass pack_class)
{
	lane->pack_class = pack_class;
	lane->full = g_ptr_array_new_with_free_func(pack_free);
}

void mlv_store_lane_clear(StoreLane *lane)
{
	g_clear_pointer(&lane->writer, mlv_pack_writer_free);
	g_clear_pointer(&lane->pack, pack_free);
	g_ptr_array_unref(lane->full);
}

/* Takes the error over; the first one stays. Under finish_lock. */
static void note_error(MlvNewPack *pack, GError *error)
{
	if (error && !pack->error)
		pack->error = error;
	else
		g_clear_error(&error);
}

void mlv_store_lane_begin_fill(MlvStoreWriter *writer, MlvNewPack *pack)
{
	g_mutex_lock(&writer->finish_lock);
	pack->pending++;
	g_mutex_unlock(&writer->finish_lock);
}

void mlv_store_lane_end_fill(MlvStoreWriter *writer, MlvNewPack *pack, GError *error)
{
	g_mutex_lock(&writer->finish_lock);
	note_error(pack, error);
	if (--pack->pending == 0)
		g_cond_broadcast(&writer->finish_cond);
	g_mutex_unlock(&writer->finish_lock);
}

/* --- full packs ------------------------------------------------------------------------------- */

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

void mlv_store_lane_stop(MlvStoreWriter *writer)
{
	if (!writer->finisher)
		return;
	g_async_queue_push(writer->to_finish, writer);
	g_thread_join(writer->finisher);
	writer->finisher = NULL;
}

void mlv_store_lane_push(MlvStoreWriter *writer, StoreLane *lane, MlvNewPack *pack)
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
static gboolean publish_packs(MlvStoreWriter *writer, StoreLane *lane, GError **error)
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

gboolean mlv_store_lane_flush(MlvStoreWriter *writer, StoreLane *lane, GError **error)
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
		mlv_store_writer_forget(writer, ((MlvNewPack *)lane->full->pdata[i])->entries);
	g_ptr_array_set_size(lane->full, 0);
	lane->full_entries = 0;
	return mlv_store_merge_indexes(writer->store, lane->pack_class, writer->options.sync,
				       error);
}

gboolean mlv_store_lane_is_long(const StoreLane *lane)
{
	return lane->full_entries >= FLUSH_ENTRIES;
}

/* --- the pack being written ------------------------------------------------------------------- */

static gboolean lane_open(MlvStoreWriter *writer, StoreLane *lane, GError **error)
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

gboolean mlv_store_lane_close(MlvStoreWriter *writer, StoreLane *lane, GError **error)
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
	mlv_store_lane_push(writer, lane, pack);
	return TRUE;
}

/* Now and then an index is written, of data only: metadata may name nothing that is not durable, so
 * the data's goes before its own. */
gboolean mlv_store_lane_room(MlvStoreWriter *writer, StoreLane *lane, guint64 stored,
			     GError **error)
{
	if (lane->writer &&
	    (mlv_pack_writer_size(lane->writer) + stored > MLV_PACK_TARGET + MLV_CHUNK_LIMIT ||
	     mlv_pack_writer_count(lane->writer) >= PACK_ENTRIES_MAX) &&
	    !mlv_store_lane_close(writer, lane, error))
		return FALSE;
	if (lane->pack_class == MLV_CLASS_META && mlv_store_lane_is_long(lane))
		return mlv_store_lane_close(writer, &writer->data, error) &&
		       mlv_store_lane_flush(writer, &writer->data, error) &&
		       mlv_store_lane_flush(writer, lane, error) && lane_open(writer, lane, error);
	if (mlv_store_lane_is_long(lane) && !mlv_store_lane_flush(writer, lane, error))
		return FALSE;
	return lane_open(writer, lane, error);
}
