/* SPDX-License-Identifier: Apache-2.0 */
#include "core/splice.h"

#include <string.h>

/* One directory on the way. */
typedef struct {
	const MlvSpliceOptions *options;
	const char *path; /* from the top; "" the top itself */
	MlvTreeCursor *cursor;
	MlvTreeEntry old; /* the next of the old directory's entries; name NULL at the end */
	char *old_name;
	MlvTreeBuilder *builder;
} Level;

/* The edits of one name. */
typedef struct {
	const MlvSpliceEdit *edits;
	guint count;
	gsize skip; /* bytes of their paths down to behind the name and its slash */
	const char *name;
} Group;

static void level_clear(Level *level)
{
	mlv_tree_cursor_free(level->cursor);
	mlv_tree_builder_free(level->builder);
	g_free(level->old_name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Level, level_clear)

/* A folder before what is in it, and both before longer names: as the names alone are ordered. */
static gint compare_paths(gconstpointer a, gconstpointer b)
{
	const guint8 *x = (const guint8 *)((const MlvSpliceEdit *)a)->path;
	const guint8 *y = (const guint8 *)((const MlvSpliceEdit *)b)->path;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	if (*x == *y)
		return 0;
	int left = *x == '/' ? 1 : *x ? *x + 1 : 0, right = *y == '/' ? 1 : *y ? *y + 1 : 0;
	return left - right;
}

static gboolean next_entry(Level *level, GError **error)
{
	g_clear_pointer(&level->old_name, g_free);
	memset(&level->old, 0, sizeof(level->old));
	if (!level->cursor)
		return TRUE;
	if (!mlv_tree_cursor_next(level->cursor, &level->old, error))
		return FALSE;
	level->old_name = g_strdup(level->old.name);
	level->old.name = level->old_name;
	return TRUE;
}

/* Takes over the old entries before `name`; all that are left for NULL. */
static gboolean copy_until(Level *level, const char *name, GError **error)
{
	while (level->old.name && (!name || strcmp(level->old.name, name) < 0))
		if (!mlv_tree_builder_add(level->builder, &level->old, error) ||
		    !next_entry(level, error))
			return FALSE;
	return TRUE;
}

static gboolean splice(const MlvSpliceOptions *options, const char *path, MlvTreeEntry *tree,
		       const MlvSpliceEdit *edits, guint count, gsize skip, GError **error);

/* How many of the group only take something out. */
static guint count_removals(const Group *group)
{
	guint removals = 0;

	for (guint i = 0; i < group->count; i++)
		removals += group->edits[i].entry.mode == 0;
	return removals;
}

/* What the name becomes: the entry itself, or the directory below with the rest spliced in. */
static gboolean replacement(Level *level, const Group *group, const MlvTreeEntry *old,
			    MlvTreeEntry *out, GError **error)
{
	const MlvSpliceOptions *options = level->options;
	guint removals = count_removals(group);
	g_autofree char *path =
		g_strconcat(level->path, *level->path ? "/" : "", group->name, NULL);

	memset(out, 0, sizeof(*out));
	if (strlen(group->edits[0].path) < group->skip) {
		*out = group->edits[0].entry;
		return TRUE;
	}
	if (old && old->mode == MLV_MODE_DIRECTORY)
		*out = *old;
	if (out->mode == 0 && removals == group->count) {
		if (old)
			*out = *old; /* nothing of those paths is there: it stays as it is */
		return TRUE;
	}
	if (!splice(options, path, out, group->edits, group->count, group->skip, error))
		return FALSE;
	if (removals > 0 && out->files == 0 && options->gone && options->gone(path, options->user))
		out->mode = 0;
	return TRUE;
}

static gboolean put_group(Level *level, const Group *group, GError **error)
{
	MlvTreeEntry new;

	if (!copy_until(level, group->name, error))
		return FALSE;
	gboolean have = level->old.name && strcmp(level->old.name, group->name) == 0;
	if (!replacement(level, group, have ? &level->old : NULL, &new, error))
		return FALSE;
	new.name = group->name;
	if (new.mode != 0 && !mlv_tree_builder_add(level->builder, &new, error))
		return FALSE;
	return !have || next_entry(level, error);
}

/* `skip`: the bytes of the edits' paths that lead to this directory. */
static gboolean splice(const MlvSpliceOptions *options, const char *path, MlvTreeEntry *tree,
		       const MlvSpliceEdit *edits, guint count, gsize skip, GError **error)
{
	g_auto(Level) level = { .options = options,
				.path = path,
				.builder = mlv_tree_builder_new(options->put, options->put_user) };

	if (tree->mode == MLV_MODE_DIRECTORY) {
		level.cursor = mlv_tree_cursor_new(options->source, &tree->ref, error);
		if (!level.cursor)
			return FALSE;
	}
	if (!next_entry(&level, error))
		return FALSE;
	for (guint i = 0; i < count;) {
		const char *first = edits[i].path + skip;
		gsize length = strcspn(first, "/");
		g_autofree char *name = g_strndup(first, length);
		guint end = i + 1;

		while (end < count && strncmp(edits[end].path + skip, name, length) == 0 &&
		       (edits[end].path[skip + length] == '/' || !edits[end].path[skip + length]))
			end++;
		Group group = { edits + i, end - i, skip + length + 1, name };
		if (!put_group(&level, &group, error))
			return FALSE;
		i = end;
	}
	if (!copy_until(&level, NULL, error))
		return FALSE;
	tree->mode = MLV_MODE_DIRECTORY;
	return mlv_tree_builder_finish(level.builder, &tree->ref, &tree->files, &tree->bytes,
				       error);
}

gboolean mlv_splice(const MlvSpliceOptions *options, MlvTreeEntry *tree, GArray *edits,
		    GError **error)
{
	g_array_sort(edits, compare_paths);
	return splice(options, "", tree, (const MlvSpliceEdit *)(gconstpointer)edits->data,
		      edits->len, 0, error);
}
