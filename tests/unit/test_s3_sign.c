/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures against those that AWS has published, and, for awkward keys, against those of another
 * signer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/id.h"
#include "storage/s3/sign.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct {
	const char *method, *path, *query;
	const char *headers; /* "Name: value\n..." */
	const char *signature;
} Case;

static const char *field(GPtrArray *headers, const char *name)
{
	gsize length = strlen(name);

	for (guint i = 0; i < headers->len; i++) {
		const char *line = g_ptr_array_index(headers, i);

		if (strncmp(line, name, length) == 0 && strncmp(line + length, ": ", 2) == 0)
			return line + length + 2;
	}
	return NULL;
}

static GPtrArray *lines_of(const char *text)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	for (const char *end; text && (end = strchr(text, '\n')); text = end + 1)
		g_ptr_array_add(lines, g_strndup(text, (gsize)(end - text)));
	return lines;
}

static void assert_signed(MlvS3Signing *signing, const MlvS3Keys *keys, const Case *expected)
{
	g_autoptr(GPtrArray) headers = lines_of(expected->headers);
	g_autoptr(GPtrArray) out = NULL;
	const char *found;

	signing->method = expected->method;
	signing->path = expected->path;
	signing->query = expected->query ? expected->query : "";
	signing->headers = headers;
	out = mlv_s3_sign(signing, keys);
	found = strstr(field(out, "Authorization"), "Signature=");
	if (!g_str_equal(found + strlen("Signature="), expected->signature))
		fail_msg("'%s?%s': %s", expected->path, signing->query, found);
}

