/* SPDX-License-Identifier: Apache-2.0 */
#include "core/workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TEMP_TRIES     100
#define TEMP_NAME_SIZE (sizeof(MLV_WORKSPACE_TEMP_PREFIX) + 16)

gboolean mlv_workspace_is_temp(const char *name)
{
	return g_str_has_prefix(name, MLV_WORKSPACE_TEMP_PREFIX);
}

void mlv_workspace_sweep(int dir)
{
	mlv_file_sweep(dir, MLV_WORKSPACE_TEMP_PREFIX);
}

/* Appends the folders in an open folder to `paths`, which are those still to be seen. */
static void list_folders(int dir, const char *path, GPtrArray *paths)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct stat st;

	if (!stream) {
		mlv_fd_clear(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(stream));) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".git") == 0)
			continue;
		if (entry->d_type == DT_DIR ||
		    (entry->d_type == DT_UNKNOWN &&
		     fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)))
			g_ptr_array_add(paths, g_strconcat(path, *path ? "/" : "", name, NULL));
	}
	closedir(stream);
}

void mlv_workspace_sweep_below(int root, const char *path)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();

	g_ptr_array_add(paths, g_strdup(path));
	while (paths->len > 0) {
		g_autofree char *at = g_ptr_array_steal_index(paths, paths->len - 1);
		g_auto(MlvFd) dir = mlv_workspace_open_dir(root, at, NULL);

		if (dir < 0)
			continue;
		mlv_workspace_sweep(dir);
		list_folders(dir, at, paths);
	}
}

/* --- folders ---------------------------------------------------------------------------------- */

int mlv_workspace_open_dir(int root, const char *path, GError **error)
{
	int fd = mlv_file_open_beneath(root, *path ? path : ".", O_PATH | O_DIRECTORY, 0);

	if (fd < 0 && errno == ELOOP)
		mlv_fail(error, MLV_ERROR_FAILED,
			 "'%s' is, or leads through, a symlink, which is not followed", path);
	else if (fd < 0)
		mlv_fail_errno(error, "cannot open the directory '%s'", path);
	return fd;
}

/* The folder that `path` lies in, opened; *name is the last part. */
static int open_parent(int root, const char *path, const char **name, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = g_strndup(path, slash ? (gsize)(slash - path) : 0);

	*name = slash ? slash + 1 : path;
	return mlv_workspace_open_dir(root, parent, error);
}

gboolean mlv_workspace_make_dirs(int root, const char *path, GError **error)
{
	g_auto(MlvFd) dir =
		mlv_file_open_beneath(root, *path ? path : ".", O_PATH | O_DIRECTORY, 0);
	const char *name;

	if (dir >= 0)
		return TRUE;
	if (errno == ENOENT && *path) {
		const char *slash = strrchr(path, '/');
		g_autofree char *parent = g_strndup(path, slash ? (gsize)(slash - path) : 0);
		if (!mlv_workspace_make_dirs(root, parent, error))
			return FALSE;
		g_auto(MlvFd) above = open_parent(root, path, &name, error);
		if (above < 0)
			return FALSE;
		if (mkdirat(above, name, 0777) < 0 && errno != EEXIST)
			return mlv_fail_errno(error, "cannot make the directory '%s'", path);
	}
	dir = mlv_workspace_open_dir(root, path, error);
	return dir >= 0;
}

void mlv_workspace_prune_above(int root, const char *path)
{
	g_autofree char *at = g_strdup(path);

	for (char *slash; (slash = strrchr(at, '/'));) {
		const char *name;

		*slash = '\0';
		g_auto(MlvFd) dir = open_parent(root, at, &name, NULL);
		if (dir < 0 || unlinkat(dir, name, AT_REMOVEDIR) < 0)
			return;
	}
}

/* --- what stands at a name -------------------------------------------------------------------- */

