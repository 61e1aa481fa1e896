/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sync_runs.h"

#include <string.h>

#include "core/pipeline/runcache.h"
#include "core/whole.h"

/* --- to a remote ------------------------------------------------------------------------------ */

typedef struct {
	MlvLocal *local;
	MlvRoot *root;
	MlvStoreWriter *writer;
	MlvMarks *whole;
} Pushing;

/* What an entry needs; *can FALSE: something of it stays here, or is not here. */
static gboolean add_refs(Pushing *pushing, const MlvLockStage *stage, GArray *refs, gboolean *can,
			 GError **error)
{
	*can = TRUE;
	for (guint i = 0; *can && i < stage->outs->len; i++) {
		const MlvLockPath *out = stage->outs->pdata[i];
		*can = !out->no_push && !out->etag;
		if (*can &&
		    !mlv_whole(pushing->local->store, &out->held.ref, pushing->whole, can, error))
			return FALSE;
		if (*can && out->held.ref.size > 0)
			g_array_append_val(refs, out->held.ref);
	}
	return TRUE;
}

static gboolean add_entry(const MlvId *key, GBytes *bytes, gpointer user, GError **error)
{
	Pushing *pushing = user;
	g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	g_autoptr(MlvLock) entry = mlv_runcache_parse(key, bytes);
	char hex[MLV_ID_HEX + 1];
	gboolean can;
	gsize length;

	if (!entry)
		return TRUE;
	if (!add_refs(pushing, mlv_runcache_stage(entry), refs, &can, error))
		return FALSE;
	const guint8 *data = g_bytes_get_data(bytes, &length);
	if (!can || length > MLV_RUNCACHE_OBJECT_MAX)
		return TRUE;
	MlvRef self = { .kind = MLV_KIND_BLOB, .size = length };
	mlv_id_of(data, length, &self.id);
	mlv_id_format(&self.id, hex);
	g_array_append_val(refs, self);
	mlv_root_add(pushing->root, MLV_ROOT_RUN, hex, (const MlvRef *)(void *)refs->data,
		     refs->len);
	return mlv_store_writer_put(MLV_KIND_BLOB, &self.id, data, length, pushing->writer, error);
}

gboolean mlv_sync_add_runs(MlvLocal *local, MlvRoot *root, GError **error)
{
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(local->store, &local->write);
	g_autoptr(MlvMarks) whole = mlv_marks_new();
	Pushing pushing = { local, root, writer, whole };

	return mlv_runcache_foreach(local->repo, G_MININT64, add_entry, &pushing, error) &&
	       mlv_store_writer_commit(writer, error);
}

static gboolean add_id(const MlvId *key, GBytes *bytes, gpointer user, GError **error)
{
	char hex[MLV_ID_HEX + 1];
	gsize length;
	MlvId id;

	mlv_id_of(g_bytes_get_data(bytes, &length), g_bytes_get_size(bytes), &id);
	mlv_id_format(&id, hex);
	g_hash_table_add(user, g_strdup(hex));
	return TRUE;
}

GHashTable *mlv_sync_run_ids(MlvRepo *repo)
{
	GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	mlv_runcache_foreach(repo, G_MININT64, add_id, ids, NULL);
	return ids;
}

/* --- from one --------------------------------------------------------------------------------- */

/* The ids of entries that the repository's roots name. */
static GArray *listed(MlvSync *sync, GError **error)
{
	const char *repo = mlv_repo_id(sync->repo);
	g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(MlvRemoteRoot));
	g_autoptr(GHashTable) seen =
		g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(MlvId));
	gsize count;
	const MlvRemoteRoot *roots = mlv_remote_roots(sync->remote, &count);

	for (gsize i = 0; i < count; i++)
		if (!roots[i].name.pending && g_strcmp0(roots[i].name.repo, repo) == 0)
			g_array_append_val(own, roots[i]);
	g_autoptr(GPtrArray) read = mlv_remote_read_roots(
		sync->remote, (const MlvRemoteRoot *)(void *)own->data, own->len, error);
	if (!read)
		g_clear_pointer(&ids, g_array_unref);
	for (guint i = 0; read && i < read->len; i++) {
		const MlvRoot *root = read->pdata[i];
		for (gsize j = 0; root && j < mlv_root_entry_count(root); j++) {
			const GArray *needs;
			MlvRootUse use;
			MlvId id;
			const char *hex = mlv_root_entry(root, j, &use, &needs);
			if (use != MLV_ROOT_RUN || strlen(hex) != MLV_ID_HEX ||
			    !mlv_id_parse(hex, &id) ||
			    !g_hash_table_add(seen, g_memdup2(&id, sizeof(id))))
				continue;
			g_array_append_val(ids, id);
		}
	}
	return ids;
}

/* What an entry needs is fetched like any data. */
static void select_outs(MlvSelection *selection, const MlvLockStage *stage)
{
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvLockPath *out = stage->outs->pdata[i];
		MlvTracked tracked = { .path = out->path, .pointer = out->held };
		if (!out->etag && !out->no_push)
			mlv_selection_add_target(selection, &tracked);
	}
}

static gboolean bring(MlvSync *sync, const MlvId *id, MlvSelection *selection, gboolean dry_run,
		      GError **error)
{
	MlvSource *source = mlv_remote_source(sync->remote);
	g_autoptr(GError) why = NULL;
	g_autoptr(GBytes) bytes = source->read(source, MLV_KIND_BLOB, id, &why);
	MlvId key;

	/* Its root may have gone meanwhile. */
	if (!bytes && g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	if (!bytes) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	g_autoptr(MlvLock) entry = mlv_runcache_parse_foreign(bytes, &key);
	if (!entry)
		return TRUE;
	select_outs(selection, mlv_runcache_stage(entry));
	return dry_run || mlv_runcache_put_bytes(sync->repo, &key, bytes, error);
}

gboolean mlv_sync_bring_runs(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
			     gboolean dry_run, GError **error)
{
	g_autoptr(GHashTable) have = mlv_sync_run_ids(local->repo);
	g_autoptr(GArray) ids = listed(sync, error);
	MlvSource *source = mlv_remote_source(sync->remote);
	char hex[MLV_ID_HEX + 1];

	for (guint i = ids ? ids->len : 0; i-- > 0;) {
		mlv_id_format(&g_array_index(ids, MlvId, i), hex);
		if (g_hash_table_contains(have, hex))
			g_array_remove_index_fast(ids, i);
	}
	if (!ids || (ids->len > 0 && source->prefetch &&
		     !source->prefetch(source, MLV_KIND_BLOB, (const MlvId *)(void *)ids->data,
				       ids->len, error)))
		return FALSE;
	for (guint i = 0; i < ids->len; i++)
		if (!bring(sync, &g_array_index(ids, MlvId, i), selection, dry_run, error))
			return FALSE;
	return TRUE;
}
