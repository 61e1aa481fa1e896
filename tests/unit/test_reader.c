/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/chain.h"
#include "core/reader.h"
#include "core/textdiff.h"
#include "tests/unit/scratch.h"

/* --- a source in memory
 * --------------------------------------------------------------------------- */

typedef struct {
	MlvSource source;
	GMutex lock;
	GHashTable *chunks; /* MlvId -> GBytes */
	guint reads, prefetched;
	gboolean lists_only; /* blobs are not here */
} Memory;

static GBytes *memory_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	Memory *memory = (Memory *)source;
	GBytes *bytes = NULL;

	g_mutex_lock(&memory->lock);
	memory->reads++;
	if (!memory->lists_only || kind != MLV_KIND_BLOB)
		bytes = g_hash_table_lookup(memory->chunks, id);
	if (bytes)
		g_bytes_ref(bytes);
	g_mutex_unlock(&memory->lock);
	if (!bytes)
		mlv_fail(error, MLV_ERROR_MISSING, "not here");
	return bytes;
}

static gboolean memory_has(MlvSource *source, MlvKind kind, const MlvId *id, gboolean *has,
			   GError **error)
{
	Memory *memory = (Memory *)source;

	g_mutex_lock(&memory->lock);
	*has = (!memory->lists_only || kind != MLV_KIND_BLOB) &&
	       g_hash_table_contains(memory->chunks, id);
	g_mutex_unlock(&memory->lock);
	return TRUE;
}

static gboolean memory_prefetch(MlvSource *source, MlvKind kind, const MlvId *ids, gsize count,
				GError **error)
{
	((Memory *)source)->prefetched += (guint)count;
	return TRUE;
}

static gboolean memory_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			   gpointer user, GError **error)
{
	Memory *memory = user;

	g_hash_table_replace(memory->chunks, g_memdup2(id, sizeof(*id)), g_bytes_new(data, length));
	return TRUE;
}

static Memory *memory_new(void)
{
	Memory *memory = g_new0(Memory, 1);

	memory->source.read = memory_read;
	memory->source.has = memory_has;
	memory->source.prefetch = memory_prefetch;
	g_mutex_init(&memory->lock);
	memory->chunks = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free,
					       (GDestroyNotify)g_bytes_unref);
	return memory;
}

static void memory_free(Memory *memory)
{
	g_hash_table_unref(memory->chunks);
	g_mutex_clear(&memory->lock);
	g_free(memory);
}

static int setup(void **state)
{
	*state = memory_new();
	return 0;
}

static int teardown(void **state)
{
	memory_free(*state);
	return 0;
}

/* Stores bytes in chunks of 50,000 under a list. */
static MlvRef store(Memory *memory, const guint8 *data, gsize length)
{
	MlvListBuilder *builder = mlv_list_builder_new(MLV_KIND_BLOB, memory_put, memory);
	MlvRef ref;

	for (gsize at = 0; at < length; at += 50000) {
		gsize part = MIN(50000, length - at);
		MlvId id;

		mlv_id_of(data + at, part, &id);
		memory_put(MLV_KIND_BLOB, &id, data + at, part, memory, NULL);
		assert_true(mlv_list_builder_add(builder, &id, part, NULL));
	}
	assert_true(mlv_list_builder_finish(builder, &ref, NULL));
	mlv_list_builder_free(builder);
	return ref;
}

static guint8 *noise(gsize length)
{
	guint8 *data = g_malloc(length);

	scratch_noise(data, length, 7);
	return data;
}

static gboolean collect(const guint8 *data, gsize length, gpointer user, GError **error)
{
	g_byte_array_append(user, data, (guint)length);
	return TRUE;
}

static void check_range(Memory *memory, const MlvRef *ref, const guint8 *data, guint64 from,
			guint64 length, guint threads)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	guint64 begin = MIN(from, ref->size), count = MIN(length, ref->size - begin);

	assert_true(
		mlv_read_range(&memory->source, ref, from, length, threads, collect, out, NULL));
	assert_int_equal(out->len, count);
	assert_memory_equal(out->data ? out->data : data, data + begin, count);
}

/* --- tests
 * ---------------------------------------------------------------------------------------- */

static void a_large_file_comes_back_whole_and_in_order(void **state)
{
	Memory *memory = *state;
	gsize length = 12345678;
	g_autofree guint8 *data = noise(length);
	MlvRef ref = store(memory, data, length);

	for (guint threads = 0; threads < 4; threads++)
		check_range(memory, &ref, data, 0, length, threads);
	assert_true(memory->prefetched > 0);
}

