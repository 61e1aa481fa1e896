/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One try. libcurl may send a request a second time by itself, when a connection that was kept had
 * been closed meanwhile (so a body can be rewound): what this engine sends is named by its content
 * or deletes, and may be sent twice.
 */
#include "storage/http/http_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storage/file.h"

/* Heads longer than this are an attack or a fault. */
#define HEAD_MAX (256 * 1024)
/* Seconds for name, connection and TLS of one try. */
#define CONNECT_SECONDS 10
/* Bodies from this size on are not sent unasked after one was refused unheard. */
#define EXPECT_LENGTH (64 * 1024)
/* Bytes of a body that the kernel may hold unsent. With megabytes, which it would take, a slow link
 * and a stalled one look alike for long. */
#define UNSENT_MAX (128 * 1024)
/* With the last byte of a body sent, the server may need time to store it. */
#define STORING 4

static gboolean has_body(const MlvHttpRequest *request)
{
	return request->body || request->body_fd >= 0;
}

static guint64 body_length(const MlvHttpRequest *request)
{
	return request->body ? g_bytes_get_size(request->body) : request->body_length;
}

/* --- what libcurl calls ----------------------------------------------------------------------- */

static size_t give_body(char *buffer, size_t size, size_t count, void *user)
{
	MlvHttpJob *job = user;
	const MlvHttpRequest *request = job->request;
	gsize length = (gsize)MIN(size * count, body_length(request) - job->body_at);
	ssize_t got = (ssize_t)length;

	if (!length)
		return 0;
	if (request->body) {
		memcpy(buffer, (const char *)g_bytes_get_data(request->body, NULL) + job->body_at,
		       length);
	} else {
		do
			got = pread(request->body_fd, buffer, length,
				    (off_t)(request->body_offset + job->body_at));
		while (got < 0 && errno == EINTR);
	}
	if (got <= 0) {
		g_autofree char *url = mlv_http_failure_url(request->url);

		if (got < 0)
			mlv_fail_errno(&job->fault, "cannot read what is to be sent to '%s'", url);
		else
			mlv_fail(&job->fault, MLV_ERROR_CORRUPT,
				 "what is to be sent to '%s' ends after %" G_GUINT64_FORMAT
				 " of %" G_GUINT64_FORMAT " bytes: it was changed meanwhile",
				 url, job->body_at, request->body_length);
		return CURL_READFUNC_ABORT;
	}
	job->body_at += (guint64)got;
	job->http->tally.sent += (guint64)got;
	mlv_http_pace_moved(&job->http->pace, (guint64)got);
	return (size_t)got;
}

static int set_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){ UNSENT_MAX }, sizeof(int));
	return CURL_SOCKOPT_OK;
}

static int rewind_body(void *user, curl_off_t offset, int origin)
{
	MlvHttpJob *job = user;

	if (origin != SEEK_SET || offset < 0 || (guint64)offset > body_length(job->request))
		return CURL_SEEKFUNC_CANTSEEK;
	job->body_at = (guint64)offset;
	return CURL_SEEKFUNC_OK;
}

static gboolean too_long(MlvHttpJob *job, guint64 max)
{
	g_autofree char *url = mlv_http_failure_url(job->request->url);

	return mlv_fail(&job->fault, MLV_ERROR_CORRUPT,
			"what came from '%s' is longer than the %" G_GUINT64_FORMAT
			" bytes that it may have",
			url, max);
}

