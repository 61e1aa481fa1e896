/* SPDX-License-Identifier: Apache-2.0 */
/* Bars, histograms and confusion matrices as text. */
#include <math.h>
#include <string.h>

#include "core/plot/scale.h"
#include "core/plot/svg.h"
#include "core/plot/text_private.h"

#define NUMBER_WIDTH 10u /* columns of the number behind a bar */
#define COUNTS_MAX   14u /* classes of a matrix that is written in numbers */

/* A bar in eighths of a character. */
static void append_bar(GString *out, double part, guint width)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	guint length = (guint)lround(CLAMP(part, 0, 1) * width * 8);

	if (part > 0 && length == 0)
		length = 1;
	for (guint i = 0; i < length / 8; i++)
		g_string_append(out, "█");
	g_string_append(out, eighths[length % 8]);
}

/* What the bars of one row are called, and where each series has it. */
static char *row_name(const MlvPlot *plot, const MlvScale *scale, guint row)
{
	if (plot->kind != MLV_PLOT_HISTOGRAM)
		return g_strdup(plot->y_names->pdata[row]);
	const MlvPlotSeries *first = plot->series->pdata[0];
	return mlv_scale_label(scale, g_array_index(first->x, double, row));
}

static double bar_size(const MlvPlot *plot, const MlvPlotSeries *series, guint row)
{
	if (plot->kind == MLV_PLOT_HISTOGRAM)
		return g_array_index(series->y, double, row);
	for (guint i = 0; i < series->y->len; i++)
		if ((guint)g_array_index(series->y, double, i) == row)
			return g_array_index(series->x, double, i);
	return 0;
}

void mlv_text_append_bars(GString *out, const MlvPlot *plot, guint sides,
			  const MlvTextOptions *options)
{
	gboolean histogram = plot->kind == MLV_PLOT_HISTOGRAM;
	guint gutter = 1, rows, width;
	double most = 0;
	MlvScale scale = { 0 };

	if (plot->series->len == 0)
		return;
	const MlvPlotSeries *first = plot->series->pdata[0];
	rows = histogram ? first->x->len : plot->y_names->len;
	if (rows == 0)
		return;
	if (histogram)
		mlv_scale_init(&scale, g_array_index(first->x, double, 0),
			       g_array_index(first->x, double, 0) + plot->bin_width * rows, rows,
			       FALSE);
	for (guint row = 0; row < rows; row++) {
		g_autofree char *name = row_name(plot, &scale, row);

		gutter = MAX(gutter, (guint)g_utf8_strlen(name, -1));
		for (guint i = 0; i < plot->series->len; i++)
			most = MAX(most, fabs(bar_size(plot, plot->series->pdata[i], row)));
	}
	gutter = MIN(gutter, 2 * MLV_TEXT_GUTTER);
	width = CLAMP(options->width, gutter + NUMBER_WIDTH + 14, 400) - gutter - NUMBER_WIDTH - 3;
	for (guint row = 0; row < rows; row++) {
		g_autofree char *name = row_name(plot, &scale, row);

		for (guint i = 0; i < plot->series->len; i++) {
			double size = bar_size(plot, plot->series->pdata[i], row);
			g_autofree char *number = mlv_scale_number(size, 5);

			mlv_text_append_cell(out, i ? "" : name, gutter, TRUE);
			g_string_append_printf(out, " │%s", mlv_text_color(options, i));
			append_bar(out, most > 0 ? fabs(size) / most : 0, width);
			g_string_append_printf(out, "%s %s", mlv_text_reset(options), number);
			if (!options->color && plot->series->len > 1)
				g_string_append_printf(out, " %s", mlv_text_mark(i));
			g_string_append_c(out, '\n');
		}
	}
}

/* --- matrices --------------------------------------------------------------------------------- */

static void append_numbers(GString *out, const MlvPlot *plot, const MlvPlotMatrix *matrix,
			   guint gutter, guint cell)
{
	guint n = plot->x_names->len;

	g_string_append_printf(out, "  %*s", (int)gutter, "");
	for (guint i = 0; i < n; i++) {
		g_string_append_c(out, ' ');
		mlv_text_append_cell(out, plot->x_names->pdata[i], cell, TRUE);
	}
	g_string_append_c(out, '\n');
	for (guint row = 0; row < n; row++) {
		g_string_append(out, "  ");
		mlv_text_append_cell(out, plot->y_names->pdata[row], gutter, TRUE);
		for (guint i = 0; i < n; i++) {
			double count = g_array_index(matrix->counts, double, row *n + i);
			g_autofree char *number =
				plot->kind == MLV_PLOT_CONFUSION_NORMALIZED
					? mlv_scale_number(round(count * 1000) / 1000, 3)
					: mlv_scale_number(count, 9);

			g_string_append_c(out, ' ');
			mlv_text_append_cell(out, count > 0 ? number : "·", cell, TRUE);
		}
		g_string_append_c(out, '\n');
	}
}

/* More classes than numbers have room for: the darker the more. */
static void append_shades(GString *out, const MlvPlot *plot, const MlvPlotMatrix *matrix,
			  guint gutter)
{
	static const char *const shades[] = { "··", "░░", "▒▒", "▓▓", "██" };
	guint n = plot->x_names->len;
	double most = 0;

	for (guint i = 0; i < matrix->counts->len; i++)
		most = MAX(most, g_array_index(matrix->counts, double, i));
	for (guint row = 0; row < n; row++) {
		g_string_append(out, "  ");
		mlv_text_append_cell(out, plot->y_names->pdata[row], gutter, TRUE);
		g_string_append_c(out, ' ');
		for (guint i = 0; i < n; i++) {
			double count = g_array_index(matrix->counts, double, row *n + i);
			guint shade = most > 0 ? (guint)ceil(count / most * 4) : 0;
			g_string_append(out, shades[MIN(shade, 4)]);
		}
		g_string_append_c(out, '\n');
	}
}

void mlv_text_append_matrix(GString *out, const MlvPlot *plot, const MlvPlotMatrix *matrix,
			    const MlvTextOptions *options)
{
	guint n = plot->x_names->len, gutter = 1, cell = 4;

	for (guint i = 0; i < n; i++) {
		guint length = (guint)g_utf8_strlen(plot->x_names->pdata[i], -1);
		gutter = MAX(gutter, length);
		cell = MAX(cell, length);
	}
	gutter = MIN(gutter, MLV_TEXT_GUTTER);
	cell = MIN(cell, 8);
	for (guint i = 0; i < matrix->counts->len; i++) {
		double count = g_array_index(matrix->counts, double, i);
		g_autofree char *number = mlv_scale_number(count, 9);
		if (plot->kind == MLV_PLOT_CONFUSION)
			cell = MAX(cell, (guint)strlen(number));
	}
	g_string_append(out, "  ");
	mlv_svg_append_plain(out, plot->y_label, 30);
	g_string_append(out, " ↓  ");
	mlv_svg_append_plain(out, plot->x_label, 30);
	g_string_append(out, " →\n");
	if (n <= COUNTS_MAX && gutter + n * (cell + 1) + 2 <= MAX(options->width, 40))
		append_numbers(out, plot, matrix, gutter, cell);
	else
		append_shades(out, plot, matrix, gutter);
}
