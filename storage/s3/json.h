/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that programs and services answer with when they are asked for keys. Home of jansson below
 * cmd/. What is read may be secret: it is never in a message, and is overwritten when it is freed.
 *
 *	g_autoptr(MlvS3Json) json = mlv_s3_json_parse(data, length, "the answer", error);
 *	id = mlv_s3_json_text(json, "roleCredentials/accessKeyId");
 */
#ifndef MLV_STORAGE_S3_JSON_H
#define MLV_STORAGE_S3_JSON_H

#include "storage/error.h"

#define MLV_S3_JSON_MAX (1024 * 1024)

typedef struct MlvS3Json MlvS3Json;

/* An object of at most MLV_S3_JSON_MAX bytes; else MLV_ERROR_CORRUPT, of `what`. */
MlvS3Json *mlv_s3_json_parse(const void *data, gsize length, const char *what, GError **error);
void mlv_s3_json_free(MlvS3Json *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Json, mlv_s3_json_free)

/* The text at `path`, names joined by '/'; NULL where there is none, or an empty one. The json's
 * own. */
const char *mlv_s3_json_text(const MlvS3Json *json, const char *path);
/* The whole number at `path`; FALSE where there is none. */
gboolean mlv_s3_json_integer(const MlvS3Json *json, const char *path, gint64 *value);
void mlv_s3_json_set_text(MlvS3Json *json, const char *key, const char *text);
/* Free with mlv_secret_free. */
char *mlv_s3_json_format(const MlvS3Json *json);

#endif
