/* SPDX-License-Identifier: Apache-2.0 */
#include "core/compare.h"

#include <string.h>

#include "core/compare_private.h"

/* A path is at most 4096 bytes, so directories that are nested deeper are nobody's. */
#define NESTING_MAX 2048

MlvCompare *mlv_compare_new(MlvSource *source, const MlvCompareOptions *options)
{
	MlvCompare *compare = g_new0(MlvCompare, 1);

	compare->source = source;
	compare->options = *options;
	if (options->rename_limit == 0)
		compare->options.rename_limit = MLV_RENAME_LIMIT;
	if (options->renames || options->sorted) {
		compare->held = g_array_new(FALSE, FALSE, sizeof(MlvChange));
		compare->strings = g_string_chunk_new(1 << 16);
	}
	return compare;
}

void mlv_compare_free(MlvCompare *compare)
{
	if (!compare)
		return;
	g_clear_pointer(&compare->held, g_array_unref);
	g_clear_pointer(&compare->strings, g_string_chunk_free);
	g_free(compare);
}

/* --- holding and telling ---------------------------------------------------------------------- */

static gint by_path(gconstpointer a, gconstpointer b)
{
	const MlvChange *one = a, *other = b;
	int order = strcmp(one->path, other->path);

	/* A file in whose place a directory came: it goes first. */
	return order ? order
		     : (other->kind == MLV_CHANGE_REMOVED) - (one->kind == MLV_CHANGE_REMOVED);
}

/* In this order all of a target stands together, for no target lies within another. */
static gboolean tell_held(MlvCompare *compare, GError **error)
{
	g_array_sort(compare->held, by_path);
	for (guint i = 0; i < compare->held->len; i++) {
		const MlvChange *change = &g_array_index(compare->held, MlvChange, i);

		if (change->kind && !compare->options.visit(change, compare->options.user, error))
			return FALSE;
	}
	g_clear_pointer(&compare->held, g_array_unref);
	g_clear_pointer(&compare->strings, g_string_chunk_free);
	return TRUE;
}

gboolean mlv_compare_emit(MlvCompare *compare, const MlvChange *change, GError **error)
{
	MlvChange copy = *change;

	if (compare->held && compare->held->len >= compare->options.rename_limit) {
		compare->skipped = compare->options.renames;
		if (!tell_held(compare, error))
			return FALSE;
	}
	if (!compare->held)
		return compare->options.visit(change, compare->options.user, error);
	copy.target = g_string_chunk_insert_const(compare->strings, change->target);
	copy.path = g_string_chunk_insert(compare->strings, change->path);
	if (change->from_path)
		copy.from_path = g_string_chunk_insert(compare->strings, change->from_path);
	g_array_append_val(compare->held, copy);
	return TRUE;
}

gboolean mlv_compare_add(MlvCompare *compare, const MlvChange *change, GError **error)
{
	return !mlv_pathspec_matches(compare->options.paths, change->path) ||
	       mlv_compare_emit(compare, change, error);
}

gboolean mlv_compare_finish(MlvCompare *compare, GError **error)
{
	if (!compare->held)
		return TRUE;
	if (compare->options.renames)
		mlv_compare_join_renames(compare->held);
	return tell_held(compare, error);
}

gboolean mlv_compare_renames_skipped(const MlvCompare *compare)
{
	return compare->skipped;
}

/* --- trees ------------------------------------------------------------------------------------ */

static void set_side(MlvChangeSide *side, const MlvTreeEntry *entry)
{
	if (!entry)
		return;
	side->mode = entry->mode;
	side->ref = entry->ref;
	side->files = entry->files;
	side->bytes = entry->bytes;
}

