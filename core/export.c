/* SPDX-License-Identifier: Apache-2.0 */
#include "core/export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/reader.h"
#include "core/workspace.h"

/* What is asked for together: less than a remote keeps of what it was asked for ahead. */
#define BATCH_BYTES (12u << 20)
#define BATCH_FILES 4096
/* A path is at most 4096 bytes, so directories that are nested deeper are nobody's. */
#define NESTING_MAX 2048
#define TARGET_MAX  4095 /* bytes of a symlink's target */

/* A small file that waits for its chunk. */
typedef struct {
	char *name;
	MlvId id;
	guint64 size;
	guint8 mode;
} Small;

/* A folder under way. */
typedef struct {
	const MlvExport *export;
	int fd;
	const char *label; /* its path, for messages */
	GArray *small;     /* Small */
	guint64 bytes;     /* of them */
} Folder;

static void clear_small(gpointer small)
{
	g_free(((Small *)small)->name);
}

static gboolean go_on(const MlvExport *export, GError **error)
{
	return !export->cancel || !*export->cancel ||
	       mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

static void report(const MlvExport *export, guint64 bytes, guint64 files)
{
	if (export->progress)
		export->progress(bytes, files, export->user);
}

/* --- files ------------------------------------------------------------------------------------ */

static gboolean place(const MlvExport *export, int dir, const char *name, guint8 mode,
		      const void *data, gsize length, GError **error)
{
	const MlvWorkspaceContent content = { mode, data ? data : "", length };
	MlvStat st;

	if (mode == MLV_MODE_SYMLINK &&
	    (length == 0 || length > TARGET_MAX || memchr(content.data, '\0', length)))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the symlink '%s' has no target that can "
				"be",
				name);
	if (!mlv_workspace_place(dir, name, &content, NULL, &st, name, error))
		return FALSE;
	report(export, length, 1);
	return TRUE;
}

typedef struct {
	const MlvExport *export;
	int fd;
	const char *label;
} Sink;

static gboolean write_part(const guint8 *data, gsize length, gpointer user, GError **error)
{
	const Sink *sink = user;

	report(sink->export, length, 0);
	return go_on(sink->export, error) &&
	       mlv_file_write(sink->fd, data, length, sink->label, error);
}

/* A file of several chunks. */
static gboolean write_large(const MlvExport *export, int dir, const char *name,
			    const MlvTreeEntry *entry, GError **error)
{
	g_autoptr(MlvWorkspaceTemp) temp = mlv_workspace_temp_new(dir, entry->mode, 0, name, error);
	Sink sink = { export, temp ? mlv_workspace_temp_fd(temp) : -1, name };
	MlvStat st;

	if (!temp ||
	    !mlv_read_range(export->source, &entry->ref, 0, entry->ref.size, export->threads,
			    write_part, &sink, error) ||
	    !mlv_workspace_temp_place(temp, dir, name, NULL, &st, error))
		return FALSE;
	report(export, 0, 1);
	return TRUE;
}

static gboolean write_small(const MlvExport *export, int dir, const Small *small, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (small->size == 0)
		return place(export, dir, small->name, small->mode, NULL, 0, error);
	bytes = export->source->read(export->source, MLV_KIND_BLOB, &small->id, error);
	if (!bytes)
		return FALSE;
	if (g_bytes_get_size(bytes) != small->size)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is not as long as is said of it",
				small->name);
	return place(export, dir, small->name, small->mode, g_bytes_get_data(bytes, NULL),
		     small->size, error);
}

/* --- folders ---------------------------------------------------------------------------------- */

/* Asks for all that waits at once, and writes it. */
static gboolean flush(Folder *folder, GError **error)
{
	MlvSource *source = folder->export->source;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MlvId));

	for (guint i = 0; i < folder->small->len; i++) {
		const Small *small = &g_array_index(folder->small, Small, i);

		if (small->size > 0)
			g_array_append_val(ids, small->id);
	}
	if (ids->len > 1 && source->prefetch &&
	    !source->prefetch(source, MLV_KIND_BLOB, (const MlvId *)(const void *)ids->data,
			      ids->len, error))
		return FALSE;
	for (guint i = 0; i < folder->small->len; i++)
		if (!go_on(folder->export, error) ||
		    !write_small(folder->export, folder->fd,
				 &g_array_index(folder->small, Small, i), error)) {
			g_prefix_error(error, "%s/: ", folder->label);
			return FALSE;
		}
	g_array_set_size(folder->small, 0);
	folder->bytes = 0;
	return TRUE;
}

