/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/pipeline/template.h"
#include "tests/unit/memory_files.h"

static const MemoryFile table[] = {
	{ "params.yaml", "lr: 1e-3\n"
			 "tiny: 0.00001\n"
			 "big: 1e22\n"
			 "i: 1_000\n"
			 "b: true\n"
			 "n:\n"
			 "s: hello\n"
			 "prepare: {seed: 20170428, split: 0.20}\n"
			 "models: [cnn, rf]\n"
			 "deep:\n  - {a: [x, {b: y}]}\n"
			 "opts: {lr: 0.01, deep: {layers: 3, none: }, on: true, off: false,\n"
			 "  words: two words, list: [1, x y, 2.0, true], e: [], q: it's, m: {}}\n"
			 "bad: {l: [[1]]}\n"
			 "'d.k': dotted\n"
			 "two words: spaced\n" },
	{ "sub/v.yaml", "k1: {z: 1}\nk2: 7\nk3: no\n" },
	{ "v.json", "{\"j\": 1.50}" },
	{ "list.yaml", "- 1\n" },
	{ "empty.yaml", "" },
	{ "more.yaml", "prepare: {more: 1}\nlr: 0.001\n" },
	{ "other.yaml", "a: 1\nlr: 2\n" },
	{ "p.toml", "a = 1\n" },
	{ NULL, NULL },
};

static gboolean load(MlvScope *scope, const char *folder, const char *spec, GError **error)
{
	const MlvFiles files = memory_files(table);
	const MlvWhere where = { "dvc.yaml", 2, 3 };
	return mlv_scope_load(scope, &files, folder, spec, &where, error);
}

static MlvScope *usual_scope(void)
{
	MlvScope *scope = mlv_scope_new(NULL);

	assert_true(load(scope, "", "params.yaml", NULL));
	return scope;
}

static void assert_expands(const char *text, MlvTemplateMode mode, const char *json)
{
	g_autoptr(MlvScope) scope = usual_scope();
	g_autoptr(MlvValue) value = mlv_yaml_parse(text, strlen(text), "dvc.yaml", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvValue) expanded = mlv_template_expand(scope, value, mode, &error);

	if (!expanded)
		fail_msg("'%s': %s", text, error->message);
	g_autofree char *written = mlv_value_json(expanded);
	if (strcmp(written, json) != 0)
		fail_msg("'%s' gives %s", text, written);
}

static void numbers_and_words_come_out_as_dvc_prints_them(void **state)
{
	assert_expands("x ${lr} ${tiny} ${big} ${i} ${b} ${n} ${s}", MLV_TEMPLATE_VALUE,
		       "\"x 0.001 1e-05 1e+22 1000 true None hello\"");
	assert_expands("x ${prepare.seed} ${prepare.split} ${ prepare . seed }", MLV_TEMPLATE_VALUE,
		       "\"x 20170428 0.2 20170428\"");
	assert_expands("x ${deep[0].a[1].b} ${deep.0.a.0} ${models[-1]}", MLV_TEMPLATE_VALUE,
		       "\"x y x rf\"");
	assert_expands("${s}/${s}", MLV_TEMPLATE_VALUE, "\"hello/hello\"");
	assert_expands("${d.k} ${two words}", MLV_TEMPLATE_VALUE, "\"dotted spaced\"");
}

static void a_template_alone_keeps_its_type(void **state)
{
	assert_expands("${b}", MLV_TEMPLATE_VALUE, "true");
	assert_expands("${models}", MLV_TEMPLATE_VALUE, "[\"cnn\", \"rf\"]");
	assert_expands("{'${s}': ['${i}', {x: '${n}'}]}", MLV_TEMPLATE_VALUE,
		       "{\"hello\": [1000, {\"x\": null}]}");
	assert_expands("{'${i}': 1}", MLV_TEMPLATE_VALUE, "{\"1000\": 1}");
}

