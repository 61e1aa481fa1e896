/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/http/http_private.h"

#include <string.h>

#define SECOND G_USEC_PER_SEC
/* "Full jitter": the wait is drawn from nothing to the back-off, which doubles up to its most. */
#define BACKOFF     (SECOND / 5)
#define BACKOFF_MAX (20 * SECOND)
/* How long, from the first try's begin, an address is tried at which nobody was met; with the last
 * try's own time-out it stays under 30 s. Names and TLS mend themselves less often. */
#define UNMET_MAX  (20 * SECOND)
#define UNREAL_MAX (8 * SECOND)
/* The same where connections are made, and nobody has answered this engine ever. */
#define MUTE_MAX (28 * SECOND)
/* As many tries at least, where there was a connection: a long transfer may be cut late. */
#define TRIES_MIN 3

gboolean mlv_http_failure_permanent(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_HTTP2:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_AGAIN:
	case CURLE_HTTP2_STREAM:
	case CURLE_PROXY:
		return FALSE;
	default:
		return TRUE;
	}
}

/* Microseconds that the server asks to be left alone: seconds, or a date by its own clock. */
static gint64 retry_after(const MlvHttpLibrary *curl, const MlvHttpRequest *request)
{
	const char *text = mlv_http_request_field(request, "retry-after");
	const char *date = mlv_http_request_field(request, "date");
	guint64 seconds;
	gint64 until, now;

	if (!text)
		return 0;
	if (g_ascii_string_to_unsigned(text, 10, 0, 1000000, &seconds, NULL))
		return (gint64)seconds * SECOND;
	until = curl->getdate(text, NULL);
	now = date ? curl->getdate(date, NULL) : -1;
	if (now < 0)
		now = request->when;
	return until > now ? MIN(until - now, 1000000) * SECOND : 0;
}

gboolean mlv_http_failure_again(MlvHttpJob *job, CURLcode code, gint64 now)
{
	gint64 patience = job->http->patience;
	gint64 asked = code == CURLE_OK ? retry_after(job->http->curl, job->request) : 0;
	gint64 backoff = MIN(BACKOFF << MIN(job->failures, 10), BACKOFF_MAX);
	gint64 left, wait;

	if (!job->failed_at)
		job->failed_at = now;
	job->failures++;
	left = job->failed_at + patience - now;
	if (job->connected && !job->http->answered)
		left = MIN(left, job->failed_at + MUTE_MAX - now);
	if (!job->connected)
		left = job->began - now +
		       MIN(patience,
			   code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT
				   ? UNMET_MAX
				   : UNREAL_MAX);
	if (left < 0 && job->connected && job->failures < TRIES_MIN)
		left = backoff;
	if (left <= 0 || asked > left)
		return FALSE;
	wait = asked + (gint64)(g_random_double() * (double)backoff);
	job->due = now + MIN(wait, left);
	return TRUE;
}

char *mlv_http_failure_url(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme ? scheme + 3 : url;
	const char *end = host + strcspn(host, "?#");
	gsize authority = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', authority);

	return g_strdup_printf("%.*s%.*s", (int)(host - url), url,
			       (int)(end - (at ? at + 1 : host)), at ? at + 1 : host);
}

/* What the code means to the user, and what may help; the second may be NULL. */
static const char *explain(const MlvHttpJob *job, CURLcode code, const char **hint)
{
	*hint = NULL;
	switch (code) {
	case CURLE_URL_MALFORMAT:
		*hint = "check the address; a user name or password cannot stand in it";
		return "this is no valid address";
	case CURLE_UNSUPPORTED_PROTOCOL:
		*hint = "check the address";
		return "only http:// and https:// can be asked";
	case CURLE_COULDNT_RESOLVE_HOST:
		*hint = "check the address and the network";
		return "the host is not known";
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		*hint = "check the proxy that the environment names (https_proxy, http_proxy)";
		return "the proxy cannot be used";
	case CURLE_COULDNT_CONNECT:
		*hint = "check host and port, and whether the server runs";
		return "no connection can be made";
	case CURLE_OPERATION_TIMEDOUT:
		*hint = "check the network, and run the command again";
		return job->stalled ? "nothing moved for too long"
				    : "no connection came about in time";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		*hint = "where a private CA signed it, 'cafile' names that CA's certificate";
		return "the server's certificate is not trusted";
	case CURLE_SSL_CACERT_BADFILE:
		*hint = "check 'cafile'; it is to be a readable file of certificates in PEM";
		return "the CA's certificates cannot be read";
	case CURLE_SSL_CONNECT_ERROR:
		*hint = "check whether the server speaks https at that port";
		return "no agreement on TLS was reached";
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_WEIRD_SERVER_REPLY:
		*hint = job->http->answered
				? "check the network, and run the command again"
				: "check whether the server speaks http or https at that port";
		return code == CURLE_WEIRD_SERVER_REPLY ? "the answer is not HTTP"
							: "the connection was cut";
	default:
		return "the transfer failed";
	}
}

GError *mlv_http_failure_error(const MlvHttpJob *job, CURLcode code)
{
	const MlvHttpRequest *request = job->request;
	g_autofree char *url = mlv_http_failure_url(request->url);
	g_autofree char *tried = request->tries > 1
					 ? g_strdup_printf(" after %u tries", request->tries)
					 : g_strdup("");
	const char *hint;
	const char *why = explain(job, code, &hint);
	gboolean detailed = job->trouble[0] && code != CURLE_URL_MALFORMAT;

	return g_error_new(MLV_ERROR, MLV_ERROR_FAILED, "cannot %s '%s'%s: %s%s%s%s%s%s",
			   request->method, url, tried, why, detailed ? " (" : "",
			   detailed ? job->trouble : "", detailed ? ")" : "", hint ? "; " : "",
			   hint ? hint : "");
}
