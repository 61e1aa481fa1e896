/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/format.h"
#include "storage/push.h"
#include "storage/remote.h"
#include "storage/remote_gc.h"
#include "tests/unit/medium_mem.h"
#include "tests/unit/push_store.h"
#include "tests/unit/scratch.h"

#include <glib/gstdio.h>

#define REPO     "00000000000000aa"
#define COMMIT_A "1111111111111111111111111111111111111111"
#define COMMIT_B "2222222222222222222222222222222222222222"

/* Two clones, each with a store and a cache of its own, and a remote in memory. */
typedef struct {
	MemMedium *mem;
	char *dir;
	MiniStore *store[2];
	MlvRemote *remote[2];
} World;

static void ok(gboolean result, GError *error)
{
	if (!result)
		fail_msg("%s", error ? error->message : "failed without an error");
}

static void open_remote(World *world, int clone)
{
	g_autofree char *cache = g_strdup_printf("%s/cache%d", world->dir, clone);
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&world->remote[clone], mlv_remote_free);
	world->remote[clone] = mlv_remote_open(&world->mem->medium, cache, TRUE, &error);
	ok(world->remote[clone] != NULL, error);
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);

	world->mem = mem_new();
	world->dir = g_dir_make_tmp("mlv-test-XXXXXX", NULL);
	for (int i = 0; i < 2; i++) {
		world->store[i] = mini_new();
		open_remote(world, i);
	}
	*state = world;
	return 0;
}

static void remove_dir(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *below = g_build_filename(path, name, NULL);

		remove_dir(below);
		g_remove(below);
	}
	g_rmdir(path);
}

static int tear_down(void **state)
{
	World *world = *state;

	for (int i = 0; i < 2; i++) {
		mlv_remote_free(world->remote[i]);
		mini_free(world->store[i]);
	}
	mlv_medium_free(&world->mem->medium);
	remove_dir(world->dir);
	g_free(world->dir);
	g_free(world);
	return 0;
}

static const char *clone_id(int clone)
{
	return clone == 0 ? "00000000000000c0" : "00000000000000c1";
}

static gboolean try_push(World *world, int clone, const char *commit, const MlvRef *refs, gsize n,
			 gboolean dry, MlvPushResult *result, GError **error)
{
	g_autoptr(MlvRoot) root = mlv_root_new(REPO, clone_id(clone));
	MlvPush push = {
		.remote = world->remote[clone],
		.wanted = root,
		.source = &world->store[clone]->source,
		.provider = { mini_locate, mini_open, world->store[clone] },
		.temp_dir = world->dir,
		.level = 3,
		.verify = TRUE,
		.dry_run = dry,
	};

	mlv_root_add(root, MLV_ROOT_COMMIT, commit, refs, n);
	return mlv_push(&push, result, error);
}

static MlvPushResult do_push(World *world, int clone, const char *commit, const MlvRef *refs,
			     gsize n)
{
	MlvPushResult result;
	g_autoptr(GError) error = NULL;

	ok(try_push(world, clone, commit, refs, n, FALSE, &result, &error), error);
	return result;
}

static MlvRemoteGcResult do_gc(World *world, int clone, gint64 grace,
			       MlvGcVerdict (*verdict)(const MlvRemoteRoot *, const MlvRoot *,
						       gpointer))
{
	MlvRemoteGc gc = {
		.remote = world->remote[clone],
		.verdict = verdict,
		.grace = grace,
		.temp_dir = world->dir,
	};
	MlvRemoteGcResult result;
	g_autoptr(GError) error = NULL;

	ok(mlv_remote_gc(&gc, &result, &error), error);
	return result;
}

static gboolean readable(World *world, int clone, const MlvRef *ref)
{
	MlvSource *source = mlv_remote_source(world->remote[clone]);
	g_autoptr(GBytes) bytes = source->read(source, mlv_ref_chunk_kind(ref), &ref->id, NULL);

	return bytes != NULL;
}

static MlvRef put_one(World *world, int clone, const char *text)
{
	MlvRef ref;

	mini_begin(world->store[clone], MLV_CLASS_DATA);
	ref = mini_blob(world->store[clone], text);
	mini_end(world->store[clone]);
	return ref;
}

/* --- the tests -------------------------------------------------------------------------------- */

