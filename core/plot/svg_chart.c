/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, scatter plots, histograms and bars. */
#include <math.h>
#include <string.h>

#include "core/plot/axes.h"
#include "core/plot/svg.h"

#define WIDTH        640.0
#define HEIGHT       380.0
#define LETTER_WIDTH 6.6 /* of a label, about */
#define NAME_CHARS   18u /* of a name on an axis that are shown */
#define MARKS_MAX    80u /* points of a series that are marked one by one */

/* The picture and the field in it. */
typedef struct {
	GString *out;
	const MlvPlot *plot;
	MlvAxes axes;
	guint sides;
	double height, left, top, right, bottom; /* of the field: its edges */
} Chart;

static double at_x(const Chart *chart, double place)
{
	return chart->left + place * (chart->right - chart->left);
}

static double at_y(const Chart *chart, double place)
{
	return chart->bottom - place * (chart->bottom - chart->top);
}

/* ` name="12.5"` */
static void attribute(GString *out, const char *name, double number)
{
	g_string_append_printf(out, " %s=\"", name);
	mlv_svg_append_number(out, number);
	g_string_append_c(out, '"');
}

static void line(GString *out, double x1, double y1, double x2, double y2)
{
	g_string_append(out, "<line");
	attribute(out, "x1", x1);
	attribute(out, "y1", y1);
	attribute(out, "x2", x2);
	attribute(out, "y2", y2);
	g_string_append(out, "/>");
}

/* anchor: "start", "middle", "end". */
static void label(GString *out, double x, double y, const char *anchor, const char *text, guint max)
{
	g_string_append(out, "<text");
	attribute(out, "x", x);
	attribute(out, "y", y);
	g_string_append_printf(out, " text-anchor=\"%s\">", anchor);
	mlv_svg_append_short(out, text, max);
	g_string_append(out, "</text>");
}

/* --- axes ------------------------------------------------------------------------------------- */

/* Characters of the longest label of an axis. */
static glong longest(const MlvScale *scale, const GPtrArray *names)
{
	glong max = 1;

	for (guint i = 0; names && i < names->len; i++)
		max = MAX(max, g_utf8_strlen(names->pdata[i], -1));
	for (guint i = 0; !names && i < scale->ticks; i++) {
		g_autofree char *text = mlv_scale_label(scale, mlv_scale_tick(scale, i));
		max = MAX(max, (glong)strlen(text));
	}
	return MIN(max, (glong)NAME_CHARS);
}

static void draw_x_tick(Chart *chart, double number, const char *text)
{
	double x = at_x(chart, mlv_scale_place(&chart->axes.x, number));

	line(chart->out, x, chart->top, x, chart->bottom);
	label(chart->out, x, chart->bottom + 16, "middle", text, NAME_CHARS);
}

static void draw_y_tick(Chart *chart, double number, const char *text)
{
	double y = at_y(chart, mlv_scale_place(&chart->axes.y, number));

	line(chart->out, chart->left, y, chart->right, y);
	label(chart->out, chart->left - 6, y + 4, "end", text, NAME_CHARS);
}

typedef void (*DrawTick)(Chart *chart, double number, const char *text);

static void draw_axis(Chart *chart, const MlvScale *scale, const GPtrArray *names, guint max,
		      DrawTick draw)
{
	guint step = names ? mlv_axes_name_step(names, max) : 1;

	for (guint i = 0; names && i < names->len; i += step)
		draw(chart, i, names->pdata[i]);
	for (guint i = 0; !names && i < scale->ticks; i++) {
		double tick = mlv_scale_tick(scale, i);
		g_autofree char *text = mlv_scale_label(scale, tick);
		draw(chart, tick, text);
	}
}

static void draw_axes(Chart *chart)
{
	const MlvPlot *plot = chart->plot;
	double middle = (chart->top + chart->bottom) / 2;
	guint fit = (guint)((chart->right - chart->left) /
			    (LETTER_WIDTH *
			     ((double)longest(&chart->axes.x, chart->axes.x_names) + 2)));

	g_string_append(chart->out, "<g class=\"axes\">");
	draw_axis(chart, &chart->axes.x, chart->axes.x_names, MAX(fit, 1), draw_x_tick);
	draw_axis(chart, &chart->axes.y, chart->axes.y_names,
		  (guint)((chart->bottom - chart->top) / 14), draw_y_tick);
	g_string_append(chart->out, "</g><g class=\"labels\">");
	if (*plot->x_label)
		label(chart->out, (chart->left + chart->right) / 2, chart->height - 6, "middle",
		      plot->x_label, 80);
	if (*plot->y_label) {
		g_string_append(chart->out, "<g transform=\"rotate(-90 12 ");
		mlv_svg_append_number(chart->out, middle);
		g_string_append(chart->out, ")\">");
		label(chart->out, 12, middle + 4, "middle", plot->y_label, 50);
		g_string_append(chart->out, "</g>");
	}
	g_string_append(chart->out, "</g>\n");
}

