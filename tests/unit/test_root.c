/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/root.h"
#include "tests/unit/scratch.h"

#include <string.h>

#define REPO  "00000000000000aa"
#define CLONE "00000000000000bb"
#define ONE   "1111111111111111111111111111111111111111"
#define TWO   "2222222222222222222222222222222222222222222222222222222222222222"

static const guint8 salt[MLV_ROOT_SALT] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static MlvRef make_ref(const char *text, MlvKind kind, guint8 depth)
{
	MlvRef ref = { .kind = (guint8)kind, .depth = depth, .size = strlen(text) };

	mlv_id_of(text, strlen(text), &ref.id);
	return ref;
}

static MlvRoot *example(void)
{
	MlvRoot *root = mlv_root_new(REPO, CLONE);
	MlvRef refs[2] = { make_ref("a", MLV_KIND_BLOB, 0), make_ref("b", MLV_KIND_TREE, 2) };

	mlv_root_add(root, MLV_ROOT_COMMIT, ONE, refs, 2);
	mlv_root_add(root, MLV_ROOT_RUN, TWO, refs, 1);
	return root;
}

static MlvRoot *parse(GBytes *bytes)
{
	return mlv_root_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "test", NULL);
}

static void what_is_written_is_read_back(void **state)
{
	g_autoptr(MlvRoot) root = example();
	MlvId id, other;
	g_autoptr(GBytes) bytes = mlv_root_format(root, 1750000000, salt, &id);
	g_autoptr(MlvRoot) again = parse(bytes);

	assert_non_null(again);
	assert_string_equal(mlv_root_repo(again), REPO);
	assert_string_equal(mlv_root_clone(again), CLONE);
	assert_int_equal(mlv_root_time(again), 1750000000);
	assert_int_equal(mlv_root_need_count(again), 2);
	assert_int_equal(mlv_root_entry_count(again), 2);
	assert_true(mlv_root_contains(again, root));
	assert_true(mlv_root_contains(root, again));
	g_autoptr(GBytes) twice = mlv_root_format(again, 1750000000, salt, &other);
	assert_true(g_bytes_equal(bytes, twice));
	assert_true(mlv_id_equal(&id, &other));
}

/* Files of a released version are read for ever. */
static void the_golden_roots_are_read_and_written_the_same(void **state)
{
	const char *const paths[] = { "tests/fixtures/root-v1-empty.root",
				      "tests/fixtures/root-v1.root" };

	for (guint i = 0; i < 2; i++) {
		g_autofree char *text = NULL;
		gsize length;
		MlvId id;

		assert_true(g_file_get_contents(paths[i], &text, &length, NULL));
		g_autoptr(MlvRoot) root = mlv_root_parse(text, length, paths[i], NULL);
		assert_non_null(root);
		assert_int_equal(mlv_root_entry_count(root), i == 0 ? 0 : 2);
		g_autoptr(GBytes) again = mlv_root_format(root, 1750000000, salt, &id);
		assert_int_equal(g_bytes_get_size(again), length);
		assert_memory_equal(g_bytes_get_data(again, NULL), text, length);
	}
}

static void the_page_shows_the_smallest_root(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-root.5", 0);
	g_autofree char *text = NULL;
	gsize length;

	assert_true(g_file_get_contents("tests/fixtures/root-v1-empty.root", &text, &length, NULL));
	assert_int_equal(shown->len, length);
	assert_memory_equal(shown->data, text, length);
}

static void the_order_of_adding_does_not_matter(void **state)
{
	g_autoptr(MlvRoot) one = example();
	g_autoptr(MlvRoot) two = mlv_root_new(REPO, CLONE);
	MlvRef refs[2] = { make_ref("b", MLV_KIND_TREE, 2), make_ref("a", MLV_KIND_BLOB, 0) };
	MlvId first, second;

	mlv_root_add(two, MLV_ROOT_RUN, TWO, refs + 1, 1);
	mlv_root_add(two, MLV_ROOT_COMMIT, ONE, refs, 2);
	mlv_root_add(two, MLV_ROOT_COMMIT, ONE, refs, 1);
	g_bytes_unref(mlv_root_format(one, 5, salt, &first));
	g_bytes_unref(mlv_root_format(two, 5, salt, &second));
	assert_true(mlv_id_equal(&first, &second));
}

static gboolean keep_commits(MlvRootUse use, const char *oid, gpointer user)
{
	return use == MLV_ROOT_COMMIT;
}

