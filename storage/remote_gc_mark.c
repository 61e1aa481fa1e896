/* SPDX-License-Identifier: Apache-2.0 */
/* What gc must keep: judging roots, marking from them, and finding where what they need lies. */
#include "storage/push.h"
#include "storage/remote_gc_private.h"

#include <string.h>

#define ROOTS_AT_ONCE 32
#define BATCH         65536 /* chunks looked up together */

GcPack *mlv_gc_find_pack(const GcState *state, const MlvId *name)
{
	return g_hash_table_lookup(state->by_name, name);
}

/* --- roots ------------------------------------------------------------------------------------ */

static gboolean has_twin(const GcState *state, const MlvRemoteRoot *at)
{
	gsize count;
	const MlvRemoteRoot *roots = mlv_remote_roots(state->remote, &count);

	for (gsize i = 0; i < count; i++)
		if (!roots[i].name.pending && mlv_id_equal(&roots[i].name.id, &at->name.id))
			return TRUE;
	return FALSE;
}

static void drop(GcState *state, const MlvRemoteRoot *at)
{
	char path[MLV_ROOT_NAME_LENGTH + 1];

	mlv_root_path(&at->name, path);
	g_ptr_array_add(state->drop, g_strdup(path));
	g_hash_table_add(state->dropped, g_ptr_array_index(state->drop, state->drop->len - 1));
	state->result->roots_dropped += at->name.pending ? 0 : 1;
}

/* `root` NULL: there is nobody to ask. A clone trusts its own root without writing it anew for a
 * day, so a root goes only when it is older than that, twice over. */
static gboolean goes(const GcState *state, const MlvRemoteRoot *at, const MlvRoot *root)
{
	const MlvRemoteGc *gc = state->gc;
	MlvGcVerdict verdict = root ? gc->verdict(at, root, gc->user) : MLV_GC_KEEP;
	gint64 age = state->now - MAX(at->mtime, root ? mlv_root_time(root) : 0);

	if (verdict == MLV_GC_FORGET)
		return TRUE;
	if (at->name.pending)
		return age > MLV_PENDING_AGE || (age > MLV_PENDING_TWIN_AGE && has_twin(state, at));
	return verdict == MLV_GC_DROP && age > MAX(gc->grace, 2 * MLV_ROOT_REFRESH);
}

static void judge(GcState *state, const MlvRemoteRoot *at, const MlvRoot *root)
{
	if (goes(state, at, root))
		drop(state, at);
	else
		state->result->roots_kept += at->name.pending ? 0 : 1;
}

gboolean mlv_gc_judge_roots(GcState *state, GError **error)
{
	gsize count;
	const MlvRemoteRoot *roots = mlv_remote_roots(state->remote, &count);

	if (!state->gc->verdict) {
		for (gsize i = 0; i < count; i++)
			judge(state, &roots[i], NULL);
		return TRUE;
	}
	for (gsize at = 0; at < count; at += ROOTS_AT_ONCE) {
		gsize n = MIN(count - at, ROOTS_AT_ONCE);
		g_autoptr(GPtrArray) read =
			mlv_remote_read_roots(state->remote, roots + at, n, error);

		if (!read)
			return FALSE;
		for (gsize i = 0; i < n; i++) {
			const MlvRoot *root = g_ptr_array_index(read, i);

			if (root)
				judge(state, &roots[at + i], root);
		}
	}
	return TRUE;
}

/* --- marking ---------------------------------------------------------------------------------- */

static gboolean pass_over(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	((GcState *)user)->lacking = TRUE;
	return TRUE;
}

/* Reads the tables of tombstoned packs that are still there: the indexes may have dropped their
 * chunks already. */
static gboolean dig(GcState *state, GError **error)
{
	g_autoptr(GArray) packs = g_array_new(FALSE, FALSE, sizeof(MlvIndexPack));

	state->dug = TRUE;
	for (guint i = 0; i < state->packs->len; i++) {
		const GcPack *pack = &g_array_index(state->packs, GcPack, i);

		if (mlv_remote_is_tombstoned(state->remote, &pack->pack.name))
			g_array_append_val(packs, pack->pack);
	}
	g_ptr_array_set_size(state->remote->live, 0);
	g_ptr_array_set_size(state->remote->graves, 0);
	return mlv_remote_dig(state->remote, (const MlvIndexPack *)(gpointer)packs->data,
			      packs->len, error);
}

static gboolean mark_needs(GcState *state, const MlvRoot *root, gboolean pending, GError **error)
{
	MlvSource *source = mlv_remote_source(state->remote);

	for (gsize i = 0; i < mlv_root_need_count(root); i++)
		if (!mlv_mark(source, mlv_root_need(root, i), pending ? state->soft : state->hard,
			      NULL, pending ? pass_over : NULL, state, error))
			return FALSE;
	return TRUE;
}

/* What a walk that failed half-way has marked would never be followed again: it begins with an
 * empty set. */
void mlv_gc_forget_marks(GcState *state)
{
	mlv_marks_free(state->hard);
	mlv_marks_free(state->soft);
	state->hard = mlv_marks_new();
	state->soft = mlv_marks_new();
	g_hash_table_remove_all(state->marked);
}

