/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/checkout_private.h"
#include "core/workspace.h"
#include "storage/chunker.h"
#include "storage/ingest.h"
#include "tests/unit/git_scratch.h"

/* A repository, its store, and the checkout's other partners. */
typedef struct {
	char *dir;
	MlvRepo *repo;
	MlvStore *store;
	MlvStoreWriter *writer;
	MlvStatCache *cache;
	MlvPartial *partial;
	gboolean force;
	MlvPathspec *paths;
} World;

/* A file of a tree to be built; ends with a NULL path. Sorted by path; folders come of
 * themselves. */
typedef struct {
	const char *path;
	const char *text; /* NULL: `size` bytes that depend on `seed` */
	guint8 mode;      /* 0: a plain file */
	gsize size;
	guint seed;
} Spec;

static const MlvWriteOptions write_options = { .sync = FALSE, .level = 1 };

static int setup(void **state)
{
	World *world = g_new0(World, 1);
	g_autoptr(GError) error = NULL;

	world->dir = git_scratch_repo();
	world->repo = mlv_repo_open(world->dir, &error);
	assert_non_null(world->repo);
	assert_true(mlv_repo_make_dirs(world->repo, NULL));
	world->store = mlv_store_open(mlv_repo_store_dir(world->repo), TRUE, NULL, NULL, &error);
	assert_non_null(world->store);
	world->writer = mlv_store_writer_new(world->store, &write_options);
	world->cache = mlv_statcache_open(world->repo);
	world->partial = mlv_partial_open(world->repo, &error);
	assert_non_null(world->partial);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	World *world = *state;

	mlv_pathspec_free(world->paths);
	mlv_partial_close(world->partial);
	mlv_statcache_close(world->cache);
	mlv_store_writer_free(world->writer);
	mlv_store_close(world->store);
	mlv_repo_free(world->repo);
	git_scratch_remove(world->dir);
	g_free(world->dir);
	g_free(world);
	return 0;
}

static guint8 *make_bytes(guint seed, gsize size)
{
	guint64 x = seed * 0x9e3779b97f4a7c15ULL + 1;
	guint8 *bytes = g_malloc(size + 8);

	for (gsize i = 0; i < size; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(bytes + i, &x, 8);
	}
	/* Some zeros in the middle, so that there are holes. */
	if (size > (4u << 20))
		memset(bytes + (1u << 20), 0, 2u << 20);
	return bytes;
}

static guint8 *spec_bytes(const Spec *spec, gsize *size)
{
	*size = spec->text ? strlen(spec->text) : spec->size;
	return spec->text ? g_memdup2(spec->text, *size + 1) : make_bytes(spec->seed, *size);
}

static void ingested(MlvIngested *result, gpointer user)
{
	assert_null(result->error);
	*(MlvRef *)user = result->ref;
}

static MlvRef put_bytes(World *world, const void *data, gsize size)
{
	MlvRef ref = { .kind = MLV_KIND_BLOB };
	g_autoptr(MlvIngest) ingest = mlv_ingest_new(world->writer, 2, NULL, ingested, &ref);

	assert_true(mlv_ingest_stream_begin(ingest, NULL, NULL));
	assert_true(mlv_ingest_stream_write(ingest, data, size, NULL));
	assert_true(mlv_ingest_stream_end(ingest, NULL));
	assert_true(mlv_ingest_finish(ingest, NULL));
	return ref;
}

static gboolean put_chunk(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			  gpointer user, GError **error)
{
	return length == 0 || mlv_store_writer_put(kind, id, data, length, user, error);
}