static void a_merge_takes_what_is_kept_and_drops_needs_of_the_rest(void **state)
{
	g_autoptr(MlvRoot) root = example(), merged = mlv_root_new(REPO, CLONE);
	MlvRef only = make_ref("only the run's", MLV_KIND_BLOB, 0);
	MlvId id;

	mlv_root_add(root, MLV_ROOT_RUN, TWO, &only, 1);
	mlv_root_merge(merged, root, keep_commits, NULL);
	assert_int_equal(mlv_root_entry_count(merged), 1);
	assert_false(mlv_root_needs(merged, &only));
	assert_true(mlv_root_contains(root, merged));
	assert_false(mlv_root_contains(merged, root));
	g_autoptr(GBytes) bytes = mlv_root_format(merged, 5, salt, &id);
	g_autoptr(MlvRoot) again = parse(bytes);
	assert_int_equal(mlv_root_need_count(again), 2);
}

static void names_are_parsed_as_they_are_formatted(void **state)
{
	MlvRootName name = { .repo = REPO, .clone = CLONE, .pending = TRUE }, again;
	char path[MLV_ROOT_NAME_LENGTH + 1];

	mlv_id_of("x", 1, &name.id);
	mlv_root_path(&name, path);
	assert_int_equal(strlen(path), MLV_ROOT_NAME_LENGTH);
	assert_true(mlv_root_parse_path(path, &again));
	assert_true(again.pending);
	assert_string_equal(again.repo, REPO);
	assert_true(mlv_id_equal(&again.id, &name.id));
	path[5] = 'r';
	assert_true(mlv_root_parse_path(path, &again));
	assert_false(again.pending);
	path[5] = 'i';
	assert_false(mlv_root_parse_path(path, &again));
	path[5] = 'r';
	path[MLV_ROOT_NAME_LENGTH - 1] = 'G';
	assert_false(mlv_root_parse_path(path, &again));
	path[MLV_ROOT_NAME_LENGTH - 1] = '\0';
	assert_false(mlv_root_parse_path(path, &again));
}

/* No byte can be changed, left out or doubled without the root being refused, or meaning
 * something else. */
static void every_byte_counts(void **state)
{
	g_autoptr(MlvRoot) root = example();
	MlvId id, other;
	g_autoptr(GBytes) bytes = mlv_root_format(root, 1750000000, salt, &id);
	gsize length;
	const char *text = g_bytes_get_data(bytes, &length);

	for (gsize i = 0; i < length; i++) {
		g_autofree char *changed = g_memdup2(text, length);
		changed[i] ^= 0x01;
		g_autoptr(MlvRoot) odd = mlv_root_parse(changed, length, "test", NULL);
		g_autoptr(MlvRoot) cut = mlv_root_parse(text, i, "test", NULL);

		/* What still parses is another root, in its one spelling. */
		if (odd) {
			g_autoptr(GBytes) again =
				mlv_root_format(odd, mlv_root_time(odd), salt, &other);
			assert_int_equal(g_bytes_get_size(again), length);
		}
		if (cut)
			assert_int_equal(text[i - 1], '\n');
	}
}

static void what_is_not_canonical_is_refused(void **state)
{
	static const char head[] =
		"mlv-root 1\nrepo " REPO "\nclone " CLONE "\nsalt 0102030405060708\n";
	static const char hex[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const char *const bad[] = {
		"time 01\n",
		"time -1\n",
		"time 99999999999999999999\n",
		"time 1\ncommit " ONE " 0\n",
		"time 1\nneed blob 0 HEX 1\n",
		"time 1\nneed blob 9 HEX 1\ncommit " ONE " 0\n",
		"time 1\nneed list 0 HEX 1\ncommit " ONE " 0\n",
		"time 1\nneed blob 0 HEX 1\nneed blob 0 HEX 1\ncommit " ONE " 0 1\n",
		"time 1\nneed blob 0 HEX 1\ncommit " ONE " 0 0\n",
		"time 1\nneed blob 0 HEX 1\ncommit " ONE " 0\ncommit " ONE " 0\n",
		"time 1\nneed blob 0 HEX 1\nrun " ONE " 0\ncommit " ONE " 0\n",
		"time 1\nneed blob 0 HEX 1\ncommit " ONE " 0\n\n",
		"time 1\nneed blob 0 HEX 1\ncommit 11 0\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GString) text = g_string_new(head);
		g_string_append(text, bad[i]);
		g_string_replace(text, "HEX", hex, 0);
		g_autoptr(GError) error = NULL;
		g_autoptr(MlvRoot) root = mlv_root_parse(text->str, text->len, "test", &error);

		if (root)
			fail_msg("taken: %s", bad[i]);
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(the_golden_roots_are_read_and_written_the_same),
		cmocka_unit_test(the_page_shows_the_smallest_root),
		cmocka_unit_test(the_order_of_adding_does_not_matter),
		cmocka_unit_test(a_merge_takes_what_is_kept_and_drops_needs_of_the_rest),
		cmocka_unit_test(names_are_parsed_as_they_are_formatted),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(what_is_not_canonical_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
