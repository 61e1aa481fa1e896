/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/http/web.h"

#include <string.h>

#include "storage/http/http_url.h"
#include "storage/s3/secret.h"

/* What is known of one origin. */
typedef struct {
	MlvWebLogin login;
	char *header; /* "Authorization: ..."; NULL: no login is known, or it was refused */
	gboolean asked, refused, accepted;
	char *trouble; /* why the helper has none */
} Origin;

struct MlvWeb {
	MlvHttp *http;
	MlvWebHelper helper;
	gboolean has_helper;
	GHashTable *origins; /* "https://host:port" -> Origin */
};

static void origin_free(gpointer data)
{
	Origin *origin = data;

	mlv_secret_free(origin->login.username);
	mlv_secret_free(origin->login.password);
	mlv_secret_free(origin->login.memo);
	mlv_secret_free(origin->header);
	g_free(origin->trouble);
	g_free(origin);
}

MlvWeb *mlv_web_new(const MlvHttpOptions *options, const MlvWebHelper *helper)
{
	MlvWeb *web = g_new0(MlvWeb, 1);

	web->http = mlv_http_new(options);
	web->origins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, origin_free);
	web->has_helper = helper != NULL;
	if (helper)
		web->helper = *helper;
	return web;
}

void mlv_web_free(MlvWeb *web)
{
	if (!web)
		return;
	mlv_http_free(web->http);
	g_hash_table_unref(web->origins);
	g_free(web);
}

MlvHttp *mlv_web_http(MlvWeb *web)
{
	return web->http;
}

static Origin *find_origin(MlvWeb *web, const char *url)
{
	g_autofree char *name = mlv_http_url_origin(url);
	Origin *origin = g_hash_table_lookup(web->origins, name);

	if (!origin) {
		origin = g_new0(Origin, 1);
		g_hash_table_insert(web->origins, g_steal_pointer(&name), origin);
	}
	return origin;
}

/* --- logins ----------------------------------------------------------------------------------- */

typedef struct {
	char *protocol, *host, *path;
	MlvWebPlace place;
} Place;

