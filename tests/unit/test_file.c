/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "storage/error.h"
#include "storage/file_private.h"
#include "tests/unit/scratch.h"

static guint count_names(const Scratch *scratch, const char *dir)
{
	g_autofree char *path = g_build_filename(scratch->path, dir, NULL);
	g_autoptr(GDir) stream = g_dir_open(path, 0, NULL);
	guint count = 0;

	while (g_dir_read_name(stream))
		count++;
	return count;
}

static void what_is_written_at_an_offset_is_read_back(void **state)
{
	g_auto(MlvFd) fd = scratch_file(*state, "f");
	guint8 bytes[5000], back[5000];

	scratch_noise(bytes, sizeof(bytes), 1);
	assert_true(mlv_file_write(fd, bytes, 2000, "f", NULL));
	assert_true(mlv_file_write_at(fd, bytes + 2000, 3000, 2000, "f", NULL));
	assert_true(mlv_file_read_at(fd, back, sizeof(back), 0, "f", NULL));
	assert_memory_equal(bytes, back, sizeof(bytes));
}

static void reading_past_the_end_is_damage(void **state)
{
	g_auto(MlvFd) fd = scratch_file(*state, "f");
	g_autoptr(GError) error = NULL;
	char back[8];

	assert_true(mlv_file_write(fd, "1234567", 7, "f", NULL));
	assert_false(mlv_file_read_at(fd, back, 8, 0, "f", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_non_null(strstr(error->message, "'f'"));
}

static void a_full_disk_is_told_with_what_to_do(void **state)
{
	g_auto(MlvFd) fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	g_autoptr(GError) error = NULL;

	if (fd < 0)
		skip();
	assert_false(mlv_file_write(fd, "x", 1, "pack", &error));
	assert_non_null(strstr(error->message, "'pack'"));
	assert_non_null(strstr(error->message, "free some space"));
}

static void a_whole_file_is_read_up_to_its_limit(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;

	assert_true(mlv_file_replace(scratch->fd, "f", "12345678", 8, 0644, FALSE, NULL));
	g_autoptr(GBytes) bytes = mlv_file_read(scratch->fd, "f", 8, NULL);
	assert_int_equal(g_bytes_get_size(bytes), 8);
	assert_string_equal(g_bytes_get_data(bytes, NULL), "12345678");
	assert_null(mlv_file_read(scratch->fd, "f", 7, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

static void an_absent_file_is_missing_and_a_fifo_does_not_hang(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL, fifo_error = NULL;

	assert_null(mlv_file_read(scratch->fd, "none", 10, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_int_equal(mkfifoat(scratch->fd, "fifo", 0600), 0);
	assert_null(mlv_file_read(scratch->fd, "fifo", 10, &fifo_error));
	assert_true(g_error_matches(fifo_error, MLV_ERROR, MLV_ERROR_FAILED));
}

static void an_empty_file_and_a_large_one_are_read(void **state)
{
	const Scratch *scratch = *state;
	g_autofree guint8 *noise = g_malloc(300000);

	scratch_noise(noise, 300000, 2);
	assert_true(mlv_file_replace(scratch->fd, "empty", "", 0, 0644, TRUE, NULL));
	assert_true(mlv_file_replace(scratch->fd, "large", noise, 300000, 0644, TRUE, NULL));
	g_autoptr(GBytes) empty = mlv_file_read(scratch->fd, "empty", 10, NULL);
	g_autoptr(GBytes) large = mlv_file_read(scratch->fd, "large", 1u << 20, NULL);
	assert_int_equal(g_bytes_get_size(empty), 0);
	assert_int_equal(g_bytes_get_size(large), 300000);
	assert_memory_equal(g_bytes_get_data(large, NULL), noise, 300000);
}

static void replacing_changes_the_whole_file_and_leaves_nothing_behind(void **state)
{
	const Scratch *scratch = *state;
	struct stat st;

	assert_true(mlv_file_make_dirs(scratch->fd, "a", 0777, NULL));
	assert_true(mlv_file_replace(scratch->fd, "a/f", "old and long", 12, 0644, TRUE, NULL));
	assert_true(mlv_file_replace(scratch->fd, "a/f", "new", 3, 0600, TRUE, NULL));
	g_autoptr(GBytes) bytes = mlv_file_read(scratch->fd, "a/f", 100, NULL);
	assert_string_equal(g_bytes_get_data(bytes, NULL), "new");
	assert_int_equal(fstatat(scratch->fd, "a/f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count_names(scratch, "a"), 1);
}

static void a_replacement_that_fails_leaves_the_old_file_and_no_other(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;

	assert_true(mlv_file_make_dirs(scratch->fd, "d/f/x", 0777, NULL));
	assert_false(mlv_file_replace(scratch->fd, "d/f", "new", 3, 0600, FALSE, &error));
	assert_non_null(error);
	assert_int_equal(count_names(scratch, "d"), 1);
}

static void publishing_makes_missing_folders_and_sets_the_mode(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvTemp) temp = mlv_temp_open(scratch->fd, ".", NULL);
	gboolean existed = TRUE;
	struct stat st;

	assert_true(mlv_file_write(mlv_temp_fd(temp), "data", 4, "t", NULL));
	assert_true(mlv_temp_sync(temp, NULL));
	assert_true(mlv_temp_publish(temp, "p/ab/x.pack", 0444, TRUE, &existed, NULL));
	assert_false(existed);
	assert_int_equal(fstatat(scratch->fd, "p/ab/x.pack", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0444);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(count_names(scratch, "."), 1);
}

static void publishing_what_exists_is_success_and_keeps_the_old_file(void **state)
{
	const Scratch *scratch = *state;
	gboolean existed = FALSE;

	assert_true(mlv_file_replace(scratch->fd, "f", "old", 3, 0644, FALSE, NULL));
	for (int sync = 0; sync < 2; sync++) {
		g_autoptr(MlvTemp) temp = mlv_temp_open(scratch->fd, ".", NULL);
		assert_true(mlv_file_write(mlv_temp_fd(temp), "new", 3, "t", NULL));
		assert_true(mlv_temp_publish(temp, "f", 0444, sync, &existed, NULL));
		assert_true(existed);
	}
	g_autoptr(GBytes) bytes = mlv_file_read(scratch->fd, "f", 100, NULL);
	assert_string_equal(g_bytes_get_data(bytes, NULL), "old");
	assert_int_equal(count_names(scratch, "."), 1);
}

static void an_unpublished_file_goes_with_its_handle(void **state)
{
	const Scratch *scratch = *state;
	MlvTemp *temp = mlv_temp_open(scratch->fd, ".", NULL);

	assert_true(g_str_has_prefix(mlv_temp_label(temp), "tmp-"));
	assert_int_equal(count_names(scratch, "."), 1);
	mlv_temp_free(temp);
	assert_int_equal(count_names(scratch, "."), 0);
}

static void publishing_beneath_a_file_fails_and_cleans_up(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;
	gboolean existed;

	assert_true(mlv_file_replace(scratch->fd, "f", "", 0, 0644, FALSE, NULL));
	MlvTemp *temp = mlv_temp_open(scratch->fd, ".", NULL);
	assert_false(mlv_temp_publish(temp, "f/x", 0444, FALSE, &existed, &error));
	mlv_temp_free(temp);
	assert_int_equal(count_names(scratch, "."), 1);
}

static void sweeping_removes_old_temporary_files_only(void **state)
{
	const Scratch *scratch = *state;
	const struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
	const char *names[] = { "tmp-0", "tmp-1", ".mlv-tmp-0", "keep" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		close(scratch_file(scratch, names[i]));
	for (guint i = 1; i < G_N_ELEMENTS(names); i++)
		assert_int_equal(utimensat(scratch->fd, names[i], old, 0), 0);
	assert_int_equal(mkdirat(scratch->fd, "tmp-folder", 0777), 0);
	mlv_temp_sweep(scratch->fd, ".", 3600);
	assert_int_equal(faccessat(scratch->fd, "tmp-0", F_OK, 0), 0);
	assert_int_equal(faccessat(scratch->fd, "keep", F_OK, 0), 0);
	assert_int_equal(faccessat(scratch->fd, "tmp-folder", F_OK, 0), 0);
	assert_int_equal(count_names(scratch, "."), 3);
	mlv_temp_sweep(scratch->fd, "absent", 0);
}

static void folders_are_made_to_any_depth_and_twice(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(GError) error = NULL;

	assert_true(mlv_file_make_dirs(scratch->fd, "a/b/c/d", 0777, NULL));
	assert_true(mlv_file_make_dirs(scratch->fd, "a/b/c/d/", 0777, NULL));
	assert_true(mlv_file_sync_dir(scratch->fd, "a/b/c/d", NULL));
	assert_true(mlv_file_make_dirs(scratch->fd, ".", 0777, NULL));
	close(scratch_file(scratch, "a/f"));
	assert_false(mlv_file_make_dirs(scratch->fd, "a/f", 0777, &error));
	g_clear_error(&error);
	assert_false(mlv_file_make_dirs(scratch->fd, "a/f/x", 0777, &error));
	g_clear_error(&error);
	assert_false(mlv_file_sync_dir(scratch->fd, "none", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
}

static void blocks_are_shared_where_the_file_system_says_so(void **state)
{
	const Scratch *scratch = *state;
	gsize block = mlv_file_clone_block(scratch->fd);
	g_auto(MlvFd) from = scratch_file(scratch, "from");
	g_auto(MlvFd) to = scratch_file(scratch, "to");

	assert_int_equal(block & (block - 1), 0);
	assert_int_equal(count_names(scratch, "."), 2);
	if (block == 0)
		skip();
	g_autofree guint8 *bytes = g_malloc(4 * block), *back = g_malloc(2 * block);
	scratch_noise(bytes, 4 * block, 3);
	assert_true(mlv_file_write(from, bytes, 4 * block, "from", NULL));
	assert_true(mlv_file_clone_range(from, block, 2 * block, to, 5 * block));
	assert_true(mlv_file_read_at(to, back, 2 * block, 5 * block, "to", NULL));
	assert_memory_equal(back, bytes + block, 2 * block);
	assert_false(mlv_file_clone_range(from, 1, block, to, 0));
}

/* --- beneath ---------------------------------------------------------------------------------- */

typedef int (*OpenBeneath)(int rootfd, const char *path, int flags, mode_t mode);

static void refuses(OpenBeneath open_beneath, int root, const char *path, int flags, int wanted)
{
	int fd = open_beneath(root, path, flags, 0);

	if (fd >= 0 || errno != wanted)
		fail_msg("'%s': got %d, %s", path, fd, strerror(errno));
}

static void opens(OpenBeneath open_beneath, int root, const char *path, int flags)
{
	g_auto(MlvFd) fd = open_beneath(root, path, flags, 0644);

	if (fd < 0)
		fail_msg("'%s': %s", path, strerror(errno));
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void check_beneath(const Scratch *scratch, OpenBeneath open_beneath)
{
	assert_true(mlv_file_make_dirs(scratch->fd, "root/a/b", 0777, NULL));
	assert_true(mlv_file_replace(scratch->fd, "secret", "s", 1, 0600, FALSE, NULL));
	assert_true(mlv_file_replace(scratch->fd, "root/a/b/f", "f", 1, 0600, FALSE, NULL));
	g_auto(MlvFd) root = openat(scratch->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("../secret", root, "out"), 0);
	assert_int_equal(symlinkat("a", root, "inside"), 0);
	assert_int_equal(symlinkat("b/f", root, "a/file"), 0);
	assert_int_equal(symlinkat("/", root, "top"), 0);

	opens(open_beneath, root, "a/b/f", O_RDONLY);
	opens(open_beneath, root, "./a//b/./f", O_RDONLY);
	opens(open_beneath, root, "a/b", O_RDONLY | O_DIRECTORY);
	opens(open_beneath, root, "a/b/", O_RDONLY);
	opens(open_beneath, root, "a", O_PATH | O_DIRECTORY);
	opens(open_beneath, root, "out", O_PATH | O_NOFOLLOW);
	opens(open_beneath, root, "a/b/new", O_WRONLY | O_CREAT | O_EXCL);
	opens(open_beneath, root, "a/..b", O_WRONLY | O_CREAT);
	opens(open_beneath, root, ".", O_RDONLY | O_DIRECTORY);

	refuses(open_beneath, root, "a/b/none", O_RDONLY, ENOENT);
	refuses(open_beneath, root, "none/f", O_RDONLY, ENOENT);
	refuses(open_beneath, root, "", O_RDONLY, ENOENT);
	refuses(open_beneath, root, "a/b/f/x", O_RDONLY, ENOTDIR);
	refuses(open_beneath, root, "a/b/f/", O_RDONLY, ENOTDIR);
	refuses(open_beneath, root, "../secret", O_RDONLY, EXDEV);
	refuses(open_beneath, root, "a/../../secret", O_RDONLY, EXDEV);
	refuses(open_beneath, root, "a/..", O_RDONLY, EXDEV);
	refuses(open_beneath, root, "..", O_RDONLY, EXDEV);
	refuses(open_beneath, root, "/etc/passwd", O_RDONLY, EXDEV);
	refuses(open_beneath, root, "out", O_RDONLY, ELOOP);
	refuses(open_beneath, root, "out", O_PATH, ELOOP);
	refuses(open_beneath, root, "inside/b/f", O_RDONLY, ELOOP);
	refuses(open_beneath, root, "inside", O_RDONLY | O_DIRECTORY, ELOOP);
	refuses(open_beneath, root, "a/file", O_RDONLY, ELOOP);
	refuses(open_beneath, root, "top/etc/passwd", O_RDONLY, ELOOP);
	refuses(open_beneath, root, "a/b/f", O_WRONLY | O_CREAT | O_EXCL, EEXIST);
}

static void opening_beneath_never_leaves_the_root(void **state)
{
	check_beneath(*state, mlv_file_open_beneath);
}

static void the_walk_for_old_kernels_does_the_same(void **state)
{
	check_beneath(*state, mlv_file_open_beneath_walk);
}

static void a_component_that_is_too_long_is_refused(void **state)
{
	const Scratch *scratch = *state;
	g_autofree char *name = g_strnfill(256, 'x');

	refuses(mlv_file_open_beneath, scratch->fd, name, O_RDONLY, ENAMETOOLONG);
	refuses(mlv_file_open_beneath_walk, scratch->fd, name, O_RDONLY, ENAMETOOLONG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_at_an_offset_is_read_back),
		TEST(reading_past_the_end_is_damage),
		TEST(a_full_disk_is_told_with_what_to_do),
		TEST(a_whole_file_is_read_up_to_its_limit),
		TEST(an_absent_file_is_missing_and_a_fifo_does_not_hang),
		TEST(an_empty_file_and_a_large_one_are_read),
		TEST(replacing_changes_the_whole_file_and_leaves_nothing_behind),
		TEST(a_replacement_that_fails_leaves_the_old_file_and_no_other),
		TEST(publishing_makes_missing_folders_and_sets_the_mode),
		TEST(publishing_what_exists_is_success_and_keeps_the_old_file),
		TEST(an_unpublished_file_goes_with_its_handle),
		TEST(publishing_beneath_a_file_fails_and_cleans_up),
		TEST(sweeping_removes_old_temporary_files_only),
		TEST(folders_are_made_to_any_depth_and_twice),
		TEST(blocks_are_shared_where_the_file_system_says_so),
		TEST(opening_beneath_never_leaves_the_root),
		TEST(the_walk_for_old_kernels_does_the_same),
		TEST(a_component_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