static void any_range_comes_back(void **state)
{
	static const guint64 edges[] = { 0,      1,      49999,   50000,   50001,
					 799999, 800000, 1999999, 2000000, 3000000 };
	Memory *memory = *state;
	gsize length = 2000000;
	g_autofree guint8 *data = noise(length);
	MlvRef ref = store(memory, data, length);

	for (guint i = 0; i < G_N_ELEMENTS(edges); i++)
		for (guint j = 0; j < G_N_ELEMENTS(edges); j++)
			check_range(memory, &ref, data, edges[i], edges[j], 2);
}

static void a_range_reads_only_what_it_needs(void **state)
{
	Memory *memory = *state;
	gsize length = 2000000;
	g_autofree guint8 *data = noise(length);
	MlvRef ref = store(memory, data, length);

	memory->reads = 0;
	check_range(memory, &ref, data, 1000010, 20, 2);
	/* A list a level, and one chunk. */
	assert_int_equal(memory->reads, ref.depth + 1);
}

static void an_empty_and_a_small_file_come_back(void **state)
{
	Memory *memory = *state;
	const guint8 *text = (const guint8 *)"small";
	MlvRef ref = { .kind = MLV_KIND_BLOB };

	mlv_id_of("", 0, &ref.id);
	check_range(memory, &ref, text, 0, 100, 0);
	ref = store(memory, text, 5);
	assert_int_equal(ref.depth, 0);
	check_range(memory, &ref, text, 0, 5, 0);
	check_range(memory, &ref, text, 1, 3, 0);
}

static gboolean refuse(const guint8 *data, gsize length, gpointer user, GError **error)
{
	guint *calls = user;

	return ++*calls < 3 || mlv_fail(error, MLV_ERROR_CANCELLED, "enough");
}

static void a_sink_that_refuses_ends_the_reading(void **state)
{
	Memory *memory = *state;
	gsize length = 20000000;
	g_autofree guint8 *data = noise(length);
	MlvRef ref = store(memory, data, length);
	g_autoptr(GError) error = NULL;
	guint calls = 0;

	assert_false(mlv_read_range(&memory->source, &ref, 0, length, 2, refuse, &calls, &error));
	assert_int_equal(error->code, MLV_ERROR_CANCELLED);
	assert_int_equal(calls, 3);
}

static void what_is_missing_or_of_a_wrong_length_is_an_error(void **state)
{
	Memory *memory = *state;
	gsize length = 3000000;
	g_autofree guint8 *data = noise(length);
	MlvRef ref = store(memory, data, length);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GError) missing = NULL, corrupt = NULL;
	MlvId id;

	mlv_id_of(data + 2000000, 50000, &id);
	g_hash_table_remove(memory->chunks, &id);
	assert_false(mlv_read_range(&memory->source, &ref, 0, length, 2, collect, out, &missing));
	assert_int_equal(missing->code, MLV_ERROR_MISSING);
	memory_put(MLV_KIND_BLOB, &id, data, 100, memory, NULL);
	assert_false(mlv_read_range(&memory->source, &ref, 0, length, 2, collect, out, &corrupt));
	assert_int_equal(corrupt->code, MLV_ERROR_CORRUPT);
}

static void a_file_longer_than_allowed_is_not_read_whole(void **state)
{
	Memory *memory = *state;
	g_autofree guint8 *data = noise(200000);
	MlvRef ref = store(memory, data, 200000);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = mlv_read_whole(&memory->source, &ref, 200000, NULL);

	assert_int_equal(g_bytes_get_size(bytes), 200000);
	assert_null(mlv_read_whole(&memory->source, &ref, 199999, &error));
	assert_int_equal(error->code, MLV_ERROR_FAILED);
}

/* --- one source before another
 * -------------------------------------------------------------------- */

typedef struct {
	Memory *memory;
	guint opened;
	gboolean fails;
} Fallback;

static MlvSource *open_fallback(gpointer user, GError **error)
{
	Fallback *fallback = user;

	fallback->opened++;
	if (fallback->fails)
		mlv_fail(error, MLV_ERROR_FAILED, "nobody answers");
	return fallback->fails ? NULL : &fallback->memory->source;
}

static void what_the_first_source_lacks_comes_from_the_second(void **state)
{
	Memory *memory = *state, *remote = memory_new();
	gsize length = 3000000;
	g_autofree guint8 *data = noise(length);
	MlvRef ref = store(memory, data, length);
	Fallback fallback = { .memory = remote };
	MlvSource *chain = mlv_chain_new(&memory->source);
	g_autoptr(GByteArray) out = g_byte_array_new();

	store(remote, data, length);
	mlv_chain_set_fallback(chain, open_fallback, &fallback, NULL);
	assert_true(mlv_read_range(chain, &ref, 0, length, 2, collect, out, NULL));
	assert_int_equal(fallback.opened, 0);
	memory->lists_only = TRUE;
	g_byte_array_set_size(out, 0);
	assert_true(mlv_read_range(chain, &ref, 0, length, 2, collect, out, NULL));
	assert_memory_equal(out->data, data, length);
	assert_int_equal(fallback.opened, 1);
	assert_int_equal(remote->prefetched, 60);
	mlv_chain_free(chain);
	memory_free(remote);
}

