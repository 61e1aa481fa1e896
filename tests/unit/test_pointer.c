/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/pointer.h"
#include "tests/unit/scratch.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char directory_text[] = "mlv 1\nbytes 11534336\ndepth 2\nfiles 1000\nid sha256:" HEX
				     "\nkind directory\nsize 12345\n";
static const char file_text[] = "mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 755\nsize 7\n";

static gboolean parse(const char *text, MlvPointer *pointer, GError **error)
{
	return mlv_pointer_parse(text, strlen(text), "x.mlv", pointer, error);
}

static void assert_refused(const char *text, MlvError code, const char *why)
{
	g_autoptr(GError) error = NULL;
	MlvPointer pointer;

	assert_false(parse(text, &pointer, &error));
	assert_non_null(error);
	if (error->code != (int)code || !strstr(error->message, why))
		fail_msg("'%s' for '%s'", error->message, text);
}

static void a_directory_is_read_and_written_the_same(void **state)
{
	MlvPointer pointer;
	gsize length;

	assert_true(parse(directory_text, &pointer, NULL));
	assert_int_equal(pointer.mode, MLV_MODE_DIRECTORY);
	assert_int_equal(pointer.ref.kind, MLV_KIND_TREE);
	assert_int_equal(pointer.ref.depth, 2);
	assert_int_equal(pointer.ref.size, 12345);
	assert_int_equal(pointer.files, 1000);
	assert_int_equal(pointer.bytes, 11534336);
	g_autofree char *text = mlv_pointer_format(&pointer, &length);
	assert_string_equal(text, directory_text);
	assert_int_equal(length, strlen(directory_text));
}

static void a_file_is_read_and_written_the_same(void **state)
{
	MlvPointer pointer, again;

	assert_true(parse(file_text, &pointer, NULL));
	assert_int_equal(pointer.mode, MLV_MODE_EXECUTABLE);
	assert_int_equal(pointer.ref.kind, MLV_KIND_BLOB);
	assert_int_equal(pointer.files, 1);
	assert_int_equal(pointer.bytes, 7);
	g_autofree char *text = mlv_pointer_format(&pointer, NULL);
	assert_string_equal(text, file_text);
	assert_true(parse(text, &again, NULL));
	assert_true(mlv_pointer_equal(&pointer, &again));
	again.ref.size++;
	assert_false(mlv_pointer_equal(&pointer, &again));
}

static void the_largest_numbers_fit(void **state)
{
	MlvPointer pointer = { .ref = { .size = G_MAXUINT64, .kind = MLV_KIND_TREE, .depth = 8 },
			       .mode = MLV_MODE_DIRECTORY,
			       .files = G_MAXUINT64,
			       .bytes = G_MAXUINT64 };
	MlvPointer again;
	gsize length;
	g_autofree char *text = mlv_pointer_format(&pointer, &length);

	assert_true(length <= MLV_POINTER_MAX);
	assert_true(parse(text, &again, NULL));
	assert_true(mlv_pointer_equal(&pointer, &again));
}

