/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "storage/codec.h"
#include "storage/error.h"
#include "tests/unit/scratch.h"

#define LENGTH (64u << 10)

/* One zstd frame by hand (RFC 8878): single segment, two-byte content size 4096 - 256, and one last
 * block of type RLE: 4096 times 'a'. */
static const guint8 rle_frame[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x0f, 0x03, 0x80, 0x00, 'a'
};
#define RLE_LENGTH 4096u

static void text_fill(guint8 *out, gsize length)
{
	gsize at = 0;

	for (guint i = 0; at < length; i++) {
		char line[64];
		int n = g_snprintf(line, sizeof(line), "%u,%u,sensor-%u,ok\n", i, i * 7919 % 1000,
				   i % 13);
		n = MIN(n, (int)(length - at));
		memcpy(out + at, line, (gsize)n);
		at += (gsize)n;
	}
}

static void assert_refused(const guint8 *stored, gsize stored_length, gsize raw_length)
{
	g_autofree guint8 *out = g_malloc(raw_length + 1);
	g_autoptr(GError) error = NULL;

	out[raw_length] = 0x5a;
	assert_false(
		mlv_codec_decode(MLV_CODEC_ZSTD, stored, stored_length, out, raw_length, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_int_equal(out[raw_length], 0x5a);
}

static void text_is_compressed_and_comes_back(void **state)
{
	g_autofree guint8 *text = g_malloc(LENGTH), *out = g_malloc(LENGTH),
			  *back = g_malloc(LENGTH);

	text_fill(text, LENGTH);
	for (int level = -1; level <= 9; level += 2) {
		gsize n = mlv_codec_compress(text, LENGTH, out, level);
		assert_in_range(n, 1, LENGTH / 2);
		memset(back, 0, LENGTH);
		assert_true(mlv_codec_decode(MLV_CODEC_ZSTD, out, n, back, LENGTH, NULL));
		assert_memory_equal(text, back, LENGTH);
	}
}

static void noise_is_left_raw(void **state)
{
	g_autofree guint8 *noise = g_malloc(LENGTH), *out = g_malloc(LENGTH);

	scratch_noise(noise, LENGTH, 4);
	assert_int_equal(mlv_codec_compress(noise, LENGTH, out, 3), 0);
}

static void what_saves_less_than_an_eighth_is_left_raw(void **state)
{
	g_autofree guint8 *bytes = g_malloc(LENGTH), *out = g_malloc(LENGTH);

	scratch_noise(bytes, LENGTH, 5);
	memset(bytes, 0, LENGTH / 10);
	assert_int_equal(mlv_codec_compress(bytes, LENGTH, out, 3), 0);
	memset(bytes, 0, LENGTH / 6);
	gsize n = mlv_codec_compress(bytes, LENGTH, out, 3);
	assert_in_range(n, 1, LENGTH / 8 * 7);
}

static void nothing_and_next_to_nothing_are_left_raw(void **state)
{
	guint8 out[8];

	assert_int_equal(mlv_codec_compress((const guint8 *)"", 0, out, 3), 0);
	assert_int_equal(mlv_codec_compress((const guint8 *)"a", 1, out, 3), 0);
	assert_int_equal(mlv_codec_compress((const guint8 *)"aaaaaaaa", 8, out, 3), 0);
}

static void a_raw_chunk_is_copied_or_stays(void **state)
{
	guint8 bytes[] = "twelve bytes", out[sizeof(bytes)];

	assert_true(
		mlv_codec_decode(MLV_CODEC_RAW, bytes, sizeof(bytes), out, sizeof(bytes), NULL));
	assert_memory_equal(bytes, out, sizeof(bytes));
	assert_true(
		mlv_codec_decode(MLV_CODEC_RAW, bytes, sizeof(bytes), bytes, sizeof(bytes), NULL));
	assert_false(mlv_codec_decode(MLV_CODEC_RAW, bytes, 4, out, 5, NULL));
	assert_true(mlv_codec_decode(MLV_CODEC_RAW, NULL, 0, NULL, 0, NULL));
}

static void an_unknown_codec_is_refused(void **state)
{
	g_autoptr(GError) error = NULL;
	guint8 byte = 0;

	assert_false(mlv_codec_decode((MlvCodec)7, &byte, 1, &byte, 1, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

static void a_frame_must_hold_exactly_what_is_expected(void **state)
{
	guint8 out[RLE_LENGTH], longer[sizeof(rle_frame) + 1] = { 0 };

	assert_true(mlv_codec_decode(MLV_CODEC_ZSTD, rle_frame, sizeof(rle_frame), out, RLE_LENGTH,
				     NULL));
	assert_int_equal(out[0], 'a');
	assert_int_equal(out[RLE_LENGTH - 1], 'a');
	assert_refused(rle_frame, sizeof(rle_frame), RLE_LENGTH - 1);
	assert_refused(rle_frame, sizeof(rle_frame), RLE_LENGTH + 1);
	assert_refused(rle_frame, sizeof(rle_frame), 0);
	memcpy(longer, rle_frame, sizeof(rle_frame));
	assert_refused(longer, sizeof(longer), RLE_LENGTH);
	for (gsize n = 0; n < sizeof(rle_frame); n++)
		assert_refused(rle_frame, n, RLE_LENGTH);
}

/* The content size says 4096, and the blocks hold 8192. */
static void a_bomb_writes_nothing_past_the_end(void **state)
{
	const guint8 bomb[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x0f, 0x02,
				0x80, 0x00, 'a',  0x03, 0x80, 0x00, 'a' };

	assert_refused(bomb, sizeof(bomb), RLE_LENGTH);
}

static void two_frames_and_skippable_frames_are_refused(void **state)
{
	guint8 twice[2 * sizeof(rle_frame)];
	const guint8 skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 0x04, 0, 0, 0, 1, 2, 3, 4 };

	memcpy(twice, rle_frame, sizeof(rle_frame));
	memcpy(twice + sizeof(rle_frame), rle_frame, sizeof(rle_frame));
	assert_refused(twice, sizeof(twice), 2 * RLE_LENGTH);
	assert_refused(twice, sizeof(twice), RLE_LENGTH);
	assert_refused(skippable, sizeof(skippable), 0);
	assert_refused(skippable, sizeof(skippable), 4);
}

/* Not single segment: a window, no content size. */
static void a_frame_that_does_not_say_its_length_is_refused(void **state)
{
	const guint8 unknown[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x40, 0x03, 0x80, 0x00, 'a' };

	assert_refused(unknown, sizeof(unknown), RLE_LENGTH);
}

static void a_damaged_frame_is_refused_or_differs(void **state)
{
	g_autofree guint8 *text = g_malloc(LENGTH), *out = g_malloc(LENGTH),
			  *back = g_malloc(LENGTH);

	text_fill(text, LENGTH);
	gsize n = mlv_codec_compress(text, LENGTH, out, 3);
	for (gsize i = 0; i < n; i += 37) {
		out[i] ^= 0x10;
		mlv_codec_decode(MLV_CODEC_ZSTD, out, n, back, LENGTH, NULL);
		out[i] ^= 0x10;
	}
	assert_true(mlv_codec_decode(MLV_CODEC_ZSTD, out, n, back, LENGTH, NULL));
}

static void text_floats_and_repetitions_look_compressible(void **state)
{
	g_autofree guint8 *bytes = g_malloc(LENGTH);

	text_fill(bytes, LENGTH);
	assert_true(mlv_codec_looks_compressible(bytes, LENGTH));
	assert_true(mlv_codec_looks_compressible(bytes, 300));
	memset(bytes, 0, LENGTH);
	assert_true(mlv_codec_looks_compressible(bytes, LENGTH));
	for (gsize i = 0; i < LENGTH / 8; i++) {
		double value = (double)i / 1000;
		memcpy(bytes + 8 * i, &value, 8);
	}
	assert_true(mlv_codec_looks_compressible(bytes, LENGTH));
	/* flat order-0 statistics, but the same 256 bytes again and again */
	for (gsize i = 0; i < LENGTH; i++)
		bytes[i] = (guint8)(i * 167);
	assert_true(mlv_codec_looks_compressible(bytes, LENGTH));
}

static void noise_and_compressed_bytes_do_not_look_compressible(void **state)
{
	g_autofree guint8 *bytes = g_malloc(LENGTH), *out = g_malloc(LENGTH);

	for (guint64 seed = 1; seed < 50; seed++) {
		scratch_noise(bytes, LENGTH, seed);
		assert_false(mlv_codec_looks_compressible(bytes, LENGTH));
		assert_false(mlv_codec_looks_compressible(bytes, 5000));
		assert_false(mlv_codec_looks_compressible(bytes, 1000));
		assert_false(mlv_codec_looks_compressible(bytes, 256));
	}
	text_fill(bytes, LENGTH);
	gsize n = mlv_codec_compress(bytes, LENGTH, out, 9);
	assert_false(mlv_codec_looks_compressible(out, n));
	assert_false(mlv_codec_looks_compressible(bytes, 10));
	assert_false(mlv_codec_looks_compressible(bytes, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_compressed_and_comes_back),
		cmocka_unit_test(noise_is_left_raw),
		cmocka_unit_test(what_saves_less_than_an_eighth_is_left_raw),
		cmocka_unit_test(nothing_and_next_to_nothing_are_left_raw),
		cmocka_unit_test(a_raw_chunk_is_copied_or_stays),
		cmocka_unit_test(an_unknown_codec_is_refused),
		cmocka_unit_test(a_frame_must_hold_exactly_what_is_expected),
		cmocka_unit_test(a_bomb_writes_nothing_past_the_end),
		cmocka_unit_test(two_frames_and_skippable_frames_are_refused),
		cmocka_unit_test(a_frame_that_does_not_say_its_length_is_refused),
		cmocka_unit_test(a_damaged_frame_is_refused_or_differs),
		cmocka_unit_test(text_floats_and_repetitions_look_compressible),
		cmocka_unit_test(noise_and_compressed_bytes_do_not_look_compressible),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
