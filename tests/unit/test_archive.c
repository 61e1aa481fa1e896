/* SPDX-License-Identifier: Apache-2.0 */
/* Archives out and in again, and the tree that members become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <string.h>

#include "core/archive_reader.h"
#include "core/archive_writer.h"
#include "core/import_archive.h"
#include "core/member_tree.h"
#include "storage/file.h"
#include "tests/unit/scratch.h"

static gboolean append(const void *data, gsize length, gpointer user, GError **error)
{
	g_byte_array_append(user, data, (guint)length);
	return TRUE;
}

static gboolean refuse(const void *data, gsize length, gpointer user, GError **error)
{
	return mlv_fail(error, MLV_ERROR_EXISTS, "no more");
}

static const char long_name[] =
	"a/very-long-name-that-goes-far-beyond-the-hundred-bytes-that-the-header-of-a-tar-has-room-for/"
	"and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on/"
	"and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on/end";

static const char *const file_names[] = {
	"plain",
	"gr\xc3\xb6\xc3\x9f"
	"e",
	"e\xcc\x81 decomposed",
	"\xff\xfe not UTF-8",
	"with\nnewline",
	long_name,
};

static void write_sample(MlvArchiveFormat format, gint64 time, GByteArray *out)
{
	g_autoptr(MlvArchiveWriter) writer =
		mlv_archive_writer_new(format, time, append, out, NULL);

	assert_non_null(writer);
	assert_true(mlv_archive_writer_directory(writer, "folder", NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(file_names); i++) {
		assert_true(mlv_archive_writer_file(writer, file_names[i], i == 1, 3, NULL));
		assert_true(mlv_archive_writer_data(writer, "abc", 3, NULL));
	}
	assert_true(mlv_archive_writer_file(writer, "empty", FALSE, 0, NULL));
	assert_true(mlv_archive_writer_symlink(writer, "zz\xff", "../out\xfe", NULL));
	assert_true(mlv_archive_writer_finish(writer, NULL));
}

static MlvArchiveReader *read_bytes(const Scratch *scratch, const GByteArray *bytes, GError **error)
{
	g_auto(MlvFd) fd = scratch_file(scratch, "archive");
	MlvArchiveReader *reader;

	assert_true(mlv_file_write(fd, bytes->data, bytes->len, "archive", NULL));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	/* The reader borrows it. */
	reader = mlv_archive_reader_new(dup(fd), -1, "archive", NULL, error);
	return reader;
}

static void expect_member(MlvArchiveReader *reader, const char *path, MlvMemberType type)
{
	MlvMember member;

	assert_true(mlv_archive_reader_next(reader, &member, NULL));
	assert_non_null(member.path);
	assert_string_equal(member.path, path);
	assert_int_equal(member.type, type);
}

static void expect_data(MlvArchiveReader *reader, const char *wanted)
{
	const void *data;
	gsize length;

	assert_true(mlv_archive_reader_read(reader, &data, &length, NULL));
	assert_int_equal(length, strlen(wanted));
	assert_memory_equal(data, wanted, length);
}

static void expect_sample(MlvArchiveReader *reader)
{
	MlvMember member;

	expect_member(reader, "folder/", MLV_MEMBER_DIRECTORY);
	for (gsize i = 0; i < G_N_ELEMENTS(file_names); i++) {
		expect_member(reader, file_names[i], MLV_MEMBER_FILE);
		expect_data(reader, "abc");
	}
	expect_member(reader, "empty", MLV_MEMBER_FILE);
	expect_data(reader, "");
	assert_true(mlv_archive_reader_next(reader, &member, NULL));
	assert_int_equal(member.type, MLV_MEMBER_SYMLINK);
	assert_string_equal(member.path, "zz\xff");
	assert_string_equal(member.target, "../out\xfe");
	assert_true(mlv_archive_reader_next(reader, &member, NULL));
	assert_null(member.path);
}

/* --- archives --------------------------------------------------------------------------------- */

static void names_are_the_same_bytes_in_and_out_of_a_tar(void **state)
{
	const MlvArchiveFormat formats[] = { MLV_ARCHIVE_TAR, MLV_ARCHIVE_TAR_GZ,
					     MLV_ARCHIVE_TAR_ZST };

	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_autoptr(MlvArchiveReader) reader = NULL;

		write_sample(formats[i], 1700000000, bytes);
		reader = read_bytes(*state, bytes, NULL);
		assert_non_null(reader);
		expect_sample(reader);
	}
}

static void the_character_set_of_the_process_does_not_matter(void **state)
{
	g_autoptr(GByteArray) utf8 = g_byte_array_new();
	g_autoptr(GByteArray) c = g_byte_array_new();

	for (MlvArchiveFormat format = MLV_ARCHIVE_TAR; format <= MLV_ARCHIVE_ZIP; format++) {
		g_byte_array_set_size(utf8, 0);
		g_byte_array_set_size(c, 0);
		setlocale(LC_CTYPE, "C.UTF-8");
		write_sample(format, 1700000000, utf8);
		setlocale(LC_CTYPE, "C");
		write_sample(format, 1700000000, c);
		assert_int_equal(utf8->len, c->len);
		assert_memory_equal(utf8->data, c->data, c->len);
	}
}

