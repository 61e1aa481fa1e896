/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/git_tree.h"

typedef struct {
	MlvLocal *local;
	const MlvStatusOptions *options;
	MlvStatusResult *result;
	MlvStatusPart part;
	MlvCompare *compare;
	GPtrArray *index;   /* of the index */
	GError *failure;    /* met in a callback */
	GHashTable *stored; /* targets all of which is known to be in the store */
	GArray *behind;     /* of Behind */
} Status;

/* A target of which git has moved the pointer file, and neither index nor data: `git stash pop`. */
typedef struct {
	char *path;
	MlvPointer staged, file;
} Behind;

static void behind_clear(gpointer data)
{
	g_free(((Behind *)data)->path);
}

static gboolean wanted(const Status *status, const char *path)
{
	return mlv_pathspec_may_match_below(status->options->paths, path);
}

static gboolean visit(Status *status, MlvStatusPart part, const MlvChange *change, const char *why,
		      GError **error)
{
	guint64 *const counts[] = { &status->result->staged, &status->result->changed,
				    &status->result->missing, &status->result->unmerged };

	++*counts[part];
	return status->options->visit(part, change, why, status->options->data, error);
}

static gboolean visit_change(const MlvChange *change, gpointer user, GError **error)
{
	Status *status = user;

	return visit(status, status->part, change, NULL, error);
}

static MlvCompare *new_compare(Status *status, MlvStatusPart part)
{
	MlvCompareOptions options = { .files = TRUE,
				      .renames = status->options->renames,
				      .paths = status->options->paths,
				      .visit = visit_change,
				      .user = status };

	status->part = part;
	return mlv_compare_new(mlv_store_source(status->local->store), &options);
}

static gboolean is_readable(const MlvTracked *tracked)
{
	return tracked->stage == 0 && !tracked->error;
}

/* The readable pointers of an array, without those that are not readable in the index: these are
 * told as unmerged. */
static GPtrArray *readable(const GPtrArray *pointers, const GPtrArray *index)
{
	GPtrArray *good = g_ptr_array_new();

	for (guint i = 0; i < pointers->len; i++) {
		MlvTracked *tracked = pointers->pdata[i];
		const MlvTracked *staged = mlv_tracked_find(index, tracked->path);
		if (is_readable(tracked) && (!staged || is_readable(staged)))
			g_ptr_array_add(good, tracked);
	}
	return good;
}

static gboolean tell_staged(Status *status, GError **error)
{
	g_autoptr(GPtrArray) head = mlv_git_pointers_in_head(status->local->repo, error);
	g_autoptr(MlvCompare) compare = new_compare(status, MLV_PART_STAGED);

	if (!head)
		return FALSE;
	g_autoptr(GPtrArray) from = readable(head, status->index);
	g_autoptr(GPtrArray) to = readable(status->index, status->index);
	return mlv_compare_pointers(compare, from, to, error) && mlv_compare_finish(compare, error);
}

/* --- the work tree ---------------------------------------------------------------------------- */

static void take_change(const MlvChange *change, gpointer data)
{
	Status *status = data;

	if (!status->failure)
		mlv_compare_add(status->compare, change, &status->failure);
}

/* Data that differ from their pointer and yet are in the store as they are: git has moved the
 * pointer, unless its file is what the data are. */
static void note_move(Status *status, const MlvSnapshotResult *result, const MlvPointer *file)
{
	MlvSource *source = mlv_store_source(status->local->store);
	gboolean has = FALSE;

	if (!result->complete || !result->present || result->same || !result->has_base ||
	    (file && mlv_pointer_equal(file, &result->pointer)))
		return;
	if (source->has(source, mlv_ref_chunk_kind(&result->pointer.ref), &result->pointer.ref.id,
			&has, NULL) &&
	    has)
		status->result->moved_by_git = TRUE;
}

static void note_behind(Status *status, const MlvSnapshotResult *result, const MlvPointer *file)
{
	Behind behind = { .staged = result->pointer };

	if (!result->same || !file || mlv_pointer_equal(&behind.staged, file))
		return;
	behind.path = g_strdup(result->path);
	behind.file = *file;
	g_array_append_val(status->behind, behind);
	status->result->moved_by_git = TRUE;
}

/* What the pointer file says that stands beside the data. */
static void note_pointer(Status *status, const MlvSnapshotResult *result)
{
	MlvPointer file;
	gboolean found;

	if (status->options->unadded)
		return;
	if (!mlv_git_read_pointer_file(status->local->repo, result->path, &file, &found, NULL))
		found = FALSE;
	note_move(status, result, found ? &file : NULL);
	note_behind(status, result, found ? &file : NULL);
}