/* Stores the specs that lie below `prefix` as a tree; moves *spec behind them. */
static MlvTreeEntry put_level(World *world, const Spec **spec, const char *prefix)
{
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(put_chunk, world->writer);
	MlvTreeEntry whole = { .mode = MLV_MODE_DIRECTORY };

	while ((*spec)->path && g_str_has_prefix((*spec)->path, prefix)) {
		const char *rest = (*spec)->path + strlen(prefix), *slash = strchr(rest, '/');
		g_autofree char *name =
			slash ? g_strndup(rest, (gsize)(slash - rest)) : g_strdup(rest);
		MlvTreeEntry entry = { .mode = (*spec)->mode ? (*spec)->mode : MLV_MODE_FILE,
				       .files = 1 };

		if (*rest == '\0') { /* "a/": an empty folder */
			(*spec)++;
			continue;
		}
		if (slash) {
			g_autofree char *below =
				g_strndup((*spec)->path, (gsize)(slash + 1 - (*spec)->path));
			entry = put_level(world, spec, below);
		} else {
			gsize size;
			g_autofree guint8 *bytes = spec_bytes(*spec, &size);
			entry.ref = put_bytes(world, bytes, size);
			entry.bytes = size;
			(*spec)++;
		}
		entry.name = name;
		entry.name_length = (guint8)strlen(name);
		assert_true(mlv_tree_builder_add(builder, &entry, NULL));
	}
	assert_true(mlv_tree_builder_finish(builder, &whole.ref, &whole.files, &whole.bytes, NULL));
	return whole;
}

static MlvPointer put_tree(World *world, const Spec *spec)
{
	MlvTreeEntry tree = put_level(world, &spec, "");
	MlvPointer pointer;

	tree.name = "x";
	assert_true(mlv_store_writer_commit(world->writer, NULL));
	assert_true(mlv_pointer_from_entry(&tree, &pointer));
	return pointer;
}

static MlvPointer put_file(World *world, const char *text, guint8 mode)
{
	MlvPointer pointer = { .mode = mode, .files = 1, .bytes = strlen(text) };

	pointer.ref = put_bytes(world, text, strlen(text));
	assert_true(mlv_store_writer_commit(world->writer, NULL));
	return pointer;
}

/* Plans and carries out; FALSE with *error if that is refused. */
static gboolean bring(World *world, const char *path, const MlvPointer *wanted,
		      const MlvPointer *base, MlvCheckoutTotals *totals, GError **error)
{
	MlvCheckoutOptions options = { .repo = world->repo,
				       .store = world->store,
				       .cache = world->cache,
				       .partial = world->partial,
				       .paths = world->paths,
				       .force = world->force,
				       .threads = 2 };
	MlvCheckoutTotals unused;
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(&options);

	if (!mlv_checkout_target(checkout, path, wanted, base, error) ||
	    !mlv_checkout_plan(checkout, error))
		return FALSE;
	mlv_checkout_totals(checkout, totals ? totals : &unused);
	return mlv_checkout_apply(checkout, error);
}

static void bring_ok(World *world, const char *path, const MlvPointer *wanted,
		     const MlvPointer *base, MlvCheckoutTotals *totals)
{
	g_autoptr(GError) error = NULL;

	if (!bring(world, path, wanted, base, totals, &error))
		fail_msg("%s", error->message);
	mlv_statcache_close(world->cache);
	world->cache = mlv_statcache_open(world->repo);
}

static void refuse(World *world, const char *path, const MlvPointer *wanted, const MlvPointer *base,
		   int code)
{
	g_autoptr(GError) error = NULL;

	assert_false(bring(world, path, wanted, base, NULL, &error));
	if (error->code != code)
		fail_msg("%s", error->message);
}

static char *at(World *world, const char *path)
{
	return g_build_filename(world->dir, path, NULL);
}

static gboolean is_there(World *world, const char *path)
{
	g_autofree char *file = at(world, path);
	struct stat st;

	return lstat(file, &st) == 0;
}

static void assert_text(World *world, const char *path, const char *text)
{
	g_autofree char *found = read_text(world->dir, path);

	assert_non_null(found);
	assert_string_equal(found, text);
}

