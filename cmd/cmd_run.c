/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/run_call.h"
#include "cmd/run_json.h"
#include "cmd/ui_json.h"
#include "core/run/run_list.h"

typedef struct {
	char *name, *worker;
	char **changes;
	gboolean queue, all, temp, force, json;
} Options;

static gboolean take_words(const Options *opt, MlvRunCall *call, const MlvWords *words,
			   GError **error)
{
	call->words = g_ptr_array_new();
	call->stages = !words->separator;
	if (words->separator && words->n_before > 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"give either stages or, behind '--', a command");
	if (words->separator && words->n_after == 0)
		return mlv_fail(error, MLV_ERROR_USAGE, "there is no command behind '--'");
	for (guint i = 0; i < words->n_before; i++)
		g_ptr_array_add(call->words, words->before[i]);
	for (guint i = 0; i < words->n_after; i++)
		g_ptr_array_add(call->words, words->after[i]);
	if (opt->all && (call->words->len > 0 || opt->changes || opt->name || opt->queue))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--all runs what is queued: it goes with -j alone");
	if (opt->queue && opt->temp)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--queue and --temp cannot be used together");
	return !opt->name || mlv_run_check_name(opt->name, error);
}

static gboolean tell_queued(MlvRunCall *call, const GPtrArray *names, GError **error)
{
	if (call->json) {
		json_t *document = mlv_json_new(call->cmd), *array = json_array();
		for (guint i = 0; i < names->len; i++)
			json_array_append_new(array, json_string(names->pdata[i]));
		json_object_set_new(document, "queued", array);
		return mlv_json_print(call->cmd, document, error);
	}
	for (guint i = 0; i < names->len; i++)
		printf("%s\n", (const char *)names->pdata[i]);
	g_autofree char *count = mlv_ui_plural(names->len, "run");
	mlv_ui_note(call->cmd->ui, "queued %s; 'mlv run --all -j N' runs what is queued", count);
	return mlv_cmd_keep_going(call->cmd, error);
}

/* In the order in which they were queued. */
static gboolean run_queued(MlvRunCall *call, GError **error)
{
	g_autoptr(GPtrArray) runs = mlv_runs_read(call->repo, NULL, error);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (!runs)
		return FALSE;
	for (guint i = runs->len; i-- > 0;) {
		const MlvRunEntry *entry = runs->pdata[i];
		/* a command that came from elsewhere is none of ours */
		if (entry->run->state == MLV_RUN_QUEUED &&
		    mlv_recorder_is_queued_here(call->repo, entry->name, &entry->record))
			g_ptr_array_add(names, entry->name);
	}
	if (names->len == 0)
		mlv_ui_note(call->cmd->ui, "nothing is queued");
	return mlv_run_call_many(call, names, MAX(call->cmd->jobs, 1), error);
}

static gboolean run_new(const Options *opt, MlvRunCall *call, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	if (!opt->queue && !opt->temp && mlv_grid_size(call->axes) == 1)
		return mlv_run_call_here(call, error);
	if (!mlv_run_call_queue(call, names, error))
		return FALSE;
	if (opt->queue)
		return tell_queued(call, names, error);
	return mlv_run_call_many(call, names, MAX(call->cmd->jobs, 1), error);
}

gboolean mlv_cmd_run(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "name", 'n', 0, G_OPTION_ARG_STRING, &opt.name,
		  "what the run is called; one is made up otherwise", "NAME" },
		{ "set-param", 'S', 0, G_OPTION_ARG_STRING_ARRAY, &opt.changes,
		  "change a parameter; several values make a grid", "KEY=VALUE" },
		{ "queue", 0, 0, G_OPTION_ARG_NONE, &opt.queue, "only note it down for --all",
		  NULL },
		{ "all", 0, 0, G_OPTION_ARG_NONE, &opt.all, "run what is queued, -j at once",
		  NULL },
		{ "temp", 0, 0, G_OPTION_ARG_NONE, &opt.temp,
		  "run in a clean work tree; this one stays as it is", NULL },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force,
		  "run stages even if nothing has changed", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ "worker", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &opt.worker,
		  "run a queued run here", "NAME" },
		{ NULL },
	};
	g_auto(MlvRunCall) call = { .cmd = cmd };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[STAGE...]\nmlv run -S train.lr=0.01 train\n"
			       "mlv run -n first -- python3 train.py\n"
			       "mlv run --queue -S 'seed=range(0,10)'\nmlv run --all -j 4",
			       error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	call.repo = mlv_cmd_open_repo(cmd, error);
	call.name = opt.name;
	call.force = opt.force;
	call.json = opt.json;
	gboolean ok = call.repo && take_words(&opt, &call, &words, error);
	call.axes = ok ? mlv_grid_parse((const char *const *)opt.changes, error) : NULL;
	ok = call.axes && mlv_run_call_prepare(&call, error);
	if (ok && opt.worker)
		ok = mlv_run_call_worker(&call, opt.worker, error);
	else if (ok)
		ok = mlv_runs_settle(call.repo, NULL, error) &&
		     (opt.all ? run_queued(&call, error) : run_new(&opt, &call, error));
	g_free(opt.name);
	g_free(opt.worker);
	g_strfreev(opt.changes);
	return ok;
}
