/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from every source. All that is secret holds the word "hush", and no message may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/s3/credentials_private.h"
#include "tests/unit/http_server.h"
#include "tests/unit/scratch.h"

#define NOW   G_GINT64_CONSTANT(1800000000)
#define LATER "2027-01-15T09:00:00Z" /* NOW + 3600 */

#define ROLE_ANSWER(action, id, expiration)                                                \
	"<" action "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" action \
	"Result><Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>hush-role"  \
	"</SecretAccessKey><SessionToken>hush-token</SessionToken><Expiration>" expiration \
	"</Expiration></Credentials></" action "Result></" action "Response>"
#define JSON_ANSWER(id, expiration)                                                           \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"hush-json\"," \
	"\"Token\":\"hush-token\",\"Expiration\":\"" expiration "\"}"

typedef struct {
	guint status;
	char *body;
} Answer;

/* What the server answers, and what it was asked: used by its threads under its own lock. */
static struct {
	GMutex mutex;
	GHashTable *answers; /* "GET /path" -> Answer */
	GString *asked;      /* "GET /path body\n" of each */
} script;

typedef struct {
	Scratch *scratch;
	Server *server;
	char *url;
} Fixture;

static gint64 clock_now;

static gint64 test_now(void)
{
	return clock_now;
}

static void free_answer(gpointer data)
{
	Answer *answer = data;

	g_free(answer->body);
	g_free(answer);
}

static gboolean handle(Exchange *exchange)
{
	g_autofree char *key = g_strdup_printf("%s %s", exchange->method, exchange->path);
	g_autofree char *body = NULL;
	g_autofree char *status = NULL;
	Answer *answer;

	if (!exchange_read(exchange, exchange->length))
		return FALSE;
	g_mutex_lock(&script.mutex);
	g_string_append_printf(script.asked, "%s %.*s\n", key, (int)exchange->body->len,
			       (const char *)exchange->body->data);
	answer = g_hash_table_lookup(script.answers, key);
	status = g_strdup_printf("%u X", answer ? answer->status : 404);
	body = g_strdup(answer ? answer->body : "");
	g_mutex_unlock(&script.mutex);
	return exchange_answer(exchange, status, "", body, strlen(body));
}

/* What the server answers from now on to "GET /path". */
static void when(const char *request, guint status, const char *body)
{
	Answer *answer = g_new0(Answer, 1);

	answer->status = status;
	answer->body = g_strdup(body);
	g_mutex_lock(&script.mutex);
	g_hash_table_replace(script.answers, g_strdup(request), answer);
	g_mutex_unlock(&script.mutex);
}

static guint times_asked(const char *part)
{
	guint count = 0;

	g_mutex_lock(&script.mutex);
	for (const char *at = script.asked->str; (at = strstr(at, part)); at++)
		count++;
	g_mutex_unlock(&script.mutex);
	return count;
}

static void clear_environment(void)
{
	static const char *const proxies[] = { "http_proxy", "https_proxy", "all_proxy",
					       "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY" };
	g_auto(GStrv) names = g_listenv();

	for (char **name = names; *name; name++)
		if (g_str_has_prefix(*name, "AWS_"))
			g_unsetenv(*name);
	for (guint i = 0; i < G_N_ELEMENTS(proxies); i++)
		g_unsetenv(proxies[i]);
}

static void set(const char *name, const char *value)
{
	assert_true(g_setenv(name, value, TRUE));
}

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);

	scratch_setup((void **)&fixture->scratch);
	clear_environment();
	g_mutex_init(&script.mutex);
	script.answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_answer);
	script.asked = g_string_new(NULL);
	fixture->server = server_new(handle);
	fixture->url = server_url(fixture->server, "");
	set("HOME", fixture->scratch->path);
	set("AWS_EC2_METADATA_DISABLED", "true");
	set("AWS_ENDPOINT_URL", fixture->url);
	clock_now = NOW;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;

	server_free(fixture->server);
	g_free(fixture->url);
	scratch_teardown((void **)&fixture->scratch);
	g_free(fixture);
	g_hash_table_unref(script.answers);
	g_string_free(script.asked, TRUE);
	g_mutex_clear(&script.mutex);
	return 0;
}

/* A file below the home folder. */
static char *write_file(Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(fixture->scratch->path, name, NULL);
	g_autofree char *folder = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	return g_steal_pointer(&path);
}

static void write_config(Fixture *fixture, const char *text)
{
	g_free(write_file(fixture, ".aws/config", text));
}

static MlvS3Chain *new_chain(const char *profile)
{
	MlvS3ChainOptions options = { .profile = profile };
	MlvS3Chain *chain = mlv_s3_chain_new(&options);

	chain->now = test_now;
	return chain;
}

static void assert_keys(MlvS3Chain *chain, const char *id, const char *origin)
{
	g_autoptr(GError) error = NULL;
	const MlvS3Keys *keys;

	if (!mlv_s3_chain_get(chain, &keys, &error))
		fail_msg("%s", error->message);
	assert_non_null(keys);
	assert_string_equal(keys->id, id);
	if (!strstr(keys->origin, origin))
		fail_msg("from %s", keys->origin);
	assert_non_null(strstr(keys->secret, "hush"));
}

static void assert_found(const char *profile, const char *id, const char *origin)
{
	g_autoptr(MlvS3Chain) chain = new_chain(profile);

	assert_keys(chain, id, origin);
}

