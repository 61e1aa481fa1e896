/* SPDX-License-Identifier: Apache-2.0 */
/* AssumeRole and AssumeRoleWithWebIdentity of the AWS Security Token Service. */
#include "storage/s3/credentials_private.h"

#include "storage/id.h"
#include "storage/s3/secret.h"
#include "storage/s3/sign.h"
#include "storage/s3/xml.h"

#define TOKEN_MAX   (64 * 1024)
#define CODE_MAX    64
#define MESSAGE_MAX 400

static void add(GString *form, const char *name, const char *value)
{
	MLV_AUTO_SECRET char *escaped = value ? mlv_s3_escape(value, -1, FALSE) : NULL;

	if (escaped)
		g_string_append_printf(form, "&%s=%s", name, escaped);
}

static GString *new_form(MlvS3Chain *chain, const char *action, const char *role,
			 const char *session)
{
	GString *form = g_string_sized_new(2 * TOKEN_MAX);
	g_autofree char *own = g_strdup_printf("mlv-%" G_GINT64_FORMAT, chain->now());

	g_string_append_printf(form, "Action=%s&Version=2011-06-15", action);
	add(form, "RoleArn", role);
	add(form, "RoleSessionName", session ? session : own);
	return form;
}

static gboolean find_service(MlvS3Chain *chain, MlvS3Address *address, char **region,
			     GError **error)
{
	g_autofree char *fallback = NULL;

	if (!mlv_s3_chain_service_region(chain, region, error))
		return FALSE;
	if (!*region)
		*region = g_strdup("us-east-1");
	fallback = g_strdup_printf("https://sts.%s.amazonaws.com%s", *region,
				   g_str_has_prefix(*region, "cn-") ? ".cn" : "");
	return mlv_s3_address_of_service(chain, "sts", fallback, address, error);
}

static void add_headers(MlvS3Chain *chain, MlvHttpRequest *request, const MlvS3Address *address,
			const char *region, const MlvS3Keys *source)
{
	static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
	g_autoptr(GPtrArray) given = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) ours = NULL;
	char hex[MLV_ID_HEX + 1];
	gsize length;
	const void *body = g_bytes_get_data(request->body, &length);
	MlvS3Signing signing = {
		.method = "POST",
		.host = address->host,
		.query = "",
		.headers = given,
		.payload = hex,
		.region = region,
		.service = "sts",
		.time = chain->now(),
	};
	g_autofree char *path = g_strconcat(address->path, "/", NULL);
	MlvId id;

	signing.path = path;
	mlv_id_of(body, length, &id);
	mlv_id_format(&id, hex);
	g_ptr_array_add(given, g_strconcat("Content-Type: ", type, NULL));
	ours = mlv_s3_sign(&signing, source);
	g_ptr_array_extend_and_steal(request->headers, g_steal_pointer(&given));
	for (guint i = 0; i < ours->len; i++)
		g_ptr_array_add(request->headers, g_strdup(g_ptr_array_index(ours, i)));
}

/* A part of an error: AWS wraps it, other servers do not. NULL also where it is too long, or
 * repeats what was sent. Free with g_free. */
static char *find_error(const GByteArray *answer, const char *name, gsize max, const char *sent)
{
	static const char *const places[] = { "ErrorResponse/Error", "Error" };
	char *text = NULL;

	for (guint i = 0; answer && i < G_N_ELEMENTS(places) && !text; i++) {
		g_autofree char *path = g_strconcat(places[i], "/", name, NULL);

		text = mlv_s3_xml_find(answer->data, answer->len, path);
	}
	if (text && (!*text || strlen(text) > max || (sent && strstr(text, sent))))
		g_clear_pointer(&text, mlv_secret_free);
	return text;
}

static gboolean refused(const MlvHttpRequest *request, const char *origin, const char *sent,
			GError **error)
{
	g_autofree char *code = find_error(request->answer, "Code", CODE_MAX, sent);
	g_autofree char *text = find_error(request->answer, "Message", MESSAGE_MAX, sent);

	return mlv_fail(error, MLV_ERROR_FAILED,
			"no keys from %s: STS answers with status %u%s%s%s%s", origin,
			request->status, code ? ", " : "", code ? code : "", text ? ": " : "",
			text ? text : "");
}