static void assert_specs(World *world, const char *top, const Spec *spec)
{
	for (; spec->path; spec++) {
		g_autofree char *file = g_build_filename(world->dir, top, spec->path, NULL);
		g_autofree char *found = NULL;
		gsize size, length;
		struct stat st;

		assert_int_equal(lstat(file, &st), 0);
		if (g_str_has_suffix(spec->path, "/")) {
			assert_true(S_ISDIR(st.st_mode));
			continue;
		}
		g_autofree guint8 *bytes = spec_bytes(spec, &size);
		if (spec->mode == MLV_MODE_SYMLINK) {
			found = g_file_read_link(file, NULL);
			assert_string_equal(found, spec->text);
			continue;
		}
		assert_true(g_file_get_contents(file, &found, &length, NULL));
		assert_int_equal(length, size);
		assert_memory_equal(found, bytes, size);
		assert_int_equal((st.st_mode & 0100) != 0, spec->mode == MLV_MODE_EXECUTABLE);
	}
}

static const Spec first[] = {
	{ "a.txt", "one", 0, 0, 0 },
	{ "big", NULL, 0, (20u << 20) + 17, 1 },
	{ "bin/", "", 0, 0, 0 },
	{ "bin/run", "#!", MLV_MODE_EXECUTABLE, 0, 0 },
	{ "empty", "", 0, 0, 0 },
	{ "link", "/nowhere/at/all", MLV_MODE_SYMLINK, 0, 0 },
	{ "middle", NULL, 0, 3u << 20, 2 },
	{ "nothing/", "", 0, 0, 0 },
	{ "sub/deep/x", "deep", 0, 0, 0 },
	{ "sub/y", NULL, 0, 200u << 10, 3 },
	{ NULL, NULL, 0, 0, 0 },
};

static const Spec second[] = {
	{ "a.txt", "two", 0, 0, 0 },
	{ "bin/run", "#!", 0, 0, 0 },
	{ "link/inside", "a directory now", 0, 0, 0 },
	{ "sub", "a file now", 0, 0, 0 },
	{ NULL, NULL, 0, 0, 0 },
};

static void a_directory_comes_whole_into_an_empty_work_tree(void **state)
{
	World *world = *state;
	MlvPointer pointer = put_tree(world, first);
	MlvCheckoutTotals totals;

	bring_ok(world, "data/set", &pointer, NULL, &totals);
	assert_specs(world, "data/set", first);
	assert_int_equal(totals.write_files, 8);
	bring_ok(world, "data/set", &pointer, NULL, &totals);
	assert_int_equal(totals.write_files, 0);
	assert_int_equal(totals.keep_files, 8);
}

static void the_stat_cache_knows_the_trees_that_were_brought(void **state)
{
	World *world = *state;
	MlvPointer pointer = put_tree(world, first);
	MlvStatDir dir;

	bring_ok(world, "data/set", &pointer, NULL, NULL);
	assert_true(mlv_statcache_dir(world->cache, "data/set", &dir));
	assert_true(dir.has_tree);
	assert_true(dir.tree_stored);
	assert_true(mlv_ref_equal(&dir.tree, &pointer.ref));
	assert_int_equal(dir.count, 5);
	for (gsize i = 0; i < dir.count; i++)
		assert_int_equal(dir.records[i].flags & MLV_STAT_RACY, 0);
	assert_true(mlv_statcache_dir(world->cache, "data/set/sub/deep", &dir));
	assert_true(dir.has_tree);
}

static void another_version_replaces_files_by_directories_and_back(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first), two = put_tree(world, second);

	bring_ok(world, "set", &one, NULL, NULL);
	bring_ok(world, "set", &two, &one, NULL);
	assert_specs(world, "set", second);
	assert_false(is_there(world, "set/big"));
	assert_false(is_there(world, "set/nothing"));
	bring_ok(world, "set", &one, &two, NULL);
	assert_specs(world, "set", first);
	/* Without being told what was there, the stat cache knows it. */
	bring_ok(world, "set", &two, NULL, NULL);
	assert_specs(world, "set", second);
	assert_false(is_there(world, "set/big"));
}

static void unsaved_changes_are_refused_and_nothing_is_written(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first), two = put_tree(world, second);

	bring_ok(world, "set", &one, NULL, NULL);
	write_text(world->dir, "set/sub/y", "my own work");
	refuse(world, "set", &two, &one, MLV_ERROR_EXISTS);
	assert_text(world, "set/a.txt", "one");
	assert_text(world, "set/sub/y", "my own work");
	refuse(world, "set", &one, &one, MLV_ERROR_EXISTS);
	refuse(world, "set", NULL, &one, MLV_ERROR_EXISTS);
	world->force = TRUE;
	bring_ok(world, "set", &two, &one, NULL);
	assert_specs(world, "set", second);
}

