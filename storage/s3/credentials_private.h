/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files that implement storage/s3/credentials.h: the chain, and the sources it asks.
 *
 * A source gives TRUE with *keys NULL where it is not configured, and FALSE where it is and fails.
 * What it sends, and what it is answered, is secret: neither is ever in a message, save an error's
 * code and text that a service sent in its place.
 */
#ifndef MLV_STORAGE_S3_CREDENTIALS_PRIVATE_H
#define MLV_STORAGE_S3_CREDENTIALS_PRIVATE_H

#include "storage/http/http.h"
#include "storage/s3/credentials.h"
#include "storage/s3/profile.h"

struct MlvS3Chain {
	char *profile;      /* the one that counts */
	gboolean by_option; /* it was named by an option: the environment's keys do not count */
	gboolean by_name;   /* it was named at all: that it is absent is an error */
	gboolean anonymous;
	char *region, *ca_file; /* of the options */
	const volatile sig_atomic_t *cancel;

	MlvS3Profiles *profiles; /* NULL: to be read */
	MlvS3Keys *keys;         /* NULL: none were found, or not looked for yet */
	gboolean looked;
	gint64 renew_at; /* unix seconds */
	char *origin;    /* of the last keys found, also after they were dropped */
	GString *seen;   /* where nothing was found, for messages */

	/* What a test replaces. */
	guint process_seconds;        /* that a credential_process may take */
	gint64 (*now)(void);          /* unix seconds */
	const char *container_origin; /* what AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is below */
};

/* --- keys ------------------------------------------------------------------------------------- */

/* Copies all. NULL with an error where a part is missing or cannot stand in a header. */
MlvS3Keys *mlv_s3_keys_new(const char *id, const char *secret, const char *token, gint64 expires,
			   const char *origin, GError **error);
void mlv_s3_keys_free(MlvS3Keys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Keys, mlv_s3_keys_free)

/* Printable ASCII without blanks, not empty: what can stand in a header. */
gboolean mlv_s3_is_word(const char *text);
/* ISO 8601 ("2026-01-31T12:00:00Z") to unix seconds. */
gboolean mlv_s3_time_parse(const char *text, gint64 *seconds);
/* Keys of a JSON object with AccessKeyId, SecretAccessKey, `token` and Expiration. */
MlvS3Keys *mlv_s3_keys_from_json(const void *data, gsize length, const char *token,
				 const char *origin, GError **error);

/* --- settings --------------------------------------------------------------------------------- */

/* A variable of the environment, NULL where it is unset or empty. */
const char *mlv_s3_variable(const char *name);
/* "~/rest" with the home folder for '~'. Free with g_free. */
char *mlv_s3_expand_home(const char *path);
/* "~/.aws/<rest>". Free with g_free. */
char *mlv_s3_home_file(const char *rest);
/* The profiles, read if they have not been. Never NULL but with an error. */
const MlvS3Profiles *mlv_s3_chain_profiles(MlvS3Chain *chain, GError **error);
/* An error where it cannot be part of a host's name. */
gboolean mlv_s3_region_check(const char *region, GError **error);
/* The region to ask a service of AWS in, checked, or NULL. Free with g_free. */
gboolean mlv_s3_chain_service_region(MlvS3Chain *chain, char **region, GError **error);
/* Adds to what mlv_s3_chain_describe tells. */
void mlv_s3_chain_note(MlvS3Chain *chain, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* --- asking ----------------------------------------------------------------------------------- */

/* An address to send to: "https://host:8080/path" taken apart. */
typedef struct {
	char *url;  /* scheme, host, port, path; without a '/' at the end */
	char *host; /* as in the Host header */
	char *path; /* of the url: "" or "/path" */
	char *name; /* the host alone, without brackets */
	gboolean tls;
} MlvS3Address;
/* `what` names where the url is from, for the error. */
gboolean mlv_s3_address_parse(const char *url, const char *what, MlvS3Address *address,
			      GError **error);
void mlv_s3_address_clear(MlvS3Address *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvS3Address, mlv_s3_address_clear)
/* The address of a service: what environment and profile name, else `fallback`. */
gboolean mlv_s3_address_of_service(MlvS3Chain *chain, const char *service, const char *fallback,
				   MlvS3Address *address, GError **error);

/* A request, waited for; any status is TRUE. `near`: to this machine or its host, with short
 * time-outs and never through a proxy. */
gboolean mlv_s3_ask(MlvS3Chain *chain, MlvHttpRequest *request, gboolean near, GError **error);
/* Frees a request; what its headers and its answer held is overwritten. */
void mlv_s3_question_clear(MlvHttpRequest **question);
#define MLV_AUTO_QUESTION __attribute__((cleanup(mlv_s3_question_clear)))

/* --- sources ---------------------------------------------------------------------------------- */

gboolean mlv_s3_keys_from_environment(MlvS3Chain *chain, MlvS3Keys **keys, GError **error);
gboolean mlv_s3_keys_from_profile(MlvS3Chain *chain, MlvS3Keys **keys, GError **error);
gboolean mlv_s3_keys_from_process(MlvS3Chain *chain, const char *profile, MlvS3Keys **keys,
				  GError **error);
gboolean mlv_s3_keys_from_sso(MlvS3Chain *chain, const char *profile, MlvS3Keys **keys,
			      GError **error);
/* With `environment` its variables count before the profile's keys. */
gboolean mlv_s3_keys_from_web_identity(MlvS3Chain *chain, const char *profile, gboolean environment,
				       MlvS3Keys **keys, GError **error);
/* The role of a profile, asked for with the keys of `source`. */
gboolean mlv_s3_keys_from_role(MlvS3Chain *chain, const char *profile, const MlvS3Keys *source,
			       MlvS3Keys **keys, GError **error);
gboolean mlv_s3_keys_from_container(MlvS3Chain *chain, MlvS3Keys **keys, GError **error);
/* No service there, or one without a role: *keys NULL. */
gboolean mlv_s3_keys_from_instance(MlvS3Chain *chain, MlvS3Keys **keys, GError **error);

#endif
