/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/source.h"
#include "tests/unit/push_store.h"

#include <stdlib.h>

static int set_up(void **state)
{
	*state = mini_new();
	mini_begin(*state, MLV_CLASS_META);
	return 0;
}

static int tear_down(void **state)
{
	mini_end(*state);
	mini_free(*state);
	return 0;
}

/* A directory of `count` files "000001", "000002" ... whose blobs are not in the store. */
static MlvRef make_tree(MiniStore *store, guint count)
{
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(mini_put, store);
	guint64 files, bytes;
	MlvRef ref;

	for (guint i = 0; i < count; i++) {
		char name[16];
		MlvTreeEntry entry = { .name = name, .mode = MLV_MODE_FILE };

		g_snprintf(name, sizeof(name), "%06u", i);
		mlv_id_of(name, 6, &entry.ref.id);
		entry.ref.kind = MLV_KIND_BLOB;
		entry.ref.size = i + 1; /* an empty file has no chunk */
		assert_true(mlv_tree_builder_add(builder, &entry, NULL));
	}
	assert_true(mlv_tree_builder_finish(builder, &ref, &files, &bytes, NULL));
	assert_int_equal(files, count);
	return ref;
}

/* A list over leaves of 100 bytes that are not in the store. */
static MlvRef make_list(MiniStore *store, guint count)
{
	g_autoptr(MlvListBuilder) builder = mlv_list_builder_new(MLV_KIND_BLOB, mini_put, store);
	MlvRef ref;

	for (guint i = 0; i < count; i++) {
		MlvId id;

		mlv_id_of(&i, sizeof(i), &id);
		assert_true(mlv_list_builder_add(builder, &id, 100, NULL));
	}
	assert_true(mlv_list_builder_finish(builder, &ref, NULL));
	return ref;
}

static void entries_of_a_huge_directory_come_in_order(void **state)
{
	MiniStore *store = *state;
	MlvRef ref = make_tree(store, 60000);
	g_autoptr(MlvTreeCursor) cursor = mlv_tree_cursor_new(&store->source, &ref, NULL);
	MlvTreeEntry entry;

	assert_true(ref.depth > 0);
	for (guint i = 0; i < 60000; i++) {
		assert_true(mlv_tree_cursor_next(cursor, &entry, NULL));
		assert_int_equal(atoi(entry.name), i);
	}
	assert_true(mlv_tree_cursor_next(cursor, &entry, NULL));
	assert_null(entry.name);
	assert_true(mlv_tree_cursor_next(cursor, &entry, NULL));
	assert_null(entry.name);
}

static void a_name_is_found_wherever_it_is(void **state)
{
	MiniStore *store = *state;
	const guint sizes[] = { 0, 1, 2, 60000 };

	for (guint n = 0; n < G_N_ELEMENTS(sizes); n++) {
		MlvRef ref = make_tree(store, sizes[n]);
		MlvTreeEntry entry;
		gboolean found;

		for (guint i = 0; i < sizes[n]; i += 1 + sizes[n] / 97) {
			char name[16];

			g_snprintf(name, sizeof(name), "%06u", i);
			assert_true(
				mlv_tree_find(&store->source, &ref, name, &entry, &found, NULL));
			assert_true(found);
			assert_int_equal(entry.ref.size, i + 1);
		}
		for (guint i = 0; i < 3; i++) {
			const char *absent[] = { "!", "000007x", "zzz" };

			assert_true(mlv_tree_find(&store->source, &ref, absent[i], &entry, &found,
						  NULL));
			assert_false(found);
		}
	}
}

static void leaves_come_in_order_from_any_byte_on(void **state)
{
	MiniStore *store = *state;
	MlvRef ref = make_list(store, 20000);
	const guint64 starts[] = { 0, 1, 99, 100, 123456, 1999999, 2000000, 3000000 };

	assert_true(ref.depth > 1);
	for (guint n = 0; n < G_N_ELEMENTS(starts); n++) {
		g_autoptr(MlvLeafCursor) cursor =
			mlv_leaf_cursor_new(&store->source, &ref, starts[n], NULL);
		guint64 offset, length, expected = starts[n] / 100 * 100;
		MlvId id, right;

		for (;;) {
			guint number = (guint)(expected / 100);

			assert_true(mlv_leaf_cursor_next(cursor, &id, &offset, &length, NULL));
			if (length == 0)
				break;
			mlv_id_of(&number, sizeof(number), &right);
			assert_int_equal(offset, expected);
			assert_true(mlv_id_equal(&id, &right));
			expected += length;
		}
		assert_int_equal(MAX(expected, 2000000), MAX(starts[n] / 100 * 100, 2000000));
	}
}

