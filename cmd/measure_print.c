/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/measure_print.h"

#include <string.h>

#include "cmd/markup.h"
#include "cmd/measure_private.h"

#define CELL_MAX 48 /* characters of a value in columns */

/* --- cells ------------------------------------------------------------------------------------ */

gboolean mlv_measure_is_metrics(const MlvMeasurePrint *print)
{
	return print->measures->options.kind == MLV_MEASURE_METRICS;
}

const MlvSide *mlv_measure_side(const MlvMeasurePrint *print, guint i)
{
	return print->sides->sides->pdata[i];
}

const char *mlv_measure_verdict_word(MlvVerdict verdict)
{
	return verdict == MLV_VERDICT_BETTER  ? "better"
	       : verdict == MLV_VERDICT_WORSE ? "worse"
					      : "";
}

void mlv_measure_pair_init(MlvMeasurePair *pair, const MlvMeasurePrint *print,
			   const MlvMeasureRow *row)
{
	*pair = (MlvMeasurePair){ .from = row->values->pdata[0],
				  .to = row->values->pdata[print->measures->sides - 1] };
	pair->changed = mlv_measure_changed(pair->from, pair->to);
	pair->verdict = mlv_measure_verdict(row->direction, pair->from, pair->to);
	pair->difference = mlv_measure_difference(pair->from, pair->to);
}

void mlv_measure_pair_clear(MlvMeasurePair *pair)
{
	mlv_value_unref(pair->difference);
}

static MlvRepo *repo_of(const MlvMeasurePrint *print)
{
	return mlv_view_repo(print->sides->view);
}

/* For columns: harmless, on one line, no longer than is readable. */
static char *shorten(const char *text)
{
	g_autofree char *plain = mlv_ui_printable(text);

	if (g_utf8_strlen(plain, -1) <= CELL_MAX)
		return g_steal_pointer(&plain);
	g_autofree char *head = g_utf8_substring(plain, 0, CELL_MAX - 1);
	return g_strconcat(head, "…", NULL);
}

static char *cell(const MlvMeasurePrint *print, const char *text)
{
	return print->style == MLV_MEASURE_COLUMNS ? shorten(text) : g_strdup(text);
}

static char *value_cell(const MlvMeasurePrint *print, const MlvValue *value)
{
	guint precision = print->style == MLV_MEASURE_CSV ? 0 : print->precision;
	g_autofree char *text = mlv_measure_text(value, precision);

	/* In CSV nothing is nothing. */
	return !value && print->style == MLV_MEASURE_CSV ? g_strdup("") : cell(print, text);
}

