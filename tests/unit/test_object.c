/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and trees: built, read back, pinned, and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "storage/chunker.h"
#include "storage/object.h"
#include "storage/pack.h"
#include "storage/source.h"
#include "tests/unit/scratch.h"

/* Format v1: these never change. */
#define GOLDEN_LIST "978b2eeb96745082d2e3b29086edc553fdeb59cbd171356cbd0639114002b8cd"
#define GOLDEN_TREE "97426cb6399bdd545bbcfc4840fd11813c202610eba8bffd0068c67bf344dc46"

/* Chunks in memory, by id. */
typedef struct {
	MlvSource source;
	GHashTable *chunks; /* hex -> GBytes */
	gsize longest;
} Memory;

static char *key_of(MlvKind kind, const MlvId *id)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	return g_strdup_printf("%d:%s", (int)kind, hex);
}

static gboolean memory_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			   gpointer user, GError **error)
{
	Memory *memory = user;
	MlvId real;

	mlv_id_of(data, length, &real);
	assert_memory_equal(&real, id, sizeof(real));
	memory->longest = MAX(memory->longest, length);
	g_hash_table_insert(memory->chunks, key_of(kind, id), g_bytes_new(data, length));
	return TRUE;
}

static GBytes *memory_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	Memory *memory = (Memory *)source;
	g_autofree char *key = key_of(kind, id);
	GBytes *bytes = g_hash_table_lookup(memory->chunks, key);

	if (bytes)
		return g_bytes_ref(bytes);
	mlv_fail(error, MLV_ERROR_MISSING, "no %s", key);
	return NULL;
}

static int set_up(void **state)
{
	Memory *memory = g_new0(Memory, 1);

	memory->source.read = memory_read;
	memory->chunks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       (GDestroyNotify)g_bytes_unref);
	*state = memory;
	return 0;
}

static int tear_down(void **state)
{
	Memory *memory = *state;

	g_hash_table_unref(memory->chunks);
	g_free(memory);
	return 0;
}

static MlvId id_number(guint64 number)
{
	MlvId id;

	mlv_id_of(&number, sizeof(number), &id);
	return id;
}

static MlvRef build_list(Memory *memory, guint64 leaves)
{
	MlvRef ref;
	g_autoptr(MlvListBuilder) builder = mlv_list_builder_new(MLV_KIND_BLOB, memory_put, memory);

	for (guint64 i = 0; i < leaves; i++) {
		MlvId id = id_number(i);
		assert_true(mlv_list_builder_add(builder, &id, 1000 + i % 7, NULL));
	}
	assert_true(mlv_list_builder_finish(builder, &ref, NULL));
	return ref;
}

static void check_list(Memory *memory, guint64 leaves)
{
	MlvRef ref = build_list(memory, leaves);
	guint64 offset, length, at = 0;
	MlvId id;
	g_autoptr(MlvLeafCursor) cursor = mlv_leaf_cursor_new(&memory->source, &ref, 0, NULL);

	assert_non_null(cursor);
	for (guint64 i = 0; i < leaves; i++) {
		MlvId wanted = id_number(i);
		assert_true(mlv_leaf_cursor_next(cursor, &id, &offset, &length, NULL));
		assert_memory_equal(&id, &wanted, sizeof(id));
		assert_int_equal(offset, at);
		at += length;
	}
	assert_true(mlv_leaf_cursor_next(cursor, &id, &offset, &length, NULL));
	assert_int_equal(length, 0);
	assert_int_equal(ref.size, at);
}

static void lists_of_any_length_are_read_back(void **state)
{
	static const guint64 counts[] = { 1, 2, 15, 16, 17, 255, 256, 257, 1000, 50000 };

	for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
		check_list(*state, counts[i]);
}

static void a_changed_leaf_changes_one_list_of_each_level(void **state)
{
	Memory *memory = *state;
	MlvRef ref;

	build_list(memory, 50000);
	guint before = g_hash_table_size(memory->chunks);
	g_autoptr(MlvListBuilder) builder = mlv_list_builder_new(MLV_KIND_BLOB, memory_put, memory);
	for (guint64 i = 0; i < 50000; i++) {
		MlvId id = id_number(i == 25000 ? 99999999 : i);
		assert_true(mlv_list_builder_add(builder, &id, 1000 + i % 7, NULL));
	}
	assert_true(mlv_list_builder_finish(builder, &ref, NULL));
	assert_in_range(g_hash_table_size(memory->chunks) - before, ref.depth, 2u * ref.depth);
}

