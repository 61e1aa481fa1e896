/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of chunks, and the walk that fills them. */
#include "storage/source.h"

#include "storage/source_private.h"

#include <string.h>

/* A directory's path is at most 4096 bytes, so it is never nested deeper than this. */
#define NESTING_MAX 4096
/* Metadata chunks that are asked for together. */
#define WALK_AHEAD 256

/* --- the set: open addressing, a table a kind ------------------------------------------------- */

typedef struct {
	MlvId *slots; /* all zero: free */
	gsize size;   /* slots, a power of two */
	gsize count;
	gboolean zero; /* whether the id of all zeros is in the set */
} MarkTable;

struct MlvMarks {
	MarkTable table[MLV_KIND_TREE + 1];
};

static const MlvId zero_id;

MlvMarks *mlv_marks_new(void)
{
	return g_new0(MlvMarks, 1);
}

void mlv_marks_free(MlvMarks *marks)
{
	if (!marks)
		return;
	for (guint kind = 0; kind <= MLV_KIND_TREE; kind++)
		g_free(marks->table[kind].slots);
	g_free(marks);
}

/* The slot that holds the id, or the free one where it belongs. */
static MlvId *find_slot(const MarkTable *table, const MlvId *id)
{
	guint64 hash;
	gsize at;

	memcpy(&hash, id->b, sizeof(hash));
	for (at = hash & (table->size - 1); !mlv_id_equal(&table->slots[at], &zero_id);
	     at = (at + 1) & (table->size - 1))
		if (mlv_id_equal(&table->slots[at], id))
			break;
	return &table->slots[at];
}

static void grow(MarkTable *table)
{
	MarkTable bigger = { .size = MAX(table->size * 2, 64) };

	bigger.slots = g_new0(MlvId, bigger.size);
	for (gsize i = 0; i < table->size; i++)
		if (!mlv_id_equal(&table->slots[i], &zero_id))
			*find_slot(&bigger, &table->slots[i]) = table->slots[i];
	g_free(table->slots);
	table->slots = bigger.slots;
	table->size = bigger.size;
}

gboolean mlv_marks_add(MlvMarks *marks, MlvKind kind, const MlvId *id)
{
	MarkTable *table = &marks->table[kind];
	MlvId *slot;

	if (mlv_id_equal(id, &zero_id)) {
		gboolean fresh = !table->zero;

		table->zero = TRUE;
		return fresh;
	}
	if (table->count + 1 > table->size / 4 * 3)
		grow(table);
	slot = find_slot(table, id);
	if (!mlv_id_equal(slot, &zero_id))
		return FALSE;
	*slot = *id;
	table->count++;
	return TRUE;
}

gboolean mlv_marks_contains(const MlvMarks *marks, MlvKind kind, const MlvId *id)
{
	const MarkTable *table = &marks->table[kind];

	if (mlv_id_equal(id, &zero_id))
		return table->zero;
	return table->count > 0 && !mlv_id_equal(find_slot(table, id), &zero_id);
}

gsize mlv_marks_count(const MlvMarks *marks)
{
	gsize count = 0;

	for (guint kind = MLV_KIND_BLOB; kind <= MLV_KIND_TREE; kind++)
		count += marks->table[kind].count + (marks->table[kind].zero ? 1 : 0);
	return count;
}

void mlv_marks_foreach(const MlvMarks *marks,
		       void (*each)(MlvKind kind, const MlvId *id, gpointer user), gpointer user)
{
	for (guint kind = MLV_KIND_BLOB; kind <= MLV_KIND_TREE; kind++) {
		const MarkTable *table = &marks->table[kind];

		if (table->zero)
			each(kind, &zero_id, user);
		for (gsize i = 0; i < table->size; i++)
			if (!mlv_id_equal(&table->slots[i], &zero_id))
				each(kind, &table->slots[i], user);
	}
}

/* --- the walk --------------------------------------------------------------------------------- */

/* A list or tree chunk that waits to be read. */
typedef struct {
	MlvRef ref;    /* its leaf kind, the lists from it down to the leaves, the bytes below */
	guint nesting; /* directories above */
} Waiting;

typedef struct {
	MlvSource *source;
	MlvMarks *marks;
	MlvVisit visit;
	MlvMissing missing;
	gpointer user;
	GArray *waiting; /* of Waiting, a stack */
} Walk;