static void a_deleted_file_comes_back(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first);
	MlvCheckoutTotals totals;
	g_autofree char *file = at(world, "set/a.txt");

	bring_ok(world, "set", &one, NULL, NULL);
	unlink(file);
	bring_ok(world, "set", &one, &one, &totals);
	assert_int_equal(totals.write_files, 1);
	assert_specs(world, "set", first);
}

static void a_file_with_stored_content_may_be_overwritten(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first);

	put_file(world, "saved elsewhere", MLV_MODE_FILE);
	bring_ok(world, "set", &one, NULL, NULL);
	write_text(world->dir, "set/a.txt", "saved elsewhere");
	bring_ok(world, "set", &one, &one, NULL);
	assert_text(world, "set/a.txt", "one");
}

static void files_that_no_version_has_stay_unless_forced(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first), two = put_tree(world, second);

	bring_ok(world, "set", &one, NULL, NULL);
	write_text(world->dir, "set/mine", "mine");
	write_text(world->dir, "set/own/mine", "mine");
	bring_ok(world, "set", &two, &one, NULL);
	assert_text(world, "set/mine", "mine");
	assert_text(world, "set/own/mine", "mine");
	bring_ok(world, "set", NULL, &two, NULL);
	assert_text(world, "set/own/mine", "mine");
	assert_false(is_there(world, "set/a.txt"));
	world->force = TRUE;
	bring_ok(world, "set", &one, NULL, NULL);
	assert_specs(world, "set", first);
	assert_false(is_there(world, "set/mine"));
	assert_false(is_there(world, "set/own"));
}

static void an_unsaved_file_in_a_directory_that_must_go_is_refused(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first), two = put_tree(world, second);

	bring_ok(world, "set", &one, NULL, NULL);
	write_text(world->dir, "set/sub/mine", "mine");
	refuse(world, "set", &two, &one, MLV_ERROR_EXISTS);
	assert_specs(world, "set", first);
}

static void what_is_ignored_is_never_touched(void **state)
{
	World *world = *state;
	static const Spec wanted[] = { { ".mlvignore", "*.tmp\n", 0, 0, 0 },
				       { "a.txt", "one", 0, 0, 0 },
				       { NULL, NULL, 0, 0, 0 } };
	MlvPointer one = put_tree(world, wanted);

	bring_ok(world, "set", &one, NULL, NULL);
	write_text(world->dir, "set/x.tmp", "scratch");
	world->force = TRUE;
	bring_ok(world, "set", &one, &one, NULL);
	assert_text(world, "set/x.tmp", "scratch");
	bring_ok(world, "set", NULL, &one, NULL);
	assert_text(world, "set/x.tmp", "scratch");
	assert_false(is_there(world, "set/a.txt"));
}

static void only_the_mode_is_changed_where_only_the_mode_differs(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first);
	MlvCheckoutTotals totals;
	g_autofree char *file = at(world, "set/a.txt");

	bring_ok(world, "set", &one, NULL, NULL);
	assert_int_equal(chmod(file, 0755), 0);
	bring_ok(world, "set", &one, &one, &totals);
	assert_int_equal(totals.mode_files, 1);
	assert_int_equal(totals.write_files, 0);
	assert_specs(world, "set", first);
}

static void a_single_file_is_a_target_too(void **state)
{
	World *world = *state;
	MlvPointer one = put_file(world, "model one", MLV_MODE_EXECUTABLE);
	MlvPointer two = put_file(world, "model two", MLV_MODE_FILE);
	MlvCheckoutTotals totals;

	bring_ok(world, "deep/folder/model", &one, NULL, NULL);
	assert_text(world, "deep/folder/model", "model one");
	bring_ok(world, "deep/folder/model", &two, &one, NULL);
	assert_text(world, "deep/folder/model", "model two");
	bring_ok(world, "deep/folder/model", &two, NULL, &totals);
	assert_int_equal(totals.keep_files, 1);
	write_text(world->dir, "deep/folder/model", "unsaved");
	refuse(world, "deep/folder/model", &one, &two, MLV_ERROR_EXISTS);
	world->force = TRUE;
	bring_ok(world, "deep/folder/model", NULL, &two, NULL);
	assert_false(is_there(world, "deep/folder/model"));
}

