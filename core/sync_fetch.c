/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching what the local store lacks, and proving that nothing is lacking. */
#include <string.h>
#include <sys/stat.h>

#include "core/sync_runs.h"
#include "core/sync_walk.h"
#include "storage/fetch.h"

/* Reads lists and trees here, or else from the remote; what comes from there is stored by the
 * way. */
typedef struct {
	MlvSource source; /* first */
	MlvStore *store;
	MlvSource *remote;
	MlvStoreWriter *writer; /* NULL: nothing is stored */
} MetaSource;

static GBytes *meta_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	MetaSource *meta = (MetaSource *)source;
	g_autoptr(GError) local = NULL;
	GBytes *bytes = mlv_store_read_chunk(meta->store, kind, id, &local);

	if (bytes)
		return bytes;
	if (!meta->remote || !g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	bytes = meta->remote->read(meta->remote, kind, id, error);
	if (bytes && meta->writer &&
	    !mlv_store_writer_put(kind, id, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
				  meta->writer, error))
		g_clear_pointer(&bytes, g_bytes_unref);
	return bytes;
}

static gboolean meta_prefetch(MlvSource *source, MlvKind kind, const MlvId *ids, gsize count,
			      GError **error)
{
	MetaSource *meta = (MetaSource *)source;
	g_autoptr(GArray) absent = g_array_new(FALSE, FALSE, sizeof(MlvId));

	if (!meta->remote || !meta->remote->prefetch)
		return TRUE;
	for (gsize i = 0; i < count; i++) {
		MlvPlace place;
		gboolean found;

		if (!mlv_store_find(meta->store, kind, &ids[i], &place, &found, error))
			return FALSE;
		if (!found)
			g_array_append_val(absent, ids[i]);
	}
	return absent->len == 0 ||
	       meta->remote->prefetch(meta->remote, kind, (const MlvId *)(void *)absent->data,
				      absent->len, error);
}

static gboolean have_here(const MlvChunkKey *keys, gsize count, gboolean *have, MlvStore *store,
			  GError **error)
{
	for (gsize i = 0; i < count; i++) {
		MlvPlace place;

		if (!mlv_store_find(store, (MlvKind)keys[i].kind, &keys[i].id, &place, &have[i],
				    error))
			return FALSE;
	}
	return TRUE;
}

/* --- fetching --------------------------------------------------------------------------------- */

typedef struct {
	MlvSync *sync;
	MlvLocal *local;
	MlvStoreWriter *writer;
	GArray *wanted; /* MlvChunkKey of blobs */
	guint64 metas;
} Fetch;

static gboolean fetch_have(const MlvChunkKey *keys, gsize count, gboolean *have, gpointer user,
			   GError **error)
{
	return have_here(keys, count, have, ((Fetch *)user)->local->store, error);
}

static gboolean fetch_lack(const char *path, const MlvChunkKey *key, guint64 length,
			   gboolean *descend, gpointer user, GError **error)
{
	Fetch *fetch = user;

	if (key->kind == MLV_KIND_BLOB) {
		g_array_append_val(fetch->wanted, *key);
	} else {
		fetch->metas++;
		*descend = TRUE;
	}
	return TRUE;
}

static MlvTemp *sink_temp(gpointer user, GError **error)
{
	return mlv_store_temp(((Fetch *)user)->local->store, error);
}

static gboolean sink_pack(MlvTemp *temp, MlvPackTable *table, gpointer user, GError **error)
{
	return mlv_store_writer_adopt(((Fetch *)user)->writer, temp, table, error);
}

static gboolean sink_chunk(const MlvPackEntry *entry, const guint8 *stored, gpointer user,
			   GError **error)
{
	Fetch *fetch = user;
	gboolean mine;

	return mlv_store_writer_claim(fetch->writer, (MlvKind)entry->kind, &entry->id, &mine,
				      error) &&
	       (!mine || mlv_store_writer_put_stored(fetch->writer, entry, stored, error));
}

static gboolean fetch_wanted(Fetch *fetch, const MlvSyncOptions *options, MlvSyncResult *result,
			     GError **error)
{
	MlvFetchSink sink = { sink_temp, sink_pack, sink_chunk, fetch };
	MlvFetchOptions how = { .threads = options->threads,
				.dry_run = options->dry_run,
				.progress = options->progress,
				.user = options->user };
	MlvFetchResult fetched = { 0 };

	if (fetch->wanted->len > 0 &&
	    !mlv_fetch(fetch->sync->remote, (const MlvChunkKey *)(void *)fetch->wanted->data,
		       fetch->wanted->len, &sink, &how, &fetched, error))
		return FALSE;
	result->packs = fetched.packs;
	result->chunks = fetched.chunks + fetch->metas;
	result->bytes = fetched.bytes;
	result->up_to_date = result->chunks == 0;
	return TRUE;
}

gboolean mlv_sync_fetch(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
			const MlvSyncOptions *options, MlvSyncResult *result, GError **error)
{
	g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(MlvChunkKey));
	g_autoptr(MlvStoreWriter) writer = mlv_store_writer_new(local->store, &local->write);
	Fetch fetch = { sync, local, writer, wanted, 0 };
	MetaSource meta = { { .read = meta_read, .prefetch = meta_prefetch },
			    local->store,
			    mlv_remote_source(sync->remote),
			    options->dry_run ? NULL : writer };
	MlvWalkOptions walk = { .source = &meta.source,
				.paths = mlv_selection_paths(selection),
				.cancel = options->cancel,
				.have = fetch_have,
				.lack = fetch_lack,
				.user = &fetch };
	guint64 seen;

	memset(result, 0, sizeof(*result));
	gboolean ok = (!options->runs ||
		       mlv_sync_bring_runs(sync, local, selection, options->dry_run, error)) &&
		      mlv_sync_walk(selection, &walk, &seen, error) &&
		      fetch_wanted(&fetch, options, result, error) &&
		      (options->dry_run || mlv_store_writer_commit(writer, error));
	if (!ok)
		g_prefix_error(error, "remote '%s': ", sync->config->name);
	return ok;
}

