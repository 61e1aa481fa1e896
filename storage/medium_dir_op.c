/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of a directory medium, one at a time. Thread safe. */
#include "storage/file.h"
#include "storage/medium_dir_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define COPY_STEP (8u << 20) /* bytes copied before writing them out is begun */
#define BUFFER    (256u << 10)

/* read() and write() where the kernel cannot copy between these two file systems. */
static gboolean copy_by_hand(int from, guint64 from_offset, int to, guint64 to_offset,
			     guint64 length, const char *label, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(BUFFER);

	while (length > 0) {
		gsize step = (gsize)MIN(length, BUFFER);

		if (!mlv_file_read_at(from, buffer, step, from_offset, label, error) ||
		    !mlv_file_write_at(to, buffer, step, to_offset, label, error))
			return FALSE;
		from_offset += step;
		to_offset += step;
		length -= step;
	}
	return TRUE;
}

static gboolean copy(int from, guint64 from_offset, int to, guint64 length, gboolean early,
		     const char *label, GError **error)
{
	guint64 done = 0;

	if (length == 0)
		return TRUE;
	if (mlv_file_clone_range(from, from_offset, length, to, 0))
		return TRUE;
	while (done < length) {
		off64_t in = (off64_t)(from_offset + done), out = (off64_t)done;
		ssize_t n = copy_file_range(from, &in, to, &out,
					    (gsize)MIN(length - done, COPY_STEP), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno != ENOSPC && errno != EDQUOT && errno != EIO))
			return copy_by_hand(from, from_offset + done, to, done, length - done,
					    label, error);
		if (n < 0)
			return mlv_fail_errno(error, "cannot copy '%s'", label);
		/* Only a hint: the sync at the end has less left to do. */
		if (early && sync_file_range(to, out - n, n, SYNC_FILE_RANGE_WRITE) < 0)
			early = FALSE;
		done += (guint64)n;
	}
	return TRUE;
}

static gboolean get(const MediumDir *dir, MlvOp *op, const char *label)
{
	g_auto(MlvFd) fd =
		openat(g_atomic_int_get(&dir->fd), op->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	guint64 length = op->length;
	g_autofree guint8 *data = NULL;

	if (fd < 0 || fstat(fd, &st) < 0)
		return mlv_fail_errno(&op->error, "cannot read '%s'", label);
	if (!S_ISREG(st.st_mode))
		return mlv_fail(&op->error, MLV_ERROR_CORRUPT, "'%s' is not a regular file", label);
	if (length == MLV_OP_ALL)
		length = (guint64)st.st_size - MIN(op->offset, (guint64)st.st_size);
	if ((op->max > 0 && length > op->max) || (op->fd < 0 && length > G_MAXUINT32))
		return mlv_fail(&op->error, MLV_ERROR_CORRUPT, "'%s' is longer than it may be",
				label);
	if (op->offset > (guint64)st.st_size || length > (guint64)st.st_size - op->offset)
		return mlv_fail(&op->error, MLV_ERROR_CORRUPT, "'%s' is shorter than it must be",
				label);
	if (op->fd >= 0)
		return copy(fd, op->offset, op->fd, length, FALSE, label, &op->error);
	data = g_malloc(length + 1);
	if (!mlv_file_read_at(fd, data, length, op->offset, label, &op->error))
		return FALSE;
	op->bytes = g_bytes_new_take(g_steal_pointer(&data), length);
	return TRUE;
}

static gboolean fill(const MediumDir *dir, MlvOp *op, int fd, const char *label)
{
	if (op->fd >= 0)
		return copy(op->fd, 0, fd, op->length, dir->sync, label, &op->error);
	return mlv_file_write(fd, g_bytes_get_data(op->bytes, NULL), g_bytes_get_size(op->bytes),
			      label, &op->error);
}

static gboolean put(const MediumDir *dir, MlvOp *op, const char *label)
{
	int root = g_atomic_int_get(&dir->fd);
	g_autofree char *folder = g_path_get_dirname(op->name);
	guint64 length = op->fd >= 0 ? op->length : g_bytes_get_size(op->bytes);
	g_autoptr(MlvTemp) temp = NULL;
	struct stat st;
	gboolean existed;

	if (op->replace)
		return (strcmp(folder, ".") == 0 ||
			mlv_file_make_dirs(root, folder, 0777, &op->error)) &&
		       mlv_file_replace(root, op->name, g_bytes_get_data(op->bytes, NULL),
					g_bytes_get_size(op->bytes), 0444, dir->sync, &op->error);
	if (fstatat(root, op->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISREG(st.st_mode) && (guint64)st.st_size == length)
			return TRUE;
		/* A name is content: another length is what a crash of the machine left of an
		 * unsynced file. */
		if (unlinkat(root, op->name, 0) < 0 && errno != ENOENT)
			return mlv_fail_errno(&op->error, "cannot replace the damaged '%s'", label);
	}
	if (strcmp(folder, ".") != 0 && !mlv_file_make_dirs(root, folder, 0777, &op->error))
		return FALSE;
	temp = mlv_temp_open(root, folder, &op->error);
	return temp && fill(dir, op, mlv_temp_fd(temp), label) &&
	       mlv_temp_publish(temp, op->name, 0444, dir->sync, &existed, &op->error);
}

void mlv_medium_dir_do(const MediumDir *dir, MlvOp *op)
{
	g_autofree char *label = g_build_filename(dir->medium.url, op->name, NULL);
	int fd = g_atomic_int_get(&dir->fd);

	if (op->error)
		return;
	if (fd < 0 && op->type == MLV_OP_GET) {
		mlv_fail(&op->error, MLV_ERROR_MISSING, "cannot read '%s': there is no such folder",
			 dir->medium.url);
		return;
	}
	if (fd < 0)
		return;
	switch (op->type) {
	case MLV_OP_GET:
		get(dir, op, label);
		break;
	case MLV_OP_PUT:
		put(dir, op, label);
		break;
	case MLV_OP_DELETE:
		if (unlinkat(fd, op->name, 0) < 0 && errno != ENOENT)
			mlv_fail_errno(&op->error, "cannot delete '%s'", label);
		break;
	}
}
