/* SPDX-License-Identifier: Apache-2.0 */
/* From a definition to its data. */
#include <stdarg.h>
#include <string.h>

#include "core/measure/metric_log.h"
#include "core/plot/plot_private.h"

#define CACHE_MAX 16u /* tables that are kept for the next plot */

struct MlvPlotLoader {
	const GPtrArray *sides;
	GHashTable *grids; /* "side header fields file" -> MlvPlotTable */
};

/* --- a plot ----------------------------------------------------------------------------------- */

static void series_free(MlvPlotSeries *series)
{
	g_array_unref(series->x);
	g_array_unref(series->y);
	g_free(series->label);
	g_free(series);
}

static void matrix_free(MlvPlotMatrix *matrix)
{
	g_array_unref(matrix->counts);
	g_free(matrix->label);
	g_free(matrix);
}

static void image_free(MlvPlotImage *image)
{
	g_bytes_unref(image->bytes);
	g_free(image);
}

void mlv_plot_free(MlvPlot *plot)
{
	if (!plot)
		return;
	g_ptr_array_unref(plot->series);
	g_ptr_array_unref(plot->matrices);
	g_ptr_array_unref(plot->images);
	g_ptr_array_unref(plot->notes);
	g_clear_pointer(&plot->x_names, g_ptr_array_unref);
	g_clear_pointer(&plot->y_names, g_ptr_array_unref);
	g_free(plot->title);
	g_free(plot->x_label);
	g_free(plot->y_label);
	g_free(plot);
}

gboolean mlv_plot_is_empty(const MlvPlot *plot)
{
	return plot->series->len == 0 && plot->matrices->len == 0 && plot->images->len == 0;
}

void mlv_plot_note(MlvPlot *plot, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_ptr_array_add(plot->notes, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

static MlvPlot *new_plot(const MlvPlotDef *def)
{
	MlvPlot *plot = g_new0(MlvPlot, 1);

	plot->def = def;
	plot->kind = def->kind;
	plot->title = g_strdup(def->title ? def->title : def->id);
	plot->series = g_ptr_array_new_with_free_func((GDestroyNotify)series_free);
	plot->matrices = g_ptr_array_new_with_free_func((GDestroyNotify)matrix_free);
	plot->images = g_ptr_array_new_with_free_func((GDestroyNotify)image_free);
	plot->notes = g_ptr_array_new_with_free_func(g_free);
	return plot;
}

/* --- tables ----------------------------------------------------------------------------------- */

MlvPlotLoader *mlv_plot_loader_new(const GPtrArray *sides)
{
	MlvPlotLoader *loader = g_new0(MlvPlotLoader, 1);

	loader->sides = sides;
	loader->grids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify)mlv_plot_table_free);
	return loader;
}

void mlv_plot_loader_free(MlvPlotLoader *loader)
{
	if (!loader)
		return;
	g_hash_table_unref(loader->grids);
	g_free(loader);
}

static MlvSide *side_at(const MlvPlotLoader *loader, guint side)
{
	return loader->sides->pdata[side];
}

/* Notes why something lacks at a side; that it is not there is said shortly. */
static void note_lack(const MlvPlotLoader *loader, MlvPlot *plot, guint side, const char *file,
		      const GError *error)
{
	const char *name = mlv_side_name(side_at(loader, side));

	if (g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING))
		mlv_plot_note(plot, "%s: no '%s'", name, file);
	else
		mlv_plot_note(plot, "%s: %s", name, error->message);
}

static const MlvPlotTable *load_grid(MlvPlotLoader *loader, MlvPlot *plot, guint side,
				     const char *file, const MlvPlotTableOptions *options)
{
	gboolean records = g_str_has_suffix(file, ".json") || g_str_has_suffix(file, ".yaml") ||
			   g_str_has_suffix(file, ".yml");
	g_autofree char *key =
		g_strdup_printf("%u %d %s\n%s\n%s", side, options->no_header,
				records && options->field ? options->field : "",
				records && options->other_field ? options->other_field : "", file);
	MlvPlotTable *grid = g_hash_table_lookup(loader->grids, key);
	g_autoptr(GError) error = NULL;

	if (grid)
		return grid;
	g_autoptr(GBytes) bytes =
		mlv_side_read(side_at(loader, side), file, MLV_PLOT_TABLE_FILE_MAX, &error);
	gsize length = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;
	if (bytes)
		grid = mlv_plot_table_parse(options, data ? data : "", length, file, &error);
	if (!grid) {
		note_lack(loader, plot, side, file, error);
		return NULL;
	}
	if (grid->truncated)
		mlv_plot_note(plot, "%s: of '%s' only the first %u rows are shown",
			      mlv_side_name(side_at(loader, side)), file, grid->n_rows);
	g_hash_table_insert(loader->grids, g_steal_pointer(&key), grid);
	return grid;
}

/* The number of a column; -1 with a note if there is none. */
static gint find_column(const MlvPlotLoader *loader, MlvPlot *plot, guint side,
			const MlvPlotTable *grid, const char *name, const char *file)
{
	gint column = mlv_plot_table_column(grid, name);
	g_autoptr(GString) there = g_string_new(NULL);

	if (column >= 0)
		return column;
	for (guint i = 0; i < grid->names->len && i < 10; i++)
		g_string_append_printf(there, "%s%s", i ? ", " : "", (char *)grid->names->pdata[i]);
	mlv_plot_note(plot, "%s: no column '%s' in '%s'; it has %s%s",
		      mlv_side_name(side_at(loader, side)), name, file, there->str,
		      grid->names->len > 10 ? ", ..." : "");
	return -1;
}

