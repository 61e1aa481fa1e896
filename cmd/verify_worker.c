/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying, in the clean work tree that we stand in. */
#include <signal.h>
#include <sys/prctl.h>

#include "cmd/look.h"
#include "cmd/pipelines.h"
#include "cmd/repro_tell.h"
#include "cmd/run_call.h"
#include "cmd/run_json.h"
#include "cmd/session.h"
#include "cmd/verify_call.h"
#include "core/git_run.h"
#include "core/run/rebuild_command.h"

/* --- what runs -------------------------------------------------------------------------------- */

/* Frozen stages are looked at only where others need them. */
static GArray *all_stages(const MlvPipelines *pipelines)
{
	GArray *all = mlv_pipelines_all(pipelines);

	for (guint i = all->len; i-- > 0;)
		if (mlv_pipeline_node(pipelines->pipeline, g_array_index(all, guint, i))
			    ->stage->frozen)
			g_array_remove_index(all, i);
	return all;
}

static GArray *find_targets(const MlvVerifyCall *call, const MlvPipelines *pipelines, gboolean run,
			    GError **error)
{
	const MlvWords *words = &call->targets;

	if (pipelines->pipeline->nodes->len == 0) {
		mlv_fail(error, MLV_ERROR_MISSING,
			 "there is nothing to verify: it has no stages in an mlv.yaml or dvc.yaml");
		return NULL;
	}
	if (words->n_after == 0 && !run)
		return all_stages(pipelines);
	return mlv_pipelines_targets(pipelines, words->after, words->n_after, error);
}

static MlvValue *environment(gpointer user)
{
	const MlvVerifyCall *call = user;

	return mlv_run_read_environment(call->cmd->repo);
}

static void again(guint count, gpointer user)
{
	const MlvVerifyCall *call = user;
	g_autofree char *what = mlv_ui_plural(count, "stage");

	mlv_ui_note(call->cmd->ui,
		    "%s differ%s, and the inputs do not: running a second time, to see whether "
		    "the program is deterministic",
		    what, count == 1 ? "s" : "");
}

/* A run sees what it saw. */
static char **run_environ(const MlvRebuildOptions *options)
{
	char **variables = g_get_environ();

	if (!options->run)
		return variables;
	variables = g_environ_setenv(variables, "MLV_METRICS", options->logged, TRUE);
	return g_environ_setenv(variables, "MLV_RUN", options->run->name, TRUE);
}

static MlvRebuild *rebuild_stages(const MlvVerifyCall *call, const MlvVerifySubject *subject,
				  MlvLocal *local, MlvRebuildOptions *options, GError **error)
{
	g_auto(MlvPipelines) pipelines = { 0 };
	g_auto(MlvReproTell) tell = { 0 };
	g_auto(GStrv) variables = run_environ(options);

	if (!mlv_pipelines_open(&pipelines, local->repo, error))
		return NULL;
	g_autoptr(GArray) targets = find_targets(call, &pipelines, subject->run != NULL, error);
	if (!targets || (subject->run && !mlv_rebuild_take_locks(local->repo, pipelines.pipeline,
								 subject->commit, error)))
		return NULL;
	mlv_repro_tell_init(&tell, call->cmd, FALSE, call->cmd->jobs > 1, FALSE);
	tell.anew = TRUE;
	options->repro.pipeline = pipelines.pipeline;
	options->repro.files = &pipelines.files;
	options->repro.environ = (const char *const *)variables;
	mlv_repro_tell_options(&tell, &options->repro);
	return mlv_rebuild(options, targets, error);
}

/* --- a command -------------------------------------------------------------------------------- */

static gboolean call_self(const MlvVerifyCall *call, const char *command, const char *option,
			  int *status, GError **error)
{
	g_autofree char *self = mlv_run_call_self();
	char *words[] = { self, (char *)command, (char *)"-q", (char *)option, NULL };
	g_autoptr(GBytes) output = NULL;

	return mlv_program_capture(call->cmd->repo, words, NULL, &output, status, error);
}

/* Data come from the store, and what it has not from the remote; what neither has the program may
 * well do without. */
static gboolean bring_data(const MlvVerifyCall *call, GError **error)
{
	int status;

	if (!call_self(call, "checkout", "-f", &status, error))
		return FALSE;
	if (status == 0)
		return TRUE;
	if (!call_self(call, "fetch", NULL, &status, error) ||
	    !call_self(call, "checkout", "-f", &status, error))
		return FALSE;
	if (status != 0)
		mlv_ui_warn(call->cmd->ui, "not all data are here, nor on the remote");
	return TRUE;
}

