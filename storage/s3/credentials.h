/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where keys for S3 come from, in the order of the AWS tools: environment; the profile's role_arn
 * (with source_profile or credential_source), web identity, SSO login, keys in the credentials
 * file, credential_process, keys in the config file; container endpoint; instance metadata
 * (IMDSv2). The chain ends anonymous.
 *
 *	g_autoptr(MlvS3Chain) chain = mlv_s3_chain_new(&options);
 *	const MlvS3Keys *keys;
 *	if (!mlv_s3_chain_get(chain, &keys, error))
 *		return FALSE;
 *	if (!keys) ... anonymous
 *
 * Nothing here is ever written to a message but the access key's id and where the keys came from.
 * Belongs to one thread at a time.
 */
#ifndef MLV_STORAGE_S3_CREDENTIALS_H
#define MLV_STORAGE_S3_CREDENTIALS_H

#include <signal.h>

#include "storage/error.h"

typedef struct {
	char *id; /* the access key's id; no secret */
	char *secret;
	char *token;    /* session token, or NULL */
	gint64 expires; /* unix seconds; 0: never */
	char *origin;   /* for messages: "the environment", "profile 'work'" ... */
} MlvS3Keys;

typedef struct {
	const char *profile; /* NULL: AWS_PROFILE, else "default". Set: the environment's keys are
			       * passed over, as the SDKs do */
	gboolean anonymous;  /* no keys are looked for */
	const char *region;  /* for STS and SSO where the profile names none; may be NULL */
	const char *ca_file; /* for STS, SSO and container endpoints; may be NULL */
	const volatile sig_atomic_t *cancel; /* may be NULL */
} MlvS3ChainOptions;

typedef struct MlvS3Chain MlvS3Chain;

MlvS3Chain *mlv_s3_chain_new(const MlvS3ChainOptions *options);
void mlv_s3_chain_free(MlvS3Chain *chain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Chain, mlv_s3_chain_free)

/* The keys to sign with now; *keys NULL: there are none, sign nothing. They are the chain's, valid
 * until the next call. Looked up once, and again when they are about to expire (5 minutes before;
 * keys that cannot be renewed are used until they do). A source that is configured and fails is an
 * error, not passed over. */
gboolean mlv_s3_chain_get(MlvS3Chain *chain, const MlvS3Keys **keys, GError **error);
/* The server says that the keys have expired: the next get looks them up anew. */
void mlv_s3_chain_expire(MlvS3Chain *chain);
/* What was looked at, for the message where nothing was found: "no keys in the environment, no
 * profile 'default' in ~/.aws ...". Free with g_free. */
char *mlv_s3_chain_describe(const MlvS3Chain *chain);
/* The profile's region (AWS_REGION, AWS_DEFAULT_REGION, then the profile's), or NULL; and the
 * endpoint that the environment or the profile names for `service` ("s3", "sts", "sso"), or NULL.
 * Free with g_free. */
char *mlv_s3_chain_region(MlvS3Chain *chain);
char *mlv_s3_chain_endpoint(MlvS3Chain *chain, const char *service);
/* The file of CA certificates that AWS_CA_BUNDLE, or the profile's ca_bundle, names, or NULL. Free
 * with g_free. */
char *mlv_s3_chain_ca_bundle(MlvS3Chain *chain);

#endif
