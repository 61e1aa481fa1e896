/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive_create.h"

#include <string.h>

#include "core/pathspec.h"

#define NESTING_MAX         4096       /* folders in each other: more are damage */
#define GIT_FILE_MAX        (1u << 30) /* bytes of one of git's files, which are read whole */
#define GIT_MODE_EXECUTABLE 0100755u
#define GIT_MODE_SYMLINK    0120000u
#define GIT_MODE_SUBMODULE  0160000u

/* What stands in the revision itself: tracked data, or one of git's files. */
typedef struct {
	char *key;                 /* the path; a directory's ends in a slash, as it sorts */
	const MlvTracked *tracked; /* or NULL */
	guint32 mode;
	MlvOid oid;
} Item;

/* A directory that was read but whose turn has not come: "a" goes behind "a.txt", being "a/". */
typedef struct {
	char name[MLV_NAME_MAX + 2];
	MlvRef ref;
} Held;

/* A directory that is being written. */
typedef struct {
	MlvTreeCursor *cursor;
	MlvTreeEntry next; /* borrowed from the cursor; name NULL: none any more */
	gboolean fresh;    /* next is not read yet */
	gboolean all;      /* everything below is wanted */
	gsize path_length; /* of the directory's path with its slash */
	GArray *held;      /* of Held, each a beginning of the next one's name */
} Frame;

typedef struct {
	MlvView *view;
	const MlvArchivePlan *plan;
	MlvArchiveWriter *writer;
	MlvArchivePump *pump;
	GPtrArray *pointers; /* of the revision */
	GArray *items;       /* of Item */
	MlvPathspec *paths;
	MlvPathspec **each; /* a pathspec for each word that has matched nothing yet, else NULL */
	GString *folder;    /* the last folder written, with prefix and slash */
	GString *path;      /* of the tree walk */
} Export;

static void item_clear(gpointer data)
{
	g_free(((Item *)data)->key);
}

static gint compare_items(gconstpointer a, gconstpointer b)
{
	return strcmp(((const Item *)a)->key, ((const Item *)b)->key);
}