static void take_result(const MlvSnapshotResult *result, gpointer data)
{
	Status *status = data;

	note_pointer(status, result);
	if (result->same && result->stored)
		g_hash_table_add(status->stored, g_strdup(result->path));
}

static void take_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	Status *status = data;

	status->result->problems = TRUE;
	if (status->options->problem)
		status->options->problem(type, path, why, status->options->data);
}

static void pass_progress(guint64 bytes, guint64 files, gpointer data)
{
	const Status *status = data;

	if (status->options->progress)
		status->options->progress(bytes, files, status->options->data);
}

/* Of what a sparse checkout leaves out nothing is missed, unless something is there all the same. */
static gboolean is_left_out(Status *status, const MlvTracked *tracked)
{
	return tracked->sparse && faccessat(mlv_repo_root_fd(status->local->repo), tracked->path,
					    F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

/* An output that stays where it is made, and was not made here, is not missed. */
static gboolean is_missed(Status *status, const MlvTracked *tracked, gboolean *missed,
			  GError **error)
{
	MlvSource *source = mlv_store_source(status->local->store);
	const MlvRef *ref = &tracked->pointer.ref;

	*missed = !is_left_out(status, tracked);
	if (!*missed)
		return TRUE;
	return !tracked->stays || ref->size == 0 ||
	       source->has(source, mlv_ref_chunk_kind(ref), &ref->id, missed, error);
}

static gboolean snapshot_targets(Status *status, MlvSnapshot *snapshot, GError **error)
{
	for (guint i = 0; i < status->index->len; i++) {
		const MlvTracked *tracked = status->index->pdata[i];

		if (!wanted(status, tracked->path))
			continue;
		gboolean missed;
		status->result->targets++;
		if (tracked->stage != 0 || tracked->error)
			continue;
		if (!is_missed(status, tracked, &missed, error))
			return FALSE;
		if (!missed)
			continue;
		if (tracked->pointer.ref.kind == MLV_KIND_TREE) {
			MlvSource *source = mlv_store_source(status->local->store);
			gboolean has;
			/* what was never fetched is told as missing, not compared */
			if (!source->has(source, mlv_ref_chunk_kind(&tracked->pointer.ref),
					 &tracked->pointer.ref.id, &has, error))
				return FALSE;
			if (!has)
				continue;
		}
		if (!mlv_snapshot_target(snapshot, tracked->path, tracked->path, &tracked->pointer,
					 NULL, error))
			return FALSE;
	}
	return mlv_snapshot_finish(snapshot, error);
}

static gboolean tell_workspace(Status *status, GError **error)
{
	g_autoptr(MlvCompare) compare = new_compare(status, MLV_PART_WORKSPACE);
	g_autoptr(MlvStatWriter) cache_writer = mlv_statcache_writer_new(
		status->local->cache, mlv_stat_fs_now(status->local->repo));
	MlvSnapshotOptions options = {
		.repo = status->local->repo,
		.store = status->local->store,
		.cache = status->local->cache,
		.cache_writer = cache_writer,
		.partial = status->local->partial,
		.threads = status->options->threads,
		.cancel = status->options->cancel,
		.done = take_result,
		.change = take_change,
		.problem = take_problem,
		.progress = pass_progress,
		.data = status,
	};
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&options);

	status->compare = compare;
	gboolean ok = snapshot_targets(status, snapshot, error);
	status->compare = NULL;
	if (ok && status->failure) {
		g_propagate_error(error, g_steal_pointer(&status->failure));
		ok = FALSE;
	}
	for (guint i = 0; ok && i < status->behind->len; i++) {
		const Behind *behind = &g_array_index(status->behind, Behind, i);
		ok = mlv_compare_target(compare, behind->path, &behind->staged, &behind->file,
					error);
	}
	if (!ok || !mlv_compare_finish(compare, error))
		return FALSE;
	mlv_statcache_writer_commit(cache_writer,
				    NULL); /* a work tree that cannot be written has a status too */
	return TRUE;
}

/* --- what is not in the store ----------------------------------------------------------------- */

static gboolean has_file(MlvSource *source, const MlvRef *ref, gboolean *has, GError **error)
{
	guint64 offset, length;
	MlvId id;

	*has = TRUE;
	if (ref->size == 0)
		return TRUE;
	if (!source->has(source, mlv_ref_chunk_kind(ref), &ref->id, has, error))
		return FALSE;
	if (!*has || ref->depth == 0)
		return TRUE;
	g_autoptr(MlvLeafCursor) cursor = mlv_leaf_cursor_new(source, ref, 0, error);
	while (cursor && mlv_leaf_cursor_next(cursor, &id, &offset, &length, error)) {
		if (length == 0)
			return TRUE;
		if (!source->has(source, MLV_KIND_BLOB, &id, has, error))
			return FALSE;
		if (!*has)
			return TRUE;
	}
	return FALSE;
}

static gboolean tell_missing(Status *status, const char *target, const char *path,
			     const MlvTreeEntry *entry, GError **error)
{
	MlvChange change = { .kind = MLV_CHANGE_REMOVED, .target = target, .path = path };

	if (entry->mode == MLV_MODE_DIRECTORY ? !wanted(status, path)
					      : !mlv_pathspec_matches(status->options->paths, path))
		return TRUE;
	change.to = (MlvChangeSide){ entry->mode, entry->ref, entry->files, entry->bytes };
	change.unread = entry->mode == MLV_MODE_DIRECTORY;
	return visit(status, MLV_PART_MISSING, &change, NULL, error);
}

/* A file that an earlier object stands for may be missing all the same: a tree may have been
 * fetched alone. */
static gboolean check_entry(Status *status, const char *target, const char *path,
			    const MlvTreeEntry *entry, GError **error)
{
	MlvSource *source = mlv_store_source(status->local->store);
	g_autoptr(GError) local = NULL;
	g_autoptr(MlvTreeCursor) cursor = NULL;
	MlvTreeEntry below;
	gboolean has;

	if (entry->mode != MLV_MODE_DIRECTORY) {
		if (!has_file(source, &entry->ref, &has, &local)) {
			if (!g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING)) {
				g_propagate_error(error, g_steal_pointer(&local));
				return FALSE;
			}
			has = FALSE;
		}
		return has || tell_missing(status, target, path, entry, error);
	}
	cursor = mlv_tree_cursor_new(source, &entry->ref, &local);
	while (cursor && mlv_tree_cursor_next(cursor, &below, &local)) {
		if (!below.name)
			return TRUE;
		g_autofree char *next = g_strconcat(path, "/", below.name, NULL);
		if (!check_entry(status, target, next, &below, error))
			return FALSE;
	}
	if (g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return tell_missing(status, target, path, entry, error);
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

static gboolean tell_all_missing(Status *status, GError **error)
{
	for (guint i = 0; i < status->index->len; i++) {
		const MlvTracked *tracked = status->index->pdata[i];
		const MlvPointer *pointer = &tracked->pointer;
		MlvTreeEntry entry = { .mode = pointer->mode,
				       .ref = pointer->ref,
				       .files = pointer->files,
				       .bytes = pointer->bytes };

		if (tracked->stage != 0 || tracked->error || !wanted(status, tracked->path) ||
		    g_hash_table_contains(status->stored, tracked->path))
			continue;
		gboolean missed;
		if (!is_missed(status, tracked, &missed, error))
			return FALSE;
		if (missed && !check_entry(status, tracked->path, tracked->path, &entry, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean tell_unmerged(Status *status, GError **error)
{
	const char *last = NULL;

	for (guint i = 0; i < status->index->len; i++) {
		const MlvTracked *tracked = status->index->pdata[i];
		MlvChange change = { .kind = MLV_CHANGE_MODIFIED,
				     .target = tracked->path,
				     .path = tracked->path };

		if ((tracked->stage == 0 && !tracked->error) ||
		    g_strcmp0(last, tracked->path) == 0 || !wanted(status, tracked->path))
			continue;
		last = tracked->path;
		if (!visit(status, MLV_PART_UNMERGED, &change,
			   tracked->stage != 0 ? "both modified" : tracked->error->message, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_status_run(MlvLocal *local, const MlvStatusOptions *options, MlvStatusResult *result,
			GError **error)
{
	g_autoptr(GPtrArray) index =
		options->unadded ? mlv_git_pointers_in_workspace(local->repo, FALSE, error)
				 : mlv_git_pointers_in_index(local->repo, error);
	g_autoptr(GHashTable) stored = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GArray) behind = g_array_new(FALSE, FALSE, sizeof(Behind));
	Status status = { .local = local,
			  .options = options,
			  .result = result,
			  .index = index,
			  .stored = stored,
			  .behind = behind };

	g_array_set_clear_func(behind, behind_clear);
	memset(result, 0, sizeof(*result));
	gboolean ok = index && (options->unadded || tell_staged(&status, error)) &&
		      tell_workspace(&status, error) &&
		      (options->unadded || tell_all_missing(&status, error)) &&
		      tell_unmerged(&status, error);
	g_clear_error(&status.failure);
	return ok;
}
