/* SPDX-License-Identifier: Apache-2.0 */
/* Files and streams into a store and out again. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "storage/chunker.h"
#include "storage/ingest.h"

typedef struct {
	char *dir;
	int fd;
	MlvStore *store;
	GArray *results; /* MlvIngested, errors owned */
} Fixture;

static void fill(guint8 *data, gsize length, guint64 seed)
{
	for (gsize i = 0; i < length; i += 8) {
		seed += 0x9e3779b97f4a7c15u;
		guint64 z = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		z ^= z >> 31;
		memcpy(data + i, &z, MIN(8, length - i));
	}
}

static void put_file(Fixture *fixture, const char *name, const guint8 *data, gsize length)
{
	g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

	assert_true(g_file_set_contents(path, (const char *)data, (gssize)length, NULL));
}

static void take(MlvIngested *result, gpointer user)
{
	MlvIngested copy = *result;

	result->error = NULL;
	g_array_append_val(((Fixture *)user)->results, copy);
}

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	g_autofree char *path = NULL;

	fixture->dir = g_dir_make_tmp("mlv-test-XXXXXX", NULL);
	fixture->fd = open(fixture->dir, O_RDONLY | O_DIRECTORY);
	path = g_build_filename(fixture->dir, "store", NULL);
	fixture->store = mlv_store_open(path, TRUE, NULL, NULL, NULL);
	fixture->results = g_array_new(FALSE, FALSE, sizeof(MlvIngested));
	*state = fixture;
	return fixture->store ? 0 : -1;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	const char *argv[] = { "rm", "-rf", fixture->dir, NULL };

	for (guint i = 0; i < fixture->results->len; i++)
		g_clear_error(&g_array_index(fixture->results, MlvIngested, i).error);
	g_array_unref(fixture->results);
	mlv_store_close(fixture->store);
	close(fixture->fd);
	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
		     NULL);
	g_free(fixture->dir);
	g_free(fixture);
	return 0;
}

static GByteArray *read_back(MlvStore *store, const MlvRef *ref)
{
	GByteArray *out = g_byte_array_new();
	guint64 offset, length;
	MlvId id;
	g_autoptr(MlvLeafCursor) cursor =
		mlv_leaf_cursor_new(mlv_store_source(store), ref, 0, NULL);

	assert_non_null(cursor);
	for (;;) {
		assert_true(mlv_leaf_cursor_next(cursor, &id, &offset, &length, NULL));
		if (length == 0)
			return out;
		assert_int_equal(offset, out->len);
		g_autoptr(GBytes) bytes = mlv_store_read_chunk(store, MLV_KIND_BLOB, &id, NULL);
		assert_non_null(bytes);
		assert_int_equal(length, g_bytes_get_size(bytes));
		g_byte_array_append(out, g_bytes_get_data(bytes, NULL), (guint)length);
	}
}

static const MlvIngested *result(const Fixture *fixture, guint i)
{
	assert_true(i < fixture->results->len);
	return &g_array_index(fixture->results, MlvIngested, i);
}

static void ingest(Fixture *fixture, const char *const *names, const guint64 *sizes, guint count,
		   guint threads)
{
	MlvWriteOptions write = { .sync = FALSE, .level = 1 };
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(fixture->store, &write);
	g_autoptr(MlvIngest) in = mlv_ingest_new(writer, threads, NULL, take, fixture);

	for (guint i = 0; i < count; i++)
		assert_true(mlv_ingest_file(in, fixture->fd, names[i], sizes[i],
					    GUINT_TO_POINTER(i), &error));
	assert_true(mlv_ingest_finish(in, &error));
	assert_true(mlv_store_writer_commit(writer, &error));
}

static void check_file(Fixture *fixture, gsize length)
{
	g_autofree guint8 *data = g_malloc(length + 1);
	const char *name = "file";
	guint64 size = length;

	fill(data, length, length);
	put_file(fixture, name, data, length);
	ingest(fixture, &name, &size, 1, 2);
	const MlvIngested *got = result(fixture, fixture->results->len - 1);
	assert_null(got->error);
	assert_int_equal(got->ref.size, length);
	g_autoptr(GByteArray) back = read_back(fixture->store, &got->ref);
	assert_int_equal(back->len, length);
	assert_memory_equal(back->data, data, length);
	if (length <= MLV_CHUNK_MAX) {
		MlvId id;
		mlv_id_of(data, length, &id);
		assert_int_equal(got->ref.depth, 0);
		assert_memory_equal(&id, &got->ref.id, sizeof(id));
	}
}

