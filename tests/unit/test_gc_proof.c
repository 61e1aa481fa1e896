/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of mlv-store(5), shown: mlv_push and mlv_remote_gc themselves, every interleaving
 * of their operations on a medium without locks, a crash at each. In every state that is reached
 *
 *	- all that a confirmed root names can be read,
 *	- all that a push needs that has succeeded can be read,
 *
 * and where all have ended, a further gc leaves it so. Broken variants must be caught.
 *
 * With MLV_PROOF set in the environment the steps are finer (minutes; every operation, for three
 * at once).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/push.h"
#include "storage/remote_gc.h"
#include "tests/unit/explore.h"
#include "tests/unit/medium_mem.h"
#include "tests/unit/push_store.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW  1800000000
#define DAY  (24 * 60 * 60)
#define REPO "00000000000000aa"

/* --- the actors ------------------------------------------------------------------------------- */

typedef struct {
	const char *clone;
	MiniStore *store;
	const char *dir;
	const MlvRef *refs;
	gsize n_refs;
	const char *commit;
	gboolean forget_earlier; /* its earlier commits are needed no more */
} Pusher;

typedef struct {
	const char *dir;
	const char *drops; /* the clone whose roots are dropped, NULL: nobody's */
} Collector;

static gboolean keep_none(MlvRootUse use, const char *oid, gpointer user)
{
	return FALSE;
}

static gboolean push_now(MlvMedium *medium, gpointer user)
{
	const Pusher *pusher = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvRemote) remote = mlv_remote_open(medium, NULL, TRUE, &error);
	g_autoptr(MlvRoot) root = mlv_root_new(REPO, pusher->clone);
	MlvPush push = {
		.remote = remote,
		.wanted = root,
		.keep = pusher->forget_earlier ? keep_none : NULL,
		.source = &pusher->store->source,
		.provider = { mini_locate, mini_open, pusher->store },
		.temp_dir = pusher->dir,
	};
	MlvPushResult result;

	mlv_root_add(root, MLV_ROOT_COMMIT, pusher->commit, pusher->refs, pusher->n_refs);
	return remote && mlv_push(&push, &result, &error);
}

static MlvGcVerdict drop_clone(const MlvRemoteRoot *at, const MlvRoot *root, gpointer user)
{
	return strcmp(at->name.clone, user) == 0 ? MLV_GC_DROP : MLV_GC_KEEP;
}

static gboolean collect_now(MlvMedium *medium, gpointer user)
{
	const Collector *collector = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvRemote) remote = mlv_remote_open(medium, NULL, FALSE, &error);
	MlvRemoteGc gc = {
		.remote = remote,
		.verdict = collector->drops ? drop_clone : NULL,
		.user = (gpointer)collector->drops,
		.temp_dir = collector->dir,
	};
	MlvRemoteGcResult result;

	return remote && mlv_remote_gc(&gc, &result, &error);
}

/* --- what a name is about --------------------------------------------------------------------- */

typedef struct {
	MlvChunkKey key;
	guint32 pack; /* of an index's entry: the name's number */
} Fact;

/* What a name's bytes say. */
typedef struct {
	GArray *facts;      /* Fact: an index's entries, a root's needs */
	GArray *superseded; /* guint32: an index's */
} Meaning;

typedef struct {
	Explorer *explorer;
	MiniStore *universe;         /* every chunk there is */
	GPtrArray *meanings;         /* Meaning, by name; NULL: not looked at yet */
	Pusher *pushers[ACTORS_MAX]; /* NULL: a gc */
	GArray *needs[ACTORS_MAX];   /* Fact: what a pusher needs */
	const char *dir;
	guint ends, later, refused;
	char *why;
} Proof;

static gboolean add_need(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			 gpointer user, GError **error)
{
	Fact fact = { .key = { .id = *id, .kind = (guint8)kind } };

	g_array_append_val((GArray *)user, fact);
	return TRUE;
}

static void add_needs(Proof *proof, const MlvRef *ref, GArray *needs)
{
	g_autoptr(MlvMarks) marks = mlv_marks_new();

	assert_true(mlv_mark(&proof->universe->source, ref, marks, add_need, NULL, needs, NULL));
}

