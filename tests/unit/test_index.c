/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden indexes in tests/fixtures are made here: run with --write-fixtures from the root of
 * the tree to write them anew. That is right only when a new format version adds files; those of a
 * released version never change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "storage/error.h"
#include "storage/file.h"
#include "storage/index_private.h"
#include "tests/unit/scratch.h"

#define GOLDEN_EMPTY "tests/fixtures/index-v1-empty.index"
#define GOLDEN       "tests/fixtures/index-v1.index"
#define PACK_SIZE    (64u << 20)

/* The n-th of a series of ids: evenly spread, as ids are. */
static MlvId nth_id(guint32 n)
{
	MlvId id;

	mlv_id_of(&n, sizeof(n), &id);
	return id;
}

static MlvId pack_id(guint32 n)
{
	return nth_id(n + 0x80000000u);
}

/* Chunks `from` to `to` of the series, as they would lie in a pack. */
static GArray *entries_of(guint32 from, guint32 to, MlvKind kind)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));

	for (guint32 n = from; n < to; n++) {
		MlvPackEntry entry = {
			.id = nth_id(n),
			.offset = MLV_PACK_HEADER + (n - from) * 100,
			.stored = n % 3 == 0 ? 100 : 60,
			.raw = 100,
			.kind = (guint8)kind,
			.codec = n % 3 == 0 ? MLV_CODEC_RAW : MLV_CODEC_ZSTD,
		};
		g_array_append_val(entries, entry);
	}
	return entries;
}

static void add_range(MlvIndexBuilder *builder, guint32 pack, guint32 from, guint32 to)
{
	g_autoptr(GArray) entries = entries_of(from, to, MLV_KIND_BLOB);
	MlvId name = pack_id(pack);

	mlv_index_builder_add_pack(builder, &name, PACK_SIZE, (MlvPackEntry *)(void *)entries->data,
				   entries->len);
}

/* An index of chunks [from, to) of the series, in packs of up to 1000. */
static GBytes *build(guint32 from, guint32 to, MlvId *name)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);

	for (guint32 at = from; at < to; at += 1000)
		add_range(builder, at / 1000, at, MIN(to, at + 1000));
	assert_int_equal(mlv_index_builder_count(builder), to - from);
	return mlv_index_builder_finish(builder, name);
}

static MlvIndex *open_bytes(GBytes *bytes, const MlvId *name)
{
	g_autoptr(GError) error = NULL;
	MlvIndex *index = mlv_index_new_from_bytes(bytes, name, TRUE, "i", &error);

	if (!index)
		fail_msg("%s", error->message);
	return index;
}

static MlvIndex *build_open(guint32 from, guint32 to)
{
	MlvId name;
	g_autoptr(GBytes) bytes = build(from, to, &name);

	return open_bytes(bytes, &name);
}

static gboolean has(MlvIndex *index, guint32 n)
{
	MlvId id = nth_id(n);
	gboolean found;
	MlvIndexHit hit;

	assert_true(mlv_index_find(index, MLV_KIND_BLOB, &id, &found, &hit, NULL));
	if (found) {
		MlvId pack = mlv_index_pack(index, hit.pack).name, wanted = pack_id(n / 1000);
		assert_true(mlv_id_equal(&hit.entry.id, &id));
		assert_true(mlv_id_equal(&pack, &wanted));
		assert_int_equal(hit.entry.offset, MLV_PACK_HEADER + n % 1000 * 100);
		assert_int_equal(hit.entry.stored, n % 3 == 0 ? 100 : 60);
		assert_int_equal(hit.entry.raw, 100);
	}
	return found;
}

/* --- golden indexes --------------------------------------------------------------------------- */

static GBytes *make_golden_empty(MlvId *name)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_META);

	return mlv_index_builder_finish(builder, name);
}

/* 600 chunks in two packs: two bits of fan-out, five blocks; tombstones and superseded indexes. */
static GBytes *make_golden(MlvId *name)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);

	add_range(builder, 0, 0, 400);
	add_range(builder, 1, 350, 550);
	for (guint32 n = 0; n < 2; n++) {
		MlvId pack = pack_id(n + 1), index = nth_id(n + 0x40000000u);
		mlv_index_builder_add_tombstone(builder, &pack, 1700000000 + n);
		mlv_index_builder_supersede(builder, &index);
	}
	return mlv_index_builder_finish(builder, name);
}

