/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/yaml_edit.h"

static MlvYamlEdit *open_text(const char *text, const char *label)
{
	g_autoptr(GError) error = NULL;
	MlvYamlEdit *edit = mlv_yaml_edit_new(text, strlen(text), label, &error);

	if (!edit)
		fail_msg("%s", error->message);
	return edit;
}

/* `value` is YAML; NULL removes. */
static void assert_change(const char *label, const char *before, const char *path,
			  const char *value, const char *after)
{
	g_autoptr(MlvYamlEdit) edit = open_text(before, label);
	g_autoptr(MlvValue) to = value ? mlv_yaml_parse_word(value, NULL) : NULL;
	g_autoptr(GError) error = NULL;
	gboolean ok = value ? mlv_yaml_edit_set(edit, path, to, MLV_EDIT_CREATE, &error)
			    : mlv_yaml_edit_remove(edit, path, &error);

	if (!ok)
		fail_msg("'%s' in '%s': %s", path, before, error->message);
	if (strcmp(mlv_yaml_edit_text(edit, NULL), after) != 0)
		fail_msg("'%s' := %s in\n%s gives\n%s", path, value, before,
			 mlv_yaml_edit_text(edit, NULL));
	assert_true(mlv_yaml_edit_changed(edit) == (strcmp(before, after) != 0));
}

static void assert_yaml(const char *before, const char *path, const char *value, const char *after)
{
	assert_change("params.yaml", before, path, value, after);
}

static void a_value_is_replaced_and_nothing_else(void **state)
{
	static const char text[] = "# head\n"
				   "lr:   0.1   # rate\n"
				   "train:\n"
				   "    name: 'a b'\n"
				   "\n"
				   "    layers: [1,  2]  # sizes\n";

	assert_yaml(
		text, "lr", "1e-3",
		"# head\nlr:   1e-3   # rate\ntrain:\n    name: 'a b'\n\n    layers: [1,  2]  # sizes\n");
	assert_yaml(
		text, "train.name", "x",
		"# head\nlr:   0.1   # rate\ntrain:\n    name: x\n\n    layers: [1,  2]  # sizes\n");
	assert_yaml(
		text, "train.layers[1]", "7",
		"# head\nlr:   0.1   # rate\ntrain:\n    name: 'a b'\n\n    layers: [1,  7]  # sizes\n");
	assert_yaml(
		text, "train.layers", "[3]",
		"# head\nlr:   0.1   # rate\ntrain:\n    name: 'a b'\n\n    layers: [3]  # sizes\n");
	assert_yaml(text, "lr", "0.10", text);
	assert_yaml("a: 1\r\nb: 2\r\n", "a", "3", "a: 3\r\nb: 2\r\n");
	assert_yaml("- a\n- b: 1\n", "1.b", "2", "- a\n- b: 2\n");
	assert_yaml("a.b: 1\na: {b: 2}\n", "a.b", "3", "a.b: 3\na: {b: 2}\n");
	assert_yaml("a: &x 1\nb: *x\n", "b", "2", "a: &x 1\nb: 2\n");
	assert_yaml("t: \"${x}\" # c\n", "t", "'yes: no'", "t: 'yes: no' # c\n");
}

static void values_of_other_shapes_take_each_others_place(void **state)
{
	assert_yaml("a:\nb: 1\n", "a", "5", "a: 5\nb: 1\n");
	assert_yaml("a: # c\nb: 1\n", "a", "5", "a: 5 # c\nb: 1\n");
	assert_yaml("a: |\n  x\n  y\nb: 1\n", "a", "z", "a: z\nb: 1\n");
	assert_yaml("a: >- # c\n\n  x\n\nb: 1\n", "a", "z", "a: z\nb: 1\n");
	assert_yaml("a:\n  b: 1\n  c: 2\nd: 3\n", "a", "4", "a: 4\nd: 3\n");
	assert_yaml("a:\n- 1\n- 2\nd: 3\n", "a", "[]", "a: []\nd: 3\n");
	assert_yaml("a:\n  - 1\n  - 2\nd: 3\n", "a", "[4, 5]", "a:\n  - 4\n  - 5\nd: 3\n");
	assert_yaml("a: 1\n", "a", "{b: 2}", "a: {b: 2}\n");
}

