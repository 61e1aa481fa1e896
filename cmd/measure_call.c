/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/measure_call.h"

#include <string.h>

#include "cmd/measure_print.h"

typedef struct {
	gboolean json, csv, md, all, exit_code, deps;
	char *precision;
	MlvSidesOptions sides;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->precision);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean take_style(const Options *opt, MlvMeasurePrint *print, GError **error)
{
	guint64 precision = MLV_MEASURE_PRECISION;

	if (opt->json + opt->csv + opt->md > 1)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--json, --csv and --md exclude each other");
	if (opt->precision &&
	    !g_ascii_string_to_unsigned(opt->precision, 10, 0, 17, &precision, NULL))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--precision takes a number of digits from 1 to 17, or 0 for all, "
				"not '%s'",
				opt->precision);
	print->style = opt->json  ? MLV_MEASURE_JSON
		       : opt->csv ? MLV_MEASURE_CSV
		       : opt->md  ? MLV_MEASURE_MARKDOWN
				  : MLV_MEASURE_COLUMNS;
	print->precision = (guint)precision;
	print->all = opt->all;
	return TRUE;
}

/* Says why there is nothing to see, and warns of what could not be read. */
static void tell(const MlvMeasurePrint *print, MlvMeasureKind kind)
{
	const MlvMeasures *measures = print->measures;
	MlvCmd *cmd = print->cmd;
	gboolean metrics = kind == MLV_MEASURE_METRICS;
	g_autoptr(GList) named = NULL;

	if (mlv_sides_tell_problems(cmd, print->sides))
		cmd->status = MLV_EXIT_CHECK;
	if (g_hash_table_size(measures->named) == 0 && print->sides->paths->len == 0) {
		mlv_ui_note(cmd->ui,
			    metrics ? "no metrics here: name their files under 'metrics:' in "
				      "mlv.yaml, or behind '--'"
				    : "no parameters here: write them to params.yaml, name their "
				      "files under 'params:' in mlv.yaml, or behind '--'");
		return;
	}
	named = g_list_sort(g_hash_table_get_keys(measures->named), (GCompareFunc)strcmp);
	for (const GList *path = named; path; path = path->next)
		if (!g_hash_table_contains(measures->found, path->data))
			mlv_ui_note(cmd->ui, "'%s' is not there", (const char *)path->data);
}

static gboolean collect(const MlvSides *sides, MlvMeasures *measures, GError **error)
{
	for (guint i = 0; i < sides->sides->len; i++)
		if (!mlv_measures_add(measures, sides->sides->pdata[i], error))
			return FALSE;
	mlv_measures_finish(measures);
	/* A word that is nothing anywhere is a mistake. */
	for (guint i = 0; i < sides->paths->len; i++) {
		g_autoptr(MlvPathspec) word =
			mlv_pathspec_literal((const char *const *)&sides->paths->pdata[i], 1);
		GHashTableIter iter;
		gboolean known = FALSE;
		gpointer path;

		g_hash_table_iter_init(&iter, measures->named);
		while (!known && g_hash_table_iter_next(&iter, &path, NULL))
			known = mlv_pathspec_matches(word, path);
		if (!known)
			return mlv_fail(error, MLV_ERROR_MISSING,
					"no file '%s' that could be read at any of these revisions",
					(const char *)sides->paths->pdata[i]);
	}
	return TRUE;
}

static MlvMeasures *measures_of(const MlvSides *sides, MlvMeasureKind kind, const Options *opt)
{
	const MlvMeasuresOptions options = {
		.kind = kind, .deps = opt->deps, .filter = sides->filter, .paths = sides->paths
	};
	return mlv_measures_new(&options);
}

