/* SPDX-License-Identifier: Apache-2.0 */
#include "core/splice.h"

#include <string.h>

/* The old directory, read entry by entry beside the new one that is written. */
typedef struct {
	MlvSource *source;
	MlvPutChunk put;
	gpointer user;
} Splice;

static gboolean next_entry(MlvTreeCursor *cursor, MlvTreeEntry *entry, char **name, GError **error)
{
	g_clear_pointer(name, g_free);
	memset(entry, 0, sizeof(*entry));
	if (!cursor)
		return TRUE;
	if (!mlv_tree_cursor_next(cursor, entry, error))
		return FALSE;
	*name = g_strdup(entry->name);
	entry->name = *name;
	return TRUE;
}

static gboolean splice(const Splice *what, MlvTreeEntry *tree, const char *path,
		       const MlvTreeEntry *entry, GError **error);

/* What the name on the way becomes: the entry itself, or the directory below with the rest
 * spliced in. */
static gboolean replacement(const Splice *what, const char *rest, const MlvTreeEntry *old,
			    const MlvTreeEntry *entry, MlvTreeEntry *out, GError **error)
{
	memset(out, 0, sizeof(*out));
	if (!*rest) {
		*out = *entry;
		return TRUE;
	}
	if (old && old->mode == MLV_MODE_DIRECTORY)
		*out = *old;
	if (entry->mode == 0 && out->mode == 0) {
		if (old)
			*out = *old; /* nothing of that path is there: it stays as it is */
		return TRUE;
	}
	return splice(what, out, rest, entry, error);
}

static gboolean splice(const Splice *what, MlvTreeEntry *tree, const char *path,
		       const MlvTreeEntry *entry, GError **error)
{
	const char *slash = strchr(path, '/');
	g_autofree char *name = slash ? g_strndup(path, (gsize)(slash - path)) : g_strdup(path);
	const char *rest = slash ? slash + 1 : "";
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(what->put, what->user);
	g_autoptr(MlvTreeCursor) cursor = NULL;
	g_autofree char *old_name = NULL;
	MlvTreeEntry old, new;

	if (tree->mode == MLV_MODE_DIRECTORY) {
		cursor = mlv_tree_cursor_new(what->source, &tree->ref, error);
		if (!cursor)
			return FALSE;
	}
	if (!next_entry(cursor, &old, &old_name, error))
		return FALSE;
	for (; old.name && strcmp(old.name, name) < 0;)
		if (!mlv_tree_builder_add(builder, &old, error) ||
		    !next_entry(cursor, &old, &old_name, error))
			return FALSE;
	gboolean have = old.name && strcmp(old.name, name) == 0;
	if (!replacement(what, rest, have ? &old : NULL, entry, &new, error))
		return FALSE;
	new.name = name;
	if (new.mode != 0 && !mlv_tree_builder_add(builder, &new, error))
		return FALSE;
	if (have && !next_entry(cursor, &old, &old_name, error))
		return FALSE;
	for (; old.name;)
		if (!mlv_tree_builder_add(builder, &old, error) ||
		    !next_entry(cursor, &old, &old_name, error))
			return FALSE;
	tree->mode = MLV_MODE_DIRECTORY;
	return mlv_tree_builder_finish(builder, &tree->ref, &tree->files, &tree->bytes, error);
}

gboolean mlv_splice(MlvSource *source, MlvTreeEntry *tree, const char *path,
		    const MlvTreeEntry *entry, MlvPutChunk put, gpointer user, GError **error)
{
	Splice what = { source, put, user };

	return splice(&what, tree, path, entry, error);
}
