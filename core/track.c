/* SPDX-License-Identifier: Apache-2.0 */
#include "core/track.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/git_staging.h"
#include "core/git_tree.h"
#include "core/scan.h"
#include "core/target.h"
#include "core/track_part.h"
#include "storage/file.h"

/* One thing to be snapshotted: a whole target, or a part of one. */
typedef struct {
	char *path;
	char *target;     /* the same, or the tracked directory that path lies in */
	gboolean tracked; /* the target has a pointer already */
	gboolean has_base;
	MlvPointer base; /* of the target */
	MlvPointer part; /* of path in it, if has_part */
	gboolean has_part;
	MlvSnapshotResult result;
} Item;

typedef struct {
	MlvLocal *local;
	const MlvTrackOptions *options;
	MlvTrackResult *result;
	GPtrArray *pointers; /* of the work tree */
	GPtrArray *items;
	GHashTable *seen; /* paths of items */
	gboolean all;     /* whatever changed, nothing named */
} Track;

static void item_free(gpointer data)
{
	Item *item = data;

	g_free(item->path);
	g_free(item->target);
	g_free(item);
}

static void add_item(Track *track, const char *path, const MlvTracked *covering)
{
	if (!g_hash_table_add(track->seen, g_strdup(path)))
		return;
	Item *item = g_new0(Item, 1);
	item->path = g_strdup(path);
	item->target = g_strdup(covering ? covering->path : path);
	item->tracked = covering != NULL;
	if (covering && !covering->error) {
		item->has_base = TRUE;
		item->base = covering->pointer;
	}
	g_ptr_array_add(track->items, item);
}

/* A pointer below the path, or NULL. */
static const MlvTracked *tracked_below(const Track *track, const char *path)
{
	gsize length = strlen(path);

	for (guint i = 0; i < track->pointers->len; i++) {
		const MlvTracked *tracked = track->pointers->pdata[i];
		if (strncmp(tracked->path, path, length) == 0 && tracked->path[length] == '/')
			return tracked;
	}
	return NULL;
}

/* What is new must not be git's, and its pointer must not be ignored. */
static gboolean check_new(Track *track, const char *path, GError **error)
{
	g_autofree char *example = NULL;
	g_autofree char *pointer = mlv_pointer_path(path);
	gboolean yes;
	MlvRepo *repo = track->local->repo;

	if (!mlv_pointer_check_target(path, error) || !mlv_git_check_own(repo, path, error) ||
	    !mlv_git_tracks(repo, path, &yes, &example, error))
		return FALSE;
	if (yes && g_strcmp0(example, path) == 0)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"'%s' is tracked by git; to let mlv track it, first run: git rm --cached '%s'",
			path, path);
	const MlvTracked *below = tracked_below(track, path);
	if (below && below->lock)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"'%s' holds '%s', the output of a stage, as '%s' says; name what is to "
			"be tracked beside it",
			path, below->path, below->lock);
	if (below)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"'%s' holds '%s', which is tracked by itself: name that, or, to track all of "
			"'%s' as one, first run: mlv rm --cached '%s'",
			path, below->path, path, below->path);
	if (yes)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"'%s' holds '%s', which git tracks; to let mlv track all of it, first run: "
			"git rm -r --cached '%s'",
			path, example, path);
	if (track->options->force)
		return TRUE;
	if (!mlv_git_ignores(repo, pointer, FALSE, &yes, error))
		return FALSE;
	return !yes ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"git ignores the pointer '%s'; change the .gitignore that says so, or "
			"use -f",
			pointer);
}

static gboolean exists(MlvRepo *repo, const char *path)
{
	g_auto(MlvFd) fd =
		mlv_file_open_beneath(mlv_repo_root_fd(repo), path, O_PATH | O_NOFOLLOW, 0);

	return fd >= 0 || errno != ENOENT;
}

static MlvPart part_of(const Track *track, const Item *item)
{
	return (MlvPart){ track->local, item->target, item->path };
}

/* A path that a .mlvignore leaves out is named and passed over, as git does with its own; one that
 * is tracked all the same is not. *ignored tells. */