static gboolean report(MlvCompare *compare, MlvChangeKind kind, const GString *path,
		       const MlvTreeEntry *from, const MlvTreeEntry *to, gboolean unread,
		       GError **error)
{
	MlvChange change = {
		.kind = kind, .unread = unread, .target = compare->target, .path = path->str
	};

	if (!unread && !mlv_pathspec_matches(compare->options.paths, path->str))
		return TRUE;
	set_side(&change.from, from);
	set_side(&change.to, to);
	if (change.from.mode == MLV_MODE_DIRECTORY || change.to.mode == MLV_MODE_DIRECTORY) {
		g_autofree char *folder = g_strconcat(path->str, "/", NULL);

		change.path = folder;
		return mlv_compare_emit(compare, &change, error);
	}
	return mlv_compare_emit(compare, &change, error);
}

static gboolean compare_entries(MlvCompare *compare, GString *path, const MlvTreeEntry *from,
				const MlvTreeEntry *to, guint nesting, GError **error);

/* Compares what lies at `name` in both directories. */
static gboolean compare_below(MlvCompare *compare, GString *path, const MlvTreeEntry *from,
			      const MlvTreeEntry *to, guint nesting, GError **error)
{
	gsize length = path->len;
	gboolean ok;

	g_string_append_c(path, '/');
	g_string_append(path, from ? from->name : to->name);
	ok = compare_entries(compare, path, from, to, nesting + 1, error);
	g_string_truncate(path, length);
	return ok;
}

/* Walks both directories (either may be NULL) as one sorted sequence of names. *any: there was
 * an entry. */
static gboolean walk_pair(MlvCompare *compare, GString *path, MlvEntryStream *from,
			  MlvEntryStream *to, guint nesting, gboolean *any, GError **error)
{
	MlvTreeEntry a = { 0 }, b = { 0 };

	if ((from && !mlv_entry_stream_next(from, &a, error)) ||
	    (to && !mlv_entry_stream_next(to, &b, error)))
		return FALSE;
	*any = a.name || b.name;
	while (a.name || b.name) {
		int order = !a.name ? 1 : !b.name ? -1 : strcmp(a.name, b.name);

		if (!compare_below(compare, path, order <= 0 ? &a : NULL, order >= 0 ? &b : NULL,
				   nesting, error))
			return FALSE;
		if ((order <= 0 && !mlv_entry_stream_next(from, &a, error)) ||
		    (order >= 0 && !mlv_entry_stream_next(to, &b, error)))
			return FALSE;
	}
	return TRUE;
}

static gboolean open_pair(MlvCompare *compare, const MlvTreeEntry *from, const MlvTreeEntry *to,
			  MlvEntryStream **a, MlvEntryStream **b, GError **error)
{
	if (from && !(*a = mlv_entry_stream_new(compare->source, &from->ref, error)))
		return FALSE;
	if (to && !(*b = mlv_entry_stream_new(compare->source, &to->ref, error)))
		return FALSE;
	if (from && to)
		mlv_entry_stream_skip_common(*a, *b);
	return TRUE;
}

/* Both are directories, or one is and the other absent. Objects that are not here make it one
 * change. */
static gboolean compare_directories(MlvCompare *compare, GString *path, const MlvTreeEntry *from,
				    const MlvTreeEntry *to, guint nesting, GError **error)
{
	MlvChangeKind kind = !from ? MLV_CHANGE_ADDED
			     : !to ? MLV_CHANGE_REMOVED
				   : MLV_CHANGE_MODIFIED;
	g_autoptr(MlvEntryStream) a = NULL;
	g_autoptr(MlvEntryStream) b = NULL;
	g_autoptr(GError) failed = NULL;
	gboolean any = FALSE;
	gsize length = path->len;

	if (!mlv_pathspec_may_match_below(compare->options.paths, path->str))
		return TRUE;
	if (nesting > NESTING_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "directories are nested too deep");
	if (open_pair(compare, from, to, &a, &b, &failed) &&
	    walk_pair(compare, path, a, b, nesting, &any, &failed))
		return any || kind == MLV_CHANGE_MODIFIED ||
		       report(compare, kind, path, from, to, FALSE, error);
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_string_truncate(path, length);
		return report(compare, kind, path, from, to, TRUE, error);
	}
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* What came or went. */
static gboolean report_one(MlvCompare *compare, GString *path, const MlvTreeEntry *from,
			   const MlvTreeEntry *to, guint nesting, GError **error)
{
	const MlvTreeEntry *entry = from ? from : to;
	MlvChangeKind kind = from ? MLV_CHANGE_REMOVED : MLV_CHANGE_ADDED;
	gboolean whole =
		!compare->options.files && mlv_pathspec_matches(compare->options.paths, path->str);

	if (entry->mode == MLV_MODE_DIRECTORY && !whole)
		return compare_directories(compare, path, from, to, nesting, error);
	return report(compare, kind, path, from, to, FALSE, error);
}

