/* SPDX-License-Identifier: Apache-2.0 */
/* Removing whatever stands at a path of the work tree, folders with all that is in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/workspace.h"
#include "storage/error.h"

#define DEPTH_MAX 500 /* folders in folders: each holds a descriptor */

static gboolean clear_folder(int parent, const char *name, const char *label, guint depth,
			     GError **error);

/* What a program has protected against itself is removed all the same. */
static int open_folder(int parent, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, flags);
	return fd;
}

static gboolean remove_name(int parent, const char *name, const char *label, guint depth,
			    GError **error)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return TRUE;
	if (errno == EACCES && fchmod(parent, 0700) == 0 && unlinkat(parent, name, 0) == 0)
		return TRUE;
	if (errno != EISDIR && errno != EPERM)
		return mlv_fail_errno(error, "cannot remove '%s'", label);
	if (!clear_folder(parent, name, label, depth + 1, error))
		return FALSE;
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
	       mlv_fail_errno(error, "cannot remove the folder '%s'", label);
}

static gboolean clear_folder(int parent, const char *name, const char *label, guint depth,
			     GError **error)
{
	int fd = open_folder(parent, name);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	gboolean ok = TRUE;

	if (!dir || depth > DEPTH_MAX) {
		mlv_fail_errno(error, "cannot remove the folder '%s'", label);
		if (dir)
			closedir(dir);
		else if (fd >= 0)
			close(fd);
		return FALSE;
	}
	for (struct dirent *entry; ok && (entry = readdir(dir));) {
		const char *below = entry->d_name;
		if (strcmp(below, ".") == 0 || strcmp(below, "..") == 0)
			continue;
		g_autofree char *path = g_strconcat(label, "/", below, NULL);
		ok = remove_name(dirfd(dir), below, path, depth, error);
	}
	closedir(dir);
	return ok;
}

gboolean mlv_workspace_clear(int root, const char *path, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = g_strndup(path, slash ? (gsize)(slash - path) : 0);
	g_autoptr(GError) why = NULL;
	g_auto(MlvFd) fd = mlv_workspace_open_dir(root, folder, &why);

	if (fd >= 0)
		return remove_name(fd, slash ? slash + 1 : path, path, 0, error);
	if (g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}
