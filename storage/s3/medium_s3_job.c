/* SPDX-License-Identifier: Apache-2.0 */
/* One operation of an S3 medium: its request, and what the answer means. */
#include <string.h>

#include "storage/file.h"
#include "storage/id.h"
#include "storage/s3/listing.h"
#include "storage/s3/medium_s3_private.h"

#define HASH_BUFFER (256u << 10)
#define SMALL       (64u << 10) /* bytes that are hashed without a worker */
#define SHORT_TRIES 4           /* times that an answer is asked for that is too short */
#define SLOW        (1u << 20)  /* bytes sent for nothing that are worth a warning */

static void free_op_array(GPtrArray **ops)
{
	if (*ops)
		g_ptr_array_unref(*ops);
	*ops = NULL;
}

MlvS3Job *mlv_s3_job_new(MediumS3 *s3, MlvOp *op)
{
	MlvS3Job *job = g_new0(MlvS3Job, 1);

	job->s3 = s3;
	job->op = op;
	return job;
}

MlvS3Job *mlv_s3_job_new_deletes(MediumS3 *s3, GPtrArray *ops)
{
	MlvS3Job *job = mlv_s3_job_new(s3, NULL);

	job->ops = ops;
	return job;
}

void mlv_s3_job_free(MlvS3Job *job)
{
	if (!job)
		return;
	mlv_s3_call_free(job->call);
	free_op_array(&job->ops);
	if (job->part)
		g_byte_array_unref(job->part);
	if (job->failed)
		g_array_unref(job->failed);
	g_free(job->payload);
	g_clear_error(&job->error);
	g_free(job);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static guint64 body_length(const MlvOp *op)
{
	return op->fd >= 0 ? op->length : g_bytes_get_size(op->bytes);
}

gboolean mlv_s3_job_must_hash(const MlvS3Job *job)
{
	return job->op && job->op->type == MLV_OP_PUT && !job->payload && !job->error &&
	       body_length(job->op) > SMALL && !job->s3->session->settings->unsigned_payload;
}

static gboolean hash_file(const MlvOp *op, MlvId *id, GError **error)
{
	g_autoptr(MlvHash) hash = mlv_hash_new();
	g_autofree guint8 *buffer = g_malloc(HASH_BUFFER);

	for (guint64 at = 0; at < op->length;) {
		gsize step = (gsize)MIN(op->length - at, HASH_BUFFER);

		if (!mlv_file_read_at(op->fd, buffer, step, at, op->name, error))
			return FALSE;
		mlv_hash_update(hash, buffer, step);
		at += step;
	}
	mlv_hash_finish(hash, id);
	return TRUE;
}

/* May run in a worker. */
void mlv_s3_job_hash(MlvS3Job *job)
{
	const MlvOp *op = job->op;
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	if (op->fd < 0)
		mlv_id_of(g_bytes_get_data(op->bytes, NULL), g_bytes_get_size(op->bytes), &id);
	else if (!hash_file(op, &id, &job->error))
		return;
	mlv_id_format(&id, hex);
	job->payload = g_strdup(hex);
}

/* --- requests --------------------------------------------------------------------------------- */

static void add_headers(MlvS3Call *call, const GPtrArray *headers)
{
	for (guint i = 0; i < headers->len; i++)
		g_ptr_array_add(call->headers, g_strdup(headers->pdata[i]));
}

static MlvS3Call *new_call(MlvS3Job *job, const char *method, const char *key, const char *query)
{
	MlvS3Call *call = mlv_s3_call_new(job->s3->session, method, key, query);

	call->user = job;
	return call;
}

static MlvS3Call *make_put(MlvS3Job *job, const char *key)
{
	const MlvOp *op = job->op;
	MlvS3Call *call = new_call(job, "PUT", key, "");

	if (!job->payload && job->s3->session->settings->unsigned_payload)
		job->payload = g_strdup("UNSIGNED-PAYLOAD");
	else if (!job->payload && !job->error)
		mlv_s3_job_hash(job);
	g_free(call->payload);
	call->payload = g_strdup(job->payload);
	call->may_hold_error = TRUE;
	add_headers(call, job->s3->session->put_headers);
	if (op->fd >= 0) {
		call->request->body_fd = op->fd;
		call->request->body_length = op->length;
	} else {
		call->request->body = g_bytes_ref(op->bytes);
	}
	return call;
}

/* --- parts ------------------------------------------------------------------------------------ */

static void tell_slow(MlvS3Job *job)
{
	const MlvS3Settings *settings = job->s3->session->settings;
	g_autofree char *text = NULL;

	if (job->s3->told_slow || !settings->warn)
		return;
	job->s3->told_slow = TRUE;
	text = g_strdup_printf(
		"the server of '%s' does not know ranges: it sends all of an object where a part "
		"is asked for, which takes long",
		job->s3->medium.url);
	settings->warn(text, settings->warn_user);
}

/* Where this answer begins: a server that knows no ranges sends the whole. */
static void begin_part(MlvS3Job *job)
{
	const MlvHttpRequest *request = job->call->request;
	const char *declared = mlv_http_request_field(request, "content-length");
	guint64 size = 0;

	job->try = request->tries;
	job->got = 0;
	job->skip = request->status == 206 ? 0 : job->op->offset;
	if (job->part)
		g_byte_array_set_size(job->part, 0);
	if (request->status != 206 && declared)
		size = g_ascii_strtoull(declared, NULL, 10);
	if (job->op->length != MLV_OP_ALL && size > job->op->length &&
	    size - job->op->length > SLOW)
		tell_slow(job);
}

static gboolean keep_part(MlvS3Job *job, const guint8 *data, gsize length, GError **error)
{
	const MlvOp *op = job->op;

	if ((op->max > 0 && job->got + length > op->max) ||
	    (op->fd < 0 && job->got + length > G_MAXINT32))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "it is longer than it may be");
	if (op->fd < 0)
		g_byte_array_append(job->part, data, (guint)length);
	else if (!mlv_file_write_at(op->fd, data, length, job->got, op->name, error))
		return FALSE;
	job->got += length;
	return TRUE;
}

