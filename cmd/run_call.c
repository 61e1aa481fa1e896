/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_call.h"

#include <string.h>
#include <unistd.h>

#include "cmd/run_json.h"
#include "cmd/ui_json.h"
#include "core/env/environment.h"
#include "core/git_run.h"
#include "core/run/run_exec.h"
#include "core/run/run_list.h"
#include "core/run/run_params.h"

char *mlv_run_call_self(void)
{
	char *path = g_file_read_link("/proc/self/exe", NULL);
	return path ? path : g_strdup("mlv");
}

/* --- what it begins with ---------------------------------------------------------------------- */

char **mlv_run_variable_names(MlvRepo *repo)
{
	g_autoptr(GPtrArray) values = mlv_config_get_all(mlv_repo_config(repo), "mlv.env");
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint i = 0; values && i < values->len; i++)
		g_string_append_printf(all, " %s", (const char *)values->pdata[i]);
	return g_strsplit_set(all->str, " ,\t\n", -1);
}

MlvValue *mlv_run_read_environment(MlvRepo *repo)
{
	g_auto(GStrv) names = mlv_run_variable_names(repo);
	g_autofree char *cache = g_build_filename(mlv_repo_mlv_dir(repo), "versions", NULL);
	MlvEnvironmentOptions options = { .variables = (const char *const *)environ,
					  .names = (const char *const *)names,
					  .cache = cache };

	mlv_repo_make_dirs(repo, NULL);
	return mlv_environment_read(&options);
}

gboolean mlv_run_call_prepare(MlvRunCall *call, GError **error)
{
	const MlvConfig *config = mlv_repo_config(call->repo);
	gint64 max_file, max_log;

	if (!mlv_config_get_int(config, "mlv.maxGitFile", 10 << 20, 0, G_MAXINT64, &max_file,
				error) ||
	    !mlv_config_get_int(config, "mlv.maxLog", 64 << 20, 1024, G_MAXINT64, &max_log, error))
		return FALSE;
	call->max_file = (guint64)max_file;
	call->max_log = (guint64)max_log;
	call->environment = mlv_run_read_environment(call->repo);
	return TRUE;
}

void mlv_run_call_clear(MlvRunCall *call)
{
	g_clear_pointer(&call->words, g_ptr_array_unref);
	g_clear_pointer(&call->axes, g_ptr_array_unref);
	g_clear_pointer(&call->environment, mlv_value_unref);
}

static void left_out(const char *path, const char *why, gpointer user)
{
	MlvRunCall *call = user;
	g_autofree char *name = mlv_ui_name(path);

	mlv_ui_note(call->cmd->ui, "%s is not recorded: %s", name, why);
}

void mlv_run_call_options(MlvRunCall *call, MlvRecorderOptions *options)
{
	*options = (MlvRecorderOptions){ .repo = call->repo,
					 .environment = call->environment,
					 .max_file = call->max_file,
					 .left_out = left_out,
					 .user = call };
}

MlvRun *mlv_run_call_new_run(MlvRunCall *call, guint number, MlvValue *changes)
{
	const char *first = call->words->len > 0 ? call->words->pdata[0] : "run";
	g_autofree char *base = g_path_get_basename(first);
	g_autofree char *name = !call->name ? mlv_run_make_name(base)
				: mlv_grid_size(call->axes) > 1
					? g_strdup_printf("%s-%u", call->name, number + 1)
					: g_strdup(call->name);
	MlvRun *run = mlv_run_new(name);

	run->stages = call->stages;
	for (guint i = 0; i < call->words->len; i++)
		g_ptr_array_add(run->words, g_strdup(call->words->pdata[i]));
	g_free(run->folder);
	run->folder = g_strdup(mlv_repo_prefix(call->repo));
	mlv_value_unref(run->changes);
	run->changes = changes;
	return run;
}

/* --- one run ---------------------------------------------------------------------------------- */

