/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes built in memory: entries are collected as they come, spread by their leading bits and
 * sorted piecewise. */
#include <stdlib.h>

#include "storage/index_private.h"

#define SPREAD_BITS_MAX 18u /* pieces of about eight entries up to two millions */
#define SPREAD_PIECE    8u
#define INSERTION_MAX   24u /* entries up to which insertion sort is the fastest */

struct MlvIndexBuilder {
	MlvClass index_class;
	GArray *packs;      /* MlvIndexPack, in the order of add_pack */
	GArray *tombstones; /* MlvTombstone */
	GArray *superseded; /* MlvId */
	guint8 *entries;    /* 48 bytes each; pack numbers by order of add_pack */
	gsize count;
	gsize room;
};

MlvIndexBuilder *mlv_index_builder_new(MlvClass index_class)
{
	MlvIndexBuilder *builder = g_new0(MlvIndexBuilder, 1);

	builder->index_class = index_class;
	builder->packs = g_array_new(FALSE, FALSE, sizeof(MlvIndexPack));
	builder->tombstones = g_array_new(FALSE, FALSE, sizeof(MlvTombstone));
	builder->superseded = g_array_new(FALSE, FALSE, sizeof(MlvId));
	return builder;
}

void mlv_index_builder_free(MlvIndexBuilder *builder)
{
	if (!builder)
		return;
	g_array_unref(builder->packs);
	g_array_unref(builder->tombstones);
	g_array_unref(builder->superseded);
	g_free(builder->entries);
	g_free(builder);
}

void mlv_index_builder_add_pack(MlvIndexBuilder *builder, const MlvId *pack, guint64 size,
				const MlvPackEntry *entries, gsize count)
{
	MlvIndexPack record = { .name = *pack, .size = size };
	guint32 number = builder->packs->len;

	g_array_append_val(builder->packs, record);
	if (builder->count + count > builder->room) {
		builder->room = MAX(builder->count + count, builder->room + builder->room / 2);
		builder->entries = g_realloc_n(builder->entries, builder->room, MLV_INDEX_ENTRY);
	}
	for (gsize i = 0; i < count; i++)
		mlv_index_entry_format(&entries[i], number,
				       builder->entries + builder->count++ * MLV_INDEX_ENTRY);
}

void mlv_index_builder_add_tombstone(MlvIndexBuilder *builder, const MlvId *pack, guint64 time)
{
	MlvTombstone tombstone = { .pack = *pack, .time = time };

	g_array_append_val(builder->tombstones, tombstone);
}

void mlv_index_builder_supersede(MlvIndexBuilder *builder, const MlvId *index)
{
	g_array_append_val(builder->superseded, *index);
}

gsize mlv_index_builder_count(const MlvIndexBuilder *builder)
{
	return builder->count;
}

/* --- sorting ---------------------------------------------------------------------------------- */

typedef struct {
	guint8 b[MLV_INDEX_ENTRY];
} Entry;

static int compare_entries(const void *a, const void *b)
{
	return mlv_index_entry_compare(a, b);
}

static void sort_piece(Entry *entries, gsize count)
{
	if (count > INSERTION_MAX) {
		qsort(entries, count, sizeof(*entries), compare_entries);
		return;
	}
	for (gsize i = 1; i < count; i++) {
		Entry entry = entries[i];
		gsize j = i;

		for (; j > 0 && mlv_index_entry_compare(entry.b, entries[j - 1].b) < 0; j--)
			entries[j] = entries[j - 1];
		entries[j] = entry;
	}
}

static guint32 leading(const Entry *entry, guint32 bits)
{
	return ((guint32)entry->b[0] << 16 | (guint32)entry->b[1] << 8 | entry->b[2]) >>
	       (24 - bits);
}

/* Sorts `from` into `to`: one pass counts by leading bits, one spreads, then the pieces are sorted
 * in the cache. */
static void sort_entries(const Entry *from, Entry *to, gsize count)
{
	guint32 bits = 0;

	while (bits < SPREAD_BITS_MAX && count > (gsize)SPREAD_PIECE << bits)
		bits++;
	g_autofree gsize *ends = g_new0(gsize, (gsize)1 << bits);
	for (gsize i = 0; i < count; i++)
		ends[leading(&from[i], bits)]++;
	gsize sum = 0;
	for (gsize i = 0; i < (gsize)1 << bits; i++) {
		gsize length = ends[i];
		ends[i] = sum;
		sum += length;
	}
	for (gsize i = 0; i < count; i++)
		to[ends[leading(&from[i], bits)]++] = from[i];
	for (gsize i = 0; i < (gsize)1 << bits; i++) {
		gsize begin = i > 0 ? ends[i - 1] : 0;
		sort_piece(to + begin, ends[i] - begin);
	}
}