static void assert_chain_fails(MlvS3Chain *chain, const char *why)
{
	g_autoptr(GError) error = NULL;
	const MlvS3Keys *keys;

	assert_false(mlv_s3_chain_get(chain, &keys, &error));
	assert_null(keys);
	assert_non_null(error);
	if (!strstr(error->message, why) || strstr(error->message, "hush"))
		fail_msg("'%s'", error->message);
}

static void assert_fails(const char *profile, const char *why)
{
	g_autoptr(MlvS3Chain) chain = new_chain(profile);

	assert_chain_fails(chain, why);
}

static void assert_none(const char *profile, const char *why)
{
	g_autoptr(MlvS3Chain) chain = new_chain(profile);
	g_autofree char *text = NULL;
	const MlvS3Keys *keys;

	assert_true(mlv_s3_chain_get(chain, &keys, NULL));
	assert_null(keys);
	text = mlv_s3_chain_describe(chain);
	if (!strstr(text, why))
		fail_msg("'%s'", text);
}

static void set_keys(const char *id)
{
	set("AWS_ACCESS_KEY_ID", id);
	set("AWS_SECRET_ACCESS_KEY", "hush-environment");
}

/* --- order ------------------------------------------------------------------------------------ */

static void the_environment_comes_first_unless_a_profile_is_named_by_option(void **state)
{
	write_config(*state, "[default]\naws_access_key_id=D\naws_secret_access_key=hush\n"
			     "[profile p]\naws_access_key_id=P\naws_secret_access_key=hush\n");
	set_keys("E");
	set("AWS_SESSION_TOKEN", "hush-token");
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);
	const MlvS3Keys *keys;
	assert_true(mlv_s3_chain_get(chain, &keys, NULL));
	assert_string_equal(keys->id, "E");
	assert_string_equal(keys->token, "hush-token");
	assert_int_equal(keys->expires, 0);
	set("AWS_PROFILE", "p");
	assert_found(NULL, "E", "the environment");
	assert_found("p", "P", "profile 'p'");
	assert_found("default", "D", "profile 'default'");
}

static void half_of_the_keys_in_the_environment_are_an_error(void **state)
{
	set("AWS_SECRET_ACCESS_KEY", "hush");
	assert_fails(NULL, "AWS_SECRET_ACCESS_KEY without AWS_ACCESS_KEY_ID");
	g_unsetenv("AWS_SECRET_ACCESS_KEY");
	set("AWS_ACCESS_KEY_ID", "E");
	assert_fails(NULL, "AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY");
	set("AWS_ACCESS_KEY_ID", "");
	assert_none(NULL, "no keys in the environment");
}

static void keys_that_cannot_stand_in_a_header_are_refused(void **state)
{
	set_keys("E\nX-Evil: 1");
	assert_fails(NULL, "the keys from the environment hold blanks");
	set_keys("E");
	set("AWS_SESSION_TOKEN", "hush\r\nX: 1");
	assert_fails(NULL, "the keys from the environment hold blanks");
}

static void a_profile_is_named_by_the_environment_or_is_default(void **state)
{
	write_config(*state, "[default]\naws_access_key_id=D\naws_secret_access_key=hush\n"
			     "[profile a]\naws_access_key_id=A\naws_secret_access_key=hush\n"
			     "[profile b]\naws_access_key_id=B\naws_secret_access_key=hush\n");
	assert_found(NULL, "D", "profile 'default'");
	set("AWS_DEFAULT_PROFILE", "b");
	assert_found(NULL, "B", "profile 'b'");
	set("AWS_PROFILE", "a");
	assert_found(NULL, "A", "profile 'a'");
}