static void nothing_is_written_through_a_symlink(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first);
	g_autofree char *outside = g_dir_make_tmp("mlv-outside-XXXXXX", NULL);
	g_autofree char *link = at(world, "data");

	assert_int_equal(symlink(outside, link), 0);
	refuse(world, "data/set", &one, NULL, MLV_ERROR_FAILED);
	world->force = TRUE;
	refuse(world, "data/set", &one, NULL, MLV_ERROR_FAILED);
	unlink(link);
	world->force = FALSE;
	bring_ok(world, "data/set", &one, NULL, NULL);
	g_autofree char *sub = at(world, "data/set/sub");
	git_scratch_remove(sub);
	assert_int_equal(symlink(outside, sub), 0);
	refuse(world, "data/set", &one, &one, MLV_ERROR_EXISTS);
	world->force = TRUE;
	bring_ok(world, "data/set", &one, &one, NULL);
	assert_specs(world, "data/set", first);
	assert_int_equal(rmdir(outside), 0);
}

static void missing_objects_are_named_and_nothing_is_written(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first), lost = one;

	lost.ref.id.b[0] ^= 1;
	refuse(world, "set", &lost, NULL, MLV_ERROR_MISSING);
	assert_false(is_there(world, "set"));
	lost = put_file(world, "here", MLV_MODE_FILE);
	lost.ref.id.b[0] ^= 1;
	refuse(world, "model", &lost, NULL, MLV_ERROR_MISSING);
	assert_false(is_there(world, "model"));
}

static void paths_bring_a_part_and_the_rest_is_not_expected(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first);
	char words[2][40] = { "set/sub/deep", "set/a.txt" };
	char *list[] = { words[0], words[1] };
	g_autofree char *before = g_get_current_dir();

	assert_int_equal(chdir(world->dir), 0);
	world->paths = mlv_pathspec_new(world->repo, list, 2, NULL);
	assert_non_null(world->paths);
	bring_ok(world, "set", &one, NULL, NULL);
	assert_int_equal(chdir(before), 0);
	assert_text(world, "set/sub/deep/x", "deep");
	assert_text(world, "set/a.txt", "one");
	assert_false(is_there(world, "set/big"));
	assert_false(is_there(world, "set/sub/y"));
	assert_true(mlv_partial_expects(world->partial, "set", "set/sub/deep/x"));
	assert_false(mlv_partial_expects(world->partial, "set", "set/big"));
	/* A checkout of all keeps to what is expected. */
	g_clear_pointer(&world->paths, mlv_pathspec_free);
	g_autofree char *file = at(world, "set/a.txt");
	unlink(file);
	bring_ok(world, "set", &one, &one, NULL);
	assert_text(world, "set/a.txt", "one");
	assert_false(is_there(world, "set/big"));
}

static void a_damaged_chunk_is_told_and_not_written(void **state)
{
	World *world = *state;
	MlvPointer one = put_file(world, "precious", MLV_MODE_FILE);
	MlvPlace place;
	gboolean found;

	assert_true(mlv_store_find(world->store, MLV_KIND_BLOB, &one.ref.id, &place, &found, NULL));
	MlvId name = mlv_store_pack_name(world->store, place.pack);
	char path[MLV_PACK_NAME_LENGTH + 1];
	mlv_pack_path(&name, path);
	g_autofree char *file = g_build_filename(mlv_store_path(world->store), path, NULL);
	assert_int_equal(chmod(file, 0644), 0);
	g_auto(MlvFd) fd = open(file, O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, place.entry.offset), 1);
	refuse(world, "model", &one, NULL, MLV_ERROR_CORRUPT);
	assert_false(is_there(world, "model"));
}

