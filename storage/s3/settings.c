/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/settings.h"

#include <fcntl.h>
#include <string.h>

#include "storage/file.h"

#define SCHEME       "s3://"
#define BUCKET_MAX   255
#define PREFIX_MAX   900 /* a key has 1024 bytes at most, and our names need about 90 */
#define REGION_MAX   64
#define VALUE_MAX    2048
#define KEY_BYTES    32
#define KEY_FILE_MAX 4096

static gboolean only(const char *text, gsize length, const char *others)
{
	for (gsize i = 0; i < length; i++)
		if (!g_ascii_isalnum(text[i]) && !strchr(others, text[i]))
			return FALSE;
	return TRUE;
}

/* Finds bucket and prefix; the prefix without the slashes at its end. */
static gboolean split_url(const char *url, gsize *bucket, const char **prefix, gsize *length,
			  GError **error)
{
	const char *begin = url + strlen(SCHEME);

	if (g_ascii_strncasecmp(url, SCHEME, strlen(SCHEME)) != 0)
		return mlv_fail(error, MLV_ERROR_USAGE, "'%s' does not begin with " SCHEME, url);
	*bucket = strcspn(begin, "/");
	*prefix = begin + *bucket + (begin[*bucket] ? 1 : 0);
	*length = strlen(*prefix);
	while (*length > 0 && (*prefix)[*length - 1] == '/')
		(*length)--;
	if (*bucket == 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' names no bucket; write s3://BUCKET/PREFIX", url);
	/* The whole URL is not repeated: what stands before '@' may be a secret. */
	if (memchr(begin, '@', *bucket))
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"an S3 address cannot hold credentials; write s3://BUCKET/PREFIX, and "
			"see mlv-s3(7) for where credentials come from");
	if (*bucket > BUCKET_MAX || !only(begin, *bucket, "-_.:"))
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"'%.*s' cannot be a bucket's name: it has letters, digits, '-', '_' "
			"and '.', at most %d",
			(int)MIN(*bucket, BUCKET_MAX), begin, BUCKET_MAX);
	if (*length > PREFIX_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE, "the prefix of '%s' is over %d bytes long",
				url, PREFIX_MAX);
	return TRUE;
}

gboolean mlv_s3_settings_check_url(const char *url, GError **error)
{
	gsize bucket, length;
	const char *prefix;

	return split_url(url, &bucket, &prefix, &length, error);
}

MlvS3Settings *mlv_s3_settings_new(const char *url, GError **error)
{
	MlvS3Settings *settings;
	gsize bucket, length;
	const char *prefix;

	if (!split_url(url, &bucket, &prefix, &length, error))
		return NULL;
	settings = g_new0(MlvS3Settings, 1);
	settings->url = g_strdup(url);
	settings->bucket = g_strndup(url + strlen(SCHEME), bucket);
	settings->prefix = g_strndup(prefix, length);
	return settings;
}

void mlv_s3_settings_free(MlvS3Settings *settings)
{
	if (!settings)
		return;
	g_free(settings->url);
	g_free(settings->bucket);
	g_free(settings->prefix);
	g_free(settings->endpoint);
	g_free(settings->region);
	g_free(settings->ca_file);
	g_free(settings->profile);
	g_free(settings->sse);
	g_free(settings->sse_kms_key);
	g_free(settings->sse_key_file);
	g_free(settings->storage_class);
	g_free(settings->acl);
	g_free(settings);
}

/* --- checks ----------------------------------------------------------------------------------- */

gboolean mlv_s3_settings_check_endpoint(const char *endpoint, GError **error)
{
	g_autofree char *scheme = NULL, *userinfo = NULL, *host = NULL, *query = NULL;
	g_autofree char *path = NULL, *fragment = NULL;
	int port;

	if (!g_uri_split(endpoint, G_URI_FLAGS_ENCODED, &scheme, &userinfo, &host, &port, &path,
			 &query, &fragment, NULL) ||
	    !scheme || !host || !*host ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is no address of a server; write https://HOST or "
				"http://HOST:PORT",
				userinfo ? "..." : endpoint);
	if (userinfo || query || fragment)
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"an endpoint is https://HOST:PORT alone; credentials and parameters "
			"do not belong there");
	return TRUE;
}

