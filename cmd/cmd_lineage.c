/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/lineage_print.h"
#include "cmd/look.h"

typedef struct {
	gboolean up, down, all, dot, mermaid, json;
	int depth;
} Options;

static gboolean check(const Options *opt, GError **error)
{
	if (opt->dot + opt->mermaid + opt->json > 1)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--dot, --mermaid and --json are three forms of one thing: use "
				"one");
	if (opt->depth != -1 && (opt->depth < 1 || (guint)opt->depth > MLV_LINEAGE_DEPTH))
		return mlv_fail(error, MLV_ERROR_USAGE, "--depth is a number from 1 to %u",
				MLV_LINEAGE_DEPTH);
	return TRUE;
}

static gboolean print(MlvCmd *cmd, const Options *opt, const MlvLineage *lineage, GError **error)
{
	const GPtrArray *problems = mlv_lineage_problems(lineage);

	for (guint i = 0; i < problems->len; i++)
		mlv_ui_warn(cmd->ui, "%s", (char *)problems->pdata[i]);
	if (opt->json)
		return mlv_lineage_print_json(cmd, lineage, error);
	if (!opt->dot && !opt->mermaid)
		return mlv_lineage_print_text(cmd, lineage, opt->up || !opt->down, error);
	mlv_lineage_print_graph(lineage, opt->mermaid);
	return TRUE;
}

gboolean mlv_cmd_lineage(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { .depth = -1 };
	const GOptionEntry entries[] = {
		{ "up", 0, 0, G_OPTION_ARG_NONE, &opt.up, "only what it was made from", NULL },
		{ "down", 0, 0, G_OPTION_ARG_NONE, &opt.down, "only what was made of it", NULL },
		{ "depth", 0, 0, G_OPTION_ARG_INT, &opt.depth,
		  "at most so many stages one behind the other", "N" },
		{ "all", 0, 0, G_OPTION_ARG_NONE, &opt.all,
		  "through all branches, tags and runs, not one revision", NULL },
		{ "dot", 0, 0, G_OPTION_ARG_NONE, &opt.dot, "for Graphviz", NULL },
		{ "mermaid", 0, 0, G_OPTION_ARG_NONE, &opt.mermaid, "for Markdown", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[REV:]PATH|ID|RUN|STAGE\nmlv lineage model.pt\n"
			       "mlv lineage --down data/raw\nmlv lineage --dot v1:model.pt | dot "
			       "-Tsvg",
			       error) ||
	    !check(&opt, error) || !mlv_options_count(cmd, argc, 1, 1, error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, FALSE, error);
	if (!view)
		return FALSE;
	MlvLineageOptions options = { .view = view,
				      .up = opt.up || !opt.down,
				      .down = opt.down || !opt.up,
				      .all = opt.all,
				      .depth = opt.depth > 0 ? (guint)opt.depth : 0,
				      .cancel = cmd->cancel };
	g_autoptr(MlvLineage) lineage = mlv_lineage_find(
		&options, words.n_before ? words.before[0] : words.after[0], error);
	return lineage && print(cmd, &opt, lineage, error);
}
