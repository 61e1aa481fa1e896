/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/import_record.h"
#include "tests/unit/scratch.h"

#define ID "sha256:3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282"

static gboolean parse(const char *text, MlvImportRecord *record, GError **error)
{
	return mlv_import_record_parse(text, strlen(text), "test", record, error);
}

static void the_golden_records_are_read_and_written_as_they_are(void **state)
{
	static const char *const paths[] = { "tests/fixtures/import-v1-empty.mlv-import",
					     "tests/fixtures/import-v1.mlv-import" };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_auto(MlvImportRecord) record = { 0 };
		g_autofree char *text = NULL;
		gsize length;

		assert_true(g_file_get_contents(paths[i], &text, &length, NULL));
		assert_true(mlv_import_record_parse(text, length, "golden", &record, NULL));
		g_autoptr(GBytes) again = mlv_import_record_format(&record);
		assert_int_equal(g_bytes_get_size(again), length);
		assert_memory_equal(g_bytes_get_data(again, NULL), text, length);
		assert_int_equal(record.stamp.size, i ? 48213 : 0);
		assert_int_equal(record.stamp.modified / 1000000000, i ? 1700000000 : 0);
	}
}

static void the_page_shows_the_smallest_record(void **state)
{
	g_autoptr(GByteArray) shown = scratch_page_dump("man/mlv-import-record.5", 0);
	g_autofree char *text = NULL;
	gsize length;

	assert_true(g_file_get_contents("tests/fixtures/import-v1-empty.mlv-import", &text, &length,
					NULL));
	assert_int_equal(shown->len, length);
	assert_memory_equal(shown->data, text, length);
}

static void what_is_not_written_so_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"mlv import 1",
		"mlv import 1\n",
		"mlv import 1\nid " ID "\nsize 0\n",
		"mlv import 1\nid " ID "\nsize 00\nurl a\n",
		"mlv import 1\nid " ID "\nsize -1\nurl a\n",
		"mlv import 1\nid " ID "\nsize 0\nurl a",
		"mlv import 1\nsize 0\nid " ID "\nurl a\n",
		"mlv import 1\nid " ID "\nid " ID "\nsize 0\nurl a\n",
		"mlv import 1\nid " ID "\nother x\nsize 0\nurl a\n",
		"mlv import 1\netag \nid " ID "\nsize 0\nurl a\n",
		"mlv import 1\netag \x01\nid " ID "\nsize 0\nurl a\n",
		"mlv import 1\nid " ID "\nmodified 1\nsize 0\nurl a\n",
		"mlv import 1\nid " ID "\nmodified 1.5\nsize 0\nurl a\n",
		"mlv import 1\nid " ID "\nmodified 0.000000000\nsize 0\nurl a\n",
		"mlv import 1\nid " ID "\nmodified 99999999999999.000000000\nsize 0\nurl a\n",
		"mlv import 1\nid " ID "\nsize 0\nurl http://u:s3cret@h/\n",
		"mlv import 1\nid " ID "\nsize 0\nurl http://h/?token=s3cret\n",
		"mlv import 1\nid " ID "\nsize 0\nurl ext::sh\x7f\n",
		"mlv import 1\r\nid " ID "\r\nsize 0\r\nurl a\r\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_auto(MlvImportRecord) record = { 0 };
		g_autoptr(GError) error = NULL;

		if (parse(bad[i], &record, &error))
			fail_msg("'%s' was taken", bad[i]);
		assert_null(strstr(error->message, "s3cret"));
	}
}

static void newer_versions_and_conflicts_are_told_apart(void **state)
{
	g_auto(MlvImportRecord) record = { 0 };
	g_autoptr(GError) newer = NULL, conflict = NULL;

	assert_false(parse("mlv import 2\n", &record, &newer));
	assert_true(g_error_matches(newer, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
	assert_false(parse("<<<<<<< ours\nmlv import 1\n=======\n", &record, &conflict));
	assert_true(g_error_matches(conflict, MLV_ERROR, MLV_ERROR_CHECK));
}

static void an_etag_that_cannot_stand_in_a_line_is_left_out(void **state)
{
	MlvImportRecord record = { .url = (char *)"a", .stamp = { .etag = (char *)"a\nurl b" } };
	g_autoptr(GBytes) bytes = mlv_import_record_format(&record);

	assert_null(g_strstr_len(g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes),
				 "etag"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_golden_records_are_read_and_written_as_they_are),
		cmocka_unit_test(the_page_shows_the_smallest_record),
		cmocka_unit_test(what_is_not_written_so_is_refused),
		cmocka_unit_test(newer_versions_and_conflicts_are_told_apart),
		cmocka_unit_test(an_etag_that_cannot_stand_in_a_line_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
