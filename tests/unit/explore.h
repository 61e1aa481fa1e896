/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every interleaving of programs that share a medium, and a crash at each step.
 *
 * An actor is real code that runs against a medium. What it does next depends only on what it has
 * observed so far: the answers to its listings and reads. So each actor is an automaton whose
 * states are histories of answers. A state is found out once, by running the actor from its start
 * on a medium that plays the history back and stops it (every operation fails) at the first
 * operation beyond. The interleavings are then a search in a graph: which names exist, and the
 * state of each actor. Every single operation is a step. A crash needs no step of its own: an actor
 * that never moves again has crashed, so it is enough to check what must hold in every state that
 * is reached.
 *
 * Names are content, so what exists is a set of names; the bytes of each are kept once.
 */
#ifndef MLV_TESTS_EXPLORE_H
#define MLV_TESTS_EXPLORE_H

#include "storage/file.h"
#include "storage/medium.h"

#include <string.h>

#define ACTORS_MAX 4

typedef enum {
	STEP_LIST,
	STEP_GET,
	STEP_PUT,
	STEP_DELETE,
	STEP_END
} StepType;

/* A state of an actor: what it does next. */
typedef struct {
	guint32 parent, answer; /* the history, backwards */
	guint32 name;           /* GET, PUT, DELETE: its number; LIST: the prefix's */
	guint8 actor;
	guint8 step;    /* StepType */
	guint8 success; /* STEP_END: how it ended */
} Node;

/* A 64-bit key -> a 32-bit value. Value 0 means absence. */
typedef struct {
	guint64 *keys;
	guint32 *values;
	gsize size, count;
} Map;

typedef struct Explorer Explorer;
typedef gboolean (*ActorRun)(MlvMedium *medium, gpointer user);

typedef struct {
	const char *label;
	ActorRun run;
	gpointer user;
	gboolean
		/* broken on purpose: its later listings show what the first did, and its own
		 * puts */
		stale;
} Actor;

struct Explorer {
	Actor actors[ACTORS_MAX];
	guint n_actors;
	GPtrArray *names;        /* char * */
	GPtrArray *bytes;        /* GBytes, parallel */
	GHashTable *by_name;     /* char * -> number + 1 */
	guint initial;           /* names below this were there at the start */
	GArray *nodes;           /* Node; [0] is unused */
	Map children;            /* node and answer -> node */
	GPtrArray *sets;         /* GBytes of sorted guint32: listings */
	GHashTable *set_numbers; /* GBytes -> number + 1 */
	GArray *present;         /* guint32, sorted: the medium */
	guint32 at[ACTORS_MAX];
	guint64 hash[2]; /* of present */
	Map seen[2];     /* states, by halves of a 128-bit hash */
	Map judged;      /* media -> what `judge` said of them, plus 1 */
	guint64 states;
	guint runs;
	gint64 now;
	GArray *path; /* guint8: actors as they moved, to tell of a failure */
	/* What there is to say of this set of names alone; asked once for each. */
	guint32 (*judge)(Explorer *explorer, gpointer user);
	/* Whether what must hold holds, given that; FALSE ends the search. `fresh`: it was asked
	 * just now. */
	gboolean (*check)(Explorer *explorer, guint32 judgement, gboolean fresh, gpointer user);
	gpointer user;
	guint8 alike
		/* the actor does what this one before it does, which thus begins first; or
		 * itself */
		[ACTORS_MAX];
	/* 0: every operation is a step of its own. 1: reads of live/ and writes of packs/ go
	 * with the step before. 2: and so do a write that follows a write and a delete that
	 * follows a delete. 3: and all reads, a listing that follows a listing, and what follows
	 * a delete, up to the next listing. */
	guint coarse;
	gboolean failed;
};

/* --- small things ----------------------------------------------------------------------------- */

static guint64 mix(guint64 x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185u;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44du;
	return x ^ x >> 33;
}

