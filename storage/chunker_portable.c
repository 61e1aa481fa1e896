/* SPDX-License-Identifier: Apache-2.0 */
/* The chunking rule one position at a time: the reference, and the ends of the vector scans. */
#include "storage/chunker_lanes.h"

static gint32 filter(const guint8 *at)
{
	return CHUNKER_TAP0 * at[0] + CHUNKER_TAP1 * at[-CHUNKER_TAP_GAP] +
	       CHUNKER_TAP2 * at[-2 * CHUNKER_TAP_GAP] + CHUNKER_TAP3 * at[-3 * CHUNKER_TAP_GAP];
}

void mlv_chunker_run(const MlvChunkerOutput *output, const guint8 *at, gsize n, guint32 h)
{
	gint16 y[CHUNKER_GROUP];

	for (gsize done = 0; done < n; done += CHUNKER_GROUP) {
		gsize count = MIN(CHUNKER_GROUP, n - done);
		const guint8 *from = at + done;

		/* A loop of its own, which compilers turn into vector code. */
		if (G_LIKELY(count == CHUNKER_GROUP)) {
			for (gsize i = 0; i < CHUNKER_GROUP; i++)
				y[i] = (gint16)filter(from + i);
		} else {
			for (gsize i = 0; i < count; i++)
				y[i] = (gint16)filter(from + i);
		}
		for (gsize i = 0; i < count; i++) {
			h = 2 * h + (guint32)(CHUNKER_FACTOR * y[i]);
			if (G_UNLIKELY((gint32)h > CHUNKER_WEAK_LIMIT))
				mlv_candidates_append(output->list,
						      (gsize)(from + i - output->data) + 1,
						      (gint32)h > CHUNKER_STRONG_LIMIT);
		}
	}
}

void mlv_chunker_run_fresh(const MlvChunkerOutput *output, const guint8 *at, gsize n)
{
	guint32 h = 0;

	for (gsize i = 0; i < CHUNKER_GROUP; i++)
		h = 2 * h + (guint32)(CHUNKER_FACTOR * filter(at - CHUNKER_GROUP + i));
	mlv_chunker_run(output, at, n, h);
}
