/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where requests go: scheme, host and path of a bucket's keys, and how these change with the
 * region. Pure: no network.
 *
 *	g_autoptr(MlvS3Endpoint) endpoint = mlv_s3_endpoint_new(NULL, "eu-central-1", error);
 *	mlv_s3_endpoint_place(endpoint, "bucket", MLV_S3_AUTO);
 *	g_autofree char *path = mlv_s3_endpoint_path(endpoint, "prefix/format");
 *	... endpoint->scheme "://" endpoint->authority path
 */
#ifndef MLV_STORAGE_S3_ENDPOINT_H
#define MLV_STORAGE_S3_ENDPOINT_H

#include "storage/s3/settings.h"

/* Read only for others. */
typedef struct {
	char *scheme; /* "http" or "https" */
	char *host;   /* of the service, without port; lower case, IPv6 in brackets */
	char *port;   /* ":9000", or "" where it is the scheme's own */
	char *base;   /* path before everything: "" or "/some/where" */
	gboolean aws; /* one of Amazon's own */
	char *bucket;
	gboolean is_virtual; /* the bucket stands in the host's name */
	char *authority;     /* what the Host header has: with the bucket, if it is there */
} MlvS3Endpoint;

/* `address` as settings have it; NULL: Amazon's own in that region. */
MlvS3Endpoint *mlv_s3_endpoint_new(const char *address, const char *region, GError **error);
void mlv_s3_endpoint_free(MlvS3Endpoint *endpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Endpoint, mlv_s3_endpoint_free)

/* Says which bucket, and decides where it stands. */
void mlv_s3_endpoint_place(MlvS3Endpoint *endpoint, const char *bucket, MlvS3Addressing addressing);

/* The escaped path of a key; NULL: of the bucket itself. Free with g_free. */
char *mlv_s3_endpoint_path(const MlvS3Endpoint *endpoint, const char *key);
/* "https://host:port" for messages. Free with g_free. */
char *mlv_s3_endpoint_address(const MlvS3Endpoint *endpoint);

/* The region that the host's name tells, or NULL. Free with g_free. */
char *mlv_s3_endpoint_region(const MlvS3Endpoint *endpoint);
/* The region that a redirect to `target` (a URL, or a host with or without the bucket) leads to:
 * NULL unless that is the same service in another region. Free with g_free. */
char *mlv_s3_endpoint_redirect(const MlvS3Endpoint *endpoint, const char *region,
			       const char *target);
/* Turns to the host of another region, where the name tells the region `from`. FALSE if nothing
 * changes. */
gboolean mlv_s3_endpoint_move(MlvS3Endpoint *endpoint, const char *from, const char *to);

#endif