static void what_is_not_canonical_is_refused(void **state)
{
	static const char *const bad[] = {
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 644\nsize 07\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 644\nsize  7\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 644\nsize 7",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 644\nsize 7\n\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 644\nsize -7\n",
		"mlv 1\ndepth 0\nid sha256:" HEX
		"\nkind file\nmode 644\nsize 18446744073709551616\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 600\nsize 7\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nsize 7\n",
		"mlv 1\ndepth 9\nid sha256:" HEX "\nkind file\nmode 644\nsize 7\n",
		"mlv 1\nid sha256:" HEX "\ndepth 0\nkind file\nmode 644\nsize 7\n",
		"mlv 1\ndepth 0\ndepth 0\nid sha256:" HEX "\nkind file\nmode 644\nsize 7\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "0\nkind file\nmode 644\nsize 7\n",
		"mlv 1\ndepth 0\nid sha1:" HEX "\nkind file\nmode 644\nsize 7\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind symlink\nmode 644\nsize 7\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind directory\nsize 7\n",
		"mlv 1\nbytes 1\ndepth 0\nfiles 1\nid sha256:" HEX
		"\nkind file\nmode 644\nsize 7\n",
		"mlv 1\ndepth 0\nid sha256:" HEX "\nkind file\nmode 644\nowner me\nsize 7\n",
		"mlv 1\n",
		"mlv 1",
		"mlv",
		"",
		"mlv one\n",
		"hello\n",
		"\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_refused(bad[i], MLV_ERROR_CORRUPT, "x.mlv");
}

static void another_version_is_named(void **state)
{
	assert_refused("mlv 2\nanything\n", MLV_ERROR_UNSUPPORTED, "version 2");
}

static void conflict_markers_are_recognised(void **state)
{
	g_autofree char *text =
		g_strdup_printf("mlv 1\n<<<<<<< HEAD\ndepth 0\n=======\ndepth 1\n>>>>>>> other\n");
	assert_refused(text, MLV_ERROR_CHECK, "merge conflicts");
}

static void other_files_are_told_apart(void **state)
{
	g_autofree char *longer = g_strnfill(2000, 'x');
	assert_refused(longer, MLV_ERROR_CORRUPT, "longer than 1024");
	g_autoptr(GError) error = NULL;
	MlvPointer pointer;
	assert_false(mlv_pointer_parse("mlv 1\n\0", 7, "b.mlv", &pointer, &error));
	assert_non_null(strstr(error->message, "binary"));
	assert_refused("mlv 1\r\ndepth 0\r\n", MLV_ERROR_CORRUPT, "CR LF");
}

static void names_that_cannot_have_a_pointer_are_refused(void **state)
{
	g_autofree char *longest = g_strnfill(MLV_POINTER_NAME_MAX, 'n');
	g_autofree char *too_long = g_strnfill(MLV_POINTER_NAME_MAX + 1, 'n');

	assert_true(mlv_pointer_check_target("data/x", NULL));
	assert_true(mlv_pointer_check_target(longest, NULL));
	assert_false(mlv_pointer_check_target(too_long, NULL));
	assert_false(mlv_pointer_check_target("a/b\nc", NULL));
	assert_false(mlv_pointer_check_target("a/b.mlv", NULL));
	assert_false(mlv_pointer_check_target("", NULL));
}

static void paths_of_data_and_pointers_lead_to_each_other(void **state)
{
	g_autofree char *pointer = mlv_pointer_path("data/x");
	g_autofree char *data = mlv_pointer_data_path(pointer);

	assert_string_equal(pointer, "data/x.mlv");
	assert_string_equal(data, "data/x");
	assert_true(mlv_pointer_is_path("a/x.mlv"));
	assert_false(mlv_pointer_is_path("a/.mlv"));
	assert_false(mlv_pointer_is_path("a.mlv/x"));
}

static void the_page_shows_the_smallest_pointer(void **state)
{
	g_autoptr(GByteArray) bytes = scratch_page_dump("man/mlv-pointer.5", 0);
	MlvPointer pointer;

	assert_true(mlv_pointer_parse(bytes->data, bytes->len, "page", &pointer, NULL));
	assert_int_equal(pointer.ref.size, 0);
	g_autofree char *text = mlv_pointer_format(&pointer, NULL);
	assert_int_equal(strlen(text), bytes->len);
	assert_memory_equal(text, bytes->data, bytes->len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_is_read_and_written_the_same),
		cmocka_unit_test(a_file_is_read_and_written_the_same),
		cmocka_unit_test(the_largest_numbers_fit),
		cmocka_unit_test(what_is_not_canonical_is_refused),
		cmocka_unit_test(another_version_is_named),
		cmocka_unit_test(conflict_markers_are_recognised),
		cmocka_unit_test(other_files_are_told_apart),
		cmocka_unit_test(names_that_cannot_have_a_pointer_are_refused),
		cmocka_unit_test(paths_of_data_and_pointers_lead_to_each_other),
		cmocka_unit_test(the_page_shows_the_smallest_pointer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