/* Drops exact repetitions (a pack that was added twice). Gives how many are left. */
static gsize drop_twins(Entry *entries, gsize count)
{
	gsize kept = 0;

	for (gsize i = 0; i < count; i++)
		if (kept == 0 || compare_entries(&entries[kept - 1], &entries[i]) != 0)
			entries[kept++] = entries[i];
	return kept;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Sorts the packs and gives the entries their final pack numbers. */
static void number_packs(MlvIndexBuilder *builder)
{
	g_autoptr(GArray) sorted = g_array_copy(builder->packs);
	g_autofree guint32 *numbers = g_new(guint32, builder->packs->len + 1);
	MlvId bad;

	/* Two sizes for one name can only be a caller's bug: names are content. */
	if (!mlv_index_sort_packs(sorted, &bad))
		g_error("a pack was added to an index with two sizes");
	for (guint i = 0; i < builder->packs->len; i++)
		numbers[i] = (guint32)mlv_index_find_pack(
			sorted, &g_array_index(builder->packs, MlvIndexPack, i).name);
	for (gsize i = 0; i < builder->count; i++) {
		guint8 *at = builder->entries + i * MLV_INDEX_ENTRY + 32;
		mlv_le32_put(at, numbers[mlv_le32_get(at)]);
	}
	g_array_unref(builder->packs);
	builder->packs = g_steal_pointer(&sorted);
}

/* Moves the sorted entries down to their blocks and puts the sums behind. The entries lie in the
 * same buffer, as far up as the sums need room, so nothing is overwritten before it has moved. */
static void place_blocks(const MlvIndexLayout *layout, const guint8 *entries, guint8 *bytes)
{
	guint8 *at = bytes + layout->blocks_at;
	MlvId sum;

	for (guint64 block = 0; block < layout->n_blocks; block++) {
		gsize length = mlv_index_block_length(layout, block);

		memmove(at, entries, length);
		mlv_id_of(at, length, &sum);
		memcpy(at + length, sum.b, MLV_INDEX_SUM);
		entries += length;
		at += length + MLV_INDEX_SUM;
	}
}

/* For each bucket the number of entries in it and before it. */
static guint32 *fan_out(const Entry *entries, const MlvIndexLayout *layout)
{
	guint32 *fan = g_new0(guint32, (gsize)1 << layout->bits);

	for (guint32 i = 0; i < layout->count; i++)
		fan[mlv_index_bucket(entries[i].b, layout->bits)]++;
	for (guint32 i = 1; i < 1u << layout->bits; i++)
		fan[i] += fan[i - 1];
	return fan;
}

GBytes *mlv_index_builder_finish(MlvIndexBuilder *builder, MlvId *name)
{
	MlvIndexLayout layout = { .index_class = builder->index_class };

	number_packs(builder);
	mlv_index_sort_tombstones(builder->tombstones);
	mlv_index_sort_ids(builder->superseded);
	layout.packs = builder->packs->len;
	layout.tombstones = builder->tombstones->len;
	layout.superseded = builder->superseded->len;
	g_assert(builder->count < G_MAXUINT32);
	layout.count = (guint32)builder->count;
	mlv_index_layout_init(&layout);

	guint8 *bytes = g_malloc(layout.size);
	guint64 tail = layout.size - (guint64)layout.count * MLV_INDEX_ENTRY;
	Entry *entries = (Entry *)(void *)(bytes + tail);
	sort_entries((const Entry *)(const void *)builder->entries, entries, builder->count);
	g_clear_pointer(&builder->entries, g_free);
	layout.count = (guint32)drop_twins(entries, builder->count);
	mlv_index_layout_init(&layout);
	g_autofree guint32 *fan = fan_out(entries, &layout);
	place_blocks(&layout, (const guint8 *)entries, bytes);
	mlv_index_head_format(&layout, (const MlvIndexPack *)(const void *)builder->packs->data,
			      (const MlvTombstone *)(const void *)builder->tombstones->data,
			      (const MlvId *)(const void *)builder->superseded->data, fan, bytes);
	mlv_id_of(bytes, layout.size, name);

	builder->count = builder->room = 0;
	g_array_set_size(builder->packs, 0);
	g_array_set_size(builder->tombstones, 0);
	g_array_set_size(builder->superseded, 0);
	return g_bytes_new_take(bytes, layout.size);
}
