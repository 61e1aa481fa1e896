/* SPDX-License-Identifier: Apache-2.0 */
/* Copying chunks from packs of a remote into new packs there. */
#include "storage/remote_gc_private.h"

#include <fcntl.h>
#include <string.h>

#define RANGE_MAX (8u << 20) /* bytes of one request */
#define AHEAD     4          /* requests at once */

typedef struct {
	MlvRemote *remote;
	MlvClass pack_class;
	const char *temp_dir;
	MlvIndexBuilder *builder;
	MlvTemp *temp;
	MlvPackWriter *writer;
} Copier;

static void copier_clear(Copier *copier)
{
	mlv_pack_writer_free(copier->writer);
	mlv_temp_free(copier->temp);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Copier, copier_clear)

static gboolean begin_pack(Copier *copier, GError **error)
{
	copier->temp = mlv_temp_open(AT_FDCWD, copier->temp_dir, error);
	if (!copier->temp)
		return FALSE;
	copier->writer = mlv_pack_writer_new(mlv_temp_fd(copier->temp), copier->pack_class,
					     mlv_temp_label(copier->temp));
	return TRUE;
}

static gboolean send_pack(Copier *copier, GError **error)
{
	g_autofree MlvPackEntry *entries = NULL;
	g_autoptr(MlvOp) op = NULL;
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	char path[MLV_PACK_NAME_LENGTH + 1];
	gsize count;
	MlvId name;

	if (!copier->writer)
		return TRUE;
	count = mlv_pack_writer_count(copier->writer);
	entries = g_memdup2(mlv_pack_writer_entries(copier->writer), count * sizeof(MlvPackEntry));
	if (!mlv_pack_writer_finish(copier->writer, &name, error))
		return FALSE;
	mlv_pack_path(&name, path);
	op = mlv_op_new(MLV_OP_PUT, path);
	op->fd = mlv_temp_fd(copier->temp);
	op->length = mlv_pack_writer_size(copier->writer);
	g_ptr_array_add(one, op);
	if (!mlv_medium_run_all(copier->remote->medium, one, FALSE, error))
		return FALSE;
	mlv_index_builder_add_pack(copier->builder, &name, op->length, entries, count);
	g_clear_pointer(&copier->writer, mlv_pack_writer_free);
	g_clear_pointer(&copier->temp, mlv_temp_free);
	return TRUE;
}

/* One chunk: checked, then appended as it is stored. */
static gboolean copy_chunk(Copier *copier, const RemoteWant *want, const guint8 *stored,
			   guint8 *raw, const char *label, GError **error)
{
	MlvPackEntry entry = mlv_remote_want_entry(want);
	MlvId id = want->id;

	if (!mlv_pack_decode(&entry, stored, raw, label, error))
		return FALSE;
	if (entry.codec != MLV_CODEC_RAW)
		mlv_id_of(stored, entry.stored, &id);
	memcpy(&entry.check, id.b, sizeof(entry.check));
	entry.check = GUINT32_FROM_LE(entry.check);
	if (!copier->writer && !begin_pack(copier, error))
		return FALSE;
	if (!mlv_pack_writer_add(copier->writer, stored, &entry, 1, error))
		return FALSE;
	return mlv_pack_writer_size(copier->writer) < MLV_PACK_TARGET || send_pack(copier, error);
}

/* A range arrived: all its chunks, or the first that is damaged is fetched again alone. */
static gboolean copy_range(Copier *copier, const RemoteWant *wants, const RemoteRange *range,
			   const MlvOp *op, GError **error)
{
	const guint8 *data = g_bytes_get_data(op->bytes, NULL);
	g_autofree guint8 *raw = g_malloc(MLV_CHUNK_LIMIT);

	for (gsize i = 0; i < range->count; i++) {
		const RemoteWant *want = &wants[range->first + i];
		const guint8 *stored = data + (want->offset - range->offset);
		g_autoptr(GBytes) again = NULL;

		for (int tries = 1;; tries++) {
			g_autoptr(GError) failed = NULL;

			if (copy_chunk(copier, want, stored, raw, op->name, &failed))
				break;
			if (tries == MLV_REMOTE_TRIES ||
			    !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
				g_propagate_error(error, g_steal_pointer(&failed));
				return FALSE;
			}
			g_clear_pointer(&again, g_bytes_unref);
			again = mlv_medium_get(copier->remote->medium, op->name, want->offset,
					       want->stored, want->stored, error);
			if (!again)
				return FALSE;
			stored = g_bytes_get_data(again, NULL);
		}
	}
	return TRUE;
}

static gboolean check_there(Copier *copier, const RemoteWant *wants, const RemoteRange *range,
			    MlvOp *op, GError **error)
{
	if (op->bytes)
		return TRUE;
	mlv_remote_note_gone(copier->remote,
			     &mlv_remote_pack(copier->remote, wants[range->first].pack)->name);
	g_propagate_error(error, g_steal_pointer(&op->error));
	return FALSE;
}

static gboolean copy_ranges(Copier *copier, const RemoteWant *wants, const GArray *ranges,
			    GError **error)
{
	for (guint at = 0; at < ranges->len; at += AHEAD) {
		g_autoptr(GPtrArray) ops = mlv_ops_new();
		guint count = MIN(ranges->len - at, AHEAD);

		for (guint i = 0; i < count; i++)
			g_ptr_array_add(ops, mlv_remote_range_op(
						     copier->remote, wants,
						     &g_array_index(ranges, RemoteRange, at + i)));
		if (!mlv_medium_run_all(copier->remote->medium, ops, TRUE, error))
			return FALSE;
		for (guint i = 0; i < count; i++)
			if (!check_there(copier, wants, &g_array_index(ranges, RemoteRange, at + i),
					 g_ptr_array_index(ops, i), error))
				return FALSE;
		for (guint i = 0; i < count; i++)
			if (!copy_range(copier, wants, &g_array_index(ranges, RemoteRange, at + i),
					g_ptr_array_index(ops, i), error))
				return FALSE;
	}
	return TRUE;
}

gboolean mlv_remote_copy(MlvRemote *remote, RemoteWant *wants, gsize count, MlvClass pack_class,
			 const char *temp_dir, MlvIndexBuilder *builder, GError **error)
{
	g_auto(Copier) copier = { remote, pack_class, temp_dir, builder, NULL, NULL };
	g_autofree RemoteWant *ours = g_new(RemoteWant, count + 1);
	g_autoptr(GArray) ranges = NULL;
	gsize n = 0;

	for (gsize i = 0; i < count; i++)
		if (mlv_class_of(wants[i].kind) == pack_class)
			ours[n++] = wants[i];
	ranges = mlv_remote_join(ours, n, RANGE_MAX);
	return copy_ranges(&copier, ours, ranges, error) && send_pack(&copier, error);
}
