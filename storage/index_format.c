/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of an index file, both ways. */
#include <stdlib.h>

#include "storage/error.h"
#include "storage/index_private.h"

void mlv_index_path(const MlvId *name, char path[MLV_INDEX_NAME_LENGTH + 1])
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(name, hex);
	g_snprintf(path, MLV_INDEX_NAME_LENGTH + 1, "live/i-%s", hex);
}

gboolean mlv_index_parse_path(const char *path, MlvId *name)
{
	return g_str_has_prefix(path, "live/i-") && strlen(path) == MLV_INDEX_NAME_LENGTH &&
	       mlv_id_parse(path + strlen("live/i-"), name);
}

/* --- layout ----------------------------------------------------------------------------------- */

guint32 mlv_index_bits(guint64 count)
{
	guint32 bits = 0;

	while (bits < MLV_INDEX_BITS_MAX && count > (guint64)MLV_INDEX_BUCKET << bits)
		bits++;
	return bits;
}

void mlv_index_layout_init(MlvIndexLayout *layout)
{
	layout->bits = mlv_index_bits(layout->count);
	layout->packs_at = MLV_INDEX_HEADER;
	layout->tombstones_at = layout->packs_at + (guint64)layout->packs * MLV_INDEX_PACK;
	layout->superseded_at =
		layout->tombstones_at + (guint64)layout->tombstones * MLV_INDEX_TOMBSTONE;
	layout->fan_at = layout->superseded_at + (guint64)layout->superseded * MLV_ID_SIZE;
	layout->check_at = layout->fan_at + ((guint64)4 << layout->bits);
	layout->blocks_at = layout->check_at + MLV_INDEX_CHECK;
	layout->n_blocks =
		((guint64)layout->count + MLV_INDEX_BLOCK_ENTRIES - 1) / MLV_INDEX_BLOCK_ENTRIES;
	layout->size = layout->blocks_at + (guint64)layout->count * MLV_INDEX_ENTRY +
		       layout->n_blocks * MLV_INDEX_SUM;
}

void mlv_index_header_format(const MlvIndexLayout *layout, guint8 header[MLV_INDEX_HEADER])
{
	memset(header, 0, MLV_INDEX_HEADER);
	memcpy(header, MLV_INDEX_MAGIC, MLV_MAGIC_LENGTH);
	mlv_le32_put(header + 8, layout->index_class);
	mlv_le32_put(header + 12, layout->bits);
	mlv_le32_put(header + 16, layout->packs);
	mlv_le32_put(header + 20, layout->tombstones);
	mlv_le32_put(header + 24, layout->superseded);
	mlv_le32_put(header + 28, layout->count);
}