static void keys_are_added_where_the_map_ends(void **state)
{
	assert_yaml("", "a", "1", "a: 1\n");
	assert_yaml("# only a comment", "a.b", "1", "# only a comment\na:\n  b: 1\n");
	assert_yaml("a: 1 # c\n", "b", "2", "a: 1 # c\nb: 2\n");
	assert_yaml("a: 1", "b", "2", "a: 1\nb: 2\n");
	assert_yaml("a: 1\r\n", "b.c", "2", "a: 1\r\nb:\r\n  c: 2\r\n");
	assert_yaml("a:\n    b: 1\n    # c\nd: 2\n", "a.e", "3",
		    "a:\n    b: 1\n    e: 3\n    # c\nd: 2\n");
	assert_yaml("a:\n  b:\n    c: 1\nd: 2\n", "a.e.f", "3",
		    "a:\n  b:\n    c: 1\n  e:\n    f: 3\nd: 2\n");
	assert_yaml("a:\nd: 2\n", "a.b.c", "3", "a:\n  b:\n    c: 3\nd: 2\n");
	assert_yaml("a: {}\n", "a.b", "3", "a: {b: 3}\n");
	assert_yaml("a: {x: 1}\n", "a.b.c", "3", "a: {x: 1, b: {c: 3}}\n");
	assert_yaml("a:\n  b: |\n    x\nd: 2\n", "a.c", "1", "a:\n  b: |\n    x\n  c: 1\nd: 2\n");
	assert_yaml("x: &x {p: 1}\ny:\n  <<: *x\n", "y.q", "2",
		    "x: &x {p: 1}\ny:\n  <<: *x\n  q: 2\n");
	assert_yaml("x: &x {p: 1}\ny:\n  <<: *x\n", "y.p", "2",
		    "x: &x {p: 1}\ny:\n  <<: *x\n  p: 2\n");
	assert_yaml("l: [1]\n", "l[1]", "2", "l: [1, 2]\n");
	assert_yaml("l:\n- 1\nm: 2\n", "l[1]", "2", "l:\n- 1\n- 2\nm: 2\n");
	assert_yaml("l:\n  - a: 1\n    b: 2\n", "l[0].c", "{d: 3}",
		    "l:\n  - a: 1\n    b: 2\n    c:\n      d: 3\n");
}

static void keys_are_removed_with_their_comments(void **state)
{
	assert_yaml("a: 1\n# of b\nb: 2\nc: 3\n", "b", NULL, "a: 1\nc: 3\n");
	assert_yaml("a: 1\n# of a\n\nb: 2 # x\n", "b", NULL, "a: 1\n# of a\n\n");
	assert_yaml("s:\n  a:\n    cmd: x\n    deps:\n    - y\n\n  # next\n  b:\n    cmd: z\n",
		    "s.a", NULL, "s:\n\n  # next\n  b:\n    cmd: z\n");
	assert_yaml("s:\n  a:\n    cmd: x\nt: 1\n", "s.a", NULL, "s: {}\nt: 1\n");
	assert_yaml("a: {b: 1, c: 2, d: 3}\n", "a.b", NULL, "a: {c: 2, d: 3}\n");
	assert_yaml("a: {b: 1, c: 2, d: 3}\n", "a.d", NULL, "a: {b: 1, c: 2}\n");
	assert_yaml("a: {b: 1}\n", "a.b", NULL, "a: {}\n");
	assert_yaml("a: [1, 2]\n", "a[0]", NULL, "a: [2]\n");
	assert_yaml("a:\n  - 1\n  # two\n  - 2\n  - 3\n", "a[1]", NULL, "a:\n  - 1\n  - 3\n");
	assert_yaml("a:\n  - 1\n  -   2\n", "a[-1]", NULL, "a:\n  - 1\n");
	assert_yaml("- a: 1\n  b: 2\n", "0.a", NULL, "- b: 2\n");
	assert_yaml("a: |\n  x\n\nb: 1\n", "a", NULL, "b: 1\n");
	assert_yaml("a:\nb: 1\n", "a", NULL, "b: 1\n");
}

