/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as the AWS tools' files of profiles: refused, or read and found again. */
#include <stdint.h>
#include <stdlib.h>

#include "storage/s3/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void read_as(MlvS3ProfilesFile file, const uint8_t *data, size_t length)
{
	g_autoptr(MlvS3Profiles) profiles = mlv_s3_profiles_new();
	g_autoptr(GError) error = NULL;
	const char *value;

	if (!mlv_s3_profiles_parse(profiles, file, (const char *)data, length, "fuzz", &error) !=
	    !!error)
		abort();
	value = mlv_s3_profiles_get_in(profiles, file, "default", "a");
	if (value && (!*value || !mlv_s3_profiles_has(profiles, MLV_S3_PROFILE, "default") ||
		      value != mlv_s3_profiles_get(profiles, MLV_S3_PROFILE, "default", "a")))
		abort();
	(void)mlv_s3_profiles_get_nested(profiles, MLV_S3_SERVICES, "x", "s3", "endpoint_url");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	read_as(MLV_S3_CONFIG, data, length);
	read_as(MLV_S3_CREDENTIALS, data, length);
	return 0;
}