static void what_a_killed_process_left_is_swept_and_ignored(void **state)
{
	World *world = *state;
	MlvPointer one = put_tree(world, first);
	struct timespec old[2] = { { 1, 0 }, { 1, 0 } };
	g_autofree char *file = at(world, "set/.mlv-tmp-0123456789abcdef");

	assert_true(mlv_workspace_is_temp(".mlv-tmp-0123456789abcdef"));
	write_text(world->dir, "set/.mlv-tmp-0123456789abcdef", "half");
	assert_int_equal(utimensat(AT_FDCWD, file, old, 0), 0);
	bring_ok(world, "set", &one, NULL, NULL);
	assert_specs(world, "set", first);
}

static void names_that_differ_in_case_only_are_told_where_case_does_not_count(void **state)
{
	const CheckoutDir dir = { .path = (char *)"set" };
	MlvScanEntry entry = { .name = "Readme" };
	const MlvScanDir disk = { .entries = &entry, .count = 1 };
	g_autoptr(GHashTable) names = NULL, there = NULL;
	g_autoptr(GError) error = NULL;

	for (const char *const *name = (const char *const[]){ "A", "b", "\xff", "Ä", NULL }; *name;
	     name++)
		assert_true(mlv_checkout_fold_name(&names, &dir, *name, NULL));
	assert_false(mlv_checkout_fold_name(&names, &dir, "a", &error));
	assert_non_null(strstr(error->message, "'A' and 'a' differ"));
	assert_false(mlv_checkout_fold_name(&names, &dir, "A\xcc\x88", NULL));
	assert_false(mlv_checkout_fold_name(&names, &dir, "a\xcc\x88", NULL));
	assert_true(mlv_checkout_lists_twin(&there, &disk, "README"));
	assert_false(mlv_checkout_lists_twin(&there, &disk, "READYOU"));
}

static void room_for_a_large_file_is_taken_before_it_is_written(void **state)
{
	World *world = *state;
	g_auto(MlvFd) dir = open(world->dir, O_RDONLY | O_DIRECTORY);
	g_autoptr(MlvWorkspaceTemp) temp =
		mlv_workspace_temp_new(dir, MLV_MODE_FILE, 1 << 20, "large", NULL);
	struct stat st;

	assert_non_null(temp);
	assert_int_equal(fstat(mlv_workspace_temp_fd(temp), &st), 0);
	assert_int_equal(st.st_blocks, 0);
	assert_true(mlv_workspace_temp_reserve(temp, 1 << 20, NULL));
	assert_int_equal(fstat(mlv_workspace_temp_fd(temp), &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
	assert_true(st.st_blocks == 0 || st.st_blocks * 512 >= 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_directory_comes_whole_into_an_empty_work_tree),
		TEST(the_stat_cache_knows_the_trees_that_were_brought),
		TEST(another_version_replaces_files_by_directories_and_back),
		TEST(unsaved_changes_are_refused_and_nothing_is_written),
		TEST(a_deleted_file_comes_back),
		TEST(a_file_with_stored_content_may_be_overwritten),
		TEST(files_that_no_version_has_stay_unless_forced),
		TEST(an_unsaved_file_in_a_directory_that_must_go_is_refused),
		TEST(what_is_ignored_is_never_touched),
		TEST(only_the_mode_is_changed_where_only_the_mode_differs),
		TEST(a_single_file_is_a_target_too),
		TEST(nothing_is_written_through_a_symlink),
		TEST(missing_objects_are_named_and_nothing_is_written),
		TEST(paths_bring_a_part_and_the_rest_is_not_expected),
		TEST(a_damaged_chunk_is_told_and_not_written),
		TEST(what_a_killed_process_left_is_swept_and_ignored),
		TEST(names_that_differ_in_case_only_are_told_where_case_does_not_count),
		TEST(room_for_a_large_file_is_taken_before_it_is_written),
	};

	git_scratch_environment();
	return cmocka_run_group_tests_name("checkout", tests, NULL, NULL);
}
