/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted: histograms, confusion matrices, bars. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/plot/plot_private.h"
#include "core/plot/scale.h"

/* --- histogram -------------------------------------------------------------------------------- */

/* The range of all finite numbers, and how many there are. */
static guint64 find_range(const GArray *columns, double *low, double *high)
{
	guint64 count = 0;

	for (guint i = 0; i < columns->len; i++) {
		const MlvPlotColumns *one = &g_array_index(columns, MlvPlotColumns, i);
		double number;

		for (guint row = 0; row < one->grid->n_rows; row++) {
			if (!mlv_plot_table_number(one->grid, row, (guint)one->y, &number) ||
			    !isfinite(number))
				continue;
			*low = count ? MIN(*low, number) : number;
			*high = count ? MAX(*high, number) : number;
			count++;
		}
	}
	return count;
}

static void take_bins(MlvPlot *plot, const MlvPlotColumns *one, const MlvScale *scale, guint bins)
{
	MlvPlotSeries *series = mlv_plot_add_series(plot, one);
	guint64 left_out = 0;
	double number;

	for (guint bin = 0; bin < bins; bin++) {
		double x = mlv_scale_tick(scale, bin), y = 0;
		g_array_append_val(series->x, x);
		g_array_append_val(series->y, y);
	}
	for (guint row = 0; row < one->grid->n_rows; row++) {
		if (!mlv_plot_table_number(one->grid, row, (guint)one->y, &number))
			continue;
		if (!isfinite(number)) {
			left_out++;
			continue;
		}
		double at = floor((number - scale->from) / scale->step);
		guint bin = (guint)CLAMP(at, 0, (double)bins - 1);
		g_array_index(series->y, double, bin) += 1;
	}
	if (left_out > 0)
		mlv_plot_note(plot, "%" G_GUINT64_FORMAT " values are no finite numbers", left_out);
}

void mlv_plot_take_histogram(MlvPlot *plot, const GArray *columns)
{
	double low = 0, high = 0;
	guint64 count = find_range(columns, &low, &high);
	guint wanted = plot->def->bins ? plot->def->bins : (guint)CLAMP(sqrt((double)count), 5, 40);
	MlvScale scale;

	if (count == 0)
		return;
	mlv_scale_init(&scale, low, high, wanted, TRUE);
	plot->bin_width = scale.step;
	for (guint i = 0; i < columns->len; i++)
		take_bins(plot, &g_array_index(columns, MlvPlotColumns, i), &scale,
			  MAX(scale.ticks, 2) - 1);
	/* The values lie along x, how often they came along y. */
	g_free(plot->x_label);
	plot->x_label = plot->y_label;
	plot->y_label = g_strdup("count");
}

/* --- confusion -------------------------------------------------------------------------------- */

static gint compare_names(gconstpointer a, gconstpointer b)
{
	const char *first = *(const char *const *)a, *second = *(const char *const *)b;
	double x, y;

	/* Numbers by amount, before all else. */
	gboolean is_x = mlv_plot_table_parse_number(first, &x);
	gboolean is_y = mlv_plot_table_parse_number(second, &y);
	if (is_x && is_y && x != y)
		return x < y ? -1 : 1;
	if (is_x != is_y)
		return is_x ? -1 : 1;
	return strcmp(first, second);
}

static void add_classes(MlvPlotNames *classes, const MlvPlotTable *grid, guint column, guint rows,
			gboolean *more)
{
	for (guint row = 0; row < rows; row++) {
		const char *cell = mlv_plot_table_cell(grid, row, column);

		if (cell && *cell && mlv_plot_names_add(classes, cell) == G_MAXUINT)
			*more = TRUE;
	}
}

/* All classes, sorted. */
static GPtrArray *find_classes(MlvPlot *plot, const GArray *columns)
{
	gboolean more = FALSE;
	MlvPlotNames classes;
	GPtrArray *names;

	mlv_plot_names_init(&classes, MLV_PLOT_CLASSES_MAX);
	for (guint i = 0; i < columns->len; i++) {
		const MlvPlotColumns *one = &g_array_index(columns, MlvPlotColumns, i);

		if (one->x >= 0)
			add_classes(&classes, one->x_grid, (guint)one->x, one->n, &more);
		add_classes(&classes, one->grid, (guint)one->y, one->n, &more);
	}
	names = mlv_plot_names_end(&classes);
	g_ptr_array_sort(names, compare_names);
	if (more)
		mlv_plot_note(plot, "there are more than %u classes; the others are left out",
			      MLV_PLOT_CLASSES_MAX);
	return names;
}

static gboolean find_class(GHashTable *numbers, const char *cell, guint *number)
{
	gpointer found = cell ? g_hash_table_lookup(numbers, cell) : NULL;

	*number = GPOINTER_TO_UINT(found) - 1;
	return found != NULL;
}

static void normalize(GArray *counts, guint n)
{
	for (guint i = 0; i < n; i++) {
		double *row = &g_array_index(counts, double, i *n), sum = 0;

		for (guint j = 0; j < n; j++)
			sum += row[j];
		for (guint j = 0; j < n && sum > 0; j++)
			row[j] /= sum;
	}
}

