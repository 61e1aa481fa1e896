/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of http(s), as users write them and servers name them. Whatever stands in one that may
 * be a secret is kept out of messages: user and password are refused, queries are not shown.
 *
 * Pure functions; any thread.
 */
#ifndef MLV_STORAGE_HTTP_HTTP_URL_H
#define MLV_STORAGE_HTTP_HTTP_URL_H

#include "storage/error.h"

/* Bytes of an address, at most. */
#define MLV_HTTP_URL_MAX 2048

/* Begins with http:// or https://, in any case. */
gboolean mlv_http_url_is(const char *url);
/* Whether it can be asked for: a host, at most MLV_HTTP_URL_MAX bytes, no blanks, no control
 * characters, no bytes above 126, no user or password. MLV_ERROR_USAGE says what is wrong, and
 * never repeats a password. */
gboolean mlv_http_url_check(const char *url, GError **error);
/* Whether some "scheme://user[:password]@host" stands there, of any scheme. */
gboolean mlv_http_url_has_login(const char *url);

/* "https://host:port" with host in lower case and the port always there: what a login is for. Of a
 * checked address. Caller frees. */
char *mlv_http_url_origin(const char *url);
/* The address that `location` (absolute or not) names, seen from `base`; without a fragment. NULL
 * if there is none. Caller frees. */
char *mlv_http_url_resolve(const char *base, const char *location);
/* Without login, query and fragment: for messages. Any text will do. Caller frees. */
char *mlv_http_url_shown(const char *url);
/* The last part of the path, percent-escapes decoded; NULL where there is none. Caller frees. */
char *mlv_http_url_name(const char *url);

#endif
