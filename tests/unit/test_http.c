/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/http/http.h"
#include "storage/http/http_pace.h"
#include "tests/unit/http_server.h"
#include "tests/unit/scratch.h"

#include <errno.h>

#define LONG (700 * 1000 + 11)

/* As long as a test needs for a failure to show: short. */
static MlvHttp *engine(guint patience, guint stall)
{
	return mlv_http_new(&(MlvHttpOptions){
		.direct = TRUE, .patience_seconds = patience, .stall_seconds = stall });
}

static MlvHttpRequest *request_to(const Server *server, const char *method, const char *path)
{
	g_autofree char *url = server_url(server, path);

	return mlv_http_request_new(method, url);
}

static void fetch(MlvHttp *http, MlvHttpRequest *request)
{
	g_autoptr(GError) error = NULL;

	if (!mlv_http_fetch(http, request, &error))
		fail_msg("%s", error->message);
	assert_null(request->error);
}

static void assert_answer(const MlvHttpRequest *request, const char *text)
{
	assert_int_equal(request->answer->len, strlen(text));
	assert_memory_equal(request->answer->data, text, strlen(text));
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strcasestr(text, part))
		fail_msg("'%s' is in '%s'", part, text);
}

static guint8 *noise(gsize length, guint64 seed)
{
	guint8 *bytes = g_malloc(length);

	scratch_noise(bytes, length, seed);
	return bytes;
}

/* --- plain exchanges -------------------------------------------------------------------------- */

static gboolean say_hello(Exchange *exchange)
{
	return exchange_answer(exchange, "200 OK", "X-Some-Field:  a value \r\nETag: \"1\"\r\n",
			       "hello", 5);
}

static void an_answer_comes_with_status_fields_and_body(void **state)
{
	Server *server = server_new(say_hello);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/a/../b//c%2F?x=1");
	gint64 before = g_get_real_time() / G_USEC_PER_SEC;

	mlv_http_request_set_header(request, "X-Mine", "one");
	mlv_http_request_set_header(request, "x-mine", "two");
	mlv_http_request_set_header(request, "X-Empty", "");
	fetch(http, request);
	assert_int_equal(request->status, 200);
	assert_answer(request, "hello");
	assert_int_equal(request->received, 5);
	assert_int_equal(request->tries, 1);
	assert_true(request->when >= before);
	assert_string_equal(mlv_http_request_field(request, "x-some-field"), "a value");
	assert_string_equal(mlv_http_request_field(request, "etag"), "\"1\"");
	assert_null(mlv_http_request_field(request, "x-other"));

	g_autofree char *head = server_heads(server);
	assert_contains(head, "GET /a/../b//c%2F?x=1 HTTP/1.1\r\n");
	assert_contains(head, "x-mine: two\r\n");
	assert_contains(head, "X-Empty:\r\n");
	assert_lacks(head, "one");
	assert_lacks(head, "Expect");
	assert_lacks(head, "Cookie");
	assert_lacks(head, "Authorization");
	assert_int_equal(mlv_http_tally(http).requests, 1);
	assert_int_equal(mlv_http_tally(http).received, 5);
	server_free(server);
}

static void a_connection_is_used_again(void **state)
{
	Server *server = server_new(say_hello);
	g_autoptr(MlvHttp) http = engine(0, 0);

	for (guint i = 0; i < 5; i++) {
		g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");

		fetch(http, request);
		assert_answer(request, "hello");
	}
	assert_int_equal(server->connections, 1);
	server_free(server);
}

static gboolean close_silently(Exchange *exchange)
{
	say_hello(exchange);
	return FALSE;
}

static void a_connection_closed_meanwhile_does_no_harm(void **state)
{
	Server *server = server_new(close_silently);
	g_autoptr(MlvHttp) http = engine(0, 0);

	for (guint i = 0; i < 5; i++) {
		g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");

		fetch(http, request);
		assert_answer(request, "hello");
	}
	server_free(server);
}

static gboolean give_range(Exchange *exchange)
{
	g_autofree guint8 *bytes = noise(LONG, 1);

	if (!strstr(exchange->head, "Range: bytes=100-\r\n"))
		return exchange_answer(exchange, "400 Bad Request", "", "", 0);
	return exchange_answer(exchange, "206 Partial Content", "", bytes + 100, LONG - 100);
}