static void read_index(Proof *proof, GBytes *bytes, const MlvId *name, Meaning *meaning)
{
	g_autoptr(MlvIndex) index = mlv_index_new_from_bytes(bytes, name, TRUE, "index", NULL);

	assert_non_null(index);
	for (gsize i = 0; i < mlv_index_count(index); i++) {
		MlvIndexHit hit;
		MlvIndexPack pack;
		char path[MLV_PACK_NAME_LENGTH + 1];
		Fact fact;

		assert_true(mlv_index_get(index, i, &hit, NULL));
		pack = mlv_index_pack(index, hit.pack);
		mlv_pack_path(&pack.name, path);
		fact.key.id = hit.entry.id;
		fact.key.kind = hit.entry.kind;
		fact.pack = name_number(proof->explorer, path);
		g_array_append_val(meaning->facts, fact);
	}
	for (gsize i = 0; i < mlv_index_superseded_count(index); i++) {
		MlvId old = mlv_index_superseded(index, i);
		char path[MLV_INDEX_NAME_LENGTH + 1];
		guint32 number;

		mlv_index_path(&old, path);
		number = name_number(proof->explorer, path);
		g_array_append_val(meaning->superseded, number);
	}
}

static void read_root(Proof *proof, GBytes *bytes, const char *name, Meaning *meaning)
{
	g_autoptr(MlvRoot) root =
		mlv_root_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), name, NULL);

	assert_non_null(root);
	for (gsize i = 0; i < mlv_root_need_count(root); i++)
		add_needs(proof, mlv_root_need(root, i), meaning->facts);
}

static const Meaning *meaning_of(Proof *proof, guint32 number)
{
	const char *name = name_of(proof->explorer, number);
	GBytes *bytes = g_ptr_array_index(proof->explorer->bytes, number);
	Meaning *meaning;
	MlvId id;
	MlvRootName root_name;

	if (number >= proof->meanings->len)
		g_ptr_array_set_size(proof->meanings, (gint)number + 64);
	if (g_ptr_array_index(proof->meanings, number))
		return g_ptr_array_index(proof->meanings, number);
	meaning = g_new0(Meaning, 1);
	meaning->facts = g_array_new(FALSE, FALSE, sizeof(Fact));
	meaning->superseded = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (mlv_index_parse_path(name, &id))
		read_index(proof, bytes, &id, meaning);
	else if (mlv_root_parse_path(name, &root_name))
		read_root(proof, bytes, name, meaning);
	g_ptr_array_index(proof->meanings, number) = meaning;
	return meaning;
}

static gboolean is_superseded(Proof *proof, guint32 name)
{
	const GArray *present = proof->explorer->present;

	for (guint i = 0; i < present->len; i++) {
		const Meaning *meaning = meaning_of(proof, g_array_index(present, guint32, i));

		for (guint n = 0; n < meaning->superseded->len; n++)
			if (g_array_index(meaning->superseded, guint32, n) == name)
				return TRUE;
	}
	return FALSE;
}

static gboolean can_be_read(Proof *proof, const MlvChunkKey *key)
{
	const GArray *present = proof->explorer->present;

	for (guint i = 0; i < present->len; i++) {
		guint32 name = g_array_index(present, guint32, i);
		const Meaning *meaning;

		if (!g_str_has_prefix(name_of(proof->explorer, name), "live/i-") ||
		    is_superseded(proof, name))
			continue;
		meaning = meaning_of(proof, name);
		for (guint n = 0; n < meaning->facts->len; n++) {
			const Fact *fact = &g_array_index(meaning->facts, Fact, n);

			if (mini_equal(&fact->key, key) && is_present(proof->explorer, fact->pack))
				return TRUE;
		}
	}
	return FALSE;
}

static gboolean all_can_be_read(Proof *proof, const GArray *needs)
{
	for (guint i = 0; i < needs->len; i++)
		if (!can_be_read(proof, &g_array_index(needs, Fact, i).key))
			return FALSE;
	return TRUE;
}

/* --- what must hold --------------------------------------------------------------------------- */

static guint node_step(const Explorer *explorer, guint actor)
{
	return g_array_index(explorer->nodes, Node, explorer->at[actor]).step;
}

static gboolean succeeded(const Explorer *explorer, guint actor)
{
	return node_step(explorer, actor) == STEP_END &&
	       g_array_index(explorer->nodes, Node, explorer->at[actor]).success;
}

