/* SPDX-License-Identifier: Apache-2.0 */
/* The stat cache: what is written is read back, what is damaged counts for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/statcache.h"
#include "tests/unit/git_scratch.h"
#include "tests/unit/scratch.h"

#define NOW G_GINT64_CONSTANT(1700000000000000000)

typedef struct {
	char *dir;
	MlvRepo *repo;
} Fixture;

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	gboolean created;

	fixture->dir = g_dir_make_tmp("mlv-unit-XXXXXX", NULL);
	fixture->repo = mlv_repo_init(fixture->dir, &created, NULL);
	*state = fixture;
	return fixture->repo ? 0 : -1;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;

	mlv_repo_free(fixture->repo);
	git_scratch_remove(fixture->dir);
	g_free(fixture->dir);
	g_free(fixture);
	return 0;
}

static MlvStat stat_of(guint64 number)
{
	MlvStat st = { .mtime = NOW - 1000 - (gint64)number,
		       .ctime = NOW - 500,
		       .size = number * 10,
		       .inode = 100 + number,
		       .mode = MLV_MODE_FILE };
	return st;
}

static MlvRef ref_of(guint64 number)
{
	MlvRef ref = { .size = number * 10, .kind = MLV_KIND_BLOB };

	mlv_id_of(&number, sizeof(number), &ref.id);
	return ref;
}

/* Directories data and data/sub of `count` files each, with known trees. */
static void write_two(Fixture *fixture, guint count)
{
	const char *paths[] = { "data", "data/sub" };
	g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
	g_autoptr(MlvStatWriter) writer = mlv_statcache_writer_new(cache, NOW);
	MlvRef tree = ref_of(77);

	tree.kind = MLV_KIND_TREE;
	for (guint d = 0; d < 2; d++) {
		mlv_statcache_writer_begin(writer, paths[d]);
		for (guint i = 0; i < count; i++) {
			g_autofree char *name = g_strdup_printf("f%06u", i);
			MlvStat st = stat_of(i);
			MlvRef ref = ref_of(i);
			mlv_statcache_writer_add(writer, name, &st, &ref);
		}
		mlv_statcache_writer_end(writer, &tree, count, 5,
					 mlv_statcache_add_subdir(0, "sub"));
	}
	assert_true(mlv_statcache_writer_commit(writer, NULL));
}

static void what_is_written_is_read_back(void **state)
{
	Fixture *fixture = *state;
	MlvStatDir dir;

	write_two(fixture, 1000);
	g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
	assert_true(mlv_statcache_dir(cache, "data/sub", &dir));
	assert_int_equal(dir.count, 1000);
	assert_true(dir.has_tree && dir.tree_stored);
	assert_int_equal(dir.files, 1000);
	const MlvStatRecord *record = mlv_statcache_find(&dir, "f000042");
	MlvStat st = stat_of(42);
	assert_non_null(record);
	assert_true(mlv_stat_matches(record, &st));
	st.ctime++;
	assert_false(mlv_stat_matches(record, &st));
	assert_null(mlv_statcache_find(&dir, "f001000"));
	assert_false(mlv_statcache_dir(cache, "dat", &dir));
}

static void a_file_changed_when_hashing_began_is_racy_for_good(void **state)
{
	Fixture *fixture = *state;
	MlvStatDir dir;
	MlvStat st = stat_of(1);
	MlvRef ref = ref_of(1);

	st.mtime = NOW;
	g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
	g_autoptr(MlvStatWriter) writer = mlv_statcache_writer_new(cache, NOW);
	mlv_statcache_writer_begin(writer, "d");
	mlv_statcache_writer_add(writer, "f", &st, &ref);
	mlv_statcache_writer_end(writer, NULL, 0, 0, 0);
	assert_true(mlv_statcache_writer_commit(writer, NULL));
	g_autoptr(MlvStatCache) again = mlv_statcache_open(fixture->repo);
	assert_true(mlv_statcache_dir(again, "d", &dir));
	assert_false(mlv_stat_matches(dir.records, &st));
}

static void one_changed_record_forgets_the_trees_above(void **state)
{
	Fixture *fixture = *state;
	MlvStatDir dir;
	MlvStat st = stat_of(5000);
	MlvRef ref = ref_of(5000);

	write_two(fixture, 10);
	g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
	g_autoptr(MlvStatWriter) writer = mlv_statcache_writer_new(cache, NOW);
	mlv_statcache_writer_set(writer, "data/sub/f000003", &st, &ref);
	mlv_statcache_writer_set(writer, "data/sub/f000004", NULL, NULL);
	mlv_statcache_writer_set(writer, "data/sub/new", &st, &ref);
	assert_true(mlv_statcache_writer_commit(writer, NULL));
	g_autoptr(MlvStatCache) again = mlv_statcache_open(fixture->repo);
	assert_true(mlv_statcache_dir(again, "data/sub", &dir));
	assert_int_equal(dir.count, 10);
	assert_false(dir.has_tree);
	assert_true(mlv_stat_matches(mlv_statcache_find(&dir, "f000003"), &st));
	assert_null(mlv_statcache_find(&dir, "f000004"));
	assert_non_null(mlv_statcache_find(&dir, "new"));
	assert_true(mlv_statcache_dir(again, "data", &dir));
	assert_int_equal(dir.count, 10);
	assert_false(dir.has_tree);
}