static void place_clear(Place *place)
{
	g_free(place->protocol);
	g_free(place->host);
	g_free(place->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static void place_init(Place *place, const MlvHttpRequest *request)
{
	const char *host = strstr(request->url, "://") + 3;
	const char *path = host + strcspn(host, "/?#");

	place->protocol = g_ascii_strdown(request->url, host - request->url - 3);
	place->host = g_strndup(host, (gsize)(path - host));
	path += *path == '/';
	place->path = g_strndup(path, strcspn(path, "?#"));
	place->place = (MlvWebPlace){
		.protocol = place->protocol,
		.host = place->host,
		.path = place->path,
		.challenge = mlv_http_request_field(request, "www-authenticate"),
	};
}

/* Where in a list of challenges a scheme is asked for, or NULL. */
static const char *find_scheme(const char *challenge, const char *scheme)
{
	gsize length = strlen(scheme);
	gboolean quoted = FALSE, begin = TRUE;

	for (const char *at = challenge; *at; at++) {
		if (*at == '"')
			quoted = !quoted;
		if (begin && !quoted && g_ascii_strncasecmp(at, scheme, length) == 0 &&
		    (!at[length] || strchr(" ,\t", at[length])))
			return at;
		begin = !quoted && strchr(", \t", *at) != NULL;
	}
	return NULL;
}

/* The first of the schemes that the server asks for and that we know. */
static char *make_header(const char *challenge, const MlvWebLogin *login)
{
	const char *basic = challenge ? find_scheme(challenge, "Basic") : NULL;
	const char *bearer = challenge ? find_scheme(challenge, "Bearer") : NULL;
	MLV_AUTO_SECRET char *both = NULL;
	MLV_AUTO_SECRET char *coded = NULL;

	if (strpbrk(login->password, "\r\n") || strpbrk(login->username, "\r\n"))
		return NULL;
	if (bearer && (!basic || bearer < basic))
		return g_strconcat("Authorization: Bearer ", login->password, NULL);
	if (!basic)
		return NULL;
	both = g_strconcat(login->username, ":", login->password, NULL);
	coded = g_base64_encode((const guchar *)both, strlen(both));
	return g_strconcat("Authorization: Basic ", coded, NULL);
}

/* Asks the helper, once an origin. */
static void ask(MlvWeb *web, Origin *origin, const MlvHttpRequest *request)
{
	const char *challenge = mlv_http_request_field(request, "www-authenticate");
	g_autoptr(GError) failed = NULL;
	g_auto(Place) place = { 0 };

	origin->asked = TRUE;
	place_init(&place, request);
	if (!challenge || (!find_scheme(challenge, "Basic") && !find_scheme(challenge, "Bearer"))) {
		origin->trouble = g_strdup("it wants neither Basic nor Bearer, and others are not "
					   "known here");
		return;
	}
	if (!web->has_helper) {
		origin->trouble = g_strdup("none is known");
		return;
	}
	if (!web->helper.fill(&place.place, &origin->login, web->helper.user, &failed)) {
		origin->trouble = g_strdup(failed->message);
		return;
	}
	origin->header = make_header(challenge, &origin->login);
	if (!origin->header)
		origin->trouble = g_strdup("the one that was given has a line break in it");
}

static void tell_helper(MlvWeb *web, Origin *origin, const MlvHttpRequest *request,
			gboolean accepted)
{
	g_auto(Place) place = { 0 };

	place_init(&place, request);
	if (web->helper.tell)
		web->helper.tell(&place.place, &origin->login, accepted, web->helper.user);
}

static MlvHttpVerdict judge_login(MlvWebCall *call)
{
	MlvHttpRequest *request = call->request;
	Origin *origin = find_origin(call->web, request->url);

	if (call->with_login && !origin->refused) {
		origin->refused = TRUE;
		mlv_secret_clear(&origin->header);
		tell_helper(call->web, origin, request, FALSE);
	}
	if (!origin->asked)
		ask(call->web, origin, request);
	return origin->header ? MLV_HTTP_AGAIN : MLV_HTTP_DONE;
}

/* --- redirects -------------------------------------------------------------------------------- */

static gboolean is_redirect(const MlvHttpRequest *request)
{
	return request->status == 301 || request->status == 302 || request->status == 303 ||
	       request->status == 307 || request->status == 308;
}

static MlvHttpVerdict redirect(MlvWebCall *call)
{
	MlvHttpRequest *request = call->request;
	const char *location = mlv_http_request_field(request, "location");
	g_autofree char *url = location ? mlv_http_url_resolve(request->url, location) : NULL;

	g_clear_pointer(&call->refused, g_free);
	if (!url || !mlv_http_url_check(url, NULL)) {
		call->refused = g_strdup("to no address that can be asked for");
		return MLV_HTTP_DONE;
	}
	if (g_ascii_strncasecmp(request->url, "https:", 6) == 0 &&
	    g_ascii_strncasecmp(url, "https:", 6) != 0) {
		g_autofree char *shown = mlv_http_url_shown(url);

		call->refused = g_strdup_printf("to '%s', which is not encrypted", shown);
		return MLV_HTTP_DONE;
	}
	g_free(request->url);
	request->url = g_steal_pointer(&url);
	return MLV_HTTP_AGAIN;
}

/* --- calls ------------------------------------------------------------------------------------ */

static gboolean prepare(MlvHttpRequest *request, GError **error)
{
	MlvWebCall *call = request->user;
	const Origin *origin = find_origin(call->web, request->url);

	g_ptr_array_set_size(request->headers, 0);
	mlv_http_request_set_header(request, "Accept-Encoding", "identity");
	if (call->before)
		call->before(call);
	for (guint i = 0; i < call->headers->len; i++)
		g_ptr_array_add(request->headers, g_strdup(call->headers->pdata[i]));
	call->with_login = origin->header != NULL;
	if (origin->header)
		g_ptr_array_add(request->headers, g_strdup(origin->header));
	return TRUE;
}

static MlvHttpVerdict judge(MlvHttpRequest *request)
{
	MlvWebCall *call = request->user;
	Origin *origin = find_origin(call->web, request->url);

	if (is_redirect(request))
		return redirect(call);
	if (request->status == 401)
		return judge_login(call);
	if (call->with_login && request->status / 100 == 2 && !origin->accepted) {
		origin->accepted = TRUE;
		tell_helper(call->web, origin, request, TRUE);
	}
	return call->check ? call->check(call) : mlv_http_judge(request);
}

static void free_header(gpointer header)
{
	mlv_secret_free(header);
}

MlvWebCall *mlv_web_call_new(MlvWeb *web, const char *method, const char *url)
{
	MlvWebCall *call = g_new0(MlvWebCall, 1);

	call->web = web;
	call->headers = g_ptr_array_new_with_free_func(g_free);
	call->request = mlv_http_request_new(method, url);
	g_ptr_array_set_free_func(call->request->headers, free_header);
	call->request->user = call;
	call->request->prepare = prepare;
	call->request->judge = judge;
	return call;
}

void mlv_web_call_free(MlvWebCall *call)
{
	if (!call)
		return;
	mlv_http_request_free(call->request);
	g_ptr_array_unref(call->headers);
	g_free(call->refused);
	g_free(call);
}

static gboolean fail_login(const MlvWebCall *call, const char *shown, GError **error)
{
	const Origin *origin = find_origin(call->web, call->request->url);

	if (origin->refused)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"'%s' refuses the login; git's credential helper was told to forget "
			"it, run the command again to give another",
			shown);
	return mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' wants a login: %s; git's credential helper is asked for it (see "
			"mlv-http(7))",
			shown, origin->trouble ? origin->trouble : "none is known");
}

gboolean mlv_web_call_fail(const MlvWebCall *call, GError **error)
{
	const MlvHttpRequest *request = call->request;
	g_autofree char *shown = mlv_http_url_shown(request->url);

	if (request->status == 404 || request->status == 410)
		return mlv_fail(error, MLV_ERROR_MISSING, "'%s' is not there", shown);
	if (request->status == 401)
		return fail_login(call, shown, error);
	if (request->status == 403)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' may not be read (403); check the server's rights, or the "
				"login that git's credential helper gives",
				shown);
	if (is_redirect(request))
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' redirects %s", shown,
				call->refused ? call->refused : "again and again");
	return mlv_fail(error, MLV_ERROR_FAILED, "cannot read '%s': the server answers %u%s", shown,
			request->status,
			request->status >= 500 ? "; run the command again later" : "");
}

gboolean mlv_web_parse_range(const char *text, guint64 *first, guint64 *size)
{
	guint64 last;
	const char *at;
	char *end;

	if (!text || g_ascii_strncasecmp(text, "bytes ", 6) != 0 || !g_ascii_isdigit(text[6]))
		return FALSE;
	*first = g_ascii_strtoull(text + 6, &end, 10);
	if (*end != '-' || !g_ascii_isdigit(end[1]))
		return FALSE;
	last = g_ascii_strtoull(end + 1, &end, 10);
	if (*end != '/' || last < *first)
		return FALSE;
	at = end + 1;
	*size = G_MAXUINT64;
	if (strcmp(at, "*") == 0)
		return TRUE;
	if (!g_ascii_isdigit(*at))
		return FALSE;
	*size = g_ascii_strtoull(at, &end, 10);
	return !*end && last < *size;
}
