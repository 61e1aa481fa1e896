/* SPDX-License-Identifier: Apache-2.0 */
/* Commits made here, looked at by the real git. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/git_commit.h"
#include "core/git_staging.h"
#include "core/hook.h"
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

static void configure(Fixture *fixture, const char *key, const char *value)
{
	git_ok(fixture->dir, "config", key, value);
	assert_true(mlv_repo_reload_config(fixture->repo, NULL));
}

static void write_hook(Fixture *fixture, const char *name, const char *body)
{
	g_autofree char *path = g_strconcat(".git/hooks/", name, NULL);
	g_autofree char *file = g_build_filename(fixture->dir, path, NULL);
	g_autofree char *text = g_strconcat("#!/bin/sh\n", body, "\n", NULL);

	write_text(fixture->dir, path, text);
	assert_int_equal(g_chmod(file, 0755), 0);
}

static void stage(Fixture *fixture, const char *path, const char *text)
{
	write_text(fixture->dir, path, text);
	git_ok(fixture->dir, "add", path);
}

static void commit_ok(Fixture *fixture, const MlvCommitOptions *options)
{
	g_autoptr(GError) error = NULL;
	MlvCommitResult result;

	if (!mlv_git_commit(fixture->repo, options, &result, &error))
		fail_msg("%s", error->message);
	mlv_commit_result_clear(&result);
	git_ok(fixture->dir, "fsck", "--strict");
}

static void commit_fails(Fixture *fixture, const MlvCommitOptions *options, const char *why)
{
	g_autoptr(GError) error = NULL;
	MlvCommitResult result;

	assert_false(mlv_git_commit(fixture->repo, options, &result, &error));
	if (!strstr(error->message, why))
		fail_msg("%s", error->message);
}

static void assert_git(Fixture *fixture, const char *format, const char *expected)
{
	g_autofree char *option = g_strconcat("--format=", format, NULL);
	g_autofree char *text = git_output(fixture->dir, "log", "-1", option, NULL);
	assert_string_equal(text, expected);
}

static void the_first_and_the_next_commit_are_as_gits(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "first\n\n\nbody  \n# kept\n" };

	stage(fixture, "a", "1");
	g_setenv("GIT_AUTHOR_DATE", "1600000000 +0230", TRUE);
	commit_ok(fixture, &options);
	g_unsetenv("GIT_AUTHOR_DATE");
	assert_git(fixture, "%an <%ae> %ad|%cn|%B|%P",
		   "Ada <ada@example.org> Sun Sep 13 14:56:40 2020 +0230|Con|first\n\nbody\n# "
		   "kept\n|");
	g_autofree char *first = git_output(fixture->dir, "reflog", "-1", "--format=%gs", NULL);
	assert_string_equal(first, "commit (initial): first");
	stage(fixture, "a", "2");
	options.message = "second";
	commit_ok(fixture, &options);
	g_autofree char *second = git_output(fixture->dir, "reflog", "-1", "--format=%gs", NULL);
	assert_string_equal(second, "commit: second");
	g_autofree char *clean = git_output(fixture->dir, "status", "--porcelain", NULL);
	assert_string_equal(clean, "");
	commit_fails(fixture, &options, "nothing to commit");
	options.allow_empty = TRUE;
	commit_ok(fixture, &options);
}

static void amending_keeps_the_author(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "first" };

	stage(fixture, "a", "1");
	commit_ok(fixture, &options);
	stage(fixture, "b", "1");
	g_setenv("GIT_AUTHOR_NAME", "Somebody Else", TRUE);
	options = (MlvCommitOptions){ .amend = TRUE, .no_edit = TRUE };
	write_hook(fixture, "post-rewrite", "cat > rewritten; echo \"$1\" >> rewritten");
	commit_ok(fixture, &options);
	g_setenv("GIT_AUTHOR_NAME", "Ada", TRUE);
	assert_git(fixture, "%an|%s|%P", "Ada|first|");
	g_autofree char *log = git_output(fixture->dir, "reflog", "-1", "--format=%gs", NULL);
	assert_string_equal(log, "commit (amend): first");
	g_autofree char *rewritten = read_text(fixture->dir, "rewritten");
	assert_non_null(strstr(rewritten, "amend"));
	options = (MlvCommitOptions){ .amend = TRUE, .message = "better" };
	commit_ok(fixture, &options);
	assert_git(fixture, "%s", "better");
}

static void hooks_run_and_may_refuse_or_change(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "subject" };

	stage(fixture, "a", "1");
	write_hook(fixture, "pre-commit", "exit 3");
	commit_fails(fixture, &options, "pre-commit");
	options.no_verify = TRUE;
	commit_ok(fixture, &options);
	options.no_verify = FALSE;
	write_hook(fixture, "pre-commit",
		   "echo more > more; git add more; test \"$GIT_EDITOR\" = :; pwd > where");
	write_hook(fixture, "prepare-commit-msg", "echo \"$2\" >> \"$1\"");
	write_hook(fixture, "commit-msg", "echo checked >> \"$1\"");
	write_hook(fixture, "post-commit", "git rev-parse HEAD > seen");
	stage(fixture, "a", "2");
	commit_ok(fixture, &options);
	assert_git(fixture, "%B", "subject\nmessage\nchecked");
	g_autofree char *more = git_output(fixture->dir, "show", "HEAD:more", NULL);
	assert_string_equal(more, "more");
	g_autofree char *where = read_text(fixture->dir, "where");
	assert_string_equal(g_strchomp(where), fixture->dir);
	g_autofree char *seen = read_text(fixture->dir, "seen");
	g_autofree char *head = git_output(fixture->dir, "rev-parse", "HEAD", NULL);
	assert_string_equal(g_strchomp(seen), head);
	write_hook(fixture, "commit-msg", "exit 1");
	stage(fixture, "a", "3");
	commit_fails(fixture, &options, "commit-msg");
}

static void hooks_elsewhere_are_found(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "subject" };

	g_autofree char *file = g_build_filename(fixture->dir, "own", "pre-commit", NULL);
	write_text(fixture->dir, "own/pre-commit", "#!/bin/sh\nexit 1\n");
	assert_int_equal(g_chmod(file, 0755), 0);
	configure(fixture, "core.hooksPath", "own");
	stage(fixture, "a", "1");
	commit_fails(fixture, &options, "pre-commit");
}

static void the_editor_gives_the_message(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { 0 };

	stage(fixture, "a", "1");
	g_setenv("GIT_EDITOR",
		 "sh -c 'cp \"$1\" seen-text; printf \"typed  \\n# out\\n\\n\\nbody\\n\" > \"$1\"' "
		 "-",
		 TRUE);
	commit_ok(fixture, &options);
	assert_git(fixture, "%B", "typed\n\nbody");
	g_autofree char *shown = read_text(fixture->dir, "seen-text");
	assert_non_null(strstr(shown, "#\tnew file:   a"));
	stage(fixture, "a", "2");
	g_setenv("GIT_EDITOR", "true", TRUE);
	commit_fails(fixture, &options, "no message");
	g_setenv("GIT_EDITOR", "false", TRUE);
	commit_fails(fixture, &options, "not edited");
	g_unsetenv("GIT_EDITOR");
}

static void a_merge_has_all_its_parents(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "x" };

	stage(fixture, "a", "1");
	commit_ok(fixture, &options);
	git_ok(fixture->dir, "checkout", "-q", "-b", "side");
	stage(fixture, "a", "2");
	commit_ok(fixture, &options);
	git_ok(fixture->dir, "checkout", "-q", "main");
	stage(fixture, "a", "3");
	commit_ok(fixture, &options);
	assert_int_equal(git_status(fixture->dir, "merge", "side", NULL), 1);
	commit_fails(fixture, &options, "unmerged");
	options.amend = TRUE;
	commit_fails(fixture, &options, "merge");
	stage(fixture, "a", "4");
	options = (MlvCommitOptions){ 0 };
	g_setenv("GIT_EDITOR", "true", TRUE);
	commit_ok(fixture, &options);
	g_unsetenv("GIT_EDITOR");
	g_autofree char *side = git_output(fixture->dir, "rev-parse", "side", NULL);
	g_autofree char *second = git_output(fixture->dir, "rev-parse", "HEAD^2", NULL);
	assert_string_equal(second, side);
	assert_git(fixture, "%s", "Merge branch 'side'");
	g_autofree char *log = git_output(fixture->dir, "reflog", "-1", "--format=%gs", NULL);
	assert_string_equal(log, "commit (merge): Merge branch 'side'");
	g_autofree char *state_text = git_output(fixture->dir, "status", NULL);
	assert_null(strstr(state_text, "merging"));
}

static void a_cherry_pick_keeps_its_author(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "base" };

	stage(fixture, "a", "1");
	commit_ok(fixture, &options);
	git_ok(fixture->dir, "checkout", "-q", "-b", "side");
	stage(fixture, "a", "2");
	g_setenv("GIT_AUTHOR_NAME", "Picked", TRUE);
	options.message = "to be picked";
	commit_ok(fixture, &options);
	g_setenv("GIT_AUTHOR_NAME", "Ada", TRUE);
	git_ok(fixture->dir, "checkout", "-q", "main");
	stage(fixture, "a", "3");
	options.message = "other";
	commit_ok(fixture, &options);
	assert_int_equal(git_status(fixture->dir, "cherry-pick", "side", NULL), 1);
	stage(fixture, "a", "5");
	options.message = "picked";
	commit_ok(fixture, &options);
	assert_git(fixture, "%an|%s", "Picked|picked");
	g_autofree char *status = git_output(fixture->dir, "status", NULL);
	assert_null(strstr(status, "cherry-pick"));
}

static void a_detached_head_moves_alone(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "x" };

	stage(fixture, "a", "1");
	commit_ok(fixture, &options);
	g_autofree char *before = git_output(fixture->dir, "rev-parse", "main", NULL);
	git_ok(fixture->dir, "checkout", "-q", "--detach");
	stage(fixture, "a", "2");
	commit_ok(fixture, &options);
	g_autofree char *after = git_output(fixture->dir, "rev-parse", "main", NULL);
	assert_string_equal(before, after);
}

static void what_is_only_meant_to_be_added_stays_out(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "x" };

	stage(fixture, "a", "1");
	write_text(fixture->dir, "later", "x");
	git_ok(fixture->dir, "add", "-N", "later");
	commit_ok(fixture, &options);
	g_autofree char *files = git_output(fixture->dir, "ls-tree", "--name-only", "HEAD", NULL);
	assert_string_equal(files, "a");
}

static void an_ssh_signature_is_verified_by_git(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "signed\n\nbody" };
	g_autofree char *key = g_build_filename(fixture->dir, "key", NULL);
	g_autofree char *allowed = g_build_filename(fixture->dir, "allowed", NULL);
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key, NULL };

	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
				 NULL, NULL, NULL));
	g_autofree char *public_key = read_text(fixture->dir, "key.pub");
	g_autofree char *line = g_strconcat("con@example.org ", public_key, NULL);
	write_text(fixture->dir, "allowed", line);
	configure(fixture, "gpg.ssh.allowedSignersFile", allowed);
	configure(fixture, "gpg.format", "ssh");
	configure(fixture, "user.signingKey", key);
	configure(fixture, "commit.gpgSign", "true");
	stage(fixture, "a", "1");
	commit_ok(fixture, &options);
	git_ok(fixture->dir, "verify-commit", "HEAD");
	configure(fixture, "user.signingKey", "/nonexistent");
	stage(fixture, "a", "2");
	commit_fails(fixture, &options, "cannot be signed");
}

static void an_openpgp_signature_is_verified_by_git(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "signed" };
	g_autofree char *ring = g_dir_make_tmp("mlvg-XXXXXX", NULL);
	const char *argv[] = { "gpg",
			       "--batch",
			       "--quiet",
			       "--passphrase",
			       "",
			       "--quick-gen-key",
			       "Con <con@example.org>",
			       NULL };
	int status = -1;

	g_setenv("GNUPGHOME", ring, TRUE);
	g_autofree char *out = NULL, *err = NULL;
	if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
			  &status, NULL) ||
	    status != 0)
		skip();
	configure(fixture, "commit.gpgSign", "true");
	stage(fixture, "a", "1");
	commit_ok(fixture, &options);
	git_ok(fixture->dir, "verify-commit", "HEAD");
	const char *stop[] = { "gpgconf", "--kill", "all", NULL };
	g_spawn_sync(NULL, (char **)stop, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
		     NULL);
	g_unsetenv("GNUPGHOME");
	git_scratch_remove(ring);
}

static void somebody_unknown_cannot_commit(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "x" };

	stage(fixture, "a", "1");
	configure(fixture, "user.useConfigOnly", "true");
	g_unsetenv("GIT_AUTHOR_EMAIL");
	commit_fails(fixture, &options, "user.email");
	g_setenv("GIT_AUTHOR_EMAIL", "ada@example.org", TRUE);
	assert_int_equal(git_status(fixture->dir, "rev-parse", "-q", "--verify", "HEAD", NULL), 1);
}

static gboolean refuse_new(MlvRepo *repo, const GPtrArray *added, gpointer user, GError **error)
{
	GString *seen = user;

	for (guint i = 0; i < added->len; i++)
		g_string_append_printf(seen, "%s ", ((MlvTracked *)added->pdata[i])->path);
	return mlv_fail(error, MLV_ERROR_CHECK, "no data");
}

static void only_pointers_that_no_parent_has_are_checked(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GString) seen = g_string_new(NULL);
	MlvCommitOptions options = { .message = "x" };
	g_autoptr(MlvStaging) changes = mlv_staging_new(fixture->repo);
	MlvPointer pointer = { .ref = { .kind = MLV_KIND_BLOB }, .mode = MLV_MODE_FILE };

	mlv_staging_pointer(changes, "old", &pointer);
	pointer.ref.id.b[0] = 1;
	mlv_staging_pointer(changes, "moved", &pointer);
	assert_true(mlv_staging_commit(changes, NULL));
	commit_ok(fixture, &options);
	mlv_staging_remove_pointer(changes, "moved");
	mlv_staging_pointer(changes, "there", &pointer);
	pointer.ref.id.b[0] = 2;
	mlv_staging_pointer(changes, "new", &pointer);
	assert_true(mlv_staging_commit(changes, NULL));
	options.check = refuse_new;
	options.user = seen;
	commit_fails(fixture, &options, "no data");
	assert_string_equal(seen->str, "new ");
}

static void another_index_is_committed_where_git_says_so(void **state)
{
	Fixture *fixture = *state;
	MlvCommitOptions options = { .message = "x" };
	g_autofree char *other = g_build_filename(fixture->dir, ".git", "other-index", NULL);

	stage(fixture, "a", "1");
	commit_ok(fixture, &options);
	g_setenv("GIT_INDEX_FILE", other, TRUE);
	stage(fixture, "only", "1");
	Fixture second = { fixture->dir, mlv_repo_open(fixture->dir, NULL) };
	commit_ok(&second, &options);
	mlv_repo_free(second.repo);
	g_unsetenv("GIT_INDEX_FILE");
	g_autofree char *files = git_output(fixture->dir, "ls-tree", "--name-only", "HEAD", NULL);
	assert_string_equal(files, "only");
}

static void installed_hooks_chain_and_go_without_a_trace(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GError) error = NULL;
	gboolean foreign;

	write_text(fixture->dir, ".git/info/attributes", "*.x -diff\n");
	write_hook(fixture, "pre-push", "cat > input-of-mine; echo \"$1\" >> input-of-mine");
	g_autofree char *before = read_text(fixture->dir, ".git/hooks/pre-push");
	assert_int_equal(mlv_hook_state(fixture->repo, "pre-push"), MLV_HOOK_OTHER);
	for (int round = 0; round < 2; round++)
		if (!mlv_hook_install(fixture->repo, FALSE, &error))
			fail_msg("%s", error->message);
	assert_int_equal(mlv_hook_state(fixture->repo, "pre-push"), MLV_HOOK_CHAINED);
	assert_int_equal(mlv_hook_state(fixture->repo, "pre-commit"), MLV_HOOK_INSTALLED);
	assert_true(mlv_hook_drivers_installed(fixture->repo));
	/* A stand-in on PATH shows what the script hands on. */
	write_text(fixture->dir, "bin/mlv", "#!/bin/sh\n{ echo \"$@\"; cat; } > input-of-mlv\n");
	g_autofree char *stand_in = g_build_filename(fixture->dir, "bin", "mlv", NULL);
	assert_int_equal(g_chmod(stand_in, 0755), 0);
	g_autofree char *bin = g_path_get_dirname(stand_in);
	g_autofree char *path = g_strdup(g_getenv("PATH"));
	g_autofree char *longer = g_strconcat(bin, ":", path, NULL);
	g_setenv("PATH", longer, TRUE);
	const char *words[] = { "origin", "url", NULL };
	g_autoptr(GBytes) input = g_bytes_new_static("a b c d\ne f g h\n", 16);
	MlvHookCall call = { .argv = words, .input = input };
	gboolean ran;
	assert_true(mlv_hook_run(fixture->repo, "pre-push", &call, &ran, NULL));
	assert_true(ran);
	g_setenv("PATH", path, TRUE);
	g_autofree char *mine = read_text(fixture->dir, "input-of-mine");
	assert_string_equal(mine, "a b c d\ne f g h\norigin\n");
	g_autofree char *theirs = read_text(fixture->dir, "input-of-mlv");
	assert_string_equal(theirs, "hook pre-push origin url\na b c d\ne f g h\n");
	/* Without mlv a push stops, other hooks only say so. */
	g_setenv("PATH", "/usr/bin:/bin", TRUE);
	assert_false(mlv_hook_run(fixture->repo, "pre-push", &call, NULL, NULL));
	assert_true(mlv_hook_run(fixture->repo, "post-merge", &call, NULL, NULL));
	g_setenv("PATH", path, TRUE);
	assert_true(mlv_hook_uninstall(fixture->repo, NULL));
	g_autofree char *after = read_text(fixture->dir, ".git/hooks/pre-push");
	assert_string_equal(after, before);
	assert_int_equal(mlv_hook_state(fixture->repo, "pre-commit"), MLV_HOOK_ABSENT);
	g_autofree char *attributes = read_text(fixture->dir, ".git/info/attributes");
	assert_string_equal(attributes, "*.x -diff\n");
	assert_int_equal(
		git_status(fixture->dir, "config", "--get-regexp", "^(merge|diff)\\.mlv", NULL), 1);
	configure(fixture, "core.hooksPath", "/somewhere/shared");
	g_autofree char *dir = mlv_hook_dir(fixture->repo, &foreign);
	assert_string_equal(dir, "/somewhere/shared");
	assert_true(foreign);
	assert_false(mlv_hook_install(fixture->repo, FALSE, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_and_the_next_commit_are_as_gits),
		TEST(amending_keeps_the_author),
		TEST(hooks_run_and_may_refuse_or_change),
		TEST(hooks_elsewhere_are_found),
		TEST(the_editor_gives_the_message),
		TEST(a_merge_has_all_its_parents),
		TEST(a_cherry_pick_keeps_its_author),
		TEST(a_detached_head_moves_alone),
		TEST(what_is_only_meant_to_be_added_stays_out),
		TEST(an_ssh_signature_is_verified_by_git),
		TEST(an_openpgp_signature_is_verified_by_git),
		TEST(somebody_unknown_cannot_commit),
		TEST(only_pointers_that_no_parent_has_are_checked),
		TEST(another_index_is_committed_where_git_says_so),
		TEST(installed_hooks_chain_and_go_without_a_trace),
	};
	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
