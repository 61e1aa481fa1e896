/* SPDX-License-Identifier: Apache-2.0 */
/* The one module that changes the user's tree: what it puts in place, and what it leaves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "core/workspace.h"
#include "tests/unit/scratch.h"

static const MlvWorkspaceContent hello = { MLV_MODE_FILE, "hello", 5 };
static const MlvWorkspaceContent script = { MLV_MODE_EXECUTABLE, "#!/bin/sh\n", 10 };
static const MlvWorkspaceContent link_to_x = { MLV_MODE_SYMLINK, "x", 1 };

static void put(const Scratch *scratch, const char *name, const char *text)
{
	g_auto(MlvFd) fd = scratch_file(scratch, name);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_text(const Scratch *scratch, const char *name, const char *text)
{
	g_autoptr(GBytes) bytes = scratch_read(scratch, name);

	assert_int_equal(g_bytes_get_size(bytes), strlen(text));
	assert_memory_equal(g_bytes_get_data(bytes, NULL), text, strlen(text));
}

static gboolean exists(const Scratch *scratch, const char *name)
{
	struct stat st;

	return fstatat(scratch->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static mode_t bits_of(const Scratch *scratch, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(scratch->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static MlvStat stat_of(const Scratch *scratch, const char *name)
{
	MlvStat st;
	gboolean there;

	assert_true(mlv_workspace_stat(scratch->fd, name, &st, &there, name, NULL));
	assert_true(there);
	return st;
}

/* Nothing but the names is in the folder: no temporary file was left. */
static void assert_only(const Scratch *scratch, const char *const *names)
{
	g_autoptr(GDir) dir = g_dir_open(scratch->path, 0, NULL);
	guint count = 0;

	for (const char *name; (name = g_dir_read_name(dir)); count++)
		if (!g_strv_contains(names, name))
			fail_msg("'%s' was left", name);
	assert_int_equal(count, g_strv_length((char **)names));
}

/* --- putting in place ------------------------------------------------------------------------- */

static void files_and_symlinks_are_put_in_place_with_their_modes(void **state)
{
	const Scratch *scratch = *state;
	mode_t mask = umask(022);
	MlvStat st;

	assert_true(mlv_workspace_place(scratch->fd, "f", &hello, NULL, &st, "f", NULL));
	assert_int_equal(st.mode, MLV_MODE_FILE);
	assert_int_equal(st.size, 5);
	assert_true(mlv_workspace_place(scratch->fd, "s", &script, NULL, &st, "s", NULL));
	assert_int_equal(st.mode, MLV_MODE_EXECUTABLE);
	assert_true(mlv_workspace_place(scratch->fd, "l", &link_to_x, NULL, &st, "l", NULL));
	assert_int_equal(st.mode, MLV_MODE_SYMLINK);
	umask(mask);
	assert_text(scratch, "f", "hello");
	assert_int_equal(bits_of(scratch, "f"), 0644);
	assert_int_equal(bits_of(scratch, "s"), 0755);
	char target[8];
	assert_int_equal(readlinkat(scratch->fd, "l", target, sizeof(target)), 1);
	assert_only(scratch, (const char *const[]){ "f", "s", "l", NULL });
}

static void the_state_that_is_told_is_the_one_that_stands_there(void **state)
{
	const Scratch *scratch = *state;
	MlvStat told = { 0 };

	assert_true(mlv_workspace_place(scratch->fd, "f", &hello, NULL, &told, "f", NULL));
	MlvStat st = stat_of(scratch, "f");
	assert_int_equal(told.inode, st.inode);
	assert_int_equal(told.ctime, st.ctime);
	assert_int_equal(told.mtime, st.mtime);
}

static void what_appeared_meanwhile_is_left_as_it_is(void **state)
{
	const Scratch *scratch = *state;
	const MlvWorkspaceContent *contents[] = { &hello, &link_to_x };
	MlvStat st;

	put(scratch, "f", "theirs");
	for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
		g_autoptr(GError) error = NULL;

		assert_false(mlv_workspace_place(scratch->fd, "f", contents[i], NULL, &st, "data/f",
						 &error));
		assert_non_null(strstr(error->message, "'data/f' appeared meanwhile"));
	}
	g_autoptr(MlvWorkspaceTemp) temp =
		mlv_workspace_temp_new(scratch->fd, MLV_MODE_FILE, 10, "f", NULL);
	assert_false(mlv_workspace_temp_place(temp, scratch->fd, "f", NULL, &st, NULL));
	assert_text(scratch, "f", "theirs");
	assert_only(scratch, (const char *const[]){ "f", NULL });
}

