/* SPDX-License-Identifier: Apache-2.0 */
#include "core/export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/reader.h"
#include "core/workspace.h"

/* What is asked for together: as much as a remote takes at once (half of MLV_REMOTE_CACHE). */
#define BATCH_BYTES (15u << 20)
#define BATCH_FILES 4096
#define TREES_MAX   128 /* trees asked for at once: of 256 KiB at most, some KiB as a rule */
#define BATCH_DIRS  100 /* folders that are held open for files that wait */
/* A path is at most 4096 bytes, so directories that are nested deeper are nobody's. */
#define NESTING_MAX 2048
#define TARGET_MAX  4095 /* bytes of a symlink's target */

/* A folder that is open, counted (g_rc_box). */
typedef struct {
	int fd;
	char *label;    /* its path, for messages */
	gboolean waits; /* files in it wait */
} Dir;

/* A small file that waits for its chunk. */
typedef struct {
	Dir *dir;
	char *name;
	MlvId id;
	guint64 size;
	guint8 mode;
} Small;

/* Trees that were asked for together, kept until each is read: what comes of files meanwhile would
 * drive them out of a remote's cache. */
typedef struct {
	MlvSource source; /* first */
	MlvSource *below;
	GHashTable *trees; /* MlvId -> GBytes */
} Keeper;

typedef struct {
	const MlvExport *export;
	Keeper keeper;
	GArray *small; /* Small: they wait, of whatever folder */
	guint64 bytes; /* of them */
	guint dirs;    /* that they lie in */
} Run;

static void clear_dir(gpointer data)
{
	Dir *dir = data;

	mlv_fd_clear(&dir->fd);
	g_free(dir->label);
}

static void release_dir(Dir *dir)
{
	g_rc_box_release_full(dir, clear_dir);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dir, release_dir)

static void clear_small(gpointer data)
{
	Small *small = data;

	release_dir(small->dir);
	g_free(small->name);
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

static gboolean write_small(const MlvExport *export, int dir, const char *name, guint8 mode,
			    const MlvId *id, guint64 size, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (size == 0)
		return place(export, dir, name, mode, NULL, 0, error);
	bytes = export->source->read(export->source, MLV_KIND_BLOB, id, error);
	if (!bytes)
		return FALSE;
	if (g_bytes_get_size(bytes) != size)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is not as long as is said of it",
				name);
	return place(export, dir, name, mode, g_bytes_get_data(bytes, NULL), size, error);
}

/* --- folders ---------------------------------------------------------------------------------- */

/* Asks for all that waits at once, and writes it. */
static gboolean flush(Run *run, GError **error)
{
	MlvSource *source = run->export->source;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MlvId));

	for (guint i = 0; i < run->small->len; i++) {
		const Small *small = &g_array_index(run->small, Small, i);

		if (small->size > 0)
			g_array_append_val(ids, small->id);
	}
	if (ids->len > 1 && source->prefetch &&
	    !source->prefetch(source, MLV_KIND_BLOB, (const MlvId *)(const void *)ids->data,
			      ids->len, error))
		return FALSE;
	for (guint i = 0; i < run->small->len; i++) {
		const Small *small = &g_array_index(run->small, Small, i);

		small->dir->waits = FALSE;
		if (!go_on(run->export, error))
			return FALSE;
		if (!write_small(run->export, small->dir->fd, small->name, small->mode, &small->id,
				 small->size, error)) {
			g_prefix_error(error, "%s/: ", small->dir->label);
			return FALSE;
		}
	}
	g_array_set_size(run->small, 0);
	run->bytes = 0;
	run->dirs = 0;
	return TRUE;
}

