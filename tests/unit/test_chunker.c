/* SPDX-License-Identifier: Apache-2.0 */
/* The chunking rule of format v1: pinned cuts, and that every way to compute them agrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "storage/chunker.h"

#define MIB (1024u * 1024)

typedef struct {
	guint8 *data;
	gsize len;
} Buffer;

static void buffer_clear(Buffer *buffer)
{
	g_free(buffer->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Buffer, buffer_clear)

/* splitmix64, whose n-th output depends on the seed and n alone. */
static guint64 next_random(guint64 *state)
{
	guint64 z = *state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Bytes: the outputs for seed 1, least significant byte first. */
static Buffer make_random(gsize len)
{
	Buffer buffer = { g_malloc(len), len };
	guint64 state = 1, x = 0;

	for (gsize i = 0; i < len; i++) {
		x = i % 8 == 0 ? next_random(&state) : x >> 8;
		buffer.data[i] = (guint8)x;
	}
	return buffer;
}

/* DNA: for each output for seed 2, 32 letters, from the least significant two bits up. */
static Buffer make_dna(gsize len)
{
	Buffer buffer = { g_malloc(len), len };
	guint64 state = 2, x = 0;

	for (gsize i = 0; i < len; i++) {
		x = i % 32 == 0 ? next_random(&state) : x >> 2;
		buffer.data[i] = (guint8) "ACGT"[x & 3];
	}
	return buffer;
}

/* Labels: little-endian int64 zeros and ones, the lowest bit of an output for seed 3 each. */
static Buffer make_labels(gsize len)
{
	Buffer buffer = { g_malloc0(len), len };
	guint64 state = 3;

	for (gsize i = 0; i < len; i += 8)
		buffer.data[i] = next_random(&state) & 1;
	return buffer;
}

/* Rows "number,a,b": a below 1000000 and b below 10, from one output for seed 4 a row. */
static Buffer make_csv(gsize len)
{
	Buffer buffer = { g_malloc(len), len };
	guint64 state = 4;
	gsize at = 0;

	for (guint row = 0; at < len; row++) {
		guint64 x = next_random(&state);
		char text[64];
		int n = snprintf(text, sizeof(text), "%u,%06u,%u\n", row, (guint)(x % 1000000),
				 (guint)(x >> 32) % 10);
		gsize used = MIN((gsize)n, len - at);

		memcpy(buffer.data + at, text, used);
		at += used;
	}
	return buffer;
}

static Buffer make_zeros(gsize len)
{
	return (Buffer){ g_malloc0(len), len };
}

/* Scans in segments of the given size and cuts; returns the cuts as guint64. */
static GArray *cut_in_segments(const Buffer *buffer, gsize segment)
{
	GArray *cuts = g_array_new(FALSE, FALSE, sizeof(guint64));
	g_auto(MlvCandidates) list = { 0 };
	MlvCutter cutter;
	guint64 cut;

	mlv_cutter_init(&cutter);
	for (gsize at = 0; at < buffer->len; at += segment) {
		gsize len = MIN(segment, buffer->len - at);

		mlv_candidates_reset(&list);
		mlv_chunker_scan(buffer->data + at, MIN(at, MLV_CHUNK_WINDOW - 1), len, &list);
		mlv_cutter_feed(&cutter, &list, len, at + len == buffer->len);
		while (mlv_cutter_next(&cutter, &cut))
			g_array_append_val(cuts, cut);
	}
	return cuts;
}

static GArray *cut_one_by_one(const Buffer *buffer)
{
	GArray *cuts = g_array_new(FALSE, FALSE, sizeof(guint64));

	for (guint64 at = 0; at < buffer->len;) {
		at += mlv_chunker_next(buffer->data, at, buffer->len);
		g_array_append_val(cuts, at);
	}
	return cuts;
}

static guint64 cut_at(const GArray *cuts, guint i)
{
	return g_array_index(cuts, guint64, i);
}

static void assert_same_cuts(const GArray *a, const GArray *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len * sizeof(guint64));
}

