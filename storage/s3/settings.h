/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that can be said of an S3 remote. mlv-s3(7) tells users; core/remote_config.h reads it.
 *
 *	g_autoptr(MlvS3Settings) settings = mlv_s3_settings_new("s3://bucket/prefix", error);
 *	settings->region = g_strdup("eu-central-1");
 *	MlvMedium *medium = mlv_medium_s3_new(settings, error);
 *
 * Plain data; any thread.
 */
#ifndef MLV_STORAGE_S3_SETTINGS_H
#define MLV_STORAGE_S3_SETTINGS_H

#include <signal.h>

#include "storage/error.h"

typedef enum {
	MLV_S3_AUTO,    /* virtual at AWS where the bucket's name allows it, else path */
	MLV_S3_PATH,    /* https://host/bucket/key */
	MLV_S3_VIRTUAL, /* https://bucket.host/key */
} MlvS3Addressing;

/* Strings are owned; NULL where nothing was said. */
typedef struct {
	char *url; /* as written, for messages */
	char *bucket;
	char *prefix;   /* literal; no slash at its end; may be "" */
	char *endpoint; /* "https://host[:port][/path]" */
	char *region;
	MlvS3Addressing addressing;
	char *ca_file;
	gboolean insecure;
	char *profile;
	gboolean anonymous;
	char *sse; /* server-side encryption: "AES256", "aws:kms" ... as the header has it */
	char *sse_kms_key;  /* id of the key that aws:kms is to use */
	char *sse_key_file; /* of a key of the user's own (SSE-C) */
	char *storage_class;
	char *acl; /* a canned one */
	gboolean requester_pays;
	gboolean unsigned_payload;           /* bodies are not hashed: for https alone */
	guint stall_seconds;                 /* 0: the default */
	guint connections;                   /* at most; 0: as many as help */
	guint64 rate;                        /* bytes a second at most; 0: no limit */
	const volatile sig_atomic_t *cancel; /* borrowed; may be NULL */
	/* Told once for each thing that was mended and that the user should mend for good. May be
	 * NULL. Called in the thread that uses the medium. */
	void (*warn)(const char *text, gpointer user);
	gpointer warn_user;
} MlvS3Settings;

/* Settings with bucket and prefix taken from "s3://BUCKET[/PREFIX]"; no byte of it is an escape.
 * MLV_ERROR_USAGE says what is wrong with it. */
MlvS3Settings *mlv_s3_settings_new(const char *url, GError **error);
void mlv_s3_settings_free(MlvS3Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Settings, mlv_s3_settings_free)

/* Whether the values can be, one by one and together; those of the list are what users write. */
gboolean mlv_s3_settings_check(const MlvS3Settings *settings, GError **error);
gboolean mlv_s3_settings_check_url(const char *url, GError **error);
gboolean mlv_s3_settings_check_endpoint(const char *endpoint, GError **error);
gboolean mlv_s3_settings_check_region(const char *region, GError **error);
gboolean mlv_s3_settings_parse_addressing(const char *text, MlvS3Addressing *addressing,
					  GError **error);

/* The 32 bytes of the user's own key: the file holds them, or their base64. */
GBytes *mlv_s3_settings_read_key(const char *path, GError **error);

#endif
