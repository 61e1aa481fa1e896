/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fsck_walk.h"
#include "storage/ingest.h"
#include "tests/unit/mini_store.h"

/* A store and a repository without remotes, and what the walk says. */
typedef struct {
	MlvStore *store;
	MlvRepo *repo;
	MlvStoreWriter *writer;
	MlvFsckResult result;
	GString *told; /* messages, a line each */
} Bench;

static void note(const MlvFsckFault *fault, gpointer user)
{
	g_string_append_printf(((Bench *)user)->told, "%s: %s\n", fault->kind, fault->message);
}

static void note_store(const MlvFault *fault, gpointer user)
{
	fail_msg("%s", fault->message);
}

static Bench *bench_new(const Scratch *scratch)
{
	Bench *bench = g_new0(Bench, 1);
	gboolean created;
	g_autofree char *path = g_build_filename(scratch->path, "repo", NULL);

	mkdir(path, 0777);
	g_setenv("GIT_CONFIG_NOSYSTEM", "1", TRUE);
	g_setenv("GIT_CONFIG_GLOBAL", "/dev/null", TRUE);
	bench->repo = mlv_repo_init(path, &created, NULL);
	assert_non_null(bench->repo);
	bench->store = mini_open(scratch);
	bench->writer = mini_writer(bench->store);
	bench->told = g_string_new(NULL);
	return bench;
}

static void bench_free(Bench *bench)
{
	mlv_store_close(bench->store);
	mlv_repo_free(bench->repo);
	g_string_free(bench->told, TRUE);
	g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, bench_free)

/* Commits what was written, and walks below one reference. */
static void walk(Bench *bench, const MlvRef *ref, guint64 files, guint64 bytes)
{
	const MlvFsckOptions options = { .threads = 2, .found = note, .user = bench };
	const MlvCheckOptions check_options = { .threads = 2, .found = note_store };
	const MlvPointer pointer = {
		.ref = *ref, .mode = MLV_MODE_FILE, .files = files, .bytes = bytes
	};
	g_autoptr(MlvFsckRemotes) remotes = mlv_fsck_remotes_new(bench->repo);

	mini_commit(bench->writer);
	g_autoptr(MlvCheck) check = mlv_check_new(bench->store, &check_options);
	assert_true(mlv_check_run(check, &bench->result.store, NULL));
	g_autoptr(MlvFsckWalk) it =
		mlv_fsck_walk_new(bench->store, check, remotes, &options, &bench->result);
	assert_true(mlv_fsck_walk_add(it, &pointer, "data", "HEAD", NULL));
	assert_true(mlv_fsck_walk_finish(it, NULL));
}

static void assert_told(const Bench *bench, const char *text)
{
	if (!strstr(bench->told->str, text))
		fail_msg("'%s' is not among:\n%s", text, bench->told->str);
}

static gboolean keep_chunk(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			   gpointer writer, GError **error)
{
	return mlv_store_writer_put(kind, id, data, length, writer, error);
}

static void take_ref(MlvIngested *result, gpointer user)
{
	assert_null(result->error);
	*(MlvRef *)user = result->ref;
}

/* A file as `add` stores it. */
static MlvRef store_file(Bench *bench, gsize length)
{
	g_autofree guint8 *bytes = g_malloc(length);
	MlvRef ref;

	scratch_noise(bytes, length, 5);
	g_autoptr(MlvIngest) ingest = mlv_ingest_new(bench->writer, 2, NULL, take_ref, &ref);
	assert_true(mlv_ingest_stream_begin(ingest, NULL, NULL));
	assert_true(mlv_ingest_stream_write(ingest, bytes, length, NULL));
	assert_true(mlv_ingest_stream_end(ingest, NULL));
	assert_true(mlv_ingest_finish(ingest, NULL));
	return ref;
}

/* A list over two chunks of that length each, wherever a chunker would cut. */
static MlvRef store_pair(Bench *bench, gsize length)
{
	g_autoptr(MlvListBuilder) builder =
		mlv_list_builder_new(MLV_KIND_BLOB, keep_chunk, bench->writer);
	MlvRef ref;

	for (guint64 seed = 1; seed <= 2; seed++) {
		MlvId id = mini_noise(bench->writer, length, seed);
		assert_true(mlv_list_builder_add(builder, &id, length, NULL));
	}
	assert_true(mlv_list_builder_finish(builder, &ref, NULL));
	return ref;
}

/* A directory with one entry. */
static MlvRef store_tree(Bench *bench, const char *name, const MlvRef *ref, guint64 files,
			 guint64 bytes)
{
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(keep_chunk, bench->writer);
	const MlvTreeEntry entry = {
		.name = name,
		.name_length = (guint8)strlen(name),
		.mode = ref->kind == MLV_KIND_TREE ? MLV_MODE_DIRECTORY : MLV_MODE_FILE,
		.ref = *ref,
		.files = files,
		.bytes = bytes,
	};
	guint64 sum_files, sum_bytes;
	MlvRef tree;

	assert_true(mlv_tree_builder_add(builder, &entry, NULL));
	assert_true(mlv_tree_builder_finish(builder, &tree, &sum_files, &sum_bytes, NULL));
	return tree;
}

