/* SPDX-License-Identifier: Apache-2.0 */
/* `mlv runs push` and `pull`: git moves the records, mlv the data that they name. */
#include <string.h>

#include "cmd/runs_call.h"
#include "cmd/sync_words.h"
#include "core/git_run.h"

#define REFS_AT_ONCE 500u

typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	const char *git_remote; /* of git's */
	char **names;           /* the runs that are named */
	guint n_names;
	gboolean records; /* no data */
	GPtrArray *runs;  /* of MlvRunEntry *, borrowed */
} Sync;

/* The first word if git has a remote of that name; else the branch's, else "origin". */
static gboolean take_words(Sync *sync, int argc, char **argv, GError **error)
{
	const MlvConfig *config = mlv_repo_config(sync->repo);
	g_autofree char *first = argc > 1 ? g_strdup_printf("remote.%s.url", argv[1]) : NULL;
	g_autofree char *branch = mlv_git_branch(sync->repo);
	g_autofree char *key = branch ? g_strdup_printf("branch.%s.remote", branch) : NULL;
	gboolean named = first && mlv_config_get(config, first);

	sync->git_remote = named ? argv[1] : key ? mlv_config_get(config, key) : NULL;
	if (!sync->git_remote)
		sync->git_remote = "origin";
	sync->names = argv + 1 + named;
	sync->n_names = (guint)(argc - 1 - named);
	g_autofree char *url = g_strdup_printf("remote.%s.url", sync->git_remote);
	return mlv_config_get(config, url) ||
	       mlv_fail(error, MLV_ERROR_MISSING,
			"git has no remote '%s': 'git remote add' makes one", sync->git_remote);
}

/* Those that have ended: what is under way or queued is this clone's own. */
static gboolean choose_runs(Sync *sync, const GPtrArray *all, GError **error)
{
	for (guint i = 0; i < all->len; i++) {
		MlvRunEntry *entry = all->pdata[i];
		gboolean ended = entry->run->state >= MLV_RUN_DONE;
		if (!ended && sync->n_names > 0)
			return mlv_fail(error, MLV_ERROR_FAILED, "the run '%s' has not ended yet",
					entry->name);
		if (ended)
			g_ptr_array_add(sync->runs, entry);
	}
	return TRUE;
}

/* --- data ------------------------------------------------------------------------------------- */

static gboolean count_pointer(const MlvOid *commit, const MlvTracked *tracked, gpointer user,
			      GError **error)
{
	(*(guint *)user)++;
	return TRUE;
}

/* Each record, and what it began from. */
static gboolean select_data(Sync *sync, MlvSelection *selection, guint *count, GError **error)
{
	for (guint i = 0; i < sync->runs->len; i++) {
		const MlvRunEntry *entry = sync->runs->pdata[i];
		g_autoptr(MlvCommit) commit =
			mlv_git_commit_read(sync->repo, &entry->record, error);
		if (!commit || !mlv_selection_add_commit(selection, &entry->record, FALSE))
			return FALSE;
		if (commit->n_parents > 0)
			mlv_selection_add_commit(selection, &commit->parents[0], FALSE);
	}
	*count = 0;
	return mlv_selection_foreach(selection, count_pointer, count, error);
}

/* mlv's remote of the same name as git's, else the default one. */
static const char *data_remote(const Sync *sync)
{
	g_autofree char *key = g_strdup_printf("mlv-remote.%s.url", sync->git_remote);
	return mlv_config_get(mlv_repo_config(sync->repo), key) ? sync->git_remote : NULL;
}

static gboolean move_data(Sync *sync, gboolean push, GError **error)
{
	g_auto(MlvSyncWords) words = { .cmd = sync->cmd };
	MlvSyncOptions options;
	MlvSyncResult result;
	guint count;

	words.selection = mlv_selection_new(sync->repo);
	if (!select_data(sync, words.selection, &count, error))
		return FALSE;
	if (count == 0 || sync->records)
		return TRUE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(sync->cmd, error);
	g_autoptr(MlvSync) remote =
		local ? mlv_sync_open(sync->repo, data_remote(sync), push, error) : NULL;
	if (!remote ||
	    !mlv_sync_words_options(&words, push ? "sending" : "fetching", &options, error) ||
	    !(push ? mlv_sync_push(remote, local, words.selection, &options, &result, error)
		   : mlv_sync_fetch(remote, local, words.selection, &options, &result, error)))
		return FALSE;
	mlv_sync_words_done(&words, remote->config->name, &result, push ? "sent" : "fetched", NULL);
	if (push && result.lost > 0)
		sync->cmd->status = MLV_EXIT_CHECK;
	return TRUE;
}

/* --- push ------------------------------------------------------------------------------------- */

static gboolean push_named(Sync *sync, GError **error)
{
	for (guint i = 0; i < sync->runs->len; i += REFS_AT_ONCE) {
		g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
		guint end = MIN(i + REFS_AT_ONCE, sync->runs->len);

		g_ptr_array_add(argv, g_strdup("push"));
		g_ptr_array_add(argv, g_strdup("--quiet"));
		g_ptr_array_add(argv, g_strdup(sync->git_remote));
		for (guint j = i; j < end; j++) {
			const MlvRunEntry *entry = sync->runs->pdata[j];
			g_ptr_array_add(argv, g_strdup_printf(MLV_RUN_REFS "%s:" MLV_RUN_REFS "%s",
							      entry->name, entry->name));
		}
		g_ptr_array_add(argv, NULL);
		if (!mlv_git_run(sync->repo, (const char *const *)argv->pdata, error))
			return FALSE;
	}
	return TRUE;
}

