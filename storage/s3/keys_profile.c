/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a profile, and of the profiles and sources that it leads to. */
#include "storage/s3/credentials_private.h"

#define CHAIN_MAX 16

static const char *get(MlvS3Chain *chain, const char *profile, const char *key)
{
	return mlv_s3_profiles_get(chain->profiles, MLV_S3_PROFILE, profile, key);
}

static gboolean keys_of_file(MlvS3Chain *chain, MlvS3ProfilesFile file, const char *profile,
			     MlvS3Keys **keys, GError **error)
{
	const MlvS3Profiles *all = chain->profiles;
	const char *id = mlv_s3_profiles_get_in(all, file, profile, "aws_access_key_id");
	const char *secret = mlv_s3_profiles_get_in(all, file, profile, "aws_secret_access_key");
	const char *token = mlv_s3_profiles_get_in(all, file, profile, "aws_session_token");
	g_autofree char *origin = g_strdup_printf("profile '%s'", profile);

	*keys = NULL;
	if (!id && !secret)
		return TRUE;
	if (!token)
		token = mlv_s3_profiles_get_in(all, file, profile, "aws_security_token");
	*keys = mlv_s3_keys_new(id, secret, token, 0, origin, error);
	return *keys != NULL;
}

static gboolean written_keys(MlvS3Chain *chain, const char *profile, MlvS3Keys **keys,
			     GError **error)
{
	return keys_of_file(chain, MLV_S3_CREDENTIALS, profile, keys, error) &&
	       (*keys || keys_of_file(chain, MLV_S3_CONFIG, profile, keys, error));
}

static gboolean has_written_keys(MlvS3Chain *chain, const char *profile)
{
	return get(chain, profile, "aws_access_key_id") ||
	       get(chain, profile, "aws_secret_access_key");
}

/* What `aws login` leaves is bound to a key of its own that the AWS tools alone can use. */
static gboolean refuse_login(MlvS3Chain *chain, const char *profile, GError **error)
{
	return !get(chain, profile, "login_session") ||
	       mlv_fail(error, MLV_ERROR_UNSUPPORTED,
			"profile '%s' is one of `aws login`: make another profile with "
			"'credential_process = aws configure export-credentials --profile %s "
			"--format process' and use that",
			profile, profile);
}

/* All kinds but a role that is asked for with other keys. */
static gboolean keys_without_role(MlvS3Chain *chain, const char *profile, gboolean environment,
				  MlvS3Keys **keys, GError **error)
{
	return mlv_s3_keys_from_web_identity(chain, profile, environment, keys, error) &&
	       (*keys || mlv_s3_keys_from_sso(chain, profile, keys, error)) &&
	       (*keys || keys_of_file(chain, MLV_S3_CREDENTIALS, profile, keys, error)) &&
	       (*keys || mlv_s3_keys_from_process(chain, profile, keys, error)) &&
	       (*keys || keys_of_file(chain, MLV_S3_CONFIG, profile, keys, error)) &&
	       (*keys || refuse_login(chain, profile, error));
}

static gboolean wants_role(MlvS3Chain *chain, const char *profile)
{
	return get(chain, profile, "role_arn") && !get(chain, profile, "web_identity_token_file");
}

/* What credential_source names. */
static gboolean keys_of_source(MlvS3Chain *chain, const char *profile, const char *source,
			       MlvS3Keys **keys, GError **error)
{
	gboolean good;

	*keys = NULL;
	if (g_ascii_strcasecmp(source, "Environment") == 0)
		good = mlv_s3_keys_from_environment(chain, keys, error);
	else if (g_ascii_strcasecmp(source, "Ec2InstanceMetadata") == 0)
		good = mlv_s3_keys_from_instance(chain, keys, error);
	else if (g_ascii_strcasecmp(source, "EcsContainer") == 0)
		good = mlv_s3_keys_from_container(chain, keys, error);
	else
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"profile '%s' has the credential_source '%s': it can be Environment, "
			"Ec2InstanceMetadata or EcsContainer",
			profile, source);
	if (good && !*keys)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"profile '%s' takes its keys from '%s' (credential_source), and there "
			"are none",
			profile, source);
	return good;
}