static gboolean compare_entries(MlvCompare *compare, GString *path, const MlvTreeEntry *from,
				const MlvTreeEntry *to, guint nesting, GError **error)
{
	MlvChangeKind kind = MLV_CHANGE_MODIFIED;

	if (!from || !to)
		return report_one(compare, path, from, to, nesting, error);
	if (from->mode == to->mode && mlv_ref_equal(&from->ref, &to->ref))
		return TRUE;
	if (from->mode == MLV_MODE_DIRECTORY && to->mode == MLV_MODE_DIRECTORY)
		return compare_directories(compare, path, from, to, nesting, error);
	if (from->mode == MLV_MODE_DIRECTORY || to->mode == MLV_MODE_DIRECTORY)
		return report_one(compare, path, from, NULL, nesting, error) &&
		       report_one(compare, path, NULL, to, nesting, error);
	if ((from->mode == MLV_MODE_SYMLINK) != (to->mode == MLV_MODE_SYMLINK))
		kind = MLV_CHANGE_TYPE;
	return report(compare, kind, path, from, to, FALSE, error);
}

/* --- pointers --------------------------------------------------------------------------------- */

static const MlvTreeEntry *entry_of(const MlvPointer *pointer, MlvTreeEntry *entry)
{
	if (!pointer)
		return NULL;
	entry->name = "";
	entry->mode = pointer->mode;
	entry->ref = pointer->ref;
	entry->files = pointer->files;
	entry->bytes = pointer->bytes;
	return entry;
}

gboolean mlv_compare_target(MlvCompare *compare, const char *path, const MlvPointer *from,
			    const MlvPointer *to, GError **error)
{
	g_autoptr(GString) whole = g_string_new(path);
	MlvTreeEntry a = { 0 }, b = { 0 };

	if (!from && !to)
		return TRUE;
	compare->target = path;
	if (!compare_entries(compare, whole, entry_of(from, &a), entry_of(to, &b), 0, error)) {
		g_prefix_error(error, "cannot compare '%s': ", path);
		return FALSE;
	}
	return TRUE;
}

static const MlvPointer *pointer_of(const MlvTracked *tracked)
{
	return tracked ? &tracked->pointer : NULL;
}

/* A pair of pointers; of two that cannot be read but are the same nothing can be said, nor need
 * be. */
static gboolean compare_tracked(MlvCompare *compare, const char *path, const MlvTracked *from,
				const MlvTracked *to, GError **error)
{
	const MlvTracked *broken = from && from->error ? from : to && to->error ? to : NULL;

	if (!mlv_pathspec_may_match_below(compare->options.paths, path))
		return TRUE;
	if (broken && from && to && !mlv_oid_is_zero(&from->blob) &&
	    mlv_oid_equal(&from->blob, &to->blob))
		return TRUE;
	if (broken) {
		g_propagate_error(error, g_error_copy(broken->error));
		return FALSE;
	}
	return mlv_compare_target(compare, path, pointer_of(from), pointer_of(to), error);
}

/* A target that went and one of the very same content that came, if renames are told: one
 * change, not one a file. */
static gboolean is_moved(const MlvTracked *from, const MlvTracked *to)
{
	return from && to && !from->error && !to->error && from->pointer.bytes > 0 &&
	       mlv_pointer_equal(&from->pointer, &to->pointer);
}

