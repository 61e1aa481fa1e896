/* SPDX-License-Identifier: Apache-2.0 */
/* What an S3 remote's address says, where requests go, listings, and what refusals mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/s3/endpoint.h"
#include "storage/s3/fault.h"
#include "storage/s3/listing.h"
#include "tests/unit/scratch.h"

static void an_address_is_taken_literally(void **state)
{
	static const struct {
		const char *url, *bucket, *prefix;
	} good[] = {
		{ "s3://bucket", "bucket", "" },
		{ "s3://bucket/", "bucket", "" },
		{ "S3://bucket/a/b//", "bucket", "a/b" },
		{ "s3://bucket/a%20b+c?x#y", "bucket", "a%20b+c?x#y" },
		{ "s3://bucket//a/../b", "bucket", "/a/../b" },
		{ "s3://my.bucket_1/x@y", "my.bucket_1", "x@y" },
	};
	static const char *const bad[] = { "s3://",      "s3:///a",        "s3://a@b/c",
					   "s3://a b/c", "s3://sec:ret@b", "https://a/b" };

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(MlvS3Settings) settings = mlv_s3_settings_new(good[i].url, NULL);

		assert_string_equal(settings->bucket, good[i].bucket);
		assert_string_equal(settings->prefix, good[i].prefix);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(mlv_s3_settings_new(bad[i], &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_USAGE));
		assert_null(strstr(error->message, "ret@"));
	}
}

static void settings_that_exclude_each_other_are_refused(void **state)
{
	MlvS3Settings settings = { .sse = (char *)"AES256" };

	assert_true(mlv_s3_settings_check(&settings, NULL));
	settings.sse_kms_key = (char *)"key";
	assert_false(mlv_s3_settings_check(&settings, NULL));
	settings.sse = (char *)"aws:kms";
	assert_true(mlv_s3_settings_check(&settings, NULL));
	settings.sse_key_file = (char *)"/k";
	assert_false(mlv_s3_settings_check(&settings, NULL));
	settings = (MlvS3Settings){ .storage_class = (char *)"A\r\nX: y" };
	assert_false(mlv_s3_settings_check(&settings, NULL));
	settings = (MlvS3Settings){ .region = (char *)"eu/../west" };
	assert_false(mlv_s3_settings_check(&settings, NULL));
	settings = (MlvS3Settings){ .anonymous = TRUE, .profile = (char *)"x" };
	assert_false(mlv_s3_settings_check(&settings, NULL));
}

static void a_key_of_ones_own_is_bytes_or_base64(void **state)
{
	Scratch *scratch = *state;
	g_autofree char *path = g_build_filename(scratch->path, "key", NULL);
	const char *base64 = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";
	g_autoptr(GBytes) raw = NULL, text = NULL;

	assert_null(mlv_s3_settings_read_key(path, NULL));
	g_file_set_contents(path, "0123456789abcdef0123456789abcdef", 32, NULL);
	raw = mlv_s3_settings_read_key(path, NULL);
	assert_int_equal(g_bytes_get_size(raw), 32);
	g_file_set_contents(path, base64, -1, NULL);
	text = mlv_s3_settings_read_key(path, NULL);
	assert_true(g_bytes_equal(raw, text));
	g_file_set_contents(path, "short", -1, NULL);
	assert_null(mlv_s3_settings_read_key(path, NULL));
}

static MlvS3Endpoint *place(const char *address, const char *region, const char *bucket,
			    MlvS3Addressing addressing)
{
	g_autoptr(GError) error = NULL;
	MlvS3Endpoint *endpoint = mlv_s3_endpoint_new(address, region, &error);

	assert_null(error);
	mlv_s3_endpoint_place(endpoint, bucket, addressing);
	return endpoint;
}

static void a_bucket_has_its_place(void **state)
{
	static const struct {
		const char *address, *region, *bucket;
		MlvS3Addressing addressing;
		const char *authority, *path;
	} rows[] = {
		{ NULL, "eu-west-1", "my-bucket", MLV_S3_AUTO,
		  "my-bucket.s3.eu-west-1.amazonaws.com", "/a%20b/%2541" },
		{ NULL, "eu-west-1", "my.bucket", MLV_S3_AUTO, "s3.eu-west-1.amazonaws.com",
		  "/my.bucket/a%20b/%2541" },
		{ NULL, "cn-north-1", "x_y", MLV_S3_AUTO, "s3.cn-north-1.amazonaws.com.cn",
		  "/x_y/a%20b/%2541" },
		{ "http://Host:9000", "r", "bucket", MLV_S3_AUTO, "host:9000",
		  "/bucket/a%20b/%2541" },
		{ "https://host:443/s3/", "r", "bucket", MLV_S3_AUTO, "host",
		  "/s3/bucket/a%20b/%2541" },
		{ "https://host:444", "r", "bucket", MLV_S3_VIRTUAL, "bucket.host:444",
		  "/a%20b/%2541" },
		{ "http://[::1]:80", "r", "bucket", MLV_S3_PATH, "[::1]", "/bucket/a%20b/%2541" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MlvS3Endpoint) endpoint =
			place(rows[i].address, rows[i].region, rows[i].bucket, rows[i].addressing);
		g_autofree char *path = mlv_s3_endpoint_path(endpoint, "a b/%41");

		assert_string_equal(endpoint->authority, rows[i].authority);
		assert_string_equal(path, rows[i].path);
	}
}

static void an_endpoint_holds_no_more_than_a_server(void **state)
{
	static const char *const bad[] = {
		"host",        "ftp://host", "https://u:p@host", "https://host/?x=1",
		"https://h#f", "https://"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(mlv_s3_endpoint_new(bad[i], "r", &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_USAGE));
		assert_null(strstr(error->message, "u:p"));
	}
}

static void the_region_moves_the_host(void **state)
{
	static const struct {
		const char *address, *from, *to, *host;
	} rows[] = {
		{ NULL, "us-east-1", "eu-west-1", "s3.eu-west-1.amazonaws.com" },
		{ "https://s3.amazonaws.com", "us-east-1", "eu-west-1",
		  "s3.eu-west-1.amazonaws.com" },
		{ "https://s3-us-west-2.amazonaws.com", "us-west-2", "eu-west-1",
		  "s3-eu-west-1.amazonaws.com" },
		{ "https://s3.dualstack.us-west-2.amazonaws.com", "us-west-2", "eu-west-1",
		  "s3.dualstack.eu-west-1.amazonaws.com" },
		{ "https://s3.us-1.example.com", "us-1", "eu-2", "s3.eu-2.example.com" },
		{ "https://minio.example.com", "us-east-1", "eu-2", NULL },
		{ "https://example.com", "example", "eu-2", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MlvS3Endpoint) endpoint =
			place(rows[i].address, rows[i].from, "b", MLV_S3_PATH);
		gboolean moved = mlv_s3_endpoint_move(endpoint, rows[i].from, rows[i].to);

		assert_int_equal(moved, rows[i].host != NULL);
		if (moved)
			assert_string_equal(endpoint->authority, rows[i].host);
	}
}

static void only_the_same_service_is_followed(void **state)
{
	static const struct {
		const char *address, *region, *target, *leads;
	} rows[] = {
		{ NULL, "us-east-1", "bucket.s3.eu-west-1.amazonaws.com", "eu-west-1" },
		{ NULL, "us-east-1", "https://bucket.s3-eu-west-1.amazonaws.com/a?b", "eu-west-1" },
		{ NULL, "eu-west-1", "s3.amazonaws.com", "us-east-1" },
		{ NULL, "us-east-1", "http://bucket.s3.eu-west-1.amazonaws.com/", NULL },
		{ NULL, "us-east-1", "https://evil.example", NULL },
		{ NULL, "us-east-1", "https://s3.eu-west-1.amazonaws.com.evil.example/", NULL },
		{ NULL, "us-east-1", "https://s3.eu-west-1.amazonaws.com@evil.example/", NULL },
		{ NULL, "us-east-1", "https://s3.cn-north-1.amazonaws.com.cn/", NULL },
		{ "https://s3.us-1.example.com", "us-1", "https://bucket.s3.eu-2.example.com/",
		  "eu-2" },
		{ "https://s3.us-1.example.com", "us-1", "https://s3.us-1.evil.com/", NULL },
		{ "https://s3.us-1.example.com", "us-1", "https://x3.eu-2.example.com/", NULL },
		{ "https://s3.us-1.example.com", "us-1", "https://s3.eu-2.example.com:8443/",
		  NULL },
		{ "http://host:80", "r", "http://other/", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MlvS3Endpoint) endpoint =
			place(rows[i].address, rows[i].region, "bucket", MLV_S3_AUTO);
		g_autofree char *leads =
			mlv_s3_endpoint_redirect(endpoint, rows[i].region, rows[i].target);

		if (rows[i].leads)
			assert_string_equal(leads, rows[i].leads);
		else
			assert_null(leads);
	}
}

/* --- listings --------------------------------------------------------------------------------- */

