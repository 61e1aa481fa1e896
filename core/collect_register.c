/* SPDX-License-Identifier: Apache-2.0 */
/* The register of the repositories that share a store. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/collect.h"
#include "storage/error.h"
#include "storage/file.h"

#define FOLDER      "repos"
#define NAME_HEX    16   /* digits of a file's name: the beginning of the path's SHA-256 */
#define GIT_DIR_MAX 4096 /* bytes */

static char *entry_path(const char *git_dir)
{
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of(git_dir, strlen(git_dir), &id);
	mlv_id_format(&id, hex);
	return g_strdup_printf(FOLDER "/%.*s", NAME_HEX, hex);
}

static gboolean is_entry(const char *name)
{
	return strlen(name) == NAME_HEX && strspn(name, "0123456789abcdef") == NAME_HEX;
}

/* The git directory that an entry names. NULL with *error. */
static char *read_entry(MlvStore *store, const char *name, GError **error)
{
	g_autofree char *path = g_strdup_printf(FOLDER "/%s", name);
	g_autoptr(GBytes) bytes = mlv_file_read(mlv_store_fd(store), path, GIT_DIR_MAX + 1, error);
	gsize length;

	if (!bytes)
		return NULL;
	const char *text = g_bytes_get_data(bytes, &length);
	if (length < 2 || text[0] != '/' || text[length - 1] != '\n' || strlen(text) != length) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "'%s/%s' names no repository; if it is none of yours, remove that file",
			 mlv_store_path(store), path);
		return NULL;
	}
	return g_strndup(text, length - 1);
}

gboolean mlv_collect_register(MlvStore *store, MlvRepo *repo, GError **error)
{
	const char *git_dir = mlv_repo_common_dir(repo);
	g_autofree char *own = g_build_filename(mlv_repo_mlv_dir(repo), "store", NULL);
	g_autofree char *path = entry_path(git_dir);
	g_autofree char *text = g_strdup_printf("%s\n", git_dir);

	if (strcmp(own, mlv_store_path(store)) == 0 ||
	    faccessat(mlv_store_fd(store), path, F_OK, 0) == 0)
		return TRUE;
	return mlv_file_make_dirs(mlv_store_fd(store), FOLDER, 0777, error) &&
	       mlv_file_replace(mlv_store_fd(store), path, text, strlen(text), 0644, TRUE, error);
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *mlv_collect_registered(MlvStore *store, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) why = NULL;
	g_autoptr(GPtrArray) names = mlv_file_list(mlv_store_fd(store), FOLDER, &why);

	if (!names && !g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_prefixed_error(error, g_steal_pointer(&why),
					   "in the store '%s': ", mlv_store_path(store));
		return NULL;
	}
	for (guint i = 0; names && i < names->len; i++) {
		if (!is_entry(names->pdata[i]))
			continue;
		char *path = read_entry(store, names->pdata[i], error);
		if (!path)
			return NULL;
		g_ptr_array_add(paths, path);
	}
	g_ptr_array_sort(paths, compare_paths);
	return g_steal_pointer(&paths);
}

gboolean mlv_collect_forget(MlvStore *store, const char *path, gboolean *found, GError **error)
{
	g_autoptr(GPtrArray) paths = mlv_collect_registered(store, error);
	g_autofree char *below = g_build_filename(path, ".git", NULL);

	*found = FALSE;
	for (guint i = 0; paths && i < paths->len; i++) {
		if (strcmp(paths->pdata[i], path) != 0 && strcmp(paths->pdata[i], below) != 0)
			continue;
		g_autofree char *entry = entry_path(paths->pdata[i]);
		if (unlinkat(mlv_store_fd(store), entry, 0) < 0 && errno != ENOENT)
			return mlv_fail_errno(error, "cannot remove '%s/%s'", mlv_store_path(store),
					      entry);
		*found = TRUE;
	}
	return paths && (!*found || mlv_file_sync_dir(mlv_store_fd(store), FOLDER, error));
}
