/* SPDX-License-Identifier: Apache-2.0 */
/* The trees and lists of mlv-object(5): building. Decoding is in object_decode.c. */
#include "storage/object.h"

#include <string.h>

#include "storage/chunker.h"
#include "storage/object_format.h"

/* A stream of records or entries that is cut into chunks, each with a head of its own. */
typedef struct {
	MlvKind kind; /* of the chunks that come out */
	guint8 head[MLV_OBJECT_HEAD];
	gsize head_length;
	GByteArray *pending; /* head, then what is not cut yet */
	GArray *ends;        /* guint32: where each pending record ends, counted behind the head */
	gboolean was_cut;
	MlvPutChunk put;
	gpointer user;
} Stream;

typedef gboolean (*StreamEmit)(const MlvId *id, gsize records, gsize length, gpointer owner,
			       GError **error);

static void stream_init(Stream *stream, MlvKind kind, const guint8 *head, gsize head_length,
			MlvPutChunk put, gpointer user)
{
	stream->kind = kind;
	memcpy(stream->head, head, head_length);
	stream->head_length = head_length;
	stream->pending = g_byte_array_new();
	g_byte_array_append(stream->pending, head, (guint)head_length);
	stream->ends = g_array_new(FALSE, FALSE, sizeof(guint32));
	stream->put = put;
	stream->user = user;
}

static void stream_clear(Stream *stream)
{
	g_clear_pointer(&stream->pending, g_byte_array_unref);
	g_clear_pointer(&stream->ends, g_array_unref);
}

static void stream_append(Stream *stream, const guint8 *record, gsize length)
{
	g_byte_array_append(stream->pending, record, (guint)length);
	guint32 end = (guint32)(stream->pending->len - stream->head_length);
	g_array_append_val(stream->ends, end);
}

/* Cuts the first `records` records off into a chunk. */
static gboolean stream_emit(Stream *stream, gsize records, StreamEmit emit, gpointer owner,
			    GError **error)
{
	gsize body = records > 0 ? g_array_index(stream->ends, guint32, records - 1) : 0;
	gsize length = stream->head_length + body;
	MlvId id;

	mlv_id_of(stream->pending->data, length, &id);
	if (!stream->put(stream->kind, &id, stream->pending->data, length, stream->user, error) ||
	    !emit(&id, records, length, owner, error))
		return FALSE;
	g_byte_array_remove_range(stream->pending, (guint)stream->head_length, (guint)body);
	if (records > 0)
		g_array_remove_range(stream->ends, 0, (guint)records);
	for (guint i = 0; i < stream->ends->len; i++)
		g_array_index(stream->ends, guint32, i) -= (guint32)body;
	return TRUE;
}

/* How many pending records the next chunk takes: up to the first boundary at or behind the
 * chunker's cut. */
static gsize stream_cut(const Stream *stream)
{
	gsize body = stream->pending->len - stream->head_length;
	gsize cut = mlv_chunker_next(stream->pending->data + stream->head_length, 0, body);
	gsize low = 0, high = stream->ends->len - 1;

	while (low < high) {
		gsize middle = (low + high) / 2;
		if (g_array_index(stream->ends, guint32, middle) >= cut)
			high = middle;
		else
			low = middle + 1;
	}
	return low + 1;
}

/* Cuts while more is pending than one chunk may hold. Half a chunk more is let gather, so that
 * what is left need not be moved at every record. */
static gboolean stream_flush(Stream *stream, gboolean finish, StreamEmit emit, gpointer owner,
			     GError **error)
{
	gsize slack = finish ? 0 : MLV_CHUNK_MAX;

	while (stream->pending->len - stream->head_length > MLV_CHUNK_MAX + slack) {
		stream->was_cut = TRUE;
		if (!stream_emit(stream, stream_cut(stream), emit, owner, error))
			return FALSE;
	}
	if (!finish)
		return TRUE;
	while (stream->was_cut && stream->ends->len > 0)
		if (!stream_emit(stream, stream_cut(stream), emit, owner, error))
			return FALSE;
	return TRUE;
}

