/* SPDX-License-Identifier: Apache-2.0 */
/* What a side has beyond git's files: tracked data, and outputs of mlv.lock. */
#include <stdlib.h>
#include <string.h>

#include "core/measure/side_private.h"
#include "core/reader.h"
#include "storage/object.h"

#define DEPTH_MAX 64

/* The data that a path is or lies in; NULL if it is none. *owned is to be freed. */
static const MlvTracked *find_cover(MlvSide *side, const char *path, const char **rest,
				    MlvTracked **owned)
{
	const MlvTracked *found = NULL;

	*owned = NULL;
	if (side->revision.at == MLV_AT_COMMIT) {
		found = *owned =
			mlv_git_find_pointer(side->repo, &side->revision.commit, path, rest, NULL);
	} else if (side->revision.at == MLV_AT_WORKSPACE) {
		if (!side->pointers)
			side->pointers = mlv_view_pointers(side->view, &side->revision, NULL);
		found = side->pointers ? mlv_tracked_cover(side->pointers, path, rest) : NULL;
	}
	if (found && !found->error)
		return found;
	return mlv_tracked_cover(side->outputs, path, rest);
}

/* The entry of a path within data; FALSE without an error if there is none. */
static gboolean find_entry(MlvSide *side, const char *path, MlvTreeEntry *entry, GError **error)
{
	const char *rest = "";
	MlvTracked *owned;
	const MlvTracked *cover = find_cover(side, path, &rest, &owned);
	gboolean found = cover != NULL;

	if (cover && !*rest)
		mlv_view_entry(&cover->pointer, "", entry);
	else if (cover && !mlv_view_descend(side->view, cover, rest, entry, &found, error))
		found = mlv_view_advise(path, error);
	if (owned)
		mlv_tracked_free(owned);
	return found;
}

static GBytes *read_data(MlvSide *side, const char *path, const MlvTreeEntry *entry, gsize max,
			 GError **error)
{
	g_autoptr(GError) failed = NULL;
	GBytes *bytes = mlv_read_whole(mlv_view_source(side->view), &entry->ref, max, &failed);

	if (bytes)
		return bytes;
	/* Not here is something else than not there. */
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
		mlv_fail(error, MLV_ERROR_FAILED,
			 "'%s' is not here: %s; 'mlv fetch' or 'mlv pull -- %s' brings it", path,
			 failed->message, path);
	else
		g_propagate_prefixed_error(error, g_steal_pointer(&failed),
					   "cannot read '%s': ", path);
	return NULL;
}

GBytes *mlv_side_read(MlvSide *side, const char *path, gsize max, GError **error)
{
	g_autoptr(GError) absent = NULL, failed = NULL;
	MlvTreeEntry entry;
	GBytes *bytes;

	if (mlv_files_is_outside(path) || mlv_files_is_url(path)) {
		mlv_fail(error, MLV_ERROR_MISSING, "'%s' lies outside of the repository", path);
		return NULL;
	}
	bytes = side->read(side, path, max, &absent);
	if (bytes)
		return bytes;
	if (g_error_matches(absent, MLV_ERROR, MLV_ERROR_MISSING)) {
		if (find_entry(side, path, &entry, &failed) && entry.mode != MLV_MODE_DIRECTORY &&
		    entry.mode != MLV_MODE_SYMLINK)
			return read_data(side, path, &entry, max, error);
		if (failed) {
			failed->code = MLV_ERROR_FAILED;
			g_propagate_error(error, g_steal_pointer(&failed));
			return NULL;
		}
	}
	g_propagate_error(error, g_steal_pointer(&absent));
	return NULL;
}

MlvFilesType mlv_side_type(MlvSide *side, const char *path)
{
	MlvFilesType type;
	MlvTreeEntry entry;

	if (mlv_files_is_outside(path) || mlv_files_is_url(path))
		return MLV_FILES_NOTHING;
	type = side->base.type(side->base.user, path);
	if (type != MLV_FILES_NOTHING || !*path)
		return type;
	if (!find_entry(side, path, &entry, NULL))
		return MLV_FILES_NOTHING;
	return entry.mode == MLV_MODE_DIRECTORY ? MLV_FILES_DIRECTORY : MLV_FILES_FILE;
}

/* --- files below a path ----------------------------------------------------------------------- */

typedef struct {
	MlvSide *side;
	guint max;
	GPtrArray *paths;
} Below;

static gboolean add_path(Below *below, char *path, GError **error)
{
	g_ptr_array_add(below->paths, path);
	return below->paths->len <= below->max ||
	       mlv_fail(error, MLV_ERROR_FAILED, "there are more than %u files", below->max);
}

static gboolean walk_base(Below *below, const char *folder, guint depth, GError **error)
{
	const MlvFiles *base = &below->side->base;
	g_autoptr(GPtrArray) names = base->list(base->user, folder, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		gsize length = strlen(name);
		gboolean is_folder = length > 0 && name[length - 1] == '/';
		g_autofree char *path = g_strdup_printf("%s%s%.*s", folder, *folder ? "/" : "",
							(int)(length - (is_folder ? 1 : 0)), name);

		if (*name == '.')
			continue;
		if (!is_folder && !add_path(below, g_steal_pointer(&path), error))
			return FALSE;
		if (is_folder && depth < DEPTH_MAX && !walk_base(below, path, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean walk_data(Below *below, const char *folder, const MlvRef *tree, guint depth,
			  GError **error)
{
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_view_source(below->side->view), tree, error);
	MlvTreeEntry entry = { 0 };

	while (cursor) {
		if (!mlv_tree_cursor_next(cursor, &entry, error))
			return FALSE;
		if (!entry.name)
			return TRUE;
		g_autofree char *path =
			g_strdup_printf("%s/%.*s", folder, (int)entry.name_length, entry.name);
		MlvRef ref = entry.ref;
		if (*entry.name == '.')
			continue;
		if (entry.mode == MLV_MODE_DIRECTORY) {
			if (depth < DEPTH_MAX && !walk_data(below, path, &ref, depth + 1, error))
				return FALSE;
		} else if (entry.mode != MLV_MODE_SYMLINK &&
			   !add_path(below, g_steal_pointer(&path), error)) {
			return FALSE;
		}
	}
	return FALSE;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *mlv_side_files_below(MlvSide *side, const char *path, guint max, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) failed = NULL;
	Below below = { side, max, paths };
	MlvTreeEntry entry;
	gboolean ok = TRUE;

	switch (mlv_files_is_outside(path) ? MLV_FILES_NOTHING
					   : side->base.type(side->base.user, path)) {
	case MLV_FILES_FILE:
		g_ptr_array_add(paths, g_strdup(path));
		break;
	case MLV_FILES_DIRECTORY:
		ok = walk_base(&below, path, 0, error);
		break;
	default:
		if (mlv_files_is_outside(path) || !find_entry(side, path, &entry, &failed)) {
			ok = !failed;
		} else if (entry.mode != MLV_MODE_DIRECTORY) {
			g_ptr_array_add(paths, g_strdup(path));
		} else {
			MlvRef tree = entry.ref;
			ok = walk_data(&below, path, &tree, 0, error);
		}
	}
	if (failed)
		g_propagate_error(error, g_steal_pointer(&failed));
	if (!ok)
		return NULL;
	g_ptr_array_sort(paths, compare_paths);
	return g_steal_pointer(&paths);
}
