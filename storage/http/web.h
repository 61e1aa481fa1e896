/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to web servers as they are: redirects are followed, logins are asked for where a server
 * wants one, and each goes to the origin that it was given for and to no other.
 *
 *	g_autoptr(MlvWeb) web = mlv_web_new(&options, &helper);
 *	g_autoptr(MlvWebCall) call = mlv_web_call_new(web, "GET", url);
 *	if (!mlv_http_fetch(mlv_web_http(web), call->request, error))
 *		return FALSE;
 *	if (call->request->status != 200)
 *		return mlv_web_call_fail(call, error);
 *
 * An MlvWeb belongs to one thread at a time, and so do its calls.
 */
#ifndef MLV_STORAGE_HTTP_WEB_H
#define MLV_STORAGE_HTTP_WEB_H

#include "storage/http/http.h"

/* Where a login is wanted. Borrowed. */
typedef struct {
	const char *protocol;  /* "http" or "https" */
	const char *host;      /* as the address has it: with the port if that is there */
	const char *path;      /* without the slash before it */
	const char *challenge; /* what the server said; NULL: nothing */
} MlvWebPlace;

/* Secrets: freed by being overwritten. */
typedef struct {
	char *username, *password;
	char *memo; /* the helper's own; NULL: none */
} MlvWebLogin;

/* Who knows logins. Called in the thread that uses the MlvWeb. */
typedef struct {
	/* Fills in username and password, or says why it cannot. */
	gboolean (*fill)(const MlvWebPlace *place, MlvWebLogin *login, gpointer user,
			 GError **error);
	/* What the server thinks of it: accepted, or refused for good. */
	void (*tell)(const MlvWebPlace *place, const MlvWebLogin *login, gboolean accepted,
		     gpointer user);
	gpointer user;
} MlvWebHelper;

typedef struct MlvWeb MlvWeb;

/* `helper` may be NULL: nobody knows a login. Both are copied. */
MlvWeb *mlv_web_new(const MlvHttpOptions *options, const MlvWebHelper *helper);
void mlv_web_free(MlvWeb *web);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvWeb, mlv_web_free)
MlvHttp *mlv_web_http(MlvWeb *web);

typedef struct MlvWebCall MlvWebCall;
struct MlvWebCall {
	MlvHttpRequest *request; /* owned; its user is the call. Sink or take are the caller's */
	GPtrArray *headers;      /* of char *: for every try, nothing secret */
	/* Before each try, to set `headers` anew. May be NULL. */
	void (*before)(MlvWebCall *call);
	/* Of an answer that is no redirect and no 401; NULL: mlv_http_judge. */
	MlvHttpVerdict (*check)(MlvWebCall *call);
	gpointer user; /* the caller's */
	/* private */
	MlvWeb *web;
	char *refused;       /* why a redirect is not followed, or a login is not to be had */
	gboolean with_login; /* this try carries one */
};

/* `url` is checked (mlv_http_url_check); `method` is static text. */
MlvWebCall *mlv_web_call_new(MlvWeb *web, const char *method, const char *url);
void mlv_web_call_free(MlvWebCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvWebCall, mlv_web_call_free)

/* Says why the answer is not what was wanted: MLV_ERROR_MISSING for 404 and 410, else
 * MLV_ERROR_FAILED. Returns FALSE. */
gboolean mlv_web_call_fail(const MlvWebCall *call, GError **error);

/* What a Content-Range says: the first byte, and the size of the whole (G_MAXUINT64: not said). */
gboolean mlv_web_parse_range(const char *text, guint64 *first, guint64 *size);

#endif
