/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/compare.h"

/* --- a source in memory that counts what is read
 * -------------------------------------------------- */

typedef struct {
	MlvSource source;
	GHashTable *chunks; /* MlvId -> GBytes, of any kind: ids of different kinds differ here */
	guint reads;
} Memory;

static GBytes *memory_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	Memory *memory = (Memory *)source;
	GBytes *bytes = g_hash_table_lookup(memory->chunks, id);

	memory->reads++;
	if (!bytes) {
		mlv_fail(error, MLV_ERROR_MISSING, "not here");
		return NULL;
	}
	return g_bytes_ref(bytes);
}

static gboolean memory_has(MlvSource *source, MlvKind kind, const MlvId *id, gboolean *has,
			   GError **error)
{
	*has = g_hash_table_contains(((Memory *)source)->chunks, id);
	return TRUE;
}

static gboolean memory_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			   gpointer user, GError **error)
{
	Memory *memory = user;

	g_hash_table_replace(memory->chunks, g_memdup2(id, sizeof(*id)), g_bytes_new(data, length));
	return TRUE;
}

static int setup(void **state)
{
	Memory *memory = g_new0(Memory, 1);

	memory->source.read = memory_read;
	memory->source.has = memory_has;
	memory->chunks = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free,
					       (GDestroyNotify)g_bytes_unref);
	*state = memory;
	return 0;
}

static int teardown(void **state)
{
	Memory *memory = *state;

	g_hash_table_unref(memory->chunks);
	g_free(memory);
	return 0;
}

/* A directory from words: "name=content", "name*=content" (executable), "name@=target", and "name/"
 * with the tree that is next in `trees`. Names must be sorted. */
static MlvTreeEntry make_tree(Memory *memory, const char *words, const MlvTreeEntry *trees)
{
	g_auto(GStrv) parts = g_strsplit(words, " ", -1);
	MlvTreeBuilder *builder = mlv_tree_builder_new(memory_put, memory);
	MlvTreeEntry result = { .name = "", .mode = MLV_MODE_DIRECTORY };

	for (char **part = parts; *part && **part; part++) {
		char *equals = strchr(*part, '=');
		MlvTreeEntry entry = { .mode = MLV_MODE_FILE, .files = 1 };
		gsize length = equals ? (gsize)(equals - *part) : strlen(*part);
		char kind = (*part)[length - 1];

		if (!equals) {
			entry = *trees++;
			length--;
		} else {
			entry.ref.kind = MLV_KIND_BLOB;
			entry.ref.size = entry.bytes = strlen(equals + 1);
			mlv_id_of(equals + 1, entry.ref.size, &entry.ref.id);
			if (kind == '*' || kind == '@')
				length--;
			if (kind == '*')
				entry.mode = MLV_MODE_EXECUTABLE;
			if (kind == '@')
				entry.mode = MLV_MODE_SYMLINK;
		}
		(*part)[length] = '\0';
		entry.name = *part;
		entry.name_length = (guint8)length;
		assert_true(mlv_tree_builder_add(builder, &entry, NULL));
	}
	assert_true(
		mlv_tree_builder_finish(builder, &result.ref, &result.files, &result.bytes, NULL));
	mlv_tree_builder_free(builder);
	return result;
}

static MlvPointer pointer_to(const MlvTreeEntry *entry)
{
	return (MlvPointer){ entry->ref, entry->mode, entry->files, entry->bytes };
}

/* --- what was told, as text
 * ----------------------------------------------------------------------- */

static gboolean note(const MlvChange *change, gpointer user, GError **error)
{
	GString *out = user;

	g_string_append_printf(out, "%s%c%s %s", out->len ? "; " : "", change->kind,
			       change->unread ? "?" : "", change->path);
	if (change->from_path)
		g_string_append_printf(out, " < %s", change->from_path);
	return TRUE;
}

static char *compare_with(Memory *memory, const MlvTreeEntry *from, const MlvTreeEntry *to,
			  MlvCompareOptions options)
{
	GString *out = g_string_new(NULL);
	MlvPointer a = from ? pointer_to(from) : (MlvPointer){ 0 };
	MlvPointer b = to ? pointer_to(to) : (MlvPointer){ 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvCompare) compare = NULL;

	options.visit = note;
	options.user = out;
	compare = mlv_compare_new(&memory->source, &options);
	if (!mlv_compare_target(compare, "d", from ? &a : NULL, to ? &b : NULL, &error) ||
	    !mlv_compare_finish(compare, &error))
		g_string_append_printf(out, "error %d", error->code);
	return g_string_free(out, FALSE);
}

static void expect(Memory *memory, const MlvTreeEntry *from, const MlvTreeEntry *to,
		   gboolean renames, const char *wanted)
{
	g_autofree char *told = compare_with(
		memory, from, to, (MlvCompareOptions){ .files = TRUE, .renames = renames });

	assert_string_equal(told, wanted);
}

