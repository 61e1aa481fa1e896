/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/plot_print.h"

typedef struct {
	char *output, *x, **y, *template_name, *title, *x_label, *y_label;
	int bins, width, height;
	gboolean json, no_header;
	MlvSidesOptions sides;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->output);
	g_free(opt->x);
	g_strfreev(opt->y);
	g_free(opt->template_name);
	g_free(opt->title);
	g_free(opt->x_label);
	g_free(opt->y_label);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean check(const Options *opt, GError **error)
{
	if (opt->json && opt->output)
		return mlv_fail(error, MLV_ERROR_USAGE, "--json and --output exclude each other");
	if (opt->bins < 0 || opt->bins > 1000)
		return mlv_fail(error, MLV_ERROR_USAGE, "--bins takes a number from 1 to 1000");
	if (opt->width < 0 || opt->width > 400 || opt->height < 0 || opt->height > 200)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--width takes at most 400, --height at most 200 characters");
	return TRUE;
}

static gboolean print(MlvCmd *cmd, const Options *opt, const MlvSides *sides, const MlvWords *words,
		      GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const MlvPlotOptions options = {
		.filter = sides->filter,
		.names = names,
		.paths = sides->paths,
		.changes = { .x = opt->x,
			     .y = opt->y,
			     .template_name = opt->template_name,
			     .title = opt->title,
			     .x_label = opt->x_label,
			     .y_label = opt->y_label,
			     .no_header = opt->no_header,
			     .bins = (guint)opt->bins },
	};
	MlvPlotPrint plots = { .cmd = cmd,
			       .sides = sides,
			       .width = opt->width ? (guint)opt->width : mlv_plot_terminal_width(),
			       .height = opt->height ? (guint)opt->height : 20 };

	for (guint i = 0; i < words->n_after; i++)
		g_ptr_array_add(names, words->after[i]);
	for (guint i = 0; i < words->n_before; i++)
		g_ptr_array_add(names, words->before[i]);
	g_autoptr(GPtrArray) defs = mlv_plot_defs(sides->sides, &options, error);
	if (!defs)
		return FALSE;
	plots.defs = defs;
	if (mlv_sides_tell_problems(cmd, sides))
		cmd->status = MLV_EXIT_CHECK;
	if (defs->len == 0 && sides->paths->len > 0)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"no plot or file '%s' at any of these revisions",
				(char *)sides->paths->pdata[0]);
	if (defs->len == 0)
		mlv_ui_note(cmd->ui, "no plots here: name their files under 'plots:' in mlv.yaml, "
				     "or behind '--'");
	if (opt->json)
		return mlv_plot_print_json(&plots, error);
	return opt->output ? mlv_plot_print_page(&plots, opt->output, error)
			   : mlv_plot_print_text(&plots, error);
}

static gboolean run(MlvCmd *cmd, gboolean diff, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "output", 'o', 0, G_OPTION_ARG_STRING, &opt.output,
		  "write a page of HTML to this file ('-': standard output)", "FILE" },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print the data as one JSON document",
		  NULL },
		{ "x", 'x', 0, G_OPTION_ARG_STRING, &opt.x, "the column for x", "COLUMN" },
		{ "y", 'y', 0, G_OPTION_ARG_STRING_ARRAY, &opt.y, "a column for y; may be repeated",
		  "COLUMN" },
		{ "template", 't', 0, G_OPTION_ARG_STRING, &opt.template_name,
		  "linear, scatter, confusion, confusion_normalized, bar_horizontal, histogram",
		  "NAME" },
		{ "bins", 0, 0, G_OPTION_ARG_INT, &opt.bins, "about so many bars of a histogram",
		  "N" },
		{ "title", 0, 0, G_OPTION_ARG_STRING, &opt.title, "what stands above", "TEXT" },
		{ "x-label", 0, 0, G_OPTION_ARG_STRING, &opt.x_label, "what stands at the x axis",
		  "TEXT" },
		{ "y-label", 0, 0, G_OPTION_ARG_STRING, &opt.y_label, "what stands at the y axis",
		  "TEXT" },
		{ "no-header", 0, 0, G_OPTION_ARG_NONE, &opt.no_header,
		  "the first line of tables is data; columns are 0, 1, ...", NULL },
		{ "width", 0, 0, G_OPTION_ARG_INT, &opt.width, "characters of a line (terminal's)",
		  "N" },
		{ "height", 0, 0, G_OPTION_ARG_INT, &opt.height, "lines of a plot (20)", "N" },
		{ "workspace", 'w', 0, G_OPTION_ARG_NONE, &opt.sides.workspace,
		  "also what lies in the work tree", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       diff ? "[A [B...] | A..B] [-- TARGET...]\nmlv plots diff\n"
				      "mlv plots diff -o plots.html main HEAD"
				    : "[REV...] [-- TARGET...]\nmlv plots show\n"
				      "mlv plots show -x epoch -y loss -- log.csv",
			       error) ||
	    !check(&opt, error))
		return FALSE;
	const MlvWords words = mlv_options_words(cmd, argc, argv);
	g_autoptr(MlvSides) sides =
		diff ? mlv_sides_diff(cmd, &words, &opt.sides, MLV_SIDES_MAX - 2, error)
		     : mlv_sides_show(cmd, &words, &opt.sides, error);
	return sides && print(cmd, &opt, sides, &words, error);
}

static gboolean show(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	return run(cmd, FALSE, argc, argv, error);
}

static gboolean diff(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	return run(cmd, TRUE, argc, argv, error);
}

gboolean mlv_cmd_plots(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "show", show, "draw the plots, of one revision or several over each other" },
		{ "diff", diff, "draw the plots of revisions over each other" },
		{ NULL },
	};
	return mlv_options_dispatch(cmd, rows, NULL, argc, argv, error);
}
