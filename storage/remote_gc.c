/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of a gc on a remote: what is done in which order. mlv-store(5) has the argument. */
#include "storage/remote_gc.h"

#include "storage/remote_gc_private.h"

#include <string.h>

#define BATCH     65536 /* chunks looked up together */
#define TRIES     3     /* looks, where other clients change things between listing and reading */
#define LIST_PAGE 900 /* names from which a listing may be several pages, read at different times */

/* --- state ------------------------------------------------------------------------------------ */

static void state_init(GcState *state, const MlvRemoteGc *gc, MlvRemoteGcResult *result)
{
	memset(state, 0, sizeof(*state));
	state->gc = gc;
	state->remote = gc->remote;
	state->result = result;
	state->now = mlv_medium_now(gc->remote->medium);
	state->packs = g_array_new(FALSE, FALSE, sizeof(GcPack));
	state->by_name = g_hash_table_new(mlv_id_hash, mlv_id_equal_key);
	state->drop = g_ptr_array_new_with_free_func(g_free);
	state->dropped = g_hash_table_new(g_str_hash, g_str_equal);
	state->marked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	state->hard = mlv_marks_new();
	state->soft = mlv_marks_new();
	state->rescue = g_array_new(FALSE, FALSE, sizeof(RemoteWant));
	state->absent = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	memset(result, 0, sizeof(*result));
}

static void state_clear(GcState *state)
{
	g_array_unref(state->packs);
	g_hash_table_unref(state->by_name);
	g_hash_table_unref(state->dropped);
	g_ptr_array_unref(state->drop);
	g_hash_table_unref(state->marked);
	mlv_marks_free(state->hard);
	mlv_marks_free(state->soft);
	g_array_unref(state->rescue);
	g_array_unref(state->absent);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GcState, state_clear)

/* --- the first look --------------------------------------------------------------------------- */

static void index_packs(GcState *state)
{
	g_hash_table_remove_all(state->by_name);
	for (guint i = 0; i < state->packs->len; i++) {
		GcPack *pack = &g_array_index(state->packs, GcPack, i);

		g_hash_table_insert(state->by_name, &pack->pack.name, pack);
	}
}

/* Before live/ is listed, so that a pack which is named after that listing is not taken for an
 * orphan for nothing. */
static gboolean list_packs(GcState *state, GError **error)
{
	g_autoptr(GArray) listed = mlv_medium_list_all(state->remote->medium, "packs/", error);

	if (!listed)
		return FALSE;
	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);
		GcPack pack = { .mtime = at->mtime };

		if (!mlv_pack_parse_path(at->name, &pack.pack.name))
			continue;
		pack.pack.size = at->size;
		g_array_append_val(state->packs, pack);
		state->result->bytes += at->size;
	}
	state->result->packs = state->packs->len;
	index_packs(state);
	return TRUE;
}

/* Tombstoned packs that an index names and that packs/ did not list: a gc has deleted them
 * before it was killed, or they came later. Only asking tells. */
static gboolean probe(GcState *state, GError **error)
{
	g_autoptr(GPtrArray) ops = mlv_ops_new();
	MlvRemote *remote = state->remote;
	char path[MLV_PACK_NAME_LENGTH + 1];

	for (guint i = 0; i < remote->packs->len; i++) {
		const MlvRemotePack *pack = mlv_remote_pack(remote, i);
		MlvOp *op;

		if (!pack->dead || pack->gone || mlv_gc_find_pack(state, &pack->name))
			continue;
		mlv_pack_path(&pack->name, path);
		op = mlv_op_new(MLV_OP_GET, path);
		op->length = MLV_PACK_HEADER;
		op->user = GUINT_TO_POINTER(i);
		g_ptr_array_add(ops, op);
	}
	if (!mlv_medium_run_all(remote->medium, ops, TRUE, error))
		return FALSE;
	for (guint i = 0; i < ops->len; i++) {
		const MlvOp *op = g_ptr_array_index(ops, i);
		const MlvRemotePack *pack = mlv_remote_pack(remote, GPOINTER_TO_UINT(op->user));
		GcPack there = { .pack = { pack->name, pack->size }, .mtime = state->now };

		if (op->bytes)
			g_array_append_val(state->packs, there);
		else
			mlv_remote_note_gone(remote, &pack->name);
	}
	index_packs(state);
	return TRUE;
}

