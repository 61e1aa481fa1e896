/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/verify_call.h"

#include <string.h>

#include "cmd/run_call.h"
#include "core/run/clean_tree.h"
#include "core/run/run_exec.h"

#define LOG_MAX (1u << 20)

/* --- what is meant ---------------------------------------------------------------------------- */

static gboolean take_run(MlvVerifySubject *subject, const char *word, GError **error)
{
	const MlvRun *run = subject->run->run;

	if (run->state != MLV_RUN_DONE)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the run '%s' is %s: only one that ended well can be compared "
				"with",
				word, mlv_run_state_name(run->state));
	mlv_oid_format(&subject->run->record, subject->commit);
	subject->begin = g_strconcat(subject->commit, "^", NULL);
	subject->label = g_strdup_printf("run '%s'", subject->run->name);
	return TRUE;
}

gboolean mlv_verify_subject_find(MlvVerifySubject *subject, MlvRepo *repo, const char *word,
				 GError **error)
{
	g_autofree char *ref = g_strconcat(MLV_RUN_REFS, word, NULL);
	g_autoptr(GError) why = NULL;
	gboolean found = FALSE;
	MlvOid commit;

	if (mlv_git_read_ref(repo, ref, &commit, &found, NULL) && found) {
		subject->run = mlv_runs_find(repo, word, error);
		return subject->run && take_run(subject, word, error);
	}
	if (!mlv_git_resolve(repo, word, &commit, &why)) {
		subject->run = mlv_runs_find(repo, word, NULL);
		if (subject->run)
			return take_run(subject, word, error);
		return mlv_fail(error, MLV_ERROR_MISSING,
				"'%s' is neither a revision nor a run here; targets stand behind "
				"'--'",
				word);
	}
	g_autofree char *name = mlv_git_short_oid(repo, &commit);
	mlv_oid_format(&commit, subject->commit);
	subject->begin = g_strdup(subject->commit);
	subject->label = g_steal_pointer(&name);
	return TRUE;
}

void mlv_verify_subject_clear(MlvVerifySubject *subject)
{
	g_clear_pointer(&subject->run, mlv_run_entry_free);
	g_free(subject->begin);
	g_free(subject->label);
}

/* --- the work tree ---------------------------------------------------------------------------- */

static gboolean link_stage(MlvCleanTree *tree, const MlvStage *stage, GError **error)
{
	for (guint i = 0; i < stage->deps->len; i++) {
		const MlvDep *dep = stage->deps->pdata[i];
		if (dep->type == MLV_DEP_OUTSIDE && !mlv_clean_tree_link(tree, dep->path, error))
			return FALSE;
	}
	for (guint i = 0; i < stage->params->len; i++)
		if (!mlv_clean_tree_link(tree, ((MlvParamsDep *)stage->params->pdata[i])->file,
					 error))
			return FALSE;
	return TRUE;
}

/* What stages need of outside is to be found from there as well. */
static gboolean link_outside(MlvRepo *repo, MlvCleanTree *tree, const char *rev, GError **error)
{
	g_autoptr(MlvView) view = mlv_view_open(repo, NULL, NULL, error);
	g_autoptr(MlvSide) side = view ? mlv_side_open(view, rev, error) : NULL;
	const GPtrArray *files = side ? mlv_side_pipelines(side) : NULL;

	for (guint i = 0; files && i < files->len; i++) {
		const MlvPipelineFile *file = files->pdata[i];
		for (guint j = 0; j < file->stages->len; j++)
			if (!link_stage(tree, file->stages->pdata[j], error))
				return FALSE;
	}
	return files != NULL;
}

static MlvCleanTree *make_tree(MlvRepo *repo, const MlvVerifySubject *subject, GError **error)
{
	g_autoptr(MlvCleanTree) tree = NULL;

	/* what a killed one has left */
	if (!mlv_runs_settle(repo, NULL, error))
		return NULL;
	mlv_clean_tree_prune(repo);
	tree = mlv_clean_tree_new(repo, "verify", error);
	if (!tree || !link_outside(repo, tree, subject->begin, error) ||
	    !mlv_clean_tree_fill(tree, subject->begin, error))
		return NULL;
	return g_steal_pointer(&tree);
}

/* --- the worker ------------------------------------------------------------------------------- */

static void add(GPtrArray *argv, const char *word)
{
	g_ptr_array_add(argv, g_strdup(word));
}

