/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/s3/xml.h"

static gboolean each_line(const char *path, const char *text, gpointer user, GError **error)
{
	g_string_append_printf(user, "%s=%s\n", path, text);
	if (g_str_equal(text, "stop"))
		return FALSE;
	return !g_str_equal(text, "fail") || mlv_fail(error, MLV_ERROR_MISSING, "told to");
}

static void assert_read(const char *xml, const char *expected)
{
	GString *lines = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	if (!mlv_s3_xml_parse(xml, strlen(xml), MLV_S3_XML_SMALL, "the answer", each_line, lines,
			      &error))
		fail_msg("%s", error->message);
	assert_string_equal(lines->str, expected);
	g_string_free(lines, TRUE);
}

static void assert_refused(const char *xml, MlvError code, const char *why)
{
	GString *lines = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	assert_false(
		mlv_s3_xml_parse(xml, strlen(xml), 4096, "the answer", each_line, lines, &error));
	g_string_free(lines, TRUE);
	assert_true(g_error_matches(error, MLV_ERROR, (int)code));
	if (!strstr(error->message, why))
		fail_msg("'%s'", error->message);
}

static void elements_come_with_their_path_and_text_when_they_end(void **state)
{
	assert_read("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
		    "  <Contents><Size>5</Size><Key> a&amp;b&#x20;&lt;</Key></Contents>\n"
		    "  <Contents><Key><![CDATA[<k>]]></Key><Size/></Contents>\n"
		    "</ListBucketResult>",
		    "ListBucketResult/Contents/Size=5\n"
		    "ListBucketResult/Contents/Key= a&b <\n"
		    "ListBucketResult/Contents=\n"
		    "ListBucketResult/Contents/Key=<k>\n"
		    "ListBucketResult/Contents/Size=\n"
		    "ListBucketResult/Contents=\n"
		    "ListBucketResult=\n");
}

static void prefixes_of_name_spaces_are_left_out(void **state)
{
	assert_read("<s:Error xmlns:s=\"urn:x\"><s:Code>NoSuchKey</s:Code></s:Error>",
		    "Error/Code=NoSuchKey\nError=\n");
}

static void other_encodings_arrive_as_utf_8(void **state)
{
	assert_read("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xfc</a>", "a=\u00fc\n");
}

static void the_callback_can_end_the_reading(void **state)
{
	assert_read("<a><b>stop</b><c>x</c></a>", "a/b=stop\n");
	assert_refused("<a><b>fail</b></a>", MLV_ERROR_MISSING, "told to");
}

static void damage_is_told_with_its_line(void **state)
{
	assert_refused("", MLV_ERROR_CORRUPT, "the answer is damaged: no element found in line 1");
	assert_refused("<a>\n<b></a>", MLV_ERROR_CORRUPT, "line 2");
	assert_refused("<a></a><b/>", MLV_ERROR_CORRUPT, "line 1");
	assert_refused("<a>\x01</a>", MLV_ERROR_CORRUPT, "line 1");
	assert_refused("<a>\xff</a>", MLV_ERROR_CORRUPT, "line 1");
	assert_refused("<a>&x;</a>", MLV_ERROR_CORRUPT, "line 1");
}

static void document_types_are_refused(void **state)
{
	assert_refused("<!DOCTYPE a [<!ENTITY x \"xxxx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>",
		       MLV_ERROR_CORRUPT, "a document type");
	assert_refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", MLV_ERROR_CORRUPT,
		       "a document type");
}

static void depth_names_and_size_are_bounded(void **state)
{
	g_autoptr(GString) deep = g_string_new(NULL);
	g_autofree char *large = g_strnfill(5000, ' ');
	g_autofree char *name = g_strnfill(2000, 'n');
	g_autofree char *long_name = g_strdup_printf("<%s/>", name);

	for (int i = 0; i < 33; i++)
		g_string_append(deep, "<a>");
	assert_refused(deep->str, MLV_ERROR_CORRUPT, "too deep");
	assert_refused(large, MLV_ERROR_CORRUPT, "5000 bytes, more than 4096");
	assert_refused(long_name, MLV_ERROR_CORRUPT, "too long names");
}

static char *find(const char *xml, const char *path)
{
	return mlv_s3_xml_find(xml, strlen(xml), path);
}

static void the_first_of_a_path_is_found(void **state)
{
	g_autofree char *code = find("<Error><Code>A</Code><Code>B</Code>", "Error/Code");
	g_autofree char *absent = find("<Error><Code>A</Code></Error>", "Error/Region");
	g_autofree char *page = find("<!DOCTYPE html><html><p>502</html>", "html/p");

	assert_string_equal(code, "A");
	assert_null(absent);
	assert_null(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_come_with_their_path_and_text_when_they_end),
		cmocka_unit_test(prefixes_of_name_spaces_are_left_out),
		cmocka_unit_test(other_encodings_arrive_as_utf_8),
		cmocka_unit_test(the_callback_can_end_the_reading),
		cmocka_unit_test(damage_is_told_with_its_line),
		cmocka_unit_test(document_types_are_refused),
		cmocka_unit_test(depth_names_and_size_are_bounded),
		cmocka_unit_test(the_first_of_a_path_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
