/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A medium that is a bucket, or a prefix in one, of a server that speaks S3.
 *
 *	MlvS3Settings *settings = mlv_s3_settings_new("s3://bucket/prefix", error);
 *	g_autoptr(MlvMedium) medium = settings ? mlv_medium_s3_new(settings, error) : NULL;
 *
 * A PUT that is there already is written over: names are content. Nothing relies on conditional
 * requests. One thread at a time, as media are; bodies are hashed in workers before they are sent.
 */
#ifndef MLV_STORAGE_S3_MEDIUM_S3_H
#define MLV_STORAGE_S3_MEDIUM_S3_H

#include "storage/medium.h"
#include "storage/s3/settings.h"

/* Takes the settings, in any case. Connects to nothing yet. */
MlvMedium *mlv_medium_s3_new(MlvS3Settings *settings, GError **error);

#endif
