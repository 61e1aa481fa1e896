/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunking rule in eight lanes of 32 bits. For each group of 32 positions: filter adjacent
 * positions of each stretch into y, 16 bits each (the taps are small enough that y fits); turn
 * the eight stretches so that a vector holds one pair of positions of all of them; then double
 * and add. Only the highest hash of a group is looked at: a group with a candidate, 1 in 64, is
 * run again one position at a time.
 */
#include "storage/chunker_lanes.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET          __attribute__((target("avx2")))
#define LANES           CHUNKER_AVX2_LANES
#define UNROLL          _Pragma("GCC unroll 16")
#define PAIR(low, high) ((gint)(((guint)(high) << 16) | ((guint)(low)&0xffff)))
#define TAPS(a, b)      _mm256_set1_epi16((short)(((guint)(b)&0xff) << 8 | ((guint)(a)&0xff)))

static TARGET inline __m256i load(const guint8 *at)
{
	return _mm256_loadu_si256((const __m256i *)at);
}

/*
 * y of the 32 positions from `at`. The interleaving works in halves of 16 bytes: low gets
 * positions 0-7 and 16-23, high the rest.
 */
static TARGET inline void filter(const guint8 *at, __m256i *low, __m256i *high)
{
	const __m256i taps01 = TAPS(CHUNKER_TAP0, CHUNKER_TAP1);
	const __m256i taps23 = TAPS(CHUNKER_TAP2, CHUNKER_TAP3);
	__m256i b0 = load(at);
	__m256i b1 = load(at - CHUNKER_TAP_GAP);
	__m256i b2 = load(at - 2 * CHUNKER_TAP_GAP);
	__m256i b3 = load(at - 3 * CHUNKER_TAP_GAP);

	*low = _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_unpacklo_epi8(b0, b1), taps01),
				_mm256_maddubs_epi16(_mm256_unpacklo_epi8(b2, b3), taps23));
	*high = _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_unpackhi_epi8(b0, b1), taps01),
				 _mm256_maddubs_epi16(_mm256_unpackhi_epi8(b2, b3), taps23));
}

/* Turns eight rows of eight 32-bit words; first gets columns 0-3, second columns 4-7. */
static TARGET inline void turn(const __m256i row[LANES], __m256i *first, __m256i *second)
{
	__m256i a[LANES], b[LANES];

	UNROLL
	for (guint i = 0; i < LANES; i += 2) {
		a[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
		a[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
	}
	UNROLL
	for (guint i = 0; i < LANES; i += 4) {
		b[i] = _mm256_unpacklo_epi64(a[i], a[i + 2]);
		b[i + 1] = _mm256_unpackhi_epi64(a[i], a[i + 2]);
		b[i + 2] = _mm256_unpacklo_epi64(a[i + 1], a[i + 3]);
		b[i + 3] = _mm256_unpackhi_epi64(a[i + 1], a[i + 3]);
	}
	UNROLL
	for (guint i = 0; i < 4; i++) {
		first[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x20);
		second[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
	}
}

/* Advances the hashes by a group and returns the highest that each lane has met. */
static TARGET inline __m256i run_group(const guint8 *at, gsize stretch, __m256i *hash)
{
	const __m256i one = _mm256_set1_epi32(PAIR(CHUNKER_FACTOR, 0));
	const __m256i two = _mm256_set1_epi32(PAIR(2 * CHUNKER_FACTOR, CHUNKER_FACTOR));
	__m256i low[LANES], high[LANES], pair[CHUNKER_GROUP / 2];
	__m256i h = *hash;
	__m256i highest = _mm256_set1_epi32(G_MININT32);

	UNROLL
	for (guint lane = 0; lane < LANES; lane++)
		filter(at + lane * stretch, &low[lane], &high[lane]);
	turn(low, &pair[0], &pair[8]);
	turn(high, &pair[4], &pair[12]);
	UNROLL
	for (guint i = 0; i < CHUNKER_GROUP / 2; i++) {
		__m256i h1 =
			_mm256_add_epi32(_mm256_add_epi32(h, h), _mm256_madd_epi16(pair[i], one));

		h = _mm256_add_epi32(_mm256_slli_epi32(h, 2), _mm256_madd_epi16(pair[i], two));
		highest = _mm256_max_epi32(highest, _mm256_max_epi32(h1, h));
	}
	*hash = h;
	return highest;
}

static __attribute__((noinline, cold)) void run_again(const MlvChunkerOutput *output,
						      const guint8 *at, gsize stretch, guint hits,
						      const guint32 hash[LANES])
{
	for (guint lane = 0; lane < LANES; lane++) {
		if (hits & (1u << lane))
			mlv_chunker_run(output, at + lane * stretch, CHUNKER_GROUP, hash[lane]);
	}
}

TARGET void mlv_chunker_kernel_avx2(const MlvChunkerOutput *output, const guint8 *at, gsize stretch)
{
	const __m256i limit = _mm256_set1_epi32(CHUNKER_WEAK_LIMIT);
	__m256i hash = _mm256_setzero_si256();

	(void)run_group(at - CHUNKER_GROUP, stretch, &hash);
	for (gsize done = 0; done < stretch; done += CHUNKER_GROUP) {
		__m256i start = hash;
		__m256i highest = run_group(at + done, stretch, &hash);
		__m256i hit = _mm256_cmpgt_epi32(highest, limit);
		guint hits = (guint)_mm256_movemask_ps(_mm256_castsi256_ps(hit));

		if (G_UNLIKELY(hits)) {
			guint32 words[LANES];

			_mm256_storeu_si256((__m256i *)words, start);
			run_again(output, at + done, stretch, hits, words);
		}
	}
}

#endif
