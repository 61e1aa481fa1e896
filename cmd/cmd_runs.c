/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/run_json.h"
#include "cmd/runs_call.h"
#include "cmd/runs_table.h"
#include "cmd/ui_json.h"

MlvRepo *mlv_runs_open(MlvCmd *cmd, GError **error)
{
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	return repo && mlv_runs_settle(repo, NULL, error) ? repo : NULL;
}

GPtrArray *mlv_runs_named(MlvRepo *repo, char **words, guint count, GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_run_entry_free);

	for (guint i = 0; i < count; i++) {
		MlvRunEntry *entry = mlv_runs_find(repo, words[i], error);
		if (!entry)
			return NULL;
		g_ptr_array_add(entries, entry);
	}
	return g_steal_pointer(&entries);
}

/* --- list ------------------------------------------------------------------------------------- */

static gboolean choose_form(const char *format, gboolean json, MlvRunsTable *table, GError **error)
{
	static const char *const names[] = { "text", "csv", "markdown", "json" };

	table->form = json ? MLV_RUNS_JSON : MLV_RUNS_TEXT;
	if (!format)
		return TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(format, names[i]) == 0) {
			table->form = (MlvRunsForm)i;
			return TRUE;
		}
	return mlv_fail(error, MLV_ERROR_USAGE,
			"there is no format '%s': write text, csv, markdown or json", format);
}

static gboolean runs_list(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_autofree char *where = NULL, *sort = NULL, *format = NULL, *columns = NULL;
	gboolean json = FALSE;
	MlvRunsTable table = { .count = -1 };
	const GOptionEntry entries[] = {
		{ "where", 'w', 0, G_OPTION_ARG_STRING, &where, "only runs of which this is true",
		  "CONDITION" },
		{ "sort", 's', 0, G_OPTION_ARG_STRING, &sort,
		  "by this field; with '-' before it the largest first", "[-]FIELD" },
		{ "max-count", 'n', 0, G_OPTION_ARG_INT64, &table.count, "at most so many", "N" },
		{ "columns", 0, 0, G_OPTION_ARG_STRING, &columns, "the fields to show",
		  "FIELD,..." },
		{ "all", 'a', 0, G_OPTION_ARG_NONE, &table.all,
		  "parameters that are the same in all runs too", NULL },
		{ "format", 0, 0, G_OPTION_ARG_STRING, &format, "text, csv, markdown or json",
		  "FORM" },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "\nmlv runs\nmlv runs list --where 'acc > 0.9' --sort=-acc\n"
			       "mlv runs list --format markdown -n 10",
			       error) ||
	    !mlv_options_count(cmd, argc, 0, 0, error) || !choose_form(format, json, &table, error))
		return FALSE;
	MlvRepo *repo = mlv_runs_open(cmd, error);
	guint bad = 0;
	g_autoptr(GPtrArray) runs = repo ? mlv_runs_read(repo, &bad, error) : NULL;
	if (!runs)
		return FALSE;
	if (bad > 0)
		mlv_ui_warn(cmd->ui, "%u of refs/mlv/runs/ cannot be read as runs", bad);
	g_auto(GStrv) fields = columns ? g_strsplit(columns, ",", -1) : NULL;
	table.where = where;
	table.sort = sort;
	table.columns = fields;
	g_autoptr(GPtrArray) wanted = mlv_runs_select(&table, runs, error);
	return wanted && mlv_runs_print(cmd, &table, wanted, error);
}

/* --- show ------------------------------------------------------------------------------------- */

static void print_map(const char *title, const MlvValue *map)
{
	for (gsize i = 0; i < map->length; i++) {
		g_autofree char *name = mlv_ui_printable(map->entries[i].key->text);
		g_autofree char *value = mlv_run_value_text(map->entries[i].value);
		if (i == 0)
			printf("%s\n", title);
		printf("    %s: %s\n", name, value);
	}
}

static void print_run(MlvCmd *cmd, const MlvRunEntry *entry)
{
	static const char *const fields[] = { "state",   "status",  "created", "started",
					      "seconds", "machine", "base",    NULL };
	const MlvRun *run = entry->run;
	g_autofree char *command = mlv_run_command_text(run);
	g_autofree char *shown = mlv_ui_printable(command);
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(&entry->record, hex);
	printf("%srun %s%s\n", mlv_ui_color(cmd->ui, MLV_COLOR_BOLD), entry->name,
	       mlv_ui_color(cmd->ui, MLV_COLOR_RESET));
	printf("commit: %s\n%s: %s\n", hex, run->stages ? "stages" : "command", shown);
	for (const char *const *field = fields; *field; field++) {
		g_autoptr(MlvValue) value = mlv_run_field(run, *field);
		g_autofree char *text = mlv_run_value_text(value);
		if (value)
			printf("%s: %s\n", *field, text);
	}
	print_map("changes", run->changes);
	print_map("params", run->params);
	print_map("metrics", run->metrics);
	print_map("outs", run->outs);
}

static gboolean print_log(MlvCmd *cmd, MlvRepo *repo, const MlvRunEntry *entry, GError **error)
{
	g_autoptr(GBytes) bytes = mlv_run_read_file(repo, entry, MLV_RUN_LOG, G_MAXINT32, error);
	gsize length;

	if (!bytes)
		return FALSE;
	const void *data = g_bytes_get_data(bytes, &length);
	return mlv_cmd_write(cmd, data, length, error);
}

