/* SPDX-License-Identifier: Apache-2.0 */
/* From packs to files: neighbours are read at once, every chunk is checked, zeros stay holes. */
#include <string.h>

#include "core/checkout_read.h"
#include "storage/chunker.h"

#define RUN_MAX     (1u << 20)                  /* bytes read at once */
#define BUFFER_SIZE (RUN_MAX + MLV_CHUNK_LIMIT) /* a run, then a chunk decoded */
#define GAP_MAX     (64u << 10)                 /* what a pack may pad */

static guint8 *take_buffer(MlvCheckout *checkout)
{
	guint8 *buffer = g_async_queue_try_pop(checkout->buffers);

	return buffer ? buffer : g_malloc(BUFFER_SIZE);
}

guint mlv_checkout_run(const CheckoutPiece *pieces, guint count, guint64 gap, guint64 room)
{
	guint n = 1;

	for (; n < count; n++) {
		const MlvPackEntry *before = &pieces[n - 1].entry, *next = &pieces[n].entry;
		guint64 end = (guint64)before->offset + before->stored;

		if (pieces[n].pack != pieces[0].pack || next->offset < end ||
		    next->offset - end > gap ||
		    (guint64)next->offset + next->stored - pieces[0].entry.offset > room)
			break;
	}
	return n;
}

/* The stored bytes of a run, from its first chunk to the end of its last. */
static gboolean read_run(MlvCheckout *checkout, const CheckoutPiece *pieces, guint count,
			 guint8 *buffer, GError **error)
{
	const MlvPackEntry *last = &pieces[count - 1].entry;
	MlvPlace place = { .entry = pieces[0].entry, .pack = pieces[0].pack };

	place.entry.stored = last->offset + last->stored - pieces[0].entry.offset;
	return mlv_store_read_stored(checkout->options.store, &place, buffer, error);
}

gboolean mlv_checkout_read(MlvCheckout *checkout, const CheckoutPiece *pieces, guint count,
			   CheckoutGive give, gpointer user, GError **error)
{
	guint8 *buffer = count > 0 ? take_buffer(checkout) : NULL, *decoded = buffer + RUN_MAX;
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < count;) {
		guint n = mlv_checkout_run(pieces + i, count - i, GAP_MAX, RUN_MAX);
		guint64 start = pieces[i].entry.offset;

		ok = read_run(checkout, pieces + i, n, buffer, error);
		for (guint end = i + n; ok && i < end; i++) {
			const MlvPackEntry *entry = &pieces[i].entry;
			guint8 *stored = buffer + (entry->offset - start);
			guint8 *out = entry->codec == MLV_CODEC_RAW ? stored : decoded;
			char label[MLV_PACK_NAME_LENGTH + 1];
			MlvId name = mlv_store_pack_name(checkout->options.store, pieces[i].pack);

			mlv_pack_path(&name, label);
			ok = mlv_pack_decode(entry, stored, out, label, error) &&
			     give(&pieces[i], out, user, error);
		}
		ok = ok && give(NULL, NULL, user, error);
	}
	if (buffer)
		g_async_queue_push(checkout->buffers, buffer);
	return ok;
}

/* --- large files ------------------------------------------------------------------------------ */

/* Content on its way to a file: bytes that lie one behind the other in memory and in the file
 * are written at once. */
typedef struct {
	MlvCheckout *checkout;
	int fd;
	const char *label;
	const guint8 *data; /* not written yet */
	guint64 position;
	gsize length;
} Output;

static gboolean output_flush(Output *output, GError **error)
{
	gsize length = output->length;

	output->length = 0;
	return length == 0 || mlv_file_write_at(output->fd, output->data, length, output->position,
						output->label, error);
}

