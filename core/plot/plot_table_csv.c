/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180), and with tabs or semicolons. */
#include <string.h>

#include "core/plot/plot_table_private.h"

typedef struct {
	char *at, *end; /* into a copy, in which cells are ended by NUL where they lie */
	char separator;
	GArray *row; /* of const char * */
	guint64 line;
} Reader;

/* A quoted cell; `at` is behind the quote. Leaves `at` at what ends the cell. */
static char *quoted_cell(Reader *reader)
{
	char *start = reader->at, *to = start;

	while (reader->at < reader->end) {
		char c = *reader->at++;

		if (c == '\n')
			reader->line++;
		if (c != '"') {
			*to++ = c;
		} else if (reader->at < reader->end && *reader->at == '"') {
			*to++ = '"';
			reader->at++;
		} else {
			break;
		}
	}
	/* What stands behind the closing quote belongs to the cell, as most readers have it. */
	while (reader->at < reader->end && *reader->at != reader->separator &&
	       *reader->at != '\n' && *reader->at != '\r')
		*to++ = *reader->at++;
	/* There is room: at least the quote has gone. A quote that is never closed ends at the end,
	 * where the copy has a NUL. */
	if (to < reader->at)
		*to = '\0';
	return start;
}

/* Reads one record into reader->row; FALSE at the end. */
static gboolean read_record(Reader *reader)
{
	g_array_set_size(reader->row, 0);
	if (reader->at >= reader->end)
		return FALSE;
	for (;;) {
		char *start = reader->at, stop;

		if (reader->at < reader->end && *reader->at == '"') {
			reader->at++;
			start = quoted_cell(reader);
		} else {
			while (reader->at < reader->end && *reader->at != reader->separator &&
			       *reader->at != '\n' && *reader->at != '\r')
				reader->at++;
		}
		stop = reader->at < reader->end ? *reader->at : '\n';
		if (reader->at < reader->end)
			*reader->at++ = '\0';
		g_array_append_val(reader->row, start);
		if (stop == reader->separator)
			continue;
		if (stop == '\r' && reader->at < reader->end && *reader->at == '\n')
			reader->at++;
		reader->line++;
		return TRUE;
	}
}

static gboolean is_blank_record(const GArray *row)
{
	const char *only = row->len == 1 ? g_array_index(row, const char *, 0) : "x";
	return !*only;
}

/* What separates: by the name, else what the first line has. */
static char find_separator(const char *label, const char *data, gsize length)
{
	const char *newline = memchr(data, '\n', length);
	gsize first = newline ? (gsize)(newline - data) : length;

	if (g_str_has_suffix(label, ".tsv"))
		return '\t';
	if (memchr(data, ',', first))
		return ',';
	return memchr(data, '\t', first) ? '\t' : memchr(data, ';', first) ? ';' : ',';
}

static gboolean name_columns(MlvPlotTable *grid, const GArray *row, gboolean header,
			     const char *label, GError **error)
{
	if (row->len > MLV_PLOT_TABLE_COLUMNS_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' has more than %u columns", label,
				MLV_PLOT_TABLE_COLUMNS_MAX);
	for (guint i = 0; i < row->len; i++) {
		g_autofree char *name =
			header ? g_strstrip(g_strdup(g_array_index(row, const char *, i))) : NULL;
		g_autofree char *number = g_strdup_printf("%u", i);

		mlv_plot_table_add_column(grid, name && *name ? name : number);
	}
	return TRUE;
}

MlvPlotTable *mlv_plot_table_parse_csv(const MlvPlotTableOptions *options, const char *data,
				       gsize length, const char *label, GError **error)
{
	g_autoptr(MlvPlotTable) grid = mlv_plot_table_new();
	g_autoptr(GArray) row = g_array_new(FALSE, FALSE, sizeof(const char *));
	Reader reader = { .row = row, .line = 1 };

	if (length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		data += 3;
		length -= 3;
	}
	if (length > 0 && memchr(data, '\0', length)) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "'%s' has a NUL byte: it is no table in text form", label);
		return NULL;
	}
	grid->text = g_malloc(length + 1);
	if (length > 0)
		memcpy(grid->text, data, length);
	grid->text[length] = '\0';
	reader.at = grid->text;
	reader.end = grid->text + length;
	reader.separator = find_separator(label, grid->text, length);
	for (gboolean first = TRUE; read_record(&reader);) {
		if (is_blank_record(row))
			continue;
		if (first && !name_columns(grid, row, !options->no_header, label, error))
			return NULL;
		if ((!first || options->no_header) && mlv_plot_table_has_room(grid))
			mlv_plot_table_add_row(grid, (const char *const *)(gpointer)row->data,
					       row->len);
		first = FALSE;
		if (grid->truncated)
			break;
	}
	if (grid->names->len > 0)
		return g_steal_pointer(&grid);
	mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is empty: a table with a header is expected",
		 label);
	return NULL;
}