static void the_credentials_file_and_other_places_of_the_files_are_read(void **state)
{
	g_autofree char *config = write_file(
		*state, "c", "[profile p]\naws_access_key_id=C\naws_secret_access_key=hush\n");
	g_free(write_file(*state, ".aws/credentials",
			  "[p]\naws_access_key_id=K\naws_secret_access_key=hush\n"
			  "aws_session_token=hush-too\n"));
	assert_found("p", "K", "profile 'p'");
	set("AWS_CONFIG_FILE", config);
	assert_found("p", "K", "profile 'p'");
	set("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
	assert_found("p", "C", "profile 'p'");
	set("AWS_CONFIG_FILE", "~/c");
	assert_found("p", "C", "profile 'p'");
}

static void a_profile_that_was_named_must_be_there(void **state)
{
	assert_fails("work", "there is no profile 'work'");
	set("AWS_PROFILE", "work");
	assert_fails(NULL, "there is no profile 'work'");
	set_keys("E");
	assert_found(NULL, "E", "the environment");
}

static void half_of_the_keys_in_a_profile_are_an_error(void **state)
{
	write_config(*state, "[default]\naws_secret_access_key=hush\n");
	assert_fails(NULL, "the keys from profile 'default' are incomplete: no access key id");
	write_config(*state, "[default]\naws_access_key_id=D\n");
	assert_fails(NULL, "the keys from profile 'default' are incomplete: no secret access key");
}

static void files_that_cannot_be_understood_are_an_error(void **state)
{
	write_config(*state, "[default]\nhush\n");
	assert_fails(NULL, ".aws/config' cannot be understood: no 'key = value' in line 2");
	set_keys("E");
	assert_found(NULL, "E", "the environment");
}

static void the_chain_ends_anonymous_and_says_what_it_looked_at(void **state)
{
	assert_none(NULL, "no keys in the environment, no profile 'default', no container's "
			  "endpoint in the environment, the instance's metadata not asked "
			  "(AWS_EC2_METADATA_DISABLED)");
	write_config(*state, "[profile p]\nregion=r\n");
	assert_none("p", "no keys in profile 'p'");
	MlvS3ChainOptions options = { .anonymous = TRUE };
	g_autoptr(MlvS3Chain) chain = mlv_s3_chain_new(&options);
	const MlvS3Keys *keys;
	set_keys("E");
	assert_true(mlv_s3_chain_get(chain, &keys, NULL));
	assert_null(keys);
}

/* --- roles ------------------------------------------------------------------------------------ */

#define SOURCE                                                                            \
	"[profile source]\naws_access_key_id=SOURCE\naws_secret_access_key=hush-source\n" \
	"aws_session_token=hush-source-token\n"
#define ROLE "[profile role]\nrole_arn=arn:aws:iam::1:role/r\nregion=eu-west-3\n"

static void a_role_is_asked_for_with_the_keys_of_its_source(void **state)
{
	Fixture *fixture = *state;

	write_config(fixture, SOURCE ROLE "source_profile=source\nexternal_id=x y\n"
					  "role_session_name=me\nduration_seconds=900\n");
	when("POST /", 200, ROLE_ANSWER("AssumeRole", "ROLE", LATER));
	g_autoptr(MlvS3Chain) chain = new_chain("role");
	const MlvS3Keys *keys;
	assert_keys(chain, "ROLE", "the role 'arn:aws:iam::1:role/r' of profile 'role'");
	assert_true(mlv_s3_chain_get(chain, &keys, NULL));
	assert_string_equal(keys->secret, "hush-role");
	assert_string_equal(keys->token, "hush-token");
	assert_int_equal(keys->expires, NOW + 3600);
	assert_int_equal(times_asked("POST / Action=AssumeRole&Version=2011-06-15&RoleArn="
				     "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me"
				     "&ExternalId=x%20y&DurationSeconds=900\n"),
			 1);
	g_autofree char *heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "Authorization: AWS4-HMAC-SHA256 Credential=SOURCE/20270115/"
				      "eu-west-3/sts/aws4_request, SignedHeaders=content-type;host;"
				      "x-amz-date;x-amz-security-token, Signature="));
	assert_non_null(strstr(heads, "X-Amz-Security-Token: hush-source-token\r\n"));
	assert_non_null(strstr(heads, "application/x-www-form-urlencoded; charset=utf-8\r\n"));
}

static void roles_can_lead_to_roles(void **state)
{
	write_config(*state,
		     SOURCE "[profile middle]\nrole_arn=arn:middle\nsource_profile=source\n" ROLE
			    "source_profile=middle\n");
	when("POST /", 200, ROLE_ANSWER("AssumeRole", "ROLE", LATER));
	assert_found("role", "ROLE", "profile 'role'");
	assert_int_equal(times_asked("RoleArn=arn%3Amiddle&RoleSessionName=mlv-1800000000\n"), 1);
	assert_int_equal(times_asked("RoleArn=arn%3Aaws"), 1);
}

static void sources_that_lead_in_a_loop_are_refused(void **state)
{
	write_config(*state, "[profile a]\nrole_arn=arn:a\nsource_profile=b\n"
			     "[profile b]\nrole_arn=arn:b\nsource_profile=a\n"
			     "[profile c]\nrole_arn=arn:c\nsource_profile=c\n");
	assert_fails("a", "the source_profile of profile 'b', 'a', leads back to itself");
	assert_fails("c", "the source_profile of profile 'c', 'c', leads back to itself");
}

static void a_profile_with_keys_can_be_its_own_source(void **state)
{
	write_config(*state, ROLE "source_profile=role\naws_access_key_id=SELF\n"
				  "aws_secret_access_key=hush\n");
	when("POST /", 200, ROLE_ANSWER("AssumeRole", "ROLE", LATER));
	assert_found("role", "ROLE", "the role");
}

static void roles_without_a_good_source_are_refused(void **state)
{
	write_config(*state, ROLE);
	assert_fails("role", "it needs one of source_profile and credential_source");
	write_config(*state, ROLE "source_profile=role\ncredential_source=Environment\n");
	assert_fails("role", "it needs one of source_profile and credential_source");
	write_config(*state, ROLE "source_profile=absent\n");
	assert_fails("role", "the source_profile 'absent', which there is not");
	write_config(*state, "[profile empty]\nregion=r\n" ROLE "source_profile=empty\n");
	assert_fails("role", "the source_profile 'empty', which has no keys");
	write_config(*state, ROLE "credential_source=Elsewhere\n");
	assert_fails("role", "it can be Environment, Ec2InstanceMetadata or EcsContainer");
	write_config(*state, ROLE "credential_source=Environment\n");
	assert_fails("role", "from 'Environment' (credential_source), and there are none");
	write_config(*state, SOURCE ROLE "source_profile=source\nmfa_serial=arn:mfa\n");
	assert_fails("role", "wants the code of a device (mfa_serial)");
}

static void a_role_can_be_asked_for_with_the_keys_of_the_environment(void **state)
{
	write_config(*state, ROLE "credential_source=Environment\n");
	set_keys("E");
	when("POST /", 200, ROLE_ANSWER("AssumeRole", "ROLE", LATER));
	assert_found("role", "ROLE", "the role");
}