static gboolean keys_of_role(MlvS3Chain *chain, const char *profile, GPtrArray *visited,
			     MlvS3Keys **keys, GError **error);

/* The keys of the profile that `profile` names as its source. */
static gboolean keys_of_source_profile(MlvS3Chain *chain, const char *profile, const char *source,
				       GPtrArray *visited, MlvS3Keys **keys, GError **error)
{
	if (!mlv_s3_profiles_has(chain->profiles, MLV_S3_PROFILE, source))
		return mlv_fail(error, MLV_ERROR_FAILED,
				"profile '%s' has the source_profile '%s', which there is not",
				profile, source);
	/* A profile may be its own source if it has keys beside its role. */
	if (has_written_keys(chain, source))
		return written_keys(chain, source, keys, error);
	if (g_ptr_array_find_with_equal_func(visited, source, g_str_equal, NULL) ||
	    visited->len >= CHAIN_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the source_profile of profile '%s', '%s', leads back to itself or "
				"too far",
				profile, source);
	if (wants_role(chain, source))
		return keys_of_role(chain, source, visited, keys, error);
	if (!keys_without_role(chain, source, FALSE, keys, error))
		return FALSE;
	return *keys || mlv_fail(error, MLV_ERROR_FAILED,
				 "profile '%s' has the source_profile '%s', which has no keys",
				 profile, source);
}

static gboolean keys_of_role(MlvS3Chain *chain, const char *profile, GPtrArray *visited,
			     MlvS3Keys **keys, GError **error)
{
	const char *source_profile = get(chain, profile, "source_profile");
	const char *source = get(chain, profile, "credential_source");
	g_autoptr(MlvS3Keys) found = NULL;
	gboolean good;

	*keys = NULL;
	if (get(chain, profile, "mfa_serial"))
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			"profile '%s' wants the code of a device (mfa_serial), and nobody is "
			"asked for one: get keys with `aws sts assume-role` and put them "
			"into the environment, or name a credential_process",
			profile);
	if (!source_profile == !source)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"profile '%s' has a role_arn and %s: it needs one of source_profile and "
			"credential_source",
			profile, source ? "both kinds of a source" : "nothing to ask for it with");
	g_ptr_array_add(visited, (gpointer)profile);
	good = source ? keys_of_source(chain, profile, source, &found, error)
		      : keys_of_source_profile(chain, profile, source_profile, visited, &found,
					       error);
	return good && mlv_s3_keys_from_role(chain, profile, found, keys, error);
}

gboolean mlv_s3_keys_from_profile(MlvS3Chain *chain, MlvS3Keys **keys, GError **error)
{
	const char *profile = chain->profile;
	g_autoptr(GPtrArray) visited = g_ptr_array_new();
	gboolean there;

	*keys = NULL;
	if (!mlv_s3_chain_profiles(chain, error))
		return FALSE;
	there = mlv_s3_profiles_has(chain->profiles, MLV_S3_PROFILE, profile);
	if (!there && chain->by_name)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"there is no profile '%s' in the files of the AWS tools (~/.aws/config "
			"and ~/.aws/credentials unless AWS_CONFIG_FILE and "
			"AWS_SHARED_CREDENTIALS_FILE say otherwise)",
			profile);
	if (wants_role(chain, profile))
		return keys_of_role(chain, profile, visited, keys, error);
	if (!keys_without_role(chain, profile, !chain->by_option, keys, error))
		return FALSE;
	if (!*keys)
		mlv_s3_chain_note(chain, there ? "no keys in profile '%s'" : "no profile '%s'",
				  profile);
	return TRUE;
}
