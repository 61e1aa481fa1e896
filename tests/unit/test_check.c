/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "storage/check.h"
#include "tests/unit/mini_store.h"

typedef struct {
	guint kinds[MLV_FAULT_OBJECT + 1];
	MlvCheckResult result;
	MlvCheckMended mended;
} Outcome;

static void count_fault(const MlvFault *fault, gpointer user)
{
	Outcome *outcome = user;

	assert_true(fault->message && *fault->message);
	outcome->kinds[fault->kind]++;
}

static GBytes *fetch_noise(MlvKind kind, const MlvId *id, gpointer user)
{
	guint8 *bytes = g_malloc(MINI_LONG);

	scratch_noise(bytes, MINI_LONG, *(guint64 *)user);
	return g_bytes_new_take(bytes, MINI_LONG);
}

/* Checks the store as fsck would; mends it if `repair`, fetching the noise of `seed` if that is not
 * 0. */
static Outcome check(const Scratch *scratch, gboolean repair, guint64 seed)
{
	Outcome outcome = { 0 };
	const MlvCheckOptions options = { .threads = 2, .found = count_fault, .user = &outcome };
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(scratch->path, "store", NULL);
	g_autoptr(MlvStore) store = mlv_store_open_damaged(path, NULL, NULL, &error);

	if (!store)
		fail_msg("%s", error->message);
	g_autoptr(MlvCheck) run = mlv_check_new(store, &options);
	if (!mlv_check_run(run, &outcome.result, &error))
		fail_msg("%s", error->message);
	if (repair &&
	    !mlv_check_repair(run, seed ? fetch_noise : NULL, &seed, &outcome.mended, &error))
		fail_msg("%s", error->message);
	return outcome;
}

static void assert_clean(const Scratch *scratch)
{
	Outcome outcome = check(scratch, FALSE, 0);

	assert_int_equal(outcome.result.faults, 0);
}

/* A small store: a list, a tree, a raw and a compressed chunk, an empty one. */
static void make(const Scratch *scratch, MlvId *id)
{
	static const guint8 zeros[5000];
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);

	*id = mini_noise(writer, 700, 7);
	mini_put(writer, MLV_KIND_BLOB, zeros, sizeof(zeros));
	mini_put(writer, MLV_KIND_BLOB, zeros, 0);
	mini_put(writer, MLV_KIND_TREE, "T\1", 2);
	mini_commit(writer);
}

static void a_whole_store_is_clean_and_counted(void **state)
{
	MlvId id;
	make(*state, &id);
	Outcome outcome = check(*state, FALSE, 0);

	assert_int_equal(outcome.result.faults, 0);
	assert_int_equal(outcome.result.packs, 2);
	assert_int_equal(outcome.result.indexes, 2);
	assert_int_equal(outcome.result.objects, 4);
	assert_int_equal(outcome.result.unindexed, 0);
}

/* Every file of the store that counts, relative to it. */
static GPtrArray *files(const Scratch *scratch)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MlvStore) store = mini_open(scratch);
	g_autoptr(GArray) packs = mlv_upkeep_packs(store, NULL, NULL);
	g_autoptr(GArray) indexes = mlv_upkeep_index_names(store, NULL);

	for (guint i = 0; i < packs->len; i++) {
		char path[MLV_PACK_NAME_LENGTH + 1];
		mlv_pack_path(&g_array_index(packs, MlvPackFile, i).name, path);
		g_ptr_array_add(paths, g_build_filename(scratch->path, "store", path, NULL));
	}
	for (guint i = 0; i < indexes->len; i++) {
		char path[MLV_INDEX_NAME_LENGTH + 1];
		mlv_index_path(&g_array_index(indexes, MlvId, i), path);
		g_ptr_array_add(paths, g_build_filename(scratch->path, "store", path, NULL));
	}
	return paths;
}

