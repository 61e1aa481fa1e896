/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "storage/sweep.h"
#include "tests/unit/mini_store.h"

/* Sweeps dry first, and checks that it said what then happened. */
static MlvSweepResult sweep(MlvStore *store, const MlvMarks *marks, guint64 grace)
{
	MlvSweepOptions options = { .grace = grace, .now = time(NULL), .dry_run = TRUE };
	guint packs = mini_packs(store), indexes = mini_indexes(store);
	g_autoptr(GError) error = NULL;
	MlvSweepResult dry, real;

	assert_true(mlv_sweep_run(store, marks, &options, &dry, &error));
	assert_int_equal(packs, mini_packs(store));
	assert_int_equal(indexes, mini_indexes(store));
	options.dry_run = FALSE;
	if (!mlv_sweep_run(store, marks, &options, &real, &error))
		fail_msg("%s", error->message);
	assert_memory_equal(&dry, &real, sizeof(dry));
	assert_int_equal(packs + real.packs_written,
			 mini_packs(store) + real.packs_deleted + real.packs_rewritten);
	return real;
}

static guint64 disk_bytes(MlvStore *store)
{
	g_autoptr(GArray) packs = mlv_upkeep_packs(store, NULL, NULL);
	guint64 sum = 0;

	for (guint i = 0; i < packs->len; i++)
		sum += g_array_index(packs, MlvPackFile, i).size;
	return sum;
}

static void what_is_not_marked_goes_and_what_is_marked_stays(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	MlvId dead = mini_noise(writer, 1000, 1);
	mini_commit(writer);
	writer = mini_writer(store);
	MlvId live = mini_noise(writer, 1000, 2);
	mini_commit(writer);

	mlv_marks_add(marks, MLV_KIND_BLOB, &live);
	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(result.objects, 1);
	assert_int_equal(result.packs_deleted, 1);
	assert_int_equal(result.packs_rewritten, 0);
	assert_true(mini_has(store, MLV_KIND_BLOB, &live));
	assert_false(mini_has(store, MLV_KIND_BLOB, &dead));
	assert_int_equal(mini_packs(store), 1);
	assert_int_equal(mini_indexes(store), 1);
	result = sweep(store, marks, 0);
	assert_int_equal(result.objects + result.packs_deleted + result.packs_rewritten, 0);
}

static void a_store_of_which_nothing_is_needed_is_empty_after(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	mini_noise(writer, 1000, 1);
	mini_put(writer, MLV_KIND_TREE, "T\1", 2);
	mini_commit(writer);

	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(result.packs_deleted, 2);
	assert_int_equal(mini_packs(store), 0);
	assert_int_equal(mini_indexes(store), 0);
	g_autoptr(MlvStore) again = mini_open(*state);
	assert_non_null(again);
}

static void what_lies_in_a_young_pack_stays(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, 1000, 1);
	mini_commit(writer);

	MlvSweepResult result = sweep(store, marks, 3600);
	assert_int_equal(result.objects, 0);
	assert_int_equal(result.young_objects, 1);
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));

	g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
	const struct timespec times[2] = { { .tv_sec = time(NULL) - 4000 },
					   { .tv_sec = time(NULL) - 4000 } };
	assert_int_equal(utimensat(AT_FDCWD, pack, times, 0), 0);
	result = sweep(store, marks, G_MAXUINT64);
	assert_int_equal(result.objects, 0);
	result = sweep(store, marks, 3600);
	assert_int_equal(result.objects, 1);
	assert_int_equal(mini_packs(store), 0);
}

static void an_object_is_marked_by_kind_and_id_together(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_put(writer, MLV_KIND_TREE, "T\1", 2);
	mini_put(writer, MLV_KIND_BLOB, "T\1", 2);
	mini_commit(writer);

	mlv_marks_add(marks, MLV_KIND_TREE, &id);
	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(result.objects, 1);
	assert_true(mini_has(store, MLV_KIND_TREE, &id));
	assert_false(mini_has(store, MLV_KIND_BLOB, &id));
}

