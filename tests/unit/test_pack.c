/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden packs in tests/fixtures are made here: run with --write-fixtures from the root of the
 * tree to write them anew. That is right only when a new format version adds files; those of a
 * released version never change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "storage/error.h"
#include "storage/file.h"
#include "storage/pack_private.h"
#include "tests/unit/scratch.h"

#define GOLDEN_EMPTY "tests/fixtures/pack-v1-empty.pack"
#define GOLDEN       "tests/fixtures/pack-v1.pack"

/* 4096 times 'a' as one zstd frame, by hand: see test_codec.c. */
static const guint8 rle_frame[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x0f, 0x03, 0x80, 0x00, 'a'
};
#define RLE_LENGTH 4096u

static MlvPackEntry entry_of(const void *raw, gsize length, MlvKind kind)
{
	MlvPackEntry entry = { .stored = (guint32)length,
			       .raw = (guint32)length,
			       .kind = (guint8)kind };

	mlv_id_of(raw, length, &entry.id);
	entry.check = mlv_pack_check_value(&entry, raw);
	return entry;
}

static MlvPackEntry rle_entry(void)
{
	guint8 raw[RLE_LENGTH];

	memset(raw, 'a', sizeof(raw));
	MlvPackEntry entry = entry_of(raw, sizeof(raw), MLV_KIND_BLOB);
	entry.codec = MLV_CODEC_ZSTD;
	entry.stored = sizeof(rle_frame);
	entry.check = mlv_pack_check_value(&entry, rle_frame);
	return entry;
}

static void add(MlvPackWriter *writer, const void *raw, gsize length)
{
	MlvPackEntry entry = entry_of(raw, length, MLV_KIND_BLOB);

	assert_true(mlv_pack_writer_add(writer, raw, &entry, 1, NULL));
}

/* --- golden packs ----------------------------------------------------------------------------- */

static const guint8 golden_salt[MLV_PACK_SALT] = "the salt of the golden packs ..";

static void make_golden_empty(int fd, MlvId *name)
{
	g_autoptr(MlvPackWriter) writer = mlv_pack_writer_new(fd, MLV_CLASS_META, "golden");

	mlv_pack_writer_set_salt(writer, golden_salt);
	assert_true(mlv_pack_writer_finish(writer, name, NULL));
}

/* A raw chunk, an empty one, a zstd one, and two behind padding to offset 512 k + 100. */
static void make_golden(const Scratch *scratch, int fd, MlvId *name)
{
	g_autoptr(MlvPackWriter) writer = mlv_pack_writer_new(fd, MLV_CLASS_DATA, "golden");
	g_auto(MlvFd) source = scratch_file(scratch, "golden-source");
	guint8 noise[1100];
	MlvPackEntry entry = rle_entry(), run[2];

	scratch_noise(noise, sizeof(noise), 6);
	assert_true(mlv_file_write(source, noise, sizeof(noise), "source", NULL));
	mlv_pack_writer_set_salt(writer, golden_salt);
	add(writer, "hello, pack\n", 12);
	add(writer, "", 0);
	assert_true(mlv_pack_writer_add(writer, rle_frame, &entry, 1, NULL));
	run[0] = entry_of(noise + 100, 450, MLV_KIND_BLOB);
	run[1] = entry_of(noise + 550, 550, MLV_KIND_BLOB);
	assert_true(mlv_pack_writer_clone(writer, source, 100, 512, noise + 100, run, 2, NULL));
	assert_true(mlv_pack_writer_finish(writer, name, NULL));
}

static void assert_golden(int fd, const char *path, const MlvId *name)
{
	g_autofree char *bytes = NULL;
	gsize length;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (!g_file_get_contents(path, &bytes, &length, NULL))
		fail_msg("cannot read %s: tests run from the root of the tree", path);
	assert_int_equal(st.st_size, length);
	g_autofree guint8 *made = g_malloc(length);
	assert_true(mlv_file_read_at(fd, made, length, 0, path, NULL));
	assert_memory_equal(made, bytes, length);
	g_auto(MlvFd) golden = open(path, O_RDONLY | O_CLOEXEC);
	g_autoptr(MlvPackTable) table = mlv_pack_table_read(golden, name, path, NULL);
	assert_non_null(table);
}

