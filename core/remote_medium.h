/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configured remote lies on: chosen by its URL.
 *
 *	g_autoptr(MlvMedium) medium = mlv_remote_medium_open(repo, config, fsync, error);
 */
#ifndef MLV_CORE_REMOTE_MEDIUM_H
#define MLV_CORE_REMOTE_MEDIUM_H

#include "core/remote_config.h"
#include "storage/http/http.h"
#include "storage/medium.h"
#include "storage/s3/settings.h"

/* Connects to nothing yet. With `sync` what is written to a folder is synced. The repository's
 * caller is asked and told in between; it must outlive the medium. */
MlvMedium *mlv_remote_medium_open(MlvRepo *repo, const MlvRemoteConfig *config, gboolean sync,
				  GError **error);

/* What the remote's keys say, for something else at its server: the address `url` in the same
 * bucket. Free with mlv_s3_settings_free, or give it on. */
MlvS3Settings *mlv_remote_s3_settings(MlvRepo *repo, const MlvRemoteConfig *config, const char *url,
				      GError **error);
/* Likewise for a web server; borrows from config. */
MlvHttpOptions mlv_remote_http_options(MlvRepo *repo, const MlvRemoteConfig *config);

#endif
