/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/value.h"

static MlvValue *json(const char *text)
{
	g_autoptr(GError) error = NULL;
	MlvValue *value = mlv_value_parse_json(text, strlen(text), "x.json", &error);

	if (!value)
		fail_msg("'%s': %s", text, error->message);
	return value;
}

static void assert_same(const char *text, const char *again)
{
	g_autoptr(MlvValue) value = json(text);
	g_autofree char *written = mlv_value_json(value);

	assert_string_equal(written, again);
}

static void assert_refused(const char *text, gsize length, const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_null(mlv_value_parse_json(text, length, "x.json", &error));
	assert_int_equal(error->code, MLV_ERROR_CORRUPT);
	if (strcmp(error->message, message) != 0)
		fail_msg("'%s' for '%.40s'", error->message, text);
}

static void json_is_read_and_written(void **state)
{
	assert_same(" {\"a\": [1, -2.50, true, false, null], \"b\": {}, \"c\": []} ",
		    "{\"a\": [1, -2.5, true, false, null], \"b\": {}, \"c\": []}");
	assert_same("\"\\u00e9\\ud83d\\ude00\\n\\/\\\"\\\\\"",
		    "\"\xc3\xa9\xf0\x9f\x98\x80\\n/\\\"\\\\\"");
	assert_same("[NaN, Infinity, -Infinity, 1e400]", "[NaN, Infinity, -Infinity, Infinity]");
	assert_same("123456789012345678901234567890", "123456789012345678901234567890");
	assert_same("[-0, -0.0, 1E5, 0.1e-1]", "[0, -0.0, 100000.0, 0.01]");
	assert_same("\"\\u0001\\u007f\"", "\"\\u0001\\u007f\"");
}

static void what_is_not_json_is_refused_at_its_place(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "x.json:1:1: the text ends where a value is expected" },
		{ "{\"a\": 1,\n \"a\": 2}", "x.json:2:2: the key 'a' stands twice" },
		{ "[1, 2", "x.json:1:6: expected ',' or ']'" },
		{ "[1 2]", "x.json:1:4: expected ',' or ']'" },
		{ "{\"a\" 1}", "x.json:1:6: expected ':' behind the key 'a'" },
		{ "{a: 1}", "x.json:1:2: expected a key in double quotes" },
		{ "[01]", "x.json:1:2: not a number of JSON" },
		{ "[1.]", "x.json:1:2: not a number of JSON" },
		{ "[-]", "x.json:1:2: not a number of JSON" },
		{ "-", "x.json:1:1: not a number of JSON" },
		{ "[nul]", "x.json:1:2: expected a value of JSON" },
		{ "1 2", "x.json:1:3: something stands behind the value" },
		{ "\"a\nb\"", "x.json:1:3: a string that has no end on its line" },
		{ "\"\\ud800\"", "x.json:1:2: '\\ud800' is no character" },
		{ "\"\\u0000\"", "x.json:1:2: '\\u0000' is no character" },
		{ "\"\\x41\"",
		  "x.json:1:2: '\\x' is no escape of JSON: a backslash is written '\\\\'" },
		{ "[1]\n\xff", "x.json:2:1: the text is not UTF-8" },
		{ "[\"\xc3\xa9\", }", "x.json:1:7: expected a value of JSON" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_refused(cases[i].text, strlen(cases[i].text), cases[i].message);
	assert_refused("[1,\0]", 5, "x.json:1:4: the text has a NUL byte: is it binary?");
}

static void deep_nesting_ends_soon(void **state)
{
	g_autofree char *text = g_strnfill(10 << 20, '[');
	assert_refused(text, 10 << 20, "x.json:1:201: nested deeper than 200");
}

static void assert_float(double real, const char *expected)
{
	g_autofree char *text = mlv_value_float_text(real);
	assert_string_equal(text, expected);
}

static void floats_are_printed_as_python_prints_them(void **state)
{
	assert_float(0.001, "0.001");
	assert_float(0.0001, "0.0001");
	assert_float(0.00001, "1e-05");
	assert_float(1.5e-7, "1.5e-07");
	assert_float(1e-310, "1e-310");
	assert_float(5e-324, "5e-324");
	assert_float(1.0, "1.0");
	assert_float(-12345.678, "-12345.678");
	assert_float(0.1 + 0.2, "0.30000000000000004");
	assert_float(1e15, "1000000000000000.0");
	assert_float(1e16, "1e+16");
	assert_float(123456789012345680.0, "1.2345678901234568e+17");
	assert_float(1.7976931348623157e308, "1.7976931348623157e+308");
	assert_float(-0.0, "-0.0");
	assert_float(INFINITY, "inf");
	assert_float(NAN, "nan");
}