/* Ten chunks of one size in one pack, of which so many stay. */
static MlvSweepResult sweep_part(MlvStore *store, guint live, MlvId ids[10])
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);

	for (guint i = 0; i < 10; i++)
		ids[i] = mini_noise(writer, MINI_LONG, 10 + i);
	mini_commit(writer);
	for (guint i = 0; i < live; i++)
		mlv_marks_add(marks, MLV_KIND_BLOB, &ids[i]);
	guint64 before = disk_bytes(store);
	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(before - disk_bytes(store), result.bytes);
	for (guint i = 0; i < live; i++)
		assert_true(mini_has(store, MLV_KIND_BLOB, &ids[i]));
	return result;
}

static void a_pack_of_which_a_quarter_is_dead_is_rewritten(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	MlvId ids[10];
	MlvSweepResult result = sweep_part(store, 7, ids);

	assert_int_equal(result.packs_rewritten, 1);
	assert_int_equal(result.packs_written, 1);
	assert_int_equal(result.objects, 3);
	for (guint i = 7; i < 10; i++)
		assert_false(mini_has(store, MLV_KIND_BLOB, &ids[i]));
	assert_int_equal(mini_indexes(store), 1);
}

static void a_pack_of_which_less_is_dead_stays_as_it_is(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	MlvId ids[10];
	MlvSweepResult result = sweep_part(store, 8, ids);

	assert_int_equal(result.packs_rewritten, 0);
	assert_int_equal(result.objects, 0);
	assert_int_equal(result.sparse_objects, 2);
	assert_true(mini_has(store, MLV_KIND_BLOB, &ids[9]));
}

static void compressed_chunks_are_copied_as_they_lie(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autofree guint8 *text = g_malloc0(MINI_LONG);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_put(writer, MLV_KIND_BLOB, text, MINI_LONG);
	mini_noise(writer, MINI_LONG, 1);
	mini_commit(writer);

	mlv_marks_add(marks, MLV_KIND_BLOB, &id);
	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(result.packs_rewritten, 1);
	MlvPlace place;
	gboolean found;
	assert_true(mlv_store_find(store, MLV_KIND_BLOB, &id, &place, &found, NULL));
	assert_true(found);
	assert_int_equal(place.entry.codec, MLV_CODEC_ZSTD);
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

static void a_damaged_chunk_that_is_needed_stops_the_sweep(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autoptr(GError) error = NULL;
	const MlvSweepOptions options = { .now = time(NULL) };
	MlvSweepResult result;
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, MINI_LONG, 1);
	MlvId dead = mini_noise(writer, MINI_LONG, 2);
	mini_commit(writer);

	g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
	assert_int_equal(chmod(pack, 0644), 0);
	g_auto(MlvFd) fd = open(pack, O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, 5000), 1);
	mlv_marks_add(marks, MLV_KIND_BLOB, &id);
	assert_false(mlv_sweep_run(store, marks, &options, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_true(mini_has(store, MLV_KIND_BLOB, &dead));
}

static void a_leftover_pack_goes_when_it_is_old(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	mini_noise(writer, 1000, 1);
	mini_commit(writer);
	mini_lose_indexes(store);

	MlvSweepResult result = sweep(store, marks, 3600);
	assert_int_equal(mini_packs(store), 1);
	result = sweep(store, marks, 0);
	assert_int_equal(result.packs_deleted, 1);
	assert_int_equal(mini_packs(store), 0);
}

static void a_leftover_pack_that_is_needed_is_indexed_again(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, 1000, 1);
	mini_commit(writer);
	mini_lose_indexes(store);

	assert_false(mini_has(store, MLV_KIND_BLOB, &id));
	mlv_marks_add(marks, MLV_KIND_BLOB, &id);
	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(result.packs_adopted, 1);
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

/* Two sessions that do not see each other, as two processes would be. */
static void put_twice(const Scratch *scratch, MlvId *both, MlvId *one)
{
	g_autoptr(MlvStore) store = mini_open(scratch), other = mini_open(scratch);
	MlvStoreWriter *first = mini_writer(store), *second = mini_writer(other);

	*both = mini_noise(first, MINI_LONG, 1);
	mini_noise(first, MINI_LONG, 2);
	mini_noise(second, MINI_LONG, 1);
	*one = mini_noise(second, MINI_LONG, 3);
	mini_commit(first);
	mini_commit(second);
}

static void a_chunk_that_another_pack_keeps_is_not_copied(void **state)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvId both, one;
	put_twice(*state, &both, &one);
	g_autoptr(MlvStore) store = mini_open(*state);

	mlv_marks_add(marks, MLV_KIND_BLOB, &both);
	mlv_marks_add(marks, MLV_KIND_BLOB, &one);
	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(result.packs_rewritten, 1);
	assert_int_equal(result.packs_written, 0);
	assert_true(mini_has(store, MLV_KIND_BLOB, &both));
	assert_true(mini_has(store, MLV_KIND_BLOB, &one));
}

