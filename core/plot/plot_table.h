/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table as files have them: CSV and TSV, JSON and YAML with records in them, JSON lines. Rows of
 * cells under named columns; a cell is text, and a number where it reads as one.
 *
 *	g_autoptr(MlvPlotTable) table =
 *		mlv_plot_table_parse(&options, data, length, "roc.csv", error);
 *	gint x = mlv_plot_table_column(table, "fpr");
 *	for (guint row = 0; row < table->n_rows; row++)
 *		mlv_plot_table_number(table, row, x, &value);
 *
 * A table is not changed once it is made, and may be read by any thread.
 */
#ifndef MLV_CORE_PLOT_PLOT_TABLE_H
#define MLV_CORE_PLOT_PLOT_TABLE_H

#include "core/value.h"

#define MLV_PLOT_TABLE_FILE_MAX    (128u << 20) /* bytes of a file */
#define MLV_PLOT_TABLE_ROWS_MAX    1000000u     /* what comes after is left out */
#define MLV_PLOT_TABLE_COLUMNS_MAX 4096u
#define MLV_PLOT_TABLE_CELLS_MAX   8000000u

typedef struct {
	GPtrArray *names; /* of char *: the columns, each once, valid UTF-8 */
	guint n_rows;
	gboolean truncated; /* rows were left out */
	/* private */
	GArray *cells; /* of const char *, row by row; NULL: there is none */
	char *text;    /* what they point into: one of the two */
	GStringChunk *chunk;
} MlvPlotTable;

typedef struct {
	gboolean no_header; /* of CSV: the first line is data; columns are "0", "1" ... */
	/* Of JSON and YAML: of several lists of records that one is meant which has these; each may
	 * be NULL. */
	const char *field, *other_field;
} MlvPlotTableOptions;

/* Reads a whole file by the end of its name (.csv, .tsv, .json, .yaml, .yml, .jsonl, .ndjson; all
 * else as CSV). MLV_ERROR_CORRUPT for what is no table, with the line where that can be said. */
MlvPlotTable *mlv_plot_table_parse(const MlvPlotTableOptions *options, const char *data,
				   gsize length, const char *label, GError **error);
/* The same of a value. */
MlvPlotTable *mlv_plot_table_from_value(const MlvPlotTableOptions *options, const MlvValue *root,
					const char *label, GError **error);
void mlv_plot_table_free(MlvPlotTable *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPlotTable, mlv_plot_table_free)

/* The number of a column, or -1. */
gint mlv_plot_table_column(const MlvPlotTable *grid, const char *name);
/* A cell's text, NUL-terminated, of any bytes; NULL: there is none. Borrowed. */
const char *mlv_plot_table_cell(const MlvPlotTable *grid, guint row, guint column);
/* Whether a cell is a number, NaN and the infinities among them. */
gboolean mlv_plot_table_number(const MlvPlotTable *grid, guint row, guint column, double *number);
/* Whether all cells of a column that hold anything are numbers, and there is one. */
gboolean mlv_plot_table_is_numeric(const MlvPlotTable *grid, guint column);

/* Whether a text is a number as tables have them: "0.1", "1e-5", "nan", "-inf"; blanks around it
 * do not matter. */
gboolean mlv_plot_table_parse_number(const char *text, double *number);

#endif
