/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/http/http_private.h"

#include <unistd.h>

/* Poll at least so often, in milliseconds: cancellation, stalls, rate. */
#define TICK 100
/* Times that a request may be mended at once: who is not content then never will be. */
#define AGAINS_MAX 5

/* A call of mlv_http_run. */
typedef struct {
	MlvHttp *http;
	MlvHttpNext next;
	MlvHttpDone done;
	gpointer user;
	gboolean asked;    /* next gave NULL, and nothing was done since */
	gboolean stopping; /* what ends now no longer matters */
	GError *error;
} Batch;

/* --- the engine ------------------------------------------------------------------------------- */

/* Whether the system's CAs are in a file that libcurl knows. */
static gboolean has_bundle(const MlvHttpLibrary *curl)
{
	CURL *easy = curl->easy_init();
	char *path = NULL;
	gboolean found;

	curl->easy_getinfo(easy, CURLINFO_CAINFO, &path);
	found = path && access(path, R_OK) == 0;
	curl->easy_cleanup(easy);
	return found;
}

static void free_easy(gpointer easy)
{
	mlv_http_library()->easy_cleanup(easy);
}

MlvHttp *mlv_http_new(const MlvHttpOptions *options)
{
	MlvHttp *http = g_new0(MlvHttp, 1);
	const MlvHttpLibrary *curl = mlv_http_library();
	guint max = options->max_transfers ? options->max_transfers : 64;

	if (!curl)
		return http;
	http->curl = curl;
	http->ca_file = g_strdup(options->ca_file);
	http->insecure = options->insecure;
	http->direct = options->direct;
	http->bundle = options->ca_file || has_bundle(curl);
	http->stall =
		(gint64)(options->stall_seconds ? options->stall_seconds : 15) * G_USEC_PER_SEC;
	http->patience = (gint64)(options->patience_seconds ? options->patience_seconds : 120) *
			 G_USEC_PER_SEC;
	http->cancel = options->cancel;
	http->multi = curl->multi_init();
	http->share = curl->share_init();
	g_assert(http->multi && http->share);
	curl->share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl->multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)max);
	http->easies = g_ptr_array_new_with_free_func(free_easy);
	http->blocks = g_ptr_array_new_with_free_func(g_free);
	http->active = g_ptr_array_new();
	http->waiting = g_ptr_array_new();
	mlv_http_pace_init(&http->pace, max, options->rate, g_get_monotonic_time());
	return http;
}

void mlv_http_free(MlvHttp *http)
{
	if (!http || !http->curl) {
		g_free(http);
		return;
	}
	g_ptr_array_unref(http->active);
	g_ptr_array_unref(http->waiting);
	g_ptr_array_unref(http->blocks);
	g_ptr_array_unref(http->easies);
	http->curl->multi_cleanup(http->multi);
	http->curl->share_cleanup(http->share);
	g_free(http->ca_file);
	g_free(http);
}

MlvHttpTally mlv_http_tally(const MlvHttp *http)
{
	return http->tally;
}

void mlv_http_watch(MlvHttp *http, void (*moved)(guint64 bytes, gpointer user), gpointer user)
{
	http->moved = moved;
	http->moved_user = user;
}

static gboolean cancelled(const MlvHttp *http)
{
	return http->cancel && *http->cancel;
}

/* --- the end of tries and requests ------------------------------------------------------------ */

/* The request has its answer, or `error` (taken), and goes to its owner. */
static void finish(Batch *batch, MlvHttpJob *job, GError *error)
{
	MlvHttpRequest *request = job->request;
	g_autoptr(GError) failed = NULL;

	mlv_http_transfer_end(job);
	if (error) {
		request->status = 0;
		g_hash_table_remove_all(request->fields);
		g_byte_array_set_size(request->answer, 0);
		request->error = error;
	}
	g_clear_error(&job->fault);
	g_free(job);
	batch->asked = FALSE;
	if (batch->done(request, batch->user, &failed))
		return;
	batch->stopping = TRUE;
	if (!batch->error)
		batch->error = g_steal_pointer(&failed);
}

static void wait_for_next_try(MlvHttpJob *job)
{
	mlv_http_transfer_end(job);
	g_ptr_array_add(job->http->waiting, job);
}

