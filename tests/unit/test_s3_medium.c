/* SPDX-License-Identifier: Apache-2.0 */
/* The S3 medium against a server that answers as tests say: ranges, deletions, what it mends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/file.h"
#include "storage/s3/medium_s3.h"
#include "tests/unit/http_server.h"
#include "tests/unit/scratch.h"

typedef struct {
	const char *status, *fields, *body;
} Reply;

/* What the server says, one after the other, the last for ever; read by its threads, and written
 * only while nothing is asked. */
static const Reply *replies;
static gint reply_count, asked;

static gboolean handle(Exchange *exchange)
{
	gint number = g_atomic_int_add(&asked, 1);
	const Reply *reply = &replies[MIN(number, reply_count - 1)];
	const char *body = strcmp(exchange->method, "HEAD") == 0 ? "" : reply->body;

	return exchange_read(exchange, exchange->length) &&
	       exchange_answer(exchange, reply->status, reply->fields, body, strlen(body));
}

typedef struct {
	Server *server;
	MlvMedium *medium;
	GString *warnings;
} Fixture;

static void note_warning(const char *text, gpointer user)
{
	g_string_append_printf(user, "%s\n", text);
}

static int setup(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	MlvS3Settings *settings = mlv_s3_settings_new("s3://bucket/my prefix", NULL);

	g_setenv("AWS_ACCESS_KEY_ID", "AKID", TRUE);
	g_setenv("AWS_SECRET_ACCESS_KEY", "hush", TRUE);
	g_setenv("AWS_REGION", "first-1", TRUE);
	g_setenv("AWS_EC2_METADATA_DISABLED", "true", TRUE);
	g_unsetenv("AWS_SESSION_TOKEN");
	g_unsetenv("AWS_PROFILE");
	g_unsetenv("AWS_CA_BUNDLE");
	fixture->server = server_new(handle);
	fixture->warnings = g_string_new(NULL);
	settings->endpoint = server_url(fixture->server, "");
	settings->warn = note_warning;
	settings->warn_user = fixture->warnings;
	fixture->medium = mlv_medium_s3_new(settings, NULL);
	assert_non_null(fixture->medium);
	g_atomic_int_set(&asked, 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	Fixture *fixture = *state;

	mlv_medium_free(fixture->medium);
	server_free(fixture->server);
	g_string_free(fixture->warnings, TRUE);
	g_free(fixture);
	return 0;
}

#define SAYS(...)                                    \
	static const Reply said[] = { __VA_ARGS__ }; \
	replies = said, reply_count = G_N_ELEMENTS(said)

#define REFUSAL(code) "<Error><Code>" code "</Code><Message>words</Message></Error>"

static void assert_bytes(GBytes *bytes, const char *text)
{
	assert_non_null(bytes);
	assert_int_equal(g_bytes_get_size(bytes), strlen(text));
	assert_memory_equal(g_bytes_get_data(bytes, NULL), text, strlen(text));
}

static GBytes *get(Fixture *fixture, guint64 offset, guint64 length, GError **error)
{
	return mlv_medium_get(fixture->medium, "live/x", offset, length, 0, error);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void a_range_is_asked_for_and_checked(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *heads = NULL;

	SAYS({ "206 Partial Content", "Content-Range: bytes 2-5/9\r\n", "cdef" });
	bytes = get(fixture, 2, 4, NULL);
	assert_bytes(bytes, "cdef");
	heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "GET /bucket/my%20prefix/live/x HTTP/1.1"));
	assert_non_null(strstr(heads, "Range: bytes=2-5\r\n"));
	assert_non_null(strstr(heads, "Credential=AKID/"));
}

static void a_part_of_the_wrong_size_or_place_is_asked_for_again(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = NULL;

	SAYS({ "206 Partial Content", "Content-Range: bytes 2-3/9\r\n", "cd" },
	     { "206 Partial Content", "Content-Range: bytes 0-3/9\r\n", "abcd" },
	     { "206 Partial Content", "Content-Range: bytes 2-5/9\r\n", "cdef" });
	bytes = get(fixture, 2, 4, NULL);
	assert_bytes(bytes, "cdef");
	assert_int_equal(asked, 3);
}

