/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/outs.h"

#include <string.h>

#include "core/checkout.h"
#include "core/pipeline/enter.h"
#include "core/whole.h"
#include "core/workspace.h"

/* An output that is git's goes into the store as well if it is no larger, for the run cache. */
#define SMALL (1u << 20)

/* --- before a run ----------------------------------------------------------------------------- */

static const MlvLocal *local_of(const MlvHeldSet *held)
{
	return mlv_held_options(held)->local;
}

/* What has a pointer is data of its own: neither an output nor a place for one. */
static gboolean check_pointers(MlvHeldSet *held, const MlvOut *out, GError **error)
{
	const GPtrArray *targets = mlv_held_targets(held, error);
	const char *rest = "";

	if (!targets)
		return FALSE;
	const MlvTracked *cover = mlv_tracked_cover(targets, out->path, &rest);
	if (!cover || cover->lock)
		return TRUE;
	if (*rest)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s', an output, lies in '%s', which is tracked by itself; choose "
				"another place for it",
				out->path, cover->path);
	return mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' is an output and has a pointer too; first run: mlv rm --cached '%s'",
			out->path, out->path);
}

gboolean mlv_outs_check(MlvHeldSet *held, const MlvStage *stage, GError **error)
{
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		if (!check_pointers(held, out, error))
			return FALSE;
		if (out->cache &&
		    (!mlv_pointer_check_target(out->path, error) ||
		     !mlv_entering_check_output(local_of(held)->repo, out->path, error)))
			return FALSE;
	}
	return TRUE;
}

static gboolean make_folder_of(int root, const char *path, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = g_strndup(path, slash ? (gsize)(slash - path) : 0);

	return !slash || mlv_workspace_make_dirs(root, folder, error);
}

gboolean mlv_outs_clear(MlvHeldSet *held, const MlvStage *stage, gboolean all, GError **error)
{
	int root = mlv_repo_root_fd(local_of(held)->repo);

	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		mlv_held_forget(held, out->path);
		if (((all || !out->persist) && !mlv_workspace_clear(root, out->path, error)) ||
		    !make_folder_of(root, out->path, error))
			return FALSE;
		mlv_partial_forget(local_of(held)->partial, out->path);
	}
	return mlv_partial_save(local_of(held)->partial, error);
}

/* --- after it --------------------------------------------------------------------------------- */

static gboolean check_made(const MlvStage *stage, const MlvOut *out, const MlvHeld *now,
			   GError **error)
{
	if (!now || now->type == MLV_HELD_NOTHING || now->type == MLV_HELD_AWAY)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"it ended well and has not made its output '%s'", out->path);
	if (now->type == MLV_HELD_UNREAD)
		return mlv_fail(error, MLV_ERROR_FAILED, "its output '%s' cannot be taken: %s",
				out->path, now->why);
	if (out->folder && now->pointer.mode != MLV_MODE_DIRECTORY)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"its output '%s' is written with a slash at its end and is no "
				"folder",
				out->written);
	return TRUE;
}

/* Stores a small file of git's too; a larger one, or a folder, is only looked at. */
static gboolean store_uncached(MlvHeldSet *held, const char *path, MlvStoreWriter *writer,
			       GError **error)
{
	if (!mlv_held_store(held, &path, 1, NULL, error))
		return FALSE;
	const MlvHeld *now = mlv_held_get(held, path);
	if (!writer || !now || now->type != MLV_HELD_HERE ||
	    now->pointer.mode == MLV_MODE_DIRECTORY || now->pointer.bytes > SMALL)
		return TRUE;
	return mlv_held_store(held, &path, 1, writer, error);
}

gboolean mlv_outs_take(MlvHeldSet *held, const MlvStage *stage, MlvStoreWriter *writer,
		       MlvLockStage *block, GError **error)
{
	g_autoptr(GPtrArray) cached = g_ptr_array_new();

	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		if (out->cache)
			g_ptr_array_add(cached, out->path);
		else if (!store_uncached(held, out->path, writer, error))
			return FALSE;
	}
	if (cached->len > 0 &&
	    !mlv_held_store(held, (const char *const *)cached->pdata, cached->len, writer, error))
		return FALSE;
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		const MlvHeld *now = mlv_held_get(held, out->path);
		if (!check_made(stage, out, now, error))
			return FALSE;
		MlvLockPath *entry = mlv_lock_path_new(out->path, &now->pointer, NULL);
		entry->no_cache = !out->cache;
		entry->no_push = !out->push;
		g_ptr_array_add(block->outs, entry);
	}
	return TRUE;
}