/* An answer came, with a status. */
static void judge(Batch *batch, MlvHttpJob *job, gint64 now)
{
	MlvHttpRequest *request = job->request;
	guint status = request->status;
	MlvHttpVerdict verdict = request->judge ? request->judge(request) : mlv_http_judge(request);

	if (verdict == MLV_HTTP_LATER && (status == 429 || status == 503))
		mlv_http_pace_slower(&job->http->pace, now);
	else
		mlv_http_pace_ended(&job->http->pace);
	if (verdict == MLV_HTTP_AGAIN && job->agains++ < AGAINS_MAX)
		job->due = now;
	else if (verdict != MLV_HTTP_LATER || !mlv_http_failure_again(job, CURLE_OK, now))
		verdict = MLV_HTTP_DONE;
	if (verdict == MLV_HTTP_DONE)
		finish(batch, job, NULL);
	else
		wait_for_next_try(job);
}

/* The try is over; the job is no longer among the active. */
static void end_try(Batch *batch, MlvHttpJob *job, CURLcode code)
{
	MlvHttp *http = job->http;
	gint64 now = g_get_monotonic_time();
	curl_off_t ready = 0;

	if (code == CURLE_WRITE_ERROR && job->enough)
		code = CURLE_OK;
	if (code == CURLE_OK && !job->fault)
		mlv_http_transfer_flush(job);
	if (job->fault) {
		finish(batch, job, g_steal_pointer(&job->fault));
		return;
	}
	if (http->curl->easy_getinfo(job->easy, CURLINFO_PRETRANSFER_TIME_T, &ready) == CURLE_OK &&
	    ready)
		job->connected = TRUE;
	http->answered |= job->headed;
	if (code == CURLE_OK && job->request->status) {
		judge(batch, job, now);
		return;
	}
	if (code == CURLE_OPERATION_TIMEDOUT)
		mlv_http_pace_slower(&http->pace, now);
	/* A refusal that nobody could read is often why a body's connection was cut. */
	job->expect = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
	if (!mlv_http_failure_permanent(code) && mlv_http_failure_again(job, code, now))
		wait_for_next_try(job);
	else
		finish(batch, job, mlv_http_failure_error(job, code));
}

/* --- the loop --------------------------------------------------------------------------------- */

static void begin_try(Batch *batch, MlvHttpJob *job)
{
	MlvHttpRequest *request = job->request;
	GError *error = NULL;

	if (request->prepare && !request->prepare(request, &error)) {
		finish(batch, job, error);
		return;
	}
	if (mlv_http_transfer_begin(job))
		g_ptr_array_add(job->http->active, job);
	else
		finish(batch, job, g_steal_pointer(&job->fault));
}

static void begin_due(Batch *batch)
{
	MlvHttp *http = batch->http;
	gint64 now = g_get_monotonic_time();

	for (guint i = 0; i < http->waiting->len && !batch->stopping;) {
		MlvHttpJob *job = http->waiting->pdata[i];

		if (job->due > now || http->active->len >= http->pace.limit) {
			i++;
			continue;
		}
		g_ptr_array_remove_index(http->waiting, i);
		begin_try(batch, job);
	}
}

static void begin_new(Batch *batch)
{
	MlvHttp *http = batch->http;

	while (!batch->asked && !batch->stopping && !cancelled(http) &&
	       http->active->len + http->waiting->len < http->pace.limit) {
		MlvHttpRequest *request = batch->next(batch->user);
		MlvHttpJob *job;

		if (!request) {
			batch->asked = TRUE;
			return;
		}
		job = g_new0(MlvHttpJob, 1);
		job->http = http;
		job->request = request;
		job->began = g_get_monotonic_time();
		request->tries = 0;
		g_clear_error(&request->error);
		begin_try(batch, job);
	}
}

static void collect(Batch *batch)
{
	MlvHttp *http = batch->http;
	CURLMsg *message;
	int left;

	while (!batch->stopping && (message = http->curl->multi_info_read(http->multi, &left))) {
		CURLcode code = message->data.result;
		MlvHttpJob *job = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		http->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
		g_ptr_array_remove_fast(http->active, job);
		end_try(batch, job, code);
	}
}

static void tell_moved(const MlvHttp *http)
{
	guint64 bytes = 0;

	for (guint i = 0; i < http->active->len; i++) {
		const MlvHttpJob *job = http->active->pdata[i];

		bytes += job->body_at + job->request->received;
	}
	if (http->moved)
		http->moved(bytes, http->moved_user);
}