gboolean mlv_index_header_parse(const guint8 header[MLV_INDEX_HEADER], MlvIndexLayout *layout,
				const char *label, GError **error)
{
	guint8 right[MLV_INDEX_HEADER];

	if (memcmp(header, MLV_INDEX_MAGIC, MLV_MAGIC_LENGTH) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' does not begin as an index of version 1", label);
	layout->index_class = (MlvClass)mlv_le32_get(header + 8);
	layout->packs = mlv_le32_get(header + 16);
	layout->tombstones = mlv_le32_get(header + 20);
	layout->superseded = mlv_le32_get(header + 24);
	layout->count = mlv_le32_get(header + 28);
	mlv_index_layout_init(layout);
	mlv_index_header_format(layout, right);
	if (!mlv_class_valid(layout->index_class) || memcmp(header, right, sizeof(right)) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the header of '%s' is damaged", label);
	return TRUE;
}

/* --- entries ---------------------------------------------------------------------------------- */

int mlv_index_entry_compare(const guint8 *a, const guint8 *b)
{
	int order = memcmp(a, b, MLV_ID_SIZE);

	if (order == 0)
		order = (int)mlv_index_entry_kind(a) - (int)mlv_index_entry_kind(b);
	for (guint at = 32; order == 0 && at < 40; at += 4) {
		guint32 x = mlv_le32_get(a + at), y = mlv_le32_get(b + at);
		order = x < y ? -1 : x > y;
	}
	return order;
}

void mlv_index_entry_format(const MlvPackEntry *entry, guint32 pack, guint8 out[MLV_INDEX_ENTRY])
{
	memcpy(out, entry->id.b, MLV_ID_SIZE);
	mlv_le32_put(out + 32, pack);
	mlv_le32_put(out + 36, entry->offset);
	mlv_le32_put(out + 40, mlv_length_pack(entry->stored, entry->codec));
	mlv_le32_put(out + 44, mlv_length_pack(entry->raw, entry->kind));
}

void mlv_index_entry_parse(const guint8 in[MLV_INDEX_ENTRY], MlvIndexHit *hit)
{
	guint32 stored = mlv_le32_get(in + 40), raw = mlv_le32_get(in + 44);

	memcpy(hit->entry.id.b, in, MLV_ID_SIZE);
	hit->pack = mlv_le32_get(in + 32);
	hit->entry.offset = mlv_le32_get(in + 36);
	hit->entry.stored = stored & 0xffffff;
	hit->entry.codec = (guint8)(stored >> 24);
	hit->entry.raw = raw & 0xffffff;
	hit->entry.kind = (guint8)(raw >> 24);
	hit->entry.check = 0;
}

/* --- the head --------------------------------------------------------------------------------- */

void mlv_index_head_format(const MlvIndexLayout *layout, const MlvIndexPack *packs,
			   const MlvTombstone *tombstones, const MlvId *superseded,
			   const guint32 *fan, guint8 *head)
{
	guint8 *at = head;
	MlvId check;

	mlv_index_header_format(layout, at);
	at += MLV_INDEX_HEADER;
	for (guint32 i = 0; i < layout->packs; i++, at += MLV_INDEX_PACK) {
		memcpy(at, packs[i].name.b, MLV_ID_SIZE);
		mlv_le64_put(at + MLV_ID_SIZE, packs[i].size);
	}
	for (guint32 i = 0; i < layout->tombstones; i++, at += MLV_INDEX_TOMBSTONE) {
		memcpy(at, tombstones[i].pack.b, MLV_ID_SIZE);
		mlv_le64_put(at + MLV_ID_SIZE, tombstones[i].time);
	}
	for (guint32 i = 0; i < layout->superseded; i++, at += MLV_ID_SIZE)
		memcpy(at, superseded[i].b, MLV_ID_SIZE);
	for (guint32 i = 0; i < 1u << layout->bits; i++, at += 4)
		mlv_le32_put(at, fan[i]);
	mlv_id_of(head, (gsize)(at - head), &check);
	memcpy(at, check.b, MLV_INDEX_CHECK);
}

static int compare_packs(gconstpointer a, gconstpointer b)
{
	return mlv_id_compare(&((const MlvIndexPack *)a)->name, &((const MlvIndexPack *)b)->name);
}

gboolean mlv_index_sort_packs(GArray *packs, MlvId *bad)
{
	guint kept = 0;

	g_array_sort(packs, compare_packs);
	for (guint i = 0; i < packs->len; i++) {
		const MlvIndexPack *pack = &g_array_index(packs, MlvIndexPack, i);
		const MlvIndexPack *last =
			kept > 0 ? &g_array_index(packs, MlvIndexPack, kept - 1) : NULL;

		if (last && mlv_id_equal(&last->name, &pack->name)) {
			*bad = pack->name;
			if (last->size != pack->size)
				return FALSE;
			continue;
		}
		g_array_index(packs, MlvIndexPack, kept++) = *pack;
	}
	g_array_set_size(packs, kept);
	return TRUE;
}

static int compare_tombstones(gconstpointer a, gconstpointer b)
{
	return mlv_id_compare(&((const MlvTombstone *)a)->pack, &((const MlvTombstone *)b)->pack);
}

void mlv_index_sort_tombstones(GArray *tombstones)
{
	guint kept = 0;

	g_array_sort(tombstones, compare_tombstones);
	for (guint i = 0; i < tombstones->len; i++) {
		MlvTombstone tombstone = g_array_index(tombstones, MlvTombstone, i);
		MlvTombstone *last =
			kept > 0 ? &g_array_index(tombstones, MlvTombstone, kept - 1) : NULL;

		if (last && mlv_id_equal(&last->pack, &tombstone.pack))
			last->time = MAX(last->time, tombstone.time);
		else
			g_array_index(tombstones, MlvTombstone, kept++) = tombstone;
	}
	g_array_set_size(tombstones, kept);
}

static int compare_ids(gconstpointer a, gconstpointer b)
{
	return mlv_id_compare(a, b);
}

void mlv_index_sort_ids(GArray *ids)
{
	guint kept = 0;

	g_array_sort(ids, compare_ids);
	for (guint i = 0; i < ids->len; i++) {
		MlvId id = g_array_index(ids, MlvId, i);

		if (kept == 0 || !mlv_id_equal(&g_array_index(ids, MlvId, kept - 1), &id))
			g_array_index(ids, MlvId, kept++) = id;
	}
	g_array_set_size(ids, kept);
}

gssize mlv_index_find_pack(const GArray *packs, const MlvId *name)
{
	MlvIndexPack key = { .name = *name };
	const MlvIndexPack *base = (const MlvIndexPack *)(const void *)packs->data;
	const MlvIndexPack *found =
		packs->len == 0 ? NULL
				: bsearch(&key, base, packs->len, sizeof(key), compare_packs);

	return found ? found - base : -1;
}
