/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.lock is git's; its holder may be any git. Two things are added for mlv: a guard file under
 * flock, which the kernel drops with its process, and a mark inside the lock. A lock with the mark
 * whose guard is free was left by a killed mlv, and is removed. The new index is written beside the
 * old one and renamed over it.
 */
#include "core/git_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/file.h"

#define WAIT_MICROSECONDS (4 * G_USEC_PER_SEC)
#define POLL_MICROSECONDS (20 * 1000)
#define TICK_MICROSECONDS (20 * 1000) /* in which a file system's clock may stand still */
#define MARK              "mlv index lock\n"

struct MlvIndexLock {
	MlvRepo *repo;
	MlvFd guard;
	char *lock_file; /* NULL while it is not ours */
	char *new_file;
	struct stat old; /* of the index that was read; of none, in the far future */
	git_index *index;
};

/* An index without entries: git reads no empty file as one. */
static const guint8 empty_index[] = {
	'D',  'I',  'R',  'C',  0,    0,    0,    2,    0,    0,    0,
	0,    0x39, 0xd8, 0x90, 0x13, 0x9e, 0xe5, 0x35, 0x6c, 0x7e, 0xf5,
	0x72, 0x21, 0x6c, 0xeb, 0xcd, 0x27, 0xaa, 0x41, 0xf9, 0xdf,
};

static gboolean fail_locked(const char *file, GError **error)
{
	return mlv_fail(
		error, MLV_ERROR_FAILED,
		"cannot create '%s': another git process seems to be running here; wait until it "
		"has ended, and if it crashed remove the file",
		file);
}

static gboolean take_guard(MlvIndexLock *lock, gint64 deadline, GError **error)
{
	g_autofree char *file = g_build_filename(lock->repo->worktree_dir, "index-guard", NULL);

	if (!mlv_repo_make_dirs(lock->repo, error))
		return FALSE;
	lock->guard = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (lock->guard < 0)
		return mlv_fail_errno(error, "cannot open '%s'", file);
	while (flock(lock->guard, LOCK_EX | LOCK_NB) < 0) {
		/* A file system without flock: git's own lock has to do. */
		if (errno != EWOULDBLOCK && errno != EINTR)
			return TRUE;
		if (g_get_monotonic_time() > deadline)
			return mlv_fail(
				error, MLV_ERROR_FAILED,
				"another mlv is changing git's index of '%s'; run this again when "
				"it has ended",
				lock->repo->root);
		g_usleep(POLL_MICROSECONDS);
	}
	return TRUE;
}

/* Whether the lock that stands there was left behind by an mlv; asked only under the guard. */
static gboolean is_left_behind(const char *file)
{
	char text[sizeof MARK];
	g_auto(MlvFd) fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd >= 0 && read(fd, text, sizeof text) == (ssize_t)strlen(MARK) &&
	       memcmp(text, MARK, strlen(MARK)) == 0;
}

/* Makes the lock with its mark in it at once, by a link; where links cannot be made, in two
 * steps. */
static int make_lock(const char *file, const char *temporary)
{
	g_auto(MlvFd) fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, MARK, strlen(MARK)) != (ssize_t)strlen(MARK))
		return -1;
	int result = link(temporary, file);
	int saved = errno;
	unlink(temporary);
	if (result < 0 && (saved == EPERM || saved == ENOTSUP || saved == ENOSYS)) {
		g_auto(MlvFd) direct = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		return direct >= 0 && write(direct, MARK, strlen(MARK)) > 0 ? 0 : -1;
	}
	errno = saved;
	return result;
}

static gboolean take_lock(MlvIndexLock *lock, gint64 deadline, GError **error)
{
	g_autofree char *file = g_strconcat(lock->repo->index_file, ".lock", NULL);
	g_autofree char *temporary = g_strconcat(lock->repo->index_file, ".mlv-mark", NULL);

	while (make_lock(file, temporary) < 0) {
		if (errno != EEXIST)
			return mlv_fail_errno(error, "cannot create '%s'", file);
		if (is_left_behind(file) && (unlink(file) == 0 || errno == ENOENT))
			continue;
		if (g_get_monotonic_time() > deadline)
			return fail_locked(file, error);
		g_usleep(POLL_MICROSECONDS);
	}
	lock->lock_file = g_steal_pointer(&file);
	return TRUE;
}