static void what_sts_refuses_is_told_with_its_code(void **state)
{
	write_config(*state, SOURCE ROLE "source_profile=source\n");
	when("POST /", 403,
	     "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
	     "</ErrorResponse>");
	assert_fails("role", "STS answers with status 403, AccessDenied: not you");
	when("POST /", 400,
	     "<ErrorResponse><Error><Code>Bad</Code><Message>token hush-source-token?</Message>"
	     "</Error></ErrorResponse>");
	assert_fails("role", "STS answers with status 400, Bad");
	when("POST /", 403, "<Error><Code>AccessDenied</Code><Message></Message></Error>");
	assert_fails("role", "STS answers with status 403, AccessDenied");
	when("POST /", 400, "<html>hush");
	assert_fails("role", "STS answers with status 400");
	when("POST /", 200, "<html>hush</html>");
	assert_fails("role", "no Expiration");
	when("POST /", 200, ROLE_ANSWER("AssumeRole", "", LATER));
	assert_fails("role", "hold blanks");
}

static void a_region_that_is_no_name_of_a_host_is_refused(void **state)
{
	write_config(*state, SOURCE ROLE "source_profile=source\n");
	set("AWS_REGION", "x.example.org/?");
	assert_fails("role", "'x.example.org/?' cannot be a region");
}

/* --- web identity ----------------------------------------------------------------------------- */

static void a_web_identity_token_is_exchanged_for_keys(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *token = write_file(fixture, "token", " hush+jwt\n");

	set("AWS_WEB_IDENTITY_TOKEN_FILE", token);
	assert_fails(NULL, "no role is named");
	set("AWS_ROLE_ARN", "arn:web");
	set("AWS_ROLE_SESSION_NAME", "pod");
	when("POST /", 200, ROLE_ANSWER("AssumeRoleWithWebIdentity", "WEB", LATER));
	assert_found(NULL, "WEB", "the web identity token");
	assert_int_equal(times_asked("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn="
				     "arn%3Aweb&RoleSessionName=pod&WebIdentityToken=hush%2Bjwt\n"),
			 1);
	g_autofree char *heads = server_heads(fixture->server);
	assert_null(strstr(heads, "Authorization"));
	when("POST /", 400,
	     "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>hush+jwt</Message></Error>"
	     "</ErrorResponse>");
	assert_fails(NULL, "STS answers with status 400, ExpiredToken");
	set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token");
	assert_fails(NULL, "'/nonexistent/token'");
}

static void a_profile_can_name_a_web_identity_token(void **state)
{
	g_autofree char *token = write_file(*state, "token", "hush-jwt");
	g_autofree char *text =
		g_strconcat(ROLE "web_identity_token_file=", token,
			    "\n[profile top]\nrole_arn=", "arn:top\nsource_profile=role\n", NULL);

	write_config(*state, text);
	when("POST /", 200, ROLE_ANSWER("AssumeRoleWithWebIdentity", "WEB", LATER));
	assert_found("role", "WEB", "the web identity token");
	/* By option: the environment's does not count. */
	set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent");
	assert_found("role", "WEB", "the web identity token");
	assert_fails("top", "no Expiration");
	assert_int_equal(times_asked("Action=AssumeRole&"), 1);
}

/* --- SSO -------------------------------------------------------------------------------------- */

#define PORTAL "GET /federation/credentials?role_name=r%20o&account_id=42"
#define SSO                                                                    \
	"[profile sso]\nsso_session=s\nsso_account_id=42\nsso_role_name=r o\n" \
	"[sso-session s]\nsso_start_url=https://start\nsso_region=eu-west-3\n"
/* SHA-1 of "s". */
#define SESSION_CACHE ".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json"
#define ROLE_KEYS                                                                         \
	"{\"roleCredentials\":{\"accessKeyId\":\"SSO\",\"secretAccessKey\":\"hush-sso\"," \
	"\"sessionToken\":\"hush-token\",\"expiration\":1800003600000}}"

static void write_login(Fixture *fixture, const char *name, const char *expires, const char *more)
{
	g_autofree char *text = g_strdup_printf(
		"{\"accessToken\":\"hush-bearer\",\"expiresAt\":\"%s\"%s}", expires, more);

	g_free(write_file(fixture, name, text));
}

static void the_token_of_an_sso_login_is_exchanged_for_keys(void **state)
{
	Fixture *fixture = *state;

	write_config(fixture, SSO);
	write_login(fixture, SESSION_CACHE, LATER, "");
	when(PORTAL, 200, ROLE_KEYS);
	g_autoptr(MlvS3Chain) chain = new_chain("sso");
	const MlvS3Keys *keys;
	assert_keys(chain, "SSO", "the SSO login of profile 'sso'");
	assert_true(mlv_s3_chain_get(chain, &keys, NULL));
	assert_int_equal(keys->expires, NOW + 3600);
	g_autofree char *heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "x-amz-sso_bearer_token: hush-bearer\r\n"));
}

static void the_older_form_of_an_sso_profile_is_understood(void **state)
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA1, "https://start", -1);
	g_autofree char *name = g_strdup_printf(".aws/sso/cache/%s.json", sum);

	write_config(*state, "[profile sso]\nsso_start_url=https://start\nsso_region=eu-west-3\n"
			     "sso_account_id=42\nsso_role_name=r o\n");
	write_login(*state, name, "2027-01-15T09:00:00UTC", "");
	when(PORTAL, 200, ROLE_KEYS);
	assert_found("sso", "SSO", "the SSO login");
}