static gboolean prepare(gpointer user, GError **error)
{
	static const char *const reset[] = { "reset", "-q", "--hard", NULL };
	static const char *const clean[] = { "clean", "-q", "-ffdx", NULL };
	const MlvVerifyCall *call = user;
	g_autoptr(GBytes) first = NULL, second = NULL;

	return mlv_git_capture(call->cmd->repo, reset, NULL, &first, NULL, error) &&
	       mlv_git_capture(call->cmd->repo, clean, NULL, &second, NULL, error) &&
	       bring_data(call, error);
}

static MlvRebuild *rebuild_run(const MlvVerifyCall *call, MlvRebuildOptions *options,
			       GError **error)
{
	g_auto(GStrv) variables = run_environ(options);
	const MlvWords *words = &call->targets;

	if (words->n_after > 0) {
		mlv_fail(error, MLV_ERROR_USAGE,
			 "the run '%s' was a command and has no targets: name none",
			 options->run->name);
		return NULL;
	}
	options->repro.environ = (const char *const *)variables;
	return mlv_rebuild_command(options, call->folder, prepare, error);
}

static MlvRebuild *rebuild(const MlvVerifyCall *call, const MlvVerifySubject *subject,
			   const GPtrArray *tolerances, GError **error)
{
	MlvCmd *cmd = call->cmd;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	g_autoptr(MlvView) view = local ? mlv_cmd_open_view(cmd, TRUE, error) : NULL;
	g_autofree char *name =
		subject->run ? g_strdup(subject->run->name) : g_path_get_basename(call->folder);
	g_autofree char *logged = g_build_filename(call->folder, "metrics.jsonl", NULL);

	if (!view)
		return NULL;
	MlvRebuildOptions options = {
		.repro = { .local = local, .run = name, .jobs = cmd->jobs, .cancel = cmd->cancel },
		.view = view,
		.rev = subject->commit,
		.run = subject->run,
		.logged = subject->run ? logged : NULL,
		.tolerances = tolerances,
		.environment = environment,
		.again = again,
		.user = (gpointer)call,
	};
	if (subject->run && !subject->run->run->stages)
		return rebuild_run(call, &options, error);
	return rebuild_stages(call, subject, local, &options, error);
}

/* --- telling ---------------------------------------------------------------------------------- */

static void warn(const MlvVerifyCall *call, const MlvRebuild *result, const GPtrArray *tolerances)
{
	for (guint i = 0; i < result->problems->len; i++)
		mlv_ui_warn(call->cmd->ui, "%s", (char *)result->problems->pdata[i]);
	for (guint i = 0; i < tolerances->len; i++) {
		const MlvTolerance *tolerance = tolerances->pdata[i];
		if (!tolerance->used)
			mlv_ui_warn(call->cmd->ui, "--tolerance: no metric is called '%s'",
				    tolerance->name);
	}
}

static gboolean verify(const MlvVerifyCall *call, GError **error)
{
	g_auto(MlvVerifySubject) subject = { 0 };
	g_autoptr(GPtrArray) tolerances =
		mlv_tolerances_parse((const char *const *)call->tolerances, error);
	MlvRepo *repo = tolerances ? mlv_cmd_open_repo(call->cmd, error) : NULL;

	/* without the one that started us nobody waits for the result, nor clears away */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!repo)
		return FALSE;
	if (!mlv_verify_subject_find(&subject, repo, call->rev, error))
		return FALSE;
	g_autoptr(MlvRebuild) result = rebuild(call, &subject, tolerances, error);
	if (!result)
		return FALSE;
	warn(call, result, tolerances);
	if (call->junit && !mlv_verify_junit(call, &subject, result, error))
		return FALSE;
	call->cmd->status = result->reproduced ? MLV_EXIT_DONE : MLV_EXIT_CHECK;
	if (call->json)
		return mlv_verify_json(call, &subject, result, error);
	mlv_verify_tell(call, &subject, result);
	return mlv_cmd_keep_going(call->cmd, error);
}

gboolean mlv_verify_call_worker(const MlvVerifyCall *call, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (verify(call, &why))
		return TRUE;
	/* The one that started us was interrupted as well, and says so. */
	if (*call->cmd->cancel == SIGINT) {
		call->cmd->status = 128 + SIGTERM;
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}
