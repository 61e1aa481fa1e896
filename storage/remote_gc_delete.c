/* SPDX-License-Identifier: Apache-2.0 */
/* What gc deletes, and the indexes without it. */
#include "storage/remote_gc_private.h"

static void delete_later(GPtrArray *ops, const char *path)
{
	g_ptr_array_add(ops, mlv_op_new(MLV_OP_DELETE, path));
}

/* Packs that were tombstoned before the second listing. */
static gboolean delete_packs(GcState *state, GError **error)
{
	g_autoptr(GPtrArray) ops = mlv_ops_new();
	char path[MLV_PACK_NAME_LENGTH + 1];

	for (guint i = 0; i < state->packs->len; i++) {
		const GcPack *pack = &g_array_index(state->packs, GcPack, i);

		if (!mlv_remote_is_tombstoned(state->remote, &pack->pack.name))
			continue;
		mlv_pack_path(&pack->pack.name, path);
		delete_later(ops, path);
	}
	return mlv_medium_run_all(state->remote->medium, ops, FALSE, error);
}

/* Indexes that were superseded before the second listing. Those that carry tombstones stay while
 * a pending root lacks something: its push must see them when it lists again. */
static gboolean delete_indexes(GcState *state, GError **error)
{
	g_autoptr(GPtrArray) ops = mlv_ops_new();

	for (guint i = 0; i < state->remote->superseded->len; i++) {
		const RemoteSuperseded *old =
			&g_array_index(state->remote->superseded, RemoteSuperseded, i);
		char path[MLV_INDEX_NAME_LENGTH + 1];

		if (old->tombstones && state->result->unsettled)
			continue;
		mlv_index_path(&old->name, path);
		delete_later(ops, path);
	}
	state->result->indexes_deleted = ops->len;
	return mlv_medium_run_all(state->remote->medium, ops, FALSE, error);
}

static gboolean keep_tombstone(const MlvTombstone *stone, gpointer user)
{
	const GcState *state = user;

	return (gint64)stone->time > state->now - MLV_TOMBSTONE_AGE ||
	       mlv_gc_find_pack(state, &stone->pack) ||
	       g_hash_table_contains(state->remote->pack_numbers, &stone->pack);
}

static gboolean keep_entry(const MlvIndexPack *pack, const MlvPackEntry *entry, gpointer user)
{
	return !mlv_remote_is_tombstoned(((GcState *)user)->remote, &pack->name);
}

static gboolean names_deleted(const GcState *state, const MlvIndex *index)
{
	for (gsize i = 0; i < mlv_index_pack_count(index); i++) {
		MlvIndexPack pack = mlv_index_pack(index, i);

		if (mlv_remote_is_tombstoned(state->remote, &pack.name))
			return TRUE;
	}
	return FALSE;
}

/* Indexes that name packs which were deleted now are merged, with small ones, into one that does
 * not. What it supersedes is deleted by the next push or gc that lists it so. */
static gboolean drop_entries(GcState *state, MlvClass index_class, GError **error)
{
	MlvRemote *remote = state->remote;
	g_autoptr(GPtrArray) inputs = g_ptr_array_new();
	MlvIndexMerge options = { .keep = keep_entry,
				  .keep_tombstone = keep_tombstone,
				  .user = state };
	gboolean any = FALSE;

	for (guint i = 0; i < remote->live->len; i++) {
		RemoteIndex *at = g_ptr_array_index(remote->live, i);
		gboolean naming = names_deleted(state, at->index);

		if (at->grave || mlv_index_class(at->index) != index_class ||
		    (!naming && mlv_index_size(at->index) > MLV_REMOTE_WHOLE))
			continue;
		any |= naming;
		g_ptr_array_add(inputs, mlv_remote_whole_index(remote, at, error));
		if (!g_ptr_array_index(inputs, inputs->len - 1))
			return FALSE;
	}
	return !any || mlv_remote_put_merged(remote, (MlvIndex *const *)inputs->pdata, inputs->len,
					     &options, error);
}

gboolean mlv_gc_delete_dead(GcState *state, GError **error)
{
	return delete_packs(state, error) && delete_indexes(state, error) &&
	       drop_entries(state, MLV_CLASS_DATA, error) &&
	       drop_entries(state, MLV_CLASS_META, error);
}

/* Before anything is tombstoned: a push that trusts such a root looks for it after it has put
 * its own. */
gboolean mlv_gc_delete_roots(GcState *state, GError **error)
{
	g_autoptr(GPtrArray) ops = mlv_ops_new();

	for (guint i = 0; i < state->drop->len; i++)
		delete_later(ops, g_ptr_array_index(state->drop, i));
	return mlv_medium_run_all(state->remote->medium, ops, FALSE, error);
}
