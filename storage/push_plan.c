/* SPDX-License-Identifier: Apache-2.0 */
/* What a push must send: the root it wants, what of it the remote lacks, and where that lies
 * here. */
#include "storage/push_private.h"

#include <string.h>

#define BATCH 65536 /* chunks looked up together */
#define OTHERS_READ \
	32 /* other clones' roots of this repository that are read for what they vouch for */

GHashTable *mlv_id_set_new(void)
{
	return g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);
}

void mlv_id_set_add(GHashTable *set, const MlvId *id)
{
	if (!g_hash_table_contains(set, id))
		g_hash_table_add(set, g_memdup2(id, sizeof(*id)));
}

static gboolean is_own(const PushState *state, const MlvRemoteRoot *root)
{
	return strcmp(root->name.repo, mlv_root_repo(state->push->wanted)) == 0 &&
	       strcmp(root->name.clone, mlv_root_clone(state->push->wanted)) == 0;
}

/* --- the root --------------------------------------------------------------------------------- */

/* The roots of the view for which `own` is as said: confirmed, of this repository. Newest first. */
static GArray *confirmed_roots(const PushState *state, gboolean own)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(MlvRemoteRoot));
	gsize count;
	const MlvRemoteRoot *roots = mlv_remote_roots(state->remote, &count);

	for (gsize i = 0; i < count; i++)
		if (!roots[i].name.pending && is_own(state, &roots[i]) == own &&
		    strcmp(roots[i].name.repo, mlv_root_repo(state->push->wanted)) == 0)
			g_array_append_val(found, roots[i]);
	return found;
}

static void set_root(PushState *state, MlvRoot *root)
{
	guint8 salt[MLV_ROOT_SALT];

	mlv_random_bytes(salt, sizeof(salt));
	state->root = root;
	memset(&state->root_name, 0, sizeof(state->root_name));
	g_strlcpy(state->root_name.repo, mlv_root_repo(root), sizeof(state->root_name.repo));
	g_strlcpy(state->root_name.clone, mlv_root_clone(root), sizeof(state->root_name.clone));
	state->root_bytes = mlv_root_format(root, state->started, salt, &state->root_name.id);
}

gboolean mlv_push_make_root(PushState *state, gboolean *up_to_date, GError **error)
{
	const MlvPush *push = state->push;
	g_autoptr(MlvRoot) root =
		mlv_root_new(mlv_root_repo(push->wanted), mlv_root_clone(push->wanted));
	g_autoptr(GArray) own = confirmed_roots(state, TRUE);
	g_autoptr(GPtrArray) earlier = mlv_remote_read_roots(
		state->remote, (const MlvRemoteRoot *)(gpointer)own->data, own->len, error);

	*up_to_date = FALSE;
	if (!earlier)
		return FALSE;
	mlv_root_merge(root, push->wanted, NULL, NULL);
	for (guint i = 0; i < earlier->len; i++) {
		const MlvRoot *at = g_ptr_array_index(earlier, i);

		if (!at)
			continue;
		mlv_root_merge(root, at, push->keep, push->keep_user);
		mlv_id_set_add(state->merged, &g_array_index(own, MlvRemoteRoot, i).name.id);
	}
	set_root(state, g_steal_pointer(&root));
	for (guint i = 0; !*up_to_date && i < earlier->len; i++) {
		const MlvRoot *at = g_ptr_array_index(earlier, i);

		/* A confirmed root that is listed promises that all of it is there. */
		if (at && state->started - mlv_root_time(at) < MLV_ROOT_REFRESH &&
		    mlv_root_contains(at, state->root) && mlv_root_contains(state->root, at)) {
			*up_to_date = TRUE;
			state->confirmed = g_array_index(own, MlvRemoteRoot, i).name.id;
		}
	}
	return TRUE;
}

/* --- what the remote lacks -------------------------------------------------------------------- */

/* The local store before the remote: metadata that is not here may be there. */
typedef struct {
	MlvSource source; /* first */
	MlvSource *local, *remote;
} Combined;