static void what_is_pushed_can_be_read_by_another_clone(void **state)
{
	World *world = *state;
	MlvRef refs[2] = { put_one(world, 0, "one"), put_one(world, 0, "two") };
	MlvPushResult result = do_push(world, 0, COMMIT_A, refs, 2);

	assert_false(result.up_to_date);
	assert_int_equal(result.chunks, 2);
	assert_int_equal(result.packs, 1);
	ok(mlv_remote_refresh(world->remote[1], NULL), NULL);
	assert_true(readable(world, 1, &refs[0]));
	assert_true(readable(world, 1, &refs[1]));
}

static void a_push_of_what_is_there_asks_for_the_listing_and_nothing_else(void **state)
{
	World *world = *state;
	MlvRef ref = put_one(world, 0, "one");
	MlvPushResult result;
	guint before;

	do_push(world, 0, COMMIT_A, &ref, 1);
	open_remote(world, 0);
	before = world->mem->lists + world->mem->gets + world->mem->puts + world->mem->deletes;
	result = do_push(world, 0, COMMIT_A, &ref, 1);
	assert_true(result.up_to_date);
	assert_int_equal(world->mem->lists + world->mem->gets + world->mem->puts +
				 world->mem->deletes,
			 before + 1);
}

static void a_dry_run_counts_exactly_and_sends_nothing(void **state)
{
	World *world = *state;
	MlvRef refs[2] = { put_one(world, 0, "one"), put_one(world, 0, "two") };
	MlvPushResult dry, real;
	g_autoptr(GError) error = NULL;
	guint before = world->mem->puts;

	ok(try_push(world, 0, COMMIT_A, refs, 2, TRUE, &dry, &error), error);
	assert_int_equal(world->mem->puts, before);
	real = do_push(world, 0, COMMIT_A, refs, 2);
	assert_int_equal(dry.packs, real.packs);
	assert_int_equal(dry.chunks, real.chunks);
	assert_int_equal(dry.bytes, real.bytes);
	assert_int_equal(dry.whole_packs, real.whole_packs);
}

static void a_lone_pack_of_which_all_is_missing_goes_as_it_is(void **state)
{
	World *world = *state;
	MlvRef ref;
	MlvId name;
	char path[MLV_PACK_NAME_LENGTH + 1];

	mini_begin(world->store[0], MLV_CLASS_DATA);
	ref = mini_blob(world->store[0], "alone");
	name = mini_end(world->store[0]);
	assert_int_equal(do_push(world, 0, COMMIT_A, &ref, 1).whole_packs, 1);
	mlv_pack_path(&name, path);
	assert_true(g_hash_table_contains(world->mem->files, path));
}

static void only_what_is_missing_is_sent(void **state)
{
	World *world = *state;
	MlvRef refs[2] = { put_one(world, 0, "one") };
	MlvPushResult result;

	do_push(world, 0, COMMIT_A, refs, 1);
	refs[1] = put_one(world, 0, "two");
	result = do_push(world, 0, COMMIT_B, refs, 2);
	assert_int_equal(result.chunks, 1);
	/* The other clone has the same bytes in another pack of its own. */
	put_one(world, 1, "one");
	put_one(world, 1, "two");
	result = do_push(world, 1, COMMIT_B, refs, 2);
	assert_int_equal(result.chunks, 0);
	assert_false(result.up_to_date);
}