/* --- tests
 * ---------------------------------------------------------------------------------------- */

static void files_that_came_went_and_changed_are_told(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry a = make_tree(memory, "both=same changed=1 gone=old", NULL);
	MlvTreeEntry b = make_tree(memory, "both=same changed=2 new=fresh", NULL);

	expect(memory, &a, &b, FALSE, "M d/changed; D d/gone; A d/new");
	expect(memory, &a, &a, FALSE, "");
	expect(memory, NULL, &a, FALSE, "A d/both; A d/changed; A d/gone");
	expect(memory, &a, NULL, FALSE, "D d/both; D d/changed; D d/gone");
}

static void modes_and_types_are_told(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry empty = make_tree(memory, "", NULL);
	MlvTreeEntry below = make_tree(memory, "x=1", NULL);
	MlvTreeEntry a = make_tree(memory, "exec=1 link@=to plain=1", NULL);
	MlvTreeEntry b = make_tree(memory, "exec*=1 link=to plain/", &below);
	MlvTreeEntry c = make_tree(memory, "exec*=1 link=to plain/", &empty);

	expect(memory, &a, &b, FALSE, "M d/exec; T d/link; D d/plain; A d/plain/x");
	expect(memory, &b, &c, FALSE, "D d/plain/x");
	expect(memory, &a, &c, FALSE, "M d/exec; T d/link; D d/plain; A d/plain/");
	expect(memory, NULL, &empty, FALSE, "A d/");
}

static void equal_directories_are_never_read(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry big = make_tree(memory, "p=1 q=2 r=3", NULL);
	MlvTreeEntry a = make_tree(memory, "big/ x=1", &big);
	MlvTreeEntry b = make_tree(memory, "big/ x=2", &big);

	memory->reads = 0;
	expect(memory, &a, &b, FALSE, "M d/x");
	assert_int_equal(memory->reads, 2);
	g_hash_table_remove(memory->chunks, &big.ref.id);
	expect(memory, &a, &b, FALSE, "M d/x");
}

static char *many_words(guint count, guint odd)
{
	GString *words = g_string_new(NULL);

	for (guint i = 0; i < count; i++)
		g_string_append_printf(words, "%sfile%06u=%s%u", i ? " " : "", i,
				       i == odd ? "other" : "", i);
	return g_string_free(words, FALSE);
}

static void equal_chunks_of_a_huge_directory_are_never_read(void **state)
{
	Memory *memory = *state;
	g_autofree char *one = many_words(40000, 40000);
	g_autofree char *other = many_words(40000, 20000);
	MlvTreeEntry a = make_tree(memory, one, NULL), b = make_tree(memory, other, NULL);

	assert_true(a.ref.depth > 0);
	memory->reads = 0;
	expect(memory, &a, &b, FALSE, "M d/file020000");
	/* The lists of both sides, and of each a chunk or two. */
	assert_in_range(memory->reads, 4, 8);
}

static void renames_are_found_by_content(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry sub = make_tree(memory, "moved=payload", NULL);
	MlvTreeEntry a = make_tree(memory, "a=payload b=twin c=twin e= z=9", NULL);
	MlvTreeEntry b = make_tree(memory, "b2=twin c=twin e2= s/ z=9", &sub);

	expect(memory, &a, &b, TRUE, "R d/b2 < d/b; D d/e; A d/e2; R d/s/moved < d/a");
	expect(memory, &a, &b, FALSE, "D d/a; D d/b; A d/b2; D d/e; A d/e2; A d/s/moved");
}

static void of_equal_files_that_of_the_same_name_is_the_origin(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry old = make_tree(memory, "one=same two=same", NULL);
	MlvTreeEntry a = make_tree(memory, "old/", &old), b = make_tree(memory, "young/", &old);
	MlvTreeEntry two = make_tree(memory, "two=same", NULL);
	MlvTreeEntry c = make_tree(memory, "young/", &two);

	expect(memory, &a, &b, TRUE, "R d/young/one < d/old/one; R d/young/two < d/old/two");
	expect(memory, &a, &c, TRUE, "D d/old/one; R d/young/two < d/old/two");
}

static void with_too_many_changes_renames_are_left_out(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry a = make_tree(memory, "a=1 b=2 c=3", NULL);
	MlvTreeEntry b = make_tree(memory, "x=1 y=2 z=3", NULL);
	g_autofree char *told = compare_with(
		memory, &a, &b,
		(MlvCompareOptions){ .files = TRUE, .renames = TRUE, .rename_limit = 2 });

	assert_string_equal(told, "D d/a; D d/b; D d/c; A d/x; A d/y; A d/z");
}

