/* SPDX-License-Identifier: Apache-2.0 */
/* The chunking rule in sixteen lanes: chunker_avx2.c, whose comments hold here, twice as wide. */
#include "storage/chunker_lanes.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET          __attribute__((target("avx512f,avx512bw")))
#define LANES           CHUNKER_AVX512_LANES
#define UNROLL          _Pragma("GCC unroll 16")
#define PAIR(low, high) ((gint)(((guint)(high) << 16) | ((guint)(low)&0xffff)))
#define TAPS(a, b)      _mm512_set1_epi16((short)(((guint)(b)&0xff) << 8 | ((guint)(a)&0xff)))

/* 32 bytes of one stretch, and 32 of another: so the turn never crosses more than halves. */
static TARGET inline __m512i load(const guint8 *at, gsize other)
{
	__m256i low = _mm256_loadu_si256((const __m256i *)at);

	return _mm512_inserti64x4(_mm512_castsi256_si512(low),
				  _mm256_loadu_si256((const __m256i *)(at + other)), 1);
}

/* y of 32 positions of two stretches: low gets positions 0-7 and 16-23, high the rest. */
static TARGET inline void filter(const guint8 *at, gsize other, __m512i *low, __m512i *high)
{
	const __m512i taps01 = TAPS(CHUNKER_TAP0, CHUNKER_TAP1);
	const __m512i taps23 = TAPS(CHUNKER_TAP2, CHUNKER_TAP3);
	__m512i b0 = load(at, other);
	__m512i b1 = load(at - CHUNKER_TAP_GAP, other);
	__m512i b2 = load(at - 2 * CHUNKER_TAP_GAP, other);
	__m512i b3 = load(at - 3 * CHUNKER_TAP_GAP, other);

	*low = _mm512_add_epi16(_mm512_maddubs_epi16(_mm512_unpacklo_epi8(b0, b1), taps01),
				_mm512_maddubs_epi16(_mm512_unpacklo_epi8(b2, b3), taps23));
	*high = _mm512_add_epi16(_mm512_maddubs_epi16(_mm512_unpackhi_epi8(b0, b1), taps01),
				 _mm512_maddubs_epi16(_mm512_unpackhi_epi8(b2, b3), taps23));
}

/*
 * Turns rows of eight 32-bit words, two rows in a vector, with the rows of lanes k and k + 8 in
 * row[k]. The lanes come out in the order 0-3, 4-7, 8-11, 12-15.
 */
static TARGET inline void turn(const __m512i row[LANES / 2], __m512i *first, __m512i *second)
{
	const __m512i take_first = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
	const __m512i take_second = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
	__m512i a[LANES / 2], b[LANES / 2];

	UNROLL
	for (guint i = 0; i < LANES / 2; i += 2) {
		a[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
		a[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
	}
	UNROLL
	for (guint i = 0; i < LANES / 2; i += 4) {
		b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
		b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
		b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
		b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
	}
	UNROLL
	for (guint i = 0; i < 4; i++) {
		first[i] = _mm512_permutex2var_epi64(b[i], take_first, b[i + 4]);
		second[i] = _mm512_permutex2var_epi64(b[i], take_second, b[i + 4]);
	}
}

static TARGET inline __m512i run_group(const guint8 *at, gsize stretch, __m512i *hash)
{
	const __m512i one = _mm512_set1_epi32(PAIR(CHUNKER_FACTOR, 0));
	const __m512i two = _mm512_set1_epi32(PAIR(2 * CHUNKER_FACTOR, CHUNKER_FACTOR));
	__m512i low[LANES / 2], high[LANES / 2], pair[CHUNKER_GROUP / 2];
	__m512i h = *hash;
	__m512i highest = _mm512_set1_epi32(G_MININT32);

	UNROLL
	for (guint lane = 0; lane < LANES / 2; lane++)
		filter(at + lane * stretch, LANES / 2 * stretch, &low[lane], &high[lane]);
	turn(low, &pair[0], &pair[8]);
	turn(high, &pair[4], &pair[12]);
	UNROLL
	for (guint i = 0; i < CHUNKER_GROUP / 2; i++) {
		__m512i h1 =
			_mm512_add_epi32(_mm512_add_epi32(h, h), _mm512_madd_epi16(pair[i], one));

		h = _mm512_add_epi32(_mm512_slli_epi32(h, 2), _mm512_madd_epi16(pair[i], two));
		highest = _mm512_max_epi32(highest, _mm512_max_epi32(h1, h));
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

TARGET void mlv_chunker_kernel_avx512(const MlvChunkerOutput *output, const guint8 *at,
				      gsize stretch)
{
	const __m512i limit = _mm512_set1_epi32(CHUNKER_WEAK_LIMIT);
	__m512i hash = _mm512_setzero_si512();

	(void)run_group(at - CHUNKER_GROUP, stretch, &hash);
	for (gsize done = 0; done < stretch; done += CHUNKER_GROUP) {
		__m512i start = hash;
		__m512i highest = run_group(at + done, stretch, &hash);
		guint hits = _mm512_cmpgt_epi32_mask(highest, limit);

		if (G_UNLIKELY(hits)) {
			guint32 words[LANES];

			_mm512_storeu_si512(words, start);
			run_again(output, at + done, stretch, hits, words);
		}
	}
}

#endif
