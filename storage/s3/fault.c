/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/fault.h"

#include <string.h>

#include "storage/s3/xml.h"

#define TEXT_MAX 300 /* bytes of a server's message that are passed on */

/* --- reading ---------------------------------------------------------------------------------- */

/* A code is a word; what is none is no code. */
static gboolean is_code(const char *text)
{
	gsize length = strlen(text);

	if (length == 0 || length > 64)
		return FALSE;
	for (gsize i = 0; i < length; i++)
		if (!g_ascii_isalnum(text[i]) && !strchr("._-", text[i]))
			return FALSE;
	return TRUE;
}

static void set_text(char **place, const char *text)
{
	if (*place && **place)
		return;
	g_free(*place);
	*place = g_utf8_make_valid(text, (gssize)MIN(strlen(text), TEXT_MAX));
}

static void set_region(MlvS3Fault *fault, const char *region)
{
	if (!fault->region && mlv_s3_settings_check_region(region, NULL))
		fault->region = g_strdup(region);
}

static gboolean take(const char *path, const char *text, gpointer user, GError **error)
{
	MlvS3Fault *fault = user;

	if (strcmp(path, "Error/Code") == 0 && is_code(text))
		set_text(&fault->code, text);
	else if (strcmp(path, "Error/Message") == 0)
		set_text(&fault->message, text);
	else if (strcmp(path, "Error/Region") == 0)
		set_region(fault, text);
	else if (strcmp(path, "Error/Endpoint") == 0 && *text && !fault->target)
		fault->target = g_strdup(text);
	return TRUE;
}

/* "... the region 'us-east-1' is wrong; expecting 'eu-central-1'", where there is no <Region>. */
static void find_expected(MlvS3Fault *fault)
{
	const char *at = fault->message ? strstr(fault->message, "expecting '") : NULL;
	g_autofree char *word = NULL;

	if (!at || strcmp(fault->code, "AuthorizationHeaderMalformed") != 0)
		return;
	at += strlen("expecting '");
	word = g_strndup(at, strcspn(at, "'"));
	set_region(fault, word);
}

gboolean mlv_s3_fault_read(MlvS3Fault *fault, const MlvHttpRequest *request,
			   gboolean may_hold_error)
{
	gboolean refused = request->status < 200 || request->status > 299;
	const char *region = mlv_http_request_field(request, "x-amz-bucket-region");
	const char *location = mlv_http_request_field(request, "location");

	mlv_s3_fault_clear(fault);
	fault->code = g_strdup("");
	fault->message = g_strdup("");
	if ((refused || may_hold_error) && request->answer && request->answer->len > 0)
		mlv_s3_xml_parse(request->answer->data, request->answer->len, MLV_S3_XML_SMALL,
				 "the answer", take, fault, NULL);
	fault->is_s3 = *fault->code || !request->answer || request->answer->len == 0 ||
		       mlv_http_request_field(request, "x-amz-request-id");
	if (!refused && !*fault->code) {
		mlv_s3_fault_clear(fault);
		return FALSE;
	}
	fault->status = request->status;
	if (region)
		set_region(fault, region);
	find_expected(fault);
	if (location && !fault->target)
		fault->target = g_strdup(location);
	return TRUE;
}

void mlv_s3_fault_clear(MlvS3Fault *fault)
{
	g_free(fault->code);
	g_free(fault->message);
	g_free(fault->region);
	g_free(fault->target);
	memset(fault, 0, sizeof(*fault));
}

/* --- kinds ------------------------------------------------------------------------------------ */

static gboolean has_code(const MlvS3Fault *fault, const char *const *codes)
{
	return g_strv_contains(codes, fault->code);
}

