/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plot/plot_table.h"

#include <math.h>
#include <string.h>

#include "core/measure/metric_log.h"
#include "core/plot/plot_table_private.h"
#include "core/yaml.h"

MlvPlotTable *mlv_plot_table_new(void)
{
	MlvPlotTable *grid = g_new0(MlvPlotTable, 1);

	grid->names = g_ptr_array_new_with_free_func(g_free);
	grid->cells = g_array_new(FALSE, FALSE, sizeof(const char *));
	return grid;
}

void mlv_plot_table_free(MlvPlotTable *grid)
{
	if (!grid)
		return;
	g_ptr_array_unref(grid->names);
	g_array_unref(grid->cells);
	g_free(grid->text);
	if (grid->chunk)
		g_string_chunk_free(grid->chunk);
	g_free(grid);
}

void mlv_plot_table_add_column(MlvPlotTable *grid, const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	g_autofree char *unique = g_strdup(valid);

	for (guint i = 2; mlv_plot_table_column(grid, unique) >= 0; i++) {
		g_free(unique);
		unique = g_strdup_printf("%s.%u", valid, i);
	}
	g_ptr_array_add(grid->names, g_steal_pointer(&unique));
}

gboolean mlv_plot_table_has_room(MlvPlotTable *grid)
{
	gboolean room = grid->n_rows < MLV_PLOT_TABLE_ROWS_MAX &&
			grid->cells->len + grid->names->len <= MLV_PLOT_TABLE_CELLS_MAX;

	if (!room)
		grid->truncated = TRUE;
	return room;
}

void mlv_plot_table_add_row(MlvPlotTable *grid, const char *const *cells, guint n)
{
	const char *none = NULL;

	for (guint i = 0; i < grid->names->len; i++)
		g_array_append_val(grid->cells, *(i < n ? &cells[i] : &none));
	grid->n_rows++;
}

gint mlv_plot_table_column(const MlvPlotTable *grid, const char *name)
{
	for (guint i = 0; i < grid->names->len; i++)
		if (strcmp(grid->names->pdata[i], name) == 0)
			return (gint)i;
	return -1;
}

const char *mlv_plot_table_cell(const MlvPlotTable *grid, guint row, guint column)
{
	return g_array_index(grid->cells, const char *, row * grid->names->len + column);
}

gboolean mlv_plot_table_parse_number(const char *text, double *number)
{
	static const struct {
		const char *word;
		double number;
	} words[] = { { "nan", NAN },
		      { "inf", INFINITY },
		      { "+inf", INFINITY },
		      { "-inf", -INFINITY },
		      { "infinity", INFINITY },
		      { "+infinity", INFINITY },
		      { "-infinity", -INFINITY },
		      { ".nan", NAN },
		      { ".inf", INFINITY },
		      { "-.inf", -INFINITY } };
	char *end;

	while (*text == ' ' || *text == '\t')
		text++;
	/* strtod() would take hexadecimal, and "nan(...)". */
	if (!g_ascii_isdigit(*text) && !strchr("+-.", *text) && !strchr("nNiI", *text))
		return FALSE;
	if (!*text)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		if (g_ascii_strcasecmp(text, words[i].word) == 0) {
			*number = words[i].number;
			return TRUE;
		}
	}
	if (strspn(text, "0123456789+-.eE \t") != strlen(text))
		return FALSE;
	*number = g_ascii_strtod(text, &end);
	if (end == text)
		return FALSE;
	while (*end == ' ' || *end == '\t')
		end++;
	return !*end;
}

gboolean mlv_plot_table_number(const MlvPlotTable *grid, guint row, guint column, double *number)
{
	const char *cell = mlv_plot_table_cell(grid, row, column);

	return cell && mlv_plot_table_parse_number(cell, number);
}

gboolean mlv_plot_table_is_numeric(const MlvPlotTable *grid, guint column)
{
	gboolean any = FALSE;
	double number;

	for (guint row = 0; row < grid->n_rows; row++) {
		const char *cell = mlv_plot_table_cell(grid, row, column);

		if (!cell || !*cell)
			continue;
		if (!mlv_plot_table_parse_number(cell, &number))
			return FALSE;
		any = TRUE;
	}
	return any;
}

MlvPlotTable *mlv_plot_table_parse(const MlvPlotTableOptions *options, const char *data,
				   gsize length, const char *label, GError **error)
{
	gboolean yaml = g_str_has_suffix(label, ".yaml") || g_str_has_suffix(label, ".yml");
	g_autoptr(MlvValue) root = NULL;

	if (length > MLV_PLOT_TABLE_FILE_MAX) {
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' is larger than %u MiB", label,
			 MLV_PLOT_TABLE_FILE_MAX >> 20);
		return NULL;
	}
	if (mlv_log_is_name(label))
		return mlv_plot_table_parse_lines(data, length, label, error);
	if (!yaml && !g_str_has_suffix(label, ".json"))
		return mlv_plot_table_parse_csv(options, data, length, label, error);
	root = yaml ? mlv_yaml_parse(data, length, label, error)
		    : mlv_value_parse_json(data, length, label, error);
	return root ? mlv_plot_table_from_value(options, root, label, error) : NULL;
}