/* --- series ----------------------------------------------------------------------------------- */

static void append_stroke(Chart *chart, const MlvPlotSeries *series)
{
	guint color = mlv_svg_color_of(series, chart->sides);
	const char *dash = chart->sides > 1 ? mlv_svg_dash(series->variant) : "";

	g_string_append_printf(chart->out, " stroke=\"%s\"", mlv_svg_color(color));
	if (*dash)
		g_string_append_printf(chart->out, " stroke-dasharray=\"%s\"", dash);
}

static void append_fill(Chart *chart, const MlvPlotSeries *series)
{
	g_string_append_printf(chart->out, " fill=\"%s\"",
			       mlv_svg_color(mlv_svg_color_of(series, chart->sides)));
}

/* What a mark says under the pointer. */
static void append_title(Chart *chart, const MlvPlotSeries *series, guint i)
{
	double x = g_array_index(series->x, double, i), y = g_array_index(series->y, double, i);
	g_autofree char *x_text = mlv_scale_number(x, 6), *y_text = mlv_scale_number(y, 6);
	const GPtrArray *x_names = chart->axes.x_names, *y_names = chart->axes.y_names;

	g_string_append(chart->out, "<title>");
	mlv_svg_append_short(
		chart->out, x_names ? x_names->pdata[MIN((guint)x, x_names->len - 1)] : x_text, 60);
	g_string_append(chart->out, ", ");
	mlv_svg_append_short(
		chart->out, y_names ? y_names->pdata[MIN((guint)y, y_names->len - 1)] : y_text, 60);
	g_string_append(chart->out, "</title>");
}

static void draw_marks(Chart *chart, const MlvPlotSeries *series, const GArray *points,
		       double radius, gboolean titles)
{
	g_string_append(chart->out, "<g");
	append_fill(chart, series);
	g_string_append(chart->out, radius < 3 ? " fill-opacity=\".7\">" : ">");
	for (guint i = 0; i < points->len; i++) {
		const MlvPoint *point = &g_array_index(points, MlvPoint, i);

		if (isnan(point->y))
			continue;
		g_string_append(chart->out, "<circle");
		attribute(chart->out, "cx", at_x(chart, point->x));
		attribute(chart->out, "cy", at_y(chart, point->y));
		attribute(chart->out, "r", radius);
		g_string_append(chart->out, titles ? ">" : "/>");
		if (titles) {
			append_title(chart, series, point->index);
			g_string_append(chart->out, "</circle>");
		}
	}
	g_string_append(chart->out, "</g>\n");
}

static void draw_line(Chart *chart, const MlvPlotSeries *series)
{
	g_autoptr(GArray) points = mlv_axes_points(&chart->axes, series, (guint)WIDTH);
	gboolean pen = FALSE;

	if (points->len > 1) {
		g_string_append(chart->out, "<path class=\"line\"");
		append_stroke(chart, series);
		g_string_append(chart->out, " d=\"");
		for (guint i = 0; i < points->len; i++) {
			const MlvPoint *point = &g_array_index(points, MlvPoint, i);

			if (isnan(point->y)) {
				pen = FALSE;
				continue;
			}
			g_string_append_c(chart->out, pen ? 'L' : 'M');
			mlv_svg_append_number(chart->out, at_x(chart, point->x));
			g_string_append_c(chart->out, ' ');
			mlv_svg_append_number(chart->out, at_y(chart, point->y));
			pen = TRUE;
		}
		g_string_append(chart->out, "\"/>\n");
	}
	if (points->len <= MARKS_MAX)
		draw_marks(chart, series, points, 3, TRUE);
}

static void draw_scatter(Chart *chart, const MlvPlotSeries *series)
{
	g_autoptr(GArray) points = mlv_axes_cloud(&chart->axes, series, 320, 190);

	draw_marks(chart, series, points, points->len > 500 ? 2 : 3.5, points->len <= MARKS_MAX);
}