static void what_changed_since_the_plan_is_left_as_it_is(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;
	MlvStat st;

	put(scratch, "f", "old");
	MlvStat planned = stat_of(scratch, "f");
	put(scratch, "f", "longer than it was");
	assert_false(mlv_workspace_place(scratch->fd, "f", &hello, &planned, &st, "f", &error));
	assert_non_null(strstr(error->message, "'f' changed meanwhile"));
	assert_false(mlv_workspace_place(scratch->fd, "f", &link_to_x, &planned, &st, "f", NULL));
	assert_false(mlv_workspace_remove(scratch->fd, "f", &planned, "f", NULL));
	assert_text(scratch, "f", "longer than it was");
	planned = stat_of(scratch, "f");
	assert_true(mlv_workspace_place(scratch->fd, "f", &hello, &planned, &st, "f", NULL));
	assert_text(scratch, "f", "hello");
	assert_only(scratch, (const char *const[]){ "f", NULL });
}

static void what_the_plan_saw_and_is_gone_is_put_there_anew(void **state)
{
	const Scratch *scratch = *state;
	MlvStat st;

	put(scratch, "f", "old");
	MlvStat planned = stat_of(scratch, "f");
	assert_int_equal(unlinkat(scratch->fd, "f", 0), 0);
	assert_true(mlv_workspace_place(scratch->fd, "f", &hello, &planned, &st, "f", NULL));
	assert_text(scratch, "f", "hello");
}

static void a_symlink_is_replaced_and_not_written_through(void **state)
{
	const Scratch *scratch = *state;
	MlvStat st;

	put(scratch, "x", "untouched");
	assert_true(mlv_workspace_place(scratch->fd, "l", &link_to_x, NULL, &st, "l", NULL));
	assert_true(mlv_workspace_place(scratch->fd, "l", &hello, &st, &st, "l", NULL));
	assert_int_equal(st.mode, MLV_MODE_FILE);
	assert_text(scratch, "x", "untouched");
	assert_text(scratch, "l", "hello");
}

