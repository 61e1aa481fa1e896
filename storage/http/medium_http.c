/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/http/medium_http.h"

#include <string.h>

#include "storage/file.h"
#include "storage/http/http_url.h"
#include "storage/published.h"

#define SHORT_TRIES 3 /* of what comes shorter than was asked for */
#define LIST_TRIES  2 /* of a list that arrives damaged */

typedef struct {
	MlvMedium medium; /* first */
	MlvWeb *web;
} MediumHttp;

/* One operation under way. */
typedef struct {
	MediumHttp *http;
	MlvOp *op; /* borrowed */
	MlvWebCall *call;
	char *range;       /* header, or NULL */
	guint try;         /* the request's tries when this one began */
	guint64 skip;      /* bytes of this answer still to be dropped */
	guint64 got;       /* bytes kept of this answer */
	GByteArray *bytes; /* of an operation into memory */
} Job;

static void job_free(Job *job)
{
	mlv_web_call_free(job->call);
	if (job->bytes)
		g_byte_array_unref(job->bytes);
	g_free(job->range);
	g_free(job);
}

/* --- what comes ------------------------------------------------------------------------------- */

/* Where this answer begins: a server that knows no ranges sends the whole. */
static gboolean begin_answer(Job *job, GError **error)
{
	const MlvHttpRequest *request = job->call->request;
	const char *coding = mlv_http_request_field(request, "content-encoding");
	guint64 first, size;

	job->try = request->tries;
	job->got = 0;
	job->skip = request->status == 206 ? 0 : job->op->offset;
	if (job->bytes)
		g_byte_array_set_size(job->bytes, 0);
	if (coding && *coding && g_ascii_strcasecmp(coding, "identity") != 0)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' at '%s' is sent encoded as '%s'; the server must send files "
				"as they are",
				job->op->name, job->http->medium.url, coding);
	if (request->status == 206 &&
	    (!mlv_web_parse_range(mlv_http_request_field(request, "content-range"), &first,
				  &size) ||
	     first != job->op->offset))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' at '%s': another part was sent than was asked for",
				job->op->name, job->http->medium.url);
	return TRUE;
}

static gboolean keep(Job *job, const guint8 *data, gsize length, GError **error)
{
	MlvOp *op = job->op;

	if ((op->max > 0 && job->got + length > op->max) ||
	    (op->fd < 0 && job->got + length > G_MAXINT32))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' at '%s' is longer than it may be",
				op->name, job->http->medium.url);
	if (op->fd < 0)
		g_byte_array_append(job->bytes, data, (guint)length);
	else if (!mlv_file_write_at(op->fd, data, length, job->got, op->name, error))
		return FALSE;
	job->got += length;
	return TRUE;
}

/* Whether more comes than is wanted. The rest of a part is read, so that the connection can be used
 * again. */
static gboolean has_enough(const Job *job)
{
	const MlvHttpRequest *request = job->call->request;
	const char *declared = mlv_http_request_field(request, "content-length");
	guint64 size;

	if (job->op->length == MLV_OP_ALL || job->got < job->op->length || request->status == 206)
		return FALSE;
	return !declared ||
	       !g_ascii_string_to_unsigned(declared, 10, 0, G_MAXUINT64, &size, NULL) ||
	       size != job->op->offset + job->op->length;
}

static gboolean take(MlvHttpRequest *request, const void *data, gsize length, GError **error)
{
	Job *job = ((MlvWebCall *)request->user)->user;
	gsize dropped;

	if (job->try != request->tries && !begin_answer(job, error))
		return FALSE;
	dropped = (gsize)MIN(length, job->skip);
	job->skip -= dropped;
	length -= dropped;
	if (job->op->length != MLV_OP_ALL)
		length = (gsize)MIN(length, job->op->length - job->got);
	if (length > 0 && !keep(job, (const guint8 *)data + dropped, length, error))
		return FALSE;
	return !has_enough(job);
}

/* Whether this answer held all of what was asked for, as far as it can be told. */
static gboolean is_whole(const Job *job)
{
	const MlvHttpRequest *request = job->call->request;
	guint64 first, size;

	if (job->try != request->tries)
		return job->op->length == 0 || (job->op->length == MLV_OP_ALL &&
						request->status == 200 && job->op->offset == 0);
	if (job->op->length != MLV_OP_ALL)
		return job->got == job->op->length;
	if (request->status == 206 &&
	    mlv_web_parse_range(mlv_http_request_field(request, "content-range"), &first, &size) &&
	    size != G_MAXUINT64)
		return job->got == size - first;
	return job->skip == 0;
}

