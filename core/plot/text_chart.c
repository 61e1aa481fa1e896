/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and scatter plots. A character has 2 x 4 Braille dots; where several series have no colours
 * to be told apart by, each has a mark, a character a point. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/plot/axes.h"
#include "core/plot/svg.h"
#include "core/plot/text_private.h"

typedef struct {
	guint columns, rows; /* characters of the field */
	guint across, down;  /* dots of a character */
	guint8 *dots;        /* of each character: Braille dots, or 1 */
	guint *series;       /* of each character: the series drawn last */
} Canvas;

static gboolean use_marks(const MlvPlot *plot, const MlvTextOptions *options)
{
	return !options->color && plot->series->len > 1;
}

static void canvas_init(Canvas *canvas, guint columns, guint rows, gboolean marks)
{
	canvas->columns = columns;
	canvas->rows = rows;
	canvas->across = marks ? 1 : 2;
	canvas->down = marks ? 1 : 4;
	canvas->dots = g_new0(guint8, (gsize)columns * rows);
	canvas->series = g_new0(guint, (gsize)columns * rows);
}

static void canvas_clear(Canvas *canvas)
{
	g_free(canvas->dots);
	g_free(canvas->series);
}

/* Sets a dot, counted from the top left. */
static void set_dot(Canvas *canvas, int x, int y, guint series)
{
	/* The bits of U+2800: numbered down the left, down the right, then the last row. */
	static const guint8 bits[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
	guint column, row;

	if (x < 0 || y < 0)
		return;
	column = (guint)x / canvas->across;
	row = (guint)y / canvas->down;
	if (column >= canvas->columns || row >= canvas->rows)
		return;
	canvas->dots[row * canvas->columns + column] |=
		canvas->across == 1 ? 1 : bits[(guint)y % 4][(guint)x % 2];
	canvas->series[row * canvas->columns + column] = series;
}

static void draw_line(Canvas *canvas, int x1, int y1, int x2, int y2, guint series)
{
	int steps = MAX(abs(x2 - x1), abs(y2 - y1));

	for (int i = 0; i <= steps; i++) {
		double part = steps ? (double)i / steps : 0;
		set_dot(canvas, x1 + (int)lround(part * (x2 - x1)),
			y1 + (int)lround(part * (y2 - y1)), series);
	}
}

static void draw_series(Canvas *canvas, const MlvAxes *axes, const MlvPlotSeries *series,
			guint number, gboolean scatter)
{
	int width = (int)(canvas->columns * canvas->across) - 1;
	int height = (int)(canvas->rows * canvas->down) - 1;
	g_autoptr(GArray) points =
		scatter ? mlv_axes_cloud(axes, series, (guint)width, (guint)height)
			: mlv_axes_points(axes, series, (guint)width + 1);
	gboolean pen = FALSE;
	int last_x = 0, last_y = 0;

	for (guint i = 0; i < points->len; i++) {
		const MlvPoint *point = &g_array_index(points, MlvPoint, i);
		int x, y;

		if (isnan(point->y)) {
			pen = FALSE;
			continue;
		}
		x = (int)lround(CLAMP(point->x, 0, 1) * width);
		y = (int)lround((1 - CLAMP(point->y, 0, 1)) * height);
		if (pen && !scatter)
			draw_line(canvas, last_x, last_y, x, y, number);
		else
			set_dot(canvas, x, y, number);
		last_x = x;
		last_y = y;
		pen = TRUE;
	}
}

/* --- around the field ------------------------------------------------------------------------- */

/* Labels of the rows: the text that stands at each, or NULL. Free with g_free each. */
static void label_rows(const MlvAxes *axes, char **labels, guint rows)
{
	guint step = axes->y_names ? mlv_axes_name_step(axes->y_names, rows) : 1;
	guint count = axes->y_names ? axes->y_names->len : axes->y.ticks;

	for (guint i = 0; i < count; i += step) {
		double at = axes->y_names ? i : mlv_scale_tick(&axes->y, i);
		double place = CLAMP(mlv_scale_place(&axes->y, at), 0, 1);
		guint row = (guint)lround((1 - place) * (rows - 1));

		if (labels[row])
			continue;
		labels[row] = axes->y_names ? g_strdup(axes->y_names->pdata[i])
					    : mlv_scale_label(&axes->y, at);
	}
}

static void append_row(GString *out, const Canvas *canvas, guint row, const MlvTextOptions *options)
{
	guint color = G_MAXUINT;
	gsize end = out->len;

	for (guint column = 0; column < canvas->columns; column++) {
		guint8 dots = canvas->dots[row * canvas->columns + column];
		guint series = canvas->series[row * canvas->columns + column];

		if (!dots) {
			g_string_append_c(out, ' ');
			continue;
		}
		if (series != color)
			g_string_append(out, mlv_text_color(options, series));
		color = series;
		if (canvas->across == 1)
			g_string_append(out, mlv_text_mark(series));
		else
			g_string_append_unichar(out, 0x2800 + dots);
		end = out->len;
	}
	/* No blanks at the end of a line. */
	g_string_truncate(out, end);
	if (color != G_MAXUINT)
		g_string_append(out, mlv_text_reset(options));
}

/* Labels of the x axis, none over another. */
static void append_x_labels(GString *out, const MlvAxes *axes, guint gutter, guint columns)
{
	guint count = axes->x_names ? axes->x_names->len : axes->x.ticks;
	guint used = 0; /* columns behind the gutter that are written */

	g_string_append_printf(out, "%*s", (int)gutter + 2, "");
	for (guint i = 0; i < count; i++) {
		double at = axes->x_names ? i : mlv_scale_tick(&axes->x, i);
		double place = CLAMP(mlv_scale_place(&axes->x, at), 0, 1);
		g_autofree char *number = axes->x_names ? NULL : mlv_scale_label(&axes->x, at);
		g_autoptr(GString) text = g_string_new(NULL);
		guint width, from, middle = (guint)lround(place * (columns - 1));

		mlv_svg_append_plain(text, axes->x_names ? axes->x_names->pdata[i] : number,
				     MLV_TEXT_GUTTER);
		width = mlv_text_width(text->str);
		from = middle > width / 2 ? middle - width / 2 : 0;
		if ((used > 0 && from < used + 1) || from + width > columns + 4)
			continue;
		g_string_append_printf(out, "%*s%s", (int)(from - used), "", text->str);
		used = from + width;
	}
	g_string_append_c(out, '\n');
}

static void append_label(GString *out, const char *before, const char *label)
{
	if (!*label)
		return;
	g_string_append(out, before);
	mlv_svg_append_plain(out, label, 60);
	g_string_append_c(out, '\n');
}

void mlv_text_append_chart(GString *out, const MlvPlot *plot, guint sides,
			   const MlvTextOptions *options)
{
	guint rows = CLAMP(options->height, 8, 200) - 4, gutter = 0, columns;
	g_auto(GStrv) labels = g_new0(char *, rows + 1);
	Canvas canvas;
	MlvAxes axes;

	if (!mlv_axes_init(&axes, plot, CLAMP(options->width / 12, 2, 20), MAX(rows / 3, 2)))
		return;
	label_rows(&axes, labels, rows);
	for (guint i = 0; i < rows; i++)
		if (labels[i])
			gutter = MAX(gutter, (guint)g_utf8_strlen(labels[i], -1));
	gutter = MIN(gutter, MLV_TEXT_GUTTER);
	columns = CLAMP(options->width, 30, 400) - gutter - 3;
	canvas_init(&canvas, columns, rows, use_marks(plot, options));
	for (guint i = 0; i < plot->series->len; i++)
		draw_series(&canvas, &axes, plot->series->pdata[i], i,
			    plot->kind == MLV_PLOT_SCATTER);
	append_label(out, "  ", plot->y_label);
	for (guint row = 0; row < rows; row++) {
		mlv_text_append_cell(out, labels[row] ? labels[row] : "", gutter, TRUE);
		g_string_append(out, labels[row] ? " ┤" : " │");
		append_row(out, &canvas, row, options);
		g_string_append_c(out, '\n');
		/* The rest of a strv behind a gap is not freed. */
		g_clear_pointer(&labels[row], g_free);
	}
	g_string_append_printf(out, "%*s └", (int)gutter, "");
	for (guint i = 0; i < columns; i++)
		g_string_append(out, "─");
	g_string_append_c(out, '\n');
	append_x_labels(out, &axes, gutter, columns);
	append_label(out, "  x: ", plot->x_label);
	canvas_clear(&canvas);
}
