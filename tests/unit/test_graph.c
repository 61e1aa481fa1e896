/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/pipeline/glob.h"
#include "core/pipeline/graph.h"
#include "tests/unit/memory_files.h"

/* --- globs ------------------------------------------------------------------------------------ */

static void assert_glob(const char *pattern, const char *path, gboolean matches)
{
	if (mlv_glob_matches(pattern, path) != matches)
		fail_msg("'%s' against '%s'", pattern, path);
}

static void globs_match_as_in_a_shell(void **state)
{
	assert_glob("a/*.csv", "a/x.csv", TRUE);
	assert_glob("a/*.csv", "a/b/x.csv", FALSE);
	assert_glob("a/?", "a/x", TRUE);
	assert_glob("a/[x-z]", "a/y", TRUE);
	assert_glob("a/[!x]", "a/x", FALSE);
	assert_glob("**/x", "x", TRUE);
	assert_glob("**/x", "a/b/x", TRUE);
	assert_glob("a/**/x", "a/x", TRUE);
	assert_glob("a/**/x", "a/b/c/x", TRUE);
	assert_glob("a/**/x", "b/x", FALSE);
	assert_glob("a/**", "a/b/c", TRUE);
	assert_glob("a/**", "a", FALSE);
	assert_glob("a**", "ab", TRUE);
	assert_glob("a/\\*", "a/*", TRUE);
	assert_glob("a/\\*", "a/b", FALSE);
	assert_glob("*", ".hidden", FALSE);
	assert_glob(".*", ".hidden", TRUE);
	assert_glob("**/x", ".git/x", FALSE);
	assert_glob("*", "mlv.lock", FALSE);
	assert_glob("*", "data.csv.mlv", FALSE);
	assert_glob("*.mlv", "data.csv.mlv", FALSE);
	assert_glob("data.csv.mlv", "data.csv.mlv", TRUE);

	assert_true(mlv_glob_may_match_below("a/*/x", "a/b"));
	assert_true(mlv_glob_may_match_below("a/**", "a/b/c"));
	assert_true(mlv_glob_may_match_below("a/*/x", ""));
	assert_false(mlv_glob_may_match_below("a/*/x", "b"));
	assert_false(mlv_glob_may_match_below("a/*", "a/b"));

	assert_true(mlv_glob_is("a*"));
	assert_false(mlv_glob_is("a[b"));
	assert_false(mlv_glob_is("a.b"));
	g_autofree char *folder = mlv_glob_folder("a/b\\[1]/c*/d");
	assert_string_equal(folder, "a/b[1]");
	g_autofree char *none = mlv_glob_folder("*.csv");
	assert_string_equal(none, "");
}

static void a_hostile_pattern_ends_soon(void **state)
{
	g_autoptr(GString) pattern = g_string_new("");
	g_autoptr(GString) path = g_string_new("");

	for (guint i = 0; i < 1000; i++) {
		g_string_append(pattern, "**/");
		g_string_append(path, "a/");
	}
	g_string_append(pattern, "b");
	g_string_append(path, "c");
	assert_glob(pattern->str, path->str, FALSE);
}

/* --- the graph -------------------------------------------------------------------------------- */

static MlvPipeline *load(const MemoryFile *table, GError **error)
{
	const MlvFiles files = memory_files(table);
	return mlv_pipeline_load(&files, "", error);
}

static MlvPipeline *load_well(const MemoryFile *table)
{
	g_autoptr(GError) error = NULL;
	MlvPipeline *pipeline = load(table, &error);

	if (!pipeline)
		fail_msg("%s", error->message);
	return pipeline;
}

static char *addresses(const MlvPipeline *pipeline, const GArray *numbers)
{
	GString *text = g_string_new("");

	for (guint i = 0; i < numbers->len; i++)
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       mlv_pipeline_node(pipeline, g_array_index(numbers, guint, i))
					       ->stage->address);
	return g_string_free(text, FALSE);
}

static void assert_upstream(const MlvPipeline *pipeline, const char *address, const char *expected)
{
	gint number = mlv_pipeline_find(pipeline, address);

	assert_true(number >= 0);
	g_autofree char *text =
		addresses(pipeline, mlv_pipeline_node(pipeline, (guint)number)->upstream);
	if (strcmp(text, expected) != 0)
		fail_msg("%s needs '%s'", address, text);
}

