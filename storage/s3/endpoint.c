/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/endpoint.h"

#include <string.h>

#include "storage/s3/sign.h"

#define AWS_SUFFIX   ".amazonaws.com"
#define CHINA_SUFFIX ".amazonaws.com.cn"

static gboolean is_aws(const char *host)
{
	return g_str_has_suffix(host, AWS_SUFFIX) || g_str_has_suffix(host, CHINA_SUFFIX);
}

/* "https://host:port/base", each part in its place; whatever else it holds was refused before. */
static gboolean split(MlvS3Endpoint *endpoint, const char *address, GError **error)
{
	g_autofree char *host = NULL, *path = NULL;
	int port, usual;
	gsize length;

	if (!mlv_s3_settings_check_endpoint(address, error) ||
	    !g_uri_split(address, G_URI_FLAGS_ENCODED, &endpoint->scheme, NULL, &host, &port, &path,
			 NULL, NULL, error))
		return FALSE;
	usual = strcmp(endpoint->scheme, "https") == 0 ? 443 : 80;
	endpoint->host =
		strchr(host, ':') ? g_strdup_printf("[%s]", host) : g_ascii_strdown(host, -1);
	endpoint->port = port > 0 && port != usual ? g_strdup_printf(":%d", port) : g_strdup("");
	for (length = strlen(path); length > 0 && path[length - 1] == '/';)
		length--;
	endpoint->base = g_strndup(path, length);
	endpoint->aws = is_aws(endpoint->host);
	return TRUE;
}

MlvS3Endpoint *mlv_s3_endpoint_new(const char *address, const char *region, GError **error)
{
	g_autoptr(MlvS3Endpoint) endpoint = g_new0(MlvS3Endpoint, 1);
	g_autofree char *amazon =
		g_strdup_printf("https://s3.%s%s", region,
				g_str_has_prefix(region, "cn-") ? CHINA_SUFFIX : AWS_SUFFIX);

	return split(endpoint, address ? address : amazon, error) ? g_steal_pointer(&endpoint)
								  : NULL;
}

void mlv_s3_endpoint_free(MlvS3Endpoint *endpoint)
{
	if (!endpoint)
		return;
	g_free(endpoint->scheme);
	g_free(endpoint->host);
	g_free(endpoint->port);
	g_free(endpoint->base);
	g_free(endpoint->bucket);
	g_free(endpoint->authority);
	g_free(endpoint);
}

/* --- the bucket's place ----------------------------------------------------------------------- */

/* Whether a certificate for *.HOST and the name server know BUCKET.HOST. */
static gboolean can_be_label(const char *bucket)
{
	gsize length = strlen(bucket);

	return length >= 3 && length <= 63 &&
	       strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
	       bucket[0] != '-' && bucket[length - 1] != '-';
}

static void set_authority(MlvS3Endpoint *endpoint)
{
	g_free(endpoint->authority);
	endpoint->authority =
		g_strconcat(endpoint->is_virtual ? endpoint->bucket : "",
			    endpoint->is_virtual ? "." : "", endpoint->host, endpoint->port, NULL);
}

void mlv_s3_endpoint_place(MlvS3Endpoint *endpoint, const char *bucket, MlvS3Addressing addressing)
{
	g_free(endpoint->bucket);
	endpoint->bucket = g_strdup(bucket);
	endpoint->is_virtual = addressing == MLV_S3_VIRTUAL ||
			       (addressing == MLV_S3_AUTO && endpoint->aws && can_be_label(bucket));
	set_authority(endpoint);
}

char *mlv_s3_endpoint_path(const MlvS3Endpoint *endpoint, const char *key)
{
	g_autofree char *bucket = mlv_s3_escape(endpoint->bucket, -1, FALSE);
	g_autofree char *escaped = key ? mlv_s3_escape(key, -1, TRUE) : NULL;

	if (endpoint->is_virtual)
		return g_strconcat(endpoint->base, "/", escaped, NULL);
	return g_strconcat(endpoint->base, "/", bucket, key ? "/" : NULL, escaped, NULL);
}

char *mlv_s3_endpoint_address(const MlvS3Endpoint *endpoint)
{
	return g_strconcat(endpoint->scheme, "://", endpoint->authority, NULL);
}

/* --- regions ---------------------------------------------------------------------------------- */

/* Where Amazon's host has its region: "s3.REGION.amazonaws.com", "s3-REGION....",
 * "s3.dualstack.REGION....", "s3-fips.REGION....". FALSE where there is none, as in
 * "s3.amazonaws.com". */