/* A field of the head, or the line that ends it. */
static gboolean take_field(MlvHttpJob *job, const char *line, gsize length)
{
	MlvHttpRequest *request = job->request;
	const char *colon = memchr(line, ':', length);
	const char *declared;
	guint64 size;

	if (colon) {
		g_autofree char *raw = g_strndup(line, (gsize)(colon - line));
		g_autofree char *name = g_ascii_strdown(g_strstrip(raw), -1);
		char *value = g_strndup(colon + 1, length - (gsize)(colon + 1 - line));
		const char *before = mlv_http_request_field(request, name);

		g_strstrip(value);
		/* One line for each way to log in is the same as all in one. */
		if (before && g_str_equal(name, "www-authenticate")) {
			char *both = g_strconcat(before, ", ", value, NULL);

			g_free(value);
			value = both;
		}
		g_hash_table_replace(request->fields, g_steal_pointer(&name), value);
		return TRUE;
	}
	if (length && line[0] != '\r' && line[0] != '\n')
		return TRUE;
	declared = mlv_http_request_field(request, "content-length");
	if (request->status / 100 == 2 && request->sink_max && declared &&
	    !g_str_equal(request->method, "HEAD") &&
	    g_ascii_string_to_unsigned(declared, 10, 0, G_MAXUINT64, &size, NULL) &&
	    size > request->sink_max)
		return too_long(job, request->sink_max);
	return TRUE;
}

static size_t take_head(char *line, size_t size, size_t count, void *user)
{
	MlvHttpJob *job = user;
	MlvHttpRequest *request = job->request;
	const MlvHttpLibrary *curl = job->http->curl;
	gsize length = size * count;
	long status = 0;

	job->head += length;
	if (job->head > HEAD_MAX) {
		g_autofree char *url = mlv_http_failure_url(request->url);

		mlv_fail(&job->fault, MLV_ERROR_CORRUPT,
			 "the head of what '%s' answers is too long", url);
		return 0;
	}
	/* Behind a body there may be trailers: they change nothing. */
	if (job->headed)
		return length;
	if (length > 5 && strncmp(line, "HTTP/", 5) == 0) {
		g_hash_table_remove_all(request->fields);
		return length;
	}
	if (line[0] == '\r' || line[0] == '\n') {
		curl->easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
		if (status < 200)
			return length;
		job->headed = TRUE;
		request->status = (guint)status;
		request->when = g_get_real_time() / G_USEC_PER_SEC;
	}
	return take_field(job, line, length) ? length : 0;
}

gboolean mlv_http_transfer_flush(MlvHttpJob *job)
{
	const MlvHttpRequest *request = job->request;
	gsize length = job->filled;

	if (!length)
		return TRUE;
	job->filled = 0;
	if (!mlv_file_write_at(request->sink_fd, job->block, length,
			       request->sink_offset + job->placed, "what came from there",
			       &job->fault)) {
		g_autofree char *url = mlv_http_failure_url(request->url);

		g_prefix_error(&job->fault, "'%s': ", url);
		return FALSE;
	}
	job->placed += length;
	return TRUE;
}

/* libcurl hands over 16 KiB at most: joined here to larger writes. */
static gboolean sink(MlvHttpJob *job, const char *data, gsize length)
{
	MlvHttp *http = job->http;

	if (!job->block)
		job->block = http->blocks->len ? g_ptr_array_steal_index_fast(http->blocks,
									      http->blocks->len - 1)
					       : g_malloc(MLV_HTTP_BLOCK);
	while (length) {
		gsize part = MIN(length, MLV_HTTP_BLOCK - job->filled);

		memcpy(job->block + job->filled, data, part);
		job->filled += part;
		job->request->received += part;
		data += part;
		length -= part;
		if (job->filled == MLV_HTTP_BLOCK && !mlv_http_transfer_flush(job))
			return FALSE;
	}
	return TRUE;
}

/* To the caller's own hands. */
static size_t give_away(MlvHttpJob *job, const char *data, gsize length)
{
	MlvHttpRequest *request = job->request;

	request->received += length;
	if (request->take(request, data, length, &job->fault))
		return length;
	job->enough = !job->fault;
	return 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
	MlvHttpJob *job = user;
	MlvHttpRequest *request = job->request;
	gsize length = size * count, part = length;
	gboolean wanted = request->status / 100 == 2;
	guint64 max = request->sink_max;

	job->http->tally.received += length;
	mlv_http_pace_moved(&job->http->pace, length);
	if (wanted && request->take)
		return give_away(job, data, length);
	if (wanted && request->sink_fd < 0)
		max = max ? MIN(max, MLV_HTTP_ANSWER_MAX) : MLV_HTTP_ANSWER_MAX;
	if (wanted && max && length > max - request->received) {
		too_long(job, max);
		return 0;
	}
	if (wanted && request->sink_fd >= 0)
		return sink(job, data, length) ? length : 0;
	if (!wanted)
		part = MIN(length, MLV_HTTP_COMPLAINT - request->answer->len);
	g_byte_array_append(request->answer, (const guint8 *)data, (guint)part);
	request->received += part;
	job->enough = part < length;
	return part;
}