/* --- measuring -------------------------------------------------------------------------------- */

typedef struct {
	MlvStore *store;
	MlvSyncResult *result;
} Measure;

static gboolean measure_have(const MlvChunkKey *keys, gsize count, gboolean *have, gpointer user,
			     GError **error)
{
	Measure *measure = user;

	for (gsize i = 0; i < count; i++) {
		MlvPlace place;

		if (!mlv_store_find(measure->store, (MlvKind)keys[i].kind, &keys[i].id, &place,
				    &have[i], error))
			return FALSE;
		measure->result->chunks += have[i];
		measure->result->bytes += have[i] ? place.entry.stored : 0;
	}
	return TRUE;
}

static gboolean measure_lack(const char *path, const MlvChunkKey *key, guint64 length,
			     gboolean *descend, gpointer user, GError **error)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&key->id, hex);
	return mlv_fail(error, MLV_ERROR_MISSING, "object sha256:%s of '%s' is not in the store",
			hex, path);
}

gboolean mlv_sync_measure(MlvLocal *local, MlvSelection *selection, MlvSyncResult *result,
			  GError **error)
{
	Measure measure = { local->store, result };
	MlvWalkOptions walk = { .source = mlv_store_source(local->store),
				.paths = mlv_selection_paths(selection),
				.have = measure_have,
				.lack = measure_lack,
				.user = &measure };
	guint64 seen;

	memset(result, 0, sizeof(*result));
	return mlv_sync_walk(selection, &walk, &seen, error);
}

/* --- verifying -------------------------------------------------------------------------------- */

typedef struct {
	MlvSync *sync; /* NULL: the local store is asked */
	MlvLocal *local;
	MlvSyncMissing missing;
	gpointer user;
	GHashTable *packs; /* MlvId of a local pack -> its length, guint64; 0: it is not there */
} Verify;

/* An index may name a pack that is gone or cut short, so the pack is looked for by itself. */
static gboolean local_pack_is_whole(Verify *verify, const MlvPlace *place)
{
	MlvId name = mlv_store_pack_name(verify->local->store, place->pack);
	const guint64 *known = g_hash_table_lookup(verify->packs, &name);
	guint64 size = known ? *known : 0;

	if (!known) {
		char path[MLV_PACK_NAME_LENGTH + 1];
		struct stat st;

		mlv_pack_path(&name, path);
		if (fstatat(mlv_store_fd(verify->local->store), path, &st, 0) == 0)
			size = (guint64)st.st_size;
		g_hash_table_insert(verify->packs, g_memdup2(&name, sizeof(name)),
				    g_memdup2(&size, sizeof(size)));
	}
	return size >= (guint64)place->entry.offset + place->entry.stored;
}

static gboolean verify_here(Verify *verify, const MlvChunkKey *keys, gsize count, gboolean *have,
			    GError **error)
{
	for (gsize i = 0; i < count; i++) {
		MlvPlace place;

		if (!mlv_store_find(verify->local->store, (MlvKind)keys[i].kind, &keys[i].id,
				    &place, &have[i], error))
			return FALSE;
		have[i] = have[i] && local_pack_is_whole(verify, &place);
	}
	return TRUE;
}

static gboolean verify_have(const MlvChunkKey *keys, gsize count, gboolean *have, gpointer user,
			    GError **error)
{
	Verify *verify = user;

	if (!verify->sync)
		return verify_here(verify, keys, count, have, error);
	g_autofree MlvRemoteHit *hits = g_new0(MlvRemoteHit, count);
	if (!mlv_remote_find_many(verify->sync->remote, keys, count, hits, error))
		return FALSE;
	for (gsize i = 0; i < count; i++)
		have[i] = hits[i].state == MLV_HIT_LIVE;
	return TRUE;
}

static gboolean verify_lack(const char *path, const MlvChunkKey *key, guint64 length,
			    gboolean *descend, gpointer user, GError **error)
{
	Verify *verify = user;
	MlvPlace place;

	/* what lies below is looked at as well, if it can be read here */
	if (verify->sync && key->kind != MLV_KIND_BLOB &&
	    !mlv_store_find(verify->local->store, (MlvKind)key->kind, &key->id, &place, descend,
			    error))
		return FALSE;
	return verify->missing(path, (MlvKind)key->kind, &key->id, verify->user, error);
}

gboolean mlv_sync_verify(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
			 MlvSyncMissing missing, gpointer user, MlvSyncResult *result,
			 GError **error)
{
	g_autoptr(GHashTable) packs =
		g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, g_free);
	Verify verify = { sync, local, missing, user, packs };
	MetaSource meta = { { .read = meta_read, .prefetch = meta_prefetch },
			    local->store,
			    sync ? mlv_remote_source(sync->remote) : NULL,
			    NULL };
	MlvWalkOptions walk = { .source = &meta.source,
				.paths = mlv_selection_paths(selection),
				.have = verify_have,
				.lack = verify_lack,
				.user = &verify };

	memset(result, 0, sizeof(*result));
	/* An index may name a pack that is gone: such are passed over from here on. */
	if (sync && !mlv_remote_survey(sync->remote, NULL, &result->packs_lost, error))
		return FALSE;
	return mlv_sync_walk(selection, &walk, &result->chunks, error);
}
