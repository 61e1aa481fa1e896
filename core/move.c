/* SPDX-License-Identifier: Apache-2.0 */
#include "core/move.h"

#include <fcntl.h>
#include <string.h>

#include "core/checkout.h"
#include "core/git_staging.h"
#include "core/import_record.h"
#include "core/target.h"
#include "core/workspace.h"

typedef struct {
	char *from, *to;
	const MlvTracked *source; /* the target that `from` is or lies in */
	const MlvTracked
		*into; /* the tracked directory that `to` lies in; NULL for whole targets */
	const MlvTracked *over; /* the target that stands at `to` and goes, or NULL */
	gboolean here;          /* the data is in the work tree */
	gboolean is_dir;
	gboolean replaces; /* something stands at `to` and goes */
	gboolean known;    /* a file: `ref` is its content */
	MlvRef ref;
} Rename;

struct MlvMove {
	MlvLocal *local;
	gboolean force;
	GPtrArray *targets; /* MlvTracked */
	GPtrArray *renames; /* Rename */
	GPtrArray *parts;   /* char * */
};

static void rename_free(gpointer data)
{
	Rename *one = data;

	g_free(one->from);
	g_free(one->to);
	g_free(one);
}

MlvMove *mlv_move_new(MlvLocal *local, gboolean force, GError **error)
{
	GPtrArray *targets = mlv_select_targets(local->repo, error);

	if (!targets)
		return NULL;
	MlvMove *move = g_new0(MlvMove, 1);
	move->local = local;
	move->force = force;
	move->targets = targets;
	move->renames = g_ptr_array_new_with_free_func(rename_free);
	move->parts = g_ptr_array_new();
	return move;
}

void mlv_move_free(MlvMove *move)
{
	if (!move)
		return;
	g_ptr_array_unref(move->parts);
	g_ptr_array_unref(move->renames);
	g_ptr_array_unref(move->targets);
	g_free(move);
}

const GPtrArray *mlv_move_parts(const MlvMove *move)
{
	return move->parts;
}

/* What stands at a path beneath the root; a folder above that is not there is nothing. */
static gboolean look(MlvMove *move, const char *path, MlvStat *st, gboolean *exists, GError **error)
{
	g_autoptr(GError) local = NULL;
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = g_strndup(path, slash ? (gsize)(slash - path) : 0);
	g_auto(MlvFd) fd =
		mlv_workspace_open_dir(mlv_repo_root_fd(move->local->repo), folder, &local);

	*exists = FALSE;
	if (fd >= 0)
		return mlv_workspace_stat(fd, slash ? slash + 1 : path, st, exists, path, error);
	if (g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

static gboolean lies_in(const char *path, const char *folder)
{
	gsize length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* Where a whole target may go. */
static gboolean check_target(MlvMove *move, Rename *one, GError **error)
{
	g_autofree char *example = NULL;
	gboolean tracks;

	if (one->source->error)
		return mlv_fail(error, MLV_ERROR_FAILED, "the pointer of '%s' cannot be read: %s",
				one->from, one->source->error->message);
	if (one->into)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"'%s' has a pointer of its own and would come to lie in the tracked "
			"directory '%s'; "
			"run 'mlv rm --cached' on it first, move it, and add '%s'",
			one->from, one->into->path, one->into->path);
	if (!mlv_pointer_check_target(one->to, error) ||
	    !mlv_git_check_own(move->local->repo, one->to, error) ||
	    !mlv_git_tracks(move->local->repo, one->to, &tracks, &example, error))
		return FALSE;
	return !tracks || mlv_fail(error, MLV_ERROR_EXISTS, "git tracks '%s'", example);
}

/* Where a part of a tracked directory may go. */
static gboolean check_part(MlvMove *move, Rename *one, GError **error)
{
	if (!one->here)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"'%s' is not here; 'mlv pull -- %s' brings it", one->from,
				one->from);
	if (!one->into)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' lies in the tracked directory '%s' and '%s' in none; "
				"move it by hand, then add both",
				one->from, one->source->path, one->to);
	if (one->into->error || one->into->pointer.ref.kind != MLV_KIND_TREE)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' is no tracked directory",
				one->into->path);
	return TRUE;
}

