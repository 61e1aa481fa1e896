/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/run/recorder_private.h"
#include "storage/file.h"

#define DEPTH_MAX 256u

static char *live_path(MlvRepo *repo, const char *name)
{
	return g_build_filename(mlv_repo_mlv_dir(repo), "running", name, NULL);
}

/* Removes what is below a folder that is open; no link is followed. */
static void remove_below(int dir, guint depth)
{
	g_autoptr(GPtrArray) names = mlv_file_list(dir, ".", NULL);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		if (unlinkat(dir, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
			continue;
		g_auto(MlvFd) below =
			openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0 || depth >= DEPTH_MAX)
			continue;
		fchmod(below, 0700);
		remove_below(below, depth + 1);
		unlinkat(dir, name, AT_REMOVEDIR);
	}
}

static void remove_folder(const char *path)
{
	g_auto(MlvFd) dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0)
		remove_below(dir, 0);
	rmdir(path);
}

/* -1 and *busy where another process has it. */
static int take_lock(const char *folder, int flags, gboolean *busy, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "lock", NULL);
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
	if (g_mkdir_with_parents(path, 0777) < 0)
		return mlv_fail_errno(error, "cannot make the folder '%s'", path);
	live->lock = take_lock(path, O_CREAT, &busy, &problem);
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
	/* Without a lock file it is just being made, or just being removed. */
	if (busy || g_error_matches(problem, MLV_ERROR, MLV_ERROR_MISSING))
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
