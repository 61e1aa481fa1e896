/* SPDX-License-Identifier: Apache-2.0 */
/* The base's side of a snapshot: its trees, and what differs from them. */
#include <string.h>

#include "core/snapshot_private.h"

static void base_entry_clear(gpointer data)
{
	g_free(((BaseEntry *)data)->name);
}

gboolean mlv_snapshot_base_ref(MlvSnapshot *snapshot, SnapDir *dir, MlvRef *ref, gboolean *exists,
			       GError **error)
{
	*exists = FALSE;
	if (!dir->target->has_base)
		return TRUE;
	if (!dir->parent) {
		*exists = dir->target->base.ref.kind == MLV_KIND_TREE;
		*ref = dir->target->base.ref;
		return TRUE;
	}
	if (!mlv_snapshot_load_base(snapshot, dir->parent, error))
		return FALSE;
	const MlvTreeEntry *entry =
		mlv_snapshot_base_entry(dir->parent, dir->parent->scan->entries[dir->number].name);
	if (entry && entry->mode == MLV_MODE_DIRECTORY) {
		*exists = TRUE;
		*ref = entry->ref;
	}
	return TRUE;
}

static GArray *read_tree(MlvSnapshot *snapshot, const MlvRef *ref, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(BaseEntry));
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_store_source(snapshot->options.store), ref, error);

	g_array_set_clear_func(entries, base_entry_clear);
	if (!cursor)
		return NULL;
	for (;;) {
		BaseEntry base;

		if (!mlv_tree_cursor_next(cursor, &base.entry, error))
			return NULL;
		if (!base.entry.name)
			return g_steal_pointer(&entries);
		base.name = g_strdup(base.entry.name);
		base.entry.name = base.name;
		g_array_append_val(entries, base);
	}
}

gboolean mlv_snapshot_blame(const char *path, GError **error)
{
	gboolean missing = error && g_error_matches(*error, MLV_ERROR, MLV_ERROR_MISSING);

	g_prefix_error(error, "cannot read what '%s' is tracked as%s: ", path,
		       missing ? " ('mlv fetch' brings it)" : "");
	return FALSE;
}

gboolean mlv_snapshot_load_base(MlvSnapshot *snapshot, SnapDir *dir, GError **error)
{
	MlvRef ref;

	if (dir->base_loaded)
		return TRUE;
	if (!mlv_snapshot_base_ref(snapshot, dir, &ref, &dir->base_exists, error))
		return FALSE;
	if (dir->base_exists) {
		dir->base = read_tree(snapshot, &ref, error);
		if (!dir->base) {
			return mlv_snapshot_blame(dir->scan->path, error);
		}
	}
	dir->base_loaded = TRUE;
	return TRUE;
}