static void escapes_and_what_is_no_template_stay(void **state)
{
	assert_expands("echo \\${HOME} $HOME $(x) $${s}", MLV_TEMPLATE_COMMAND,
		       "\"echo ${HOME} $HOME $(x) $hello\"");
	assert_expands("awk '{print $1}' ${s", MLV_TEMPLATE_COMMAND, "\"awk '{print $1}' ${s\"");
	assert_expands("\"${a\\nb}\"", MLV_TEMPLATE_COMMAND, "\"${a\\nb}\"");
	assert_expands("\\\\${s}", MLV_TEMPLATE_COMMAND, "\"\\\\${s}\"");
	assert_expands("[1, true, null, x]", MLV_TEMPLATE_COMMAND, "[1, true, null, \"x\"]");
}

static void a_map_in_a_command_becomes_options(void **state)
{
	assert_expands("run ${opts} end", MLV_TEMPLATE_COMMAND,
		       "\"run --lr 0.01 --deep.layers 3 --deep.none None --on --words 'two words' "
		       "--list 1 'x y' 2.0 True --q 'it'\\\"'\\\"'s' end\"");
	assert_expands("${prepare}", MLV_TEMPLATE_COMMAND, "\"--seed 20170428 --split 0.2\"");
}

static void assert_refused(const char *text, MlvTemplateMode mode, const char *message)
{
	g_autoptr(MlvScope) scope = usual_scope();
	g_autoptr(MlvValue) value = mlv_yaml_parse(text, strlen(text), "dvc.yaml", NULL);
	g_autoptr(GError) error = NULL;

	assert_non_null(value);
	assert_null(mlv_template_expand(scope, value, mode, &error));
	assert_int_equal(error->code, MLV_ERROR_CORRUPT);
	assert_string_equal(error->message, message);
}

static void what_is_wrong_is_told_at_its_place(void **state)
{
	assert_refused(
		"a:\n  - x ${models}\n", MLV_TEMPLATE_COMMAND,
		"dvc.yaml:2:7: 'models' is a list, which cannot be put into a text; name its "
		"items, or put the list under a key of a map to make options of it");
	assert_refused("x ${prepare}", MLV_TEMPLATE_VALUE,
		       "dvc.yaml:1:3: 'prepare' is a map, which cannot be put into a text");
	assert_refused("'\xc3\xa9 ${HOME}'", MLV_TEMPLATE_COMMAND,
		       "dvc.yaml:1:4: there is no variable 'HOME'; one of the shell is written "
		       "'\\${HOME}'");
	assert_refused("x ${modles}", MLV_TEMPLATE_COMMAND,
		       "dvc.yaml:1:3: there is no variable 'modles'; did you mean 'models'?");
	assert_refused("x ${f%.*}", MLV_TEMPLATE_COMMAND,
		       "dvc.yaml:1:3: there is no variable 'f%'; one of the shell is written "
		       "'\\${f%.*}'");
	assert_refused("x ${}", MLV_TEMPLATE_COMMAND,
		       "dvc.yaml:1:3: expected a variable such as '${name}', '${a.b}' or "
		       "'${a[0].b}', and this is '${}'");
	assert_refused(
		"x ${prepare.sed}", MLV_TEMPLATE_COMMAND,
		"dvc.yaml:1:3: '${prepare.sed}': of 'prepare' there is no 'sed'; did you mean "
		"'seed'?");
	assert_refused(
		"x ${models[2]}", MLV_TEMPLATE_COMMAND,
		"dvc.yaml:1:3: '${models[2]}': of 'models' there is no item '2', a list of 2");
	assert_refused("x ${bad}", MLV_TEMPLATE_COMMAND,
		       "params.yaml:14:11: the list 'l' becomes words of a command, and has a list "
		       "in it");
	assert_refused(
		"{'${s}': 1, hello: 2}", MLV_TEMPLATE_VALUE,
		"dvc.yaml:1:13: the key 'hello' stands twice once its templates are expanded");
	assert_refused("{'${prepare}': 1}", MLV_TEMPLATE_VALUE,
		       "dvc.yaml:1:2: a key is expected to be a word, and '${prepare}' is a map");
}

static void assert_load_error(MlvScope *scope, const char *folder, const char *spec, MlvError code,
			      const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_false(load(scope, folder, spec, &error));
	assert_string_equal(error->message, message);
	assert_int_equal(error->code, code);
}