static gboolean add_file(Folder *folder, const MlvTreeEntry *entry, GError **error)
{
	Small small = { .id = entry->ref.id, .size = entry->ref.size, .mode = entry->mode };

	if (entry->ref.depth > 0)
		return write_large(folder->export, folder->fd, entry->name, entry, error);
	small.name = g_strdup(entry->name);
	g_array_append_val(folder->small, small);
	folder->bytes += entry->ref.size;
	return (folder->bytes < BATCH_BYTES && folder->small->len < BATCH_FILES) ||
	       flush(folder, error);
}

typedef struct {
	char *name;
	MlvTreeEntry entry;
} Child;

static void clear_child(gpointer child)
{
	g_free(((Child *)child)->name);
}

/* All files of a folder, and its folders into `children`. */
static gboolean write_files(Folder *folder, const MlvTreeEntry *entry, GArray *children,
			    GError **error)
{
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(folder->export->source, &entry->ref, error);
	MlvTreeEntry one;

	while (cursor) {
		if (!mlv_tree_cursor_next(cursor, &one, error))
			return FALSE;
		if (!one.name)
			return flush(folder, error);
		if (one.mode == MLV_MODE_DIRECTORY) {
			Child child = { g_strdup(one.name), one };
			g_array_append_val(children, child);
		} else if (!add_file(folder, &one, error)) {
			return FALSE;
		}
	}
	return FALSE;
}

/* The trees of the folders below come together. */
static gboolean ask_for_trees(const MlvExport *export, const GArray *children, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MlvId));

	for (guint i = 0; i < children->len && i < BATCH_FILES; i++) {
		const MlvRef *ref = &g_array_index(children, Child, i).entry.ref;

		if (ref->depth == 0)
			g_array_append_val(ids, ref->id);
	}
	return ids->len < 2 || !export->source->prefetch ||
	       export->source->prefetch(export->source, MLV_KIND_TREE,
					(const MlvId *)(const void *)ids->data, ids->len, error);
}

static gboolean write_folder(const MlvExport *export, int dir, const char *name, const char *label,
			     const MlvTreeEntry *entry, guint nesting, GError **error)
{
	g_autoptr(GArray) small = g_array_new(FALSE, FALSE, sizeof(Small));
	g_autoptr(GArray) children = g_array_new(FALSE, FALSE, sizeof(Child));
	g_auto(MlvFd) fd = -1;

	g_array_set_clear_func(small, clear_small);
	g_array_set_clear_func(children, clear_child);
	if (nesting > NESTING_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "directories are nested too deep");
	if (mkdirat(dir, name, 0777) < 0)
		return mlv_fail_errno(error, "cannot make the folder '%s'", label);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mlv_fail_errno(error, "cannot open the folder '%s'", label);
	Folder folder = { export, fd, label, small, 0 };
	if (!write_files(&folder, entry, children, error) ||
	    !ask_for_trees(export, children, error))
		return FALSE;
	for (guint i = 0; i < children->len; i++) {
		const Child *child = &g_array_index(children, Child, i);
		g_autofree char *below = g_strconcat(label, "/", child->name, NULL);

		if (!go_on(export, error) || !write_folder(export, fd, child->name, below,
							   &child->entry, nesting + 1, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_export(const MlvExport *export, int dir, const char *name, const MlvTreeEntry *entry,
		    GError **error)
{
	Small small = { (char *)name, entry->ref.id, entry->ref.size, entry->mode };

	if (entry->mode == MLV_MODE_DIRECTORY)
		return write_folder(export, dir, name, name, entry, 0, error);
	if (entry->ref.depth > 0)
		return write_large(export, dir, name, entry, error);
	return write_small(export, dir, &small, error);
}
