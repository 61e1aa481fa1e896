/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two files of the AWS tools, "credentials" and "config": sections of `key = value`.
 *
 *	g_autoptr(MlvS3Profiles) profiles = mlv_s3_profiles_new();
 *	if (!mlv_s3_profiles_load(profiles, MLV_S3_CONFIG, path, error))
 *		return FALSE;
 *	region = mlv_s3_profiles_get(profiles, MLV_S3_PROFILE, "work", "region");
 *
 * Where both files have a key of a profile, the credentials file's counts. Names of keys are in
 * lower case. What is read may be secret: it is never in a message, and is overwritten when it is
 * freed. Format: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
 */
#ifndef MLV_STORAGE_S3_PROFILE_H
#define MLV_STORAGE_S3_PROFILE_H

#include "storage/error.h"

/* Bytes of a file at most. */
#define MLV_S3_PROFILES_MAX (1024 * 1024)

typedef enum {
	MLV_S3_CONFIG,      /* [default], [profile NAME], [sso-session NAME], [services NAME] */
	MLV_S3_CREDENTIALS, /* [NAME] */
} MlvS3ProfilesFile;

typedef enum {
	MLV_S3_PROFILE,
	MLV_S3_SSO_SESSION,
	MLV_S3_SERVICES,
} MlvS3Section;

typedef struct MlvS3Profiles MlvS3Profiles;

MlvS3Profiles *mlv_s3_profiles_new(void);
void mlv_s3_profiles_free(MlvS3Profiles *profiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Profiles, mlv_s3_profiles_free)

/* Adds a file's text. `label` is what messages call the file. MLV_ERROR_CORRUPT names the line. */
gboolean mlv_s3_profiles_parse(MlvS3Profiles *profiles, MlvS3ProfilesFile file, const char *text,
			       gsize length, const char *label, GError **error);
/* Adds the file at `path`; an absent one is empty. */
gboolean mlv_s3_profiles_load(MlvS3Profiles *profiles, MlvS3ProfilesFile file, const char *path,
			      GError **error);

gboolean mlv_s3_profiles_has(const MlvS3Profiles *profiles, MlvS3Section section, const char *name);
/* The value, or NULL where there is none or an empty one. The profiles' own. */
const char *mlv_s3_profiles_get(const MlvS3Profiles *profiles, MlvS3Section section,
				const char *name, const char *key);
/* The value of a profile in one of the files. */
const char *mlv_s3_profiles_get_in(const MlvS3Profiles *profiles, MlvS3ProfilesFile file,
				   const char *name, const char *key);
/* The value of `key` in the lines that are indented below an empty `parent =`. */
const char *mlv_s3_profiles_get_nested(const MlvS3Profiles *profiles, MlvS3Section section,
				       const char *name, const char *parent, const char *key);

#endif