static MlvRef build_tree(Memory *memory, guint entries, guint changed)
{
	MlvRef ref;
	guint64 files, bytes;
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(memory_put, memory);

	for (guint i = 0; i < entries; i++) {
		g_autofree char *name = g_strdup_printf("file-%08u", i);
		MlvTreeEntry entry = { .name = name,
				       .mode = MLV_MODE_FILE,
				       .ref = { id_number(i == changed ? 12345678 : i), 100,
						MLV_KIND_BLOB, 0 } };
		assert_true(mlv_tree_builder_add(builder, &entry, NULL));
	}
	assert_true(mlv_tree_builder_finish(builder, &ref, &files, &bytes, NULL));
	assert_int_equal(files, entries);
	assert_int_equal(bytes, 100ull * entries);
	return ref;
}

static void a_huge_tree_is_read_back_and_searched(void **state)
{
	Memory *memory = *state;
	MlvRef ref = build_tree(memory, 30000, G_MAXUINT);
	MlvTreeEntry entry;
	gboolean found;
	guint count = 0;

	assert_true(ref.depth > 0);
	assert_in_range(memory->longest, 1, MLV_CHUNK_LIMIT);
	g_autoptr(MlvTreeCursor) cursor = mlv_tree_cursor_new(&memory->source, &ref, NULL);
	while (mlv_tree_cursor_next(cursor, &entry, NULL) && entry.name)
		count++;
	assert_int_equal(count, 30000);
	for (guint i = 0; i < 30000; i += 997) {
		g_autofree char *name = g_strdup_printf("file-%08u", i);
		assert_true(mlv_tree_find(&memory->source, &ref, name, &entry, &found, NULL));
		assert_true(found);
	}
	assert_true(mlv_tree_find(&memory->source, &ref, "absent", &entry, &found, NULL));
	assert_false(found);
}

static void a_changed_entry_rewrites_few_chunks(void **state)
{
	Memory *memory = *state;

	build_tree(memory, 30000, G_MAXUINT);
	guint before = g_hash_table_size(memory->chunks);
	build_tree(memory, 30000, 15000);
	assert_in_range(g_hash_table_size(memory->chunks) - before, 1, 4);
}

static void ids_of_lists_and_trees_are_pinned(void **state)
{
	Memory *memory = *state;
	char hex[MLV_ID_HEX + 1];
	MlvRef ref = build_list(memory, 1000);

	mlv_id_format(&ref.id, hex);
	assert_string_equal(hex, GOLDEN_LIST);
	ref = build_tree(memory, 30000, G_MAXUINT);
	mlv_id_format(&ref.id, hex);
	assert_string_equal(hex, GOLDEN_TREE);
	guint8 empty[] = { 'T', 1 };
	MlvId id;
	ref = build_tree(memory, 0, 0);
	mlv_id_of(empty, sizeof(empty), &id);
	assert_memory_equal(&id, &ref.id, sizeof(id));
}

static gboolean tree_is_refused(const char *text, gsize length)
{
	MlvTreeReader reader;
	MlvTreeEntry entry;

	if (!mlv_tree_reader_init(&reader, (const guint8 *)text, length, NULL))
		return TRUE;
	while (mlv_tree_reader_next(&reader, &entry, NULL))
		if (!entry.name)
			return FALSE;
	return TRUE;
}

/* One entry: mode, depth, name, the bytes of its size, and an id. */
static gboolean entry_is_refused(guint8 mode, guint8 depth, const char *name, const char *size,
				 gsize size_length)
{
	g_autoptr(GByteArray) tree = g_byte_array_new();
	guint8 head[] = { 'T', 1, mode, depth, (guint8)strlen(name) };
	guint8 id[MLV_ID_SIZE] = { 0 };

	g_byte_array_append(tree, head, sizeof(head));
	g_byte_array_append(tree, (const guint8 *)name, (guint)strlen(name));
	g_byte_array_append(tree, (const guint8 *)size, (guint)size_length);
	g_byte_array_append(tree, id, sizeof(id));
	return tree_is_refused((const char *)tree->data, tree->len);
}

