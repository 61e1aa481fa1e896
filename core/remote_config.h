/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remotes as configured: sections [mlv-remote "name"] of .mlvconfig and of the user's levels, which
 * win key by key.
 */
#ifndef MLV_CORE_REMOTE_CONFIG_H
#define MLV_CORE_REMOTE_CONFIG_H

#include "core/repo.h"

/* One remote; strings are owned, NULL where unset. */
typedef struct {
	char *name;
	char *url;       /* as written */
	char *directory; /* absolute, if the URL is a plain path or file://; else NULL */
	char *endpoint;
	char *region;
	char *addressing; /* "auto", "path" or "virtual" */
	char *cafile;     /* absolute */
	char *profile;
	char *sse, *sse_kms_key; /* encryption by an S3 server */
	char *sse_key_file;      /* absolute */
	char *storage_class, *acl;
	gboolean anonymous;
	gboolean requester_pays, unsigned_payload;
	gboolean tls_verify; /* TRUE unless set otherwise */
	gboolean publish;
	gint64 connections;    /* at most so many at once; 0: as the program thinks best */
	gint64 rate;           /* bytes a second at most; 0: no limit */
	guint64 timeout;       /* seconds without a byte until it is tried again; 0: the default */
	MlvConfigLevel level;  /* where its url comes from */
	gboolean shared_place; /* url or endpoint come from the committed file */
} MlvRemoteConfig;

void mlv_remote_config_free(MlvRemoteConfig *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRemoteConfig, mlv_remote_config_free)

/* All remotes that have a url, sorted by name, of MlvRemoteConfig *. */
GPtrArray *mlv_remote_config_list(const MlvRepo *repo, GError **error);
/* The remote of that name, or MLV_ERROR_MISSING. With name NULL the default: mlv.remote, else the
 * only one there is, else "origin"; no remote at all, or several and no default, is
 * MLV_ERROR_MISSING and says what to do. */
MlvRemoteConfig *mlv_remote_config_find(const MlvRepo *repo, const char *name, GError **error);
gboolean mlv_remote_config_exists(const MlvRepo *repo, const char *name);
/* The default's name as above, or NULL. */
char *mlv_remote_config_default(const MlvRepo *repo);

/* Letters, digits, '-', '_', '.', beginning with a letter or digit; at most 64 bytes. */
gboolean mlv_remote_config_name_check(const char *name, GError **error);
/* A URL that some medium can serve: a path, file://, s3://, http(s)://. */
gboolean mlv_remote_config_url_check(const char *url, GError **error);

/* Changes to one level: SHARED (.mlvconfig), LOCAL or GLOBAL. The configuration is reloaded
 * after. */
gboolean mlv_remote_config_add(MlvRepo *repo, MlvConfigLevel level, const char *name,
			       const char *url, GError **error);
gboolean mlv_remote_config_rename(MlvRepo *repo, const char *name, const char *new_name,
				  GError **error);
gboolean mlv_remote_config_remove(MlvRepo *repo, const char *name, GError **error);
/* Sets `key` of a remote that exists; value NULL unsets. The value is checked by the key's type. */
gboolean mlv_remote_config_set(MlvRepo *repo, MlvConfigLevel level, const char *name,
			       const char *key, const char *value, GError **error);
gboolean mlv_remote_config_set_default(MlvRepo *repo, MlvConfigLevel level, const char *name,
				       GError **error);

#endif
