/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A medium that is a folder of some web server: it can be read, by GET and nothing else. What lies
 * there is told by the list that `mlv remote publish` writes (storage/published.h); a server that
 * knows no ranges is read all the same, only that more comes than is wanted.
 *
 *	MlvMediumHttpOptions options = { .url = "https://example.org/data" };
 *	g_autoptr(MlvMedium) medium = mlv_medium_http_new(&options, error);
 *
 * One thread at a time, as media are.
 */
#ifndef MLV_STORAGE_HTTP_MEDIUM_HTTP_H
#define MLV_STORAGE_HTTP_MEDIUM_HTTP_H

#include "storage/http/web.h"
#include "storage/medium.h"

typedef struct {
	const char *url; /* of the folder; neither login nor query */
	MlvHttpOptions http;
	const MlvWebHelper *helper; /* who knows logins; may be NULL */
} MlvMediumHttpOptions;

/* Whether it can be the address of such a folder; MLV_ERROR_USAGE says why not. */
gboolean mlv_medium_http_check_url(const char *url, GError **error);
/* All is copied but what `http` and `helper` point to in turn. Connects to nothing yet. */
MlvMedium *mlv_medium_http_new(const MlvMediumHttpOptions *options, GError **error);

#endif