static void the_golden_packs_are_what_is_written_today(void **state)
{
	g_auto(MlvFd) empty = scratch_file(*state, "empty");
	g_auto(MlvFd) full = scratch_file(*state, "full");
	MlvId name;

	make_golden_empty(empty, &name);
	assert_golden(empty, GOLDEN_EMPTY, &name);
	make_golden(*state, full, &name);
	assert_golden(full, GOLDEN, &name);
}

static gboolean count_fault(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	assert_non_null(why);
	(*(guint *)user)++;
	return TRUE;
}

static guint faults(int fd, const MlvId *name)
{
	guint count = 0;

	assert_true(mlv_pack_check(fd, name, "pack", count_fault, &count, NULL));
	return count;
}

static void the_golden_pack_is_read(void **state)
{
	g_auto(MlvFd) fd = open(GOLDEN, O_RDONLY | O_CLOEXEC);
	g_autoptr(MlvPackTable) table = mlv_pack_table_read(fd, NULL, GOLDEN, NULL);
	guint8 stored[RLE_LENGTH], raw[RLE_LENGTH];

	assert_non_null(table);
	assert_int_equal(table->pack_class, MLV_CLASS_DATA);
	assert_int_equal(table->count, 5);
	assert_int_equal(table->entries[1].raw, 0);
	assert_int_equal(table->entries[2].codec, MLV_CODEC_ZSTD);
	assert_int_equal(table->entries[3].offset % 512, 100);
	for (gsize i = 0; i < table->count; i++) {
		const MlvPackEntry *entry = &table->entries[i];
		assert_true(mlv_file_read_at(fd, stored, entry->stored, entry->offset, "p", NULL));
		assert_true(mlv_pack_decode(entry, stored, raw, "p", NULL));
		if (i == 0)
			assert_memory_equal(raw, "hello, pack\n", 12);
		if (i == 2)
			assert_int_equal(raw[RLE_LENGTH - 1], 'a');
	}
	assert_int_equal(faults(fd, &table->name), 0);
}

static void the_page_shows_the_smallest_pack(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-pack.5", 0);
	g_autofree char *bytes = NULL;
	gsize length;

	assert_true(g_file_get_contents(GOLDEN_EMPTY, &bytes, &length, NULL));
	assert_int_equal(shown->len, length);
	assert_memory_equal(shown->data, bytes, length);
}

/* --- names ------------------------------------------------------------------------------------ */

static void a_name_and_its_path_agree(void **state)
{
	char path[MLV_PACK_NAME_LENGTH + 1];
	MlvId name, back;

	mlv_id_of("x", 1, &name);
	mlv_pack_path(&name, path);
	assert_int_equal(strlen(path), MLV_PACK_NAME_LENGTH);
	assert_true(g_str_has_prefix(path, "packs/2d/2d711642b726b044"));
	assert_true(mlv_pack_parse_path(path, &back));
	assert_true(mlv_id_equal(&name, &back));
	for (gsize i = 0; path[i]; i++) {
		char old = path[i];
		path[i] = 'G';
		assert_false(mlv_pack_parse_path(path, &back));
		path[i] = old;
	}
	path[6] = '3'; /* another folder than the name's */
	assert_false(mlv_pack_parse_path(path, &back));
	assert_false(mlv_pack_parse_path("packs/2d/2d.pack", &back));
	assert_false(mlv_pack_parse_path("", &back));
}

/* --- writing ---------------------------------------------------------------------------------- */