/* The words to start: the command itself, or mlv that reproduces the stages. */
static char **start_words(const MlvRunCall *call, const MlvRun *run)
{
	GPtrArray *argv = g_ptr_array_new();

	if (run->stages) {
		g_ptr_array_add(argv, mlv_run_call_self());
		g_ptr_array_add(argv, g_strdup("repro"));
		if (call->force)
			g_ptr_array_add(argv, g_strdup("--force"));
		if (run->words->len > 0)
			g_ptr_array_add(argv, g_strdup("--"));
	}
	for (guint i = 0; i < run->words->len; i++)
		g_ptr_array_add(argv, g_strdup(run->words->pdata[i]));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

static gboolean execute(MlvRunCall *call, const MlvRecorder *recorder, const MlvRun *run,
			gboolean quiet, int *status, GError **error)
{
	const char *folder = mlv_recorder_folder(recorder);
	g_autofree char *log = g_build_filename(folder, MLV_RUN_LOG, NULL);
	g_autofree char *metrics = g_build_filename(folder, "metrics.jsonl", NULL);
	g_autofree char *directory = g_build_filename(mlv_repo_root(call->repo), run->folder, NULL);
	g_auto(GStrv) argv = start_words(call, run);
	g_auto(GStrv) variables = g_get_environ();

	variables = g_environ_setenv(variables, "MLV_RUN", run->name, TRUE);
	variables = g_environ_setenv(variables, "MLV_METRICS", metrics, TRUE);
	fflush(stdout);
	MlvRunExec exec = { .argv = (const char *const *)argv,
			    .directory = directory,
			    .environ = (const char *const *)variables,
			    .log = log,
			    .max_log = call->max_log,
			    .quiet = quiet,
			    .cancel = call->cmd->cancel };
	return mlv_run_exec(&exec, status, error);
}

/* A stopped one is interrupted, whatever its status; so is one that ended by our signal. */
static gboolean run_recorded(MlvRunCall *call, MlvRecorder *recorder, gboolean quiet,
			     GError **error)
{
	MlvRun *run = mlv_recorder_run(recorder);
	int status = MLV_RUN_STATUS_NONE;
	MlvOid record;

	gint64 before = g_get_monotonic_time();
	if (!execute(call, recorder, run, quiet, &status, error))
		return FALSE;
	run->duration = (g_get_monotonic_time() - before) / 1000;
	gboolean stopped = *call->cmd->cancel || (run->stages && status == 130);
	MlvRunState state = stopped       ? MLV_RUN_INTERRUPTED
			    : status == 0 ? MLV_RUN_DONE
					  : MLV_RUN_FAILED;
	if (!mlv_recorder_finish(recorder, state, status, &record, error))
		return FALSE;
	call->cmd->status = state == MLV_RUN_DONE     ? MLV_EXIT_DONE
			    : state == MLV_RUN_FAILED ? MLV_EXIT_CHECK
						      : 130;
	if (!mlv_run_call_tell(call, run, &record, error))
		return FALSE;
	/* main ends as the signal would have ended us */
	return !*call->cmd->cancel || mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

gboolean mlv_run_call_here(MlvRunCall *call, GError **error)
{
	MlvValue *changes = NULL;
	MlvRecorderOptions options;
	g_autoptr(GPtrArray) files = mlv_run_params_edit(call->repo, mlv_repo_prefix(call->repo),
							 call->axes, 0, &changes, error);

	if (!files)
		return FALSE;
	MlvRun *run = mlv_run_call_new_run(call, 0, changes);
	g_autofree char *ref = g_strconcat(MLV_RUN_REFS, run->name, NULL);
	MlvOid there;
	gboolean taken;
	if (!mlv_git_read_ref(call->repo, ref, &there, &taken, error) ||
	    (taken && !mlv_fail(error, MLV_ERROR_EXISTS,
				"there is a run '%s' already: give another name, or remove it with "
				"'mlv runs rm %s'",
				run->name, run->name)) ||
	    !mlv_run_params_write(call->repo, files, error)) {
		mlv_run_free(run);
		return FALSE;
	}
	mlv_run_call_options(call, &options);
	g_autoptr(MlvRecorder) recorder = mlv_recorder_start(run, NULL, &options, error);
	return recorder && run_recorded(call, recorder, call->json, error);
}

gboolean mlv_run_call_worker(MlvRunCall *call, const char *name, GError **error)
{
	g_autoptr(MlvRunEntry) entry = mlv_runs_find(call->repo, name, error);
	MlvRecorderOptions options;

	if (!entry)
		return FALSE;
	if (entry->run->state != MLV_RUN_QUEUED || strcmp(entry->name, name) != 0 ||
	    !mlv_recorder_is_queued_here(call->repo, name, &entry->record))
		return mlv_fail(error, MLV_ERROR_FAILED, "the run '%s' is not queued", name);
	mlv_run_call_options(call, &options);
	MlvOid queued = entry->record;
	g_autoptr(MlvRecorder) recorder =
		mlv_recorder_start(g_steal_pointer(&entry->run), &queued, &options, error);
	if (!recorder)
		return FALSE;
	/* Data come from the store; what it has not the program may well do without. */
	g_autofree char *self = mlv_run_call_self();
	char *words[] = { self, (char *)"checkout", (char *)"-q", NULL };
	g_autoptr(GBytes) output = NULL;
	int status;
	if (!mlv_program_capture(call->repo, words, NULL, &output, &status, error))
		return FALSE;
	if (status != 0)
		mlv_ui_warn(call->cmd->ui,
			    "run '%s': not all data are here; 'mlv pull' brings them", name);
	return run_recorded(call, recorder, TRUE, error);
}

/* --- telling ---------------------------------------------------------------------------------- */

gboolean mlv_run_call_tell(MlvRunCall *call, const MlvRun *run, const MlvOid *record,
			   GError **error)
{
	g_autofree char *time = mlv_ui_duration(run->duration * 1000);
	g_autoptr(GString) metrics = g_string_new(NULL);

	if (call->json) {
		json_t *document = mlv_json_new(call->cmd);
		json_object_set_new(document, "run", mlv_run_json(run, record));
		return mlv_json_print(call->cmd, document, error);
	}
	for (gsize i = 0; i < run->metrics->length && i < 8; i++) {
		g_autofree char *value = mlv_run_value_text(run->metrics->entries[i].value);
		g_string_append_printf(metrics, "%s %s %s", i ? "," : ";",
				       run->metrics->entries[i].key->text, value);
	}
	mlv_ui_note(call->cmd->ui, "run %s: %s after %s%s", run->name,
		    mlv_run_state_name(run->state), time, metrics->str);
	return TRUE;
}
