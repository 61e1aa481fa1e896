/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What storage/index*.c share: the layout of an index file.
 */
#ifndef MLV_STORAGE_INDEX_PRIVATE_H
#define MLV_STORAGE_INDEX_PRIVATE_H

#include "storage/index.h"
#include "storage/pack_private.h"

#define MLV_INDEX_MAGIC     "MLVINDX1"
#define MLV_INDEX_PACK      40u /* bytes: name, size */
#define MLV_INDEX_TOMBSTONE 40u /* bytes: name, time */
#define MLV_INDEX_CHECK     32u /* bytes: SHA-256 of the head */
#define MLV_INDEX_SUM       16u /* bytes behind each block */
#define MLV_INDEX_BLOCK     (MLV_INDEX_BLOCK_ENTRIES * MLV_INDEX_ENTRY + MLV_INDEX_SUM)
#define MLV_INDEX_BITS_MAX  16u
#define MLV_INDEX_BUCKET    256u /* entries in a bucket of the fan-out on average, at most */

/* The counts that a header states, and where they put everything. All sums fit 64 bits whatever the
 * counts. */
typedef struct {
	MlvClass index_class;
	guint32 bits;
	guint32 packs;
	guint32 tombstones;
	guint32 superseded;
	guint32 count;
	guint64 packs_at;
	guint64 tombstones_at;
	guint64 superseded_at;
	guint64 fan_at;
	guint64 check_at;
	guint64 blocks_at;
	guint64 n_blocks;
	guint64 size;
} MlvIndexLayout;

/* Fills in what follows from the class and the counts, bits included. */
void mlv_index_layout_init(MlvIndexLayout *layout);
/* The header's 64 bytes, both ways. parse gives FALSE on what no index has. */
void mlv_index_header_format(const MlvIndexLayout *layout, guint8 header[MLV_INDEX_HEADER]);
gboolean mlv_index_header_parse(const guint8 header[MLV_INDEX_HEADER], MlvIndexLayout *layout,
				const char *label, GError **error);

/* The fan-out bits for that many entries: the least that keep buckets at 256 or fewer on
 * average. */
guint32 mlv_index_bits(guint64 count);
/* The bucket of an id. */
static inline guint32 mlv_index_bucket(const guint8 *id, guint32 bits)
{
	return ((guint32)id[0] << 8 | id[1]) >> (16 - bits);
}

/* Where entry `number` begins. */
static inline guint64 mlv_index_entry_at(const MlvIndexLayout *layout, guint64 number)
{
	return layout->blocks_at + number * MLV_INDEX_ENTRY +
	       number / MLV_INDEX_BLOCK_ENTRIES * MLV_INDEX_SUM;
}

/* Bytes of a block without its sum: the last may be shorter. */
static inline gsize mlv_index_block_length(const MlvIndexLayout *layout, guint64 block)
{
	guint64 left = layout->count - block * MLV_INDEX_BLOCK_ENTRIES;

	return (gsize)MIN(left, MLV_INDEX_BLOCK_ENTRIES) * MLV_INDEX_ENTRY;
}

/* Fields of an entry's 48 bytes. */
static inline guint8 mlv_index_entry_kind(const guint8 *entry)
{
	return entry[47];
}

/* The order of entries: id, kind, pack, offset. */
static inline int mlv_index_key_compare(const guint8 *entry, const MlvId *id, guint8 kind)
{
	int order = memcmp(entry, id->b, MLV_ID_SIZE);

	return order ? order : (int)mlv_index_entry_kind(entry) - (int)kind;
}
int mlv_index_entry_compare(const guint8 *a, const guint8 *b);

/* An entry's 48 bytes, both ways. */
void mlv_index_entry_format(const MlvPackEntry *entry, guint32 pack, guint8 out[MLV_INDEX_ENTRY]);
void mlv_index_entry_parse(const guint8 in[MLV_INDEX_ENTRY], MlvIndexHit *hit);

/* The head (all before the blocks) from its parts. packs, tombstones and superseded are sorted and
 * unique; fan has 2^bits counts. `head` has layout->blocks_at bytes. */
void mlv_index_head_format(const MlvIndexLayout *layout, const MlvIndexPack *packs,
			   const MlvTombstone *tombstones, const MlvId *superseded,
			   const guint32 *fan, guint8 *head);

/* Sorts and makes unique: packs by name (FALSE where one has two sizes, named by *bad), tombstones
 * (the later time stays), ids. */
gboolean mlv_index_sort_packs(GArray *packs, MlvId *bad);
void mlv_index_sort_tombstones(GArray *tombstones);
void mlv_index_sort_ids(GArray *ids);
/* The number of a pack in a sorted array, or -1. */
gssize mlv_index_find_pack(const GArray *packs, const MlvId *name);

/* A whole index is its bytes; a partial one an anonymous mapping of the file's size into which head
 * and blocks are copied as they come, so that both are read by the same code. */
struct MlvIndex {
	gint refs;
	MlvId name;
	char *label;
	MlvIndexLayout layout;
	const guint8 *data;
	gpointer mapping; /* to unmap, or NULL */
	GBytes *bytes;    /* to unref, or NULL */
	guint8 *room;     /* partial: where what comes is put; the same as `mapping` */
	GMutex lock;      /* of writing to `room` */
	MlvIndexFetch fetch;
	gpointer fetch_user;
	guint *good; /* a bit a block: there, and its sum found right; atomic */
};

static inline gboolean mlv_index_block_good(const MlvIndex *index, guint64 block)
{
	return (guint)g_atomic_int_get(&index->good[block / 32]) >> block % 32 & 1;
}

/* The entries of a bucket: *low up to, not including, *high. */
static inline void mlv_index_bucket_range(const MlvIndex *index, guint32 bucket, guint32 *low,
					  guint32 *high)
{
	const guint8 *fan = index->data + index->layout.fan_at;

	*low = bucket > 0 ? mlv_le32_get(fan + (gsize)(bucket - 1) * 4) : 0;
	*high = mlv_le32_get(fan + (gsize)bucket * 4);
}

/* An entry's bytes, its block checked first. NULL with *error. */
const guint8 *mlv_index_entry_bytes(MlvIndex *index, gsize number, GError **error);

#endif
