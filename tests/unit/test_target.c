/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/pipeline/lock.h"
#include "core/target.h"

static MlvPointer pointer_of(const char *text)
{
	MlvPointer pointer = { .mode = MLV_MODE_FILE, .files = 1, .bytes = strlen(text) };

	pointer.ref = (MlvRef){ .kind = MLV_KIND_BLOB, .size = strlen(text) };
	mlv_id_of(text, strlen(text), &pointer.ref.id);
	return pointer;
}

static GPtrArray *new_targets(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
}

/* A lock of one stage with these outputs (NULL behind the last), each holding its own path. */
static char *lock_text(const char *folder, const char *const *outs)
{
	g_autoptr(MlvLock) lock = mlv_lock_new(folder);
	MlvLockStage *stage = mlv_lock_stage_new("make");

	g_ptr_array_add(stage->cmds, g_strdup("true"));
	for (; *outs; outs++) {
		MlvPointer held = pointer_of(*outs);
		MlvLockPath *path = mlv_lock_path_new(*outs, &held, NULL);
		path->no_cache = strstr(*outs, "bygit") != NULL;
		path->no_push = strstr(*outs, "stays") != NULL;
		g_ptr_array_add(stage->outs, path);
	}
	mlv_lock_set(lock, stage);
	return mlv_lock_format(lock, NULL);
}

static void add_lock(GPtrArray *targets, const char *file, const char *folder,
		     const char *const *outs, guint8 stage)
{
	g_autofree char *text = lock_text(folder, outs);
	guint from = targets->len;

	mlv_target_parse(file, text, strlen(text), NULL, targets);
	for (; from < targets->len; from++)
		((MlvTracked *)targets->pdata[from])->stage = stage;
}

static void add_pointer(GPtrArray *targets, const char *path)
{
	MlvPointer pointer = pointer_of("pointer");
	g_autofree char *file = mlv_pointer_path(path);
	g_autofree char *text = mlv_pointer_format(&pointer, NULL);

	mlv_target_parse(file, text, strlen(text), NULL, targets);
}

/* The paths, one behind the other. */
static char *paths_of(const GPtrArray *targets)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < targets->len; i++) {
		const MlvTracked *tracked = targets->pdata[i];
		g_string_append_printf(text, "%s%s%s", i > 0 ? " " : "", tracked->path,
				       tracked->error ? "!" : "");
	}
	return g_string_free(text, FALSE);
}

static void assert_paths(const GPtrArray *targets, const char *wanted)
{
	g_autofree char *paths = paths_of(targets);

	assert_string_equal(paths, wanted);
}

static void pointers_and_locks_are_told_by_their_names(void **state)
{
	assert_int_equal(mlv_target_file("data/x.mlv"), MLV_TARGET_POINTER);
	assert_int_equal(mlv_target_file("mlv.lock"), MLV_TARGET_LOCK);
	assert_int_equal(mlv_target_file("a/mlv.lock"), MLV_TARGET_LOCK);
	assert_int_equal(mlv_target_file("a/xmlv.lock"), MLV_TARGET_NONE);
	assert_int_equal(mlv_target_file("mlv.lock/x"), MLV_TARGET_NONE);
	assert_int_equal(mlv_target_file(".mlv"), MLV_TARGET_NONE);
}

static void a_lock_names_the_outputs_that_the_store_keeps(void **state)
{
	g_autoptr(GPtrArray) targets = new_targets();
	const char *outs[] = { "sub/a", "sub/bygit", "up", "sub/stays", NULL };

	add_lock(targets, "sub/mlv.lock", "sub", outs, 0);
	mlv_targets_settle(targets);
	assert_paths(targets, "sub/a sub/stays up");
	const MlvTracked *first = targets->pdata[0], *second = targets->pdata[1];
	MlvPointer wanted = pointer_of("sub/a");
	assert_string_equal(first->lock, "sub/mlv.lock");
	assert_false(first->stays);
	assert_true(second->stays);
	assert_true(mlv_pointer_equal(&first->pointer, &wanted));
	assert_false(mlv_target_check_own(first, NULL));
}

static void what_leads_out_of_the_work_tree_is_an_error(void **state)
{
	g_autoptr(GPtrArray) targets = new_targets();
	const char *outs[] = { "../x", "/etc/x", ".git/x", "fine", NULL };

	add_lock(targets, "mlv.lock", "", outs, 0);
	mlv_targets_settle(targets);
	assert_paths(targets, "../x! .git/x! /etc/x! fine");
}

static void a_lock_that_cannot_be_read_stands_under_its_own_path(void **state)
{
	g_autoptr(GPtrArray) targets = new_targets();
	MlvTracked old = { .path = (char *)"out", .lock = (char *)"sub/mlv.lock" };

	mlv_target_parse("sub/mlv.lock", "version: 1\nnonsense\n", 20, NULL, targets);
	mlv_targets_settle(targets);
	assert_paths(targets, "sub/mlv.lock!");
	assert_true(mlv_targets_doubt(targets, &old));
	old.lock = (char *)"mlv.lock";
	assert_false(mlv_targets_doubt(targets, &old));
	old.lock = NULL;
	assert_false(mlv_targets_doubt(targets, &old));
}

static void one_target_is_left_to_a_path(void **state)
{
	g_autoptr(GPtrArray) targets = new_targets();
	const char *first[] = { "a", "b", "c/d", NULL }, *second[] = { "b", "c", "e/f", NULL };

	add_lock(targets, "sub/mlv.lock", "sub", second, 0);
	add_lock(targets, "mlv.lock", "", first, 0);
	add_pointer(targets, "a");
	add_pointer(targets, "e/f/g");
	mlv_targets_settle(targets);
	/* The pointers; b of the first lock; c, in which c/d lies; not e/f, which holds e/f/g. */
	assert_paths(targets, "a b c e/f/g");
	assert_null(((MlvTracked *)targets->pdata[0])->lock);
	assert_string_equal(((MlvTracked *)targets->pdata[1])->lock, "mlv.lock");
}

static void an_output_on_which_both_sides_agree_is_in_no_conflict(void **state)
{
	g_autoptr(GPtrArray) targets = new_targets();
	const char *base[] = { "gone", "same", NULL };
	const char *ours[] = { "mine", "same", NULL }, *theirs[] = { "same", "yours", NULL };

	add_lock(targets, "mlv.lock", "", base, 1);
	add_lock(targets, "mlv.lock", "", ours, 2);
	add_lock(targets, "mlv.lock", "", theirs, 3);
	mlv_targets_settle(targets);
	assert_paths(targets, "mine same yours");
	assert_int_equal(((MlvTracked *)targets->pdata[0])->stage, 2);
	assert_int_equal(((MlvTracked *)targets->pdata[1])->stage, 0);
	assert_int_equal(((MlvTracked *)targets->pdata[2])->stage, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pointers_and_locks_are_told_by_their_names),
		cmocka_unit_test(a_lock_names_the_outputs_that_the_store_keeps),
		cmocka_unit_test(what_leads_out_of_the_work_tree_is_an_error),
		cmocka_unit_test(a_lock_that_cannot_be_read_stands_under_its_own_path),
		cmocka_unit_test(one_target_is_left_to_a_path),
		cmocka_unit_test(an_output_on_which_both_sides_agree_is_in_no_conflict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