static void a_range_is_written_into_a_file_from_an_offset_on(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(give_range);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");
	g_autofree guint8 *bytes = noise(LONG, 1);
	g_autoptr(GBytes) file = NULL;

	request->sink_fd = scratch_file(scratch, "sink");
	request->sink_offset = 1000;
	request->sink_max = LONG - 100;
	mlv_http_request_set_header(request, "Range", "bytes=100-");
	fetch(http, request);
	assert_int_equal(request->status, 206);
	assert_int_equal(request->answer->len, 0);
	assert_int_equal(request->received, LONG - 100);
	close(request->sink_fd);
	file = scratch_read(scratch, "sink");
	assert_int_equal(g_bytes_get_size(file), 1000 + LONG - 100);
	assert_memory_equal((const guint8 *)g_bytes_get_data(file, NULL) + 1000, bytes + 100,
			    LONG - 100);
	server_free(server);
}

/* Answers with the SHA-256 of the body that came. */
static gboolean digest(Exchange *exchange)
{
	g_autofree char *sum = NULL;

	if (!exchange_read(exchange, G_MAXUINT64 / 2))
		return FALSE;
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, exchange->body->data,
					  exchange->body->len);
	return exchange_answer(exchange, "200 OK", "", sum, strlen(sum));
}

static void assert_digest(const MlvHttpRequest *request, const guint8 *bytes, gsize length)
{
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, length);

	assert_int_equal(request->status, 200);
	assert_answer(request, sum);
}

static void a_part_of_a_file_is_sent(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(digest);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "PUT", "/");
	g_autofree guint8 *bytes = noise(LONG, 2);

	request->body_fd = scratch_file(scratch, "source");
	assert_int_equal(write(request->body_fd, bytes, LONG), LONG);
	request->body_offset = 77;
	request->body_length = LONG - 177;
	fetch(http, request);
	assert_digest(request, bytes + 77, LONG - 177);
	assert_int_equal(mlv_http_tally(http).sent, LONG - 177);

	g_autofree char *head = server_heads(server);
	assert_contains(head, "PUT / HTTP/1.1\r\n");
	assert_lacks(head, "Expect");
	assert_lacks(head, "Transfer-Encoding");
	close(request->body_fd);
	server_free(server);
}

