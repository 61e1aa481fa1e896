/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an S3 server says when it refuses: read, sorted by what can be done about it, and told to
 * people. Servers differ in their codes; those of AWS, Ceph, MinIO and Swift are known.
 *
 *	MlvS3Fault fault = { 0 };
 *	if (mlv_s3_fault_read(&fault, request))
 *		switch (mlv_s3_fault_kind(&fault)) ...
 *	mlv_s3_fault_clear(&fault);
 */
#ifndef MLV_STORAGE_S3_FAULT_H
#define MLV_STORAGE_S3_FAULT_H

#include "storage/http/http.h"
#include "storage/s3/credentials.h"
#include "storage/s3/endpoint.h"

typedef struct {
	guint status;   /* 0: nothing was refused */
	char *code;     /* "NoSuchKey"; "" where the answer has none */
	char *message;  /* "" likewise */
	char *region;   /* that the bucket is in, as the answer has it; or NULL */
	char *target;   /* where the answer points to: a host or URL; or NULL */
	gboolean is_s3; /* the answer is one of an S3 server */
} MlvS3Fault;

/* Reads the answer. FALSE if it is no refusal: a 2xx without an error in its body. Where
 * `may_hold_error` is FALSE a 2xx's body is not looked at. */
gboolean mlv_s3_fault_read(MlvS3Fault *fault, const MlvHttpRequest *request,
			   gboolean may_hold_error);
void mlv_s3_fault_clear(MlvS3Fault *fault);

typedef enum {
	MLV_S3_FAULT_FINAL,   /* asking again will not help */
	MLV_S3_FAULT_MISSING, /* the key is not there */
	MLV_S3_FAULT_BUSY,    /* later */
	MLV_S3_FAULT_DAMAGED, /* the body did not arrive as it was sent */
	MLV_S3_FAULT_CLOCK,   /* ours is wrong */
	MLV_S3_FAULT_EXPIRED, /* the credentials have */
	MLV_S3_FAULT_REGION,  /* elsewhere */
} MlvS3FaultKind;

MlvS3FaultKind mlv_s3_fault_kind(const MlvS3Fault *fault);

/* What a message needs to know besides. */
typedef struct {
	const char *verb; /* "read", "write", "delete", "list" */
	const char *name; /* of what; NULL: the bucket */
	const MlvS3Settings *settings;
	const MlvS3Endpoint *endpoint;
	const char *region;
	const MlvS3Keys *keys;   /* that the request was signed with; NULL: none */
	const MlvS3Chain *chain; /* to tell where keys were looked for */
	guint tries;
} MlvS3FaultContext;

/* Sets *error to what was refused, where, why, and what to do next. Never holds a secret. Returns
 * FALSE. */
gboolean mlv_s3_fault_fail(const MlvS3Fault *fault, const MlvS3FaultContext *context,
			   GError **error);

#endif