static void a_server_without_ranges_gives_all_and_it_is_cut(void **state)
{
	Fixture *fixture = *state;
	Scratch *scratch;
	g_autoptr(GBytes) part = NULL, rest = NULL;
	g_autoptr(MlvOp) op = mlv_op_new(MLV_OP_GET, "live/x");
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	char text[4];

	SAYS({ "200 OK", "", "abcdefghi" });
	part = get(fixture, 2, 4, NULL);
	assert_bytes(part, "cdef");
	rest = get(fixture, 7, MLV_OP_ALL, NULL);
	assert_bytes(rest, "hi");
	scratch_setup((void **)&scratch);
	op->fd = openat(scratch->fd, "f", O_RDWR | O_CREAT, 0600);
	op->offset = 5;
	op->length = 4;
	g_ptr_array_add(one, op);
	assert_true(mlv_medium_run_all(fixture->medium, one, FALSE, NULL));
	assert_int_equal(pread(op->fd, text, 4, 0), 4);
	assert_memory_equal(text, "fghi", 4);
	close(op->fd);
	scratch_teardown((void **)&scratch);
}

/* What comes behind a part is not read to its end, and that it is slow is told once. */
static void a_part_of_much_is_cut_out_and_told_to_be_slow(void **state)
{
	Fixture *fixture = *state;
	/* Until the server's threads end they may send of these. */
	static char whole[(3u << 20) + 1];
	static const Reply said[] = { { "200 OK", "", whole } };
	g_autoptr(GBytes) first = NULL, second = NULL;

	memset(whole, 'x', sizeof(whole) - 1);
	memcpy(whole + (1u << 20), "part", 4);
	replies = said;
	reply_count = 1;
	first = get(fixture, 1u << 20, 4, NULL);
	assert_bytes(first, "part");
	second = get(fixture, (1u << 20) + 1, 3, NULL);
	assert_bytes(second, "art");
	assert_int_equal(asked, 2);
	assert_non_null(strstr(fixture->warnings->str, "does not know ranges"));
	assert_null(strchr(strchr(fixture->warnings->str, '\n') + 1, '\n'));
}

static void a_part_from_elsewhere_is_never_taken(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) other = NULL;

	SAYS({ "206 Partial Content", "Content-Range: bytes 0-3/9\r\n", "abcd" });
	assert_null(get(fixture, 2, 4, &other));
	assert_true(g_error_matches(other, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_non_null(strstr(other->message, "another part"));
}

static void what_is_too_short_is_damaged(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) past = NULL, beyond = NULL;

	SAYS({ "206 Partial Content", "Content-Range: bytes 2-3/4\r\n", "cd" },
	     { "416 Range Not Satisfiable", "", REFUSAL("InvalidRange") });
	assert_null(get(fixture, 2, 4, &past));
	assert_true(g_error_matches(past, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_null(get(fixture, 9, 4, &beyond));
	assert_true(g_error_matches(beyond, MLV_ERROR, MLV_ERROR_CORRUPT));
	assert_int_equal(asked, 2);
}

static void what_is_longer_than_it_may_be_is_damaged(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) error = NULL;

	SAYS({ "200 OK", "", "abcdefghi" });
	assert_null(mlv_medium_get(fixture->medium, "format", 0, MLV_OP_ALL, 4, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
}

static void absence_is_told_from_a_bucket_that_is_not_there(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) key = NULL, bucket = NULL, other = NULL, empty = NULL;

	SAYS({ "404 Not Found", "", REFUSAL("NoSuchKey") },
	     { "404 Not Found", "", REFUSAL("NoSuchBucket") },
	     { "404 Not Found", "", "<html>nginx</html>" }, { "404 Not Found", "", "" });
	assert_null(get(fixture, 0, MLV_OP_ALL, &key));
	assert_true(g_error_matches(key, MLV_ERROR, MLV_ERROR_MISSING));
	assert_null(get(fixture, 0, MLV_OP_ALL, &bucket));
	assert_true(g_error_matches(bucket, MLV_ERROR, MLV_ERROR_FAILED));
	assert_null(get(fixture, 0, MLV_OP_ALL, &other));
	assert_true(g_error_matches(other, MLV_ERROR, MLV_ERROR_FAILED));
	assert_null(get(fixture, 0, 0, &empty));
	assert_true(g_error_matches(empty, MLV_ERROR, MLV_ERROR_MISSING));
}

static void nothing_is_read_by_asking_whether_it_is_there(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *heads = NULL;

	SAYS({ "200 OK", "", "abc" });
	bytes = get(fixture, 1, 0, NULL);
	assert_bytes(bytes, "");
	heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "HEAD /bucket/"));
}

/* --- mending ---------------------------------------------------------------------------------- */

