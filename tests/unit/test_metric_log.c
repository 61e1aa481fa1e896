/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/measure/metric_log.h"
#include "tests/unit/scratch.h"

static MlvLog *parse(const char *text, MlvLogWhat what)
{
	g_autoptr(GError) error = NULL;
	MlvLog *log = mlv_log_parse(text, strlen(text), what, "log", &error);

	if (!log)
		fail_msg("%s", error->message);
	return log;
}

static double last_of(const MlvLog *log, const char *name)
{
	const MlvLogMetric *metric = mlv_log_find(log, name);

	if (!metric)
		fail_msg("there is no '%s'", name);
	return metric->last;
}

static void the_last_value_of_each_number_counts(void **state)
{
	g_autoptr(MlvLog) log =
		parse("{\"step\": 1, \"time\": 9.5, \"loss\": 0.5, \"val\": {\"acc\": 1}}\n"
		      "{\"step\": 2, \"loss\": 0.25, \"name\": \"x\", \"on\": true, \"l\": [1]}\r\n"
		      "\n",
		      MLV_LOG_LAST);

	assert_int_equal(log->metrics->len, 2);
	assert_int_equal(log->lines, 2);
	assert_int_equal(log->bad, 0);
	assert_true(last_of(log, "loss") == 0.25);
	assert_true(last_of(log, "val.acc") == 1);
	assert_null(mlv_log_find(log, "step"));
	assert_null(mlv_log_find(log, "time"));
}

static void steps_are_those_of_the_lines_or_counted(void **state)
{
	g_autoptr(MlvLog) log = parse(
		"{\"a\": 1}\n{\"a\": 2, \"step\": 50}\n{\"b\": 7, \"a\": 3}\n", MLV_LOG_SERIES);
	const MlvLogMetric *a = mlv_log_find(log, "a"), *b = mlv_log_find(log, "b");

	assert_int_equal(a->count, 3);
	assert_true(g_array_index(a->steps, double, 0) == 0);
	assert_true(g_array_index(a->steps, double, 1) == 50);
	assert_true(g_array_index(a->steps, double, 2) == 2);
	assert_true(g_array_index(a->values, double, 2) == 3);
	assert_true(g_array_index(b->steps, double, 0) == 0);
}

static void numbers_are_read_in_every_spelling(void **state)
{
	g_autoptr(MlvLog) log = parse(
		"{\"a\":-0.5e-3,\"b\":NaN,\"c\":-Infinity,\"d\":123456789012345678901234567890,"
		"\"e\":1E5, \"f\" : 0 }\n{\"\\u00e4\\\"\": 1, \"deep\": {\"er\": {\"x\": 2}}}",
		MLV_LOG_LAST);

	assert_true(last_of(log, "a") == -0.5e-3);
	assert_true(isnan(last_of(log, "b")));
	assert_true(last_of(log, "c") == -INFINITY);
	assert_true(last_of(log, "d") > 1e29);
	assert_true(last_of(log, "e") == 1e5);
	assert_true(last_of(log, "f") == 0);
	assert_true(last_of(log, "ä\"") == 1);
	assert_true(last_of(log, "deep.er.x") == 2);
}

static void a_torn_last_line_is_passed_over_and_others_are_counted(void **state)
{
	g_autoptr(MlvLog) log = parse(
		"{\"a\": 1}\nrubbish\n{\"a\": 2, \n[1]\n{\"a\": 01}\n{\"a\": 3}\n{\"a\": 4, \"b",
		MLV_LOG_LAST);
	g_autoptr(MlvLog) whole = parse("{\"a\": 1}\n{\"a\": 2}", MLV_LOG_LAST);

	assert_true(last_of(log, "a") == 3);
	assert_int_equal(log->bad, 4);
	assert_int_equal(log->first_bad, 2);
	assert_true(last_of(whole, "a") == 2);
}

static void a_line_that_is_too_long_is_no_line(void **state)
{
	g_autoptr(GString) text = g_string_new("{\"a\": 1");

	for (guint i = 0; i < MLV_LOG_LINE_MAX; i++)
		g_string_append_c(text, ' ');
	g_string_append(text, "}\n{\"a\": 2}\n");
	g_autoptr(MlvLog) log = parse(text->str, MLV_LOG_LAST);
	assert_int_equal(log->bad, 1);
	assert_true(last_of(log, "a") == 2);
}

static void parameters_keep_their_types(void **state)
{
	const char *text =
		"{\"time\": 1, \"lr\": 0.1, \"opt\": \"adam\"}\nx\n{\"lr\": 0.2, \"l\": [1]}\n";
	g_autoptr(MlvValue) map = mlv_log_parse_params(text, strlen(text), "params");
	g_autofree char *json = mlv_value_json(map);

	assert_string_equal(json, "{\"l\": [1], \"lr\": 0.2, \"opt\": \"adam\"}");
}

