/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/yaml.h"

static MlvValue *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	MlvValue *value = mlv_yaml_parse(text, strlen(text), "x.yaml", &error);

	if (!value)
		fail_msg("'%s': %s", text, error->message);
	return value;
}

static void assert_reads(const char *text, const char *json)
{
	g_autoptr(MlvValue) value = parse(text);
	g_autofree char *written = mlv_value_json(value);

	if (strcmp(written, json) != 0)
		fail_msg("'%s' gives %s", text, written);
}

static void assert_refused(const char *text, gsize length, const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_null(mlv_yaml_parse(text, length, "x.yaml", &error));
	assert_int_equal(error->code, MLV_ERROR_CORRUPT);
	if (strcmp(error->message, message) != 0)
		fail_msg("'%s' for '%.60s'", error->message, text);
}

static void scalars_have_the_types_that_dvc_gives_them(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "1e3", "1000.0" },
		{ "1e-3", "0.001" },
		{ ".5", "0.5" },
		{ "1.", "1.0" },
		{ "1_000", "1000" },
		{ "0x1F", "31" },
		{ "0o17", "15" },
		{ "017", "17" },
		{ "0b11", "3" },
		{ "+1", "1" },
		{ "-0", "0" },
		{ "1E5", "100000.0" },
		{ "yes", "\"yes\"" },
		{ "on", "\"on\"" },
		{ "~", "null" },
		{ "Null", "null" },
		{ "True", "true" },
		{ "FALSE", "false" },
		{ "tRue", "\"tRue\"" },
		{ "2020-01-01", "\"2020-01-01\"" },
		{ "1:30", "\"1:30\"" },
		{ ".inf", "Infinity" },
		{ "-.INF", "-Infinity" },
		{ ".nan", "NaN" },
		{ "1e400", "Infinity" },
		{ "08", "8" },
		{ "0o9", "\"0o9\"" },
		{ "_1", "\"_1\"" },
		{ "inf", "\"inf\"" },
		{ "1e", "\"1e\"" },
		{ "0x", "\"0x\"" },
		{ ".5e3", "\".5e3\"" },
		{ "-.5e-3", "-0.0005" },
		{ "1_0.5", "10.5" },
		{ "0b", "\"0b\"" },
		{ "0xFFFFFFFFFFFFFFFFFF", "\"0xFFFFFFFFFFFFFFFFFF\"" },
		{ "99999999999999999999", "99999999999999999999" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "!!str 12", "\"12\"" },
		{ "!!float 1", "1.0" },
		{ "!!int '3'", "3" },
		{ "'1'", "\"1\"" },
		{ "\"true\"", "\"true\"" },
		{ "! 1", "\"1\"" },
		{ "${x}/y", "\"${x}/y\"" },
		{ "a#b", "\"a#b\"" },
		{ "a #b", "\"a\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat("a: ", cases[i].text, "\n", NULL);
		g_autofree char *json = g_strconcat("{\"a\": ", cases[i].json, "}", NULL);
		assert_reads(text, json);
	}
}

static void every_style_is_read(void **state)
{
	assert_reads("", "null");
	assert_reads("# nothing\n", "null");
	assert_reads("\xef\xbb\xbf"
		     "a: 1\n",
		     "{\"a\": 1}");
	assert_reads("a: 1\r\nb: |\r\n  x\r\n  y\r\n", "{\"a\": 1, \"b\": \"x\\ny\\n\"}");
	assert_reads("a: >\n  python a.py\n  --lr 1\nb: \"c\n  d\"\n",
		     "{\"a\": \"python a.py --lr 1\\n\", \"b\": \"c d\"}");
	assert_reads("- a\n- - b\n  - c: 1\n    d:\n", "[\"a\", [\"b\", {\"c\": 1, \"d\": null}]]");
	assert_reads("a: {b: [1, 'x', {c: d,}]\n}\n",
		     "{\"a\": {\"b\": [1, \"x\", {\"c\": \"d\"}]}}");
	assert_reads("1: a\n2.50: b\ntrue: c\n", "{\"1\": \"a\", \"2.5\": \"b\", \"true\": \"c\"}");
	assert_reads("? a\n: b\n", "{\"a\": \"b\"}");
	assert_reads("--- a\n...\n", "\"a\"");
}

static void quotes_and_escapes_are_undone(void **state)
{
	assert_reads("a: 'c'''' d'\n", "{\"a\": \"c'' d\"}");
	assert_reads("'it''s': 'a  \n  b\n\n\n  c '\n", "{\"it's\": \"a b\\n\\nc \"}");
	assert_reads("a: \"x \\\\\\\n   \\  y\"\n", "{\"a\": \"x \\\\  y\"}");
	assert_reads("a: \"x\\t\n  y\\n\\\n\n  z\"\n", "{\"a\": \"x\\t y\\n\\nz\"}");
	assert_reads("a: \"\\x41\\u00e9\\U0001f600\\/\\e\"\n",
		     "{\"a\": \"A\xc3\xa9\xf0\x9f\x98\x80/\\u001b\"}");
	assert_reads("a: ''\nb: \"\"\n", "{\"a\": \"\", \"b\": \"\"}");
}