static void a_file_that_shrank_is_an_error(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(digest);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "PUT", "/");
	g_autoptr(GError) error = NULL;

	request->body_fd = scratch_file(scratch, "source");
	assert_int_equal(write(request->body_fd, "short", 5), 5);
	request->body_length = 10;
	assert_false(mlv_http_fetch(http, request, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_contains(error->message, "ends after 5 of 10 bytes");
	assert_int_equal(request->tries, 1);
	close(request->body_fd);
	server_free(server);
}

static void a_body_in_memory_is_sent_whatever_its_method_and_length(void **state)
{
	Server *server = server_new(digest);
	g_autoptr(MlvHttp) http = engine(0, 0);

	for (guint i = 0; i < 4; i++) {
		const char *method = i & 1 ? "POST" : "PUT";
		g_autoptr(MlvHttpRequest) request = request_to(server, method, "/");
		gsize length = i & 2 ? 0 : 100;
		g_autofree guint8 *bytes = noise(100, 3);
		g_autofree char *declared = g_strdup_printf("Content-Length: %zu\r\n", length);

		request->body = g_bytes_new(bytes, length);
		fetch(http, request);
		assert_digest(request, bytes, length);
		g_autofree char *heads = server_heads(server);
		assert_contains(heads, declared);
		assert_lacks(heads, "Content-Type");
		assert_lacks(heads, "Expect");
	}
	server_free(server);
}

static gboolean give_head(Exchange *exchange)
{
	return exchange_say(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n");
}

static void a_head_has_fields_and_no_body(void **state)
{
	Server *server = server_new(give_head);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "HEAD", "/");

	request->sink_max = 10;
	fetch(http, request);
	assert_int_equal(request->status, 200);
	assert_int_equal(request->answer->len, 0);
	assert_string_equal(mlv_http_request_field(request, "content-length"), "12345");
	server_free(server);
}

static gboolean redirect(Exchange *exchange)
{
	g_autofree char *fields = g_strdup_printf("Location: http://127.0.0.1:%u/elsewhere\r\n"
						  "Set-Cookie: a=b\r\n",
						  exchange->server->port);

	return exchange_answer(exchange, "307 Temporary Redirect", fields, "go", 2);
}

static void a_redirect_is_not_followed_and_no_cookie_kept(void **state)
{
	Server *server = server_new(redirect);
	g_autoptr(MlvHttp) http = engine(0, 0);

	for (guint i = 0; i < 2; i++) {
		g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");

		fetch(http, request);
		assert_int_equal(request->status, 307);
		assert_contains(mlv_http_request_field(request, "location"), "/elsewhere");
		assert_answer(request, "go");
	}
	g_autofree char *heads = server_heads(server);
	assert_lacks(heads, "GET /elsewhere");
	assert_lacks(heads, "Cookie");
	server_free(server);
}

static gboolean complain(Exchange *exchange)
{
	g_autofree char *text = g_strnfill(1000 * 1000, 'x');

	memcpy(text, "<Error>", 7);
	return exchange_answer(exchange, "404 Not Found", "", text, 1000 * 1000);
}

static void a_complaint_does_not_reach_the_sink(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(complain);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");

	request->sink_fd = scratch_file(scratch, "sink");
	request->sink_max = 5;
	fetch(http, request);
	assert_int_equal(request->status, 404);
	assert_int_equal(request->tries, 1);
	assert_int_equal(request->answer->len, 65536);
	assert_memory_equal(request->answer->data, "<Error>xxx", 10);
	assert_int_equal(lseek(request->sink_fd, 0, SEEK_END), 0);
	close(request->sink_fd);
	server_free(server);
}

static gboolean give_too_much(Exchange *exchange)
{
	g_autofree guint8 *bytes = noise(LONG, 4);

	if (g_str_equal(exchange->path, "/declared"))
		return exchange_answer(exchange, "200 OK", "", bytes, LONG);
	exchange_say(exchange, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (guint at = 0; at < LONG; at += 1000) {
		if (!exchange_say(exchange, "3e8\r\n") ||
		    !exchange_send(exchange, bytes + at % 100000, 1000) ||
		    !exchange_say(exchange, "\r\n"))
			return FALSE;
	}
	return exchange_say(exchange, "0\r\n\r\n");
}

static void a_body_longer_than_allowed_is_refused(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(give_too_much);
	g_autoptr(MlvHttp) http = engine(0, 0);

	for (guint i = 0; i < 4; i++) {
		g_autoptr(MlvHttpRequest) request =
			request_to(server, "GET", i & 1 ? "/declared" : "/chunked");
		g_autoptr(GError) error = NULL;

		request->sink_max = 300 * 1000;
		if (i & 2)
			request->sink_fd = scratch_file(scratch, "sink");
		assert_false(mlv_http_fetch(http, request, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
		assert_contains(error->message, "longer than the 300000 bytes");
		assert_int_equal(request->tries, 1);
		assert_int_equal(request->status, 0);
		if (i & 2) {
			assert_true(lseek(request->sink_fd, 0, SEEK_END) <= 300 * 1000);
			close(request->sink_fd);
		}
	}
	server_free(server);
}

/* --- tries ------------------------------------------------------------------------------------ */

static gboolean be_busy_twice(Exchange *exchange)
{
	static const char *const after[] = { "Retry-After: 0\r\n", "Retry-After: 1\r\n" };

	if (exchange->number < 2)
		return exchange_answer(exchange, "503 Slow Down", after[exchange->number], "no", 2);
	return say_hello(exchange);
}

static gboolean count_prepared(MlvHttpRequest *request, GError **error)
{
	g_autofree char *value = g_strdup_printf("%u", ++*(guint *)request->user);

	mlv_http_request_set_header(request, "X-Try", value);
	return TRUE;
}

static void a_busy_server_is_asked_again_when_it_says(void **state)
{
	Server *server = server_new(be_busy_twice);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");
	gint64 begin = g_get_monotonic_time();
	guint prepared = 0;

	request->prepare = count_prepared;
	request->user = &prepared;
	fetch(http, request);
	assert_int_equal(request->status, 200);
	assert_answer(request, "hello");
	assert_int_equal(request->tries, 3);
	assert_int_equal(prepared, 3);
	assert_null(mlv_http_request_field(request, "retry-after"));
	assert_true(g_get_monotonic_time() - begin >= G_USEC_PER_SEC);
	g_autofree char *heads = server_heads(server);
	assert_contains(heads, "X-Try: 3\r\n");
	server_free(server);
}

static gboolean be_busy_for_long(Exchange *exchange)
{
	const char *fields = g_str_equal(exchange->path, "/seconds")
				     ? "Retry-After: 3600\r\n"
				     : "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
				       "Retry-After: Sun, 06 Nov 1994 09:49:37 GMT\r\n";

	return exchange_answer(exchange, "503 Slow Down", fields, "no", 2);
}

static void a_server_that_is_busy_for_too_long_has_answered(void **state)
{
	Server *server = server_new(be_busy_for_long);
	g_autoptr(MlvHttp) http = engine(0, 0);

	for (guint i = 0; i < 2; i++) {
		g_autoptr(MlvHttpRequest) request =
			request_to(server, "GET", i ? "/seconds" : "/date");

		fetch(http, request);
		assert_int_equal(request->status, 503);
		assert_answer(request, "no");
		assert_int_equal(request->tries, 1);
	}
	server_free(server);
}

static gboolean break_off(Exchange *exchange)
{
	g_autofree guint8 *bytes = noise(LONG, 5);

	if (exchange->number >= 2)
		return exchange_answer(exchange, "200 OK", "", bytes, LONG);
	memset(bytes, 'x', 400 * 1000);
	exchange_say(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 700011\r\n\r\n");
	exchange_send(exchange, bytes, 400 * 1000);
	return exchange->number ? exchange_reset(exchange) : FALSE;
}

static void a_body_that_breaks_off_is_fetched_anew(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(break_off);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");
	g_autofree guint8 *bytes = noise(LONG, 5);
	g_autoptr(GBytes) file = NULL;

	request->sink_fd = scratch_file(scratch, "sink");
	fetch(http, request);
	assert_int_equal(request->tries, 3);
	assert_int_equal(request->received, LONG);
	close(request->sink_fd);
	file = scratch_read(scratch, "sink");
	assert_int_equal(g_bytes_get_size(file), LONG);
	assert_memory_equal(g_bytes_get_data(file, NULL), bytes, LONG);
	server_free(server);
}

static gboolean refuse_the_body_twice(Exchange *exchange)
{
	if (exchange->number == 0) {
		exchange_read(exchange, 100 * 1000);
		return exchange_reset(exchange);
	}
	if (strstr(exchange->head, "Expect: 100-continue")) {
		if (exchange->number == 1)
			return exchange_answer(exchange, "503 Slow Down", "", "", 0);
		exchange_say(exchange, "HTTP/1.1 100 Continue\r\n\r\n");
	}
	return digest(exchange);
}

static void a_body_is_sent_again_from_its_begin(void **state)
{
	Server *server = server_new(refuse_the_body_twice);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "PUT", "/");
	g_autofree guint8 *bytes = noise(LONG, 6);

	request->body = g_bytes_new(bytes, LONG);
	fetch(http, request);
	assert_digest(request, bytes, LONG);
	assert_int_equal(request->tries, 3);
	server_free(server);
}

/* Without reading the body, which is more than the connection holds. */
static gboolean refuse_early(Exchange *exchange)
{
	exchange_answer(exchange, "403 Forbidden", "Connection: close\r\n", "<Error>", 7);
	exchange_wait_for_cut(exchange, -1);
	return FALSE;
}

static void a_refusal_before_the_body_is_sent_is_read(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(refuse_early);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "PUT", "/");

	request->body_fd = scratch_file(scratch, "big");
	request->body_length = 64 * 1024 * 1024;
	assert_int_equal(ftruncate(request->body_fd, 64 * 1024 * 1024), 0);
	fetch(http, request);
	assert_int_equal(request->status, 403);
	assert_answer(request, "<Error>");
	assert_int_equal(request->tries, 1);
	close(request->body_fd);
	server_free(server);
}

static MlvHttpVerdict never_content(MlvHttpRequest *request)
{
	return MLV_HTTP_AGAIN;
}

static void mending_at_once_is_bounded(void **state)
{
	Server *server = server_new(say_hello);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");

	request->judge = never_content;
	fetch(http, request);
	assert_int_equal(request->status, 200);
	assert_int_equal(request->tries, 6);
	server_free(server);
}

static gboolean refuse_to_prepare(MlvHttpRequest *request, GError **error)
{
	return mlv_fail(error, MLV_ERROR_MISSING, "no keys");
}

static void a_request_that_cannot_be_prepared_ends(void **state)
{
	Server *server = server_new(say_hello);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/");
	g_autoptr(GError) error = NULL;

	request->prepare = refuse_to_prepare;
	assert_false(mlv_http_fetch(http, request, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_int_equal(server_requests(server), 0);
	server_free(server);
}

static void what_is_no_address_or_header_is_refused_at_once(void **state)
{
	static const char *const urls[] = {
		"ftp://127.0.0.1/", "http://user:hunter2@127.0.0.1/", "http://127.0.0.1/a b",
		"nonsense:",        "http://127.0.0.1:99999/",        ""
	};
	g_autoptr(MlvHttp) http = engine(0, 0);

	for (guint i = 0; i <= G_N_ELEMENTS(urls); i++) {
		gboolean last = i == G_N_ELEMENTS(urls);
		g_autoptr(MlvHttpRequest) request =
			mlv_http_request_new("GET", last ? "http://127.0.0.1/" : urls[i]);
		g_autoptr(GError) error = NULL;

		if (last)
			mlv_http_request_set_header(request, "X-A", "b\r\nX-C: d");
		assert_false(mlv_http_fetch(http, request, &error));
		assert_non_null(error);
		assert_true(request->tries <= 1);
		assert_lacks(error->message, "hunter2");
		assert_lacks(error->message, "X-C");
	}
}

/* --- several at once -------------------------------------------------------------------------- */

/* Requests that a batch gives, and what became of them. */
typedef struct {
	GPtrArray *requests;
	guint next, done, cancelled;
	guint hold_back; /* from this one on next gives NULL until those before are done */
	guint stop_at;   /* the done that says no, from 1 on; 0: none */
	volatile sig_atomic_t *cancel; /* set by the first done; may be NULL */
} Batch;

static MlvHttpRequest *batch_next(gpointer user)
{
	Batch *batch = user;

	if (batch->next == batch->requests->len)
		return NULL;
	if (batch->hold_back && batch->next >= batch->hold_back && batch->done < batch->hold_back)
		return NULL;
	return batch->requests->pdata[batch->next++];
}

static gboolean batch_done(MlvHttpRequest *request, gpointer user, GError **error)
{
	Batch *batch = user;

	assert_null(request->user);
	request->user = batch;
	batch->done++;
	if (g_error_matches(request->error, MLV_ERROR, MLV_ERROR_CANCELLED))
		batch->cancelled++;
	if (batch->cancel)
		*batch->cancel = 1;
	return batch->done != batch->stop_at || mlv_fail(error, MLV_ERROR_MISSING, "no more");
}

static void batch_init(Batch *batch)
{
	*batch = (Batch){ .requests = g_ptr_array_new_with_free_func(
				  (GDestroyNotify)mlv_http_request_free) };
}

static void batch_add(Batch *batch, const Server *server, const char *method, const char *path)
{
	g_ptr_array_add(batch->requests, request_to(server, method, path));
}

static void batch_clear(Batch *batch)
{
	g_ptr_array_unref(batch->requests);
}

static void requests_held_back_are_asked_for_again(void **state)
{
	Server *server = server_new(say_hello);
	g_autoptr(MlvHttp) http = engine(0, 0);
	Batch batch;

	batch_init(&batch);
	for (guint i = 0; i < 100; i++)
		batch_add(&batch, server, "GET", "/");
	batch.hold_back = 3;
	assert_true(mlv_http_run(http, batch_next, batch_done, &batch, NULL));
	assert_int_equal(batch.done, 100);
	for (guint i = 0; i < 100; i++) {
		const MlvHttpRequest *request = batch.requests->pdata[i];

		assert_int_equal(request->status, 200);
		assert_answer(request, "hello");
	}
	assert_true(server->connections <= 64);
	batch_clear(&batch);
	server_free(server);
}

/* "/good" at once; else half of a body, and then nothing until the client has gone. */
static gboolean stall(Exchange *exchange)
{
	if (g_str_equal(exchange->path, "/good"))
		return say_hello(exchange);
	exchange_say(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
	exchange_wait_for_cut(exchange, -1);
	return FALSE;
}

static void a_batch_that_is_stopped_gives_back_each_request_once(void **state)
{
	Server *server = server_new(stall);
	g_autoptr(MlvHttp) http = engine(0, 0);
	g_autoptr(GError) error = NULL;
	Batch batch;

	batch_init(&batch);
	for (guint i = 0; i < 5; i++)
		batch_add(&batch, server, "GET", i == 3 ? "/good" : "/stall");
	batch.stop_at = 1;
	assert_false(mlv_http_run(http, batch_next, batch_done, &batch, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING));
	assert_int_equal(batch.next, 5);
	assert_int_equal(batch.done, 5);
	assert_int_equal(batch.cancelled, 4);

	/* And the engine is as good as new. */
	g_autoptr(MlvHttpRequest) request = request_to(server, "GET", "/good");
	fetch(http, request);
	assert_answer(request, "hello");
	batch_clear(&batch);
	server_free(server);
}

static void cancelling_cuts_what_is_in_flight(void **state)
{
	Server *server = server_new(stall);
	volatile sig_atomic_t cancel = 0;
	g_autoptr(MlvHttp) http = mlv_http_new(&(MlvHttpOptions){ .cancel = &cancel });
	g_autoptr(GError) error = NULL;
	Batch batch;

	batch_init(&batch);
	batch_add(&batch, server, "GET", "/stall");
	batch_add(&batch, server, "GET", "/good");
	batch_add(&batch, server, "PUT", "/stall");
	batch.cancel = &cancel;
	assert_false(mlv_http_run(http, batch_next, batch_done, &batch, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CANCELLED));
	assert_int_equal(batch.done, 3);
	assert_int_equal(batch.cancelled, 2);
	batch_clear(&batch);
	server_free(server);
}

/* Once: what the path says; then as it should be. */
static gboolean stall_once(Exchange *exchange)
{
	if (g_str_equal(exchange->path, "/late-store")) {
		/* Longer than a stall, shorter than storing may last. */
		exchange_read(exchange, G_MAXUINT64 / 2);
		exchange_wait_for_cut(exchange, 1300);
		return exchange_answer(exchange, "200 OK", "", "stored", 6);
	}
	if (exchange->number)
		return g_str_equal(exchange->method, "PUT") ? digest(exchange)
							    : say_hello(exchange);
	if (g_str_equal(exchange->path, "/body"))
		exchange_say(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
	exchange_wait_for_cut(exchange, -1);
	return FALSE;
}

static void a_transfer_that_stands_still_is_cut_and_tried_again(void **state)
{
	Scratch *scratch = *state;
	Server *server = server_new(stall_once);
	g_autoptr(MlvHttp) http = engine(0, 1);
	gsize length = 16 * 1024 * 1024;
	g_autofree guint8 *zeros = g_malloc0(length);
	MlvHttpRequest **requests;
	Batch batch;

	batch_init(&batch);
	batch_add(&batch, server, "GET", "/head");
	batch_add(&batch, server, "GET", "/body");
	batch_add(&batch, server, "PUT", "/upload");
	batch_add(&batch, server, "PUT", "/late-store");
	requests = (MlvHttpRequest **)batch.requests->pdata;
	requests[2]->body_fd = requests[3]->body_fd = scratch_file(scratch, "big");
	requests[2]->body_length = length;
	requests[3]->body_length = 1000;
	assert_int_equal(ftruncate(requests[2]->body_fd, (off_t)length), 0);
	assert_true(mlv_http_run(http, batch_next, batch_done, &batch, NULL));
	assert_answer(requests[0], "hello");
	assert_answer(requests[1], "hello");
	assert_digest(requests[2], zeros, length);
	assert_answer(requests[3], "stored");
	for (guint i = 0; i < 4; i++)
		assert_int_equal(requests[i]->tries, i < 3 ? 2 : 1);
	close(requests[2]->body_fd);
	batch_clear(&batch);
	server_free(server);
}

/* --- nobody there ----------------------------------------------------------------------------- */

static void an_address_at_which_nobody_answers_is_given_up_with_a_reason(void **state)
{
	Server *server = server_new(say_hello);
	g_autoptr(MlvHttp) http = engine(1, 0);
	guint16 port;
	int fd = server_listen(&port);
	g_autofree char *refused = g_strdup_printf("http://127.0.0.1:%u/a/b?token=secret", port);
	g_autofree char *plain = g_strdup_printf("https://127.0.0.1:%u/", server->port);
	MlvHttpRequest **requests;
	Batch batch;

	close(fd);
	batch_init(&batch);
	g_ptr_array_add(batch.requests, mlv_http_request_new("GET", refused));
	g_ptr_array_add(batch.requests,
			mlv_http_request_new("PUT", "https://nonexistent.invalid/x?secret"));
	g_ptr_array_add(batch.requests, mlv_http_request_new("GET", plain));
	requests = (MlvHttpRequest **)batch.requests->pdata;
	assert_true(mlv_http_run(http, batch_next, batch_done, &batch, NULL));
	for (guint i = 0; i < 3; i++) {
		assert_non_null(requests[i]->error);
		assert_int_equal(requests[i]->status, 0);
		assert_lacks(requests[i]->error->message, "secret");
		assert_true(requests[i]->tries >= 2);
	}
	assert_contains(requests[0]->error->message, "no connection can be made");
	assert_contains(requests[0]->error->message, "/a/b' after ");
	assert_contains(requests[1]->error->message,
			"cannot PUT 'https://nonexistent.invalid/x' after ");
	assert_contains(requests[1]->error->message, "the host is not known");
	assert_contains(requests[2]->error->message, "TLS");
	batch_clear(&batch);
	server_free(server);
}

/* --- how many, how fast ----------------------------------------------------------------------- */

/* Ten seconds of a link that gives each transfer so much, up to so much in all. Returns the most
 * transfers that it saw. */
static guint simulate(MlvHttpPace *pace, guint bytes_each, guint bytes_most, guint ends_each,
		      gint64 *now)
{
	guint most = 0;

	for (guint i = 0; i < 1000; i++, *now += 10 * 1000) {
		mlv_http_pace_moved(pace, MIN(pace->limit * bytes_each, bytes_most) / 100);
		if (ends_each && i % (100 / ends_each) == 0) {
			for (guint j = 0; j < pace->limit; j++)
				mlv_http_pace_ended(pace);
		}
		mlv_http_pace_adapt(pace, TRUE, *now);
		most = MAX(most, pace->limit);
	}
	return most;
}

static void the_limit_grows_while_more_transfers_give_more(void **state)
{
	gint64 now = 1000;
	MlvHttpPace pace;

	mlv_http_pace_init(&pace, 64, 0, now);
	assert_int_equal(pace.limit, 8);
	simulate(&pace, 10 * 1000 * 1000, G_MAXUINT, 0, &now);
	assert_int_equal(pace.limit, 64);

	/* Small requests over a long way: only their number grows. */
	mlv_http_pace_init(&pace, 64, 0, now);
	simulate(&pace, 100, G_MAXUINT, 5, &now);
	assert_int_equal(pace.limit, 64);

	mlv_http_pace_init(&pace, 3, 0, now);
	assert_int_equal(simulate(&pace, 10 * 1000 * 1000, G_MAXUINT, 0, &now), 3);
}

static void the_limit_stays_where_more_transfers_give_nothing(void **state)
{
	gint64 now = 1000;
	MlvHttpPace pace;

	mlv_http_pace_init(&pace, 64, 0, now);
	assert_int_equal(simulate(&pace, 10 * 1000 * 1000, 50 * 1000 * 1000, 0, &now), 16);
	assert_int_equal(pace.settled, 8);
}

static void the_limit_shrinks_once_for_a_swarm_of_refusals_and_grows_again(void **state)
{
	gint64 now = G_USEC_PER_SEC;
	MlvHttpPace pace;

	mlv_http_pace_init(&pace, 64, 0, now);
	for (guint i = 0; i < 8; i++)
		mlv_http_pace_slower(&pace, now + i * 1000);
	assert_int_equal(pace.limit, 4);
	now += G_USEC_PER_SEC;
	for (guint i = 0; i < 5; i++, now += G_USEC_PER_SEC)
		mlv_http_pace_slower(&pace, now);
	assert_int_equal(pace.limit, 1);
	simulate(&pace, 10 * 1000 * 1000, G_MAXUINT, 0, &now);
	assert_true(pace.limit > 8);
}

static void the_rate_is_kept(void **state)
{
	Server *server = server_new(digest);
	g_autoptr(MlvHttp) http =
		mlv_http_new(&(MlvHttpOptions){ .direct = TRUE, .rate = 4 * 1024 * 1024 });
	g_autofree guint8 *bytes = noise(1024 * 1024, 7);
	gint64 begin = g_get_monotonic_time();
	Batch batch;

	batch_init(&batch);
	for (guint i = 0; i < 2; i++) {
		MlvHttpRequest *request;

		batch_add(&batch, server, "PUT", "/");
		request = batch.requests->pdata[i];
		request->body = g_bytes_new_static(bytes, 1024 * 1024);
	}
	assert_true(mlv_http_run(http, batch_next, batch_done, &batch, NULL));
	/* 2 MiB at 4 MiB a second, of which a little may be ahead. */
	assert_true(g_get_monotonic_time() - begin >= G_USEC_PER_SEC * 35 / 100);
	batch_clear(&batch);
	server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_comes_with_status_fields_and_body),
		cmocka_unit_test(a_connection_is_used_again),
		cmocka_unit_test(a_connection_closed_meanwhile_does_no_harm),
		cmocka_unit_test_setup_teardown(a_range_is_written_into_a_file_from_an_offset_on,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_part_of_a_file_is_sent, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_file_that_shrank_is_an_error, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(a_body_in_memory_is_sent_whatever_its_method_and_length),
		cmocka_unit_test(a_head_has_fields_and_no_body),
		cmocka_unit_test(a_redirect_is_not_followed_and_no_cookie_kept),
		cmocka_unit_test_setup_teardown(a_complaint_does_not_reach_the_sink, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_body_longer_than_allowed_is_refused,
						scratch_setup, scratch_teardown),
		cmocka_unit_test(a_busy_server_is_asked_again_when_it_says),
		cmocka_unit_test(a_server_that_is_busy_for_too_long_has_answered),
		cmocka_unit_test_setup_teardown(a_body_that_breaks_off_is_fetched_anew,
						scratch_setup, scratch_teardown),
		cmocka_unit_test(a_body_is_sent_again_from_its_begin),
		cmocka_unit_test_setup_teardown(a_refusal_before_the_body_is_sent_is_read,
						scratch_setup, scratch_teardown),
		cmocka_unit_test(mending_at_once_is_bounded),
		cmocka_unit_test(a_request_that_cannot_be_prepared_ends),
		cmocka_unit_test(what_is_no_address_or_header_is_refused_at_once),
		cmocka_unit_test(requests_held_back_are_asked_for_again),
		cmocka_unit_test(a_batch_that_is_stopped_gives_back_each_request_once),
		cmocka_unit_test(cancelling_cuts_what_is_in_flight),
		cmocka_unit_test_setup_teardown(a_transfer_that_stands_still_is_cut_and_tried_again,
						scratch_setup, scratch_teardown),
		cmocka_unit_test(an_address_at_which_nobody_answers_is_given_up_with_a_reason),
		cmocka_unit_test(the_limit_grows_while_more_transfers_give_more),
		cmocka_unit_test(the_limit_stays_where_more_transfers_give_nothing),
		cmocka_unit_test(the_limit_shrinks_once_for_a_swarm_of_refusals_and_grows_again),
		cmocka_unit_test(the_rate_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