static void what_add_stores_is_clean(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef file = store_file(bench, 3000000);
	MlvRef inner = store_tree(bench, "f", &file, 1, file.size);
	MlvRef outer = store_tree(bench, "d", &inner, 1, file.size);

	walk(bench, &outer, 1, file.size);
	assert_string_equal(bench->told->str, "");
	assert_int_equal(bench->result.trees, 2);
	assert_int_equal(bench->result.lists, 1);
	assert_int_equal(bench->result.not_here, 0);
}

static void a_file_that_is_cut_elsewhere_is_a_fault(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef ref = store_pair(bench, MINI_LONG);

	walk(bench, &ref, 1, ref.size);
	assert_told(bench, "not cut there as the format says");
}

static void a_file_that_is_one_chunk_s_worth_is_not_to_be_cut(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef ref = store_pair(bench, 50000);

	walk(bench, &ref, 1, ref.size);
	assert_told(bench, "cut, though it is one chunk's worth");
}

static void totals_of_a_directory_must_be_those_of_what_is_in_it(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef file = store_file(bench, 1000);
	MlvRef inner = store_tree(bench, "f", &file, 1, file.size);
	MlvRef outer = store_tree(bench, "d", &inner, 2, file.size);

	walk(bench, &outer, 2, file.size);
	assert_told(bench, "it holds 1 files of 1000 bytes, and 2 of 1000 are said of it");
	assert_int_equal(bench->result.faults, 1);
}

static void a_size_that_is_not_the_chunk_s_is_a_fault(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef file = store_file(bench, 1000);

	file.size = 999;
	walk(bench, &file, 1, 999);
	assert_told(bench, "it has 1000 bytes, and 999 are said of it");
}

static void what_a_tree_that_is_here_names_must_be_here(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef file = { .kind = MLV_KIND_BLOB, .size = 1000 };

	mlv_id_of("absent", 6, &file.id);
	MlvRef tree = store_tree(bench, "f", &file, 1, 1000);
	walk(bench, &tree, 1, 1000);
	assert_told(bench, "missing: object sha256:");
	assert_int_equal(bench->result.faults, 1);
}

static void what_was_never_fetched_is_counted(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef tree = { .kind = MLV_KIND_TREE, .size = 1000 };

	mlv_id_of("absent", 6, &tree.id);
	walk(bench, &tree, 1, 1000);
	assert_int_equal(bench->result.faults, 0);
	assert_int_equal(bench->result.not_here, 1);
}

static void a_tree_that_cannot_be_decoded_is_a_fault(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef tree = { .kind = MLV_KIND_TREE, .size = 9 };

	tree.id = mini_put(bench->writer, MLV_KIND_TREE, "T\1garbage", 9);
	walk(bench, &tree, 1, 1000);
	assert_told(bench, "tree: tree sha256:");
}

static void the_empty_file_needs_no_chunk(void **state)
{
	g_autoptr(Bench) bench = bench_new(*state);
	MlvRef file = { .kind = MLV_KIND_BLOB };

	mlv_id_of("", 0, &file.id);
	MlvRef tree = store_tree(bench, "empty", &file, 1, 0);
	walk(bench, &tree, 1, 0);
	assert_string_equal(bench->told->str, "");
	assert_int_equal(bench->result.not_here, 0);
}

static void cuts_are_judged_as_the_chunker_makes_them(void **state)
{
	g_autofree guint8 *bytes = g_malloc0(MLV_CHUNK_LIMIT);

	/* Zeros have no candidates: they are cut at the maximum, and end anywhere. */
	assert_true(mlv_fsck_cut_is_right(bytes, 262144, FALSE));
	assert_true(mlv_fsck_cut_is_right(bytes, 262144, TRUE));
	assert_true(mlv_fsck_cut_is_right(bytes, 5, TRUE));
	assert_false(mlv_fsck_cut_is_right(bytes, 5, FALSE));
	assert_false(mlv_fsck_cut_is_right(bytes, 100000, FALSE));
	assert_false(mlv_fsck_cut_is_right(bytes, 262145, FALSE));
	assert_false(mlv_fsck_cut_is_right(bytes, 0, TRUE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_add_stores_is_clean),
		TEST(a_file_that_is_cut_elsewhere_is_a_fault),
		TEST(a_file_that_is_one_chunk_s_worth_is_not_to_be_cut),
		TEST(totals_of_a_directory_must_be_those_of_what_is_in_it),
		TEST(a_size_that_is_not_the_chunk_s_is_a_fault),
		TEST(what_a_tree_that_is_here_names_must_be_here),
		TEST(what_was_never_fetched_is_counted),
		TEST(a_tree_that_cannot_be_decoded_is_a_fault),
		TEST(the_empty_file_needs_no_chunk),
		TEST(cuts_are_judged_as_the_chunker_makes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