static bool has_cut(const GArray *cuts, guint64 cut)
{
	for (guint i = 0; i < cuts->len; i++) {
		if (cut_at(cuts, i) == cut)
			return true;
	}
	return false;
}

/* FNV-1a over the cuts as 64-bit words: every cut of a long list in one number. */
static guint64 fold(const GArray *cuts)
{
	guint64 h = G_GUINT64_CONSTANT(0xcbf29ce484222325);

	for (guint i = 0; i < cuts->len; i++)
		h = (h ^ cut_at(cuts, i)) * G_GUINT64_CONSTANT(0x100000001b3);
	return h;
}

typedef struct {
	guint count;
	guint64 first[4];
	guint64 folded;
} Golden;

static void assert_golden(Buffer made, const Golden *golden)
{
	g_auto(Buffer) buffer = made;
	g_autoptr(GArray) cuts = cut_in_segments(&buffer, buffer.len);

	assert_int_equal(cuts->len, golden->count);
	for (guint i = 0; i < G_N_ELEMENTS(golden->first); i++)
		assert_int_equal(cut_at(cuts, i), golden->first[i]);
	assert_int_equal(fold(cuts), golden->folded);
}

static void random_bytes_are_cut_where_format_v1_says(void **state)
{
	const Golden golden = { 57,
				{ 38487, 109943, 226990, 301363 },
				G_GUINT64_CONSTANT(0x86f70ea21efa3639) };

	(void)state;
	assert_golden(make_random(4 * MIB), &golden);
}

static void csv_text_is_cut_where_format_v1_says(void **state)
{
	const Golden golden = { 30,
				{ 76377, 94029, 140339, 262085 },
				G_GUINT64_CONSTANT(0xd9caee80bdd1a1ca) };

	(void)state;
	assert_golden(make_csv(2 * MIB), &golden);
}

static void dna_is_cut_where_format_v1_says(void **state)
{
	const Golden golden = { 32,
				{ 70561, 170897, 290400, 376199 },
				G_GUINT64_CONSTANT(0xc970baa0e66c63d8) };

	(void)state;
	assert_golden(make_dna(2 * MIB), &golden);
}

static void int64_labels_are_cut_where_format_v1_says(void **state)
{
	const Golden golden = { 32,
				{ 18409, 105535, 182609, 248983 },
				G_GUINT64_CONSTANT(0xdc89986f86082209) };

	(void)state;
	assert_golden(make_labels(2 * MIB), &golden);
}

static void zeros_are_cut_at_the_maximum(void **state)
{
	g_auto(Buffer) buffer = make_zeros(4 * MIB);
	g_autoptr(GArray) cuts = cut_in_segments(&buffer, buffer.len);

	(void)state;
	assert_int_equal(cuts->len, 16);
	for (guint i = 0; i < cuts->len; i++)
		assert_int_equal(cut_at(cuts, i), (i + 1) * MLV_CHUNK_MAX);
}

static void a_short_repeated_record_has_no_candidate(void **state)
{
	(void)state;
	for (gsize period = 1; period <= 32; period *= 2) {
		g_auto(Buffer) buffer = make_random(256 * 1024);
		g_auto(MlvCandidates) list = { 0 };

		for (gsize i = period; i < buffer.len; i++)
			buffer.data[i] = buffer.data[i - period];
		mlv_chunker_scan(buffer.data + 128, 128, buffer.len - 128, &list);
		assert_int_equal(list.len, 0);
	}
}

/* The rule as the header has it, term by term. */
static guint32 hash_by_definition(const guint8 *data, gsize i)
{
	static const gint32 taps[] = { 83, -37, 45, -91 };
	guint32 h = 0;

	for (guint j = 0; j < MLV_CHUNK_WINDOW && j <= i; j++)
		h += (10215u * (guint32)(taps[j / 32] * data[i - j])) << (j % 32);
	return h;
}