/* The one chunk that the builders put is what the page shows. */
static void check_shown(Memory *memory, MlvKind kind, const MlvId *id, guint number)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-object.5", number);
	g_autofree char *key = key_of(kind, id);
	GBytes *chunk = g_hash_table_lookup(memory->chunks, key);

	assert_non_null(chunk);
	assert_int_equal(shown->len, g_bytes_get_size(chunk));
	assert_memory_equal(shown->data, g_bytes_get_data(chunk, NULL), shown->len);
}

static MlvRef tree_of(Memory *memory, const MlvTreeEntry *entries, gsize count)
{
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(memory_put, memory);
	guint64 files, bytes;
	MlvRef ref;

	for (gsize i = 0; i < count; i++)
		assert_true(mlv_tree_builder_add(builder, &entries[i], NULL));
	assert_true(mlv_tree_builder_finish(builder, &ref, &files, &bytes, NULL));
	return ref;
}

static void the_page_shows_trees_and_the_smallest_list(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry entries[] = {
		{ .name = "a", .name_length = 1, .mode = MLV_MODE_FILE, .files = 1 },
		{ .name = "d", .name_length = 1, .mode = MLV_MODE_DIRECTORY, .files = 1 },
	};
	MlvId a, b;
	MlvRef ref;

	entries[0].ref.kind = MLV_KIND_BLOB;
	mlv_id_of("", 0, &entries[0].ref.id);
	entries[1].ref = tree_of(memory, entries, 1);
	ref = tree_of(memory, NULL, 0);
	check_shown(memory, MLV_KIND_TREE, &ref.id, 0);
	ref = tree_of(memory, entries, 2);
	check_shown(memory, MLV_KIND_TREE, &ref.id, 1);

	g_autoptr(MlvListBuilder) list = mlv_list_builder_new(MLV_KIND_BLOB, memory_put, memory);
	mlv_id_of("a", 1, &a);
	mlv_id_of("b", 1, &b);
	assert_true(mlv_list_builder_add(list, &a, 1, NULL));
	assert_true(mlv_list_builder_add(list, &b, 1, NULL));
	assert_true(mlv_list_builder_finish(list, &ref, NULL));
	check_shown(memory, MLV_KIND_LIST, &ref.id, 2);
}

static void what_the_page_shows_is_read(void **state)
{
	g_autoptr(GByteArray) empty = scratch_page_dump("man/mlv-object.5", 0);
	g_autoptr(GByteArray) tree = scratch_page_dump("man/mlv-object.5", 1);
	g_autoptr(GByteArray) list = scratch_page_dump("man/mlv-object.5", 2);
	MlvTreeReader reader;
	MlvTreeEntry entry;

	assert_true(mlv_tree_reader_init(&reader, empty->data, empty->len, NULL));
	assert_true(mlv_tree_reader_next(&reader, &entry, NULL));
	assert_null(entry.name);
	assert_true(mlv_tree_reader_init(&reader, tree->data, tree->len, NULL));
	assert_true(mlv_tree_reader_next(&reader, &entry, NULL));
	assert_string_equal(entry.name, "a");
	assert_int_equal(entry.mode, MLV_MODE_FILE);
	assert_int_equal(entry.ref.size, 0);
	assert_true(mlv_tree_reader_next(&reader, &entry, NULL));
	assert_string_equal(entry.name, "d");
	assert_int_equal(entry.ref.kind, MLV_KIND_TREE);
	assert_int_equal(entry.files, 1);
	assert_int_equal(entry.bytes, 0);
	assert_true(mlv_tree_reader_next(&reader, &entry, NULL));
	assert_null(entry.name);
	g_autoptr(GArray) records = mlv_list_decode(list->data, list->len, MLV_KIND_BLOB, 1, NULL);
	assert_non_null(records);
	assert_int_equal(records->len, 2);
	assert_int_equal(g_array_index(records, MlvListEntry, 1).length, 1);
}

