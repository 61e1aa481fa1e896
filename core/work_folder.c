/* SPDX-License-Identifier: Apache-2.0 */
#include "core/work_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/remove_tree.h"
#include "storage/file.h"
#include "storage/id.h"

static void remove_left(const char *folder, const char *prefix)
{
	g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
	const char *name;

	while (names && (name = g_dir_read_name(names))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_auto(MlvFd) fd = -1;
		struct stat st;

		if (!g_str_has_prefix(name, prefix))
			continue;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0)
			mlv_remove_tree(path);
	}
}

/* Between being made and being locked another may take it for left: *taken. */
static int make_one(const char *path, gboolean *taken, GError **error)
{
	g_auto(MlvFd) fd = -1;
	struct stat st;
	int made;

	*taken = FALSE;
	if (mkdir(path, 0700) < 0) {
		mlv_fail_errno(error, "cannot make the folder '%s'", path);
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		*taken = errno == ENOENT;
		mlv_fail_errno(error, "cannot open the folder '%s'", path);
		return -1;
	}
	/* Where there are no locks nobody takes it. */
	*taken = (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) || stat(path, &st) < 0;
	if (*taken) {
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' was removed by another", path);
		return -1;
	}
	made = fd;
	fd = -1;
	return made;
}

int mlv_work_folder_open(const char *folder, const char *prefix, char **path, GError **error)
{
	remove_left(folder, prefix);
	for (;;) {
		g_autoptr(GError) failed = NULL;
		g_autofree char *name = NULL;
		gboolean taken;
		guint64 random;
		int fd;

		mlv_random_bytes(&random, sizeof(random));
		name = g_strdup_printf("%s%016" G_GINT64_MODIFIER "x", prefix, random);
		*path = g_build_filename(folder, name, NULL);
		fd = make_one(*path, &taken, &failed);
		if (fd >= 0)
			return fd;
		g_clear_pointer(path, g_free);
		if (!taken) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return -1;
		}
	}
}
