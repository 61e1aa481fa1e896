/* SPDX-License-Identifier: Apache-2.0 */
#include "core/collect.h"

#include <string.h>

#include "core/git_tree.h"
#include "core/pipeline/runcache.h"
#include "core/pipeline/runlog.h"
#include "core/reach.h"
#include "core/workspace.h"
#include "storage/error.h"

#define READINGS_MAX 100
#define ID_PREFIX    "sha256:"

typedef struct {
	MlvStore *store;
	MlvMarks *marks;
	const volatile sig_atomic_t *cancel;
} Marking;

/* Every object that a text names, whatever is wrong with the text: conflict markers, a version to
 * come. */
static gboolean mark_text(Marking *marking, GBytes *text, GError **error)
{
	static const MlvKind kinds[] = { MLV_KIND_TREE, MLV_KIND_LIST, MLV_KIND_BLOB };
	gsize length;
	const char *at = g_bytes_get_data(text, &length);
	const char *end = at + length;
	char hex[MLV_ID_HEX + 1] = { 0 };
	MlvId id;

	while ((at = memmem(at, (gsize)(end - at), ID_PREFIX, strlen(ID_PREFIX)))) {
		at += strlen(ID_PREFIX);
		if (end - at < MLV_ID_HEX)
			break;
		memcpy(hex, at, MLV_ID_HEX);
		for (gsize i = 0; mlv_id_parse(hex, &id) && i < G_N_ELEMENTS(kinds); i++)
			if (!mlv_sweep_mark(marking->store, kinds[i], &id, marking->marks, error))
				return FALSE;
	}
	return TRUE;
}

static gboolean mark(const MlvReached *reached, gpointer user, GError **error)
{
	Marking *marking = user;
	gboolean ok;

	if (marking->cancel && *marking->cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	ok = reached->error
		     ? mark_text(marking, reached->text, error)
		     : mlv_sweep_mark(marking->store, mlv_ref_chunk_kind(&reached->pointer.ref),
				      &reached->pointer.ref.id, marking->marks, error);
	if (!ok)
		g_prefix_error(error,
			       "nothing was dropped, since what '%s' (%s) needs cannot be read "
			       "('mlv fsck --repair' may help): ",
			       reached->path, reached->where);
	return ok;
}

/* Where pointers lie, and what they track: everywhere else nothing is written. */
static void sweep_workspace(MlvRepo *repo)
{
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_workspace(repo, FALSE, NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	int root = mlv_repo_root_fd(repo);

	for (guint i = 0; pointers && i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];
		const char *slash = strrchr(tracked->path, '/');
		char *folder = g_strndup(tracked->path, slash ? (gsize)(slash - tracked->path) : 0);
		gboolean fresh = g_hash_table_add(seen, folder);
		g_auto(MlvFd) fd = fresh ? mlv_workspace_open_dir(root, folder, NULL) : -1;

		if (fd >= 0)
			mlv_workspace_sweep(fd);
		if (!tracked->error && tracked->pointer.ref.kind == MLV_KIND_TREE)
			mlv_workspace_sweep_below(root, tracked->path);
	}
}

/* Entries of the run cache and logs that were not used within the grace period, if there is one. */
static gint64 runs_since(const MlvSweepOptions *options)
{
	if (options->grace > (guint64)options->now)
		return G_MININT64;
	return options->now - (gint64)options->grace + (options->grace == 0);
}

gboolean mlv_collect_run(MlvRepo *repo, MlvStore *store, const MlvSweepOptions *options,
			 MlvSweepResult *result, GError **error)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autoptr(MlvReach) reach = mlv_reach_new(repo, store);
	Marking marking = { .store = store, .marks = marks, .cancel = options->cancel };
	gboolean fresh = TRUE;
	guint64 removed;

	mlv_reach_set_runs_since(reach, runs_since(options));
	if (!options->dry_run && !mlv_collect_register(store, repo, error))
		return FALSE;
	for (int readings = 0; fresh; readings++) {
		if (readings == READINGS_MAX)
			return mlv_fail(error, MLV_ERROR_FAILED,
					"the repository changes faster than it can be read; "
					"nothing was dropped");
		if (!mlv_reach_read(reach, mark, &marking, &fresh, error))
			return FALSE;
	}
	g_clear_pointer(&reach, mlv_reach_free);
	if (!options->dry_run && mlv_repo_root(repo))
		sweep_workspace(repo);
	/* Entries go before what they name: one that is there can be relied on. */
	if (!options->dry_run && (!mlv_runcache_sweep(repo, runs_since(options), &removed, error) ||
				  !mlv_runlog_sweep(repo, runs_since(options), error)))
		return FALSE;
	return mlv_sweep_run(store, marks, options, result, error);
}
