/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/pipeline/lock.h"
#include "core/yaml.h"
#include "tests/unit/git_scratch.h"
#include "tests/unit/memory_files.h"

static MlvPointer file_of(const char *text, guint8 mode)
{
	MlvPointer held = { .mode = mode, .files = 1, .bytes = strlen(text) };

	mlv_id_of(text, strlen(text), &held.ref.id);
	held.ref.kind = MLV_KIND_BLOB;
	held.ref.size = strlen(text);
	return held;
}

static void add_path(GPtrArray *paths, const char *path, const char *text, guint8 mode)
{
	MlvPointer held = file_of(text, mode);

	if (mode == MLV_MODE_DIRECTORY) {
		held.ref.kind = MLV_KIND_TREE;
		held.ref.depth = 2;
		held.files = 3;
		held.bytes = 700;
	}
	g_ptr_array_add(paths, mlv_lock_path_new(path, &held, NULL));
}

static void add_param(MlvLockStage *stage, const char *file, const char *key, const char *value)
{
	MlvParam *param = g_new0(MlvParam, 1);

	param->file = g_strdup(file);
	param->key = g_strdup(key);
	param->value = mlv_yaml_parse_word(value, NULL);
	g_ptr_array_add(stage->params, param);
}

static MlvLockStage *full_stage(const char *name)
{
	MlvLockStage *stage = mlv_lock_stage_new(name);

	g_ptr_array_add(stage->cmds, g_strdup("python \"train.py\" \\\n  --x"));
	add_path(stage->deps, "sub/train.py", "print", MLV_MODE_EXECUTABLE);
	add_path(stage->deps, "data", "tree", MLV_MODE_DIRECTORY);
	add_path(stage->deps, "/etc/hosts", "hosts", MLV_MODE_FILE);
	g_ptr_array_add(stage->deps, mlv_lock_path_new("https://x/y z", NULL, "\"abc\""));
	add_param(stage, "sub/params.yaml", "train.lr", "1e-3");
	add_param(stage, "sub/params.yaml", "train.list", "[1, a, {b: null}]");
	add_path(stage->outs, "sub/m.pkl", "model", MLV_MODE_FILE);
	return stage;
}

static MlvLockStage *small_stage(const char *name, const char *dep, const char *out)
{
	MlvLockStage *stage = mlv_lock_stage_new(name);
	g_autofree char *path = g_strconcat("out/", name, NULL);

	g_ptr_array_add(stage->cmds, g_strdup("run"));
	add_path(stage->deps, "in", dep, MLV_MODE_FILE);
	add_path(stage->outs, path, out, MLV_MODE_FILE);
	return stage;
}

static MlvLock *parse(const char *folder, const char *text)
{
	g_autoptr(GError) error = NULL;
	MlvLock *lock = mlv_lock_parse(folder, text, strlen(text), "mlv.lock", &error);

	if (!lock)
		fail_msg("%s in\n%s", error->message, text);
	return lock;
}

static void a_lock_is_read_and_written_the_same(void **state)
{
	g_autoptr(MlvLock) lock = mlv_lock_new("sub");
	gsize length;

	assert_null(mlv_lock_format(lock, &length));
	mlv_lock_set(lock, full_stage("train@a-1"));
	mlv_lock_set(lock, small_stage("null", "a", "b"));
	g_autofree char *text = mlv_lock_format(lock, &length);
	assert_int_equal(length, strlen(text));
	g_autofree char *golden = NULL;
	assert_true(g_file_get_contents("tests/fixtures/lock-v1.lock", &golden, NULL, NULL));
	assert_string_equal(text, golden);

	g_autoptr(MlvLock) again = parse("sub", text);
	const MlvLockStage *stage = mlv_lock_get(again, "train@a-1");
	assert_false(mlv_lock_has_conflicts(again));
	assert_false(stage->conflict);
	assert_string_equal(stage->cmds->pdata[0], "python \"train.py\" \\\n  --x");
	const MlvLockPath *dep = mlv_lock_stage_dep(stage, "data");
	assert_int_equal(dep->held.ref.kind, MLV_KIND_TREE);
	assert_int_equal(dep->held.ref.depth, 2);
	assert_int_equal(dep->held.bytes, 700);
	assert_int_equal(mlv_lock_stage_dep(stage, "sub/train.py")->held.mode, MLV_MODE_EXECUTABLE);
	assert_string_equal(mlv_lock_stage_dep(stage, "https://x/y z")->etag, "\"abc\"");
	assert_non_null(mlv_lock_stage_dep(stage, "/etc/hosts"));
	assert_null(mlv_lock_stage_dep(stage, "nope"));
	assert_non_null(mlv_lock_stage_out(stage, "sub/m.pkl"));
	const MlvParam *param = mlv_lock_stage_param(stage, "sub/params.yaml", "train.lr");
	assert_true(param->value->real == 0.001);
	assert_null(mlv_lock_stage_param(stage, "params.yaml", "train.lr"));
	g_autofree char *text_again = mlv_lock_format(again, NULL);
	assert_string_equal(text, text_again);

	/* It is YAML. */
	g_autoptr(MlvValue) yaml = mlv_yaml_parse(text, length, "mlv.lock", NULL);
	assert_non_null(yaml);
	assert_string_equal(mlv_value_lookup(yaml, "stages.null[0].cmd")->text, "run");
}

