/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a chunk lies in a pack: as it is, or as one zstd frame. Home of <zstd.h>.
 *
 * Thread safe: contexts are kept a thread.
 */
#ifndef MLV_STORAGE_CODEC_H
#define MLV_STORAGE_CODEC_H

#include "storage/id.h"

/* Values are part of format v1. */
typedef enum {
	MLV_CODEC_RAW = 0,
	MLV_CODEC_ZSTD = 1,
} MlvCodec;

/* Compresses `length` bytes into `out` (room for `length` bytes). Returns the compressed length
 * where it is at most 7/8 of `length`, else 0: store it raw. `level` as zstd's. */
gsize mlv_codec_compress(const guint8 *data, gsize length, guint8 *out, int level);

/* Whether the bytes look worth trying: an estimate of their entropy from a sample, some
 * microseconds. */
gboolean mlv_codec_looks_compressible(const guint8 *data, gsize length);

/* Decodes `stored` bytes into exactly `raw_length` bytes of `out`, consuming all of them: one
 * frame, that holds neither more nor less (a bomb writes nothing past raw_length). */
gboolean mlv_codec_decode(MlvCodec codec, const guint8 *stored, gsize stored_length, guint8 *out,
			  gsize raw_length, GError **error);

#endif
