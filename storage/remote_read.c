/* SPDX-License-Identifier: Apache-2.0 */
/* A remote as a source of chunks: read by range, hashed, asked for ahead. */
#include "storage/remote_private.h"

#include <string.h>

/* --- chunks that were asked for ahead --------------------------------------------------------- */

static guint hash_key(gconstpointer data)
{
	const MlvChunkKey *key = data;

	return mlv_id_hash(&key->id) + key->kind;
}

static gboolean equal_keys(gconstpointer a, gconstpointer b)
{
	const MlvChunkKey *x = a, *y = b;

	return x->kind == y->kind && mlv_id_equal(&x->id, &y->id);
}

static void forget_oldest(MlvRemote *remote)
{
	MlvChunkKey *key = g_queue_pop_head(&remote->chunk_order);
	GBytes *bytes = g_hash_table_lookup(remote->chunks, key);

	remote->chunk_bytes -= g_bytes_get_size(bytes);
	g_hash_table_remove(remote->chunks, key);
}

/* Takes the reference. */
static void remember(MlvRemote *remote, const MlvChunkKey *key, GBytes *bytes)
{
	MlvChunkKey *copy;

	if (g_hash_table_contains(remote->chunks, key)) {
		g_bytes_unref(bytes);
		return;
	}
	copy = g_memdup2(key, sizeof(*key));
	remote->chunk_bytes += g_bytes_get_size(bytes);
	g_hash_table_insert(remote->chunks, copy, bytes);
	g_queue_push_tail(&remote->chunk_order, copy);
	while (remote->chunk_bytes > MLV_REMOTE_CACHE)
		forget_oldest(remote);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Decodes what lies at the head of `stored`, which holds all of entry->stored. */
static GBytes *decode(const MlvPackEntry *entry, const guint8 *stored, const char *label,
		      GError **error)
{
	guint8 *raw = g_malloc(MAX(entry->raw, 1));

	if (mlv_pack_decode(entry, stored, raw, label, error))
		return g_bytes_new_take(raw, entry->raw);
	g_free(raw);
	return NULL;
}

/* One chunk by its place; damaged bytes are fetched again. */
static GBytes *read_at(MlvRemote *remote, const MlvPackEntry *entry, guint32 pack, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];

	mlv_pack_path(&mlv_remote_pack(remote, pack)->name, path);
	for (int tries = 1;; tries++) {
		g_autoptr(GError) failed = NULL;
		g_autoptr(GBytes) stored = mlv_medium_get(remote->medium, path, entry->offset,
							  entry->stored, entry->stored, &failed);
		GBytes *raw = stored ? decode(entry, g_bytes_get_data(stored, NULL), path, &failed)
				     : NULL;

		if (raw)
			return raw;
		if (tries == MLV_REMOTE_TRIES ||
		    !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return NULL;
		}
	}
}

/* Reads it from wherever it still is. */
static GBytes *read_once(MlvRemote *remote, const MlvChunkKey *key, GError **error)
{
	for (;;) {
		g_autoptr(GError) failed = NULL;
		MlvRemoteHit hit;
		MlvPackEntry entry;
		GBytes *bytes;

		if (!mlv_remote_find_many(remote, key, 1, &hit, error))
			return NULL;
		if (hit.state == MLV_HIT_ABSENT) {
			g_autofree char *label = mlv_chunk_label(key->kind, &key->id);

			mlv_fail(error, MLV_ERROR_MISSING, "%s is not on the remote '%s'", label,
				 remote->medium->url);
			return NULL;
		}
		entry = mlv_remote_hit_entry(key, &hit);
		bytes = read_at(remote, &entry, hit.pack, &failed);
		if (bytes)
			return bytes;
		if (!g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return NULL;
		}
		mlv_remote_note_gone(remote, &mlv_remote_pack(remote, hit.pack)->name);
	}
}

