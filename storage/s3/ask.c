/* SPDX-License-Identifier: Apache-2.0 */
#include <gio/gio.h>

#include "storage/s3/credentials_private.h"
#include "storage/s3/secret.h"

void mlv_s3_address_clear(MlvS3Address *address)
{
	g_clear_pointer(&address->url, g_free);
	g_clear_pointer(&address->host, g_free);
	g_clear_pointer(&address->path, g_free);
	g_clear_pointer(&address->name, g_free);
}

/* Put together anew from its parts, so that whoever reads it sees the host that we have seen. */
gboolean mlv_s3_address_parse(const char *url, const char *what, MlvS3Address *address,
			      GError **error)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
	const char *name = uri ? g_uri_get_host(uri) : NULL;
	const char *scheme = uri ? g_uri_get_scheme(uri) : NULL;
	g_autofree char *path = NULL;
	gboolean six;
	int port;

	memset(address, 0, sizeof(*address));
	if (!name || !*name || strpbrk(name, "%/\\@ ") || g_uri_get_userinfo(uri) ||
	    g_uri_get_query(uri) || g_uri_get_fragment(uri) ||
	    (!g_str_equal(scheme, "https") && !g_str_equal(scheme, "http")))
		return mlv_fail(error, MLV_ERROR_FAILED,
				"%s is no address to send to: write http://HOST:PORT or "
				"https://HOST:PORT",
				what);
	address->tls = g_str_equal(scheme, "https");
	address->name = g_strdup(name);
	path = g_strdup(g_uri_get_path(uri));
	while (g_str_has_suffix(path, "/"))
		path[strlen(path) - 1] = '\0';
	port = g_uri_get_port(uri);
	six = strchr(name, ':') != NULL;
	address->host = g_strdup_printf("%s%s%s", six ? "[" : "", name, six ? "]" : "");
	if (port > 0 && port != (address->tls ? 443 : 80)) {
		g_autofree char *bare = g_steal_pointer(&address->host);

		address->host = g_strdup_printf("%s:%d", bare, port);
	}
	address->url = g_strdup_printf("%s://%s%s", scheme, address->host, path);
	address->path = g_steal_pointer(&path);
	return TRUE;
}

gboolean mlv_s3_address_of_service(MlvS3Chain *chain, const char *service, const char *fallback,
				   MlvS3Address *address, GError **error)
{
	g_autofree char *url = mlv_s3_chain_endpoint(chain, service);
	g_autofree char *what = g_strdup_printf("the endpoint URL for %s", service);

	return mlv_s3_address_parse(url ? url : fallback, what, address, error);
}

gboolean mlv_s3_ask(MlvS3Chain *chain, MlvHttpRequest *request, gboolean near, GError **error)
{
	g_autofree char *bundle = chain->ca_file ? NULL : mlv_s3_chain_ca_bundle(chain);
	MlvHttpOptions options = {
		.ca_file = chain->ca_file ? chain->ca_file : bundle,
		.cancel = chain->cancel,
	};
	g_autoptr(MlvHttp) http = NULL;

	if (near) {
		options.stall_seconds = 1;
		options.patience_seconds = 1;
		options.direct = TRUE;
	}
	http = mlv_http_new(&options);
	request->sink_max = 1024 * 1024;
	return mlv_http_fetch(http, request, error);
}

void mlv_s3_question_clear(MlvHttpRequest **question)
{
	MlvHttpRequest *request = *question;

	*question = NULL;
	if (!request)
		return;
	for (guint i = 0; request->headers && i < request->headers->len; i++) {
		char *line = g_ptr_array_index(request->headers, i);

		explicit_bzero(line, strlen(line));
	}
	if (request->answer && request->answer->len > 0)
		explicit_bzero(request->answer->data, request->answer->len);
	mlv_http_request_free(request);
}