static guint32 *map_slot(Map *map, guint64 key)
{
	gsize at = mix(key) & (map->size - 1);

	while (map->values[at] && map->keys[at] != key)
		at = (at + 1) & (map->size - 1);
	map->keys[at] = key;
	return &map->values[at];
}

static guint32 *map_at(Map *map, guint64 key)
{
	if ((map->count + 1) * 4 > map->size * 3) {
		Map bigger = { .size = MAX(map->size * 2, 1024), .count = map->count };

		bigger.keys = g_new0(guint64, bigger.size);
		bigger.values = g_new0(guint32, bigger.size);
		for (gsize i = 0; i < map->size; i++)
			if (map->values[i])
				*map_slot(&bigger, map->keys[i]) = map->values[i];
		g_free(map->keys);
		g_free(map->values);
		*map = bigger;
	}
	return map_slot(map, key);
}

static void map_clear(Map *map)
{
	g_free(map->keys);
	g_free(map->values);
}

static guint32 name_number(Explorer *explorer, const char *name)
{
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(explorer->by_name, name));

	if (number == 0) {
		g_ptr_array_add(explorer->names, g_strdup(name));
		g_ptr_array_add(explorer->bytes, NULL);
		number = explorer->names->len;
		g_hash_table_insert(explorer->by_name,
				    g_ptr_array_index(explorer->names, number - 1),
				    GUINT_TO_POINTER(number));
	}
	return number - 1;
}

static const char *name_of(const Explorer *explorer, guint32 number)
{
	return g_ptr_array_index(explorer->names, number);
}

static guint32 set_number(Explorer *explorer, GArray *set)
{
	GBytes *key = g_bytes_new(set->data, set->len * sizeof(guint32));
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(explorer->set_numbers, key));

	if (number == 0) {
		g_ptr_array_add(explorer->sets, g_bytes_ref(key));
		number = explorer->sets->len;
		g_hash_table_insert(explorer->set_numbers, key, GUINT_TO_POINTER(number));
	} else {
		g_bytes_unref(key);
	}
	return number - 1;
}

static gboolean is_present(const Explorer *explorer, guint32 name)
{
	for (guint i = 0; i < explorer->present->len; i++)
		if (g_array_index(explorer->present, guint32, i) == name)
			return TRUE;
	return FALSE;
}

static void toggle(Explorer *explorer, guint32 name)
{
	guint at = 0;

	explorer->hash[0] ^= mix(name * 2 + 1);
	explorer->hash[1] ^= mix(mix(name * 2 + 2));
	while (at < explorer->present->len && g_array_index(explorer->present, guint32, at) < name)
		at++;
	if (at < explorer->present->len && g_array_index(explorer->present, guint32, at) == name)
		g_array_remove_index(explorer->present, at);
	else
		g_array_insert_val(explorer->present, at, name);
}

/* --- the medium that plays a history back ----------------------------------------------------- */

typedef struct {
	MlvMedium medium;
	Explorer *explorer;
	const Actor *actor;
	const guint32 *history;
	gsize length, at;
	Node *found; /* the operation beyond */
	gboolean stopped;
	GBytes *first_live; /* of a stale actor */
	GArray *own;
} Replay;

/* The answer of the history to this operation; FALSE, and the actor stopped, if there is none. */
static gboolean answer(Replay *replay, StepType step, guint32 name, guint32 *value)
{
	if (!replay->stopped && replay->at < replay->length) {
		*value = replay->history[replay->at++];
		return TRUE;
	}
	if (!replay->stopped) {
		replay->stopped = TRUE;
		replay->found->step = (guint8)step;
		replay->found->name = name;
	}
	return FALSE;
}

static gint64 file_time(const Explorer *explorer, guint32 name)
{
	return explorer->now - (name < explorer->initial ? 60 * 24 * 60 * 60 : 0);
}