/* --- lists ------------------------------------------------------------------------------------ */

/* The list being gathered at one level. */
typedef struct {
	guint8 *chunk; /* head and records; MLV_LIST_RECORDS_MAX of them fit */
	guint count;
	guint64 total;   /* leaf bytes below the records */
	guint64 emitted; /* lists of this level that were put */
} Level;

struct MlvListBuilder {
	MlvKind leaf_kind;
	MlvPutChunk put;
	gpointer user;
	Level level[MLV_REF_MAX_DEPTH];
	guint64 total;
	guint64 leaves;
	MlvListEntry first;
};

MlvListBuilder *mlv_list_builder_new(MlvKind leaf_kind, MlvPutChunk put, gpointer user)
{
	MlvListBuilder *builder = g_new0(MlvListBuilder, 1);

	builder->leaf_kind = leaf_kind;
	builder->put = put;
	builder->user = user;
	return builder;
}

/* Puts what is gathered at a level as one list, and gives the record that names it. */
static gboolean list_emit(MlvListBuilder *builder, guint index, MlvListEntry *entry, GError **error)
{
	Level *level = &builder->level[index];
	gsize length = MLV_OBJECT_HEAD + level->count * MLV_LIST_RECORD;

	mlv_id_of(level->chunk, length, &entry->id);
	entry->length = level->total;
	level->count = 0;
	level->total = 0;
	level->emitted++;
	return builder->put(MLV_KIND_LIST, &entry->id, level->chunk, length, builder->user, error);
}

static gboolean list_add_at(MlvListBuilder *builder, guint index, const MlvListEntry *entry,
			    GError **error)
{
	MlvListEntry up;

	if (index >= MLV_REF_MAX_DEPTH)
		return mlv_fail(error, MLV_ERROR_FAILED, "too large: more than %d levels of lists",
				MLV_REF_MAX_DEPTH);
	Level *level = &builder->level[index];
	if (!level->chunk) {
		guint8 head[MLV_OBJECT_HEAD] = { 'L', 1, (guint8)builder->leaf_kind,
						 (guint8)(index + 1) };

		level->chunk = g_malloc(MLV_OBJECT_HEAD + MLV_LIST_RECORDS_MAX * MLV_LIST_RECORD);
		memcpy(level->chunk, head, sizeof(head));
	}
	guint8 *record = level->chunk + MLV_OBJECT_HEAD + level->count * MLV_LIST_RECORD;
	memcpy(record, entry->id.b, MLV_ID_SIZE);
	mlv_put_u64(record + MLV_ID_SIZE, entry->length);
	level->total += entry->length;
	if (!mlv_list_ends(++level->count, &entry->id))
		return TRUE;
	return list_emit(builder, index, &up, error) && list_add_at(builder, index + 1, &up, error);
}

gboolean mlv_list_builder_add(MlvListBuilder *builder, const MlvId *id, guint64 length,
			      GError **error)
{
	MlvListEntry entry = { .id = *id, .length = length };

	builder->total += length;
	if (builder->leaves++ == 0) {
		builder->first = entry;
		return TRUE; /* one leaf alone needs no list */
	}
	if (builder->leaves == 2 && !list_add_at(builder, 0, &builder->first, error))
		return FALSE;
	return list_add_at(builder, 0, &entry, error);
}

gboolean mlv_list_builder_finish(MlvListBuilder *builder, MlvRef *ref, GError **error)
{
	MlvListEntry entry = builder->first;

	g_return_val_if_fail(builder->leaves > 0, FALSE);
	*ref = (MlvRef){ .kind = (guint8)builder->leaf_kind, .size = builder->total };
	for (guint i = 0; builder->leaves > 1; i++) {
		Level *level = &builder->level[i];
		gboolean alone = level->emitted == 0 && level->count == 1;

		if (i > 0 && alone) {
			memcpy(entry.id.b, level->chunk + MLV_OBJECT_HEAD, MLV_ID_SIZE);
			ref->depth = (guint8)i;
			break; /* the one list of the level below is the root */
		}
		if (level->count > 0 && (!list_emit(builder, i, &entry, error) ||
					 !list_add_at(builder, i + 1, &entry, error)))
			return FALSE;
	}
	ref->id = entry.id;
	return TRUE;
}