static void an_object_that_is_nowhere_is_named(void **state)
{
	World *world = *state;
	MlvRef ref = { .kind = MLV_KIND_BLOB, .size = 3 };
	MlvPushResult result;
	g_autoptr(GError) error = NULL;
	char hex[MLV_ID_HEX + 1];

	mlv_id_of("not", 3, &ref.id);
	mlv_id_format(&ref.id, hex);
	assert_false(try_push(world, 0, COMMIT_A, &ref, 1, FALSE, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_non_null(strstr(error->message, hex));
	assert_int_equal(mem_count(world->mem, "live/"), 0);
}

static void many_pushes_keep_few_indexes_and_one_root(void **state)
{
	World *world = *state;
	GArray *refs = g_array_new(FALSE, FALSE, sizeof(MlvRef));

	for (int i = 0; i < 40; i++) {
		g_autofree char *text = g_strdup_printf("version %d", i);
		g_autofree char *commit = g_strdup_printf("%040d", i);
		MlvRef ref = put_one(world, 0, text);

		g_array_append_val(refs, ref);
		do_push(world, 0, commit, &ref, 1);
	}
	assert_true(mem_count(world->mem, "live/i-") <= 6);
	assert_int_equal(mem_count(world->mem, "live/r-"), 1);
	assert_int_equal(mem_count(world->mem, "live/p-"), 1);
	ok(mlv_remote_refresh(world->remote[1], NULL), NULL);
	for (guint i = 0; i < refs->len; i++)
		assert_true(readable(world, 1, &g_array_index(refs, MlvRef, i)));
	g_array_unref(refs);
}

static void an_interrupted_push_does_not_send_its_packs_again(void **state)
{
	World *world = *state;
	MlvRef ref = put_one(world, 0, "one");
	MlvPushResult result = { 0 };
	gboolean done = FALSE;
	guint packs = 0;

	/* Operations fail from the n-th on, n growing until the push gets through. */
	for (guint n = 2; !done; n++) {
		g_autoptr(GError) error = NULL;

		open_remote(world, 0);
		world->mem->fail_after = n;
		done = try_push(world, 0, COMMIT_A, &ref, 1, FALSE, &result, &error);
		world->mem->fail_after = 0;
		packs = MAX(packs, mem_count(world->mem, "packs/"));
		assert_true(n < 40);
	}
	assert_int_equal(packs, 1);
	assert_int_equal(mem_count(world->mem, "live/r-"), 1);
	ok(mlv_remote_refresh(world->remote[1], NULL), NULL);
	assert_true(readable(world, 1, &ref));
}

static void damaged_bytes_are_fetched_again(void **state)
{
	World *world = *state;
	MlvRef ref = put_one(world, 0, "one");

	do_push(world, 0, COMMIT_A, &ref, 1);
	world->mem->damage_gets = 1; /* the format file */
	open_remote(world, 1);
	world->mem->damage_gets = 1; /* the index */
	ok(mlv_remote_refresh(world->remote[1], NULL), NULL);
	world->mem->damage_gets = 2;
	assert_true(readable(world, 1, &ref));
	world->mem->damage_gets = 100;
	assert_false(readable(world, 1, &ref));
}

/* --- gc --------------------------------------------------------------------------------------- */

static MlvGcVerdict forget_the_first(const MlvRemoteRoot *at, const MlvRoot *root, gpointer user)
{
	return strcmp(at->name.clone, clone_id(0)) == 0 ? MLV_GC_FORGET : MLV_GC_KEEP;
}

static MlvGcVerdict drop_all(const MlvRemoteRoot *at, const MlvRoot *root, gpointer user)
{
	return MLV_GC_DROP;
}

static void gc_deletes_what_no_root_needs_and_nothing_else(void **state)
{
	World *world = *state;
	MlvRef shared = put_one(world, 0, "shared"), own = put_one(world, 0, "own");
	MlvRef both[2] = { shared, own };
	MlvRemoteGcResult result;

	do_push(world, 0, COMMIT_A, both, 2);
	put_one(world, 1, "shared");
	do_push(world, 1, COMMIT_B, &shared, 1);
	result = do_gc(world, 1, 0, NULL);
	assert_int_equal(result.packs_deleted, 0);
	result = do_gc(world, 1, 0, forget_the_first);
	assert_int_equal(result.roots_dropped, 1);
	assert_int_equal(result.packs_deleted, 1);
	assert_int_equal(result.packs_rewritten, 1);
	assert_int_equal(result.chunks_copied, 1);
	open_remote(world, 1);
	ok(mlv_remote_refresh(world->remote[1], NULL), NULL);
	assert_true(readable(world, 1, &shared));
	assert_false(readable(world, 1, &own));
	assert_int_equal(mem_count(world->mem, "packs/"), 1);
	result = do_gc(world, 1, 0, NULL);
	assert_int_equal(result.packs_deleted, 0);
}

static void gc_leaves_young_packs_and_young_roots_alone(void **state)
{
	World *world = *state;
	MlvRef ref = put_one(world, 0, "one");
	MlvRemoteGcResult result;

	do_push(world, 0, COMMIT_A, &ref, 1);
	result = do_gc(world, 1, 0, drop_all);
	assert_int_equal(result.roots_dropped, 0);
	result = do_gc(world, 1, 3600, forget_the_first);
	assert_int_equal(result.packs_deleted, 0);
	assert_int_equal(result.packs_kept_young, 1);
	assert_int_equal(mem_count(world->mem, "packs/"), 1);
}

static void a_dry_gc_says_what_the_real_one_does(void **state)
{
	World *world = *state;
	MlvRef refs[2] = { put_one(world, 0, "one"), put_one(world, 0, "two") };
	MlvRemoteGc gc = { .verdict = forget_the_first, .dry_run = TRUE, .temp_dir = world->dir };
	MlvRemoteGcResult dry, real;
	guint before;

	do_push(world, 0, COMMIT_A, refs, 2);
	put_one(world, 1, "two");
	do_push(world, 1, COMMIT_B, &refs[1], 1);
	gc.remote = world->remote[1];
	before = world->mem->puts + world->mem->deletes;
	ok(mlv_remote_gc(&gc, &dry, NULL), NULL);
	assert_int_equal(world->mem->puts + world->mem->deletes, before);
	real = do_gc(world, 1, 0, forget_the_first);
	assert_int_equal(dry.packs_deleted, real.packs_deleted);
	assert_int_equal(dry.bytes_deleted, real.bytes_deleted);
	assert_int_equal(dry.packs_rewritten, real.packs_rewritten);
	assert_int_equal(dry.bytes_copied, real.bytes_copied);
	assert_int_equal(dry.roots_dropped, real.roots_dropped);
}

static void a_gc_that_was_killed_anywhere_is_finished_by_the_next(void **state)
{
	World *world = *state;
	MlvRef refs[2] = { put_one(world, 0, "keep"), put_one(world, 0, "drop") };
	gboolean done = FALSE;

	do_push(world, 0, COMMIT_A, refs, 2);
	put_one(world, 1, "keep");
	do_push(world, 1, COMMIT_B, &refs[0], 1);
	for (guint n = 2; !done; n++) {
		MlvRemoteGc gc = { .verdict = forget_the_first, .temp_dir = world->dir };
		MlvRemoteGcResult result;
		g_autoptr(GError) error = NULL;

		open_remote(world, 1);
		gc.remote = world->remote[1];
		world->mem->fail_after = n;
		done = mlv_remote_gc(&gc, &result, &error);
		world->mem->fail_after = 0;
		open_remote(world, 1);
		ok(mlv_remote_refresh(world->remote[1], NULL), NULL);
		assert_true(readable(world, 1, &refs[0]));
		assert_true(n < 60);
	}
	do_gc(world, 1, 0, NULL);
	assert_int_equal(mem_count(world->mem, "packs/"), 1);
	assert_false(readable(world, 1, &refs[1]));
}

/* --- the format file -------------------------------------------------------------------------- */

static void a_store_is_not_taken_for_a_remote(void **state)
{
	MemMedium *mem = mem_new();
	g_autofree char *text = mlv_format_text(MLV_ROLE_STORE);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;

	mem_put(mem, "format", bytes);
	assert_null(mlv_remote_open(&mem->medium, NULL, TRUE, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
	mlv_medium_free(&mem->medium);
}

static void a_newer_format_and_an_absent_one_are_told_apart(void **state)
{
	MemMedium *mem = mem_new();
	g_autoptr(GBytes) bytes = g_bytes_new_static("mlv 2\nwhatever\n", 15);
	g_autoptr(GError) absent = NULL, newer = NULL;

	assert_null(mlv_remote_open(&mem->medium, NULL, FALSE, &absent));
	assert_true(g_error_matches(absent, MLV_ERROR, MLV_ERROR_MISSING));
	mem_put(mem, "format", bytes);
	assert_null(mlv_remote_open(&mem->medium, NULL, TRUE, &newer));
	assert_true(g_error_matches(newer, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
	assert_non_null(strstr(newer->message, "format 2"));
	mlv_medium_free(&mem->medium);
}

static void the_page_shows_the_format_file(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-store.5", 0);
	g_autofree char *text = mlv_format_text(MLV_ROLE_REMOTE);

	assert_int_equal(shown->len, strlen(text));
	assert_memory_equal(shown->data, text, shown->len);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_pushed_can_be_read_by_another_clone),
		TEST(a_push_of_what_is_there_asks_for_the_listing_and_nothing_else),
		TEST(a_dry_run_counts_exactly_and_sends_nothing),
		TEST(a_lone_pack_of_which_all_is_missing_goes_as_it_is),
		TEST(only_what_is_missing_is_sent),
		TEST(an_object_that_is_nowhere_is_named),
		TEST(many_pushes_keep_few_indexes_and_one_root),
		TEST(an_interrupted_push_does_not_send_its_packs_again),
		TEST(damaged_bytes_are_fetched_again),
		TEST(gc_deletes_what_no_root_needs_and_nothing_else),
		TEST(gc_leaves_young_packs_and_young_roots_alone),
		TEST(a_dry_gc_says_what_the_real_one_does),
		TEST(a_gc_that_was_killed_anywhere_is_finished_by_the_next),
		cmocka_unit_test(a_store_is_not_taken_for_a_remote),
		cmocka_unit_test(the_page_shows_the_format_file),
		cmocka_unit_test(a_newer_format_and_an_absent_one_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
