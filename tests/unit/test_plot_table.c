/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/plot/plot_table.h"

static MlvPlotTable *parse_with(const MlvPlotTableOptions *options, const char *label,
				const char *text)
{
	g_autoptr(GError) error = NULL;
	MlvPlotTable *grid = mlv_plot_table_parse(options, text, strlen(text), label, &error);

	if (!grid)
		fail_msg("%s", error->message);
	return grid;
}

static MlvPlotTable *parse(const char *label, const char *text)
{
	const MlvPlotTableOptions options = { 0 };
	return parse_with(&options, label, text);
}

/* The table as "a,b|1,2|" with - for what is not there. */
static void check(const MlvPlotTable *grid, const char *wanted)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < grid->names->len; i++)
		g_string_append_printf(text, "%s%s", i ? "," : "", (char *)grid->names->pdata[i]);
	g_string_append_c(text, '|');
	for (guint row = 0; row < grid->n_rows; row++) {
		for (guint i = 0; i < grid->names->len; i++) {
			const char *cell = mlv_plot_table_cell(grid, row, i);
			g_string_append_printf(text, "%s%s", i ? "," : "", cell ? cell : "-");
		}
		g_string_append_c(text, '|');
	}
	assert_string_equal(text->str, wanted);
}

static void tables_with_commas_tabs_and_semicolons_are_read(void **state)
{
	g_autoptr(MlvPlotTable) comma = parse("a.csv", "\xef\xbb\xbfx,y\r\n1,2\r\n\r\n3,4");
	g_autoptr(MlvPlotTable) tab = parse("a.tsv", "x\ty,z\n1\t2,3\n");
	g_autoptr(MlvPlotTable) semicolon = parse("a.csv", "x;y\n1;2\n");

	check(comma, "x,y|1,2|3,4|");
	check(tab, "x,y,z|1,2,3|");
	assert_int_equal(tab->names->len, 2);
	check(semicolon, "x,y|1,2|");
}

static void quoted_cells_hold_anything(void **state)
{
	g_autoptr(MlvPlotTable) grid =
		parse("a.csv", "\"a,b\",\"c\"\"d\"\n\"1\n2\",\"\"\n\"x\"y,z\n\"open,1\n");

	assert_int_equal(grid->names->len, 2);
	assert_string_equal(grid->names->pdata[0], "a,b");
	assert_string_equal(grid->names->pdata[1], "c\"d");
	assert_string_equal(mlv_plot_table_cell(grid, 0, 0), "1\n2");
	assert_string_equal(mlv_plot_table_cell(grid, 0, 1), "");
	assert_string_equal(mlv_plot_table_cell(grid, 1, 0), "xy");
	assert_string_equal(mlv_plot_table_cell(grid, 2, 0), "open,1\n");
	assert_null(mlv_plot_table_cell(grid, 2, 1));
}

static void rows_of_other_lengths_and_columns_of_one_name_are_understood(void **state)
{
	const MlvPlotTableOptions no_header = { .no_header = TRUE };
	g_autoptr(MlvPlotTable) grid = parse("a.csv", "x,x,,y\n1\n1,2,3,4,5\n");
	g_autoptr(MlvPlotTable) bare = parse_with(&no_header, "a.csv", "1,2\n3,4\n");

	check(grid, "x,x.2,2,y|1,-,-,-|1,2,3,4|");
	check(bare, "0,1|1,2|3,4|");
}

