/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors over lists and trees, and finding a name in a tree. */
#include "storage/source.h"

#include "storage/source_private.h"

#include <string.h>

gboolean mlv_source_blame(MlvKind kind, const MlvId *id, GError **error)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	g_prefix_error(error, "%s sha256:%.12s: ", kind == MLV_KIND_TREE ? "tree" : "list", hex);
	return FALSE;
}

GArray *mlv_source_read_list(MlvSource *source, const MlvId *id, MlvKind leaf_kind, guint level,
			     guint64 total, GError **error)
{
	g_autoptr(GBytes) bytes = source->read(source, MLV_KIND_LIST, id, error);
	g_autoptr(GArray) entries = NULL;
	guint64 sum = 0;

	if (!bytes)
		return NULL;
	entries = mlv_list_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), leaf_kind,
				  level, error);
	for (guint i = 0; entries && i < entries->len; i++)
		sum += g_array_index(entries, MlvListEntry, i).length;
	if (entries && sum != total) {
		g_clear_pointer(&entries, g_array_unref);
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "it holds %" G_GUINT64_FORMAT " bytes and not the %" G_GUINT64_FORMAT
			 " that are said of it",
			 sum, total);
	}
	if (!entries)
		mlv_source_blame(MLV_KIND_LIST, id, error);
	return g_steal_pointer(&entries);
}

gboolean mlv_source_ahead(MlvSource *source, MlvKind kind, const GArray *entries, guint from,
			  GError **error)
{
	MlvId ids[MLV_SOURCE_AHEAD];
	guint count = MIN(entries->len - from, MLV_SOURCE_AHEAD);

	if (!source->prefetch || count < 2)
		return TRUE;
	for (guint i = 0; i < count; i++)
		ids[i] = g_array_index(entries, MlvListEntry, from + i).id;
	return source->prefetch(source, kind, ids, count, error);
}

/* --- leaves ----------------------------------------------------------------------------------- */

typedef struct {
	GArray *entries; /* MlvListEntry */
	guint next;
} LeafLevel;

struct MlvLeafCursor {
	MlvSource *source;
	MlvRef ref;
	guint64 from;
	guint64 offset; /* of what comes next */
	guint open;     /* levels open: level[0] is the top */
	LeafLevel level[MLV_REF_MAX_DEPTH];
	gboolean single_given;
};

static gboolean open_list(MlvLeafCursor *cursor, const MlvId *id, guint64 length, GError **error)
{
	LeafLevel *level = &cursor->level[cursor->open];

	level->entries = mlv_source_read_list(cursor->source, id, cursor->ref.kind,
					      cursor->ref.depth - cursor->open, length, error);
	level->next = 0;
	if (!level->entries)
		return FALSE;
	cursor->open++;
	return TRUE;
}

MlvLeafCursor *mlv_leaf_cursor_new(MlvSource *source, const MlvRef *ref, guint64 from,
				   GError **error)
{
	g_autoptr(MlvLeafCursor) cursor = g_new0(MlvLeafCursor, 1);

	cursor->source = source;
	cursor->ref = *ref;
	cursor->from = from;
	if (ref->depth > MLV_REF_MAX_DEPTH) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "a reference has %u levels of lists",
			 ref->depth);
		return NULL;
	}
	if (ref->depth > 0 && !open_list(cursor, &ref->id, ref->size, error))
		return NULL;
	return g_steal_pointer(&cursor);
}

/* The next entry of the deepest open level that is not all before `from`; NULL at its end. */
static const MlvListEntry *advance(MlvLeafCursor *cursor, gboolean *ahead)
{
	LeafLevel *level = &cursor->level[cursor->open - 1];

	while (level->next < level->entries->len) {
		const MlvListEntry *entry =
			&g_array_index(level->entries, MlvListEntry, level->next);

		if (cursor->offset + entry->length > cursor->from) {
			*ahead = level->next % MLV_SOURCE_AHEAD == 0 ||
				 cursor->offset <= cursor->from;
			level->next++;
			return entry;
		}
		cursor->offset += entry->length;
		level->next++;
	}
	return NULL;
}

