/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear complete or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "storage/error.h"
#include "storage/file_private.h"

/* "cannot make a file in '...'" by errno: what is relative to a descriptor is named whole. */
static gboolean fail_make(int dirfd, const char *dir, GError **error)
{
	int saved = errno;
	g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", dirfd);
	g_autofree char *above =
		dirfd == AT_FDCWD ? g_get_current_dir() : g_file_read_link(link, NULL);
	g_autofree char *whole = above && *dir != '/' ? g_canonicalize_filename(dir, above) : NULL;

	errno = saved;
	return mlv_fail_errno(error, "cannot make a file in the folder '%s'", whole ? whole : dir);
}

struct MlvTemp {
	int dirfd; /* borrowed */
	int fd;
	char *path; /* NULL once published */
	char *label;
	mode_t created; /* permissions that the umask left */
};

/* --- replacing -------------------------------------------------------------------------------- */

static gboolean fill(int fd, const void *data, gsize length, gboolean sync, const char *path,
		     GError **error)
{
	if (!mlv_file_write(fd, data, length, path, error))
		return FALSE;
	if (sync && mlv_file_fsync(fd) < 0)
		return mlv_fail_errno(error, "cannot sync '%s'", path);
	return TRUE;
}

gboolean mlv_file_replace(int dirfd, const char *path, const void *data, gsize length, mode_t mode,
			  gboolean sync, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *temp = NULL;
	g_auto(MlvFd) fd = mlv_file_open_unique(dirfd, dir, MLV_REPLACE_PREFIX, mode, &temp);

	if (fd < 0)
		return fail_make(dirfd, dir, error);
	gboolean ok = fill(fd, data, length, sync, path, error);
	if (ok && renameat(dirfd, temp, dirfd, path) < 0)
		ok = mlv_fail_errno(error, "cannot replace '%s'", path);
	if (!ok) {
		unlinkat(dirfd, temp, 0);
		return FALSE;
	}
	return !sync || mlv_file_sync_dir(dirfd, dir, error);
}

/* --- creating without replacing --------------------------------------------------------------- */

MlvTemp *mlv_temp_open(int dirfd, const char *dir, GError **error)
{
	struct stat st;
	char *path = NULL;
	int fd = mlv_file_open_unique(dirfd, dir, MLV_TEMP_PREFIX, 0777, &path);

	if (fd < 0 || fstat(fd, &st) < 0) {
		fail_make(dirfd, dir, error);
		mlv_fd_clear(&fd);
		if (path)
			unlinkat(dirfd, path, 0);
		g_free(path);
		return NULL;
	}
	MlvTemp *temp = g_new0(MlvTemp, 1);
	temp->dirfd = dirfd;
	temp->fd = fd;
	temp->path = path;
	temp->label = g_strdup(path);
	temp->created = st.st_mode & 07777;
	return temp;
}

int mlv_temp_fd(const MlvTemp *temp)
{
	return temp->fd;
}

const char *mlv_temp_label(const MlvTemp *temp)
{
	return temp->label;
}

gboolean mlv_temp_sync(MlvTemp *temp, GError **error)
{
	if (mlv_file_fsync(temp->fd) < 0)
		return mlv_fail_errno(error, "cannot sync '%s'", temp->label);
	return TRUE;
}

/* Renames without replacing, by whatever the file system has. -1 with errno. */
static int rename_new(int dirfd, const char *from, const char *to)
{
	if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -1;
	if (linkat(dirfd, from, dirfd, to, 0) == 0) {
		unlinkat(dirfd, from, 0);
		return 0;
	}
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return -1;
	/* No hard links either (FAT, some FUSE). Names are content: losing the race replaces like
	 * by like. */
	if (faccessat(dirfd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dirfd, from, dirfd, to);
}

/* Whoever made the folders above may not have synced their entries yet, so all are synced; `top`:
 * those of dirfd itself too. */
static gboolean sync_folders(int dirfd, const char *path, gboolean top, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path);

	while (strcmp(dir, ".") != 0 && strcmp(dir, "/") != 0) {
		if (!mlv_file_sync_dir(dirfd, dir, error))
			return FALSE;
		char *above = g_path_get_dirname(dir);
		g_free(dir);
		dir = above;
	}
	return (!top && strchr(path, '/')) || mlv_file_sync_dir(dirfd, dir, error);
}

gboolean mlv_temp_publish(MlvTemp *temp, const char *path, mode_t mode, gboolean sync,
			  gboolean *existed, GError **error)
{
	gboolean made = FALSE;

	*existed = FALSE;
	if (fchmod(temp->fd, mode & temp->created) < 0)
		return mlv_fail_errno(error, "cannot set the mode of '%s'", temp->label);
	if (sync && !mlv_temp_sync(temp, error))
		return FALSE;
	int result = rename_new(temp->dirfd, temp->path, path);
	if (result < 0 && errno == ENOENT) {
		g_autofree char *dir = g_path_get_dirname(path);
		if (!mlv_file_make_dirs(temp->dirfd, dir, 0777, error))
			return FALSE;
		made = TRUE;
		result = rename_new(temp->dirfd, temp->path, path);
	}
	*existed = result < 0 && errno == EEXIST;
	if (result < 0 && !*existed)
		return mlv_fail_errno(error, "cannot rename '%s' to '%s'", temp->label, path);
	if (*existed)
		unlinkat(temp->dirfd, temp->path, 0);
	g_clear_pointer(&temp->path, g_free);
	return !sync || sync_folders(temp->dirfd, path, made, error);
}

void mlv_temp_free(MlvTemp *temp)
{
	if (!temp)
		return;
	if (temp->path)
		unlinkat(temp->dirfd, temp->path, 0);
	mlv_fd_clear(&temp->fd);
	g_free(temp->path);
	g_free(temp->label);
	g_free(temp);
}

void mlv_temp_sweep(int dirfd, const char *dir, guint64 seconds)
{
	int fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	time_t now = time(NULL);
	struct dirent *entry;
	struct stat st;

	if (!stream) {
		mlv_fd_clear(&fd);
		return;
	}
	while ((entry = readdir(stream))) {
		if (!g_str_has_prefix(entry->d_name, MLV_TEMP_PREFIX) &&
		    !g_str_has_prefix(entry->d_name, MLV_REPLACE_PREFIX))
			continue;
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime <= now &&
		    (guint64)(now - st.st_mtime) >= seconds)
			unlinkat(fd, entry->d_name, 0);
	}
	closedir(stream);
}