const MlvTreeEntry *mlv_snapshot_base_entry(const SnapDir *dir, const char *name)
{
	guint low = 0, high = dir->base ? dir->base->len : 0;

	while (low < high) {
		guint middle = (low + high) / 2;
		const BaseEntry *base = &g_array_index(dir->base, BaseEntry, middle);
		int order = strcmp(base->name, name);

		if (order == 0)
			return &base->entry;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* --- telling differences ---------------------------------------------------------------------- */

static MlvChangeSide side(const MlvTreeEntry *entry)
{
	if (!entry)
		return (MlvChangeSide){ 0 };
	return (MlvChangeSide){ entry->mode, entry->ref, entry->files, entry->bytes };
}

static void tell(MlvSnapshot *snapshot, SnapTarget *target, const char *path, MlvChangeKind kind,
		 const MlvTreeEntry *from, const MlvTreeEntry *to)
{
	MlvChange change = { .kind = kind,
			     .target = target->path,
			     .path = path,
			     .from = side(from),
			     .to = side(to) };

	snapshot->options.change(&change, snapshot->options.data);
}

static char *join(const char *folder, const char *name)
{
	return g_strconcat(folder, *folder ? "/" : "", name, NULL);
}

/* Everything of a base directory that is gone; what was never brought here is not. */
static gboolean tell_deleted_tree(MlvSnapshot *snapshot, SnapTarget *target, const char *path,
				  const MlvTreeEntry *tree, GError **error)
{
	MlvTreeEntry entry;
	gboolean any = FALSE;

	if (target->is_partial &&
	    !mlv_partial_expects_below(snapshot->options.partial, target->owner, path))
		return TRUE;
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_store_source(snapshot->options.store), &tree->ref, error);
	if (!cursor)
		return FALSE;
	while (mlv_tree_cursor_next(cursor, &entry, error)) {
		if (!entry.name) {
			g_autofree char *folder = g_strconcat(path, "/", NULL);
			if (!any)
				tell(snapshot, target, folder, MLV_CHANGE_REMOVED, tree, NULL);
			return TRUE;
		}
		g_autofree char *below = join(path, entry.name);
		any = TRUE;
		if (entry.mode == MLV_MODE_DIRECTORY) {
			if (!tell_deleted_tree(snapshot, target, below, &entry, error))
				return FALSE;
		} else if (!target->is_partial ||
			   mlv_partial_expects(snapshot->options.partial, target->owner, below)) {
			tell(snapshot, target, below, MLV_CHANGE_REMOVED, &entry, NULL);
		}
	}
	return FALSE;
}

static gboolean tell_gone(MlvSnapshot *snapshot, SnapTarget *target, const char *path,
			  const MlvTreeEntry *from, GError **error)
{
	if (from->mode == MLV_MODE_DIRECTORY)
		return tell_deleted_tree(snapshot, target, path, from, error);
	if (!target->is_partial ||
	    mlv_partial_expects(snapshot->options.partial, target->owner, path))
		tell(snapshot, target, path, MLV_CHANGE_REMOVED, from, NULL);
	return TRUE;
}

static void tell_new(MlvSnapshot *snapshot, SnapTarget *target, const char *path,
		     const MlvTreeEntry *to)
{
	if (to->mode != MLV_MODE_DIRECTORY) {
		tell(snapshot, target, path, MLV_CHANGE_ADDED, NULL, to);
	} else if (to->files == 0) {
		g_autofree char *folder = g_strconcat(path, "/", NULL);
		tell(snapshot, target, folder, MLV_CHANGE_ADDED, NULL, to);
	}
}

/* Both sides have the name. Directories on both sides have been compared by
 * then. */
static gboolean tell_pair(MlvSnapshot *snapshot, SnapTarget *target, const char *path,
			  const MlvTreeEntry *from, const MlvTreeEntry *to, GError **error)
{
	gboolean was_dir = from->mode == MLV_MODE_DIRECTORY,
		 is_dir = to->mode == MLV_MODE_DIRECTORY;

	if (was_dir && is_dir)
		return TRUE;
	if (was_dir || is_dir) {
		tell_new(snapshot, target, path, to);
		return tell_gone(snapshot, target, path, from, error);
	}
	if ((from->mode == MLV_MODE_SYMLINK) != (to->mode == MLV_MODE_SYMLINK))
		tell(snapshot, target, path, MLV_CHANGE_TYPE, from, to);
	else if (!mlv_ref_equal(&from->ref, &to->ref) || from->mode != to->mode)
		tell(snapshot, target, path, MLV_CHANGE_MODIFIED, from, to);
	return TRUE;
}

gboolean mlv_snapshot_compare(MlvSnapshot *snapshot, SnapDir *dir, GError **error)
{
	const MlvScanDir *scan = dir->scan;
	guint i = 0;

	/* What is in a directory that cannot be read nobody knows. */
	if (scan->error)
		return TRUE;
	if (!mlv_snapshot_load_base(snapshot, dir, error))
		return FALSE;
	guint n_base = dir->base ? dir->base->len : 0;
	for (gsize j = 0; i < n_base || j < scan->count;) {
		const BaseEntry *base = i < n_base ? &g_array_index(dir->base, BaseEntry, i) : NULL;
		const MlvTreeEntry *entry = j < scan->count ? &dir->entries[j] : NULL;

		int order = !base ? 1 : !entry ? -1 : strcmp(base->name, scan->entries[j].name);
		/* What cannot be read or tracked is no change, but where it stands is nothing else. */
		gboolean nothing = entry && order >= 0 && entry->mode == 0;
		if (nothing && (order > 0 || scan->entries[j].type != MLV_SCAN_OTHER)) {
			i += order == 0;
			j++;
			continue;
		}
		g_autofree char *path =
			join(scan->path, order < 0 ? base->name : scan->entries[j].name);
		gboolean ok = TRUE;

		if (order < 0 &&
		    mlv_ignore_match(scan->rules, path, base->entry.mode == MLV_MODE_DIRECTORY))
			ok = TRUE; /* left out, not gone */
		else if (order < 0)
			ok = tell_gone(snapshot, dir->target, path, &base->entry, error);
		else if (order > 0)
			tell_new(snapshot, dir->target, path, entry);
		else if (nothing)
			ok = tell_gone(snapshot, dir->target, path, &base->entry, error);
		else
			ok = tell_pair(snapshot, dir->target, path, &base->entry, entry, error);
		if (!ok)
			return FALSE;
		i += order <= 0;
		j += order >= 0;
	}
	return TRUE;
}

static MlvTreeEntry entry_of_pointer(const MlvPointer *pointer)
{
	MlvTreeEntry entry = { .mode = pointer->mode,
			       .ref = pointer->ref,
			       .files = pointer->files,
			       .bytes = pointer->bytes };
	return entry;
}

gboolean mlv_snapshot_compare_file(MlvSnapshot *snapshot, SnapTarget *target,
				   const MlvTreeEntry *to, GError **error)
{
	MlvTreeEntry from = entry_of_pointer(&target->base);

	if (!snapshot->options.change)
		return TRUE;
	if (to->mode == 0)
		return !target->has_base || tell_gone(snapshot, target, target->path, &from, error);
	if (!target->has_base) {
		tell_new(snapshot, target, target->path, to);
		return TRUE;
	}
	return tell_pair(snapshot, target, target->path, &from, to, error);
}