/* As mlv_stat_from_statx, with modes for what it has none. */
static void read_statx(const struct statx *stx, MlvStat *st)
{
	memset(st, 0, sizeof(*st));
	if (mlv_stat_from_statx(stx, st))
		return;
	st->mode = S_ISDIR(stx->stx_mode) ? MLV_MODE_DIRECTORY : 0;
	st->inode = stx->stx_ino;
}

gboolean mlv_workspace_stat(int dir, const char *name, MlvStat *st, gboolean *exists,
			    const char *label, GError **error)
{
	struct statx stx;

	*exists = statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
			&stx) == 0;
	if (!*exists && errno != ENOENT)
		return mlv_fail_errno(error, "cannot stat '%s'", label);
	if (*exists)
		read_statx(&stx, st);
	return TRUE;
}

static gboolean stat_fd(int fd, MlvStat *st, const char *label, GError **error)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx) < 0)
		return mlv_fail_errno(error, "cannot stat '%s'", label);
	read_statx(&stx, st);
	return TRUE;
}

static gboolean same_state(const MlvStat *a, const MlvStat *b)
{
	return a->mode == b->mode && a->size == b->size && a->inode == b->inode &&
	       a->mtime == b->mtime && a->ctime == b->ctime;
}

/* That what stands at `name` is what the plan saw. */
static gboolean check_old(int dir, const char *name, const MlvStat *old, gboolean *exists,
			  const char *label, GError **error)
{
	MlvStat now;

	if (!mlv_workspace_stat(dir, name, &now, exists, label, error))
		return FALSE;
	if (!*exists || (old && same_state(old, &now)))
		return TRUE;
	return mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' %s meanwhile, and was left as it is; run the command again", label,
			old ? "changed" : "appeared");
}

/* --- putting files in place ------------------------------------------------------------------- */

static gboolean fail_appeared(const char *label, GError **error)
{
	return mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' appeared meanwhile, and was left as it is; run the command again",
			label);
}

static void temp_name(char name[TEMP_NAME_SIZE])
{
	guint64 random;

	mlv_random_bytes(&random, sizeof(random));
	g_snprintf(name, TEMP_NAME_SIZE, MLV_WORKSPACE_TEMP_PREFIX "%016" G_GINT64_MODIFIER "x",
		   random);
}

static mode_t file_mode(guint8 mode)
{
	return mode == MLV_MODE_EXECUTABLE ? 0777 : 0666;
}