static void assert_golden(GBytes *made, const char *path)
{
	char *read;
	gsize length;

	if (!g_file_get_contents(path, &read, &length, NULL))
		fail_msg("cannot read %s: tests run from the root of the tree", path);
	g_autoptr(GBytes) bytes = g_bytes_new_take(read, length);
	assert_true(g_bytes_equal(made, bytes));
}

static void the_golden_indexes_are_what_is_written_today(void **state)
{
	MlvId name;
	g_autoptr(GBytes) empty = make_golden_empty(&name);
	g_autoptr(GBytes) full = make_golden(&name);

	assert_golden(empty, GOLDEN_EMPTY);
	assert_golden(full, GOLDEN);
}

static void the_golden_index_is_read(void **state)
{
	g_auto(MlvFd) fd = open(GOLDEN, O_RDONLY | O_CLOEXEC);
	g_autoptr(MlvIndex) index = mlv_index_open(fd, NULL, FALSE, GOLDEN, NULL);
	g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(MlvIndexHit));
	MlvId id = nth_id(360);

	assert_non_null(index);
	assert_true(mlv_index_check(index, NULL));
	assert_int_equal(mlv_index_count(index), 600);
	assert_int_equal(mlv_index_pack_count(index), 2);
	assert_int_equal(mlv_index_tombstone_count(index), 2);
	assert_int_equal(mlv_index_superseded_count(index), 2);
	assert_true(mlv_index_find_all(index, MLV_KIND_BLOB, &id, hits, NULL));
	assert_int_equal(hits->len, 2);
	assert_int_not_equal(g_array_index(hits, MlvIndexHit, 0).pack,
			     g_array_index(hits, MlvIndexHit, 1).pack);
}

static void the_page_shows_the_smallest_index(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-index.5", 0);
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(GOLDEN_EMPTY, &bytes, &length, NULL));
	assert_int_equal(shown->len, length);
	assert_memory_equal(shown->data, bytes, length);
}

/* --- names ------------------------------------------------------------------------------------ */

static void a_name_and_its_path_agree(void **state)
{
	char path[MLV_INDEX_NAME_LENGTH + 1];
	MlvId name = nth_id(1), back;

	mlv_index_path(&name, path);
	assert_int_equal(strlen(path), MLV_INDEX_NAME_LENGTH);
	assert_true(mlv_index_parse_path(path, &back));
	assert_true(mlv_id_equal(&name, &back));
	path[MLV_INDEX_NAME_LENGTH - 1] = 'x';
	assert_false(mlv_index_parse_path(path, &back));
	path[MLV_INDEX_NAME_LENGTH - 1] = '\0';
	assert_false(mlv_index_parse_path(path, &back));
	assert_false(mlv_index_parse_path("live/r-0", &back));
}

/* --- building and finding --------------------------------------------------------------------- */

static void what_was_added_is_found_and_nothing_else(void **state)
{
	const guint32 sizes[] = { 0, 1, 2, 127, 128, 129, 256, 257, 1000, 20000 };

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(MlvIndex) index = build_open(0, sizes[i]);
		assert_int_equal(mlv_index_count(index), sizes[i]);
		assert_true(mlv_index_check(index, NULL));
		for (guint32 n = 0; n < sizes[i]; n++)
			assert_true(has(index, n));
		for (guint32 n = sizes[i]; n < sizes[i] + 300; n++)
			assert_false(has(index, n));
	}
}

static void the_fan_out_grows_with_the_count(void **state)
{
	assert_int_equal(mlv_index_bits(0), 0);
	assert_int_equal(mlv_index_bits(256), 0);
	assert_int_equal(mlv_index_bits(257), 1);
	assert_int_equal(mlv_index_bits(513), 2);
	assert_int_equal(mlv_index_bits(1u << 20), 12);
	assert_int_equal(mlv_index_bits(G_MAXUINT32), 16);
}

static void the_order_of_adding_does_not_matter(void **state)
{
	MlvId names[2];

	for (int turn = 0; turn < 2; turn++) {
		g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);
		for (guint32 i = 0; i < 5; i++) {
			guint32 pack = turn ? 4 - i : i;
			add_range(builder, pack, pack * 1000, pack * 1000 + 500);
		}
		add_range(builder, 2, 2000, 2500); /* twice */
		g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &names[turn]);
		g_autoptr(MlvIndex) index = open_bytes(bytes, &names[turn]);
		assert_int_equal(mlv_index_count(index), 2500);
		assert_int_equal(mlv_index_pack_count(index), 5);
		assert_true(mlv_index_check(index, NULL));
	}
	assert_true(mlv_id_equal(&names[0], &names[1]));
}