static gboolean find_aws_region(const char *host, gsize *begin, gsize *length)
{
	gsize end = strlen(host) -
		    strlen(g_str_has_suffix(host, AWS_SUFFIX) ? AWS_SUFFIX : CHINA_SUFFIX);
	gsize at = end;

	while (at > 0 && host[at - 1] != '.')
		at--;
	if (at == 0 && g_str_has_prefix(host, "s3-"))
		at = 3;
	*begin = at;
	*length = end - at;
	/* Each has a digit at its end; "s3", "s3-external-1", "s3-accelerate" are none. */
	return at > 0 && end > at && g_ascii_isdigit(host[end - 1]) &&
	       !g_str_has_prefix(host + at, "external-");
}

char *mlv_s3_endpoint_region(const MlvS3Endpoint *endpoint)
{
	gsize begin, length;

	return endpoint->aws && find_aws_region(endpoint->host, &begin, &length)
		       ? g_strndup(endpoint->host + begin, length)
		       : NULL;
}

static char *replace(const char *host, gsize begin, gsize length, const char *with)
{
	return g_strdup_printf("%.*s%s%s", (int)begin, host, with, host + begin + length);
}

/* The host's name for another region, or NULL if it tells none. */
static char *moved_host(const MlvS3Endpoint *endpoint, const char *from, const char *to)
{
	gsize begin, length;

	if (endpoint->aws && find_aws_region(endpoint->host, &begin, &length))
		return replace(endpoint->host, begin, length, to);
	if (endpoint->aws)
		return g_strdup_printf("s3.%s%s", to,
				       g_str_has_suffix(endpoint->host, AWS_SUFFIX) ? AWS_SUFFIX
										    : CHINA_SUFFIX);
	length = strlen(from);
	for (const char *at = strstr(endpoint->host, from); at && length > 0;
	     at = strstr(at + 1, from)) {
		/* A label of its own, and not of the domain. */
		if ((at == endpoint->host || at[-1] == '.') && at[length] == '.' &&
		    strchr(at + length + 1, '.'))
			return replace(endpoint->host, (gsize)(at - endpoint->host), length, to);
	}
	return NULL;
}

gboolean mlv_s3_endpoint_move(MlvS3Endpoint *endpoint, const char *from, const char *to)
{
	g_autofree char *host = moved_host(endpoint, from, to);

	if (!host || strcmp(host, endpoint->host) == 0)
		return FALSE;
	g_free(endpoint->host);
	endpoint->host = g_steal_pointer(&host);
	set_authority(endpoint);
	return TRUE;
}

/* The label in which two hosts differ, if it is one, and ours is our region. */
static char *other_label(const char *ours, const char *theirs, const char *region)
{
	g_auto(GStrv) a = g_strsplit(ours, ".", 16), b = g_strsplit(theirs, ".", 16);
	guint count = g_strv_length(a);
	char *found = NULL;

	if (count != g_strv_length(b) || count < 3)
		return NULL;
	for (guint i = 0; i < count; i++) {
		if (strcmp(a[i], b[i]) == 0)
			continue;
		if (found || strcmp(a[i], region) != 0 || i + 2 >= count) {
			g_free(found);
			return NULL;
		}
		found = g_strdup(b[i]);
	}
	return found;
}

/* Takes scheme, port and bucket off; NULL where scheme or port are not ours. */
static char *bare_host(const MlvS3Endpoint *endpoint, const char *target)
{
	gboolean is_url = strstr(target, "://") != NULL;
	g_autofree char *url =
		is_url ? g_strdup(target) : g_strconcat(endpoint->scheme, "://", target, NULL);
	g_autofree char *bucket = g_strconcat(endpoint->bucket, ".", NULL);
	g_autoptr(MlvS3Endpoint) other = g_new0(MlvS3Endpoint, 1);
	g_autofree char *clean = NULL;

	/* A path or parameters behind the host do not matter: they are not taken from there. */
	gsize authority = strlen(endpoint->scheme) + 3;
	if (strncmp(url, endpoint->scheme, strlen(endpoint->scheme)) != 0)
		return NULL;
	clean = g_strndup(url, authority + strcspn(url + authority, "/?#"));
	if (!split(other, clean, NULL) || strcmp(other->scheme, endpoint->scheme) != 0 ||
	    (is_url && strcmp(other->port, endpoint->port) != 0))
		return NULL;
	return g_strdup(other->host + (g_str_has_prefix(other->host, bucket) ? strlen(bucket) : 0));
}

char *mlv_s3_endpoint_redirect(const MlvS3Endpoint *endpoint, const char *region,
			       const char *target)
{
	g_autofree char *host = bare_host(endpoint, target);
	gsize begin, length;

	if (!host)
		return NULL;
	if (!endpoint->aws)
		return other_label(endpoint->host, host, region);
	if (!is_aws(host) ||
	    g_str_has_suffix(host, CHINA_SUFFIX) != g_str_has_suffix(endpoint->host, CHINA_SUFFIX))
		return NULL;
	if (!find_aws_region(host, &begin, &length))
		return strcmp(host, "s3" AWS_SUFFIX) == 0 ? g_strdup("us-east-1") : NULL;
	return g_strndup(host + begin, length);
}
