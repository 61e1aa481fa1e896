/* SPDX-License-Identifier: Apache-2.0 */
/* Looking chunks up in all live indexes of a remote. */
#include "storage/remote_private.h"

#include <string.h>

char *mlv_chunk_label(MlvKind kind, const MlvId *id)
{
	static const char *const words[] = { "object", "blob", "list", "tree" };
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	return g_strdup_printf("%s sha256:%s", words[kind <= MLV_KIND_TREE ? kind : 0], hex);
}

static void take_hit(const MlvRemote *remote, const RemoteIndex *index, const MlvIndexHit *from,
		     MlvRemoteHit *hit)
{
	guint32 pack = index->packs[from->pack];
	guint8 state = mlv_remote_pack(remote, pack)->dead ? MLV_HIT_DEAD : MLV_HIT_LIVE;

	if (state <= hit->state || mlv_remote_pack(remote, pack)->gone)
		return;
	hit->pack = pack;
	hit->offset = from->entry.offset;
	hit->stored = from->entry.stored;
	hit->raw = from->entry.raw;
	hit->codec = from->entry.codec;
	hit->state = state;
}

/* A place in a pack that stays, if there is one; else one in a pack that goes. `all` is scratch. */
static gboolean find_one(MlvRemote *remote, const MlvChunkKey *key, GArray *all, MlvRemoteHit *hit,
			 GError **error)
{
	hit->state = MLV_HIT_ABSENT;
	for (guint i = 0; i < remote->live->len && hit->state != MLV_HIT_LIVE; i++) {
		RemoteIndex *index = g_ptr_array_index(remote->live, i);
		MlvIndexHit first;
		gboolean found;

		if (mlv_index_class(index->index) != mlv_class_of(key->kind))
			continue;
		if (!mlv_index_find(index->index, key->kind, &key->id, &found, &first, error))
			return FALSE;
		if (!found)
			continue;
		take_hit(remote, index, &first, hit);
		if (hit->state == MLV_HIT_LIVE)
			return TRUE;
		g_array_set_size(all, 0);
		if (!mlv_index_find_all(index->index, key->kind, &key->id, all, error))
			return FALSE;
		for (guint n = 0; n < all->len; n++)
			take_hit(remote, index, &g_array_index(all, MlvIndexHit, n), hit);
	}
	return TRUE;
}

gboolean mlv_remote_any_partial(const MlvRemote *remote)
{
	for (guint i = 0; i < remote->live->len; i++)
		if (((RemoteIndex *)g_ptr_array_index(remote->live, i))->partial)
			return TRUE;
	return FALSE;
}

/* Fetches what a look-up of the keys of one class needs of indexes that are here in part. */
static gboolean fetch_blocks(MlvRemote *remote, MlvClass index_class, const MlvChunkKey *keys,
			     gsize count, GError **error)
{
	g_autofree MlvId *ids = g_new(MlvId, count);
	gsize n = 0;

	for (gsize i = 0; i < count; i++)
		if (mlv_class_of(keys[i].kind) == index_class)
			ids[n++] = keys[i].id;
	return n == 0 || mlv_remote_fetch_blocks(remote, index_class, ids, n, error);
}

gboolean mlv_remote_find_many(MlvRemote *remote, const MlvChunkKey *keys, gsize count,
			      MlvRemoteHit *hits, GError **error)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(MlvIndexHit));

	if (count > 0 && mlv_remote_any_partial(remote) &&
	    (!fetch_blocks(remote, MLV_CLASS_DATA, keys, count, error) ||
	     !fetch_blocks(remote, MLV_CLASS_META, keys, count, error)))
		return FALSE;
	for (gsize i = 0; i < count; i++)
		if (!find_one(remote, &keys[i], all, &hits[i], error))
			return FALSE;
	return TRUE;
}

gboolean mlv_remote_find(MlvRemote *remote, MlvKind kind, const MlvId *id, MlvRemoteHit *hit,
			 GError **error)
{
	MlvChunkKey key = { .id = *id, .kind = (guint8)kind };

	return mlv_remote_find_many(remote, &key, 1, hit, error);
}

/* --- places, joined into ranges --------------------------------------------------------------- */

MlvPackEntry mlv_remote_hit_entry(const MlvChunkKey *key, const MlvRemoteHit *hit)
{
	return (MlvPackEntry){
		.id = key->id,
		.offset = hit->offset,
		.stored = hit->stored,
		.raw = hit->raw,
		.kind = key->kind,
		.codec = hit->codec,
	};
}

void mlv_remote_want(RemoteWant *want, const MlvChunkKey *key, const MlvRemoteHit *hit)
{
	*want = (RemoteWant){
		.id = key->id,
		.pack = hit->pack,
		.offset = hit->offset,
		.stored = hit->stored,
		.raw = hit->raw,
		.kind = key->kind,
		.codec = hit->codec,
	};
}

MlvPackEntry mlv_remote_want_entry(const RemoteWant *want)
{
	return (MlvPackEntry){
		.id = want->id,
		.offset = want->offset,
		.stored = want->stored,
		.raw = want->raw,
		.kind = want->kind,
		.codec = want->codec,
	};
}

static int by_place(const void *a, const void *b)
{
	const RemoteWant *x = a, *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

GArray *mlv_remote_join(RemoteWant *wants, gsize count, guint64 max)
{
	GArray *ranges = g_array_new(FALSE, FALSE, sizeof(RemoteRange));

	if (count > 0)
		qsort(wants, count, sizeof(*wants), by_place);
	for (gsize i = 0; i < count; i++) {
		guint64 start = wants[i].offset, end = start + wants[i].stored;
		RemoteRange *last = ranges->len > 0
					    ? &g_array_index(ranges, RemoteRange, ranges->len - 1)
					    : NULL;
		RemoteRange fresh = { i, 1, start, wants[i].stored };

		if (last && wants[last->first].pack == wants[i].pack &&
		    start <= last->offset + last->length + MLV_REMOTE_GAP &&
		    end - last->offset <= max) {
			last->length = MAX(last->length, end - last->offset);
			last->count++;
		} else {
			g_array_append_val(ranges, fresh);
		}
	}
	return ranges;
}

MlvOp *mlv_remote_range_op(const MlvRemote *remote, const RemoteWant *wants,
			   const RemoteRange *range)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	MlvOp *op;

	mlv_pack_path(&mlv_remote_pack(remote, wants[range->first].pack)->name, path);
	op = mlv_op_new(MLV_OP_GET, path);
	op->offset = range->offset;
	op->length = range->length;
	return op;
}
