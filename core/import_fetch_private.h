/* SPDX-License-Identifier: Apache-2.0 */
/* What core/import_fetch*.c share. */
#ifndef MLV_CORE_IMPORT_FETCH_PRIVATE_H
#define MLV_CORE_IMPORT_FETCH_PRIVATE_H

#include "core/import_fetch.h"
#include "storage/http/http.h"

/* A stream over HTTP, over all the requests that it takes. */
typedef struct {
	const MlvImportFetch *fetch;
	const char *shown;    /* the address for messages */
	MlvImportStamp stamp; /* of what comes; owned */
	gboolean stamped;
	guint64 size;     /* of the whole; G_MAXUINT64: not known */
	guint64 position; /* bytes given on */
	guint64 skip;     /* bytes of this answer that were given on before */
	guint try;        /* the request's tries when this answer began */
	gboolean same;    /* the source has what is known */
	gboolean enough;  /* nothing more is wanted: it was only looked at, or is the same */
} ImportStream;

void mlv_import_stream_init(ImportStream *stream, const MlvImportFetch *fetch, const char *shown);
void mlv_import_stream_clear(ImportStream *stream);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImportStream, mlv_import_stream_clear)

/* For a request's `take`, of a 200 or 206. */
gboolean mlv_import_stream_take(ImportStream *stream, MlvHttpRequest *request, const void *data,
				gsize length, GError **error);
/* The request has ended with a 200 or 206: whether that was all. An empty body never came to take.
 * */
gboolean mlv_import_stream_end(ImportStream *stream, MlvHttpRequest *request, gboolean *whole,
			       GError **error);
/* "Range: bytes=N-" and "If-Range: ..." to go on, or FALSE where it must begin anew. Free both. */
gboolean mlv_import_stream_range(const ImportStream *stream, char **range, char **condition);

/* import_fetch_web.c, import_fetch_s3.c */
gboolean mlv_import_fetch_web(const MlvImportFetch *fetch, gboolean *changed, MlvImportStamp *stamp,
			      GError **error);
gboolean mlv_import_fetch_s3(const MlvImportFetch *fetch, gboolean *changed, MlvImportStamp *stamp,
			     GError **error);

/* Requests that may break off one after the other, each of which has brought something. */
#define MLV_IMPORT_ROUNDS_MAX 100

#endif
