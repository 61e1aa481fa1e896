/* SPDX-License-Identifier: Apache-2.0 */
/* IAM Identity Center (SSO): the token that `aws sso login` has left is exchanged for keys. */
#include "storage/s3/credentials_private.h"

#include <fcntl.h>

#include "storage/file.h"
#include "storage/s3/json.h"
#include "storage/s3/secret.h"
#include "storage/s3/sign.h"

#define CACHE_MAX     (64 * 1024)
#define RENEW_SECONDS 300

typedef struct {
	MlvS3Chain *chain;
	char *origin;
	const char *start_url, *region, *session; /* session NULL: of the older form */
	const char *account, *role;
	char *path;      /* of the cached token */
	MlvS3Json *json; /* what it holds */
} Login;

static void clear_login(Login *login)
{
	g_free(login->origin);
	g_free(login->path);
	mlv_s3_json_free(login->json);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Login, clear_login)

static gboolean need(const Login *login, const char *value, const char *key, GError **error)
{
	return value || mlv_fail(error, MLV_ERROR_FAILED, "no keys from %s: '%s' is not set",
				 login->origin, key);
}

static gboolean read_settings(Login *login, const char *profile, GError **error)
{
	const MlvS3Profiles *all = login->chain->profiles;
	MlvS3Section section = MLV_S3_PROFILE;
	const char *name = profile;

	login->session = mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "sso_session");
	if (login->session) {
		section = MLV_S3_SSO_SESSION;
		name = login->session;
		if (!mlv_s3_profiles_has(all, section, name))
			return mlv_fail(error, MLV_ERROR_FAILED,
					"no keys from %s: the config has no [sso-session %s]",
					login->origin, name);
	}
	login->start_url = mlv_s3_profiles_get(all, section, name, "sso_start_url");
	login->region = mlv_s3_profiles_get(all, section, name, "sso_region");
	login->account = mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "sso_account_id");
	login->role = mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "sso_role_name");
	return need(login, login->start_url, "sso_start_url", error) &&
	       need(login, login->region, "sso_region", error) &&
	       need(login, login->account, "sso_account_id", error) &&
	       need(login, login->role, "sso_role_name", error) &&
	       mlv_s3_region_check(login->region, error);
}

static gboolean log_in_again(const Login *login, const char *profile, GError **error)
{
	return mlv_fail(error, MLV_ERROR_FAILED,
			"no keys from %s: you are not logged in, or no longer: run `aws sso login "
			"--profile %s`",
			login->origin, profile);
}

static gboolean read_cache(Login *login, const char *profile, GError **error)
{
	const char *of = login->session ? login->session : login->start_url;
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA1, of, -1);
	g_autofree char *rest = g_strdup_printf("sso/cache/%s.json", sum);
	g_autoptr(GError) why = NULL;

	login->path = mlv_s3_home_file(rest);
	MLV_AUTO_SECRET char *text = mlv_secret_read(login->path, CACHE_MAX, &why);
	if (g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING))
		return log_in_again(login, profile, error);
	if (!text) {
		g_propagate_prefixed_error(error, g_steal_pointer(&why),
					   "no keys from %s: ", login->origin);
		return FALSE;
	}
	g_autofree char *label = g_strdup_printf("'%s'", login->path);
	login->json = mlv_s3_json_parse(text, strlen(text), label, error);
	return login->json != NULL;
}

/* Seconds that the token is still good for. */
static gint64 token_life(const Login *login)
{
	const char *text = mlv_s3_json_text(login->json, "expiresAt");
	gint64 expires;

	if (!mlv_s3_json_text(login->json, "accessToken") || !text ||
	    !mlv_s3_time_parse(text, &expires))
		return 0;
	return MAX(expires - login->chain->now(), 0);
}

static MlvHttpRequest *new_refresh(const Login *login, const char *url)
{
	g_autoptr(MlvS3Json) form = mlv_s3_json_parse("{}", 2, "", NULL);
	MlvHttpRequest *request = mlv_http_request_new("POST", url);
	static const char *const names[] = { "clientId", "clientSecret", "refreshToken" };
	char *body;

	mlv_s3_json_set_text(form, "grantType", "refresh_token");
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		mlv_s3_json_set_text(form, names[i], mlv_s3_json_text(login->json, names[i]));
	body = mlv_s3_json_format(form);
	request->body = g_bytes_new_with_free_func(body, strlen(body), mlv_secret_free, body);
	mlv_http_request_set_header(request, "Content-Type", "application/json");
	return request;
}

/* Refresh tokens are good once, so the new one must last: the AWS tools read the same file. */
static void keep_token(Login *login, MlvS3Json *answer)
{
	const char *refresh = mlv_s3_json_text(answer, "refreshToken");
	gint64 seconds = 0;

	if (!mlv_s3_json_integer(answer, "expiresIn", &seconds) || seconds < 0 ||
	    seconds > 366 * 86400)
		seconds = 0;
	g_autoptr(GDateTime) expires = g_date_time_new_from_unix_utc(login->chain->now() + seconds);
	g_autofree char *text = g_date_time_format(expires, "%Y-%m-%dT%H:%M:%SZ");
	mlv_s3_json_set_text(login->json, "accessToken", mlv_s3_json_text(answer, "accessToken"));
	mlv_s3_json_set_text(login->json, "expiresAt", text);
	if (refresh)
		mlv_s3_json_set_text(login->json, "refreshToken", refresh);
	MLV_AUTO_SECRET char *whole = mlv_s3_json_format(login->json);
	(void)mlv_file_replace(AT_FDCWD, login->path, whole, strlen(whole), 0600, FALSE, NULL);
}