static gboolean check_place(MlvMove *move, Rename *one, const MlvStat *there, gboolean exists,
			    GError **error)
{
	if (!exists &&
	    (!one->over || move->force)) /* data that was not brought can be in the way too */
		return TRUE;
	/* An earlier try may have been killed between renaming and staging. */
	if (exists && !one->here && !one->into && !one->over)
		return TRUE;
	if (!move->force || (there->mode == MLV_MODE_DIRECTORY && !one->over))
		return mlv_fail(error, MLV_ERROR_EXISTS, "'%s' exists%s", one->to,
				move->force ? " and is a directory" : "; -f replaces it");
	one->replaces = exists;
	return TRUE;
}

/* A file's content, if the stat cache knows it: a rename changes its ctime. */
static void remember_content(MlvMove *move, Rename *one, const MlvStat *st)
{
	const char *slash = strrchr(one->from, '/');
	g_autofree char *folder = g_strndup(one->from, slash ? (gsize)(slash - one->from) : 0);
	const MlvStatRecord *record = NULL;
	MlvStatDir dir;

	if (mlv_statcache_dir(move->local->cache, folder, &dir))
		record = mlv_statcache_find(&dir, slash ? slash + 1 : one->from);
	one->known = record && mlv_stat_matches(record, st) && (record->flags & MLV_STAT_STORED) &&
		     !mlv_statcache_is_stale(move->local->cache);
	if (!one->known)
		return;
	one->ref = (MlvRef){ .kind = MLV_KIND_BLOB, .depth = record->depth, .size = record->size };
	memcpy(one->ref.id.b, record->id, MLV_ID_SIZE);
}

static gboolean check(MlvMove *move, Rename *one, GError **error)
{
	const MlvTracked *cover;
	const char *rest, *rest_to;
	MlvStat st = { 0 }, there = { 0 };
	gboolean exists;

	one->source = mlv_tracked_cover(move->targets, one->from, &rest);
	if (!one->source)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"'%s' is not tracked by mlv; 'git mv' moves what git tracks, and "
				"folders with the "
				"data and pointers in them",
				one->from);
	if (strcmp(one->from, one->to) == 0 || lies_in(one->to, one->from))
		return mlv_fail(error, MLV_ERROR_USAGE, "cannot move '%s' into itself", one->from);
	cover = mlv_tracked_cover(move->targets, one->to, &rest_to);
	one->into = cover && *rest_to ? cover : NULL;
	one->over = cover && !*rest_to ? cover : NULL;
	if (!mlv_target_check_own(one->source, error) ||
	    (cover && !mlv_target_check_own(cover, error)))
		return FALSE;
	if (!look(move, one->from, &st, &one->here, error) ||
	    !look(move, one->to, &there, &exists, error))
		return FALSE;
	one->is_dir = st.mode == MLV_MODE_DIRECTORY;
	if (*rest ? !check_part(move, one, error) : !check_target(move, one, error))
		return FALSE;
	if (*rest && one->over)
		return mlv_fail(error, MLV_ERROR_EXISTS, "'%s' is tracked by itself", one->to);
	if (!check_place(move, one, &there, exists, error))
		return FALSE;
	if (one->here && !one->is_dir)
		remember_content(move, one, &st);
	return TRUE;
}

gboolean mlv_move_add(MlvMove *move, const char *from, const char *to, GError **error)
{
	g_autofree char *data_from = mlv_pointer_is_path(from) ? mlv_pointer_data_path(from) : NULL;
	g_autofree char *data_to = mlv_pointer_is_path(to) ? mlv_pointer_data_path(to) : NULL;
	Rename *one = g_new0(Rename, 1);

	/* A pointer's own name stands for its data. */
	if (data_from && mlv_tracked_find(move->targets, data_from)) {
		from = data_from;
		to = data_to ? data_to : to;
	}
	one->from = g_strdup(from);
	one->to = g_strdup(to);
	for (guint i = 0; i < move->renames->len; i++) {
		const Rename *other = move->renames->pdata[i];
		if (strcmp(other->to, to) == 0) {
			rename_free(one);
			return mlv_fail(error, MLV_ERROR_USAGE,
					"'%s' and '%s' cannot both become '%s'", other->from, from,
					to);
		}
	}
	if (!check(move, one, error)) {
		rename_free(one);
		return FALSE;
	}
	g_ptr_array_add(move->renames, one);
	return TRUE;
}

