/* SPDX-License-Identifier: Apache-2.0 */
/* The instance metadata service of EC2, version 2 (IMDSv2): a token, a role's name, its keys. */
#include "storage/s3/credentials_private.h"

#include "storage/s3/secret.h"

#define ROLES "/latest/meta-data/iam/security-credentials/"

static const char origin[] = "the instance's metadata";

static const char *named(MlvS3Chain *chain, const char *variable, const char *key)
{
	const char *value = mlv_s3_variable(variable);
	const MlvS3Profiles *profiles = value ? NULL : mlv_s3_chain_profiles(chain, NULL);

	if (profiles)
		value = mlv_s3_profiles_get(profiles, MLV_S3_PROFILE, chain->profile, key);
	return value;
}

static gboolean find_service(MlvS3Chain *chain, MlvS3Address *address, GError **error)
{
	const char *url =
		named(chain, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
	const char *mode = named(chain, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
				 "ec2_metadata_service_endpoint_mode");

	if (!url)
		url = mode && g_ascii_strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
								    : "http://169.254.169.254";
	return mlv_s3_address_parse(url, "the endpoint of the instance's metadata", address, error);
}

static char *text_of(const MlvHttpRequest *request)
{
	return request->answer
		       ? g_strndup((const char *)request->answer->data, request->answer->len)
		       : g_strdup("");
}

/* The token for the calls that follow; NULL where there is no such service. */
static char *get_token(MlvS3Chain *chain, const MlvS3Address *address)
{
	g_autofree char *url = g_strconcat(address->url, "/latest/api/token", NULL);
	MLV_AUTO_QUESTION MlvHttpRequest *request = mlv_http_request_new("PUT", url);
	char *token;

	mlv_http_request_set_header(request, "X-aws-ec2-metadata-token-ttl-seconds", "21600");
	if (!mlv_s3_ask(chain, request, TRUE, NULL) || request->status != 200)
		return NULL;
	token = g_strstrip(text_of(request));
	if (!mlv_s3_is_word(token))
		g_clear_pointer(&token, mlv_secret_free);
	return token;
}

static MlvHttpRequest *get(MlvS3Chain *chain, const MlvS3Address *address, const char *path,
			   const char *token, GError **error)
{
	g_autofree char *url = g_strconcat(address->url, path, NULL);
	MLV_AUTO_QUESTION MlvHttpRequest *request = mlv_http_request_new("GET", url);

	mlv_http_request_set_header(request, "X-aws-ec2-metadata-token", token);
	if (!mlv_s3_ask(chain, request, TRUE, error)) {
		g_prefix_error(error, "no keys from %s: ", origin);
		return NULL;
	}
	return g_steal_pointer(&request);
}

/* The first of the roles, escaped; NULL without an error: there is none. */
static char *get_role(MlvS3Chain *chain, const MlvS3Address *address, const char *token,
		      GError **error)
{
	MLV_AUTO_QUESTION MlvHttpRequest *request = get(chain, address, ROLES, token, error);
	g_autofree char *text = NULL;

	if (!request || request->status == 404)
		return NULL;
	if (request->status != 200) {
		mlv_fail(error, MLV_ERROR_FAILED, "no keys from %s: it answers with status %u",
			 origin, request->status);
		return NULL;
	}
	text = text_of(request);
	text[strcspn(text, "\r\n")] = '\0';
	return *text ? g_uri_escape_string(text, NULL, FALSE) : NULL;
}

static MlvS3Keys *get_keys(MlvS3Chain *chain, const MlvS3Address *address, const char *role,
			   const char *token, GError **error)
{
	g_autofree char *path = g_strconcat(ROLES, role, NULL);
	MLV_AUTO_QUESTION MlvHttpRequest *request = get(chain, address, path, token, error);

	if (!request)
		return NULL;
	if (request->status != 200 || !request->answer) {
		mlv_fail(error, MLV_ERROR_FAILED, "no keys from %s: it answers with status %u",
			 origin, request->status);
		return NULL;
	}
	return mlv_s3_keys_from_json(request->answer->data, request->answer->len, "Token", origin,
				     error);
}

gboolean mlv_s3_keys_from_instance(MlvS3Chain *chain, MlvS3Keys **keys, GError **error)
{
	const char *disabled = mlv_s3_variable("AWS_EC2_METADATA_DISABLED");
	g_auto(MlvS3Address) address = { 0 };
	g_autoptr(GError) why = NULL;

	*keys = NULL;
	if (disabled && g_ascii_strcasecmp(disabled, "true") == 0) {
		mlv_s3_chain_note(chain, "the instance's metadata not asked "
					 "(AWS_EC2_METADATA_DISABLED)");
		return TRUE;
	}
	if (!find_service(chain, &address, error))
		return FALSE;
	MLV_AUTO_SECRET char *token = get_token(chain, &address);
	if (!token) {
		mlv_s3_chain_note(chain, "no instance metadata at %s", address.host);
		return TRUE;
	}
	g_autofree char *role = get_role(chain, &address, token, &why);
	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (!role) {
		mlv_s3_chain_note(chain, "no role in the instance's metadata");
		return TRUE;
	}
	*keys = get_keys(chain, &address, role, token, error);
	return *keys != NULL;
}