static void files_of_all_sizes_come_back(void **state)
{
	static const gsize sizes[] = { 0,
				       1,
				       100,
				       MLV_CHUNK_MAX - 1,
				       MLV_CHUNK_MAX,
				       MLV_CHUNK_MAX + 1,
				       (2u << 20) - 1,
				       2u << 20,
				       (2u << 20) + 1,
				       9000000 };

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
		check_file(*state, sizes[i]);
}

static void a_stream_has_the_id_of_the_same_file(void **state)
{
	static const gsize sizes[] = { 0, 5, MLV_CHUNK_MAX, MLV_CHUNK_MAX + 1, 2u << 20, 7654321 };
	Fixture *fixture = *state;

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		check_file(fixture, sizes[i]);
		MlvRef file = result(fixture, fixture->results->len - 1)->ref;
		g_autofree guint8 *data = g_malloc(sizes[i] + 1);
		g_autoptr(MlvIngest) in = mlv_ingest_new(NULL, 2, NULL, take, fixture);

		fill(data, sizes[i], sizes[i]);
		assert_true(mlv_ingest_stream_begin(in, NULL, NULL));
		for (gsize at = 0; at < sizes[i]; at += 77777)
			assert_true(mlv_ingest_stream_write(in, data + at,
							    MIN(77777, sizes[i] - at), NULL));
		assert_true(mlv_ingest_stream_end(in, NULL));
		assert_true(mlv_ingest_finish(in, NULL));
		assert_true(mlv_ref_equal(&file, &result(fixture, fixture->results->len - 1)->ref));
	}
}

static void results_come_in_order_whatever_the_threads(void **state)
{
	Fixture *fixture = *state;
	enum {
		COUNT = 400
	};
	g_autofree guint8 *data = g_malloc(3u << 20);
	const char *names[COUNT];
	guint64 sizes[COUNT];

	for (guint i = 0; i < COUNT; i++) {
		g_autofree char *name = g_strdup_printf("n%03u", i);
		sizes[i] = i % 50 == 7 ? 3u << 20 : i * 13;
		fill(data, sizes[i], i);
		put_file(fixture, name, data, sizes[i]);
		names[i] = g_intern_string(name);
	}
	ingest(fixture, names, sizes, COUNT, 5);
	assert_int_equal(fixture->results->len, COUNT);
	for (guint i = 0; i < COUNT; i++) {
		const MlvIngested *got = result(fixture, i);
		assert_int_equal(GPOINTER_TO_UINT(got->tag), i);
		assert_null(got->error);
		fill(data, sizes[i], i);
		g_autoptr(GByteArray) back = read_back(fixture->store, &got->ref);
		assert_int_equal(back->len, sizes[i]);
		assert_memory_equal(back->data, data, sizes[i]);
	}
}

static void a_file_that_is_gone_or_has_grown_fails_alone(void **state)
{
	Fixture *fixture = *state;
	const char *names[] = { "good", "gone", "grown", "large-gone" };
	guint64 sizes[] = { 3, 10, 2, 5u << 20 };

	put_file(fixture, "good", (const guint8 *)"abc", 3);
	put_file(fixture, "grown", (const guint8 *)"abcdef", 6);
	ingest(fixture, names, sizes, 4, 2);
	assert_null(result(fixture, 0)->error);
	for (guint i = 1; i < 4; i++)
		assert_non_null(result(fixture, i)->error);
}

static void the_same_content_is_stored_once(void **state)
{
	Fixture *fixture = *state;
	g_autofree guint8 *data = g_malloc(5u << 20);
	const char *names[] = { "one", "two" };
	guint64 sizes[] = { 5u << 20, 5u << 20 };
	MlvWriteOptions write = { .sync = FALSE, .level = 1 };

	fill(data, 5u << 20, 1);
	put_file(fixture, "one", data, 5u << 20);
	put_file(fixture, "two", data, 5u << 20);
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(fixture->store, &write);
	g_autoptr(MlvIngest) in = mlv_ingest_new(writer, 2, NULL, take, fixture);
	for (guint i = 0; i < 2; i++)
		assert_true(mlv_ingest_file(in, fixture->fd, names[i], sizes[i], NULL, NULL));
	assert_true(mlv_ingest_finish(in, NULL));
	assert_true(mlv_store_writer_commit(writer, NULL));
	assert_true(mlv_ref_equal(&result(fixture, 0)->ref, &result(fixture, 1)->ref));
	assert_in_range(mlv_store_writer_written(writer), 5u << 20, (5u << 20) + 10000);
}