static GBytes *combined_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	Combined *both = (Combined *)source;
	g_autoptr(GError) failed = NULL;
	g_autofree char *label = NULL;
	GBytes *bytes = both->local->read(both->local, kind, id, &failed);

	if (bytes)
		return bytes;
	if (!g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return NULL;
	}
	g_clear_error(&failed);
	bytes = both->remote->read(both->remote, kind, id, &failed);
	if (bytes)
		return bytes;
	if (!g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return NULL;
	}
	label = mlv_chunk_label(kind, id);
	mlv_fail(error, MLV_ERROR_MISSING,
		 "%s is neither in this store nor on the remote; fetch it from where it is, or "
		 "push from there",
		 label);
	return NULL;
}

typedef struct {
	PushState *state;
	GArray *keys;         /* MlvChunkKey, not looked up yet */
	PushVouched *vouched; /* NULL: looking up costs no request */
} Checker;

static gboolean look_up(Checker *checker, GError **error)
{
	PushState *state = checker->state;
	const MlvChunkKey *keys = (const MlvChunkKey *)(gpointer)checker->keys->data;
	g_autofree MlvRemoteHit *hits = g_new(MlvRemoteHit, checker->keys->len + 1);

	if (!mlv_remote_find_many(state->remote, keys, checker->keys->len, hits, error))
		return FALSE;
	for (guint i = 0; i < checker->keys->len; i++) {
		if (hits[i].state == MLV_HIT_LIVE)
			mlv_id_set_add(state->relied,
				       &mlv_remote_pack(state->remote, hits[i].pack)->name);
		else
			g_array_append_val(state->missing, keys[i]);
	}
	g_array_set_size(checker->keys, 0);
	return TRUE;
}

static gboolean check_chunk(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			    gpointer user, GError **error)
{
	Checker *checker = user;
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };

	if (checker->vouched && mlv_push_vouched_for(checker->vouched, &key)) {
		*descend = FALSE;
		return TRUE;
	}
	g_array_append_val(checker->keys, key);
	return checker->keys->len < BATCH || look_up(checker, error);
}

/* Whether a confirmed root of the view names the reference: then all below it is there for as
 * long as that root is. */
static gboolean is_vouched_for(PushState *state, const MlvRef *ref, const GArray *names,
			       const GPtrArray *roots)
{
	for (guint i = 0; i < roots->len; i++) {
		const MlvRoot *root = g_ptr_array_index(roots, i);

		if (root && mlv_root_needs(root, ref)) {
			mlv_id_set_add(state->trusted,
				       &g_array_index(names, MlvRemoteRoot, i).name.id);
			return TRUE;
		}
	}
	return FALSE;
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	const MlvRemoteRoot *x = a, *y = b;

	if (x->mtime != y->mtime)
		return x->mtime > y->mtime ? -1 : 1;
	return mlv_id_compare(&x->name.id, &y->name.id);
}

/* The look-up has it among the missing. */
static gboolean note_lost(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	return TRUE;
}

/* `lenient`: only what is kept of earlier pushes, and what of it is nowhere is passed over; else
 * what is pushed now. */
static gboolean check_needs(PushState *state, const GArray *names, const GPtrArray *roots,
			    gboolean lenient, MlvMarks *marks, GError **error)
{
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	Combined both = {
		.source = { .read = combined_read },
		.local = state->push->source,
		.remote = mlv_remote_source(state->remote),
	};
	g_autoptr(PushVouched) vouched = mlv_remote_any_partial(state->remote)
						 ? mlv_push_vouched_new(state, names, roots)
						 : NULL;
	Checker checker = { state, keys, vouched };

	for (gsize i = 0; i < mlv_root_need_count(state->root); i++) {
		const MlvRef *ref = mlv_root_need(state->root, i);

		if (lenient == (!state->push->recheck || mlv_root_needs(state->push->wanted, ref)))
			continue;
		if (is_vouched_for(state, ref, names, roots))
			continue;
		if ((vouched && !mlv_push_vouched_walk(vouched, ref, error)) ||
		    !mlv_mark(&both.source, ref, marks, check_chunk, lenient ? note_lost : NULL,
			      &checker, error))
			return FALSE;
	}
	return look_up(&checker, error);
}