/* Whether the server says that there is not as much. */
static gboolean is_too_small(const Job *job)
{
	const MlvHttpRequest *request = job->call->request;
	guint64 first, size;

	return job->op->length != MLV_OP_ALL && request->status == 206 &&
	       mlv_web_parse_range(mlv_http_request_field(request, "content-range"), &first,
				   &size) &&
	       size < job->op->offset + job->op->length;
}

/* What comes shorter than it must be is asked for again. */
static MlvHttpVerdict check(MlvWebCall *call)
{
	const Job *job = call->user;
	const MlvHttpRequest *request = call->request;

	if (request->status != 200 && request->status != 206)
		return mlv_http_judge(call->request);
	return is_whole(job) || is_too_small(job) || request->tries >= SHORT_TRIES ? MLV_HTTP_DONE
										   : MLV_HTTP_LATER;
}

/* --- an operation ----------------------------------------------------------------------------- */

static char *name_url(const MediumHttp *http, const char *name)
{
	return g_strconcat(http->medium.url, "/", name, NULL);
}

static Job *job_new(MediumHttp *http, MlvOp *op)
{
	g_autofree char *url = name_url(http, op->name);
	Job *job = g_new0(Job, 1);

	job->http = http;
	job->op = op;
	if (op->fd < 0)
		job->bytes = g_byte_array_new();
	/* No range is empty: that it is there is all that can be asked. */
	job->call = mlv_web_call_new(http->web, op->length == 0 ? "HEAD" : "GET", url);
	job->call->user = job;
	job->call->check = check;
	job->call->request->take = take;
	if (op->length == 0)
		return job;
	if (op->length != MLV_OP_ALL)
		job->range =
			g_strdup_printf("Range: bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT,
					op->offset, op->offset + op->length - 1);
	else if (op->offset > 0)
		job->range = g_strdup_printf("Range: bytes=%" G_GUINT64_FORMAT "-", op->offset);
	if (job->range)
		g_ptr_array_add(job->call->headers, g_strdup(job->range));
	return job;
}

static void fail_short(const Job *job)
{
	mlv_fail(&job->op->error, MLV_ERROR_CORRUPT, "'%s' at '%s' is shorter than it must be",
		 job->op->name, job->http->medium.url);
}

/* What was asked for begins behind the end; at the end there is nothing, and that is no fault. */
static void finish_behind(const Job *job)
{
	const char *range = mlv_http_request_field(job->call->request, "content-range");
	MlvOp *op = job->op;

	if (op->length != MLV_OP_ALL || !range || !g_str_has_prefix(range, "bytes */") ||
	    g_ascii_strtoull(range + strlen("bytes */"), NULL, 10) != op->offset)
		fail_short(job);
	else if (op->fd < 0)
		op->bytes = g_bytes_new(NULL, 0);
}

/* The request has ended: what came of it goes into the operation. */
static void finish(Job *job)
{
	MlvHttpRequest *request = job->call->request;
	MlvOp *op = job->op;

	if (request->error) {
		op->error = g_steal_pointer(&request->error);
		return;
	}
	if (request->status == 416) {
		finish_behind(job);
		return;
	}
	if (request->status != 200 && request->status != 206) {
		mlv_web_call_fail(job->call, &op->error);
		return;
	}
	if (!is_whole(job)) {
		fail_short(job);
		return;
	}
	if (op->fd < 0)
		op->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&job->bytes));
}

/* --- batches ---------------------------------------------------------------------------------- */

typedef struct {
	MediumHttp *http;
	MlvOpNext next;
	MlvOpDone done;
	gpointer user;
	gboolean ended; /* what ends now no longer matters */
	GError *failed;
} Batch;

static void hand_back(Batch *batch, MlvOp *op)
{
	g_autoptr(GError) late = NULL;

	if (!batch->done(op, batch->user, batch->ended ? &late : &batch->failed))
		batch->ended = TRUE;
}

static MlvHttpRequest *next_request(gpointer user)
{
	Batch *batch = user;
	MlvOp *op;

	while (!batch->ended && (op = batch->next(batch->user))) {
		if (op->type == MLV_OP_GET)
			return job_new(batch->http, op)->call->request;
		mlv_fail(&op->error, MLV_ERROR_UNSUPPORTED, "'%s' can only be read",
			 batch->http->medium.url);
		hand_back(batch, op);
	}
	return NULL;
}