static void without_a_good_login_the_message_says_how_to_log_in(void **state)
{
	static const char how[] = "run `aws sso login --profile sso`";

	write_config(*state, SSO);
	assert_fails("sso", how);
	write_login(*state, SESSION_CACHE, "2027-01-15T08:00:00Z", "");
	assert_fails("sso", how);
	write_login(*state, SESSION_CACHE, LATER, "");
	when(PORTAL, 401, "{\"message\":\"hush\"}");
	assert_fails("sso", how);
	when(PORTAL, 403, "{\"message\":\"hush\"}");
	assert_fails("sso", "you have no role 'r o' in the account '42'");
	when(PORTAL, 200, "hush");
	assert_fails("sso", "no JSON");
	g_free(write_file(*state, SESSION_CACHE, "{\"hush"));
	assert_fails("sso", "no JSON");
	write_config(*state, "[profile sso]\nsso_session=none\nsso_account_id=42\n");
	assert_fails("sso", "the config has no [sso-session none]");
	write_config(*state, "[profile sso]\nsso_account_id=42\n");
	assert_fails("sso", "'sso_start_url' is not set");
}

static void an_sso_login_that_can_be_renewed_is_renewed_and_kept(void **state)
{
	Fixture *fixture = *state;

	write_config(fixture, SSO);
	write_login(fixture, SESSION_CACHE, "2027-01-15T08:01:00Z",
		    ",\"clientId\":\"c\",\"clientSecret\":\"hush-client\",\"refreshToken\":"
		    "\"hush-refresh\",\"region\":\"eu-west-3\"");
	when("POST /token", 200,
	     "{\"accessToken\":\"hush-new\",\"expiresIn\":3600,\"refreshToken\":\"hush-next\"}");
	when(PORTAL, 200, ROLE_KEYS);
	assert_found("sso", "SSO", "the SSO login");
	assert_int_equal(times_asked("POST /token {\"grantType\":\"refresh_token\",\"clientId\":"
				     "\"c\",\"clientSecret\":\"hush-client\",\"refreshToken\":"
				     "\"hush-refresh\"}\n"),
			 1);
	g_autofree char *heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "x-amz-sso_bearer_token: hush-new\r\n"));
	g_autoptr(GBytes) bytes = scratch_read(fixture->scratch, SESSION_CACHE);
	g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	assert_string_equal(text, "{\"accessToken\":\"hush-new\",\"expiresAt\":\"" LATER "\","
				  "\"clientId\":\"c\",\"clientSecret\":\"hush-client\","
				  "\"refreshToken\":\"hush-next\",\"region\":\"eu-west-3\"}");
	struct stat st;
	assert_int_equal(fstatat(fixture->scratch->fd, SESSION_CACHE, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Now it is good for an hour. */
	assert_found("sso", "SSO", "the SSO login");
	assert_int_equal(times_asked("POST /token"), 1);
}

static void a_login_that_is_still_good_is_used_where_it_cannot_be_renewed(void **state)
{
	write_config(*state, SSO);
	write_login(*state, SESSION_CACHE, "2027-01-15T08:01:00Z",
		    ",\"clientId\":\"c\",\"clientSecret\":\"h\",\"refreshToken\":\"h\"");
	when("POST /token", 400, "{}");
	when(PORTAL, 200, ROLE_KEYS);
	assert_found("sso", "SSO", "the SSO login");
	assert_int_equal(times_asked("POST /token"), 1);
}

static void a_profile_of_aws_login_says_what_to_do(void **state)
{
	write_config(*state, "[profile l]\nlogin_session=arn:x\n");
	assert_fails("l", "credential_process = aws configure export-credentials --profile l");
}

/* --- processes -------------------------------------------------------------------------------- */

static void write_process(Fixture *fixture, const char *script_text, const char *arguments)
{
	g_autofree char *text = g_strconcat("#!/bin/sh\n", script_text, "\n", NULL);
	g_autofree char *path = write_file(fixture, "a process", text);
	g_autofree char *config =
		g_strdup_printf("[default]\ncredential_process = '%s' %s\n", path, arguments);

	assert_int_equal(chmod(path, 0700), 0);
	write_config(fixture, config);
}

static void a_process_gives_keys(void **state)
{
	write_process(*state,
		      "[ $# = 2 ] && [ \"$2\" = 'b c' ] || exit 3\n"
		      "echo hush >&2\n"
		      "printf '{\"Version\": 1, \"AccessKeyId\": \"%s\", \"SecretAccessKey\": "
		      "\"hush\", \"SessionToken\": \"hush\", \"Expiration\": \"" LATER
		      "\"}' \"$1\"",
		      "'$HOME' \"b c\"");
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);
	const MlvS3Keys *keys;
	/* No shell: what it would expand stays as it is. */
	assert_keys(chain, "$HOME", "the credential_process of profile 'default'");
	assert_true(mlv_s3_chain_get(chain, &keys, NULL));
	assert_string_equal(keys->token, "hush");
	assert_int_equal(keys->expires, NOW + 3600);
}

static void keys_in_the_credentials_file_count_before_a_process(void **state)
{
	write_config(*state, "[default]\ncredential_process=/nonexistent\naws_access_key_id=D\n"
			     "aws_secret_access_key=hush\n");
	assert_fails(NULL, "cannot run the credential_process of profile 'default'");
	g_free(write_file(*state, ".aws/credentials",
			  "[default]\naws_access_key_id=K\naws_secret_access_key=hush\n"));
	assert_found(NULL, "K", "profile 'default'");
}

