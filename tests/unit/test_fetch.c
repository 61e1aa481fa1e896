/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/fetch.h"
#include "storage/push.h"
#include "storage/remote_check.h"
#include "tests/unit/medium_mem.h"
#include "tests/unit/push_store.h"
#include "tests/unit/scratch.h"

#define REPO   "00000000000000aa"
#define CLONE  "00000000000000bb"
#define COMMIT "1111111111111111111111111111111111111111"
#define CHUNKS 40
#define LONG   50000

/* A remote with a pack of 40 long chunks, and one that wants some of them. */
typedef struct {
	Scratch *scratch;
	MemMedium *mem;
	MlvRemote *remote;
	MlvChunkKey keys[CHUNKS];
	MlvId pack;
	GHashTable *got; /* MlvChunkKey of what came alone */
	guint packs;     /* that came whole */
	guint64 progress;
} World;

static void push_all(World *world, MiniStore *store, const MlvRef *refs)
{
	g_autoptr(MlvRoot) root = mlv_root_new(REPO, CLONE);
	MlvPush push = {
		.remote = world->remote,
		.wanted = root,
		.source = &store->source,
		.provider = { mini_locate, mini_open, store },
		.temp_dir = world->scratch->path,
	};
	MlvPushResult result;
	g_autoptr(GError) error = NULL;

	mlv_root_add(root, MLV_ROOT_COMMIT, COMMIT, refs, CHUNKS);
	if (!mlv_push(&push, &result, &error))
		fail_msg("%s", error->message);
	assert_int_equal(result.whole_packs, 1);
}

static int set_up(void **state)
{
	World *world = g_new0(World, 1);
	MiniStore *store = mini_new();
	g_autofree guint8 *noise = g_malloc(LONG);
	MlvRef refs[CHUNKS];

	scratch_setup((void **)&world->scratch);
	world->mem = mem_new();
	world->remote = mlv_remote_open(&world->mem->medium, NULL, TRUE, NULL);
	world->got = g_hash_table_new_full(mini_hash, mini_equal, g_free, NULL);
	mini_begin(store, MLV_CLASS_DATA);
	for (guint i = 0; i < CHUNKS; i++) {
		scratch_noise(noise, LONG, i + 1);
		mlv_id_of(noise, LONG, &world->keys[i].id);
		world->keys[i].kind = MLV_KIND_BLOB;
		refs[i] = (MlvRef){ .id = world->keys[i].id, .size = LONG, .kind = MLV_KIND_BLOB };
		assert_true(mini_put(MLV_KIND_BLOB, &refs[i].id, noise, LONG, store, NULL));
	}
	world->pack = mini_end(store);
	push_all(world, store, refs);
	mini_free(store);
	world->mem->gets = 0;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	World *world = *state;

	mlv_remote_free(world->remote);
	mlv_medium_free(&world->mem->medium);
	g_hash_table_unref(world->got);
	scratch_teardown((void **)&world->scratch);
	g_free(world);
	return 0;
}

static MlvTemp *make_temp(gpointer user, GError **error)
{
	return mlv_temp_open(((World *)user)->scratch->fd, ".", error);
}

static gboolean take_pack(MlvTemp *temp, MlvPackTable *table, gpointer user, GError **error)
{
	World *world = user;

	assert_true(mlv_id_equal(&table->name, &world->pack));
	world->packs++;
	mlv_temp_free(temp);
	mlv_pack_table_free(table);
	return TRUE;
}

static gboolean take_chunk(const MlvPackEntry *entry, const guint8 *stored, gpointer user,
			   GError **error)
{
	World *world = user;
	MlvChunkKey key = { .id = entry->id, .kind = entry->kind };
	g_autofree guint8 *raw = g_malloc(entry->raw);

	assert_true(mlv_pack_decode(entry, stored, raw, "test", NULL));
	assert_true(g_hash_table_add(world->got, g_memdup2(&key, sizeof(key))));
	return TRUE;
}

static void note_progress(guint64 done, guint64 total, gpointer user)
{
	assert_true(done <= total);
	((World *)user)->progress = done;
}

static gboolean fetch(World *world, guint count, gboolean dry, MlvFetchResult *result,
		      GError **error)
{
	MlvFetchSink sink = { make_temp, take_pack, take_chunk, world };
	MlvFetchOptions options = {
		.threads = 2, .dry_run = dry, .progress = note_progress, .user = world
	};

	assert_true(mlv_remote_refresh(world->remote, NULL));
	return mlv_fetch(world->remote, world->keys, count, &sink, &options, result, error);
}

static void most_of_a_pack_comes_as_the_whole_pack(void **state)
{
	World *world = *state;
	MlvFetchResult result;

	assert_true(fetch(world, 35, FALSE, &result, NULL));
	assert_int_equal(world->packs, 1);
	assert_int_equal(g_hash_table_size(world->got), 0);
	assert_int_equal(result.packs, 1);
	assert_int_equal(result.chunks, 35);
	assert_int_equal(world->progress, result.bytes);
}

static void less_comes_by_ranges_and_neighbours_together(void **state)
{
	World *world = *state;
	MlvFetchResult dry, result;

	assert_true(fetch(world, 10, TRUE, &dry, NULL));
	assert_int_equal(world->mem->gets, 0);
	assert_true(fetch(world, 10, FALSE, &result, NULL));
	assert_int_equal(world->packs, 0);
	assert_int_equal(g_hash_table_size(world->got), 10);
	assert_int_equal(world->mem->gets, 1);
	assert_int_equal(result.bytes, 10 * LONG);
	assert_int_equal(result.bytes, dry.bytes);
}

