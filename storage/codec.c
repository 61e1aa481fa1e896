/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/codec.h"

#include <string.h>
#include <zstd.h>

#include "storage/error.h"

#define FRAME_MAGIC_LENGTH 4
#define WINDOW_LOG_MAX     20 /* four times the longest chunk */

#define SAMPLE_MIN     256u /* shorter chunks gain little and show too little */
#define SAMPLE_PIECE   128u
#define SAMPLE_PIECES  8u
#define SAMPLE_MAX     (SAMPLE_PIECE * SAMPLE_PIECES)
#define REPEATS_TRY    16u /* one position in so many repeats an earlier one */
#define GRAM           4u
#define GRAM_SLOTS_LOG 10

/* --- zstd, a context a thread ----------------------------------------------------------------- */

static void free_compressor(gpointer context)
{
	ZSTD_freeCCtx(context);
}

static ZSTD_CCtx *compressor(void)
{
	static GPrivate slot = G_PRIVATE_INIT(free_compressor);
	ZSTD_CCtx *context = g_private_get(&slot);

	if (!context) {
		context = ZSTD_createCCtx();
		if (!context)
			g_error("cannot allocate a zstd context");
		g_private_set(&slot, context);
	}
	return context;
}

static void free_decompressor(gpointer context)
{
	ZSTD_freeDCtx(context);
}

static ZSTD_DCtx *decompressor(void)
{
	static GPrivate slot = G_PRIVATE_INIT(free_decompressor);
	ZSTD_DCtx *context = g_private_get(&slot);

	if (!context) {
		context = ZSTD_createDCtx();
		if (!context || ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax,
								    WINDOW_LOG_MAX)))
			g_error("cannot allocate a zstd context");
		g_private_set(&slot, context);
	}
	return context;
}

gsize mlv_codec_compress(const guint8 *data, gsize length, guint8 *out, int level)
{
	gsize room = length - (length + 7) / 8;

	if (room == 0)
		return 0;
	gsize n = ZSTD_compressCCtx(compressor(), out, room, data, length, level);
	return ZSTD_isError(n) ? 0 : n;
}

/* What zstd would let pass: a skippable frame, several frames, one that does not say its length. */
static const char *frame_fault(const guint8 *stored, gsize stored_length, gsize raw_length)
{
	static const guint8 magic[FRAME_MAGIC_LENGTH] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (stored_length < sizeof(magic) || memcmp(stored, magic, sizeof(magic)) != 0)
		return "it does not begin as a zstd frame";
	unsigned long long content = ZSTD_getFrameContentSize(stored, stored_length);
	if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR)
		return "the zstd frame does not say its length";
	if (content != raw_length)
		return "the zstd frame has another length";
	gsize frame = ZSTD_findFrameCompressedSize(stored, stored_length);
	if (ZSTD_isError(frame) || frame != stored_length)
		return "it is not one whole zstd frame";
	return NULL;
}

static gboolean decode_zstd(const guint8 *stored, gsize stored_length, guint8 *out,
			    gsize raw_length, GError **error)
{
	const char *fault = frame_fault(stored, stored_length, raw_length);

	if (fault)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "%s", fault);
	gsize n = ZSTD_decompressDCtx(decompressor(), out, raw_length, stored, stored_length);
	if (ZSTD_isError(n))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "zstd: %s", ZSTD_getErrorName(n));
	if (n != raw_length)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the zstd frame has another length");
	return TRUE;
}

gboolean mlv_codec_decode(MlvCodec codec, const guint8 *stored, gsize stored_length, guint8 *out,
			  gsize raw_length, GError **error)
{
	switch (codec) {
	case MLV_CODEC_RAW:
		if (stored_length != raw_length)
			return mlv_fail(error, MLV_ERROR_CORRUPT, "it has another length");
		if (raw_length > 0 && out != stored)
			memmove(out, stored, raw_length);
		return TRUE;
	case MLV_CODEC_ZSTD:
		return decode_zstd(stored, stored_length, out, raw_length, error);
	}
	return mlv_fail(error, MLV_ERROR_CORRUPT, "codec %d is unknown", (int)codec);
}

/* --- is it worth trying? ---------------------------------------------------------------------- */

/* Copies evenly spread pieces of the data; gives the sample's length. */
static gsize take_sample(const guint8 *data, gsize length, guint8 sample[SAMPLE_MAX])
{
	if (length <= SAMPLE_MAX) {
		memcpy(sample, data, length);
		return length;
	}
	for (gsize i = 0; i < SAMPLE_PIECES; i++)
		memcpy(sample + i * SAMPLE_PIECE,
		       data + (length - SAMPLE_PIECE) / (SAMPLE_PIECES - 1) * i, SAMPLE_PIECE);
	return SAMPLE_MAX;
}

/* Whether two bytes of the sample are alike clearly more often than two random ones: in one case of
 * 256. Data of seven bits a byte have twice as many. */
static gboolean is_uneven(const guint8 *sample, gsize length)
{
	guint32 counts[256] = { 0 };
	guint64 pairs = 0;

	for (gsize i = 0; i < length; i++)
		counts[sample[i]]++;
	for (guint i = 0; i < 256; i++)
		pairs += (guint64)counts[i] * counts[i];
	pairs -= length;
	return pairs * 256 * 2 > (guint64)length * (length - 1) * 3;
}

/* Whether many four-byte groups stand in the sample twice: what a search for matches would find. */
static gboolean repeats(const guint8 *sample, gsize length)
{
	guint16 slots[1u << GRAM_SLOTS_LOG] = { 0 }; /* position + 1 of the group seen last */
	gsize found = 0;

	for (gsize i = 0; i + GRAM <= length; i++) {
		guint32 gram;

		memcpy(&gram, sample + i, GRAM);
		guint16 *slot = &slots[(gram * 2654435761u) >> (32 - GRAM_SLOTS_LOG)];
		if (*slot > 0 && memcmp(sample + *slot - 1, sample + i, GRAM) == 0)
			found++;
		*slot = (guint16)(i + 1);
	}
	return found * REPEATS_TRY >= length;
}

gboolean mlv_codec_looks_compressible(const guint8 *data, gsize length)
{
	guint8 sample[SAMPLE_MAX];

	if (length < SAMPLE_MIN)
		return FALSE;
	gsize taken = take_sample(data, length, sample);
	return is_uneven(sample, taken) || repeats(sample, taken);
}
