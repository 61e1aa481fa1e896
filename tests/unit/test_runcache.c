/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/pipeline/runcache.h"
#include "core/pipeline/runlog.h"
#include "tests/unit/scratch.h"
#include "tests/unit/work_tree.h"

/* A stage with one of everything. */
static MlvLockStage *sample_stage(void)
{
	MlvLockStage *stage = mlv_lock_stage_new("train");
	MlvPointer held = { .mode = MLV_MODE_FILE, .files = 1, .bytes = 5 };
	MlvParam *param = g_new0(MlvParam, 1);

	held.ref = (MlvRef){ .kind = MLV_KIND_BLOB, .size = 5 };
	mlv_id_of("hello", 5, &held.ref.id);
	g_ptr_array_add(stage->cmds, g_strdup("python train.py"));
	g_ptr_array_add(stage->deps, mlv_lock_path_new("data.csv", &held, NULL));
	g_ptr_array_add(stage->deps, mlv_lock_path_new("https://x.org/y", NULL, "\"tag\""));
	param->file = g_strdup("params.yaml");
	param->key = g_strdup("lr");
	param->value = mlv_value_new_float(0.1);
	g_ptr_array_add(stage->params, param);
	g_ptr_array_add(stage->outs, mlv_lock_path_new("model", &held, NULL));
	return stage;
}

static void key_of(const MlvLockStage *stage, const GPtrArray *variables, char hex[MLV_ID_HEX + 1])
{
	MlvRunInputs inputs = { .cmds = stage->cmds,
				.wdir = "",
				.deps = stage->deps,
				.params = stage->params,
				.environ = variables };
	MlvId key;

	mlv_runcache_key(&inputs, &key);
	mlv_id_format(&key, hex);
}

static void a_key_is_the_same_for_ever(void **state)
{
	g_autoptr(MlvLockStage) stage = sample_stage();
	char hex[MLV_ID_HEX + 1];

	key_of(stage, NULL, hex);
	assert_string_equal(hex,
			    "848c41b8ef960af5e0d9cf958b422934ecb08c110d7686a9ac04cabf630c70f5");
}

static void everything_that_a_run_follows_from_is_in_its_key(void **state)
{
	g_autoptr(MlvLockStage) stage = sample_stage();
	g_autoptr(GPtrArray) variables = g_ptr_array_new();
	char first[MLV_ID_HEX + 1], other[MLV_ID_HEX + 1];
	MlvLockPath *dep = stage->deps->pdata[0];
	MlvParam *param = stage->params->pdata[0];

	key_of(stage, NULL, first);
	/* Neither name nor outputs are. */
	g_ptr_array_set_size(stage->outs, 0);
	key_of(stage, variables, other);
	assert_string_equal(first, other);
	g_ptr_array_add(variables, (gpointer) "SEED=1");
	key_of(stage, variables, other);
	assert_string_not_equal(first, other);
	dep->held.mode = MLV_MODE_EXECUTABLE;
	key_of(stage, NULL, other);
	assert_string_not_equal(first, other);
	dep->held.mode = MLV_MODE_FILE;
	mlv_value_unref(param->value);
	param->value = mlv_value_new_int(1);
	key_of(stage, NULL, other);
	assert_string_not_equal(first, other);
	mlv_value_unref(param->value);
	param->value = mlv_value_new_float(1e-1);
	key_of(stage, NULL, other);
	assert_string_equal(first, other);
}

static gboolean count_entry(const MlvId *key, GBytes *bytes, gpointer user, GError **error)
{
	++*(guint *)user;
	return TRUE;
}

