/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of an implementation, the frame of a scan, and the cutter. */
#include "storage/chunker.h"

#include <stdlib.h>
#include <string.h>

#include "storage/chunker_lanes.h"

/*
 * Bytes that one lane scans before all lanes move on: long enough for the memory's prefetcher and
 * to make the start of a tile cheap, short enough that a tile's candidates are sorted at once. No
 * multiple of 4096, or all lanes would share the same sets of the cache.
 */
#define TILE_STRETCH (32768u + 9 * CHUNKER_GROUP)
/* Even the thinnest tile, half of which is its start, beats going one position at a time. */
#define TILE_STRETCH_MIN CHUNKER_GROUP
/* mlv_chunker_next scans this much at a time, since the cut may be near. */
#define NEXT_STEP (32u * 1024)

void mlv_candidates_init(MlvCandidates *list)
{
	memset(list, 0, sizeof(*list));
}

void mlv_candidates_clear(MlvCandidates *list)
{
	g_free(list->items);
	memset(list, 0, sizeof(*list));
}

void mlv_candidates_reset(MlvCandidates *list)
{
	list->len = 0;
}

void mlv_candidates_append(MlvCandidates *list, gsize offset, bool strong)
{
	if (list->len == list->alloc) {
		list->alloc = MAX(64, 2 * list->alloc);
		list->items = g_renew(guint32, list->items, list->alloc);
	}
	list->items[list->len++] = (guint32)offset << 1 | strong;
}

static int compare_items(const void *a, const void *b)
{
	guint32 x = *(const guint32 *)a;
	guint32 y = *(const guint32 *)b;

	return (x > y) - (x < y);
}

/*
 * Scans the first positions of a stream, whose look-back is partly nothing: from a copy that
 * begins with zeros. Returns how many positions it has scanned.
 */
static gsize scan_head(const guint8 *data, gsize before, gsize len, MlvCandidates *list)
{
	guint8 copy[2 * CHUNKER_LOOK_BACK] = { 0 };
	MlvChunkerOutput output = { copy + CHUNKER_LOOK_BACK, list };
	gsize n = MIN(CHUNKER_LOOK_BACK - before, len);

	memcpy(copy + CHUNKER_LOOK_BACK - before, data - before, before + n);
	mlv_chunker_run_fresh(&output, copy + CHUNKER_LOOK_BACK, n);
	return n;
}

/* A scan by a kernel of so many lanes, or by none: its ends, its tiles, and the order. */
static void scan_lanes(const guint8 *data, gsize before, gsize len, MlvCandidates *list,
		       MlvChunkerKernel kernel, guint lanes)
{
	MlvChunkerOutput output = { data, list };
	gsize done = 0;

	g_assert(len <= MLV_CHUNK_SCAN_MAX);
	if (len == 0)
		return;
	if (before < CHUNKER_LOOK_BACK)
		done = scan_head(data, before, len, list);
	while (kernel != NULL && (len - done) / lanes >= TILE_STRETCH_MIN) {
		gsize even = (len - done) / lanes / CHUNKER_GROUP * CHUNKER_GROUP;
		gsize stretch = MIN(even, TILE_STRETCH);
		gsize first = list->len;

		kernel(&output, data + done, stretch);
		if (list->len - first > 1)
			qsort(list->items + first, list->len - first, sizeof(*list->items),
			      compare_items);
		done += lanes * stretch;
	}
	if (done < len)
		mlv_chunker_run_fresh(&output, data + done, len - done);
}

static void scan_portable(const guint8 *data, gsize before, gsize len, MlvCandidates *list)
{
	scan_lanes(data, before, len, list, NULL, 0);
}

#if defined(__x86_64__)
static void scan_avx2(const guint8 *data, gsize before, gsize len, MlvCandidates *list)
{
	scan_lanes(data, before, len, list, mlv_chunker_kernel_avx2, CHUNKER_AVX2_LANES);
}

static void scan_avx512(const guint8 *data, gsize before, gsize len, MlvCandidates *list)
{
	scan_lanes(data, before, len, list, mlv_chunker_kernel_avx512, CHUNKER_AVX512_LANES);
}
#endif

static const MlvChunkerImplementation implementations[] = {
#if defined(__x86_64__)
	{ "avx512", scan_avx512 },
	{ "avx2", scan_avx2 },
#endif
	{ "portable", scan_portable },
	{ NULL, NULL },
};

const MlvChunkerImplementation *mlv_chunker_implementations(void)
{
	const MlvChunkerImplementation *first = implementations;

#if defined(__x86_64__)
	/* VBMI is not used: it tells the processors that do not slow down for wide vectors. */
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vbmi"))
		return first;
	first++;
	if (__builtin_cpu_supports("avx2"))
		return first;
	first++;
#endif
	return first;
}

const char *mlv_chunker_implementation(void)
{
	return mlv_chunker_implementations()->name;
}

void mlv_chunker_scan(const guint8 *data, gsize before, gsize len, MlvCandidates *list)
{
	mlv_chunker_implementations()->scan(data, before, len, list);
}

/* Whether a chunk may be cut at this distance from its start. */
static bool is_cut(guint64 distance, bool strong)
{
	return distance >= MLV_CHUNK_MIN && (strong || distance >= MLV_CHUNK_AVG);
}

void mlv_cutter_init(MlvCutter *cutter)
{
	memset(cutter, 0, sizeof(*cutter));
}

void mlv_cutter_feed(MlvCutter *cutter, const MlvCandidates *list, gsize len, bool last)
{
	cutter->base = cutter->end;
	cutter->end += len;
	cutter->list = list;
	cutter->pos = 0;
	cutter->last = last;
}

bool mlv_cutter_next(MlvCutter *cutter, guint64 *cut)
{
	guint64 limit = cutter->start + MLV_CHUNK_MAX;
	gsize count = cutter->list != NULL ? cutter->list->len : 0;

	for (; cutter->pos < count; cutter->pos++) {
		guint32 item = cutter->list->items[cutter->pos];
		guint64 offset = cutter->base + mlv_candidate_offset(item);

		if (offset >= limit)
			break;
		if (offset > cutter->start &&
		    is_cut(offset - cutter->start, mlv_candidate_is_strong(item))) {
			*cut = cutter->start = offset;
			return true;
		}
	}
	if (cutter->end >= limit)
		*cut = limit;
	else if (cutter->last && cutter->end > cutter->start)
		*cut = cutter->end;
	else
		return false;
	cutter->start = *cut;
	return true;
}

gsize mlv_chunker_next(const guint8 *data, gsize start, gsize len)
{
	gsize limit = MIN(len - start, MLV_CHUNK_MAX);
	/* A cut at distance d is decided by the position before it. */
	gsize distance = MLV_CHUNK_MIN - 1;
	g_auto(MlvCandidates) list = { 0 };

	while (distance < limit) {
		gsize at = start + distance;
		gsize step = MIN(NEXT_STEP, limit - distance);

		mlv_candidates_reset(&list);
		mlv_chunker_scan(data + at, MIN(at, CHUNKER_LOOK_BACK), step, &list);
		for (gsize i = 0; i < list.len; i++) {
			gsize cut = distance + mlv_candidate_offset(list.items[i]);

			if (is_cut(cut, mlv_candidate_is_strong(list.items[i])))
				return cut;
		}
		distance += step;
	}
	return limit;
}