static gboolean add_file(Run *run, Dir *dir, const MlvTreeEntry *entry, GError **error)
{
	Small small = { .id = entry->ref.id, .size = entry->ref.size, .mode = entry->mode };

	if (entry->ref.depth > 0)
		return write_large(run->export, dir->fd, entry->name, entry, error);
	small.dir = g_rc_box_acquire(dir);
	small.name = g_strdup(entry->name);
	g_array_append_val(run->small, small);
	run->bytes += entry->ref.size;
	run->dirs += dir->waits ? 0 : 1;
	dir->waits = TRUE;
	return (run->bytes < BATCH_BYTES && run->small->len < BATCH_FILES &&
		run->dirs < BATCH_DIRS) ||
	       flush(run, error);
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
static gboolean write_files(Run *run, Dir *dir, const MlvTreeEntry *entry, GArray *children,
			    GError **error)
{
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(&run->keeper.source, &entry->ref, error);
	MlvTreeEntry one;

	while (cursor) {
		if (!mlv_tree_cursor_next(cursor, &one, error))
			return FALSE;
		if (!one.name)
			return TRUE;
		if (one.mode == MLV_MODE_DIRECTORY) {
			Child child = { g_strdup(one.name), one };
			g_array_append_val(children, child);
		} else if (!add_file(run, dir, &one, error)) {
			return FALSE;
		}
	}
	return FALSE;
}

static GBytes *keeper_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	Keeper *keeper = (Keeper *)source;
	GBytes *kept = kind == MLV_KIND_TREE ? g_hash_table_lookup(keeper->trees, id) : NULL;

	if (!kept)
		return keeper->below->read(keeper->below, kind, id, error);
	g_bytes_ref(kept);
	g_hash_table_remove(keeper->trees, id);
	return kept;
}

/* The trees of the folders below come together. */
static gboolean ask_for_trees(Run *run, const GArray *children, GError **error)
{
	MlvSource *source = run->export->source;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(MlvId));

	for (guint i = 0; i < children->len && ids->len < TREES_MAX; i++) {
		const MlvRef *ref = &g_array_index(children, Child, i).entry.ref;

		if (ref->depth == 0 && !g_hash_table_contains(run->keeper.trees, &ref->id))
			g_array_append_val(ids, ref->id);
	}
	if (ids->len < 2 || !source->prefetch ||
	    g_hash_table_size(run->keeper.trees) > TREES_MAX * 4)
		return TRUE;
	if (!source->prefetch(source, MLV_KIND_TREE, (const MlvId *)(const void *)ids->data,
			      ids->len, error))
		return FALSE;
	for (guint i = 0; i < ids->len; i++) {
		const MlvId *id = &g_array_index(ids, MlvId, i);
		GBytes *bytes = source->read(source, MLV_KIND_TREE, id, error);

		if (!bytes)
			return FALSE;
		g_hash_table_replace(run->keeper.trees, g_memdup2(id, sizeof(*id)), bytes);
	}
	return TRUE;
}

static Dir *make_dir(int parent, const char *name, const char *label, GError **error)
{
	g_autoptr(Dir) dir = g_rc_box_new0(Dir);

	dir->label = g_strdup(label);
	dir->fd = -1;
	if (mkdirat(parent, name, 0777) < 0) {
		mlv_fail_errno(error, "cannot make the folder '%s'", label);
		return NULL;
	}
	dir->fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd >= 0)
		return g_steal_pointer(&dir);
	mlv_fail_errno(error, "cannot open the folder '%s'", label);
	return NULL;
}

static gboolean write_folder(Run *run, int parent, const char *name, const char *label,
			     const MlvTreeEntry *entry, guint nesting, GError **error)
{
	g_autoptr(GArray) children = g_array_new(FALSE, FALSE, sizeof(Child));
	g_autoptr(Dir) dir = NULL;

	g_array_set_clear_func(children, clear_child);
	if (nesting > NESTING_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "directories are nested too deep");
	dir = make_dir(parent, name, label, error);
	if (!dir || !write_files(run, dir, entry, children, error) ||
	    !ask_for_trees(run, children, error))
		return FALSE;
	for (guint i = 0; i < children->len; i++) {
		const Child *child = &g_array_index(children, Child, i);
		g_autofree char *below = g_strconcat(label, "/", child->name, NULL);

		if (!go_on(run->export, error) || !write_folder(run, dir->fd, child->name, below,
								&child->entry, nesting + 1, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_export(const MlvExport *export, int dir, const char *name, const MlvTreeEntry *entry,
		    GError **error)
{
	g_autoptr(GArray) small = g_array_new(FALSE, FALSE, sizeof(Small));
	g_autoptr(GHashTable) trees = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free,
							    (GDestroyNotify)g_bytes_unref);
	Run run = { .export = export,
		    .keeper = { { .read = keeper_read }, export->source, trees },
		    .small = small };

	g_array_set_clear_func(small, clear_small);
	if (entry->mode == MLV_MODE_DIRECTORY)
		return write_folder(&run, dir, name, name, entry, 0, error) && flush(&run, error);
	if (entry->ref.depth > 0)
		return write_large(export, dir, name, entry, error);
	return write_small(export, dir, name, entry->mode, &entry->ref.id, entry->ref.size, error);
}