static void a_chunk_of_two_packs_that_go_is_copied_once(void **state)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvId both, one;
	put_twice(*state, &both, &one);
	g_autoptr(MlvStore) store = mini_open(*state);

	mlv_marks_add(marks, MLV_KIND_BLOB, &both);
	MlvSweepResult result = sweep(store, marks, 0);
	assert_int_equal(result.packs_rewritten, 2);
	assert_int_equal(result.packs_written, 1);
	assert_true(mini_has(store, MLV_KIND_BLOB, &both));
	assert_true(disk_bytes(store) < MINI_LONG + 1000);
}

static void many_small_packs_are_gathered(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvId ids[40];

	for (guint i = 0; i < 40; i++) {
		MlvStoreWriter *writer = mini_writer(store);
		ids[i] = mini_noise(writer, 1000, 1 + i);
		mini_commit(writer);
		mlv_marks_add(marks, MLV_KIND_BLOB, &ids[i]);
	}
	MlvSweepResult result = sweep(store, marks, 3600);
	assert_int_equal(result.packs_rewritten, 40);
	assert_int_equal(mini_packs(store), 1);
	assert_int_equal(mini_indexes(store), 1);
	for (guint i = 0; i < 40; i++)
		assert_true(mini_has(store, MLV_KIND_BLOB, &ids[i]));
}

