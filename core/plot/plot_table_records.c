/* SPDX-License-Identifier: Apache-2.0 */
/* Records in JSON and YAML: a list of maps, wherever in the file it is; or a map of lists. */
#include <string.h>

#include "core/measure/metric_log.h"
#include "core/plot/plot_table_private.h"

#define LISTS_MAX 10000u /* lists that are looked at */

typedef struct {
	MlvPlotTable *grid;
	GHashTable *columns; /* name -> number + 1 */
	GArray *row;         /* of const char * */
	GString *name;
} Builder;

/* Rows end where their last cell is; what comes in later records widens the table. */
static void put_cell(Builder *builder, const char *text)
{
	gpointer known = g_hash_table_lookup(builder->columns, builder->name->str);
	guint column = GPOINTER_TO_UINT(known);
	const char *none = NULL, *cell;

	if (!column) {
		if (builder->grid->names->len >= MLV_PLOT_TABLE_COLUMNS_MAX)
			return;
		mlv_plot_table_add_column(builder->grid, builder->name->str);
		column = builder->grid->names->len;
		g_hash_table_insert(builder->columns, g_strdup(builder->name->str),
				    GUINT_TO_POINTER(column));
	}
	while (builder->row->len < column)
		g_array_append_val(builder->row, none);
	cell = g_string_chunk_insert(builder->grid->chunk, text);
	g_array_index(builder->row, const char *, column - 1) = cell;
}

static void put_value(Builder *builder, const MlvValue *value)
{
	gsize length = builder->name->len;

	if (mlv_value_is(value, MLV_VALUE_MAP)) {
		for (gsize i = 0; i < value->length; i++) {
			if (length > 0)
				g_string_append_c(builder->name, '.');
			g_string_append(builder->name, value->entries[i].key->text);
			put_value(builder, value->entries[i].value);
			g_string_truncate(builder->name, length);
		}
	} else if (!mlv_value_is(value, MLV_VALUE_NULL)) {
		g_autofree char *text = mlv_value_text(value);
		put_cell(builder, text);
	}
}

/* Makes all rows as wide as the last. */
static void finish(MlvPlotTable *grid, GPtrArray *rows)
{
	for (guint i = 0; i < rows->len && mlv_plot_table_has_room(grid); i++) {
		const GArray *row = rows->pdata[i];
		mlv_plot_table_add_row(grid, (const char *const *)(gpointer)row->data, row->len);
	}
}

/* A list's elements, or what `next` gives: each a record, or a value of its own. */
typedef const MlvValue *(*NextRecord)(gpointer user);

static MlvPlotTable *build(NextRecord next, gpointer user)
{
	MlvPlotTable *grid = mlv_plot_table_new();
	g_autoptr(GHashTable) columns =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	g_autoptr(GString) name = g_string_new(NULL);
	Builder builder = { grid, columns, NULL, name };
	const MlvValue *record;

	grid->chunk = g_string_chunk_new(65536);
	while ((record = next(user))) {
		if (rows->len >= MLV_PLOT_TABLE_ROWS_MAX) {
			grid->truncated = TRUE;
			break;
		}
		builder.row = g_array_new(FALSE, FALSE, sizeof(const char *));
		g_ptr_array_add(rows, builder.row);
		g_string_assign(name, mlv_value_is(record, MLV_VALUE_MAP) ? "" : "value");
		put_value(&builder, record);
	}
	finish(grid, rows);
	return grid;
}

/* --- lists ------------------------------------------------------------------------------------ */

typedef struct {
	const MlvValue *list;
	gsize at;
} ListCursor;

static const MlvValue *next_item(gpointer user)
{
	ListCursor *cursor = user;
	return cursor->at < cursor->list->length ? cursor->list->items[cursor->at++] : NULL;
}

static gboolean has_field(const MlvValue *record, const char *field)
{
	return !field || mlv_value_lookup(record, field) != NULL;
}

/* Of all lists of maps, in the file's order, the first that has the fields; else the first. */
static void find_records(const MlvPlotTableOptions *options, const MlvValue *value,
			 const MlvValue **first, const MlvValue **best, guint *seen)
{
	if (*best || ++*seen > LISTS_MAX)
		return;
	if (mlv_value_is(value, MLV_VALUE_LIST) && value->length > 0 &&
	    mlv_value_is(value->items[0], MLV_VALUE_MAP)) {
		if (!*first)
			*first = value;
		if (has_field(value->items[0], options->field) &&
		    has_field(value->items[0], options->other_field))
			*best = value;
		return;
	}
	if (mlv_value_is(value, MLV_VALUE_MAP))
		for (gsize i = 0; i < value->length; i++)
			find_records(options, value->entries[i].value, first, best, seen);
}

