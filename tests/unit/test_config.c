/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/remote_config.h"
#include "tests/unit/git_scratch.h"

typedef struct {
	char *dir;
	MlvRepo *repo;
} Fixture;

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	fixture->dir = git_scratch_repo();
	fixture->repo = mlv_repo_open(fixture->dir, NULL);
	*state = fixture;
	return fixture->repo ? 0 : -1;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;
	mlv_repo_free(fixture->repo);
	git_scratch_remove(fixture->dir);
	g_free(fixture->dir);
	g_free(fixture);
	return 0;
}

static const char *get(Fixture *fixture, const char *key)
{
	g_autoptr(GError) error = NULL;
	if (!mlv_repo_reload_config(fixture->repo, &error))
		fail_msg("%s", error->message);
	return mlv_config_get(mlv_repo_config(fixture->repo), key);
}

static void the_users_levels_win_over_the_committed_file(void **state)
{
	Fixture *fixture = *state;

	write_text(fixture->dir, ".mlvconfig", "[mlv]\n\tjobs = 1\n");
	assert_string_equal(get(fixture, "mlv.jobs"), "1");
	git_ok(fixture->dir, "config", "--global", "mlv.jobs", "2");
	assert_string_equal(get(fixture, "mlv.jobs"), "2");
	git_ok(fixture->dir, "config", "mlv.Jobs", "3");
	assert_string_equal(get(fixture, "MLV.JOBS"), "3");
	g_setenv("GIT_CONFIG_COUNT", "1", TRUE);
	g_setenv("GIT_CONFIG_KEY_0", "mlv.jobs", TRUE);
	g_setenv("GIT_CONFIG_VALUE_0", "4", TRUE);
	assert_string_equal(get(fixture, "mlv.jobs"), "4");
	g_setenv("GIT_CONFIG_PARAMETERS", "'mlv.jobs'='5' 'mlv.x'='it'\\''s' 'mlv.y' 'mlv.z=6'",
		 TRUE);
	assert_string_equal(get(fixture, "mlv.jobs"), "5");
	assert_string_equal(get(fixture, "mlv.x"), "it's");
	assert_string_equal(get(fixture, "mlv.y"), "true");
	assert_string_equal(get(fixture, "mlv.z"), "6");
	g_setenv("GIT_CONFIG_PARAMETERS", "rubbish", TRUE);
	assert_false(mlv_repo_reload_config(fixture->repo, NULL));
	g_unsetenv("GIT_CONFIG_PARAMETERS");
	g_unsetenv("GIT_CONFIG_COUNT");
	git_ok(fixture->dir, "config", "--global", "--unset", "mlv.jobs");
}

static void another_global_file_is_used_where_git_says_so(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *file = g_build_filename(fixture->dir, "global", NULL);

	write_text(fixture->dir, "global", "[mlv]\nstore = /elsewhere\n");
	g_setenv("GIT_CONFIG_GLOBAL", file, TRUE);
	assert_string_equal(get(fixture, "mlv.store"), "/elsewhere");
	assert_string_equal(mlv_repo_store_dir(fixture->repo), "/elsewhere");
	assert_true(mlv_config_set(fixture->repo, MLV_CONFIG_GLOBAL, "mlv.jobs", "9", NULL));
	g_autofree char *text = read_text(fixture->dir, "global");
	assert_non_null(strstr(text, "jobs = 9"));
	g_unsetenv("GIT_CONFIG_GLOBAL");
}

static void a_committed_file_can_set_only_what_is_harmless(void **state)
{
	Fixture *fixture = *state;

	write_text(
		fixture->dir, ".mlvconfig",
		"[mlv]\nstore = /tmp/evil\nwonder = 1\n[mlv-remote \"o\"]\nurl = s3://b\nprofile = "
		"p\ncafile = x\n"
		"tlsVerify = false\n[core]\nhooksPath = evil\n[include]\npath = "
		"/etc/passwd\n[alias]\nx = !evil\n");
	assert_null(get(fixture, "mlv.store"));
	assert_null(get(fixture, "core.hookspath"));
	assert_null(get(fixture, "mlv-remote.o.profile"));
	assert_null(get(fixture, "include.path"));
	assert_string_equal(get(fixture, "mlv-remote.o.url"), "s3://b");
	const GPtrArray *warnings = mlv_config_warnings(mlv_repo_config(fixture->repo));
	assert_int_equal(warnings->len, 8);
	assert_non_null(strstr(warnings->pdata[0], ".mlvconfig:2: 'mlv.store' is ignored"));
	g_autoptr(GError) error = NULL;
	assert_false(mlv_config_set(fixture->repo, MLV_CONFIG_SHARED, "mlv.store", "x", &error));
	assert_int_equal(error->code, MLV_ERROR_USAGE);
}

