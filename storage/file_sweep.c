/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary files and those that a killed process left: who has one open holds a lock on it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/file_private.h"
#include "storage/id.h"

#define DIGITS       16
#define TRIES        100
#define AGE_UNLOCKED 3600 /* seconds after which what cannot be locked counts as left */

gboolean mlv_file_claim(int fd)
{
	struct stat st;

	while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	/* A sweep between its making and the lock has taken it for left. */
	return fstat(fd, &st) < 0 || st.st_nlink > 0;
}

int mlv_file_open_unique(int dirfd, const char *dir, const char *prefix, mode_t mode, char **path)
{
	gboolean here = !dir || strcmp(dir, ".") == 0;
	guint64 random;

	for (int tries = 0; tries < TRIES; tries++) {
		mlv_random_bytes(&random, sizeof(random));
		*path = g_strdup_printf("%s%s%s%016" G_GINT64_MODIFIER "x", here ? "" : dir,
					here ? "" : "/", prefix, random);
		int fd = openat(dirfd, *path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				mode);
		if (fd >= 0 && mlv_file_claim(fd))
			return fd;
		int saved = errno;
		g_clear_pointer(path, g_free);
		if (fd >= 0) {
			close(fd);
			continue;
		}
		errno = saved;
		if (errno != EEXIST && errno != EINTR)
			break;
	}
	return -1;
}

static gboolean is_temporary(const char *name, const char *prefix)
{
	gsize length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && strlen(name) == length + DIGITS &&
	       strspn(name + length, "0123456789abcdef") == DIGITS;
}

static gboolean is_old(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) &&
	       st.st_mtime + AGE_UNLOCKED < time(NULL);
}

/* Removes it while the lock is held, so that its maker, if just about to lock it, sees that. */
static void sweep_one(int dir, const char *name)
{
	g_auto(MlvFd) fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	gboolean regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	if (regular && flock(fd, LOCK_SH | LOCK_NB) == 0)
		unlinkat(dir, name, 0);
	else if (!(regular && errno == EWOULDBLOCK) && is_old(dir, name))
		unlinkat(dir, name, 0);
}

void mlv_file_sweep(int dir, const char *prefix)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		mlv_fd_clear(&fd);
		return;
	}
	while ((entry = readdir(stream)))
		if (is_temporary(entry->d_name, prefix))
			sweep_one(fd, entry->d_name);
	closedir(stream);
}