static void take_matrix(MlvPlot *plot, const MlvPlotColumns *one, GHashTable *numbers, guint n)
{
	MlvPlotMatrix *matrix = g_new0(MlvPlotMatrix, 1);

	matrix->label = mlv_plot_label(plot, one);
	matrix->side = one->side;
	matrix->variant = one->variant;
	matrix->counts = g_array_new(FALSE, TRUE, sizeof(double));
	g_array_set_size(matrix->counts, n * n);
	for (guint row = 0; row < one->n; row++) {
		guint x, y;

		if (find_class(numbers, mlv_plot_table_cell(one->x_grid, row, (guint)one->x), &x) &&
		    find_class(numbers, mlv_plot_table_cell(one->grid, row, (guint)one->y), &y))
			g_array_index(matrix->counts, double, y *n + x) += 1;
	}
	if (plot->kind == MLV_PLOT_CONFUSION_NORMALIZED)
		normalize(matrix->counts, n);
	g_ptr_array_add(plot->matrices, matrix);
}

void mlv_plot_take_matrices(MlvPlot *plot, const GArray *columns)
{
	g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *classes;

	for (guint i = 0; i < columns->len; i++) {
		if (g_array_index(columns, MlvPlotColumns, i).x < 0) {
			mlv_plot_note(plot, "a confusion matrix needs two columns, x and y");
			return;
		}
	}
	if (columns->len == 0)
		return;
	classes = find_classes(plot, columns);
	for (guint i = 0; i < classes->len; i++)
		g_hash_table_insert(numbers, classes->pdata[i], GUINT_TO_POINTER(i + 1));
	plot->x_names = classes;
	plot->y_names = g_ptr_array_ref(classes);
	for (guint i = 0; i < columns->len && classes->len > 0; i++)
		take_matrix(plot, &g_array_index(columns, MlvPlotColumns, i), numbers,
			    classes->len);
}

/* --- bars ------------------------------------------------------------------------------------- */

typedef struct {
	guint number;
	double size;
} Bar;

static gint compare_bars(gconstpointer a, gconstpointer b)
{
	const Bar *first = a, *second = b;

	if (first->size != second->size)
		return first->size > second->size ? -1 : 1;
	return first->number < second->number ? -1 : first->number > second->number;
}

/* Puts the names in the order of the first series, longest bar first. */
static void sort_bars(MlvPlot *plot)
{
	const MlvPlotSeries *first = plot->series->pdata[0];
	guint n = plot->y_names->len;
	g_autofree Bar *bars = g_new0(Bar, n + 1);
	g_autofree guint *places = g_new0(guint, n + 1);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < n; i++)
		bars[i].number = i;
	for (guint i = 0; i < first->y->len; i++)
		bars[(guint)g_array_index(first->y, double, i)].size +=
			g_array_index(first->x, double, i);
	qsort(bars, n, sizeof *bars, compare_bars);
	for (guint i = 0; i < n; i++) {
		places[bars[i].number] = i;
		g_ptr_array_add(names, g_strdup(plot->y_names->pdata[bars[i].number]));
	}
	g_ptr_array_unref(plot->y_names);
	plot->y_names = names;
	for (guint s = 0; s < plot->series->len; s++) {
		MlvPlotSeries *series = plot->series->pdata[s];

		for (guint i = 0; i < series->y->len; i++) {
			double *y = &g_array_index(series->y, double, i);
			*y = places[(guint)*y];
		}
	}
}

/* A bar for each name in y: as long as x says, or, without x, as often as it comes. */
static void take_bar_series(MlvPlot *plot, const MlvPlotColumns *one, MlvPlotNames *names,
			    gboolean *more)
{
	MlvPlotSeries *series = mlv_plot_add_series(plot, one);
	g_autoptr(GArray) sums = g_array_new(FALSE, TRUE, sizeof(double));

	for (guint row = 0; row < one->n; row++) {
		const char *cell = mlv_plot_table_cell(one->grid, row, (guint)one->y);
		double size = 1;
		guint number;

		if (!cell || !*cell ||
		    (one->x >= 0 &&
		     (!mlv_plot_table_number(one->x_grid, row, (guint)one->x, &size) ||
		      !isfinite(size))))
			continue;
		number = mlv_plot_names_add(names, cell);
		if (number == G_MAXUINT) {
			*more = TRUE;
			continue;
		}
		if (sums->len <= number)
			g_array_set_size(sums, number + 1);
		g_array_index(sums, double, number) += size;
	}
	for (guint i = 0; i < sums->len; i++) {
		double y = i;
		g_array_append_val(series->y, y);
		g_array_append_val(series->x, g_array_index(sums, double, i));
	}
}

void mlv_plot_take_bars(MlvPlot *plot, const GArray *columns)
{
	gboolean more = FALSE;
	MlvPlotNames names;

	if (columns->len == 0)
		return;
	mlv_plot_names_init(&names, MLV_PLOT_CLASSES_MAX);
	for (guint i = 0; i < columns->len; i++)
		take_bar_series(plot, &g_array_index(columns, MlvPlotColumns, i), &names, &more);
	plot->y_names = mlv_plot_names_end(&names);
	if (more)
		mlv_plot_note(plot, "there are more than %u bars; the others are left out",
			      MLV_PLOT_CLASSES_MAX);
	if (plot->kind == MLV_PLOT_BARS_SORTED)
		sort_bars(plot);
}