static void a_symlink_with_a_target_that_cannot_be_is_refused(void **state)
{
	const Scratch *scratch = *state;
	const MlvWorkspaceContent empty = { MLV_MODE_SYMLINK, "", 0 };
	const MlvWorkspaceContent nul = { MLV_MODE_SYMLINK, "a\0b", 3 };
	g_autoptr(GError) error = NULL, again = NULL;
	MlvStat st;

	assert_false(mlv_workspace_place(scratch->fd, "l", &empty, NULL, &st, "l", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_false(mlv_workspace_place(scratch->fd, "l", &nul, NULL, &st, "l", &again));
	assert_true(g_error_matches(again, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_only(scratch, (const char *const[]){ NULL });
}

static void a_large_file_appears_complete_or_not_at_all(void **state)
{
	const Scratch *scratch = *state;
	MlvWorkspaceTemp *temp =
		mlv_workspace_temp_new(scratch->fd, MLV_MODE_EXECUTABLE, 100000, "big", NULL);
	MlvStat st;

	assert_non_null(temp);
	assert_int_equal(pwrite(mlv_workspace_temp_fd(temp), "end", 3, 99997), 3);
	assert_false(exists(scratch, "big"));
	assert_true(mlv_workspace_temp_place(temp, scratch->fd, "big", NULL, &st, NULL));
	mlv_workspace_temp_free(temp);
	assert_int_equal(st.size, 100000);
	assert_int_equal(st.mode, MLV_MODE_EXECUTABLE);
	temp = mlv_workspace_temp_new(scratch->fd, MLV_MODE_FILE, 100000, "dropped", NULL);
	assert_non_null(temp);
	mlv_workspace_temp_free(temp);
	assert_only(scratch, (const char *const[]){ "big", NULL });
}

static void a_sweep_keeps_what_is_under_way_and_what_is_not_its_own(void **state)
{
	const Scratch *scratch = *state;
	const char *names[] = { ".mlv-tmp", "mlv-tmp-x", "big", NULL };
	MlvWorkspaceTemp *temp =
		mlv_workspace_temp_new(scratch->fd, MLV_MODE_FILE, 100, "big", NULL);
	MlvStat st;

	assert_true(mlv_workspace_is_temp(".mlv-tmp-0123456789abcdef"));
	for (guint i = 0; i < 2; i++) {
		assert_false(mlv_workspace_is_temp(names[i]));
		put(scratch, names[i], "x");
	}
	mlv_workspace_sweep(scratch->fd);
	assert_true(mlv_workspace_temp_place(temp, scratch->fd, "big", NULL, &st, NULL));
	mlv_workspace_temp_free(temp);
	assert_only(scratch, names);
}

/* --- folders ---------------------------------------------------------------------------------- */

static void folders_are_made_and_pruned_as_far_as_they_are_empty(void **state)
{
	const Scratch *scratch = *state;

	assert_true(mlv_workspace_make_dirs(scratch->fd, "", NULL));
	assert_true(mlv_workspace_make_dirs(scratch->fd, "a/b/c/d", NULL));
	assert_true(mlv_workspace_make_dirs(scratch->fd, "a/b/c/d", NULL));
	put(scratch, "a/keep", "x");
	mlv_workspace_prune_above(scratch->fd, "a/b/c/d/gone");
	assert_false(exists(scratch, "a/b"));
	assert_true(exists(scratch, "a/keep"));
	assert_int_equal(unlinkat(scratch->fd, "a/keep", 0), 0);
	mlv_workspace_prune_above(scratch->fd, "a/keep");
	assert_false(exists(scratch, "a"));
	mlv_workspace_prune_above(scratch->fd, "top");
	assert_true(exists(scratch, "."));
}

static void no_symlink_is_followed_on_the_way(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;

	assert_int_equal(mkdirat(scratch->fd, "real", 0777), 0);
	assert_int_equal(symlinkat("real", scratch->fd, "link"), 0);
	assert_int_equal(mlv_workspace_open_dir(scratch->fd, "link", &error), -1);
	assert_non_null(strstr(error->message, "symlink"));
	assert_int_equal(mlv_workspace_open_dir(scratch->fd, "link/below", NULL), -1);
	assert_false(mlv_workspace_make_dirs(scratch->fd, "link/new", NULL));
	put(scratch, "f", "x");
	assert_false(mlv_workspace_rename(scratch->fd, "f", "link/f", NULL));
	assert_false(mlv_workspace_rename(scratch->fd, "link/f", "g", NULL));
	assert_true(exists(scratch, "f"));
	assert_false(exists(scratch, "real/new"));
}

static void nothing_leads_out_of_the_root(void **state)
{
	const Scratch *scratch = *state;
	static const char *const paths[] = { "..", "sub/../..", "/", "/tmp" };

	assert_int_equal(mkdirat(scratch->fd, "sub", 0777), 0);
	put(scratch, "f", "x");
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *to = g_strconcat(paths[i], "/mlv-unit-escaped", NULL);

		assert_int_equal(mlv_workspace_open_dir(scratch->fd, paths[i], NULL), -1);
		assert_false(mlv_workspace_make_dirs(scratch->fd, to, NULL));
		assert_false(mlv_workspace_rename(scratch->fd, "f", to, NULL));
	}
	assert_true(exists(scratch, "f"));
}

static void a_folder_that_is_not_there_is_missing(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;

	assert_int_equal(mlv_workspace_open_dir(scratch->fd, "none", &error), -1);
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
}

static void a_file_where_a_folder_should_be_is_an_error(void **state)
{
	const Scratch *scratch = *state;

	put(scratch, "f", "x");
	assert_int_equal(mlv_workspace_open_dir(scratch->fd, "f", NULL), -1);
	assert_false(mlv_workspace_make_dirs(scratch->fd, "f", NULL));
	assert_false(mlv_workspace_make_dirs(scratch->fd, "f/below", NULL));
	assert_text(scratch, "f", "x");
}

static void an_empty_folder_goes_and_a_full_one_stays(void **state)
{
	const Scratch *scratch = *state;
	gboolean removed;

	assert_true(mlv_workspace_make_dirs(scratch->fd, "full/below", NULL));
	assert_true(mlv_workspace_remove_dir(scratch->fd, "full", &removed, "full", NULL));
	assert_false(removed);
	assert_true(mlv_workspace_remove_dir(scratch->fd, "absent", &removed, "absent", NULL));
	assert_true(removed);
	mlv_workspace_prune_above(scratch->fd, "full/below/x");
	assert_false(exists(scratch, "full"));
	put(scratch, "f", "x");
	assert_false(mlv_workspace_remove_dir(scratch->fd, "f", &removed, "f", NULL));
	assert_text(scratch, "f", "x");
}

/* --- changing --------------------------------------------------------------------------------- */

static void each_kind_of_thing_is_told_apart(void **state)
{
	const Scratch *scratch = *state;
	gboolean there = TRUE;
	MlvStat st;

	assert_int_equal(mkdirat(scratch->fd, "dir", 0777), 0);
	assert_int_equal(mkfifoat(scratch->fd, "fifo", 0666), 0);
	assert_int_equal(symlinkat("dir", scratch->fd, "link"), 0);
	assert_int_equal(stat_of(scratch, "dir").mode, MLV_MODE_DIRECTORY);
	assert_int_equal(stat_of(scratch, "fifo").mode, 0);
	assert_int_equal(stat_of(scratch, "link").mode, MLV_MODE_SYMLINK);
	assert_true(mlv_workspace_stat(scratch->fd, "absent", &st, &there, "absent", NULL));
	assert_false(there);
}

static void who_may_read_may_execute(void **state)
{
	const Scratch *scratch = *state;

	put(scratch, "f", "x");
	assert_int_equal(fchmodat(scratch->fd, "f", 0640, 0), 0);
	MlvStat st = stat_of(scratch, "f");
	assert_true(mlv_workspace_set_executable(scratch->fd, "f", TRUE, &st, "f", NULL));
	assert_int_equal(bits_of(scratch, "f"), 0750);
	assert_int_equal(st.mode, MLV_MODE_EXECUTABLE);
	assert_int_equal(st.ctime, stat_of(scratch, "f").ctime);
	assert_true(mlv_workspace_set_executable(scratch->fd, "f", FALSE, &st, "f", NULL));
	assert_int_equal(bits_of(scratch, "f"), 0640);
}

static void the_mode_of_what_changed_or_is_no_file_is_not_set(void **state)
{
	const Scratch *scratch = *state;

	put(scratch, "f", "x");
	MlvStat st = stat_of(scratch, "f");
	put(scratch, "f", "another length");
	mode_t bits = bits_of(scratch, "f");
	assert_false(mlv_workspace_set_executable(scratch->fd, "f", TRUE, &st, "f", NULL));
	assert_int_equal(symlinkat("f", scratch->fd, "l"), 0);
	st = stat_of(scratch, "l");
	assert_false(mlv_workspace_set_executable(scratch->fd, "l", TRUE, &st, "l", NULL));
	assert_false(mlv_workspace_set_executable(scratch->fd, "no", TRUE, &st, "no", NULL));
	assert_int_equal(bits_of(scratch, "f"), bits);
}

static void files_are_removed_and_absent_ones_are_no_error(void **state)
{
	const Scratch *scratch = *state;

	put(scratch, "x", "target");
	assert_int_equal(symlinkat("x", scratch->fd, "l"), 0);
	assert_true(mlv_workspace_remove(scratch->fd, "l", NULL, "l", NULL));
	assert_true(mlv_workspace_remove(scratch->fd, "l", NULL, "l", NULL));
	assert_text(scratch, "x", "target");
	MlvStat st = stat_of(scratch, "x");
	assert_true(mlv_workspace_remove(scratch->fd, "x", &st, "x", NULL));
	assert_true(mlv_workspace_remove(scratch->fd, "x", &st, "x", NULL));
	assert_only(scratch, (const char *const[]){ NULL });
}

static void a_rename_makes_folders_and_replaces_nothing(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;

	put(scratch, "a", "a");
	put(scratch, "b", "b");
	assert_false(mlv_workspace_rename(scratch->fd, "a", "b", &error));
	assert_non_null(strstr(error->message, "cannot rename 'a' to 'b'"));
	assert_text(scratch, "b", "b");
	assert_true(mlv_workspace_rename(scratch->fd, "a", "new/folder/a", NULL));
	assert_text(scratch, "new/folder/a", "a");
	assert_true(mlv_workspace_rename(scratch->fd, "new/folder", "moved", NULL));
	assert_text(scratch, "moved/a", "a");
	assert_false(mlv_workspace_rename(scratch->fd, "absent", "c", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_and_symlinks_are_put_in_place_with_their_modes),
		TEST(the_state_that_is_told_is_the_one_that_stands_there),
		TEST(what_appeared_meanwhile_is_left_as_it_is),
		TEST(what_changed_since_the_plan_is_left_as_it_is),
		TEST(what_the_plan_saw_and_is_gone_is_put_there_anew),
		TEST(a_symlink_is_replaced_and_not_written_through),
		TEST(a_symlink_with_a_target_that_cannot_be_is_refused),
		TEST(a_large_file_appears_complete_or_not_at_all),
		TEST(a_sweep_keeps_what_is_under_way_and_what_is_not_its_own),
		TEST(folders_are_made_and_pruned_as_far_as_they_are_empty),
		TEST(no_symlink_is_followed_on_the_way),
		TEST(nothing_leads_out_of_the_root),
		TEST(a_folder_that_is_not_there_is_missing),
		TEST(a_file_where_a_folder_should_be_is_an_error),
		TEST(an_empty_folder_goes_and_a_full_one_stays),
		TEST(each_kind_of_thing_is_told_apart),
		TEST(who_may_read_may_execute),
		TEST(the_mode_of_what_changed_or_is_no_file_is_not_set),
		TEST(files_are_removed_and_absent_ones_are_no_error),
		TEST(a_rename_makes_folders_and_replaces_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