/* --- carrying out ----------------------------------------------------------------------------- */

static gboolean clear_place(MlvMove *move, const Rename *one, GError **error)
{
	MlvCheckoutOptions options = { .repo = move->local->repo,
				       .store = move->local->store,
				       .cache = move->local->cache,
				       .partial = move->local->partial,
				       .force = TRUE,
				       .exact = TRUE };
	const MlvPointer *base = one->over && !one->over->error ? &one->over->pointer : NULL;

	if (!one->replaces)
		return TRUE;
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(&options);
	return mlv_checkout_target(checkout, one->to, NULL, base, error) &&
	       mlv_checkout_plan(checkout, error) && mlv_checkout_apply(checkout, error);
}

static gboolean renew_cache(MlvMove *move, MlvStatWriter *writer, const Rename *one, GError **error)
{
	MlvStat st;
	gboolean exists;

	if (one->is_dir) {
		mlv_statcache_writer_move(writer, move->local->cache, one->from, one->to);
		return TRUE;
	}
	if (!look(move, one->to, &st, &exists, error))
		return FALSE;
	mlv_statcache_writer_set(writer, one->from, NULL, NULL);
	mlv_statcache_writer_set(writer, one->to, one->known && exists ? &st : NULL, &one->ref);
	return TRUE;
}

/* Where imported data came from goes with them. */
static gboolean stage_record(MlvMove *move, const Rename *one, MlvStaging *stage, GError **error)
{
	g_autofree char *from = mlv_import_record_path(one->from);
	g_autofree char *to = mlv_import_record_path(one->to);
	g_autoptr(GError) failed = NULL;
	g_autoptr(GBytes) bytes =
		mlv_repo_read_file(move->local->repo, from, MLV_IMPORT_RECORD_MAX, &failed);

	if (bytes)
		mlv_staging_bytes(stage, to, bytes, 0100644, TRUE);
	if (bytes || g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

static gboolean apply_one(MlvMove *move, const Rename *one, MlvStaging *stage,
			  MlvStatWriter *writer, GError **error)
{
	int root = mlv_repo_root_fd(move->local->repo);
	MlvPartial *partial = move->local->partial;

	if (!clear_place(move, one, error) ||
	    (one->here && (!mlv_workspace_rename(root, one->from, one->to, error) ||
			   !renew_cache(move, writer, one, error))))
		return FALSE;
	if (!one->into) {
		if (one->over)
			mlv_staging_remove_pointer(stage, one->to);
		if (!stage_record(move, one, stage, error))
			return FALSE;
		mlv_staging_remove_pointer(stage, one->from);
		mlv_staging_pointer(stage, one->to, &one->source->pointer);
		mlv_partial_forget(partial, one->to);
		mlv_partial_rename(partial, one->from, one->to);
		return TRUE;
	}
	mlv_partial_include(partial, one->source->path, one->from);
	mlv_partial_include(partial, one->into->path, one->to);
	g_ptr_array_add(move->parts, one->from);
	g_ptr_array_add(move->parts, one->to);
	return TRUE;
}

gboolean mlv_move_apply(MlvMove *move, GError **error)
{
	g_autoptr(MlvStaging) stage = mlv_staging_new(move->local->repo);
	g_autoptr(MlvStatWriter) writer =
		mlv_statcache_writer_new(move->local->cache, mlv_stat_fs_now(move->local->repo));
	g_autoptr(GError) local = NULL;
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < move->renames->len; i++)
		ok = apply_one(move, move->renames->pdata[i], stage, writer, &local);
	/* What was moved before something failed is staged all the same. */
	if (!mlv_staging_commit(stage, ok ? error : NULL) ||
	    !mlv_partial_save(move->local->partial, ok ? error : NULL) ||
	    !mlv_statcache_writer_commit(writer, ok ? error : NULL))
		ok = FALSE;
	if (local)
		g_propagate_error(error, g_steal_pointer(&local));
	for (guint i = 0; i < move->renames->len; i++) {
		const Rename *one = move->renames->pdata[i];
		if (!one->into)
			mlv_workspace_prune_above(mlv_repo_root_fd(move->local->repo), one->from);
	}
	return ok;
}