static GBytes *source_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	MlvRemote *remote = (MlvRemote *)source;
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };
	g_autoptr(GError) failed = NULL;
	GBytes *bytes = g_hash_table_lookup(remote->chunks, &key);

	if (bytes)
		return g_bytes_ref(bytes);
	bytes = read_once(remote, &key, &failed);
	/* Another client's gc may have moved it since we listed. */
	if (!bytes && !remote->relisted && g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_clear_error(&failed);
		if (!mlv_remote_refresh(remote, error))
			return NULL;
		remote->relisted = TRUE;
		bytes = read_once(remote, &key, &failed);
	}
	if (!bytes)
		g_propagate_error(error, g_steal_pointer(&failed));
	return bytes;
}

static gboolean source_has(MlvSource *source, MlvKind kind, const MlvId *id, gboolean *has,
			   GError **error)
{
	MlvRemoteHit hit;

	if (!mlv_remote_find((MlvRemote *)source, kind, id, &hit, error))
		return FALSE;
	*has = hit.state != MLV_HIT_ABSENT;
	return TRUE;
}

/* What arrived well is remembered; what did not will be read, and its error told, when it is
 * asked for. */
static void keep_range(MlvRemote *remote, const RemoteWant *wants, const RemoteRange *range,
		       const MlvOp *op)
{
	const guint8 *data = op->bytes ? g_bytes_get_data(op->bytes, NULL) : NULL;

	for (gsize i = 0; data && i < range->count; i++) {
		const RemoteWant *want = &wants[range->first + i];
		MlvPackEntry entry = mlv_remote_want_entry(want);
		MlvChunkKey key = { .id = want->id, .kind = want->kind };
		GBytes *raw = decode(&entry, data + (want->offset - range->offset), op->name, NULL);

		if (raw)
			remember(remote, &key, raw);
	}
}

static gboolean read_ahead(MlvRemote *remote, RemoteWant *wants, gsize count, GError **error)
{
	g_autoptr(GArray) ranges = mlv_remote_join(wants, count, MLV_REMOTE_CACHE / 4);
	g_autoptr(GPtrArray) ops = mlv_ops_new();

	for (guint i = 0; i < ranges->len; i++)
		g_ptr_array_add(ops, mlv_remote_range_op(remote, wants,
							 &g_array_index(ranges, RemoteRange, i)));
	if (!mlv_medium_run_all(remote->medium, ops, TRUE, error))
		return FALSE;
	for (guint i = 0; i < ranges->len; i++)
		keep_range(remote, wants, &g_array_index(ranges, RemoteRange, i),
			   g_ptr_array_index(ops, i));
	return TRUE;
}

static gboolean source_prefetch(MlvSource *source, MlvKind kind, const MlvId *ids, gsize count,
				GError **error)
{
	MlvRemote *remote = (MlvRemote *)source;
	g_autofree MlvChunkKey *keys = g_new0(MlvChunkKey, count + 1);
	g_autofree MlvRemoteHit *hits = g_new0(MlvRemoteHit, count + 1);
	g_autofree RemoteWant *wants = g_new0(RemoteWant, count + 1);
	gsize n = 0, m = 0;
	guint64 bytes = 0;

	for (gsize i = 0; i < count; i++) {
		keys[n] = (MlvChunkKey){ .id = ids[i], .kind = (guint8)kind };
		if (!g_hash_table_contains(remote->chunks, &keys[n]))
			n++;
	}
	if (n < 2)
		return TRUE;
	if (!mlv_remote_find_many(remote, keys, n, hits, error)) {
		/* Reading will list again. */
		if (!remote->index_gone)
			return FALSE;
		g_clear_error(error);
		return TRUE;
	}
	for (gsize i = 0; i < n && bytes < MLV_REMOTE_CACHE / 2; i++) {
		if (hits[i].state == MLV_HIT_ABSENT)
			continue;
		mlv_remote_want(&wants[m++], &keys[i], &hits[i]);
		bytes += MAX(hits[i].raw, hits[i].stored);
	}
	return read_ahead(remote, wants, m, error);
}

