/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/run/tolerance.h"

static GPtrArray *parse_one(const char *word)
{
	const char *const words[] = { word, NULL };

	return mlv_tolerances_parse(words, NULL);
}

static void words_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "",       "acc",     "=1",      "acc=",    "acc=x",
					   "acc=-1", "acc=nan", "acc=inf", "acc=1%%", "acc=1 " };

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GPtrArray) all = parse_one(bad[i]);
		if (all)
			fail_msg("'%s' is taken", bad[i]);
	}
	g_autoptr(GPtrArray) none = mlv_tolerances_parse(NULL, NULL);
	assert_int_equal(none->len, 0);
}

static gboolean finds(const char *word, const char *file, const char *name)
{
	g_autoptr(GPtrArray) all = parse_one(word);

	return mlv_tolerances_find(all, file, name) != NULL;
}

static void a_metric_is_meant_by_its_name_its_last_part_or_a_pattern(void **state)
{
	assert_true(finds("acc=1", "m.json", "acc"));
	assert_true(finds("acc=1", "m.json", "val.acc"));
	assert_true(finds("val.acc=1", NULL, "val.acc"));
	assert_true(finds("val.*=1", "m.json", "val.acc"));
	assert_true(finds("*=1", "m.json", "val.acc"));
	assert_true(finds("m.json:acc=1", "m.json", "acc"));
	assert_true(finds("*.json:val.acc=1", "out/m.json", "val.acc"));
	assert_true(finds("a=b=1", NULL, "a=b"));
	assert_false(finds("acc=1", "m.json", "accuracy"));
	assert_false(finds("val.acc=1", "m.json", "acc"));
	assert_false(finds("val.acc=1", "m.json", "x.val.acc"));
	assert_false(finds("m.json:acc=1", "n.json", "acc"));
	assert_false(finds("m.json:acc=1", NULL, "acc"));
}

static void the_first_that_fits_counts_and_is_used(void **state)
{
	static const char *const words[] = { "val.acc=1", "acc=2", "*=3", NULL };
	g_autoptr(GPtrArray) all = mlv_tolerances_parse(words, NULL);

	assert_true(mlv_tolerances_find(all, NULL, "val.acc")->amount == 1);
	assert_true(mlv_tolerances_find(all, NULL, "test.acc")->amount == 2);
	assert_true(((MlvTolerance *)all->pdata[0])->used);
	assert_true(((MlvTolerance *)all->pdata[1])->used);
	assert_false(((MlvTolerance *)all->pdata[2])->used);
	assert_null(mlv_tolerances_find(NULL, NULL, "acc"));
}

static gboolean holds(const char *word, double was, double now)
{
	g_autoptr(GPtrArray) all = parse_one(word);
	g_autoptr(MlvValue) before = mlv_value_new_float(was);
	g_autoptr(MlvValue) after = mlv_value_new_float(now);

	return mlv_tolerance_holds(all->pdata[0], before, after);
}

static void amounts_are_absolute_or_of_what_was_recorded(void **state)
{
	assert_true(holds("a=0.1", 0.2, 0.3));
	assert_true(holds("a=0.1", 0.3, 0.2));
	assert_false(holds("a=0.1", 0.2, 0.3001));
	assert_true(holds("a=10%", -100, -110));
	assert_false(holds("a=10%", -100, -110.1));
	assert_false(holds("a=10%", 0, 1e-300));
	assert_false(holds("a=0", 1, 1 + 1e-15));
	assert_true(holds("a=0", 1, 1));
	assert_false(holds("a=1e300", NAN, 1));
	assert_false(holds("a=1e300", 1, INFINITY));
}

static void only_numbers_are_near_each_other(void **state)
{
	g_autoptr(GPtrArray) all = parse_one("a=5");
	g_autoptr(MlvValue) number = mlv_value_new_int(1), text = mlv_value_new_string("1");
	g_autoptr(MlvValue) other = mlv_value_new_float(2.5);

	assert_true(mlv_tolerance_holds(all->pdata[0], number, other));
	assert_false(mlv_tolerance_holds(all->pdata[0], number, text));
	assert_false(mlv_tolerance_holds(all->pdata[0], number, NULL));
	assert_false(mlv_tolerance_holds(NULL, number, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_that_are_none_are_refused),
		cmocka_unit_test(a_metric_is_meant_by_its_name_its_last_part_or_a_pattern),
		cmocka_unit_test(the_first_that_fits_counts_and_is_used),
		cmocka_unit_test(amounts_are_absolute_or_of_what_was_recorded),
		cmocka_unit_test(only_numbers_are_near_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