static gboolean replay_list(MlvMedium *medium, const char *prefix, MlvMediumEach each,
			    gpointer user, GError **error)
{
	Replay *replay = (Replay *)medium;
	Explorer *explorer = replay->explorer;
	gboolean live = strcmp(prefix, "live/") == 0;
	gboolean stale = live && replay->actor->stale && replay->first_live;
	GBytes *set;
	guint32 number;
	const guint32 *names;
	gsize size;

	if (!stale && !answer(replay, STEP_LIST, name_number(explorer, prefix), &number))
		return mlv_fail(error, MLV_ERROR_FAILED, "stopped");
	set = stale ? replay->first_live : g_ptr_array_index(explorer->sets, number);
	if (live)
		replay->first_live = set;
	names = g_bytes_get_data(set, &size);
	for (gsize i = 0; i < size / sizeof(*names); i++)
		each(name_of(explorer, names[i]),
		     g_bytes_get_size(g_ptr_array_index(explorer->bytes, names[i])),
		     file_time(explorer, names[i]), user);
	for (guint i = 0; stale && i < replay->own->len; i++) {
		guint32 name = g_array_index(replay->own, guint32, i);

		if (g_str_has_prefix(name_of(explorer, name), prefix))
			each(name_of(explorer, name),
			     g_bytes_get_size(g_ptr_array_index(explorer->bytes, name)),
			     explorer->now, user);
	}
	return TRUE;
}

static void replay_get(Replay *replay, MlvOp *op)
{
	Explorer *explorer = replay->explorer;
	guint32 name = name_number(explorer, op->name), there;
	GBytes *bytes = g_ptr_array_index(explorer->bytes, name);
	g_autoptr(GBytes) part = NULL;

	/* Nobody deletes this one. */
	if (strcmp(op->name, "format") == 0)
		there = 1;
	else if (!answer(replay, STEP_GET, name, &there)) {
		mlv_fail(&op->error, MLV_ERROR_FAILED, "stopped");
		return;
	}
	if (!there) {
		mlv_fail(&op->error, MLV_ERROR_MISSING, "'%s' is not there", op->name);
		return;
	}
	g_assert_nonnull(bytes);
	if (op->length == MLV_OP_ALL)
		op->length = g_bytes_get_size(bytes) - op->offset;
	part = g_bytes_new_from_bytes(bytes, op->offset, op->length);
	if (op->fd >= 0)
		mlv_file_write_at(op->fd, g_bytes_get_data(part, NULL), op->length, 0, "",
				  &op->error);
	else
		op->bytes = g_steal_pointer(&part);
}

static void replay_put(Replay *replay, MlvOp *op)
{
	Explorer *explorer = replay->explorer;
	guint32 name = name_number(explorer, op->name), nothing;
	GBytes **known = (GBytes **)&g_ptr_array_index(explorer->bytes, name);

	if (!replay->stopped && !*known && op->fd >= 0) {
		guint8 *copy = g_malloc(op->length);

		mlv_file_read_at(op->fd, copy, op->length, 0, "", NULL);
		*known = g_bytes_new_take(copy, op->length);
	} else if (!replay->stopped && !*known) {
		*known = g_bytes_ref(op->bytes);
	}
	g_array_append_val(replay->own, name);
	if (!answer(replay, STEP_PUT, name, &nothing))
		mlv_fail(&op->error, MLV_ERROR_FAILED, "stopped");
}

static gboolean replay_run(MlvMedium *medium, MlvOpNext next, MlvOpDone done, gpointer user,
			   GError **error)
{
	Replay *replay = (Replay *)medium;
	MlvOp *op;
	guint32 nothing;

	while ((op = next(user))) {
		if (op->type == MLV_OP_GET)
			replay_get(replay, op);
		else if (op->type == MLV_OP_PUT)
			replay_put(replay, op);
		else if (!answer(replay, STEP_DELETE, name_number(replay->explorer, op->name),
				 &nothing))
			mlv_fail(&op->error, MLV_ERROR_FAILED, "stopped");
		if (!done(op, user, error))
			return FALSE;
	}
	return TRUE;
}