static gboolean request_done(MlvHttpRequest *request, gpointer user, GError **error)
{
	Batch *batch = user;
	Job *job = ((MlvWebCall *)request->user)->user;
	MlvOp *op = job->op;

	finish(job);
	job_free(job);
	hand_back(batch, op);
	return !batch->ended || mlv_fail(error, MLV_ERROR_CANCELLED, "another transfer failed");
}

static gboolean http_run(MlvMedium *medium, MlvOpNext next, MlvOpDone done, gpointer user,
			 GError **error)
{
	MediumHttp *http = (MediumHttp *)medium;
	Batch batch = { .http = http, .next = next, .done = done, .user = user };
	g_autoptr(GError) stopped = NULL;

	if (mlv_http_run(mlv_web_http(http->web), next_request, request_done, &batch, &stopped) &&
	    !batch.ended)
		return TRUE;
	if (batch.failed)
		g_propagate_error(error, batch.failed);
	else if (stopped)
		g_propagate_error(error, g_steal_pointer(&stopped));
	else
		mlv_fail(error, MLV_ERROR_FAILED, "the transfer was stopped");
	return FALSE;
}

/* --- the list --------------------------------------------------------------------------------- */

static GBytes *fetch_list(MediumHttp *http, GError **error)
{
	g_autofree char *url = name_url(http, MLV_PUBLISHED_NAME);
	g_autoptr(MlvWebCall) call = mlv_web_call_new(http->web, "GET", url);
	MlvHttpRequest *request = call->request;

	/* Whoever keeps copies on the way is to ask anew: this file alone changes. */
	g_ptr_array_add(call->headers, g_strdup("Cache-Control: no-cache"));
	request->sink_max = MLV_PUBLISHED_MAX;
	if (!mlv_http_fetch(mlv_web_http(http->web), request, error))
		return NULL;
	if (request->status == 200)
		return g_bytes_new(request->answer->data, request->answer->len);
	if (request->status == 404 || request->status == 410)
		mlv_fail(error, MLV_ERROR_FAILED,
			 "'%s' is not published: there is no '%s'; who can write there runs 'mlv "
			 "remote publish', or sets 'publish = true' for the remote",
			 http->medium.url, MLV_PUBLISHED_NAME);
	else
		mlv_web_call_fail(call, error);
	return NULL;
}

static gboolean http_list(MlvMedium *medium, const char *prefix, MlvMediumEach each, gpointer user,
			  GError **error)
{
	MediumHttp *http = (MediumHttp *)medium;
	g_autoptr(GArray) listed = NULL;

	if (strcmp(prefix, MLV_PUBLISHED_PREFIX) != 0)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' is a web server, which lists no '%s'", medium->url, prefix);
	for (int tries = 1; !listed; tries++) {
		g_autoptr(GError) failed = NULL;
		g_autoptr(GBytes) bytes = fetch_list(http, error);

		if (!bytes)
			return FALSE;
		listed = mlv_published_parse(bytes, medium->url, &failed);
		if (!listed && tries == LIST_TRIES) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
	}
	for (guint i = 0; i < listed->len; i++) {
		const MlvListed *at = &g_array_index(listed, MlvListed, i);

		if (!each(at->name, at->size, at->mtime, user))
			break;
	}
	return TRUE;
}

/* --- the medium ------------------------------------------------------------------------------- */

static void http_free(MlvMedium *medium)
{
	MediumHttp *http = (MediumHttp *)medium;

	mlv_web_free(http->web);
	g_free(medium->url);
	g_free(http);
}

static const MlvMediumClass http_class = {
	.list = http_list,
	.run = http_run,
	.free = http_free,
};

gboolean mlv_medium_http_check_url(const char *url, GError **error)
{
	g_autofree char *shown = mlv_http_url_shown(url);

	return mlv_http_url_check(url, error) &&
	       (!strpbrk(url, "?#") ||
		mlv_fail(error, MLV_ERROR_USAGE,
			 "a remote's address has no '?' and no '#': write '%s'", shown));
}

MlvMedium *mlv_medium_http_new(const MlvMediumHttpOptions *options, GError **error)
{
	MediumHttp *http;

	if (!mlv_medium_http_check_url(options->url, error))
		return NULL;
	http = g_new0(MediumHttp, 1);
	http->medium.methods = &http_class;
	http->medium.url = g_strdup(options->url);
	while (g_str_has_suffix(http->medium.url, "/"))
		http->medium.url[strlen(http->medium.url) - 1] = '\0';
	http->medium.read_only = TRUE;
	http->web = mlv_web_new(&options->http, options->helper);
	mlv_http_watch(mlv_web_http(http->web), mlv_medium_tell_moved, &http->medium);
	return &http->medium;
}
