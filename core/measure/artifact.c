/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/artifact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/id.h"

#define BUFFER_SIZE (1u << 18)

typedef struct {
	int dir;
	struct stat dir_stat;
} Keep;

/* The folder of `name` below `dir`, made where it is not there; *last is what remains of it. */
static int open_parent(const Keep *keep, const char *name, const char **last, GError **error)
{
	const char *slash = strrchr(name, '/');
	g_autofree char *parent = slash ? g_strndup(name, (gsize)(slash - name)) : g_strdup(".");

	*last = slash ? slash + 1 : name;
	if (slash && !mlv_file_make_dirs(keep->dir, parent, 0777, error))
		return -1;
	int fd = mlv_file_open_beneath(keep->dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		mlv_fail_errno(error, "cannot open '%s' in the run's folder", parent);
	return fd;
}

static gboolean copy_bytes(int from, int to, const char *path, GError **error)
{
	g_autofree guint8 *buffer = NULL;
	gssize got;

	if (mlv_file_clone_range(from, 0, 0, to, 0))
		return TRUE;
	buffer = g_malloc(BUFFER_SIZE);
	for (;;) {
		got = read(from, buffer, BUFFER_SIZE);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mlv_fail_errno(error, "cannot read '%s'", path);
		if (got == 0)
			return TRUE;
		if (!mlv_file_write(to, buffer, (gsize)got, path, error))
			return FALSE;
	}
}

static char *temporary_name(void)
{
	guint64 random;

	mlv_random_bytes(&random, sizeof random);
	return g_strdup_printf(".tmp-%016" G_GINT64_MODIFIER "x", random);
}

static gboolean keep_file(const Keep *keep, const char *name, int from, mode_t mode,
			  const char *path, GError **error)
{
	const char *last;
	g_auto(MlvFd) parent = open_parent(keep, name, &last, error);
	g_autofree char *temporary = temporary_name();

	if (parent < 0)
		return FALSE;
	g_auto(MlvFd) to = openat(parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				  mode & 0111 ? 0777 : 0666);
	if (to < 0)
		return mlv_fail_errno(error, "cannot make a file for a copy of '%s'", path);
	gboolean ok = copy_bytes(from, to, path, error);
	if (ok && renameat(parent, temporary, parent, last) < 0)
		ok = mlv_fail_errno(error, "cannot keep '%s' as '%s'", path, name);
	if (!ok)
		unlinkat(parent, temporary, 0);
	return ok;
}

static gboolean keep_link(const Keep *keep, const char *name, int from, const char *entry,
			  const char *path, GError **error)
{
	const char *last;
	g_auto(MlvFd) parent = open_parent(keep, name, &last, error);
	g_autofree char *temporary = temporary_name();
	char target[4096];

	if (parent < 0)
		return FALSE;
	gssize length = readlinkat(from, entry, target, sizeof target - 1);
	if (length < 0)
		return mlv_fail_errno(error, "cannot read the link '%s'", path);
	target[length] = '\0';
	if (symlinkat(target, parent, temporary) < 0)
		return mlv_fail_errno(error, "cannot make a link like '%s'", path);
	if (renameat(parent, temporary, parent, last) == 0)
		return TRUE;
	mlv_fail_errno(error, "cannot keep '%s' as '%s'", path, name);
	unlinkat(parent, temporary, 0);
	return FALSE;
}

static gboolean keep_entry(const Keep *keep, const char *name, int from, const char *entry,
			   const char *path, guint depth, GError **error);

static gboolean keep_folder(const Keep *keep, const char *name, int folder, const char *path,
			    guint depth, GError **error)
{
	g_autoptr(GPtrArray) names = mlv_file_list(folder, ".", error);

	if (!names || !mlv_file_make_dirs(keep->dir, name, 0777, error))
		return FALSE;
	if (depth == MLV_ARTIFACT_DEPTH_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' lies %d folders deep", path,
				MLV_ARTIFACT_DEPTH_MAX);
	for (guint i = 0; i < names->len; i++) {
		const char *entry = names->pdata[i];
		g_autofree char *inner = g_strconcat(name, "/", entry, NULL);
		g_autofree char *inner_path = g_build_filename(path, entry, NULL);

		if (!keep_entry(keep, inner, folder, entry, inner_path, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

/* What `entry` of the folder `from` is; links are followed only at the top. */
static gboolean keep_entry(const Keep *keep, const char *name, int from, const char *entry,
			   const char *path, guint depth, GError **error)
{
	struct stat st;

	if (fstatat(from, entry, &st, depth ? AT_SYMLINK_NOFOLLOW : 0) < 0)
		return mlv_fail_errno(error, "cannot read '%s'", path);
	if (S_ISLNK(st.st_mode))
		return keep_link(keep, name, from, entry, path, error);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return depth > 0 || mlv_fail(error, MLV_ERROR_FAILED,
					     "'%s' is neither a file nor a folder", path);
	if (st.st_dev == keep->dir_stat.st_dev && st.st_ino == keep->dir_stat.st_ino)
		return TRUE;
	g_auto(MlvFd) fd = openat(from, entry, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return mlv_fail_errno(error, "cannot read '%s'", path);
	return S_ISDIR(st.st_mode) ? keep_folder(keep, name, fd, path, depth, error)
				   : keep_file(keep, name, fd, st.st_mode, path, error);
}

gboolean mlv_artifact_keep(int dir, const char *name, const char *path, GError **error)
{
	Keep keep = { .dir = dir };

	if (fstat(dir, &keep.dir_stat) < 0)
		return mlv_fail_errno(error, "cannot read the run's folder");
	return keep_entry(&keep, name, AT_FDCWD, path, path, 0, error);
}