static void an_index_that_names_a_lost_pack_stops_the_sweep(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autoptr(GError) error = NULL;
	const MlvSweepOptions options = { .now = time(NULL) };
	MlvSweepResult result;
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, 1000, 1);
	mini_commit(writer);

	g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
	assert_int_equal(unlink(pack), 0);
	assert_false(mlv_sweep_run(store, marks, &options, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_non_null(strstr(error->message, "mlv fsck --repair"));
}

static void an_interrupted_sweep_drops_nothing(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autoptr(GError) error = NULL;
	const volatile sig_atomic_t cancel = 1;
	const MlvSweepOptions options = { .now = time(NULL), .cancel = &cancel };
	MlvSweepResult result;
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, 1000, 1);
	mini_commit(writer);

	assert_false(mlv_sweep_run(store, marks, &options, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CANCELLED));
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

static void old_temporary_files_go_with_the_sweep(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	const char *const names[] = { "packs/tmp-old", "live/tmp-old", "packs/tmp-new" };
	const struct timespec old[2] = { { .tv_sec = time(NULL) - 4000 },
					 { .tv_sec = time(NULL) - 4000 } };
	struct stat st;

	for (guint i = 0; i < 3; i++) {
		close(openat(mlv_store_fd(store), names[i], O_CREAT | O_WRONLY, 0600));
		if (i < 2)
			utimensat(mlv_store_fd(store), names[i], old, 0);
	}
	sweep(store, marks, 0);
	assert_int_equal(fstatat(mlv_store_fd(store), names[0], &st, 0), -1);
	assert_int_equal(fstatat(mlv_store_fd(store), names[1], &st, 0), -1);
	assert_int_equal(fstatat(mlv_store_fd(store), names[2], &st, 0), 0);
}

static guint64 generation_of(MlvStore *store)
{
	guint64 generation;

	assert_true(mlv_store_generation(store, &generation, NULL));
	return generation;
}

static void the_generation_changes_when_something_is_dropped(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	mini_noise(writer, 1000, 1);
	mini_commit(writer);

	guint64 before = generation_of(store);
	sweep(store, marks, 3600);
	assert_true(generation_of(store) == before);
	sweep(store, marks, 0);
	assert_true(generation_of(store) != before);
}

/* --- marking
 * --------------------------------------------------------------------------------------- */

static gboolean keep_chunk(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			   gpointer user, GError **error)
{
	return mlv_store_writer_put(kind, id, data, length, user, error);
}

static void a_list_is_followed_by_what_it_says_of_itself(void **state)
{
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	g_autoptr(MlvListBuilder) builder = mlv_list_builder_new(MLV_KIND_BLOB, keep_chunk, writer);
	MlvId ids[3];
	MlvRef ref;

	for (guint i = 0; i < 3; i++) {
		ids[i] = mini_noise(writer, MINI_LONG, 1 + i);
		assert_true(mlv_list_builder_add(builder, &ids[i], MINI_LONG, NULL));
	}
	assert_true(mlv_list_builder_finish(builder, &ref, NULL));
	mini_commit(writer);

	/* Whoever names it: its kind and its id are all that counts. */
	assert_true(mlv_sweep_mark(store, MLV_KIND_LIST, &ref.id, marks, NULL));
	assert_int_equal(mlv_marks_count(marks), 4);
	for (guint i = 0; i < 3; i++)
		assert_true(mlv_marks_contains(marks, MLV_KIND_BLOB, &ids[i]));
}

static void what_is_not_here_or_no_list_has_nothing_below(void **state)
{
	static const guint8 odd[] = { 'L', 1, 200, 255, 1, 2, 3 };
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_put(writer, MLV_KIND_LIST, odd, sizeof(odd)), absent;
	MlvId tree = mini_put(writer, MLV_KIND_TREE, "no tree", 7);
	mini_commit(writer);

	mlv_id_of("absent", 6, &absent);
	assert_true(mlv_sweep_mark(store, MLV_KIND_LIST, &id, marks, NULL));
	assert_true(mlv_sweep_mark(store, MLV_KIND_TREE, &tree, marks, NULL));
	assert_true(mlv_sweep_mark(store, MLV_KIND_TREE, &absent, marks, NULL));
	assert_int_equal(mlv_marks_count(marks), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_marked_goes_and_what_is_marked_stays),
		TEST(a_store_of_which_nothing_is_needed_is_empty_after),
		TEST(what_lies_in_a_young_pack_stays),
		TEST(an_object_is_marked_by_kind_and_id_together),
		TEST(a_pack_of_which_a_quarter_is_dead_is_rewritten),
		TEST(a_pack_of_which_less_is_dead_stays_as_it_is),
		TEST(compressed_chunks_are_copied_as_they_lie),
		TEST(a_damaged_chunk_that_is_needed_stops_the_sweep),
		TEST(a_leftover_pack_goes_when_it_is_old),
		TEST(a_leftover_pack_that_is_needed_is_indexed_again),
		TEST(a_chunk_that_another_pack_keeps_is_not_copied),
		TEST(a_chunk_of_two_packs_that_go_is_copied_once),
		TEST(many_small_packs_are_gathered),
		TEST(an_index_that_names_a_lost_pack_stops_the_sweep),
		TEST(an_interrupted_sweep_drops_nothing),
		TEST(old_temporary_files_go_with_the_sweep),
		TEST(the_generation_changes_when_something_is_dropped),
		TEST(a_list_is_followed_by_what_it_says_of_itself),
		TEST(what_is_not_here_or_no_list_has_nothing_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
