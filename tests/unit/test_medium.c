/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/file.h"
#include "storage/medium.h"
#include "tests/unit/scratch.h"

#include <string.h>
#include <sys/wait.h>

#define PACK "packs/ab/abcd.pack"

static MlvMedium *open_dir(const Scratch *scratch, const char *name)
{
	g_autofree char *path = g_build_filename(scratch->path, name, NULL);
	MlvMedium *medium = mlv_medium_dir_new(path, FALSE, NULL);

	assert_non_null(medium);
	return medium;
}

static void put(MlvMedium *medium, const char *name, const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;

	if (!mlv_medium_put_bytes(medium, name, bytes, &error))
		fail_msg("%s", error->message);
}

static void assert_text(MlvMedium *medium, const char *name, const char *text)
{
	g_autoptr(GBytes) bytes = mlv_medium_get(medium, name, 0, MLV_OP_ALL, 1000, NULL);

	assert_non_null(bytes);
	assert_int_equal(g_bytes_get_size(bytes), strlen(text));
	assert_memory_equal(g_bytes_get_data(bytes, NULL), text, strlen(text));
}

static void a_folder_is_made_by_the_first_put(void **state)
{
	g_autoptr(MlvMedium) medium = open_dir(*state, "remote");
	g_autoptr(GArray) before = mlv_medium_list_all(medium, "live/", NULL);
	g_autoptr(GError) error = NULL;

	assert_int_equal(before->len, 0);
	assert_null(mlv_medium_get(medium, "format", 0, MLV_OP_ALL, 10, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_true(mlv_medium_delete(medium, "format", NULL));
	put(medium, PACK, "some bytes");
	assert_text(medium, PACK, "some bytes");
}

static void a_folder_whose_parent_is_missing_is_not_made(void **state)
{
	g_autoptr(MlvMedium) medium = open_dir(*state, "no/remote");
	g_autoptr(GBytes) bytes = g_bytes_new("x", 1);
	g_autoptr(GError) error = NULL;

	assert_false(mlv_medium_put_bytes(medium, "format", bytes, &error));
	assert_non_null(strstr(error->message, "does not exist"));
}

static void what_is_there_already_stays_as_it_is(void **state)
{
	g_autoptr(MlvMedium) medium = open_dir(*state, "remote");

	put(medium, "live/a", "first");
	put(medium, "live/a", "again");
	assert_text(medium, "live/a", "first");
	/* But one of another length is what a crash of the machine has left. */
	put(medium, "live/a", "whole file");
	assert_text(medium, "live/a", "whole file");
}

static void a_listing_has_the_names_below_its_prefix_and_no_temporary_ones(void **state)
{
	g_autoptr(MlvMedium) medium = open_dir(*state, "remote");
	const Scratch *scratch = *state;

	put(medium, "live/b", "22");
	put(medium, "live/a", "1");
	put(medium, PACK, "333");
	put(medium, "packs/cd/cdef.pack", "4444");
	close(openat(scratch->fd, "remote/live/tmp-123", O_CREAT | O_WRONLY, 0600));
	g_autoptr(GArray) live = mlv_medium_list_all(medium, "live/", NULL);
	assert_int_equal(live->len, 2);
	assert_string_equal(g_array_index(live, MlvListed, 0).name, "live/a");
	assert_string_equal(g_array_index(live, MlvListed, 1).name, "live/b");
	assert_int_equal(g_array_index(live, MlvListed, 1).size, 2);
	g_autoptr(GArray) packs = mlv_medium_list_all(medium, "packs/", NULL);
	assert_int_equal(packs->len, 2);
	assert_string_equal(g_array_index(packs, MlvListed, 0).name, PACK);
}

static void ranges_are_exact_or_an_error(void **state)
{
	g_autoptr(MlvMedium) medium = open_dir(*state, "remote");
	g_autoptr(GError) error = NULL;

	put(medium, "live/a", "0123456789");
	g_autoptr(GBytes) middle = mlv_medium_get(medium, "live/a", 3, 4, 4, NULL);
	assert_memory_equal(g_bytes_get_data(middle, NULL), "3456", 4);
	assert_null(mlv_medium_get(medium, "live/a", 7, 4, 4, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_null(mlv_medium_get(medium, "live/a", 0, MLV_OP_ALL, 9, NULL));
}

typedef struct {
	guint next, count, done, stop_at;
	int in, out[64];
} Batch;

static MlvOp *next_op(gpointer user)
{
	Batch *batch = user;
	g_autofree char *name = g_strdup_printf("packs/%02x/%02x.pack", batch->next, batch->next);
	MlvOp *op;

	if (batch->next == batch->count)
		return NULL;
	op = mlv_op_new(batch->in >= 0 ? MLV_OP_PUT : MLV_OP_GET, name);
	op->fd = batch->in >= 0 ? batch->in : batch->out[batch->next];
	op->length = 1000000;
	batch->next++;
	return op;
}

static gboolean op_done(MlvOp *op, gpointer user, GError **error)
{
	Batch *batch = user;
	gboolean ok = !op->error && ++batch->done != batch->stop_at;

	if (op->error)
		batch->done++;
	mlv_op_free(op);
	return ok || mlv_fail(error, MLV_ERROR_FAILED, "enough");
}

static void files_go_there_and_back_many_at_once(void **state)
{
	g_autoptr(MlvMedium) medium = open_dir(*state, "remote");
	g_autofree guint8 *noise = g_malloc(1000000), *back = g_malloc(1000000);
	Batch batch = { .count = 40, .in = scratch_file(*state, "in") };

	scratch_noise(noise, 1000000, 1);
	assert_true(mlv_file_write(batch.in, noise, 1000000, "in", NULL));
	assert_true(medium->methods->run(medium, next_op, op_done, &batch, NULL));
	assert_int_equal(batch.done, 40);
	close(batch.in);
	batch = (Batch){ .count = 40, .in = -1 };
	for (guint i = 0; i < 40; i++) {
		g_autofree char *name = g_strdup_printf("out%u", i);
		batch.out[i] = scratch_file(*state, name);
	}
	assert_true(medium->methods->run(medium, next_op, op_done, &batch, NULL));
	for (guint i = 0; i < 40; i++) {
		assert_true(mlv_file_read_at(batch.out[i], back, 1000000, 0, "out", NULL));
		assert_memory_equal(noise, back, 1000000);
		close(batch.out[i]);
	}
}

static void a_batch_that_is_stopped_gives_every_operation_back(void **state)
{
	g_autoptr(MlvMedium) medium = open_dir(*state, "remote");
	g_autofree guint8 *noise = g_malloc0(1000000);
	Batch batch = { .count = 40, .in = scratch_file(*state, "in"), .stop_at = 3 };
	g_autoptr(GError) error = NULL;

	assert_true(mlv_file_write(batch.in, noise, 1000000, "in", NULL));
	assert_false(medium->methods->run(medium, next_op, op_done, &batch, &error));
	assert_string_equal(error->message, "enough");
	assert_int_equal(batch.done, batch.next);
	assert_true(batch.next < 40);
	close(batch.in);
}

static void note_waiting(gpointer user)
{
	*(gboolean *)user = TRUE;
}

static void gc_waits_for_a_push_and_a_push_for_no_other(void **state)
{
	g_autoptr(MlvMedium) one = open_dir(*state, "remote"), two = open_dir(*state, "remote");
	gboolean waited = FALSE;
	int ends[2];
	char byte;

	assert_true(one->methods->lock(one, FALSE, note_waiting, &waited, NULL));
	assert_true(two->methods->lock(two, FALSE, note_waiting, &waited, NULL));
	assert_false(waited);
	two->methods->unlock(two);
	assert_int_equal(pipe(ends), 0);
	/* Another process keeps the lock until it is told that somebody waits. */
	pid_t child = fork();
	if (child == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	one->methods->unlock(one);
	close(ends[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(two->methods->lock(two, TRUE, note_waiting, &waited, NULL));
	two->methods->unlock(two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_is_made_by_the_first_put),
		TEST(a_folder_whose_parent_is_missing_is_not_made),
		TEST(what_is_there_already_stays_as_it_is),
		TEST(a_listing_has_the_names_below_its_prefix_and_no_temporary_ones),
		TEST(ranges_are_exact_or_an_error),
		TEST(files_go_there_and_back_many_at_once),
		TEST(a_batch_that_is_stopped_gives_every_operation_back),
		TEST(gc_waits_for_a_push_and_a_push_for_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