static gboolean give_single(MlvLeafCursor *cursor, MlvId *id, guint64 *offset, guint64 *length)
{
	*length = 0;
	if (!cursor->single_given && cursor->ref.size > cursor->from) {
		*id = cursor->ref.id;
		*offset = 0;
		*length = cursor->ref.size;
	}
	cursor->single_given = TRUE;
	return TRUE;
}

gboolean mlv_leaf_cursor_next(MlvLeafCursor *cursor, MlvId *id, guint64 *offset, guint64 *length,
			      GError **error)
{
	*length = 0;
	if (cursor->ref.depth == 0)
		return give_single(cursor, id, offset, length);
	while (cursor->open > 0) {
		gboolean leaf = cursor->open == cursor->ref.depth;
		LeafLevel *level = &cursor->level[cursor->open - 1];
		gboolean ahead = FALSE;
		const MlvListEntry *entry = advance(cursor, &ahead);

		if (!entry) {
			g_clear_pointer(&level->entries, g_array_unref);
			cursor->open--;
			continue;
		}
		/* Data leaves are the reader's to ask for: it knows which of them it has
		 * already. */
		if (ahead && (!leaf || cursor->ref.kind == MLV_KIND_TREE) &&
		    !mlv_source_ahead(cursor->source, leaf ? MLV_KIND_TREE : MLV_KIND_LIST,
				      level->entries, level->next - 1, error))
			return FALSE;
		if (leaf) {
			*id = entry->id;
			*offset = cursor->offset;
			*length = entry->length;
			cursor->offset += entry->length;
			return TRUE;
		}
		if (!open_list(cursor, &entry->id, entry->length, error))
			return FALSE;
	}
	return TRUE;
}

void mlv_leaf_cursor_free(MlvLeafCursor *cursor)
{
	if (!cursor)
		return;
	for (guint i = 0; i < cursor->open; i++)
		g_array_unref(cursor->level[i].entries);
	g_free(cursor);
}

/* --- trees ------------------------------------------------------------------------------------ */

struct MlvTreeCursor {
	MlvSource *source;
	MlvLeafCursor *leaves;
	GBytes *bytes; /* the chunk that the reader is in */
	MlvId id;
	MlvTreeReader reader;
	char last[MLV_NAME_MAX + 1]; /* of the chunks before */
	gboolean any;
};

MlvTreeCursor *mlv_tree_cursor_new(MlvSource *source, const MlvRef *tree, GError **error)
{
	g_autoptr(MlvTreeCursor) cursor = g_new0(MlvTreeCursor, 1);

	if (tree->kind != MLV_KIND_TREE) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "a reference names no directory where one must be");
		return NULL;
	}
	cursor->source = source;
	cursor->leaves = mlv_leaf_cursor_new(source, tree, 0, error);
	return cursor->leaves ? g_steal_pointer(&cursor) : NULL;
}

static gboolean next_chunk(MlvTreeCursor *cursor, gboolean *end, GError **error)
{
	guint64 offset, length;

	g_clear_pointer(&cursor->bytes, g_bytes_unref);
	if (!mlv_leaf_cursor_next(cursor->leaves, &cursor->id, &offset, &length, error))
		return FALSE;
	*end = length == 0;
	if (*end)
		return TRUE;
	cursor->bytes = cursor->source->read(cursor->source, MLV_KIND_TREE, &cursor->id, error);
	if (!cursor->bytes)
		return FALSE;
	if (g_bytes_get_size(cursor->bytes) != length) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "it is not as long as is said of it");
		return mlv_source_blame(MLV_KIND_TREE, &cursor->id, error);
	}
	if (!mlv_tree_reader_init(&cursor->reader, g_bytes_get_data(cursor->bytes, NULL), length,
				  error))
		return mlv_source_blame(MLV_KIND_TREE, &cursor->id, error);
	return TRUE;
}

