/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "storage/error.h"
#include "storage/file_private.h"
#include "storage/id.h"

#define CLONE_BLOCK_MAX (64u << 10) /* a pack's gaps are shorter than this */
#define READ_STEP       (64u << 10)

void mlv_fd_clear(MlvFd *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

/* --- whole reads and writes ------------------------------------------------------------------- */

gboolean mlv_file_write(int fd, const void *data, gsize length, const char *label, GError **error)
{
	const guint8 *at = data;

	while (length > 0) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlv_fail_errno(error, "cannot write '%s'", label);
		at += n;
		length -= (gsize)n;
	}
	return TRUE;
}

gboolean mlv_file_write_at(int fd, const void *data, gsize length, guint64 offset,
			   const char *label, GError **error)
{
	const guint8 *at = data;

	while (length > 0) {
		ssize_t n = pwrite(fd, at, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlv_fail_errno(error, "cannot write '%s'", label);
		at += n;
		offset += (guint64)n;
		length -= (gsize)n;
	}
	return TRUE;
}

gboolean mlv_file_read_at(int fd, void *data, gsize length, guint64 offset, const char *label,
			  GError **error)
{
	guint8 *at = data;

	while (length > 0) {
		ssize_t n = pread(fd, at, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlv_fail_errno(error, "cannot read '%s'", label);
		if (n == 0)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"'%s' ends at byte %" G_GUINT64_FORMAT ", %" G_GSIZE_FORMAT
					" bytes too early",
					label, offset, length);
		at += n;
		offset += (guint64)n;
		length -= (gsize)n;
	}
	return TRUE;
}

/* The size that fstat gives is a hint only: the file may grow while it is read. */
static gboolean read_up_to(int fd, gsize max, gsize hint, GByteArray *out, const char *path,
			   GError **error)
{
	gsize room = MIN(hint, max) + 1;

	for (;; room = READ_STEP) {
		gsize have = out->len;

		room = MIN(room, max - have + 1);
		g_byte_array_set_size(out, (guint)(have + room));
		ssize_t n = read(fd, out->data + have, room);
		if (n < 0 && errno != EINTR)
			return mlv_fail_errno(error, "cannot read '%s'", path);
		g_byte_array_set_size(out, (guint)(have + (gsize)MAX(n, 0)));
		if (n == 0)
			return TRUE;
		if (out->len > max)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"'%s' is longer than the %" G_GSIZE_FORMAT
					" bytes it may have",
					path, max);
	}
}

GBytes *mlv_file_read(int dirfd, const char *path, gsize max, GError **error)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO in the place of a file must not hang us. */
	g_auto(MlvFd) fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) < 0) {
		mlv_fail_errno(error, "cannot open '%s'", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' is not a regular file", path);
		return NULL;
	}
	g_autoptr(GByteArray) out = g_byte_array_new();
	max = MIN(max, (gsize)G_MAXUINT - READ_STEP); /* what a GByteArray can hold */
	if (!read_up_to(fd, max, (gsize)st.st_size, out, path, error))
		return NULL;
	gsize length = out->len;
	g_byte_array_append(out, (const guint8 *)"", 1);
	return g_bytes_new_take(g_byte_array_free(g_steal_pointer(&out), FALSE), length);
}

/* --- folders ---------------------------------------------------------------------------------- */

int mlv_file_fsync(int fd)
{
	int result;

	do
		result = fsync(fd);
	while (result < 0 && errno == EINTR);
	return result;
}

gboolean mlv_file_sync_dir(int dirfd, const char *path, GError **error)
{
	g_auto(MlvFd) fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return mlv_fail_errno(error, "cannot open folder '%s'", path);
	/* EINVAL: a file system whose folders cannot be synced, since they always are. */
	if (mlv_file_fsync(fd) < 0 && errno != EINVAL)
		return mlv_fail_errno(error, "cannot sync folder '%s'", path);
	return TRUE;
}

GPtrArray *mlv_file_list(int dirfd, const char *path, GError **error)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	struct dirent *entry;

	if (!dir) {
		mlv_fail_errno(error, "cannot read folder '%s'", path);
		mlv_fd_clear(&fd);
		return NULL;
	}
	while ((errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			g_ptr_array_add(names, g_strdup(entry->d_name));
	if (errno != 0) {
		mlv_fail_errno(error, "cannot read folder '%s'", path);
		g_clear_pointer(&names, g_ptr_array_unref);
	}
	closedir(dir);
	return g_steal_pointer(&names);
}

/* -1 with errno. Deepest first, since mostly all but the last are there. */
static int make_dirs(int dirfd, char *path, mode_t mode)
{
	if (mkdirat(dirfd, path, mode) == 0 || errno == EEXIST)
		return 0;
	char *slash = errno == ENOENT ? strrchr(path, '/') : NULL;
	if (!slash || slash == path)
		return -1;
	*slash = '\0';
	int made = make_dirs(dirfd, path, mode);
	*slash = '/';
	if (made < 0)
		return -1;
	return mkdirat(dirfd, path, mode) == 0 || errno == EEXIST ? 0 : -1;
}

gboolean mlv_file_make_dirs(int dirfd, const char *path, mode_t mode, GError **error)
{
	g_autofree char *copy = g_strdup(path);
	struct stat st;

	for (gsize n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	if (make_dirs(dirfd, copy, mode) < 0 || fstatat(dirfd, copy, &st, 0) < 0)
		return mlv_fail_errno(error, "cannot make folder '%s'", path);
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return mlv_fail_errno(error, "cannot make folder '%s'", path);
	}
	return TRUE;
}

/* --- shared blocks ---------------------------------------------------------------------------- */

/* A file without a name, so that nothing is left behind whatever happens. */
static int open_unnamed(int dirfd)
{
	char *path;
	int fd = openat(dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	fd = mlv_file_open_unique(dirfd, NULL, MLV_TEMP_PREFIX, 0600, &path);
	if (fd >= 0) {
		unlinkat(dirfd, path, 0);
		g_free(path);
	}
	return fd;
}

gsize mlv_file_clone_block(int dirfd)
{
	g_auto(MlvFd) from = open_unnamed(dirfd);
	g_auto(MlvFd) to = open_unnamed(dirfd);
	struct statfs fs;

	if (from < 0 || to < 0 || fstatfs(from, &fs) < 0)
		return 0;
	gsize block = fs.f_bsize > 0 ? (gsize)fs.f_bsize : 0;
	if (block < 512 || block > CLONE_BLOCK_MAX || (block & (block - 1)) != 0)
		return 0;
	g_autofree guint8 *bytes = g_malloc0(2 * block);
	/* The second block only, to where nothing is yet: what a pack will ask for. */
	if (!mlv_file_write_at(from, bytes, 2 * block, 0, "", NULL) ||
	    !mlv_file_clone_range(from, block, block, to, 3 * block))
		return 0;
	return block;
}

gboolean mlv_file_clone_range(int source, guint64 source_offset, guint64 length, int target,
			      guint64 target_offset)
{
	struct file_clone_range range = {
		.src_fd = source,
		.src_offset = source_offset,
		.src_length = length,
		.dest_offset = target_offset,
	};
	int result;

	do
		result = ioctl(target, FICLONERANGE, &range);
	while (result < 0 && errno == EINTR);
	return result == 0;
}