#define ENTRY(key, size)                                                                       \
	"<Contents><LastModified>2026-01-02T03:04:05.678Z</LastModified><Size>" size "</Size>" \
	"<ETag>x</ETag><Key>" key "</Key></Contents>"

static MlvS3Page *parse(const char *text, GError **error)
{
	return mlv_s3_page_parse(text, strlen(text), error);
}

static void a_page_is_decoded_only_if_it_says_that_it_is_encoded(void **state)
{
	g_autoptr(MlvS3Page) raw =
		parse("<ListBucketResult xmlns='x'>" ENTRY(
			      "a+b%2Fc", "7") ""
					      "<IsTruncated>false</IsTruncated></ListBucketResult>",
		      NULL);
	g_autoptr(MlvS3Page) encoded = parse(
		"<ListBucketResult>" ENTRY(
			"a+b%2Fc%",
			"7") "<IsTruncated>true</IsTruncated>"
			     "<EncodingType>url</EncodingType>"
			     "<NextContinuationToken>a/+ =</NextContinuationToken></ListBucketResult>",
		NULL);
	MlvS3Listed *entry = &g_array_index(raw->keys, MlvS3Listed, 0);

	assert_int_equal(raw->keys->len, 1);
	assert_string_equal(entry->key, "a+b%2Fc");
	assert_int_equal(entry->size, 7);
	assert_int_equal(entry->mtime, 1767323045);
	assert_null(raw->token);
	assert_string_equal(g_array_index(encoded->keys, MlvS3Listed, 0).key, "a b/c%");
	assert_string_equal(encoded->token, "a/+ =");
}