static void damaged_committed_files_are_refused_with_the_line(void **state)
{
	static const char *const bad[] = {
		"[mlv\n",     "\n[mlv]\njobs 3\n",   "[mlv]\njobs = \"x\n",
		"jobs = 1\n", "[mlv]\njobs = \\q\n", "[mlv \"a\n\"]\n",
		"[]\n",       "[mlv]\n3x = 1\n",     "[mlv] x = 1 \\"
	};
	Fixture *fixture = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		write_text(fixture->dir, ".mlvconfig", bad[i]);
		if (mlv_repo_reload_config(fixture->repo, &error))
			fail_msg("'%s' was read", bad[i]);
		assert_int_equal(error->code, MLV_ERROR_CORRUPT);
		assert_non_null(strstr(error->message, "line"));
	}
}

/* git reads the same file: each value must be the same. */
static void the_syntax_is_gits(void **state)
{
	static const char *const values[] = { "plain",       "  padded  ",    "\"  quoted \"x",
					      "a # comment", "\"a # b\" ; c", "x\\ty",
					      "a\\\n  b",    "\\\"q\\\"",     "",
					      "\"\"",        "a\"b c\"d",     "C:\\\\x" };
	Fixture *fixture = *state;
	g_autofree char *file = g_build_filename(fixture->dir, ".mlvconfig", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autofree char *text =
			g_strdup_printf("\xef\xbb\xbf; c\n[mlv]\r\n\tremote = %s\n", values[i]);
		write_text(fixture->dir, ".mlvconfig", text);
		g_autofree char *expected =
			git_output(fixture->dir, "config", "-f", file, "mlv.remote", NULL);
		const char *ours = get(fixture, "mlv.remote");
		if (strcmp(ours, expected) != 0)
			fail_msg("'%s' gives '%s', git says '%s'", values[i], ours, expected);
	}
	write_text(fixture->dir, ".mlvconfig", "[MLV-Remote \"A b\\\"c\"] url = x\n");
	assert_string_equal(get(fixture, "mlv-remote.A b\"c.url"), "x");
}

static void values_have_types(void **state)
{
	Fixture *fixture = *state;
	const MlvConfig *config;
	gint64 number;
	guint64 seconds;
	gboolean flag;

	git_ok(fixture->dir, "config", "mlv.a", "10k");
	git_ok(fixture->dir, "config", "mlv.b", "off");
	git_ok(fixture->dir, "config", "mlv.c", "14d");
	git_ok(fixture->dir, "config", "mlv.d", "12x");
	get(fixture, "mlv.a");
	config = mlv_repo_config(fixture->repo);
	assert_true(mlv_config_get_int(config, "mlv.a", 0, 0, 1 << 20, &number, NULL));
	assert_int_equal(number, 10240);
	assert_false(mlv_config_get_int(config, "mlv.a", 0, 0, 100, &number, NULL));
	assert_true(mlv_config_get_int(config, "mlv.none", 7, 0, 100, &number, NULL));
	assert_int_equal(number, 7);
	assert_true(mlv_config_get_bool(config, "mlv.b", TRUE, &flag, NULL));
	assert_false(flag);
	assert_true(mlv_config_get_duration(config, "mlv.c", 0, &seconds, NULL));
	assert_int_equal(seconds, 14 * 86400);
	g_autoptr(GError) error = NULL;
	assert_false(mlv_config_get_duration(config, "mlv.d", 0, &seconds, &error));
	assert_non_null(strstr(error->message, "mlv.d"));
	assert_false(mlv_config_get_int(config, "mlv.d", 0, 0, 100, &number, NULL));
	assert_false(mlv_config_get_bool(config, "mlv.d", 0, &flag, NULL));
	assert_true(mlv_config_parse_duration("0", &seconds, NULL));
	assert_int_equal(seconds, 0);
	assert_true(mlv_config_parse_duration("never", &seconds, NULL));
	assert_true(seconds == G_MAXUINT64);
	static const char *const bad[] = {
		"", "d", "1dd", "-1", "99999999999999999999", "9999999999999999999w", " 1", "1 d"
	};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(mlv_config_parse_duration(bad[i], &seconds, NULL));
	assert_false(mlv_config_parse_int("9223372036854775808", &number, NULL));
	assert_false(mlv_config_parse_int("9g9", &number, NULL));
	assert_true(mlv_config_parse_int("-2K", &number, NULL));
	assert_int_equal(number, -2048);
}

