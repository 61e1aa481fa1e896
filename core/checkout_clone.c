/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sharing blocks with packs. Where a run of raw chunks lies in its pack congruent to its place
 * in the file, modulo the block, whole blocks are cloned and the edges copied. The bytes are
 * read and checked first, unless the pack is known to be untouched since it was written.
 */
#include "core/checkout_read.h"

#define CLONE_MIN 4u /* blocks that make a clone worth its while */

/* How many pieces from the first on are raw and lie in pack and file one behind the other. */
static guint raw_run(const CheckoutPiece *pieces, guint count)
{
	guint n = 0;

	for (; n < count; n++) {
		const CheckoutPiece *before = &pieces[n - (n > 0)], *piece = &pieces[n];

		if (piece->entry.codec != MLV_CODEC_RAW || piece->pack != pieces[0].pack)
			break;
		if (n > 0 && (piece->entry.offset != before->entry.offset + before->entry.stored ||
			      piece->position != before->position + before->entry.raw))
			break;
	}
	return n;
}

/* Copies bytes that need no check any more. */
static gboolean copy_edge(int pack, guint64 from, guint64 length, int fd, guint64 to,
			  const char *label, GError **error)
{
	guint8 buffer[4096];

	while (length > 0) {
		gsize step = MIN(length, sizeof(buffer));

		if (!mlv_file_read_at(pack, buffer, step, from, "a pack", error) ||
		    !mlv_file_write_at(fd, buffer, step, to, label, error))
			return FALSE;
		from += step;
		to += step;
		length -= step;
	}
	return TRUE;
}

static gboolean nothing(const CheckoutPiece *piece, const guint8 *data, gpointer user,
			GError **error)
{
	return TRUE;
}

/* One run. *cloned FALSE without an error: it is to be copied. */
static gboolean clone_run(MlvCheckout *checkout, const CheckoutPiece *pieces, guint count, int pack,
			  int fd, const char *label, gboolean *cloned, GError **error)
{
	const MlvPackEntry *last = &pieces[count - 1].entry;
	guint64 block = checkout->clone_block, at = pieces[0].position,
		offset = pieces[0].entry.offset;
	guint64 end = at + (last->offset + last->stored - offset);
	guint64 first = (at + block - 1) / block * block, stop = end / block * block;
	MlvId name = mlv_store_pack_name(checkout->options.store, pieces[0].pack);

	*cloned = FALSE;
	if (at % block != offset % block || stop < first + CLONE_MIN * block)
		return TRUE;
	if (!mlv_untouched_holds(checkout->untouched, &name, pack) &&
	    !mlv_checkout_read(checkout, pieces, count, nothing, NULL, error))
		return FALSE;
	if (!mlv_file_clone_range(pack, offset + (first - at), stop - first, fd, first))
		return TRUE;
	*cloned = TRUE;
	if (checkout->options.progress)
		checkout->options.progress(end - at, 0, checkout->options.data);
	return copy_edge(pack, offset, first - at, fd, at, label, error) &&
	       copy_edge(pack, offset + (stop - at), end - stop, fd, stop, label, error);
}

gboolean mlv_checkout_clone(MlvCheckout *checkout, const CheckoutPiece *pieces, guint count, int fd,
			    const char *label, guint *done, GError **error)
{
	guint n = raw_run(pieces, count);
	gboolean cloned = FALSE;

	*done = 0;
	if (n == 0)
		return TRUE;
	int pack = mlv_store_pack_acquire(checkout->options.store, pieces[0].pack, error);
	if (pack < 0)
		return FALSE;
	gboolean ok = clone_run(checkout, pieces, n, pack, fd, label, &cloned, error);
	mlv_store_pack_release(checkout->options.store, pieces[0].pack);
	*done = cloned ? n : 0;
	return ok;
}
