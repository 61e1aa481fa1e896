/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/http/http_url.h"

#include <string.h>

/* What stands behind "scheme://", or NULL. */
static const char *after_scheme(const char *url)
{
	const char *colon = strstr(url, "://");

	for (const char *at = url; colon && at < colon; at++)
		if (!g_ascii_isalnum(*at) && !strchr("+-.", *at))
			return NULL;
	return colon && colon > url ? colon + 3 : NULL;
}

/* Its length: up to path, query or fragment. */
static gsize authority_length(const char *authority)
{
	return strcspn(authority, "/?#\\");
}

gboolean mlv_http_url_is(const char *url)
{
	return g_ascii_strncasecmp(url, "http://", 7) == 0 ||
	       g_ascii_strncasecmp(url, "https://", 8) == 0;
}

/* "host:123", or no port at all. */
static gboolean has_plain_port(const char *authority, gsize length)
{
	const char *colon = memchr(authority, ':', length);
	gsize digits = 0;

	if (!colon || authority[0] == '[')
		return TRUE;
	while (g_ascii_isdigit(colon[1 + digits]))
		digits++;
	return colon + 1 + digits == authority + length;
}

gboolean mlv_http_url_has_login(const char *url)
{
	const char *authority = after_scheme(url);
	gsize length = authority ? authority_length(authority) : 0;

	/* A password may hold what ends an authority: "user:a/b@host". */
	return authority && (memchr(authority, '@', length) ||
			     (!has_plain_port(authority, length) && strchr(authority, '@')));
}

static gboolean check_port(const char *authority, gsize length)
{
	const char *end = authority + length;
	const char *colon = memrchr(authority, ':', length);
	guint64 port = 0;

	if (authority[0] == '[') {
		const char *bracket = memchr(authority, ']', length);

		if (!bracket || (bracket + 1 < end && bracket[1] != ':'))
			return FALSE;
		colon = bracket + 1 < end ? bracket + 1 : NULL;
	}
	if (!colon)
		return length > 0;
	for (const char *at = colon + 1; at < end; at++) {
		if (!g_ascii_isdigit(*at) || port > 65535)
			return FALSE;
		port = port * 10 + (guint64)(*at - '0');
	}
	return colon > authority && port > 0 && port <= 65535;
}

gboolean mlv_http_url_check(const char *url, GError **error)
{
	const char *authority = after_scheme(url);
	g_autofree char *shown = NULL;
	gsize length;

	if (mlv_http_url_has_login(url))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"the address holds a user name or a password, and would show it to "
				"everybody; leave it out, git's credential helper is asked for it");
	shown = mlv_http_url_shown(url);
	if (!mlv_http_url_is(url) || !authority)
		return mlv_fail(error, MLV_ERROR_USAGE, "'%s' is no address of http or https",
				shown);
	if (strlen(url) > MLV_HTTP_URL_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"the address '%.60s...' is longer than %d bytes", shown,
				MLV_HTTP_URL_MAX);
	for (const char *at = url; *at; at++)
		if ((guchar)*at <= ' ' || (guchar)*at >= 0x7f)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"the address '%s' has a blank, a control character or a "
					"letter that is not ASCII; write it as %%XX",
					shown);
	length = authority_length(authority);
	if (!check_port(authority, length) || memchr(authority, '%', length) ||
	    authority[length] == '\\')
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' names no host, or no port that can be", shown);
	return TRUE;
}

char *mlv_http_url_origin(const char *url)
{
	const char *authority = after_scheme(url);
	gboolean tls = g_ascii_strncasecmp(url, "https:", 6) == 0;
	g_autofree char *raw = g_strndup(authority, authority_length(authority));
	g_autofree char *host = g_ascii_strdown(raw, -1);
	const char *bracket = strrchr(host, ']');
	gboolean port = strrchr(bracket ? bracket : host, ':') != NULL;

	return g_strconcat(tls ? "https://" : "http://", host,
			   port  ? ""
			   : tls ? ":443"
				 : ":80",
			   NULL);
}

char *mlv_http_url_resolve(const char *base, const char *location)
{
	char *url = g_uri_resolve_relative(base, location, G_URI_FLAGS_ENCODED, NULL);

	if (url)
		url[strcspn(url, "#")] = '\0';
	return url;
}

char *mlv_http_url_shown(const char *url)
{
	const char *authority = after_scheme(url);
	const char *rest = authority ? authority : url;
	const char *end = rest + strcspn(rest, "?#");
	const char *at = authority ? memrchr(authority, '@', (gsize)(end - authority)) : NULL;

	if (at && !mlv_http_url_has_login(url))
		at = NULL;
	return g_strdup_printf("%.*s%.*s", (int)(rest - url), url,
			       (int)(end - (at ? at + 1 : rest)), at ? at + 1 : rest);
}

char *mlv_http_url_name(const char *url)
{
	const char *authority = after_scheme(url);
	const char *rest = authority ? authority + authority_length(authority) : url;
	g_autofree char *path = g_strndup(rest, strcspn(rest, "?#"));
	g_autofree char *decoded = NULL;
	const char *slash;

	while (*path && path[strlen(path) - 1] == '/')
		path[strlen(path) - 1] = '\0';
	slash = strrchr(path, '/');
	decoded = g_uri_unescape_string(slash ? slash + 1 : path, "/");
	return decoded && *decoded ? g_steal_pointer(&decoded) : NULL;
}
