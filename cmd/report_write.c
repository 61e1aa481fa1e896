/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/markup.h"
#include "cmd/measure_print.h"
#include "cmd/plot_print.h"
#include "cmd/report.h"
#include "core/plot/page.h"
#include "core/plot/svg.h"
#include "core/plot/text_plot.h"

#define ROWS_MAX      200u /* of a table in Markdown */
#define TEXT_WIDTH    76u
#define TEXT_HEIGHT   16u
#define NO_DIFFERENCE "Nothing differs."

/* --- Markdown --------------------------------------------------------------------------------- */

static void heading(MlvReport *report, const char *text)
{
	g_string_append_printf(report->out, "\n## %s\n\n", text);
}

static void table(MlvReport *report, const char *align, const GPtrArray *cells)
{
	guint columns = (guint)strlen(align), rows = cells->len / columns;

	if (rows == 0) {
		g_string_append(report->out, NO_DIFFERENCE "\n");
		return;
	}
	for (guint row = 0; row < MIN(rows, ROWS_MAX); row++) {
		mlv_markdown_row(report->out,
				 (const char *const *)(gpointer)(cells->pdata + row * columns),
				 columns);
		if (row == 0)
			mlv_markdown_rule(report->out, align);
	}
	if (rows > ROWS_MAX)
		g_string_append_printf(report->out, "\n... and %u more\n", rows - ROWS_MAX);
}

/* More backquotes than the text has in a row. */
static char *fence_for(const char *text)
{
	gsize most = 2, run = 0;

	for (const char *at = text; *at; at++) {
		run = *at == '`' ? run + 1 : 0;
		most = MAX(most, run);
	}
	return g_strnfill(most + 1, '`');
}

/* FALSE if the plot did not fit any more. */
static gboolean append_plot(MlvReport *report, const MlvPlot *plot, const char *const *names)
{
	const MlvTextOptions options = { .width = TEXT_WIDTH, .height = TEXT_HEIGHT };
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) title = g_string_new(NULL);
	g_autofree char *fence = NULL;

	mlv_text_append_plot(text, plot, names, report->sides->sides->len, &options);
	fence = fence_for(text->str);
	/* Within the summary all is HTML. */
	mlv_svg_append_text(title, plot->title);
	if (report->out->len + text->len + title->len + 200 > MLV_REPORT_MARKDOWN_MAX)
		return FALSE;
	g_string_append_printf(report->out,
			       "<details><summary>%s</summary>\n\n%s\n%s%s\n\n</details>\n",
			       title->str, fence, text->str, fence);
	return TRUE;
}

static gboolean append_plots(MlvReport *report, GError **error)
{
	g_autoptr(MlvPlotLoader) loader = mlv_plot_loader_new(report->sides->sides);
	g_autofree const char **names = mlv_plot_names(report->sides);
	guint left_out = 0, same = 0;

	heading(report, "Plots");
	for (guint i = 0; i < report->defs->len; i++) {
		g_autoptr(MlvPlot) plot = mlv_plot_load(loader, report->defs->pdata[i]);

		if (!mlv_plot_differs(plot, 0, 1))
			same++;
		else if (!append_plot(report, plot, names))
			left_out++;
		if (!mlv_cmd_keep_going(report->cmd, error))
			return FALSE;
	}
	if (same > 0)
		g_string_append_printf(report->out, "\n%u %s the same on both sides.\n", same,
				       same == 1 ? "plot is" : "plots are");
	if (left_out > 0)
		g_string_append_printf(report->out,
				       "\n%u more did not fit; `mlv report --html` has them all.\n",
				       left_out);
	return TRUE;
}

static void append_revision(MlvReport *report, guint i)
{
	const MlvSide *side = report->sides->sides->pdata[i];
	g_autofree char *name = mlv_markdown_text(mlv_side_name(side));
	g_autofree char *id = mlv_sides_id(side);

	g_string_append(report->out, name);
	if (id && mlv_side_revision(side)->at == MLV_AT_COMMIT && !g_str_has_prefix(id, name))
		g_string_append_printf(report->out, " (%.10s)", id);
}

gboolean mlv_report_write_markdown(MlvReport *report, GError **error)
{
	g_autofree char *title = mlv_markdown_text(report->title);

	g_string_append_printf(report->out, "# %s\n\n", title);
	append_revision(report, 1);
	g_string_append(report->out, " against ");
	append_revision(report, 0);
	g_string_append_c(report->out, '\n');
	heading(report, "Metrics");
	table(report, MLV_MEASURE_DIFF_ALIGN, report->metrics);
	heading(report, "Params");
	table(report, MLV_MEASURE_DIFF_ALIGN, report->params);
	heading(report, "Data");
	table(report, MLV_REPORT_DATA_ALIGN, report->data);
	return report->defs->len == 0 || append_plots(report, error);
}

/* --- HTML ------------------------------------------------------------------------------------- */

static void section(MlvReport *report, const char *name, const char *align, const GPtrArray *cells)
{
	mlv_page_heading(report->out, name);
	if (cells->len == 0)
		mlv_page_paragraph(report->out, NO_DIFFERENCE);
	else
		mlv_page_table(report->out, align, (const char *const *)(gpointer)cells->pdata,
			       cells->len / (guint)strlen(align));
}

gboolean mlv_report_write_page(MlvReport *report, GError **error)
{
	const MlvPlotPrint plots = { .cmd = report->cmd,
				     .sides = report->sides,
				     .defs = report->defs };

	mlv_page_begin(report->out, report->title);
	mlv_plot_append_revisions(report->sides, report->out);
	section(report, "Metrics", MLV_MEASURE_DIFF_ALIGN, report->metrics);
	section(report, "Params", MLV_MEASURE_DIFF_ALIGN, report->params);
	section(report, "Data", MLV_REPORT_DATA_ALIGN, report->data);
	if (report->defs->len > 0) {
		mlv_page_heading(report->out, "Plots");
		if (!mlv_plot_append_figures(&plots, report->out, error))
			return FALSE;
	}
	mlv_page_end(report->out);
	return TRUE;
}