static void a_builder_is_empty_after_it_finished(void **state)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);
	MlvId name;

	add_range(builder, 0, 0, 10);
	g_autoptr(GBytes) first = mlv_index_builder_finish(builder, &name);
	assert_int_equal(mlv_index_builder_count(builder), 0);
	add_range(builder, 0, 0, 10);
	g_autoptr(GBytes) second = mlv_index_builder_finish(builder, &name);
	assert_true(g_bytes_equal(first, second));
}

static void kinds_with_one_id_are_told_apart(void **state)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_META);
	g_autoptr(GArray) lists = entries_of(0, 10, MLV_KIND_LIST);
	g_autoptr(GArray) trees = entries_of(5, 15, MLV_KIND_TREE);
	MlvId name, pack_a = pack_id(0), pack_b = pack_id(1), id = nth_id(7), only_list = nth_id(3);
	gboolean found;
	MlvIndexHit hit;

	mlv_index_builder_add_pack(builder, &pack_a, PACK_SIZE, (MlvPackEntry *)(void *)lists->data,
				   10);
	mlv_index_builder_add_pack(builder, &pack_b, PACK_SIZE, (MlvPackEntry *)(void *)trees->data,
				   10);
	g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &name);
	g_autoptr(MlvIndex) index = open_bytes(bytes, &name);
	assert_true(mlv_index_find(index, MLV_KIND_LIST, &id, &found, &hit, NULL));
	assert_true(found && hit.entry.kind == MLV_KIND_LIST);
	assert_true(mlv_index_find(index, MLV_KIND_TREE, &id, &found, &hit, NULL));
	assert_true(found && hit.entry.kind == MLV_KIND_TREE);
	assert_true(mlv_index_find(index, MLV_KIND_TREE, &only_list, &found, &hit, NULL));
	assert_false(found);
	assert_true(mlv_index_find(index, MLV_KIND_BLOB, &id, &found, &hit, NULL));
	assert_false(found);
}

static void tombstones_and_superseded_names_are_sorted_and_single(void **state)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);
	MlvId name, a = pack_id(1), b = pack_id(2);

	mlv_index_builder_add_tombstone(builder, &a, 100);
	mlv_index_builder_add_tombstone(builder, &b, 300);
	mlv_index_builder_add_tombstone(builder, &a, 200);
	mlv_index_builder_supersede(builder, &b);
	mlv_index_builder_supersede(builder, &a);
	mlv_index_builder_supersede(builder, &b);
	g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &name);
	g_autoptr(MlvIndex) index = open_bytes(bytes, &name);
	assert_int_equal(mlv_index_tombstone_count(index), 2);
	assert_int_equal(mlv_index_superseded_count(index), 2);
	for (gsize i = 0; i < 2; i++) {
		MlvTombstone tombstone = mlv_index_tombstone(index, i);
		assert_int_equal(tombstone.time, mlv_id_equal(&tombstone.pack, &a) ? 200 : 300);
	}
	MlvId first = mlv_index_superseded(index, 0), second = mlv_index_superseded(index, 1);
	assert_true(mlv_id_compare(&first, &second) < 0);
}

/* All ids in one bucket, and close together: look-ups may be slower, not wrong. */
static void ids_that_are_not_spread_are_found_too(void **state)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);
	g_autoptr(GArray) entries = entries_of(0, 5000, MLV_KIND_BLOB);
	MlvId name, pack = pack_id(0);
	gboolean found;
	MlvIndexHit hit;

	for (guint i = 0; i < entries->len; i++) {
		MlvId *id = &g_array_index(entries, MlvPackEntry, i).id;
		memset(id, 0xee, 20);
		mlv_le32_put(id->b + 20, i * 2);
	}
	mlv_index_builder_add_pack(builder, &pack, PACK_SIZE, (MlvPackEntry *)(void *)entries->data,
				   5000);
	g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &name);
	g_autoptr(MlvIndex) index = open_bytes(bytes, &name);
	assert_true(mlv_index_check(index, NULL));
	for (guint i = 0; i < 5000; i++) {
		MlvId id = g_array_index(entries, MlvPackEntry, i).id;
		assert_true(mlv_index_find(index, MLV_KIND_BLOB, &id, &found, &hit, NULL) && found);
		id.b[20] ^= 1;
		assert_true(mlv_index_find(index, MLV_KIND_BLOB, &id, &found, &hit, NULL) &&
			    !found);
	}
}