/* The committed configuration of long ago may not know the remotes of today. */
static void add_remotes(MlvRepo *repo, GPtrArray *argv)
{
	const MlvConfig *config = mlv_repo_config(repo);
	g_autoptr(GPtrArray) entries = mlv_config_list(config, "mlv-remote.");
	const MlvConfigEntry *chosen = mlv_config_find(config, "mlv.remote");

	if (chosen)
		g_ptr_array_add(entries, (gpointer)chosen);
	for (guint i = 0; i < entries->len; i++) {
		const MlvConfigEntry *entry = entries->pdata[i];
		if (entry->level != MLV_CONFIG_SHARED ||
		    mlv_config_find(config, entry->key)->level != MLV_CONFIG_SHARED)
			continue;
		add(argv, "-c");
		g_ptr_array_add(argv, g_strdup_printf("%s=%s", entry->key,
						      entry->value ? entry->value : "true"));
	}
}

static void add_targets(const MlvVerifyCall *call, const MlvVerifySubject *subject, GPtrArray *argv)
{
	const MlvWords *words = &call->targets;

	add(argv, "--");
	for (guint i = 0; i < words->n_before; i++)
		add(argv, words->before[i]);
	for (guint i = 0; i < words->n_after; i++)
		add(argv, words->after[i]);
	if (words->n_before + words->n_after == 0 && subject->run)
		for (guint i = 0; subject->run->run->stages && i < subject->run->run->words->len;
		     i++)
			add(argv, subject->run->run->words->pdata[i]);
}

static char **worker_words(const MlvVerifyCall *call, const MlvVerifySubject *subject,
			   const MlvCleanTree *tree)
{
	GPtrArray *argv = g_ptr_array_new();
	g_autofree char *here = g_get_current_dir();
	g_autofree char *junit = call->junit ? g_canonicalize_filename(call->junit, here) : NULL;
	g_autofree char *jobs = g_strdup_printf("-j%u", call->cmd->jobs);

	g_ptr_array_add(argv, mlv_run_call_self());
	add_remotes(mlv_cmd_open_repo(call->cmd, NULL), argv);
	add(argv, "repro");
	add(argv, "--verify");
	add(argv, "--worker");
	add(argv, mlv_clean_tree_folder(tree));
	if (call->cmd->jobs > 0)
		add(argv, jobs);
	if (call->cmd->ui->quiet)
		add(argv, "-q");
	if (call->cmd->ui->verbose > 0)
		add(argv, "-v");
	if (call->json)
		add(argv, "--json");
	if (junit) {
		add(argv, "--junit");
		add(argv, junit);
	}
	for (char **one = call->tolerances; one && *one; one++) {
		add(argv, "--tolerance");
		add(argv, *one);
	}
	add(argv, subject->run ? subject->run->name : subject->commit);
	add_targets(call, subject, argv);
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

static char **worker_environ(void)
{
	/* git's own variables name this repository's work tree; and this is no run */
	static const char *const gone[] = { "GIT_DIR",    "GIT_WORK_TREE", "GIT_INDEX_FILE",
					    "GIT_PREFIX", "MLV_RUN",       "MLV_METRICS" };
	char **variables = g_get_environ();

	for (gsize i = 0; i < G_N_ELEMENTS(gone); i++)
		variables = g_environ_unsetenv(variables, gone[i]);
	return variables;
}

static gboolean run_worker(const MlvVerifyCall *call, const MlvVerifySubject *subject,
			   const MlvCleanTree *tree, int *status, GError **error)
{
	MlvRepo *repo = mlv_cmd_open_repo(call->cmd, error);
	g_auto(GStrv) argv = worker_words(call, subject, tree);
	g_auto(GStrv) variables = worker_environ();
	/* what stands for the folder in which we are, or the run was */
	g_autofree char *folder = mlv_clean_tree_enter(
		tree, subject->run ? subject->run->run->folder : mlv_repo_prefix(repo));
	g_autofree char *log = g_build_filename(mlv_clean_tree_folder(tree), "log", NULL);
	MlvRunExec exec = { .argv = (const char *const *)argv,
			    .directory = folder,
			    .environ = (const char *const *)variables,
			    .log = log,
			    .max_log = LOG_MAX,
			    .cancel = call->cmd->cancel };

	fflush(stdout);
	return mlv_run_exec(&exec, status, error);
}

gboolean mlv_verify_call(const MlvVerifyCall *call, GError **error)
{
	g_auto(MlvVerifySubject) subject = { 0 };
	g_autoptr(GPtrArray) tolerances =
		mlv_tolerances_parse((const char *const *)call->tolerances, error);
	MlvRepo *repo = tolerances ? mlv_cmd_open_repo(call->cmd, error) : NULL;
	int status = 0;

	if (!repo || !mlv_verify_subject_find(&subject, repo, call->rev, error))
		return FALSE;
	g_autoptr(MlvCleanTree) tree = make_tree(repo, &subject, error);
	if (!tree || !run_worker(call, &subject, tree, &status, error))
		return FALSE;
	if (*call->cmd->cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	if (status > MLV_EXIT_USAGE && status != 130 && status != 143)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the mlv that verified was ended by signal %d", status - 128);
	/* it has said what there is to say */
	call->cmd->status = status;
	return TRUE;
}
