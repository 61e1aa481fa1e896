/* SPDX-License-Identifier: Apache-2.0 */
/* Targets and their parts get other paths: what goes along, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/git_diff.h"
#include "core/move.h"
#include "tests/unit/work_tree.h"

/* data (a, sub/b), other (c) and one.txt, tracked; code.py, which git tracks. */
static int set_up(void **state)
{
	work_tree_setup(state);
	WorkTree *tree = *state;
	write_text(tree->dir, "data/a", "a");
	write_text(tree->dir, "data/sub/b", "b");
	write_text(tree->dir, "other/c", "c");
	write_text(tree->dir, "one.txt", "one");
	write_text(tree->dir, "code.py", "print()");
	git_ok(tree->dir, "add", "code.py");
	work_tree_add(tree, "data");
	work_tree_add(tree, "other");
	work_tree_add(tree, "one.txt");
	git_ok(tree->dir, "commit", "-qm", "begin");
	return 0;
}

static gboolean move_one(WorkTree *tree, const char *from, const char *to, gboolean force,
			 GError **error)
{
	g_autoptr(MlvMove) move = mlv_move_new(tree->local, force, error);
	gboolean ok = move && mlv_move_add(move, from, to, error) && mlv_move_apply(move, error);

	work_tree_reopen(tree);
	return ok;
}

static void move_ok(WorkTree *tree, const char *from, const char *to)
{
	g_autoptr(GError) error = NULL;

	if (!move_one(tree, from, to, FALSE, &error))
		fail_msg("%s", error->message);
}

static void move_fails(WorkTree *tree, const char *from, const char *to, const char *why)
{
	g_autoptr(GError) error = NULL;

	assert_false(move_one(tree, from, to, FALSE, &error));
	if (!strstr(error->message, why))
		fail_msg("%s", error->message);
}

static void assert_staged(WorkTree *tree, const char *expected)
{
	g_autofree char *changes =
		git_output(tree->dir, "diff", "--cached", "-M", "--name-status", NULL);

	if (!strstr(changes, expected))
		fail_msg("not '%s' but '%s'", expected, changes);
}

/* --- whole targets ---------------------------------------------------------------------------- */

static void a_file_takes_its_pointer_and_its_ignore_line_along(void **state)
{
	WorkTree *tree = *state;

	move_ok(tree, "one.txt", "texts/uno.txt");
	work_tree_assert_text(tree, "texts/uno.txt", "one");
	work_tree_assert_text(tree, "texts/.gitignore", "/uno.txt\n");
	assert_false(work_tree_exists(tree, "one.txt"));
	assert_false(work_tree_exists(tree, "one.txt.mlv"));
	assert_staged(tree, "R100\tone.txt.mlv\ttexts/uno.txt.mlv");
	g_autofree char *loose =
		git_output(tree->dir, "ls-files", "-o", "--exclude-standard", NULL);
	assert_string_equal(loose, "");
}

static void what_the_stat_cache_knows_it_knows_under_the_new_path(void **state)
{
	WorkTree *tree = *state;
	MlvStatDir dir;

	move_ok(tree, "data", "moved/far");
	assert_true(mlv_statcache_dir(tree->local->cache, "moved/far/sub", &dir));
	assert_int_equal(dir.count, 1);
	assert_false(mlv_statcache_dir(tree->local->cache, "data", &dir));
	assert_false(mlv_statcache_dir(tree->local->cache, "data/sub", &dir));
	work_tree_assert_text(tree, "moved/far/sub/b", "b");
}

static void folders_that_are_left_empty_go(void **state)
{
	WorkTree *tree = *state;

	move_ok(tree, "one.txt", "deep/er/one.txt");
	move_ok(tree, "deep/er/one.txt", "one.txt");
	assert_false(work_tree_exists(tree, "deep"));
	work_tree_assert_text(tree, "one.txt", "one");
}

static void a_pointers_name_stands_for_its_data(void **state)
{
	WorkTree *tree = *state;

	move_ok(tree, "one.txt.mlv", "two.txt.mlv");
	work_tree_assert_text(tree, "two.txt", "one");
	move_ok(tree, "two.txt.mlv", "three.txt");
	work_tree_assert_text(tree, "three.txt", "one");
	assert_staged(tree, "R100\tone.txt.mlv\tthree.txt.mlv");
}

static void of_data_that_is_not_here_the_pointer_moves(void **state)
{
	WorkTree *tree = *state;
	g_autofree char *file = g_build_filename(tree->dir, "one.txt", NULL);

	assert_int_equal(g_unlink(file), 0);
	move_ok(tree, "one.txt", "two.txt");
	assert_staged(tree, "R100\tone.txt.mlv\ttwo.txt.mlv");
	assert_false(work_tree_exists(tree, "two.txt"));
}

