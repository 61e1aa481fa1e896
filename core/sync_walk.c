/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sync_walk.h"

#define BATCH 65536 /* chunks that are asked for together */

/* One reference to be looked at. */
typedef struct {
	MlvRef ref;
	char *path; /* a g_ref_string */
} Node;

typedef struct {
	const MlvWalkOptions *options;
	MlvMarks *marks;
	GArray *now, *next; /* Node: this level, and the one below */
	gboolean matched;   /* something lies at the paths given */
} Walk;

static void node_clear(gpointer data)
{
	g_ref_string_release(((Node *)data)->path);
}

static GArray *new_level(void)
{
	GArray *level = g_array_new(FALSE, FALSE, sizeof(Node));

	g_array_set_clear_func(level, node_clear);
	return level;
}

/* Queues a reference unless its chunk was seen. An empty file has no chunk. With paths a
 * directory counts anew under each of its names, since what is wanted of it differs. */
static void queue(Walk *walk, GArray *level, const MlvRef *ref, char *path)
{
	Node node = { *ref, path };

	walk->matched |= mlv_pathspec_matches(walk->options->paths, path);
	gboolean fresh = ref->kind == MLV_KIND_TREE || ref->size > 0;

	if (fresh)
		fresh = mlv_marks_add(walk->marks, mlv_ref_chunk_kind(ref), &ref->id) ||
			(ref->kind == MLV_KIND_TREE && !mlv_pathspec_is_all(walk->options->paths));
	if (!fresh) {
		g_ref_string_release(path);
		return;
	}
	g_array_append_val(level, node);
}

static gboolean expand_list(Walk *walk, const Node *node, GBytes *bytes, GError **error)
{
	gsize length;
	const guint8 *data = g_bytes_get_data(bytes, &length);
	g_autoptr(GArray) entries =
		mlv_list_decode(data, length, (MlvKind)node->ref.kind, node->ref.depth, error);

	if (!entries)
		return FALSE;
	for (guint i = 0; i < entries->len; i++) {
		const MlvListEntry *entry = &g_array_index(entries, MlvListEntry, i);
		MlvRef ref = { entry->id, entry->length, node->ref.kind,
			       (guint8)(node->ref.depth - 1) };

		queue(walk, walk->next, &ref, g_ref_string_acquire(node->path));
	}
	return TRUE;
}

static gboolean expand_tree(Walk *walk, const Node *node, GBytes *bytes, GError **error)
{
	gsize length;
	const guint8 *data = g_bytes_get_data(bytes, &length);
	MlvTreeReader reader;
	MlvTreeEntry entry;

	if (!mlv_tree_reader_init(&reader, data, length, error))
		return FALSE;
	while (mlv_tree_reader_next(&reader, &entry, error)) {
		if (!entry.name)
			return TRUE;
		g_autofree char *path = g_strconcat(node->path, "/", entry.name, NULL);
		if (entry.mode == MLV_MODE_DIRECTORY
			    ? mlv_pathspec_may_match_below(walk->options->paths, path)
			    : mlv_pathspec_matches(walk->options->paths, path))
			queue(walk, walk->next, &entry.ref, g_ref_string_new(path));
	}
	return FALSE;
}

static gboolean expand(Walk *walk, const Node *node, GError **error)
{
	MlvKind kind = mlv_ref_chunk_kind(&node->ref);
	g_autoptr(GBytes) bytes =
		walk->options->source->read(walk->options->source, kind, &node->ref.id, error);

	if (bytes && (kind == MLV_KIND_LIST ? expand_list(walk, node, bytes, error)
					    : expand_tree(walk, node, bytes, error)))
		return TRUE;
	g_prefix_error(error, "'%s': ", node->path);
	return FALSE;
}

/* What of a batch is to be read, told in time to a source that fetches. */
static gboolean prefetch(Walk *walk, const GArray *nodes, GError **error)
{
	MlvSource *source = walk->options->source;

	if (!source->prefetch)
		return TRUE;
	for (int kind = MLV_KIND_LIST; kind <= MLV_KIND_TREE; kind++) {
		g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MlvId));

		for (guint i = 0; i < nodes->len; i++) {
			const Node *node = g_array_index(nodes, const Node *, i);
			if ((int)mlv_ref_chunk_kind(&node->ref) == kind)
				g_array_append_val(ids, node->ref.id);
		}
		if (ids->len > 0 &&
		    !source->prefetch(source, (MlvKind)kind, (const MlvId *)(void *)ids->data,
				      ids->len, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean walk_batch(Walk *walk, const Node *nodes, gsize count, GError **error)
{
	g_autofree MlvChunkKey *keys = g_new0(MlvChunkKey, count);
	g_autofree gboolean *have = g_new0(gboolean, count);
	g_autoptr(GArray) down = g_array_new(FALSE, FALSE, sizeof(const Node *));

	for (gsize i = 0; i < count; i++) {
		keys[i].id = nodes[i].ref.id;
		keys[i].kind = (guint8)mlv_ref_chunk_kind(&nodes[i].ref);
	}
	if (!walk->options->have(keys, count, have, walk->options->user, error))
		return FALSE;
	for (gsize i = 0; i < count; i++) {
		const Node *node = &nodes[i];
		gboolean descend = have[i];

		if (!have[i] && !walk->options->lack(node->path, &keys[i], node->ref.size, &descend,
						     walk->options->user, error))
			return FALSE;
		if (descend && keys[i].kind != MLV_KIND_BLOB)
			g_array_append_val(down, node);
	}
	if (!prefetch(walk, down, error))
		return FALSE;
	for (guint i = 0; i < down->len; i++)
		if (!expand(walk, g_array_index(down, const Node *, i), error))
			return FALSE;
	return TRUE;
}

static gboolean walk_level(Walk *walk, GError **error)
{
	for (gsize at = 0; at < walk->now->len; at += BATCH) {
		if (walk->options->cancel && *walk->options->cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (!walk_batch(walk, &g_array_index(walk->now, Node, at),
				MIN(BATCH, walk->now->len - at), error))
			return FALSE;
	}
	return TRUE;
}

static gboolean queue_pointer(const MlvOid *commit, const MlvTracked *tracked, gpointer user,
			      GError **error)
{
	Walk *walk = user;

	if (!tracked->error)
		queue(walk, walk->now, &tracked->pointer.ref, g_ref_string_new(tracked->path));
	return TRUE;
}

gboolean mlv_sync_walk(MlvSelection *selection, const MlvWalkOptions *options, guint64 *seen,
		       GError **error)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	Walk walk = { options, marks, new_level(), new_level(), FALSE };
	gboolean ok = mlv_selection_foreach(selection, queue_pointer, &walk, error);

	while (ok && walk.now->len > 0) {
		ok = walk_level(&walk, error);
		GArray *done = walk.now;
		walk.now = walk.next;
		walk.next = done;
		g_array_set_size(walk.next, 0);
	}
	if (ok && !walk.matched && !mlv_pathspec_is_all(options->paths))
		ok = mlv_fail(error, MLV_ERROR_MISSING, "no tracked data lie at the paths given");
	*seen = mlv_marks_count(marks);
	g_array_unref(walk.now);
	g_array_unref(walk.next);
	return ok;
}