static gboolean real_reads(Proof *proof, MemMedium *mem, const GArray *needs)
{
	g_autoptr(MlvRemote) remote = mlv_remote_open(&mem->medium, NULL, FALSE, NULL);
	MlvSource *source = mlv_remote_source(remote);

	assert_true(mlv_remote_refresh(remote, NULL));
	for (guint i = 0; i < needs->len; i++) {
		const MlvChunkKey *key = &g_array_index(needs, Fact, i).key;
		g_autoptr(GBytes) bytes = source->read(source, key->kind, &key->id, NULL);

		if (!bytes)
			return FALSE;
	}
	return TRUE;
}

/* All have ended, or crashed: another gc comes, and then a reader. */
static gboolean a_later_gc_keeps_it(Proof *proof)
{
	Explorer *explorer = proof->explorer;
	MemMedium *mem = mem_new();
	Collector collector = { .dir = proof->dir };
	gboolean ok;

	mem->medium.now = replay_now;
	for (guint i = 0; i < explorer->present->len; i++) {
		guint32 name = g_array_index(explorer->present, guint32, i);

		mem->clock = file_time(explorer, name);
		mem_put(mem, name_of(explorer, name), g_ptr_array_index(explorer->bytes, name));
	}
	luck.seed = 99;
	luck.count = 0;
	proof->later++;
	ok = collect_now(&mem->medium, &collector);
	if (!ok)
		proof->why = g_strdup("a later gc fails");
	for (guint i = 0; ok && i < explorer->n_actors; i++)
		if (proof->pushers[i] && succeeded(explorer, i) &&
		    !real_reads(proof, mem, proof->needs[i])) {
			proof->why =
				g_strdup_printf("what %s pushed cannot be read after a later gc",
						explorer->actors[i].label);
			ok = FALSE;
		}
	mlv_medium_free(&mem->medium);
	return ok;
}

#define ROOTS_HOLD (1u << ACTORS_MAX)

/* Bit n: what actor n pushes can be read; ROOTS_HOLD: what confirmed roots need can be read. */
static guint32 judge(Explorer *explorer, gpointer user)
{
	Proof *proof = user;
	guint32 judgement = ROOTS_HOLD;

	for (guint i = 0; i < explorer->present->len; i++) {
		guint32 name = g_array_index(explorer->present, guint32, i);

		if (g_str_has_prefix(name_of(explorer, name), "live/r-") &&
		    !all_can_be_read(proof, meaning_of(proof, name)->facts))
			judgement &= ~ROOTS_HOLD;
	}
	for (guint i = 0; i < explorer->n_actors; i++)
		if (proof->pushers[i] && all_can_be_read(proof, proof->needs[i]))
			judgement |= 1u << i;
	return judgement;
}

static gboolean fails(Proof *proof, const char *whose, const char *what)
{
	proof->why = g_strconcat(whose, what, NULL);
	return FALSE;
}

static gboolean holds(Explorer *explorer, guint32 judgement, gboolean fresh, gpointer user)
{
	Proof *proof = user;
	gboolean ended = TRUE;

	if (!(judgement & ROOTS_HOLD))
		return fails(proof, "a confirmed root", ": not all that it needs can be read");
	for (guint i = 0; i < explorer->n_actors; i++) {
		gboolean end = node_step(explorer, i) == STEP_END;

		ended &= end;
		if (end && !succeeded(explorer, i)) {
			proof->refused++;
			if (proof->pushers[i])
				return fails(proof, explorer->actors[i].label, " fails");
		} else if (end && proof->pushers[i] && !(judgement & 1u << i)) {
			return fails(proof, explorer->actors[i].label,
				     " succeeded, and not all can be read");
		}
	}
	proof->ends += ended ? 1 : 0;
	/* A state with nobody left to move is an end; so is any other, if all crash there: a
	 * sample of these. */
	return (!ended && !(fresh && explorer->states % 16 == 0)) || a_later_gc_keeps_it(proof);
}

/* --- scenes ----------------------------------------------------------------------------------- */

typedef struct {
	char *dir;
	MiniStore *store; /* everybody has everything here */
	MemMedium *mem;
	Explorer *explorer;
	Proof proof;
	MlvRef x, y, z, list; /* blobs; a list over x and y */
	Pusher pushers[4];
	guint n_pushers;
	Collector collectors[2];
} Scene;