static gboolean take_part(MlvHttpRequest *request, const void *data, gsize length, GError **error)
{
	MlvS3Job *job = ((MlvS3Call *)request->user)->user;
	gsize dropped, kept;

	if (job->try != request->tries)
		begin_part(job);
	dropped = (gsize)MIN(length, job->skip);
	job->skip -= dropped;
	kept = length - dropped;
	if (job->op->length != MLV_OP_ALL)
		kept = (gsize)MIN(kept, job->op->length - job->got);
	if (kept > 0 && !keep_part(job, (const guint8 *)data + dropped, kept, error))
		return FALSE;
	/* Nobody wants what comes behind. */
	return dropped + kept == length;
}

/* "bytes 10-19/100"; the total may be '*', then it is G_MAXUINT64. */
static gboolean parse_range(const char *text, guint64 *first, guint64 *total)
{
	char *end;

	if (!text || !g_str_has_prefix(text, "bytes ") || !g_ascii_isdigit(text[6]))
		return FALSE;
	*first = g_ascii_strtoull(text + 6, &end, 10);
	end = strchr(end, '/');
	*total = end && g_ascii_isdigit(end[1]) ? g_ascii_strtoull(end + 1, NULL, 10) : G_MAXUINT64;
	return TRUE;
}

typedef enum {
	PART_RIGHT,
	PART_SHORT, /* there is no more */
	PART_OTHER, /* than was asked for: of another length, or from elsewhere */
} Part;

static Part judge_part(const MlvS3Job *job)
{
	const MlvHttpRequest *request = job->call->request;
	const char *range = mlv_http_request_field(request, "content-range");
	guint64 first = 0, total = G_MAXUINT64, wanted = job->op->length;
	guint64 got = job->try == request->tries ? job->got : 0;

	if (request->status != 206) {
		/* The whole, of which all before the part was dropped. */
		if (wanted == MLV_OP_ALL)
			return job->try == request->tries && job->skip == 0 ? PART_RIGHT
									    : PART_SHORT;
		return got == wanted ? PART_RIGHT : PART_SHORT;
	}
	if (!parse_range(range, &first, &total) || first != job->op->offset)
		return PART_OTHER;
	if (wanted == MLV_OP_ALL)
		wanted = total != G_MAXUINT64 ? total - MIN(first, total) : got;
	else if (total != G_MAXUINT64 && total < first + wanted)
		return PART_SHORT;
	return got == wanted ? PART_RIGHT : PART_OTHER;
}

/* Another part than was asked for is asked for again. */
static MlvHttpVerdict check_part(MlvS3Call *call)
{
	return judge_part(call->user) != PART_OTHER || call->request->tries >= SHORT_TRIES
		       ? MLV_HTTP_DONE
		       : MLV_HTTP_LATER;
}