static void keys_are_set_and_unset_in_each_level(void **state)
{
	Fixture *fixture = *state;
	gboolean found;

	write_text(fixture->dir, ".mlvconfig", "# ours\n[mlv]\n\tjobs = 1 # note\n");
	assert_true(mlv_config_set(fixture->repo, MLV_CONFIG_SHARED, "mlv.remote", "up", NULL));
	g_autofree char *text = read_text(fixture->dir, ".mlvconfig");
	assert_non_null(strstr(text, "# ours"));
	assert_string_equal(get(fixture, "mlv.remote"), "up");
	assert_true(mlv_config_set(fixture->repo, MLV_CONFIG_LOCAL, "mlv.remote", "mine", NULL));
	assert_string_equal(get(fixture, "mlv.remote"), "mine");
	assert_true(
		mlv_config_set(fixture->repo, MLV_CONFIG_LOCAL, "mlv.remote", "mine two", NULL));
	assert_string_equal(get(fixture, "mlv.remote"), "mine two");
	assert_int_equal(mlv_config_find(mlv_repo_config(fixture->repo), "mlv.remote")->level,
			 MLV_CONFIG_LOCAL);
	assert_true(mlv_config_unset(fixture->repo, MLV_CONFIG_LOCAL, "mlv.remote", &found, NULL));
	assert_true(found);
	assert_true(mlv_config_unset(fixture->repo, MLV_CONFIG_LOCAL, "mlv.remote", &found, NULL));
	assert_false(found);
	assert_string_equal(get(fixture, "mlv.remote"), "up");
	assert_false(mlv_config_set(fixture->repo, MLV_CONFIG_LOCAL, "nodots", "x", NULL));
	assert_false(mlv_config_set(fixture->repo, MLV_CONFIG_LOCAL, "mlv.", "x", NULL));
}

static void a_committed_file_that_is_a_symlink_is_not_written_through(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *link = g_build_filename(fixture->dir, ".mlvconfig", NULL);

	write_text(fixture->dir, "victim", "[mlv]\n");
	assert_int_equal(symlink("victim", link), 0);
	assert_false(mlv_config_set(fixture->repo, MLV_CONFIG_SHARED, "mlv.jobs", "1", NULL));
	assert_false(mlv_repo_reload_config(fixture->repo, NULL));
}

