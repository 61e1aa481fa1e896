/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging indexes. The head comes first in the file and depends on what is kept, so the inputs are
 * walked twice: once to count, once to write. Neither walk remembers entries.
 *
 * Packs are sorted by name in every index, so renumbering keeps their order, and inputs stay sorted
 * as they are.
 */
#include "storage/error.h"
#include "storage/file.h"
#include "storage/index_private.h"

#define BUFFER  (256u << 10) /* bytes written at a time */
#define DROPPED G_MAXUINT32
#define FAN_ALL (1u << MLV_INDEX_BITS_MAX)

/* One of the indexes, at its next entry that is kept. */
typedef struct {
	MlvIndex *index;
	gsize next;       /* number of the entry after the current one */
	guint32 *numbers; /* its pack numbers -> numbers in the union */
	MlvIndexHit hit;
	guint8 entry[MLV_INDEX_ENTRY]; /* the current one, pack renumbered */
} Input;

typedef struct {
	const MlvIndexMerge *options;
	Input *inputs;
	gsize n_inputs;
	Input **heap; /* inputs that are not at their end, the least entry first */
	gsize n_heap;
	GArray *packs;      /* MlvIndexPack: the union */
	GArray *kept;       /* MlvIndexPack: those of the result */
	GArray *tombstones; /* MlvTombstone: the union */
	GArray *superseded; /* MlvId */
	gboolean *dead;     /* a pack of the union: tombstoned */
	guint32 *final;     /* a pack's number in the union -> in the result, or DROPPED */
} Merge;

static void merge_clear(Merge *merge)
{
	for (gsize i = 0; i < merge->n_inputs; i++)
		g_free(merge->inputs[i].numbers);
	g_free(merge->inputs);
	g_free(merge->heap);
	g_array_unref(merge->packs);
	g_array_unref(merge->kept);
	g_array_unref(merge->tombstones);
	g_array_unref(merge->superseded);
	g_free(merge->dead);
	g_free(merge->final);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merge, merge_clear)

/* --- what the heads say ----------------------------------------------------------------------- */

static void collect(Merge *merge, const MlvIndex *index)
{
	const MlvId *name = mlv_index_name(index);

	for (gsize i = 0; i < mlv_index_pack_count(index); i++) {
		MlvIndexPack pack = mlv_index_pack(index, i);
		g_array_append_val(merge->packs, pack);
	}
	for (gsize i = 0; i < mlv_index_tombstone_count(index); i++) {
		MlvTombstone tombstone = mlv_index_tombstone(index, i);
		g_array_append_val(merge->tombstones, tombstone);
	}
	g_array_append_val(merge->superseded, *name);
	for (gsize i = 0;
	     merge->options->inherit_superseded && i < mlv_index_superseded_count(index); i++) {
		MlvId old = mlv_index_superseded(index, i);
		g_array_append_val(merge->superseded, old);
	}
}

static void drop_tombstones(Merge *merge)
{
	const MlvIndexMerge *options = merge->options;

	for (guint i = merge->tombstones->len; options->keep_tombstone && i-- > 0;)
		if (!options->keep_tombstone(&g_array_index(merge->tombstones, MlvTombstone, i),
					     options->user))
			g_array_remove_index_fast(merge->tombstones, i);
}

/* The union of packs, tombstones and superseded names, and each input's numbers in it. */
static gboolean unite(Merge *merge, GError **error)
{
	char hex[MLV_ID_HEX + 1];
	MlvId bad;

	for (gsize i = 0; i < merge->n_inputs; i++)
		collect(merge, merge->inputs[i].index);
	if (merge->options->n_tombstones > 0)
		g_array_append_vals(merge->tombstones, merge->options->tombstones,
				    (guint)merge->options->n_tombstones);
	drop_tombstones(merge);
	mlv_index_sort_tombstones(merge->tombstones);
	mlv_index_sort_ids(merge->superseded);
	if (!mlv_index_sort_packs(merge->packs, &bad)) {
		mlv_id_format(&bad, hex);
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"two indexes give pack %.12s different sizes", hex);
	}
	merge->dead = g_new0(gboolean, merge->packs->len + 1);
	merge->final = g_new(guint32, merge->packs->len + 1);
	for (guint i = 0; i < merge->tombstones->len; i++) {
		gssize number = mlv_index_find_pack(
			merge->packs, &g_array_index(merge->tombstones, MlvTombstone, i).pack);
		if (number >= 0)
			merge->dead[number] = TRUE;
	}
	for (gsize i = 0; i < merge->n_inputs; i++) {
		Input *input = &merge->inputs[i];
		gsize count = mlv_index_pack_count(input->index);

		input->numbers = g_new(guint32, count + 1);
		for (gsize j = 0; j < count; j++) {
			MlvIndexPack pack = mlv_index_pack(input->index, j);
			input->numbers[j] = (guint32)mlv_index_find_pack(merge->packs, &pack.name);
		}
	}
	return TRUE;
}

/* --- the walk over all entries in order ------------------------------------------------------- */