gboolean mlv_tree_cursor_next(MlvTreeCursor *cursor, MlvTreeEntry *entry, GError **error)
{
	gboolean end = FALSE;

	memset(entry, 0, sizeof(*entry));
	for (;;) {
		if (!cursor->bytes && !next_chunk(cursor, &end, error))
			return FALSE;
		if (end)
			return TRUE;
		if (!mlv_tree_reader_next(&cursor->reader, entry, error))
			return mlv_source_blame(MLV_KIND_TREE, &cursor->id, error);
		if (entry->name)
			break;
		g_clear_pointer(&cursor->bytes, g_bytes_unref);
	}
	if (cursor->any && strcmp(cursor->last, entry->name) >= 0) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "its entries are out of order at '%s'",
			 entry->name);
		return mlv_source_blame(MLV_KIND_TREE, &cursor->id, error);
	}
	memcpy(cursor->last, entry->name, (gsize)entry->name_length + 1);
	cursor->any = TRUE;
	return TRUE;
}

void mlv_tree_cursor_free(MlvTreeCursor *cursor)
{
	if (!cursor)
		return;
	mlv_leaf_cursor_free(cursor->leaves);
	g_clear_pointer(&cursor->bytes, g_bytes_unref);
	g_free(cursor);
}

/* --- finding a name --------------------------------------------------------------------------- */

/* Searches one chunk. *before: the chunk begins with a name behind `name`, so it lies in an
 * earlier one. */
static gboolean find_in_chunk(MlvSource *source, const MlvId *id, const char *name,
			      MlvTreeEntry *entry, gboolean *found, gboolean *before,
			      GError **error)
{
	g_autoptr(GBytes) bytes = source->read(source, MLV_KIND_TREE, id, error);
	MlvTreeReader reader;
	gboolean first = TRUE;

	*found = *before = FALSE;
	if (!bytes)
		return FALSE;
	if (!mlv_tree_reader_init(&reader, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
				  error))
		return mlv_source_blame(MLV_KIND_TREE, id, error);
	for (;;) {
		int order;

		if (!mlv_tree_reader_next(&reader, entry, error))
			return mlv_source_blame(MLV_KIND_TREE, id, error);
		if (!entry->name)
			return TRUE;
		order = strcmp(entry->name, name);
		*before = first && order > 0;
		*found = order == 0;
		if (order >= 0)
			break;
		first = FALSE;
	}
	entry->name = name;
	return TRUE;
}

/* The first leaf below a list's entry. */
static gboolean first_leaf(MlvSource *source, MlvListEntry entry, guint level, MlvId *id,
			   GError **error)
{
	for (; level > 0; level--) {
		g_autoptr(GArray) entries = mlv_source_read_list(source, &entry.id, MLV_KIND_TREE,
								 level, entry.length, error);

		if (!entries)
			return FALSE;
		entry = g_array_index(entries, MlvListEntry, 0);
	}
	*id = entry.id;
	return TRUE;
}

gboolean mlv_tree_find(MlvSource *source, const MlvRef *tree, const char *name, MlvTreeEntry *entry,
		       gboolean *found, GError **error)
{
	MlvListEntry at = { .id = tree->id, .length = tree->size };
	gboolean before;

	*found = FALSE;
	if (tree->kind != MLV_KIND_TREE || tree->depth > MLV_REF_MAX_DEPTH)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"a reference names no directory where one must be");
	for (guint level = tree->depth; level > 0; level--) {
		g_autoptr(GArray) entries = mlv_source_read_list(source, &at.id, MLV_KIND_TREE,
								 level, at.length, error);
		guint low = 0, high;

		if (!entries)
			return FALSE;
		/* The last entry whose first name is not behind `name`: low is never behind it,
		 * or is 0. */
		for (high = entries->len; high - low > 1;) {
			guint middle = low + (high - low) / 2;
			MlvId leaf;

			if (!first_leaf(source, g_array_index(entries, MlvListEntry, middle),
					level - 1, &leaf, error) ||
			    !find_in_chunk(source, &leaf, name, entry, found, &before, error))
				return FALSE;
			if (*found)
				return TRUE;
			if (before)
				high = middle;
			else
				low = middle;
		}
		at = g_array_index(entries, MlvListEntry, low);
	}
	return find_in_chunk(source, &at.id, name, entry, found, &before, error);
}