static void sameness_is_of_id_kind_mode_and_etag(void **state)
{
	MlvPointer file = file_of("a", MLV_MODE_FILE),
		   executable = file_of("a", MLV_MODE_EXECUTABLE);
	MlvLockPath a = { .held = file }, b = { .held = file }, c = { .held = executable };
	MlvLockPath d = { .etag = (char *)"x" }, e = { .etag = (char *)"y" };

	assert_true(mlv_lock_path_same(&a, &b));
	assert_false(mlv_lock_path_same(&a, &c));
	assert_false(mlv_lock_path_same(&a, &d));
	assert_false(mlv_lock_path_same(&d, &e));
	assert_true(mlv_lock_path_same(&d, &d));
}

static void stages_are_replaced_and_removed(void **state)
{
	g_autoptr(MlvLock) lock = mlv_lock_new("");

	mlv_lock_set(lock, small_stage("b", "1", "1"));
	mlv_lock_set(lock, small_stage("a", "1", "1"));
	mlv_lock_set(lock, small_stage("b", "2", "2"));
	g_autoptr(GPtrArray) names = mlv_lock_names(lock);
	assert_int_equal(names->len, 2);
	assert_string_equal(names->pdata[0], "a");
	assert_true(mlv_lock_remove(lock, "a"));
	assert_false(mlv_lock_remove(lock, "a"));
	assert_null(mlv_lock_get(lock, "a"));
}

static char *text_of(const char *a, const char *b, const char *c)
{
	g_autoptr(MlvLock) lock = mlv_lock_new("");

	if (a)
		mlv_lock_set(lock, small_stage("a", a, a));
	if (b)
		mlv_lock_set(lock, small_stage("b", b, b));
	if (c)
		mlv_lock_set(lock, small_stage("c", c, c));
	return mlv_lock_format(lock, NULL);
}

/* What git makes of the three with 'git merge-file'. */
static char *merge(const char *base, const char *ours, const char *theirs, gboolean diff3)
{
	g_autofree char *dir = g_dir_make_tmp("mlv-unit-XXXXXX", NULL);
	const char *const texts[] = { ours, base, theirs };
	static const char *const names[] = { "ours", "base", "theirs" };
	g_autofree char *out = NULL;

	for (gsize i = 0; i < 3; i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);
		assert_true(g_file_set_contents(path, texts[i], -1, NULL));
	}
	char *argv[] = { (char *)"git",    (char *)"merge-file",
			 (char *)"-p",     (char *)(diff3 ? "--diff3" : "-q"),
			 (char *)"ours",   (char *)"base",
			 (char *)"theirs", NULL };
	assert_true(g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL,
				 NULL));
	git_scratch_remove(dir);
	return g_steal_pointer(&out);
}

static const char *state_of(const MlvLock *lock, const char *name)
{
	const MlvLockStage *stage = mlv_lock_get(lock, name);
	return !stage ? "none" : stage->conflict ? "conflict" : "good";
}

static void assert_merged(const char *base[3], const char *ours[3], const char *theirs[3],
			  const char *a, const char *b, const char *c)
{
	g_autofree char *first = text_of(base[0], base[1], base[2]);
	g_autofree char *second = text_of(ours[0], ours[1], ours[2]);
	g_autofree char *third = text_of(theirs[0], theirs[1], theirs[2]);

	for (int diff3 = 0; diff3 < 2; diff3++) {
		g_autofree char *text = merge(first, second, third, diff3);
		g_autoptr(MlvLock) lock = parse("", text);
		if (strcmp(state_of(lock, "a"), a) != 0 || strcmp(state_of(lock, "b"), b) != 0 ||
		    strcmp(state_of(lock, "c"), c) != 0)
			fail_msg("%s %s %s of\n%s", state_of(lock, "a"), state_of(lock, "b"),
				 state_of(lock, "c"), text);
	}
}

