/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/env/environment.h"
#include "core/run/run_grid.h"
#include "core/run/run_record.h"
#include "core/run/run_where.h"

/* --- grids ------------------------------------------------------------------------------------ */

/* The values of one word, blanks between. */
static char *values_of(const char *word, GError **error)
{
	const char *words[] = { word, NULL };
	g_autoptr(GPtrArray) axes = mlv_grid_parse(words, error);
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; axes && i < mlv_grid_size(axes); i++) {
		const MlvValue *value = mlv_grid_value(axes, i, 0);
		g_autofree char *text = value ? mlv_value_json(value) : g_strdup("(none)");
		g_string_append_printf(out, "%s%s", i ? " " : "", text);
	}
	return axes ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

static void assert_values(const char *word, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *values = values_of(word, &error);

	assert_null(error);
	assert_string_equal(values, expected);
}

static void assert_no_grid(const char *word)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *values = values_of(word, &error);

	assert_null(values);
	assert_int_equal(error->code, MLV_ERROR_USAGE);
}

static void values_are_spelled_as_hydra_does(void **state)
{
	assert_values("lr=0.1", "0.1");
	assert_values("lr=0.1,0.01", "0.1 0.01");
	assert_values("m=cnn,rnn", "\"cnn\" \"rnn\"");
	assert_values("m=choice(cnn, rnn)", "\"cnn\" \"rnn\"");
	assert_values("n=range(0,10,3)", "0 3 6 9");
	assert_values("n=range(3)", "0 1 2");
	assert_values("n=range(3,0,-1)", "3 2 1");
	assert_values("x=range(0.1,0.4,0.1)", "0.1 0.2 0.3");
	assert_values("l=[1,2]", "[1, 2]");
	assert_values("l=[1,2],[3]", "[1, 2] [3]");
	assert_values("s='a,b'", "\"a,b\"");
	assert_values("b=true", "true");
	assert_values("e=", "\"\"");
	assert_values("~old", "(none)");
}

static void words_that_say_nothing_are_refused(void **state)
{
	assert_no_grid("lr");
	assert_no_grid("=1");
	assert_no_grid("lr=[1,2");
	assert_no_grid("lr='a");
	assert_no_grid("lr=range(1,1)");
	assert_no_grid("lr=range(1,2,0)");
	assert_no_grid("lr=range(a,b)");
	assert_no_grid("lr=range(0,1e9)");
	assert_no_grid("lr=range(0,1,1e-300)");
	assert_no_grid(":x=1");
}

static void the_last_axis_changes_fastest(void **state)
{
	const char *words[] = { "a=1,2", "sub/params.yaml:b.c=x,y,z", "+d=5", NULL };
	g_autoptr(GPtrArray) axes = mlv_grid_parse(words, NULL);
	const MlvGridAxis *second = axes->pdata[1], *third = axes->pdata[2];

	assert_int_equal(mlv_grid_size(axes), 6);
	assert_string_equal(second->file, "sub/params.yaml");
	assert_string_equal(second->key, "b.c");
	assert_int_equal(third->mode, MLV_CHANGE_ADD);
	assert_int_equal(mlv_grid_value(axes, 4, 0)->integer, 2);
	assert_string_equal(mlv_grid_value(axes, 4, 1)->text, "y");
	assert_int_equal(mlv_grid_value(axes, 4, 2)->integer, 5);
}

static void a_key_is_set_once_and_a_grid_has_an_end(void **state)
{
	const char *twice[] = { "a=1", "a=2", NULL };
	const char *files[] = { "a=1", "other.yaml:a=2", NULL };
	const char *huge[] = { "a=range(1000)", "b=range(1000)", NULL };
	g_autoptr(GPtrArray) axes = mlv_grid_parse(files, NULL);

	assert_non_null(axes);
	assert_null(mlv_grid_parse(twice, NULL));
	assert_null(mlv_grid_parse(huge, NULL));
}

/* --- conditions ------------------------------------------------------------------------------- */

static MlvRun *a_run(void)
{
	static const char text[] =
		"{\"mlv-run\": 1, \"name\": \"first\", \"state\": \"done\", \"command\": [\"sh\", "
		"\"a b\"], \"created\": \"2026-11-21T17:00:00.250Z\", \"milliseconds\": 1500, "
		"\"status\": 0, \"params\": {\"lr\": 0.1, \"model\": \"cnn-big\", \"acc\": 7}, "
		"\"metrics\": {\"acc\": 0.95, \"val.loss\": 1, \"bad\": NaN}, \"new\": [1]}";
	g_autoptr(GError) error = NULL;
	MlvRun *run = mlv_run_parse(text, strlen(text), "it", &error);

	if (!run)
		fail_msg("%s", error->message);
	return run;
}