/* --- what bounds and ends the work ------------------------------------------------------------ */

#define PACK_ENTRIES  (128u << 10) /* chunks at which a pack is full */
#define FLUSH_ENTRIES (256u << 10) /* and at which an index is written */

/* Puts so many chunks of one byte. */
static void put_tiny(MlvStoreWriter *writer, guint64 from, guint64 count)
{
	g_autofree MlvPackEntry *entries = g_new0(MlvPackEntry, count);
	g_autofree guint8 *bytes = g_malloc0(count);
	const MlvStorePiece piece = { bytes, count };
	MlvStoreRoom room;

	for (guint64 i = 0; i < count; i++) {
		guint64 number = from + i;
		mlv_id_of(&number, sizeof(number), &entries[i].id);
		entries[i].kind = MLV_KIND_BLOB;
		entries[i].raw = entries[i].stored = 1;
	}
	assert_true(mlv_store_writer_reserve(writer, entries, count, &room, NULL));
	assert_true(mlv_store_writer_fill(writer, &room, &piece, 1, NULL));
}

/* Small files, every other one compressible: the new chunks of one job lie in many pieces. */
static void give_mixed(Fixture *fixture, MlvIngest *in, guint count)
{
	guint8 data[2000];

	for (guint i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("m%03u", i);

		fill(data, sizeof(data), i);
		if (i % 2 == 0)
			memset(data + 8, 'x', sizeof(data) - 8);
		put_file(fixture, name, data, sizeof(data));
		assert_true(mlv_ingest_file(in, fixture->fd, name, sizeof(data),
					    GUINT_TO_POINTER(i), NULL));
	}
}

static void a_job_at_which_an_index_is_written_does_not_wait_for_itself(void **state)
{
	Fixture *fixture = *state;
	MlvWriteOptions write = { .sync = FALSE, .level = 1 };
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(fixture->store, &write);
	g_autoptr(MlvIngest) in = mlv_ingest_new(writer, 2, NULL, take, fixture);

	put_tiny(writer, 0, PACK_ENTRIES);
	put_tiny(writer, PACK_ENTRIES, FLUSH_ENTRIES - PACK_ENTRIES - 3);
	give_mixed(fixture, in, 400);
	assert_true(mlv_ingest_finish(in, NULL));
	assert_true(mlv_store_writer_commit(writer, NULL));
	for (guint i = 0; i < 400; i++) {
		g_autoptr(GByteArray) back = read_back(fixture->store, &result(fixture, i)->ref);
		assert_int_equal(back->len, 2000);
	}
}

static void one_thread_does_it_all(void **state)
{
	Fixture *fixture = *state;
	g_autofree guint8 *data = g_malloc(5u << 20);
	const char *names[] = { "small", "large", "gone", "next" };
	guint64 sizes[] = { 100, 5u << 20, 1u << 20, 1000 };

	fill(data, 5u << 20, 9);
	put_file(fixture, "small", data, 100);
	put_file(fixture, "large", data, 5u << 20);
	put_file(fixture, "next", data, 1000);
	ingest(fixture, names, sizes, 4, 1);
	assert_non_null(result(fixture, 2)->error);
	g_autoptr(GByteArray) back = read_back(fixture->store, &result(fixture, 1)->ref);
	assert_int_equal(back->len, 5u << 20);
	assert_memory_equal(back->data, data, back->len);
}

static void chunks_of_a_file_lie_one_behind_the_other_whatever_the_threads(void **state)
{
	Fixture *fixture = *state;
	g_autofree guint8 *data = g_malloc(9u << 20);
	const char *name = "file";
	guint64 size = 9u << 20, offset, length, end = 0, expected = 0;
	MlvId id;

	fill(data, size, 3);
	put_file(fixture, name, data, size);
	ingest(fixture, &name, &size, 1, 5);
	g_autoptr(MlvLeafCursor) cursor = mlv_leaf_cursor_new(mlv_store_source(fixture->store),
							      &result(fixture, 0)->ref, 0, NULL);
	while (mlv_leaf_cursor_next(cursor, &id, &offset, &length, NULL) && length > 0) {
		MlvPlace place;
		gboolean found;

		assert_true(
			mlv_store_find(fixture->store, MLV_KIND_BLOB, &id, &place, &found, NULL));
		assert_true(found);
		if (expected > 0)
			assert_int_equal(place.entry.offset, expected);
		expected = place.entry.offset + place.entry.stored;
		end = offset + length;
	}
	assert_int_equal(end, size);
}