static void hostile_trees_are_refused(void **state)
{
	assert_false(entry_is_refused(1, 0, "ok", "\x05", 1));
	assert_true(entry_is_refused(1, 0, "..", "\x05", 1));
	assert_true(entry_is_refused(1, 0, ".", "\x05", 1));
	assert_true(entry_is_refused(1, 0, "", "\x05", 1));
	assert_true(entry_is_refused(1, 0, "a/b", "\x05", 1));
	assert_true(entry_is_refused(4, 0, ".git", "\x05\x01\x01", 3));
	assert_true(entry_is_refused(4, 0, ".GiT", "\x05\x01\x01", 3));
	assert_true(entry_is_refused(0, 0, "mode", "\x05", 1));
	assert_true(entry_is_refused(5, 0, "mode", "\x05", 1));
	assert_true(entry_is_refused(1, 9, "depth", "\x05", 1));
	assert_true(entry_is_refused(1, 1, "too-short-for-a-list", "\x05", 1));
	assert_true(entry_is_refused(1, 0, "varint", "\x85\x00", 2));
	assert_true(entry_is_refused(1, 0, "too-long-for-a-chunk", "\xff\xff\xff\xff\x0f", 5));
	assert_true(
		entry_is_refused(1, 0, "negative", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10));
	assert_true(entry_is_refused(3, 0, "empty-link", "\x00", 1));
	assert_true(tree_is_refused("T\x02", 2));
	assert_true(tree_is_refused("T", 1));
	assert_true(tree_is_refused("T\x01\x01", 3));
}

static void entries_out_of_order_or_twice_are_refused(void **state)
{
	g_autoptr(GByteArray) tree = g_byte_array_new();
	guint8 head[] = { 'T', 1 }, id[MLV_ID_SIZE] = { 0 };
	const char *names[] = { "b", "a", "b", "b" };

	for (guint pair = 0; pair < 4; pair += 2) {
		g_byte_array_set_size(tree, 0);
		g_byte_array_append(tree, head, 2);
		for (guint i = pair; i < pair + 2; i++) {
			guint8 entry[] = { 1, 0, 1, (guint8)names[i][0], 5 };
			g_byte_array_append(tree, entry, sizeof(entry));
			g_byte_array_append(tree, id, sizeof(id));
		}
		assert_true(tree_is_refused((const char *)tree->data, tree->len));
	}
}

static void hostile_lists_are_refused(void **state)
{
	guint8 list[4 + 40 * 257] = { 'L', 1, MLV_KIND_BLOB, 1 };

	for (guint i = 0; i < 257; i++) {
		memset(list + 4 + 40 * i, 0xff, MLV_ID_SIZE);
		list[4 + 40 * i + 32] = 1;
	}
	g_autoptr(GArray) good = mlv_list_decode(list, 4 + 40 * 20, MLV_KIND_BLOB, 1, NULL);
	assert_non_null(good);
	assert_null(mlv_list_decode(list, 4 + 40 * 20, MLV_KIND_TREE, 1, NULL));
	assert_null(mlv_list_decode(list, 4 + 40 * 20, MLV_KIND_BLOB, 2, NULL));
	assert_null(mlv_list_decode(list, 4 + 40 * 20 - 1, MLV_KIND_BLOB, 1, NULL));
	assert_null(mlv_list_decode(list, 4, MLV_KIND_BLOB, 1, NULL));
	assert_null(mlv_list_decode(list, 3, MLV_KIND_BLOB, 1, NULL));
	assert_null(mlv_list_decode(list, 4 + 40 * 257, MLV_KIND_BLOB, 1, NULL));
	list[4 + 40 * 16 + 31] = 0; /* the 17th record ends a list */
	assert_null(mlv_list_decode(list, 4 + 40 * 20, MLV_KIND_BLOB, 1, NULL));
	list[4 + 40 * 16 + 31] = 0xff;
	list[4 + 40 * 3 + 32] = 0; /* a leaf without bytes */
	assert_null(mlv_list_decode(list, 4 + 40 * 20, MLV_KIND_BLOB, 1, NULL));
	list[4 + 40 * 3 + 39] = 0x7f; /* and one with too many */
	assert_null(mlv_list_decode(list, 4 + 40 * 20, MLV_KIND_BLOB, 1, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_of_any_length_are_read_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_changed_leaf_changes_one_list_of_each_level,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_huge_tree_is_read_back_and_searched, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_changed_entry_rewrites_few_chunks, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(ids_of_lists_and_trees_are_pinned, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_page_shows_trees_and_the_smallest_list, set_up,
						tear_down),
		cmocka_unit_test(what_the_page_shows_is_read),
		cmocka_unit_test(hostile_trees_are_refused),
		cmocka_unit_test(entries_out_of_order_or_twice_are_refused),
		cmocka_unit_test(hostile_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