static void anchors_aliases_and_merge_keys_work(void **state)
{
	assert_reads("a: &x [1, 2]\nb: *x\n", "{\"a\": [1, 2], \"b\": [1, 2]}");
	assert_reads("x: &a {p: 1, q: 2}\ny:\n  p: 3\n  <<: *a\n",
		     "{\"x\": {\"p\": 1, \"q\": 2}, \"y\": {\"p\": 3, \"q\": 2}}");
	assert_reads("- &a {p: 1}\n- &b {p: 2, q: 3}\n- <<: [*a, *b]\n",
		     "[{\"p\": 1}, {\"p\": 2, \"q\": 3}, {\"p\": 1, \"q\": 3}]");
	assert_reads("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\": 1, \"b\": 2, \"c\": 2}");
	assert_reads("'<<': {a: 1}\n", "{\"<<\": {\"a\": 1}}");
}

static void what_is_wrong_is_refused_at_its_place(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "a: 1\nb:\n  c: 2\n  c: 3\n", "x.yaml:4:3: the key 'c' stands twice" },
		{ "a: 1\n1: x\n'1': y\n", "x.yaml:3:1: the key '1' stands twice" },
		{ "a:\n\tb: 1\n", "x.yaml:2:1: tab character may not be used as indentation" },
		{ "a: [1, 2\nb: 3\n", "x.yaml:3:1: flow sequence without a closing bracket" },
		{ "a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document, and one is expected" },
		{ "a: *x\n",
		  "x.yaml:1:5: there is no anchor '&x' before, or the alias lies within it" },
		{ "a: &x [*x]\n",
		  "x.yaml:1:9: there is no anchor '&x' before, or the alias lies within it" },
		{ "a: !foo 1\n", "x.yaml:1:9: the tag '!foo' is not known here" },
		{ "a: !!int x\n", "x.yaml:1:10: 'x' is not a whole number, as its tag says" },
		{ "? [a]\n: 1\n",
		  "x.yaml:1:3: a key is expected to be a word, and this is a list" },
		{ "<<: 1\n", "x.yaml:1:5: '<<' merges a map or a list of maps, and this is a whole "
			     "number" },
		{ "b: [${x}]\n",
		  "x.yaml:1:6: missing comma in flow sequence; within [ ] and { } put "
		  "quotes around '${...}'" },
		{ "a: \"\\0\"\n", "x.yaml:1:5: a string has an escape that is no character" },
		{ "a: \xff\n", "x.yaml:1:4: the text is not UTF-8" },
		{ "<<<<<<< HEAD\na: 1\n=======\n", "x.yaml:1:1: invalid multiline plain key" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_refused(cases[i].text, strlen(cases[i].text), cases[i].message);
	assert_refused("a: \0", 4, "x.yaml:1:4: the text has a NUL byte: is it binary?");
}

static void hostile_files_end_soon(void **state)
{
	g_autofree char *flow = g_strnfill(10 << 20, '[');
	g_autoptr(GString) dashes = g_string_new("");
	g_autoptr(GString) blocks = g_string_new("");
	g_autoptr(GString) bomb = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	g_autoptr(GString) merges = g_string_new("m: &m {a: 1, b: 2}\nl:\n");

	assert_refused(flow, 10 << 20, "x.yaml:1:201: nested deeper than 200");
	for (guint i = 0; i < 1000; i++) {
		g_string_append(dashes, "- ");
		g_string_append_printf(blocks, "%*sa:\n", (int)i, "");
	}
	assert_refused(dashes->str, dashes->len, "x.yaml:1:401: nested deeper than 200");
	assert_refused(blocks->str, blocks->len, "x.yaml:201:201: nested deeper than 200");
	for (guint i = 1; i < 30; i++) {
		g_string_append_printf(bomb, "a%u: &a%u [", i, i);
		for (guint j = 0; j < 10; j++)
			g_string_append_printf(bomb, "%s*a%u", j ? ", " : "", i - 1);
		g_string_append(bomb, "]\n");
	}
	g_autoptr(GError) error = NULL;
	assert_null(mlv_yaml_parse(bomb->str, bomb->len, "x.yaml", &error));
	assert_non_null(strstr(error->message, "more than 4194304 values"));
	for (guint i = 0; i < 1000; i++)
		g_string_append(merges, "- <<: [*m, *m, *m]\n");
	g_autoptr(MlvValue) fine = parse(merges->str);
	assert_int_equal(mlv_value_lookup(fine, "l")->length, 1000);
}

