/* SPDX-License-Identifier: Apache-2.0 */
#include "core/diff_workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/file.h"

typedef struct {
	MlvLocal *local;
	const MlvDiffWorkspaceOptions *options;
	MlvCompare *compare;
	MlvSnapshot *snapshot;
	gboolean problems;
	GError *failure; /* met in a callback */
} Diff;

static void take_change(const MlvChange *change, gpointer data)
{
	Diff *diff = data;

	if (!diff->failure)
		mlv_compare_add(diff->compare, change, &diff->failure);
}

static void take_result(const MlvSnapshotResult *result, gpointer data)
{
}

static void tell_problem(Diff *diff, const char *path, const char *why)
{
	diff->problems = TRUE;
	if (diff->options->problem)
		diff->options->problem(path, why, diff->options->user);
}

static void take_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	tell_problem(data, path, why);
}

static void pass_progress(guint64 bytes, guint64 files, gpointer data)
{
	const Diff *diff = data;

	if (diff->options->progress)
		diff->options->progress(bytes, files, diff->options->user);
}

/* A directory can be compared only if its tree is here. */
static gboolean can_compare(Diff *diff, const MlvPointer *base, gboolean *can, GError **error)
{
	MlvSource *source = mlv_store_source(diff->local->store);

	*can = TRUE;
	return !base || base->ref.kind != MLV_KIND_TREE ||
	       source->has(source, mlv_ref_chunk_kind(&base->ref), &base->ref.id, can, error);
}

static gboolean is_present(const Diff *diff, const char *path)
{
	int fd = mlv_file_open_beneath(mlv_repo_root_fd(diff->local->repo), path,
				       O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != ENOENT;
}

/* `tracked`: the index has the target, so what lies in the work tree counts. */
static gboolean compare_one(Diff *diff, const char *path, const MlvTracked *from,
			    const MlvTracked *tracked, GError **error)
{
	const MlvPointer *base = from ? &from->pointer : NULL;
	gboolean can;

	if (!mlv_pathspec_may_match_below(diff->options->paths, path))
		return TRUE;
	if (from && from->error) {
		tell_problem(diff, path, from->error->message);
		return TRUE;
	}
	if (!tracked)
		return mlv_compare_target(diff->compare, path, base, NULL, error);
	if (!can_compare(diff, base, &can, error))
		return FALSE;
	/* What was never brought here is as its pointer says. */
	if (!can && !tracked->error && !is_present(diff, path))
		return mlv_compare_target(diff->compare, path, base, &tracked->pointer, error);
	if (!can) {
		tell_problem(diff, path,
			     "not compared: its objects are not here; 'mlv fetch' brings them");
		return TRUE;
	}
	return mlv_snapshot_target(diff->snapshot, path, path, base, NULL, error);
}

static gboolean compare_all(Diff *diff, const GPtrArray *from, GError **error)
{
	g_autoptr(GPtrArray) index = mlv_git_pointers_in_index(diff->local->repo, error);
	guint i = 0, j = 0;

	if (!index)
		return FALSE;
	while (i < from->len || j < index->len) {
		const MlvTracked *a = i < from->len ? from->pdata[i] : NULL;
		const MlvTracked *b = j < index->len ? index->pdata[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
		const char *path = order <= 0 ? a->path : b->path;

		i += order <= 0;
		j += order >= 0;
		/* A path in conflict stands there up to three times. */
		while (order >= 0 && j < index->len &&
		       strcmp(((MlvTracked *)index->pdata[j])->path, path) == 0)
			j++;
		while (order <= 0 && i < from->len &&
		       strcmp(((MlvTracked *)from->pdata[i])->path, path) == 0)
			i++;
		if (!compare_one(diff, path, order <= 0 ? a : NULL, order >= 0 ? b : NULL, error))
			return FALSE;
	}
	return mlv_snapshot_finish(diff->snapshot, error);
}

gboolean mlv_diff_workspace(MlvLocal *local, const GPtrArray *from,
			    const MlvDiffWorkspaceOptions *options, MlvCompare *compare,
			    gboolean *problems, GError **error)
{
	g_autoptr(MlvStatWriter) cache_writer =
		mlv_statcache_writer_new(local->cache, mlv_stat_fs_now(local->repo));
	Diff diff = { .local = local, .options = options, .compare = compare };
	MlvSnapshotOptions snapshot_options = {
		.repo = local->repo,
		.store = local->store,
		.cache = local->cache,
		.cache_writer = cache_writer,
		.partial = local->partial,
		.threads = options->threads,
		.cancel = options->cancel,
		.done = take_result,
		.change = take_change,
		.problem = take_problem,
		.progress = pass_progress,
		.data = &diff,
	};
	g_autoptr(MlvSnapshot) snapshot = mlv_snapshot_new(&snapshot_options);
	gboolean ok;

	diff.snapshot = snapshot;
	ok = compare_all(&diff, from, error);
	*problems = diff.problems;
	if (ok && diff.failure) {
		g_propagate_error(error, g_steal_pointer(&diff.failure));
		return FALSE;
	}
	g_clear_error(&diff.failure);
	/* Losing the cache costs time only. */
	if (ok)
		mlv_statcache_writer_commit(cache_writer, NULL);
	return ok;
}