static const MemoryFile project[] = {
	{ "dvc.yaml",
	  "stages:\n"
	  "  train: {cmd: x, deps: [data/prepared/a.csv], params: [p.yaml: ], outs: [m]}\n"
	  "  prepare: {cmd: x, deps: [raw], outs: [data/prepared]}\n"
	  "  tune: {cmd: x, outs: [p.yaml]}\n"
	  "  report: {cmd: x, deps: ['sub/out*', 'data/**/*.csv'], outs: [r.html]}\n"
	  "  all: {cmd: x, deps: [sub]}\n"
	  "  each: {foreach: [a, b], do: {cmd: x, outs: ['e/${item}']}}\n" },
	{ "sub/mlv.yaml", "stages:\n"
			  "  use: {cmd: x, deps: [../m], outs: [out1, o/out2]}\n"
			  "  train: {cmd: x}\n" },
	{ "sub/dvc.yaml", "not: read\n" },
	{ "ignored/dvc.yaml", "not: read\n" },
	{ "deep/er/dvc.yaml", "stages: {last: {cmd: x, deps: [../../sub/o/out2, new/*]}}\n" },
	{ "other/.git", "gitdir: elsewhere\n" },
	{ "other/dvc.yaml", "not: read\n" },
	{ ".gitignore", "/ignored/\n" },
	{ "raw", "" },
	{ "data/extra/z.csv", "" },
	{ "data/mlv.lock", "" },
	{ NULL, NULL },
};

static void stages_of_all_files_are_joined(void **state)
{
	g_autoptr(MlvPipeline) pipeline = load_well(project);

	assert_int_equal(pipeline->files->len, 3);
	assert_upstream(pipeline, "prepare", "");
	assert_upstream(pipeline, "train", "prepare tune");
	assert_upstream(pipeline, "report", "prepare sub/mlv.yaml:use");
	assert_upstream(pipeline, "all", "sub/mlv.yaml:use");
	assert_upstream(pipeline, "sub/mlv.yaml:use", "train");
	assert_upstream(pipeline, "deep/er/dvc.yaml:last", "sub/mlv.yaml:use");
	assert_int_equal(mlv_pipeline_find(pipeline, "nope"), -1);

	const MlvOut *out;
	gint number = mlv_pipeline_producer(pipeline, "data/prepared/x/y", &out);
	assert_string_equal(mlv_pipeline_node(pipeline, (guint)number)->stage->address, "prepare");
	assert_string_equal(out->path, "data/prepared");
	assert_int_equal(mlv_pipeline_producer(pipeline, "data", NULL), -1);
}

static void assert_targets(const MlvPipeline *pipeline, const char *folder, const char *word,
			   const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) targets = mlv_pipeline_targets(pipeline, folder, word, &error);
	g_autofree char *text = targets ? addresses(pipeline, targets) : g_strdup(error->message);

	if (strcmp(text, expected) != 0)
		fail_msg("'%s' in '%s' gives '%s'", word, folder, text);
}

static void targets_are_stages_groups_files_outputs_and_folders(void **state)
{
	g_autoptr(MlvPipeline) pipeline = load_well(project);

	assert_targets(pipeline, "", "train", "train");
	assert_targets(pipeline, "sub", "train", "sub/mlv.yaml:train");
	assert_targets(pipeline, "", "each", "each@a each@b");
	assert_targets(pipeline, "", "each@b", "each@b");
	assert_targets(pipeline, "", "sub/mlv.yaml:use", "sub/mlv.yaml:use");
	assert_targets(pipeline, "", "sub:use", "sub/mlv.yaml:use");
	assert_targets(pipeline, "sub", "../dvc.yaml:train", "train");
	assert_targets(pipeline, "sub", "mlv.yaml", "sub/mlv.yaml:use sub/mlv.yaml:train");
	assert_targets(pipeline, "", "data/prepared/a.csv", "prepare");
	assert_targets(pipeline, "sub", "../m", "train");
	assert_targets(pipeline, "", "m/", "train");
	assert_targets(pipeline, "", "data", "prepare");
	assert_targets(pipeline, "", "e", "each@a each@b");
	assert_targets(pipeline, "", "deep", "deep/er/dvc.yaml:last");
	assert_targets(pipeline, "sub", ".", "sub/mlv.yaml:use sub/mlv.yaml:train");
	assert_targets(pipeline, "sub", NULL, "sub/mlv.yaml:use sub/mlv.yaml:train");
	assert_targets(pipeline, "deep", NULL, "deep/er/dvc.yaml:last");
	assert_targets(pipeline, "", "trian",
		       "'trian' is no stage, output or folder of stages; did you mean 'train'?");
	assert_targets(pipeline, "", "use",
		       "'use' is no stage, output or folder of stages; did you mean "
		       "'sub/mlv.yaml:use'?");
	assert_targets(pipeline, "data", NULL,
		       "there is no mlv.yaml or dvc.yaml here or below: 'mlv stage add' makes one");
}

static void assert_order(const MlvPipeline *pipeline, const char *word, MlvOrder order,
			 const char *expected)
{
	g_autoptr(GArray) targets = mlv_pipeline_targets(pipeline, "", word, NULL);
	g_autoptr(GArray) sorted = mlv_pipeline_order(pipeline, targets, order);
	g_autofree char *text = addresses(pipeline, sorted);

	if (strcmp(text, expected) != 0)
		fail_msg("'%s' gives '%s'", word, text);
}