gboolean mlv_measure_call_show(MlvCmd *cmd, MlvMeasureKind kind, int argc, char **argv,
			       GError **error)
{
	g_auto(Options) opt = { 0 };
	gboolean metrics = kind == MLV_MEASURE_METRICS;
	const GOptionEntry entries[] = {
		{ "branches", 0, 0, G_OPTION_ARG_NONE, &opt.sides.branches, "every branch", NULL },
		{ "tags", 0, 0, G_OPTION_ARG_NONE, &opt.sides.tags, "every tag", NULL },
		{ "workspace", 'w', 0, G_OPTION_ARG_NONE, &opt.sides.workspace,
		  "also what lies in the work tree", NULL },
		{ "precision", 0, 0, G_OPTION_ARG_STRING, &opt.precision,
		  "significant digits (5); 0 for all", "N" },
		{ "csv", 0, 0, G_OPTION_ARG_NONE, &opt.csv, "print CSV", NULL },
		{ "md", 0, 0, G_OPTION_ARG_NONE, &opt.md, "print a Markdown table", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ metrics ? NULL : "deps", 0, 0, G_OPTION_ARG_NONE, &opt.deps,
		  "only what stages depend on", NULL },
		{ NULL },
	};
	MlvMeasurePrint print = { .cmd = cmd };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       metrics ? "[REV...] [-- PATH...]\nmlv metrics show\n"
					 "mlv metrics show v1 v2 HEAD -w"
				       : "[REV...] [-- PATH...]\nmlv params show\n"
					 "mlv params show v1 HEAD -- params.yaml",
			       error) ||
	    !take_style(&opt, &print, error))
		return FALSE;
	const MlvWords words = mlv_options_words(cmd, argc, argv);
	g_autoptr(MlvSides) sides = mlv_sides_show(cmd, &words, &opt.sides, error);
	if (!sides)
		return FALSE;
	g_autoptr(MlvMeasures) measures = measures_of(sides, kind, &opt);
	print.sides = sides;
	print.measures = measures;
	if (!collect(sides, measures, error))
		return FALSE;
	tell(&print, kind);
	return mlv_measure_print_show(&print, error);
}

gboolean mlv_measure_call_diff(MlvCmd *cmd, MlvMeasureKind kind, int argc, char **argv,
			       GError **error)
{
	g_auto(Options) opt = { 0 };
	gboolean metrics = kind == MLV_MEASURE_METRICS;
	const GOptionEntry entries[] = {
		{ "all", 0, 0, G_OPTION_ARG_NONE, &opt.all, "also what is equal", NULL },
		{ "exit-code", 0, 0, G_OPTION_ARG_NONE, &opt.exit_code,
		  "exit with 1 if there are differences", NULL },
		{ "precision", 0, 0, G_OPTION_ARG_STRING, &opt.precision,
		  "significant digits (5); 0 for all", "N" },
		{ "csv", 0, 0, G_OPTION_ARG_NONE, &opt.csv, "print CSV", NULL },
		{ "md", 0, 0, G_OPTION_ARG_NONE, &opt.md, "print a Markdown table", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ metrics ? NULL : "deps", 0, 0, G_OPTION_ARG_NONE, &opt.deps,
		  "only what stages depend on", NULL },
		{ NULL },
	};
	MlvMeasurePrint print = { .cmd = cmd };
	guint changed = 0;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       metrics ? "[A [B] | A..B] [-- PATH...]\nmlv metrics diff\n"
					 "mlv metrics diff --md main...HEAD"
				       : "[A [B] | A..B] [-- PATH...]\nmlv params diff\n"
					 "mlv params diff --all v1 v2",
			       error) ||
	    !take_style(&opt, &print, error))
		return FALSE;
	const MlvWords words = mlv_options_words(cmd, argc, argv);
	g_autoptr(MlvSides) sides = mlv_sides_diff(cmd, &words, &opt.sides, 0, error);
	if (!sides)
		return FALSE;
	g_autoptr(MlvMeasures) measures = measures_of(sides, kind, &opt);
	print.sides = sides;
	print.measures = measures;
	if (!collect(sides, measures, error))
		return FALSE;
	tell(&print, kind);
	if (!mlv_measure_print_diff(&print, &changed, error))
		return FALSE;
	if (opt.exit_code && changed > 0)
		cmd->status = MLV_EXIT_CHECK;
	return TRUE;
}
