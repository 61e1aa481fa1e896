/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4 (AWS General Reference, "Create a signed AWS API request"; for S3 the
 * path is escaped once and not normalised). Pure: no clock, no network.
 */
#ifndef MLV_STORAGE_S3_SIGN_H
#define MLV_STORAGE_S3_SIGN_H

#include "storage/s3/credentials.h"

/* %XX of every byte but [A-Za-z0-9-._~] and, with `slashes`, '/'. Free with g_free. */
char *mlv_s3_escape(const char *text, gssize length, gboolean slashes);

typedef struct {
	const char *method;
	const char *host;    /* as in the Host header, with the port where it is not the default */
	const char *path;    /* escaped, begins with '/' */
	const char *query;   /* escaped "a=1&b=2", in any order; "" for none */
	GPtrArray *headers;  /* of char * "Name: value": those to sign besides host and x-amz-date;
			      * may be NULL */
	const char *payload; /* hex SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
	const char *region;
	const char *service; /* "s3", "sts" */
	gint64 time;         /* unix seconds by the server's clock */
} MlvS3Signing;

/* The headers to send besides those given, of char * "Name: value": Host, X-Amz-Date,
 * X-Amz-Content-Sha256 (for service "s3"), X-Amz-Security-Token (where keys have one),
 * Authorization. keys NULL: no signature, only what is sent anyway. Free with g_ptr_array_unref. */
GPtrArray *mlv_s3_sign(const MlvS3Signing *signing, const MlvS3Keys *keys);

#endif