static void a_wrong_region_is_learned_and_kept(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) first = NULL, second = NULL;
	g_autofree char *heads = NULL;

	SAYS({ "400 Bad Request", "",
	       "<Error><Code>AuthorizationHeaderMalformed</Code><Region>second-2</Region></Error>" },
	     { "200 OK", "", "x" });
	first = get(fixture, 0, MLV_OP_ALL, NULL);
	second = get(fixture, 0, MLV_OP_ALL, NULL);
	assert_bytes(second, "x");
	assert_int_equal(asked, 3);
	heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "/first-1/s3/"));
	assert_non_null(strstr(heads, "/second-2/s3/"));
	assert_non_null(
		strstr(fixture->warnings->str, "is in the region 'second-2', not 'first-1'"));
	assert_null(strchr(strchr(fixture->warnings->str, '\n') + 1, '\n'));
}

static void a_region_in_a_field_does_too(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = NULL;

	SAYS({ "301 Moved", "x-amz-bucket-region: second-2\r\n", "" }, { "200 OK", "", "x" });
	bytes = get(fixture, 0, MLV_OP_ALL, NULL);
	assert_bytes(bytes, "x");
}

static void a_foreign_redirect_is_refused_and_nothing_goes_there(void **state)
{
	Fixture *fixture = *state;
	Server *other = server_new(handle);
	g_autofree char *where = server_url(other, "/bucket/x");
	g_autofree char *field = g_strdup_printf("Location: %s\r\n", where);
	const Reply redirect = { "307 Temporary Redirect", field, "" };
	g_autoptr(GError) error = NULL;

	replies = &redirect;
	reply_count = 1;
	assert_null(get(fixture, 0, MLV_OP_ALL, &error));
	assert_non_null(strstr(error->message, "redirects to"));
	assert_int_equal(server_requests(other), 0);
	server_free(other);
}

static void a_region_that_is_wrong_again_and_again_is_given_up(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) error = NULL;

	SAYS({ "400 Bad Request", "",
	       "<Error><Code>AuthorizationHeaderMalformed</Code><Region>a-1</Region></Error>" },
	     { "400 Bad Request", "",
	       "<Error><Code>AuthorizationHeaderMalformed</Code><Region>b-1</Region></Error>" },
	     { "400 Bad Request", "",
	       "<Error><Code>AuthorizationHeaderMalformed</Code><Region>a-1</Region></Error>" },
	     { "400 Bad Request", "",
	       "<Error><Code>AuthorizationHeaderMalformed</Code><Region>b-1</Region></Error>" });
	assert_null(get(fixture, 0, MLV_OP_ALL, &error));
	assert_non_null(strstr(error->message, "region"));
	assert_in_range(asked, 2, 6);
}

static void a_wrong_clock_is_made_up_for(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GDateTime) then = g_date_time_add_hours(now, 3);
	g_autofree char *date = g_date_time_format(then, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n");
	const Reply skewed[] = { { "403 Forbidden", date, REFUSAL("RequestTimeTooSkewed") },
				 { "200 OK", date, "x" } };
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *stamp = g_date_time_format(then, "X-Amz-Date: %Y%m%dT%H");
	g_autofree char *heads = NULL;

	replies = skewed;
	reply_count = 2;
	bytes = get(fixture, 0, MLV_OP_ALL, NULL);
	assert_bytes(bytes, "x");
	heads = server_heads(fixture->server);
	/* The hour may have ended meanwhile. */
	if (!strcasestr(heads, stamp))
		print_message("no %s in %s\n", stamp, heads);
	assert_non_null(strstr(fixture->warnings->str, "180 minutes slow"));
	assert_in_range(mlv_medium_now(fixture->medium) - g_get_real_time() / G_USEC_PER_SEC,
			3 * 3600 - 5, 3 * 3600 + 5);
}

static void an_expired_token_is_looked_up_anew_once(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	SAYS({ "400 Bad Request", "", REFUSAL("ExpiredToken") }, { "200 OK", "", "x" },
	     { "400 Bad Request", "", REFUSAL("ExpiredToken") });
	bytes = get(fixture, 0, MLV_OP_ALL, NULL);
	assert_bytes(bytes, "x");
	assert_null(get(fixture, 0, MLV_OP_ALL, &error));
	assert_non_null(strstr(error->message, "has expired"));
	assert_int_equal(asked, 4);
}

/* --- writing and deleting --------------------------------------------------------------------- */

static void what_arrives_damaged_is_sent_again(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello", 5);
	g_autofree char *heads = NULL;

	SAYS({ "400 Bad Request", "", REFUSAL("XAmzContentSHA256Mismatch") },
	     { "200 OK", "", REFUSAL("InternalError") }, { "200 OK", "", "" });
	assert_true(mlv_medium_put_bytes(fixture->medium, "live/x", bytes, NULL));
	assert_int_equal(asked, 3);
	heads = server_heads(fixture->server);
	assert_non_null(strcasestr(heads, "X-Amz-Content-Sha256: "
					  "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362"
					  "938b9824"));
}