static void records_are_found_wherever_they_are(void **state)
{
	const MlvPlotTableOptions second = { .field = "p", .other_field = "q" };
	const char *two =
		"{\"roc\": {\"data\": [{\"x\": 1, \"y\": 0.5}]}, "
		"\"prc\": [{\"p\": 1, \"q\": {\"r\": true}}, {\"p\": null, \"s\": \"t\"}]}";
	g_autoptr(MlvPlotTable) first = parse("a.json", two);
	g_autoptr(MlvPlotTable) other = parse_with(&second, "a.json", two);
	g_autoptr(MlvPlotTable) columns = parse("a.json", "{\"e\": [1, 2, 3], \"l\": [0.5, NaN]}");
	g_autoptr(MlvPlotTable) list = parse("a.yaml", "- 1\n- 2.5\n");
	g_autoptr(MlvPlotTable) map = parse("a.json", "{\"acc\": 0.5, \"val\": {\"acc\": 1}}");

	check(first, "x,y|1,0.5|");
	check(other, "p,q.r,s|1,true,-|-,-,t|");
	check(columns, "e,l|1,0.5|2,nan|3,-|");
	check(list, "value|1|2.5|");
	check(map, "acc,val.acc|0.5,1|");
}

static void lines_of_a_log_are_records(void **state)
{
	g_autoptr(MlvPlotTable) grid =
		parse("a.jsonl", "{\"step\": 1, \"l\": {\"a\": 0.5}}\nrubbish\n"
				 "{\"step\": 2, \"b\": 1}\n{\"step\":");
	check(grid, "step,l.a,b|1,0.5,-|2,-,1|");
}

static void what_is_no_table_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "a.csv", "" },         { "a.csv", "\n\n" },      { "a.json", "{}" },
		{ "a.json", "[]" },      { "a.json", "{\"a\": " }, { "a.json", "3" },
		{ "a.jsonl", "x\ny\n" }, { "a.yaml", "a: [" },
	};
	const MlvPlotTableOptions options = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		if (mlv_plot_table_parse(&options, bad[i][1], strlen(bad[i][1]), bad[i][0], &error))
			fail_msg("%s '%s' was read", bad[i][0], bad[i][1]);
		assert_int_equal(error->code, MLV_ERROR_CORRUPT);
	}
	assert_null(mlv_plot_table_parse(&options, "a,b\n1,\0002", 8, "a.csv", NULL));
}

static void numbers_are_told_from_names(void **state)
{
	static const char *const numbers[] = { "0",  "-1.5", "+2",   " 3 ", "1e-5",    ".5",
					       "5.", "nan",  "-inf", "NaN", "Infinity" };
	static const char *const names[] = { "",   " ", "x",  "0x10", "1,5",  "1 2", "nano",
					     "1e", "-", "e5", "--1",  "info", ".",   "1.2.3" };
	double number;

	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (!mlv_plot_table_parse_number(numbers[i], &number))
			fail_msg("'%s' is a number", numbers[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (mlv_plot_table_parse_number(names[i], &number))
			fail_msg("'%s' is no number", names[i]);
	g_autoptr(MlvPlotTable) grid = parse("a.csv", "x,y,z\n1,a,\n,2,\nnan,3,\n");
	assert_true(mlv_plot_table_is_numeric(grid, 0));
	assert_false(mlv_plot_table_is_numeric(grid, 1));
	assert_false(mlv_plot_table_is_numeric(grid, 2));
}

static void a_table_without_end_is_cut(void **state)
{
	g_autoptr(GString) text = g_string_new("x\n");

	for (guint i = 0; i < MLV_PLOT_TABLE_ROWS_MAX + 5; i++)
		g_string_append(text, "1\n");
	g_autoptr(MlvPlotTable) grid = parse("a.csv", text->str);
	assert_int_equal(grid->n_rows, MLV_PLOT_TABLE_ROWS_MAX);
	assert_true(grid->truncated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_with_commas_tabs_and_semicolons_are_read),
		cmocka_unit_test(quoted_cells_hold_anything),
		cmocka_unit_test(rows_of_other_lengths_and_columns_of_one_name_are_understood),
		cmocka_unit_test(records_are_found_wherever_they_are),
		cmocka_unit_test(lines_of_a_log_are_records),
		cmocka_unit_test(what_is_no_table_is_refused),
		cmocka_unit_test(numbers_are_told_from_names),
		cmocka_unit_test(a_table_without_end_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
