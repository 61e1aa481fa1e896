/* SPDX-License-Identifier: Apache-2.0 */
/* From a web server. */
#include <string.h>
#include <time.h>

#include "core/git_credential.h"
#include "core/import_fetch_private.h"
#include "core/remote_medium.h"
#include "storage/http/http_url.h"

#define NANO G_GINT64_CONSTANT(1000000000)

/* A remote on the same server, whose CA and limits are used. NULL: there is none. */
static MlvRemoteConfig *find_remote(MlvRepo *repo, const char *url)
{
	g_autoptr(GPtrArray) remotes = mlv_remote_config_list(repo, NULL);
	g_autofree char *origin = mlv_http_url_origin(url);

	for (guint i = 0; remotes && i < remotes->len; i++) {
		const MlvRemoteConfig *remote = remotes->pdata[i];
		g_autofree char *other =
			mlv_http_url_is(remote->url) ? mlv_http_url_origin(remote->url) : NULL;

		if (g_strcmp0(origin, other) == 0)
			return g_ptr_array_steal_index(remotes, i);
	}
	return NULL;
}

static void add_header(MlvWebCall *call, const char *name, const char *value)
{
	g_ptr_array_add(call->headers, g_strconcat(name, ": ", value, NULL));
}

static char *format_date(gint64 nanoseconds)
{
	time_t seconds = (time_t)(nanoseconds / NANO);
	char text[64];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return g_strdup(text);
}

static void set_headers(MlvWebCall *call)
{
	const ImportStream *stream = call->user;
	const MlvImportStamp *known = stream->fetch->known;
	g_autofree char *range = NULL, *condition = NULL;

	g_ptr_array_set_size(call->headers, 0);
	if (mlv_import_stream_range(stream, &range, &condition)) {
		add_header(call, "Range", range);
		add_header(call, "If-Range", condition);
	} else if (known && known->etag) {
		add_header(call, "If-None-Match", known->etag);
	} else if (known && known->modified > 0) {
		g_autofree char *date = format_date(known->modified);
		add_header(call, "If-Modified-Since", date);
	}
}

static gboolean take(MlvHttpRequest *request, const void *data, gsize length, GError **error)
{
	return mlv_import_stream_take(((MlvWebCall *)request->user)->user, request, data, length,
				      error);
}

/* One request; *again: it broke off, and the next may go on. */
static gboolean ask(MlvWeb *web, ImportStream *stream, gboolean *again, GError **error)
{
	g_autoptr(MlvWebCall) call = mlv_web_call_new(web, "GET", stream->fetch->url);
	g_autoptr(GError) failed = NULL;
	MlvHttpRequest *request = call->request;
	guint64 before = stream->position;
	gboolean whole = FALSE;

	*again = FALSE;
	stream->try = 0;
	call->user = stream;
	call->before = set_headers;
	request->take = take;
	if (!mlv_http_fetch(mlv_web_http(web), request, &failed)) {
		*again = g_error_matches(failed, MLV_ERROR, MLV_ERROR_FAILED) &&
			 stream->position > before;
		if (!*again)
			g_propagate_error(error, g_steal_pointer(&failed));
		return *again;
	}
	if (request->status == 304 && stream->fetch->known) {
		stream->same = TRUE;
		return TRUE;
	}
	if (request->status != 200 && request->status != 206)
		return mlv_web_call_fail(call, error);
	if (!mlv_import_stream_end(stream, request, &whole, error))
		return FALSE;
	*again = !whole && stream->position > before;
	return whole || *again ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' ends before it should; run the command again", stream->shown);
}

gboolean mlv_import_fetch_web(const MlvImportFetch *fetch, gboolean *changed, MlvImportStamp *stamp,
			      GError **error)
{
	g_autoptr(MlvRemoteConfig) remote = find_remote(fetch->repo, fetch->url);
	const MlvWebHelper helper = mlv_git_credential_helper(fetch->repo);
	MlvHttpOptions options = { 0 };
	g_autofree char *shown = mlv_http_url_shown(fetch->url);
	g_auto(ImportStream) stream;
	gboolean again = TRUE;

	if (remote)
		options = mlv_remote_http_options(fetch->repo, remote);
	options.cancel = fetch->cancel;
	g_autoptr(MlvWeb) web = mlv_web_new(&options, &helper);
	mlv_import_stream_init(&stream, fetch, shown);
	for (int round = 0; again && round < MLV_IMPORT_ROUNDS_MAX; round++)
		if (!ask(web, &stream, &again, error))
			return FALSE;
	if (again)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' breaks off again and again", shown);
	*changed = !stream.same;
	*stamp = stream.stamp;
	stream.stamp.etag = NULL;
	return TRUE;
}
