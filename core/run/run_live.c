/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/run/recorder_private.h"
#include "storage/file.h"

#define DEPTH_MAX  256u
#define LOCK       "lock"
#define MAKE_TRIES 10

static char *live_path(MlvRepo *repo, const char *name)
{
	return g_build_filename(mlv_repo_mlv_dir(repo), "running", name, NULL);
}

static gboolean remove_below(int dir, const char *kept, guint depth);

static gboolean remove_dir(int parent, const char *name, guint depth)
{
	g_auto(MlvFd) dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0 || depth >= DEPTH_MAX)
		return dir < 0 && errno == ENOENT;
	fchmod(dir, 0700);
	return remove_below(dir, NULL, depth + 1) && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/* Removes what is below a folder that is open, but `kept` in it; no link is followed. Whether all
 * went. */
static gboolean remove_below(int dir, const char *kept, guint depth)
{
	g_autoptr(GPtrArray) names = mlv_file_list(dir, ".", NULL);
	gboolean all = names != NULL;

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		if (g_strcmp0(name, kept) == 0 || unlinkat(dir, name, 0) == 0)
			continue;
		all &= (errno == EISDIR || errno == EPERM || errno == ENOENT) &&
		       remove_dir(dir, name, depth);
	}
	return all;
}

/* Its lock goes last: as long as anything is left, the next who looks can take and remove it. */
static void remove_folder(const char *path)
{
	g_auto(MlvFd) dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0 && remove_below(dir, LOCK, 0) && unlinkat(dir, LOCK, 0) == 0)
		rmdir(path);
}

/* -1 and *busy where another process has it. */
static int take_lock(const char *folder, int flags, gboolean *busy, GError **error)
{
	g_autofree char *path = g_build_filename(folder, LOCK, NULL);
	g_auto(MlvFd) fd = open(path, O_RDWR | O_CLOEXEC | flags, 0666);

	*busy = FALSE;
	if (fd < 0) {
		mlv_fail_errno(error, "cannot open '%s'", path);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		*busy = errno == EWOULDBLOCK;
		mlv_fail_errno(error, "cannot lock '%s'", path);
		return -1;
	}
	int taken = fd;
	fd = -1;
	return taken;
}

gboolean mlv_run_live_make(MlvRepo *repo, const char *name, MlvRunLive *live, GError **error)
{
	g_autofree char *path = live_path(repo, name);
	g_autoptr(GError) problem = NULL;
	gboolean busy;

	if (!mlv_repo_make_dirs(repo, error))
		return FALSE;
	/* Between the two steps somebody may take it for what a killed one has left. */
	for (guint i = 0; i < MAKE_TRIES; i++) {
		g_clear_error(&problem);
		if (g_mkdir_with_parents(path, 0777) < 0)
			return mlv_fail_errno(error, "cannot make the folder '%s'", path);
		live->lock = take_lock(path, O_CREAT, &busy, &problem);
		if (live->lock >= 0 || !g_error_matches(problem, MLV_ERROR, MLV_ERROR_MISSING))
			break;
	}
	if (busy)
		return mlv_fail(error, MLV_ERROR_EXISTS, "the run '%s' is under way", name);
	if (live->lock < 0) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	live->path = g_steal_pointer(&path);
	return TRUE;
}

gboolean mlv_run_live_take(MlvRepo *repo, const char *name, MlvRunLive *live, gboolean *taken,
			   GError **error)
{
	g_autofree char *path = live_path(repo, name);
	g_autoptr(GError) problem = NULL;
	gboolean busy;

	*taken = FALSE;
	live->lock = take_lock(path, 0, &busy, &problem);
	if (live->lock >= 0) {
		live->path = g_steal_pointer(&path);
		*taken = TRUE;
		return TRUE;
	}
	/* Without a lock file it is just being made or removed, or that broke off: then it is
	 * empty. */
	if (g_error_matches(problem, MLV_ERROR, MLV_ERROR_MISSING)) {
		rmdir(path);
		return TRUE;
	}
	if (busy)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

void mlv_run_live_remove(MlvRunLive *live)
{
	if (live->path && live->lock >= 0)
		remove_folder(live->path);
	mlv_run_live_close(live);
}

void mlv_run_live_close(MlvRunLive *live)
{
	g_clear_pointer(&live->path, g_free);
	mlv_fd_clear(&live->lock);
	live->lock = -1;
}

GPtrArray *mlv_run_live_names(MlvRepo *repo, GError **error)
{
	g_autofree char *path = g_build_filename(mlv_repo_mlv_dir(repo), "running", NULL);
	g_autoptr(GError) problem = NULL;
	GPtrArray *names = mlv_file_list(AT_FDCWD, path, &problem);

	if (names)
		return names;
	if (g_error_matches(problem, MLV_ERROR, MLV_ERROR_MISSING))
		return g_ptr_array_new_with_free_func(g_free);
	g_propagate_error(error, g_steal_pointer(&problem));
	return NULL;
}
