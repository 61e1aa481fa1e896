/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One signed request to a bucket: made, signed anew before each try, and its answer judged. What a
 * session learns on the way (region, clock, new keys) is in MlvS3Session and serves all later ones.
 *
 *	g_autoptr(MlvS3Call) call = mlv_s3_call_new(session, "GET", "prefix/format", "");
 *	if (!mlv_http_fetch(session->http, call->request, error)) ...
 *	if (call->fault.status) ... refused
 *
 * One thread at a time.
 */
#ifndef MLV_STORAGE_S3_CALL_H
#define MLV_STORAGE_S3_CALL_H

#include "storage/s3/fault.h"

/* SHA-256 of nothing. */
#define MLV_S3_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct {
	MlvS3Settings *settings; /* owned */
	MlvHttp *http;
	MlvS3Chain *chain;
	MlvS3Endpoint *endpoint;
	char *region;
	gboolean region_given; /* by somebody: then a wrong one is worth a warning */
	gint64 skew;           /* seconds to add to our clock for signing */
	guint moves, renewals; /* how often region (or clock) and keys were changed */
	gboolean told_region, told_clock;
	GPtrArray *put_headers; /* of char *: encryption, class, ACL */
	GPtrArray *get_headers; /* the user's own key */
} MlvS3Session;

/* Takes the settings, in any case. No network. */
MlvS3Session *mlv_s3_session_new(MlvS3Settings *settings, GError **error);
void mlv_s3_session_free(MlvS3Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Session, mlv_s3_session_free)

typedef struct MlvS3Call MlvS3Call;
struct MlvS3Call {
	MlvS3Session *session;
	MlvHttpRequest *request; /* owned; its `user` is the call */
	char *key;               /* NULL: the bucket */
	char *query;             /* escaped, "" for none */
	GPtrArray *headers;      /* of char *: to be signed */
	char *range;             /* "bytes=0-99" or NULL */
	char *payload;           /* hex SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
	gboolean may_hold_error; /* a 2xx may have an error in its body */
	/* Looks at a 2xx: LATER where it cannot be right. May be NULL. */
	MlvHttpVerdict (*check)(MlvS3Call *call);
	gpointer user; /* the caller's */

	MlvS3Fault fault;      /* of the last answer; status 0: none */
	guint moves, renewals; /* of the session when this was signed */
	guint mended;
};

/* `method` is static text. */
MlvS3Call *mlv_s3_call_new(MlvS3Session *session, const char *method, const char *key,
			   const char *query);
void mlv_s3_call_free(MlvS3Call *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvS3Call, mlv_s3_call_free)

void mlv_s3_call_add_header(MlvS3Call *call, const char *name, const char *value);
/* The body, with its hash. */
void mlv_s3_call_set_body(MlvS3Call *call, GBytes *body);
/* Seconds that the server's clock is ahead of ours, by the last answer; FALSE if it says none. */
gboolean mlv_s3_call_skew(const MlvHttpRequest *request, gint64 *skew);
/* Sets *error to why there is no good answer. `name` as messages call the key; NULL: the bucket.
 * Returns FALSE. */
gboolean mlv_s3_call_fail(const MlvS3Call *call, const char *verb, const char *name,
			  GError **error);
/* The same for a fault that the answer holds. */
gboolean mlv_s3_call_fail_with(const MlvS3Call *call, const MlvS3Fault *fault, const char *verb,
			       const char *name, GError **error);

#endif
