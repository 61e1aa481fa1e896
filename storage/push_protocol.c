/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of a push: what is put in which order, and when it has succeeded. mlv-store(5)
 * has the argument. */
#include "storage/push.h"

#include "storage/push_private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ROUNDS_MAX 20 /* a gc that is in the way so often runs in a loop */
#define LOCK_NAME  "lock"

/* --- the state of one round ------------------------------------------------------------------- */

static void clear_journal_pack(gpointer data)
{
	mlv_pack_table_free(((JournalPack *)data)->table);
}

static void state_init(PushState *state, const MlvPush *push, MlvPushResult *result)
{
	memset(state, 0, sizeof(*state));
	state->push = push;
	state->remote = push->remote;
	state->result = result;
	state->merged = mlv_id_set_new();
	state->trusted = mlv_id_set_new();
	state->relied = mlv_id_set_new();
	state->missing = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	state->chunks = g_array_new(FALSE, FALSE, sizeof(PushChunk));
	state->packs = g_array_new(FALSE, FALSE, sizeof(PushPack));
	state->unnamed = g_array_new(FALSE, FALSE, sizeof(MlvIndexPack));
	state->stale = g_array_new(FALSE, FALSE, sizeof(MlvId));
	state->journal = g_array_new(FALSE, FALSE, sizeof(JournalPack));
	g_array_set_clear_func(state->journal, clear_journal_pack);
	state->journal_text = g_string_new(NULL);
}

static void drop_root(PushState *state)
{
	g_clear_pointer(&state->root, mlv_root_free);
	g_clear_pointer(&state->root_bytes, g_bytes_unref);
}

