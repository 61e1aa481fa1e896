/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in indexes, and the check of a whole one. */
#include "storage/error.h"
#include "storage/index_private.h"

#define GALLOP_FIRST 8u /* entries by which a guess is about wrong in a bucket of 256 */

/* --- look-ups --------------------------------------------------------------------------------- */

/* Ids are evenly spread, so their next bits say about where in the bucket one lies. */
static guint32 guess(const MlvId *id, guint32 bits, guint32 low, guint32 high)
{
	guint64 leading;

	memcpy(&leading, id->b, sizeof(leading));
	guint32 within = (guint32)(GUINT64_FROM_BE(leading) << bits >> 32);
	return low + (guint32)((guint64)(high - low) * within >> 32);
}

/* Compares the entry with the key; FALSE with *error if it cannot be trusted. */
static inline gboolean before(MlvIndex *index, guint32 number, const MlvId *id, guint8 kind,
			      gboolean *is, GError **error)
{
	const guint8 *entry = mlv_index_entry_bytes(index, number, error);

	if (!entry)
		return FALSE;
	*is = mlv_index_key_compare(entry, id, kind) < 0;
	return TRUE;
}

/* The first entry in the key's bucket that is not before it, and the bucket's end. Gallops away
 * from a guess, then halves: few probes where ids are evenly spread, logarithmic whatever they
 * are. */
static gboolean lower_bound(MlvIndex *index, const MlvId *id, guint8 kind, guint32 *number,
			    guint32 *end, GError **error)
{
	guint64 step = GALLOP_FIRST;
	guint32 low, high;
	gboolean is;

	mlv_index_bucket_range(index, mlv_index_bucket(id->b, index->layout.bits), &low, &high);
	*end = high;
	guint32 probe = guess(id, index->layout.bits, low, high);
	gboolean upwards = FALSE;
	for (gboolean first = TRUE; low < high; first = FALSE, step *= 2) {
		if (!before(index, probe, id, kind, &is, error))
			return FALSE;
		if (is)
			low = probe + 1;
		else
			high = probe;
		if (first)
			upwards = is;
		else if (upwards != is)
			break;
		if (upwards ? high - low <= step : probe - low <= step)
			break;
		probe = (guint32)(upwards ? probe + step : probe - step);
	}
	while (low < high) {
		guint32 middle = low + (high - low) / 2;
		if (!before(index, middle, id, kind, &is, error))
			return FALSE;
		if (is)
			low = middle + 1;
		else
			high = middle;
	}
	*number = low;
	return TRUE;
}

/* Sorted entries are still foreign: the place must lie in a pack of the list. */
static gboolean parse_hit(const MlvIndex *index, const guint8 *bytes, gsize number,
			  MlvIndexHit *hit, GError **error)
{
	mlv_index_entry_parse(bytes, hit);
	const char *fault = mlv_pack_entry_fault(&hit->entry, index->layout.index_class);
	if (!fault && hit->pack >= index->layout.packs)
		fault = "it lies in a pack that is not listed";
	if (!fault && (hit->entry.offset < MLV_PACK_HEADER ||
		       (guint64)hit->entry.offset + hit->entry.stored + MLV_PACK_SALT +
				       MLV_PACK_ENTRY + MLV_PACK_FOOTER >
			       mlv_index_pack(index, hit->pack).size))
		fault = "it lies outside its pack";
	if (!fault)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CORRUPT, "entry %" G_GSIZE_FORMAT " of '%s' is wrong: %s",
			number, index->label, fault);
}

gboolean mlv_index_get(MlvIndex *index, gsize number, MlvIndexHit *hit, GError **error)
{
	if (number >= index->layout.count)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' has no entry %" G_GSIZE_FORMAT,
				index->label, number);
	const guint8 *bytes = mlv_index_entry_bytes(index, number, error);
	return bytes && parse_hit(index, bytes, number, hit, error);
}