static MlvRef blob_alone(Scene *scene, const char *text)
{
	MlvRef ref;

	mini_begin(scene->store, MLV_CLASS_DATA);
	ref = mini_blob(scene->store, text);
	mini_end(scene->store);
	return ref;
}

static Pusher *new_pusher(Scene *scene, const char *clone, const char *commit, const MlvRef *refs,
			  gsize n)
{
	Pusher *pusher = &scene->pushers[scene->n_pushers++];

	*pusher = (Pusher){ clone, scene->store, scene->dir, refs, n, commit, FALSE };
	return pusher;
}

static void scene_init(Scene *scene)
{
	MlvListBuilder *builder;
	g_autoptr(GError) error = NULL;

	memset(scene, 0, sizeof(*scene));
	luck.seed = 50;
	luck.count = 0;
	luck.now = NOW;
	scene->dir = g_dir_make_tmp("mlv-proof-XXXXXX", NULL);
	scene->store = mini_new();
	scene->mem = mem_new();
	scene->mem->medium.now = replay_now;
	mini_begin(scene->store, MLV_CLASS_DATA);
	scene->x = mini_blob(scene->store, "xx");
	scene->y = mini_blob(scene->store, "yyy");
	mini_end(scene->store);
	scene->z = blob_alone(scene, "z");
	mini_begin(scene->store, MLV_CLASS_META);
	builder = mlv_list_builder_new(MLV_KIND_BLOB, mini_put, scene->store);
	assert_true(mlv_list_builder_add(builder, &scene->x.id, 2, &error));
	assert_true(mlv_list_builder_add(builder, &scene->y.id, 3, &error));
	assert_true(mlv_list_builder_finish(builder, &scene->list, &error));
	mlv_list_builder_free(builder);
	mini_end(scene->store);
	scene->collectors[0].dir = scene->collectors[1].dir = scene->dir;
}

/* A push that was done 60 days ago. */
static void done_before(Scene *scene, Pusher *pusher)
{
	luck.now = NOW - 60 * DAY;
	scene->mem->clock = luck.now;
	assert_true(push_now(&scene->mem->medium, pusher));
	luck.now = NOW;
}

/* The roots of a clone are gone by now; what it pushed is garbage. */
static void forget(Scene *scene, const char *clone)
{
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, scene->mem->files);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (g_str_has_prefix(name, "live/r-" REPO) ||
		    g_str_has_prefix(name, "live/p-" REPO))
			if (strncmp((char *)name + 7 + MLV_ROOT_ID_HEX + 1, clone,
				    MLV_ROOT_ID_HEX) == 0)
				g_hash_table_iter_remove(&iter);
}

static void add_actor(Scene *scene, const char *label, ActorRun run, gpointer user, Pusher *pusher)
{
	guint number = scene->explorer->n_actors++;

	scene->explorer->alike[number] = (guint8)number;
	scene->explorer->actors[number] = (Actor){ .label = label, .run = run, .user = user };
	scene->proof.pushers[number] = pusher;
	scene->proof.needs[number] = g_array_new(FALSE, FALSE, sizeof(Fact));
	for (gsize i = 0; pusher && i < pusher->n_refs; i++)
		add_needs(&scene->proof, &pusher->refs[i], scene->proof.needs[number]);
}

static gint by_string(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_meaning(gpointer data)
{
	Meaning *meaning = data;

	if (!meaning)
		return;
	g_array_unref(meaning->facts);
	g_array_unref(meaning->superseded);
	g_free(meaning);
}

static void begin(Scene *scene)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	scene->explorer = explorer_new(NOW);
	scene->proof.explorer = scene->explorer;
	scene->proof.universe = scene->store;
	scene->proof.dir = scene->dir;
	scene->proof.meanings = g_ptr_array_new_with_free_func(free_meaning);
	scene->explorer->judge = judge;
	scene->explorer->check = holds;
	scene->explorer->user = &scene->proof;
	g_hash_table_iter_init(&iter, scene->mem->files);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, by_string);
	for (guint i = 0; i < names->len; i++) {
		MemFile *file = g_hash_table_lookup(scene->mem->files, g_ptr_array_index(names, i));

		explorer_put(scene->explorer, g_ptr_array_index(names, i), file->bytes);
	}
}