static void the_smallest_log_is_as_its_page_shows(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-metrics.5", 0);
	g_autoptr(MlvLog) log =
		mlv_log_parse((const char *)shown->data, shown->len, MLV_LOG_LAST, "log", NULL);

	assert_int_equal(shown->len, 8);
	assert_int_equal(log->metrics->len, 1);
	assert_int_equal(log->bad, 0);
	assert_true(last_of(log, "a") == 1);
}

static char *format(const char *const *words, const gint64 *step)
{
	g_autoptr(GArray) items = mlv_log_items_new();
	g_autoptr(GError) error = NULL;

	for (; *words; words++)
		if (!mlv_log_add(items, *words, &error))
			fail_msg("%s", error->message);
	return mlv_log_format(items, step, G_GINT64_CONSTANT(1700000000250999));
}

static void names_with_dots_are_nested(void **state)
{
	const char *const words[] = { "val.acc=0.9", "loss=3", "val.f1=nan", "x.y.z=-inf", NULL };
	const char *const clash[] = { "a=1", "a.b=2", NULL };
	gint64 step = 7;
	g_autofree char *line = format(words, &step);
	g_autofree char *flat = format(clash, NULL);

	assert_string_equal(line,
			    "{\"step\": 7, \"time\": 1700000000.250, \"val\": {\"acc\": 0.9, "
			    "\"f1\": NaN}, \"loss\": 3, \"x\": {\"y\": {\"z\": -Infinity}}}\n");
	assert_string_equal(flat, "{\"time\": 1700000000.250, \"a\": 1, \"a.b\": 2}\n");
	g_autoptr(MlvLog) log = parse(line, MLV_LOG_LAST);
	assert_true(last_of(log, "val.acc") == 0.9);
	assert_true(last_of(log, "x.y.z") == -INFINITY);
}

static void what_is_no_name_and_number_is_refused(void **state)
{
	static const char *const bad[] = { "a",      "=1",     "a=",   "a=x",    ".a=1",
					   "a.=1",   "a..b=1", "a= 1", "a=1 ",   "step=1",
					   "time=1", "a\n=1",  "a=1e", "a\xff=1" };
	g_autoptr(GArray) items = mlv_log_items_new();

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		if (mlv_log_add(items, bad[i], &error))
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(error->code, MLV_ERROR_USAGE);
	}
	assert_true(mlv_log_add(items, "a=1", NULL));
	assert_false(mlv_log_add(items, "a=2", NULL));
}

/* --- many writers ----------------------------------------------------------------------------- */

#define WRITERS 8
#define LINES   500

static gpointer write_lines(gpointer path)
{
	for (int i = 0; i < LINES; i++)
		if (!mlv_log_append(path,
				    "{\"n\": 1, \"text\": \"0123456789012345678901234567\"}\n",
				    NULL, NULL))
			return NULL;
	return path;
}

static void lines_of_many_writers_stay_whole(void **state)
{
	const Scratch *scratch = *state;
	g_autofree char *path = g_build_filename(scratch->path, "log.jsonl", NULL);
	g_autofree char *text = NULL;
	GThread *threads[WRITERS];
	gsize length;

	for (int i = 0; i < WRITERS; i++)
		threads[i] = g_thread_new("writer", write_lines, path);
	for (int i = 0; i < WRITERS; i++)
		assert_non_null(g_thread_join(threads[i]));
	assert_true(g_file_get_contents(path, &text, &length, NULL));
	g_autoptr(MlvLog) log = parse(text, MLV_LOG_LAST);
	assert_int_equal(log->lines, WRITERS * LINES);
	assert_int_equal(log->bad, 0);
	assert_int_equal(mlv_log_find(log, "n")->count, WRITERS * LINES);
}

static void a_line_is_not_glued_to_a_torn_one(void **state)
{
	const Scratch *scratch = *state;
	g_autofree char *path = g_build_filename(scratch->path, "log.jsonl", NULL);
	g_autofree char *text = NULL;
	gboolean created = TRUE;

	assert_true(g_file_set_contents(path, "{\"a\": 1}\n{\"a\":", -1, NULL));
	assert_true(mlv_log_append(path, "{\"a\": 2}\n", &created, NULL));
	assert_false(created);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "{\"a\": 1}\n{\"a\":\n{\"a\": 2}\n");
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_false(mlv_log_append("/nonexistent/folder/x", "{}\n", NULL, &error));
	assert_int_equal(error->code, MLV_ERROR_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_value_of_each_number_counts),
		cmocka_unit_test(steps_are_those_of_the_lines_or_counted),
		cmocka_unit_test(numbers_are_read_in_every_spelling),
		cmocka_unit_test(a_torn_last_line_is_passed_over_and_others_are_counted),
		cmocka_unit_test(a_line_that_is_too_long_is_no_line),
		cmocka_unit_test(parameters_keep_their_types),
		cmocka_unit_test(the_smallest_log_is_as_its_page_shows),
		cmocka_unit_test(names_with_dots_are_nested),
		cmocka_unit_test(what_is_no_name_and_number_is_refused),
		cmocka_unit_test_setup_teardown(lines_of_many_writers_stay_whole, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_line_is_not_glued_to_a_torn_one, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(a_folder_that_is_not_there_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