static void an_index_in_a_file_is_mapped(void **state)
{
	g_auto(MlvFd) fd = scratch_file(*state, "i"), other = scratch_file(*state, "j");
	g_autoptr(GError) error = NULL;
	MlvId name, wrong = nth_id(9);
	g_autoptr(GBytes) bytes = build(0, 3000, &name);

	assert_true(mlv_file_write(fd, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "i",
				   NULL));
	g_autoptr(MlvIndex) index = mlv_index_open(fd, &name, TRUE, "i", NULL);
	assert_non_null(index);
	assert_true(has(index, 2999));
	assert_int_equal(mlv_index_size(index), g_bytes_get_size(bytes));
	assert_true(mlv_id_equal(mlv_index_name(index), &name));
	assert_null(mlv_index_open(fd, &wrong, TRUE, "i", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_null(mlv_index_open(other, NULL, FALSE, "empty", NULL));
}

static gpointer look_up_all(gpointer user)
{
	guint missing = 0;

	for (guint32 n = 0; n < 20000; n++) {
		MlvId id = nth_id(n);
		gboolean found = FALSE;
		MlvIndexHit hit;

		missing += !mlv_index_find(user, MLV_KIND_BLOB, &id, &found, &hit, NULL) || !found;
	}
	return GUINT_TO_POINTER(missing);
}

static void threads_may_look_up_at_once(void **state)
{
	g_autoptr(MlvIndex) index = build_open(0, 20000);
	GThread *threads[4];

	for (guint i = 0; i < 4; i++)
		threads[i] = g_thread_new("look-up", look_up_all, index);
	for (guint i = 0; i < 4; i++)
		assert_int_equal(GPOINTER_TO_UINT(g_thread_join(threads[i])), 0);
}

/* --- partial ---------------------------------------------------------------------------------- */

typedef struct {
	GBytes *bytes;
	guint fetched; /* atomic */
} Remote;

static GBytes *fetch(guint64 offset, gsize length, gpointer user, GError **error)
{
	Remote *remote = user;

	g_atomic_int_inc(&remote->fetched);
	return g_bytes_new_from_bytes(remote->bytes, offset, length);
}

/* A partial index that has only what it asked for. */
static MlvIndex *open_partial(Remote *remote, const MlvId *name, gsize first)
{
	gsize size = g_bytes_get_size(remote->bytes), need = first;
	MlvIndex *index = NULL;

	for (int tries = 0; !index && tries < 3; tries++) {
		g_autoptr(GBytes) head = g_bytes_new_from_bytes(remote->bytes, 0, need);
		index = mlv_index_new_partial(head, name, size, fetch, remote, "i", &need, NULL);
	}
	assert_non_null(index);
	return index;
}

static void a_partial_index_fetches_the_blocks_it_needs_once(void **state)
{
	MlvId name;
	g_autoptr(GBytes) bytes = build(0, 20000, &name);
	Remote remote = { .bytes = bytes };
	g_autoptr(MlvIndex) index = open_partial(&remote, &name, 0);

	assert_int_equal(mlv_index_count(index), 20000);
	assert_true(has(index, 5));
	assert_in_range(remote.fetched, 1, 3);
	guint before = remote.fetched;
	assert_true(has(index, 5));
	assert_int_equal(remote.fetched, before);
	assert_true(mlv_index_check(index, NULL));
	assert_int_equal(remote.fetched, (20000 + 127) / 128);
}

static void what_was_planned_and_provided_is_not_fetched(void **state)
{
	MlvId name, ids[50];
	g_autoptr(GBytes) bytes = build(0, 20000, &name);
	Remote remote = { .bytes = bytes };
	g_autoptr(MlvIndex) index = open_partial(&remote, &name, 100);

	for (guint32 i = 0; i < 50; i++)
		ids[i] = nth_id(i * 100);
	g_autoptr(GArray) ranges = mlv_index_plan(index, ids, 50);
	assert_in_range(ranges->len, 20, 50);
	guint64 end = 0;
	for (guint i = 0; i < ranges->len; i++) {
		MlvRange range = g_array_index(ranges, MlvRange, i);
		g_autoptr(GBytes) part = g_bytes_new_from_bytes(bytes, range.offset, range.length);
		assert_true(range.offset > end);
		end = range.offset + range.length;
		assert_true(mlv_index_provide(index, range.offset, part, NULL));
	}
	for (guint32 i = 0; i < 50; i++)
		assert_true(has(index, i * 100));
	assert_int_equal(remote.fetched, 0);
	g_autoptr(GArray) again = mlv_index_plan(index, ids, 50);
	assert_int_equal(again->len, 0);
}

static void a_head_that_holds_the_whole_index_needs_nothing_more(void **state)
{
	MlvId name;
	g_autoptr(GBytes) bytes = build(0, 1000, &name);
	Remote remote = { .bytes = bytes };
	g_autoptr(MlvIndex) index = open_partial(&remote, &name, g_bytes_get_size(bytes));

	assert_true(mlv_index_check(index, NULL));
	assert_int_equal(remote.fetched, 0);
}

static void a_partial_index_refuses_damaged_blocks(void **state)
{
	MlvId name, id = nth_id(5);
	g_autoptr(GBytes) bytes = build(0, 20000, &name);
	g_autoptr(GByteArray) copy = g_byte_array_new();
	g_autoptr(GError) error = NULL, provide_error = NULL;
	gboolean found;
	MlvIndexHit hit;
	gsize length = g_bytes_get_size(bytes);

	g_byte_array_append(copy, g_bytes_get_data(bytes, NULL), (guint)length);
	memset(copy->data + length - 20000 * 48, 0xff, 20000 * 48);
	g_autoptr(GBytes) damaged = g_bytes_new(copy->data, length);
	Remote remote = { .bytes = damaged };
	g_autoptr(MlvIndex) index = open_partial(&remote, &name, 0);
	assert_false(mlv_index_find(index, MLV_KIND_BLOB, &id, &found, &hit, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	g_autoptr(GArray) ranges = mlv_index_plan(index, &id, 1);
	MlvRange range = g_array_index(ranges, MlvRange, 0);
	g_autoptr(GBytes) part = g_bytes_new_from_bytes(damaged, range.offset, range.length);
	assert_false(mlv_index_provide(index, range.offset, part, &provide_error));
	assert_true(g_error_matches(provide_error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_false(mlv_index_provide(index, range.offset + 1, part, NULL));
	assert_false(mlv_index_provide(index, 0, part, NULL));
	assert_false(mlv_index_provide(index, G_MAXUINT64 - 5, part, NULL));
}

static void a_partial_index_of_another_size_is_refused(void **state)
{
	MlvId name;
	g_autoptr(GBytes) bytes = build(0, 1000, &name);
	g_autoptr(GBytes) head = g_bytes_new_from_bytes(bytes, 0, 200);
	gsize need, size = g_bytes_get_size(bytes);

	assert_null(mlv_index_new_partial(head, &name, size + 1, fetch, NULL, "i", &need, NULL));
	assert_int_equal(need, 0);
	assert_null(mlv_index_new_partial(head, &name, 20, fetch, NULL, "i", &need, NULL));
	assert_int_equal(need, 0);
}

/* --- merging ---------------------------------------------------------------------------------- */

static MlvIndex *merge(const Scratch *scratch, MlvIndex **indexes, gsize count,
		       const MlvIndexMerge *options, GError **error)
{
	g_auto(MlvFd) fd = scratch_file(scratch, "merged");
	MlvId name;

	if (!mlv_index_merge(indexes, count, options, fd, &name, error))
		return NULL;
	MlvIndex *index = mlv_index_open(fd, &name, TRUE, "merged", error);
	unlinkat(scratch->fd, "merged", 0); /* the next one must not write into what is mapped */
	assert_non_null(index);
	assert_true(mlv_index_check(index, NULL));
	return index;
}

static void a_merge_is_what_building_at_once_gives(void **state)
{
	g_autoptr(MlvIndex) a = build_open(0, 3000), b = build_open(3000, 3001);
	g_autoptr(MlvIndex) c = build_open(2000, 9500), none = build_open(0, 0);
	MlvIndex *inputs[] = { a, b, none, c };
	const MlvIndexMerge options = { 0 };
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);
	MlvId name;

	g_autoptr(MlvIndex) merged = merge(*state, inputs, 4, &options, NULL);
	for (guint32 at = 0; at < 9500; at += 1000)
		add_range(builder, at / 1000, at, MIN(9500, at + 1000));
	for (gsize i = 0; i < 4; i++)
		mlv_index_builder_supersede(builder, mlv_index_name(inputs[i]));
	g_bytes_unref(mlv_index_builder_finish(builder, &name));
	assert_int_equal(mlv_index_count(merged), 9500);
	assert_true(mlv_id_equal(mlv_index_name(merged), &name));
}

static void a_merge_of_nothing_left_is_an_empty_index(void **state)
{
	g_autoptr(MlvIndex) a = build_open(0, 0);
	const MlvIndexMerge options = { 0 };

	g_autoptr(MlvIndex) merged = merge(*state, &a, 1, &options, NULL);
	assert_int_equal(mlv_index_count(merged), 0);
	assert_int_equal(mlv_index_superseded_count(merged), 1);
}

static void superseded_names_are_inherited_when_asked(void **state)
{
	g_autoptr(MlvIndex) a = build_open(0, 10), b = build_open(5, 20);
	MlvIndex *inputs[] = { a, b };
	const MlvIndexMerge plain = { 0 }, inherit = { .inherit_superseded = TRUE };

	g_autoptr(MlvIndex) first = merge(*state, inputs, 2, &plain, NULL);
	g_autoptr(MlvIndex) second = merge(*state, &first, 1, &plain, NULL);
	g_autoptr(MlvIndex) third = merge(*state, &first, 1, &inherit, NULL);
	assert_int_equal(mlv_index_superseded_count(first), 2);
	assert_int_equal(mlv_index_superseded_count(second), 1);
	assert_int_equal(mlv_index_superseded_count(third), 3);
}

static void tombstones_are_united_and_drop_what_is_dead(void **state)
{
	g_autoptr(MlvIndex) a = build_open(0, 3000);
	const MlvTombstone dead = { .pack = pack_id(1), .time = 5 };
	const MlvTombstone elsewhere = { .pack = pack_id(77), .time = 6 };
	const MlvIndexMerge mark = { .tombstones = &elsewhere, .n_tombstones = 1 };
	const MlvIndexMerge drop = { .tombstones = &dead, .n_tombstones = 1, .drop_dead = TRUE };
	const MlvIndexMerge keep = {
		.tombstones = &dead, .n_tombstones = 1, .drop_dead = TRUE, .keep_packs = TRUE
	};

	g_autoptr(MlvIndex) marked = merge(*state, &a, 1, &mark, NULL);
	assert_int_equal(mlv_index_count(marked), 3000);
	g_autoptr(MlvIndex) dropped = merge(*state, &marked, 1, &drop, NULL);
	assert_int_equal(mlv_index_count(dropped), 2000);
	assert_int_equal(mlv_index_tombstone_count(dropped), 2);
	assert_int_equal(mlv_index_pack_count(dropped), 2);
	assert_true(has(dropped, 0));
	assert_false(has(dropped, 1000));
	assert_true(has(dropped, 2999));
	g_autoptr(MlvIndex) kept = merge(*state, &marked, 1, &keep, NULL);
	assert_int_equal(mlv_index_pack_count(kept), 3);
	assert_true(has(kept, 2999));
}

static gboolean keep_young(const MlvTombstone *tombstone, gpointer user)
{
	return tombstone->time > 5;
}

static void tombstones_go_when_they_are_not_kept(void **state)
{
	g_autoptr(MlvIndex) a = build_open(0, 2000);
	const MlvTombstone tombstones[] = { { .pack = pack_id(0), .time = 5 },
					    { .pack = pack_id(1), .time = 6 } };
	const MlvIndexMerge options = { .tombstones = tombstones,
					.n_tombstones = 2,
					.drop_dead = TRUE,
					.keep_tombstone = keep_young };

	g_autoptr(MlvIndex) merged = merge(*state, &a, 1, &options, NULL);
	assert_int_equal(mlv_index_tombstone_count(merged), 1);
	assert_int_equal(mlv_index_tombstone(merged, 0).time, 6);
	assert_true(has(merged, 0));
	assert_false(has(merged, 1000));
}

static gboolean keep_even(const MlvIndexPack *pack, const MlvPackEntry *entry, gpointer user)
{
	assert_int_equal(pack->size, PACK_SIZE);
	return (entry->offset - MLV_PACK_HEADER) / 100 % 2 == 0;
}

static gboolean keep_fickly(const MlvIndexPack *pack, const MlvPackEntry *entry, gpointer user)
{
	return ++*(guint *)user % 3 != 0;
}

static void a_merge_keeps_what_it_is_told_to(void **state)
{
	g_autoptr(MlvIndex) a = build_open(0, 3000);
	g_autoptr(GError) error = NULL;
	guint calls = 0;
	const MlvIndexMerge even = { .keep = keep_even };
	const MlvIndexMerge fickle = { .keep = keep_fickly, .user = &calls };

	g_autoptr(MlvIndex) merged = merge(*state, &a, 1, &even, NULL);
	assert_int_equal(mlv_index_count(merged), 1500);
	assert_true(has(merged, 2));
	assert_false(has(merged, 3));
	g_autoptr(MlvIndex) b = build_open(0, 2999);
	assert_null(merge(*state, &b, 1, &fickle, &error));
	assert_non_null(error);
}

static MlvIndex *one_entry(guint64 pack_size, guint32 stored)
{
	g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(MLV_CLASS_DATA);
	MlvPackEntry entry = { .id = nth_id(1),
			       .offset = 32,
			       .stored = stored,
			       .raw = stored,
			       .kind = MLV_KIND_BLOB };
	MlvId name, pack = pack_id(0);

	mlv_index_builder_add_pack(builder, &pack, pack_size, &entry, 1);
	g_autoptr(GBytes) bytes = mlv_index_builder_finish(builder, &name);
	return open_bytes(bytes, &name);
}

static void indexes_that_disagree_are_not_merged(void **state)
{
	g_autoptr(MlvIndex) a = one_entry(1000, 10), b = one_entry(1001, 10),
			    c = one_entry(1000, 11);
	MlvIndex *sizes[] = { a, b }, *chunks[] = { a, c };
	g_autoptr(GError) size_error = NULL, chunk_error = NULL;
	const MlvIndexMerge options = { 0 };

	assert_null(merge(*state, sizes, 2, &options, &size_error));
	assert_true(g_error_matches(size_error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_null(merge(*state, chunks, 2, &options, &chunk_error));
	assert_true(g_error_matches(chunk_error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_false(mlv_index_merge(sizes, 0, &options, -1, NULL, NULL));
}

/* --- damage ----------------------------------------------------------------------------------- */

static GByteArray *golden_bytes(void)
{
	GByteArray *bytes = g_byte_array_new();
	MlvId name;
	g_autoptr(GBytes) made = make_golden(&name);

	return g_byte_array_append(bytes, g_bytes_get_data(made, NULL),
				   (guint)g_bytes_get_size(made));
}

/* Opens and checks all that can be checked without the name. */
static gboolean passes(const GByteArray *bytes, GError **error)
{
	g_autoptr(GBytes) copy = g_bytes_new(bytes->data, bytes->len);
	g_autoptr(MlvIndex) index = mlv_index_new_from_bytes(copy, NULL, FALSE, "i", error);

	return index && mlv_index_check(index, error);
}

static void every_flipped_byte_is_found_without_the_name(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();

	assert_true(passes(bytes, NULL));
	for (guint i = 0; i < bytes->len; i += i < 1000 ? 1 : 5) {
		g_autoptr(GError) error = NULL;
		bytes->data[i] ^= 4;
		if (passes(bytes, &error))
			fail_msg("a flipped bit at %u was not found", i);
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
		bytes->data[i] ^= 4;
	}
}

static void every_truncation_is_refused(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();

	while (bytes->len > 0) {
		g_byte_array_set_size(bytes, bytes->len > 400 ? bytes->len - 97 : bytes->len - 1);
		assert_false(passes(bytes, NULL));
	}
}

/* Makes all checksums right again: what somebody with ill will does. */
static void seal(GByteArray *bytes)
{
	MlvIndexLayout layout = { 0 };
	MlvId sum;

	if (!mlv_index_header_parse(bytes->data, &layout, "i", NULL) || layout.size != bytes->len)
		return;
	mlv_id_of(bytes->data, layout.check_at, &sum);
	memcpy(bytes->data + layout.check_at, sum.b, MLV_INDEX_CHECK);
	for (guint64 block = 0; block < layout.n_blocks; block++) {
		guint8 *at = bytes->data + layout.blocks_at + block * MLV_INDEX_BLOCK;
		gsize length = mlv_index_block_length(&layout, block);
		mlv_id_of(at, length, &sum);
		memcpy(at + length, sum.b, MLV_INDEX_SUM);
	}
}

static void refuses(guint64 at, guint32 value, const char *word)
{
	g_autoptr(GByteArray) bytes = golden_bytes();
	g_autoptr(GError) error = NULL;

	mlv_le32_put(bytes->data + at, value);
	seal(bytes);
	assert_false(passes(bytes, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	if (!strstr(error->message, word))
		fail_msg("'%s' is not in: %s", word, error->message);
}

static void an_index_that_lies_is_refused_though_its_sums_are_right(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();
	MlvIndexLayout layout = { 0 };

	assert_true(mlv_index_header_parse(bytes->data, &layout, "i", NULL));
	guint64 entry = mlv_index_entry_at(&layout, 200);
	refuses(8, 3, "header");
	refuses(12, 5, "header");
	refuses(32, 1, "header");
	refuses(16, 0xffffffff, "bytes");
	refuses(28, 0xffffffff, "header");
	refuses(layout.packs_at, 0xffffffff, "order");
	refuses(layout.packs_at + 32, 0xffffffff, "size that no pack has");
	refuses(layout.packs_at + 36, 1, "size that no pack has");
	refuses(layout.tombstones_at, 0xffffffff, "order");
	refuses(layout.superseded_at, 0xffffffff, "order");
	refuses(layout.fan_at, 0xffffffff, "fan-out");
	refuses(layout.fan_at, 0, "not in order");
	refuses(layout.check_at - 4, 599, "fan-out");
	refuses(entry, 0, "not in order");
	refuses(entry + 32, 2, "not listed");
	refuses(entry + 36, 0, "outside its pack");
	refuses(entry + 36, PACK_SIZE, "outside its pack");
	refuses(entry + 40, 2u << 24, "codec");
	refuses(entry + 40, 0xffffff | 1u << 24, "longer than any chunk");
	refuses(entry + 44, 100 | MLV_KIND_TREE << 24, "class");
}

/* --- main ------------------------------------------------------------------------------------- */

static int write_fixtures(void)
{
	MlvId name;
	g_autoptr(GBytes) empty = make_golden_empty(&name);
	g_autoptr(GBytes) full = make_golden(&name);

	return !mlv_file_replace(AT_FDCWD, GOLDEN_EMPTY, g_bytes_get_data(empty, NULL),
				 g_bytes_get_size(empty), 0644, FALSE, NULL) ||
	       !mlv_file_replace(AT_FDCWD, GOLDEN, g_bytes_get_data(full, NULL),
				 g_bytes_get_size(full), 0644, FALSE, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_golden_indexes_are_what_is_written_today),
		TEST(the_golden_index_is_read),
		TEST(the_page_shows_the_smallest_index),
		TEST(a_name_and_its_path_agree),
		TEST(what_was_added_is_found_and_nothing_else),
		TEST(the_fan_out_grows_with_the_count),
		TEST(the_order_of_adding_does_not_matter),
		TEST(a_builder_is_empty_after_it_finished),
		TEST(kinds_with_one_id_are_told_apart),
		TEST(tombstones_and_superseded_names_are_sorted_and_single),
		TEST(ids_that_are_not_spread_are_found_too),
		TEST(an_index_in_a_file_is_mapped),
		TEST(threads_may_look_up_at_once),
		TEST(a_partial_index_fetches_the_blocks_it_needs_once),
		TEST(what_was_planned_and_provided_is_not_fetched),
		TEST(a_head_that_holds_the_whole_index_needs_nothing_more),
		TEST(a_partial_index_refuses_damaged_blocks),
		TEST(a_partial_index_of_another_size_is_refused),
		TEST(a_merge_is_what_building_at_once_gives),
		TEST(a_merge_of_nothing_left_is_an_empty_index),
		TEST(superseded_names_are_inherited_when_asked),
		TEST(tombstones_are_united_and_drop_what_is_dead),
		TEST(tombstones_go_when_they_are_not_kept),
		TEST(a_merge_keeps_what_it_is_told_to),
		TEST(indexes_that_disagree_are_not_merged),
		TEST(every_flipped_byte_is_found_without_the_name),
		TEST(every_truncation_is_refused),
		TEST(an_index_that_lies_is_refused_though_its_sums_are_right),
	};

	if (argc == 2 && strcmp(argv[1], "--write-fixtures") == 0)
		return write_fixtures();
	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