/* Gives files until that, or the finish, fails: how many were taken. */
static guint give_until_it_fails(Fixture *fixture, guint threads,
				 const volatile sig_atomic_t *cancel, MlvStoreWriter *writer,
				 GError **error)
{
	g_autoptr(MlvIngest) in = mlv_ingest_new(writer, threads, cancel, take, fixture);

	for (guint i = 0; i < 20; i++) {
		g_autofree char *name = g_strdup_printf("large%u", i);
		g_autofree guint8 *data = g_malloc(3u << 20);

		fill(data, 3u << 20, 100 + i);
		put_file(fixture, name, data, 3u << 20);
		if (!mlv_ingest_file(in, fixture->fd, name, 3u << 20, NULL, error))
			return i;
	}
	assert_false(mlv_ingest_finish(in, error));
	return 20;
}

static void an_interrupted_ingest_ends_with_that_error(void **state)
{
	MlvWriteOptions write = { .sync = FALSE, .level = 1 };

	for (guint threads = 1; threads <= 4; threads += 3) {
		Fixture *fixture = *state;
		volatile sig_atomic_t cancel = 1;
		g_autoptr(GError) error = NULL;
		g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(fixture->store, &write);

		give_until_it_fails(fixture, threads, &cancel, writer, &error);
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CANCELLED));
	}
}

static void interrupt(MlvIngested *result, gpointer user)
{
	__atomic_store_n((volatile sig_atomic_t *)user, 1, __ATOMIC_RELAXED);
}

static void an_ingest_can_be_interrupted_while_jobs_wait_for_their_turn(void **state)
{
	Fixture *fixture = *state;
	MlvWriteOptions write = { .sync = FALSE, .level = 1 };
	volatile sig_atomic_t cancel = 0;
	g_autofree guint8 *data = g_malloc(20u << 20);
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(fixture->store, &write);
	g_autoptr(MlvIngest) in =
		mlv_ingest_new(writer, 4, &cancel, interrupt, (gpointer)(gintptr)&cancel);

	fill(data, 20u << 20, 1);
	put_file(fixture, "small", data, 10);
	put_file(fixture, "large", data, 20u << 20);
	assert_true(mlv_ingest_file(in, fixture->fd, "small", 10, NULL, NULL));
	assert_false(mlv_ingest_file(in, fixture->fd, "large", 20u << 20, NULL, &error) &&
		     mlv_ingest_finish(in, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CANCELLED));
}

static void a_store_that_cannot_be_written_ends_the_whole(void **state)
{
	MlvWriteOptions write = { .sync = FALSE, .level = 1 };
	struct rlimit before, limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 4u << 20;
	signal(SIGXFSZ, SIG_IGN);
	for (guint threads = 1; threads <= 4; threads += 3) {
		Fixture *fixture = *state;
		g_autoptr(GError) error = NULL;
		g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(fixture->store, &write);

		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		give_until_it_fails(fixture, threads, NULL, writer, &error);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_non_null(strstr(error->message, "cannot write"));
		assert_false(mlv_store_writer_commit(writer, NULL));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_of_all_sizes_come_back),
		TEST(a_stream_has_the_id_of_the_same_file),
		TEST(results_come_in_order_whatever_the_threads),
		TEST(a_file_that_is_gone_or_has_grown_fails_alone),
		TEST(the_same_content_is_stored_once),
		TEST(a_job_at_which_an_index_is_written_does_not_wait_for_itself),
		TEST(one_thread_does_it_all),
		TEST(chunks_of_a_file_lie_one_behind_the_other_whatever_the_threads),
		TEST(an_interrupted_ingest_ends_with_that_error),
		TEST(an_ingest_can_be_interrupted_while_jobs_wait_for_their_turn),
		TEST(a_store_that_cannot_be_written_ends_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