/* The y that nobody named: the last column that has numbers and is not x, else the last. */
static gint default_column(const MlvPlotTable *grid, gint x)
{
	gint last = (gint)grid->names->len - 1;

	for (gint i = last; i >= 0; i--)
		if (i != x && mlv_plot_table_is_numeric(grid, (guint)i))
			return i;
	return last > 0 && last == x ? last - 1 : last;
}

/* Rows are matched by their place: a file for x must be of the same length. */
static gboolean find_columns(MlvPlotLoader *loader, MlvPlot *plot, const MlvPlotSource *source,
			     MlvPlotColumns *columns)
{
	const MlvPlotDef *def = plot->def;
	const MlvPlotTableOptions options = { def->no_header, source->column,
					      source->x_file ? NULL : source->x };
	const MlvPlotTableOptions x_options = { def->no_header, source->x, NULL };
	guint side = columns->side;

	columns->x = -1;
	columns->grid = load_grid(loader, plot, side, source->file, &options);
	if (!columns->grid)
		return FALSE;
	columns->x_grid = source->x_file ? load_grid(loader, plot, side, source->x_file, &x_options)
					 : columns->grid;
	if (!columns->x_grid)
		return FALSE;
	/* A log whose lines have no step counts them. */
	if (source->x && !(mlv_log_is_name(source->file) && strcmp(source->x, "step") == 0 &&
			   mlv_plot_table_column(columns->x_grid, "step") < 0)) {
		columns->x = find_column(loader, plot, side, columns->x_grid, source->x,
					 source->x_file ? source->x_file : source->file);
		if (columns->x < 0)
			return FALSE;
	}
	if (!source->column && plot->kind == MLV_PLOT_HISTOGRAM && columns->x >= 0)
		columns->y = columns->x;
	else if (source->column)
		columns->y = find_column(loader, plot, side, columns->grid, source->column,
					 source->file);
	else
		columns->y = default_column(columns->grid,
					    columns->grid == columns->x_grid ? columns->x : -1);
	columns->n = MIN(columns->grid->n_rows, columns->x_grid->n_rows);
	return columns->y >= 0;
}

/* --- pictures --------------------------------------------------------------------------------- */

static void load_image(const MlvPlotLoader *loader, MlvPlot *plot, guint side, const char *file)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes =
		mlv_side_read(side_at(loader, side), file, MLV_PICTURE_MAX, &error);
	MlvPictureInfo info;
	gsize length;
	const guint8 *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;

	if (!bytes) {
		note_lack(loader, plot, side, file, error);
	} else if (!data || !mlv_picture_look(data, length, &info)) {
		mlv_plot_note(plot, "%s: '%s' is no picture", mlv_side_name(side_at(loader, side)),
			      file);
	} else {
		MlvPlotImage *image = g_new0(MlvPlotImage, 1);

		image->side = side;
		image->bytes = g_steal_pointer(&bytes);
		image->info = info;
		g_ptr_array_add(plot->images, image);
	}
}

/* --- all -------------------------------------------------------------------------------------- */

static void set_labels(MlvPlot *plot, const GArray *columns)
{
	const MlvPlotDef *def = plot->def;
	const MlvPlotSource *first = def->sources->pdata[0];
	const MlvPlotColumns *some =
		columns->len ? &g_array_index(columns, MlvPlotColumns, 0) : NULL;

	plot->x_label = g_strdup(def->x_label           ? def->x_label
				 : some && some->x >= 0 ? some->x_grid->names->pdata[some->x]
				 : first->x             ? first->x
				 : plot->kind == MLV_PLOT_LINES ? "step"
								: "");
	plot->y_label = g_strdup(def->y_label            ? def->y_label
				 : def->sources->len > 1 ? ""
				 : some                  ? some->grid->names->pdata[some->y]
							 : "");
}

static void take_columns(MlvPlot *plot, const GArray *columns)
{
	switch (plot->kind) {
	case MLV_PLOT_CONFUSION:
	case MLV_PLOT_CONFUSION_NORMALIZED:
		mlv_plot_take_matrices(plot, columns);
		break;
	case MLV_PLOT_BARS:
	case MLV_PLOT_BARS_SORTED:
		mlv_plot_take_bars(plot, columns);
		break;
	case MLV_PLOT_HISTOGRAM:
		mlv_plot_take_histogram(plot, columns);
		break;
	default:
		mlv_plot_take_points(plot, columns);
	}
}

MlvPlot *mlv_plot_load(MlvPlotLoader *loader, const MlvPlotDef *def)
{
	MlvPlot *plot = new_plot(def);
	g_autoptr(GArray) columns = g_array_new(FALSE, FALSE, sizeof(MlvPlotColumns));

	if (g_hash_table_size(loader->grids) > CACHE_MAX)
		g_hash_table_remove_all(loader->grids);
	for (guint side = 0; side < loader->sides->len; side++) {
		for (guint i = 0; i < def->sources->len; i++) {
			const MlvPlotSource *source = def->sources->pdata[i];
			MlvPlotColumns found = { .side = side, .variant = i };

			if (plot->kind == MLV_PLOT_IMAGE)
				load_image(loader, plot, side, source->file);
			else if (find_columns(loader, plot, source, &found))
				g_array_append_val(columns, found);
		}
	}
	set_labels(plot, columns);
	take_columns(plot, columns);
	return plot;
}