static void an_entry_is_found_until_it_is_swept(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvLockStage) stage = sample_stage();
	guint64 removed;
	guint count = 0;
	MlvId key, other;

	mlv_id_of("key", 3, &key);
	mlv_id_of("other", 5, &other);
	assert_null(mlv_runcache_find(tree->repo, &key, NULL));
	assert_true(mlv_runcache_put(tree->repo, &key, stage, NULL));
	assert_null(mlv_runcache_find(tree->repo, &other, NULL));
	g_autoptr(MlvLock) found = mlv_runcache_find(tree->repo, &key, NULL);
	assert_non_null(found);
	assert_string_equal(mlv_runcache_stage(found)->name, "train");
	assert_non_null(mlv_lock_stage_out(mlv_runcache_stage(found), "model"));
	assert_true(mlv_runcache_foreach(tree->repo, time(NULL) - 100, count_entry, &count, NULL));
	assert_int_equal(count, 1);
	assert_true(mlv_runcache_foreach(tree->repo, time(NULL) + 100, count_entry, &count, NULL));
	assert_int_equal(count, 1);
	assert_true(mlv_runcache_sweep(tree->repo, time(NULL) - 100, &removed, NULL));
	assert_int_equal(removed, 0);
	assert_true(mlv_runcache_sweep(tree->repo, time(NULL) + 100, &removed, NULL));
	assert_int_equal(removed, 1);
	assert_null(mlv_runcache_find(tree->repo, &key, NULL));
}

static void a_damaged_entry_is_as_none(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvLockStage) stage = sample_stage();
	char hex[MLV_ID_HEX + 1];
	g_autofree char *text = NULL;
	gsize length;
	MlvId key;

	mlv_id_of("key", 3, &key);
	mlv_id_format(&key, hex);
	assert_true(mlv_runcache_put(tree->repo, &key, stage, NULL));
	g_autofree char *file = g_build_filename(mlv_repo_mlv_dir(tree->repo), "runs", hex, NULL);
	assert_true(g_file_get_contents(file, &text, &length, NULL));
	/* Cut anywhere, or with another byte anywhere, nothing is believed. */
	for (gsize i = 0; i < length; i++) {
		g_autoptr(GBytes) cut = g_bytes_new(text, i);
		g_autoptr(MlvLock) entry = mlv_runcache_parse(&key, cut);
		if (entry && i + 1 < length)
			fail_msg("what is cut at %zu is believed", i);
		text[i] ^= 1;
		g_autoptr(GBytes) changed = g_bytes_new(text, length);
		g_autoptr(MlvLock) other = mlv_runcache_parse(&key, changed);
		const MlvLockStage *read = other ? mlv_runcache_stage(other) : NULL;
		if (read && mlv_lock_stage_out(read, "model") &&
		    !mlv_lock_path_same(mlv_lock_stage_out(read, "model"), stage->outs->pdata[0]))
			fail_msg("byte %zu changed what is believed", i);
		text[i] ^= 1;
	}
}

static void who_holds_a_lock_keeps_another_process_out(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvRunLocks) mine = mlv_runlocks_open(tree->repo, NULL);
	g_autoptr(MlvRunLocks) other = mlv_runlocks_open(tree->repo, NULL);
	gboolean taken;
	MlvId key;

	mlv_id_of("key", 3, &key);
	assert_true(mlv_runlocks_take_key(mine, &key, &taken, NULL) && taken);
	assert_true(mlv_runlocks_take_key(mine, &key, &taken, NULL) && taken);
	assert_true(mlv_runlocks_take_key(other, &key, &taken, NULL) && !taken);
	assert_true(mlv_runlocks_take_stage(other, "train", &taken, NULL) && taken);
	assert_true(mlv_runlocks_take_stage(mine, "train", &taken, NULL) && !taken);
	assert_true(mlv_runlocks_take_stage(mine, "test", &taken, NULL) && taken);
	mlv_runlocks_drop_key(mine, &key);
	assert_true(mlv_runlocks_take_key(other, &key, &taken, NULL) && taken);
	/* It ends with the last descriptor, and so with the last process that has one. */
	int kept = dup(mlv_runlocks_fd(other));
	g_clear_pointer(&other, mlv_runlocks_close);
	assert_true(mlv_runlocks_take_key(mine, &key, &taken, NULL) && taken);
	assert_true(mlv_runlocks_take_stage(mine, "train", &taken, NULL) && !taken);
	close(kept);
	assert_true(mlv_runlocks_take_stage(mine, "train", &taken, NULL) && taken);
}

/* --- logs ------------------------------------------------------------------------------------- */

static gboolean gather(const guint8 *data, gsize length, guint64 skipped, gpointer user,
		       GError **error)
{
	if (skipped > 0)
		g_string_append_printf(user, "<%" G_GUINT64_FORMAT ">", skipped);
	g_string_append_len(user, (const char *)data, (gssize)length);
	return TRUE;
}