static void remotes_are_added_renamed_and_removed(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) error = NULL;

	assert_null(mlv_remote_config_find(fixture->repo, NULL, &error));
	assert_int_equal(error->code, MLV_ERROR_MISSING);
	assert_true(
		mlv_remote_config_add(fixture->repo, MLV_CONFIG_SHARED, "up", "../store", NULL));
	assert_false(mlv_remote_config_add(fixture->repo, MLV_CONFIG_LOCAL, "up", "x", NULL));
	g_autoptr(MlvRemoteConfig) up = mlv_remote_config_find(fixture->repo, NULL, NULL);
	assert_string_equal(up->name, "up");
	g_autofree char *parent = g_path_get_dirname(fixture->dir);
	g_autofree char *store = g_build_filename(parent, "store", NULL);
	assert_string_equal(up->directory, store);
	assert_true(up->tls_verify);
	assert_true(mlv_remote_config_add(fixture->repo, MLV_CONFIG_LOCAL, "mine", "s3://bucket/x",
					  NULL));
	assert_null(mlv_remote_config_default(fixture->repo));
	assert_true(mlv_remote_config_set_default(fixture->repo, MLV_CONFIG_LOCAL, "mine", NULL));
	g_autofree char *chosen = mlv_remote_config_default(fixture->repo);
	assert_string_equal(chosen, "mine");
	assert_true(
		mlv_remote_config_set(fixture->repo, MLV_CONFIG_LOCAL, "up", "profile", "p", NULL));
	assert_false(mlv_remote_config_set(fixture->repo, MLV_CONFIG_SHARED, "up", "profile", "p",
					   NULL));
	assert_false(mlv_remote_config_set(fixture->repo, MLV_CONFIG_SHARED, "up", "publish",
					   "maybe", NULL));
	assert_false(
		mlv_remote_config_set(fixture->repo, MLV_CONFIG_SHARED, "up", "wonder", "1", NULL));
	assert_true(mlv_remote_config_rename(fixture->repo, "up", "upstream", NULL));
	g_autoptr(MlvRemoteConfig) renamed =
		mlv_remote_config_find(fixture->repo, "upstream", NULL);
	assert_string_equal(renamed->profile, "p");
	assert_false(mlv_remote_config_exists(fixture->repo, "up"));
	assert_true(mlv_remote_config_rename(fixture->repo, "mine", "own", NULL));
	g_autofree char *followed = mlv_remote_config_default(fixture->repo);
	assert_string_equal(followed, "own");
	assert_true(mlv_remote_config_remove(fixture->repo, "own", NULL));
	assert_false(mlv_remote_config_remove(fixture->repo, "own", NULL));
	g_autoptr(GPtrArray) left = mlv_remote_config_list(fixture->repo, NULL);
	assert_int_equal(left->len, 1);
	g_autofree char *last = mlv_remote_config_default(fixture->repo);
	assert_string_equal(last, "upstream");
}

static void urls_and_names_are_judged(void **state)
{
	static const char *const good[] = { "/x",       "../x",        "a b",   "file:///x",
					    "s3://b/p", "https://h/p", "c:odd", "~/x" };
	static const char *const bad[] = { "", "ftp://h", "s3://", "a\nb", "ssh://h/p" };
	static const char *const names[] = { "-x", "", "a/b", "a b", "a..b", ".a", "a\"b" };

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		assert_true(mlv_remote_config_url_check(good[i], NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(mlv_remote_config_url_check(bad[i], NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		assert_false(mlv_remote_config_name_check(names[i], NULL));
	assert_true(mlv_remote_config_name_check("origin-2.b", NULL));
}

static void directories_are_found_from_urls(void **state)
{
	static const char *const pairs[][2] = { { "file:///a%20b/../c", "/c" },
						{ "file://localhost/x", "/x" },
						{ "/y/", "/y" },
						{ "https://h", NULL } };
	Fixture *fixture = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		git_ok(fixture->dir, "config", "mlv-remote.r.url", pairs[i][0]);
		get(fixture, "x.y");
		g_autoptr(MlvRemoteConfig) remote =
			mlv_remote_config_find(fixture->repo, "r", NULL);
		g_autofree char *directory = g_strdup(remote->directory);
		if (directory && g_str_has_suffix(directory, "/"))
			directory[strlen(directory) - 1] = '\0';
		if (g_strcmp0(directory, pairs[i][1]) != 0)
			fail_msg("'%s' gives '%s'", pairs[i][0], directory);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_users_levels_win_over_the_committed_file),
		TEST(another_global_file_is_used_where_git_says_so),
		TEST(a_committed_file_can_set_only_what_is_harmless),
		TEST(damaged_committed_files_are_refused_with_the_line),
		TEST(the_syntax_is_gits),
		TEST(values_have_types),
		TEST(keys_are_set_and_unset_in_each_level),
		TEST(a_committed_file_that_is_a_symlink_is_not_written_through),
		TEST(remotes_are_added_renamed_and_removed),
		TEST(urls_and_names_are_judged),
		TEST(directories_are_found_from_urls),
	};
	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
