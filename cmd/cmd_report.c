/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/measure_print.h"
#include "cmd/output_file.h"
#include "cmd/report.h"
#include "core/plot/plot_def.h"

typedef struct {
	char *output, *title;
	gboolean html, md, no_plots;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->output);
	g_free(opt->title);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static void report_clear(MlvReport *report)
{
	g_clear_pointer(&report->data, g_ptr_array_unref);
	g_clear_pointer(&report->params, g_ptr_array_unref);
	g_clear_pointer(&report->metrics, g_ptr_array_unref);
	g_clear_pointer(&report->defs, g_ptr_array_unref);
	if (report->out)
		g_string_free(report->out, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvReport, report_clear)

/* --- the base --------------------------------------------------------------------------------- */

/* Where the current commit left the branch that `name` is; NULL if it is not there, or is ahead. */
static char *left_at(MlvRepo *repo, const MlvOid *head, const char *name)
{
	MlvOid tip, base;
	gboolean found;

	if (!mlv_git_resolve(repo, name, &tip, NULL) ||
	    !mlv_git_merge_base(repo, head, &tip, &base, &found, NULL) || !found ||
	    mlv_oid_equal(&base, head))
		return NULL;
	return mlv_git_short_oid(repo, &base);
}

/* What a branch is compared with where nothing is said: where it left the main one; on that itself
 * the commit before, and the first commit with itself. */
static char *find_base(MlvRepo *repo, GError **error)
{
	static const char *const names[] = { "origin/HEAD", "origin/main", "origin/master", "main",
					     "master" };
	gboolean unborn;
	MlvOid head, parent;

	if (!mlv_git_head(repo, &head, &unborn, error))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(names) && !unborn; i++) {
		char *base = left_at(repo, &head, names[i]);
		if (base)
			return base;
	}
	if (!unborn)
		return g_strdup(mlv_git_resolve(repo, "HEAD~1", &parent, NULL) ? "HEAD~1" : "HEAD");
	mlv_fail(error, MLV_ERROR_FAILED,
		 "there is nothing to compare with; name a revision: 'mlv report REV'");
	return NULL;
}

/* --- what it says ----------------------------------------------------------------------------- */

static GPtrArray *measure(MlvReport *report, MlvMeasureKind kind, GError **error)
{
	const MlvMeasuresOptions options = { .kind = kind };
	g_autoptr(MlvMeasures) measures = mlv_measures_new(&options);
	const MlvMeasurePrint print = { .cmd = report->cmd,
					.sides = report->sides,
					.measures = measures,
					.precision = MLV_MEASURE_PRECISION };

	for (guint i = 0; i < 2; i++)
		if (!mlv_measures_add(measures, report->sides->sides->pdata[i], error))
			return NULL;
	mlv_measures_finish(measures);
	return mlv_measure_diff_cells(&print);
}

static gboolean gather(MlvReport *report, gboolean plots, GError **error)
{
	const MlvPlotOptions options = { 0 };

	report->data = g_ptr_array_new_with_free_func(g_free);
	report->out = g_string_new(NULL);
	report->params = measure(report, MLV_MEASURE_PARAMS, error);
	report->metrics = report->params ? measure(report, MLV_MEASURE_METRICS, error) : NULL;
	if (!report->metrics || !mlv_report_take_data(report, error))
		return FALSE;
	report->defs =
		plots ? mlv_plot_defs(report->sides->sides, &options, error) : g_ptr_array_new();
	return report->defs != NULL;
}

static gboolean write_report(MlvReport *report, const Options *opt, GError **error)
{
	gboolean html =
		opt->html ||
		(!opt->md && opt->output &&
		 (g_str_has_suffix(opt->output, ".html") || g_str_has_suffix(opt->output, ".htm")));
	g_autoptr(MlvOutputFile) out = NULL;

	if (!gather(report, !opt->no_plots, error) ||
	    !(html ? mlv_report_write_page(report, error)
		   : mlv_report_write_markdown(report, error)))
		return FALSE;
	if (mlv_sides_tell_problems(report->cmd, report->sides))
		report->cmd->status = MLV_EXIT_CHECK;
	if (!opt->output || strcmp(opt->output, "-") == 0)
		return mlv_cmd_write(report->cmd, report->out->str, report->out->len, error);
	out = mlv_output_file_open(report->cmd, opt->output, "a report", error);
	return out && mlv_output_file_write(report->out->str, report->out->len, out, error) &&
	       mlv_output_file_close(out, FALSE, error);
}

gboolean mlv_cmd_report(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "output", 'o', 0, G_OPTION_ARG_STRING, &opt.output,
		  "write to this file; one that ends in .html gets HTML", "FILE" },
		{ "html", 0, 0, G_OPTION_ARG_NONE, &opt.html, "a page of HTML", NULL },
		{ "md", 0, 0, G_OPTION_ARG_NONE, &opt.md, "Markdown (the default)", NULL },
		{ "title", 0, 0, G_OPTION_ARG_STRING, &opt.title, "what stands above", "TEXT" },
		{ "no-plots", 0, 0, G_OPTION_ARG_NONE, &opt.no_plots, "tables only", NULL },
		{ NULL },
	};
	g_auto(MlvReport) report = { .cmd = cmd };
	g_autofree char *base = NULL;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[BASE [REV]]\nmlv report main\nmlv report -o report.html v1 v2",
			       error) ||
	    !mlv_options_count(cmd, argc, 0, 2, error))
		return FALSE;
	if (opt.html && opt.md)
		return mlv_fail(error, MLV_ERROR_USAGE, "--html and --md exclude each other");
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	base = !repo ? NULL : argc > 1 ? g_strdup(argv[1]) : find_base(repo, error);
	if (!base)
		return FALSE;
	g_autoptr(MlvSides) sides = mlv_sides_pair(cmd, base, argc > 2 ? argv[2] : NULL, error);
	if (!sides)
		return FALSE;
	if (sides->sides->len < 2)
		return mlv_fail(error, MLV_ERROR_USAGE, "'%s' is both sides", base);
	g_autofree char *branch = mlv_git_branch(repo);
	report.sides = sides;
	report.title = opt.title ? opt.title : argc > 2 ? argv[2] : branch ? branch : "Report";
	return write_report(&report, &opt, error);
}
