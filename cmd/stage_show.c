/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at stages: list, show, log. */
#include <string.h>

#include "cmd/pipelines.h"
#include "cmd/stage_calls.h"
#include "cmd/ui_json.h"
#include "core/pipeline/runlog.h"
#include "core/yaml.h"

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *paths_json(const GPtrArray *items, gboolean outs)
{
	json_t *array = json_array();

	for (guint i = 0; i < items->len; i++) {
		const char *path = outs ? ((MlvOut *)items->pdata[i])->path
					: ((MlvDep *)items->pdata[i])->path;
		json_t *row = json_object();
		mlv_json_set_path(row, "path", path);
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *stage_json(const MlvStage *stage)
{
	json_t *row = json_object(), *cmds = json_array();

	mlv_json_set_text(row, "stage", stage->address);
	mlv_json_set_path(row, "file", stage->file->path);
	for (guint i = 0; i < stage->cmds->len; i++)
		json_array_append_new(cmds, json_string(stage->cmds->pdata[i]));
	json_object_set_new(row, "cmd", cmds);
	mlv_json_set_path(row, "wdir", *stage->wdir ? stage->wdir : ".");
	json_object_set_new(row, "deps", paths_json(stage->deps, FALSE));
	json_object_set_new(row, "outs", paths_json(stage->outs, TRUE));
	mlv_json_set_bool(row, "frozen", stage->frozen);
	mlv_json_set_bool(row, "always_changed", stage->always_changed);
	if (stage->desc)
		mlv_json_set_text(row, "desc", stage->desc);
	return row;
}

static gboolean print_json(MlvCmd *cmd, const MlvPipelines *pipelines, const GArray *targets,
			   GError **error)
{
	json_t *document = mlv_json_new(cmd), *rows = json_array();

	for (guint i = 0; i < targets->len; i++) {
		guint number = g_array_index(targets, guint, i);
		json_array_append_new(
			rows, stage_json(mlv_pipeline_node(pipelines->pipeline, number)->stage));
	}
	json_object_set_new(document, "stages", rows);
	return mlv_json_print(cmd, document, error);
}

/* --- list ------------------------------------------------------------------------------------- */

/* What the stage is for, or else what it makes. */
static char *summary(const MlvStage *stage)
{
	GString *text = g_string_new(NULL);

	if (stage->desc)
		return g_string_free(g_string_append(text, stage->desc), FALSE);
	for (guint i = 0; i < stage->outs->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
				       ((MlvOut *)stage->outs->pdata[i])->written);
	return g_string_free(text, FALSE);
}

static void print_list(const MlvPipelines *pipelines, const GArray *targets, gboolean name_only)
{
	MlvColumns *columns = mlv_ui_columns_new("ll");

	for (guint i = 0; i < targets->len; i++) {
		guint number = g_array_index(targets, guint, i);
		const MlvStage *stage = mlv_pipeline_node(pipelines->pipeline, number)->stage;
		g_autofree char *text = summary(stage);
		g_autofree char *name = mlv_ui_printable(stage->address);
		g_autofree char *safe = mlv_ui_printable(text);
		if (name_only)
			printf("%s\n", name);
		else
			mlv_ui_columns_add(columns, name, safe);
	}
	mlv_ui_columns_print(columns, stdout);
}

gboolean mlv_stage_call_list(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean all = FALSE, name_only = FALSE, json = FALSE;
	const GOptionEntry entries[] = {
		{ "all", 0, 0, G_OPTION_ARG_NONE, &all, "the stages of all pipeline files", NULL },
		{ "name-only", 0, 0, G_OPTION_ARG_NONE, &name_only, "only their names", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	g_auto(MlvPipelines) pipelines = { 0 };

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "[TARGET...]\nmlv stage list --all",
			       error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	if (!repo || !mlv_pipelines_open(&pipelines, repo, error))
		return FALSE;
	g_autoptr(GArray) targets =
		all ? mlv_pipelines_all(&pipelines)
		    : mlv_pipelines_targets(&pipelines, words.before, words.n_before, error);
	if (!targets)
		return FALSE;
	if (json)
		return print_json(cmd, &pipelines, targets, error);
	print_list(&pipelines, targets, name_only);
	return TRUE;
}

/* --- show ------------------------------------------------------------------------------------- */

gboolean mlv_stage_call_show(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	g_auto(MlvPipelines) pipelines = { 0 };

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "STAGE...\nmlv stage show train",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	if (!repo || !mlv_pipelines_open(&pipelines, repo, error))
		return FALSE;
	g_autoptr(GArray) targets =
		mlv_pipelines_targets(&pipelines, words.before, words.n_before, error);
	if (!targets)
		return FALSE;
	if (json)
		return print_json(cmd, &pipelines, targets, error);
	for (guint i = 0; i < targets->len; i++) {
		guint number = g_array_index(targets, guint, i);
		const MlvStage *stage = mlv_pipeline_node(pipelines.pipeline, number)->stage;
		g_autoptr(MlvValue) value = mlv_stage_value(stage);
		g_autofree char *text = mlv_yaml_block(value, 2);
		printf("%s:\n%s", stage->address, text);
	}
	return TRUE;
}

/* --- log -------------------------------------------------------------------------------------- */

static gboolean put_log(const guint8 *data, gsize length, guint64 skipped, gpointer user,
			GError **error)
{
	if (skipped == 0)
		return mlv_cmd_write(user, data, length, error);
	g_autofree char *text =
		g_strdup_printf("\n... %" G_GUINT64_FORMAT " bytes are left out ...\n", skipped);
	return mlv_cmd_write(user, text, strlen(text), error);
}

gboolean mlv_stage_call_log(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	char *run = NULL;
	const GOptionEntry entries[] = {
		{ "run", 0, 0, G_OPTION_ARG_STRING, &run, "of this run, not of the latest", "RUN" },
		{ NULL },
	};
	g_auto(MlvPipelines) pipelines = { 0 };

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "STAGE\nmlv stage log train", error) ||
	    !mlv_options_count(cmd, argc, 1, 1, error))
		return FALSE;
	g_autofree char *owned = run;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	if (!repo || !mlv_pipelines_open(&pipelines, repo, error))
		return FALSE;
	g_autoptr(GArray) targets =
		mlv_pipelines_targets(&pipelines, words.before, words.n_before, error);
	if (!targets)
		return FALSE;
	if (owned && strchr(owned, '/'))
		return mlv_fail(error, MLV_ERROR_USAGE, "'%s' is no run", owned);
	for (guint i = 0; i < targets->len; i++) {
		guint number = g_array_index(targets, guint, i);
		const MlvStage *stage = mlv_pipeline_node(pipelines.pipeline, number)->stage;
		if (!mlv_runlog_read(repo, owned, stage->address, put_log, cmd, error))
			return FALSE;
	}
	return TRUE;
}