static char *path_cell(const MlvMeasurePrint *print, const MlvMeasureRow *row)
{
	g_autofree char *shown = print->style == MLV_MEASURE_COLUMNS
					 ? mlv_repo_display(repo_of(print), row->path)
					 : g_strdup(row->path);
	return print->style == MLV_MEASURE_COLUMNS ? mlv_ui_name(shown) : g_steal_pointer(&shown);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* A table under way, in any of the styles but JSON. */
typedef struct {
	MlvMeasureStyle style;
	char *align;
	guint count;
	MlvColumns *columns; /* COLUMNS */
	GPtrArray *cells;    /* CELLS; borrowed */
	GString *text;       /* all else */
	gboolean any;
} Table;

static void table_init(Table *table, MlvMeasureStyle style, char *align)
{
	*table = (Table){ .style = style, .align = align, .count = (guint)strlen(align) };
	table->text = g_string_new(NULL);
	table->columns = style == MLV_MEASURE_COLUMNS ? mlv_ui_columns_new(align) : NULL;
}

static void table_row(Table *table, const char *const *cells)
{
	if (table->style == MLV_MEASURE_COLUMNS)
		mlv_ui_columns_add_row(table->columns, cells);
	else if (table->style == MLV_MEASURE_CSV)
		mlv_csv_row(table->text, cells, table->count);
	else if (table->style == MLV_MEASURE_CELLS)
		for (guint i = 0; i < table->count; i++)
			g_ptr_array_add(table->cells, g_strdup(cells[i]));
	else
		mlv_markdown_row(table->text, cells, table->count);
	if (table->style == MLV_MEASURE_MARKDOWN && !table->any)
		mlv_markdown_rule(table->text, table->align);
	table->any = TRUE;
}

/* The text of the table, but of columns, which are printed; NULL then. Frees. */
static char *table_end(Table *table)
{
	g_free(table->align);
	if (table->columns) {
		mlv_ui_columns_print(table->columns, stdout);
		g_string_free(table->text, TRUE);
		return NULL;
	}
	return g_string_free(table->text, FALSE);
}

static gboolean table_print(Table *table, MlvCmd *cmd, GError **error)
{
	g_autofree char *text = table_end(table);

	return text ? mlv_cmd_write(cmd, text, strlen(text), error)
		    : mlv_cmd_keep_going(cmd, error);
}

/* --- show ------------------------------------------------------------------------------------- */

gboolean mlv_measure_print_show(const MlvMeasurePrint *print, GError **error)
{
	const MlvMeasures *measures = print->measures;
	guint count = measures->sides + 2;
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	char *align = g_strnfill(count, 'r');
	Table table;

	if (print->style == MLV_MEASURE_JSON) {
		g_free(align);
		return mlv_measure_json_show(print, error);
	}
	align[0] = align[1] = 'l';
	table_init(&table, print->style, align);
	g_ptr_array_add(cells, g_strdup("Path"));
	g_ptr_array_add(cells, g_strdup(mlv_measure_is_metrics(print) ? "Metric" : "Param"));
	for (guint i = 0; i < measures->sides; i++)
		g_ptr_array_add(cells, cell(print, mlv_side_name(mlv_measure_side(print, i))));
	if (measures->rows->len > 0)
		table_row(&table, (const char *const *)cells->pdata);
	for (guint i = 0; i < measures->rows->len; i++) {
		const MlvMeasureRow *row = measures->rows->pdata[i];

		g_ptr_array_set_size(cells, 0);
		g_ptr_array_add(cells, path_cell(print, row));
		g_ptr_array_add(cells, cell(print, row->name));
		for (guint j = 0; j < row->values->len; j++)
			g_ptr_array_add(cells, value_cell(print, row->values->pdata[j]));
		table_row(&table, (const char *const *)cells->pdata);
	}
	return table_print(&table, print->cmd, error);
}

/* --- diff ------------------------------------------------------------------------------------- */

static void diff_head(const MlvMeasurePrint *print, Table *table)
{
	g_autofree char *from = cell(print, mlv_side_name(mlv_measure_side(print, 0)));
	g_autofree char *to =
		cell(print, mlv_side_name(mlv_measure_side(print, print->measures->sides - 1)));
	gboolean csv = print->style == MLV_MEASURE_CSV;
	const char *const cells[] = { "Path",   mlv_measure_is_metrics(print) ? "Metric" : "Param",
				      from,     to,
				      "Change", csv ? "Verdict" : "" };
	table_row(table, cells);
}

static void diff_row(const MlvMeasurePrint *print, const MlvMeasureRow *row,
		     const MlvMeasurePair *pair, Table *table)
{
	g_autofree char *path = path_cell(print, row);
	g_autofree char *name = cell(print, row->name);
	g_autofree char *from = value_cell(print, pair->from);
	g_autofree char *to = value_cell(print, pair->to);
	gboolean csv = print->style == MLV_MEASURE_CSV;
	g_autofree char *change =
		pair->difference
			? mlv_measure_difference_text(pair->difference, csv ? 0 : print->precision)
			: g_strdup(csv ? "" : "-");
	const char *word = mlv_measure_verdict_word(pair->verdict);
	g_autofree char *coloured = NULL;

	if (print->style == MLV_MEASURE_COLUMNS && *word)
		coloured =
			g_strconcat(mlv_ui_color(print->cmd->ui, pair->verdict == MLV_VERDICT_BETTER
									 ? MLV_COLOR_GREEN
									 : MLV_COLOR_RED),
				    word, mlv_ui_color(print->cmd->ui, MLV_COLOR_RESET), NULL);
	const char *const cells[] = { path, name, from, to, change, coloured ? coloured : word };
	table_row(table, cells);
}

/* Puts the rows into the table. */
static guint diff_rows(const MlvMeasurePrint *print, Table *table)
{
	guint changed = 0;

	for (guint i = 0; i < print->measures->rows->len; i++) {
		const MlvMeasureRow *row = print->measures->rows->pdata[i];
		g_auto(MlvMeasurePair) pair = { 0 };

		mlv_measure_pair_init(&pair, print, row);
		changed += pair.changed;
		if (!pair.changed && !print->all)
			continue;
		if (!table->any)
			diff_head(print, table);
		diff_row(print, row, &pair, table);
	}
	return changed;
}

gboolean mlv_measure_print_diff(const MlvMeasurePrint *print, guint *changed, GError **error)
{
	Table table;

	if (print->style == MLV_MEASURE_JSON)
		return mlv_measure_json_diff(print, changed, error);
	table_init(&table, print->style, g_strdup(MLV_MEASURE_DIFF_ALIGN));
	*changed = diff_rows(print, &table);
	return table_print(&table, print->cmd, error);
}

GPtrArray *mlv_measure_diff_cells(const MlvMeasurePrint *print)
{
	MlvMeasurePrint cells = *print;
	Table table;

	cells.style = MLV_MEASURE_CELLS;
	table_init(&table, MLV_MEASURE_CELLS, g_strdup(MLV_MEASURE_DIFF_ALIGN));
	table.cells = g_ptr_array_new_with_free_func(g_free);
	diff_rows(&cells, &table);
	g_free(table_end(&table));
	return table.cells;
}