static gboolean holds(const char *text)
{
	g_autoptr(MlvRun) run = a_run();
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvRunWhere) where = mlv_run_where_parse(text, &error);

	if (!where)
		fail_msg("%s", error->message);
	return mlv_run_where_matches(where, run);
}

static void a_condition_asks_for_fields(void **state)
{
	assert_true(holds("acc > 0.9"));
	assert_false(holds("acc > 0.95"));
	assert_true(holds("acc>=0.95 and val.loss=1.0"));
	assert_true(holds("params.acc == 7"));
	assert_true(holds("metrics.acc < 1 && !(lr = 2)"));
	assert_true(holds("lr = 2 or model ~ cnn"));
	assert_true(holds("model = 'cnn-big'"));
	assert_true(holds("model !~ \"rnn\""));
	assert_true(holds("state = done AND NOT status != 0"));
	assert_true(holds("seconds = 1.5"));
	assert_true(holds("command ~ 'a b'"));
	assert_true(holds("lr = 1 and lr = 2 or lr = 0.1"));
	assert_true(holds("acc and not nothing"));
}

static void what_a_run_has_not_is_only_unequal(void **state)
{
	assert_false(holds("f1 > 0"));
	assert_false(holds("f1 <= 0"));
	assert_false(holds("f1 = 0"));
	assert_true(holds("f1 != 0"));
	assert_false(holds("bad > 0"));
	assert_false(holds("bad = 0"));
	assert_true(holds("bad != 0"));
}

static void a_condition_that_is_none_says_where(void **state)
{
	static const char *const bad[] = {
		"",        "acc >", "acc > > 1", "(acc > 1", "acc > 1)",
		"and acc", "acc 1", "acc = 'x",  "not",      "acc = 1 or"
	};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		assert_null(mlv_run_where_parse(bad[i], &error));
		assert_int_equal(error->code, MLV_ERROR_USAGE);
	}
	g_autofree char *deep = g_strnfill(MLV_WHERE_MAX, '(');
	assert_null(mlv_run_where_parse(deep, NULL));
}

static void a_long_list_of_conditions_is_no_depth(void **state)
{
	g_autoptr(GString) text = g_string_new("lr = 1");
	for (guint i = 0; i < 5000; i++)
		g_string_append(text, " or a = 1");
	g_string_append(text, " or acc");
	assert_true(holds(text->str));
}

/* --- records ---------------------------------------------------------------------------------- */

static void a_record_comes_back_as_it_was(void **state)
{
	g_autoptr(MlvRun) run = a_run();
	g_autofree char *text = mlv_run_format(run);
	g_autoptr(MlvRun) again = mlv_run_parse(text, strlen(text), "it", NULL);
	g_autofree char *second = mlv_run_format(again);

	assert_string_equal(text, second);
	assert_int_equal(again->created % 1000, 250);
	assert_int_equal(again->duration, 1500);
	assert_int_equal(again->words->len, 2);
	g_autofree char *command = mlv_run_command_text(again);
	assert_string_equal(command, "sh 'a b'");
}

static void assert_no_record(const char *text, MlvError code)
{
	g_autoptr(GError) error = NULL;

	assert_null(mlv_run_parse(text, strlen(text), "it", &error));
	if (error->code != (int)code)
		fail_msg("%s", error->message);
}

static void a_hostile_record_is_refused(void **state)
{
	assert_no_record("", MLV_ERROR_CORRUPT);
	assert_no_record("[]", MLV_ERROR_CORRUPT);
	assert_no_record("{\"mlv-run\": 2, \"name\": \"a\"}", MLV_ERROR_UNSUPPORTED);
	assert_no_record("{\"mlv-run\": 1, \"name\": \"../a\", \"state\": \"done\", "
			 "\"command\": []}",
			 MLV_ERROR_CORRUPT);
	assert_no_record("{\"mlv-run\": 1, \"name\": \"a\", \"state\": \"gone\", \"command\": []}",
			 MLV_ERROR_CORRUPT);
	assert_no_record("{\"mlv-run\": 1, \"name\": \"a\", \"state\": \"done\"}",
			 MLV_ERROR_CORRUPT);
	assert_no_record("{\"mlv-run\": 1, \"name\": \"a\", \"state\": \"done\", \"command\": [1]}",
			 MLV_ERROR_CORRUPT);
	assert_no_record("{\"mlv-run\": 1, \"name\": \"a\", \"state\": \"done\", \"command\": [], "
			 "\"folder\": \"a/../../b\"}",
			 MLV_ERROR_CORRUPT);
	assert_no_record("{\"mlv-run\": 1, \"name\": \"a\", \"state\": \"done\", \"command\": [], "
			 "\"base\": \"HEAD\"}",
			 MLV_ERROR_CORRUPT);
	assert_no_record("{\"mlv-run\": 1, \"name\": \"a\", \"state\": \"done\", \"command\": [], "
			 "\"metrics\": 5}",
			 MLV_ERROR_CORRUPT);
}