static gboolean is_zeros(const guint8 *data, gsize length)
{
	return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

static gboolean output_give(const CheckoutPiece *piece, const guint8 *data, gpointer user,
			    GError **error)
{
	Output *output = user;

	if (!piece)
		return output_flush(output, error);
	gsize length = piece->entry.raw;

	if (output->checkout->options.progress)
		output->checkout->options.progress(length, 0, output->checkout->options.data);
	if (is_zeros(data, length))
		return output_flush(output, error);
	if (output->length > 0 && data == output->data + output->length &&
	    piece->position == output->position + output->length) {
		output->length += length;
		return TRUE;
	}
	if (!output_flush(output, error))
		return FALSE;
	output->data = data;
	output->position = piece->position;
	output->length = length;
	/* What was decoded lies where the next will be. */
	return piece->entry.codec == MLV_CODEC_RAW || output_flush(output, error);
}

/* Copies pieces, or shares their blocks. */
static gboolean copy_pieces(Output *output, const CheckoutPiece *pieces, guint count,
			    GError **error)
{
	for (guint i = 0; i < count;) {
		guint done = 0;

		if (output->checkout->clone_block > 0 &&
		    !mlv_checkout_clone(output->checkout, pieces + i, count - i, output->fd,
					output->label, &done, error))
			return FALSE;
		if (done == 0) {
			done = mlv_checkout_run(pieces + i, count - i, GAP_MAX, RUN_MAX);
			if (!mlv_checkout_read(output->checkout, pieces + i, done, output_give,
					       output, error))
				return FALSE;
		}
		i += done;
	}
	return TRUE;
}

static gboolean is_hole(const MlvCheckout *checkout, const MlvId *id, guint64 length)
{
	return length == MLV_CHUNK_MAX && mlv_id_equal(id, &checkout->zeros);
}

gboolean mlv_checkout_has_holes(MlvCheckout *checkout, const MlvRef *ref, gboolean *holes,
				GError **error)
{
	g_autoptr(MlvLeafCursor) cursor =
		mlv_leaf_cursor_new(mlv_store_source(checkout->options.store), ref, 0, error);
	guint64 offset, length = 1;
	MlvId id;

	*holes = FALSE;
	if (!cursor)
		return FALSE;
	while (!*holes && length > 0) {
		if (!mlv_leaf_cursor_next(cursor, &id, &offset, &length, error))
			return FALSE;
		*holes = is_hole(checkout, &id, length);
	}
	return TRUE;
}

/* Finds a leaf's chunk. Leaves of zeros only are not needed: *skip. */
static gboolean find_piece(MlvCheckout *checkout, const MlvId *id, guint64 length,
			   CheckoutPiece *piece, gboolean *skip, GError **error)
{
	char hex[MLV_ID_HEX + 1];
	MlvPlace place;
	gboolean found;

	*skip = is_hole(checkout, id, length);
	if (*skip)
		return TRUE;
	if (!mlv_store_find(checkout->options.store, MLV_KIND_BLOB, id, &place, &found, error))
		return FALSE;
	mlv_id_format(id, hex);
	if (!found)
		return mlv_fail(error, MLV_ERROR_MISSING, "object sha256:%s is not in the store",
				hex);
	if (place.entry.raw != length || length == 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"object sha256:%s has another size than its list says", hex);
	piece->entry = place.entry;
	piece->pack = place.pack;
	return TRUE;
}

gboolean mlv_checkout_copy(MlvCheckout *checkout, const MlvRef *ref, guint64 from, guint64 to,
			   int fd, const char *label, GError **error)
{
	Output output = { .checkout = checkout, .fd = fd, .label = label };
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(CheckoutPiece));
	g_autoptr(MlvLeafCursor) cursor =
		mlv_leaf_cursor_new(mlv_store_source(checkout->options.store), ref, from, error);
	guint64 offset, length = 1;
	gboolean ok = cursor != NULL;
	MlvId id;

	while (ok && (ok = mlv_leaf_cursor_next(cursor, &id, &offset, &length, error)) &&
	       length > 0 && offset < to) {
		CheckoutPiece piece = { .position = offset };
		gboolean skip;

		if (offset < from) /* begins in the segment before */
			continue;
		ok = find_piece(checkout, &id, length, &piece, &skip, error);
		if (ok && !skip)
			g_array_append_val(pieces, piece);
		else if (ok && checkout->options.progress)
			checkout->options.progress(length, 0, checkout->options.data);
	}
	ok = ok && copy_pieces(&output, (CheckoutPiece *)(void *)pieces->data, pieces->len, error);
	if (!ok)
		g_prefix_error(error, "cannot write '%s': ", label);
	return ok;
}
