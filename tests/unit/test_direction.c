/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include <string.h>

#include "core/measure/measures.h"

static void names_tell_what_is_better(void **state)
{
	static const struct {
		const char *name;
		MlvDirection direction;
	} names[] = {
		{ "acc", MLV_DIRECTION_HIGHER },
		{ "val.loss", MLV_DIRECTION_LOWER },
		{ "test_top5_accuracy", MLV_DIRECTION_HIGHER },
		{ "trainLoss", MLV_DIRECTION_LOWER },
		{ "mean_squared_error", MLV_DIRECTION_LOWER },
		{ "neg_mean_squared_error", MLV_DIRECTION_HIGHER },
		{ "brier_score", MLV_DIRECTION_LOWER },
		{ "r2_score", MLV_DIRECTION_HIGHER },
		{ "silly_score", MLV_DIRECTION_HIGHER },
		{ "ROC-AUC", MLV_DIRECTION_HIGHER },
		{ "error.f1", MLV_DIRECTION_HIGHER },
		{ "train_time", MLV_DIRECTION_LOWER },
		{ "n", MLV_DIRECTION_UNKNOWN },
		{ "", MLV_DIRECTION_UNKNOWN },
		{ "global", MLV_DIRECTION_UNKNOWN },
		{ "epoch", MLV_DIRECTION_UNKNOWN },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (mlv_direction_of_name(names[i].name) != names[i].direction)
			fail_msg("'%s'", names[i].name);
}

static MlvValue *json(const char *text)
{
	MlvValue *value = mlv_value_parse_json(text, strlen(text), "test", NULL);

	if (!value)
		fail_msg("'%s' is no JSON", text);
	return value;
}

static void a_declaration_outweighs_the_name(void **state)
{
	g_autoptr(MlvValue) map =
		json("{\"loss\": \"higher\", \"a.b\": \"lower\", \"acc\": \"none\"}");
	g_autoptr(MlvValue) rest = json("{\"*\": \"lower\"}");
	g_autoptr(MlvValue) word = json("\"lower\"");

	assert_int_equal(mlv_direction_of("val.loss", map), MLV_DIRECTION_HIGHER);
	assert_int_equal(mlv_direction_of("a.b", map), MLV_DIRECTION_LOWER);
	assert_int_equal(mlv_direction_of("acc", map), MLV_DIRECTION_UNKNOWN);
	assert_int_equal(mlv_direction_of("f1", map), MLV_DIRECTION_HIGHER);
	assert_int_equal(mlv_direction_of("f1", rest), MLV_DIRECTION_LOWER);
	assert_int_equal(mlv_direction_of("f1", word), MLV_DIRECTION_LOWER);
	assert_int_equal(mlv_direction_of("f1", NULL), MLV_DIRECTION_HIGHER);
}

static void check_difference(const char *from, const char *to, guint precision, const char *text)
{
	g_autoptr(MlvValue) a = json(from), b = json(to);
	g_autoptr(MlvValue) difference = mlv_measure_difference(a, b);
	g_autofree char *shown = mlv_measure_difference_text(difference, precision);

	assert_string_equal(shown, text);
}

static void differences_have_no_noise(void **state)
{
	check_difference("0.9", "0.91", 0, "+0.01");
	check_difference("0.1", "0.3", 0, "+0.2");
	check_difference("1", "3", 5, "+2");
	check_difference("3", "1", 5, "-2");
	check_difference("1", "1.5", 5, "+0.5");
	check_difference("0.1234567891", "0.1234567899", 3, "+8e-10");
	check_difference("NaN", "1", 5, "nan");
	check_difference("NaN", "NaN", 5, "nan");
	check_difference("Infinity", "Infinity", 5, "0");
	check_difference("1", "Infinity", 5, "+inf");
	check_difference("\"a\"", "1", 5, "-");
	check_difference("true", "1", 5, "-");
	check_difference("-9223372036854775808", "9223372036854775807", 5, "+1.8447e+19");
}

static void a_verdict_needs_a_direction_and_two_numbers(void **state)
{
	g_autoptr(MlvValue) one = json("1"), two = json("2.0"), nan = json("NaN"),
			    a = json("\"a\"");

	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_HIGHER, one, two), MLV_VERDICT_BETTER);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_LOWER, one, two), MLV_VERDICT_WORSE);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_UNKNOWN, one, two), MLV_VERDICT_NONE);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_LOWER, one, one), MLV_VERDICT_NONE);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_LOWER, one, nan), MLV_VERDICT_WORSE);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_LOWER, nan, one), MLV_VERDICT_BETTER);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_LOWER, nan, nan), MLV_VERDICT_NONE);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_LOWER, a, one), MLV_VERDICT_NONE);
	assert_int_equal(mlv_measure_verdict(MLV_DIRECTION_LOWER, NULL, one), MLV_VERDICT_NONE);
}

static void check_text(const char *value, guint precision, const char *text)
{
	g_autoptr(MlvValue) parsed = value ? json(value) : NULL;
	g_autofree char *shown = mlv_measure_text(parsed, precision);

	assert_string_equal(shown, text);
}

static void values_are_shown_with_the_digits_that_are_wanted(void **state)
{
	check_text(NULL, 5, "-");
	check_text("null", 5, "null");
	check_text("0.123456789", 5, "0.12346");
	check_text("0.123456789", 0, "0.123456789");
	check_text("123456789", 5, "123456789");
	check_text("1e-7", 5, "1e-07");
	check_text("true", 5, "true");
	check_text("[1, 0.123456789]", 5, "[1, 0.123456789]");
	check_text("NaN", 5, "nan");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell_what_is_better),
		cmocka_unit_test(a_declaration_outweighs_the_name),
		cmocka_unit_test(differences_have_no_noise),
		cmocka_unit_test(a_verdict_needs_a_direction_and_two_numbers),
		cmocka_unit_test(values_are_shown_with_the_digits_that_are_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
