/* SPDX-License-Identifier: Apache-2.0 */
/* Gigabytes a second of each implementation of the chunking rule, and of SHA-256 beside it. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/chunker.h"

#define SIZE    (64u << 20)
#define SEGMENT (1u << 20)
#define ROUNDS  5

typedef void (*Scan)(const guint8 *data, gsize before, gsize len, MlvCandidates *list);

static void fill(guint8 *data, gsize len)
{
	guint64 x = 88172645463325252u;

	for (gsize i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (guint8)(x >> 56);
	}
}

/* One pass in segments: scan if scan is given, SHA-256 of each 64 KiB if hash is. */
static void pass(const guint8 *data, Scan scan, bool hash)
{
	g_auto(MlvCandidates) list = { 0 };
	guint8 digest[EVP_MAX_MD_SIZE];
	guint digest_len;

	for (gsize at = 0; at < SIZE; at += SEGMENT) {
		if (scan != NULL)
			scan(data + at, at, SEGMENT, &list);
		for (gsize i = 0; hash && i < SEGMENT; i += MLV_CHUNK_AVG) {
			if (EVP_Digest(data + at + i, MLV_CHUNK_AVG, digest, &digest_len,
				       EVP_sha256(), NULL) != 1)
				abort();
		}
		mlv_candidates_reset(&list);
	}
}

/* The sequential way, which skips the first bytes of each chunk. */
static void cut_in_order(const guint8 *data, gsize before, gsize len, MlvCandidates *list)
{
	(void)before;
	(void)list;
	for (gsize at = 0; at < len;)
		at += mlv_chunker_next(data, at, len);
}

/* The best of some rounds: other work on the machine only ever adds time. */
static double measure(const guint8 *data, Scan scan, bool hash)
{
	gint64 best = G_MAXINT64;

	for (int i = 0; i < ROUNDS; i++) {
		gint64 start = g_get_monotonic_time();

		pass(data, scan, hash);
		best = MIN(best, g_get_monotonic_time() - start);
	}
	return (double)SIZE / 1e3 / (double)MAX(best, 1);
}

int main(void)
{
	g_autofree guint8 *data = g_malloc(SIZE);
	double sha;

	fill(data, SIZE);
	sha = measure(data, NULL, true);
	printf("%-24s %6.2f GB/s\n", "sha256", sha);
	for (const MlvChunkerImplementation *i = mlv_chunker_implementations(); i->name; i++) {
		double alone = measure(data, i->scan, false);
		double both = measure(data, i->scan, true);

		printf("scan %-19s %6.2f GB/s, with sha256 %5.2f GB/s, time %.2f of sha256\n",
		       i->name, alone, both, sha / both);
	}
	printf("%-24s %6.2f GB/s (%s)\n", "mlv_chunker_next", measure(data, cut_in_order, false),
	       mlv_chunker_implementation());
	return 0;
}