static void what_is_always_damaged_is_given_up(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello", 5);
	g_autoptr(GError) error = NULL;

	SAYS({ "400 Bad Request", "", REFUSAL("BadDigest") });
	assert_false(mlv_medium_put_bytes(fixture->medium, "live/x", bytes, &error));
	assert_non_null(strstr(error->message, "damaged on its way"));
	assert_int_equal(asked, 5);
}

static GPtrArray *deletions(guint count)
{
	GPtrArray *ops = mlv_ops_new();

	for (guint i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("live/%u", i);

		g_ptr_array_add(ops, mlv_op_new(MLV_OP_DELETE, name));
	}
	return ops;
}

static void several_are_deleted_at_once(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) ops = deletions(1500);
	g_autofree char *heads = NULL;

	SAYS({ "200 OK", "", "<DeleteResult/>" });
	assert_true(mlv_medium_run_all(fixture->medium, ops, FALSE, NULL));
	assert_int_equal(asked, 2);
	heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "POST /bucket?delete"));
	assert_non_null(strcasestr(heads, "content-md5: "));
}

static void one_that_cannot_be_deleted_is_named(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) ops = deletions(3);
	g_autoptr(GError) error = NULL;

	SAYS({ "200 OK", "",
	       "<DeleteResult><Error><Key>my prefix/live/1</Key><Code>AccessDenied</Code></Error>"
	       "</DeleteResult>" });
	assert_false(mlv_medium_run_all(fixture->medium, ops, FALSE, &error));
	assert_non_null(strstr(error->message, "cannot delete 'live/1'"));
	assert_non_null(strstr(error->message, "s3:DeleteObject"));
}

static void a_server_that_deletes_one_by_one_is_asked_so(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) ops = deletions(3), more = deletions(2);
	g_autofree char *heads = NULL;

	SAYS({ "405 Method Not Allowed", "", REFUSAL("MethodNotAllowed") },
	     { "404 Not Found", "", REFUSAL("NoSuchKey") }, { "204 No Content", "", "" });
	assert_true(mlv_medium_run_all(fixture->medium, ops, FALSE, NULL));
	assert_int_equal(asked, 4);
	assert_true(mlv_medium_run_all(fixture->medium, more, FALSE, NULL));
	assert_int_equal(asked, 6);
	heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "DELETE /bucket/my%20prefix/live/2"));
}

/* --- listing ---------------------------------------------------------------------------------- */

#define ENTRY(key)                                                                      \
	"<Contents><Key>" key "</Key><LastModified>2026-01-02T03:04:05Z</LastModified>" \
	"<Size>7</Size></Contents>"

static void pages_are_read_to_the_end_and_names_are_ours(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GArray) listed = NULL;

	SAYS({ "200 OK", "",
	       "<ListBucketResult><EncodingType>url</EncodingType>" ENTRY("my+prefix/live/i-1") ENTRY(
		       "my%20prefix%2Flive%2Fr-2") ENTRY("my+prefix/live/tmp-x")
		       ENTRY("my+prefix/live/") ENTRY("other/live/i-9") ENTRY(
			       "my+prefix/live/%41") "<IsTruncated>true</IsTruncated>"
						     "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>" },
	     { "200 OK", "", "<ListBucketResult><IsTruncated>fal" },
	     { "200 OK", "", REFUSAL("InternalError") },
	     { "200 OK", "",
	       "<ListBucketResult>" ENTRY("my prefix/live/r-2") ENTRY(
		       "my prefix/live/r-3") "<IsTruncated>false</IsTruncated></ListBucketResult>" });
	listed = mlv_medium_list_all(fixture->medium, "live/", NULL);
	assert_non_null(listed);
	assert_int_equal(listed->len, 3);
	assert_string_equal(g_array_index(listed, MlvListed, 0).name, "live/i-1");
	assert_string_equal(g_array_index(listed, MlvListed, 1).name, "live/r-2");
	assert_string_equal(g_array_index(listed, MlvListed, 2).name, "live/r-3");
	assert_int_equal(asked, 4);
}

static void a_listing_that_goes_in_circles_is_an_error(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) error = NULL;

	SAYS({ "200 OK", "",
	       "<ListBucketResult>" ENTRY(
		       "my prefix/live/r-2") "<IsTruncated>true</IsTruncated>"
					     "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>" });
	assert_null(mlv_medium_list_all(fixture->medium, "live/", &error));
	assert_non_null(strstr(error->message, "again and again"));
}