static gboolean wanted(const Merge *merge, const Input *input)
{
	const MlvIndexMerge *options = merge->options;
	guint32 pack = input->numbers[input->hit.pack];

	if (options->drop_dead && merge->dead[pack])
		return FALSE;
	return !options->keep || options->keep(&g_array_index(merge->packs, MlvIndexPack, pack),
					       &input->hit.entry, options->user);
}

/* Goes on to the next entry that is kept. *more FALSE at the end. */
static gboolean advance(Merge *merge, Input *input, gboolean *more, GError **error)
{
	gsize count = mlv_index_count(input->index);

	*more = FALSE;
	while (input->next < count) {
		if (!mlv_index_get(input->index, input->next++, &input->hit, error))
			return FALSE;
		if (!wanted(merge, input))
			continue;
		mlv_index_entry_format(&input->hit.entry, input->numbers[input->hit.pack],
				       input->entry);
		*more = TRUE;
		return TRUE;
	}
	return TRUE;
}

static void sift_down(Merge *merge, gsize at)
{
	for (;;) {
		gsize least = at;

		for (gsize child = 2 * at + 1; child <= 2 * at + 2 && child < merge->n_heap;
		     child++)
			if (mlv_index_entry_compare(merge->heap[child]->entry,
						    merge->heap[least]->entry) < 0)
				least = child;
		if (least == at)
			return;
		Input *input = merge->heap[at];
		merge->heap[at] = merge->heap[least];
		merge->heap[least] = input;
		at = least;
	}
}

static gboolean rewind_inputs(Merge *merge, GError **error)
{
	gboolean more;

	merge->n_heap = 0;
	for (gsize i = 0; i < merge->n_inputs; i++) {
		merge->inputs[i].next = 0;
		if (!advance(merge, &merge->inputs[i], &more, error))
			return FALSE;
		if (more)
			merge->heap[merge->n_heap++] = &merge->inputs[i];
	}
	for (gsize i = merge->n_heap / 2; i-- > 0;)
		sift_down(merge, i);
	return TRUE;
}

/* Gives the next entry (*any FALSE at the end); `last` is the one given before and filled in. An
 * unsorted input shows here at the latest. */
static gboolean next_entry(Merge *merge, guint8 last[MLV_INDEX_ENTRY], gboolean *any,
			   GError **error)
{
	gboolean had = *any, more;

	while (merge->n_heap > 0) {
		Input *input = merge->heap[0];
		guint8 entry[MLV_INDEX_ENTRY];

		memcpy(entry, input->entry, sizeof(entry));
		if (!advance(merge, input, &more, error))
			return FALSE;
		if (!more)
			merge->heap[0] = merge->heap[--merge->n_heap];
		sift_down(merge, 0);
		int order = had ? mlv_index_entry_compare(last, entry) : -1;
		if (order == 0 && memcmp(last, entry, sizeof(entry)) == 0)
			continue;
		if (order >= 0)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					order > 0 ? "the entries of an index are not in order"
						  : "two indexes disagree about a chunk");
		memcpy(last, entry, sizeof(entry));
		*any = TRUE;
		return TRUE;
	}
	*any = FALSE;
	return TRUE;
}

/* --- first walk: counts ----------------------------------------------------------------------- */

/* Counts what is kept by leading bits into `fan`, and finds the packs that are still used. */
static gboolean count_entries(Merge *merge, guint32 *fan, guint32 *total, GError **error)
{
	guint8 entry[MLV_INDEX_ENTRY];
	guint64 count = 0;
	gboolean any = FALSE;

	for (guint i = 0; i < merge->packs->len; i++)
		merge->final[i] = merge->options->keep_packs ? 0 : DROPPED;
	if (!rewind_inputs(merge, error))
		return FALSE;
	for (;;) {
		if (!next_entry(merge, entry, &any, error))
			return FALSE;
		if (!any)
			break;
		fan[mlv_index_bucket(entry, MLV_INDEX_BITS_MAX)]++;
		merge->final[mlv_le32_get(entry + MLV_ID_SIZE)] = 0;
		count++;
	}
	if (count > G_MAXUINT32)
		return mlv_fail(error, MLV_ERROR_FAILED, "an index cannot hold that many chunks");
	*total = (guint32)count;
	return TRUE;
}

/* Packs that stay get their numbers in the result. */
static void number_packs(Merge *merge)
{
	for (guint i = 0; i < merge->packs->len; i++) {
		if (merge->final[i] == DROPPED)
			continue;
		merge->final[i] = merge->kept->len;
		g_array_append_val(merge->kept, g_array_index(merge->packs, MlvIndexPack, i));
	}
}

/* Turns counts by 16 bits into the fan-out by `bits`, in place. */
static void fold_fan(guint32 *fan, guint32 bits)
{
	guint32 width = FAN_ALL >> bits, sum = 0;

	for (guint32 i = 0; i < 1u << bits; i++) {
		for (guint32 j = 0; j < width; j++)
			sum += fan[i * width + j];
		fan[i] = sum;
	}
}