static void chunks_lie_one_behind_the_other(void **state)
{
	g_auto(MlvFd) fd = scratch_file(*state, "p");
	g_autoptr(MlvPackWriter) writer = mlv_pack_writer_new(fd, MLV_CLASS_META, "p");
	guint8 noise[3000];
	MlvPackEntry entries[3];
	MlvId name;

	scratch_noise(noise, sizeof(noise), 7);
	assert_int_equal(mlv_pack_writer_size(writer), MLV_PACK_HEADER);
	for (gsize i = 0; i < 3; i++)
		entries[i] = entry_of(noise + 1000 * i, 1000, i ? MLV_KIND_TREE : MLV_KIND_LIST);
	assert_true(mlv_pack_writer_add(writer, noise, entries, 3, NULL));
	assert_int_equal(entries[2].offset, MLV_PACK_HEADER + 2000);
	assert_int_equal(mlv_pack_writer_count(writer), 3);
	assert_int_equal(mlv_pack_writer_entries(writer)[1].offset, MLV_PACK_HEADER + 1000);
	assert_true(mlv_pack_writer_finish(writer, &name, NULL));
	g_autoptr(MlvPackTable) table = mlv_pack_table_read(fd, &name, "p", NULL);
	assert_non_null(table);
	assert_int_equal(table->size, mlv_pack_writer_size(writer));
	assert_memory_equal(&table->entries[2].id, &entries[2].id, MLV_ID_SIZE);
	assert_int_equal(faults(fd, &name), 0);
}

static void two_packs_of_the_same_chunks_have_different_names(void **state)
{
	MlvId names[2];

	for (int i = 0; i < 2; i++) {
		g_auto(MlvFd) fd = scratch_file(*state, "p");
		g_autoptr(MlvPackWriter) writer = mlv_pack_writer_new(fd, MLV_CLASS_DATA, "p");
		add(writer, "same", 4);
		assert_true(mlv_pack_writer_finish(writer, &names[i], NULL));
	}
	assert_false(mlv_id_equal(&names[0], &names[1]));
}

static void a_writer_refuses_what_a_reader_would(void **state)
{
	g_auto(MlvFd) fd = scratch_file(*state, "p");
	g_autoptr(MlvPackWriter) writer = mlv_pack_writer_new(fd, MLV_CLASS_DATA, "p");
	MlvPackEntry tree = entry_of("x", 1, MLV_KIND_TREE);
	MlvPackEntry odd = entry_of("x", 1, MLV_KIND_BLOB), late = odd;
	MlvPackEntry longest = odd;
	MlvId name;

	assert_false(mlv_pack_writer_add(writer, (const guint8 *)"x", &tree, 1, NULL));
	odd.raw = 2;
	assert_false(mlv_pack_writer_add(writer, (const guint8 *)"x", &odd, 1, NULL));
	longest.raw = longest.stored = MLV_CHUNK_LIMIT + 1;
	assert_false(mlv_pack_writer_add(writer, (const guint8 *)"x", &longest, 1, NULL));
	assert_int_equal(mlv_pack_writer_count(writer), 0);
	assert_true(mlv_pack_writer_finish(writer, &name, NULL));
	assert_false(mlv_pack_writer_add(writer, (const guint8 *)"x", &late, 1, NULL));
	assert_false(mlv_pack_writer_finish(writer, &name, NULL));
}

/* Runs of many shapes: each time the pack must be the same to a reader, whether blocks were shared
 * or written. */