/* Gives the temporary file its name, where nothing may stand. -1 with errno. */
static int rename_new(int dir, const char *temp, const char *name)
{
	struct stat st;

	if (renameat2(dir, temp, dir, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -1;
	if (linkat(dir, temp, dir, name, 0) == 0)
		return unlinkat(dir, temp, 0);
	if (errno == EEXIST)
		return -1;
	/* A file system with neither: look, then rename. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dir, temp, dir, name);
}

/* Puts the temporary file in the place of `old`; removes it on failure. */
static gboolean place_temp(int dir, const char *temp, const char *name, const MlvStat *old,
			   const char *label, GError **error)
{
	gboolean exists = FALSE;
	int result = -1;

	if (old && !check_old(dir, name, old, &exists, label, error)) {
		unlinkat(dir, temp, 0);
		return FALSE;
	}
	result = exists ? renameat(dir, temp, dir, name) : rename_new(dir, temp, name);
	if (result == 0)
		return TRUE;
	int saved = errno;
	unlinkat(dir, temp, 0);
	errno = saved;
	if (errno == EEXIST)
		return fail_appeared(label, error);
	return mlv_fail_errno(error, "cannot put '%s' in place", label);
}

/* Gives an unnamed file its name: directly where the kernel lets this user, else through /proc. */
static int link_unnamed(int fd, int dir, const char *name)
{
	char self[32];

	if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT && errno != EPERM)
		return -1;
	g_snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW);
}

/* A file without a name, so that a kill leaves nothing; it is linked once it is complete. *done
 * FALSE without an error where the file system has no such files. */
static gboolean place_unnamed(int dir, const char *name, const MlvWorkspaceContent *content,
			      MlvStat *st, gboolean *done, const char *label, GError **error)
{
	g_auto(MlvFd) fd =
		openat(dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, file_mode(content->mode));

	*done = FALSE;
	if (fd < 0)
		return TRUE;
	if (!mlv_file_write(fd, content->data, content->length, label, error))
		return FALSE;
	if (link_unnamed(fd, dir, name) < 0)
		return errno != EEXIST || fail_appeared(label, error);
	*done = TRUE;
	return stat_fd(fd, st, label, error);
}

static gboolean place_symlink(int dir, const char *name, const MlvWorkspaceContent *content,
			      const MlvStat *old, MlvStat *st, const char *label, GError **error)
{
	g_autofree char *target = g_strndup(content->data, content->length);
	char temp[TEMP_NAME_SIZE];
	gboolean exists;

	if (content->length == 0 || strlen(target) != content->length)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the symlink '%s' has a target that cannot be", label);
	/* One that is new appears whole or not at all anyway. */
	if (!old) {
		if (symlinkat(target, dir, name) == 0)
			return mlv_workspace_stat(dir, name, st, &exists, label, error);
		return errno == EEXIST
			       ? fail_appeared(label, error)
			       : mlv_fail_errno(error, "cannot make the symlink '%s'", label);
	}
	temp_name(temp);
	if (symlinkat(target, dir, temp) < 0)
		return mlv_fail_errno(error, "cannot make the symlink '%s'", label);
	return place_temp(dir, temp, name, old, label, error) &&
	       mlv_workspace_stat(dir, name, st, &exists, label, error);
}

gboolean mlv_workspace_place(int dir, const char *name, const MlvWorkspaceContent *content,
			     const MlvStat *old, MlvStat *st, const char *label, GError **error)
{
	gboolean done = FALSE;

	if (content->mode == MLV_MODE_SYMLINK)
		return place_symlink(dir, name, content, old, st, label, error);
	if (!old && (!place_unnamed(dir, name, content, st, &done, label, error) || done))
		return done;
	g_autoptr(MlvWorkspaceTemp) temp =
		mlv_workspace_temp_new(dir, content->mode, 0, label, error);
	return temp &&
	       mlv_file_write(mlv_workspace_temp_fd(temp), content->data, content->length, label,
			      error) &&
	       mlv_workspace_temp_place(temp, dir, name, old, st, error);
}

struct MlvWorkspaceTemp {
	int dir; /* borrowed */
	MlvFd fd;
	gboolean placed;
	char name[TEMP_NAME_SIZE];
	char *label;
};

MlvWorkspaceTemp *mlv_workspace_temp_new(int dir, guint8 mode, guint64 size, const char *label,
					 GError **error)
{
	g_autoptr(MlvWorkspaceTemp) temp = g_new0(MlvWorkspaceTemp, 1);

	temp->dir = dir;
	temp->label = g_strdup(label);
	for (int tries = 0; tries < TEMP_TRIES; tries++) {
		temp_name(temp->name);
		temp->fd =
			openat(dir, temp->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			       file_mode(mode));
		if (temp->fd < 0 || mlv_file_claim(temp->fd))
			break;
		mlv_fd_clear(&temp->fd);
	}
	temp->placed = temp->fd < 0;
	if (temp->fd < 0) {
		mlv_fail_errno(error, "cannot make a file beside '%s'", label);
		return NULL;
	}
	if (size > 0 && ftruncate(temp->fd, (off_t)size) < 0) {
		mlv_fail_errno(error, "cannot make '%s' %" G_GUINT64_FORMAT " bytes long", label,
			       size);
		return NULL;
	}
	return g_steal_pointer(&temp);
}

gboolean mlv_workspace_temp_reserve(MlvWorkspaceTemp *temp, guint64 size, GError **error)
{
	struct statfs fs;

	/* In memory each page would be cleared first. */
	if (fstatfs(temp->fd, &fs) < 0 || fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return TRUE;
	while (fallocate(temp->fd, 0, 0, (off_t)size) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
			return mlv_fail_errno(error, "cannot write '%s'", temp->label);
		return TRUE;
	}
	return TRUE;
}

int mlv_workspace_temp_fd(const MlvWorkspaceTemp *temp)
{
	return temp->fd;
}

gboolean mlv_workspace_temp_place(MlvWorkspaceTemp *temp, int dir, const char *name,
				  const MlvStat *old, MlvStat *st, GError **error)
{
	temp->placed = TRUE; /* or removed */
	return place_temp(dir, temp->name, name, old, temp->label, error) &&
	       stat_fd(temp->fd, st, temp->label, error);
}

void mlv_workspace_temp_free(MlvWorkspaceTemp *temp)
{
	if (!temp)
		return;
	mlv_fd_clear(&temp->fd);
	if (!temp->placed)
		unlinkat(temp->dir, temp->name, 0);
	g_free(temp->label);
	g_free(temp);
}

/* --- changing, removing, renaming ------------------------------------------------------------- */

gboolean mlv_workspace_set_executable(int dir, const char *name, gboolean executable, MlvStat *st,
				      const char *label, GError **error)
{
	char self[32];
	struct stat bare;
	MlvStat now;
	g_auto(MlvFd) fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &bare) < 0)
		return mlv_fail_errno(error, "cannot open '%s'", label);
	if (!stat_fd(fd, &now, label, error))
		return FALSE;
	if (!S_ISREG(bare.st_mode) || !same_state(&now, st))
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"'%s' changed meanwhile, and was left as it is; run the command again",
			label);
	mode_t bits = bare.st_mode & 07777;
	bits = executable ? bits | ((bits & 0444) >> 2) : bits & ~(mode_t)0111;
	g_snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (chmod(self, bits) < 0)
		return mlv_fail_errno(error, "cannot change the mode of '%s'", label);
	return stat_fd(fd, st, label, error);
}