static void flip(const char *path, gsize at)
{
	guint8 byte;

	chmod(path, 0644);
	g_auto(MlvFd) fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

static void every_byte_of_every_file_counts(void **state)
{
	MlvId id;
	make(*state, &id);
	g_autoptr(GPtrArray) paths = files(*state);

	for (guint i = 0; i < paths->len; i++) {
		struct stat st;
		/* The fan-out of an index is long and all of one kind. */
		assert_int_equal(stat(paths->pdata[i], &st), 0);
		for (gsize at = 0; at < (gsize)st.st_size; at++) {
			flip(paths->pdata[i], at);
			if (check(*state, FALSE, 0).result.faults == 0)
				fail_msg("byte %zu of '%s' is not covered", at,
					 (char *)paths->pdata[i]);
			flip(paths->pdata[i], at);
		}
	}
	assert_clean(*state);
}

static void every_length_of_every_file_counts(void **state)
{
	MlvId id;
	make(*state, &id);
	g_autoptr(GPtrArray) paths = files(*state);

	for (guint i = 0; i < paths->len; i++) {
		char *bytes;
		gsize length;
		assert_true(g_file_get_contents(paths->pdata[i], &bytes, &length, NULL));
		chmod(paths->pdata[i], 0644);
		for (gsize cut = 0; cut < length; cut += 1 + cut / 7) {
			assert_int_equal(truncate(paths->pdata[i], (off_t)cut), 0);
			assert_true(check(*state, FALSE, 0).result.faults > 0);
		}
		g_auto(MlvFd) fd = open(paths->pdata[i], O_WRONLY | O_TRUNC);
		assert_true(mlv_file_write(fd, bytes, length, "", NULL));
		assert_true(mlv_file_write(fd, "", 1, "", NULL));
		assert_true(check(*state, FALSE, 0).result.faults > 0);
		assert_int_equal(ftruncate(fd, (off_t)length), 0);
		g_free(bytes);
	}
	assert_clean(*state);
}

static void a_repair_mends_damage_anywhere_but_in_the_chunks(void **state)
{
	MlvId id;
	make(*state, &id);
	g_autoptr(GPtrArray) paths = files(*state);

	/* The last bytes: the footer of a pack, the last block of an index. */
	for (guint i = 0; i < paths->len; i++) {
		struct stat st;
		assert_int_equal(stat(paths->pdata[i], &st), 0);
		flip(paths->pdata[i], (gsize)st.st_size - 3);
	}
	Outcome outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.result.faults, paths->len);
	/* Neither a pack's table nor its index is left: nobody knows what was in them. */
	assert_int_equal(outcome.mended.packs_aside, 2);
	assert_clean(*state);
}

static void a_damaged_table_is_made_good_by_the_index(void **state)
{
	MlvId id;
	make(*state, &id);
	g_autoptr(MlvStore) store = mini_open(*state);
	g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
	struct stat st;

	assert_int_equal(stat(pack, &st), 0);
	flip(pack, (gsize)st.st_size - 3);
	Outcome outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.kinds[MLV_FAULT_PACK], 1);
	assert_int_equal(outcome.mended.packs_aside, 1);
	assert_int_equal(outcome.mended.rescued, 3);
	assert_int_equal(outcome.mended.lost, 0);
	assert_clean(*state);
	assert_true(mlv_store_refresh(store, NULL));
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

static void a_damaged_index_is_made_anew_from_the_packs(void **state)
{
	MlvId id;
	make(*state, &id);
	g_autoptr(GPtrArray) paths = files(*state);

	for (guint i = 0; i < paths->len; i++)
		if (strstr(paths->pdata[i], "/live/"))
			flip(paths->pdata[i], 20);
	g_autofree char *path = g_build_filename(((Scratch *)*state)->path, "store", NULL);
	assert_null(mlv_store_open(path, FALSE, NULL, NULL, NULL));
	Outcome outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.kinds[MLV_FAULT_INDEX], 2);
	assert_true(outcome.mended.indexes);
	assert_int_equal(outcome.mended.packs_aside, 0);
	assert_clean(*state);
	g_autoptr(MlvStore) store = mini_open(*state);
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

static void lost_indexes_are_no_fault_and_come_back(void **state)
{
	MlvId id;
	make(*state, &id);
	{
		g_autoptr(MlvStore) store = mini_open(*state);
		mini_lose_indexes(store);
	}
	Outcome outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.result.faults, 0);
	assert_int_equal(outcome.result.unindexed, 2);
	g_autoptr(MlvStore) store = mini_open(*state);
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
	assert_int_equal(check(*state, FALSE, 0).result.unindexed, 0);
}

static void a_pack_that_is_gone_is_a_fault_until_it_is_forgotten(void **state)
{
	MlvId id;
	make(*state, &id);
	{
		g_autoptr(MlvStore) store = mini_open(*state);
		g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
		assert_int_equal(unlink(pack), 0);
	}
	Outcome outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.kinds[MLV_FAULT_GONE], 1);
	assert_int_equal(outcome.mended.lost, 3);
	assert_clean(*state);
	g_autoptr(MlvStore) store = mini_open(*state);
	MlvPlace place;
	gboolean found;
	assert_true(mlv_store_find(store, MLV_KIND_BLOB, &id, &place, &found, NULL));
	assert_false(found);
}