gboolean mlv_s3_settings_check_region(const char *region, GError **error)
{
	gsize length = strlen(region);

	return (length > 0 && length <= REGION_MAX && only(region, length, "-_")) ||
	       mlv_fail(error, MLV_ERROR_USAGE,
			"'%.64s' cannot be a region: it has letters, digits and '-'", region);
}

gboolean mlv_s3_settings_parse_addressing(const char *text, MlvS3Addressing *addressing,
					  GError **error)
{
	static const char *const words[] = { "auto", "path", "virtual" };

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*addressing = (MlvS3Addressing)i;
			return TRUE;
		}
	return mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' is no way of addressing: use auto, path or virtual", text);
}

/* What goes into a header as it is. */
static gboolean check_value(const char *key, const char *value, GError **error)
{
	gboolean ok = !value || (*value && strlen(value) <= VALUE_MAX);

	for (const char *at = value; ok && at && *at; at++)
		ok = g_ascii_isgraph(*at);
	return ok || mlv_fail(error, MLV_ERROR_USAGE,
			      "the value of '%s' must be a word of visible ASCII characters", key);
}

static gboolean check_encryption(const MlvS3Settings *settings, GError **error)
{
	const char *sse = settings->sse;

	if (sse && strcmp(sse, "AES256") != 0 && strcmp(sse, "aws:kms") != 0 &&
	    strcmp(sse, "aws:kms:dsse") != 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is no server-side encryption: use AES256 or aws:kms", sse);
	if (settings->sse_kms_key && (!sse || !g_str_has_prefix(sse, "aws:kms")))
		return mlv_fail(error, MLV_ERROR_USAGE, "'sseKmsKey' needs 'sse' to be aws:kms");
	if (settings->sse_key_file && sse)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'sse' and 'sseKeyFile' exclude each other: either the server has "
				"the key, or you");
	return TRUE;
}

gboolean mlv_s3_settings_check(const MlvS3Settings *settings, GError **error)
{
	if (settings->anonymous && settings->profile)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'anonymous' and 'profile' exclude each other: unset one of them");
	return (!settings->endpoint || mlv_s3_settings_check_endpoint(settings->endpoint, error)) &&
	       (!settings->region || mlv_s3_settings_check_region(settings->region, error)) &&
	       check_value("sse", settings->sse, error) &&
	       check_value("sseKmsKey", settings->sse_kms_key, error) &&
	       check_value("storageClass", settings->storage_class, error) &&
	       check_value("acl", settings->acl, error) && check_encryption(settings, error);
}

/* --- the user's own key ----------------------------------------------------------------------- */

GBytes *mlv_s3_settings_read_key(const char *path, GError **error)
{
	g_autoptr(GBytes) bytes = mlv_file_read(AT_FDCWD, path, KEY_FILE_MAX, error);
	g_autofree char *text = NULL;
	g_autofree guchar *key = NULL;
	gsize length;

	if (!bytes) {
		g_prefix_error(error, "the key of 'sseKeyFile': ");
		return NULL;
	}
	if (g_bytes_get_size(bytes) == KEY_BYTES)
		return g_steal_pointer(&bytes);
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	key = g_base64_decode(g_strstrip(text), &length);
	if (length == KEY_BYTES &&
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789+/=") == strlen(text))
		return g_bytes_new(key, length);
	mlv_fail(
		error, MLV_ERROR_USAGE,
		"'%s' is no key: it must hold %d bytes, or their base64 ('openssl rand -base64 32' "
		"makes one)",
		path, KEY_BYTES);
	return NULL;
}