static void assert_equality(const char *a, const char *b, gboolean equal)
{
	g_autoptr(MlvValue) first = json(a);
	g_autoptr(MlvValue) second = json(b);
	g_autofree char *one = mlv_value_canonical(first);
	g_autofree char *two = mlv_value_canonical(second);

	if (mlv_value_equal(first, second) != equal || (strcmp(one, two) == 0) != equal)
		fail_msg("'%s' and '%s': %s, %s", a, b, one, two);
}

static void values_are_equal_by_amount_and_whatever_their_order(void **state)
{
	assert_equality("1", "1.0", TRUE);
	assert_equality("0.1", "1e-1", TRUE);
	assert_equality("-0.0", "0", TRUE);
	assert_equality("NaN", "NaN", TRUE);
	assert_equality("10000000000000000000000", "1e22", TRUE);
	assert_equality("9007199254740993", "9007199254740992.0", FALSE);
	assert_equality("1", "true", FALSE);
	assert_equality("0", "null", FALSE);
	assert_equality("\"1\"", "1", FALSE);
	assert_equality("{\"a\": 1, \"b\": 2}", "{\"b\": 2.0, \"a\": 1}", TRUE);
	assert_equality("{\"a\": 1}", "{\"a\": 1, \"b\": 2}", FALSE);
	assert_equality("[1, 2]", "[2, 1]", FALSE);
	assert_equality("[1]", "[1, 2]", FALSE);
}

static void assert_lookup(const MlvValue *root, const char *path, const char *expected)
{
	const MlvValue *found = mlv_value_lookup(root, path);
	g_autofree char *text = found ? mlv_value_json(found) : g_strdup("(nothing)");

	if (strcmp(text, expected) != 0)
		fail_msg("'%s' gives %s", path, text);
}

static void paths_lead_into_lists_and_maps(void **state)
{
	g_autoptr(MlvValue) root = json("{\"a\": {\"b\": [1, {\"c\": 2}], \"x.y\": 3}, \"a.d\": 4, "
					"\"e f\": 5}");

	assert_lookup(root, "a.b[0]", "1");
	assert_lookup(root, "a.b[1].c", "2");
	assert_lookup(root, "a.b.1.c", "2");
	assert_lookup(root, "a.b[-1].c", "2");
	assert_lookup(root, "a[b][1][c]", "2");
	assert_lookup(root, " a . b [ 0 ]", "1");
	assert_lookup(root, "a.x.y", "3");
	assert_lookup(root, "a.d", "4");
	assert_lookup(root, "e f", "5");
	assert_lookup(root, "a.b[2]", "(nothing)");
	assert_lookup(root, "a.b.c", "(nothing)");
	assert_lookup(root, "", "(nothing)");
	assert_lookup(root, "a..b", "(nothing)");
	assert_lookup(root, "a.b[0", "(nothing)");
	assert_lookup(root, "a]", "(nothing)");
	assert_lookup(NULL, "a", "(nothing)");
}

static void assert_find_error(const MlvValue *root, const char *path, const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_null(mlv_value_find(root, path, &error));
	assert_string_equal(error->message, message);
}

static void absence_is_told_with_what_there_is(void **state)
{
	g_autoptr(MlvValue) root =
		json("{\"train\": {\"rate\": 1, \"seed\": 2}, \"n\": [1], \"s\": 3}");

	assert_find_error(root, "trian", "there is no 'trian'; did you mean 'train'?");
	assert_find_error(root, "train.zzz",
			  "there is no 'zzz' in 'train'; there is 'rate', 'seed'");
	assert_find_error(root, "n[1]", "there is no item '1' in 'n', a list of 1");
	assert_find_error(root, "s.a", "there is no 'a' in 's', which is a whole number");
	assert_find_error(root, "a[", "'a[' is not written as 'name', 'a.b' or 'a[0].b'");
}

static void a_large_map_is_looked_up_and_checked_by_hash(void **state)
{
	g_autoptr(GString) text = g_string_new("{");
	for (guint i = 0; i < 5000; i++)
		g_string_append_printf(text, "%s\"k%u\": %u", i ? "," : "", i, i);
	g_string_append(text, "}");
	g_autoptr(MlvValue) root = json(text->str);
	assert_lookup(root, "k4999", "4999");
	assert_lookup(root, "k5000", "(nothing)");
	g_string_truncate(text, text->len - 1);
	g_string_append(text, ",\n\"k7\": 1}");
	assert_refused(text->str, text->len, "x.json:2:1: the key 'k7' stands twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_read_and_written),
		cmocka_unit_test(what_is_not_json_is_refused_at_its_place),
		cmocka_unit_test(deep_nesting_ends_soon),
		cmocka_unit_test(floats_are_printed_as_python_prints_them),
		cmocka_unit_test(values_are_equal_by_amount_and_whatever_their_order),
		cmocka_unit_test(paths_lead_into_lists_and_maps),
		cmocka_unit_test(absence_is_told_with_what_there_is),
		cmocka_unit_test(a_large_map_is_looked_up_and_checked_by_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
