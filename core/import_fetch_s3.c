/* SPDX-License-Identifier: Apache-2.0 */
/* From a bucket. */
#include <string.h>

#include "core/import_fetch_private.h"
#include "core/remote_medium.h"
#include "storage/s3/call.h"

/* A request's own: `user` of the call. */
typedef struct {
	ImportStream *stream;
	gboolean (*sign)(MlvHttpRequest *request, GError **error);
} Ask;

static gboolean same_bucket(const char *a, const char *b)
{
	gsize scheme = strlen("s3://");
	gsize length = strcspn(a + scheme, "/");

	return strcspn(b + scheme, "/") == length && strncmp(a + scheme, b + scheme, length) == 0;
}

static gboolean is_s3(const char *url)
{
	return g_ascii_strncasecmp(url, "s3://", 5) == 0;
}

/* Settings of a remote in the same bucket, or what the environment says. */
static MlvS3Settings *make_settings(const MlvImportFetch *fetch, GError **error)
{
	g_autoptr(GPtrArray) remotes = mlv_remote_config_list(fetch->repo, NULL);
	MlvS3Settings *settings;

	for (guint i = 0; remotes && i < remotes->len; i++) {
		const MlvRemoteConfig *remote = remotes->pdata[i];

		if (is_s3(remote->url) && same_bucket(remote->url, fetch->url))
			return mlv_remote_s3_settings(fetch->repo, remote, fetch->url, error);
	}
	settings = mlv_s3_settings_new(fetch->url, error);
	if (settings)
		settings->cancel = fetch->cancel;
	return settings;
}

static gboolean take(MlvHttpRequest *request, const void *data, gsize length, GError **error)
{
	const Ask *ask = ((MlvS3Call *)request->user)->user;

	return mlv_import_stream_take(ask->stream, request, data, length, error);
}

/* Before each try: it goes on where the one before broke off. */
static gboolean prepare(MlvHttpRequest *request, GError **error)
{
	MlvS3Call *call = request->user;
	const Ask *ask = call->user;
	g_autofree char *condition = NULL;

	g_clear_pointer(&call->range, g_free);
	mlv_import_stream_range(ask->stream, &call->range, &condition);
	return ask->sign(request, error);
}

/* One request; *again: it broke off, and the next may go on. */
static gboolean send(MlvS3Session *session, ImportStream *stream, gboolean *again, GError **error)
{
	const char *key = session->settings->prefix;
	g_autoptr(MlvS3Call) call = mlv_s3_call_new(session, "GET", key, "");
	g_autoptr(GError) failed = NULL;
	MlvHttpRequest *request = call->request;
	Ask ask = { stream, request->prepare };
	guint64 before = stream->position;
	gboolean whole = FALSE;

	*again = FALSE;
	stream->try = 0;
	call->user = &ask;
	request->prepare = prepare;
	request->take = take;
	for (guint i = 0; i < session->get_headers->len; i++)
		g_ptr_array_add(call->headers, g_strdup(session->get_headers->pdata[i]));
	if (!mlv_http_fetch(session->http, request, &failed)) {
		*again = g_error_matches(failed, MLV_ERROR, MLV_ERROR_FAILED) &&
			 stream->position > before;
		if (!*again)
			g_propagate_error(error, g_steal_pointer(&failed));
		return *again;
	}
	if (call->fault.status == 404 ||
	    (call->fault.status && strcmp(call->fault.code, "NoSuchKey") == 0))
		return mlv_fail(error, MLV_ERROR_MISSING, "'%s' is not there", stream->shown);
	if (call->fault.status)
		return mlv_s3_call_fail(call, "read", key, error);
	if (!mlv_import_stream_end(stream, request, &whole, error))
		return FALSE;
	*again = !whole && stream->position > before;
	return whole || *again ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' ends before it should; run the command again", stream->shown);
}

gboolean mlv_import_fetch_s3(const MlvImportFetch *fetch, gboolean *changed, MlvImportStamp *stamp,
			     GError **error)
{
	MlvS3Settings *settings = make_settings(fetch, error);
	g_auto(ImportStream) stream;
	gboolean again = TRUE;

	mlv_import_stream_init(&stream, fetch, fetch->url);
	if (!settings)
		return FALSE;
	g_autoptr(MlvS3Session) session = mlv_s3_session_new(settings, error);
	if (!session)
		return FALSE;
	if (!*settings->prefix)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' names a bucket and nothing in it; write s3://BUCKET/KEY",
				fetch->url);
	for (int round = 0; again && round < MLV_IMPORT_ROUNDS_MAX; round++)
		if (!send(session, &stream, &again, error))
			return FALSE;
	if (again)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' breaks off again and again",
				fetch->url);
	*changed = !stream.same;
	*stamp = stream.stamp;
	stream.stamp.etag = NULL;
	return TRUE;
}