/* --- from the store --------------------------------------------------------------------------- */

struct MlvRestore {
	MlvHeldSet *held;
	MlvHeldOptions options;
	GHashTable *paths; /* path -> MlvPointer */
	MlvMarks *whole;   /* what was found to be here with all below it */
};

MlvRestore *mlv_restore_new(MlvHeldSet *held, const MlvHeldOptions *options)
{
	MlvRestore *restore = g_new0(MlvRestore, 1);

	restore->held = held;
	restore->options = *options;
	restore->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	restore->whole = mlv_marks_new();
	return restore;
}

void mlv_restore_free(MlvRestore *restore)
{
	if (!restore)
		return;
	g_hash_table_unref(restore->paths);
	mlv_marks_free(restore->whole);
	g_free(restore);
}

/* Whether the work tree, or what is planned for it, has it already. */
static gboolean is_there(MlvRestore *restore, const char *path, const MlvPointer *pointer)
{
	const MlvHeld *now = mlv_held_get(restore->held, path);

	return now && (now->type == MLV_HELD_HERE || now->type == MLV_HELD_PENDING) &&
	       mlv_pointer_equal(&now->pointer, pointer);
}

gboolean mlv_restore_has(MlvRestore *restore, const MlvPointer *pointer, gboolean *has,
			 GError **error)
{
	return mlv_whole(restore->options.local->store, &pointer->ref, restore->whole, has, error);
}

gboolean mlv_restore_can(MlvRestore *restore, const MlvStage *stage, const MlvLockStage *entry,
			 gboolean *can, GError **error)
{
	*can = TRUE;
	for (guint i = 0; *can && i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		const MlvLockPath *was = mlv_lock_stage_out(entry, out->path);
		*can = was && !was->etag;
		if (*can && !is_there(restore, out->path, &was->held) &&
		    !mlv_restore_has(restore, &was->held, can, error))
			return FALSE;
	}
	return TRUE;
}

void mlv_restore_plan_path(MlvRestore *restore, const char *path, const MlvPointer *pointer)
{
	if (is_there(restore, path, pointer))
		return;
	g_hash_table_replace(restore->paths, g_strdup(path), g_memdup2(pointer, sizeof(*pointer)));
	mlv_held_put(restore->held, path, pointer);
}

void mlv_restore_plan(MlvRestore *restore, const MlvStage *stage, const MlvLockStage *entry)
{
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		const MlvLockPath *was = mlv_lock_stage_out(entry, out->path);
		mlv_restore_plan_path(restore, out->path, &was->held);
	}
}

gboolean mlv_restore_is_planned(const MlvRestore *restore)
{
	return g_hash_table_size(restore->paths) > 0;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean run_checkout(MlvRestore *restore, const GPtrArray *paths, GError **error)
{
	MlvLocal *local = restore->options.local;
	MlvCheckoutOptions options = { .repo = local->repo,
				       .store = local->store,
				       .cache = local->cache,
				       .partial = local->partial,
				       .force = TRUE,
				       .threads = restore->options.threads,
				       .cancel = restore->options.cancel };
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(&options);

	for (guint i = 0; i < paths->len; i++) {
		const MlvPointer *pointer = g_hash_table_lookup(restore->paths, paths->pdata[i]);
		if (!mlv_checkout_target(checkout, paths->pdata[i], pointer, NULL, error))
			return FALSE;
	}
	return mlv_checkout_plan(checkout, error) && mlv_checkout_check(checkout, error) &&
	       mlv_checkout_apply(checkout, error);
}

gboolean mlv_restore_run(MlvRestore *restore, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	GHashTableIter at;
	gpointer path;

	if (g_hash_table_size(restore->paths) == 0)
		return TRUE;
	g_hash_table_iter_init(&at, restore->paths);
	while (g_hash_table_iter_next(&at, &path, NULL)) {
		g_ptr_array_add(paths, path);
		mlv_partial_forget(restore->options.local->partial, path);
	}
	g_ptr_array_sort(paths, by_path);
	/* The checkout writes the stat cache anew. */
	if (!mlv_held_save(restore->held, error) || !run_checkout(restore, paths, error) ||
	    !mlv_held_reopen(restore->held, error))
		return FALSE;
	for (guint i = 0; i < paths->len; i++)
		mlv_held_forget(restore->held, paths->pdata[i]);
	g_hash_table_remove_all(restore->paths);
	return TRUE;
}