static void set_range(MlvS3Call *call, const MlvOp *op)
{
	if (op->length != MLV_OP_ALL)
		call->range = g_strdup_printf("bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT,
					      op->offset, op->offset + op->length - 1);
	else if (op->offset > 0)
		call->range = g_strdup_printf("bytes=%" G_GUINT64_FORMAT "-", op->offset);
}

static MlvS3Call *make_get(MlvS3Job *job, const char *key)
{
	const MlvOp *op = job->op;
	/* No range is empty: that it is there is all that can be asked. */
	MlvS3Call *call = new_call(job, op->length == 0 ? "HEAD" : "GET", key, "");
	MlvHttpRequest *request = call->request;

	add_headers(call, job->s3->session->get_headers);
	if (op->length == 0)
		return call;
	set_range(call, op);
	if (call->range) {
		call->check = check_part;
		request->take = take_part;
		if (op->fd < 0 && !job->part)
			job->part = g_byte_array_new();
		return call;
	}
	request->sink_fd = op->fd;
	request->sink_max = op->length != MLV_OP_ALL ? op->length
			    : op->max > 0            ? op->max
			    : op->fd < 0             ? G_MAXUINT32
						     : 0;
	return call;
}

/* An answer that cannot be read is asked for again, and so are deletions that may succeed later. */
static MlvHttpVerdict check_deletes(MlvS3Call *call)
{
	MlvS3Job *job = call->user;
	const GByteArray *answer = call->request->answer;
	gboolean later = FALSE;

	if (job->failed)
		g_array_unref(job->failed);
	job->failed = answer ? mlv_s3_delete_parse(answer->data, answer->len, NULL) : NULL;
	for (guint i = 0; job->failed && i < job->failed->len; i++) {
		MlvS3Fault fault = {
			.status = 400,
			.code = g_array_index(job->failed, MlvS3NotDeleted, i).code,
		};

		later |= mlv_s3_fault_kind(&fault) == MLV_S3_FAULT_BUSY;
	}
	if (job->failed && !later)
		return MLV_HTTP_DONE;
	return call->request->tries < SHORT_TRIES ? MLV_HTTP_LATER : MLV_HTTP_DONE;
}

static MlvS3Call *make_deletes(MlvS3Job *job)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GBytes) body = NULL;
	g_autofree char *sum = NULL;
	MlvS3Call *call = new_call(job, "POST", NULL, "delete=");
	gsize length;
	const guchar *data;

	for (guint i = 0; i < job->ops->len; i++)
		g_ptr_array_add(keys,
				mlv_medium_s3_key(job->s3, ((MlvOp *)job->ops->pdata[i])->name));
	body = mlv_s3_delete_body(keys);
	data = g_bytes_get_data(body, &length);
	sum = mlv_md5_base64(data, length);
	mlv_s3_call_add_header(call, "content-md5", sum);
	mlv_s3_call_add_header(call, "content-type", "application/xml");
	mlv_s3_call_set_body(call, body);
	call->may_hold_error = TRUE;
	call->check = check_deletes;
	return call;
}

MlvHttpRequest *mlv_s3_job_request(MlvS3Job *job)
{
	g_autofree char *key = job->op ? mlv_medium_s3_key(job->s3, job->op->name) : NULL;

	g_clear_pointer(&job->call, mlv_s3_call_free);
	if (job->error)
		return NULL;
	if (!job->op) {
		job->call = make_deletes(job);
	} else if (job->op->type == MLV_OP_PUT) {
		job->call = make_put(job, key);
	} else if (job->op->type == MLV_OP_GET) {
		job->call = make_get(job, key);
	} else {
		job->call = new_call(job, "DELETE", key, "");
		job->call->may_hold_error = TRUE;
	}
	return job->error ? NULL : job->call->request;
}

/* --- answers ---------------------------------------------------------------------------------- */

static const char *verb_of(const MlvOp *op)
{
	static const char *const verbs[] = {
		[MLV_OP_GET] = "read", [MLV_OP_PUT] = "write", [MLV_OP_DELETE] = "delete"
	};

	return verbs[op->type];
}

static void fail_transfer(const MlvS3Job *job, MlvOp *op, const GError *why)
{
	op->error = g_error_copy(why);
	g_prefix_error(&op->error, "cannot %s '%s' at '%s': ", verb_of(op), op->name,
		       job->s3->medium.url);
}

static void fail_short(const MlvS3Job *job)
{
	mlv_fail(&job->op->error, MLV_ERROR_CORRUPT, "'%s' at '%s' is shorter than it must be",
		 job->op->name, job->s3->medium.url);
}

