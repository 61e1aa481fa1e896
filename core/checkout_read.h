/* SPDX-License-Identifier: Apache-2.0 */
/* How a checkout's workers read chunks, copy them and share them. */
#ifndef MLV_CORE_CHECKOUT_READ_H
#define MLV_CORE_CHECKOUT_READ_H

#include "core/checkout_private.h"

/* A chunk to be read, and what it is for. */
typedef struct {
	MlvPackEntry entry;
	guint pack;
	guint64 position; /* in the file that it is a piece of; or what the caller wants */
} CheckoutPiece;

/* Reads pieces in their order, neighbours in a pack at once; gives each one's bytes, checked, to
 * `give`, and piece NULL before bytes given so far become invalid. */
typedef gboolean (*CheckoutGive)(const CheckoutPiece *piece, const guint8 *data, gpointer user,
				 GError **error);
gboolean mlv_checkout_read(MlvCheckout *checkout, const CheckoutPiece *pieces, guint count,
			   CheckoutGive give, gpointer user, GError **error);
/* How many of the pieces lie one behind the other in one pack, gaps of at most `gap` bytes
 * between them, in at most `room` bytes (if that is more than one). */
guint mlv_checkout_run(const CheckoutPiece *pieces, guint count, guint64 gap, guint64 room);
/* Whether a large file has stretches of zeros, which are left out. */
gboolean mlv_checkout_has_holes(MlvCheckout *checkout, const MlvRef *ref, gboolean *holes,
				GError **error);
/* Writes the leaves of `ref` that begin in [from, to) to fd, which is as long as the whole and
 * holds zeros. */
gboolean mlv_checkout_copy(MlvCheckout *checkout, const MlvRef *ref, guint64 from, guint64 to,
			   int fd, const char *label, GError **error);
/* Shares blocks of packs with fd for as many of the pieces as it can, from the first on; *done
 * is their number. */
gboolean mlv_checkout_clone(MlvCheckout *checkout, const CheckoutPiece *pieces, guint count, int fd,
			    const char *label, guint *done, GError **error);

#endif
