/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/run_tree.h"

#include "core/local.h"
#include "core/snapshot.h"

typedef struct {
	MlvRepo *repo;
	const MlvGitSnapshotOptions *options;
	GArray *edits; /* of the tree */
	GError *error; /* of a result */
} Data;

static void take_result(const MlvSnapshotResult *result, gpointer user)
{
	Data *data = user;
	gsize length;

	if (data->error || !result->present || !result->complete || result->same)
		return;
	g_autofree char *file = mlv_pointer_path(result->path);
	g_autofree char *text = mlv_pointer_format(&result->pointer, &length);
	mlv_git_edits_add(data->edits, data->repo, file, text, length, &data->error);
}

static void tell_problem(MlvProblemType type, const char *path, const char *why, gpointer user)
{
	const Data *data = user;

	if (data->options->left_out)
		data->options->left_out(path, why, data->options->user);
}

/* A directory whose list was never fetched cannot be compared. */
static gboolean can_compare(MlvStore *store, const MlvTracked *tracked, gboolean *can,
			    GError **error)
{
	MlvSource *source = mlv_store_source(store);
	const MlvRef *ref = &tracked->pointer.ref;

	*can = tracked->stage == 0 && !tracked->error && !tracked->lock;
	return !*can || ref->kind != MLV_KIND_TREE ||
	       source->has(source, mlv_ref_chunk_kind(ref), &ref->id, can, error);
}

static gboolean look(Data *data, MlvLocal *local, const GPtrArray *pointers, GError **error)
{
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(local->store, &local->write);
	g_autoptr(MlvStatWriter) cache_writer =
		mlv_statcache_writer_new(local->cache, mlv_stat_fs_now(data->repo));
	MlvSnapshotOptions options = { .repo = data->repo,
				       .store = local->store,
				       .cache = local->cache,
				       .cache_writer = cache_writer,
				       .partial = local->partial,
				       .writer = writer,
				       .done = take_result,
				       .problem = tell_problem,
				       .data = data };
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&options);

	for (guint i = 0; i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];
		gboolean can;
		if (!can_compare(local->store, tracked, &can, error) ||
		    (can && !mlv_snapshot_target(snapshot, tracked->path, tracked->path,
						 &tracked->pointer, NULL, error)))
			return FALSE;
	}
	if (!mlv_snapshot_finish(snapshot, error))
		return FALSE;
	/* A cache: without it the next command only takes longer. */
	mlv_statcache_writer_commit(cache_writer, NULL);
	if (!data->error)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&data->error));
	return FALSE;
}

gboolean mlv_run_tree(MlvRepo *repo, const MlvGitSnapshotOptions *options, MlvOid *tree,
		      GError **error)
{
	g_autoptr(GArray) edits = mlv_git_edits_new();
	Data data = { .repo = repo, .options = options, .edits = edits };

	if (!mlv_git_snapshot(repo, options, tree, error))
		return FALSE;
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(repo, FALSE, error);
	if (!pointers)
		return FALSE;
	if (pointers->len == 0)
		return TRUE;
	g_autoptr(MlvLocal) local = mlv_local_open(repo, NULL, NULL, error);
	gboolean ok = local && look(&data, local, pointers, error);
	g_clear_error(&data.error);
	MlvOid base = *tree;
	return ok && (edits->len == 0 || mlv_git_edit_tree(repo, &base, edits, tree, error));
}