/* The references that are not to go along, as git excludes them from a pattern. */
static GPtrArray *excluded(const Sync *sync, GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_list_refs(sync->repo, MLV_RUN_REFS, error);
	g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *words = refs ? g_ptr_array_new_with_free_func(g_free) : NULL;

	for (guint i = 0; i < sync->runs->len; i++)
		g_hash_table_add(wanted, ((MlvRunEntry *)sync->runs->pdata[i])->name);
	for (guint i = 0; refs && i < refs->len; i++) {
		const MlvGitRef *ref = refs->pdata[i];
		if (!g_hash_table_contains(wanted, ref->name + strlen(MLV_RUN_REFS)))
			g_ptr_array_add(words, g_strconcat("^", ref->name, NULL));
	}
	return words;
}

/* All that have ended go by one pattern: git looks each name that it is told up among all
 * references of both sides, which takes minutes for ten thousand. */
static gboolean push_records(Sync *sync, GError **error)
{
	const char *words[] = { "push", "--quiet", sync->git_remote,
				MLV_RUN_REFS "*:" MLV_RUN_REFS "*" };
	g_autoptr(GPtrArray) without = excluded(sync, error);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	if (!without)
		return FALSE;
	if (sync->n_names > 0 || without->len > REFS_AT_ONCE)
		return push_named(sync, error);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		g_ptr_array_add(argv, (gpointer)words[i]);
	g_ptr_array_extend(argv, without, NULL, NULL);
	g_ptr_array_add(argv, NULL);
	return mlv_git_run(sync->repo, (const char *const *)argv->pdata, error);
}

static void sync_options(GOptionEntry *entries, Sync *sync)
{
	entries[0] = (GOptionEntry){ "records",
				     0,
				     0,
				     G_OPTION_ARG_NONE,
				     &sync->records,
				     "only the records, not the data that they name",
				     NULL };
	entries[1] = (GOptionEntry){ NULL };
}

/* Data first: a record that has arrived can be brought back. */
gboolean mlv_cmd_runs_push(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Sync sync = { .cmd = cmd };
	GOptionEntry entries[2];

	sync_options(entries, &sync);
	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REMOTE] [RUN...]\nmlv runs push\nmlv runs push origin baseline",
			       error))
		return FALSE;
	sync.repo = mlv_runs_open(cmd, error);
	if (!sync.repo || !take_words(&sync, argc, argv, error))
		return FALSE;
	g_autoptr(GPtrArray) all =
		sync.n_names > 0 ? mlv_runs_named(sync.repo, sync.names, sync.n_names, error)
				 : mlv_runs_read(sync.repo, NULL, error);
	g_autoptr(GPtrArray) runs = g_ptr_array_new();
	sync.runs = runs;
	if (!all || !choose_runs(&sync, all, error))
		return FALSE;
	if (runs->len == 0) {
		mlv_ui_note(cmd->ui, "there are no runs to push");
		return TRUE;
	}
	if (!move_data(&sync, TRUE, error) || !push_records(&sync, error))
		return FALSE;
	g_autofree char *count = mlv_ui_plural(runs->len, "run");
	mlv_ui_note(cmd->ui, "%s: pushed %s", sync.git_remote, count);
	return TRUE;
}

/* --- pull ------------------------------------------------------------------------------------- */

static gboolean fetch_records(Sync *sync, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(argv, g_strdup("fetch"));
	g_ptr_array_add(argv, g_strdup("--quiet"));
	g_ptr_array_add(argv, g_strdup("--no-tags"));
	g_ptr_array_add(argv, g_strdup("--no-write-fetch-head"));
	g_ptr_array_add(argv, g_strdup(sync->git_remote));
	for (guint i = 0; i < sync->n_names; i++) {
		if (!mlv_run_check_name(sync->names[i], error))
			return FALSE;
		g_ptr_array_add(argv, g_strdup_printf(MLV_RUN_REFS "%s:" MLV_RUN_REFS "%s",
						      sync->names[i], sync->names[i]));
	}
	if (sync->n_names == 0)
		g_ptr_array_add(argv, g_strdup(MLV_RUN_REFS "*:" MLV_RUN_REFS "*"));
	g_ptr_array_add(argv, NULL);
	return mlv_git_run(sync->repo, (const char *const *)argv->pdata, error);
}

gboolean mlv_cmd_runs_pull(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Sync sync = { .cmd = cmd };
	GOptionEntry entries[2];

	sync_options(entries, &sync);
	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REMOTE] [RUN...]\nmlv runs pull\nmlv runs pull origin baseline",
			       error))
		return FALSE;
	sync.repo = mlv_runs_open(cmd, error);
	if (!sync.repo || !take_words(&sync, argc, argv, error))
		return FALSE;
	g_autoptr(GPtrArray) before = mlv_git_list_refs(sync.repo, MLV_RUN_REFS, error);
	if (!before || !fetch_records(&sync, error))
		return FALSE;
	g_autoptr(GPtrArray) all =
		sync.n_names > 0 ? mlv_runs_named(sync.repo, sync.names, sync.n_names, error)
				 : mlv_runs_read(sync.repo, NULL, error);
	g_autoptr(GPtrArray) runs = g_ptr_array_new();
	sync.runs = runs;
	if (!all)
		return FALSE;
	for (guint i = 0; i < all->len; i++)
		if (((MlvRunEntry *)all->pdata[i])->run->state >= MLV_RUN_DONE)
			g_ptr_array_add(runs, all->pdata[i]);
	if (!move_data(&sync, FALSE, error))
		return FALSE;
	guint now = all->len > before->len ? all->len - before->len : 0;
	g_autofree char *count = mlv_ui_plural(sync.n_names ? sync.n_names : now, "run");
	mlv_ui_note(cmd->ui, "%s: pulled %s", sync.git_remote, count);
	return TRUE;
}