static gboolean report_moved(MlvCompare *compare, const MlvTracked *from, const MlvTracked *to,
			     GError **error)
{
	MlvChange change = { .kind = MLV_CHANGE_RENAMED,
			     .target = to->path,
			     .path = to->path,
			     .from_path = from->path };
	MlvTreeEntry a = { 0 }, b = { 0 };

	set_side(&change.from, entry_of(&from->pointer, &a));
	set_side(&change.to, entry_of(&to->pointer, &b));
	return mlv_compare_emit(compare, &change, error);
}

gboolean mlv_compare_pointer_changes(MlvCompare *compare, const GPtrArray *changes, GError **error)
{
	const MlvPathspec *paths = compare->options.paths;
	g_autoptr(GHashTable) moved =
		g_hash_table_new(NULL, NULL); /* change that came or went -> its twin */

	for (guint i = 0; compare->options.renames && i < changes->len; i++) {
		MlvPointerChange *gone = changes->pdata[i];

		for (guint j = 0; gone->from && !gone->to && j < changes->len; j++) {
			MlvPointerChange *came = changes->pdata[j];

			if (came->from || g_hash_table_contains(moved, came) ||
			    !is_moved(gone->from, came->to) ||
			    !mlv_pathspec_matches(paths, gone->path) ||
			    !mlv_pathspec_matches(paths, came->path))
				continue;
			g_hash_table_insert(moved, came, gone);
			g_hash_table_insert(moved, gone, came);
			break;
		}
	}
	for (guint i = 0; i < changes->len; i++) {
		MlvPointerChange *change = changes->pdata[i];
		MlvPointerChange *twin = g_hash_table_lookup(moved, change);

		if (twin && change->from)
			continue;
		if (twin ? !report_moved(compare, twin->from, change->to, error)
			 : !compare_tracked(compare, change->path, change->from, change->to, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean same_pointer(const MlvTracked *a, const MlvTracked *b)
{
	return !a->error && !b->error && mlv_pointer_equal(&a->pointer, &b->pointer);
}

gboolean mlv_compare_pointers(MlvCompare *compare, const GPtrArray *from, const GPtrArray *to,
			      GError **error)
{
	g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
	guint i = 0, j = 0;

	while (i < from->len || j < to->len) {
		MlvTracked *a = i < from->len ? from->pdata[i] : NULL;
		MlvTracked *b = j < to->len ? to->pdata[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);

		i += order <= 0;
		j += order >= 0;
		if (order != 0 || !same_pointer(a, b)) {
			MlvPointerChange *change = g_new0(MlvPointerChange, 1);

			change->path = order <= 0 ? a->path : b->path;
			change->from = order <= 0 ? a : NULL;
			change->to = order >= 0 ? b : NULL;
			g_ptr_array_add(changes, change);
		}
	}
	return mlv_compare_pointer_changes(compare, changes, error);
}

/* --- sums ------------------------------------------------------------------------------------- */

void mlv_change_totals_add(MlvChangeTotals *totals, const MlvChange *change)
{
	totals->delta += (gint64)(change->to.bytes - change->from.bytes);
	totals->unread += change->unread ? 1 : 0;
	switch (change->kind) {
	case MLV_CHANGE_ADDED:
		totals->added += change->to.files;
		totals->bytes_added += change->to.bytes;
		break;
	case MLV_CHANGE_REMOVED:
		totals->removed += change->from.files;
		totals->bytes_removed += change->from.bytes;
		break;
	case MLV_CHANGE_RENAMED:
		totals->renamed += change->to.files;
		break;
	case MLV_CHANGE_MODIFIED:
	case MLV_CHANGE_TYPE:
		/* How many files differ in a directory that cannot be read nobody knows. */
		totals->modified += change->unread ? 0 : 1;
		break;
	}
}

void mlv_change_totals_sum(MlvChangeTotals *totals, const MlvChangeTotals *more)
{
	totals->added += more->added;
	totals->removed += more->removed;
	totals->modified += more->modified;
	totals->renamed += more->renamed;
	totals->bytes_added += more->bytes_added;
	totals->bytes_removed += more->bytes_removed;
	totals->delta += more->delta;
	totals->unread += more->unread;
}
