/* SPDX-License-Identifier: Apache-2.0 */
#include "core/remote_medium.h"

#include <string.h>

#include "core/git_credential.h"
#include "storage/http/http_url.h"
#include "storage/http/medium_http.h"
#include "storage/s3/medium_s3.h"

#define STALL_MAX (24 * 60 * 60) /* seconds; what is more means for ever */

static gboolean is_s3(const char *url)
{
	return g_ascii_strncasecmp(url, "s3://", 5) == 0;
}

static void tell(const char *text, gpointer user)
{
	const MlvRepoCaller *caller = mlv_repo_caller(user);

	if (caller->warn)
		caller->warn(text, caller->user);
}

MlvS3Settings *mlv_remote_s3_settings(MlvRepo *repo, const MlvRemoteConfig *config, const char *url,
				      GError **error)
{
	MlvS3Settings *settings;

	/* A committed file must not choose who gets the key. */
	if (config->sse_key_file && config->shared_place) {
		mlv_fail(error, MLV_ERROR_USAGE,
			 "'sseKeyFile' sends your key to the server, and the address of the remote "
			 "'%s' comes from the committed file; say it yourself: 'mlv remote set-url "
			 "--local %s %s'%s",
			 config->name, config->name, config->url,
			 config->endpoint ? ", and its 'endpoint' likewise" : "");
		return NULL;
	}
	settings = mlv_s3_settings_new(url, error);
	if (!settings)
		return NULL;
	settings->endpoint = g_strdup(config->endpoint);
	settings->region = g_strdup(config->region);
	mlv_s3_settings_parse_addressing(config->addressing, &settings->addressing, NULL);
	settings->ca_file = g_strdup(config->cafile);
	settings->insecure = !config->tls_verify;
	settings->profile = g_strdup(config->profile);
	settings->anonymous = config->anonymous;
	settings->sse = g_strdup(config->sse);
	settings->sse_kms_key = g_strdup(config->sse_kms_key);
	settings->sse_key_file = g_strdup(config->sse_key_file);
	settings->storage_class = g_strdup(config->storage_class);
	settings->acl = g_strdup(config->acl);
	settings->requester_pays = config->requester_pays;
	settings->unsigned_payload = config->unsigned_payload;
	settings->stall_seconds = (guint)MIN(config->timeout, STALL_MAX);
	settings->connections = (guint)config->connections;
	settings->rate = (guint64)config->rate;
	settings->cancel = mlv_repo_caller(repo)->cancel;
	settings->warn = tell;
	settings->warn_user = repo;
	return settings;
}

static MlvMedium *open_s3(MlvRepo *repo, const MlvRemoteConfig *config, GError **error)
{
	MlvS3Settings *settings = mlv_remote_s3_settings(repo, config, config->url, error);

	return settings ? mlv_medium_s3_new(settings, error) : NULL;
}

MlvHttpOptions mlv_remote_http_options(MlvRepo *repo, const MlvRemoteConfig *config)
{
	return (MlvHttpOptions){
		.ca_file = config->cafile,
		.insecure = !config->tls_verify,
		.max_transfers = (guint)config->connections,
		.rate = (guint64)config->rate,
		.stall_seconds = (guint)MIN(config->timeout, STALL_MAX),
		.cancel = mlv_repo_caller(repo)->cancel,
	};
}

static MlvMedium *open_http(MlvRepo *repo, const MlvRemoteConfig *config, GError **error)
{
	const MlvWebHelper helper = mlv_git_credential_helper(repo);
	const MlvMediumHttpOptions options = {
		.url = config->url,
		.http = mlv_remote_http_options(repo, config),
		.helper = config->anonymous ? NULL : &helper,
	};

	return mlv_medium_http_new(&options, error);
}

MlvMedium *mlv_remote_medium_open(MlvRepo *repo, const MlvRemoteConfig *config, gboolean sync,
				  GError **error)
{
	if (config->directory)
		return mlv_medium_dir_new(config->directory, sync, error);
	if (is_s3(config->url))
		return open_s3(repo, config, error);
	if (mlv_http_url_is(config->url))
		return open_http(repo, config, error);
	mlv_fail(error, MLV_ERROR_UNSUPPORTED,
		 "the remote '%s' is at '%s': this version of mlv knows folders (a path, or "
		 "file:///path), s3://BUCKET/PREFIX, http:// and https:// only",
		 config->name, config->url);
	return NULL;
}