static void a_zip_keeps_names_that_are_not_utf_8(void **state)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	const char bad[] = "\xff\xfe not UTF-8";
	guint found = 0;

	write_sample(MLV_ARCHIVE_ZIP, 1700000000, bytes);
	for (guint i = 0; i + sizeof(bad) - 1 <= bytes->len; i++)
		found += memcmp(bytes->data + i, bad, sizeof(bad) - 1) == 0 ? 1 : 0;
	/* Before the data, and in the directory at the end. */
	assert_int_equal(found, 2);
}

static void a_time_that_no_format_has_becomes_the_nearest(void **state)
{
	const gint64 times[] = { G_MININT64, -1, 0, 1LL << 40, G_MAXINT64 };

	for (MlvArchiveFormat format = MLV_ARCHIVE_TAR; format <= MLV_ARCHIVE_ZIP; format++) {
		for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
			g_autoptr(GByteArray) bytes = g_byte_array_new();
			g_autoptr(MlvArchiveReader) reader = NULL;

			write_sample(format, times[i], bytes);
			reader = read_bytes(*state, bytes, NULL);
			assert_non_null(reader);
			expect_member(reader, "folder/", MLV_MEMBER_DIRECTORY);
		}
	}
}

static void a_sink_that_fails_gives_its_own_reason(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvArchiveWriter) writer =
		mlv_archive_writer_new(MLV_ARCHIVE_TAR, 0, refuse, NULL, NULL);
	g_autofree char *data = g_malloc0(1 << 20);

	assert_true(mlv_archive_writer_file(writer, "x", FALSE, 1 << 20, NULL));
	assert_false(mlv_archive_writer_data(writer, data, 1 << 20, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_EXISTS));
}

static void every_truncation_of_an_archive_is_an_error_or_a_shorter_archive(void **state)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	MlvMember member;
	const void *data;
	gsize length;

	write_sample(MLV_ARCHIVE_TAR_GZ, 0, bytes);
	for (guint cut = 0; cut < bytes->len; cut += 7) {
		g_autoptr(GByteArray) part = g_byte_array_new();
		g_autoptr(GError) error = NULL;
		g_autoptr(MlvArchiveReader) reader = NULL;

		g_byte_array_append(part, bytes->data, cut);
		reader = read_bytes(*state, part, &error);
		while (reader && mlv_archive_reader_next(reader, &member, &error) && member.path)
			while (mlv_archive_reader_read(reader, &data, &length, &error) &&
			       length > 0)
				continue;
		assert_non_null(error);
	}
}

static void formats_are_known_by_name_and_by_ending(void **state)
{
	MlvArchiveFormat format;

	assert_true(mlv_archive_format_parse("tgz", &format));
	assert_int_equal(format, MLV_ARCHIVE_TAR_GZ);
	assert_false(mlv_archive_format_parse("rar", &format));
	assert_true(mlv_archive_format_of_file("a/b.c/v1.0.Tar.Zst", &format));
	assert_int_equal(format, MLV_ARCHIVE_TAR_ZST);
	assert_false(mlv_archive_format_of_file("a.zip/b", &format));
	assert_false(mlv_archive_format_of_file("zip", &format));
}

/* --- members ---------------------------------------------------------------------------------- */

static gboolean drop_chunk(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			   gpointer user, GError **error)
{
	return TRUE;
}

static MlvMemberContent *put(MlvMemberTree *tree, const char *path, const char *text)
{
	MlvMemberContent *content;

	assert_true(mlv_member_tree_file(tree, path, MLV_MODE_FILE, &content, NULL));
	assert_non_null(content);
	content->ref.kind = MLV_KIND_BLOB;
	content->ref.size = strlen(text);
	mlv_id_of(text, strlen(text), &content->ref.id);
	return content;
}

static MlvPointer build(MlvMemberTree *tree)
{
	MlvPointer pointer;

	assert_true(mlv_member_tree_build(tree, drop_chunk, NULL, &pointer, NULL));
	return pointer;
}

static void the_order_of_members_does_not_matter(void **state)
{
	g_autoptr(MlvMemberTree) one = mlv_member_tree_new(0);
	g_autoptr(MlvMemberTree) two = mlv_member_tree_new(0);
	MlvPointer a, b;

	put(one, "x/y/z", "1");
	put(one, "x/a", "22");
	put(one, "top", "333");
	assert_true(mlv_member_tree_directory(two, "x/", NULL));
	put(two, "./top", "333");
	put(two, "x//a", "22");
	assert_true(mlv_member_tree_directory(two, "./", NULL));
	put(two, "x/./y/z", "1");
	a = build(one);
	b = build(two);
	assert_true(mlv_pointer_equal(&a, &b));
	assert_int_equal(a.files, 3);
	assert_int_equal(a.bytes, 6);
}

static void what_comes_later_wins(void **state)
{
	g_autoptr(MlvMemberTree) one = mlv_member_tree_new(0);
	g_autoptr(MlvMemberTree) two = mlv_member_tree_new(0);
	MlvPointer a, b;

	put(one, "a", "old");
	put(one, "a", "new");
	put(two, "a", "new");
	a = build(one);
	b = build(two);
	assert_true(mlv_pointer_equal(&a, &b));
}