static gboolean check_ignored(Track *track, const char *path, const MlvTracked *covering,
			      gboolean *ignored, GError **error)
{
	Item item = { 0 };

	*ignored = FALSE;
	if (track->options->force || (covering && strcmp(covering->path, path) == 0) ||
	    !mlv_scan_is_ignored(mlv_repo_root_fd(track->local->repo), path))
		return TRUE;
	if (covering) {
		MlvPart part = { track->local, covering->path, path };
		if (!mlv_part_find(&part, &covering->pointer, &item.part, &item.has_part, error))
			return FALSE;
	}
	if (item.has_part)
		return TRUE;
	*ignored = TRUE;
	track->result->problems = TRUE;
	if (track->options->problem)
		track->options->problem(MLV_PROBLEM_REFUSED, path,
					"a .mlvignore leaves it out; use -f to add it all the same",
					track->options->data);
	return TRUE;
}

/* Sorts one path: tracked itself, inside tracked data, a folder of targets, or new. */
static gboolean take_path(Track *track, const char *path, GError **error)
{
	const char *rest;
	const MlvTracked *covering = *path ? mlv_tracked_cover(track->pointers, path, &rest) : NULL;
	gboolean any = FALSE, ignored;

	if (covering) {
		if (!mlv_target_check_own(covering, error))
			return FALSE;
		if (*rest && (covering->error || covering->pointer.ref.kind != MLV_KIND_TREE))
			return mlv_fail(error, MLV_ERROR_FAILED, "'%s' lies in '%s', which %s",
					path, covering->path,
					covering->error
						? "has an unreadable pointer; add that first"
						: "is tracked as a file; add that instead");
		if (!check_ignored(track, path, covering, &ignored, error))
			return FALSE;
		if (ignored)
			return TRUE;
		add_item(track, path, covering);
		return TRUE;
	}
	for (guint i = 0; !*path && i < track->pointers->len; i++) {
		const MlvTracked *tracked = track->pointers->pdata[i];
		if (tracked->lock)
			continue;
		add_item(track, tracked->path, tracked);
		any = TRUE;
	}
	if (any)
		return TRUE;
	if (!*path)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"the whole work tree cannot be tracked; name the data in it");
	if (!exists(track->local->repo, path))
		return mlv_fail(error, MLV_ERROR_MISSING, "there is no '%s'", path);
	if (!check_new(track, path, error) || !check_ignored(track, path, NULL, &ignored, error))
		return FALSE;
	if (!ignored)
		add_item(track, path, NULL);
	return TRUE;
}

/* --- running it ------------------------------------------------------------------------------- */

static void snapshot_done(const MlvSnapshotResult *result, gpointer data)
{
	Item *item = result->user;

	item->result = *result;
	item->result.path = item->path;
}

/* New files in a partial work tree have been brought by hand. */
static void include_new(const MlvChange *change, gpointer data)
{
	Track *track = data;
	MlvPartial *partial = track->local->partial;

	if (change->to.mode == 0)
		return;
	for (guint i = 0; i < track->items->len; i++) {
		const Item *item = track->items->pdata[i];
		if (strcmp(item->path, change->target) == 0 &&
		    mlv_partial_has(partial, item->target) &&
		    !mlv_partial_expects(partial, item->target, change->path)) {
			g_autofree char *path = g_strdup(change->path);
			if (g_str_has_suffix(path, "/"))
				path[strlen(path) - 1] = '\0';
			mlv_partial_include(partial, item->target, path);
		}
	}
}

static void pass_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	Track *track = data;

	track->result->problems = TRUE;
	if (track->options->problem)
		track->options->problem(type, path, why, track->options->data);
}

static void pass_progress(guint64 bytes, guint64 files, gpointer data)
{
	const Track *track = data;

	if (track->options->progress)
		track->options->progress(bytes, files, track->options->data);
}

static gboolean is_whole(const Item *item)
{
	return strcmp(item->path, item->target) == 0;
}

