/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in another repository, written out as plain files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/elsewhere.h"
#include "storage/file.h"

/* One target below a folder of git's: the folders above it are made. */
static gboolean write_target(const MlvThere *what, const MlvExport *export, int root,
			     const MlvTracked *target, GError **error)
{
	const char *path = target->path + (*what->path ? strlen(what->path) + 1 : 0);
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = slash ? g_strndup(path, (gsize)(slash - path)) : NULL;
	g_auto(MlvFd) dir = -1;
	MlvTreeEntry entry = { .mode = target->pointer.mode,
			       .ref = target->pointer.ref,
			       .files = target->pointer.files,
			       .bytes = target->pointer.bytes };

	if (folder && !mlv_file_make_dirs(root, folder, 0777, error))
		return FALSE;
	dir = mlv_file_open_beneath(root, folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				    0);
	if (dir < 0)
		return mlv_fail_errno(error, "cannot open the folder of '%s'", path);
	return mlv_export(export, dir, slash ? slash + 1 : path, &entry, error);
}

static gboolean write_folder(const MlvThere *what, const MlvExport *export, int dir,
			     const char *name, GError **error)
{
	g_auto(MlvFd) root = -1;

	if (mkdirat(dir, name, 0777) < 0)
		return mlv_fail_errno(error, "cannot make the folder '%s'", name);
	root = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return mlv_fail_errno(error, "cannot open the folder '%s'", name);
	for (guint i = 0; i < what->targets->len; i++)
		if (!write_target(what, export, root, what->targets->pdata[i], error))
			return FALSE;
	return TRUE;
}

/* A file of git's. */
static gboolean write_file(const MlvThere *what, const MlvExport *export, int dir, const char *name,
			   GError **error)
{
	gsize length;
	const char *data = g_bytes_get_data(what->file, &length);
	mode_t mode = what->mode == MLV_MODE_EXECUTABLE ? 0777 : 0666;
	g_autofree char *target = NULL;

	if (export->progress)
		export->progress(length, 1, export->user);
	if (what->mode != MLV_MODE_SYMLINK)
		return mlv_file_replace(dir, name, data, length, mode, FALSE, error);
	target = g_strndup(data ? data : "", length);
	return symlinkat(target, dir, name) == 0 ||
	       mlv_fail_errno(error, "cannot make the symlink '%s'", name);
}

gboolean mlv_there_write(const MlvThere *what, const MlvExport *export, int dir, const char *name,
			 GError **error)
{
	switch (what->kind) {
	case MLV_THERE_ENTRY:
		return mlv_export(export, dir, name, &what->entry, error);
	case MLV_THERE_FILE:
		return write_file(what, export, dir, name, error);
	case MLV_THERE_FOLDER:
		break;
	}
	return write_folder(what, export, dir, name, error);
}
