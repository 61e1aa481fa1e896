/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/medium_s3.h"

#include <string.h>

#include "storage/s3/listing.h"
#include "storage/s3/medium_s3_private.h"
#include "storage/s3/xml.h"

#define PAGE_TRIES 4 /* times that a page is asked for that cannot be read */

char *mlv_medium_s3_key(const MediumS3 *s3, const char *name)
{
	const char *prefix = s3->session->settings->prefix;

	return g_strconcat(prefix, *prefix ? "/" : "", name, NULL);
}

void mlv_medium_s3_note_clock(MediumS3 *s3, const MlvHttpRequest *request)
{
	gint64 skew;

	if (request->status && mlv_s3_call_skew(request, &skew))
		s3->medium.skew = skew;
}

/* --- listing ---------------------------------------------------------------------------------- */

typedef struct {
	MediumS3 *s3;
	const char *prefix; /* as the caller has it */
	gsize skip;         /* bytes of a key that are the user's prefix */
	MlvMediumEach each;
	gpointer user;
	gboolean stopped;
} Listing;

/* A page that cannot be read is asked for again. */
static MlvHttpVerdict check_page(MlvS3Call *call)
{
	MlvS3Page **page = call->user;
	const GByteArray *answer = call->request->answer;

	*page = answer ? mlv_s3_page_parse(answer->data, answer->len, NULL) : NULL;
	return *page || call->request->tries >= PAGE_TRIES ? MLV_HTTP_DONE : MLV_HTTP_LATER;
}

static gboolean is_ours(const char *name)
{
	const char *last = strrchr(name, '/');

	last = last ? last + 1 : name;
	return *last && *last != '.' && !g_str_has_prefix(last, "tmp-") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789/._-") == strlen(name);
}

static void give(Listing *listing, const MlvS3Page *page)
{
	g_autofree char *whole = mlv_medium_s3_key(listing->s3, listing->prefix);

	for (guint i = 0; i < page->keys->len && !listing->stopped; i++) {
		const MlvS3Listed *at = &g_array_index(page->keys, MlvS3Listed, i);

		if (g_str_has_prefix(at->key, whole) && is_ours(at->key + listing->skip))
			listing->stopped = !listing->each(at->key + listing->skip, at->size,
							  at->mtime, listing->user);
	}
}

static gboolean fail_list(Listing *listing, MlvS3Call *call, GError **error)
{
	const GByteArray *answer = call->request->answer;
	g_autoptr(MlvS3Page) page = NULL;

	if (call->fault.status && mlv_s3_fault_kind(&call->fault) != MLV_S3_FAULT_MISSING)
		return mlv_s3_call_fail(call, "list", NULL, error);
	page = answer ? mlv_s3_page_parse(answer->data, answer->len, error) : NULL;
	if (page || !answer || call->fault.status) {
		g_clear_error(error);
		return mlv_fail(error, MLV_ERROR_FAILED,
				"cannot list '%s': the answer is none of an S3 server's; check the "
				"remote's 'endpoint'",
				listing->s3->medium.url);
	}
	g_prefix_error(error, "cannot list '%s': ", listing->s3->medium.url);
	return FALSE;
}

/* One page; *token is the one that it begins at, then the next one. */
static gboolean list_page(Listing *listing, char **token, GError **error)
{
	MlvS3Session *session = listing->s3->session;
	g_autofree char *whole = mlv_medium_s3_key(listing->s3, listing->prefix);
	g_autofree char *query = mlv_s3_page_query(whole, *token);
	g_autoptr(MlvS3Call) call = mlv_s3_call_new(session, "GET", NULL, query);
	g_autoptr(MlvS3Page) page = NULL;

	call->may_hold_error = TRUE;
	call->check = check_page;
	call->user = &page;
	call->request->sink_max = MLV_S3_XML_PAGE;
	if (!mlv_http_fetch(session->http, call->request, error)) {
		g_prefix_error(error, "cannot list '%s': ", listing->s3->medium.url);
		return FALSE;
	}
	mlv_medium_s3_note_clock(listing->s3, call->request);
	if (!page)
		return fail_list(listing, call, error);
	give(listing, page);
	if (page->token && g_strcmp0(page->token, *token) == 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"cannot list '%s': the server gives the same page again and again",
				listing->s3->medium.url);
	g_free(*token);
	*token = g_steal_pointer(&page->token);
	return TRUE;
}

static gboolean s3_list(MlvMedium *medium, const char *prefix, MlvMediumEach each, gpointer user,
			GError **error)
{
	MediumS3 *s3 = (MediumS3 *)medium;
	g_autofree char *top = mlv_medium_s3_key(s3, "");
	Listing listing = { s3, prefix, strlen(top), each, user, FALSE };
	g_autofree char *token = NULL;

	do {
		if (!list_page(&listing, &token, error))
			return FALSE;
	} while (token && !listing.stopped);
	return TRUE;
}

/* --- the medium ------------------------------------------------------------------------------- */

static void s3_free(MlvMedium *medium)
{
	MediumS3 *s3 = (MediumS3 *)medium;

	mlv_pool_free(s3->pool, NULL);
	mlv_s3_session_free(s3->session);
	g_free(medium->url);
	g_free(s3);
}

static const MlvMediumClass s3_class = {
	.list = s3_list,
	.run = mlv_medium_s3_run,
	.free = s3_free,
};

MlvMedium *mlv_medium_s3_new(MlvS3Settings *settings, GError **error)
{
	g_autofree char *url = g_strdup(settings->url);
	MlvS3Session *session = mlv_s3_session_new(settings, error);
	MediumS3 *s3;

	if (!session)
		return NULL;
	s3 = g_new0(MediumS3, 1);
	s3->medium.methods = &s3_class;
	s3->medium.url = g_steal_pointer(&url);
	s3->session = session;
	mlv_http_watch(session->http, mlv_medium_tell_moved, &s3->medium);
	return &s3->medium;
}