static void files_of_variables_are_read_whole_or_in_part(void **state)
{
	g_autoptr(MlvScope) outer = usual_scope();
	g_autoptr(MlvScope) scope = mlv_scope_new(outer);

	assert_true(load(scope, "sub", "v.yaml:k1, k2", NULL));
	assert_non_null(mlv_scope_get(scope, "k1"));
	assert_null(mlv_scope_get(scope, "k3"));
	assert_true(load(scope, "sub", "v.yaml", NULL));
	assert_non_null(mlv_scope_get(scope, "k3"));
	assert_true(load(scope, "sub", "../v.json", NULL));
	assert_true(load(scope, "", "params.yaml", NULL));
	assert_true(load(scope, "", "params.yaml:lr", NULL));
	assert_true(load(scope, "", "empty.yaml", NULL));
	g_autoptr(GPtrArray) files = mlv_scope_files(scope);
	assert_string_equal(files->pdata[0], "sub/v.yaml");
	assert_null(mlv_scope_get(outer, "k1"));

	assert_load_error(scope, "", "none.yaml", MLV_ERROR_MISSING,
			  "dvc.yaml:2:3: there is no file 'none.yaml'");
	assert_load_error(scope, "", "list.yaml", MLV_ERROR_CORRUPT,
			  "list.yaml:1:1: expected a map of variables, and the file holds a list");
	assert_load_error(scope, "sub", "v.yaml:nope", MLV_ERROR_CORRUPT,
			  "dvc.yaml:2:3: there is no variable 'nope' in 'sub/v.yaml'");
	assert_load_error(
		scope, "", "p.toml", MLV_ERROR_UNSUPPORTED,
		"dvc.yaml:2:3: 'p.toml' is TOML, for which there is no C library in Debian "
		"12: keep the parameters in a YAML or JSON file");
}

static void maps_are_merged_and_values_never_redefined(void **state)
{
	g_autoptr(MlvScope) outer = usual_scope();
	g_autoptr(MlvScope) scope = mlv_scope_new(outer);

	assert_true(load(scope, "", "more.yaml", NULL));
	assert_non_null(mlv_value_lookup(mlv_scope_get(scope, "prepare"), "more"));
	assert_non_null(mlv_value_lookup(mlv_scope_get(scope, "prepare"), "seed"));
	assert_null(mlv_value_lookup(mlv_scope_get(outer, "prepare"), "more"));
	assert_load_error(scope, "", "other.yaml", MLV_ERROR_CORRUPT,
			  "other.yaml:2:5: the variable 'lr' has another value already "
			  "('params.yaml' line 1); give one of them another name");
}

static void what_would_grow_beyond_all_bounds_is_refused(void **state)
{
	g_autoptr(MlvScope) scope = mlv_scope_new(NULL);
	g_autofree char *mebibyte = g_strnfill(1 << 20, 'x');
	g_autoptr(MlvValue) big = mlv_value_new_string(mebibyte);
	g_autoptr(GString) text = g_string_new("");
	g_autoptr(GError) error = NULL;

	mlv_scope_set(scope, "b", big);
	for (guint i = 0; i < 10000; i++)
		g_string_append(text, "${b}");
	g_autoptr(MlvValue) value = mlv_value_new_string(text->str);
	assert_null(mlv_template_expand(scope, value, MLV_TEMPLATE_VALUE, &error));
	assert_non_null(strstr(error->message, "MiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_words_come_out_as_dvc_prints_them),
		cmocka_unit_test(a_template_alone_keeps_its_type),
		cmocka_unit_test(escapes_and_what_is_no_template_stay),
		cmocka_unit_test(a_map_in_a_command_becomes_options),
		cmocka_unit_test(what_is_wrong_is_told_at_its_place),
		cmocka_unit_test(files_of_variables_are_read_whole_or_in_part),
		cmocka_unit_test(maps_are_merged_and_values_never_redefined),
		cmocka_unit_test(what_would_grow_beyond_all_bounds_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