static void replay_free(MlvMedium *medium)
{
}

static gint64 replay_now(void);

static const MlvMediumClass replay_class = { .list = replay_list,
					     .run = replay_run,
					     .free = replay_free };

/* --- an actor's states ------------------------------------------------------------------------ */

/* Which actor runs, and how many random numbers it has had: each run of one gets the same. */
static struct {
	guint64 seed, count;
	gint64 now;
} luck;

static gint64 replay_now(void)
{
	return luck.now;
}

/* Takes the place of the C library's: names must be the same in every run of an actor, and
 * differ between actors. */
ssize_t getrandom(void *buffer, size_t length, unsigned int flags);
ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
	for (size_t i = 0; i < length; i++)
		((guint8 *)buffer)[i] = (guint8)mix(luck.seed << 32 | luck.count++);
	return (ssize_t)length;
}

/* Finds out what the actor does after the history that leads to the node. */
static void find_out(Explorer *explorer, guint32 number)
{
	Node node = g_array_index(explorer->nodes, Node, number);
	const Actor *actor = &explorer->actors[node.actor];
	g_autoptr(GArray) history = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(guint32));
	Replay replay = { .explorer = explorer, .actor = actor, .found = &node, .own = own };
	gboolean success;

	for (guint32 at = number; g_array_index(explorer->nodes, Node, at).parent;
	     at = g_array_index(explorer->nodes, Node, at).parent)
		g_array_prepend_val(history, g_array_index(explorer->nodes, Node, at).answer);
	replay.history = (const guint32 *)(gpointer)history->data;
	replay.length = history->len;
	replay.medium.methods = &replay_class;
	replay.medium.url = (char *)"mem:";
	replay.medium.now = replay_now;
	luck.seed = node.actor + 1;
	luck.count = 0;
	luck.now = explorer->now;
	success = actor->run(&replay.medium, actor->user);
	explorer->runs++;
	if (!replay.stopped) {
		g_assert_cmpuint(replay.at, ==, replay.length);
		node.step = STEP_END;
		node.success = (guint8)success;
	}
	g_array_index(explorer->nodes, Node, number) = node;
}

static guint32 new_node(Explorer *explorer, guint actor, guint32 parent, guint32 value)
{
	Node node = { .parent = parent, .answer = value, .actor = (guint8)actor };

	g_array_append_val(explorer->nodes, node);
	find_out(explorer, explorer->nodes->len - 1);
	return explorer->nodes->len - 1;
}

static guint32 child(Explorer *explorer, guint32 parent, guint32 value)
{
	guint64 key = (guint64)parent << 32 | value;
	guint32 number = *map_at(&explorer->children, key);

	if (number == 0) {
		number = new_node(explorer, g_array_index(explorer->nodes, Node, parent).actor,
				  parent, value);
		*map_at(&explorer->children, key) = number;
		explorer->children.count++;
	}
	return number;
}

/* --- the search ------------------------------------------------------------------------------- */

static guint32 list_now(Explorer *explorer, guint32 prefix)
{
	g_autoptr(GArray) set = g_array_new(FALSE, FALSE, sizeof(guint32));

	for (guint i = 0; i < explorer->present->len; i++) {
		guint32 name = g_array_index(explorer->present, guint32, i);

		if (g_str_has_prefix(name_of(explorer, name), name_of(explorer, prefix)))
			g_array_append_val(set, name);
	}
	return set_number(explorer, set);
}