/* --- a map of lists --------------------------------------------------------------------------- */

static gboolean is_columns(const MlvValue *root)
{
	gboolean any = FALSE;

	if (!mlv_value_is(root, MLV_VALUE_MAP))
		return FALSE;
	for (gsize i = 0; i < root->length; i++) {
		const MlvValue *list = root->entries[i].value;
		any |= mlv_value_is(list, MLV_VALUE_LIST) && list->length > 0 &&
		       mlv_value_is_scalar(list->items[0]);
	}
	return any;
}

static MlvPlotTable *build_columns(const MlvValue *root)
{
	MlvPlotTable *grid = mlv_plot_table_new();
	g_autoptr(GPtrArray) lists = g_ptr_array_new();
	g_autoptr(GArray) row = g_array_new(FALSE, TRUE, sizeof(const char *));
	gsize rows = 0;

	grid->chunk = g_string_chunk_new(65536);
	for (gsize i = 0; i < root->length && lists->len < MLV_PLOT_TABLE_COLUMNS_MAX; i++) {
		const MlvValue *list = root->entries[i].value;

		if (!mlv_value_is(list, MLV_VALUE_LIST))
			continue;
		mlv_plot_table_add_column(grid, root->entries[i].key->text);
		g_ptr_array_add(lists, (gpointer)list);
		rows = MAX(rows, list->length);
	}
	g_array_set_size(row, lists->len);
	for (gsize i = 0; i < rows && mlv_plot_table_has_room(grid); i++) {
		for (guint j = 0; j < lists->len; j++) {
			const MlvValue *cell = mlv_value_item(lists->pdata[j], (gint64)i);
			g_autofree char *text = cell && !mlv_value_is(cell, MLV_VALUE_NULL)
							? mlv_value_text(cell)
							: NULL;

			g_array_index(row, const char *, j) =
				text ? g_string_chunk_insert(grid->chunk, text) : NULL;
		}
		mlv_plot_table_add_row(grid, (const char *const *)(gpointer)row->data, row->len);
	}
	return grid;
}

MlvPlotTable *mlv_plot_table_from_value(const MlvPlotTableOptions *options, const MlvValue *root,
					const char *label, GError **error)
{
	const MlvValue *first = NULL, *best = NULL;
	guint seen = 0;

	find_records(options, root, &first, &best, &seen);
	if (best || first) {
		ListCursor cursor = { best ? best : first, 0 };
		return build(next_item, &cursor);
	}
	if (is_columns(root))
		return build_columns(root);
	if (mlv_value_is(root, MLV_VALUE_LIST) && root->length > 0) {
		ListCursor cursor = { root, 0 };
		return build(next_item, &cursor);
	}
	/* Numbers by name, as metrics files have them: one record. */
	if (mlv_value_is(root, MLV_VALUE_MAP) && root->length > 0) {
		MlvValue *items[] = { (MlvValue *)root };
		MlvValue list = { .type = MLV_VALUE_LIST, .length = 1, .items = items };
		ListCursor cursor = { &list, 0 };
		return build(next_item, &cursor);
	}
	mlv_fail(error, MLV_ERROR_CORRUPT,
		 "'%s' has no table: a list of maps, or a map of lists, is expected", label);
	return NULL;
}

/* --- JSON lines ------------------------------------------------------------------------------- */

typedef struct {
	const char *at, *end;
	MlvValue *value; /* of the line that was given last */
} LineCursor;

static const MlvValue *next_line(gpointer user)
{
	LineCursor *cursor = user;

	while (cursor->at < cursor->end) {
		const char *line = cursor->at;
		const char *newline = memchr(line, '\n', (gsize)(cursor->end - line));
		gsize length = (gsize)((newline ? newline : cursor->end) - line);

		cursor->at = newline ? newline + 1 : cursor->end;
		g_clear_pointer(&cursor->value, mlv_value_unref);
		if (length == 0 || length > MLV_LOG_LINE_MAX)
			continue;
		/* What is no record, a torn line say, is passed over. */
		cursor->value = mlv_value_parse_json(line, length, "line", NULL);
		if (mlv_value_is(cursor->value, MLV_VALUE_MAP))
			return cursor->value;
	}
	g_clear_pointer(&cursor->value, mlv_value_unref);
	return NULL;
}

MlvPlotTable *mlv_plot_table_parse_lines(const char *data, gsize length, const char *label,
					 GError **error)
{
	LineCursor cursor = { data, data + length, NULL };
	g_autoptr(MlvPlotTable) grid = build(next_line, &cursor);

	mlv_value_unref(cursor.value);
	if (grid->names->len > 0)
		return g_steal_pointer(&grid);
	mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' has no line that is a JSON object", label);
	return NULL;
}