static void rectangle(Chart *chart, const MlvPlotSeries *series, double x, double y, double width,
		      double height, guint index)
{
	g_string_append(chart->out, "<rect");
	attribute(chart->out, "x", x);
	attribute(chart->out, "y", y);
	attribute(chart->out, "width", MAX(width, 0));
	attribute(chart->out, "height", MAX(height, 0));
	append_fill(chart, series);
	g_string_append_c(chart->out, '>');
	append_title(chart, series, index);
	g_string_append(chart->out, "</rect>");
}

/* Bins over each other, so that all can be seen. */
static void draw_histogram(Chart *chart, const MlvPlotSeries *series)
{
	double bin = chart->plot->bin_width, zero = at_y(chart, mlv_scale_place(&chart->axes.y, 0));

	g_string_append_printf(chart->out, "<g fill-opacity=\"%s\">",
			       chart->plot->series->len > 1 ? ".45" : ".85");
	for (guint i = 0; i < series->x->len; i++) {
		double from = g_array_index(series->x, double, i);
		double x1 = at_x(chart, mlv_scale_place(&chart->axes.x, from));
		double x2 = at_x(chart, mlv_scale_place(&chart->axes.x, from + bin));
		double y = at_y(chart, mlv_scale_place(&chart->axes.y,
						       g_array_index(series->y, double, i)));

		if (zero - y > 0)
			rectangle(chart, series, x1 + 0.5, y, x2 - x1 - 1, zero - y, i);
	}
	g_string_append(chart->out, "</g>\n");
}

/* Bars of all series beside each other. */
static void draw_bars(Chart *chart, const MlvPlotSeries *series, guint number)
{
	double zero = at_x(chart, mlv_scale_place(&chart->axes.x, 0));
	double room = (chart->bottom - chart->top) / MAX(chart->axes.y_names->len, 1);
	double height = room * 0.8 / chart->plot->series->len;

	g_string_append(chart->out, "<g>");
	for (guint i = 0; i < series->x->len; i++) {
		double x = at_x(chart, mlv_scale_place(&chart->axes.x,
						       g_array_index(series->x, double, i)));
		double name = g_array_index(series->y, double, i);
		double y = chart->top + (name + 0.1) * room + height * number;

		if (fabs(x - zero) > 0)
			rectangle(chart, series, MIN(x, zero), y, fabs(x - zero), height, i);
	}
	g_string_append(chart->out, "</g>\n");
}

/* --- all -------------------------------------------------------------------------------------- */

/* Names of bars are read downwards; numbers grow upwards. */
static void turn_names(Chart *chart)
{
	if (!chart->axes.y_names)
		return;
	chart->axes.y.from = chart->axes.y_names->len - 0.5;
	chart->axes.y.to = -0.5;
}

static void lay_out(Chart *chart)
{
	const MlvPlot *plot = chart->plot;
	guint names = plot->y_names ? plot->y_names->len : 0;

	chart->height = MAX(HEIGHT, names * 14.0 + 70);
	chart->left = (double)longest(&chart->axes.y, chart->axes.y_names) * LETTER_WIDTH + 14 +
		      (*plot->y_label ? 16 : 0);
	chart->right = WIDTH - 18;
	chart->top = 10;
	chart->bottom = chart->height - 26 - (*plot->x_label ? 18 : 0);
}

void mlv_svg_append_chart(GString *out, const MlvPlot *plot, guint sides)
{
	Chart chart = { .out = out, .plot = plot, .sides = sides };

	if (!mlv_axes_init(&chart.axes, plot, 8, 7))
		return;
	turn_names(&chart);
	lay_out(&chart);
	g_string_append(out, "<svg viewBox=\"0 0 ");
	mlv_svg_append_number(out, WIDTH);
	g_string_append_c(out, ' ');
	mlv_svg_append_number(out, chart.height);
	g_string_append(out, "\" role=\"img\" aria-label=\"");
	mlv_svg_append_short(out, plot->title, 200);
	g_string_append(out, "\">\n");
	draw_axes(&chart);
	for (guint i = 0; i < plot->series->len; i++) {
		const MlvPlotSeries *series = plot->series->pdata[i];

		switch (plot->kind) {
		case MLV_PLOT_SCATTER:
			draw_scatter(&chart, series);
			break;
		case MLV_PLOT_HISTOGRAM:
			draw_histogram(&chart, series);
			break;
		case MLV_PLOT_BARS:
		case MLV_PLOT_BARS_SORTED:
			draw_bars(&chart, series, i);
			break;
		default:
			draw_line(&chart, series);
		}
	}
	g_string_append(out, "</svg>\n");
}