/* Refused. That a name is not there is what a DELETE wants, and is a code of its own for a GET. */
static void fail_refused(const MlvS3Job *job)
{
	const MlvS3Call *call = job->call;
	MlvOp *op = job->op;
	gboolean missing = mlv_s3_fault_kind(&call->fault) == MLV_S3_FAULT_MISSING;
	const char *range = mlv_http_request_field(call->request, "content-range");

	if (missing && op->type == MLV_OP_DELETE)
		return;
	if (missing && op->type == MLV_OP_GET)
		mlv_fail(&op->error, MLV_ERROR_MISSING, "there is no '%s' at '%s'", op->name,
			 job->s3->medium.url);
	else if (call->fault.status == 416 && op->length == MLV_OP_ALL && op->fd < 0 && range &&
		 g_str_has_prefix(range, "bytes */") &&
		 g_ascii_strtoull(range + strlen("bytes */"), NULL, 10) == op->offset)
		op->bytes = g_bytes_new(NULL, 0);
	else if (call->fault.status == 416)
		fail_short(job);
	else
		mlv_s3_call_fail(call, verb_of(op), op->name, &op->error);
}

static void finish_part(MlvS3Job *job)
{
	MlvOp *op = job->op;

	switch (judge_part(job)) {
	case PART_SHORT:
		fail_short(job);
		break;
	case PART_OTHER:
		mlv_fail(&op->error, MLV_ERROR_CORRUPT,
			 "'%s' at '%s': another part was sent than was asked for", op->name,
			 job->s3->medium.url);
		break;
	case PART_RIGHT:
		if (op->fd < 0)
			op->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&job->part));
		break;
	}
}

static void finish_get(MlvS3Job *job)
{
	MlvHttpRequest *request = job->call->request;
	MlvOp *op = job->op;
	gsize length;
	guint8 *data;

	if (op->length == 0) {
		if (op->fd < 0)
			op->bytes = g_bytes_new(NULL, 0);
	} else if (job->call->range) {
		finish_part(job);
	} else if (op->fd < 0) {
		data = request->answer ? g_byte_array_steal(request->answer, &length) : NULL;
		op->bytes = g_bytes_new_take(data, data ? length : 0);
	}
}

static void finish_deletes(MlvS3Job *job)
{
	MlvS3Call *call = job->call;

	for (guint i = 0; i < job->ops->len; i++) {
		MlvOp *op = job->ops->pdata[i];
		g_autofree char *key = mlv_medium_s3_key(job->s3, op->name);

		if (call->fault.status) {
			mlv_s3_call_fail(call, "delete", op->name, &op->error);
			continue;
		}
		if (!job->failed)
			mlv_fail(&op->error, MLV_ERROR_CORRUPT,
				 "cannot delete '%s' at '%s': the server's answer cannot be read",
				 op->name, job->s3->medium.url);
		for (guint n = 0; job->failed && n < job->failed->len; n++) {
			MlvS3NotDeleted *at = &g_array_index(job->failed, MlvS3NotDeleted, n);
			MlvS3Fault fault = { .status = 403, .code = at->code };

			if (op->error || strcmp(at->key, key) != 0)
				continue;
			fault.message = at->message;
			fault.is_s3 = TRUE;
			mlv_s3_call_fail_with(call, &fault, "delete", op->name, &op->error);
		}
	}
}

static void finish_failed(MlvS3Job *job)
{
	const MlvHttpRequest *request = job->call->request;

	for (guint i = 0; job->ops && i < job->ops->len; i++)
		fail_transfer(job, job->ops->pdata[i], request->error);
	if (job->op)
		fail_transfer(job, job->op, request->error);
}

MlvS3JobEnd mlv_s3_job_finish(MlvS3Job *job)
{
	const MlvS3Fault *fault = job->call ? &job->call->fault : NULL;

	if (!job->call || job->error) {
		fail_transfer(job, job->op, job->error);
		return MLV_S3_JOB_DONE;
	}
	if (job->call->request->error) {
		finish_failed(job);
		return MLV_S3_JOB_DONE;
	}
	mlv_medium_s3_note_clock(job->s3, job->call->request);
	if (!job->op && (fault->status == 405 || fault->status == 501)) {
		job->s3->single_deletes = TRUE;
		return MLV_S3_JOB_SINGLES;
	}
	if (!job->op)
		finish_deletes(job);
	else if (fault->status)
		fail_refused(job);
	else if (job->op->type == MLV_OP_GET)
		finish_get(job);
	return MLV_S3_JOB_DONE;
}