static void look_after(Batch *batch)
{
	MlvHttp *http = batch->http;
	gint64 now = g_get_monotonic_time();

	if (now - http->looked_at < TICK * 1000)
		return;
	http->looked_at = now;
	tell_moved(http);
	for (guint i = http->active->len; i-- > 0 && !batch->stopping;) {
		MlvHttpJob *job = http->active->pdata[i];

		if (!mlv_http_transfer_stalls(job, now))
			continue;
		g_ptr_array_remove_index_fast(http->active, i);
		end_try(batch, job, CURLE_OPERATION_TIMEDOUT);
	}
}

/* Until something can be done. A signal ends the poll early. */
static void pause_for_events(Batch *batch)
{
	MlvHttp *http = batch->http;
	gint64 now = g_get_monotonic_time();
	gint64 rest = mlv_http_pace_rest(&http->pace, now);
	gint64 wait = TICK * 1000;

	/* The rate is kept by letting all transfers lie for a moment. */
	for (; rest > 0 && !cancelled(http); rest -= TICK * 1000)
		g_usleep((gulong)MIN(rest, TICK * 1000));
	for (guint i = 0; i < http->waiting->len; i++) {
		const MlvHttpJob *job = http->waiting->pdata[i];

		if (http->active->len < http->pace.limit)
			wait = MIN(wait, MAX(0, job->due - now));
	}
	if (!batch->asked && http->active->len + http->waiting->len < http->pace.limit)
		wait = 0;
	http->curl->multi_poll(http->multi, NULL, 0, (int)((wait + 999) / 1000), NULL);
}

/* FALSE: there is nothing left to do. */
static gboolean turn(Batch *batch)
{
	MlvHttp *http = batch->http;
	int running;

	begin_due(batch);
	begin_new(batch);
	if (!batch->stopping && cancelled(http)) {
		batch->stopping = TRUE;
		mlv_fail(&batch->error, MLV_ERROR_CANCELLED, "interrupted");
	}
	if (batch->stopping || http->active->len + http->waiting->len == 0)
		return FALSE;
	mlv_http_pace_adapt(&http->pace, http->active->len >= http->pace.limit,
			    g_get_monotonic_time());
	http->curl->multi_perform(http->multi, &running);
	collect(batch);
	look_after(batch);
	if (!batch->stopping)
		pause_for_events(batch);
	return TRUE;
}

/* What is still on its way ends here. */
static void cut_all(Batch *batch, GPtrArray *jobs)
{
	while (jobs->len)
		finish(batch, g_ptr_array_steal_index_fast(jobs, jobs->len - 1),
		       g_error_new_literal(MLV_ERROR, MLV_ERROR_CANCELLED, "interrupted"));
}

gboolean mlv_http_run(MlvHttp *http, MlvHttpNext next, MlvHttpDone done, gpointer user,
		      GError **error)
{
	Batch batch = { .http = http, .next = next, .done = done, .user = user };

	if (!http->curl)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"libcurl (libcurl.so.4) cannot be loaded: install it");
	if (http->running)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"a transfer was begun in the middle of another's end");
	http->running = TRUE;
	while (turn(&batch))
		;
	cut_all(&batch, http->active);
	cut_all(&batch, http->waiting);
	http->running = FALSE;
	if (batch.error)
		g_propagate_error(error, batch.error);
	return !batch.stopping;
}

/* --- one request ------------------------------------------------------------------------------ */

static MlvHttpRequest *next_once(gpointer user)
{
	MlvHttpRequest **request = user;

	return g_steal_pointer(request);
}

static gboolean done_once(MlvHttpRequest *request, gpointer user, GError **error)
{
	return TRUE;
}

gboolean mlv_http_fetch(MlvHttp *http, MlvHttpRequest *request, GError **error)
{
	MlvHttpRequest *once = request;
	g_autoptr(GError) failed = NULL;
	gboolean ran = mlv_http_run(http, next_once, done_once, &once, &failed);

	if (request->error)
		g_propagate_error(error, g_steal_pointer(&request->error));
	else if (!ran)
		g_propagate_error(error, g_steal_pointer(&failed));
	else
		return TRUE;
	return FALSE;
}