static void several_moves_are_one(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvMove) move = mlv_move_new(tree->local, FALSE, NULL);

	assert_true(mlv_move_add(move, "one.txt", "x/one.txt", NULL));
	assert_true(mlv_move_add(move, "other", "x/other", NULL));
	assert_false(work_tree_exists(tree, "x"));
	assert_true(mlv_move_apply(move, NULL));
	assert_int_equal(mlv_move_parts(move)->len, 0);
	work_tree_assert_text(tree, "x/one.txt", "one");
	work_tree_assert_text(tree, "x/other/c", "c");
}

/* --- parts ------------------------------------------------------------------------------------ */

static void a_part_moves_and_both_places_are_named_to_be_added(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvMove) move = mlv_move_new(tree->local, FALSE, NULL);

	assert_true(mlv_move_add(move, "data/sub", "other/from-data", NULL));
	assert_true(mlv_move_apply(move, NULL));
	const GPtrArray *parts = mlv_move_parts(move);
	assert_int_equal(parts->len, 2);
	assert_string_equal(parts->pdata[0], "data/sub");
	assert_string_equal(parts->pdata[1], "other/from-data");
	work_tree_assert_text(tree, "other/from-data/b", "b");
	assert_false(work_tree_exists(tree, "data/sub"));
}

static void a_part_that_is_not_here_cannot_move(void **state)
{
	WorkTree *tree = *state;

	move_fails(tree, "data/absent", "data/there", "'data/absent' is not here");
	move_fails(tree, "data/a", "loose", "'loose' in none");
	assert_true(work_tree_exists(tree, "data/a"));
}

/* --- what is refused -------------------------------------------------------------------------- */

static void what_mlv_does_not_track_is_not_moved(void **state)
{
	WorkTree *tree = *state;

	move_fails(tree, "code.py", "x.py", "'code.py' is not tracked by mlv");
	move_fails(tree, "absent", "x", "'absent' is not tracked by mlv");
	assert_true(work_tree_exists(tree, "code.py"));
}

static void nothing_moves_into_itself(void **state)
{
	WorkTree *tree = *state;

	move_fails(tree, "data", "data/inside", "cannot move 'data' into itself");
	move_fails(tree, "one.txt", "one.txt", "cannot move 'one.txt' into itself");
}

static void a_target_does_not_come_to_lie_in_another(void **state)
{
	move_fails(*state, "one.txt", "data/one.txt", "would come to lie in the tracked directory");
}

static void two_cannot_become_one(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(MlvMove) move = mlv_move_new(tree->local, FALSE, NULL);
	g_autoptr(GError) error = NULL;

	assert_true(mlv_move_add(move, "one.txt", "same", NULL));
	assert_false(mlv_move_add(move, "other", "same", &error));
	assert_non_null(strstr(error->message, "cannot both become 'same'"));
}

static void what_git_tracks_is_not_moved_over_even_by_force(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(GError) error = NULL;

	move_fails(tree, "one.txt", "code.py", "git tracks 'code.py'");
	assert_false(move_one(tree, "one.txt", "code.py", TRUE, &error));
	work_tree_assert_text(tree, "code.py", "print()");
}

static void what_stands_there_goes_only_by_force(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(GError) error = NULL;

	write_text(tree->dir, "loose", "unsaved");
	move_fails(tree, "one.txt", "loose", "'loose' exists; -f replaces it");
	work_tree_assert_text(tree, "loose", "unsaved");
	if (!move_one(tree, "one.txt", "loose", TRUE, &error))
		fail_msg("%s", error->message);
	work_tree_assert_text(tree, "loose", "one");
}

static void a_folder_that_is_not_tracked_stays_even_by_force(void **state)
{
	WorkTree *tree = *state;
	g_autoptr(GError) error = NULL;

	write_text(tree->dir, "folder/kept", "kept");
	assert_false(move_one(tree, "one.txt", "folder", TRUE, &error));
	assert_non_null(strstr(error->message, "is a directory"));
	work_tree_assert_text(tree, "folder/kept", "kept");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, work_tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_takes_its_pointer_and_its_ignore_line_along),
		TEST(what_the_stat_cache_knows_it_knows_under_the_new_path),
		TEST(folders_that_are_left_empty_go),
		TEST(a_pointers_name_stands_for_its_data),
		TEST(of_data_that_is_not_here_the_pointer_moves),
		TEST(several_moves_are_one),
		TEST(a_part_moves_and_both_places_are_named_to_be_added),
		TEST(a_part_that_is_not_here_cannot_move),
		TEST(what_mlv_does_not_track_is_not_moved),
		TEST(nothing_moves_into_itself),
		TEST(a_target_does_not_come_to_lie_in_another),
		TEST(two_cannot_become_one),
		TEST(what_git_tracks_is_not_moved_over_even_by_force),
		TEST(what_stands_there_goes_only_by_force),
		TEST(a_folder_that_is_not_tracked_stays_even_by_force),
	};

	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