static void a_cloned_run_reads_as_if_it_had_been_written(void **state)
{
	const Scratch *scratch = *state;
	gsize real = mlv_file_clone_block(scratch->fd), block = real > 0 ? real : 4096;
	gsize length = 20 * block;
	g_autofree guint8 *noise = g_malloc(length);
	g_auto(MlvFd) source = scratch_file(scratch, "source");
	g_auto(MlvFd) fd = scratch_file(scratch, "p");
	g_autoptr(MlvPackWriter) writer = mlv_pack_writer_new(fd, MLV_CLASS_DATA, "p");
	const gsize runs[][2] = { { 0, 3 * block },
				  { 0, 20 * block },
				  { 1, 10 * block },
				  { block - 1, 2 },
				  { block, block },
				  { 100, block },
				  { 5, 50 },
				  { 3 * block + 7, 9 * block + 11 },
				  { 19 * block, block } };
	MlvId name;

	scratch_noise(noise, length, 8);
	assert_true(mlv_file_write(source, noise, length, "source", NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(runs); i++) {
		gsize from = runs[i][0], half = runs[i][1] / 2, rest = runs[i][1] - half;
		MlvPackEntry entries[2] = { entry_of(noise + from, half, MLV_KIND_BLOB),
					    entry_of(noise + from + half, rest, MLV_KIND_BLOB) };
		guint64 before = mlv_pack_writer_size(writer);
		assert_true(mlv_pack_writer_clone(writer, source, from, block, noise + from,
						  entries, 2, NULL));
		assert_in_range(entries[0].offset, before, before + block - 1);
		assert_int_equal(entries[1].offset, entries[0].offset + half);
		if (runs[i][1] >= 2 * block)
			assert_int_equal(entries[0].offset % block, from % block);
	}
	assert_true(mlv_pack_writer_finish(writer, &name, NULL));
	assert_int_equal(faults(fd, &name), 0);
}

/* --- damage ----------------------------------------------------------------------------------- */

/* The golden pack's bytes; a file that holds them. */
static GByteArray *golden_bytes(void)
{
	GByteArray *bytes = g_byte_array_new();
	char *read;
	gsize length;

	assert_true(g_file_get_contents(GOLDEN, &read, &length, NULL));
	g_byte_array_append(bytes, (guint8 *)read, (guint)length);
	g_free(read);
	return bytes;
}

static int file_of(const Scratch *scratch, const GByteArray *bytes)
{
	int fd = scratch_file(scratch, "damaged");

	assert_true(mlv_file_write(fd, bytes->data, bytes->len, "damaged", NULL));
	return fd;
}

static void every_flipped_byte_is_found(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();

	for (guint i = 0; i < bytes->len; i++) {
		bytes->data[i] ^= 0x20;
		g_auto(MlvFd) fd = file_of(*state, bytes);
		if (faults(fd, NULL) == 0)
			fail_msg("a flipped bit at %u was not found", i);
		bytes->data[i] ^= 0x20;
	}
}

static void every_truncation_is_refused(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();

	while (bytes->len > 0) {
		g_autoptr(GError) error = NULL;
		g_byte_array_set_size(bytes, bytes->len - 1);
		g_auto(MlvFd) fd = file_of(*state, bytes);
		assert_null(mlv_pack_table_read(fd, NULL, "damaged", &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	}
}

static void a_pack_under_another_name_is_refused(void **state)
{
	g_auto(MlvFd) fd = open(GOLDEN, O_RDONLY | O_CLOEXEC);
	g_autoptr(GError) error = NULL;
	MlvId other = { { 1 } };

	assert_null(mlv_pack_table_read(fd, &other, "p", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

/* Makes all checksums right again: what somebody with ill will does. */
static void seal(GByteArray *bytes)
{
	guint8 *footer = bytes->data + bytes->len - MLV_PACK_FOOTER;
	guint64 at = mlv_le64_get(footer);
	g_autoptr(MlvHash) hash = mlv_hash_new();
	MlvId name;

	mlv_hash_update(hash, bytes->data, MLV_PACK_HEADER);
	if (at < bytes->len - MLV_PACK_FOOTER)
		mlv_hash_update(hash, bytes->data + at, bytes->len - MLV_PACK_FOOTER - at);
	mlv_hash_finish(hash, &name);
	mlv_pack_footer_format(at, mlv_le32_get(footer + 8), mlv_le32_get(footer + 12), &name,
			       footer);
}

/* Changes one u32 of the golden pack, seals it, and wants it refused with that word in the
 * message. */
static void refuses(guint at, guint32 value, const char *word)
{
	g_autoptr(GByteArray) bytes = golden_bytes();
	g_autoptr(GError) error = NULL;

	mlv_le32_put(bytes->data + at, value);
	seal(bytes);
	g_autoptr(MlvPackTable) table = mlv_pack_table_parse(bytes->data, bytes->data, bytes->len,
							     bytes->len, NULL, "p", NULL, &error);
	assert_null(table);
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	if (!strstr(error->message, word))
		fail_msg("'%s' is not in: %s", word, error->message);
}

static void a_table_that_lies_is_refused_though_its_sums_are_right(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();
	guint footer = bytes->len - MLV_PACK_FOOTER;
	guint table = (guint)mlv_le64_get(bytes->data + footer) + MLV_PACK_SALT;
	guint third = table + 2 * MLV_PACK_ENTRY, fourth = table + 3 * MLV_PACK_ENTRY;

	refuses(8, MLV_CLASS_META, "header");
	refuses(12, 1, "header");
	refuses(footer, 32, "table is not where");
	refuses(footer + 8, 4, "table is not where");
	refuses(footer + 8, 0xffffffff, "that many");
	refuses(footer + 12, 3, "class");
	refuses(footer + 12, MLV_CLASS_META, "header");
	refuses(third + 32, 0, "lies where it cannot");           /* in the header */
	refuses(third + 32, 43, "lies where it cannot");          /* overlaps */
	refuses(third + 32, 0xffffffff, "lies where it cannot");  /* behind the end */
	refuses(fourth + 32, 56 + 65536, "lies where it cannot"); /* too far behind the last */
	refuses(third + 36, 11 | 2u << 24, "codec");
	refuses(third + 36, MLV_CODEC_ZSTD << 24, "empty");
	refuses(third + 36, 0xffffff | MLV_CODEC_ZSTD << 24, "longer than any chunk");
	refuses(third + 40, 0xffffff | MLV_KIND_BLOB << 24, "longer than any chunk");
	refuses(third + 40, 4096 | MLV_KIND_TREE << 24, "class");
	refuses(third + 40, 4096, "kind");
	refuses(third + 40, 4096 | 4u << 24, "kind");
	refuses(table + 36, 11, "two lengths");
	refuses(table + 44, 0, "check");
}

static void a_chunk_that_the_table_places_wrongly_is_found_when_read(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();
	guint64 table = mlv_le64_get(bytes->data + bytes->len - MLV_PACK_FOOTER) + MLV_PACK_SALT;
	guint8 *last = bytes->data + table + 3 * MLV_PACK_ENTRY;

	/* the fourth chunk one byte earlier: it begins in the padding */
	mlv_le32_put(last + 32, mlv_le32_get(last + 32) - 1);
	seal(bytes);
	g_auto(MlvFd) fd = file_of(*state, bytes);
	assert_in_range(faults(fd, NULL), 1, 2);
}

typedef struct {
	guint chunks, others;
	guint stop_at;
} Seen;

static gboolean see_fault(const MlvPackEntry *entry, const GError *why, gpointer user)
{
	Seen *seen = user;

	if (entry)
		seen->chunks++;
	else
		seen->others++;
	return seen->chunks + seen->others != seen->stop_at;
}

static void a_check_goes_on_behind_a_damaged_chunk(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();
	g_autoptr(GError) error = NULL;
	Seen seen = { 0 }, stopped = { .stop_at = 1 };

	bytes->data[33] ^= 1;              /* the first chunk */
	bytes->data[60] ^= 1;              /* padding */
	bytes->data[512 + 100 + 460] ^= 1; /* the last chunk */
	g_auto(MlvFd) fd = file_of(*state, bytes);
	assert_true(mlv_pack_check(fd, NULL, "p", see_fault, &seen, NULL));
	assert_int_equal(seen.chunks, 2);
	assert_int_equal(seen.others, 1);
	assert_false(mlv_pack_check(fd, NULL, "p", see_fault, &stopped, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CANCELLED));
}

static void damage_names_the_object_and_the_pack(void **state)
{
	MlvPackEntry entry = entry_of("right", 5, MLV_KIND_BLOB), compressed = rle_entry();
	g_autoptr(GError) error = NULL, other = NULL;
	guint8 out[RLE_LENGTH], frame[sizeof(rle_frame)];

	assert_false(mlv_pack_decode(&entry, (const guint8 *)"wrong", out, "packs/x.pack", &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_non_null(strstr(error->message, "packs/x.pack"));
	char hex[MLV_ID_HEX + 1];
	mlv_id_format(&entry.id, hex);
	assert_non_null(strstr(error->message, hex));
	memcpy(frame, rle_frame, sizeof(frame));
	frame[10] = 'b';
	assert_false(mlv_pack_decode(&compressed, frame, out, "packs/x.pack", &other));
	assert_true(g_error_matches(other, MLV_ERROR, MLV_ERROR_CORRUPT));
}

static void a_raw_chunk_is_decoded_in_place(void **state)
{
	MlvPackEntry entry = entry_of("right", 5, MLV_KIND_BLOB);
	guint8 bytes[5] = { 'r', 'i', 'g', 'h', 't' };

	assert_true(mlv_pack_decode(&entry, bytes, bytes, "p", NULL));
}

static void a_tail_that_is_too_short_says_what_it_needs(void **state)
{
	g_autoptr(GByteArray) bytes = golden_bytes();
	const guint8 *end = bytes->data + bytes->len;
	gsize need = 0, right = MLV_PACK_FOOTER + MLV_PACK_SALT + 5 * MLV_PACK_ENTRY;

	assert_null(mlv_pack_table_parse(bytes->data, end - 10, 10, bytes->len, NULL, "p", &need,
					 NULL));
	assert_int_equal(need, MLV_PACK_FOOTER);
	assert_null(mlv_pack_table_parse(bytes->data, end - need, need, bytes->len, NULL, "p",
					 &need, NULL));
	assert_int_equal(need, right);
	g_autoptr(MlvPackTable) table = mlv_pack_table_parse(bytes->data, end - need, need,
							     bytes->len, NULL, "p", &need, NULL);
	assert_non_null(table);
	assert_int_equal(table->count, 5);
}

/* --- main ------------------------------------------------------------------------------------- */

static int write_fixtures(void)
{
	void *state;
	MlvId name;

	scratch_setup(&state);
	g_auto(MlvFd) empty = open(GOLDEN_EMPTY, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	g_auto(MlvFd) full = open(GOLDEN, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	make_golden_empty(empty, &name);
	make_golden(state, full, &name);
	return scratch_teardown(&state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_golden_packs_are_what_is_written_today),
		TEST(the_golden_pack_is_read),
		TEST(the_page_shows_the_smallest_pack),
		TEST(a_name_and_its_path_agree),
		TEST(chunks_lie_one_behind_the_other),
		TEST(two_packs_of_the_same_chunks_have_different_names),
		TEST(a_writer_refuses_what_a_reader_would),
		TEST(a_cloned_run_reads_as_if_it_had_been_written),
		TEST(every_flipped_byte_is_found),
		TEST(every_truncation_is_refused),
		TEST(a_pack_under_another_name_is_refused),
		TEST(a_table_that_lies_is_refused_though_its_sums_are_right),
		TEST(a_chunk_that_the_table_places_wrongly_is_found_when_read),
		TEST(a_check_goes_on_behind_a_damaged_chunk),
		TEST(damage_names_the_object_and_the_pack),
		TEST(a_raw_chunk_is_decoded_in_place),
		TEST(a_tail_that_is_too_short_says_what_it_needs),
	};

	if (argc == 2 && strcmp(argv[1], "--write-fixtures") == 0)
		return write_fixtures();
	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