static void what_is_no_listing_is_an_error(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) page = NULL, gone = NULL;

	SAYS({ "404 Not Found", "", REFUSAL("NoSuchBucket") }, { "200 OK", "", "<html/>" });
	assert_null(mlv_medium_list_all(fixture->medium, "live/", &gone));
	assert_non_null(strstr(gone->message, "there is no bucket 'bucket'"));
	assert_null(mlv_medium_list_all(fixture->medium, "live/", &page));
	assert_non_null(strstr(page->message, "no listing"));
}

/* --- batches ---------------------------------------------------------------------------------- */

typedef struct {
	GPtrArray *ops;
	guint next, done;
	gboolean stop;
} Mixed;

static MlvOp *mixed_next(gpointer user)
{
	Mixed *mixed = user;

	return mixed->next < mixed->ops->len ? mixed->ops->pdata[mixed->next++] : NULL;
}

static gboolean mixed_done(MlvOp *op, gpointer user, GError **error)
{
	Mixed *mixed = user;

	mixed->done++;
	return !mixed->stop || mlv_fail(error, MLV_ERROR_FAILED, "enough");
}

static GPtrArray *mixed_ops(int fd)
{
	GPtrArray *ops = mlv_ops_new();

	for (guint i = 0; i < 60; i++) {
		g_autofree char *name = g_strdup_printf("live/%u", i);
		MlvOp *op = mlv_op_new((MlvOpType)(i % 3), name);

		if (op->type == MLV_OP_PUT) {
			op->fd = fd;
			op->length = 100000;
		}
		g_ptr_array_add(ops, op);
	}
	return ops;
}

static void every_operation_is_done_once_whatever_happens(void **state)
{
	Fixture *fixture = *state;
	Scratch *scratch;

	SAYS({ "200 OK", "", "<DeleteResult/>" });
	scratch_setup((void **)&scratch);
	int fd = openat(scratch->fd, "f", O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 100000), 0);
	for (int stop = 0; stop < 2; stop++) {
		g_autoptr(GPtrArray) ops = mixed_ops(fd);
		g_autoptr(GError) error = NULL;
		Mixed mixed = { .ops = ops, .stop = stop };
		gboolean ok = fixture->medium->methods->run(fixture->medium, mixed_next, mixed_done,
							    &mixed, &error);

		assert_int_equal(ok, !stop);
		assert_int_equal(mixed.done, mixed.next);
		if (stop)
			assert_string_equal(error->message, "enough");
		else
			assert_int_equal(mixed.done, 60);
	}
	/* A file that is shorter than was said is not sent. */
	g_autoptr(GPtrArray) ops = mixed_ops(fd);
	g_autoptr(GError) error = NULL;
	((MlvOp *)ops->pdata[1])->length = 200000;
	assert_false(mlv_medium_run_all(fixture->medium, ops, FALSE, &error));
	assert_true(g_error_matches(error, MLV_ERROR, MLV_ERROR_CORRUPT));
	close(fd);
	scratch_teardown((void **)&scratch);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_range_is_asked_for_and_checked),
		TEST(a_part_of_the_wrong_size_or_place_is_asked_for_again),
		TEST(a_server_without_ranges_gives_all_and_it_is_cut),
		TEST(a_part_of_much_is_cut_out_and_told_to_be_slow),
		TEST(a_part_from_elsewhere_is_never_taken),
		TEST(what_is_too_short_is_damaged),
		TEST(what_is_longer_than_it_may_be_is_damaged),
		TEST(absence_is_told_from_a_bucket_that_is_not_there),
		TEST(nothing_is_read_by_asking_whether_it_is_there),
		TEST(a_wrong_region_is_learned_and_kept),
		TEST(a_region_in_a_field_does_too),
		TEST(a_foreign_redirect_is_refused_and_nothing_goes_there),
		TEST(a_region_that_is_wrong_again_and_again_is_given_up),
		TEST(a_wrong_clock_is_made_up_for),
		TEST(an_expired_token_is_looked_up_anew_once),
		TEST(what_arrives_damaged_is_sent_again),
		TEST(what_is_always_damaged_is_given_up),
		TEST(several_are_deleted_at_once),
		TEST(one_that_cannot_be_deleted_is_named),
		TEST(a_server_that_deletes_one_by_one_is_asked_so),
		TEST(pages_are_read_to_the_end_and_names_are_ours),
		TEST(a_listing_that_goes_in_circles_is_an_error),
		TEST(what_is_no_listing_is_an_error),
		TEST(every_operation_is_done_once_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
