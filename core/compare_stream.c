/* SPDX-License-Identifier: Apache-2.0 */
/* A directory's entries as a stream that can leave out chunks. */
#include <string.h>

#include "core/compare_private.h"

/* Chunks that are asked for together. */
#define AHEAD 64

typedef struct {
	MlvId id;
	guint64 length;
	gboolean skip;
} Leaf;

struct MlvEntryStream {
	MlvSource *source;
	GArray *leaves; /* of Leaf: a few bytes for some thousand entries */
	guint next;     /* the leaf to be read next */
	guint asked;    /* leaves before this one have been asked for */
	GBytes *bytes;  /* the chunk that the reader is in */
	MlvTreeReader reader;
	char last[MLV_NAME_MAX + 1];
};

MlvEntryStream *mlv_entry_stream_new(MlvSource *source, const MlvRef *tree, GError **error)
{
	g_autoptr(MlvEntryStream) stream = g_new0(MlvEntryStream, 1);
	g_autoptr(MlvLeafCursor) cursor = NULL;

	if (tree->kind != MLV_KIND_TREE) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "a reference names no directory where one must be");
		return NULL;
	}
	stream->source = source;
	stream->leaves = g_array_new(FALSE, FALSE, sizeof(Leaf));
	cursor = mlv_leaf_cursor_new(source, tree, 0, error);
	if (!cursor)
		return NULL;
	for (;;) {
		Leaf leaf = { .skip = FALSE };
		guint64 offset;

		if (!mlv_leaf_cursor_next(cursor, &leaf.id, &offset, &leaf.length, error))
			return NULL;
		if (leaf.length == 0)
			return g_steal_pointer(&stream);
		g_array_append_val(stream->leaves, leaf);
	}
}

void mlv_entry_stream_free(MlvEntryStream *stream)
{
	if (!stream)
		return;
	g_clear_pointer(&stream->leaves, g_array_unref);
	g_clear_pointer(&stream->bytes, g_bytes_unref);
	g_free(stream);
}

/* Names are unique in a directory, so a chunk that both sides have holds nothing that differs. */
void mlv_entry_stream_skip_common(MlvEntryStream *a, MlvEntryStream *b)
{
	g_autoptr(GHashTable) known = NULL;

	if (a->leaves->len < 2 && b->leaves->len < 2)
		return;
	known = g_hash_table_new(mlv_id_hash, mlv_id_equal_key);
	for (guint i = 0; i < a->leaves->len; i++) {
		Leaf *leaf = &g_array_index(a->leaves, Leaf, i);

		g_hash_table_insert(known, &leaf->id, leaf);
	}
	for (guint i = 0; i < b->leaves->len; i++) {
		Leaf *leaf = &g_array_index(b->leaves, Leaf, i);
		Leaf *twin = g_hash_table_lookup(known, &leaf->id);

		if (twin)
			leaf->skip = twin->skip = TRUE;
	}
}

static gboolean ask_ahead(MlvEntryStream *stream, GError **error)
{
	MlvId ids[AHEAD];
	gsize count = 0;
	guint i;

	if (!stream->source->prefetch || stream->next < stream->asked)
		return TRUE;
	for (i = stream->next; i < stream->leaves->len && count < AHEAD; i++) {
		const Leaf *leaf = &g_array_index(stream->leaves, Leaf, i);

		if (!leaf->skip)
			ids[count++] = leaf->id;
	}
	stream->asked = i;
	return count < 2 ||
	       stream->source->prefetch(stream->source, MLV_KIND_TREE, ids, count, error);
}

static gboolean blame(const MlvId *id, GError **error)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	g_prefix_error(error, "tree sha256:%.12s: ", hex);
	return FALSE;
}

/* Begins the next chunk that is not to be skipped; *end where there is none. */
static gboolean next_chunk(MlvEntryStream *stream, gboolean *end, GError **error)
{
	const Leaf *leaf = NULL;

	while (stream->next < stream->leaves->len) {
		leaf = &g_array_index(stream->leaves, Leaf, stream->next);
		if (!leaf->skip)
			break;
		stream->next++;
	}
	*end = stream->next == stream->leaves->len;
	if (*end)
		return TRUE;
	if (!ask_ahead(stream, error))
		return FALSE;
	stream->next++;
	stream->bytes = stream->source->read(stream->source, MLV_KIND_TREE, &leaf->id, error);
	if (!stream->bytes)
		return FALSE;
	if (g_bytes_get_size(stream->bytes) != leaf->length) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "it is not as long as is said of it");
		return blame(&leaf->id, error);
	}
	if (!mlv_tree_reader_init(&stream->reader, g_bytes_get_data(stream->bytes, NULL),
				  leaf->length, error))
		return blame(&leaf->id, error);
	return TRUE;
}

gboolean mlv_entry_stream_next(MlvEntryStream *stream, MlvTreeEntry *entry, GError **error)
{
	const MlvId *id;

	memset(entry, 0, sizeof(*entry));
	for (;;) {
		gboolean end = FALSE;

		if (!stream->bytes && !next_chunk(stream, &end, error))
			return FALSE;
		if (end)
			return TRUE;
		id = &g_array_index(stream->leaves, Leaf, stream->next - 1).id;
		if (!mlv_tree_reader_next(&stream->reader, entry, error))
			return blame(id, error);
		if (entry->name)
			break;
		g_clear_pointer(&stream->bytes, g_bytes_unref);
	}
	if (strcmp(stream->last, entry->name) >= 0) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "its entries are out of order at '%s'",
			 entry->name);
		return blame(id, error);
	}
	memcpy(stream->last, entry->name, (gsize)entry->name_length + 1);
	return TRUE;
}