/* TRUE if the state was not reached before. */
static gboolean is_new_state(Explorer *explorer)
{
	guint64 key[2] = { explorer->hash[0], explorer->hash[1] };
	guint32 tag;
	guint32 *slot;

	for (guint i = 0; i < explorer->n_actors; i++) {
		key[0] = mix(key[0] + explorer->at[i]) + i;
		key[1] = mix(key[1] ^ mix(explorer->at[i] + 77 * i));
	}
	tag = (guint32)(key[1] | 1);
	slot = map_at(&explorer->seen[0], key[0]);
	if (*slot == 0) {
		*slot = tag;
		explorer->seen[0].count++;
		return TRUE;
	}
	if (*slot == tag)
		return FALSE;
	slot = map_at(&explorer->seen[1], key[1]);
	if (*slot)
		return FALSE;
	*slot = 1;
	explorer->seen[1].count++;
	return TRUE;
}

static void explore(Explorer *explorer);

/* Whether the step goes with the one before it: it commutes with what others do next, as long as
 * nobody deletes the very name in between. */
static gboolean goes_along(const Explorer *explorer, const Node *node, StepType before)
{
	const char *name = name_of(explorer, node->name);

	if (explorer->coarse > 1 && node->step == before &&
	    (before == STEP_PUT || before == STEP_DELETE))
		return TRUE;
	if (explorer->coarse > 2 && (node->step == STEP_GET || node->step == before ||
				     (before == STEP_DELETE && node->step == STEP_PUT)))
		return TRUE;
	return explorer->coarse > 0 &&
	       ((node->step == STEP_GET && g_str_has_prefix(name, "live/")) ||
		(node->step == STEP_PUT && g_str_has_prefix(name, "packs/")));
}

/* Makes the actor's next step. TRUE if a name came or went. */
static gboolean step(Explorer *explorer, guint actor)
{
	guint32 before = explorer->at[actor];
	Node node = g_array_index(explorer->nodes, Node, before);
	gboolean there = node.step != STEP_LIST && is_present(explorer, node.name);
	gboolean changes = (node.step == STEP_PUT && !there) || (node.step == STEP_DELETE && there);
	guint32 value = node.step == STEP_LIST ? list_now(explorer, node.name)
					       : node.step == STEP_GET && there;
	guint8 mark = (guint8)actor;

	if (changes)
		toggle(explorer, node.name);
	explorer->at[actor] = child(explorer, before, value);
	g_array_append_val(explorer->path, mark);
	return changes;
}

/* Makes the actor's next step and what goes along with it, explores from there, takes it all
 * back. */
static void move(Explorer *explorer, guint actor)
{
	guint32 undo[64];
	guint n_undo = 0;
	guint32 before = explorer->at[actor];
	guint length = explorer->path->len;
	const Node *next;
	StepType type, before_type = STEP_GET;

	do {
		guint32 name = g_array_index(explorer->nodes, Node, explorer->at[actor]).name;

		type = g_array_index(explorer->nodes, Node, explorer->at[actor]).step;
		if (step(explorer, actor))
			undo[n_undo++] = name;
		g_assert_cmpuint(n_undo, <, G_N_ELEMENTS(undo));
		next = &g_array_index(explorer->nodes, Node, explorer->at[actor]);
		/* A read says nothing of where one is. */
		before_type = type == STEP_GET ? before_type : type;
	} while (next->step != STEP_END && goes_along(explorer, next, before_type));
	explore(explorer);
	if (explorer->failed)
		return;
	g_array_set_size(explorer->path, length);
	explorer->at[actor] = before;
	while (n_undo > 0)
		toggle(explorer, undo[--n_undo]);
}

/* Of two that do the same, it is enough to let the first begin first. */
static gboolean may_move(const Explorer *explorer, guint actor)
{
	const Node *node = &g_array_index(explorer->nodes, Node, explorer->at[actor]);
	guint twin = explorer->alike[actor];

	return node->step != STEP_END &&
	       (twin == actor || node->parent != 0 ||
		g_array_index(explorer->nodes, Node, explorer->at[twin]).parent != 0);
}