/* Whether what registered with the service, and what it may ask with, are there and good. */
static gboolean can_refresh(const Login *login)
{
	const char *until = mlv_s3_json_text(login->json, "registrationExpiresAt");
	gint64 expires;

	return login->session && mlv_s3_json_text(login->json, "refreshToken") &&
	       mlv_s3_json_text(login->json, "clientId") &&
	       mlv_s3_json_text(login->json, "clientSecret") &&
	       (!until || (mlv_s3_time_parse(until, &expires) && expires > login->chain->now()));
}

/* A token that is about to end is replaced where that can be done without a browser. */
static void refresh(Login *login)
{
	g_auto(MlvS3Address) address = { 0 };
	g_autofree char *fallback = g_strdup_printf("https://oidc.%s.amazonaws.com", login->region);
	g_autoptr(MlvS3Json) answer = NULL;

	if (!mlv_s3_address_of_service(login->chain, "sso_oidc", fallback, &address, NULL))
		return;
	g_autofree char *url = g_strconcat(address.url, "/token", NULL);
	MLV_AUTO_QUESTION MlvHttpRequest *request = new_refresh(login, url);
	if (!mlv_s3_ask(login->chain, request, FALSE, NULL) || request->status != 200 ||
	    !request->answer)
		return;
	answer = mlv_s3_json_parse(request->answer->data, request->answer->len, "", NULL);
	if (answer && mlv_s3_json_text(answer, "accessToken"))
		keep_token(login, answer);
}

static MlvS3Keys *read_keys(const Login *login, const GByteArray *body, GError **error)
{
	g_autofree char *what = g_strdup_printf("the answer of %s", login->origin);
	g_autoptr(MlvS3Json) json = mlv_s3_json_parse(body->data, body->len, what, error);
	gint64 milliseconds;

	if (!json)
		return NULL;
	if (!mlv_s3_json_integer(json, "roleCredentials/expiration", &milliseconds) ||
	    milliseconds < 1000) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "%s has no expiration", what);
		return NULL;
	}
	return mlv_s3_keys_new(mlv_s3_json_text(json, "roleCredentials/accessKeyId"),
			       mlv_s3_json_text(json, "roleCredentials/secretAccessKey"),
			       mlv_s3_json_text(json, "roleCredentials/sessionToken"),
			       milliseconds / 1000, login->origin, error);
}

static gboolean get_keys(const Login *login, const char *profile, MlvS3Keys **keys, GError **error)
{
	const char *token = mlv_s3_json_text(login->json, "accessToken");
	g_autofree char *account = mlv_s3_escape(login->account, -1, FALSE);
	g_autofree char *role = mlv_s3_escape(login->role, -1, FALSE);
	g_autofree char *fallback =
		g_strdup_printf("https://portal.sso.%s.amazonaws.com", login->region);
	g_auto(MlvS3Address) address = { 0 };

	if (!mlv_s3_is_word(token))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' holds no token that can be sent",
				login->path);
	if (!mlv_s3_address_of_service(login->chain, "sso", fallback, &address, error))
		return FALSE;
	g_autofree char *url = g_strdup_printf(
		"%s/federation/credentials?role_name=%s&account_id=%s", address.url, role, account);
	MLV_AUTO_QUESTION MlvHttpRequest *request = mlv_http_request_new("GET", url);
	mlv_http_request_set_header(request, "x-amz-sso_bearer_token", token);
	if (!mlv_s3_ask(login->chain, request, FALSE, error)) {
		g_prefix_error(error, "no keys from %s: ", login->origin);
		return FALSE;
	}
	if (request->status == 401)
		return log_in_again(login, profile, error);
	if (request->status == 403)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"no keys from %s: you have no role '%s' in the account '%s'",
				login->origin, login->role, login->account);
	if (request->status != 200 || !request->answer)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"no keys from %s: the service answers with status %u",
				login->origin, request->status);
	*keys = read_keys(login, request->answer, error);
	return *keys != NULL;
}

gboolean mlv_s3_keys_from_sso(MlvS3Chain *chain, const char *profile, MlvS3Keys **keys,
			      GError **error)
{
	const MlvS3Profiles *all = chain->profiles;
	g_auto(Login) login = { .chain = chain };

	*keys = NULL;
	/* As the AWS tools see it: without these a session serves other ends. */
	if (!mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "sso_account_id") &&
	    !mlv_s3_profiles_get(all, MLV_S3_PROFILE, profile, "sso_role_name"))
		return TRUE;
	login.origin = g_strdup_printf("the SSO login of profile '%s'", profile);
	if (!read_settings(&login, profile, error) || !read_cache(&login, profile, error))
		return FALSE;
	if (token_life(&login) < RENEW_SECONDS && can_refresh(&login))
		refresh(&login);
	if (token_life(&login) == 0)
		return log_in_again(&login, profile, error);
	return get_keys(&login, profile, keys, error);
}