/* "Authenticating Requests (AWS Signature Version 4)" in the reference of Amazon S3. */
static void the_four_examples_of_the_s3_reference_are_signed_as_they_are_there(void **state)
{
	static const char body[] = "Welcome to Amazon S3.";
	static const MlvS3Keys keys = { .id = (char *)"AKIAIOSFODNN7EXAMPLE",
					.secret = (char *)"wJalrXUtnFEMI/K7MDENG/"
							  "bPxRfiCYEXAMPLEKEY" };
	static const Case cases[] = {
		{ "GET", "/test.txt", "", "Range: bytes=0-9\n",
		  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
		{ "GET", "/", "lifecycle", NULL,
		  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
		{ "GET", "/", "max-keys=2&prefix=J", NULL,
		  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
	};
	static const Case put = {
		"PUT", "/test%24file.text", "",
		"Date: Fri, 24 May 2013 00:00:00 GMT\nx-amz-storage-class: REDUCED_REDUNDANCY\n",
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
	};
	MlvS3Signing signing = { .host = "examplebucket.s3.amazonaws.com",
				 .payload = EMPTY,
				 .region = "us-east-1",
				 .service = "s3",
				 .time = 1369353600 };
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_signed(&signing, &keys, &cases[i]);
	mlv_id_of(body, strlen(body), &id);
	mlv_id_format(&id, hex);
	signing.payload = hex;
	assert_signed(&signing, &keys, &put);
}

#define RELATIVE   "/example1/example2/../.."
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* The test suite for Signature Version 4, as far as it goes for services that take paths as they
 * are. */
static void the_published_test_suite_is_signed_as_it_says(void **state)
{
	static const MlvS3Keys keys = { .id = (char *)"AKIDEXAMPLE",
					.secret = (char *)"wJalrXUtnFEMI/K7MDENG+"
							  "bPxRfiCYEXAMPLEKEY" };
	static const Case cases[] = {
		{ "GET", "/", "Param1=value1", NULL,
		  "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
		{ "GET", "/", "Param2=value2&Param1=value1", NULL,
		  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
		{ "GET", "/", "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", NULL,
		  "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac" },
		{ "GET", "/", UNRESERVED "=" UNRESERVED, NULL,
		  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
		{ "GET", "/", "%E1%88%B4=bar", NULL,
		  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
		{ "GET", "/" UNRESERVED, "", NULL,
		  "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
		{ "GET", "/%E1%88%B4", "", NULL,
		  "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
		{ "GET", "/example%20space/", "", NULL,
		  "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
		{ "GET", "//example//", "", NULL,
		  "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5" },
		{ "GET", "/./", "", NULL,
		  "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145" },
		{ "GET", RELATIVE, "", NULL,
		  "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b" },
		{ "GET", "/", "", "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n",
		  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
		{ "GET", "/", "",
		  "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n",
		  "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
		{ "GET", "/", "", "My-Header1: value1\nMy-Header2: \"a   b   c\"\n",
		  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	};
	MlvS3Signing signing = { .host = "example.amazonaws.com",
				 .payload = EMPTY,
				 .region = "us-east-1",
				 .service = "service",
				 .time = 1440938160 };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_signed(&signing, &keys, &cases[i]);
}

static void a_session_token_is_signed_and_sent(void **state)
{
	static const MlvS3Keys keys = { .id = (char *)"AKIDEXAMPLE",
					.secret = (char *)"wJalrXUtnFEMI/K7MDENG+"
							  "bPxRfiCYEXAMPLEKEY",
					.token = (char *)"6e86291e8372ff2a2260956d9b8aae1d"
							 "763fbf315fa00fa31553b73ebf194267" };
	static const Case expected = {
		"GET", "/", "", NULL,
		"07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"
	};
	MlvS3Signing signing = { .host = "example.amazonaws.com",
				 .payload = EMPTY,
				 .region = "us-east-1",
				 .service = "service",
				 .time = 1440938160 };

	assert_signed(&signing, &keys, &expected);
	signing.headers = NULL;
	g_autoptr(GPtrArray) out = mlv_s3_sign(&signing, &keys);
	assert_string_equal(field(out, "X-Amz-Security-Token"), keys.token);
	assert_null(strstr(field(out, "Authorization"), keys.token));
}

static void awkward_keys_and_queries_are_signed_as_another_signer_does(void **state)
{
	static const MlvS3Keys keys = { .id = (char *)"tenant:user:key",
					.secret = (char *)"sec/ret+key",
					.token = (char *)"to/ken+=" };
	static const Case names[] = {
		{ "GET", "a b/c+d=e", "", NULL,
		  "c3fe86c947d5bc10b5ba6ab783a4d49923ed8df0de78b430cbcc491944ee5b9e" },
		{ "GET", "//x/./y/../z//", "", NULL,
		  "281e8d2d673a0294752d952851d1c4f79b46cd04b76296656505554422315026" },
		{ "GET", "100%41%/%2F", "", NULL,
		  "22226f008d4f111a2bb08395b070e17b67e79018b4e59c340d465fcf45a37ea1" },
		{ "GET", "()!'*,;:@&=$?#[]", "", NULL,
		  "03e6c0beeab31298707026bc1be706728c9391e622848622611b5e6433d75877" },
		{ "GET", "\u00fcn\u00ef/\u65e5\u672c/\U0001f600", "", NULL,
		  "8782435ee7cadb7b873429af6e94a71a375953a67b8e2214872a098ae19e8813" },
		{ "GET", "back\\slash\"\n\x7f", "", NULL,
		  "d2e6ec6705a2ed2a20e529cbad2be72dc0839cdc57275bfd1bebdb7d871a4bcf" },
		{ "GET", "k",
		  "list-type=2&continuation-token=a%2Fb%2Bc%3Dd%5D%20%3A&prefix=%C3%BC%20%25"
		  "&delimiter=%2F&encoding-type=url",
		  NULL, "85508ba4350f5549f8e4d8e6757d2f8c75a6aa2d99dccc677ec59a71be46125b" },
		{ "GET", "k", "uploads", NULL,
		  "c09faa59e6873e7760d6cf928dd00eaf221ed5f5ede983fbd98d8127b7073048" },
		{ "GET", "k", "",
		  "x-amz-meta-a: 1\nx-amz-meta-a-b: 2\nRange: bytes=0-0\n"
		  "x-amz-copy-source: /b/%20\n",
		  "e2aa67be83ac0859ba66d0773a354eef09d6125e46f08ce2df13b9c594920277" },
	};
	MlvS3Signing signing = { .host = "bucket.example.org:8080",
				 .payload = "UNSIGNED-PAYLOAD",
				 .region = "eu-west-3",
				 .service = "s3",
				 .time = 1709251199 };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *escaped = mlv_s3_escape(names[i].path, -1, TRUE);
		g_autofree char *path = g_strconcat("/", escaped, NULL);
		Case expected = names[i];

		expected.path = path;
		assert_signed(&signing, &keys, &expected);
	}
}

static void the_headers_to_send_are_complete(void **state)
{
	static const MlvS3Keys keys = { .id = (char *)"id", .secret = (char *)"hidden" };
	MlvS3Signing signing = { .method = "GET",
				 .host = "h:1",
				 .path = "/",
				 .query = "",
				 .payload = "UNSIGNED-PAYLOAD",
				 .region = "r",
				 .service = "s3",
				 .time = 0 };
	g_autoptr(GPtrArray) out = mlv_s3_sign(&signing, &keys);

	assert_int_equal(out->len, 4);
	assert_string_equal(field(out, "Host"), "h:1");
	assert_string_equal(field(out, "X-Amz-Date"), "19700101T000000Z");
	assert_string_equal(field(out, "X-Amz-Content-Sha256"), "UNSIGNED-PAYLOAD");
	for (guint i = 0; i < out->len; i++)
		assert_null(strstr(g_ptr_array_index(out, i), keys.secret));

	g_autoptr(GPtrArray) anonymous = mlv_s3_sign(&signing, NULL);
	assert_int_equal(anonymous->len, 1);
	assert_string_equal(field(anonymous, "Host"), "h:1");
}

static void escaping_leaves_only_what_is_unreserved(void **state)
{
	g_autofree char *all = mlv_s3_escape("aZ09-._~/ +%\x80\xff", -1, FALSE);
	g_autofree char *path = mlv_s3_escape("a/b\0c", 5, TRUE);
	g_autofree char *none = mlv_s3_escape("", 0, TRUE);

	assert_string_equal(all, "aZ09-._~%2F%20%2B%25%80%FF");
	assert_string_equal(path, "a/b%00c");
	assert_string_equal(none, "");
}

/* RFC 4231, test case 2; RFC 1321, appendix A.5. */
static void digests_are_those_of_their_specifications(void **state)
{
	static const char data[] = "what do ya want for nothing?";
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_hmac("Jefe", 4, data, strlen(data), &id);
	mlv_id_format(&id, hex);
	assert_string_equal(hex,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	g_autofree char *md5 = mlv_md5_base64("abc", 3);
	assert_string_equal(md5, "kAFQmDzST7DWlj99KOF/cg==");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_four_examples_of_the_s3_reference_are_signed_as_they_are_there),
		cmocka_unit_test(the_published_test_suite_is_signed_as_it_says),
		cmocka_unit_test(a_session_token_is_signed_and_sent),
		cmocka_unit_test(awkward_keys_and_queries_are_signed_as_another_signer_does),
		cmocka_unit_test(the_headers_to_send_are_complete),
		cmocka_unit_test(escaping_leaves_only_what_is_unreserved),
		cmocka_unit_test(digests_are_those_of_their_specifications),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
