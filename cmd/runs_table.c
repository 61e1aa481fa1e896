/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/runs_table.h"

#include <string.h>

#include "cmd/run_json.h"
#include "cmd/ui_json.h"
#include "core/run/run_where.h"

/* --- which and in what order ------------------------------------------------------------------ */

typedef struct {
	MlvRunEntry *entry;
	MlvValue *value;
	guint at; /* where it was: equal ones stay in order */
	gboolean largest_first;
} Sorted;

static gint by_value(gconstpointer a, gconstpointer b)
{
	const Sorted *first = a, *second = b;
	int order = mlv_run_value_order(first->value, second->value);

	/* what has no such field comes last either way */
	if (order != 0 && first->largest_first && first->value && second->value)
		order = -order;
	return order ? order : first->at < second->at ? -1 : first->at > second->at;
}

static void sort_by(GPtrArray *runs, const char *field, gboolean largest_first)
{
	g_autofree Sorted *rows = g_new0(Sorted, runs->len);

	for (guint i = 0; i < runs->len; i++) {
		MlvRunEntry *entry = runs->pdata[i];
		rows[i] = (Sorted){ .entry = entry,
				    .value = mlv_run_field(entry->run, field),
				    .at = i,
				    .largest_first = largest_first };
	}
	qsort(rows, runs->len, sizeof *rows, by_value);
	for (guint i = 0; i < runs->len; i++) {
		runs->pdata[i] = rows[i].entry;
		g_clear_pointer(&rows[i].value, mlv_value_unref);
	}
}

GPtrArray *mlv_runs_select(const MlvRunsTable *table, const GPtrArray *runs, GError **error)
{
	g_autoptr(MlvRunWhere) where = NULL;
	GPtrArray *wanted = g_ptr_array_new();

	if (table->where) {
		where = mlv_run_where_parse(table->where, error);
		if (!where) {
			g_ptr_array_unref(wanted);
			return NULL;
		}
	}
	for (guint i = 0; i < runs->len; i++) {
		MlvRunEntry *entry = runs->pdata[i];
		if (!where || mlv_run_where_matches(where, entry->run))
			g_ptr_array_add(wanted, entry);
	}
	if (table->sort && *table->sort == '-')
		sort_by(wanted, table->sort + 1, TRUE);
	else if (table->sort)
		sort_by(wanted, table->sort, FALSE);
	if (table->count >= 0 && wanted->len > table->count)
		g_ptr_array_set_size(wanted, (gint)table->count);
	return wanted;
}

/* --- columns ---------------------------------------------------------------------------------- */

/* A field as it is asked for, and as it is called above its column. */
typedef struct {
	char *field;
	const char *title; /* within field */
} Column;

static void clear_column(gpointer data)
{
	g_free(((Column *)data)->field);
}

static void add_column(GArray *columns, const char *prefix, const char *name)
{
	Column column = { .field = g_strconcat(prefix, name, NULL) };

	column.title = column.field + strlen(prefix);
	g_array_append_val(columns, column);
}

static const MlvValue *map_of(const MlvRun *run, gboolean metrics)
{
	return metrics ? run->metrics : run->params;
}

/* Whether not all runs have the same under a name. */
static gboolean differs(const GPtrArray *runs, gboolean metrics, const char *name)
{
	const MlvValue *first = NULL;

	for (guint i = 0; i < runs->len; i++) {
		const MlvRunEntry *entry = runs->pdata[i];
		const MlvValue *value = mlv_value_get(map_of(entry->run, metrics), name);
		if (i == 0)
			first = value;
		else if (!value || !first ? value != first : !mlv_value_equal(value, first))
			return TRUE;
	}
	return FALSE;
}

/* The names in any of the runs, in the order of the first that has them. */
static void add_map_columns(const MlvRunsTable *table, const GPtrArray *runs, gboolean metrics,
			    GArray *columns)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < runs->len; i++) {
		const MlvRunEntry *entry = runs->pdata[i];
		const MlvValue *map = map_of(entry->run, metrics);
		for (gsize j = 0; j < map->length; j++) {
			const char *name = map->entries[j].key->text;
			if (!g_hash_table_add(seen, (gpointer)name))
				continue;
			/* metrics are what one looks for; parameters are in the way unless they
			 * differ */
			if (metrics || table->all || differs(runs, metrics, name))
				add_column(columns, metrics ? "metrics." : "params.", name);
		}
	}
}