static void explore(Explorer *explorer)
{
	guint64 medium = explorer->hash[0] ^ mix(explorer->hash[1]);
	gboolean fresh;
	guint32 judgement;

	if (explorer->failed || !is_new_state(explorer))
		return;
	explorer->states++;
	judgement = *map_at(&explorer->judged, medium);
	fresh = judgement == 0;
	if (fresh) {
		judgement = explorer->judge(explorer, explorer->user) + 1;
		*map_at(&explorer->judged, medium) = judgement;
		explorer->judged.count++;
	}
	explorer->failed = !explorer->check(explorer, judgement - 1, fresh, explorer->user);
	for (guint i = 0; i < explorer->n_actors && !explorer->failed; i++)
		if (may_move(explorer, i))
			move(explorer, i);
}

static Explorer *explorer_new(gint64 now)
{
	Explorer *explorer = g_new0(Explorer, 1);
	Node unused = { 0 };

	explorer->now = now;
	explorer->names = g_ptr_array_new_with_free_func(g_free);
	explorer->bytes = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	explorer->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	explorer->nodes = g_array_new(FALSE, FALSE, sizeof(Node));
	g_array_append_val(explorer->nodes, unused);
	explorer->sets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	explorer->set_numbers = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
						      (GDestroyNotify)g_bytes_unref, NULL);
	explorer->present = g_array_new(FALSE, FALSE, sizeof(guint32));
	explorer->path = g_array_new(FALSE, FALSE, sizeof(guint8));
	return explorer;
}

/* A file that is there at the start. */
static void explorer_put(Explorer *explorer, const char *name, GBytes *bytes)
{
	guint32 number = name_number(explorer, name);

	explorer->bytes->pdata[number] = g_bytes_ref(bytes);
	toggle(explorer, number);
	explorer->initial = explorer->names->len;
}

static void explorer_run(Explorer *explorer)
{
	for (guint i = 0; i < explorer->n_actors; i++)
		explorer->at[i] = new_node(explorer, i, 0, 0);
	explore(explorer);
}

static void explorer_free(Explorer *explorer)
{
	for (guint i = 0; i < explorer->bytes->len; i++)
		if (!explorer->bytes->pdata[i])
			explorer->bytes->pdata[i] = g_bytes_new(NULL, 0);
	g_ptr_array_unref(explorer->names);
	g_ptr_array_unref(explorer->bytes);
	g_hash_table_unref(explorer->by_name);
	g_array_unref(explorer->nodes);
	g_ptr_array_unref(explorer->sets);
	g_hash_table_unref(explorer->set_numbers);
	g_array_unref(explorer->present);
	g_array_unref(explorer->path);
	map_clear(&explorer->children);
	map_clear(&explorer->seen[0]);
	map_clear(&explorer->seen[1]);
	map_clear(&explorer->judged);
	g_free(explorer);
}

/* What the actors did on the way to a failure, a line a step. Free with g_free. */
static char *explorer_story(Explorer *explorer)
{
	static const char *const words[] = { "list", "get", "put", "delete", "end" };
	GString *story = g_string_new(NULL);
	guint32 at[ACTORS_MAX];
	guint lengths[ACTORS_MAX] = { 0 };
	g_autoptr(GPtrArray) chains = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);

	for (guint i = 0; i < explorer->n_actors; i++) {
		GArray *chain = g_array_new(FALSE, FALSE, sizeof(guint32));

		for (at[i] = explorer->at[i]; at[i];
		     at[i] = g_array_index(explorer->nodes, Node, at[i]).parent)
			g_array_prepend_val(chain, at[i]);
		g_ptr_array_add(chains, chain);
	}
	for (guint i = 0; i < explorer->path->len; i++) {
		guint actor = g_array_index(explorer->path, guint8, i);
		guint32 number = g_array_index((GArray *)g_ptr_array_index(chains, actor), guint32,
					       lengths[actor]++);
		const Node *node = &g_array_index(explorer->nodes, Node, number);

		g_string_append_printf(story, "%-6s %-6s %.60s\n", explorer->actors[actor].label,
				       words[node->step], name_of(explorer, node->name));
	}
	return g_string_free(story, FALSE);
}

#endif