static MlvS3Keys *read_keys(const MlvHttpRequest *request, const char *action, const char *origin,
			    GError **error)
{
	static const char *const names[] = { "AccessKeyId", "SecretAccessKey", "SessionToken",
					     "Expiration" };
	char *values[G_N_ELEMENTS(names)];
	MlvS3Keys *keys = NULL;
	gint64 expires = 0;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strdup_printf("%sResponse/%sResult/Credentials/%s",
							action, action, names[i]);
		values[i] = mlv_s3_xml_find(request->answer->data, request->answer->len, path);
	}
	if (!values[3] || !mlv_s3_time_parse(values[3], &expires) || expires <= 0)
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "no keys from %s: what STS answers has no Expiration", origin);
	else
		keys = mlv_s3_keys_new(values[0], values[1], values[2], expires, origin, error);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		mlv_secret_free(values[i]);
	return keys;
}

/* Sends the form, which is freed, signed with the keys of `source` if there are any. `sent` is the
 * secret in it. */
static gboolean ask(MlvS3Chain *chain, const char *action, GString *form, const MlvS3Keys *source,
		    const char *sent, const char *origin, MlvS3Keys **keys, GError **error)
{
	g_auto(MlvS3Address) address = { 0 };
	g_autofree char *region = NULL;
	gsize length = form->len;
	g_autoptr(GBytes) body = g_bytes_new_with_free_func(
		form->str, length, (GDestroyNotify)mlv_secret_free_string, form);

	if (!find_service(chain, &address, &region, error))
		return FALSE;
	g_autofree char *url = g_strconcat(address.url, "/", NULL);
	MLV_AUTO_QUESTION MlvHttpRequest *request = mlv_http_request_new("POST", url);
	request->body = g_bytes_ref(body);
	add_headers(chain, request, &address, region, source);
	if (!mlv_s3_ask(chain, request, FALSE, error)) {
		g_prefix_error(error, "no keys from %s: ", origin);
		return FALSE;
	}
	if (request->status != 200 || !request->answer)
		return refused(request, origin, sent, error);
	*keys = read_keys(request, action, origin, error);
	return *keys != NULL;
}

gboolean mlv_s3_keys_from_role(MlvS3Chain *chain, const char *profile, const MlvS3Keys *source,
			       MlvS3Keys **keys, GError **error)
{
	const MlvS3Profiles *all = chain->profiles;
	const char *role = mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "role_arn");
	g_autofree char *origin = g_strdup_printf("the role '%s' of profile '%s'", role, profile);
	GString *form =
		new_form(chain, "AssumeRole", role,
			 mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "role_session_name"));

	add(form, "ExternalId", mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "external_id"));
	add(form, "DurationSeconds",
	    mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "duration_seconds"));
	return ask(chain, "AssumeRole", form, source, source->token, origin, keys, error);
}

static const char *named(MlvS3Chain *chain, const char *profile, gboolean environment,
			 const char *variable, const char *key)
{
	const char *value = environment ? mlv_s3_variable(variable) : NULL;

	return value ? value : mlv_s3_profiles_get(chain->profiles, MLV_S3_PROFILE, profile, key);
}

gboolean mlv_s3_keys_from_web_identity(MlvS3Chain *chain, const char *profile, gboolean environment,
				       MlvS3Keys **keys, GError **error)
{
	const char *file = named(chain, profile, environment, "AWS_WEB_IDENTITY_TOKEN_FILE",
				 "web_identity_token_file");
	const char *role = named(chain, profile, environment, "AWS_ROLE_ARN", "role_arn");
	const char *session =
		named(chain, profile, environment, "AWS_ROLE_SESSION_NAME", "role_session_name");
	g_autofree char *path = NULL, *origin = NULL;
	GString *form;

	*keys = NULL;
	if (!file)
		return TRUE;
	origin = g_strdup_printf("the web identity token '%s'", file);
	if (!role)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"no keys from %s: no role is named (AWS_ROLE_ARN, or role_arn in the "
			"profile)",
			origin);
	path = mlv_s3_expand_home(file);
	MLV_AUTO_SECRET char *token = mlv_secret_read(path, TOKEN_MAX, error);
	if (!token) {
		g_prefix_error(error, "no keys from %s: ", origin);
		return FALSE;
	}
	g_strstrip(token);
	if (!*token)
		return mlv_fail(error, MLV_ERROR_FAILED, "no keys from %s: the file is empty",
				origin);
	form = new_form(chain, "AssumeRoleWithWebIdentity", role, session);
	add(form, "WebIdentityToken", token);
	return ask(chain, "AssumeRoleWithWebIdentity", form, NULL, token, origin, keys, error);
}