static void candidates_are_what_the_definition_says(void **state)
{
	g_auto(Buffer) buffer = make_random(512 * 1024);
	g_auto(MlvCandidates) list = { 0 };
	gsize found = 0;

	(void)state;
	mlv_chunker_scan(buffer.data, 0, buffer.len, &list);
	for (gsize i = 0; i < buffer.len; i++) {
		guint32 h = hash_by_definition(buffer.data, i);

		if (h >> 18 != 0x1fff)
			continue;
		assert_true(found < list.len);
		assert_int_equal(mlv_candidate_offset(list.items[found]), i + 1);
		assert_int_equal(mlv_candidate_is_strong(list.items[found]), h >> 15 == 0xffff);
		found++;
	}
	assert_int_equal(found, list.len);
	assert_true(found > 16);
}

/* Expects of one implementation the items of `all` that lie in the stretch. */
static void check_stretch(const MlvChunkerImplementation *implementation, const Buffer *buffer,
			  const MlvCandidates *all, gsize start, gsize len, gsize before)
{
	/* A block of its own, of exactly what may be read: the sanitizer watches its ends. */
	g_autofree guint8 *copy = g_malloc(MAX(before + len, 1));
	g_auto(MlvCandidates) list = { 0 };
	gsize found = 0;

	memcpy(copy, buffer->data + start - before, before + len);
	implementation->scan(copy + before, before, len, &list);
	for (gsize i = 0; i < all->len; i++) {
		gsize offset = mlv_candidate_offset(all->items[i]);

		if (offset <= start || offset > start + len)
			continue;
		assert_true(found < list.len);
		assert_int_equal(list.items[found], all->items[i] - 2 * (guint32)start);
		found++;
	}
	assert_int_equal(found, list.len);
}

static void every_implementation_finds_the_same_candidates(void **state)
{
	static const gsize lens[] = { 0,    1,    31,    32,    33,     127,    128,   129,
				      1023, 1024, 1025,  2175,  2176,   2177,   4096,  4321,
				      8192, 9001, 65536, 70001, 131071, 300007, 700001 };
	g_auto(Buffer) buffer = make_random(MIB);

	(void)state;
	for (const MlvChunkerImplementation *i = mlv_chunker_implementations(); i->name; i++) {
		g_auto(MlvCandidates) all = { 0 };
		guint64 random = 7;

		mlv_chunker_scan(buffer.data, 0, buffer.len, &all);
		for (gsize l = 0; l < G_N_ELEMENTS(lens); l++) {
			check_stretch(i, &buffer, &all, 0, lens[l], 0);
			for (gsize start = 1; start < 400; start += 1 + next_random(&random) % 90) {
				check_stretch(i, &buffer, &all, start, lens[l], start);
				check_stretch(i, &buffer, &all, start + 127, lens[l], 127);
				check_stretch(i, &buffer, &all, start + 128, lens[l], 128);
			}
		}
	}
}

/* Bytes that take the filter to both ends of its 16-bit range. */
static void every_implementation_agrees_on_extreme_bytes(void **state)
{
	g_auto(Buffer) buffer = make_random(MIB);

	(void)state;
	for (gsize i = 0; i < buffer.len; i++)
		buffer.data[i] = buffer.data[i] & 1 ? 255 : 0;
	for (gsize i = 0; i < 128 * 32; i++) {
		buffer.data[300000 + i] = i / 32 % 2 ? 0 : 255;
		buffer.data[400000 + i] = i / 32 % 2 ? 255 : 0;
	}
	for (const MlvChunkerImplementation *i = mlv_chunker_implementations(); i->name; i++) {
		g_auto(MlvCandidates) list = { 0 };
		gsize found = 0;

		i->scan(buffer.data, 0, buffer.len, &list);
		for (gsize at = 0; at < buffer.len; at++) {
			if (hash_by_definition(buffer.data, at) >> 18 != 0x1fff)
				continue;
			assert_true(found < list.len);
			assert_int_equal(mlv_candidate_offset(list.items[found]), at + 1);
			found++;
		}
		assert_int_equal(found, list.len);
	}
}