static void scene_clear(Scene *scene)
{
	for (guint i = 0; i < ACTORS_MAX; i++)
		if (scene->proof.needs[i])
			g_array_unref(scene->proof.needs[i]);
	g_ptr_array_unref(scene->proof.meanings);
	g_free(scene->proof.why);
	explorer_free(scene->explorer);
	mlv_medium_free(&scene->mem->medium);
	mini_free(scene->store);
	g_rmdir(scene->dir);
	g_free(scene->dir);
}

static void tell(const Scene *scene, const char *what)
{
	const Explorer *explorer = scene->explorer;

	print_message("%s: %" G_GUINT64_FORMAT
		      " states, %u of actors, %u names, %u ends, %u later gcs, %u refused\n",
		      what, explorer->states, explorer->nodes->len - 1, explorer->names->len,
		      scene->proof.ends, scene->proof.later, scene->proof.refused);
}

/* Minutes under a sanitizer, which finds nothing in them that it does not find in the others. */
static void only_at_full_speed(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#endif
}

static void must_hold(Scene *scene, const char *what)
{
	explorer_run(scene->explorer);
	tell(scene, what);
	if (scene->explorer->failed) {
		g_autofree char *story = explorer_story(scene->explorer);

		fputs(story, stderr);
		fail_msg("%s: %s", what, scene->proof.why);
	}
	assert_true(scene->proof.ends > 0);
	scene_clear(scene);
}

/* --- the proofs ------------------------------------------------------------------------------- */

#define CLONE_OLD "00000000000000c0"
#define CLONE_A   "00000000000000c1"
#define CLONE_B   "00000000000000c2"
#define COMMIT_0  "0000000000000000000000000000000000000000"
#define COMMIT_A  "1111111111111111111111111111111111111111"
#define COMMIT_B  "2222222222222222222222222222222222222222"

static Pusher *add_push(Scene *scene, const char *label, const char *clone, const char *commit,
			const MlvRef *ref)
{
	Pusher *pusher = new_pusher(scene, clone, commit, ref, 1);

	add_actor(scene, label, push_now, pusher, pusher);
	return pusher;
}

static void add_gcs(Scene *scene, guint count)
{
	for (guint i = 0; i < count; i++) {
		add_actor(scene, i == 0 ? "gc1" : "gc2", collect_now, &scene->collectors[i], NULL);
		scene->explorer->alike[scene->explorer->n_actors - 1] -= (guint8)i;
	}
}

/* How fine the steps are: as fine as can be, if there is time. */
static guint steps(guint unless_asked)
{
	return g_getenv("MLV_PROOF") ? 0 : unless_asked;
}

/* x lies there, and nothing needs it. */
static void begin_with_garbage(Scene *scene)
{
	scene_init(scene);
	done_before(scene, new_pusher(scene, CLONE_OLD, COMMIT_0, &scene->x, 1));
	forget(scene, CLONE_OLD);
	begin(scene);
}

static void garbage(const char *what, guint pushes, guint gcs, guint coarse)
{
	Scene scene;

	begin_with_garbage(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.x);
	if (pushes > 1) {
		add_push(&scene, "pushB", CLONE_B, COMMIT_B, &scene.x);
		scene.explorer->alike[1] = 0;
	}
	add_gcs(&scene, gcs);
	scene.explorer->coarse = coarse;
	must_hold(&scene, what);
}

static void one_push_of_garbage_beside_one_gc(void **state)
{
	garbage("garbage, 1 push, 1 gc", 1, 1, 0);
}

static void one_push_of_garbage_beside_two_gcs(void **state)
{
	garbage("garbage, 1 push, 2 gcs", 1, 2, steps(2));
}

static void two_pushes_of_garbage_beside_one_gc(void **state)
{
	garbage("garbage, 2 pushes, 1 gc", 2, 1, steps(2));
}

static void two_pushes_of_garbage_beside_two_gcs(void **state)
{
	only_at_full_speed();
	garbage("garbage, 2 pushes, 2 gcs", 2, 2, g_getenv("MLV_PROOF") ? 2 : 3);
}

/* x and y in one pack, y needed: the pack is to be written anew. */
static void a_push_of_the_dead_half_of_a_pack(void **state)
{
	Scene scene;
	MlvRef both[2];

	only_at_full_speed();
	scene_init(&scene);
	both[0] = scene.x;
	both[1] = scene.y;
	done_before(&scene, new_pusher(&scene, CLONE_OLD, COMMIT_0, both, 2));
	forget(&scene, CLONE_OLD);
	done_before(&scene, new_pusher(&scene, CLONE_B, COMMIT_B, &scene.y, 1));
	begin(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.x);
	add_gcs(&scene, 2);
	scene.explorer->coarse = steps(2);
	must_hold(&scene, "half of a pack, 1 push, 2 gcs");
}