/* --- a try ------------------------------------------------------------------------------------ */

static gboolean refuse(MlvHttpJob *job, const char *what)
{
	g_autofree char *url = mlv_http_failure_url(job->request->url);

	return mlv_fail(&job->fault, MLV_ERROR_USAGE, "'%s' cannot be asked for: %s", url, what);
}

/* The header lines as libcurl takes them: "Name;" sends a name with nothing behind it. */
static gboolean set_headers(MlvHttpJob *job)
{
	const MlvHttpLibrary *curl = job->http->curl;
	const MlvHttpRequest *request = job->request;
	struct curl_slist *list = NULL;

	for (guint i = 0; i < request->headers->len; i++) {
		const char *header = request->headers->pdata[i];
		const char *colon = strchr(header, ':');

		if (!colon || strpbrk(header, "\r\n")) {
			curl->slist_free_all(list);
			return refuse(job, "a header is not of the form 'Name: value'");
		}
		if (colon[1 + strspn(colon + 1, " \t")]) {
			list = curl->slist_append(list, header);
		} else {
			g_autofree char *bare =
				g_strdup_printf("%.*s;", (int)(colon - header), header);
			list = curl->slist_append(list, bare);
		}
	}
	/* By itself libcurl would ask before each body and wait a second for servers that do not
	 * know the question. */
	list = curl->slist_append(list, job->expect ? "Expect: 100-continue" : "Expect:");
	job->headers = list;
	curl->easy_setopt(job->easy, CURLOPT_HTTPHEADER, list);
	return TRUE;
}

static void set_method(MlvHttpJob *job)
{
	const MlvHttpLibrary *curl = job->http->curl;
	const MlvHttpRequest *request = job->request;
	CURL *easy = job->easy;

	if (has_body(request)) {
		curl->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl->easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_length(request));
		curl->easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
		curl->easy_setopt(easy, CURLOPT_READDATA, job);
		curl->easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
		curl->easy_setopt(easy, CURLOPT_SEEKDATA, job);
		curl->easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)MLV_HTTP_BLOCK);
	} else if (g_str_equal(request->method, "HEAD")) {
		curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	if (!g_str_equal(request->method, "HEAD"))
		curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_security(MlvHttpJob *job)
{
	const MlvHttp *http = job->http;
	const MlvHttpLibrary *curl = http->curl;
	CURL *easy = job->easy;

	curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl->easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, http->insecure ? 0L : 1L);
	curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, http->insecure ? 0L : 2L);
	if (http->direct)
		curl->easy_setopt(easy, CURLOPT_PROXY, "");
	if (http->ca_file)
		curl->easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
	/* A folder beside the file would add the system's to a private CA, and keep libcurl from
	 * reading the file once for all connections. */
	if (http->bundle)
		curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void set_connection(MlvHttpJob *job)
{
	const MlvHttp *http = job->http;
	const MlvHttpLibrary *curl = http->curl;
	const MlvHttpRequest *request = job->request;
	gboolean tls = g_ascii_strncasecmp(request->url, "https:", 6) == 0;
	long connect = (long)CLAMP(http->patience / G_USEC_PER_SEC, 1, CONNECT_SECONDS);
	CURL *easy = job->easy;

	/* Over HTTP/2 a large body is sent at half the speed. */
	curl->easy_setopt(
		easy, CURLOPT_HTTP_VERSION,
		(long)(tls && !has_body(request) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	curl->easy_setopt(easy, CURLOPT_SHARE, http->share);
	curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect);
	curl->easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
	curl->easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl->easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl->easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 15L);
	curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_socket);
	curl->easy_setopt(easy, CURLOPT_BUFFERSIZE,
			  http->pace.rate ? (long)CLAMP(http->pace.rate / 64, 16384, MLV_HTTP_BLOCK)
					  : (long)MLV_HTTP_BLOCK);
}

