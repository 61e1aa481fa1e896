/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-defined chunking: where a long stream of bytes is cut, chosen by the bytes around the
 * cut, so that an insertion moves only the cuts near it. The rule is part of format v1
 * (mlv-object(5)); tests/unit/test_chunker.c pins it.
 *
 * THE RULE. Let b(i) be byte i of the stream, 0 for i < 0. All arithmetic is modulo 2^32.
 *
 *	y(i) = 83 b(i) - 37 b(i - 32) + 45 b(i - 64) - 91 b(i - 96)
 *	h(i) = 10215 (y(i) + 2 y(i - 1) + 4 y(i - 2) + ... + 2^31 y(i - 31))
 *	     = 2 h(i - 1) + 10215 y(i)
 *
 *	offset i + 1 is a candidate         if h(i) >> 18 == 0x1fff  (1 position in 2^14)
 *	               a strong candidate   if h(i) >> 15 == 0xffff  (1 position in 2^17)
 *
 * A candidate depends on the last 128 bytes and on nothing else: not on where the chunk began.
 * A chunk that starts at s is cut at the first of
 *
 *	a strong candidate c with  MIN <= c - s < AVG
 *	any candidate c with       AVG <= c - s < MAX
 *	s + MAX
 *	the end of the stream (the last chunk alone may be shorter than MIN).
 *
 * Why this rule. Two gear-like hashes differ little in deduplication; they differ in what a
 * vector unit makes of them and in how much of the stream they see. y is a plain filter, computed
 * for adjacent positions at once with no table; the doubling runs in 32-bit lanes over
 * independent stretches. Four taps make the window 128 bytes for little more than 32 would cost,
 * so a column of int64 labels 0 and 1 still has cuts, where a 64-byte window sees too little.
 *
 * The taps sum to 0: where the last 128 bytes have a period dividing 32 (zeros, a constant value
 * or small record), h is 0 and there is no candidate. A candidate's hash is just below 2^31, not
 * above: few odd bytes among zeros give h = 2^31 again and again. 10215 is the first odd number
 * from 2^14 / 1.618 for which a lone byte among zeros, and int64 zeros and ones, have about as
 * many candidates as random bytes. |y| <= 32640, so it fits 16 bits and |10215 y| < 2^29; after a
 * candidate, 2 h lies between -2^19 and 0, so the next position never is one. That bounds a list
 * on hostile data: one item of 4 bytes for every two bytes scanned.
 *
 * Calling sequence, for a file read in segments (segments may be scanned in any order and in
 * parallel, given MLV_CHUNK_WINDOW - 1 bytes of look-back; the cutter is sequential):
 *
 *	mlv_cutter_init(&cutter);
 *	for each segment:
 *		mlv_chunker_scan(segment, before, len, &candidates);
 *		mlv_cutter_feed(&cutter, &candidates, len, is_last);
 *		while (mlv_cutter_next(&cutter, &cut))
 *			the next chunk ends at cut;
 *		mlv_candidates_reset(&candidates);
 *
 * A file of at most MLV_CHUNK_MAX bytes is one chunk and is not given to the chunker: that is
 * for the caller to see to.
 */
#ifndef MLV_STORAGE_CHUNKER_H
#define MLV_STORAGE_CHUNKER_H

#include <glib.h>
#include <stdbool.h>

#define MLV_CHUNK_MIN (16u * 1024)
#define MLV_CHUNK_AVG (64u * 1024)
#define MLV_CHUNK_MAX (256u * 1024)
/* bytes that decide whether the offset behind them is a candidate */
#define MLV_CHUNK_WINDOW 128u
/* longest stretch of one scan, in bytes */
#define MLV_CHUNK_SCAN_MAX (1u << 30)

/*
 * The candidates of one stretch, ascending. An item is twice the offset in the stretch (bytes
 * before it would belong to the chunk that ends; 1 .. len), plus 1 if strong.
 */
typedef struct {
	guint32 *items; /* owned */
	gsize len;      /* items */
	gsize alloc;    /* items */
} MlvCandidates;

void mlv_candidates_init(MlvCandidates *list);
void mlv_candidates_clear(MlvCandidates *list);
/* Empties the list and keeps its memory. */
void mlv_candidates_reset(MlvCandidates *list);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvCandidates, mlv_candidates_clear)

static inline guint32 mlv_candidate_offset(guint32 item)
{
	return item >> 1;
}

static inline bool mlv_candidate_is_strong(guint32 item)
{
	return item & 1;
}

/*
 * Appends the candidates of data[0 .. len) to list; len <= MLV_CHUNK_SCAN_MAX bytes. `before`
 * bytes directly in front of data are readable and belong to the stream; only the last
 * MLV_CHUNK_WINDOW - 1 matter, and fewer may be given only if the stream begins there. Never reads
 * outside data[-before .. len). Pure: threads may scan at once, into lists of their own.
 */
void mlv_chunker_scan(const guint8 *data, gsize before, gsize len, MlvCandidates *list);

/*
 * Length in bytes of the chunk that starts at `start` of a stream which lies wholly in memory as
 * data[0 .. len); start < len. Agrees with scanning and cutting the whole stream, and is cheaper
 * for one thread, since the first MLV_CHUNK_MIN bytes of a chunk need no scan.
 */
gsize mlv_chunker_next(const guint8 *data, gsize start, gsize len);

/* Turns candidates into cuts. Holds no memory of its own. */
typedef struct {
	guint64 start;             /* of the current chunk, in the stream */
	guint64 base;              /* of the stretch being used up */
	guint64 end;               /* of what has been scanned */
	const MlvCandidates *list; /* borrowed */
	gsize pos;                 /* next item of list */
	bool last;
} MlvCutter;

void mlv_cutter_init(MlvCutter *cutter);

/*
 * Gives the cutter the candidates of the next `len` bytes of the stream; `last` says that the
 * stream ends behind them. The list is borrowed until mlv_cutter_next has returned false, and
 * only then may the next be fed.
 */
void mlv_cutter_feed(MlvCutter *cutter, const MlvCandidates *list, gsize len, bool last);

/*
 * The next cut, as an offset in the stream. False if it needs the next stretch or, after the
 * last, if the end of the stream has been given.
 */
bool mlv_cutter_next(MlvCutter *cutter, guint64 *cut);

/* What scans on this machine: "avx512", "avx2" or "portable". A static string. */
const char *mlv_chunker_implementation(void);

/*
 * For tests and benchmarks: every implementation this machine can run, fastest first, ending in
 * a NULL name. All find the same candidates.
 */
typedef struct {
	const char *name;
	void (*scan)(const guint8 *data, gsize before, gsize len, MlvCandidates *list);
} MlvChunkerImplementation;

const MlvChunkerImplementation *mlv_chunker_implementations(void);

#endif
