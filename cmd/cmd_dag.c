/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/dag_text.h"
#include "cmd/markup.h"
#include "cmd/pipelines.h"
#include "cmd/ui_json.h"

typedef struct {
	gboolean dot, mermaid, json, all, outs;
} Options;

static char *stage_label(const MlvPipeline *pipeline, guint number)
{
	const MlvStage *stage = mlv_pipeline_node(pipeline, number)->stage;
	g_autofree char *name = mlv_ui_printable(stage->address);

	return stage->frozen ? g_strdup_printf("%s (frozen)", name) : g_steal_pointer(&name);
}

static char *outs_label(const MlvPipeline *pipeline, guint number)
{
	const MlvStage *stage = mlv_pipeline_node(pipeline, number)->stage;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < stage->outs->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
				       ((MlvOut *)stage->outs->pdata[i])->path);
	return text->len > 0 ? mlv_ui_printable(text->str) : stage_label(pipeline, number);
}

static gboolean is_drawn(const GArray *order, guint number)
{
	for (guint i = 0; i < order->len; i++)
		if (g_array_index(order, guint, i) == number)
			return TRUE;
	return FALSE;
}

/* The stages drawn that a stage needs. */
static GArray *needs(const MlvPipeline *pipeline, const GArray *order, guint number)
{
	const MlvNode *node = mlv_pipeline_node(pipeline, number);
	GArray *drawn = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < node->upstream->len; i++) {
		guint above = g_array_index(node->upstream, guint, i);
		if (is_drawn(order, above))
			g_array_append_val(drawn, above);
	}
	return drawn;
}

typedef char *(*Label)(const MlvPipeline *pipeline, guint number);

static void print_dot(const MlvPipeline *pipeline, const GArray *order, Label label)
{
	printf("digraph {\n");
	for (guint i = 0; i < order->len; i++) {
		guint number = g_array_index(order, guint, i);
		g_autofree char *name = label(pipeline, number);
		g_autofree char *quoted = mlv_dot_text(name);
		printf("  n%u [label=%s]\n", number, quoted);
	}
	for (guint i = 0; i < order->len; i++) {
		guint number = g_array_index(order, guint, i);
		g_autoptr(GArray) above = needs(pipeline, order, number);
		for (guint j = 0; j < above->len; j++)
			printf("  n%u -> n%u\n", g_array_index(above, guint, j), number);
	}
	printf("}\n");
}

static void print_mermaid(const MlvPipeline *pipeline, const GArray *order, Label label)
{
	printf("flowchart TD\n");
	for (guint i = 0; i < order->len; i++) {
		guint number = g_array_index(order, guint, i);
		g_autofree char *name = label(pipeline, number);
		g_autofree char *quoted = mlv_mermaid_text(name);
		printf("\tn%u[%s]\n", number, quoted);
	}
	for (guint i = 0; i < order->len; i++) {
		guint number = g_array_index(order, guint, i);
		g_autoptr(GArray) above = needs(pipeline, order, number);
		for (guint j = 0; j < above->len; j++)
			printf("\tn%u-->n%u\n", g_array_index(above, guint, j), number);
	}
}

static gboolean print_json(MlvCmd *cmd, const MlvPipeline *pipeline, const GArray *order,
			   GError **error)
{
	json_t *document = mlv_json_new(cmd), *rows = json_array();

	for (guint i = 0; i < order->len; i++) {
		guint number = g_array_index(order, guint, i);
		const MlvStage *stage = mlv_pipeline_node(pipeline, number)->stage;
		g_autoptr(GArray) above = needs(pipeline, order, number);
		json_t *row = json_object(), *names = json_array(), *outs = json_array();
		mlv_json_set_text(row, "stage", stage->address);
		mlv_json_set_bool(row, "frozen", stage->frozen);
		for (guint j = 0; j < above->len; j++)
			json_array_append_new(
				names, json_string(mlv_pipeline_node(pipeline,
								     g_array_index(above, guint, j))
							   ->stage->address));
		json_object_set_new(row, "needs", names);
		for (guint j = 0; j < stage->outs->len; j++) {
			json_t *out = json_object();
			mlv_json_set_path(out, "path", ((MlvOut *)stage->outs->pdata[j])->path);
			json_array_append_new(outs, out);
		}
		json_object_set_new(row, "outs", outs);
		json_array_append_new(rows, row);
	}
	json_object_set_new(document, "stages", rows);
	return mlv_json_print(cmd, document, error);
}

static gboolean print(MlvCmd *cmd, const Options *opt, const MlvPipeline *pipeline,
		      const GArray *order, GError **error)
{
	Label label = opt->outs ? outs_label : stage_label;

	if (opt->json)
		return print_json(cmd, pipeline, order, error);
	if (opt->dot) {
		print_dot(pipeline, order, label);
	} else if (opt->mermaid) {
		print_mermaid(pipeline, order, label);
	} else {
		g_autoptr(GString) text = g_string_new(NULL);
		mlv_dag_text(pipeline, order, label, text);
		fputs(text->str, stdout);
	}
	return TRUE;
}

gboolean mlv_cmd_dag(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "dot", 0, 0, G_OPTION_ARG_NONE, &opt.dot, "for Graphviz", NULL },
		{ "mermaid", 0, 0, G_OPTION_ARG_NONE, &opt.mermaid, "for Markdown", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ "all-pipelines", 'P', 0, G_OPTION_ARG_NONE, &opt.all,
		  "the stages of all pipeline files", NULL },
		{ "outs", 'o', 0, G_OPTION_ARG_NONE, &opt.outs,
		  "show outputs in place of stages' names", NULL },
		{ NULL },
	};
	g_auto(MlvPipelines) pipelines = { 0 };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[TARGET...]\nmlv dag\nmlv dag train\nmlv dag --dot | dot -Tsvg",
			       error))
		return FALSE;
	if (opt.dot + opt.mermaid + opt.json > 1)
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"--dot, --mermaid and --json are three forms of one thing: use one");
	MlvWords words = mlv_options_words(cmd, argc, argv);
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	if (!repo || !mlv_pipelines_open(&pipelines, repo, error))
		return FALSE;
	g_autoptr(GArray) targets =
		opt.all ? mlv_pipelines_all(&pipelines)
			: mlv_pipelines_targets(&pipelines, words.before, words.n_before, error);
	if (!targets)
		return FALSE;
	g_autoptr(GArray) order =
		mlv_pipeline_order(pipelines.pipeline, targets, MLV_ORDER_UPSTREAM);
	return print(cmd, &opt, pipelines.pipeline, order, error);
}