static void export_clear(Export *export)
{
	for (guint i = 0; export->each && i < export->plan->n_words; i++)
		mlv_pathspec_free(export->each[i]);
	g_free(export->each);
	mlv_archive_pump_free(export->pump);
	mlv_archive_writer_free(export->writer);
	mlv_pathspec_free(export->paths);
	g_clear_pointer(&export->items, g_array_unref);
	g_clear_pointer(&export->pointers, g_ptr_array_unref);
	g_string_free(export->folder, TRUE);
	g_string_free(export->path, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Export, export_clear)

gboolean mlv_archive_check_prefix(const char *prefix, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(prefix, "/", -1);

	if (*prefix == '/')
		return mlv_fail(error, MLV_ERROR_USAGE,
				"the prefix '%s' is absolute; give a relative one", prefix);
	for (char **part = parts; *part; part++)
		if (strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0 || (!**part && part[1]))
			return mlv_fail(error, MLV_ERROR_USAGE,
					"the prefix '%s' has an empty, '.' or '..' part", prefix);
	return TRUE;
}

/* --- entries ---------------------------------------------------------------------------------- */

static void note_match(Export *export, const char *path)
{
	for (guint i = 0; i < export->plan->n_words; i++)
		if (export->each[i] && mlv_pathspec_matches(export->each[i], path))
			g_clear_pointer(&export->each[i], mlv_pathspec_free);
}

/* Writes those folders of `full` (with prefix) that were not written: up to its last slash. */
static gboolean enter_folders(Export *export, const char *full, GError **error)
{
	GString *folder = export->folder;
	gsize common = 0;

	for (gsize i = 0; i < folder->len && folder->str[i] == full[i]; i++)
		if (full[i] == '/')
			common = i + 1;
	g_string_truncate(folder, common);
	for (const char *at = full + common, *slash; (slash = strchr(at, '/')); at = slash + 1) {
		g_string_append_len(folder, at, slash - at);
		if (!mlv_archive_pump_directory(export->pump, folder->str, error))
			return FALSE;
		g_string_append_c(folder, '/');
	}
	return TRUE;
}

/* A directory that is wanted for itself: `path` without a slash at its end. */
static gboolean write_directory(Export *export, const char *path, GError **error)
{
	g_autofree char *full = g_strconcat(export->plan->prefix, path, "/", NULL);

	note_match(export, path);
	return enter_folders(export, full, error);
}

static gboolean write_entry(Export *export, const char *path, const MlvTreeEntry *entry,
			    GError **error)
{
	g_autofree char *full = g_strconcat(export->plan->prefix, path, NULL);

	note_match(export, path);
	return enter_folders(export, full, error) &&
	       mlv_archive_pump_entry(export->pump, full, entry, error);
}

/* --- a tracked directory ---------------------------------------------------------------------- */

static void frame_clear(gpointer data)
{
	Frame *frame = data;

	mlv_tree_cursor_free(frame->cursor);
	g_array_unref(frame->held);
}

/* Begins the directory whose path is in export->path. */
static gboolean push_frame(Export *export, GArray *frames, const MlvRef *ref, gboolean all,
			   GError **error)
{
	Frame frame = { .fresh = TRUE, .all = all };

	if (frames->len >= NESTING_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "folders are nested too deep in '%s'",
				export->path->str);
	if (!all && !mlv_pathspec_may_match_below(export->paths, export->path->str))
		return TRUE;
	if (!all)
		frame.all = mlv_pathspec_matches(export->paths, export->path->str);
	if (frame.all && !write_directory(export, export->path->str, error))
		return FALSE;
	frame.cursor = mlv_tree_cursor_new(mlv_view_source(export->view), ref, error);
	if (!frame.cursor) {
		g_prefix_error(error, "'%s': ", export->path->str);
		return FALSE;
	}
	g_string_append_c(export->path, '/');
	frame.path_length = export->path->len;
	frame.held = g_array_new(FALSE, FALSE, sizeof(Held));
	g_array_append_val(frames, frame);
	return TRUE;
}

/* Whether the directory that was held last comes before what was read. */
static gboolean held_is_due(const Frame *frame)
{
	const Held *last;

	if (frame->held->len == 0)
		return FALSE;
	last = &g_array_index(frame->held, Held, frame->held->len - 1);
	return !frame->next.name || strcmp(last->name, frame->next.name) < 0;
}

static void hold(Frame *frame)
{
	Held held = { .ref = frame->next.ref };

	g_snprintf(held.name, sizeof(held.name), "%s/", frame->next.name);
	g_array_append_val(frame->held, held);
}

/* One step in the innermost directory. */
static gboolean step(Export *export, GArray *frames, GError **error)
{
	Frame *frame = &g_array_index(frames, Frame, frames->len - 1);

	g_string_truncate(export->path, frame->path_length);
	if (frame->fresh && !mlv_tree_cursor_next(frame->cursor, &frame->next, error)) {
		g_prefix_error(error, "'%.*s': ", (int)export->path->len - 1, export->path->str);
		return FALSE;
	}
	frame->fresh = FALSE;
	if (held_is_due(frame)) {
		Held held = g_array_index(frame->held, Held, frame->held->len - 1);

		g_array_set_size(frame->held, frame->held->len - 1);
		g_string_append(export->path, held.name);
		g_string_truncate(export->path, export->path->len - 1);
		return push_frame(export, frames, &held.ref, frame->all, error);
	}
	if (!frame->next.name) {
		g_array_set_size(frames, frames->len - 1);
		return TRUE;
	}
	frame->fresh = TRUE;
	if (frame->next.mode == MLV_MODE_DIRECTORY) {
		hold(frame);
		return TRUE;
	}
	g_string_append(export->path, frame->next.name);
	if (!frame->all && !mlv_pathspec_matches(export->paths, export->path->str))
		return TRUE;
	return write_entry(export, export->path->str, &frame->next, error);
}

static gboolean write_tree(Export *export, const char *path, const MlvRef *ref, GError **error)
{
	g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(Frame));

	g_array_set_clear_func(frames, frame_clear);
	g_string_assign(export->path, path);
	if (!push_frame(export, frames, ref, FALSE, error))
		return FALSE;
	while (frames->len > 0)
		if (!step(export, frames, error))
			return FALSE;
	return TRUE;
}