/* Bytes of chunks in each pack, by one index. Several may name one pack (two clients merged the
 * same ones), so the most that one of them says counts, not the sum. */
static gboolean read_index(GcState *state, MlvIndex *index, GError **error)
{
	gsize count = mlv_index_pack_count(index);
	g_autofree guint64 *stored = g_new0(guint64, count + 1);
	MlvIndexHit hit;

	for (gsize n = 0; n < mlv_index_count(index); n++) {
		if (!mlv_index_get(index, n, &hit, error))
			return FALSE;
		stored[hit.pack] += hit.entry.stored;
	}
	for (gsize n = 0; n < count; n++) {
		MlvIndexPack name = mlv_index_pack(index, n);
		GcPack *pack = mlv_gc_find_pack(state, &name.name);

		if (!pack)
			continue;
		pack->named = TRUE;
		pack->pack_class = mlv_index_class(index);
		pack->stored = MAX(pack->stored, stored[n]);
	}
	return TRUE;
}

/* What the indexes say of each pack. All blocks are needed, so large indexes are fetched whole. */
static gboolean read_indexes(GcState *state, GError **error)
{
	MlvRemote *remote = state->remote;

	for (guint i = 0; i < remote->live->len; i++) {
		RemoteIndex *at = g_ptr_array_index(remote->live, i);
		MlvIndex *index = mlv_remote_whole_index(remote, at, error);

		if (!index || (!at->grave && !read_index(state, index, error)))
			return FALSE;
	}
	return TRUE;
}

/* Which packs go. */
static void judge_packs(GcState *state)
{
	for (guint i = 0; i < state->packs->len; i++) {
		GcPack *pack = &g_array_index(state->packs, GcPack, i);
		guint64 dead = pack->stored - MIN(pack->live, pack->stored);

		if (mlv_remote_is_tombstoned(state->remote, &pack->pack.name))
			continue;
		pack->goes = !pack->named || pack->live == 0 || dead * 4 >= pack->stored;
		if (pack->goes && state->now - pack->mtime < state->gc->grace) {
			pack->goes = FALSE;
			state->result->packs_kept_young++;
		}
		pack->rewrite = pack->goes && pack->live > 0;
	}
}

static void count_goers(GcState *state)
{
	for (guint i = 0; i < state->packs->len; i++) {
		const GcPack *pack = &g_array_index(state->packs, GcPack, i);

		if (!pack->goes && !mlv_remote_is_tombstoned(state->remote, &pack->pack.name))
			continue;
		state->result->packs_deleted++;
		state->result->bytes_deleted += pack->pack.size;
		state->result->packs_rewritten += pack->rewrite ? 1 : 0;
		state->result->bytes_copied += pack->rewrite ? pack->live : 0;
	}
}

static gboolean fail_absent(GcState *state, GError **error)
{
	const MlvChunkKey *key = &g_array_index(state->absent, MlvChunkKey, 0);
	g_autofree char *label = mlv_chunk_label(key->kind, &key->id);

	return mlv_fail(error, MLV_ERROR_MISSING,
			"%s is needed and is not on '%s', nor are %u others; nothing was "
			"deleted. Run 'mlv push --recheck' in a clone that has it",
			label, state->remote->medium->url, state->absent->len - 1);
}

static gboolean first_look(GcState *state, GError **error)
{
	if (!list_packs(state, error) || !mlv_remote_refresh(state->remote, error) ||
	    !probe(state, error))
		return FALSE;
	if (!mlv_gc_judge_roots(state, error) || !mlv_gc_mark(state, error) ||
	    !read_indexes(state, error) || !mlv_gc_place(state, TRUE, error))
		return FALSE;
	if (state->absent->len > 0)
		return fail_absent(state, error);
	judge_packs(state);
	count_goers(state);
	return TRUE;
}

/* --- tombstones ------------------------------------------------------------------------------- */

