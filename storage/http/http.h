/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP(S) transfers, many at once in one thread, each tried until it succeeds, is refused, or has
 * used up its patience. The only room that knows libcurl; what S3 or a plain web server mean by
 * their answers is the caller's.
 *
 *	g_autoptr(MlvHttp) http = mlv_http_new(&options);
 *	g_autoptr(MlvHttpRequest) request = mlv_http_request_new("GET", url);
 *	if (!mlv_http_fetch(http, request, error))
 *		return FALSE;
 *	if (request->status == 200) ... request->answer
 *
 * Redirects are never followed, and no header that was given for one host goes to another. Proxies
 * are taken from the environment as libcurl does. An MlvHttp belongs to one thread at a time.
 */
#ifndef MLV_STORAGE_HTTP_HTTP_H
#define MLV_STORAGE_HTTP_HTTP_H

#include <signal.h>

#include "storage/error.h"

typedef struct MlvHttp MlvHttp;

typedef struct {
	const char *ca_file;    /* PEM; NULL: the system's */
	gboolean insecure;      /* certificates are not checked */
	gboolean direct;        /* no proxy, whatever the environment says */
	guint max_transfers;    /* in flight at most; 0: 64. It begins with 8 and adapts */
	guint64 rate;           /* bytes a second at most, all transfers together; 0: no limit */
	guint stall_seconds;    /* without a byte until a transfer is cut; 0: 15 */
	guint patience_seconds; /* from a request's first failure to its last try; 0: 120.
				      * Where no connection is made at all, or nobody has ever
				      * answered this MlvHttp: 30 at most */
	const volatile sig_atomic_t *cancel; /* may be NULL; looked at several times a second */
} MlvHttpOptions;

typedef struct MlvHttpRequest MlvHttpRequest;

typedef enum {
	MLV_HTTP_DONE,  /* what came is the answer, good or bad */
	MLV_HTTP_AGAIN, /* at once, prepared anew: the caller has mended what was wrong */
	MLV_HTTP_LATER, /* after a back-off with jitter, or what Retry-After says */
} MlvHttpVerdict;

struct MlvHttpRequest {
	/* --- asked; the caller's to set ---------------------------------------------------- */
	const char *method; /* "GET", "HEAD", "PUT", "POST", "DELETE"; static text */
	char *url;          /* absolute, escaped; sent as it is, dot segments too */
	GPtrArray *headers; /* of char *: "Name: value" */
	/* Body: body_length bytes of body_fd from body_offset on (by pread), or `body`, or
	 * neither. */
	int body_fd;
	guint64 body_offset, body_length;
	GBytes *body;
	/* Where a body that comes with a 2xx is put: into sink_fd from sink_offset on (by
	 * pwrite), or with sink_fd -1 into `answer`. More than sink_max bytes (0: no bound) fails
	 * with MLV_ERROR_CORRUPT; so does more than 1 GiB in `answer`. Each try begins at
	 * sink_offset anew. A server may answer a range with 200 and the whole: see sink_max. */
	int sink_fd;
	guint64 sink_offset, sink_max;
	/* Instead of that: gets the body of a 2xx piece by piece, in order; each try begins it anew
	 * (`tries` tells). FALSE with *error fails the request; FALSE without ends the try, and
	 * what came so far is the answer. NULL: the body goes to the sink. */
	gboolean (*take)(MlvHttpRequest *request, const void *data, gsize length, GError **error);
	/* Before each try, to set url and headers (a signature has the time in it). FALSE ends the
	 * request with that error. May be NULL. Must not use the MlvHttp that calls it. */
	gboolean (*prepare)(MlvHttpRequest *request, GError **error);
	/* After each try that gave an answer with a status; NULL: mlv_http_judge. An answer that
	 * is judged LATER when patience is used up, or AGAIN for the sixth time, is the answer. */
	MlvHttpVerdict (*judge)(MlvHttpRequest *request);
	gpointer user; /* the caller's */

	/* --- answered ---------------------------------------------------------------------- */
	guint status;       /* of the last try; 0: there was no answer */
	GHashTable *fields; /* lower-case name -> value, of the last try */
	GByteArray *answer; /* the body, where it went to memory; of an answer that is not 2xx
				   * always here, its first 64 KiB */
	guint64 received;   /* bytes of the body of the last try that reached sink or answer */
	guint tries;        /* so far */
	gint64 when;        /* unix seconds (our clock) at which the last answer's head came */
	GError *error;      /* why there is no answer */
};

MlvHttp *mlv_http_new(const MlvHttpOptions *options);
void mlv_http_free(MlvHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvHttp, mlv_http_free)

MlvHttpRequest *mlv_http_request_new(const char *method, const char *url);
void mlv_http_request_free(MlvHttpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvHttpRequest, mlv_http_request_free)
/* Replaces a header of that name, if there is one. */
void mlv_http_request_set_header(MlvHttpRequest *request, const char *name, const char *value);
/* A field of the answer, NULL if it did not come. `name` in lower case. */
const char *mlv_http_request_field(const MlvHttpRequest *request, const char *name);

/* DONE, save for 408, 429, 500, 502, 503 and 504, which are LATER. */
MlvHttpVerdict mlv_http_judge(MlvHttpRequest *request);

/* The next request (borrowed until `done`), or NULL when there are none for now: it is asked again
 * after the next `done`. */
typedef MlvHttpRequest *(*MlvHttpNext)(gpointer user);
/* The request has ended, with an answer or with request->error; it is the callee's to free. FALSE
 * with *error stops the batch: what is in flight is cut, and comes here with MLV_ERROR_CANCELLED,
 * and so does all that is in flight when `cancel` is set. */
typedef gboolean (*MlvHttpDone)(MlvHttpRequest *request, gpointer user, GError **error);

/* Runs requests until `next` gives NULL and nothing is in flight. Each that next gave comes to done
 * exactly once. next, done, prepare and judge must not run the same MlvHttp. FALSE: done has
 * stopped it, or MLV_ERROR_CANCELLED; a request's own error makes it not fail. */
gboolean mlv_http_run(MlvHttp *http, MlvHttpNext next, MlvHttpDone done, gpointer user,
		      GError **error);
/* One request, waited for. FALSE with request->error moved to *error where there is no answer; any
 * status is TRUE. */
gboolean mlv_http_fetch(MlvHttp *http, MlvHttpRequest *request, GError **error);

/* Several times a second in a run: bytes of the bodies of those requests that are under way, as far
 * as they have moved. NULL: nobody. */
void mlv_http_watch(MlvHttp *http, void (*moved)(guint64 bytes, gpointer user), gpointer user);

/* Requests sent (tries counted), bytes of bodies sent and received, since mlv_http_new. */
typedef struct {
	guint64 requests, sent, received;
} MlvHttpTally;
MlvHttpTally mlv_http_tally(const MlvHttp *http);

#endif