static void what_is_named_twice_comes_once(void **state)
{
	World *world = *state;
	MlvFetchResult result;

	world->keys[1] = world->keys[0];
	assert_true(fetch(world, 2, FALSE, &result, NULL));
	assert_int_equal(g_hash_table_size(world->got), 1);
}

static void damage_on_the_way_is_mended_by_asking_again(void **state)
{
	World *world = *state;
	MlvFetchResult result;

	assert_true(mlv_remote_refresh(world->remote, NULL));
	world->mem->damage_gets = 2;
	assert_true(fetch(world, 10, FALSE, &result, NULL));
	assert_int_equal(g_hash_table_size(world->got), 10);
	world->mem->damage_gets = 2;
	assert_true(fetch(world, 35, FALSE, &result, NULL));
	assert_int_equal(world->packs, 1);
}

static void flip_stored(World *world, gsize at)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	MemFile *file;
	gsize length;
	guint8 *bytes;

	mlv_pack_path(&world->pack, path);
	file = g_hash_table_lookup(world->mem->files, path);
	bytes = g_bytes_unref_to_data(file->bytes, &length);
	bytes[at] ^= 1;
	file->bytes = g_bytes_new_take(bytes, length);
}

static void a_damaged_pack_still_gives_its_good_chunks(void **state)
{
	World *world = *state;
	MlvFetchResult result;
	g_autoptr(GError) error = NULL;

	flip_stored(world, MLV_PACK_HEADER + 39 * LONG + 5);
	assert_true(fetch(world, 38, FALSE, &result, NULL));
	assert_int_equal(world->packs, 0);
	assert_int_equal(g_hash_table_size(world->got), 38);
	g_hash_table_remove_all(world->got);
	assert_false(fetch(world, 40, FALSE, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

static void what_is_not_there_is_named(void **state)
{
	World *world = *state;
	MlvFetchResult result;
	char hex[MLV_ID_HEX + 1];
	g_autoptr(GError) error = NULL;

	mlv_id_of("absent", 6, &world->keys[0].id);
	mlv_id_format(&world->keys[0].id, hex);
	assert_false(fetch(world, 3, FALSE, &result, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_non_null(strstr(error->message, hex));
}

/* --- the check of a remote -------------------------------------------------------------------- */

typedef struct {
	guint kinds[MLV_REMOTE_FAULT_MISSING + 1];
} Faults;

static void count_fault(const MlvRemoteFault *fault, gpointer user)
{
	assert_non_null(fault->message);
	((Faults *)user)->kinds[fault->kind]++;
}

static MlvRemoteCheckResult check(World *world, gboolean deep, Faults *faults)
{
	MlvRemoteCheck check = {
		.remote = world->remote,
		.deep = deep,
		.temp_dir = world->scratch->path,
		.threads = 2,
		.found = count_fault,
		.user = faults,
	};
	MlvRemoteCheckResult result;
	g_autoptr(GError) error = NULL;

	memset(faults, 0, sizeof(*faults));
	if (!mlv_remote_check(&check, &result, &error))
		fail_msg("%s", error->message);
	return result;
}

static void a_whole_remote_is_clean(void **state)
{
	World *world = *state;
	Faults faults;
	MlvRemoteCheckResult result = check(world, TRUE, &faults);

	assert_int_equal(result.faults, 0);
	assert_int_equal(result.packs, 1);
	assert_int_equal(result.indexes, 1);
	assert_int_equal(result.roots, 1);
	assert_int_equal(result.pending, 1);
	assert_int_equal(result.objects, CHUNKS);
	assert_int_equal(result.unnamed, 0);
}

static void a_flipped_bit_is_found_by_the_deep_check(void **state)
{
	World *world = *state;
	Faults faults;

	flip_stored(world, MLV_PACK_HEADER + 7);
	assert_int_equal(check(world, FALSE, &faults).faults, 0);
	assert_int_equal(check(world, TRUE, &faults).faults, 1);
	assert_int_equal(faults.kinds[MLV_REMOTE_FAULT_OBJECT], 1);
}

static void a_lost_pack_is_found_by_its_name_and_by_what_is_needed_of_it(void **state)
{
	World *world = *state;
	Faults faults;
	char path[MLV_PACK_NAME_LENGTH + 1];

	mlv_pack_path(&world->pack, path);
	g_hash_table_remove(world->mem->files, path);
	check(world, FALSE, &faults);
	assert_int_equal(faults.kinds[MLV_REMOTE_FAULT_GONE], 1);
	assert_int_equal(faults.kinds[MLV_REMOTE_FAULT_MISSING], CHUNKS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(most_of_a_pack_comes_as_the_whole_pack),
		TEST(less_comes_by_ranges_and_neighbours_together),
		TEST(what_is_named_twice_comes_once),
		TEST(damage_on_the_way_is_mended_by_asking_again),
		TEST(a_damaged_pack_still_gives_its_good_chunks),
		TEST(what_is_not_there_is_named),
		TEST(a_whole_remote_is_clean),
		TEST(a_flipped_bit_is_found_by_the_deep_check),
		TEST(a_lost_pack_is_found_by_its_name_and_by_what_is_needed_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
