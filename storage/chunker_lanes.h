/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the chunker: the constants of the rule in chunker.h and what its implementations share.
 * A vector implementation provides only a kernel, which runs the rule over several stretches of
 * equal length, one in each lane.
 */
#ifndef MLV_STORAGE_CHUNKER_LANES_H
#define MLV_STORAGE_CHUNKER_LANES_H

#include "storage/chunker.h"

#define CHUNKER_TAP_GAP 32
#define CHUNKER_TAP0    83
#define CHUNKER_TAP1    (-37)
#define CHUNKER_TAP2    45
#define CHUNKER_TAP3    (-91)
#define CHUNKER_FACTOR  10215

/* As a signed number a candidate's hash is among the highest: one comparison, or a maximum. */
#define CHUNKER_WEAK_LIMIT   (G_MAXINT32 - (1 << 18))
#define CHUNKER_STRONG_LIMIT (G_MAXINT32 - (1 << 15))

/* Positions that a kernel runs between two looks at whether any was a candidate. */
#define CHUNKER_GROUP     32
#define CHUNKER_LOOK_BACK (MLV_CHUNK_WINDOW)

typedef struct {
	const guint8 *data; /* of the scan: offsets count from here */
	MlvCandidates *list;
} MlvChunkerOutput;

void mlv_candidates_append(MlvCandidates *list, gsize offset, bool strong);

/*
 * Runs the recurrence over the n positions from `at`, from the hash `h` of the position before
 * it, and appends candidates. WINDOW - 32 bytes in front of `at` are readable.
 */
void mlv_chunker_run(const MlvChunkerOutput *output, const guint8 *at, gsize n, guint32 h);

/* The same from nothing: WINDOW bytes in front of `at` are readable. */
void mlv_chunker_run_fresh(const MlvChunkerOutput *output, const guint8 *at, gsize n);

/*
 * Lane k scans at[k * stretch .. (k + 1) * stretch); stretch is a multiple of CHUNKER_GROUP, and
 * WINDOW bytes in front of `at` are readable. The order of what is appended is free.
 */
typedef void (*MlvChunkerKernel)(const MlvChunkerOutput *output, const guint8 *at, gsize stretch);

#if defined(__x86_64__)
void mlv_chunker_kernel_avx2(const MlvChunkerOutput *output, const guint8 *at, gsize stretch);
void mlv_chunker_kernel_avx512(const MlvChunkerOutput *output, const guint8 *at, gsize stretch);
#define CHUNKER_AVX2_LANES   8
#define CHUNKER_AVX512_LANES 16
#endif

#endif