static void json_stays_json(void **state)
{
	assert_change("p.json", "{\"a\": 1, \"b\": {\"c\": \"x\"}}", "b.c", "[1, y]",
		      "{\"a\": 1, \"b\": {\"c\": [1, \"y\"]}}");
	assert_change("p.json", "{\n\t\"a\": 1\n}\n", "b", "x",
		      "{\n\t\"a\": 1,\n\t\"b\": \"x\"\n}\n");
	assert_change("p.json", "{}", "b.c", "1", "{\"b\": {\"c\": 1}}");
	assert_change("p.json", "", "b", "1", "{\"b\": 1}");
	assert_change("p.json", "{\"a\": 1, \"b\": 2}", "a", NULL, "{\"b\": 2}");
	assert_change("p.json", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", "b", NULL, "{\n  \"a\": 1\n}\n");
}

static void whole_stages_are_put_in_and_replaced(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: # first\n"
				   "    cmd: x\n"
				   "\n"
				   "metrics: [m]\n";
	static const char *const keys[] = { "stages", "b.c", NULL };
	static const char *const again[] = { "stages", "a", NULL };
	g_autoptr(MlvValue) stage = mlv_yaml_parse_word(
		"{cmd: 'run ${x}', deps: [d], outs: [{o: {cache: false}}]}", NULL);
	g_autoptr(MlvYamlEdit) edit = open_text(text, "mlv.yaml");

	assert_true(mlv_yaml_edit_set_keys(edit, keys, stage, MLV_EDIT_CREATE, NULL));
	assert_string_equal(
		mlv_yaml_edit_text(edit, NULL),
		"stages:\n  a: # first\n    cmd: x\n  b.c:\n    cmd: run ${x}\n    deps:\n"
		"      - d\n    outs:\n      - o:\n          cache: false\n\nmetrics: [m]\n");
	assert_true(mlv_yaml_edit_set_keys(edit, again, stage, MLV_EDIT_CREATE, NULL));
	assert_true(mlv_yaml_edit_remove_keys(edit, keys, NULL));
	assert_string_equal(
		mlv_yaml_edit_text(edit, NULL),
		"stages:\n  a: # first\n    cmd: run ${x}\n    deps:\n      - d\n    outs:\n"
		"      - o:\n          cache: false\n\nmetrics: [m]\n");
}

static void assert_refused(const char *text, const char *path, const char *value, MlvEditMode mode,
			   MlvError code, const char *why)
{
	g_autoptr(MlvYamlEdit) edit = open_text(text, "p.yaml");
	g_autoptr(MlvValue) to = value ? mlv_yaml_parse_word(value, NULL) : NULL;
	g_autoptr(GError) error = NULL;

	assert_false(value ? mlv_yaml_edit_set(edit, path, to, mode, &error)
			   : mlv_yaml_edit_remove(edit, path, &error));
	if (error->code != (int)code || !strstr(error->message, why))
		fail_msg("'%s' for '%s'", error->message, path);
	assert_string_equal(mlv_yaml_edit_text(edit, NULL), text);
	assert_false(mlv_yaml_edit_changed(edit));
}

static void what_cannot_be_done_leaves_the_text(void **state)
{
	assert_refused("a: &x 1\nb: *x\n", "a", "2", MLV_EDIT_CREATE, MLV_ERROR_UNSUPPORTED,
		       "by hand");
	assert_refused("a: &x {c: 1}\nb: *x\n", "b.c", "2", MLV_EDIT_CREATE, MLV_ERROR_UNSUPPORTED,
		       "by hand");
	assert_refused("x: &x {p: 1}\ny:\n  <<: *x\n", "y.p", NULL, MLV_EDIT_CREATE,
		       MLV_ERROR_UNSUPPORTED, "by hand");
	assert_refused("lr: 1\n", "lrr", "2", MLV_EDIT_MUST_EXIST, MLV_ERROR_MISSING,
		       "in 'p.yaml' there is no 'lrr'; did you mean 'lr'?");
	assert_refused("lr: 1\n", "lr.x", "2", MLV_EDIT_CREATE, MLV_ERROR_USAGE, "no map");
	assert_refused("l: [1]\n", "l[3]", "2", MLV_EDIT_CREATE, MLV_ERROR_USAGE, "no index");
	assert_refused("lr: 1\n", "x", NULL, MLV_EDIT_CREATE, MLV_ERROR_MISSING, "there is no 'x'");
	assert_refused("lr: 1\n", "a..b", "1", MLV_EDIT_CREATE, MLV_ERROR_USAGE, "not written as");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_replaced_and_nothing_else),
		cmocka_unit_test(values_of_other_shapes_take_each_others_place),
		cmocka_unit_test(keys_are_added_where_the_map_ends),
		cmocka_unit_test(keys_are_removed_with_their_comments),
		cmocka_unit_test(json_stays_json),
		cmocka_unit_test(whole_stages_are_put_in_and_replaced),
		cmocka_unit_test(what_cannot_be_done_leaves_the_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