static void dependencies_come_first(void **state)
{
	g_autoptr(MlvPipeline) pipeline = load_well(project);

	assert_order(pipeline, "train", MLV_ORDER_ONLY, "train");
	assert_order(pipeline, "train", MLV_ORDER_UPSTREAM, "prepare tune train");
	assert_order(pipeline, "report", MLV_ORDER_UPSTREAM,
		     "prepare tune train sub/mlv.yaml:use report");
	assert_order(pipeline, "tune", MLV_ORDER_DOWNSTREAM,
		     "tune train sub/mlv.yaml:use report all deep/er/dvc.yaml:last");
	assert_order(pipeline, "dvc.yaml", MLV_ORDER_ONLY,
		     "prepare tune train report all each@a each@b");
}

static void assert_paths(const MlvPipeline *pipeline, const char *address, guint index,
			 const char *expected)
{
	g_autoptr(GError) error = NULL;
	guint number = (guint)mlv_pipeline_find(pipeline, address);
	const MlvStage *stage = mlv_pipeline_node(pipeline, number)->stage;
	g_autoptr(GPtrArray) paths =
		mlv_pipeline_dep_paths(pipeline, number, stage->deps->pdata[index], &error);
	if (paths)
		g_ptr_array_add(paths, NULL);
	g_autofree char *text =
		paths ? g_strjoinv(" ", (char **)paths->pdata) : g_strdup(error->message);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: '%s'", address, text);
}

static void patterns_see_files_and_outputs(void **state)
{
	g_autoptr(MlvPipeline) pipeline = load_well(project);

	assert_paths(pipeline, "report", 0, "sub/out1");
	assert_paths(pipeline, "report", 1, "data/extra/z.csv");
	assert_paths(pipeline, "train", 0, "data/prepared/a.csv");
	assert_paths(
		pipeline, "deep/er/dvc.yaml:last", 1,
		"deep/er/dvc.yaml:1:50: stage 'deep/er/dvc.yaml:last': no file matches 'new/*', "
		"and no stage makes one");
}

static void an_output_that_is_called_like_its_own_pattern_is_refused(void **state)
{
	static const MemoryFile table[] = {
		{ "dvc.yaml", "stages:\n"
			      "  a: {cmd: x, deps: ['*.csv'], outs: [own.csv]}\n"
			      "  b: {cmd: x, deps: ['d/**'], outs: [r]}\n"
			      "  c: {cmd: x, outs: [d/e/f]}\n"
			      "  g: {cmd: x, deps: ['t*'], outs: ['t*']}\n" },
		{ "own.csv", "" },
		{ "in.csv", "" },
		{ "d/e/f", "" },
		{ "d/h", "" },
		{ NULL, NULL },
	};
	g_autoptr(GError) error = NULL;

	assert_null(load(table, &error));
	assert_string_equal(error->message, "dvc.yaml:5:22: stage 'g' depends on 't*' and makes "
					    "'t*', so that it would never be done");
}

static void folders_that_match_stand_for_what_is_in_them(void **state)
{
	static const MemoryFile table[] = {
		{ "dvc.yaml", "stages:\n"
			      "  a: {cmd: x, deps: ['*.csv'], outs: [own.csv]}\n"
			      "  b: {cmd: x, deps: ['d/**'], outs: [r]}\n"
			      "  c: {cmd: x, outs: [d/e/f]}\n" },
		{ "own.csv", "" },
		{ "in.csv", "" },
		{ "d/e/f", "" },
		{ "d/h", "" },
		{ "d/.hidden", "" },
		{ NULL, NULL },
	};
	g_autoptr(MlvPipeline) pipeline = load_well(table);

	assert_paths(pipeline, "a", 0, "in.csv");
	assert_upstream(pipeline, "b", "c");
	assert_paths(pipeline, "b", 0, "d/e d/h");
}

static void assert_refused(const char *text, const char *message)
{
	const MemoryFile table[] = { { "dvc.yaml", text }, { NULL, NULL } };
	g_autoptr(GError) error = NULL;

	assert_null(load(table, &error));
	assert_int_equal(error->code, MLV_ERROR_CORRUPT);
	if (strcmp(error->message, message) != 0)
		fail_msg("'%s'", error->message);
}

