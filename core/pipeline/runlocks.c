/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on what is being made, as locks on single bytes of a file: their number is not bounded,
 * they leave nothing behind, and the kernel drops them with the process. A byte's position is a
 * hash; two that meet only wait for each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/pipeline/runcache.h"
#include "storage/file.h"

#define POSITIONS (G_GUINT64_CONSTANT(1) << 62)
#define FILES     POSITIONS /* behind all hashes */

struct MlvRunLocks {
	MlvFd shared; /* of all work trees: keys */
	MlvFd own;    /* of this one: stages, and mlv.lock files */
};

static int open_file(const char *dir, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "stages.lock", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		mlv_fail_errno(error, "cannot open '%s'", path);
	return fd;
}

MlvRunLocks *mlv_runlocks_open(MlvRepo *repo, GError **error)
{
	g_autoptr(MlvRunLocks) locks = g_new0(MlvRunLocks, 1);
	g_autofree char *runs = g_build_filename(mlv_repo_mlv_dir(repo), "runs", NULL);

	locks->shared = locks->own = -1;
	if (!mlv_repo_make_dirs(repo, error))
		return NULL;
	if (mkdir(runs, 0777) < 0 && errno != EEXIST) {
		mlv_fail_errno(error, "cannot make the folder '%s'", runs);
		return NULL;
	}
	locks->shared = open_file(runs, error);
	locks->own = locks->shared < 0 ? -1 : open_file(mlv_repo_worktree_dir(repo), error);
	return locks->own < 0 ? NULL : g_steal_pointer(&locks);
}

void mlv_runlocks_close(MlvRunLocks *locks)
{
	if (!locks)
		return;
	mlv_fd_clear(&locks->shared);
	mlv_fd_clear(&locks->own);
	g_free(locks);
}

int mlv_runlocks_fd(const MlvRunLocks *locks)
{
	return locks->own;
}

static gboolean set_lock(int fd, guint64 position, short type, gboolean wait, gboolean *taken,
			 GError **error)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)position, .l_len = 1
	};

	*taken = TRUE;
	while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) < 0) {
		if (errno == EINTR)
			continue;
		/* Where files cannot be locked there is nobody to wait for. */
		*taken = errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP;
		return *taken || errno == EAGAIN || errno == EACCES ||
		       mlv_fail_errno(error, "cannot lock what is being made");
	}
	return TRUE;
}

static guint64 position_of(const MlvId *id)
{
	guint64 position;

	memcpy(&position, id->b, sizeof(position));
	return position % POSITIONS;
}

static guint64 position_of_stage(const char *address)
{
	MlvId id;

	mlv_id_of(address, strlen(address), &id);
	return position_of(&id);
}

gboolean mlv_runlocks_take_key(MlvRunLocks *locks, const MlvId *key, gboolean *taken,
			       GError **error)
{
	return set_lock(locks->shared, position_of(key), F_WRLCK, FALSE, taken, error);
}

gboolean mlv_runlocks_take_stage(MlvRunLocks *locks, const char *address, gboolean *taken,
				 GError **error)
{
	return set_lock(locks->own, position_of_stage(address), F_WRLCK, FALSE, taken, error);
}

void mlv_runlocks_drop_key(MlvRunLocks *locks, const MlvId *key)
{
	gboolean taken;

	set_lock(locks->shared, position_of(key), F_UNLCK, FALSE, &taken, NULL);
}

void mlv_runlocks_drop_stage(MlvRunLocks *locks, const char *address)
{
	gboolean taken;

	set_lock(locks->own, position_of_stage(address), F_UNLCK, FALSE, &taken, NULL);
}

gboolean mlv_runlocks_take_files(MlvRunLocks *locks, GError **error)
{
	gboolean taken;

	return set_lock(locks->own, FILES, F_WRLCK, TRUE, &taken, error);
}

void mlv_runlocks_drop_files(MlvRunLocks *locks)
{
	gboolean taken;

	set_lock(locks->own, FILES, F_UNLCK, FALSE, &taken, NULL);
}