static GString *read_log(WorkTree *tree, const char *run, const char *address)
{
	GString *text = g_string_new(NULL);

	assert_true(mlv_runlog_read(tree->repo, run, address, gather, text, NULL));
	return text;
}

static void a_log_is_read_as_it_was_written(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvRunLog) log = mlv_runlog_new(tree->repo, "run1", "sub/mlv.yaml:a", 1 << 20);
	g_autoptr(GString) wanted = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < 50000; i++) {
		g_autofree char *line = g_strdup_printf("line %d\n", i);
		g_string_append(wanted, line);
		mlv_runlog_write(log, (const guint8 *)line, strlen(line));
	}
	assert_true(mlv_runlog_finish(log, NULL));
	g_autoptr(GString) text = read_log(tree, NULL, "sub/mlv.yaml:a");
	assert_string_equal(text->str, wanted->str);
	GString *none = g_string_new(NULL);
	assert_false(mlv_runlog_read(tree->repo, "run2", "sub/mlv.yaml:a", gather, none, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	g_string_free(none, TRUE);
}

static void of_a_long_log_both_ends_are_kept(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvRunLog) log = mlv_runlog_new(tree->repo, "run1", "a", 1 << 20);
	g_autofree guint8 *part = g_malloc(100000);

	for (int i = 0; i < 100; i++) {
		memset(part, 'a' + i % 26, 100000);
		mlv_runlog_write(log, part, 100000);
	}
	assert_true(mlv_runlog_finish(log, NULL));
	g_autoptr(GString) text = read_log(tree, "run1", "a");
	const char *gap = strchr(text->str, '<');
	assert_non_null(gap);
	assert_int_equal(text->str[0], 'a');
	assert_int_equal(text->str[text->len - 1], 'a' + 99 % 26);
	guint64 skipped = g_ascii_strtoull(gap + 1, NULL, 10);
	gsize mark = (gsize)(strchr(gap, '>') - gap) + 1;
	assert_int_equal(text->len - mark + skipped, 100 * 100000);
	assert_true(text->len < (1 << 20) + (1 << 18));
}

static const guint8 smallest[] = "mlv log 1\na\n"
				 "\0\2\0\0\0\2\0\0\0x\n";

static void the_page_shows_the_smallest_log(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-runcache.5", 0);

	assert_int_equal(shown->len, sizeof(smallest) - 1);
	assert_memory_equal(shown->data, smallest, sizeof(smallest) - 1);
}

static void a_log_that_breaks_off_ends_there(void **state)
{
	WorkTree *tree = *state;
	g_autofree char *folder =
		g_build_filename(mlv_repo_mlv_dir(tree->repo), "logs", "run1", NULL);
	g_autofree char *file = NULL;
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of("a", 1, &id);
	mlv_id_format(&id, hex);
	hex[32] = '\0';
	file = g_build_filename(folder, hex, NULL);
	assert_int_equal(g_mkdir_with_parents(folder, 0777), 0);
	for (gsize length = 12; length < sizeof(smallest); length++) {
		assert_true(
			g_file_set_contents(file, (const char *)smallest, (gssize)length, NULL));
		g_autoptr(GString) text = read_log(tree, "run1", "a");
		assert_string_equal(text->str, length == sizeof(smallest) - 1 ? "x\n" : "");
	}
	assert_true(mlv_runlog_sweep(tree->repo, time(NULL) + 100, NULL));
	assert_int_not_equal(access(folder, F_OK), 0);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, work_tree_setup, work_tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_the_same_for_ever),
		cmocka_unit_test(everything_that_a_run_follows_from_is_in_its_key),
		TEST(an_entry_is_found_until_it_is_swept),
		TEST(a_damaged_entry_is_as_none),
		TEST(who_holds_a_lock_keeps_another_process_out),
		TEST(a_log_is_read_as_it_was_written),
		TEST(of_a_long_log_both_ends_are_kept),
		cmocka_unit_test(the_page_shows_the_smallest_log),
		TEST(a_log_that_breaks_off_ends_there),
	};
	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