static void cycles_and_overlaps_are_refused_and_named(void **state)
{
	assert_refused(
		"stages:\n"
		"  a: {cmd: x, deps: [z], outs: [y]}\n"
		"  b: {cmd: x, deps: [y], outs: [w]}\n"
		"  c: {cmd: x, deps: [w], outs: [z]}\n",
		"dvc.yaml:2:3: the stages need each other in a circle: 'a' needs 'c' needs 'b' "
		"needs 'a'");
	assert_refused("stages:\n  a: {cmd: x, deps: [y/z], outs: [y]}\n",
		       "dvc.yaml:2:22: stage 'a' depends on 'y/z' and makes 'y', so that it would "
		       "never be done");
	assert_refused("stages:\n  a: {cmd: x, deps: [y], outs: [y/z]}\n",
		       "dvc.yaml:2:22: stage 'a' depends on 'y' and makes 'y/z', so that it would "
		       "never be done");
	assert_refused("stages:\n  a: {cmd: x, outs: [y]}\n  b: {cmd: x, outs: [./y/]}\n",
		       "dvc.yaml:3:22: the output 'y' is made by two stages, 'a' and 'b'");
	assert_refused(
		"stages:\n  a: {cmd: x, outs: [y]}\n  b: {cmd: x, outs: [y/z, y-a]}\n",
		"dvc.yaml:3:22: the output 'y/z' of stage 'b' lies in the output 'y' of stage "
		"'a'");
}

static void a_long_chain_is_no_deep_recursion(void **state)
{
	g_autoptr(GString) text = g_string_new("stages:\n");
	const guint count = 20000;

	for (guint i = 0; i < count; i++)
		g_string_append_printf(text, "  s%u: {cmd: x, deps: [o%u], outs: [o%u]}\n", i,
				       i + 1, i);
	const MemoryFile table[] = { { "dvc.yaml", text->str }, { NULL, NULL } };
	g_autoptr(MlvPipeline) pipeline = load_well(table);
	g_autoptr(GArray) targets = mlv_pipeline_targets(pipeline, "", "s0", NULL);
	g_autoptr(GArray) order = mlv_pipeline_order(pipeline, targets, MLV_ORDER_UPSTREAM);
	assert_int_equal(order->len, count);
	assert_int_equal(g_array_index(order, guint, 0), count - 1);
}

static void a_repository_without_pipelines_is_empty(void **state)
{
	static const MemoryFile table[] = { { "README", "" }, { NULL, NULL } };
	g_autoptr(MlvPipeline) pipeline = load_well(table);

	assert_int_equal(pipeline->nodes->len, 0);
}

/* --- paths ------------------------------------------------------------------------------------ */

static void assert_normal(const char *folder, const char *written, const char *expected)
{
	static const MlvFiles files = { .root = "/home/ann/project" };
	g_autofree char *path = mlv_files_normal(&files, folder, written);

	if (strcmp(path, expected) != 0)
		fail_msg("'%s' in '%s' is '%s'", written, folder, path);
}

static void paths_are_brought_into_one_form(void **state)
{
	assert_normal("", "./a//b/", "a/b");
	assert_normal("sub", "x", "sub/x");
	assert_normal("sub", "../x", "x");
	assert_normal("sub", "..", "");
	assert_normal("sub", "../../x", "../x");
	assert_normal("sub", "../../project/x", "x");
	assert_normal("sub", "/home/ann/project/y/z", "y/z");
	assert_normal("sub", "/home/ann/projects", "/home/ann/projects");
	assert_normal("sub", "/home/ann/project", "");
	assert_normal("", "/a/../../b", "/b");
	assert_normal("../out", "x", "../out/x");

	static const char *const pairs[][3] = {
		{ "", "a/b", "a/b" },         { "a", "a/b", "b" }, { "a", "b", "../b" },
		{ "a/b", "a/c/d", "../c/d" }, { "a", "a", "." },   { "a", "", ".." },
		{ "a", "../x", "../../x" },   { "a", "/x", "/x" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *relative = mlv_files_relative(pairs[i][0], pairs[i][1]);
		assert_string_equal(relative, pairs[i][2]);
		assert_normal(pairs[i][0], relative, pairs[i][1]);
	}
	assert_true(mlv_files_is_url("s3://b/k"));
	assert_false(mlv_files_is_url("a:b"));
	assert_false(mlv_files_is_url("./x://y"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs_match_as_in_a_shell),
		cmocka_unit_test(a_hostile_pattern_ends_soon),
		cmocka_unit_test(stages_of_all_files_are_joined),
		cmocka_unit_test(targets_are_stages_groups_files_outputs_and_folders),
		cmocka_unit_test(dependencies_come_first),
		cmocka_unit_test(patterns_see_files_and_outputs),
		cmocka_unit_test(an_output_that_is_called_like_its_own_pattern_is_refused),
		cmocka_unit_test(folders_that_match_stand_for_what_is_in_them),
		cmocka_unit_test(cycles_and_overlaps_are_refused_and_named),
		cmocka_unit_test(a_long_chain_is_no_deep_recursion),
		cmocka_unit_test(a_repository_without_pipelines_is_empty),
		cmocka_unit_test(paths_are_brought_into_one_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