/* A relies on B's root, which B's own next push takes away. */
static void a_push_that_trusts_a_root_which_its_owner_replaces(void **state)
{
	Scene scene;

	scene_init(&scene);
	done_before(&scene, new_pusher(&scene, CLONE_B, COMMIT_B, &scene.x, 1));
	begin(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.x);
	add_push(&scene, "pushB", CLONE_B, COMMIT_0, &scene.z)->forget_earlier = TRUE;
	add_gcs(&scene, 1);
	scene.explorer->coarse = steps(2);
	must_hold(&scene, "trusted root replaced, 2 pushes, 1 gc");
}

/* A relies on a root that gc finds old and unwanted. */
static void a_push_that_trusts_a_root_which_gc_drops(void **state)
{
	Scene scene;

	only_at_full_speed();
	scene_init(&scene);
	done_before(&scene, new_pusher(&scene, CLONE_OLD, COMMIT_0, &scene.x, 1));
	begin(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.x);
	scene.collectors[0].drops = scene.collectors[1].drops = CLONE_OLD;
	add_gcs(&scene, 2);
	scene.explorer->coarse = steps(2);
	must_hold(&scene, "trusted root dropped, 1 push, 2 gcs");
}

/* A clone that pushes the same again says nothing new: its old root must not be dropped under
 * it. */
static void a_push_that_is_done_already_beside_a_gc_that_drops_it(void **state)
{
	Scene scene;

	scene_init(&scene);
	done_before(&scene, new_pusher(&scene, CLONE_A, COMMIT_A, &scene.x, 1));
	begin(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.x);
	scene.collectors[0].drops = CLONE_A;
	add_gcs(&scene, 1);
	must_hold(&scene, "own root dropped, 1 push, 1 gc");
}

static void lists_and_their_data_beside_a_gc(void **state)
{
	Scene scene;

	scene_init(&scene);
	done_before(&scene, new_pusher(&scene, CLONE_OLD, COMMIT_0, &scene.list, 1));
	forget(&scene, CLONE_OLD);
	begin(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.list);
	add_gcs(&scene, 1);
	must_hold(&scene, "a list, 1 push, 1 gc");
}

/* --- and it can fail -------------------------------------------------------------------------- */

static void must_be_caught(Scene *scene, const char *what)
{
	explorer_run(scene->explorer);
	tell(scene, what);
	if (!scene->explorer->failed)
		fail_msg("%s was not caught", what);
	print_message("caught: %s\n", scene->proof.why);
	scene_clear(scene);
}

static void a_push_that_does_not_list_again_is_caught(void **state)
{
	Scene scene;

	begin_with_garbage(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.x);
	scene.explorer->actors[0].stale = TRUE;
	add_gcs(&scene, 1);
	must_be_caught(&scene, "a push that does not list again");
}

static void a_gc_that_does_not_list_again_is_caught(void **state)
{
	Scene scene;

	begin_with_garbage(&scene);
	add_push(&scene, "pushA", CLONE_A, COMMIT_A, &scene.x);
	add_gcs(&scene, 1);
	scene.explorer->actors[1].stale = TRUE;
	must_be_caught(&scene, "a gc that does not list again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_push_of_garbage_beside_one_gc),
		cmocka_unit_test(lists_and_their_data_beside_a_gc),
		cmocka_unit_test(a_push_that_is_done_already_beside_a_gc_that_drops_it),
		cmocka_unit_test(a_push_that_does_not_list_again_is_caught),
		cmocka_unit_test(a_gc_that_does_not_list_again_is_caught),
		cmocka_unit_test(one_push_of_garbage_beside_two_gcs),
		cmocka_unit_test(two_pushes_of_garbage_beside_one_gc),
		cmocka_unit_test(a_push_of_the_dead_half_of_a_pack),
		cmocka_unit_test(a_push_that_trusts_a_root_which_its_owner_replaces),
		cmocka_unit_test(a_push_that_trusts_a_root_which_gc_drops),
		cmocka_unit_test(two_pushes_of_garbage_beside_two_gcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
