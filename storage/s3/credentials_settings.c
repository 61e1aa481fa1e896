/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/credentials_private.h"

#include <string.h>

const char *mlv_s3_variable(const char *name)
{
	const char *value = g_getenv(name);

	return value && *value ? value : NULL;
}

static const char *home(void)
{
	const char *path = mlv_s3_variable("HOME");

	return path ? path : g_get_home_dir();
}

char *mlv_s3_expand_home(const char *path)
{
	if (g_str_has_prefix(path, "~/"))
		return g_build_filename(home(), path + 2, NULL);
	return g_strdup(path);
}

char *mlv_s3_home_file(const char *rest)
{
	return g_build_filename(home(), ".aws", rest, NULL);
}

static gboolean load(MlvS3Profiles *profiles, MlvS3ProfilesFile file, const char *variable,
		     const char *name, GError **error)
{
	const char *named = mlv_s3_variable(variable);
	g_autofree char *path = named ? mlv_s3_expand_home(named) : mlv_s3_home_file(name);

	return mlv_s3_profiles_load(profiles, file, path, error);
}

const MlvS3Profiles *mlv_s3_chain_profiles(MlvS3Chain *chain, GError **error)
{
	g_autoptr(MlvS3Profiles) profiles = NULL;

	if (chain->profiles)
		return chain->profiles;
	profiles = mlv_s3_profiles_new();
	if (!load(profiles, MLV_S3_CONFIG, "AWS_CONFIG_FILE", "config", error) ||
	    !load(profiles, MLV_S3_CREDENTIALS, "AWS_SHARED_CREDENTIALS_FILE", "credentials",
		  error))
		return NULL;
	chain->profiles = g_steal_pointer(&profiles);
	return chain->profiles;
}

/* A setting of the profile that counts; NULL also where the files cannot be read: whoever needs
 * keys of them says so. */
static const char *setting(MlvS3Chain *chain, const char *key)
{
	const MlvS3Profiles *profiles = mlv_s3_chain_profiles(chain, NULL);

	if (!profiles)
		return NULL;
	return mlv_s3_profiles_get(profiles, MLV_S3_PROFILE, chain->profile, key);
}

char *mlv_s3_chain_region(MlvS3Chain *chain)
{
	const char *region = mlv_s3_variable("AWS_REGION");

	if (!region)
		region = mlv_s3_variable("AWS_DEFAULT_REGION");
	return g_strdup(region ? region : setting(chain, "region"));
}

char *mlv_s3_chain_ca_bundle(MlvS3Chain *chain)
{
	const char *path = mlv_s3_variable("AWS_CA_BUNDLE");

	if (!path)
		path = setting(chain, "ca_bundle");
	return path ? mlv_s3_expand_home(path) : NULL;
}

static gboolean is_true(const char *value)
{
	return value && g_ascii_strcasecmp(value, "true") == 0;
}

/* What a section `services` says of it. */
static const char *endpoint_in_services(MlvS3Chain *chain, const char *service)
{
	const char *services = setting(chain, "services");

	return services ? mlv_s3_profiles_get_nested(chain->profiles, MLV_S3_SERVICES, services,
						     service, "endpoint_url")
			: NULL;
}

char *mlv_s3_chain_endpoint(MlvS3Chain *chain, const char *service)
{
	g_autofree char *upper = g_ascii_strup(service, -1);
	g_autofree char *variable = g_strconcat("AWS_ENDPOINT_URL_", upper, NULL);
	const char *url, *ignored = mlv_s3_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

	if (is_true(ignored ? ignored : setting(chain, "ignore_configured_endpoint_urls")))
		return NULL;
	url = mlv_s3_variable(variable);
	if (!url)
		url = mlv_s3_variable("AWS_ENDPOINT_URL");
	if (!url)
		url = endpoint_in_services(chain, service);
	return g_strdup(url ? url : setting(chain, "endpoint_url"));
}

/* It becomes part of a host's name: nothing but what can stand there. */
gboolean mlv_s3_region_check(const char *region, GError **error)
{
	gsize length = strlen(region);

	if (length > 0 && length < 64 &&
	    strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == length)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' cannot be a region: they look like 'eu-west-1'", region);
}

gboolean mlv_s3_chain_service_region(MlvS3Chain *chain, char **region, GError **error)
{
	g_autofree char *found = mlv_s3_chain_region(chain);

	if (!found)
		found = g_strdup(chain->region);
	*region = NULL;
	if (found && !mlv_s3_region_check(found, error))
		return FALSE;
	*region = g_steal_pointer(&found);
	return TRUE;
}
