/* SPDX-License-Identifier: Apache-2.0 */
/* Files for the pipeline language, from a table: {"dvc.yaml", "stages: ..."}. Include after
 * <cmocka.h>. */
#ifndef MLV_TESTS_MEMORY_FILES_H
#define MLV_TESTS_MEMORY_FILES_H

#include <string.h>

#include "core/pipeline/files.h"

typedef struct {
	const char *path;
	const char *text; /* NULL behind the last */
} MemoryFile;

static inline const MemoryFile *memory_find(const MemoryFile *table, const char *path)
{
	for (; table->path; table++)
		if (strcmp(table->path, path) == 0)
			return table;
	return NULL;
}

static inline gboolean memory_has_below(const MemoryFile *table, const char *path)
{
	for (; table->path; table++)
		if (g_str_has_prefix(table->path, path) && table->path[strlen(path)] == '/')
			return TRUE;
	return !*path;
}

static inline MlvFilesType memory_type(gpointer user, const char *path)
{
	if (memory_find(user, path))
		return MLV_FILES_FILE;
	return memory_has_below(user, path) ? MLV_FILES_DIRECTORY : MLV_FILES_NOTHING;
}

static inline GBytes *memory_read(gpointer user, const char *path, gsize max, GError **error)
{
	const MemoryFile *file = memory_find(user, path);

	if (!file) {
		mlv_fail(error, MLV_ERROR_MISSING, "there is no file '%s'", path);
		return NULL;
	}
	return g_bytes_new(file->text, strlen(file->text));
}

static inline GPtrArray *memory_list(gpointer user, const char *path, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (const MemoryFile *file = user; file->path; file++) {
		const char *rest = file->path;
		if (*path && (!g_str_has_prefix(rest, path) || rest[strlen(path)] != '/'))
			continue;
		rest += *path ? strlen(path) + 1 : 0;
		const char *slash = strchr(rest, '/');
		char *name = slash ? g_strndup(rest, (gsize)(slash - rest) + 1) : g_strdup(rest);
		if (g_hash_table_contains(seen, name)) {
			g_free(name);
			continue;
		}
		g_hash_table_add(seen, name);
		g_ptr_array_add(names, name);
	}
	if (names->len == 0) {
		g_ptr_array_unref(names);
		mlv_fail(error, MLV_ERROR_MISSING, "there is no folder '%s'", path);
		return NULL;
	}
	return names;
}

static inline MlvFiles memory_files(const MemoryFile *table)
{
	return (MlvFiles){ .read = memory_read,
			   .type = memory_type,
			   .list = memory_list,
			   .user = (gpointer)table,
			   .root = "/home/ann/project" };
}

#endif