static void a_process_that_fails_is_told_without_what_it_says(void **state)
{
	write_process(*state, "echo hush; echo hush >&2; exit 7", "");
	assert_fails(NULL, "failed with exit status 7");
	write_process(*state, "kill -9 $$", "");
	assert_fails(NULL, "was ended by signal 9");
	write_process(*state, "echo hush", "");
	assert_fails(NULL, "no JSON");
	write_process(*state, "echo '[\"hush\"]'", "");
	assert_fails(NULL, "no JSON object");
	write_process(*state, "echo '{\"Version\": 2, \"AccessKeyId\": \"hush\"}'", "");
	assert_fails(NULL, "not of Version 1");
	write_process(*state, "echo '{\"Version\": 1, \"SecretAccessKey\": \"hush\"}'", "");
	assert_fails(NULL, "no access key id");
	write_process(*state,
		      "echo '{\"Version\":1,\"AccessKeyId\":\"i\",\"SecretAccessKey\":\"hush\","
		      "\"Expiration\":\"soon\"}'",
		      "");
	assert_fails(NULL, "no time of ISO 8601");
	write_process(*state, "exec head -c 300000 /dev/zero", "");
	assert_fails(NULL, "writes more than 262144 bytes");
	write_config(*state, "[default]\ncredential_process = 'hush\n");
	assert_fails(NULL, "its quotes do not match");
}

static void a_process_that_does_not_end_is_ended(void **state)
{
	volatile sig_atomic_t cancel = 1;
	MlvS3ChainOptions options = { .cancel = &cancel };

	write_process(*state, "exec sleep 1000", "");
	g_autoptr(MlvS3Chain) slow = new_chain(NULL);
	slow->process_seconds = 0;
	assert_chain_fails(slow, "has not ended after 0 seconds");
	g_autoptr(MlvS3Chain) cut = mlv_s3_chain_new(&options);
	assert_chain_fails(cut, "interrupted");
	/* It has closed its output, and lives on. */
	write_process(*state, "exec >&-; exec sleep 1000", "");
	g_autoptr(MlvS3Chain) silent = new_chain(NULL);
	silent->process_seconds = 1;
	assert_chain_fails(silent, "has not ended after 1 seconds");
}

/* --- containers ------------------------------------------------------------------------------- */

static void a_containers_endpoint_gives_keys(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);

	chain->container_origin = fixture->url;
	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x?id=1");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic hush");
	when("GET /v2/x?id=1", 200, JSON_ANSWER("ECS", LATER));
	assert_keys(chain, "ECS", "the container's endpoint");
	g_autofree char *heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "Authorization: Basic hush\r\n"));
}

static void a_containers_full_address_gives_keys(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *url = server_url(fixture->server, "/v1/credentials");
	g_autofree char *token = write_file(fixture, "t", "hush-from-file\n");

	set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush-from-variable");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token);
	when("GET /v1/credentials", 200, JSON_ANSWER("EKS", LATER));
	assert_found(NULL, "EKS", "the container's endpoint");
	g_autofree char *heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "Authorization: hush-from-file\r\n"));
	when("GET /v1/credentials", 403, "hush");
	assert_fails(NULL, "no keys from the container's endpoint: it answers with status 403");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nonexistent");
	assert_fails(NULL, "'/nonexistent'");
	g_unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush\nX: y");
	assert_fails(NULL, "bytes that cannot be sent");
}

static void a_token_never_goes_to_a_strange_host_without_tls(void **state)
{
	static const char *const strange[] = {
		"http://example.org/c",      "http://10.0.0.1/c",
		"http://169.254.170.3/c",    "http://[fd00:ec2::24]/c",
		"http://127.0.0.1.evil.org", "http://localhost.evil.org/",
	};
	static const char *const odd[] = {
		"ftp://127.0.0.1/c", "127.0.0.1/c", "http://127.0.0.1@evil.org/c",
		"http:///c",         "http://a b/", "http://127.0.0.1\\@evil.org/",
	};

	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush");
	for (guint i = 0; i < G_N_ELEMENTS(strange); i++) {
		set("AWS_CONTAINER_CREDENTIALS_FULL_URI", strange[i]);
		assert_fails(NULL, "without https only this machine");
	}
	for (guint i = 0; i < G_N_ELEMENTS(odd); i++) {
		set("AWS_CONTAINER_CREDENTIALS_FULL_URI", odd[i]);
		assert_fails(NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI is no address to send to");
	}
	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.org/");
	assert_fails(NULL, "does not begin with '/'");
}

/* --- instance metadata ------------------------------------------------------------------------ */

#define ROLES "/latest/meta-data/iam/security-credentials/"

static void serve_metadata(Fixture *fixture)
{
	g_unsetenv("AWS_EC2_METADATA_DISABLED");
	set("AWS_EC2_METADATA_SERVICE_ENDPOINT", fixture->url);
	when("PUT /latest/api/token", 200, "hush-imds");
	when("GET " ROLES, 200, "my role\nother\n");
	when("GET " ROLES "my%20role", 200, JSON_ANSWER("IMDS", LATER));
}

static void an_instances_role_gives_keys(void **state)
{
	Fixture *fixture = *state;

	serve_metadata(fixture);
	assert_found(NULL, "IMDS", "the instance's metadata");
	g_autofree char *heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
	assert_non_null(strstr(heads, "X-aws-ec2-metadata-token: hush-imds\r\n"));
	set("AWS_EC2_METADATA_DISABLED", "TRUE");
	assert_none(NULL, "AWS_EC2_METADATA_DISABLED");
}

static void without_metadata_or_a_role_there_are_no_keys(void **state)
{
	serve_metadata(*state);
	when("GET " ROLES, 404, "");
	assert_none(NULL, "no role in the instance's metadata");
	when("PUT /latest/api/token", 403, "");
	assert_none(NULL, "no instance metadata at 127.0.0.1");
	when("PUT /latest/api/token", 200, "hush\nX: y");
	assert_none(NULL, "no instance metadata at 127.0.0.1");
	set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
	assert_none(NULL, "no instance metadata at 127.0.0.1:1");
}

static void metadata_that_name_a_role_and_give_no_keys_are_an_error(void **state)
{
	serve_metadata(*state);
	when("GET " ROLES "my%20role", 404, "hush");
	assert_fails(NULL, "no keys from the instance's metadata: it answers with status 404");
	when("GET " ROLES "my%20role", 200, "{\"Code\":\"Failed\",\"Message\":\"hush\"}");
	assert_fails(NULL, "the keys from the instance's metadata are incomplete");
}

static void a_role_can_be_asked_for_with_the_keys_of_instance_or_container(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *url = server_url(fixture->server, "/c");

	when("POST /", 200, ROLE_ANSWER("AssumeRole", "ROLE", LATER));
	write_config(fixture, ROLE "credential_source=Ec2InstanceMetadata\n");
	assert_fails("role", "from 'Ec2InstanceMetadata' (credential_source)");
	serve_metadata(fixture);
	assert_found("role", "ROLE", "the role");
	write_config(fixture, ROLE "credential_source=EcsContainer\n");
	when("GET /c", 200, JSON_ANSWER("ECS", LATER));
	set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
	assert_found("role", "ROLE", "the role");
	g_autofree char *heads = server_heads(fixture->server);
	assert_non_null(strstr(heads, "Credential=IMDS/"));
	assert_non_null(strstr(heads, "Credential=ECS/"));
}

/* --- renewal ---------------------------------------------------------------------------------- */

static void serve_container(Fixture *fixture, const char *body)
{
	g_autofree char *url = server_url(fixture->server, "/c");

	set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
	when("GET /c", 200, body);
}

static void keys_are_renewed_five_minutes_before_they_end(void **state)
{
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);

	serve_container(*state, JSON_ANSWER("ONE", LATER));
	assert_keys(chain, "ONE", "the container's endpoint");
	serve_container(*state, JSON_ANSWER("TWO", "2027-01-15T10:00:00Z"));
	clock_now = NOW + 3299;
	assert_keys(chain, "ONE", "the container's endpoint");
	clock_now = NOW + 3300;
	assert_keys(chain, "TWO", "the container's endpoint");
	assert_keys(chain, "TWO", "the container's endpoint");
	assert_int_equal(times_asked("GET /c"), 2);
}