static void merges_keep_what_the_sides_agree_on(void **state)
{
	const char *base[3] = { "1", "1", NULL }, *one[3] = { "2", "1", NULL };
	const char *other[3] = { "1", "3", NULL }, *more[3] = { "1", "1", "4" };
	const char *same[3] = { "3", "1", NULL }, *else_more[3] = { "1", "1", "5" };

	assert_merged(base, one, other, "good", "good", "none");
	assert_merged(base, one, same, "conflict", "good", "none");
	assert_merged(base, one, more, "good", "good", "good");
	assert_merged(base, more, else_more, "good", "good", "conflict");
	assert_merged(base, one, one, "good", "good", "none");
}

static void a_block_that_a_merge_put_together_counts_as_changed(void **state)
{
	g_autofree char *text = text_of("1", "1", NULL);
	g_autofree char *other = text_of("2", "1", NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_auto(GStrv) others = g_strsplit(other, "\n", -1);

	/* The dependency of one side, the output of the other. */
	g_free(lines[5]);
	lines[5] = g_strdup(others[5]);
	g_autofree char *mixed = g_strjoinv("\n", lines);
	g_autoptr(MlvLock) lock = parse("", mixed);
	assert_false(mlv_lock_has_conflicts(lock));
	assert_string_equal(state_of(lock, "a"), "conflict");
	assert_string_equal(state_of(lock, "b"), "good");

	/* It is not written back. */
	g_autofree char *kept = mlv_lock_format(lock, NULL);
	g_autofree char *alone = text_of(NULL, "1", NULL);
	assert_string_equal(kept, alone);
}

static void line_ends_of_windows_and_comments_are_read(void **state)
{
	g_autofree char *text = text_of("1", "1", NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *joined = g_strjoinv("\r\n# c\r\n\r\n", lines);
	g_autoptr(MlvLock) lock = parse("", joined);

	assert_string_equal(state_of(lock, "a"), "good");
	g_autofree char *again = mlv_lock_format(lock, NULL);
	assert_string_equal(again, text);
}

static void an_absent_lock_is_empty(void **state)
{
	static const MemoryFile table[] = { { NULL, NULL } };
	const MlvFiles files = memory_files(table);
	g_autoptr(MlvLock) lock = mlv_lock_read(&files, "sub", NULL);
	g_autoptr(MlvLock) empty = parse("", "");

	assert_non_null(lock);
	assert_null(mlv_lock_get(lock, "a"));
	assert_null(mlv_lock_get(empty, "a"));
}

static void assert_refused(const char *text, MlvError code, const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_null(mlv_lock_parse("", text, strlen(text), "mlv.lock", &error));
	assert_int_equal(error->code, code);
	if (!g_str_has_prefix(error->message, message))
		fail_msg("'%s' for '%s'", error->message, text);
}

static void damage_names_the_line(void **state)
{
#define HEAD "version: 1\nstages:\n"
	assert_refused("schema: '2.0'\n", MLV_ERROR_CORRUPT, "mlv.lock:1:1: expected 'version: 1'");
	assert_refused("version: 2\n", MLV_ERROR_UNSUPPORTED,
		       "mlv.lock:1:1: the file has format version 2, and this mlv reads version 1");
	assert_refused("version: 1\nstage:\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:2:1: expected 'stages:'");
	assert_refused(HEAD "a:\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:3:1: expected a stage indented by 2");
	assert_refused(HEAD "    - cmd: \"x\"\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:3:1: expected a stage");
	assert_refused(HEAD "  a\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:3:1: expected a stage's name and");
	assert_refused(HEAD "  a:\n    - cmd: [1\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:4:1: expected a value of JSON");
	assert_refused(HEAD "  a:\n    - what: 1\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:4:1: expected an entry: cmd, dep, param, out or sum");
	assert_refused(HEAD "  a:\n    - cmd: 1\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:4:1: expected an entry as mlv-lock(5) has it");
	assert_refused(HEAD
		       "  a:\n    - dep: {\"path\": \"x\", \"id\": \"sha256:0\", \"size\": 1}\n",
		       MLV_ERROR_CORRUPT, "mlv.lock:4:1: expected an entry as");
	assert_refused(HEAD "  a:\n    - param: {\"file\": \"x\"}\n", MLV_ERROR_CORRUPT,
		       "mlv.lock:4:1: expected an entry as");
#undef HEAD
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_is_read_and_written_the_same),
		cmocka_unit_test(sameness_is_of_id_kind_mode_and_etag),
		cmocka_unit_test(stages_are_replaced_and_removed),
		cmocka_unit_test(merges_keep_what_the_sides_agree_on),
		cmocka_unit_test(a_block_that_a_merge_put_together_counts_as_changed),
		cmocka_unit_test(line_ends_of_windows_and_comments_are_read),
		cmocka_unit_test(an_absent_lock_is_empty),
		cmocka_unit_test(damage_names_the_line),
	};
	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
