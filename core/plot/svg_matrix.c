/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "core/plot/scale.h"
#include "core/plot/svg.h"

#define LETTER_WIDTH 6.6
#define NAME_CHARS   14u

typedef struct {
	GString *out;
	const MlvPlot *plot;
	guint n;
	double cell, left, top;
	double most; /* the highest count: the darkest */
} Matrix;

static void text(const Matrix *matrix, double x, double y, const char *anchor, const char *words,
		 const char *more)
{
	g_string_append(matrix->out, "<text x=\"");
	mlv_svg_append_number(matrix->out, x);
	g_string_append(matrix->out, "\" y=\"");
	mlv_svg_append_number(matrix->out, y);
	g_string_append_printf(matrix->out, "\" text-anchor=\"%s\"%s>", anchor, more);
	mlv_svg_append_short(matrix->out, words, NAME_CHARS);
	g_string_append(matrix->out, "</text>");
}

static char *count_text(const Matrix *matrix, double count)
{
	char buffer[64];

	if (matrix->plot->kind != MLV_PLOT_CONFUSION_NORMALIZED)
		return mlv_scale_number(count, 9);
	g_ascii_formatd(buffer, sizeof buffer, "%.2f", count);
	return g_strdup(buffer);
}

static void draw_cell(const Matrix *matrix, guint row, guint column, double count)
{
	double part = matrix->most > 0 ? count / matrix->most : 0;
	double x = matrix->left + column * matrix->cell, y = matrix->top + row * matrix->cell;
	g_autofree char *words = count_text(matrix, count);

	g_string_append(matrix->out, "<rect x=\"");
	mlv_svg_append_number(matrix->out, x);
	g_string_append(matrix->out, "\" y=\"");
	mlv_svg_append_number(matrix->out, y);
	g_string_append_printf(matrix->out, "\" width=\"%d\" height=\"%d\" fill=\"%s\"",
			       (int)matrix->cell - 1, (int)matrix->cell - 1, mlv_svg_color(0));
	g_string_append_printf(matrix->out, " fill-opacity=\"%d.%02d\"><title>",
			       (int)(part * 100 + 4) / 100, ((int)(part * 100) + 4) % 100);
	mlv_svg_append_short(matrix->out, matrix->plot->y_names->pdata[row], 60);
	g_string_append(matrix->out, ", ");
	mlv_svg_append_short(matrix->out, matrix->plot->x_names->pdata[column], 60);
	g_string_append_printf(matrix->out, ": %s</title></rect>", words);
	if (matrix->cell >= 24 && count > 0)
		text(matrix, x + matrix->cell / 2, y + matrix->cell / 2 + 4, "middle", words,
		     part > 0.55 ? " class=\"dark\"" : "");
}

static void draw_names(const Matrix *matrix)
{
	guint step = (guint)ceil(12 / matrix->cell);
	/* Names that do not fit beside each other stand aslant. */
	gboolean slant = matrix->cell < 40;

	for (guint i = 0; i < matrix->n; i += step) {
		double middle = (i + 0.5) * matrix->cell;
		g_autoptr(GString) turn = g_string_new(NULL);

		text(matrix, matrix->left - 5, matrix->top + middle + 4, "end",
		     matrix->plot->y_names->pdata[i], "");
		if (slant) {
			g_string_append(turn, " transform=\"rotate(-45 ");
			mlv_svg_append_number(turn, matrix->left + middle);
			g_string_append_c(turn, ' ');
			mlv_svg_append_number(turn, matrix->top - 5);
			g_string_append(turn, ")\"");
		}
		text(matrix, matrix->left + middle, matrix->top - 5, slant ? "start" : "middle",
		     matrix->plot->x_names->pdata[i], turn->str);
	}
}

static glong longest(const GPtrArray *names)
{
	glong max = 1;

	for (guint i = 0; i < names->len; i++)
		max = MAX(max, g_utf8_strlen(names->pdata[i], -1));
	return MIN(max, (glong)NAME_CHARS);
}

void mlv_svg_append_matrix(GString *out, const MlvPlot *plot, const MlvPlotMatrix *counts)
{
	Matrix matrix = { .out = out, .plot = plot, .n = plot->x_names->len };
	double names = (double)longest(plot->y_names) * LETTER_WIDTH, side;

	matrix.cell = floor(CLAMP(360.0 / MAX(matrix.n, 1), 6, 72));
	matrix.left = names + 30;
	matrix.top = (matrix.cell < 40 ? names * 0.75 : 14) + 26;
	for (guint i = 0; i < counts->counts->len; i++)
		matrix.most = MAX(matrix.most, g_array_index(counts->counts, double, i));
	side = matrix.n * matrix.cell;
	g_string_append(out, "<svg class=\"matrix\" viewBox=\"0 0 ");
	mlv_svg_append_number(out, matrix.left + side + (matrix.cell < 40 ? names : 10));
	g_string_append_c(out, ' ');
	mlv_svg_append_number(out, matrix.top + side + 6);
	g_string_append(out, "\" role=\"img\" aria-label=\"");
	mlv_svg_append_short(out, plot->title, 200);
	g_string_append(out, "\">\n<g class=\"labels\">");
	text(&matrix, matrix.left + side / 2, 14, "middle", plot->x_label, "");
	g_string_append(out, "<g transform=\"rotate(-90 12 ");
	mlv_svg_append_number(out, matrix.top + side / 2);
	g_string_append(out, ")\">");
	text(&matrix, 12, matrix.top + side / 2 + 4, "middle", plot->y_label, "");
	g_string_append(out, "</g></g>\n<g class=\"axes\">");
	draw_names(&matrix);
	g_string_append(out, "</g>\n");
	for (guint row = 0; row < matrix.n; row++) {
		for (guint column = 0; column < matrix.n; column++)
			draw_cell(&matrix, row, column,
				  g_array_index(counts->counts, double, row *matrix.n + column));
		g_string_append_c(out, '\n');
	}
	g_string_append(out, "</svg>\n");
}