void mlv_remote_source_init(MlvRemote *remote)
{
	remote->source.read = source_read;
	remote->source.has = source_has;
	remote->source.prefetch = source_prefetch;
	remote->chunks =
		g_hash_table_new_full(hash_key, equal_keys, g_free, (GDestroyNotify)g_bytes_unref);
	g_queue_init(&remote->chunk_order);
}

void mlv_remote_source_clear(MlvRemote *remote)
{
	g_queue_clear(&remote->chunk_order);
	g_hash_table_unref(remote->chunks);
}

/* --- tables of packs -------------------------------------------------------------------------- */

/* The header and the last `tail` bytes. */
static gboolean read_ends(MlvRemote *remote, const MlvIndexPack *pack, gsize tail, GPtrArray *ops,
			  GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];

	mlv_pack_path(&pack->name, path);
	for (int i = 0; i < 2; i++) {
		MlvOp *op = mlv_op_new(MLV_OP_GET, path);

		op->offset = i == 0 ? 0 : pack->size - tail;
		op->length = i == 0 ? MLV_PACK_HEADER : tail;
		g_ptr_array_add(ops, op);
	}
	return mlv_medium_run_all(remote->medium, ops, FALSE, error);
}

MlvPackTable *mlv_remote_read_table(MlvRemote *remote, const MlvIndexPack *pack, GError **error)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	gsize tail = (gsize)MIN(pack->size, MLV_REMOTE_GAP), need = 0;

	mlv_pack_path(&pack->name, path);
	if (pack->size < MLV_PACK_HEADER + MLV_PACK_FOOTER || pack->size > MLV_PACK_MAX) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "the pack '%s' has an impossible length", path);
		return NULL;
	}
	for (;;) {
		g_autoptr(GPtrArray) ops = mlv_ops_new();
		g_autoptr(GError) failed = NULL;
		MlvPackTable *table;

		if (!read_ends(remote, pack, tail, ops, error))
			return NULL;
		table = mlv_pack_table_parse(
			g_bytes_get_data(((MlvOp *)g_ptr_array_index(ops, 0))->bytes, NULL),
			g_bytes_get_data(((MlvOp *)g_ptr_array_index(ops, 1))->bytes, NULL), tail,
			pack->size, &pack->name, path, &need, &failed);
		if (table)
			return table;
		if (need <= tail || need > pack->size) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return NULL;
		}
		tail = need;
	}
}

gboolean mlv_remote_dig(MlvRemote *remote, const MlvIndexPack *packs, gsize count, GError **error)
{
	g_autoptr(MlvIndexBuilder) data = mlv_index_builder_new(MLV_CLASS_DATA);
	g_autoptr(MlvIndexBuilder) meta = mlv_index_builder_new(MLV_CLASS_META);
	MlvIndexBuilder *const builders[2] = { data, meta };

	for (gsize i = 0; i < count; i++) {
		g_autoptr(GError) failed = NULL;
		g_autoptr(MlvPackTable) table = mlv_remote_read_table(remote, &packs[i], &failed);

		if (table) {
			mlv_index_builder_add_pack(builders[table->pack_class == MLV_CLASS_META],
						   &table->name, table->size, table->entries,
						   table->count);
		} else if (!g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING) &&
			   !g_error_matches(failed, MLV_ERROR, MLV_ERROR_CORRUPT)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
	}
	for (int i = 0; i < 2; i++) {
		MlvId name;
		g_autoptr(GBytes) bytes = mlv_index_builder_finish(builders[i], &name);
		RemoteIndex *index;
		MlvIndex *parsed =
			mlv_index_new_from_bytes(bytes, &name, FALSE, "tombstoned packs", error);

		if (!parsed)
			return FALSE;
		index = g_new0(RemoteIndex, 1);
		index->index = parsed;
		index->grave = TRUE;
		g_ptr_array_add(remote->graves, index);
	}
	mlv_remote_view(remote);
	return TRUE;
}