/* The entry `number` if it is the key's. */
static gboolean match(MlvIndex *index, MlvKind kind, const MlvId *id, guint32 number, guint32 end,
		      gboolean *found, MlvIndexHit *hit, GError **error)
{
	*found = FALSE;
	if (number >= end)
		return TRUE;
	const guint8 *bytes = mlv_index_entry_bytes(index, number, error);
	if (!bytes)
		return FALSE;
	if (mlv_index_key_compare(bytes, id, (guint8)kind) != 0)
		return TRUE;
	*found = TRUE;
	return parse_hit(index, bytes, number, hit, error);
}

gboolean mlv_index_find(MlvIndex *index, MlvKind kind, const MlvId *id, gboolean *found,
			MlvIndexHit *hit, GError **error)
{
	guint32 number, end;

	*found = FALSE;
	return lower_bound(index, id, (guint8)kind, &number, &end, error) &&
	       match(index, kind, id, number, end, found, hit, error);
}

gboolean mlv_index_find_all(MlvIndex *index, MlvKind kind, const MlvId *id, GArray *hits,
			    GError **error)
{
	guint32 number, end;
	gboolean found = TRUE;
	MlvIndexHit hit;

	if (!lower_bound(index, id, (guint8)kind, &number, &end, error))
		return FALSE;
	for (; found; number++) {
		if (!match(index, kind, id, number, end, &found, &hit, error))
			return FALSE;
		if (found)
			g_array_append_val(hits, hit);
	}
	return TRUE;
}

/* --- planning and checking -------------------------------------------------------------------- */

GArray *mlv_index_plan(MlvIndex *index, const MlvId *ids, gsize count)
{
	GArray *ranges = g_array_new(FALSE, FALSE, sizeof(MlvRange));
	guint64 n_blocks = index->layout.n_blocks;

	if (!index->room || n_blocks == 0)
		return ranges;
	g_autofree guint8 *wanted = g_malloc0(n_blocks);
	g_autofree guint8 *seen = g_malloc0((gsize)1 << index->layout.bits);
	for (gsize i = 0; i < count; i++) {
		guint32 bucket = mlv_index_bucket(ids[i].b, index->layout.bits), low, high;

		/* Once only: a hostile fan-out may have all blocks in one bucket. */
		if (seen[bucket])
			continue;
		seen[bucket] = TRUE;
		mlv_index_bucket_range(index, bucket, &low, &high);
		for (guint64 block = low / MLV_INDEX_BLOCK_ENTRIES;
		     low < high && block <= (high - 1) / MLV_INDEX_BLOCK_ENTRIES; block++)
			wanted[block] = !mlv_index_block_good(index, block);
	}
	for (guint64 block = 0; block < n_blocks; block++) {
		if (!wanted[block])
			continue;
		MlvRange range = {
			.offset = index->layout.blocks_at + block * MLV_INDEX_BLOCK,
			.length = mlv_index_block_length(&index->layout, block) + MLV_INDEX_SUM,
		};
		MlvRange *last =
			ranges->len > 0 ? &g_array_index(ranges, MlvRange, ranges->len - 1) : NULL;
		if (last && last->offset + last->length == range.offset)
			last->length += range.length;
		else
			g_array_append_val(ranges, range);
	}
	return ranges;
}

gboolean mlv_index_check(MlvIndex *index, GError **error)
{
	const guint8 *previous = NULL;
	MlvIndexHit hit;
	MlvId own;

	for (gsize i = 0; i < index->layout.count; i++) {
		guint32 low, high;
		const guint8 *bytes = mlv_index_entry_bytes(index, i, error);

		if (!bytes || !parse_hit(index, bytes, i, &hit, error))
			return FALSE;
		mlv_index_bucket_range(index, mlv_index_bucket(bytes, index->layout.bits), &low,
				       &high);
		if (i < low || i >= high ||
		    (previous && mlv_index_entry_compare(previous, bytes) >= 0))
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"entry %" G_GSIZE_FORMAT " of '%s' is not in order", i,
					index->label);
		previous = bytes;
	}
	mlv_id_of(index->data, index->layout.size, &own);
	if (!mlv_id_equal(&own, &index->name))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' is damaged: its bytes have another name", index->label);
	return TRUE;
}
