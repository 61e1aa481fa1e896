/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a finished directory together: what is here, and what of the base was never brought. */
#include <string.h>

#include "core/snapshot_private.h"

gboolean mlv_snapshot_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			  gpointer user, GError **error)
{
	MlvSnapshot *snapshot = user;

	return !snapshot->options.writer || length == 0 ||
	       mlv_store_writer_put(kind, id, data, length, snapshot->options.writer, error);
}

/* A base directory of which nothing is here: what of it was expected is gone, the rest stays. */
static gboolean keep_unexpected(MlvSnapshot *snapshot, SnapTarget *target, const char *path,
				MlvTreeEntry *tree, GError **error)
{
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(mlv_snapshot_put, snapshot);
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_store_source(snapshot->options.store), &tree->ref, error);
	MlvTreeEntry entry;

	while (cursor && mlv_tree_cursor_next(cursor, &entry, error)) {
		if (!entry.name)
			return mlv_tree_builder_finish(builder, &tree->ref, &tree->files,
						       &tree->bytes, error);
		g_autofree char *name = g_strdup(entry.name);
		g_autofree char *below = g_strconcat(path, "/", name, NULL);
		const MlvPartial *partial = snapshot->options.partial;

		if (mlv_partial_expects(partial, target->owner, below))
			continue;
		if (entry.mode == MLV_MODE_DIRECTORY &&
		    mlv_partial_expects_below(partial, target->owner, below) &&
		    !keep_unexpected(snapshot, target, below, &entry, error))
			return FALSE;
		entry.name = name;
		if (!mlv_tree_builder_add(builder, &entry, error))
			return FALSE;
	}
	return FALSE;
}

/* One entry of the base that is not here. */
static gboolean add_absent(MlvSnapshot *snapshot, SnapDir *dir, const BaseEntry *base,
			   MlvTreeBuilder *builder, GError **error)
{
	const MlvPartial *partial = snapshot->options.partial;
	g_autofree char *path = g_strconcat(dir->scan->path, "/", base->name, NULL);
	MlvTreeEntry entry = base->entry;

	/* what was added stays, though it is left out of walks since */
	if (mlv_ignore_match(dir->scan->rules, path, entry.mode == MLV_MODE_DIRECTORY))
		return mlv_tree_builder_add(builder, &entry, error);
	if (!dir->target->is_partial || mlv_partial_expects(partial, dir->target->owner, path))
		return TRUE;
	if (entry.mode == MLV_MODE_DIRECTORY &&
	    mlv_partial_expects_below(partial, dir->target->owner, path) &&
	    !keep_unexpected(snapshot, dir->target, path, &entry, error))
		return FALSE;
	return mlv_tree_builder_add(builder, &entry, error);
}

/* Adds what of the base was never brought here, in its place among what is here. */
static gboolean add_entries(MlvSnapshot *snapshot, SnapDir *dir, MlvTreeBuilder *builder,
			    GError **error)
{
	const MlvScanDir *scan = dir->scan;
	guint i = 0, n_base = 0;

	if (dir->target->is_partial || dir->scan->rules) {
		if (!mlv_snapshot_load_base(snapshot, dir, error))
			return FALSE;
		n_base = dir->base ? dir->base->len : 0;
	}
	for (gsize j = 0; i < n_base || j < scan->count;) {
		const BaseEntry *base = i < n_base ? &g_array_index(dir->base, BaseEntry, i) : NULL;
		int order = !base              ? 1
			    : j == scan->count ? -1
					       : strcmp(base->name, scan->entries[j].name);

		if (order < 0) {
			if (!add_absent(snapshot, dir, base, builder, error))
				return FALSE;
		} else if (dir->entries[j].mode != 0) {
			dir->entries[j].name = scan->entries[j].name;
			if (!mlv_tree_builder_add(builder, &dir->entries[j], error))
				return FALSE;
		}
		i += order <= 0;
		j += order >= 0;
	}
	return TRUE;
}

gboolean mlv_snapshot_build(MlvSnapshot *snapshot, SnapDir *dir, MlvTreeEntry *self, GError **error)
{
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(mlv_snapshot_put, snapshot);

	self->mode = MLV_MODE_DIRECTORY;
	if (!dir->changed) {
		self->ref = dir->scan->cached.tree;
		self->files = dir->scan->cached.files;
		self->bytes = dir->scan->cached.bytes;
		return TRUE;
	}
	return add_entries(snapshot, dir, builder, error) &&
	       mlv_tree_builder_finish(builder, &self->ref, &self->files, &self->bytes, error);
}
