/* SPDX-License-Identifier: Apache-2.0 */
#include "core/expand.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ignore.h"
#include "core/pointer.h"
#include "core/scan.h"
#include "core/workspace.h"
#include "storage/file.h"
#include "storage/object.h"

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Collects what matches below `folder`, at any depth that the pattern can reach. */
static gboolean collect(int root, const char *folder, const char *pattern, guint depth,
			GPtrArray *found, GError **error)
{
	int fd = mlv_file_open_beneath(root, *folder ? folder : ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	gboolean ok = TRUE;

	if (!dir) {
		mlv_fail_errno(error, "cannot read the directory '%s'", *folder ? folder : ".");
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	for (struct dirent *entry; ok && (errno = 0, entry = readdir(dir));) {
		struct stat st;
		const char *name = entry->d_name;

		if (!mlv_name_allowed(name, strlen(name)) || mlv_workspace_is_temp(name) ||
		    fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		g_autofree char *path = g_strconcat(folder, *folder ? "/" : "", name, NULL);
		if (mlv_ignore_wildmatch(pattern, path)) {
			if (!mlv_pointer_is_path(path))
				g_ptr_array_add(found, g_steal_pointer(&path));
		} else if (S_ISDIR(st.st_mode) && depth > 1) {
			ok = collect(root, path, pattern, depth - 1, found, error);
		}
		errno = 0;
	}
	if (ok && errno != 0)
		ok = mlv_fail_errno(error, "cannot read the directory '%s'",
				    *folder ? folder : ".");
	closedir(dir);
	return ok;
}

/* Folders are searched from the last one that the pattern names plainly. */
static gboolean expand(MlvRepo *repo, const char *pattern, gboolean ignored, GPtrArray *all,
		       GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	int root = mlv_repo_root_fd(repo);
	guint before = all->len;
	gsize plain = strcspn(pattern, "*?[\\");
	guint depth = 1;

	while (plain > 0 && pattern[plain - 1] != '/')
		plain--;
	for (const char *at = pattern + plain; *at; at++)
		depth += *at == '/';
	if (strstr(pattern, "**"))
		depth = G_MAXUINT;
	g_autofree char *folder = g_strndup(pattern, plain > 0 ? plain - 1 : 0);
	if (!collect(root, folder, pattern, depth, found, error)) {
		g_ptr_array_foreach(found, (GFunc)(void (*)(void))g_free, NULL);
		return FALSE;
	}
	g_ptr_array_sort(found, by_text);
	for (guint i = 0; i < found->len; i++)
		if (ignored || !mlv_scan_is_ignored(root, found->pdata[i]))
			g_ptr_array_add(all, found->pdata[i]);
		else
			g_free(found->pdata[i]);
	return all->len > before ||
	       mlv_fail(error, MLV_ERROR_MISSING, "nothing matches '%s'", pattern);
}

char **mlv_expand_globs(MlvRepo *repo, char *const *paths, gboolean all, GError **error)
{
	g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);

	for (; *paths; paths++) {
		struct stat st;

		if (!strpbrk(*paths, "*?[") ||
		    fstatat(mlv_repo_root_fd(repo), *paths, &st, AT_SYMLINK_NOFOLLOW) == 0)
			g_ptr_array_add(out, g_strdup(*paths));
		else if (!expand(repo, *paths, all, out, error))
			return NULL;
	}
	g_ptr_array_add(out, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&out), FALSE);
}