static gboolean runs_show(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE, log = FALSE;
	const GOptionEntry entries[] = {
		{ "log", 0, 0, G_OPTION_ARG_NONE, &log, "only what it printed", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "RUN\nmlv runs show baseline\nmlv runs show --log baseline",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, 1, error))
		return FALSE;
	MlvRepo *repo = mlv_runs_open(cmd, error);
	g_autoptr(MlvRunEntry) entry = repo ? mlv_runs_find(repo, argv[1], error) : NULL;
	if (!entry)
		return FALSE;
	if (log)
		return print_log(cmd, repo, entry, error);
	if (json) {
		json_t *document = mlv_json_new(cmd);
		json_object_set_new(document, "run", mlv_run_json(entry->run, &entry->record));
		return mlv_json_print(cmd, document, error);
	}
	print_run(cmd, entry);
	return mlv_cmd_keep_going(cmd, error);
}

/* --- rm and prune ----------------------------------------------------------------------------- */

static gboolean remove_entries(MlvCmd *cmd, MlvRepo *repo, const GPtrArray *entries, GError **error)
{
	for (guint i = 0; i < entries->len; i++) {
		const MlvRunEntry *entry = entries->pdata[i];
		if (entry->run->state == MLV_RUN_RUNNING && mlv_recorder_is_live(repo, entry->name))
			return mlv_fail(error, MLV_ERROR_FAILED,
					"the run '%s' is under way: end it first", entry->name);
	}
	if (!mlv_runs_remove(repo, entries, error))
		return FALSE;
	for (guint i = 0; i < entries->len; i++)
		printf("removed %s\n", ((MlvRunEntry *)entries->pdata[i])->name);
	return mlv_cmd_keep_going(cmd, error);
}

static gboolean runs_rm(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_autofree char *where = NULL;
	gboolean queue = FALSE;
	const GOptionEntry entries[] = {
		{ "where", 'w', 0, G_OPTION_ARG_STRING, &where, "all runs of which this is true",
		  "CONDITION" },
		{ "queue", 0, 0, G_OPTION_ARG_NONE, &queue, "all that are queued", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[RUN...]\nmlv runs rm baseline\nmlv runs rm --where 'acc < 0.5'",
			       error) ||
	    !mlv_options_count(cmd, argc, where || queue ? 0 : 1, -1, error))
		return FALSE;
	MlvRepo *repo = mlv_runs_open(cmd, error);
	g_autoptr(GPtrArray) named =
		repo ? mlv_runs_named(repo, argv + 1, (guint)argc - 1, error) : NULL;
	if (!named)
		return FALSE;
	if (!where && !queue)
		return remove_entries(cmd, repo, named, error);
	g_autoptr(GPtrArray) runs = mlv_runs_read(repo, NULL, error);
	MlvRunsTable table = { .count = -1, .where = queue ? "state = queued" : where };
	g_autoptr(GPtrArray) wanted = runs ? mlv_runs_select(&table, runs, error) : NULL;
	if (!wanted)
		return FALSE;
	for (guint i = 0; i < named->len; i++)
		g_ptr_array_add(wanted, named->pdata[i]);
	return remove_entries(cmd, repo, wanted, error);
}

static gboolean runs_prune(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gint64 keep = -1;
	g_autofree char *older = NULL;
	gboolean dry_run = FALSE;
	guint64 seconds = 0;
	const GOptionEntry entries[] = {
		{ "keep", 0, 0, G_OPTION_ARG_INT64, &keep, "the newest so many stay", "N" },
		{ "older", 0, 0, G_OPTION_ARG_STRING, &older, "only what is older: 30d, 12h",
		  "AGE" },
		{ "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "only say what would go", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "\nmlv runs prune\nmlv runs prune --keep 100 --older 30d", error) ||
	    !mlv_options_count(cmd, argc, 0, 0, error) ||
	    (older && !mlv_config_parse_duration(older, &seconds, error)))
		return FALSE;
	MlvRepo *repo = mlv_runs_open(cmd, error);
	g_autoptr(GPtrArray) runs = repo ? mlv_runs_read(repo, NULL, error) : NULL;
	if (!runs)
		return FALSE;
	g_autoptr(GPtrArray) wanted = g_ptr_array_new();
	gint64 before = g_get_real_time() / 1000 - (gint64)(seconds * 1000);
	for (guint i = keep > 0 ? (guint)MIN(keep, G_MAXINT) : 0; i < runs->len; i++) {
		MlvRunEntry *entry = runs->pdata[i];
		MlvRunState state = entry->run->state;
		/* without a limit only what came to nothing */
		gboolean goes = keep >= 0 || older ? state >= MLV_RUN_DONE : state > MLV_RUN_DONE;
		if (goes && (!older || entry->run->created < before))
			g_ptr_array_add(wanted, entry);
	}
	if (!dry_run)
		return remove_entries(cmd, repo, wanted, error);
	for (guint i = 0; i < wanted->len; i++)
		printf("%s\n", ((MlvRunEntry *)wanted->pdata[i])->name);
	return mlv_cmd_keep_going(cmd, error);
}

gboolean mlv_cmd_runs(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "list", runs_list, "list runs with their metrics and parameters" },
		{ "show", runs_show, "show one run" },
		{ "diff", mlv_cmd_runs_diff, "show in what two runs differ" },
		{ "apply", mlv_cmd_runs_apply, "bring a run back into the work tree" },
		{ "branch", mlv_cmd_runs_branch, "make a branch of a run" },
		{ "rm", runs_rm, "remove runs" },
		{ "push", mlv_cmd_runs_push, "send runs and their data" },
		{ "pull", mlv_cmd_runs_pull, "get runs and their data" },
		{ "prune", runs_prune, "remove runs that came to nothing, or old ones" },
		{ NULL, NULL, NULL },
	};

	return mlv_options_dispatch(cmd, rows, "list", argc, argv, error);
}