typedef struct {
	GcState *state;
	GArray *wants;
	GArray *keys;
	gboolean soft;
	GError *error;
} Gatherer;

static void gather_batch(Gatherer *gatherer)
{
	GcState *state = gatherer->state;
	const MlvChunkKey *keys = (const MlvChunkKey *)(gpointer)gatherer->keys->data;
	g_autofree MlvRemoteHit *hits = g_new(MlvRemoteHit, gatherer->keys->len + 1);

	if (!gatherer->error)
		mlv_remote_find_many(state->remote, keys, gatherer->keys->len, hits,
				     &gatherer->error);
	for (guint i = 0; !gatherer->error && i < gatherer->keys->len; i++) {
		const GcPack *pack;
		RemoteWant want;

		if (hits[i].state != MLV_HIT_LIVE)
			continue;
		pack = mlv_gc_find_pack(state, &mlv_remote_pack(state->remote, hits[i].pack)->name);
		if (!pack || !pack->goes)
			continue;
		mlv_remote_want(&want, &keys[i], &hits[i]);
		g_array_append_val(gatherer->wants, want);
	}
	g_array_set_size(gatherer->keys, 0);
}

static void gather_mark(MlvKind kind, const MlvId *id, gpointer user)
{
	Gatherer *gatherer = user;
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };

	if (gatherer->soft && mlv_marks_contains(gatherer->state->hard, kind, id))
		return;
	g_array_append_val(gatherer->keys, key);
	if (gatherer->keys->len == BATCH)
		gather_batch(gatherer);
}

/* The needed chunks of packs that go, and those that were found only in tombstoned ones. */
static GArray *gather(GcState *state, GError **error)
{
	g_autoptr(GArray) wants = g_array_new(FALSE, FALSE, sizeof(RemoteWant));
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	Gatherer gatherer = { state, wants, keys, FALSE, NULL };

	g_array_append_vals(wants, state->rescue->data, state->rescue->len);
	mlv_marks_foreach(state->hard, gather_mark, &gatherer);
	gather_batch(&gatherer);
	gatherer.soft = TRUE;
	mlv_marks_foreach(state->soft, gather_mark, &gatherer);
	gather_batch(&gatherer);
	if (!gatherer.error)
		return g_steal_pointer(&wants);
	g_propagate_error(error, gatherer.error);
	return NULL;
}

/* Copies what is needed out of the packs that go, and tombstones these. Their entries stay in
 * the indexes until the packs are deleted: a root that we have not seen may need them, and its
 * readers must find them until that is settled. */
static gboolean tombstone(GcState *state, GError **error)
{
	g_autoptr(GArray) wants = gather(state, error);

	if (!wants)
		return FALSE;
	for (MlvClass class = MLV_CLASS_DATA; class <= MLV_CLASS_META; class ++) {
		g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(class);
		gboolean any = FALSE;

		if (!mlv_remote_copy(state->remote, (RemoteWant *)(gpointer)wants->data, wants->len,
				     class, state->gc->temp_dir, builder, error))
			return FALSE;
		state->result->chunks_copied += mlv_index_builder_count(builder);
		for (guint i = 0; i < state->packs->len; i++) {
			const GcPack *pack = &g_array_index(state->packs, GcPack, i);

			/* Nobody knows an orphan's class, and it does not matter. */
			if (!pack->goes ||
			    (pack->pack_class ? pack->pack_class : MLV_CLASS_DATA) != class)
				continue;
			mlv_index_builder_add_tombstone(builder, &pack->pack.name,
							(guint64)state->now);
			any = TRUE;
		}
		if ((any || mlv_index_builder_count(builder) > 0) &&
		    !mlv_remote_put_alone(state->remote, builder, error))
			return FALSE;
	}
	return TRUE;
}

/* --- the second look -------------------------------------------------------------------------- */

/* A listing of several pages is not read at one time: a root that is renewed meanwhile could be
 * missed under both its names. Two listings close that gap. */
