/* SPDX-License-Identifier: Apache-2.0 */
/* Files and streams into a store and out again. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_of_all_sizes_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stream_has_the_id_of_the_same_file, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(results_come_in_order_whatever_the_threads, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_is_gone_or_has_grown_fails_alone,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_same_content_is_stored_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
