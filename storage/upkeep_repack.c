/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks from old packs into new ones. A dry run goes the same way and only writes nothing, so that
 * it counts the same. */
#include <string.h>

#include "storage/error.h"
#include "storage/pack_private.h"
#include "storage/upkeep.h"

#define RUN_BYTES        (1u << 20) /* chunks that are copied at once */
#define RUN_ENTRIES      1024u
#define PACK_ENTRIES_MAX (128u << 10) /* chunks at which a pack is full */
#define INDEX_ENTRIES    (256u << 10) /* chunks in new packs at which their index is written */

/* The packs of one class. */
typedef struct {
	MlvClass pack_class;
	MlvTemp *temp; /* the pack being written, with its writer, or NULL; never in a dry run */
	MlvPackWriter *writer;
	guint64 size; /* bytes of the pack being written, 0 if there is none */
	gsize count;
	MlvIndexBuilder *builder; /* packs whose index is not written */
} Lane;

struct MlvRepack {
	MlvStore *store;
	gboolean dry_run, sync;
	gsize block; /* that the file system clones by, or 0 */
	Lane data, meta;
	guint64 packs, bytes;
	guint8 *stored; /* one run */
	guint8 *raw;    /* one chunk */
};

/* Where chunks come from. */
typedef struct {
	int fd;
	const char *label;
	MlvRepackDamaged damaged;
	gpointer user;
} Origin;

MlvRepack *mlv_repack_new(MlvStore *store, gboolean dry_run, gboolean sync)
{
	MlvRepack *repack = g_new0(MlvRepack, 1);

	repack->store = store;
	repack->dry_run = dry_run;
	repack->sync = sync;
	repack->block = mlv_store_clone_block(store);
	repack->data.pack_class = MLV_CLASS_DATA;
	repack->meta.pack_class = MLV_CLASS_META;
	repack->data.builder = mlv_index_builder_new(MLV_CLASS_DATA);
	repack->meta.builder = mlv_index_builder_new(MLV_CLASS_META);
	repack->stored = g_malloc(RUN_BYTES + MLV_CHUNK_LIMIT);
	repack->raw = g_malloc(MLV_CHUNK_LIMIT);
	return repack;
}

static void lane_clear(Lane *lane)
{
	mlv_pack_writer_free(lane->writer);
	mlv_temp_free(lane->temp);
	mlv_index_builder_free(lane->builder);
}

void mlv_repack_free(MlvRepack *repack)
{
	if (!repack)
		return;
	lane_clear(&repack->data);
	lane_clear(&repack->meta);
	g_free(repack->stored);
	g_free(repack->raw);
	g_free(repack);
}

/* --- packs ------------------------------------------------------------------------------------ */

/* Ends the pack being written: durable under its name, and in the builder. */
static gboolean lane_close(MlvRepack *repack, Lane *lane, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	gboolean existed;
	MlvId name;

	if (lane->size == 0)
		return TRUE;
	repack->packs++;
	repack->bytes +=
		lane->size + MLV_PACK_SALT + lane->count * MLV_PACK_ENTRY + MLV_PACK_FOOTER;
	lane->size = lane->count = 0;
	if (repack->dry_run)
		return TRUE;
	if (!mlv_pack_writer_finish(lane->writer, &name, error))
		return FALSE;
	mlv_pack_path(&name, path);
	if (!mlv_temp_publish(lane->temp, path, 0444, repack->sync, &existed, error))
		return FALSE;
	mlv_index_builder_add_pack(lane->builder, &name, mlv_pack_writer_size(lane->writer),
				   mlv_pack_writer_entries(lane->writer),
				   mlv_pack_writer_count(lane->writer));
	g_clear_pointer(&lane->writer, mlv_pack_writer_free);
	g_clear_pointer(&lane->temp, mlv_temp_free);
	return mlv_index_builder_count(lane->builder) < INDEX_ENTRIES ||
	       mlv_upkeep_publish_index(repack->store, lane->builder, NULL, repack->sync, error);
}

/* A pack with room for so many bytes and chunks more. */
static gboolean lane_room(MlvRepack *repack, Lane *lane, guint64 bytes, gsize count, GError **error)
{
	if (lane->count > 0 &&
	    (lane->size + bytes > MLV_PACK_TARGET || lane->count + count > PACK_ENTRIES_MAX) &&
	    !lane_close(repack, lane, error))
		return FALSE;
	if (lane->size > 0)
		return TRUE;
	lane->size = MLV_PACK_HEADER;
	if (repack->dry_run)
		return TRUE;
	lane->temp = mlv_store_temp(repack->store, error);
	if (!lane->temp)
		return FALSE;
	lane->writer = mlv_pack_writer_new(mlv_temp_fd(lane->temp), lane->pack_class,
					   mlv_temp_label(lane->temp));
	mlv_pack_writer_set_writeout(lane->writer, repack->sync);
	return TRUE;
}