static gboolean mark_batch(GcState *state, const GArray *batch, GError **error)
{
	const MlvRemoteRoot *roots = (const MlvRemoteRoot *)(gpointer)batch->data;
	g_autoptr(GPtrArray) read = mlv_remote_read_roots(state->remote, roots, batch->len, error);

	for (guint i = 0; read && i < batch->len; i++) {
		const MlvRoot *root = g_ptr_array_index(read, i);
		char path[MLV_ROOT_NAME_LENGTH + 1];

		if (!root)
			continue;
		g_autoptr(MlvRoot) instead =
			state->gc->dry_run && state->gc->instead
				? state->gc->instead(&roots[i], root, state->gc->user)
				: NULL;
		mlv_root_path(&roots[i].name, path);
		if (!mark_needs(state, instead ? instead : root, roots[i].name.pending, error)) {
			g_prefix_error(error, "root '%s': ", path);
			return FALSE;
		}
		g_hash_table_add(state->marked, g_strdup(path));
	}
	return read != NULL;
}

static gboolean is_due(const GcState *state, const MlvRemoteRoot *at)
{
	char path[MLV_ROOT_NAME_LENGTH + 1];

	mlv_root_path(&at->name, path);
	return !g_hash_table_contains(state->dropped, path) &&
	       !g_hash_table_contains(state->marked, path) &&
	       !(at->name.pending && has_twin(state, at));
}

static gboolean mark_all(GcState *state, GError **error)
{
	g_autoptr(GArray) batch = g_array_new(FALSE, FALSE, sizeof(MlvRemoteRoot));
	g_autoptr(GArray) roots = g_array_new(FALSE, FALSE, sizeof(MlvRemoteRoot));

	/* Reading may list again, which changes the remote's own array. */
	g_array_append_vals(roots, state->remote->roots->data, state->remote->roots->len);
	for (guint i = 0; i < roots->len; i++) {
		const MlvRemoteRoot *at = &g_array_index(roots, MlvRemoteRoot, i);

		if (is_due(state, at))
			g_array_append_val(batch, *at);
		if (batch->len < ROOTS_AT_ONCE && i + 1 < roots->len)
			continue;
		if (!mark_batch(state, batch, error))
			return FALSE;
		g_array_set_size(batch, 0);
	}
	return TRUE;
}

/* A pending root that lacks something in one look does so for good, as far as this gc is
 * concerned. */
gboolean mlv_gc_mark(GcState *state, GError **error)
{
	g_autoptr(GError) failed = NULL;
	gboolean before = state->lacking;
	gboolean ok;

	/* A view that was listed again by the reader in between would not be the one that the
	 * rest is decided on. */
	state->remote->relisted = TRUE;
	state->lacking = FALSE;
	ok = mark_all(state, &failed);
	if (!state->dug &&
	    (ok ? state->lacking : g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))) {
		g_clear_error(&failed);
		mlv_gc_forget_marks(state);
		state->lacking = FALSE;
		ok = dig(state, &failed) && mark_all(state, &failed);
	}
	state->lacking |= before;
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&failed));
	return ok;
}

/* --- placing ---------------------------------------------------------------------------------- */

typedef struct {
	GcState *state;
	gboolean tally, hard;
	GArray *keys;
	gboolean ok;
	GError *error;
} Placer;

static void place_one(Placer *placer, const MlvChunkKey *key, const MlvRemoteHit *hit)
{
	GcState *state = placer->state;
	RemoteWant want;

	if (hit->state == MLV_HIT_ABSENT) {
		if (placer->hard)
			g_array_append_val(state->absent, *key);
		else
			state->lacking = TRUE;
		return;
	}
	if (hit->state == MLV_HIT_DEAD) {
		mlv_remote_want(&want, key, hit);
		g_array_append_val(state->rescue, want);
	} else if (placer->tally) {
		GcPack *pack =
			mlv_gc_find_pack(state, &mlv_remote_pack(state->remote, hit->pack)->name);

		if (pack)
			pack->live += hit->stored;
	}
}

static void place_batch(Placer *placer)
{
	const MlvChunkKey *keys = (const MlvChunkKey *)(gpointer)placer->keys->data;
	g_autofree MlvRemoteHit *hits = g_new(MlvRemoteHit, placer->keys->len + 1);

	if (placer->ok)
		placer->ok = mlv_remote_find_many(placer->state->remote, keys, placer->keys->len,
						  hits, &placer->error);
	for (guint i = 0; placer->ok && i < placer->keys->len; i++)
		place_one(placer, &keys[i], &hits[i]);
	g_array_set_size(placer->keys, 0);
}

static void place_mark(MlvKind kind, const MlvId *id, gpointer user)
{
	Placer *placer = user;
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };

	if (!placer->hard && mlv_marks_contains(placer->state->hard, kind, id))
		return;
	g_array_append_val(placer->keys, key);
	if (placer->keys->len == BATCH)
		place_batch(placer);
}

static gboolean place_all(GcState *state, gboolean tally, GError **error)
{
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	Placer placer = { state, tally, TRUE, keys, TRUE, NULL };

	g_array_set_size(state->rescue, 0);
	g_array_set_size(state->absent, 0);
	for (guint i = 0; tally && i < state->packs->len; i++)
		g_array_index(state->packs, GcPack, i).live = 0;
	mlv_marks_foreach(state->hard, place_mark, &placer);
	place_batch(&placer);
	placer.hard = FALSE;
	mlv_marks_foreach(state->soft, place_mark, &placer);
	place_batch(&placer);
	if (!placer.ok)
		g_propagate_error(error, placer.error);
	return placer.ok;
}

gboolean mlv_gc_place(GcState *state, gboolean tally, GError **error)
{
	gboolean before = state->lacking;

	if (!place_all(state, tally, error))
		return FALSE;
	if ((state->absent->len == 0 && state->lacking == before) || state->dug)
		return TRUE;
	state->lacking = before;
	return dig(state, error) && place_all(state, tally, error);
}
