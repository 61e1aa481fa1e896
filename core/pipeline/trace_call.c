/* SPDX-License-Identifier: Apache-2.0 */
/* What a call does to which files. The kernel itself says what was opened, by the link that it has
 * for each descriptor of a stopped thread: symbolic links, folders and current folders are resolved
 * by whom it concerns, at the moment at which it counts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/pipeline/trace_private.h"

#define PAGE      4096u
#define EXCHANGE  2 /* RENAME_EXCHANGE */
#define LINK_TEXT 64

/* --- a thread's memory and links -------------------------------------------------------------- */

/* Up to the end of a page at a time, for what follows may not be there. */
static gboolean read_text(pid_t tid, uint64_t address, char text[PATH_MAX])
{
	size_t have = 0;

	while (address && have < PATH_MAX) {
		size_t part = MIN(PAGE - (size_t)((address + have) % PAGE), PATH_MAX - have);
		struct iovec local = { text + have, part };
		struct iovec remote = { (void *)(uintptr_t)(address + have), part };
		ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);
		if (got <= 0)
			return FALSE;
		if (memchr(text + have, '\0', (size_t)got))
			return TRUE;
		have += (size_t)got;
	}
	return FALSE;
}

static gboolean read_link(const char *link, char path[PATH_MAX])
{
	ssize_t length = readlink(link, path, PATH_MAX - 1);

	if (length <= 0)
		return FALSE;
	path[length] = '\0';
	return *path == '/';
}

static void fd_link(pid_t tid, int fd, char link[LINK_TEXT])
{
	snprintf(link, LINK_TEXT, "/proc/%d/fd/%d", (int)tid, fd);
}

