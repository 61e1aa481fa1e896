/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/file.h"

/* --- paths ------------------------------------------------------------------------------------ */

/* Adds the parts of a path to those there are; ".." takes one away, or stays where none is left. */
static void add_parts(GPtrArray *parts, const char *path, gboolean absolute)
{
	g_auto(GStrv) more = g_strsplit(path, "/", -1);

	for (char **part = more; *part; part++) {
		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (strcmp(*part, "..") != 0) {
			g_ptr_array_add(parts, g_strdup(*part));
		} else if (parts->len > 0 && strcmp(parts->pdata[parts->len - 1], "..") != 0) {
			g_ptr_array_set_size(parts, (gint)parts->len - 1);
		} else if (!absolute) {
			g_ptr_array_add(parts, g_strdup(".."));
		}
	}
}

static char *join_parts(const GPtrArray *parts, gboolean absolute)
{
	GString *path = g_string_new("");

	for (guint i = 0; i < parts->len; i++)
		g_string_append_printf(path, "%s%s", i || absolute ? "/" : "",
				       (const char *)parts->pdata[i]);
	if (absolute && parts->len == 0)
		g_string_append_c(path, '/');
	return g_string_free(path, FALSE);
}

char *mlv_files_normal(const MlvFiles *files, const char *folder, const char *written)
{
	gboolean absolute = *written == '/' || (*folder == '/');
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);

	if (*written != '/')
		add_parts(parts, folder, absolute);
	add_parts(parts, written, absolute);
	gboolean above = parts->len > 0 && strcmp(parts->pdata[0], "..") == 0;
	if (!files->root || (!absolute && !above))
		return join_parts(parts, absolute);

	/* It may lead back into the root, by way of the folders above it. */
	g_autofree char *plain = join_parts(parts, absolute);
	g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(g_free);
	if (!absolute)
		add_parts(whole, files->root, TRUE);
	add_parts(whole, plain, TRUE);
	g_autofree char *path = join_parts(whole, TRUE);
	gsize length = strlen(files->root);
	if (strncmp(path, files->root, length) == 0 && (!path[length] || path[length] == '/'))
		return g_strdup(path[length] ? path + length + 1 : "");
	return g_steal_pointer(&plain);
}

gboolean mlv_files_is_outside(const char *path)
{
	return *path == '/' || strcmp(path, "..") == 0 || g_str_has_prefix(path, "../");
}

gboolean mlv_files_is_url(const char *written)
{
	gsize length = strspn(written, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789+.-");
	return length > 1 && g_ascii_isalpha(*written) && strncmp(written + length, "://", 3) == 0;
}

char *mlv_files_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return g_strndup(path, slash ? (gsize)(slash - path) : 0);
}

gboolean mlv_files_is_below(const char *path, const char *folder)
{
	gsize length = strlen(folder);

	if (length == 0)
		return !mlv_files_is_outside(path);
	return strncmp(path, folder, length) == 0 && (!path[length] || path[length] == '/');
}

char *mlv_files_relative(const char *folder, const char *path)
{
	if (*path == '/' || *folder == '/' || !*folder)
		return g_strdup(*path ? path : ".");
	g_auto(GStrv) from = g_strsplit(folder, "/", -1);
	g_auto(GStrv) to = g_strsplit(path, "/", -1);
	guint same = 0;
	while (from[same] && to[same] && strcmp(from[same], to[same]) == 0)
		same++;
	GString *text = g_string_new("");
	for (guint i = same; from[i]; i++)
		g_string_append_printf(text, "%s..", text->len ? "/" : "");
	for (guint i = same; to[i] && *to[i]; i++)
		g_string_append_printf(text, "%s%s", text->len ? "/" : "", to[i]);
	if (text->len == 0)
		g_string_append_c(text, '.');
	return g_string_free(text, FALSE);
}

/* --- a directory ------------------------------------------------------------------------------ */

static int root_of(gpointer user)
{
	return *(const int *)user;
}

static MlvFilesType directory_type(gpointer user, const char *path)
{
	struct stat st;

	if (fstatat(root_of(user), *path ? path : ".", &st, 0) < 0)
		return MLV_FILES_NOTHING;
	return S_ISDIR(st.st_mode) ? MLV_FILES_DIRECTORY : MLV_FILES_FILE;
}

static GBytes *directory_read(gpointer user, const char *path, gsize max, GError **error)
{
	switch (directory_type(user, path)) {
	case MLV_FILES_NOTHING:
		mlv_fail(error, MLV_ERROR_MISSING, "there is no file '%s'", path);
		return NULL;
	case MLV_FILES_DIRECTORY:
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' is a folder, and a file is expected", path);
		return NULL;
	default:
		return mlv_file_read(root_of(user), path, max, error);
	}
}

static gboolean is_directory(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static GPtrArray *directory_list(gpointer user, const char *path, GError **error)
{
	const char *label = *path ? path : ".";
	int fd = openat(root_of(user), label, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const struct dirent *entry;

	if (!dir) {
		mlv_fail_errno(error, "cannot list '%s'", label);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while ((errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			g_ptr_array_add(names,
					g_strconcat(entry->d_name,
						    is_directory(dir, entry) ? "/" : "", NULL));
	gboolean ok = errno == 0 || mlv_fail_errno(error, "cannot list '%s'", label);
	closedir(dir);
	return ok ? g_steal_pointer(&names) : NULL;
}

void mlv_files_init_directory(MlvFiles *files, const int *root_fd, const char *root)
{
	*files = (MlvFiles){
		.read = directory_read,
		.type = directory_type,
		.list = directory_list,
		.user = (gpointer)root_fd,
		.root = root,
	};
}
