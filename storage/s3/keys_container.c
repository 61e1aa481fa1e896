/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint that ECS, EKS Pod Identity and others put beside a container. */
#include "storage/s3/credentials_private.h"

#include <gio/gio.h>

#include "storage/s3/secret.h"

#define TOKEN_MAX (64 * 1024)

/* Hosts that a token may go to without TLS: this machine, and those of ECS and EKS. */
static gboolean is_near(const char *name)
{
	g_autoptr(GInetAddress) address = g_inet_address_new_from_string(name);
	g_autofree char *text = NULL;

	if (g_ascii_strcasecmp(name, "localhost") == 0)
		return TRUE;
	if (!address)
		return FALSE;
	text = g_inet_address_to_string(address);
	return g_inet_address_get_is_loopback(address) || g_str_equal(text, "169.254.170.2") ||
	       g_str_equal(text, "169.254.170.23") || g_str_equal(text, "fd00:ec2::23");
}

/* The url to ask, with its query kept; it is put together from what was checked. */
static char *full_url(const char *uri, gboolean *near, GError **error)
{
	g_auto(MlvS3Address) address = { 0 };
	gsize bare = strcspn(uri, "?#");
	g_autofree char *front = g_strndup(uri, bare);
	g_autofree char *query =
		uri[bare] == '?' ? g_strndup(uri + bare, strcspn(uri + bare, "#")) : g_strdup("");

	if (!mlv_s3_address_parse(front, "AWS_CONTAINER_CREDENTIALS_FULL_URI", &address, error))
		return NULL;
	*near = is_near(address.name);
	if (!*near && !address.tls) {
		mlv_fail(
			error, MLV_ERROR_FAILED,
			"AWS_CONTAINER_CREDENTIALS_FULL_URI names the host '%s': without https only "
			"this machine, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23] are asked",
			address.name);
		return NULL;
	}
	/* The path as it is written: a '/' at its end counts. */
	return g_strconcat(address.url, g_str_has_suffix(front, "/") ? "/" : "", query, NULL);
}

/* NULL without an error: there is none to send. */
static char *read_token(GError **error)
{
	const char *file = mlv_s3_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = mlv_s3_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	char *text;

	if (!file && !token)
		return NULL;
	text = file ? mlv_secret_read(file, TOKEN_MAX, error) : g_strdup(token);
	if (!text)
		return NULL;
	g_strstrip(text);
	for (const char *at = text; *at; at++)
		if (!g_ascii_isprint(*at)) {
			mlv_fail(
				error, MLV_ERROR_FAILED,
				"the container's authorization token has bytes that cannot be sent");
			mlv_secret_free(text);
			return NULL;
		}
	return text;
}

gboolean mlv_s3_keys_from_container(MlvS3Chain *chain, MlvS3Keys **keys, GError **error)
{
	const char *relative = mlv_s3_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = mlv_s3_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	g_autofree char *url = NULL;
	g_autofree char *joined =
		relative ? g_strconcat(chain->container_origin, relative, NULL) : NULL;
	g_autoptr(GError) why = NULL;
	static const char origin[] = "the container's endpoint";
	gboolean near = TRUE;

	*keys = NULL;
	if (!relative && !full) {
		mlv_s3_chain_note(chain, "no container's endpoint in the environment");
		return TRUE;
	}
	if (relative && *relative != '/')
		return mlv_fail(error, MLV_ERROR_FAILED,
				"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with '/'");
	url = full_url(joined ? joined : full, &near, error);
	if (!url)
		return FALSE;
	MLV_AUTO_QUESTION MlvHttpRequest *request = mlv_http_request_new("GET", url);
	MLV_AUTO_SECRET char *token = read_token(&why);
	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	mlv_http_request_set_header(request, "Accept", "application/json");
	if (token)
		mlv_http_request_set_header(request, "Authorization", token);
	if (!mlv_s3_ask(chain, request, near, error)) {
		g_prefix_error(error, "no keys from %s: ", origin);
		return FALSE;
	}
	if (request->status != 200 || !request->answer)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"no keys from %s: it answers with status %u", origin,
				request->status);
	*keys = mlv_s3_keys_from_json(request->answer->data, request->answer->len, "Token", origin,
				      error);
	return *keys != NULL;
}