static gboolean set_all(MlvHttpJob *job)
{
	const MlvHttpLibrary *curl = job->http->curl;
	CURL *easy = job->easy;

	for (const char *at = job->request->url; *at; at++) {
		if ((guchar)*at <= ' ' || (guchar)*at == 0x7f)
			return refuse(job, "the address has blanks or control characters in it");
	}
	curl->easy_setopt(easy, CURLOPT_URL, job->request->url);
	curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl->easy_setopt(easy, CURLOPT_USERAGENT, "mlv/" MLV_VERSION);
	curl->easy_setopt(easy, CURLOPT_PRIVATE, job);
	curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, job->trouble);
	curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
	curl->easy_setopt(easy, CURLOPT_HEADERDATA, job);
	curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl->easy_setopt(easy, CURLOPT_WRITEDATA, job);
	set_connection(job);
	set_security(job);
	set_method(job);
	return set_headers(job);
}

static void forget_answer(MlvHttpJob *job)
{
	MlvHttpRequest *request = job->request;

	request->status = 0;
	request->received = 0;
	g_hash_table_remove_all(request->fields);
	g_byte_array_set_size(request->answer, 0);
	job->trouble[0] = '\0';
	job->filled = 0;
	job->placed = job->body_at = 0;
	job->head = 0;
	job->headed = job->enough = job->stalled = FALSE;
	job->moved = (MlvHttpMark){ 0 };
}

gboolean mlv_http_transfer_begin(MlvHttpJob *job)
{
	MlvHttp *http = job->http;
	const MlvHttpLibrary *curl = http->curl;
	CURL *easy = http->easies->len
			     ? g_ptr_array_steal_index_fast(http->easies, http->easies->len - 1)
			     : curl->easy_init();

	g_assert(easy);
	forget_answer(job);
	job->easy = easy;
	job->expect &= body_length(job->request) >= EXPECT_LENGTH;
	if (!set_all(job)) {
		mlv_http_transfer_end(job);
		return FALSE;
	}
	job->moved_at = g_get_monotonic_time();
	job->request->tries++;
	http->tally.requests++;
	curl->multi_add_handle(http->multi, easy);
	return TRUE;
}

void mlv_http_transfer_end(MlvHttpJob *job)
{
	MlvHttp *http = job->http;
	const MlvHttpLibrary *curl = http->curl;

	if (!job->easy)
		return;
	curl->multi_remove_handle(http->multi, job->easy);
	curl->easy_reset(job->easy);
	g_ptr_array_add(http->easies, job->easy);
	job->easy = NULL;
	g_clear_pointer(&job->headers, curl->slist_free_all);
	if (job->block)
		g_ptr_array_add(http->blocks, g_steal_pointer(&job->block));
}

/* libcurl's own limit averages over several seconds; this counts from the last byte. */
gboolean mlv_http_transfer_stalls(MlvHttpJob *job, gint64 now)
{
	const MlvHttpLibrary *curl = job->http->curl;
	MlvHttpMark mark = { .head = job->head };
	gint64 patience = job->http->stall;
	curl_off_t ready = 0, up = 0, down = 0;

	curl->easy_getinfo(job->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	curl->easy_getinfo(job->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl->easy_getinfo(job->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	mark.uploaded = up;
	mark.downloaded = down;
	/* Until there is a connection libcurl's time-out rules. */
	if (ready <= 0 || memcmp(&mark, &job->moved, sizeof(mark)) != 0) {
		job->moved = mark;
		job->moved_at = now;
		return FALSE;
	}
	if (has_body(job->request) && (guint64)up >= body_length(job->request))
		patience *= STORING;
	job->stalled = now - job->moved_at > patience;
	return job->stalled;
}