/* A path as the thread means it, absolute; "" if it cannot be told. */
static void make_absolute(pid_t tid, int folder, uint64_t address, char path[PATH_MAX])
{
	char text[PATH_MAX], link[LINK_TEXT], base[PATH_MAX];

	*path = '\0';
	if (!read_text(tid, address, text) || !*text)
		return;
	if (*text == '/') {
		memcpy(path, text, strlen(text) + 1);
		return;
	}
	if (folder == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", (int)tid);
	else
		fd_link(tid, folder, link);
	if (!read_link(link, base))
		return;
	size_t length = strlen(base), more = strlen(text);
	if (length + more + 2 > PATH_MAX)
		return;
	memcpy(path, base, length);
	path[length] = '/';
	memcpy(path + length + 1, text, more + 1);
}

/* The folder resolved, the last part as it is. */
static gboolean resolve_folder(const char *path, char real[PATH_MAX])
{
	char folder[PATH_MAX];
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	size_t cut = length;
	while (cut > 0 && path[cut - 1] != '/')
		cut--;
	if (cut == 0 || cut == length)
		return FALSE;
	memcpy(folder, path, cut);
	folder[cut > 1 ? cut - 1 : 1] = '\0';
	if (!realpath(folder, real))
		return FALSE;
	size_t have = strlen(real);
	if (have + 1 + (length - cut) >= PATH_MAX)
		return FALSE;
	if (have > 1)
		real[have++] = '/';
	memcpy(real + have, path + cut, length - cut);
	real[have + length - cut] = '\0';
	return TRUE;
}

/* --- beginning -------------------------------------------------------------------------------- */

/* openat2 has its flags in memory, 64 bits first. */
static int read_how(pid_t tid, uint64_t address)
{
	uint64_t flags = 0;
	struct iovec local = { &flags, sizeof(flags) };
	struct iovec remote = { (void *)(uintptr_t)address, sizeof(flags) };

	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == sizeof(flags) ? (int)flags
										: O_PATH;
}

static gboolean begin_open(MlvCallUnder *under, int folder, uint64_t path, int flags)
{
	struct stat st;

	under->flags = flags;
	if (flags & O_PATH)
		return FALSE;
	make_absolute(under->tid, folder, path, under->path);
	under->existed = !(flags & O_CREAT) || (*under->path && stat(under->path, &st) == 0);
	return TRUE;
}

static gboolean begin_two(MlvCallUnder *under, int folder, uint64_t path, int folder2,
			  uint64_t path2, int flags)
{
	under->flags = flags;
	make_absolute(under->tid, folder, path, under->path);
	make_absolute(under->tid, folder2, path2, under->path2);
	return *under->path && *under->path2;
}

static gboolean begin_one(MlvCallUnder *under, int folder, uint64_t path, int flags)
{
	under->flags = flags;
	make_absolute(under->tid, folder, path, under->path);
	return *under->path != '\0';
}

gboolean mlv_trace_call_begin(pid_t tid, MlvCall call, const uint64_t args[6], MlvCallUnder *under)
{
	int first = (int)args[0], second = (int)args[1], third = (int)args[2];

	under->tid = tid;
	under->call = call;
	under->flags = 0;
	under->existed = TRUE;
	*under->path = *under->path2 = '\0';
	switch (call) {
	case MLV_CALL_OPEN:
		return begin_open(under, AT_FDCWD, args[0], second);
	case MLV_CALL_CREAT:
		return begin_open(under, AT_FDCWD, args[0], O_CREAT | O_WRONLY | O_TRUNC);
	case MLV_CALL_OPENAT:
		return begin_open(under, first, args[1], third);
	case MLV_CALL_OPENAT2:
		return begin_open(under, first, args[1], read_how(tid, args[2]));
	case MLV_CALL_OPEN_HANDLE:
		under->flags = third;
		return !(third & O_PATH);
	case MLV_CALL_EXEC:
		return begin_one(under, AT_FDCWD, args[0], 0);
	case MLV_CALL_EXECAT:
		return begin_one(under, first, args[1], 0);
	case MLV_CALL_RENAME:
	case MLV_CALL_LINK:
		return begin_two(under, AT_FDCWD, args[0], AT_FDCWD, args[1], 0);
	case MLV_CALL_RENAMEAT:
	case MLV_CALL_LINKAT:
		return begin_two(under, first, args[1], third, args[3], 0);
	case MLV_CALL_RENAMEAT2:
		return begin_two(under, first, args[1], third, args[3], (int)args[4]);
	case MLV_CALL_SYMLINK:
		return begin_one(under, AT_FDCWD, args[1], 0);
	case MLV_CALL_SYMLINKAT:
		return begin_one(under, second, args[2], 0);
	case MLV_CALL_UNLINK:
	case MLV_CALL_TRUNCATE:
		return begin_one(under, AT_FDCWD, args[0], 0);
	case MLV_CALL_UNLINKAT:
		return !(third & AT_REMOVEDIR) && begin_one(under, first, args[1], third);
	case MLV_CALL_NONE:
		break;
	}
	return FALSE;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void tell_resolved(int fd, MlvTellKind kind, const char *path)
{
	char real[PATH_MAX];

	if (resolve_folder(path, real))
		mlv_trace_tell(fd, kind, 0, real);
}

static void end_open(const MlvCallUnder *under, int64_t result, int fd)
{
	char link[LINK_TEXT], path[PATH_MAX];
	int mode = under->flags & O_ACCMODE;
	struct stat st;

	if (result == -ENOENT || result == -ENOTDIR) {
		if (*under->path && !(under->flags & O_CREAT))
			mlv_trace_tell(fd, MLV_TELL_MISSING, 0, under->path);
		return;
	}
	if (result < 0)
		return;
	fd_link(under->tid, (int)result, link);
	/* Nobody else sees what has no name. */
	if (stat(link, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0 ||
	    !read_link(link, path))
		return;
	if (mode != O_WRONLY && under->existed && !(under->flags & O_TRUNC))
		mlv_trace_tell(fd, MLV_TELL_READ, 0, path);
	if (mode != O_RDONLY || !under->existed || (under->flags & O_TRUNC))
		mlv_trace_tell(fd, MLV_TELL_WRITE, 0, path);
}

static void end_rename(const MlvCallUnder *under, int fd)
{
	struct stat st;

	if (lstat(under->path2, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		tell_resolved(fd, MLV_TELL_FOLDER, under->path2);
		return;
	}
	tell_resolved(fd, MLV_TELL_READ, under->path);
	if (under->flags & EXCHANGE) {
		tell_resolved(fd, MLV_TELL_READ, under->path2);
		tell_resolved(fd, MLV_TELL_WRITE, under->path);
	} else {
		tell_resolved(fd, MLV_TELL_REMOVE, under->path);
	}
	tell_resolved(fd, MLV_TELL_WRITE, under->path2);
}

static void end_truncate(const MlvCallUnder *under, int fd)
{
	char real[PATH_MAX];

	if (realpath(under->path, real))
		mlv_trace_tell(fd, MLV_TELL_WRITE, 0, real);
}

void mlv_trace_call_end(const MlvCallUnder *under, int64_t result, int fd)
{
	switch (under->call) {
	case MLV_CALL_OPEN:
	case MLV_CALL_CREAT:
	case MLV_CALL_OPENAT:
	case MLV_CALL_OPENAT2:
	case MLV_CALL_OPEN_HANDLE:
		end_open(under, result, fd);
		return;
	default:
		break;
	}
	if (result < 0)
		return;
	switch (under->call) {
	case MLV_CALL_RENAME:
	case MLV_CALL_RENAMEAT:
	case MLV_CALL_RENAMEAT2:
		end_rename(under, fd);
		break;
	case MLV_CALL_LINK:
	case MLV_CALL_LINKAT:
		tell_resolved(fd, MLV_TELL_READ, under->path);
		tell_resolved(fd, MLV_TELL_WRITE, under->path2);
		break;
	case MLV_CALL_SYMLINK:
	case MLV_CALL_SYMLINKAT:
		tell_resolved(fd, MLV_TELL_WRITE, under->path);
		break;
	case MLV_CALL_UNLINK:
	case MLV_CALL_UNLINKAT:
		tell_resolved(fd, MLV_TELL_REMOVE, under->path);
		break;
	case MLV_CALL_TRUNCATE:
		end_truncate(under, fd);
		break;
	default:
		break;
	}
}

void mlv_trace_call_exec(pid_t tid, const MlvCallUnder *under, int fd)
{
	char link[LINK_TEXT], path[PATH_MAX];
	struct stat st;

	/* The file that was named: of a script not the one that runs. */
	if (under && *under->path && realpath(under->path, path))
		mlv_trace_tell(fd, MLV_TELL_PROGRAM, 0, path);
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)tid);
	if (stat(link, &st) == 0 && st.st_nlink > 0 && read_link(link, path))
		mlv_trace_tell(fd, MLV_TELL_PROGRAM, 0, path);
}