/* A pack of three long chunks, the second damaged. */
static MlvId damage_one(const Scratch *scratch, MlvId *others)
{
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id;
	MlvPlace place;
	gboolean found;

	others[0] = mini_noise(writer, MINI_LONG, 1);
	id = mini_noise(writer, MINI_LONG, 2);
	others[1] = mini_noise(writer, MINI_LONG, 3);
	mini_commit(writer);
	assert_true(mlv_store_find(store, MLV_KIND_BLOB, &id, &place, &found, NULL));
	g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
	flip(pack, place.entry.offset + 100);
	return id;
}

static void good_chunks_are_saved_from_a_damaged_pack(void **state)
{
	MlvId others[2], id = damage_one(*state, others);
	Outcome outcome = check(*state, TRUE, 0);

	assert_int_equal(outcome.kinds[MLV_FAULT_OBJECT], 1);
	assert_int_equal(outcome.mended.rescued, 2);
	assert_int_equal(outcome.mended.lost, 1);
	assert_int_equal(outcome.mended.packs_aside, 1);
	assert_clean(*state);
	g_autoptr(MlvStore) store = mini_open(*state);
	assert_true(mini_has(store, MLV_KIND_BLOB, &others[0]));
	assert_true(mini_has(store, MLV_KIND_BLOB, &others[1]));
	assert_false(mini_has(store, MLV_KIND_BLOB, &id));
}

static void a_damaged_chunk_is_fetched_and_checked(void **state)
{
	MlvId others[2], id = damage_one(*state, others);
	Outcome outcome = check(*state, TRUE, 2);

	assert_int_equal(outcome.mended.fetched, 1);
	assert_int_equal(outcome.mended.lost, 0);
	assert_clean(*state);
	g_autoptr(MlvStore) store = mini_open(*state);
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

static void what_is_fetched_with_other_bytes_is_not_taken(void **state)
{
	MlvId others[2];
	damage_one(*state, others);
	Outcome outcome = check(*state, TRUE, 99);

	assert_int_equal(outcome.mended.fetched, 0);
	assert_int_equal(outcome.mended.lost, 1);
	assert_clean(*state);
}

static void a_damaged_format_file_is_found_and_mended(void **state)
{
	MlvId id;
	make(*state, &id);
	g_autofree char *path =
		g_build_filename(((Scratch *)*state)->path, "store", "format", NULL);

	flip(path, 12);
	Outcome outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.kinds[MLV_FAULT_FORMAT], 1);
	assert_clean(*state);
	assert_int_equal(unlink(path), 0);
	outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.kinds[MLV_FAULT_FORMAT], 1);
	assert_clean(*state);
}

static void an_index_that_lies_about_a_good_pack_is_made_anew(void **state)
{
	MlvId id;
	make(*state, &id);
	{
		g_autoptr(MlvStore) store = mini_open(*state);
		g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);
		MlvPlace place;
		gboolean found;

		assert_true(mlv_store_find(store, MLV_KIND_BLOB, &id, &place, &found, NULL));
		MlvId name = mlv_store_pack_name(store, place.pack);
		g_autoptr(MlvPackTable) table = mlv_upkeep_read_table(store, &name, NULL, NULL);
		mini_lose_indexes(store);
		table->entries[0].offset++;
		table->entries[0].stored--;
		mlv_index_builder_add_pack(builder, &name, table->size, table->entries,
					   table->count);
		assert_true(mlv_upkeep_publish_index(store, builder, NULL, FALSE, NULL));
	}
	Outcome outcome = check(*state, TRUE, 0);
	assert_int_equal(outcome.kinds[MLV_FAULT_ENTRIES] + outcome.kinds[MLV_FAULT_INDEX], 1);
	assert_clean(*state);
	g_autoptr(MlvStore) store = mini_open(*state);
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_store_is_clean_and_counted),
		TEST(every_byte_of_every_file_counts),
		TEST(every_length_of_every_file_counts),
		TEST(a_repair_mends_damage_anywhere_but_in_the_chunks),
		TEST(a_damaged_table_is_made_good_by_the_index),
		TEST(a_damaged_index_is_made_anew_from_the_packs),
		TEST(lost_indexes_are_no_fault_and_come_back),
		TEST(a_pack_that_is_gone_is_a_fault_until_it_is_forgotten),
		TEST(good_chunks_are_saved_from_a_damaged_pack),
		TEST(a_damaged_chunk_is_fetched_and_checked),
		TEST(what_is_fetched_with_other_bytes_is_not_taken),
		TEST(a_damaged_format_file_is_found_and_mended),
		TEST(an_index_that_lies_about_a_good_pack_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
