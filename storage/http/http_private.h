/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef MLV_STORAGE_HTTP_HTTP_PRIVATE_H
#define MLV_STORAGE_HTTP_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "storage/http/http.h"
#include "storage/http/http_pace.h"

/* Bytes that a transfer reads, sends and writes at once: three such blocks for each in flight. */
#define MLV_HTTP_BLOCK (256 * 1024)
/* Bytes kept of the body of an answer that is not 2xx, and of one in memory without a bound. */
#define MLV_HTTP_COMPLAINT  (64 * 1024)
#define MLV_HTTP_ANSWER_MAX (1024 * 1024 * 1024)

/* --- http_library.c: libcurl's functions ------------------------------------------------------ */

typedef struct {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_getdate) *getdate;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_share_init) *share_init;
	__typeof__(curl_share_setopt) *share_setopt;
	__typeof__(curl_share_cleanup) *share_cleanup;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info_read;
} MlvHttpLibrary;

/* Loaded by the first call, which also initialises it; NULL: there is none. Thread safe. */
const MlvHttpLibrary *mlv_http_library(void);

/* --- http_transfer.c: one try of one request -------------------------------------------------- */

typedef struct {
	gint64 uploaded, downloaded;
	guint64 head;
} MlvHttpMark;

/* A request on its way, over all its tries. */
typedef struct {
	MlvHttp *http;
	MlvHttpRequest *request;

	/* This try. */
	CURL *easy; /* NULL between tries */
	struct curl_slist *headers;
	char trouble[CURL_ERROR_SIZE];
	GError *fault;     /* of ours, met in a callback: no further try */
	guint8 *block;     /* MLV_HTTP_BLOCK bytes on their way to the sink */
	gsize filled;      /* of block */
	guint64 placed;    /* bytes of the body written to the sink */
	guint64 body_at;   /* next byte of the body to send */
	gsize head;        /* bytes of heads that came */
	gboolean headed;   /* the answer's head is complete */
	gboolean enough;   /* the rest of the body is not wanted */
	gboolean stalled;  /* cut for that */
	gint64 moved_at;   /* when a byte last moved, or the connection stood */
	MlvHttpMark moved; /* what stood then */

	/* All tries. Monotonic microseconds. */
	gint64 began, failed_at, due;
	guint failures, agains;
	gboolean connected; /* some try had a connection */
	gboolean expect;    /* a body was refused unheard: ask before it is sent again */
} MlvHttpJob;

struct MlvHttp {
	char *ca_file;
	gboolean insecure, direct;
	gboolean bundle;        /* the CAs are in one file */
	gint64 stall, patience; /* microseconds */
	const volatile sig_atomic_t *cancel;
	const MlvHttpLibrary *curl; /* NULL: cannot be loaded, and nothing below is there */
	CURLM *multi;
	CURLSH *share;
	GPtrArray *easies;  /* of CURL *: idle, with what they remember */
	GPtrArray *blocks;  /* of guint8 *: idle */
	GPtrArray *active;  /* of MlvHttpJob *: in flight */
	GPtrArray *waiting; /* of MlvHttpJob *: for the time of their next try */
	MlvHttpPace pace;
	MlvHttpTally tally;
	gint64 looked_at; /* when stalls were last looked for */
	void (*moved)(guint64 bytes, gpointer user);
	gpointer moved_user;
	gboolean running, answered; /* in a call of run; by somebody, ever */
};

/* Begins a try. FALSE: the request cannot be sent at all, and job->fault says why. */
gboolean mlv_http_transfer_begin(MlvHttpJob *job);
/* After the last byte of an answer: what is still in the block goes to the sink. */
gboolean mlv_http_transfer_flush(MlvHttpJob *job);
/* Takes the try's handle out and keeps it for the next; a transfer under way is cut. */
void mlv_http_transfer_end(MlvHttpJob *job);
/* Whether nothing has moved for too long. */
gboolean mlv_http_transfer_stalls(MlvHttpJob *job, gint64 now);

/* --- http_failure.c: what went wrong, and whether to try again -------------------------------- */

/* Whether the code says that another try is of no use. */
gboolean mlv_http_failure_permanent(CURLcode code);
/* Sets job->due for the next try. FALSE: its patience is used up. `code` is CURLE_OK where the
 * answer's status is what was wrong. */
gboolean mlv_http_failure_again(MlvHttpJob *job, CURLcode code, gint64 now);
/* One sentence: what failed, on which host, why, what to do. */
GError *mlv_http_failure_error(const MlvHttpJob *job, CURLcode code);
/* The address without user and query, for messages. Free with g_free. */
char *mlv_http_failure_url(const char *url);

#endif