gboolean mlv_workspace_remove(int dir, const char *name, const MlvStat *old, const char *label,
			      GError **error)
{
	gboolean exists;

	if (old && !check_old(dir, name, old, &exists, label, error))
		return FALSE;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return mlv_fail_errno(error, "cannot remove '%s'", label);
	return TRUE;
}

gboolean mlv_workspace_remove_dir(int dir, const char *name, gboolean *removed, const char *label,
				  GError **error)
{
	*removed = unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
	if (!*removed && errno != ENOTEMPTY && errno != EEXIST)
		return mlv_fail_errno(error, "cannot remove the directory '%s'", label);
	return TRUE;
}

gboolean mlv_workspace_rename(int root, const char *from, const char *to, GError **error)
{
	const char *from_name, *to_name, *slash = strrchr(to, '/');
	g_autofree char *parent = g_strndup(to, slash ? (gsize)(slash - to) : 0);
	struct stat st;

	if (!mlv_workspace_make_dirs(root, parent, error))
		return FALSE;
	g_auto(MlvFd) from_dir = open_parent(root, from, &from_name, error);
	g_auto(MlvFd) to_dir = from_dir < 0 ? -1 : open_parent(root, to, &to_name, error);
	if (to_dir < 0)
		return FALSE;
	int result = renameat2(from_dir, from_name, to_dir, to_name, RENAME_NOREPLACE);
	if (result < 0 && (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
		if (fstatat(to_dir, to_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			errno = EEXIST;
		else
			result = renameat(from_dir, from_name, to_dir, to_name);
	}
	if (result < 0)
		return mlv_fail_errno(error, "cannot rename '%s' to '%s'", from, to);
	return TRUE;
}
