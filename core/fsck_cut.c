/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the chunks of a file end where the chunker would end them. */
#include "core/fsck_walk.h"
#include "storage/chunker.h"

gboolean mlv_fsck_cut_is_right(const guint8 *data, gsize length, gboolean last)
{
	g_auto(MlvCandidates) candidates = { 0 };

	if (length == 0 || length > MLV_CHUNK_MAX || mlv_chunker_next(data, 0, length) != length)
		return FALSE;
	if (last || length == MLV_CHUNK_MAX)
		return TRUE;
	if (length < MLV_CHUNK_MIN)
		return FALSE;
	/* Not because the bytes end here: the chunker must want a cut behind the last of them. */
	mlv_candidates_init(&candidates);
	mlv_chunker_scan(data + length - 1, MLV_CHUNK_WINDOW, 1, &candidates);
	return candidates.len == 1 &&
	       (length >= MLV_CHUNK_AVG || mlv_candidate_is_strong(candidates.items[0]));
}
