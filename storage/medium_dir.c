/* SPDX-License-Identifier: Apache-2.0 */
/* A medium that is a directory: local disk, NFS, anything that is mounted. */
#include "storage/file.h"
#include "storage/id.h"
#include "storage/medium.h"
#include "storage/medium_dir_private.h"
#include "storage/pool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME   "lock"
#define TEMP_PREFIX "tmp-"
#define TEMP_AGE    (24 * 60 * 60) /* seconds after which a temporary file is a dead process's */
#define THREADS     4              /* enough to keep a disk or an NFS server busy */
#define WINDOW      8

/* Opens the directory if that has not been done. With `create` makes it; without, absence leaves
 * fd -1. Only the thread that owns the medium calls this. */
static gboolean ensure(MediumDir *dir, gboolean create, GError **error)
{
	const char *path = dir->medium.url;
	gboolean made = FALSE;
	int fd = g_atomic_int_get(&dir->fd);

	while (fd < 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			break;
		if (errno != ENOENT)
			return mlv_fail_errno(error, "cannot open the folder '%s'", path);
		if (!create)
			return TRUE;
		if (mkdir(path, 0777) == 0)
			made = TRUE;
		else if (errno == ENOENT)
			return mlv_fail(
				error, MLV_ERROR_MISSING,
				"cannot make '%s': the folder above it does not exist; make that "
				"first, or mount what should be there",
				path);
		else if (errno != EEXIST)
			return mlv_fail_errno(error, "cannot make the folder '%s'", path);
	}
	g_atomic_int_set(&dir->fd, fd);
	if (made && dir->sync) {
		g_autofree char *above = g_path_get_dirname(path);

		return mlv_file_sync_dir(AT_FDCWD, above, error);
	}
	return TRUE;
}

/* --- listing ---------------------------------------------------------------------------------- */

typedef struct {
	MediumDir *dir;
	const char *prefix;
	MlvMediumEach each;
	gpointer user;
	gboolean stopped;
} Listing;

static gboolean list_folder(Listing *listing, const char *path, guint depth, GError **error);

static gboolean list_name(Listing *listing, int fd, const char *path, const char *name, guint depth,
			  GError **error)
{
	g_autofree char *full = *path ? g_strconcat(path, "/", name, NULL) : g_strdup(name);
	struct stat st;

	/* What vanishes meanwhile is not there. */
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || mlv_fail_errno(error, "cannot look at '%s' in '%s'", full,
							 listing->dir->medium.url);
	if (S_ISDIR(st.st_mode))
		return depth == 0 || list_folder(listing, full, depth - 1, error);
	if (g_str_has_prefix(name, TEMP_PREFIX)) {
		if (listing->dir->exclusive && time(NULL) - st.st_mtime > TEMP_AGE)
			unlinkat(fd, name, 0);
		return TRUE;
	}
	if (S_ISREG(st.st_mode) && g_str_has_prefix(full, listing->prefix) &&
	    !listing->each(full, (guint64)st.st_size, st.st_mtime, listing->user))
		listing->stopped = TRUE;
	return TRUE;
}

