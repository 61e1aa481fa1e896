/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of a server, put together to one file. */
#include <string.h>
#include <time.h>

#include "core/import_fetch_private.h"
#include "storage/http/web.h"

#define NANO G_GINT64_CONSTANT(1000000000)

void mlv_import_stream_init(ImportStream *stream, const MlvImportFetch *fetch, const char *shown)
{
	*stream = (ImportStream){ .fetch = fetch, .shown = shown, .size = G_MAXUINT64 };
}

void mlv_import_stream_clear(ImportStream *stream)
{
	mlv_import_stamp_clear(&stream->stamp);
}

static gint64 parse_date(const char *text)
{
	struct tm tm = { 0 };
	gint64 seconds;

	if (!text || !strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return 0;
	seconds = (gint64)timegm(&tm);
	return seconds > 0 && seconds < G_MAXINT64 / NANO ? seconds * NANO : 0;
}

static gboolean is_weak(const char *etag)
{
	return g_str_has_prefix(etag, "W/");
}

/* Weak ETags do: what is the same for readers need not be fetched again. */
static gboolean same_etag(const char *a, const char *b)
{
	return strcmp(a + (is_weak(a) ? 2 : 0), b + (is_weak(b) ? 2 : 0)) == 0;
}

/* Whether two stamps are of the same version, as far as they say. */
static gboolean same_stamp(const MlvImportStamp *a, const MlvImportStamp *b, guint64 size)
{
	if (a->etag && b->etag)
		return same_etag(a->etag, b->etag);
	return a->modified > 0 && a->modified == b->modified && size == a->size;
}

/* What an answer says of the whole: its stamp and size, and where it begins. */
static gboolean read_head(const ImportStream *stream, const MlvHttpRequest *request,
			  MlvImportStamp *stamp, guint64 *size, guint64 *first, GError **error)
{
	const char *coding = mlv_http_request_field(request, "content-encoding");
	const char *length = mlv_http_request_field(request, "content-length");

	stamp->etag = g_strdup(mlv_http_request_field(request, "etag"));
	stamp->modified = parse_date(mlv_http_request_field(request, "last-modified"));
	*size = G_MAXUINT64;
	*first = 0;
	if (coding && *coding && g_ascii_strcasecmp(coding, "identity") != 0)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' is sent encoded as '%s' only; download it by hand and add it",
				stream->shown, coding);
	if (request->status == 206)
		return mlv_web_parse_range(mlv_http_request_field(request, "content-range"), first,
					   size) ||
		       mlv_fail(error, MLV_ERROR_CORRUPT, "'%s': the server sends some part",
				stream->shown);
	if (length && !g_ascii_string_to_unsigned(length, 10, 0, G_MAXINT64, size, NULL))
		*size = G_MAXUINT64;
	return TRUE;
}

/* An answer begins: from the start, or it goes on. */
static gboolean begin_answer(ImportStream *stream, MlvHttpRequest *request, GError **error)
{
	const MlvImportFetch *fetch = stream->fetch;
	g_auto(MlvImportStamp) stamp = { 0 };
	guint64 size, first;

	stream->try = request->tries;
	if (!read_head(stream, request, &stamp, &size, &first, error))
		return FALSE;
	if (stream->stamped && stream->position > 0 && first <= stream->position &&
	    size == stream->size && (stream->stamp.etag || stream->stamp.modified > 0) &&
	    g_strcmp0(stream->stamp.etag, stamp.etag) == 0 &&
	    stream->stamp.modified == stamp.modified && !(stamp.etag && is_weak(stamp.etag))) {
		stream->skip = stream->position - first;
		return TRUE;
	}
	if (first > 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' was replaced while it was fetched; run the command again",
				stream->shown);
	mlv_import_stamp_clear(&stream->stamp);
	stream->stamp = stamp;
	stamp.etag = NULL;
	stream->stamped = TRUE;
	stream->size = size;
	stream->position = stream->skip = 0;
	stream->same = fetch->known && same_stamp(fetch->known, &stream->stamp, size);
	stream->enough = stream->same || fetch->look;
	return stream->enough || fetch->begin(size, fetch->user, error);
}

gboolean mlv_import_stream_take(ImportStream *stream, MlvHttpRequest *request, const void *data,
				gsize length, GError **error)
{
	const MlvImportFetch *fetch = stream->fetch;
	gsize dropped;

	if (stream->try != request->tries && !begin_answer(stream, request, error))
		return FALSE;
	if (stream->enough)
		return FALSE;
	dropped = (gsize)MIN(length, stream->skip);
	stream->skip -= dropped;
	if (dropped == length)
		return TRUE;
	stream->position += length - dropped;
	return fetch->take((const char *)data + dropped, length - dropped, fetch->user, error);
}

gboolean mlv_import_stream_end(ImportStream *stream, MlvHttpRequest *request, gboolean *whole,
			       GError **error)
{
	if (stream->try != request->tries && !begin_answer(stream, request, error))
		return FALSE;
	*whole = stream->enough || stream->size == G_MAXUINT64 || stream->position == stream->size;
	if (*whole && !stream->enough)
		stream->stamp.size = stream->position;
	else if (stream->size != G_MAXUINT64)
		stream->stamp.size = stream->size;
	return TRUE;
}

gboolean mlv_import_stream_range(const ImportStream *stream, char **range, char **condition)
{
	const char *etag = stream->stamp.etag;

	if (!stream->stamped || stream->position == 0 || !etag || is_weak(etag))
		return FALSE;
	*range = g_strdup_printf("bytes=%" G_GUINT64_FORMAT "-", stream->position);
	*condition = g_strdup(etag);
	return TRUE;
}