/* The target's pointer with all its parts in it that were named. */
static gboolean put_parts(Track *track, const Item *item, MlvStoreWriter *writer,
			  MlvPointer *pointer, GError **error)
{
	g_autoptr(GArray) edits = g_array_new(FALSE, FALSE, sizeof(MlvSpliceEdit));
	const MlvPart first = part_of(track, item);

	for (guint i = 0; i < track->items->len; i++) {
		const Item *other = track->items->pdata[i];
		const MlvPointer *now = &other->result.pointer;
		const MlvPart part = part_of(track, other);

		if (is_whole(other) || strcmp(other->target, item->target) != 0 ||
		    !other->result.complete)
			continue;
		MlvSpliceEdit edit = { .path = mlv_part_below(&part) };
		if (other->result.present)
			edit.entry = (MlvTreeEntry){ .mode = now->mode,
						     .ref = now->ref,
						     .files = now->files,
						     .bytes = now->bytes };
		g_array_append_val(edits, edit);
	}
	*pointer = item->base;
	return mlv_part_read_target(&first, pointer, error) &&
	       mlv_part_splice(track->local, item->target, edits, writer, pointer, error);
}

static void stage_removal(Track *track, const Item *item, MlvStaging *stage)
{
	mlv_staging_remove_pointer(stage, item->target);
	mlv_partial_forget(track->local->partial, item->target);
	track->result->staged++;
	track->options->added(item->path, &item->base, FALSE, TRUE, TRUE, track->options->data);
}

/* Whether the data are those that are staged while git has moved their pointer, as stash pop does:
 * that is not to be undone unasked. */
static gboolean is_behind(const Track *track, const Item *item, const MlvPointer *pointer,
			  const MlvTracked *staged)
{
	return track->all && item->has_base && !mlv_pointer_equal(pointer, &item->base) && staged &&
	       staged->stage == 0 && !staged->error && mlv_pointer_equal(&staged->pointer, pointer);
}

/* Gives what is to be staged for the item. `current`: the new pointers of targets that were staged
 * as a whole, or with all their parts; NULL for one that is gone. */
static gboolean stage_item(Track *track, Item *item, MlvStoreWriter *writer, MlvStaging *stage,
			   GHashTable *current, GPtrArray *index, GError **error)
{
	MlvPointer pointer = item->result.pointer;
	const MlvTracked *staged = mlv_tracked_find(index, item->target);
	const MlvPointer *now = g_hash_table_lookup(current, item->target);
	gboolean whole = is_whole(item);

	if (!item->result.complete)
		return TRUE; /* what was named as a problem keeps the pointer from being written */
	if (whole && !item->result.present) {
		if (item->tracked)
			stage_removal(track, item, stage);
		g_hash_table_replace(current, g_strdup(item->target), NULL);
		return TRUE;
	}
	if (!whole && !now && g_hash_table_contains(current, item->target))
		return TRUE;
	if (!whole && now)
		pointer = *now;
	else if (!whole && !put_parts(track, item, writer, &pointer, error))
		return FALSE;
	g_hash_table_replace(current, g_strdup(item->target), g_memdup2(&pointer, sizeof(pointer)));
	if (is_behind(track, item, &pointer, staged)) {
		pass_problem(MLV_PROBLEM_REFUSED, item->path,
			     "git has moved its pointer, and the data are those of before: 'mlv "
			     "checkout' brings them in line, 'mlv add' keeps them",
			     track);
		return TRUE;
	}
	gboolean changed = !item->has_base || !mlv_pointer_equal(&pointer, &item->base);
	if (changed || !staged || staged->stage != 0 || staged->error ||
	    !mlv_pointer_equal(&staged->pointer, &pointer)) {
		mlv_staging_pointer(stage, item->target, &pointer);
		track->result->staged++;
	}
	track->options->added(item->path, whole ? &pointer : &item->result.pointer, !item->tracked,
			      changed, !item->result.present, track->options->data);
	return TRUE;
}

static gboolean has_parts(const Track *track)
{
	for (guint i = 0; i < track->items->len; i++) {
		if (!is_whole(track->items->pdata[i]))
			return TRUE;
	}
	return FALSE;
}

