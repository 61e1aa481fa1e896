/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/s3/medium_s3*.c share. */
#ifndef MLV_STORAGE_S3_MEDIUM_S3_PRIVATE_H
#define MLV_STORAGE_S3_MEDIUM_S3_PRIVATE_H

#include "storage/medium.h"
#include "storage/pool.h"
#include "storage/s3/call.h"

typedef struct {
	MlvMedium medium; /* first */
	MlvS3Session *session;
	MlvPool *pool;           /* hashes what is to be sent; made when it is first needed */
	gboolean single_deletes; /* the server does not know how to delete several at once */
	gboolean told_slow;      /* that the server does not know ranges */
} MediumS3;

/* The whole key of a name. Free with g_free. */
char *mlv_medium_s3_key(const MediumS3 *s3, const char *name);
/* Learns the server's clock from an answer. */
void mlv_medium_s3_note_clock(MediumS3 *s3, const MlvHttpRequest *request);

/* --- medium_s3_job.c: one operation, or several deletions ------------------------------------- */

typedef struct {
	MediumS3 *s3;
	MlvOp *op;       /* borrowed; NULL: several */
	GPtrArray *ops;  /* of MlvOp, borrowed: deleted together */
	MlvS3Call *call; /* NULL until the body is hashed */
	/* What comes of a part that is asked for. */
	guint try;        /* the request's tries when this answer began */
	guint64 skip;     /* bytes of it still to be dropped */
	guint64 got;      /* bytes of it kept */
	GByteArray *part; /* these, of an operation into memory */
	GArray *failed;   /* MlvS3NotDeleted */
	char *payload;    /* of a body that was hashed */
	GError *error;    /* why it could not be */
} MlvS3Job;

MlvS3Job *mlv_s3_job_new(MediumS3 *s3, MlvOp *op);
/* Deletes all of `ops` (of MlvOp *; taken). */
MlvS3Job *mlv_s3_job_new_deletes(MediumS3 *s3, GPtrArray *ops);
void mlv_s3_job_free(MlvS3Job *job);
/* Whether its body must be hashed first, and that it is. */
gboolean mlv_s3_job_must_hash(const MlvS3Job *job);
void mlv_s3_job_hash(MlvS3Job *job);
/* The request to send; borrowed. NULL: there is nothing to send, it has failed. */
MlvHttpRequest *mlv_s3_job_request(MlvS3Job *job);

typedef enum {
	MLV_S3_JOB_DONE,    /* result or error is in each operation */
	MLV_S3_JOB_SINGLES, /* each of its operations is to be sent alone */
} MlvS3JobEnd;

/* The request has ended. */
MlvS3JobEnd mlv_s3_job_finish(MlvS3Job *job);

/* --- medium_s3_run.c -------------------------------------------------------------------------- */

gboolean mlv_medium_s3_run(MlvMedium *medium, MlvOpNext next, MlvOpDone done, gpointer user,
			   GError **error);

#endif