static void keys_that_cannot_be_renewed_are_used_until_they_end(void **state)
{
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);

	serve_container(*state, JSON_ANSWER("ONE", LATER));
	assert_keys(chain, "ONE", "the container's endpoint");
	when("GET /c", 404, "");
	clock_now = NOW + 3400;
	assert_keys(chain, "ONE", "the container's endpoint");
	assert_keys(chain, "ONE", "the container's endpoint");
	assert_int_equal(times_asked("GET /c"), 2);
	clock_now = NOW + 3430;
	assert_keys(chain, "ONE", "the container's endpoint");
	assert_int_equal(times_asked("GET /c"), 3);
	clock_now = NOW + 3600;
	assert_chain_fails(chain, "it answers with status 404");
	serve_container(*state, JSON_ANSWER("TWO", "2027-01-15T10:00:00Z"));
	assert_keys(chain, "TWO", "the container's endpoint");
}

static void keys_with_little_time_are_not_asked_for_each_time(void **state)
{
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);

	serve_container(*state, JSON_ANSWER("ONE", "2027-01-15T08:01:40Z"));
	assert_keys(chain, "ONE", "the container's endpoint");
	clock_now = NOW + 49;
	assert_keys(chain, "ONE", "the container's endpoint");
	assert_int_equal(times_asked("GET /c"), 1);
	clock_now = NOW + 50;
	assert_keys(chain, "ONE", "the container's endpoint");
	assert_int_equal(times_asked("GET /c"), 2);
}

static void keys_that_have_ended_when_they_come_are_an_error(void **state)
{
	serve_container(*state, JSON_ANSWER("ONE", "2027-01-15T08:00:00Z"));
	assert_fails(NULL, "the keys from the container's endpoint have expired");
	g_unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	set_keys("E");
	set("AWS_CREDENTIAL_EXPIRATION", "2027-01-15T08:00:01Z");
	assert_found(NULL, "E", "the environment");
	set("AWS_CREDENTIAL_EXPIRATION", "2027-01-15T07:00:01Z");
	assert_fails(NULL, "the keys from the environment have expired");
	set("AWS_CREDENTIAL_EXPIRATION", "tomorrow");
	assert_fails(NULL, "AWS_CREDENTIAL_EXPIRATION is no time");
}

static void keys_that_the_server_calls_expired_are_looked_up_anew(void **state)
{
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);

	write_config(*state, "[default]\naws_access_key_id=ONE\naws_secret_access_key=hush\n");
	assert_keys(chain, "ONE", "profile 'default'");
	write_config(*state, "[default]\naws_access_key_id=TWO\naws_secret_access_key=hush\n");
	assert_keys(chain, "ONE", "profile 'default'");
	mlv_s3_chain_expire(chain);
	assert_keys(chain, "TWO", "profile 'default'");
	write_config(*state, "");
	mlv_s3_chain_expire(chain);
	assert_chain_fails(chain, "the keys from profile 'default' have ended");
}

/* --- settings --------------------------------------------------------------------------------- */

static void assert_text(char *text, const char *expected)
{
	if (g_strcmp0(text, expected) != 0)
		fail_msg("'%s'", text ? text : "(none)");
	g_free(text);
}