/* --- second walk: bytes ----------------------------------------------------------------------- */

typedef struct {
	int fd;
	MlvHash *hash;
	guint8 *buffer;
	gsize filled;
} Output;

static gboolean flush(Output *output, GError **error)
{
	gsize length = output->filled;

	output->filled = 0;
	mlv_hash_update(output->hash, output->buffer, length);
	return mlv_file_write(output->fd, output->buffer, length, "the new index", error);
}

/* The entries of a block are complete: the sum goes behind them. */
static gboolean end_block(Output *output, gsize length, GError **error)
{
	MlvId sum;

	if (length == 0)
		return TRUE;
	mlv_id_of(output->buffer + output->filled - length, length, &sum);
	memcpy(output->buffer + output->filled, sum.b, MLV_INDEX_SUM);
	output->filled += MLV_INDEX_SUM;
	return output->filled + MLV_INDEX_BLOCK <= BUFFER || flush(output, error);
}

static gboolean write_blocks(Merge *merge, Output *output, guint32 total, GError **error)
{
	const gsize full = MLV_INDEX_BLOCK_ENTRIES * MLV_INDEX_ENTRY;
	guint8 entry[MLV_INDEX_ENTRY];
	gsize block = 0;
	guint32 count = 0;
	gboolean any = FALSE;

	if (!rewind_inputs(merge, error))
		return FALSE;
	for (;; count++) {
		if (!next_entry(merge, entry, &any, error))
			return FALSE;
		if (!any)
			break;
		guint8 *at = output->buffer + output->filled;
		guint32 pack = merge->final[mlv_le32_get(entry + MLV_ID_SIZE)];
		memcpy(at, entry, sizeof(entry));
		mlv_le32_put(at + MLV_ID_SIZE, pack);
		output->filled += sizeof(entry);
		block += sizeof(entry);
		if (pack == DROPPED || count == total)
			break;
		if (block < full)
			continue;
		if (!end_block(output, block, error))
			return FALSE;
		block = 0;
	}
	if (any || count != total)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the choice of entries changed while indexes were merged");
	return end_block(output, block, error) && flush(output, error);
}

static gboolean write_head(const Merge *merge, const MlvIndexLayout *layout, const guint32 *fan,
			   Output *output, GError **error)
{
	g_autofree guint8 *head = g_malloc(layout->blocks_at);

	mlv_index_head_format(layout, (const MlvIndexPack *)(const void *)merge->kept->data,
			      (const MlvTombstone *)(const void *)merge->tombstones->data,
			      (const MlvId *)(const void *)merge->superseded->data, fan, head);
	mlv_hash_update(output->hash, head, layout->blocks_at);
	return mlv_file_write(output->fd, head, layout->blocks_at, "the new index", error);
}

static gboolean merge_run(Merge *merge, MlvClass index_class, int fd, MlvId *name, GError **error)
{
	MlvIndexLayout layout = { .index_class = index_class };
	g_autofree guint32 *fan = g_new0(guint32, FAN_ALL);
	g_autofree guint8 *buffer = g_malloc(BUFFER);
	g_autoptr(MlvHash) hash = mlv_hash_new();
	Output output = { .fd = fd, .hash = hash, .buffer = buffer };

	if (!unite(merge, error) || !count_entries(merge, fan, &layout.count, error))
		return FALSE;
	number_packs(merge);
	layout.packs = merge->kept->len;
	layout.tombstones = merge->tombstones->len;
	layout.superseded = merge->superseded->len;
	mlv_index_layout_init(&layout);
	fold_fan(fan, layout.bits);
	if (!write_head(merge, &layout, fan, &output, error) ||
	    !write_blocks(merge, &output, layout.count, error))
		return FALSE;
	mlv_hash_finish(hash, name);
	return TRUE;
}

gboolean mlv_index_merge(MlvIndex *const *indexes, gsize count, const MlvIndexMerge *options,
			 int fd, MlvId *name, GError **error)
{
	g_auto(Merge) merge = {
		.options = options,
		.inputs = g_new0(Input, count + 1),
		.n_inputs = count,
		.heap = g_new0(Input *, count + 1),
		.packs = g_array_new(FALSE, FALSE, sizeof(MlvIndexPack)),
		.kept = g_array_new(FALSE, FALSE, sizeof(MlvIndexPack)),
		.tombstones = g_array_new(FALSE, FALSE, sizeof(MlvTombstone)),
		.superseded = g_array_new(FALSE, FALSE, sizeof(MlvId)),
	};

	if (count == 0)
		return mlv_fail(error, MLV_ERROR_FAILED, "no indexes to merge");
	for (gsize i = 0; i < count; i++) {
		merge.inputs[i].index = indexes[i];
		if (mlv_index_class(indexes[i]) != mlv_index_class(indexes[0]))
			return mlv_fail(error, MLV_ERROR_FAILED,
					"indexes of two classes cannot be merged");
	}
	return merge_run(&merge, mlv_index_class(indexes[0]), fd, name, error);
}
