/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of locks: each block is one, however many versions of a lock have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/lineage/steps.h"

static MlvId id_of(const char *text)
{
	MlvId id;

	mlv_id_of(text, strlen(text), &id);
	return id;
}

static MlvLockPath *path_of(const char *path, const char *content)
{
	MlvPointer held = { .ref = { .kind = MLV_KIND_BLOB, .size = strlen(content) },
			    .mode = MLV_MODE_FILE,
			    .files = 1,
			    .bytes = strlen(content) };

	held.ref.id = id_of(content);
	return mlv_lock_path_new(path, &held, NULL);
}

static void add_stage(MlvLock *lock, const char *name, const char *in, const char *out)
{
	MlvLockStage *stage = mlv_lock_stage_new(name);

	g_ptr_array_add(stage->cmds, g_strdup(name));
	g_ptr_array_add(stage->deps, path_of("in", in));
	g_ptr_array_add(stage->outs, path_of("out", out));
	mlv_lock_set(lock, stage);
}

/* The text of a lock with two stages. */
static char *two_stages(const char *in, gsize *length)
{
	g_autoptr(MlvLock) lock = mlv_lock_new("");

	add_stage(lock, "a", in, "x");
	add_stage(lock, "b", "same", "y");
	return mlv_lock_format(lock, length);
}

static void a_block_that_stays_is_one_step(void **state)
{
	g_autoptr(MlvSteps) steps = mlv_steps_new();
	MlvId x = id_of("x"), same = id_of("same"), none = id_of("none");
	gsize first_length, second_length;
	g_autofree char *first = two_stages("1", &first_length);
	g_autofree char *second = two_stages("2", &second_length);
	g_autoptr(GArray) before = mlv_steps_read(steps, "", first, first_length, "first");
	g_autoptr(GArray) after = mlv_steps_read(steps, "", second, second_length, "second");

	assert_int_equal(before->len, 2);
	assert_int_equal(after->len, 2);
	assert_int_equal(mlv_steps_count(steps), 3);
	assert_int_equal(mlv_steps_makers(steps, &x)->len, 2);
	assert_int_equal(mlv_steps_readers(steps, &same)->len, 1);
	assert_null(mlv_steps_makers(steps, &none));
	assert_int_equal(mlv_steps_problems(steps)->len, 0);
	assert_string_equal(mlv_steps_get(steps, 0)->address, "a");
}

static void a_step_of_another_folder_is_another(void **state)
{
	g_autoptr(MlvSteps) steps = mlv_steps_new();
	gsize length;
	g_autofree char *text = two_stages("1", &length);
	g_autoptr(GArray) root = mlv_steps_read(steps, "", text, length, "root");
	g_autoptr(GArray) sub = mlv_steps_read(steps, "sub", text, length, "sub");

	assert_int_equal(root->len, 2);
	assert_int_equal(sub->len, 2);
	assert_int_equal(mlv_steps_count(steps), 4);
	assert_string_equal(mlv_steps_get(steps, 2)->address, "sub:a");
	assert_non_null(mlv_lock_stage_out(mlv_steps_get(steps, 2)->block, "sub/out"));
}

static void a_damaged_block_leaves_the_others(void **state)
{
	g_autoptr(MlvSteps) steps = mlv_steps_new();
	gsize length;
	g_autofree char *text = two_stages("1", &length);

	/* The sum of the first is right no more. */
	strstr(text, "cmd: \"a\"")[6] = 'z';
	g_autoptr(GArray) numbers = mlv_steps_read(steps, "", text, length, "here");
	assert_int_equal(numbers->len, 1);
	assert_string_equal(mlv_steps_get(steps, 0)->address, "b");
	assert_int_equal(mlv_steps_problems(steps)->len, 1);
}

static void any_bytes_are_read_to_their_end(void **state)
{
	static const char *const texts[] = { "",
					     "x",
					     "version: 2\n",
					     "  a:",
					     "  a:\n    - dep: {",
					     "<<<<<<< \n",
					     "version: 1\nstages:\n  a:\n  a:\n  \n" };
	g_autoptr(MlvSteps) steps = mlv_steps_new();
	gsize length;
	g_autofree char *whole = two_stages("1", &length);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GArray) numbers =
			mlv_steps_read(steps, "", texts[i], strlen(texts[i]), "text");
		assert_int_equal(numbers->len, 0);
	}
	for (gsize cut = 0; cut <= length; cut++) {
		g_autofree char *part = g_memdup2(whole, cut + 1);
		g_autoptr(GArray) numbers = mlv_steps_read(steps, "", part, cut, "cut");
		assert_true(numbers->len <= 2);
	}
}

static void of_a_conflict_ours_is_read(void **state)
{
	g_autoptr(MlvSteps) steps = mlv_steps_new();
	gsize ours_length, theirs_length;
	g_autofree char *ours = two_stages("1", &ours_length);
	g_autofree char *theirs = two_stages("2", &theirs_length);
	g_autofree char *text =
		g_strconcat("<<<<<<< HEAD\n", ours, "=======\n", theirs, ">>>>>>> other\n", NULL);
	g_autoptr(GArray) numbers = mlv_steps_read(steps, "", text, strlen(text), "here");
	MlvId in = id_of("1"), other = id_of("2");

	assert_int_equal(numbers->len, 2);
	assert_non_null(mlv_steps_readers(steps, &in));
	assert_null(mlv_steps_readers(steps, &other));
	assert_int_equal(mlv_steps_problems(steps)->len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_that_stays_is_one_step),
		cmocka_unit_test(a_step_of_another_folder_is_another),
		cmocka_unit_test(a_damaged_block_leaves_the_others),
		cmocka_unit_test(any_bytes_are_read_to_their_end),
		cmocka_unit_test(of_a_conflict_ours_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