/* The padding that mlv_pack_writer_clone puts before a run. */
static guint64 clone_padding(gsize block, guint64 from, guint64 bytes, guint64 size)
{
	guint64 end = from + bytes;

	if (block == 0 || block > MLV_PACK_GAP_MAX || (from + block - 1) / block >= end / block)
		return 0;
	return (from % block + block - size % block) % block;
}

/* Appends a run of chunks that lie one behind the other at `offset` of fd, their bytes in
 * repack->stored. fd -1: they come from nowhere that could be cloned. */
static gboolean append_run(MlvRepack *repack, Lane *lane, int fd, guint64 offset,
			   MlvPackEntry *entries, gsize count, guint64 bytes, GError **error)
{
	gboolean clone = fd >= 0 && entries[0].codec == MLV_CODEC_RAW && repack->block > 0;
	gboolean ok = TRUE;

	if (!lane_room(repack, lane, bytes, count, error))
		return FALSE;
	if (!repack->dry_run && clone)
		ok = mlv_pack_writer_clone(lane->writer, fd, offset, repack->block, repack->stored,
					   entries, count, error);
	else if (!repack->dry_run)
		ok = mlv_pack_writer_add(lane->writer, repack->stored, entries, count, error);
	lane->size += bytes + (clone ? clone_padding(repack->block, offset, bytes, lane->size) : 0);
	lane->count += count;
	return ok;
}

/* --- copying ---------------------------------------------------------------------------------- */

/* How many of the chunks form a run: neighbours, all raw or all not, of about a mebibyte. */
static gsize run_length(const Origin *origin, const MlvPackEntry *entries, gsize count,
			guint64 *bytes)
{
	gsize length = 1;

	*bytes = entries[0].stored;
	if (origin->damaged)
		return 1;
	while (length < MIN(count, RUN_ENTRIES) && *bytes < RUN_BYTES &&
	       entries[length].offset == entries[0].offset + *bytes &&
	       (entries[length].codec == MLV_CODEC_RAW) == (entries[0].codec == MLV_CODEC_RAW))
		*bytes += entries[length++].stored;
	return length;
}

/* Reads a run and checks every chunk of it; gives each its check. */
static gboolean read_run(MlvRepack *repack, const Origin *origin, MlvPackEntry *entries,
			 gsize count, guint64 bytes, GError **error)
{
	guint8 *at = repack->stored;

	if (!mlv_file_read_at(origin->fd, at, bytes, entries[0].offset, origin->label, error))
		return FALSE;
	for (gsize i = 0; i < count; i++) {
		if (!mlv_pack_decode(&entries[i], at, repack->raw, origin->label, error))
			return FALSE;
		entries[i].check = mlv_pack_check_value(&entries[i], at);
		at += entries[i].stored;
	}
	return TRUE;
}

gboolean mlv_repack_copy(MlvRepack *repack, int fd, const char *label, MlvClass pack_class,
			 const MlvPackEntry *entries, gsize count, MlvRepackDamaged damaged,
			 gpointer user, GError **error)
{
	const Origin origin = { fd, label, damaged, user };
	Lane *lane = pack_class == MLV_CLASS_DATA ? &repack->data : &repack->meta;
	g_autofree MlvPackEntry *run = g_new(MlvPackEntry, RUN_ENTRIES);
	guint64 bytes;

	for (gsize length; count > 0; entries += length, count -= length) {
		g_autoptr(GError) why = NULL;
		guint64 offset = entries[0].offset;

		length = run_length(&origin, entries, count, &bytes);
		memcpy(run, entries, length * sizeof(*run));
		if (!read_run(repack, &origin, run, length, bytes, &why)) {
			if (damaged && g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT)) {
				damaged(&entries[0], why, user);
				continue;
			}
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		if (!append_run(repack, lane, fd, offset, run, length, bytes, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_repack_put(MlvRepack *repack, MlvKind kind, const MlvId *id, const guint8 *raw,
			gsize length, GError **error)
{
	MlvPackEntry entry = {
		.id = *id, .kind = (guint8)kind, .raw = (guint32)length, .stored = (guint32)length
	};
	Lane *lane = mlv_class_of(kind) == MLV_CLASS_DATA ? &repack->data : &repack->meta;

	if (length > MLV_CHUNK_LIMIT)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"a chunk of %" G_GSIZE_FORMAT " bytes is too long", length);
	memcpy(repack->stored, raw, length);
	entry.check = mlv_pack_check_value(&entry, raw);
	return append_run(repack, lane, -1, 0, &entry, 1, length, error);
}

/* --- the end ---------------------------------------------------------------------------------- */

gboolean mlv_repack_finish(MlvRepack *repack, GError **error)
{
	return lane_close(repack, &repack->data, error) &&
	       lane_close(repack, &repack->meta, error) &&
	       mlv_upkeep_publish_index(repack->store, repack->data.builder, NULL, repack->sync,
					error) &&
	       mlv_upkeep_publish_index(repack->store, repack->meta.builder, NULL, repack->sync,
					error);
}

guint64 mlv_repack_packs(const MlvRepack *repack)
{
	return repack->packs;
}

guint64 mlv_repack_bytes(const MlvRepack *repack)
{
	return repack->bytes;
}