static gboolean list_folder(Listing *listing, const char *path, guint depth, GError **error)
{
	g_auto(MlvFd) fd =
		openat(listing->dir->fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;
	struct dirent *entry;
	gboolean ok = TRUE;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       mlv_fail_errno(error, "cannot read the folder '%s' in '%s'", path,
				      listing->dir->medium.url);
	stream = fdopendir(dup(fd));
	if (!stream)
		return mlv_fail_errno(error, "cannot read the folder '%s' in '%s'", path,
				      listing->dir->medium.url);
	while (ok && !listing->stopped && (errno = 0, entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			ok = list_name(listing, fd, path, entry->d_name, depth, error);
	if (ok && !listing->stopped && errno != 0)
		ok = mlv_fail_errno(error, "cannot read the folder '%s' in '%s'", path,
				    listing->dir->medium.url);
	closedir(stream);
	return ok;
}

static gboolean dir_list(MlvMedium *medium, const char *prefix, MlvMediumEach each, gpointer user,
			 GError **error)
{
	MediumDir *dir = (MediumDir *)medium;
	Listing listing = { dir, prefix, each, user, FALSE };
	const char *slash = strrchr(prefix, '/');
	g_autofree char *folder = slash ? g_strndup(prefix, (gsize)(slash - prefix)) : g_strdup("");

	if (!ensure(dir, FALSE, error))
		return FALSE;
	/* packs/ has a level of folders below it; nothing has more. */
	return dir->fd < 0 || list_folder(&listing, folder, 1, error);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void run_in_worker(gpointer job, gpointer user)
{
	mlv_medium_dir_do(user, job);
}

typedef struct {
	MediumDir *dir;
	MlvOpNext next;
	MlvOpDone done;
	gpointer user;
	gboolean ok;
	GError **error;
} Batch;

/* Hands an operation back; after a failure the callee's answer no longer matters. */
static void hand_back(Batch *batch, MlvOp *op)
{
	g_autoptr(GError) late = NULL;

	if (batch->ok)
		batch->ok = batch->done(op, batch->user, batch->error);
	else
		batch->done(op, batch->user, &late);
}

/* The next operation; the directory is opened for it, or made, before a worker sees it. */
static MlvOp *ask(Batch *batch)
{
	MlvOp *op = batch->ok ? batch->next(batch->user) : NULL;

	if (op)
		ensure(batch->dir, op->type == MLV_OP_PUT, &op->error);
	return op;
}

static gboolean dir_run(MlvMedium *medium, MlvOpNext next, MlvOpDone done, gpointer user,
			GError **error)
{
	MediumDir *dir = (MediumDir *)medium;
	Batch batch = { dir, next, done, user, TRUE, error };
	MlvOp *first = ask(&batch);
	MlvOp *op = first ? ask(&batch) : NULL;

	/* One alone is not worth a thread. */
	while (first && !op) {
		mlv_medium_dir_do(dir, first);
		hand_back(&batch, first);
		first = ask(&batch);
		op = first ? ask(&batch) : NULL;
	}
	if (!first)
		return batch.ok;
	if (!dir->pool)
		dir->pool = mlv_pool_new(THREADS, WINDOW, run_in_worker, dir);
	mlv_pool_submit(dir->pool, first);
	for (;;) {
		for (; op; op = mlv_pool_is_full(dir->pool) ? NULL : ask(&batch))
			mlv_pool_submit(dir->pool, op);
		op = mlv_pool_take(dir->pool);
		if (!op)
			return batch.ok;
		hand_back(&batch, op);
		op = ask(&batch);
	}
}

/* --- locks ------------------------------------------------------------------------------------ */

static gboolean dir_lock(MlvMedium *medium, gboolean exclusive, void (*waiting)(gpointer),
			 gpointer user, GError **error)
{
	MediumDir *dir = (MediumDir *)medium;
	int how = exclusive ? LOCK_EX : LOCK_SH;
	g_auto(MlvFd) fd = -1;

	if (!ensure(dir, TRUE, error))
		return FALSE;
	fd = openat(dir->fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return mlv_fail_errno(error, "cannot open the lock of '%s'", medium->url);
	if (flock(fd, how | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		if (waiting)
			waiting(user);
		if (flock(fd, how) < 0 && errno == EINTR)
			return mlv_fail(error, MLV_ERROR_CANCELLED,
					"interrupted while waiting for the lock of '%s'",
					medium->url);
	}
	/* A file system without locks is no worse than a server without: the protocol holds all
	 * the same. */
	dir->exclusive = exclusive;
	dir->lock_fd = fd;
	fd = -1;
	return TRUE;
}

static void dir_unlock(MlvMedium *medium)
{
	MediumDir *dir = (MediumDir *)medium;

	mlv_fd_clear(&dir->lock_fd);
	dir->exclusive = FALSE;
}

/* --- where a remote may be made --------------------------------------------------------------- */

/* What a remote has, what its making leaves if it is killed, and what file systems put into the
 * root of a disk. */
static gboolean may_be_there(const char *name)
{
	static const char *const names[] = { ".",         "..",        "packs",
					     "live",      LOCK_NAME,   "lost+found",
					     ".snapshot", ".DS_Store", ".localized" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0)
			return TRUE;
	return g_str_has_prefix(name, TEMP_PREFIX) || g_str_has_prefix(name, ".nfs");
}

static gboolean dir_check_vacant(MlvMedium *medium, GError **error)
{
	MediumDir *dir = (MediumDir *)medium;
	struct dirent *entry;
	gboolean ok = TRUE;
	DIR *stream;

	if (!ensure(dir, FALSE, error))
		return FALSE;
	if (dir->fd < 0)
		return TRUE;
	stream = opendir(medium->url);
	if (!stream)
		return mlv_fail_errno(error, "cannot read the folder '%s'", medium->url);
	while (ok && (errno = 0, entry = readdir(stream)))
		if (!may_be_there(entry->d_name))
			ok = mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				      "the folder '%s' holds something else ('%s') and no remote; "
				      "choose another folder, one that is empty or not there yet",
				      medium->url, entry->d_name);
	if (ok && errno != 0)
		ok = mlv_fail_errno(error, "cannot read the folder '%s'", medium->url);
	closedir(stream);
	return ok;
}

/* --- the medium ------------------------------------------------------------------------------- */

static void dir_free(MlvMedium *medium)
{
	MediumDir *dir = (MediumDir *)medium;

	mlv_pool_free(dir->pool, NULL);
	mlv_fd_clear(&dir->lock_fd);
	mlv_fd_clear(&dir->fd);
	g_free(medium->url);
	g_free(dir);
}

static const MlvMediumClass dir_class = {
	.list = dir_list,
	.run = dir_run,
	.lock = dir_lock,
	.unlock = dir_unlock,
	.check_vacant = dir_check_vacant,
	.free = dir_free,
};

MlvMedium *mlv_medium_dir_new(const char *path, gboolean sync, GError **error)
{
	MediumDir *dir;

	if (!*path) {
		mlv_fail(error, MLV_ERROR_USAGE, "a remote's folder has an empty name");
		return NULL;
	}
	dir = g_new0(MediumDir, 1);
	dir->medium.methods = &dir_class;
	dir->medium.url = g_strdup(path);
	dir->sync = sync;
	dir->fd = dir->lock_fd = -1;
	return &dir->medium;
}