static void names_are_fit_for_git(void **state)
{
	static const char *const good[] = { "a", "train-1a2b", "x_1.2", "9" };
	static const char *const bad[] = { "",    ".a",  "-a",  "a.", "a..b",   "a/b",
					   "a b", "a:b", "a~1", "a^", "a.lock", "\xc3\xa4" };
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		assert_true(mlv_run_check_name(good[i], NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(mlv_run_check_name(bad[i], NULL));
	g_autofree char *made = mlv_run_make_name("./scripts/ träin.py");
	g_autofree char *empty = mlv_run_make_name("///");
	assert_true(mlv_run_check_name(made, NULL));
	assert_true(g_str_has_prefix(empty, "run-"));
}

/* --- environments ----------------------------------------------------------------------------- */

static void secrets_stay_out(void **state)
{
	const char *variables[] = { "LANG=C",       "LC_ALL=C.UTF-8", "HOME=/nowhere", "MY_FLAG=1",
				    "MY_TOKEN=abc", "AWS_REGION=x",   "PATH=/nowhere", NULL };
	const char *names[] = { "MY_*", "AWS_*", "", NULL };
	MlvEnvironmentOptions options = { .variables = variables, .names = names };
	g_autoptr(MlvValue) value = mlv_environment_read(&options);
	g_autofree char *json = mlv_value_json(mlv_value_get(value, "variables"));

	assert_string_equal(json, "{\"LANG\": \"C\", \"LC_ALL\": \"C.UTF-8\", \"MY_FLAG\": \"1\"}");
	assert_non_null(mlv_value_get(value, "kernel"));
	assert_true(mlv_environment_is_secret("github_token"));
	assert_true(mlv_environment_is_secret("API_KEY"));
	assert_false(mlv_environment_is_secret("PYTHONHASHSEED"));
	assert_false(mlv_environment_is_secret("MONKEYS"));
}

static void count_difference(const char *path, const MlvValue *from, const MlvValue *to,
			     gpointer user)
{
	g_string_append_printf(user, "%s%s%s ", path, from ? "-" : "", to ? "+" : "");
}

static void environments_are_compared_part_by_part(void **state)
{
	static const char a[] = "{\"k\": 1, \"p\": {\"x\": \"1\", \"y\": \"2\"}, \"l\": [1]}";
	static const char b[] = "{\"k\": 1.0, \"p\": {\"y\": \"3\", \"z\": \"4\"}, \"l\": [1]}";
	g_autoptr(MlvValue) from = mlv_value_parse_json(a, strlen(a), "a", NULL);
	g_autoptr(MlvValue) to = mlv_value_parse_json(b, strlen(b), "b", NULL);
	g_autoptr(GString) seen = g_string_new(NULL);

	mlv_environment_compare(from, to, count_difference, seen);
	assert_string_equal(seen->str, "p.x- p.y-+ p.z+ ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_spelled_as_hydra_does),
		cmocka_unit_test(words_that_say_nothing_are_refused),
		cmocka_unit_test(the_last_axis_changes_fastest),
		cmocka_unit_test(a_key_is_set_once_and_a_grid_has_an_end),
		cmocka_unit_test(a_condition_asks_for_fields),
		cmocka_unit_test(what_a_run_has_not_is_only_unequal),
		cmocka_unit_test(a_condition_that_is_none_says_where),
		cmocka_unit_test(a_long_list_of_conditions_is_no_depth),
		cmocka_unit_test(a_record_comes_back_as_it_was),
		cmocka_unit_test(a_hostile_record_is_refused),
		cmocka_unit_test(names_are_fit_for_git),
		cmocka_unit_test(secrets_stay_out),
		cmocka_unit_test(environments_are_compared_part_by_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
