/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/credentials_private.h"

#include "storage/s3/json.h"
#include "storage/s3/secret.h"

gboolean mlv_s3_is_word(const char *text)
{
	const char *at = text;

	while (g_ascii_isgraph(*at))
		at++;
	return at > text && *at == '\0';
}

MlvS3Keys *mlv_s3_keys_new(const char *id, const char *secret, const char *token, gint64 expires,
			   const char *origin, GError **error)
{
	const char *missing = !id ? "access key id" : !secret ? "secret access key" : NULL;
	MlvS3Keys *keys;

	if (missing) {
		mlv_fail(error, MLV_ERROR_FAILED, "the keys from %s are incomplete: no %s", origin,
			 missing);
		return NULL;
	}
	if (!mlv_s3_is_word(id) || !mlv_s3_is_word(secret) || (token && !mlv_s3_is_word(token))) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "the keys from %s hold blanks, or bytes that are no ASCII", origin);
		return NULL;
	}
	keys = g_new0(MlvS3Keys, 1);
	keys->id = g_strdup(id);
	keys->secret = g_strdup(secret);
	keys->token = g_strdup(token);
	keys->expires = expires;
	keys->origin = g_strdup(origin);
	return keys;
}

void mlv_s3_keys_free(MlvS3Keys *keys)
{
	if (!keys)
		return;
	g_free(keys->id);
	mlv_secret_free(keys->secret);
	mlv_secret_free(keys->token);
	g_free(keys->origin);
	g_free(keys);
}

gboolean mlv_s3_time_parse(const char *text, gint64 *seconds)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autofree char *iso = g_strdup(text);
	g_autoptr(GDateTime) time = NULL;

	/* Older versions of the AWS tools wrote "UTC" behind the time. */
	if (g_str_has_suffix(iso, "UTC"))
		memcpy(iso + strlen(iso) - 3, "Z", 2);
	time = g_date_time_new_from_iso8601(iso, utc);
	if (!time)
		return FALSE;
	*seconds = g_date_time_to_unix(time);
	return TRUE;
}

MlvS3Keys *mlv_s3_keys_from_json(const void *data, gsize length, const char *token,
				 const char *origin, GError **error)
{
	g_autofree char *what = g_strdup_printf("the answer of %s", origin);
	g_autoptr(MlvS3Json) json = mlv_s3_json_parse(data, length, what, error);
	const char *expiration;
	gint64 expires = 0;

	if (!json)
		return NULL;
	expiration = mlv_s3_json_text(json, "Expiration");
	if (expiration && (!mlv_s3_time_parse(expiration, &expires) || expires <= 0)) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "the answer of %s has an Expiration that is no time of ISO 8601", origin);
		return NULL;
	}
	return mlv_s3_keys_new(mlv_s3_json_text(json, "AccessKeyId"),
			       mlv_s3_json_text(json, "SecretAccessKey"),
			       mlv_s3_json_text(json, token), expires, origin, error);
}

gboolean mlv_s3_keys_from_environment(MlvS3Chain *chain, MlvS3Keys **keys, GError **error)
{
	const char *id = mlv_s3_variable("AWS_ACCESS_KEY_ID");
	const char *secret = mlv_s3_variable("AWS_SECRET_ACCESS_KEY");
	const char *token = mlv_s3_variable("AWS_SESSION_TOKEN");
	const char *expiration = mlv_s3_variable("AWS_CREDENTIAL_EXPIRATION");
	gint64 expires = 0;

	*keys = NULL;
	if (!id && !secret) {
		mlv_s3_chain_note(chain, "no keys in the environment");
		return TRUE;
	}
	if (!id || !secret)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the environment has %s without %s: set both, or neither",
				id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
				id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	if (!token)
		token = mlv_s3_variable("AWS_SECURITY_TOKEN");
	if (expiration && (!mlv_s3_time_parse(expiration, &expires) || expires <= 0))
		return mlv_fail(error, MLV_ERROR_FAILED,
				"AWS_CREDENTIAL_EXPIRATION is no time of ISO 8601: unset it, or "
				"write it as 2026-01-31T12:00:00Z");
	*keys = mlv_s3_keys_new(id, secret, token, expires, "the environment", error);
	return *keys != NULL;
}
