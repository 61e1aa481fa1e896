/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/credentials_private.h"

/* Keys are looked up anew so many seconds before they end, or after half of their time where they
 * have less; and again so long after a look-up that failed. */
#define RENEW_SECONDS 300
#define AGAIN_SECONDS 30

static gint64 system_now(void)
{
	return g_get_real_time() / G_TIME_SPAN_SECOND;
}

MlvS3Chain *mlv_s3_chain_new(const MlvS3ChainOptions *options)
{
	MlvS3Chain *chain = g_new0(MlvS3Chain, 1);
	const char *profile = options->profile;

	chain->by_option = profile != NULL;
	if (!profile)
		profile = mlv_s3_variable("AWS_PROFILE");
	if (!profile)
		profile = mlv_s3_variable("AWS_DEFAULT_PROFILE");
	chain->by_name = profile != NULL;
	chain->profile = g_strdup(profile ? profile : "default");
	chain->anonymous = options->anonymous;
	chain->region = g_strdup(options->region);
	chain->ca_file = g_strdup(options->ca_file);
	chain->cancel = options->cancel;
	chain->seen = g_string_new("no keys have been looked for");
	chain->now = system_now;
	chain->process_seconds = 60;
	chain->container_origin = "http://169.254.170.2";
	return chain;
}

void mlv_s3_chain_free(MlvS3Chain *chain)
{
	if (!chain)
		return;
	g_free(chain->profile);
	g_free(chain->region);
	g_free(chain->ca_file);
	g_free(chain->origin);
	mlv_s3_profiles_free(chain->profiles);
	mlv_s3_keys_free(chain->keys);
	g_string_free(chain->seen, TRUE);
	g_free(chain);
}

void mlv_s3_chain_note(MlvS3Chain *chain, const char *format, ...)
{
	va_list ap;

	if (chain->seen->len > 0)
		g_string_append(chain->seen, ", ");
	va_start(ap, format);
	g_string_append_vprintf(chain->seen, format, ap);
	va_end(ap);
}

static gboolean ask_sources(MlvS3Chain *chain, MlvS3Keys **keys, GError **error)
{
	*keys = NULL;
	if (!chain->by_option && !mlv_s3_keys_from_environment(chain, keys, error))
		return FALSE;
	return *keys || (mlv_s3_keys_from_profile(chain, keys, error) &&
			 (*keys || mlv_s3_keys_from_container(chain, keys, error)) &&
			 (*keys || mlv_s3_keys_from_instance(chain, keys, error)));
}

static gboolean look_up(MlvS3Chain *chain, MlvS3Keys **keys, GError **error)
{
	/* The files may have changed. */
	g_clear_pointer(&chain->profiles, mlv_s3_profiles_free);
	g_string_truncate(chain->seen, 0);
	if (!ask_sources(chain, keys, error))
		return FALSE;
	if (!*keys && chain->cancel && *chain->cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	if (!*keys && chain->origin)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the keys from %s have ended, and now there are none: %s",
				chain->origin, chain->seen->str);
	if (!*keys || (*keys)->expires == 0 || (*keys)->expires > chain->now())
		return TRUE;
	mlv_fail(error, MLV_ERROR_FAILED, "the keys from %s have expired: renew them",
		 (*keys)->origin);
	g_clear_pointer(keys, mlv_s3_keys_free);
	return FALSE;
}

static void take(MlvS3Chain *chain, MlvS3Keys *keys)
{
	gint64 now = chain->now();

	mlv_s3_keys_free(chain->keys);
	chain->keys = keys;
	chain->looked = TRUE;
	chain->renew_at = G_MAXINT64;
	if (!keys)
		return;
	g_free(chain->origin);
	chain->origin = g_strdup(keys->origin);
	if (keys->expires > 0)
		chain->renew_at = keys->expires - MIN(RENEW_SECONDS, (keys->expires - now) / 2);
}

gboolean mlv_s3_chain_get(MlvS3Chain *chain, const MlvS3Keys **keys, GError **error)
{
	g_autoptr(GError) why = NULL;
	MlvS3Keys *found = NULL;

	*keys = NULL;
	if (chain->anonymous)
		return TRUE;
	if (!chain->looked || chain->now() >= chain->renew_at) {
		if (look_up(chain, &found, &why)) {
			take(chain, found);
		} else if (chain->keys && chain->now() < chain->keys->expires) {
			chain->renew_at = MIN(chain->now() + AGAIN_SECONDS, chain->keys->expires);
		} else {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
	}
	*keys = chain->keys;
	return TRUE;
}

void mlv_s3_chain_expire(MlvS3Chain *chain)
{
	g_clear_pointer(&chain->keys, mlv_s3_keys_free);
	chain->looked = FALSE;
}

char *mlv_s3_chain_describe(const MlvS3Chain *chain)
{
	return g_strdup(chain->anonymous ? "no keys were looked for, as the remote is anonymous"
					 : chain->seen->str);
}
