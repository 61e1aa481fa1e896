/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/http/http_url.h"
#include "storage/http/medium_http.h"
#include "tests/unit/http_server.h"

static const MlvHttpOptions quick = { .direct = TRUE, .patience_seconds = 2, .stall_seconds = 2 };

/* --- addresses -------------------------------------------------------------------------------- */

static void addresses_are_checked_and_never_show_a_password(void **state)
{
	static const char *const good[] = { "http://h",       "https://h:1/p",
					    "HTTPS://H/a@b",  "http://[::1]:80/x",
					    "http://h/p?q=1", "http://h:80/a:b@c" };
	static const char *const bad[] = {
		"ftp://h/",        "http://",         "http:///x",         "http://h:0/",
		"http://h:65536/", "http://h:x/",     "http://h h/",       "http://h/\n",
		"http://[::1/",    "http://u@h/",     "http://u:s3cr@h",   "http://u:s3/cr@h/",
		"http://h\\x@y/",  "http://%68ost/x", "http://h/\xc3\xa4", "h/p",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		assert_true(mlv_http_url_check(good[i], NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *shown = mlv_http_url_shown(bad[i]);

		assert_false(mlv_http_url_check(bad[i], &error));
		assert_null(strstr(error->message, "s3"));
		assert_null(strstr(shown, "s3"));
	}
}

static void assert_text(char *text, const char *wanted)
{
	g_autofree char *mine = text;

	assert_string_equal(mine, wanted);
}

static void parts_of_addresses_are_found(void **state)
{
	assert_text(mlv_http_url_origin("http://Host/x"), "http://host:80");
	assert_text(mlv_http_url_origin("HTTPS://host?x"), "https://host:443");
	assert_text(mlv_http_url_origin("https://[::1]/"), "https://[::1]:443");
	assert_text(mlv_http_url_origin("https://[::1]:8/"), "https://[::1]:8");
	assert_text(mlv_http_url_resolve("http://h/a/b?c", "../d#e"), "http://h/d");
	assert_text(mlv_http_url_resolve("http://h/a", "//other/x"), "http://other/x");
	assert_text(mlv_http_url_name("http://h/a/b%20c.csv?x=/y"), "b c.csv");
	assert_null(mlv_http_url_name("http://h/"));
	assert_null(mlv_http_url_name("http://h/a%2Fb"));
}

/* --- logins and redirects --------------------------------------------------------------------- */

typedef struct {
	guint fills, good, bad;
	const char *password;
} Helper;

static gboolean fill(const MlvWebPlace *place, MlvWebLogin *login, gpointer user, GError **error)
{
	Helper *helper = user;

	helper->fills++;
	assert_string_equal(place->protocol, "http");
	assert_true(g_str_has_prefix(place->host, "127.0.0.1:"));
	if (!helper->password)
		return mlv_fail(error, MLV_ERROR_FAILED, "nobody knows it");
	login->username = g_strdup("anna");
	login->password = g_strdup(helper->password);
	return TRUE;
}

static void tell(const MlvWebPlace *place, const MlvWebLogin *login, gboolean accepted,
		 gpointer user)
{
	Helper *helper = user;

	helper->good += accepted;
	helper->bad += !accepted;
}

static gboolean guard(Exchange *exchange)
{
	if (strstr(exchange->head, "Authorization: Basic YW5uYTpyaWdodA=="))
		return exchange_answer(exchange, "200 OK", "", "in", 2);
	return exchange_answer(exchange, "401 Unauthorized",
			       "WWW-Authenticate: Negotiate\r\n"
			       "WWW-Authenticate: Basic realm=\"x, Bearer y\"\r\n",
			       "out", 3);
}

static guint get(MlvWeb *web, const char *url, GError **error)
{
	g_autoptr(MlvWebCall) call = mlv_web_call_new(web, "GET", url);

	assert_true(mlv_http_fetch(mlv_web_http(web), call->request, NULL));
	if (call->request->status != 200)
		mlv_web_call_fail(call, error);
	return call->request->status;
}

static void a_login_is_asked_for_once_and_judged_once(void **state)
{
	Server *server = server_new(guard);
	g_autofree char *url = server_url(server, "/x");
	Helper helper = { .password = "right" };
	const MlvWebHelper asked = { fill, tell, &helper };
	g_autoptr(MlvWeb) web = mlv_web_new(&quick, &asked);

	assert_int_equal(get(web, url, NULL), 200);
	assert_int_equal(get(web, url, NULL), 200);
	assert_int_equal(helper.fills, 1);
	assert_int_equal(helper.good, 1);
	assert_int_equal(helper.bad, 0);
	assert_int_equal(server_requests(server), 3);
	server_free(server);
}

static void a_refused_login_is_not_tried_again(void **state)
{
	Server *server = server_new(guard);
	g_autofree char *url = server_url(server, "/x");
	Helper helper = { .password = "wr0ng" };
	const MlvWebHelper asked = { fill, tell, &helper };
	g_autoptr(MlvWeb) web = mlv_web_new(&quick, &asked);
	g_autoptr(GError) error = NULL, again = NULL;

	assert_int_equal(get(web, url, &error), 401);
	assert_int_equal(get(web, url, &again), 401);
	assert_non_null(strstr(error->message, "refuses the login"));
	assert_null(strstr(error->message, "wr0ng"));
	assert_int_equal(helper.fills, 1);
	assert_int_equal(helper.bad, 1);
	assert_int_equal(server_requests(server), 3);
	server_free(server);
}

static void why_there_is_no_login_is_told(void **state)
{
	Server *server = server_new(guard);
	g_autofree char *url = server_url(server, "/x");
	Helper helper = { 0 };
	const MlvWebHelper asked = { fill, tell, &helper };
	g_autoptr(MlvWeb) web = mlv_web_new(&quick, &asked), alone = mlv_web_new(&quick, NULL);
	g_autoptr(GError) error = NULL, other = NULL;

	get(web, url, &error);
	assert_non_null(strstr(error->message, "nobody knows it"));
	get(alone, url, &other);
	assert_non_null(strstr(other->message, "wants a login"));
	server_free(server);
}

static gboolean bearer(Exchange *exchange)
{
	if (strstr(exchange->head, "Authorization: Bearer right\r\n"))
		return exchange_answer(exchange, "200 OK", "", "in", 2);
	return exchange_answer(exchange, "401 Unauthorized",
			       "WWW-Authenticate: bearer error=\"none\", Basic realm=x\r\n", "", 0);
}

static void the_first_scheme_that_is_known_is_used(void **state)
{
	Server *server = server_new(bearer);
	g_autofree char *url = server_url(server, "/x");
	Helper helper = { .password = "right" };
	const MlvWebHelper asked = { fill, tell, &helper };
	g_autoptr(MlvWeb) web = mlv_web_new(&quick, &asked);

	assert_int_equal(get(web, url, NULL), 200);
	server_free(server);
}

static gboolean lead_on(Exchange *exchange)
{
	if (g_str_equal(exchange->path, "/round"))
		return exchange_answer(exchange, "302 Found", "Location: /round\r\n", "", 0);
	if (g_str_equal(exchange->path, "/file"))
		return exchange_answer(exchange, "302 Found", "Location: file:///etc/passwd\r\n",
				       "", 0);
	if (g_str_equal(exchange->path, "/login"))
		return exchange_answer(exchange, "302 Found",
				       "Location: http://u:s3cret@127.0.0.1/\r\n", "", 0);
	if (g_str_equal(exchange->path, "/a/b"))
		return exchange_answer(exchange, "307 Moved", "Location: ../c?d=1#e\r\n", "", 0);
	if (g_str_equal(exchange->path, "/c?d=1"))
		return exchange_answer(exchange, "200 OK", "", "there", 5);
	return exchange_answer(exchange, "404 Not Found", "", "", 0);
}

static void redirects_are_followed_within_limits(void **state)
{
	static const char *const bad[] = { "/round", "/file", "/login" };
	Server *server = server_new(lead_on);
	g_autofree char *good = server_url(server, "/a/b");
	g_autoptr(MlvWeb) web = mlv_web_new(&quick, NULL);
	g_autoptr(GError) missing = NULL;

	assert_int_equal(get(web, good, NULL), 200);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *url = server_url(server, bad[i]);
		g_autoptr(GError) error = NULL;

		get(web, url, &error);
		assert_non_null(strstr(error->message, "redirects"));
		assert_null(strstr(error->message, "s3cret"));
	}
	g_free(good);
	good = server_url(server, "/nothing");
	get(web, good, &missing);
	assert_true(g_error_matches(missing, MLV_ERROR, MLV_ERROR_MISSING));
	server_free(server);
}

/* --- the medium ------------------------------------------------------------------------------- */

#define LENGTH 500000

/* How ranges are answered, by the first part of the path. */
static gboolean ranges(Exchange *exchange)
{
	g_autofree guint8 *bytes = g_malloc(LENGTH);
	const char *range = strstr(exchange->head, "Range: bytes=");
	guint64 first = range ? g_ascii_strtoull(range + 13, NULL, 10) : 0, last = LENGTH - 1;
	g_autofree char *field = NULL;

	if (g_str_equal(exchange->method, "HEAD"))
		return exchange_say(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n");
	for (gsize i = 0; i < LENGTH; i++)
		bytes[i] = (guint8)(i * 7 + i / 251);
	if (range && strchr(range, '-')[1] != '\r')
		last = MIN(last, g_ascii_strtoull(strchr(range, '-') + 1, NULL, 10));
	if (g_str_has_prefix(exchange->path, "/whole/") || !range)
		return exchange_answer(exchange, "200 OK", "", bytes, LENGTH);
	if (first >= LENGTH)
		return exchange_answer(exchange, "416 No", "Content-Range: bytes */500000\r\n", "",
				       0);
	if (g_str_has_prefix(exchange->path, "/wrong/"))
		first++;
	if (g_str_has_prefix(exchange->path, "/short/"))
		last--;
	field = g_strdup_printf("Content-Range: bytes %d-%d/%d\r\n", (int)first, (int)last, LENGTH);
	return exchange_answer(exchange, "206 Partial", field, bytes + first, last + 1 - first);
}

static MlvMedium *medium_at(const Server *server, const char *path)
{
	g_autofree char *url = server_url(server, path);
	const MlvMediumHttpOptions options = { .url = url, .http = quick };
	g_autoptr(GError) error = NULL;
	MlvMedium *medium = mlv_medium_http_new(&options, &error);

	assert_non_null(medium);
	return medium;
}

static void assert_part(MlvMedium *medium, guint64 offset, guint64 length, gsize wanted)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = mlv_medium_get(medium, "x", offset, length, 0, &error);
	const guint8 *data;

	if (!bytes)
		fail_msg("%s", error->message);
	assert_int_equal(g_bytes_get_size(bytes), wanted);
	data = g_bytes_get_data(bytes, NULL);
	for (gsize i = 0; i < wanted; i++)
		if (data[i] != (guint8)((offset + i) * 7 + (offset + i) / 251))
			fail_msg("byte %zu is wrong", i);
}

static void parts_are_right_whether_the_server_knows_ranges_or_not(void **state)
{
	static const char *const paths[] = { "/range/", "/whole" };
	Server *server = server_new(ranges);

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(MlvMedium) medium = medium_at(server, paths[i]);
		g_autoptr(GError) error = NULL;

		assert_true(medium->read_only);
		assert_part(medium, 0, MLV_OP_ALL, LENGTH);
		assert_part(medium, 0, LENGTH, LENGTH);
		assert_part(medium, 0, 1, 1);
		assert_part(medium, 12345, 67890, 67890);
		assert_part(medium, LENGTH - 3, 3, 3);
		assert_part(medium, 400000, MLV_OP_ALL, 100000);
		assert_part(medium, LENGTH, MLV_OP_ALL, 0);
		assert_part(medium, 7, 0, 0);
		assert_null(mlv_medium_get(medium, "x", LENGTH - 3, 4, 0, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
		g_clear_error(&error);
		assert_null(mlv_medium_get(medium, "x", 0, MLV_OP_ALL, LENGTH - 1, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	}
	server_free(server);
}

static void parts_that_do_not_fit_are_refused(void **state)
{
	static const char *const paths[] = { "/wrong", "/short" };
	Server *server = server_new(ranges);

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(MlvMedium) medium = medium_at(server, paths[i]);
		g_autoptr(GError) error = NULL;

		assert_null(mlv_medium_get(medium, "x", 10, 20, 0, &error));
		assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	}
	server_free(server);
}

static void nothing_is_written_and_only_live_is_listed(void **state)
{
	Server *server = server_new(lead_on);
	g_autoptr(MlvMedium) medium = medium_at(server, "/p");
	g_autoptr(GBytes) bytes = g_bytes_new("x", 1);
	g_autoptr(GError) put = NULL, drop = NULL, packs = NULL, live = NULL;

	assert_false(mlv_medium_put_bytes(medium, "x", bytes, &put));
	assert_true(g_error_matches(put, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
	assert_false(mlv_medium_delete(medium, "x", &drop));
	assert_null(mlv_medium_list_all(medium, "packs/", &packs));
	assert_true(g_error_matches(packs, MLV_ERROR, MLV_ERROR_UNSUPPORTED));
	assert_int_equal(server_requests(server), 0);
	assert_null(mlv_medium_list_all(medium, "live/", &live));
	assert_non_null(strstr(live->message, "is not published"));
	server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_checked_and_never_show_a_password),
		cmocka_unit_test(parts_of_addresses_are_found),
		cmocka_unit_test(a_login_is_asked_for_once_and_judged_once),
		cmocka_unit_test(a_refused_login_is_not_tried_again),
		cmocka_unit_test(why_there_is_no_login_is_told),
		cmocka_unit_test(the_first_scheme_that_is_known_is_used),
		cmocka_unit_test(redirects_are_followed_within_limits),
		cmocka_unit_test(parts_are_right_whether_the_server_knows_ranges_or_not),
		cmocka_unit_test(parts_that_do_not_fit_are_refused),
		cmocka_unit_test(nothing_is_written_and_only_live_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