static gboolean stage_items(Track *track, MlvStoreWriter *writer, GError **error)
{
	g_autoptr(MlvStaging) stage = mlv_staging_new(track->local->repo);
	g_autoptr(GHashTable) current =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) index = NULL;

	/* Under the lock another's pointer may be read, of which the store must know the objects. */
	if ((has_parts(track) &&
	     (!mlv_staging_lock(stage, error) || !mlv_store_refresh(track->local->store, error))) ||
	    !(index = mlv_git_pointers_in_index(track->local->repo, error)))
		return FALSE;
	for (guint i = 0; i < track->items->len; i++)
		if (!stage_item(track, track->items->pdata[i], writer, stage, current, index,
				error))
			return FALSE;
	return mlv_staging_commit(stage, error) && mlv_partial_save(track->local->partial, error);
}

static gboolean snapshot_items(Track *track, MlvStoreWriter *writer, MlvStatWriter *cache_writer,
			       GError **error)
{
	MlvSnapshotOptions options = {
		.repo = track->local->repo,
		.store = track->local->store,
		.cache = track->local->cache,
		.cache_writer = cache_writer,
		.partial = track->local->partial,
		.writer = writer,
		.threads = track->options->threads,
		.cancel = track->options->cancel,
		.done = snapshot_done,
		.problem = pass_problem,
		.progress = pass_progress,
		.data = track,
	};
	for (guint i = 0; i < track->items->len; i++) {
		const Item *item = track->items->pdata[i];
		if (item->has_base &&
		    mlv_snapshot_is_unbrought(&options, item->target, &item->base))
			mlv_partial_begin(track->local->partial, item->target);
		if (mlv_partial_has(track->local->partial, item->target))
			options.change = include_new;
	}
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&options);

	for (guint i = 0; i < track->items->len; i++) {
		Item *item = track->items->pdata[i];
		gboolean whole = is_whole(item);
		const MlvPointer *base = whole ? (item->has_base ? &item->base : NULL) : NULL;

		MlvPart part = part_of(track, item);
		if (!whole &&
		    !mlv_part_find(&part, &item->base, &item->part, &item->has_part, error))
			return FALSE;
		if (!whole && item->has_part)
			base = &item->part;
		if (!mlv_snapshot_target(snapshot, item->path, item->target, base, item, error))
			return FALSE;
	}
	return mlv_snapshot_finish(snapshot, error);
}

static gboolean run(Track *track, GError **error)
{
	MlvLocal *local = track->local;

	if (track->options->dry_run) {
		for (guint i = 0; i < track->items->len; i++) {
			Item *item = track->items->pdata[i];
			track->options->added(item->path, &item->base, !item->tracked, TRUE,
					      !exists(local->repo, item->path),
					      track->options->data);
		}
		return TRUE;
	}
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(local->store, &local->write);
	g_autoptr(MlvStatWriter) cache_writer =
		mlv_statcache_writer_new(local->cache, mlv_stat_fs_now(local->repo));
	if (!snapshot_items(track, writer, cache_writer, error) ||
	    !stage_items(track, writer, error))
		return FALSE;
	track->result->stored = mlv_store_writer_written(writer);
	return mlv_statcache_writer_commit(cache_writer, error);
}

gboolean mlv_track_add(MlvLocal *local, const char *const *paths, gsize count,
		       const MlvTrackOptions *options, MlvTrackResult *result, GError **error)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(local->repo, FALSE, error);
	g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Track track = { local, options, result, pointers, items, seen, FALSE };

	memset(result, 0, sizeof(*result));
	if (!pointers)
		return FALSE;
	for (gsize i = 0; i < count; i++)
		if (!take_path(&track, paths[i], error))
			return FALSE;
	/* Another mlv may have written what a pointer names after this one opened the store. */
	if (has_parts(&track) && !mlv_store_refresh(local->store, error))
		return FALSE;
	return run(&track, error);
}

gboolean mlv_track_update_all(MlvLocal *local, const MlvTrackOptions *options,
			      MlvTrackResult *result, GError **error)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(local->repo, FALSE, error);
	g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Track track = { local, options, result, pointers, items, seen, TRUE };

	memset(result, 0, sizeof(*result));
	if (!pointers)
		return FALSE;
	for (guint i = 0; i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];
		if (!tracked->lock)
			add_item(&track, tracked->path, tracked);
	}
	return run(&track, error);
}