void mlv_list_builder_free(MlvListBuilder *builder)
{
	if (!builder)
		return;
	for (guint i = 0; i < MLV_REF_MAX_DEPTH; i++)
		g_free(builder->level[i].chunk);
	g_free(builder);
}

/* --- trees ------------------------------------------------------------------------------------ */

struct MlvTreeBuilder {
	Stream stream;
	MlvListBuilder *list;
	char previous[MLV_NAME_MAX + 1];
	gboolean any;
	guint64 files, bytes;
};

MlvTreeBuilder *mlv_tree_builder_new(MlvPutChunk put, gpointer user)
{
	MlvTreeBuilder *builder = g_new0(MlvTreeBuilder, 1);
	guint8 head[] = { 'T', 1 };

	stream_init(&builder->stream, MLV_KIND_TREE, head, sizeof(head), put, user);
	builder->list = mlv_list_builder_new(MLV_KIND_TREE, put, user);
	return builder;
}

static gboolean tree_emitted(const MlvId *id, gsize records, gsize length, gpointer owner,
			     GError **error)
{
	return mlv_list_builder_add(((MlvTreeBuilder *)owner)->list, id, length, error);
}

gboolean mlv_tree_builder_add(MlvTreeBuilder *builder, const MlvTreeEntry *entry, GError **error)
{
	guint8 record[MLV_TREE_ENTRY_MAX];
	guint8 *at = record;
	gsize length = strlen(entry->name);
	gboolean directory = entry->mode == MLV_MODE_DIRECTORY;

	if (!mlv_name_allowed(entry->name, length))
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' is not a name that can be stored",
				entry->name);
	if (builder->any && strcmp(builder->previous, entry->name) >= 0)
		return mlv_fail(error, MLV_ERROR_FAILED, "directory entries out of order at '%s'",
				entry->name);
	memcpy(builder->previous, entry->name, length + 1);
	builder->any = TRUE;
	*at++ = entry->mode;
	*at++ = entry->ref.depth;
	*at++ = (guint8)length;
	memcpy(at, entry->name, length);
	at += length;
	at = mlv_put_varint(at, entry->ref.size);
	if (directory) {
		at = mlv_put_varint(at, entry->files);
		at = mlv_put_varint(at, entry->bytes);
	}
	memcpy(at, entry->ref.id.b, MLV_ID_SIZE);
	at += MLV_ID_SIZE;
	builder->files += directory ? entry->files : 1;
	builder->bytes += directory ? entry->bytes : entry->ref.size;
	stream_append(&builder->stream, record, (gsize)(at - record));
	return stream_flush(&builder->stream, FALSE, tree_emitted, builder, error);
}

gboolean mlv_tree_builder_finish(MlvTreeBuilder *builder, MlvRef *ref, guint64 *files,
				 guint64 *bytes, GError **error)
{
	if (!stream_flush(&builder->stream, TRUE, tree_emitted, builder, error))
		return FALSE;
	if (!builder->stream.was_cut &&
	    !stream_emit(&builder->stream, builder->stream.ends->len, tree_emitted, builder, error))
		return FALSE;
	*files = builder->files;
	*bytes = builder->bytes;
	return mlv_list_builder_finish(builder->list, ref, error);
}

void mlv_tree_builder_free(MlvTreeBuilder *builder)
{
	if (!builder)
		return;
	stream_clear(&builder->stream);
	mlv_list_builder_free(builder->list);
	g_free(builder);
}
