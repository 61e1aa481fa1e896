/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of ListObjectsV2 and answers to DeleteObjects: queries and bodies made, answers read.
 * Pure; thread safe.
 */
#ifndef MLV_STORAGE_S3_LISTING_H
#define MLV_STORAGE_S3_LISTING_H

#include "storage/error.h"

/* One key of a page. */
typedef struct {
	char *key; /* decoded */
	guint64 size;
	gint64 mtime; /* unix seconds */
} MlvS3Listed;

typedef struct {
	GArray *keys; /* MlvS3Listed, as they came */
	char *token;  /* for the next page; NULL: this is the last */
} MlvS3Page;

/* The query for the page that begins at `token` (NULL: the first). Free with g_free. */
char *mlv_s3_page_query(const char *prefix, const char *token);
/* Reads a page. MLV_ERROR_CORRUPT says what is wrong with it. Free with mlv_s3_page_free. */
MlvS3Page *mlv_s3_page_parse(const void *data, gsize length, GError **error);
void mlv_s3_page_free(MlvS3Page *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Page, mlv_s3_page_free)

/* Keys that one request may delete. */
#define MLV_S3_DELETE_MAX 1000

/* The body that deletes keys (of char *). */
GBytes *mlv_s3_delete_body(const GPtrArray *keys);
/* What of it failed. Keys that were not there are none. */
typedef struct {
	char *key, *code, *message;
} MlvS3NotDeleted;
/* Array of MlvS3NotDeleted, to be freed with g_array_unref; or MLV_ERROR_CORRUPT. */
GArray *mlv_s3_delete_parse(const void *data, gsize length, GError **error);

#endif