/* A period in which some position is a strong candidate makes as many as there can be. */
static void hostile_data_has_a_bounded_list_and_chunks_of_at_least_the_minimum(void **state)
{
	g_auto(Buffer) buffer = make_random(2 * MIB);
	g_auto(MlvCandidates) list = { 0 };
	g_autoptr(GArray) cuts = NULL;
	guint64 last = 0;
	gsize at;

	(void)state;
	mlv_chunker_scan(buffer.data, 0, buffer.len, &list);
	for (at = 0; at < list.len && !mlv_candidate_is_strong(list.items[at]); at++)
		;
	assert_true(at < list.len);
	at = mlv_candidate_offset(list.items[at]);
	memmove(buffer.data, buffer.data + at - MLV_CHUNK_WINDOW, MLV_CHUNK_WINDOW);
	for (gsize i = MLV_CHUNK_WINDOW; i < buffer.len; i++)
		buffer.data[i] = buffer.data[i - MLV_CHUNK_WINDOW];
	mlv_candidates_reset(&list);
	mlv_chunker_scan(buffer.data, 0, buffer.len, &list);
	assert_true(list.len >= buffer.len / MLV_CHUNK_WINDOW);
	assert_true(list.len <= buffer.len / 2);
	cuts = cut_in_segments(&buffer, buffer.len);
	for (guint i = 0; i < cuts->len; i++) {
		assert_int_equal(cut_at(cuts, i) - last, MLV_CHUNK_MIN);
		last = cut_at(cuts, i);
	}
}

static void scanning_in_segments_gives_the_cuts_of_the_whole(void **state)
{
	static const gsize segments[] = { 4099, 16384, 65537, 262144, 1000003 };
	Buffer (*const make[])(gsize) = { make_random, make_csv, make_dna, make_labels,
					  make_zeros };

	(void)state;
	for (gsize m = 0; m < G_N_ELEMENTS(make); m++) {
		g_auto(Buffer) buffer = make[m](3 * MIB + 77);
		g_autoptr(GArray) whole = cut_in_segments(&buffer, buffer.len);

		assert_int_equal(cut_at(whole, whole->len - 1), buffer.len);
		for (gsize s = 0; s < G_N_ELEMENTS(segments); s++) {
			g_autoptr(GArray) cuts = cut_in_segments(&buffer, segments[s]);

			assert_same_cuts(cuts, whole);
		}
	}
}

static void segments_of_one_byte_give_the_cuts_of_the_whole(void **state)
{
	g_auto(Buffer) buffer = make_random(300 * 1024);
	g_autoptr(GArray) whole = cut_in_segments(&buffer, buffer.len);
	g_autoptr(GArray) cuts = cut_in_segments(&buffer, 1);

	(void)state;
	assert_same_cuts(cuts, whole);
}

static void cutting_one_by_one_gives_the_cuts_of_the_whole(void **state)
{
	Buffer (*const make[])(gsize) = { make_random, make_csv, make_dna, make_labels,
					  make_zeros };

	(void)state;
	for (gsize m = 0; m < G_N_ELEMENTS(make); m++) {
		g_auto(Buffer) buffer = make[m](3 * MIB + 77);
		g_autoptr(GArray) whole = cut_in_segments(&buffer, buffer.len);
		g_autoptr(GArray) cuts = cut_one_by_one(&buffer);

		assert_same_cuts(cuts, whole);
	}
}

static void chunks_keep_to_the_minimum_and_the_maximum(void **state)
{
	Buffer (*const make[])(gsize) = { make_random, make_csv, make_dna, make_labels };

	(void)state;
	for (gsize m = 0; m < G_N_ELEMENTS(make); m++) {
		g_auto(Buffer) buffer = make[m](8 * MIB);
		g_autoptr(GArray) cuts = cut_in_segments(&buffer, buffer.len);
		guint64 last = 0;

		for (guint i = 0; i < cuts->len; i++) {
			guint64 len = cut_at(cuts, i) - last;

			assert_true(len <= MLV_CHUNK_MAX);
			assert_true(len >= MLV_CHUNK_MIN || i == cuts->len - 1);
			last = cut_at(cuts, i);
		}
	}
}