typedef struct {
	guint blobs, meta, missing;
} Seen;

static gboolean count_chunk(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			    gpointer user, GError **error)
{
	Seen *seen = user;

	if (kind == MLV_KIND_BLOB)
		seen->blobs++;
	else
		seen->meta++;
	return TRUE;
}

static gboolean count_missing(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	((Seen *)user)->missing++;
	return TRUE;
}

static void a_mark_visits_each_chunk_once(void **state)
{
	MiniStore *store = *state;
	MlvRef ref = make_tree(store, 60000);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	Seen seen = { 0 };

	assert_true(mlv_mark(&store->source, &ref, marks, count_chunk, NULL, &seen, NULL));
	assert_int_equal(seen.blobs, 60000);
	assert_int_equal(seen.meta, g_hash_table_size(store->chunks));
	assert_int_equal(mlv_marks_count(marks), seen.blobs + seen.meta);
	assert_true(mlv_mark(&store->source, &ref, marks, count_chunk, NULL, &seen, NULL));
	assert_int_equal(seen.blobs, 60000);
}

static void what_is_missing_is_an_error_or_passed_over(void **state)
{
	MiniStore *store = *state;
	MlvRef ref = { .kind = MLV_KIND_TREE, .size = 10 };
	g_autoptr(MlvMarks) marks = mlv_marks_new(), again = mlv_marks_new();
	g_autoptr(GError) error = NULL;
	Seen seen = { 0 };

	mlv_id_of("absent", 6, &ref.id);
	assert_false(mlv_mark(&store->source, &ref, marks, NULL, NULL, NULL, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_true(mlv_mark(&store->source, &ref, again, NULL, count_missing, &seen, NULL));
	assert_int_equal(seen.missing, 1);
}

static void lengths_that_do_not_add_up_are_damage(void **state)
{
	MiniStore *store = *state;
	MlvRef ref = make_list(store, 3);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autoptr(GError) one = NULL, two = NULL;

	ref.size++;
	assert_null(mlv_leaf_cursor_new(&store->source, &ref, 0, &one));
	assert_true(g_error_matches(one, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_false(mlv_mark(&store->source, &ref, marks, NULL, NULL, NULL, &two));
	assert_true(g_error_matches(two, MLV_ERROR, MLV_ERROR_CORRUPT));
	ref.size--;
	ref.depth = 2;
	assert_null(mlv_leaf_cursor_new(&store->source, &ref, 0, NULL));
}

static void directories_nested_without_end_are_refused(void **state)
{
	MiniStore *store = *state;
	MlvRef ref = make_tree(store, 1);
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	g_autoptr(GError) error = NULL;
	guint64 files, bytes;

	for (guint i = 0; i < 5000; i++) {
		g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(mini_put, store);
		MlvTreeEntry entry = {
			.name = "d", .mode = MLV_MODE_DIRECTORY, .ref = ref, .files = 1
		};

		assert_true(mlv_tree_builder_add(builder, &entry, NULL));
		assert_true(mlv_tree_builder_finish(builder, &ref, &files, &bytes, NULL));
	}
	assert_false(mlv_mark(&store->source, &ref, marks, NULL, NULL, NULL, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

static void marks_tell_kinds_apart_and_know_the_id_of_zeros(void **state)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();
	MlvId zero = { { 0 } }, id;

	assert_true(mlv_marks_add(marks, MLV_KIND_BLOB, &zero));
	assert_false(mlv_marks_add(marks, MLV_KIND_BLOB, &zero));
	assert_false(mlv_marks_contains(marks, MLV_KIND_LIST, &zero));
	for (guint i = 0; i < 10000; i++) {
		mlv_id_of(&i, sizeof(i), &id);
		assert_true(mlv_marks_add(marks, MLV_KIND_LIST, &id));
	}
	for (guint i = 0; i < 10000; i++) {
		mlv_id_of(&i, sizeof(i), &id);
		assert_true(mlv_marks_contains(marks, MLV_KIND_LIST, &id));
		assert_false(mlv_marks_contains(marks, MLV_KIND_TREE, &id));
	}
	assert_int_equal(mlv_marks_count(marks), 10001);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_of_a_huge_directory_come_in_order),
		TEST(a_name_is_found_wherever_it_is),
		TEST(leaves_come_in_order_from_any_byte_on),
		TEST(a_mark_visits_each_chunk_once),
		TEST(what_is_missing_is_an_error_or_passed_over),
		TEST(lengths_that_do_not_add_up_are_damage),
		TEST(directories_nested_without_end_are_refused),
		TEST(marks_tell_kinds_apart_and_know_the_id_of_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