static void a_page_that_is_none_is_an_error(void **state)
{
	static const char *const bad[] = {
		"",
		"hello",
		"<html></html>",
		"<ListBucketResult>",
		"<ListBucketResult>" ENTRY("a", "x") "</ListBucketResult>",
		"<ListBucketResult>" ENTRY("a", "-1") "</ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
		"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
		"<Error><Code>InternalError</Code></Error>",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(parse(bad[i], &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	}
}

static void queries_are_escaped(void **state)
{
	g_autofree char *first = mlv_s3_page_query("a/b+c %", NULL);
	g_autofree char *next = mlv_s3_page_query("a", "t/+=");

	assert_string_equal(first, "encoding-type=url&list-type=2&max-keys=1000&prefix="
				   "a%2Fb%2Bc%20%25");
	assert_non_null(strstr(next, "continuation-token=t%2F%2B%3D&"));
}

static void what_was_not_deleted_is_told(void **state)
{
	const char *text = "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error>"
			   "<Error><Code>NoSuchKey</Code><Key>b</Key></Error></DeleteResult>";
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	g_autoptr(GArray) failed = mlv_s3_delete_parse(text, strlen(text), NULL);
	g_autoptr(GBytes) body = NULL;

	assert_int_equal(failed->len, 1);
	assert_string_equal(g_array_index(failed, MlvS3NotDeleted, 0).key, "a");
	assert_null(mlv_s3_delete_parse("<html/>", 7, NULL));
	g_ptr_array_add(keys, (char *)"a<b>&'\"");
	body = mlv_s3_delete_body(keys);
	assert_non_null(g_strstr_len(g_bytes_get_data(body, NULL), (gssize)g_bytes_get_size(body),
				     "<Key>a&lt;b&gt;&amp;&apos;&quot;</Key>"));
}

/* --- refusals --------------------------------------------------------------------------------- */

/* An answer as the engine gives it. */
static MlvHttpRequest *answer(guint status, const char *field, const char *value, const char *body)
{
	MlvHttpRequest *request = mlv_http_request_new("GET", "");

	request->status = status;
	if (field)
		g_hash_table_insert(request->fields, g_strdup(field), g_strdup(value));
	g_byte_array_append(request->answer, (const guint8 *)body, (guint)strlen(body));
	return request;
}

#define REFUSAL(code) \
	"<?xml version='1.0'?><Error><Code>" code "</Code><Message>words</Message></Error>"

static void refusals_are_sorted(void **state)
{
	static const struct {
		guint status;
		const char *field, *value, *body;
		MlvS3FaultKind kind;
	} rows[] = {
		{ 404, NULL, NULL, REFUSAL("NoSuchKey"), MLV_S3_FAULT_MISSING },
		{ 404, NULL, NULL, "", MLV_S3_FAULT_MISSING },
		{ 404, NULL, NULL, REFUSAL("NoSuchBucket"), MLV_S3_FAULT_FINAL },
		{ 404, NULL, NULL, "<html>not here</html>", MLV_S3_FAULT_FINAL },
		{ 403, NULL, NULL, REFUSAL("AccessDenied"), MLV_S3_FAULT_FINAL },
		{ 503, NULL, NULL, "", MLV_S3_FAULT_BUSY },
		{ 400, NULL, NULL, REFUSAL("RequestTimeout"), MLV_S3_FAULT_BUSY },
		{ 200, NULL, NULL, REFUSAL("InternalError"), MLV_S3_FAULT_BUSY },
		{ 400, NULL, NULL, REFUSAL("XAmzContentSHA256Mismatch"), MLV_S3_FAULT_DAMAGED },
		{ 400, NULL, NULL, REFUSAL("BadDigest"), MLV_S3_FAULT_DAMAGED },
		{ 403, NULL, NULL, REFUSAL("RequestTimeTooSkewed"), MLV_S3_FAULT_CLOCK },
		{ 400, NULL, NULL, REFUSAL("ExpiredToken"), MLV_S3_FAULT_EXPIRED },
		{ 400, NULL, NULL, REFUSAL("AuthorizationHeaderMalformed"), MLV_S3_FAULT_REGION },
		{ 301, "x-amz-bucket-region", "eu-west-1", "", MLV_S3_FAULT_REGION },
		{ 307, "location", "https://elsewhere/", "", MLV_S3_FAULT_REGION },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MlvHttpRequest) request =
			answer(rows[i].status, rows[i].field, rows[i].value, rows[i].body);
		MlvS3Fault fault = { 0 };

		assert_true(mlv_s3_fault_read(&fault, request, TRUE));
		assert_int_equal(mlv_s3_fault_kind(&fault), rows[i].kind);
		mlv_s3_fault_clear(&fault);
	}
}

static void the_region_is_read_wherever_it_stands(void **state)
{
	static const char *const bodies[] = {
		"<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message>"
		"<Region>eu-west-1</Region></Error>",
		"<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is "
		"wrong; expecting 'eu-west-1'</Message></Error>",
	};
	MlvS3Fault fault = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
		g_autoptr(MlvHttpRequest) request = answer(400, NULL, NULL, bodies[i]);

		mlv_s3_fault_read(&fault, request, FALSE);
		assert_string_equal(fault.region, "eu-west-1");
	}
	g_autoptr(MlvHttpRequest) bad = answer(400, "x-amz-bucket-region", "a b/../c", "");
	mlv_s3_fault_read(&fault, bad, FALSE);
	assert_null(fault.region);
	g_autoptr(MlvHttpRequest) good = answer(200, NULL, NULL, REFUSAL("InternalError"));
	assert_false(mlv_s3_fault_read(&fault, good, FALSE));
	mlv_s3_fault_clear(&fault);
}