/* --- what stands in the revision -------------------------------------------------------------- */

static gboolean write_tracked(Export *export, const MlvTracked *tracked, GError **error)
{
	MlvTreeEntry entry;

	if (tracked->error) {
		g_propagate_error(error, g_error_copy(tracked->error));
		return FALSE;
	}
	if (tracked->pointer.mode == MLV_MODE_DIRECTORY)
		return write_tree(export, tracked->path, &tracked->pointer.ref, error);
	mlv_view_entry(&tracked->pointer, tracked->path, &entry);
	return write_entry(export, tracked->path, &entry, error);
}

static gboolean write_git_file(Export *export, const Item *item, GError **error)
{
	MlvMode mode = item->mode == GIT_MODE_SYMLINK      ? MLV_MODE_SYMLINK
		       : item->mode == GIT_MODE_EXECUTABLE ? MLV_MODE_EXECUTABLE
							   : MLV_MODE_FILE;
	g_autofree char *full = g_strconcat(export->plan->prefix, item->key, NULL);
	g_autoptr(GBytes) bytes = NULL;

	note_match(export, item->key);
	/* A submodule is an empty folder, as it is in a clone that has not asked for it. */
	if (item->mode == GIT_MODE_SUBMODULE)
		return enter_folders(export, full, error);
	bytes = mlv_git_read_blob(mlv_view_repo(export->view), &item->oid, GIT_FILE_MAX, error);
	if (!bytes) {
		g_prefix_error(error, "'%s': ", item->key);
		return FALSE;
	}
	return enter_folders(export, full, error) &&
	       mlv_archive_pump_bytes(export->pump, full, mode, bytes, error);
}

/* Whether git's file is the pointer of tracked data, in whose place the data goes. */
static gboolean is_pointer(const Export *export, const char *path)
{
	g_autofree char *data_path = NULL;

	if (!mlv_pointer_is_path(path))
		return FALSE;
	data_path = mlv_pointer_data_path(path);
	return mlv_tracked_find(export->pointers, data_path) != NULL;
}

static gboolean add_git_file(const char *path, guint32 mode, const MlvOid *oid, gboolean *descend,
			     gpointer user, GError **error)
{
	Export *export = user;
	const MlvTracked *cover;
	const char *rest;
	Item item = { .mode = mode, .oid = *oid };

	if (mode == 040000) {
		*descend = mlv_pathspec_may_match_below(export->paths, path);
		return TRUE;
	}
	if (is_pointer(export, path) || !mlv_pathspec_matches(export->paths, path))
		return TRUE;
	cover = mlv_tracked_cover(export->pointers, path, &rest);
	if (cover)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"git tracks '%s', which lies in the tracked data '%s': both cannot "
				"be in one archive; leave out --code, or name the paths wanted",
				path, cover->path);
	item.key = g_strconcat(path, mode == GIT_MODE_SUBMODULE ? "/" : NULL, NULL);
	g_array_append_val(export->items, item);
	return TRUE;
}