static void the_average_is_near_64_kib_on_random_bytes(void **state)
{
	g_auto(Buffer) buffer = make_random(32 * MIB);
	g_autoptr(GArray) cuts = cut_in_segments(&buffer, buffer.len);
	gsize average = buffer.len / cuts->len;

	(void)state;
	assert_in_range(average, MLV_CHUNK_AVG * 9 / 10, MLV_CHUNK_AVG * 11 / 10);
}

static void an_insertion_changes_only_the_cuts_near_it(void **state)
{
	static const gsize inserted = 1001;
	g_auto(Buffer) before = make_random(8 * MIB);
	g_auto(Buffer) after = { g_malloc(before.len + inserted), before.len + inserted };
	const gsize at = 3 * MIB;
	g_autoptr(GArray) old_cuts = cut_in_segments(&before, before.len);
	g_autoptr(GArray) new_cuts = NULL;
	guint lost = 0;

	(void)state;
	memcpy(after.data, before.data, at);
	memset(after.data + at, 'x', inserted);
	memcpy(after.data + at + inserted, before.data + at, before.len - at);
	new_cuts = cut_in_segments(&after, after.len);
	for (guint i = 0; i < old_cuts->len; i++) {
		guint64 cut = cut_at(old_cuts, i);

		if (has_cut(new_cuts, cut <= at ? cut : cut + inserted))
			continue;
		assert_true(cut > at && cut < at + 4 * MLV_CHUNK_MAX);
		lost++;
	}
	assert_true(lost <= 4);
}

static void a_chunk_that_is_the_whole_stream_ends_with_it(void **state)
{
	g_auto(Buffer) buffer = make_random(MLV_CHUNK_MIN);

	(void)state;
	assert_int_equal(mlv_chunker_next(buffer.data, 0, 1), 1);
	assert_int_equal(mlv_chunker_next(buffer.data, 0, MLV_CHUNK_MIN), MLV_CHUNK_MIN);
	assert_int_equal(mlv_chunker_next(buffer.data, 100, MLV_CHUNK_MIN), MLV_CHUNK_MIN - 100);
}

static void an_empty_stream_has_no_cut(void **state)
{
	g_auto(MlvCandidates) list = { 0 };
	MlvCutter cutter;
	guint64 cut;

	(void)state;
	mlv_cutter_init(&cutter);
	assert_false(mlv_cutter_next(&cutter, &cut));
	mlv_chunker_scan(NULL, 0, 0, &list);
	mlv_cutter_feed(&cutter, &list, 0, true);
	assert_false(mlv_cutter_next(&cutter, &cut));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bytes_are_cut_where_format_v1_says),
		cmocka_unit_test(csv_text_is_cut_where_format_v1_says),
		cmocka_unit_test(dna_is_cut_where_format_v1_says),
		cmocka_unit_test(int64_labels_are_cut_where_format_v1_says),
		cmocka_unit_test(zeros_are_cut_at_the_maximum),
		cmocka_unit_test(a_short_repeated_record_has_no_candidate),
		cmocka_unit_test(candidates_are_what_the_definition_says),
		cmocka_unit_test(every_implementation_finds_the_same_candidates),
		cmocka_unit_test(every_implementation_agrees_on_extreme_bytes),
		cmocka_unit_test(
			hostile_data_has_a_bounded_list_and_chunks_of_at_least_the_minimum),
		cmocka_unit_test(scanning_in_segments_gives_the_cuts_of_the_whole),
		cmocka_unit_test(segments_of_one_byte_give_the_cuts_of_the_whole),
		cmocka_unit_test(cutting_one_by_one_gives_the_cuts_of_the_whole),
		cmocka_unit_test(chunks_keep_to_the_minimum_and_the_maximum),
		cmocka_unit_test(the_average_is_near_64_kib_on_random_bytes),
		cmocka_unit_test(an_insertion_changes_only_the_cuts_near_it),
		cmocka_unit_test(a_chunk_that_is_the_whole_stream_ends_with_it),
		cmocka_unit_test(an_empty_stream_has_no_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