static void state_clear(PushState *state)
{
	drop_root(state);
	g_hash_table_unref(state->merged);
	g_hash_table_unref(state->trusted);
	g_hash_table_unref(state->relied);
	g_array_unref(state->missing);
	g_array_unref(state->chunks);
	g_array_unref(state->packs);
	g_array_unref(state->unnamed);
	g_array_unref(state->stale);
	g_array_unref(state->journal);
	g_string_free(state->journal_text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PushState, state_clear)

gboolean mlv_push_is_too_old(const PushState *state)
{
	return mlv_medium_now(state->remote->medium) - state->started > MLV_PUSH_MAX_AGE;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Finds what the view lacks, anew. */
static gboolean look(PushState *state, GError **error)
{
	gboolean recheck = state->push->recheck;

	g_hash_table_remove_all(state->trusted);
	g_hash_table_remove_all(state->relied);
	g_array_set_size(state->missing, 0);
	g_array_set_size(state->unnamed, 0);
	state->result->chunks_lost = 0;
	if (recheck &&
	    !mlv_remote_survey(state->remote, state->unnamed, &state->result->packs_lost, error))
		return FALSE;
	if (!mlv_push_find_missing(state, error))
		return FALSE;
	/* An index that was lost is made good by its packs. */
	if (recheck && state->missing->len > 0 &&
	    !mlv_push_journal_adopt(state, state->unnamed, error))
		return FALSE;
	mlv_push_journal_reuse(state);
	if (!mlv_push_locate(state, error))
		return FALSE;
	state->total = state->result->bytes;
	for (guint i = 0; i < state->chunks->len; i++)
		state->total += g_array_index(state->chunks, PushChunk, i).entry.stored;
	return TRUE;
}

static gboolean send_missing(PushState *state, GError **error)
{
	gboolean ok = mlv_push_send(state, MLV_CLASS_DATA, error) &&
		      mlv_push_send(state, MLV_CLASS_META, error) &&
		      (state->result->packs_lost == 0 || mlv_remote_bury(state->remote, error));

	/* An index names them now, so they are no longer the journal's. */
	if (ok)
		g_array_set_size(state->journal, 0);
	return ok;
}

static gboolean put_root(PushState *state, gboolean pending, GError **error)
{
	char path[MLV_ROOT_NAME_LENGTH + 1], cached[MLV_REMOTE_CACHED + 1];
	MlvRootName name = state->root_name;

	name.pending = pending;
	if (pending)
		mlv_push_journal_pending(state);
	mlv_root_path(&name, path);
	if (!mlv_medium_put_bytes(state->remote->medium, path, state->root_bytes, error))
		return FALSE;
	mlv_remote_cached_name('r', &name.id, cached);
	mlv_remote_cache_put(state->remote, cached, state->root_bytes);
	return TRUE;
}

static gboolean is_listed(const PushState *state, const MlvId *root, gboolean pending)
{
	for (guint i = 0; i < state->remote->roots->len; i++) {
		const MlvRootName *name =
			&g_array_index(state->remote->roots, MlvRemoteRoot, i).name;

		if (name->pending == pending && mlv_id_equal(&name->id, root))
			return TRUE;
	}
	return FALSE;
}

/* After the second listing: whether all that the root relies on stays. A confirmed root that was
 * listed before our root was put and after vouches for what it names: whatever gc lists between
 * sees one of the two. */
static gboolean is_safe(const PushState *state)
{
	GHashTableIter iter;
	gpointer id;

	if (mlv_push_is_too_old(state) || !is_listed(state, &state->root_name.id, TRUE))
		return FALSE;
	g_hash_table_iter_init(&iter, state->relied);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		if (mlv_remote_is_tombstoned(state->remote, id))
			return FALSE;
	g_hash_table_iter_init(&iter, state->trusted);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		if (!is_listed(state, id, FALSE))
			return FALSE;
	return TRUE;
}

static void delete_later(GPtrArray *ops, const char *path)
{
	g_ptr_array_add(ops, mlv_op_new(MLV_OP_DELETE, path));
}

static void delete_root(const PushState *state, GPtrArray *ops, const MlvId *id, gboolean pending)
{
	char path[MLV_ROOT_NAME_LENGTH + 1];
	MlvRootName name = state->root_name;

	if (!is_listed(state, id, pending))
		return;
	name.id = *id;
	name.pending = pending;
	mlv_root_path(&name, path);
	delete_later(ops, path);
}

static gboolean publishes(const PushState *state)
{
	return state->push->publish || state->remote->published != MLV_PUBLISHED_NOT;
}

/* Deletes what the new root takes over and indexes that are superseded. An index with tombstones
 * stays for gc: a push whose second listing is slow must not miss them. Our own pending name
 * stays until the next push, for the like reason. */
static gboolean clean_up(const PushState *state, GError **error)
{
	MlvMedium *medium = state->remote->medium;
	g_autoptr(GPtrArray) ops = mlv_ops_new();
	GHashTableIter iter;
	guint64 names;
	guint roots;
	gpointer id;

	g_hash_table_iter_init(&iter, state->merged);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		if (mlv_id_equal(id, &state->root_name.id))
			continue;
		delete_root(state, ops, id, FALSE);
		delete_root(state, ops, id, TRUE);
	}
	for (guint i = 0; i < state->stale->len; i++)
		if (!mlv_id_equal(&g_array_index(state->stale, MlvId, i), &state->root_name.id))
			delete_root(state, ops, &g_array_index(state->stale, MlvId, i), TRUE);
	roots = ops->len;
	for (guint i = 0; i < state->remote->superseded->len; i++) {
		const RemoteSuperseded *old =
			&g_array_index(state->remote->superseded, RemoteSuperseded, i);
		char path[MLV_INDEX_NAME_LENGTH + 1];

		if (old->tombstones)
			continue;
		mlv_index_path(&old->name, path);
		delete_later(ops, path);
	}
	/* Whoever reads by the list must find there what takes the place of an index that goes. */
	if (publishes(state) && ops->len > roots && !mlv_published_write_once(medium, error))
		return FALSE;
	return mlv_medium_run_all(medium, ops, FALSE, error) &&
	       (!publishes(state) || mlv_published_write(medium, &names, error));
}

/* Nothing is to be pushed; but a push that was killed may have left something. */
static gboolean tidy(const PushState *state, GError **error)
{
	guint64 names;

	if (state->push->dry_run)
		return TRUE;
	/* After it had confirmed its root: the ones before it. */
	if (g_hash_table_size(state->merged) != 1)
		return clean_up(state, error);
	return !publishes(state) || state->remote->published == MLV_PUBLISHED_GOOD ||
	       mlv_published_write(state->remote->medium, &names, error);
}

/* --- the rounds ------------------------------------------------------------------------------- */

/* Makes the root that this view calls for. In a later round it is mostly the same: then it keeps
 * its name; one whose content changed leaves the pending one of the round before behind. */
static gboolean new_root(PushState *state, gboolean *up_to_date, GError **error)
{
	g_autoptr(MlvRoot) before = g_steal_pointer(&state->root);
	g_autoptr(GBytes) bytes = g_steal_pointer(&state->root_bytes);
	MlvRootName name = state->root_name;

	g_hash_table_remove_all(state->merged);
	if (!mlv_push_make_root(state, up_to_date, error))
		return FALSE;
	if (!before)
		return TRUE;
	if (!mlv_root_contains(before, state->root) || !mlv_root_contains(state->root, before)) {
		g_array_append_val(state->stale, name.id);
		return TRUE;
	}
	g_bytes_unref(state->root_bytes);
	state->root_bytes = g_steal_pointer(&bytes);
	state->root_name = name;
	return TRUE;
}

/* Whether a look found something to send, or to set right. */
static gboolean lacks(const PushState *state)
{
	gboolean any = state->chunks->len > 0 || state->result->packs_lost > 0;

	for (guint i = 0; !any && i < state->journal->len; i++)
		any = g_array_index(state->journal, JournalPack, i).used;
	return any;
}

/* One listing has been read: does everything up to the next. *safe: nothing is left but to
 * confirm. */
static gboolean round_once(PushState *state, gboolean *safe, gboolean *stop, GError **error)
{
	const MlvPush *push = state->push;
	gboolean up_to_date;

	*safe = FALSE;
	state->started = mlv_medium_now(state->remote->medium);
	if (!new_root(state, &up_to_date, error))
		return FALSE;
	if (!up_to_date || push->recheck) {
		if (state->journal_text->len == 0 && !mlv_push_journal_read(state, error))
			return FALSE;
		if (!look(state, error))
			return FALSE;
	}
	*stop = up_to_date && !lacks(state);
	if (*stop) {
		state->result->up_to_date = state->result->rounds == 1;
		state->root_name.id = state->confirmed;
		return tidy(state, error);
	}
	if (push->dry_run) {
		*stop = TRUE;
		return mlv_push_count(state, MLV_CLASS_DATA, error) &&
		       mlv_push_count(state, MLV_CLASS_META, error);
	}
	if (!send_missing(state, error) || !put_root(state, TRUE, error) ||
	    !mlv_remote_refresh(state->remote, error))
		return FALSE;
	*safe = is_safe(state);
	return TRUE;
}

static gboolean rounds(PushState *state, GError **error)
{
	gboolean safe = FALSE, stop = FALSE;

	if (!mlv_remote_refresh(state->remote, error))
		return FALSE;
	while (!safe && !stop) {
		g_autoptr(GError) failed = NULL;

		if (++state->result->rounds > ROUNDS_MAX)
			return mlv_fail(error, MLV_ERROR_FAILED,
					"'%s' is being collected again and again; "
					"push when no 'mlv gc --remote' runs",
					state->remote->medium->url);
		if (round_once(state, &safe, &stop, &failed))
			continue;
		/* An index vanished while it was read, or time ran out: begin anew from a new
		 * listing. */
		if (!state->remote->index_gone && !mlv_push_is_too_old(state)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
		if (!mlv_remote_refresh(state->remote, error))
			return FALSE;
	}
	if (stop)
		return TRUE;
	if (!put_root(state, FALSE, error) || !clean_up(state, error))
		return FALSE;
	mlv_push_journal_drop(state);
	return TRUE;
}

/* One push of this clone to this remote at a time: they would share the journal. Released with
 * the descriptor. */
static int lock_cache(const MlvPush *push)
{
	int fd = -1;

	if (push->dry_run || push->remote->cache_fd < 0)
		return -1;
	fd = openat(push->remote->cache_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (push->waiting)
			push->waiting(push->user);
		flock(fd, LOCK_EX);
	}
	return fd;
}

gboolean mlv_push(const MlvPush *push, MlvPushResult *result, GError **error)
{
	MlvMedium *medium = push->remote->medium;
	g_auto(PushState) state;
	g_auto(MlvFd) lock = -1;
	gboolean ok;

	state_init(&state, push, result);
	memset(result, 0, sizeof(*result));
	if (medium->read_only && !push->dry_run)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' can only be read; nothing can be pushed there", medium->url);
	lock = lock_cache(push);
	if (medium->methods->lock && !push->dry_run &&
	    !medium->methods->lock(medium, FALSE, push->waiting, push->user, error))
		return FALSE;
	ok = rounds(&state, error);
	if (medium->methods->lock && !push->dry_run)
		medium->methods->unlock(medium);
	return ok;
}