static void regions_come_from_the_environment_then_the_profile(void **state)
{
	g_autoptr(MlvS3Chain) chain = new_chain("p");

	assert_text(mlv_s3_chain_region(chain), NULL);
	write_config(*state, "[profile p]\nregion = one\n");
	g_autoptr(MlvS3Chain) again = new_chain("p");
	assert_text(mlv_s3_chain_region(again), "one");
	set("AWS_DEFAULT_REGION", "two");
	assert_text(mlv_s3_chain_region(again), "two");
	set("AWS_REGION", "three");
	assert_text(mlv_s3_chain_region(again), "three");
}

static void endpoints_come_from_the_nearest_place_that_names_them(void **state)
{
	g_unsetenv("AWS_ENDPOINT_URL");
	write_config(*state, "[profile p]\nendpoint_url=http://all\nservices=x\n"
			     "[services x]\ns3=\n  endpoint_url=http://s3\n");
	g_autoptr(MlvS3Chain) chain = new_chain("p");
	assert_text(mlv_s3_chain_endpoint(chain, "s3"), "http://s3");
	assert_text(mlv_s3_chain_endpoint(chain, "sts"), "http://all");
	set("AWS_ENDPOINT_URL", "http://e");
	set("AWS_ENDPOINT_URL_STS", "http://e-sts");
	assert_text(mlv_s3_chain_endpoint(chain, "s3"), "http://e");
	assert_text(mlv_s3_chain_endpoint(chain, "sts"), "http://e-sts");
	set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
	assert_text(mlv_s3_chain_endpoint(chain, "s3"), NULL);
	set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
	assert_text(mlv_s3_chain_endpoint(chain, "s3"), "http://e");
	write_config(*state, "[profile q]\nendpoint_url=http://all\n"
			     "ignore_configured_endpoint_urls=True\n");
	g_unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	g_autoptr(MlvS3Chain) other = new_chain("q");
	assert_text(mlv_s3_chain_endpoint(other, "s3"), NULL);
}

static void certificates_come_from_the_environment_then_the_profile(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *expected = g_build_filename(fixture->scratch->path, "ca.pem", NULL);

	write_config(fixture, "[default]\nca_bundle=~/ca.pem\n");
	g_autoptr(MlvS3Chain) chain = new_chain(NULL);
	assert_text(mlv_s3_chain_ca_bundle(chain), expected);
	set("AWS_CA_BUNDLE", "/other.pem");
	assert_text(mlv_s3_chain_ca_bundle(chain), "/other.pem");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_environment_comes_first_unless_a_profile_is_named_by_option),
		CASE(half_of_the_keys_in_the_environment_are_an_error),
		CASE(keys_that_cannot_stand_in_a_header_are_refused),
		CASE(a_profile_is_named_by_the_environment_or_is_default),
		CASE(the_credentials_file_and_other_places_of_the_files_are_read),
		CASE(a_profile_that_was_named_must_be_there),
		CASE(half_of_the_keys_in_a_profile_are_an_error),
		CASE(files_that_cannot_be_understood_are_an_error),
		CASE(the_chain_ends_anonymous_and_says_what_it_looked_at),
		CASE(a_role_is_asked_for_with_the_keys_of_its_source),
		CASE(roles_can_lead_to_roles),
		CASE(sources_that_lead_in_a_loop_are_refused),
		CASE(a_profile_with_keys_can_be_its_own_source),
		CASE(roles_without_a_good_source_are_refused),
		CASE(a_role_can_be_asked_for_with_the_keys_of_the_environment),
		CASE(what_sts_refuses_is_told_with_its_code),
		CASE(a_region_that_is_no_name_of_a_host_is_refused),
		CASE(a_web_identity_token_is_exchanged_for_keys),
		CASE(a_profile_can_name_a_web_identity_token),
		CASE(the_token_of_an_sso_login_is_exchanged_for_keys),
		CASE(the_older_form_of_an_sso_profile_is_understood),
		CASE(without_a_good_login_the_message_says_how_to_log_in),
		CASE(an_sso_login_that_can_be_renewed_is_renewed_and_kept),
		CASE(a_login_that_is_still_good_is_used_where_it_cannot_be_renewed),
		CASE(a_profile_of_aws_login_says_what_to_do),
		CASE(a_process_gives_keys),
		CASE(keys_in_the_credentials_file_count_before_a_process),
		CASE(a_process_that_fails_is_told_without_what_it_says),
		CASE(a_process_that_does_not_end_is_ended),
		CASE(a_containers_endpoint_gives_keys),
		CASE(a_containers_full_address_gives_keys),
		CASE(a_token_never_goes_to_a_strange_host_without_tls),
		CASE(an_instances_role_gives_keys),
		CASE(without_metadata_or_a_role_there_are_no_keys),
		CASE(metadata_that_name_a_role_and_give_no_keys_are_an_error),
		CASE(a_role_can_be_asked_for_with_the_keys_of_instance_or_container),
		CASE(keys_are_renewed_five_minutes_before_they_end),
		CASE(keys_that_cannot_be_renewed_are_used_until_they_end),
		CASE(keys_with_little_time_are_not_asked_for_each_time),
		CASE(keys_that_have_ended_when_they_come_are_an_error),
		CASE(keys_that_the_server_calls_expired_are_looked_up_anew),
		CASE(regions_come_from_the_environment_then_the_profile),
		CASE(endpoints_come_from_the_nearest_place_that_names_them),
		CASE(certificates_come_from_the_environment_then_the_profile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