static gboolean collect_items(Export *export, GError **error)
{
	const MlvArchivePlan *plan = export->plan;

	export->pointers = mlv_view_pointers(export->view, &plan->revision, error);
	if (!export->pointers)
		return FALSE;
	export->items = g_array_new(FALSE, FALSE, sizeof(Item));
	g_array_set_clear_func(export->items, item_clear);
	for (guint i = 0; i < export->pointers->len; i++) {
		const MlvTracked *tracked = export->pointers->pdata[i];
		gboolean folder = !tracked->error && tracked->pointer.mode == MLV_MODE_DIRECTORY;
		Item item = { .tracked = tracked };

		if (!(folder ? mlv_pathspec_may_match_below(export->paths, tracked->path)
			     : mlv_pathspec_matches(export->paths, tracked->path)))
			continue;
		item.key = g_strconcat(tracked->path, folder ? "/" : NULL, NULL);
		g_array_append_val(export->items, item);
	}
	if (plan->code && !mlv_git_walk_tree(mlv_view_repo(export->view), &plan->revision.commit,
					     "", add_git_file, export, error))
		return FALSE;
	g_array_sort(export->items, compare_items);
	return TRUE;
}

static gboolean revision_time(Export *export, gint64 *time, GError **error)
{
	const MlvRevision *revision = &export->plan->revision;
	g_autoptr(MlvCommit) commit = NULL;

	*time = 0;
	if (revision->at != MLV_AT_COMMIT)
		return TRUE;
	commit = mlv_git_commit_read(mlv_view_repo(export->view), &revision->commit, error);
	if (!commit)
		return FALSE;
	*time = commit->committer_time;
	return TRUE;
}

static gboolean parse_words(Export *export, GError **error)
{
	const MlvArchivePlan *plan = export->plan;
	MlvRepo *repo = mlv_view_repo(export->view);

	export->paths = mlv_pathspec_new(repo, plan->words, plan->n_words, error);
	export->each = g_new0(MlvPathspec *, plan->n_words + 1);
	for (guint i = 0; export->paths && i < plan->n_words; i++) {
		export->each[i] = mlv_pathspec_new(repo, plan->words + i, 1, error);
		if (!export->each[i])
			return FALSE;
	}
	return export->paths != NULL;
}

/* A word that led to nothing is a mistake that must not pass for an archive. */
static gboolean check_words(Export *export, GError **error)
{
	const MlvArchivePlan *plan = export->plan;

	for (guint i = 0; i < plan->n_words; i++)
		if (export->each[i])
			return mlv_fail(error, MLV_ERROR_MISSING,
					"nothing at '%s' in this revision%s", plan->words[i],
					plan->code ? "" : "; '--code' adds git's own files");
	return TRUE;
}

static gboolean write_items(Export *export, GError **error)
{
	g_autoptr(GError) failed = NULL;
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < export->items->len; i++) {
		const Item *item = &g_array_index(export->items, Item, i);

		ok = item->tracked ? write_tracked(export, item->tracked, &failed)
				   : write_git_file(export, item, &failed);
	}
	if (ok && mlv_archive_pump_finish(export->pump, &failed))
		return TRUE;
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
		return mlv_fail(error, MLV_ERROR_MISSING, "%s; 'mlv fetch' brings it here",
				failed->message);
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

gboolean mlv_archive_create(MlvView *view, const MlvArchivePlan *plan, GError **error)
{
	g_auto(Export) export = { .view = view, .plan = plan };
	gint64 time;

	export.folder = g_string_new(NULL);
	export.path = g_string_new(NULL);
	if (!parse_words(&export, error) || !collect_items(&export, error) ||
	    !revision_time(&export, &time, error))
		return FALSE;
	if (export.items->len == 0 && plan->n_words > 0)
		return check_words(&export, error);
	export.writer = mlv_archive_writer_new(plan->format, time, plan->sink, plan->user, error);
	if (!export.writer)
		return FALSE;
	export.pump = mlv_archive_pump_new(export.writer, mlv_view_source(view), plan->threads,
					   plan->cancel, plan->moved, plan->user);
	return write_items(&export, error) && check_words(&export, error);
}
