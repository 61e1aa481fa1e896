/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of an S3 medium: bodies are hashed ahead by workers, deletions are gathered. */
#include <string.h>

#include "storage/s3/listing.h"
#include "storage/s3/medium_s3_private.h"

#define HASH_THREADS 2
#define HASH_AHEAD   4 /* bodies that are hashed, or being hashed, before they are sent */
#define BUSY         2 /* requests in flight with which there is no need to wait for a hash */

typedef struct {
	MediumS3 *s3;
	MlvOpNext next;
	MlvOpDone done;
	gpointer user;
	gboolean dry;   /* next gave NULL, and nothing was done since */
	gboolean ended; /* nothing more is to be asked for */
	guint hashing;  /* jobs in the pool */
	guint in_flight;
	GPtrArray *deletes; /* of MlvOp: gathered */
	GQueue again;       /* MlvS3Job: to be sent before all else */
	GError *failed;     /* what ended it */
} Batch;

static void hash_in_worker(gpointer job, gpointer user)
{
	mlv_s3_job_hash(job);
}

/* Hands an operation back. After the first failure the callee's answer no longer matters. */
static void hand_back(Batch *batch, MlvOp *op)
{
	g_autoptr(GError) late = NULL;
	GError **error = batch->ended ? &late : &batch->failed;

	batch->dry = FALSE;
	if (!batch->done(op, batch->user, error))
		batch->ended = TRUE;
}

/* Takes the job. */
static void hand_back_all(Batch *batch, MlvS3Job *job)
{
	if (job->op)
		hand_back(batch, job->op);
	for (guint i = 0; job->ops && i < job->ops->len; i++)
		hand_back(batch, job->ops->pdata[i]);
	mlv_s3_job_free(job);
}

/* Never sent. Takes the job. */
static void cancel(Batch *batch, MlvS3Job *job)
{
	if (job->op && !job->op->error)
		mlv_fail(&job->op->error, MLV_ERROR_CANCELLED, "cancelled");
	for (guint i = 0; job->ops && i < job->ops->len; i++)
		mlv_fail(&((MlvOp *)job->ops->pdata[i])->error, MLV_ERROR_CANCELLED, "cancelled");
	hand_back_all(batch, job);
}

/* --- what comes next -------------------------------------------------------------------------- */

/* A body that is hashed. Waits for one if there is little else to do. */
static MlvS3Job *take_hashed(Batch *batch)
{
	MlvS3Job *job = NULL;

	if (batch->hashing == 0)
		return NULL;
	if (batch->in_flight < BUSY)
		job = mlv_pool_take(batch->s3->pool);
	else
		job = mlv_pool_poll(batch->s3->pool);
	batch->hashing -= job ? 1 : 0;
	return job;
}

static MlvS3Job *take_deletes(Batch *batch)
{
	GPtrArray *ops = batch->deletes;

	if (ops->len == 0)
		return NULL;
	batch->deletes = g_ptr_array_new();
	return mlv_s3_job_new_deletes(batch->s3, ops);
}

/* Whether the keys can stand in a document. */
static gboolean can_gather(const MediumS3 *s3)
{
	return !s3->single_deletes && g_utf8_validate(s3->session->settings->prefix, -1, NULL);
}

/* Asks for operations until one can be sent at once; bodies go to the workers, deletions wait. */
static MlvS3Job *ask(Batch *batch)
{
	MediumS3 *s3 = batch->s3;

	while (!batch->dry && !batch->ended && batch->hashing < HASH_AHEAD &&
	       batch->deletes->len < MLV_S3_DELETE_MAX) {
		MlvOp *op = batch->next(batch->user);
		MlvS3Job *job;

		if (!op) {
			batch->dry = TRUE;
			break;
		}
		if (op->type == MLV_OP_DELETE && can_gather(s3)) {
			g_ptr_array_add(batch->deletes, op);
			continue;
		}
		job = mlv_s3_job_new(s3, op);
		if (!mlv_s3_job_must_hash(job))
			return job;
		if (!s3->pool)
			s3->pool = mlv_pool_new(HASH_THREADS, HASH_AHEAD, hash_in_worker, NULL);
		mlv_pool_submit(s3->pool, job);
		batch->hashing++;
	}
	return NULL;
}