/* Marks what a reference names; puts it on the stack if there is something below. */
static gboolean reach(Walk *walk, const MlvRef *ref, guint nesting, GError **error)
{
	MlvKind kind = mlv_ref_chunk_kind(ref);
	Waiting waiting = { .ref = *ref, .nesting = nesting };
	gboolean descend = TRUE;

	/* An empty file has no chunk. */
	if (kind == MLV_KIND_BLOB && ref->size == 0)
		return TRUE;
	if (!mlv_marks_add(walk->marks, kind, &ref->id))
		return TRUE;
	if (walk->visit && !walk->visit(kind, &ref->id, ref->size, &descend, walk->user, error))
		return FALSE;
	if (kind != MLV_KIND_BLOB && descend)
		g_array_append_val(walk->waiting, waiting);
	return TRUE;
}

static gboolean follow_list(Walk *walk, const Waiting *from, const guint8 *data, gsize length,
			    GError **error)
{
	g_autoptr(GArray) entries =
		mlv_list_decode(data, length, from->ref.kind, from->ref.depth, error);
	guint64 sum = 0;

	if (!entries)
		return FALSE;
	for (guint i = 0; i < entries->len; i++) {
		const MlvListEntry *entry = &g_array_index(entries, MlvListEntry, i);
		MlvRef below = { .id = entry->id,
				 .size = entry->length,
				 .kind = from->ref.kind,
				 .depth = from->ref.depth - 1 };

		sum += entry->length;
		if (!reach(walk, &below, from->nesting, error))
			return FALSE;
	}
	if (sum != from->ref.size)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"its lengths do not add up to what is said of it");
	return TRUE;
}

static gboolean follow_tree(Walk *walk, const Waiting *from, const guint8 *data, gsize length,
			    GError **error)
{
	MlvTreeReader reader;
	MlvTreeEntry entry;

	if (from->nesting >= NESTING_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "directories are nested too deep");
	if (!mlv_tree_reader_init(&reader, data, length, error))
		return FALSE;
	for (;;) {
		if (!mlv_tree_reader_next(&reader, &entry, error))
			return FALSE;
		if (!entry.name)
			return TRUE;
		if (!reach(walk, &entry.ref, from->nesting + 1, error))
			return FALSE;
	}
}

static gboolean follow(Walk *walk, const Waiting *from, GError **error)
{
	MlvKind kind = mlv_ref_chunk_kind(&from->ref);
	g_autoptr(GError) failed = NULL;
	g_autoptr(GBytes) bytes = walk->source->read(walk->source, kind, &from->ref.id, &failed);
	gsize length;
	const guint8 *data;
	gboolean ok;

	if (!bytes) {
		if (walk->missing && g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
			return walk->missing(kind, &from->ref.id, walk->user, error);
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	data = g_bytes_get_data(bytes, &length);
	ok = kind == MLV_KIND_LIST ? follow_list(walk, from, data, length, &failed)
				   : follow_tree(walk, from, data, length, &failed);
	if (ok)
		return TRUE;
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT))
		mlv_source_blame(kind, &from->ref.id, &failed);
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* Asks for all of `batch` at once, kind by kind. */
static gboolean ask_ahead(Walk *walk, const GArray *batch, GError **error)
{
	MlvId ids[WALK_AHEAD];

	if (!walk->source->prefetch || batch->len < 2)
		return TRUE;
	for (MlvKind kind = MLV_KIND_LIST; kind <= MLV_KIND_TREE; kind++) {
		gsize count = 0;

		for (guint i = 0; i < batch->len; i++) {
			const Waiting *waiting = &g_array_index(batch, Waiting, i);

			if (mlv_ref_chunk_kind(&waiting->ref) == kind)
				ids[count++] = waiting->ref.id;
		}
		if (count > 0 && !walk->source->prefetch(walk->source, kind, ids, count, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_mark(MlvSource *source, const MlvRef *ref, MlvMarks *marks, MlvVisit visit,
		  MlvMissing missing, gpointer user, GError **error)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(Waiting));
	g_autoptr(GArray) batch = g_array_new(FALSE, FALSE, sizeof(Waiting));
	Walk walk = { source, marks, visit, missing, user, stack };

	if (ref->depth > MLV_REF_MAX_DEPTH ||
	    (ref->kind != MLV_KIND_BLOB && ref->kind != MLV_KIND_TREE))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "a reference is impossible");
	if (!reach(&walk, ref, 0, error))
		return FALSE;
	while (stack->len > 0) {
		guint count = MIN(stack->len, WALK_AHEAD);

		g_array_set_size(batch, 0);
		g_array_append_vals(batch, &g_array_index(stack, Waiting, stack->len - count),
				    count);
		g_array_set_size(stack, stack->len - count);
		if (!ask_ahead(&walk, batch, error))
			return FALSE;
		for (guint i = 0; i < batch->len; i++)
			if (!follow(&walk, &g_array_index(batch, Waiting, i), error))
				return FALSE;
	}
	return TRUE;
}