static void a_hard_link_keeps_what_it_was_a_link_to(void **state)
{
	g_autoptr(MlvMemberTree) one = mlv_member_tree_new(0);
	g_autoptr(MlvMemberTree) two = mlv_member_tree_new(0);
	MlvMemberContent *shared, *content = put(one, "a", "old");
	MlvPointer a, b;

	assert_true(mlv_member_tree_link(one, "b", "a", &shared, NULL));
	assert_ptr_equal(shared, content);
	put(one, "a", "new");
	put(two, "a", "new");
	put(two, "b", "old");
	a = build(one);
	b = build(two);
	assert_true(mlv_pointer_equal(&a, &b));
}

static void leading_parts_are_stripped(void **state)
{
	g_autoptr(MlvMemberTree) tree = mlv_member_tree_new(1);
	g_autoptr(MlvMemberTree) same = mlv_member_tree_new(0);
	MlvMemberContent *content;
	MlvPointer a, b;

	assert_true(mlv_member_tree_file(tree, "readme", MLV_MODE_FILE, &content, NULL));
	assert_null(content);
	put(tree, "v1/data", "x");
	put(same, "data", "x");
	a = build(tree);
	b = build(same);
	assert_true(mlv_pointer_equal(&a, &b));
}

static void hostile_names_are_refused(void **state)
{
	static const char *const names[] = {
		"",     "/etc/passwd", "..",           "a/../../b",
		"a/..", ".git",        "a/.GIT/hooks", "./.git/config",
		"/",
	};
	g_autofree char *wide = g_strnfill(256, 'n');
	g_autofree char *deep = g_strnfill(5000, '/');

	for (gsize i = 0; i < G_N_ELEMENTS(names) + 2; i++) {
		g_autoptr(MlvMemberTree) tree = mlv_member_tree_new(i % 2);
		g_autoptr(GError) error = NULL;
		MlvMemberContent *content;
		const char *name = i < G_N_ELEMENTS(names) ? names[i] : i % 2 ? wide : deep;

		assert_false(mlv_member_tree_file(tree, name, MLV_MODE_FILE, &content, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
		assert_false(mlv_member_tree_directory(tree, name, NULL));
		assert_false(mlv_member_tree_check(tree, name, NULL));
	}
}

static void nothing_lies_below_what_is_no_folder(void **state)
{
	g_autoptr(MlvMemberTree) tree = mlv_member_tree_new(0);
	MlvMemberContent *content;

	put(tree, "file", "x");
	assert_true(mlv_member_tree_file(tree, "link", MLV_MODE_SYMLINK, &content, NULL));
	put(tree, "folder/x", "x");
	assert_false(mlv_member_tree_file(tree, "file/x", MLV_MODE_FILE, &content, NULL));
	assert_false(mlv_member_tree_file(tree, "link/x/y", MLV_MODE_FILE, &content, NULL));
	assert_false(mlv_member_tree_directory(tree, "link/x", NULL));
	assert_false(mlv_member_tree_directory(tree, "link", NULL));
	assert_false(mlv_member_tree_file(tree, "folder", MLV_MODE_FILE, &content, NULL));
	assert_false(mlv_member_tree_link(tree, "l", "folder", &content, NULL));
	assert_false(mlv_member_tree_link(tree, "l", "absent/x", &content, NULL));
	assert_false(mlv_member_tree_link(tree, "l", "../x", &content, NULL));
	/* Twins but for the case are two. */
	put(tree, "FILE", "y");
	assert_int_equal(build(tree).files, 4);
}

static void a_dataset_is_called_as_its_archive_without_endings(void **state)
{
	static const char *const names[][2] = {
		{ "a/images.tar.gz", "images" },
		{ "x.TGZ", "x" },
		{ "v1.0.zip", "v1.0" },
		{ "plain", "plain" },
		{ "d.cpio.xz", "d" },
		{ "photos.tar.zst", "photos" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = mlv_import_default_name(names[i][0]);

		assert_string_equal(name, names[i][1]);
	}
	assert_null(mlv_import_default_name("/x/.tar"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_the_same_bytes_in_and_out_of_a_tar),
		TEST(the_character_set_of_the_process_does_not_matter),
		TEST(a_zip_keeps_names_that_are_not_utf_8),
		TEST(a_time_that_no_format_has_becomes_the_nearest),
		TEST(a_sink_that_fails_gives_its_own_reason),
		TEST(every_truncation_of_an_archive_is_an_error_or_a_shorter_archive),
		TEST(formats_are_known_by_name_and_by_ending),
		TEST(the_order_of_members_does_not_matter),
		TEST(what_comes_later_wins),
		TEST(a_hard_link_keeps_what_it_was_a_link_to),
		TEST(leading_parts_are_stripped),
		TEST(hostile_names_are_refused),
		TEST(nothing_lies_below_what_is_no_folder),
		TEST(a_dataset_is_called_as_its_archive_without_endings),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
