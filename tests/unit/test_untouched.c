/* SPDX-License-Identifier: Apache-2.0 */
/* What is noted of packs: it holds only while nothing at all has happened to the pack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "storage/file.h"
#include "storage/untouched.h"
#include "tests/unit/scratch.h"

#define RECORD 72

static MlvId name_of(const char *text)
{
	MlvId id;

	mlv_id_of(text, strlen(text), &id);
	return id;
}

/* A file of the folder that stands for a pack. */
static int make_pack(const Scratch *scratch, const char *name)
{
	int fd = scratch_file(scratch, name);

	assert_int_equal(write(fd, "payload", 7), 7);
	return fd;
}

static gboolean holds(const Scratch *scratch, const MlvId *pack, int fd)
{
	g_autoptr(MlvUntouched) untouched = mlv_untouched_open(scratch->fd);

	return mlv_untouched_holds(untouched, pack, fd);
}

/* Another time than the one that the file has, whatever the clock's steps. */
static void set_mtime(int fd, gint64 seconds)
{
	const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

	assert_int_equal(futimens(fd, times), 0);
}

static void what_was_noted_holds_until_the_pack_is_touched(void **state)
{
	const Scratch *scratch = *state;
	MlvId a = name_of("a"), b = name_of("b");
	g_auto(MlvFd) fd = make_pack(scratch, "pack");

	assert_false(holds(scratch, &a, fd));
	mlv_untouched_note(scratch->fd, &a, fd);
	assert_true(holds(scratch, &a, fd));
	assert_false(holds(scratch, &b, fd));
	set_mtime(fd, 1000);
	assert_false(holds(scratch, &a, fd));
}

static void a_pack_that_grew_or_was_replaced_does_not_hold(void **state)
{
	const Scratch *scratch = *state;
	MlvId a = name_of("a");
	g_auto(MlvFd) fd = make_pack(scratch, "pack");
	g_auto(MlvFd) twin = make_pack(scratch, "twin");

	set_mtime(fd, 1000);
	set_mtime(twin, 1000);
	mlv_untouched_note(scratch->fd, &a, fd);
	assert_true(holds(scratch, &a, fd));
	assert_false(holds(scratch, &a, twin));
	assert_int_equal(write(fd, "more", 4), 4);
	set_mtime(fd, 1000);
	assert_false(holds(scratch, &a, fd));
}

static void the_last_note_of_a_pack_counts(void **state)
{
	const Scratch *scratch = *state;
	MlvId a = name_of("a"), b = name_of("b");
	g_auto(MlvFd) fd = make_pack(scratch, "pack");

	set_mtime(fd, 1000);
	mlv_untouched_note(scratch->fd, &a, fd);
	mlv_untouched_note(scratch->fd, &b, fd);
	set_mtime(fd, 2000);
	mlv_untouched_note(scratch->fd, &a, fd);
	assert_true(holds(scratch, &a, fd));
	assert_false(holds(scratch, &b, fd));
}

static void a_damaged_record_does_not_hold_and_harms_no_other(void **state)
{
	const Scratch *scratch = *state;
	MlvId a = name_of("a"), b = name_of("b");
	g_auto(MlvFd) fd = make_pack(scratch, "pack");
	g_auto(MlvFd) file = -1;

	mlv_untouched_note(scratch->fd, &a, fd);
	mlv_untouched_note(scratch->fd, &b, fd);
	file = openat(scratch->fd, "untouched", O_RDWR);
	for (off_t at = 0; at < RECORD; at++) {
		guint8 byte;

		assert_int_equal(pread(file, &byte, 1, at), 1);
		byte ^= 0x20;
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		assert_false(holds(scratch, &a, fd));
		assert_true(holds(scratch, &b, fd));
		byte ^= 0x20;
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
	}
	assert_true(holds(scratch, &a, fd));
}

static void a_torn_file_is_begun_anew(void **state)
{
	const Scratch *scratch = *state;
	MlvId a = name_of("a"), b = name_of("b");
	g_auto(MlvFd) fd = make_pack(scratch, "pack");
	g_auto(MlvFd) file = -1;

	mlv_untouched_note(scratch->fd, &a, fd);
	mlv_untouched_note(scratch->fd, &b, fd);
	file = openat(scratch->fd, "untouched", O_RDWR);
	assert_int_equal(ftruncate(file, RECORD + 11), 0);
	assert_true(holds(scratch, &a, fd));
	assert_false(holds(scratch, &b, fd));
	mlv_untouched_note(scratch->fd, &b, fd);
	assert_false(holds(scratch, &b, fd));
	mlv_untouched_note(scratch->fd, &b, fd);
	assert_true(holds(scratch, &b, fd));
	assert_false(holds(scratch, &a, fd));
}

static void a_symlink_in_its_place_is_not_followed(void **state)
{
	const Scratch *scratch = *state;
	MlvId a = name_of("a");
	g_auto(MlvFd) fd = make_pack(scratch, "pack");
	g_auto(MlvFd) victim = make_pack(scratch, "victim");
	struct stat st;

	assert_int_equal(symlinkat("victim", scratch->fd, "untouched"), 0);
	mlv_untouched_note(scratch->fd, &a, fd);
	assert_false(holds(scratch, &a, fd));
	assert_int_equal(fstat(victim, &st), 0);
	assert_int_equal(st.st_size, 7);
}

static void where_nothing_can_be_noted_nothing_holds(void **state)
{
	const Scratch *scratch = *state;
	MlvId a = name_of("a");
	g_auto(MlvFd) fd = make_pack(scratch, "pack");

	assert_int_equal(mkdirat(scratch->fd, "untouched", 0777), 0);
	mlv_untouched_note(scratch->fd, &a, fd);
	assert_false(holds(scratch, &a, fd));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_noted_holds_until_the_pack_is_touched),
		TEST(a_pack_that_grew_or_was_replaced_does_not_hold),
		TEST(the_last_note_of_a_pack_counts),
		TEST(a_damaged_record_does_not_hold_and_harms_no_other),
		TEST(a_torn_file_is_begun_anew),
		TEST(a_symlink_in_its_place_is_not_followed),
		TEST(where_nothing_can_be_noted_nothing_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