static gboolean list_again(GcState *state, GError **error)
{
	MlvRemote *remote = state->remote;

	state->dug = FALSE;
	if (!mlv_remote_refresh(remote, error))
		return FALSE;
	if (remote->roots->len + g_hash_table_size(remote->known) < LIST_PAGE)
		return TRUE;
	return mlv_gc_mark(state, error) && mlv_remote_refresh(remote, error);
}

/* Copies out what any root needs from any tombstoned pack. */
static gboolean copy_out(GcState *state, GError **error)
{
	for (MlvClass class = MLV_CLASS_DATA; class <= MLV_CLASS_META; class ++) {
		g_autoptr(MlvIndexBuilder) builder = mlv_index_builder_new(class);

		if (!mlv_remote_copy(state->remote, (RemoteWant *)(gpointer)state->rescue->data,
				     state->rescue->len, class, state->gc->temp_dir, builder,
				     error))
			return FALSE;
		state->result->chunks_copied += mlv_index_builder_count(builder);
		if (mlv_index_builder_count(builder) > 0 &&
		    !mlv_remote_put_index(state->remote, builder, class, error))
			return FALSE;
	}
	return TRUE;
}

/* Lists until everything that any root needs lies in a pack that stays. */
static gboolean settle(GcState *state, GError **error)
{
	for (int tries = 1;; tries++) {
		g_autoptr(GError) failed = NULL;

		if (list_again(state, &failed) && probe(state, &failed) &&
		    mlv_gc_mark(state, &failed) && mlv_gc_place(state, FALSE, &failed) &&
		    (state->absent->len == 0 || fail_absent(state, &failed)) &&
		    copy_out(state, &failed))
			return TRUE;
		/* Another gc may have copied it out and deleted it, or a root may have gone:
		 * look again. */
		if (tries == TRIES || !g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
		mlv_gc_forget_marks(state);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Whoever reads by the published list must find in it what was copied, before anything goes. */
static gboolean delete_dead(GcState *state, GError **error)
{
	MlvMedium *medium = state->remote->medium;
	guint64 names;

	if (state->remote->published == MLV_PUBLISHED_NOT)
		return mlv_gc_delete_dead(state, error);
	return mlv_published_write_once(medium, error) && mlv_gc_delete_dead(state, error) &&
	       mlv_published_write(medium, &names, error);
}

static gboolean collect_once(const MlvRemoteGc *gc, MlvRemoteGcResult *result, gboolean *again,
			     GError **error)
{
	g_auto(GcState) state;
	guint64 names;

	state_init(&state, gc, result);
	*again = TRUE;
	if (!first_look(&state, error))
		return FALSE;
	if (gc->dry_run)
		return TRUE;
	if (state.drop->len == 0 && result->packs_deleted == 0 &&
	    state.remote->superseded->len == 0 && state.rescue->len == 0)
		return state.remote->published != MLV_PUBLISHED_STALE ||
		       mlv_published_write(state.remote->medium, &names, error);
	if (!mlv_gc_delete_roots(&state, error) || !tombstone(&state, error))
		return FALSE;
	*again = FALSE;
	if (!settle(&state, error))
		return FALSE;
	result->unsettled = state.lacking;
	return delete_dead(&state, error);
}

/* Between listing and reading, roots and indexes may be replaced by others: then the look is
 * taken anew. */
static gboolean collect(const MlvRemoteGc *gc, MlvRemoteGcResult *result, GError **error)
{
	for (int tries = 1;; tries++) {
		g_autoptr(GError) failed = NULL;
		gboolean again;

		if (collect_once(gc, result, &again, &failed))
			return TRUE;
		if (!again || tries == TRIES ||
		    !g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
	}
}

gboolean mlv_remote_gc(const MlvRemoteGc *gc, MlvRemoteGcResult *result, GError **error)
{
	MlvMedium *medium = gc->remote->medium;
	gboolean ok;

	if (medium->read_only && !gc->dry_run)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' can only be read; nothing can be collected there",
				medium->url);
	if (medium->methods->lock && !gc->dry_run &&
	    !medium->methods->lock(medium, TRUE, gc->waiting, gc->user, error))
		return FALSE;
	ok = collect(gc, result, error);
	if (medium->methods->lock && !gc->dry_run)
		medium->methods->unlock(medium);
	return ok;
}