static MlvS3Job *next_job(Batch *batch)
{
	MlvS3Job *job = g_queue_pop_head(&batch->again);

	if (!job)
		job = ask(batch);
	if (!job)
		job = take_hashed(batch);
	/* More may come as long as others are in flight. */
	if (!job && (batch->dry || batch->deletes->len >= MLV_S3_DELETE_MAX) && batch->hashing == 0)
		job = take_deletes(batch);
	return job;
}

/* A deletion alone needs no document. */
static MlvS3Job *unwrap(MlvS3Job *job)
{
	MlvS3Job *alone;

	if (!job->ops || job->ops->len != 1)
		return job;
	alone = mlv_s3_job_new(job->s3, job->ops->pdata[0]);
	mlv_s3_job_free(job);
	return alone;
}

static MlvHttpRequest *next_request(gpointer user)
{
	Batch *batch = user;
	MlvS3Job *job;

	while (!batch->ended && (job = next_job(batch))) {
		MlvHttpRequest *request;

		job = unwrap(job);
		request = mlv_s3_job_request(job);
		if (request) {
			batch->in_flight++;
			return request;
		}
		mlv_s3_job_finish(job);
		hand_back_all(batch, job);
	}
	return NULL;
}

/* --- what has ended --------------------------------------------------------------------------- */

static void split(Batch *batch, MlvS3Job *job)
{
	for (guint i = 0; i < job->ops->len; i++)
		g_queue_push_tail(&batch->again, mlv_s3_job_new(job->s3, job->ops->pdata[i]));
	mlv_s3_job_free(job);
}

static gboolean request_done(MlvHttpRequest *request, gpointer user, GError **error)
{
	Batch *batch = user;
	MlvS3Job *job = ((MlvS3Call *)request->user)->user;

	batch->in_flight--;
	switch (mlv_s3_job_finish(job)) {
	case MLV_S3_JOB_DONE:
		hand_back_all(batch, job);
		break;
	case MLV_S3_JOB_SINGLES:
		split(batch, job);
		break;
	}
	return !batch->ended || mlv_fail(error, MLV_ERROR_CANCELLED, "another transfer failed");
}

/* What was asked for and not sent. */
static void drain(Batch *batch)
{
	MlvS3Job *job;

	batch->ended = TRUE;
	while ((job = g_queue_pop_head(&batch->again)))
		cancel(batch, job);
	while (batch->hashing > 0) {
		batch->hashing--;
		cancel(batch, mlv_pool_take(batch->s3->pool));
	}
	job = take_deletes(batch);
	if (job)
		cancel(batch, job);
	g_ptr_array_unref(batch->deletes);
}

gboolean mlv_medium_s3_run(MlvMedium *medium, MlvOpNext next, MlvOpDone done, gpointer user,
			   GError **error)
{
	MediumS3 *s3 = (MediumS3 *)medium;
	Batch batch = { .s3 = s3, .next = next, .done = done, .user = user };
	g_autoptr(GError) stopped = NULL;
	gboolean ok;

	g_queue_init(&batch.again);
	batch.deletes = g_ptr_array_new();
	ok = mlv_http_run(s3->session->http, next_request, request_done, &batch, &stopped);
	if (ok && !batch.ended) {
		drain(&batch);
		return TRUE;
	}
	drain(&batch);
	g_propagate_error(error, batch.failed ? g_steal_pointer(&batch.failed)
				 : stopped    ? g_steal_pointer(&stopped)
					      : g_error_new(MLV_ERROR, MLV_ERROR_FAILED,
							    "the transfer was stopped"));
	return FALSE;
}