static void assert_place(const MlvValue *root, const char *path, guint line, guint column,
			 const char *text, const char *bytes)
{
	const MlvValue *value = mlv_value_lookup(root, path);

	assert_non_null(value);
	if (value->where.line != line || value->where.column != column ||
	    strlen(bytes) != value->end - value->start ||
	    strncmp(text + value->start, bytes, strlen(bytes)) != 0)
		fail_msg("'%s' stands at %u:%u as '%.*s'", path, value->where.line,
			 value->where.column, (int)(value->end - value->start),
			 text + value->start);
}

static void every_value_knows_its_place(void **state)
{
	static const char text[] =
		"# c\na: &z 1e-3 # d\nb:\n  - \"x\"\n  - {k: '\xc3\xa9', l: *z}\n"
		"c:\nd: !!str 5\n";
	g_autoptr(MlvValue) root = parse(text);

	assert_place(root, "a", 2, 7, text, "1e-3");
	assert_place(root, "b", 4, 3, text, "- \"x\"\n  - {k: '\xc3\xa9', l: *z}");
	assert_place(root, "b[0]", 4, 5, text, "\"x\"");
	assert_place(root, "b[1].k", 5, 9, text, "'\xc3\xa9'");
	assert_place(root, "b[1].l", 5, 17, text, "*z");
	assert_place(root, "c", 6, 1, text, "");
	assert_place(root, "d", 7, 10, text, "5");
	g_autofree char *written = mlv_value_written(mlv_value_lookup(root, "a"));
	assert_string_equal(written, "1e-3");
	assert_string_equal(mlv_value_lookup(root, "a")->where.file, "x.yaml");
}

static void words_of_a_command_line_are_values(void **state)
{
	static const char *const cases[][2] = {
		{ "0.1", "0.1" },
		{ "[1, 2]", "[1, 2]" },
		{ "abc", "\"abc\"" },
		{ "", "\"\"" },
		{ "a: 1", "{\"a\": 1}" },
		{ "'1'", "\"1\"" },
		{ "{a: b}", "{\"a\": \"b\"}" },
		{ "null", "null" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MlvValue) value = mlv_yaml_parse_word(cases[i][0], NULL);
		g_autofree char *text = mlv_value_json(value);
		assert_string_equal(text, cases[i][1]);
	}
	g_autoptr(GError) error = NULL;
	assert_null(mlv_yaml_parse_word("[1", &error));
	assert_int_equal(error->code, MLV_ERROR_USAGE);
}

static void what_is_written_is_read_back(void **state)
{
	static const char *const texts[] = {
		"1e-3",
		"0x1F",
		"plain",
		"two words",
		"'1'",
		"''",
		"\"a\\nb\"",
		"'# x'",
		"'a: b'",
		"'- x'",
		"'true'",
		"\"\\u0001\"",
		"[a, 'b,c', {d: 'e f'}]",
		"'x '",
		"' x'",
		"'<<'",
		"it's",
		"'null'",
		"'[x]'",
		"'*a'",
		"'2020-01-01'",
		"C:\\x",
		"python a.py --lr ${lr}",
		"{a: [1, {b: [c, []]}, {}], d: {e: f}}",
		"[[a], [b, [c]]]",
		"'='",
		"\"\\u2028\"",
		"'a:'",
		".inf",
		".nan",
		"-.inf",
		"'key: value # no comment'",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(MlvValue) value = parse(texts[i]);
		g_autofree char *flow = mlv_yaml_flow(value);
		g_autofree char *block = mlv_yaml_block(value, 4);
		g_autoptr(MlvValue) again = parse(flow);
		g_autoptr(MlvValue) once_more = parse(block);
		if (!mlv_value_equal(value, again) || !mlv_value_equal(value, once_more))
			fail_msg("'%s' as '%s' or '%s'", texts[i], flow, block);
	}
	g_autoptr(MlvValue) value = parse("{cmd: run, deps: [a, {b: {c: 1e-3}}], none: [], n: }");
	g_autofree char *block = mlv_yaml_block(value, 2);
	assert_string_equal(block, "  cmd: run\n  deps:\n    - a\n    - b:\n        c: 1e-3\n"
				   "  none: []\n  n: null\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_have_the_types_that_dvc_gives_them),
		cmocka_unit_test(every_style_is_read),
		cmocka_unit_test(quotes_and_escapes_are_undone),
		cmocka_unit_test(anchors_aliases_and_merge_keys_work),
		cmocka_unit_test(what_is_wrong_is_refused_at_its_place),
		cmocka_unit_test(hostile_files_end_soon),
		cmocka_unit_test(every_value_knows_its_place),
		cmocka_unit_test(words_of_a_command_line_are_values),
		cmocka_unit_test(what_is_written_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