static GArray *choose_columns(const MlvRunsTable *table, const GPtrArray *runs)
{
	GArray *columns = g_array_new(FALSE, FALSE, sizeof(Column));

	g_array_set_clear_func(columns, clear_column);
	add_column(columns, "", "name");
	if (table->columns) {
		for (char **name = table->columns; *name; name++)
			add_column(columns, "", *name);
		return columns;
	}
	add_column(columns, "", "state");
	add_column(columns, "", "created");
	add_column(columns, "", "seconds");
	add_map_columns(table, runs, TRUE, columns);
	add_map_columns(table, runs, FALSE, columns);
	return columns;
}

/* --- printing --------------------------------------------------------------------------------- */

/* One cell: for people short, for CSV whole. */
static char *cell(const MlvRunsTable *table, const MlvRun *run, const Column *column)
{
	g_autoptr(MlvValue) value = mlv_run_field(run, column->field);

	if (!value)
		return g_strdup(table->form == MLV_RUNS_CSV ? "" : "-");
	if (table->form == MLV_RUNS_CSV)
		return mlv_value_text(value);
	g_autofree char *text = mlv_run_value_text(value);
	/* to the second is enough to look at */
	if (strcmp(column->field, "created") == 0 && strlen(text) > 19) {
		text[10] = ' ';
		text[19] = '\0';
	}
	return g_steal_pointer(&text);
}

static void print_csv(const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void print_markdown(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
}

static void print_cell(const MlvRunsTable *table, const char *text, glong width, gboolean first,
		       gboolean last)
{
	switch (table->form) {
	case MLV_RUNS_CSV:
		if (!first)
			putchar(',');
		print_csv(text);
		break;
	case MLV_RUNS_MARKDOWN:
		fputs(first ? "| " : " ", stdout);
		print_markdown(text);
		fputs(" |", stdout);
		break;
	default:
		printf("%s%s", first ? "" : "  ", text);
		if (!last)
			printf("%*s", (int)(width - g_utf8_strlen(text, -1)), "");
		break;
	}
}

static void print_rows(const MlvRunsTable *table, const GPtrArray *rows, const glong *widths)
{
	for (guint i = 0; i < rows->len; i++) {
		char **cells = rows->pdata[i];
		guint n = g_strv_length(cells);
		for (guint j = 0; j < n; j++)
			print_cell(table, cells[j], widths[j], j == 0, j + 1 == n);
		fputs(table->form == MLV_RUNS_CSV ? "\r\n" : "\n", stdout);
		if (i == 0 && table->form == MLV_RUNS_MARKDOWN) {
			putchar('|');
			for (guint j = 0; j < n; j++)
				fputs(" --- |", stdout);
			putchar('\n');
		}
	}
}

static gboolean print_table(MlvCmd *cmd, const MlvRunsTable *table, const GPtrArray *runs,
			    GError **error)
{
	g_autoptr(GArray) columns = choose_columns(table, runs);
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	g_autofree glong *widths = g_new0(glong, columns->len);

	for (guint i = 0; i < runs->len + 1; i++) {
		char **cells = g_new0(char *, columns->len + 1);
		for (guint j = 0; j < columns->len; j++) {
			const Column *column = &g_array_index(columns, Column, j);
			cells[j] = i == 0 ? mlv_ui_printable(column->title)
					  : cell(table, ((MlvRunEntry *)runs->pdata[i - 1])->run,
						 column);
			widths[j] = MAX(widths[j], g_utf8_strlen(cells[j], -1));
		}
		g_ptr_array_add(rows, cells);
	}
	print_rows(table, rows, widths);
	return mlv_cmd_keep_going(cmd, error);
}

static gboolean print_json(MlvCmd *cmd, const GPtrArray *runs, GError **error)
{
	MlvJsonStream *stream = mlv_json_stream_new(cmd, NULL, "runs");
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < runs->len; i++) {
		const MlvRunEntry *entry = runs->pdata[i];
		ok = mlv_json_stream_add(stream, mlv_run_json(entry->run, &entry->record), error);
	}
	return mlv_json_stream_end(stream, NULL, ok ? error : NULL) && ok;
}

gboolean mlv_runs_print(MlvCmd *cmd, const MlvRunsTable *table, const GPtrArray *runs,
			GError **error)
{
	if (table->form == MLV_RUNS_JSON)
		return print_json(cmd, runs, error);
	if (runs->len == 0 && table->form == MLV_RUNS_TEXT) {
		mlv_ui_note(cmd->ui, "no runs%s",
			    table->where ? " match" : " yet: 'mlv run' makes one");
		return TRUE;
	}
	return print_table(cmd, table, runs, error);
}