MlvS3FaultKind mlv_s3_fault_kind(const MlvS3Fault *fault)
{
	static const char *const busy[] = { "SlowDown",
					    "ServiceUnavailable",
					    "InternalError",
					    "RequestTimeout",
					    "Throttling",
					    "ThrottlingException",
					    "TooManyRequests",
					    "RequestLimitExceeded",
					    "BandwidthLimitExceeded",
					    "OperationAborted",
					    NULL };
	static const char *const damaged[] = { "XAmzContentSHA256Mismatch", "BadDigest",
					       "InvalidDigest", "IncompleteBody", NULL };
	static const char *const clock[] = { "RequestTimeTooSkewed", "RequestExpired", NULL };
	static const char *const expired[] = { "ExpiredToken", "ExpiredTokenException",
					       "TokenRefreshRequired", NULL };
	static const char *const region[] = { "AuthorizationHeaderMalformed",
					      "PermanentRedirect",
					      "TemporaryRedirect",
					      "InvalidRegion",
					      "IllegalLocationConstraintException",
					      NULL };
	guint status = fault->status;

	if (has_code(fault, busy) || status == 408 || status == 429 || status == 500 ||
	    status == 502 || status == 503 || status == 504 || status == 509)
		return MLV_S3_FAULT_BUSY;
	if (has_code(fault, damaged))
		return MLV_S3_FAULT_DAMAGED;
	if (has_code(fault, clock))
		return MLV_S3_FAULT_CLOCK;
	if (has_code(fault, expired))
		return MLV_S3_FAULT_EXPIRED;
	if (has_code(fault, region) || (status > 300 && status < 309 && status != 304) ||
	    (status == 400 && fault->region && !*fault->code))
		return MLV_S3_FAULT_REGION;
	/* A page of some other server, or of a proxy, says nothing about the key. */
	if (status == 404 &&
	    (strcmp(fault->code, "NoSuchKey") == 0 || (!*fault->code && fault->is_s3)))
		return MLV_S3_FAULT_MISSING;
	/* An error with a 200 that is not known: the server broke off in the middle. */
	return status < 300 ? MLV_S3_FAULT_BUSY : MLV_S3_FAULT_FINAL;
}

/* --- telling ---------------------------------------------------------------------------------- */

/* The server's own words, unless they repeat what must not be seen. */
static char *words_of(const MlvS3Fault *fault, const MlvS3FaultContext *context)
{
	const MlvS3Keys *keys = context->keys;
	const char *text = fault->message;

	if (!*text || strstr(text, "AWS4-HMAC-SHA256") ||
	    (keys && keys->token && strstr(text, keys->token)) ||
	    (keys && strstr(text, keys->secret)))
		return g_strdup("");
	return g_strdup_printf(" (%s)", text);
}

static char *key_of(const MlvS3FaultContext *context)
{
	return context->keys ? g_strdup_printf("the access key %s (from %s)", context->keys->id,
					       context->keys->origin)
			     : g_strdup("no access key");
}

static char *denied(const MlvS3Fault *fault, const MlvS3FaultContext *context)
{
	static const char *const rights[][2] = { { "read", "s3:GetObject" },
						 { "write", "s3:PutObject" },
						 { "delete", "s3:DeleteObject" },
						 { "list", "s3:ListBucket" } };
	g_autofree char *key = key_of(context), *words = words_of(fault, context);
	g_autofree char *looked = NULL;
	const char *right = "";

	for (gsize i = 0; i < G_N_ELEMENTS(rights); i++)
		if (strcmp(context->verb, rights[i][0]) == 0)
			right = rights[i][1];
	if (context->keys)
		return g_strdup_printf(
			"access is denied to %s%s; it needs the right %s there, and s3:ListBucket on "
			"the bucket (without that one what is absent is denied too); see mlv-s3(7)",
			key, words, right);
	if (context->settings->anonymous)
		return g_strdup_printf("access is denied to anonymous requests%s; unset "
				       "'anonymous' and give credentials, see mlv-s3(7)",
				       words);
	looked = mlv_s3_chain_describe(context->chain);
	return g_strdup_printf(
		"access is denied, and no credentials were found: %s; set AWS_ACCESS_KEY_ID and "
		"AWS_SECRET_ACCESS_KEY, or a profile, see mlv-s3(7)",
		looked);
}

/* What is wrong with the credentials, or NULL. */
static char *about_keys(const MlvS3Fault *fault, const MlvS3FaultContext *context)
{
	g_autofree char *key = key_of(context), *words = words_of(fault, context);
	const char *code = fault->code;

	if (strcmp(code, "SignatureDoesNotMatch") == 0)
		return g_strdup_printf("the server does not accept the signature of %s: the secret "
				       "key that goes with it is wrong; correct it where it comes "
				       "from",
				       key);
	if (strcmp(code, "InvalidAccessKeyId") == 0 || strcmp(code, "XAdminUserNotFound") == 0)
		return g_strdup_printf("the server does not know %s; check that it belongs to this "
				       "server, or name another profile",
				       key);
	if (mlv_s3_fault_kind(fault) == MLV_S3_FAULT_EXPIRED)
		return g_strdup_printf("the session of %s has expired; log in anew where it comes "
				       "from ('aws sso login', say) and run the command again",
				       key);
	if (strcmp(code, "InvalidToken") == 0)
		return g_strdup_printf("the server does not accept the session token of %s; get a "
				       "new one",
				       key);
	if (mlv_s3_fault_kind(fault) == MLV_S3_FAULT_CLOCK)
		return g_strdup_printf(
			"the clock here differs too much from the server's%s; set it "
			"right and run the command again",
			words);
	if (fault->status == 401 ||
	    (fault->status == 403 && (strcmp(code, "AccessDenied") == 0 || !*code)))
		return denied(fault, context);
	return NULL;
}