static void what_a_message_says_holds_no_secret(void **state)
{
	static const struct {
		guint status;
		const char *code, *message, *says;
	} rows[] = {
		{ 403, "AccessDenied", "no", "needs the right s3:PutObject" },
		{ 403, "SignatureDoesNotMatch", "hush-token", "the secret key that goes with it" },
		{ 403, "InvalidAccessKeyId", "x",
		  "does not know the access key AKID (from a test)" },
		{ 400, "ExpiredToken", "the token hush-token", "has expired" },
		{ 404, "NoSuchBucket", "x", "make it ('aws s3 mb s3://bucket'" },
		{ 403, "QuotaExceeded", "x", "mlv gc --remote" },
		{ 400, "Odd", "with hush-token in it", "400 Odd, tried" },
		{ 400, "Odd", "and hush-secret", "400 Odd, tried" },
		{ 503, "SlowDown", "", "run the command again later" },
	};
	g_autoptr(MlvS3Settings) settings = mlv_s3_settings_new("s3://bucket/p", NULL);
	g_autoptr(MlvS3Endpoint) endpoint = place("https://host", "r", "bucket", MLV_S3_AUTO);
	MlvS3Keys keys = { (char *)"AKID", (char *)"hush-secret", (char *)"hush-token", 0,
			   (char *)"a test" };
	MlvS3FaultContext context = { .verb = "write",
				      .name = "live/x",
				      .settings = settings,
				      .endpoint = endpoint,
				      .region = "r",
				      .keys = &keys };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		MlvS3Fault fault = { .status = rows[i].status,
				     .code = (char *)rows[i].code,
				     .message = (char *)rows[i].message,
				     .is_s3 = TRUE };

		assert_false(mlv_s3_fault_fail(&fault, &context, &error));
		assert_non_null(strstr(error->message, rows[i].says));
		assert_non_null(strstr(error->message, "https://host"));
		assert_null(strstr(error->message, "hush"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_taken_literally),
		cmocka_unit_test(settings_that_exclude_each_other_are_refused),
		cmocka_unit_test_setup_teardown(a_key_of_ones_own_is_bytes_or_base64, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(a_bucket_has_its_place),
		cmocka_unit_test(an_endpoint_holds_no_more_than_a_server),
		cmocka_unit_test(the_region_moves_the_host),
		cmocka_unit_test(only_the_same_service_is_followed),
		cmocka_unit_test(a_page_is_decoded_only_if_it_says_that_it_is_encoded),
		cmocka_unit_test(a_page_that_is_none_is_an_error),
		cmocka_unit_test(queries_are_escaped),
		cmocka_unit_test(what_was_not_deleted_is_told),
		cmocka_unit_test(refusals_are_sorted),
		cmocka_unit_test(the_region_is_read_wherever_it_stands),
		cmocka_unit_test(what_a_message_says_holds_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
