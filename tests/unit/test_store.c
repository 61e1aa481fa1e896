/* SPDX-License-Identifier: Apache-2.0 */
/* The local store: what is found, when it is seen, and what a session that fails leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "storage/format.h"
#include "tests/unit/mini_store.h"

#define LIVE_LIMIT 8

static gboolean found(MlvStore *store, MlvKind kind, const MlvId *id)
{
	MlvPlace place;
	gboolean has;

	assert_true(mlv_store_find(store, kind, id, &place, &has, NULL));
	return has;
}

static void replace_file(const Scratch *scratch, const char *name, const char *text)
{
	g_auto(MlvFd) fd = scratch_file(scratch, name);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* --- opening ---------------------------------------------------------------------------------- */

static void an_absent_store_is_missing_unless_it_may_be_made(void **state)
{
	const Scratch *scratch = *state;
	g_autofree char *path = g_build_filename(scratch->path, "store", NULL);
	g_autoptr(GError) error = NULL;

	assert_null(mlv_store_open(path, FALSE, NULL, NULL, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	g_autoptr(MlvStore) made = mini_open(scratch);
	assert_string_equal(mlv_store_path(made), path);
	g_autoptr(MlvStore) again = mlv_store_open(path, FALSE, NULL, NULL, NULL);
	assert_non_null(again);
}

static void a_store_that_was_being_made_when_killed_is_completed(void **state)
{
	const Scratch *scratch = *state;

	assert_int_equal(mkdirat(scratch->fd, "store", 0777), 0);
	assert_int_equal(mkdirat(scratch->fd, "store/packs", 0777), 0);
	g_autoptr(MlvStore) store = mini_open(scratch);
	assert_non_null(store);
	g_autoptr(GBytes) format = scratch_read(scratch, "store/format");
	assert_true(mlv_format_check(format, MLV_ROLE_STORE, "store", NULL));
}

static void a_remote_and_a_newer_format_are_not_opened(void **state)
{
	const Scratch *scratch = *state;
	g_autofree char *path = g_build_filename(scratch->path, "store", NULL);
	g_autofree char *remote = mlv_format_text(MLV_ROLE_REMOTE);
	const char *texts[] = { remote, "mlv 2\nsomething new\n" };

	mlv_store_close(mini_open(scratch));
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		replace_file(scratch, "store/format", texts[i]);
		assert_null(mlv_store_open(path, TRUE, NULL, NULL, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
		g_autoptr(MlvStore) store = mlv_store_open_damaged(path, NULL, NULL, NULL);
		assert_null(store);
	}
}

static void a_damaged_index_closes_the_store_but_to_fsck(void **state)
{
	const Scratch *scratch = *state;
	g_autofree char *path = g_build_filename(scratch->path, "store", NULL);
	g_autoptr(GError) error = NULL;
	MlvStore *store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, 1000, 1);

	mini_commit(writer);
	g_autoptr(GArray) names = mlv_upkeep_index_names(store, NULL);
	char index[MLV_INDEX_NAME_LENGTH + 1];
	mlv_index_path(&g_array_index(names, MlvId, 0), index);
	mlv_store_close(store);
	g_autofree char *file = g_build_filename(scratch->path, "store", index, NULL);
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(truncate(file, 40), 0);
	assert_null(mlv_store_open(path, FALSE, NULL, NULL, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	g_autoptr(MlvStore) damaged = mlv_store_open_damaged(path, NULL, NULL, NULL);
	assert_non_null(damaged);
	assert_false(found(damaged, MLV_KIND_BLOB, &id));
}

/* --- finding and reading ---------------------------------------------------------------------- */

static void what_is_committed_is_found_and_read(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId text = mini_put(writer, MLV_KIND_BLOB, "hello", 5);
	MlvId noise = mini_noise(writer, 200000, 7);
	g_autofree guint8 *zeros = g_malloc0(100000);
	MlvId small = mini_put(writer, MLV_KIND_BLOB, zeros, 100000);

	assert_false(found(store, MLV_KIND_BLOB, &text));
	mini_commit(writer);
	g_autoptr(GBytes) back = mlv_store_read_chunk(store, MLV_KIND_BLOB, &text, NULL);
	assert_int_equal(g_bytes_get_size(back), 5);
	assert_memory_equal(g_bytes_get_data(back, NULL), "hello", 5);
	assert_true(mini_has(store, MLV_KIND_BLOB, &noise));
	assert_true(mini_has(store, MLV_KIND_BLOB, &small));
	MlvPlace place;
	gboolean has;
	assert_true(mlv_store_find(store, MLV_KIND_BLOB, &small, &place, &has, NULL));
	assert_int_equal(place.entry.raw, 100000);
	assert_in_range(place.entry.stored, 1, 1000);
}

static void the_same_bytes_as_blob_and_list_are_two_objects(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_put(writer, MLV_KIND_BLOB, "L but not a list", 16);

	mini_commit(writer);
	assert_true(found(store, MLV_KIND_BLOB, &id));
	assert_false(found(store, MLV_KIND_LIST, &id));
	writer = mini_writer(store);
	mini_put(writer, MLV_KIND_LIST, "L but not a list", 16);
	mini_commit(writer);
	assert_true(found(store, MLV_KIND_LIST, &id));
	assert_int_equal(mini_packs(store), 2);
}

static void an_object_that_is_not_here_is_missing_by_name(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	g_autoptr(GError) error = NULL;
	MlvId id;

	mlv_id_of("x", 1, &id);
	assert_null(mlv_store_read_chunk(store, MLV_KIND_BLOB, &id, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_non_null(strstr(error->message, "sha256:2d711642b726b044"));
}

static void damaged_bytes_are_an_error_that_names_the_object(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, 1000, 1);
	g_autoptr(GError) error = NULL;
	char hex[MLV_ID_HEX + 1];

	mini_commit(writer);
	g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
	assert_int_equal(chmod(pack, 0600), 0);
	g_auto(MlvFd) fd = open(pack, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "damage", 6, 500), 6);
	assert_null(mlv_store_read_chunk(store, MLV_KIND_BLOB, &id, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	mlv_id_format(&id, hex);
	assert_non_null(strstr(error->message, hex));
}

/* --- sessions --------------------------------------------------------------------------------- */

static void what_is_here_is_not_stored_again(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);

	mini_noise(writer, 5000, 1);
	mini_noise(writer, 5000, 1);
	assert_int_equal(mlv_store_writer_written(writer), 5000);
	mini_commit(writer);
	writer = mini_writer(store);
	mini_noise(writer, 5000, 1);
	assert_int_equal(mlv_store_writer_written(writer), 0);
	mini_commit(writer);
	assert_int_equal(mini_packs(store), 1);
	assert_int_equal(mini_indexes(store), 1);
}

static void a_session_that_is_dropped_leaves_nothing(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	guint64 strays;

	mini_noise(writer, 50000, 1);
	mlv_store_writer_free(writer);
	g_autoptr(GArray) packs = mlv_upkeep_packs(store, &strays, NULL);
	assert_int_equal(packs->len, 0);
	assert_int_equal(strays, 0);
	assert_int_equal(mini_indexes(store), 0);
}

static void a_session_goes_on_after_a_commit(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId a = mini_noise(writer, 100, 1);

	assert_true(mlv_store_writer_commit(writer, NULL));
	MlvId b = mini_noise(writer, 100, 2);
	assert_false(found(store, MLV_KIND_BLOB, &b));
	mini_commit(writer);
	assert_true(mini_has(store, MLV_KIND_BLOB, &a));
	assert_true(mini_has(store, MLV_KIND_BLOB, &b));
}

static void what_another_process_stored_is_seen_after_a_refresh(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	g_autoptr(MlvStore) other = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(other);
	MlvId id = mini_noise(writer, 100, 1);

	mini_commit(writer);
	assert_false(found(store, MLV_KIND_BLOB, &id));
	assert_true(mlv_store_refresh(store, NULL));
	assert_true(mini_has(store, MLV_KIND_BLOB, &id));
}

static void small_indexes_are_merged_as_they_pile_up(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	g_autoptr(MlvStore) bystander = mini_open(scratch);
	MlvId ids[40];

	for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
		MlvStoreWriter *writer = mini_writer(store);

		ids[i] = mini_noise(writer, 10, i + 1);
		mini_commit(writer);
		assert_in_range(mini_indexes(store), 1, LIVE_LIMIT + 1);
	}
	assert_true(mlv_store_refresh(bystander, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
		assert_true(mini_has(store, MLV_KIND_BLOB, &ids[i]));
		assert_true(mini_has(bystander, MLV_KIND_BLOB, &ids[i]));
	}
}

static void a_full_pack_is_followed_by_another(void **state)
{
	enum {
		BATCH = 1024,
		BATCHES = 129
	};
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	g_autofree MlvPackEntry *entries = g_new0(MlvPackEntry, BATCH);
	guint8 bytes[BATCH] = { 0 };
	const MlvStorePiece piece = { bytes, BATCH };

	for (guint64 i = 0; i < BATCHES; i++) {
		MlvStoreRoom room;

		for (guint64 j = 0; j < BATCH; j++) {
			guint64 number = i * BATCH + j;
			mlv_id_of(&number, sizeof(number), &entries[j].id);
			entries[j].kind = MLV_KIND_BLOB;
			entries[j].raw = entries[j].stored = 1;
		}
		assert_true(mlv_store_writer_reserve(writer, entries, BATCH, &room, NULL));
		assert_true(mlv_store_writer_fill(writer, &room, &piece, 1, NULL));
	}
	mini_commit(writer);
	assert_int_equal(mini_packs(store), 2);
	for (guint64 number = 0; number < BATCH * BATCHES; number += 1000) {
		MlvId id;
		mlv_id_of(&number, sizeof(number), &id);
		assert_true(found(store, MLV_KIND_BLOB, &id));
	}
}

/* --- several threads -------------------------------------------------------------------------- */

#define THREADS      4
#define THREAD_JOBS  50
#define THREAD_PIECE 3000

/* Three chunks in two pieces, not in the order in which they lie in memory. */
static void write_job(MlvStoreWriter *writer, guint64 seed)
{
	g_autofree guint8 *bytes = g_malloc(3 * THREAD_PIECE);
	const MlvStorePiece pieces[2] = { { bytes + 2 * THREAD_PIECE, THREAD_PIECE },
					  { bytes, 2 * THREAD_PIECE } };
	MlvPackEntry entries[3] = { 0 };
	MlvStoreRoom room;

	scratch_noise(bytes, 3 * THREAD_PIECE, seed);
	for (guint i = 0; i < 3; i++) {
		const guint8 *data = i == 0 ? pieces[0].bytes : bytes + (i - 1) * THREAD_PIECE;
		gboolean mine;

		mlv_id_of(data, THREAD_PIECE, &entries[i].id);
		entries[i].kind = MLV_KIND_BLOB;
		entries[i].raw = entries[i].stored = THREAD_PIECE;
		entries[i].check = mlv_pack_check_value(&entries[i], data);
		g_assert_true(
			mlv_store_writer_claim(writer, MLV_KIND_BLOB, &entries[i].id, &mine, NULL));
		g_assert_true(mine);
	}
	g_assert_true(mlv_store_writer_reserve(writer, entries, 3, &room, NULL));
	g_assert_true(mlv_store_writer_fill(writer, &room, pieces, 2, NULL));
}

typedef struct {
	MlvStoreWriter *writer;
	guint number;
	gint *claimed; /* atomic: how many threads were told that the chunk is theirs */
} Thread;

static gpointer write_many(gpointer user)
{
	Thread *thread = user;

	for (guint i = 0; i < THREAD_JOBS; i++)
		write_job(thread->writer, 1 + thread->number * THREAD_JOBS + i);
	return NULL;
}

static gpointer claim_common(gpointer user)
{
	Thread *thread = user;
	gboolean mine;
	MlvId id;

	mlv_id_of("common", 6, &id);
	g_assert_true(mlv_store_writer_claim(thread->writer, MLV_KIND_BLOB, &id, &mine, NULL));
	if (mine)
		g_atomic_int_inc(thread->claimed);
	return NULL;
}

static void run_threads(MlvStoreWriter *writer, GThreadFunc run, gint *claimed)
{
	Thread threads[THREADS];
	GThread *running[THREADS];

	for (guint i = 0; i < THREADS; i++) {
		threads[i] = (Thread){ writer, i, claimed };
		running[i] = g_thread_new("test", run, &threads[i]);
	}
	for (guint i = 0; i < THREADS; i++)
		g_thread_join(running[i]);
}

static void threads_reserve_and_fill_at_once(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	g_autofree guint8 *bytes = g_malloc(3 * THREAD_PIECE);

	run_threads(writer, write_many, NULL);
	mini_commit(writer);
	assert_int_equal(mini_packs(store), 1);
	for (guint seed = 1; seed <= THREADS * THREAD_JOBS; seed++) {
		scratch_noise(bytes, 3 * THREAD_PIECE, seed);
		for (guint i = 0; i < 3; i++) {
			MlvId id;
			mlv_id_of(bytes + i * THREAD_PIECE, THREAD_PIECE, &id);
			assert_true(mini_has(store, MLV_KIND_BLOB, &id));
		}
	}
}

static void a_chunk_is_claimed_by_one_thread_only(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	g_autoptr(MlvStoreWriter) writer = mini_writer(store);
	gint claimed = 0;

	run_threads(writer, claim_common, &claimed);
	assert_int_equal(claimed, 1);
}

/* --- failures --------------------------------------------------------------------------------- */

static void a_session_that_failed_only_fails(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	g_autoptr(MlvStoreWriter) writer = mini_writer(store);
	g_autoptr(GError) error = NULL, again = NULL, commit = NULL;
	const guint32 length = MLV_CHUNK_LIMIT + 1;
	MlvPackEntry bad = { .kind = MLV_KIND_BLOB, .raw = length, .stored = length };
	MlvId id;

	mini_noise(writer, 100, 1);
	assert_false(mlv_store_writer_put_stored(writer, &bad, (const guint8 *)"", &error));
	mlv_id_of("good", 4, &id);
	assert_false(mlv_store_writer_put(MLV_KIND_BLOB, &id, (const guint8 *)"good", 4, writer,
					  &again));
	assert_string_equal(again->message, error->message);
	assert_false(mlv_store_writer_commit(writer, &commit));
	assert_string_equal(commit->message, error->message);
	assert_int_equal(mini_packs(store), 0);
	assert_int_equal(mini_indexes(store), 0);
}

static void what_could_not_be_written_is_not_committed(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	g_autoptr(MlvStoreWriter) writer = mini_writer(store);
	g_autoptr(GError) error = NULL, commit = NULL;
	g_autofree guint8 *bytes = g_malloc(100000);
	struct rlimit before, limit;
	MlvId id;

	scratch_noise(bytes, 100000, 1);
	mlv_id_of(bytes, 100000, &id);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 50000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	gboolean ok = mlv_store_writer_put(MLV_KIND_BLOB, &id, bytes, 100000, writer, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(ok);
	assert_non_null(strstr(error->message, "cannot write"));
	/* There is room again, but not for what is lost. */
	assert_false(mlv_store_writer_commit(writer, &commit));
	assert_string_equal(commit->message, error->message);
	assert_false(mlv_store_writer_commit(writer, NULL));
	assert_int_equal(mini_packs(store), 0);
	assert_int_equal(mini_indexes(store), 0);
}

/* --- gc's part -------------------------------------------------------------------------------- */

static void close_other(gboolean exclusive, gpointer user)
{
	MlvStore **other = user;

	assert_true(exclusive);
	g_clear_pointer(other, mlv_store_close);
}

static void an_exclusive_lock_waits_for_the_others_and_says_so(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStore *other = mini_open(scratch);

	assert_true(mlv_store_lock_exclusive(store, close_other, &other, NULL));
	assert_null(other);
}

static void a_lone_process_does_not_wait_for_the_lock(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStore *untouched = store;

	assert_true(mlv_store_lock_exclusive(store, close_other, &untouched, NULL));
	assert_ptr_equal(untouched, store);
}

static void each_generation_is_another(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	guint64 first, same, next;

	assert_true(mlv_store_generation(store, &first, NULL));
	assert_true(mlv_store_generation(store, &same, NULL));
	assert_int_equal(first, same);
	assert_true(mlv_store_new_generation(store, FALSE, NULL));
	assert_true(mlv_store_generation(store, &next, NULL));
	assert_int_not_equal(first, next);
}

static void a_pack_that_is_relied_upon_becomes_young(void **state)
{
	const Scratch *scratch = *state;
	g_autoptr(MlvStore) store = mini_open(scratch);
	MlvStoreWriter *writer = mini_writer(store);
	MlvId id = mini_noise(writer, 100, 1);
	const struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
	struct stat st;

	mini_commit(writer);
	g_autofree char *pack = mini_pack_of(store, MLV_KIND_BLOB, &id);
	assert_int_equal(utimensat(AT_FDCWD, pack, old, 0), 0);
	writer = mini_writer(store);
	mini_noise(writer, 100, 2);
	mini_commit(writer);
	assert_int_equal(stat(pack, &st), 0);
	assert_int_equal(st.st_mtime, 1000000);
	writer = mini_writer(store);
	mini_noise(writer, 100, 1);
	mini_commit(writer);
	assert_int_equal(stat(pack, &st), 0);
	assert_true(st.st_mtime > 1000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_absent_store_is_missing_unless_it_may_be_made),
		TEST(a_store_that_was_being_made_when_killed_is_completed),
		TEST(a_remote_and_a_newer_format_are_not_opened),
		TEST(a_damaged_index_closes_the_store_but_to_fsck),
		TEST(what_is_committed_is_found_and_read),
		TEST(the_same_bytes_as_blob_and_list_are_two_objects),
		TEST(an_object_that_is_not_here_is_missing_by_name),
		TEST(damaged_bytes_are_an_error_that_names_the_object),
		TEST(what_is_here_is_not_stored_again),
		TEST(a_session_that_is_dropped_leaves_nothing),
		TEST(a_session_goes_on_after_a_commit),
		TEST(what_another_process_stored_is_seen_after_a_refresh),
		TEST(small_indexes_are_merged_as_they_pile_up),
		TEST(a_full_pack_is_followed_by_another),
		TEST(threads_reserve_and_fill_at_once),
		TEST(a_chunk_is_claimed_by_one_thread_only),
		TEST(a_session_that_failed_only_fails),
		TEST(what_could_not_be_written_is_not_committed),
		TEST(an_exclusive_lock_waits_for_the_others_and_says_so),
		TEST(a_lone_process_does_not_wait_for_the_lock),
		TEST(each_generation_is_another),
		TEST(a_pack_that_is_relied_upon_becomes_young),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
