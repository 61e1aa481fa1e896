/* SPDX-License-Identifier: Apache-2.0 */
/* Opening beneath a root without following symlinks. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storage/file_private.h"

#define RACES_MAX 64 /* tries where a rename elsewhere disturbs the kernel's walk */

/* Relative, not empty, without "..". Sets errno. */
static gboolean path_allowed(const char *path)
{
	if (!*path) {
		errno = ENOENT;
		return FALSE;
	}
	gboolean allowed = *path != '/';
	for (const char *at = path; allowed && at; at = strchr(at, '/')) {
		at += *at == '/';
		allowed = strncmp(at, "..", 2) != 0 || (at[2] != '/' && at[2] != '\0');
	}
	if (!allowed)
		errno = EXDEV;
	return allowed;
}

static gboolean is_symlink(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* The last component. O_NOFOLLOW alone would let O_PATH open the symlink itself, and gives ENOTDIR
 * where O_DIRECTORY is asked for. */
static int open_last(int dirfd, const char *name, int flags, mode_t mode)
{
	gboolean asked = (flags & O_NOFOLLOW) && (flags & O_PATH);
	int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	struct stat st;

	if (fd < 0 && errno == ENOTDIR && is_symlink(dirfd, name))
		errno = ELOOP;
	if (fd >= 0 && (flags & O_PATH) && !asked && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
		close(fd);
		errno = ELOOP;
		return -1;
	}
	return fd;
}

/* A folder on the way. */
static int open_folder(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR && is_symlink(dirfd, name))
		errno = ELOOP;
	return fd;
}

int mlv_file_open_beneath_walk(int rootfd, const char *path, int flags, mode_t mode)
{
	g_auto(MlvFd) dir = -1;
	char name[NAME_MAX + 1];

	if (!path_allowed(path))
		return -1;
	for (;;) {
		gsize length = strcspn(path, "/");
		const char *rest = path + length + strspn(path + length, "/");

		if (length > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, length);
		name[length] = '\0';
		if (!*rest)
			return open_last(dir < 0 ? rootfd : dir, name,
					 flags | (path[length] == '/' ? O_DIRECTORY : 0), mode);
		int next = open_folder(dir < 0 ? rootfd : dir, name);
		mlv_fd_clear(&dir);
		if (next < 0)
			return -1;
		dir = next;
		path = rest;
	}
}

int mlv_file_open_beneath(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (guint64)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	if (!path_allowed(path))
		return -1;
	int tries = 0;
	do
		fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN) && ++tries < RACES_MAX);
	/* EPERM: what a sandbox says to a system call it does not know. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN))
		return mlv_file_open_beneath_walk(rootfd, path, flags, mode);
	return (int)fd;
}