/* Copies the index to the file in which it is changed; remains of a killed mlv are overwritten. */
static gboolean copy_index(MlvIndexLock *lock, GError **error)
{
	g_autofree char *inner = g_strconcat(lock->new_file, ".lock", NULL);
	g_autoptr(GError) local = NULL;
	g_autoptr(GMappedFile) old = g_mapped_file_new(lock->repo->index_file, FALSE, &local);
	const void *data = empty_index;
	gsize length = sizeof empty_index;

	unlink(inner);
	if (old) {
		data = g_mapped_file_get_contents(old);
		length = g_mapped_file_get_length(old);
	} else if (!g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot read git's index: %s",
				local->message);
	}
	if (!old || stat(lock->repo->index_file, &lock->old) < 0)
		lock->old.st_mtim.tv_sec = G_MAXLONG;
	g_auto(MlvFd) fd =
		open(lock->new_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return mlv_fail_errno(error, "cannot write '%s'", lock->new_file);
	return mlv_file_write(fd, data, length, lock->new_file, error);
}

MlvIndexLock *mlv_index_lock(MlvRepo *repo, GError **error)
{
	g_autoptr(MlvIndexLock) lock = g_new0(MlvIndexLock, 1);
	gint64 deadline = g_get_monotonic_time() + WAIT_MICROSECONDS;

	lock->repo = repo;
	lock->guard = -1;
	if (!take_guard(lock, deadline, error) || !take_lock(lock, deadline, error))
		return NULL;
	lock->new_file = g_strconcat(repo->index_file, ".mlv-new", NULL);
	if (!copy_index(lock, error))
		return NULL;
	lock->index = mlv_git_open_index_file(lock->new_file, repo->index_file, error);
	return lock->index ? g_steal_pointer(&lock) : NULL;
}

void mlv_index_lock_recover(MlvRepo *repo)
{
	g_autofree char *file = g_strconcat(repo->index_file, ".lock", NULL);
	MlvIndexLock lock = { .repo = repo, .guard = -1 };

	/* Whoever holds the guard is at work; where there are no guards nobody can say. */
	if (is_left_behind(file) && take_guard(&lock, 0, NULL) &&
	    flock(lock.guard, LOCK_EX | LOCK_NB) == 0 && is_left_behind(file))
		unlink(file);
	mlv_fd_clear(&lock.guard);
}

git_index *mlv_index_lock_index(MlvIndexLock *lock)
{
	return lock->index;
}

/* Whether a file was changed after git noted its state, within the second in which the index was
 * written: git, which compares seconds, looks into such a file as long as the index is not younger
 * (its Documentation/technical/racy-git). */
static gboolean is_racy(const MlvIndexLock *lock, const git_index_entry *entry)
{
	g_autofree char *path = g_build_filename(lock->repo->root, entry->path, NULL);
	gint64 behind = ((gint64)lock->old.st_mtim.tv_sec - entry->mtime.seconds) * G_USEC_PER_SEC +
			(lock->old.st_mtim.tv_nsec - (gint64)entry->mtime.nanoseconds) / 1000;
	struct stat st;

	if (lstat(path, &st) < 0 || st.st_mtim.tv_sec != entry->mtime.seconds)
		return FALSE;
	return (behind >= 0 && behind < TICK_MICROSECONDS) ||
	       st.st_mtim.tv_nsec != (long)entry->mtime.nanoseconds ||
	       st.st_ctim.tv_nsec != (long)entry->ctime.nanoseconds;
}

/* The new index is younger, so what git would still have looked into is marked as git marks it:
 * with the size zero. */
static gboolean mark_racy(MlvIndexLock *lock, GError **error)
{
	for (gsize i = 0; i < git_index_entrycount(lock->index); i++) {
		const git_index_entry *entry = git_index_get_byindex(lock->index, i);

		if (entry->mtime.seconds < lock->old.st_mtim.tv_sec || entry->file_size == 0 ||
		    git_index_entry_stage(entry) != 0 || !is_racy(lock, entry))
			continue;
		git_index_entry marked = *entry;
		marked.file_size = 0;
		int code = git_index_add(lock->index, &marked);
		if (code < 0)
			return mlv_git_fail(error, code, "cannot change git's index");
	}
	return TRUE;
}

gboolean mlv_index_lock_commit(MlvIndexLock *lock, GError **error)
{
	if (!mark_racy(lock, error))
		return FALSE;
	int code = git_index_write(lock->index);
	if (code < 0)
		return mlv_git_fail(error, code, "cannot write git's index");
	if (rename(lock->new_file, lock->repo->index_file) < 0)
		return mlv_fail_errno(error, "cannot put git's index '%s' in place",
				      lock->repo->index_file);
	return TRUE;
}

void mlv_index_lock_free(MlvIndexLock *lock)
{
	if (!lock)
		return;
	git_index_free(lock->index);
	if (lock->new_file)
		unlink(lock->new_file);
	if (lock->lock_file)
		unlink(lock->lock_file);
	mlv_fd_clear(&lock->guard);
	g_free(lock->new_file);
	g_free(lock->lock_file);
	g_free(lock);
}
