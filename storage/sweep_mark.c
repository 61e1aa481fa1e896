/* SPDX-License-Identifier: Apache-2.0 */
/* What lies below a chunk, as the chunks themselves say. */
#include "storage/sweep.h"

#include "storage/error.h"
#include "storage/object_format.h"

/* A list or tree that waits to be read. */
typedef struct {
	MlvId id;
	guint8 kind;
} Waiting;

static void reach(GArray *stack, MlvMarks *marks, MlvKind kind, const MlvId *id)
{
	Waiting waiting = { .id = *id, .kind = (guint8)kind };

	if (mlv_marks_add(marks, kind, id) && kind != MLV_KIND_BLOB)
		g_array_append_val(stack, waiting);
}

/* A list says of itself what is below it, so whoever names it with other words changes nothing. */
static void follow_list(GArray *stack, MlvMarks *marks, const guint8 *data, gsize length)
{
	if (length < MLV_OBJECT_HEAD)
		return;
	MlvKind leaf = data[2];
	guint level = data[3];
	if ((leaf != MLV_KIND_BLOB && leaf != MLV_KIND_TREE) || level == 0 ||
	    level > MLV_REF_MAX_DEPTH)
		return;
	g_autoptr(GArray) entries = mlv_list_decode(data, length, leaf, level, NULL);
	for (guint i = 0; entries && i < entries->len; i++)
		reach(stack, marks, level > 1 ? MLV_KIND_LIST : leaf,
		      &g_array_index(entries, MlvListEntry, i).id);
}

static void follow_tree(GArray *stack, MlvMarks *marks, const guint8 *data, gsize length)
{
	MlvTreeReader reader;
	MlvTreeEntry entry;

	if (!mlv_tree_reader_init(&reader, data, length, NULL))
		return;
	while (mlv_tree_reader_next(&reader, &entry, NULL) && entry.name)
		reach(stack, marks, mlv_ref_chunk_kind(&entry.ref), &entry.ref.id);
}

gboolean mlv_sweep_mark(MlvStore *store, MlvKind kind, const MlvId *id, MlvMarks *marks,
			GError **error)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(Waiting));

	reach(stack, marks, kind, id);
	while (stack->len > 0) {
		Waiting top = g_array_index(stack, Waiting, stack->len - 1);
		g_autoptr(GError) failed = NULL;
		gsize length;

		g_array_set_size(stack, stack->len - 1);
		g_autoptr(GBytes) bytes = mlv_store_read_chunk(store, top.kind, &top.id, &failed);
		if (!bytes && g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
			continue;
		if (!bytes) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
		const guint8 *data = g_bytes_get_data(bytes, &length);
		if (top.kind == MLV_KIND_LIST)
			follow_list(stack, marks, data, length);
		else
			follow_tree(stack, marks, data, length);
	}
	return TRUE;
}