/* A key of the user's own that is lacking, or another; NULL: it is not that. Servers have no code
 * for it. */
static char *about_own_key(const MlvS3Fault *fault, const MlvS3FaultContext *context)
{
	g_autofree char *words = words_of(fault, context);
	gboolean has_key = context->settings->sse_key_file != NULL;

	if (!has_key && strstr(fault->message, "Server Side Encryption"))
		return g_strdup("it is encrypted with a key of its writer's: set the remote's "
				"'sseKeyFile' to a file with that key");
	if (has_key && strstr(fault->message, " key"))
		return g_strdup_printf("the key of 'sseKeyFile' is not the one that it is "
				       "encrypted with%s",
				       words);
	return NULL;
}

/* What is wrong with the place, or NULL. */
static char *about_place(const MlvS3Fault *fault, const MlvS3FaultContext *context)
{
	const char *bucket = context->settings->bucket;
	const char *code = fault->code;

	if (strcmp(code, "NoSuchBucket") == 0 && context->endpoint->is_virtual &&
	    !context->endpoint->aws)
		return g_strdup_printf("there is no bucket '%s', or the server knows none by the "
				       "host's name: make it, or set the remote's 'addressing' to "
				       "'path'",
				       bucket);
	if (strcmp(code, "NoSuchBucket") == 0)
		return g_strdup_printf("there is no bucket '%s'; make it ('aws s3 mb s3://%s', or "
				       "in the server's console) or correct the remote's url",
				       bucket, bucket);
	if (mlv_s3_fault_kind(fault) == MLV_S3_FAULT_REGION && fault->target)
		return g_strdup_printf(
			"the server redirects to '%s', which is not the same service "
			"in another region; if that is right, set the remote's "
			"'endpoint' to it",
			fault->target);
	if (mlv_s3_fault_kind(fault) == MLV_S3_FAULT_REGION)
		return g_strdup_printf(
			"the region '%s' is wrong, and the server does not say which "
			"is right; set the remote's 'region'",
			context->region);
	if (strcmp(code, "QuotaExceeded") == 0 || fault->status == 507)
		return g_strdup("the quota there is used up; 'mlv gc --remote' drops what nothing "
				"needs any more, or have the quota raised");
	if (strcmp(code, "InvalidObjectState") == 0)
		return g_strdup("the object lies in an archive; restore it first, and choose "
				"another 'storageClass' for what is pushed");
	if (fault->status == 400)
		return about_own_key(fault, context);
	if (fault->status == 404 && !fault->is_s3)
		return g_strdup("the answer is a 404 that is none of an S3 server's; check the "
				"remote's 'endpoint'");
	return NULL;
}

gboolean mlv_s3_fault_fail(const MlvS3Fault *fault, const MlvS3FaultContext *context,
			   GError **error)
{
	g_autofree char *address = mlv_s3_endpoint_address(context->endpoint);
	g_autofree char *what = context->name ? g_strdup_printf("'%s' at '%s'", context->name,
								context->settings->url)
					      : g_strdup_printf("'%s'", context->settings->url);
	g_autofree char *why = about_keys(fault, context);

	if (!why)
		why = about_place(fault, context);
	if (!why) {
		g_autofree char *words = words_of(fault, context);
		const char *next = "";

		if (mlv_s3_fault_kind(fault) == MLV_S3_FAULT_BUSY)
			next = "; run the command again later, it goes on where it was";
		else if (mlv_s3_fault_kind(fault) == MLV_S3_FAULT_DAMAGED)
			next = "; what is sent is damaged on its way, each time: check the "
			       "network, and this machine's memory, and run 'mlv fsck'";
		why = g_strdup_printf("the server answers %u%s%s%s, tried %u time%s%s",
				      fault->status, *fault->code ? " " : "", fault->code, words,
				      MAX(context->tries, 1), context->tries > 1 ? "s" : "", next);
	}
	return mlv_fail(error, MLV_ERROR_FAILED, "cannot %s %s (%s): %s", context->verb, what,
			address, why);
}
