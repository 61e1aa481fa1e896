/* SPDX-License-Identifier: Apache-2.0 */
/* Points of lines and scatter plots. */
#include <math.h>
#include <string.h>

#include "core/plot/plot_private.h"

#define NAMES_MAX 10000u /* of an axis */

/* --- names ------------------------------------------------------------------------------------ */

void mlv_plot_names_init(MlvPlotNames *names, guint max)
{
	names->names = g_ptr_array_new_with_free_func(g_free);
	names->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	names->max = max;
}

guint mlv_plot_names_add(MlvPlotNames *names, const char *name)
{
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(names->numbers, name));

	if (number)
		return number - 1;
	if (names->names->len >= names->max)
		return G_MAXUINT;
	g_ptr_array_add(names->names, g_utf8_make_valid(name, -1));
	g_hash_table_insert(names->numbers, g_strdup(name), GUINT_TO_POINTER(names->names->len));
	return names->names->len - 1;
}

GPtrArray *mlv_plot_names_end(MlvPlotNames *names)
{
	g_hash_table_unref(names->numbers);
	return names->names;
}

/* --- series ----------------------------------------------------------------------------------- */

/* Bytes at the beginning that the paths of all files share, whole folders only. */
static gsize shared_folder(const GPtrArray *sources)
{
	const char *first = ((MlvPlotSource *)sources->pdata[0])->file;
	const char *slash = strrchr(first, '/');
	gsize length = slash ? (gsize)(slash + 1 - first) : 0;

	for (guint i = 1; i < sources->len; i++) {
		const char *file = ((MlvPlotSource *)sources->pdata[i])->file;

		while (length > 0 && strncmp(first, file, length) != 0)
			for (length--; length > 0 && first[length - 1] != '/';)
				length--;
	}
	return length;
}

char *mlv_plot_label(const MlvPlot *plot, const MlvPlotColumns *columns)
{
	const GPtrArray *sources = plot->def->sources;
	const MlvPlotSource *source = sources->pdata[columns->variant], *first = sources->pdata[0];
	const char *column = columns->grid->names->pdata[columns->y];
	gboolean files = FALSE, names = FALSE;

	for (guint i = 1; i < sources->len; i++) {
		const MlvPlotSource *other = sources->pdata[i];
		files |= strcmp(other->file, first->file) != 0;
		names |= g_strcmp0(other->column, first->column) != 0;
	}
	if (!files)
		return g_strdup(column);
	const char *file = source->file + shared_folder(sources);
	return names ? g_strdup_printf("%s: %s", file, column) : g_strdup(file);
}

MlvPlotSeries *mlv_plot_add_series(MlvPlot *plot, const MlvPlotColumns *columns)
{
	MlvPlotSeries *series = g_new0(MlvPlotSeries, 1);

	series->label = mlv_plot_label(plot, columns);
	series->side = columns->side;
	series->variant = columns->variant;
	series->x = g_array_new(FALSE, FALSE, sizeof(double));
	series->y = g_array_new(FALSE, FALSE, sizeof(double));
	g_ptr_array_add(plot->series, series);
	return series;
}

/* A number of a cell, or the number of its name on an axis that has names; FALSE: no point. */
static gboolean cell_number(const MlvPlotTable *grid, guint row, guint column, MlvPlotNames *names,
			    double *number)
{
	const char *cell = mlv_plot_table_cell(grid, row, column);
	guint place;

	if (!cell || !*cell)
		return FALSE;
	if (!names)
		return mlv_plot_table_parse_number(cell, number);
	place = mlv_plot_names_add(names, cell);
	*number = place;
	return place != G_MAXUINT;
}

static void take_series(MlvPlot *plot, const MlvPlotColumns *columns, MlvPlotNames *x_names,
			MlvPlotNames *y_names)
{
	MlvPlotSeries *series = mlv_plot_add_series(plot, columns);

	for (guint row = 0; row < columns->n; row++) {
		double x = row, y;

		if (columns->x >= 0 &&
		    (!cell_number(columns->x_grid, row, (guint)columns->x, x_names, &x) ||
		     !isfinite(x)))
			continue;
		if (!cell_number(columns->grid, row, (guint)columns->y, y_names, &y))
			continue;
		g_array_append_val(series->x, x);
		g_array_append_val(series->y, y);
	}
}

/* Whether an axis must have names: some column of it has what is no number. */
static gboolean needs_names(const GArray *columns, gboolean x)
{
	for (guint i = 0; i < columns->len; i++) {
		const MlvPlotColumns *one = &g_array_index(columns, MlvPlotColumns, i);
		gint column = x ? one->x : one->y;

		if (column >= 0 &&
		    !mlv_plot_table_is_numeric(x ? one->x_grid : one->grid, (guint)column))
			return TRUE;
	}
	return FALSE;
}

void mlv_plot_take_points(MlvPlot *plot, const GArray *columns)
{
	gboolean with_x = needs_names(columns, TRUE), with_y = needs_names(columns, FALSE);
	MlvPlotNames x_names, y_names;

	mlv_plot_names_init(&x_names, NAMES_MAX);
	mlv_plot_names_init(&y_names, NAMES_MAX);
	for (guint i = 0; i < columns->len; i++)
		take_series(plot, &g_array_index(columns, MlvPlotColumns, i),
			    with_x ? &x_names : NULL, with_y ? &y_names : NULL);
	plot->x_names = mlv_plot_names_end(&x_names);
	plot->y_names = mlv_plot_names_end(&y_names);
	if (!with_x || plot->x_names->len == 0)
		g_clear_pointer(&plot->x_names, g_ptr_array_unref);
	if (!with_y || plot->y_names->len == 0)
		g_clear_pointer(&plot->y_names, g_ptr_array_unref);
}