static void directories_are_one_change_where_files_are_not_wanted(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry sub = make_tree(memory, "x=1 y=22", NULL);
	MlvTreeEntry a = make_tree(memory, "k=1", NULL), b = make_tree(memory, "k=2 s/", &sub);
	g_autofree char *told = compare_with(memory, &a, &b, (MlvCompareOptions){ 0 });

	assert_string_equal(told, "M d/k; A d/s/");
}

static void what_is_not_here_is_told_by_its_totals(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry one = make_tree(memory, "x=1", NULL), two = make_tree(memory, "x=1 y=2", NULL);
	MlvTreeEntry a = make_tree(memory, "k=1 s/", &one), b = make_tree(memory, "k=2 s/", &two);

	g_hash_table_remove(memory->chunks, &two.ref.id);
	expect(memory, &a, &b, TRUE, "M d/k; M? d/s/");
	expect(memory, NULL, &b, TRUE, "A d/k; A? d/s/");
	g_hash_table_remove(memory->chunks, &b.ref.id);
	expect(memory, &a, &b, TRUE, "M? d/");
}

static void damaged_trees_are_an_error(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry a = make_tree(memory, "k=1", NULL), b = make_tree(memory, "k=2 l=3", NULL);
	g_autoptr(GBytes) good = g_bytes_ref(g_hash_table_lookup(memory->chunks, &b.ref.id));
	gsize length;
	const guint8 *data = g_bytes_get_data(good, &length);
	g_autofree char *wanted = g_strdup_printf("error %d", MLV_ERROR_CORRUPT);

	/* Cut off, and longer than is said of it. */
	g_hash_table_replace(memory->chunks, g_memdup2(&b.ref.id, sizeof(MlvId)),
			     g_bytes_new(data, length - 1));
	expect(memory, &a, &b, TRUE, wanted);
	g_hash_table_replace(memory->chunks, g_memdup2(&b.ref.id, sizeof(MlvId)),
			     g_bytes_new_take(g_malloc0(length), length));
	expect(memory, &a, &b, TRUE, wanted);
}

static void a_target_that_moved_is_one_change(void **state)
{
	Memory *memory = *state;
	MlvTreeEntry tree = make_tree(memory, "x=1 y=2", NULL);
	MlvTracked gone = { .path = (char *)"old", .pointer = pointer_to(&tree) };
	MlvTracked came = { .path = (char *)"young", .pointer = pointer_to(&tree) };
	g_autoptr(GPtrArray) from = g_ptr_array_new(), to = g_ptr_array_new();
	g_autoptr(GString) out = g_string_new(NULL);
	MlvCompareOptions options = { .files = TRUE, .renames = TRUE, .visit = note, .user = out };
	g_autoptr(MlvCompare) compare = mlv_compare_new(&memory->source, &options);

	g_ptr_array_add(from, &gone);
	g_ptr_array_add(to, &came);
	memory->reads = 0;
	assert_true(mlv_compare_pointers(compare, from, to, NULL));
	assert_true(mlv_compare_finish(compare, NULL));
	assert_string_equal(out->str, "R young < old");
	assert_int_equal(memory->reads, 0);
}

static void totals_add_up(void **state)
{
	MlvChange added = { .kind = MLV_CHANGE_ADDED,
			    .to = { .mode = 4, .files = 3, .bytes = 10 } };
	MlvChange gone = { .kind = MLV_CHANGE_REMOVED,
			   .from = { .mode = 1, .files = 1, .bytes = 4 } };
	MlvChange changed = { .kind = MLV_CHANGE_MODIFIED,
			      .from = { .mode = 1, .files = 1, .bytes = 9 },
			      .to = { .mode = 1, .files = 1, .bytes = 2 } };
	MlvChangeTotals totals = { 0 }, sum = { 0 };

	mlv_change_totals_add(&totals, &added);
	mlv_change_totals_add(&totals, &gone);
	mlv_change_totals_add(&totals, &changed);
	mlv_change_totals_sum(&sum, &totals);
	assert_int_equal(sum.added, 3);
	assert_int_equal(sum.removed, 1);
	assert_int_equal(sum.modified, 1);
	assert_int_equal(sum.bytes_added, 10);
	assert_int_equal(sum.bytes_removed, 4);
	assert_int_equal(sum.delta, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_that_came_went_and_changed_are_told),
		TEST(modes_and_types_are_told),
		TEST(equal_directories_are_never_read),
		TEST(equal_chunks_of_a_huge_directory_are_never_read),
		TEST(renames_are_found_by_content),
		TEST(of_equal_files_that_of_the_same_name_is_the_origin),
		TEST(with_too_many_changes_renames_are_left_out),
		TEST(directories_are_one_change_where_files_are_not_wanted),
		TEST(what_is_not_here_is_told_by_its_totals),
		TEST(damaged_trees_are_an_error),
		TEST(a_target_that_moved_is_one_change),
		TEST(totals_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