static void a_dropped_directory_goes_with_all_below(void **state)
{
	Fixture *fixture = *state;
	MlvStatDir dir;

	write_two(fixture, 3);
	g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
	g_autoptr(MlvStatWriter) writer = mlv_statcache_writer_new(cache, NOW);
	mlv_statcache_writer_drop(writer, "data");
	assert_true(mlv_statcache_writer_commit(writer, NULL));
	g_autoptr(MlvStatCache) again = mlv_statcache_open(fixture->repo);
	assert_false(mlv_statcache_dir(again, "data", &dir));
	assert_false(mlv_statcache_dir(again, "data/sub", &dir));
}

static void after_a_gc_nothing_counts_as_stored(void **state)
{
	Fixture *fixture = *state;
	MlvStatDir dir;

	write_two(fixture, 3);
	g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
	mlv_statcache_use_store(cache, 4711);
	assert_true(mlv_statcache_is_stale(cache));
	assert_true(mlv_statcache_dir(cache, "data", &dir));
	assert_true(dir.has_tree);
	assert_false(dir.tree_stored);
	g_autoptr(MlvStatWriter) writer = mlv_statcache_writer_new(cache, NOW);
	mlv_statcache_writer_drop(writer, "elsewhere");
	assert_true(mlv_statcache_writer_commit(writer, NULL));
	g_autoptr(MlvStatCache) again = mlv_statcache_open(fixture->repo);
	mlv_statcache_use_store(again, 4711);
	assert_false(mlv_statcache_is_stale(again));
	assert_true(mlv_statcache_dir(again, "data", &dir));
	assert_false(dir.tree_stored);
	assert_false(dir.records[0].flags & MLV_STAT_STORED);
}

static void every_damaged_byte_is_harmless(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *path =
		g_build_filename(mlv_repo_worktree_dir(fixture->repo), "statcache", NULL);
	g_autofree char *bytes = NULL;
	gsize length;
	MlvStat st = stat_of(1);

	write_two(fixture, 3);
	assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	for (gsize i = 0; i < length; i++) {
		MlvStatDir dir;

		bytes[i] ^= 0x10;
		assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
		bytes[i] ^= 0x10;
		g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
		if (!mlv_statcache_dir(cache, "data", &dir))
			continue;
		const MlvStatRecord *record = mlv_statcache_find(&dir, "f000001");
		MlvRef ref = ref_of(1);
		assert_non_null(record);
		assert_true(mlv_stat_matches(record, &st));
		assert_memory_equal(record->id, &ref.id, MLV_ID_SIZE);
	}
	for (gsize shorter = 0; shorter < length; shorter += 7) {
		MlvStatDir dir;

		assert_true(g_file_set_contents(path, bytes, (gssize)shorter, NULL));
		g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
		assert_false(mlv_statcache_dir(cache, "data", &dir));
	}
}

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
static char *cache_path(const Fixture *fixture)
{
	return g_build_filename(mlv_repo_worktree_dir(fixture->repo), "statcache", NULL);
}

/* The file is dump `number` of the page. */
static void check_shown(const Fixture *fixture, guint number)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-statcache.5", number);
	g_autofree char *path = cache_path(fixture);
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(path, &bytes, &length, NULL));
	assert_int_equal(shown->len, length);
	assert_memory_equal(shown->data, bytes, length);
}

static void the_page_shows_what_is_written(void **state)
{
	Fixture *fixture = *state;
	MlvStat st = {
		.mtime = NOW, .ctime = NOW + 1, .size = 5, .inode = 7, .mode = MLV_MODE_FILE
	};
	MlvRef ref = { .size = 5, .kind = MLV_KIND_BLOB };

	mlv_id_of("hello", 5, &ref.id);
	g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
	g_autoptr(MlvStatWriter) writer = mlv_statcache_writer_new(cache, NOW + 10);
	mlv_statcache_writer_begin(writer, "d");
	mlv_statcache_writer_add(writer, "a", &st, &ref);
	mlv_statcache_writer_end(writer, NULL, 0, 0, 0);
	assert_true(mlv_statcache_writer_commit(writer, NULL));
	check_shown(fixture, 1);
	g_autoptr(MlvStatCache) again = mlv_statcache_open(fixture->repo);
	g_autoptr(MlvStatWriter) dropper = mlv_statcache_writer_new(again, NOW + 10);
	mlv_statcache_writer_drop(dropper, "d");
	assert_true(mlv_statcache_writer_commit(dropper, NULL));
	check_shown(fixture, 0);
}

static void what_the_page_shows_is_read(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *path = cache_path(fixture);
	MlvStatDir dir;

	for (guint i = 0; i < 2; i++) {
		g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-statcache.5", i);

		assert_true(g_file_set_contents(path, (const char *)shown->data, (gssize)shown->len,
						NULL));
		g_autoptr(MlvStatCache) cache = mlv_statcache_open(fixture->repo);
		assert_int_equal(mlv_statcache_dir(cache, "d", &dir), i);
		if (i == 0)
			continue;
		assert_int_equal(dir.count, 1);
		assert_false(dir.has_tree);
		assert_string_equal(dir.names, "a");
		assert_int_equal(dir.records[0].size, 5);
		assert_int_equal(dir.records[0].inode, 7);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_changed_when_hashing_began_is_racy_for_good,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_changed_record_forgets_the_trees_above, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_dropped_directory_goes_with_all_below, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(after_a_gc_nothing_counts_as_stored, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(every_damaged_byte_is_harmless, set_up, tear_down),
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
		cmocka_unit_test_setup_teardown(the_page_shows_what_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_page_shows_is_read, set_up, tear_down),
#endif
	};

	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