static void a_second_source_that_cannot_be_opened_is_asked_once(void **state)
{
	Memory *memory = *state;
	Fallback fallback = { .fails = TRUE };
	MlvSource *chain = mlv_chain_new(&memory->source);
	MlvId id;

	mlv_id_of("x", 1, &id);
	mlv_chain_set_fallback(chain, open_fallback, &fallback, NULL);
	for (int i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		assert_null(chain->read(chain, MLV_KIND_BLOB, &id, &error));
		assert_non_null(strstr(error->message, "nobody answers"));
	}
	assert_int_equal(fallback.opened, 1);
	mlv_chain_free(chain);
}

static void without_any_source_everything_is_missing(void **state)
{
	MlvSource *chain = mlv_chain_new(NULL);
	g_autoptr(GError) error = NULL;
	gboolean has = TRUE;
	MlvId id;

	mlv_id_of("x", 1, &id);
	assert_null(chain->read(chain, MLV_KIND_BLOB, &id, &error));
	assert_int_equal(error->code, MLV_ERROR_MISSING);
	assert_true(chain->has(chain, MLV_KIND_BLOB, &id, &has, NULL));
	assert_false(has);
	mlv_chain_free(chain);
}

/* --- lines
 * ---------------------------------------------------------------------------------------- */

static char *diff(const char *from, const char *to)
{
	g_autoptr(GBytes) a = from ? g_bytes_new_static(from, strlen(from)) : NULL;
	g_autoptr(GBytes) b = to ? g_bytes_new_static(to, strlen(to)) : NULL;
	char *text = mlv_textdiff_format(a, b, 1, NULL);

	assert_non_null(text);
	return text;
}

static void lines_are_compared(void **state)
{
	g_autofree char *changed = diff("a\nb\nc\nd\n", "a\nb\nX\nd\n");
	g_autofree char *same = diff("a\n", "a\n");
	g_autofree char *added = diff(NULL, "a\n");
	g_autofree char *unended = diff("a\n", "a");

	assert_string_equal(changed, "@@ -2,3 +2,3 @@ a\n b\n-c\n+X\n d\n");
	assert_string_equal(same, "");
	assert_string_equal(added, "@@ -0,0 +1 @@\n+a\n");
	assert_non_null(strstr(unended, "No newline at end of file"));
}

static void json_in_one_line_is_laid_out_first(void **state)
{
	g_autofree char *text = diff("{\"loss\": 0.5, \"name\": \"a, {b}\"}",
				     "{\"loss\": 0.4, \"name\": \"a, {b}\"}");

	assert_non_null(strstr(text, "-  \"loss\": 0.5,\n+  \"loss\": 0.4,\n"));
	assert_null(strstr(text, "-  \"name\""));
}

static void only_harmless_text_is_text(void **state)
{
	static const struct {
		const char *bytes;
		gsize length;
		gboolean text;
	} cases[] = {
		{ "", 0, TRUE },      { "a\tb\r\n", 5, TRUE }, { "gr\xc3\xb6\xc3\x9f", 6, TRUE },
		{ "a\0b", 3, FALSE }, { "\xff", 1, FALSE },    { "\033[31m", 5, FALSE },
		{ "a\rb", 3, FALSE }, { "\x7f", 1, FALSE },    { "a\r", 2, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new_static(cases[i].bytes, cases[i].length);

		assert_int_equal(mlv_textdiff_is_text(bytes), cases[i].text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_large_file_comes_back_whole_and_in_order),
		TEST(any_range_comes_back),
		TEST(a_range_reads_only_what_it_needs),
		TEST(an_empty_and_a_small_file_come_back),
		TEST(a_sink_that_refuses_ends_the_reading),
		TEST(what_is_missing_or_of_a_wrong_length_is_an_error),
		TEST(a_file_longer_than_allowed_is_not_read_whole),
		TEST(what_the_first_source_lacks_comes_from_the_second),
		TEST(a_second_source_that_cannot_be_opened_is_asked_once),
		TEST(without_any_source_everything_is_missing),
		TEST(lines_are_compared),
		TEST(json_in_one_line_is_laid_out_first),
		TEST(only_harmless_text_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