/* What other clones' roots vouch for is only an economy: one that cannot be read is passed over. */
static gboolean add_others(PushState *state, GArray *names, GPtrArray *roots, GError **error)
{
	g_autoptr(GArray) others = confirmed_roots(state, FALSE);
	g_autoptr(GError) failed = NULL;
	g_autoptr(GPtrArray) read = NULL;
	guint count = MIN(others->len, OTHERS_READ);

	g_array_sort(others, newest_first);
	read = mlv_remote_read_roots(state->remote, (const MlvRemoteRoot *)(gpointer)others->data,
				     count, &failed);
	if (!read && !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	for (guint i = 0; read && i < count; i++) {
		g_array_append_val(names, g_array_index(others, MlvRemoteRoot, i));
		g_ptr_array_add(roots, g_steal_pointer(&g_ptr_array_index(read, i)));
	}
	return TRUE;
}

gboolean mlv_push_find_missing(PushState *state, GError **error)
{
	g_autoptr(GArray) names = confirmed_roots(state, TRUE);
	g_autoptr(GPtrArray) roots = NULL;
	g_autoptr(MlvMarks) marks = mlv_marks_new();

	if (state->push->recheck)
		g_array_set_size(names, 0);
	roots = mlv_remote_read_roots(state->remote, (const MlvRemoteRoot *)(gpointer)names->data,
				      names->len, error);
	if (!roots || (!state->push->recheck && !add_others(state, names, roots, error)) ||
	    !check_needs(state, names, roots, FALSE, marks, error))
		return FALSE;
	state->must_have = state->missing->len;
	if (!check_needs(state, names, roots, TRUE, marks, error))
		return FALSE;
	state->result->checked = mlv_marks_count(marks);
	return TRUE;
}

/* --- where it lies here ----------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const PushChunk *x = a, *y = b;
	MlvClass cx = mlv_class_of(x->entry.kind), cy = mlv_class_of(y->entry.kind);

	if (cx != cy)
		return (int)cx - (int)cy;
	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return (x->entry.offset > y->entry.offset) - (x->entry.offset < y->entry.offset);
}

static gboolean locate_one(PushState *state, const MlvChunkKey *key, gboolean must_have,
			   GHashTable *numbers, gboolean *lost, GError **error)
{
	const MlvPushProvider *provider = &state->push->provider;
	PushPack pack = { .missing = 0 };
	PushChunk chunk;
	gboolean found;
	guint number;

	*lost = FALSE;
	if (!provider->locate(key->kind, &key->id, &found, &pack.name, &chunk.entry, provider->user,
			      error))
		return FALSE;
	if (!found && !must_have) {
		*lost = TRUE;
		return TRUE;
	}
	if (!found) {
		g_autofree char *label = mlv_chunk_label(key->kind, &key->id);

		return mlv_fail(error, MLV_ERROR_MISSING,
				"%s is neither in this store nor on the remote '%s'; "
				"fetch it from where it is, or push from there",
				label, state->remote->medium->url);
	}
	number = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, &pack.name));
	if (number == 0) {
		g_array_append_val(state->packs, pack);
		number = state->packs->len;
		g_hash_table_insert(numbers, g_memdup2(&pack.name, sizeof(MlvId)),
				    GUINT_TO_POINTER(number));
	}
	chunk.pack = number - 1;
	g_array_index(state->packs, PushPack, chunk.pack).missing++;
	g_array_append_val(state->chunks, chunk);
	return TRUE;
}

gboolean mlv_push_locate(PushState *state, GError **error)
{
	g_autoptr(GHashTable) numbers =
		g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);

	g_array_set_size(state->chunks, 0);
	g_array_set_size(state->packs, 0);
	for (guint i = 0; i < state->missing->len; i++) {
		gboolean lost;

		if (!locate_one(state, &g_array_index(state->missing, MlvChunkKey, i),
				i < state->must_have, numbers, &lost, error))
			return FALSE;
		state->result->chunks_lost += lost;
	}
	if (state->chunks->len > 0)
		qsort(state->chunks->data, state->chunks->len, sizeof(PushChunk), by_place);
	return TRUE;
}
