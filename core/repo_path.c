/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the work tree: from what the user wrote, to what is shown, and careful reading and
 * writing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/repo_private.h"
#include "storage/file.h"

/* The real path of an absolute path whose last parts may not exist: what exists is resolved, the
 * rest is taken as it is written. */
static char *resolve_existing(const char *path)
{
	g_autofree char *head = g_canonicalize_filename(path, "/");
	g_autofree char *tail = g_strdup("");

	for (;;) {
		char *real = realpath(head, NULL);
		if (real) {
			char *whole = *tail ? g_build_filename(real, tail, NULL) : g_strdup(real);
			free(real);
			return whole;
		}
		g_autofree char *name = g_path_get_basename(head);
		char *longer = *tail ? g_build_filename(name, tail, NULL) : g_strdup(name);
		char *shorter = g_path_get_dirname(head);
		g_free(tail);
		tail = longer;
		g_free(head);
		head = shorter;
	}
}

static gboolean has_git_part(const char *path)
{
	for (const char *part = path; part;) {
		const char *slash = strchr(part, '/');
		gsize length = slash ? (gsize)(slash - part) : strlen(part);
		if (length == 4 && g_ascii_strncasecmp(part, ".git", 4) == 0)
			return TRUE;
		part = slash ? slash + 1 : NULL;
	}
	return FALSE;
}

static gboolean is_within(const char *path, const char *folder)
{
	gsize length = strlen(folder);
	return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

/* Splits off the last part, past trailing slashes; "." and ".." are not split off. */
static void split_last(const char *path, char **parent, char **name)
{
	gsize end = strlen(path);

	while (end > 1 && path[end - 1] == '/')
		end--;
	gsize start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	g_autofree char *last = g_strndup(path + start, end - start);
	if (!*last || strcmp(last, "/") == 0 || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		*parent = g_strdup(path);
		*name = NULL;
		return;
	}
	*parent = g_strndup(path, start);
	*name = g_steal_pointer(&last);
}

char *mlv_repo_relative(const MlvRepo *repo, const char *user_path, GError **error)
{
	g_autofree char *parent = NULL, *name = NULL;

	if (!*user_path) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "an empty path names nothing; write '.' for the current folder");
		return NULL;
	}
	split_last(user_path, &parent, &name);
	g_autofree char *start =
		g_path_is_absolute(parent)
			? g_strdup(parent)
			: g_strconcat(repo->outside ? repo->root : repo->cwd, "/", parent, NULL);
	g_autofree char *real = resolve_existing(start);
	g_autofree char *whole =
		name ? g_strconcat(strcmp(real, "/") == 0 ? "" : real, "/", name, NULL)
		     : g_strdup(real);
	if (strcmp(repo->root, "/") != 0 && !is_within(whole, repo->root)) {
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' is outside of the repository at '%s'",
			 user_path, repo->root);
		return NULL;
	}
	const char *relative = whole + (strcmp(repo->root, "/") == 0 ? 0 : strlen(repo->root));
	relative += *relative == '/';
	if (has_git_part(relative) || is_within(whole, repo->git_dir) ||
	    is_within(whole, repo->common_dir)) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "'%s' is in a git directory, which holds git's own files only", user_path);
		return NULL;
	}
	return g_strdup(relative);
}

char *mlv_repo_display(const MlvRepo *repo, const char *path)
{
	const char *from = repo->prefix ? repo->prefix : "";
	gsize common = 0;

	/* The leading folders of the prefix that the path shares. */
	for (gsize i = 0;; i++) {
		gboolean end_from = from[i] == '/' || !from[i];
		gboolean end_path = path[i] == '/' || !path[i];
		if (end_from && end_path && i > 0)
			common = i;
		if (from[i] != path[i] || !from[i])
			break;
	}
	g_autoptr(GString) shown = g_string_new(NULL);
	const char *up = from + common;
	for (up += *up == '/'; *up; up++)
		if (*up == '/' || !up[1])
			g_string_append(shown, "../");
	const char *rest = path + common;
	g_string_append(shown, rest + (*rest == '/'));
	if (shown->len == 0)
		g_string_assign(shown, ".");
	else if (shown->str[shown->len - 1] == '/')
		g_string_truncate(shown, shown->len - 1);
	return g_string_free(g_steal_pointer(&shown), FALSE);
}

/* --- files of the work tree ------------------------------------------------------------------- */

GBytes *mlv_repo_read_file(const MlvRepo *repo, const char *path, gsize max, GError **error)
{
	g_auto(MlvFd) fd =
		mlv_file_open_beneath(repo->root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 && (errno == ELOOP || errno == EXDEV)) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "'%s' is or lies behind a symbolic link, which is not followed", path);
		return NULL;
	}
	/* What cannot be there is not there. */
	if (fd < 0 && (errno == ENOTDIR || errno == ENAMETOOLONG))
		errno = ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0) {
		mlv_fail_errno(error, "cannot read '%s'", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || (guint64)st.st_size > max) {
		mlv_fail(error, MLV_ERROR_FAILED, "cannot read '%s': %s", path,
			 S_ISREG(st.st_mode) ? "it is too long" : "it is not a regular file");
		return NULL;
	}
	g_autofree char *data = g_malloc((gsize)st.st_size + 1);
	if (!mlv_file_read_at(fd, data, (gsize)st.st_size, 0, path, error))
		return NULL;
	data[st.st_size] = '\0';
	return g_bytes_new_take(g_steal_pointer(&data), (gsize)st.st_size);
}

/* The folder that holds `path`, opened beneath the root; *name is its last part within path. */
static int open_parent(const MlvRepo *repo, const char *path, gboolean make, const char **name,
		       GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = slash ? g_strndup(path, (gsize)(slash - path)) : g_strdup(".");

	*name = slash ? slash + 1 : path;
	int fd =
		mlv_file_open_beneath(repo->root_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT && make) {
		if (!mlv_file_make_dirs(repo->root_fd, parent, 0777, error))
			return -1;
		fd = mlv_file_open_beneath(repo->root_fd, parent,
					   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	}
	if (fd < 0)
		mlv_fail_errno(error, "cannot open folder '%s'", parent);
	return fd;
}

gboolean mlv_repo_write_file(const MlvRepo *repo, const char *path, const void *data, gsize length,
			     mode_t mode, GError **error)
{
	const char *name;
	g_auto(MlvFd) parent = open_parent(repo, path, TRUE, &name, error);

	return parent >= 0 && mlv_file_replace(parent, name, data, length, mode, FALSE, error);
}

gboolean mlv_repo_remove_file(const MlvRepo *repo, const char *path, GError **error)
{
	g_autoptr(GError) local = NULL;
	const char *name;
	g_auto(MlvFd) parent = open_parent(repo, path, FALSE, &name, &local);

	if (parent < 0 && g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	if (parent < 0) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT && errno != ENAMETOOLONG)
		return mlv_fail_errno(error, "cannot remove '%s'", path);
	return TRUE;
}
