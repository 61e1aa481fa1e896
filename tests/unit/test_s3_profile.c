/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/s3/profile.h"
#include "tests/unit/scratch.h"

static MlvS3Profiles *read_both(const char *config, const char *credentials)
{
	MlvS3Profiles *profiles = mlv_s3_profiles_new();

	assert_true(
		mlv_s3_profiles_parse(profiles, MLV_S3_CONFIG, config, strlen(config), "c", NULL));
	assert_true(mlv_s3_profiles_parse(profiles, MLV_S3_CREDENTIALS, credentials,
					  strlen(credentials), "k", NULL));
	return profiles;
}

static void assert_value(const MlvS3Profiles *profiles, const char *name, const char *key,
			 const char *expected)
{
	const char *value = mlv_s3_profiles_get(profiles, MLV_S3_PROFILE, name, key);

	if (g_strcmp0(value, expected) != 0)
		fail_msg("%s of %s: '%s'", key, name, value ? value : "(none)");
}

static void assert_refused(const char *text, const char *why)
{
	g_autoptr(MlvS3Profiles) profiles = mlv_s3_profiles_new();
	g_autoptr(GError) error = NULL;

	assert_false(mlv_s3_profiles_parse(profiles, MLV_S3_CONFIG, text, strlen(text), "config",
					   &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	if (!strstr(error->message, why) || strstr(error->message, "hush"))
		fail_msg("'%s'", error->message);
}

static void sections_are_named_as_each_file_names_them(void **state)
{
	g_autoptr(MlvS3Profiles) profiles = read_both(
		"[default]\nregion = a\n[profile work]\nregion=b\n"
		"[ profile\t\"two words\" ] # here\nregion: c\n[plain]\nregion = d\n"
		"[sso-session s]\nsso_region = e\n",
		"[shared]\naws_access_key_id = f\n[profile odd]\naws_access_key_id = g\n");

	assert_value(profiles, "default", "region", "a");
	assert_value(profiles, "work", "region", "b");
	assert_value(profiles, "two words", "region", "c");
	assert_value(profiles, "plain", "region", NULL);
	assert_value(profiles, "shared", "aws_access_key_id", "f");
	assert_value(profiles, "odd", "aws_access_key_id", NULL);
	assert_string_equal(mlv_s3_profiles_get(profiles, MLV_S3_SSO_SESSION, "s", "sso_region"),
			    "e");
	assert_true(mlv_s3_profiles_has(profiles, MLV_S3_PROFILE, "shared"));
	assert_false(mlv_s3_profiles_has(profiles, MLV_S3_PROFILE, "plain"));
	assert_false(mlv_s3_profiles_has(profiles, MLV_S3_SSO_SESSION, "work"));
}

static void the_credentials_file_counts_before_the_config(void **state)
{
	g_autoptr(MlvS3Profiles) profiles =
		read_both("[profile p]\naws_access_key_id = config\nregion = r\n",
			  "[p]\naws_access_key_id = credentials\n");

	assert_value(profiles, "p", "aws_access_key_id", "credentials");
	assert_value(profiles, "p", "region", "r");
	assert_string_equal(
		mlv_s3_profiles_get_in(profiles, MLV_S3_CONFIG, "p", "aws_access_key_id"),
		"config");
	assert_null(mlv_s3_profiles_get_in(profiles, MLV_S3_CREDENTIALS, "p", "region"));
}

static void the_long_name_of_the_default_profile_counts_before_the_short(void **state)
{
	g_autoptr(MlvS3Profiles) first =
		read_both("[default]\nregion = a\noutput = x\n[profile default]\nregion = b\n", "");
	g_autoptr(MlvS3Profiles) last =
		read_both("[profile default]\nregion = b\n[default]\nregion = a\n", "");

	assert_value(first, "default", "region", "b");
	assert_value(first, "default", "output", NULL);
	assert_value(last, "default", "region", "b");
}

static void lines_are_trimmed_and_comments_left_out(void **state)
{
	g_autoptr(MlvS3Profiles) profiles = read_both(
		"\xef\xbb\xbf# one\n; two\r\n[default]\r\n  REGION  =  a # why\r\n  key=a#b;c\n\n"
		"  # inner\n  empty =\n  both = x=y:z\n  tab = v\t; w\n",
		"");

	assert_value(profiles, "default", "region", "a");
	assert_value(profiles, "default", "key", "a#b;c");
	assert_value(profiles, "default", "empty", NULL);
	assert_value(profiles, "default", "both", "x=y:z");
	assert_value(profiles, "default", "tab", "v");
}

static void sections_that_come_twice_are_one(void **state)
{
	g_autoptr(MlvS3Profiles) profiles = read_both(
		"[default]\nregion = a\noutput = x\n[profile p]\n[default]\nregion = b\n", "");

	assert_value(profiles, "default", "region", "b");
	assert_value(profiles, "default", "output", "x");
}

static void tables_below_a_key_stay_apart(void **state)
{
	g_autoptr(MlvS3Profiles) profiles = read_both(
		"[profile p]\ns3 =\n  region = inner\n  # no\n  max_queue_size = 10 # c\n"
		"region = outer\nlong = one\n   two\n[services x]\ns3 =\n endpoint_url = http://h\n"
		"sts=\n\tendpoint_url=http://t\n[profile q]\nregion = other\n",
		"");

	assert_value(profiles, "p", "region", "outer");
	assert_value(profiles, "p", "max_queue_size", NULL);
	assert_value(profiles, "p", "long", "one\ntwo");
	assert_value(profiles, "q", "region", "other");
	assert_string_equal(
		mlv_s3_profiles_get_nested(profiles, MLV_S3_PROFILE, "p", "s3", "region"), "inner");
	assert_string_equal(
		mlv_s3_profiles_get_nested(profiles, MLV_S3_SERVICES, "x", "s3", "endpoint_url"),
		"http://h");
	assert_string_equal(
		mlv_s3_profiles_get_nested(profiles, MLV_S3_SERVICES, "x", "sts", "endpoint_url"),
		"http://t");
	assert_null(
		mlv_s3_profiles_get_nested(profiles, MLV_S3_SERVICES, "x", "sso", "endpoint_url"));
}

static void faults_name_their_line_and_nothing_of_it(void **state)
{
	g_autoptr(MlvS3Profiles) profiles = mlv_s3_profiles_new();
	g_autoptr(GError) error = NULL;

	assert_refused("[default]\nhush\n",
		       "'config' cannot be understood: no 'key = value' in line 2");
	assert_refused("\n[hush\n", "a '[' without its ']' in line 2");
	assert_refused("a = hush\n", "a key before the first section in line 1");
	assert_refused("[default]\n= hush\n", "in line 2");
	assert_refused("[default]\ns3 =\n  hush\n", "in line 3");
	assert_false(mlv_s3_profiles_parse(profiles, MLV_S3_CONFIG, "[a]\n\0", 5, "c", &error));
	assert_non_null(strstr(error->message, "no text"));
}

static void an_absent_file_is_empty_and_another_fault_is_told(void **state)
{
	Scratch *scratch = *state;
	g_autofree char *absent = g_build_filename(scratch->path, "absent", NULL);
	g_autofree char *large = g_build_filename(scratch->path, "large", NULL);
	g_autofree char *text = g_strnfill(MLV_S3_PROFILES_MAX + 1, '\n');
	g_autoptr(MlvS3Profiles) profiles = mlv_s3_profiles_new();
	g_autoptr(GError) error = NULL;

	assert_true(mlv_s3_profiles_load(profiles, MLV_S3_CONFIG, absent, NULL));
	assert_true(mlv_s3_profiles_load(profiles, MLV_S3_CONFIG, "/dev/null", NULL));
	assert_false(mlv_s3_profiles_load(profiles, MLV_S3_CONFIG, scratch->path, &error));
	assert_non_null(strstr(error->message, scratch->path));
	g_clear_error(&error);
	assert_true(g_file_set_contents(large, text, -1, NULL));
	assert_false(mlv_s3_profiles_load(profiles, MLV_S3_CONFIG, large, &error));
	assert_non_null(strstr(error->message, "more than 1048576 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_named_as_each_file_names_them),
		cmocka_unit_test(the_credentials_file_counts_before_the_config),
		cmocka_unit_test(the_long_name_of_the_default_profile_counts_before_the_short),
		cmocka_unit_test(lines_are_trimmed_and_comments_left_out),
		cmocka_unit_test(sections_that_come_twice_are_one),
		cmocka_unit_test(tables_below_a_key_stay_apart),
		cmocka_unit_test(faults_name_their_line_and_nothing_of_it),
		cmocka_unit_test_setup_teardown(an_absent_file_is_empty_and_another_fault_is_told,
						scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
