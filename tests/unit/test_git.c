/* SPDX-License-Identifier: Apache-2.0 */
/* Staging, reading and walking, with the real git beside it as judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/git_reach.h"
#include "core/git_staging.h"
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

static MlvPointer pointer_of(guint8 seed)
{
	MlvPointer pointer = { .ref = { .size = seed, .kind = MLV_KIND_BLOB },
			       .mode = MLV_MODE_FILE,
			       .files = 1,
			       .bytes = seed };
	memset(pointer.ref.id.b, seed, sizeof pointer.ref.id.b);
	return pointer;
}

static void assert_ok(gboolean ok, GError *error)
{
	if (!ok)
		fail_msg("%s", error ? error->message : "no error");
}

static void add(Fixture *fixture, const char *path, guint8 seed)
{
	g_autoptr(MlvStaging) stage = mlv_staging_new(fixture->repo);
	g_autoptr(GError) error = NULL;
	MlvPointer pointer = pointer_of(seed);

	mlv_staging_pointer(stage, path, &pointer);
	assert_ok(mlv_staging_commit(stage, &error), error);
	assert_true(mlv_staging_is_empty(stage));
}

static void assert_porcelain(Fixture *fixture, const char *expected)
{
	g_autofree char *status = git_output(fixture->dir, "status", "--porcelain", "-uall", NULL);
	assert_string_equal(status, expected);
}

static void a_pointer_is_staged_with_its_ignore_line(void **state)
{
	Fixture *fixture = *state;

	write_text(fixture->dir, "data/x", "the data");
	add(fixture, "data/x", 1);
	assert_porcelain(fixture, "A  data/.gitignore\nA  data/x.mlv");
	g_autofree char *lines = read_text(fixture->dir, "data/.gitignore");
	assert_string_equal(lines, "/x\n");
	git_ok(fixture->dir, "commit", "-q", "-m", "x");
	git_ok(fixture->dir, "fsck", "--strict");
	/* git knows from the stat data alone that nothing changed. */
	git_ok(fixture->dir, "diff-files", "--quiet");
}

static void other_edits_of_gitignore_stay_unstaged(void **state)
{
	Fixture *fixture = *state;

	write_text(fixture->dir, ".gitignore", "*.o\n");
	git_ok(fixture->dir, "add", ".gitignore");
	git_ok(fixture->dir, "commit", "-q", "-m", "x");
	write_text(fixture->dir, ".gitignore", "*.o\n*.mine\n");
	add(fixture, "x", 1);
	g_autofree char *staged = git_output(fixture->dir, "show", ":.gitignore", NULL);
	assert_string_equal(staged, "*.o\n/x");
	g_autofree char *work = read_text(fixture->dir, ".gitignore");
	assert_string_equal(work, "*.o\n*.mine\n/x\n");
	assert_porcelain(fixture, "MM .gitignore\nA  x.mlv");
}

static void an_untracked_gitignore_stays_the_users_own(void **state)
{
	Fixture *fixture = *state;

	write_text(fixture->dir, ".gitignore", "mine\r\n");
	add(fixture, "x", 1);
	g_autofree char *staged = git_output(fixture->dir, "show", ":.gitignore", NULL);
	assert_string_equal(staged, "/x");
	g_autofree char *work = read_text(fixture->dir, ".gitignore");
	assert_string_equal(work, "mine\r\n/x\r\n");
}

static void removing_takes_pointer_line_and_empty_file_away(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(MlvStaging) stage = mlv_staging_new(fixture->repo);
	g_autoptr(GError) error = NULL;

	add(fixture, "data/x", 1);
	add(fixture, "data/y", 2);
	git_ok(fixture->dir, "commit", "-q", "-m", "x");
	mlv_staging_remove_pointer(stage, "data/x");
	assert_ok(mlv_staging_commit(stage, &error), error);
	assert_porcelain(fixture, "M  data/.gitignore\nD  data/x.mlv");
	mlv_staging_remove_pointer(stage, "data/y");
	assert_ok(mlv_staging_commit(stage, &error), error);
	assert_porcelain(fixture, "D  data/.gitignore\nD  data/x.mlv\nD  data/y.mlv");
}

static void many_are_staged_at_once_in_a_stable_order(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(MlvStaging) stage = mlv_staging_new(fixture->repo);
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) expected = g_string_new(NULL);
	MlvPointer pointer = pointer_of(1);

	for (int i = 0; i < 300; i++) {
		g_autofree char *path = g_strdup_printf("d/f%03d", (i * 7) % 300);
		mlv_staging_pointer(stage, path, &pointer);
		g_string_append_printf(expected, "/f%03d\n", i);
	}
	assert_ok(mlv_staging_commit(stage, &error), error);
	g_autofree char *lines = read_text(fixture->dir, "d/.gitignore");
	assert_string_equal(lines, expected->str);
	g_autoptr(GPtrArray) staged = mlv_git_pointers_in_index(fixture->repo, NULL);
	assert_int_equal(staged->len, 300);
	for (guint i = 1; i < staged->len; i++)
		assert_true(strcmp(((MlvTracked *)staged->pdata[i - 1])->path,
				   ((MlvTracked *)staged->pdata[i])->path) < 0);
}

static void a_lock_of_another_git_is_waited_for_and_reported(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(MlvStaging) stage = mlv_staging_new(fixture->repo);
	g_autoptr(GError) error = NULL;
	MlvPointer pointer = pointer_of(1);

	write_text(fixture->dir, ".git/index.lock", "");
	mlv_staging_pointer(stage, "x", &pointer);
	assert_false(mlv_staging_commit(stage, &error));
	assert_non_null(strstr(error->message, "index.lock"));
	g_autofree char *lock = g_build_filename(fixture->dir, ".git", "index.lock", NULL);
	assert_int_equal(unlink(lock), 0);
	g_clear_error(&error);
	assert_ok(mlv_staging_commit(stage, &error), error);
	assert_porcelain(fixture, "A  .gitignore\nA  x.mlv");
}

static void a_lock_left_by_a_killed_mlv_is_taken_over(void **state)
{
	Fixture *fixture = *state;

	write_text(fixture->dir, ".git/index.lock", "mlv index lock\n");
	write_text(fixture->dir, ".git/index.mlv-new", "rubbish");
	write_text(fixture->dir, ".git/index.mlv-new.lock", "rubbish");
	add(fixture, "x", 1);
	assert_porcelain(fixture, "A  .gitignore\nA  x.mlv");
	g_autofree char *lock = g_build_filename(fixture->dir, ".git", "index.lock", NULL);
	assert_false(g_file_test(lock, G_FILE_TEST_EXISTS));
}

static void conflicts_are_staged_and_read(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(MlvStaging) stage = mlv_staging_new(fixture->repo);
	g_autoptr(GError) error = NULL;
	MlvPointer one = pointer_of(1), two = pointer_of(2);
	g_autofree char *first = mlv_pointer_format(&one, NULL),
			*second = mlv_pointer_format(&two, NULL);
	g_autoptr(GBytes) ours = g_bytes_new(first, strlen(first)),
			  theirs = g_bytes_new(second, strlen(second));

	mlv_staging_conflict(stage, "x.mlv", NULL, ours, theirs);
	assert_ok(mlv_staging_commit(stage, &error), error);
	assert_porcelain(fixture, "AA x.mlv");
	g_autoptr(GPtrArray) staged = mlv_git_pointers_in_index(fixture->repo, NULL);
	assert_int_equal(staged->len, 2);
	assert_int_equal(((MlvTracked *)staged->pdata[0])->stage, 2);
	assert_int_equal(((MlvTracked *)staged->pdata[1])->stage, 3);
	add(fixture, "x", 3);
	assert_porcelain(fixture, "A  .gitignore\nA  x.mlv");
}

static void files_are_staged_as_git_add_does(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(MlvStaging) stage = mlv_staging_new(fixture->repo);
	g_autoptr(GError) error = NULL;

	write_text(fixture->dir, ".gitattributes", "*.txt text\n");
	write_text(fixture->dir, "f.txt", "a\r\nb\r\n");
	mlv_staging_file(stage, "f.txt");
	mlv_staging_file(stage, ".gitattributes");
	assert_ok(mlv_staging_commit(stage, &error), error);
	g_autofree char *staged = git_output(fixture->dir, "show", ":f.txt", NULL);
	assert_string_equal(staged, "a\nb");
	git_ok(fixture->dir, "commit", "-q", "-m", "x");
	write_text(fixture->dir, "f.txt", "c\n");
	mlv_staging_all_tracked(stage);
	assert_ok(mlv_staging_commit(stage, &error), error);
	assert_porcelain(fixture, "M  f.txt");
}

static void all_tracked_works_without_any_commit(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(MlvStaging) stage = mlv_staging_new(fixture->repo);
	g_autoptr(GError) error = NULL;

	mlv_staging_all_tracked(stage);
	assert_ok(mlv_staging_commit(stage, &error), error);
}

static void pointers_are_read_from_commits_head_and_index(void **state)
{
	Fixture *fixture = *state;
	const char *rest;
	gboolean unborn;
	MlvOid head;

	g_autoptr(GPtrArray) none = mlv_git_pointers_in_head(fixture->repo, NULL);
	assert_int_equal(none->len, 0);
	add(fixture, "a-b", 1);
	add(fixture, "a/b", 2);
	add(fixture, "z", 3);
	write_text(fixture->dir, "code.c", "int x;");
	write_text(fixture->dir, "bad.mlv", "not a pointer");
	git_ok(fixture->dir, "add", "code.c", "bad.mlv");
	git_ok(fixture->dir, "commit", "-q", "-m", "x");
	add(fixture, "z", 4);
	g_autoptr(GPtrArray) committed = mlv_git_pointers_in_head(fixture->repo, NULL);
	g_autoptr(GPtrArray) staged = mlv_git_pointers_in_index(fixture->repo, NULL);
	assert_int_equal(committed->len, 4);
	assert_int_equal(staged->len, 4);
	assert_non_null(mlv_tracked_find(committed, "bad")->error);
	assert_int_equal(mlv_tracked_find(committed, "z")->pointer.ref.size, 3);
	assert_int_equal(mlv_tracked_find(staged, "z")->pointer.ref.size, 4);
	assert_null(mlv_tracked_find(staged, "a"));
	const MlvTracked *cover = mlv_tracked_cover(staged, "a/b/c/d", &rest);
	assert_string_equal(cover->path, "a/b");
	assert_string_equal(rest, "c/d");
	assert_null(mlv_tracked_cover(staged, "a/bb", &rest));
	assert_true(mlv_git_head(fixture->repo, &head, &unborn, NULL));
	MlvTracked *found = mlv_git_find_pointer(fixture->repo, &head, "a/b/c", &rest, NULL);
	assert_string_equal(found->path, "a/b");
	assert_string_equal(rest, "c");
	mlv_tracked_free(found);
	g_autoptr(GBytes) code = mlv_git_read_file(fixture->repo, &head, "code.c", 100, NULL);
	assert_int_equal(g_bytes_get_size(code), 6);
	g_autoptr(GError) error = NULL;
	assert_null(mlv_git_read_file(fixture->repo, &head, "a", 100, &error));
	assert_int_equal(error->code, MLV_ERROR_MISSING);
}

static void pointer_files_of_the_work_tree_are_found(void **state)
{
	Fixture *fixture = *state;

	add(fixture, "data/x", 1);
	write_text(fixture->dir, "data/x/inner.mlv", "data of the user's");
	write_text(fixture->dir, "other/lost.mlv", "not staged");
	write_text(fixture->dir, "nested/.git/HEAD", "x");
	write_text(fixture->dir, "nested/n.mlv", "another repository's");
	g_autoptr(GPtrArray) known = mlv_git_pointers_in_workspace(fixture->repo, FALSE, NULL);
	assert_int_equal(known->len, 1);
	g_autoptr(GPtrArray) all = mlv_git_pointers_in_workspace(fixture->repo, TRUE, NULL);
	assert_int_equal(all->len, 2);
	assert_string_equal(((MlvTracked *)all->pdata[1])->path, "other/lost");
	assert_non_null(((MlvTracked *)all->pdata[1])->error);
}

static void what_git_tracks_and_ignores_is_known(void **state)
{
	Fixture *fixture = *state;
	gboolean yes;
	char *example;

	write_text(fixture->dir, "d/e/f", "x");
	write_text(fixture->dir, ".gitignore", "*.o\nbuild/\n");
	git_ok(fixture->dir, "add", "-f", "d/e/f");
	assert_true(mlv_git_tracks(fixture->repo, "d", &yes, &example, NULL));
	assert_true(yes);
	assert_string_equal(example, "d/e/f");
	g_free(example);
	assert_true(mlv_git_tracks(fixture->repo, "d/e/f", &yes, NULL, NULL));
	assert_true(yes);
	assert_true(mlv_git_tracks(fixture->repo, "d/e/ff", &yes, NULL, NULL));
	assert_false(yes);
	assert_true(mlv_git_ignores(fixture->repo, "a.o", FALSE, &yes, NULL));
	assert_true(yes);
	assert_true(mlv_git_ignores(fixture->repo, "build", TRUE, &yes, NULL));
	assert_true(yes);
	assert_true(mlv_git_ignores(fixture->repo, "build", FALSE, &yes, NULL));
	assert_false(yes);
}

static void large_files_on_their_way_into_git_are_seen(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *large = g_strnfill(5000, 'x');

	write_text(fixture->dir, "old", large);
	git_ok(fixture->dir, "add", "old");
	git_ok(fixture->dir, "commit", "-q", "-m", "x");
	write_text(fixture->dir, "new", large);
	write_text(fixture->dir, "small", "x");
	git_ok(fixture->dir, "add", "new", "small");
	g_autoptr(GPtrArray) files = mlv_git_large_staged(fixture->repo, 4000, NULL);
	assert_int_equal(files->len, 1);
	assert_string_equal(((MlvGitFile *)files->pdata[0])->path, "new");
	assert_int_equal(((MlvGitFile *)files->pdata[0])->size, 5000);
}

static void revisions_are_resolved_as_git_does(void **state)
{
	static const char *const revs[] = { "HEAD",        "main",          "HEAD~1",
					    "v1",          "@{0}",          "HEAD@{1}",
					    "HEAD^{/one}", "main^{commit}", "@" };
	Fixture *fixture = *state;
	g_autoptr(GError) error = NULL;
	MlvOid oid;

	git_ok(fixture->dir, "commit", "-q", "--allow-empty", "-m", "one");
	git_ok(fixture->dir, "commit", "-q", "--allow-empty", "-m", "two");
	git_ok(fixture->dir, "tag", "-a", "-m", "t", "v1");
	for (gsize i = 0; i < G_N_ELEMENTS(revs); i++) {
		g_autofree char *wanted = g_strconcat(revs[i], "^{commit}", NULL);
		g_autofree char *expected = git_output(fixture->dir, "rev-parse", wanted, NULL);
		char hex[MLV_OID_HEX + 1];
		assert_ok(mlv_git_resolve(fixture->repo, revs[i], &oid, &error), error);
		mlv_oid_format(&oid, hex);
		assert_string_equal(hex, expected);
	}
	assert_false(mlv_git_resolve(fixture->repo, "nonsense", &oid, &error));
	assert_int_equal(error->code, MLV_ERROR_MISSING);
	g_clear_error(&error);
	assert_false(mlv_git_resolve(fixture->repo, "--help", &oid, &error));
	g_autofree char *branch = mlv_git_branch(fixture->repo);
	assert_string_equal(branch, "main");
}

static void words_split_into_revision_and_path(void **state)
{
	Fixture *fixture = *state;
	char *rev, *path;
	gboolean symmetric;

	git_ok(fixture->dir, "commit", "-q", "--allow-empty", "-m", "one");
	assert_true(mlv_git_split_path(fixture->repo, "HEAD:data/x/", &rev, &path, NULL));
	assert_string_equal(rev, "HEAD");
	assert_string_equal(path, "data/x");
	g_free(rev), g_free(path);
	assert_true(mlv_git_split_path(fixture->repo, ":x", &rev, &path, NULL));
	assert_string_equal(rev, "");
	g_free(rev), g_free(path);
	assert_true(mlv_git_split_path(fixture->repo, "odd:name", &rev, &path, NULL));
	assert_null(rev);
	assert_string_equal(path, "odd:name");
	g_free(path);
	assert_false(mlv_git_split_path(fixture->repo, "HEAD:/etc", &rev, &path, NULL));
	assert_true(mlv_git_split_range("a..b", &rev, &path, &symmetric));
	assert_false(symmetric);
	g_free(rev), g_free(path);
	assert_true(mlv_git_split_range("a...", &rev, &path, &symmetric));
	assert_true(symmetric);
	assert_string_equal(path, "HEAD");
	g_free(rev), g_free(path);
	assert_false(mlv_git_split_range("../x", &rev, &path, &symmetric));
	assert_false(mlv_git_split_range("a/../x", &rev, &path, &symmetric));
	assert_false(mlv_git_split_range("..", &rev, &path, &symmetric));
}

static char *walk_text(Fixture *fixture, const char *const *texts)
{
	g_autoptr(MlvGitWalk) walk = mlv_git_walk_new(fixture->repo);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (; *texts; texts++)
		assert_ok(mlv_git_walk_push_text(walk, *texts, &error), error);
	for (;;) {
		g_autoptr(MlvCommit) commit = NULL;
		assert_ok(mlv_git_walk_next(walk, &commit, &error), error);
		if (!commit)
			return g_string_free(g_steal_pointer(&out), FALSE);
		g_autofree char *subject = mlv_commit_subject(commit);
		g_string_append_printf(out, "%s\n", subject);
	}
}

static void commit_at(Fixture *fixture, const char *subject, int second)
{
	g_autofree char *date = g_strdup_printf("%d +0000", 1700000000 + second);
	g_setenv("GIT_COMMITTER_DATE", date, TRUE);
	git_ok(fixture->dir, "commit", "-q", "--allow-empty", "-m", subject);
	g_unsetenv("GIT_COMMITTER_DATE");
}

static void history_is_walked_as_git_log_does(void **state)
{
	static const char *const ranges[][3] = {
		{ "HEAD" },        { "main..side" },      { "side..main" },
		{ "main...side" }, { "^main~1", "main" }, { "side", "main" }
	};
	Fixture *fixture = *state;

	commit_at(fixture, "base", 1);
	git_ok(fixture->dir, "branch", "side");
	commit_at(fixture, "main one", 2);
	git_ok(fixture->dir, "checkout", "-q", "side");
	commit_at(fixture, "side one", 3);
	commit_at(fixture, "side two", 4);
	git_ok(fixture->dir, "checkout", "-q", "main");
	g_setenv("GIT_COMMITTER_DATE", "1700000005 +0000", TRUE);
	git_ok(fixture->dir, "merge", "-q", "--no-ff", "-m", "merged", "side~1");
	g_unsetenv("GIT_COMMITTER_DATE");
	commit_at(fixture, "main two", 6);
	for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++) {
		g_autofree char *ours = walk_text(fixture, ranges[i]);
		g_autofree char *theirs = git_output(fixture->dir, "log", "--format=%s",
						     ranges[i][0], ranges[i][1], NULL);
		assert_string_equal(g_strchomp(ours), theirs);
	}
}

static void a_shallow_clone_ends_where_it_ends(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *clone = g_strconcat(fixture->dir, "-clone", NULL);
	g_autofree char *url = g_strconcat("file://", fixture->dir, NULL);
	static const char *const head[] = { "HEAD", NULL };

	commit_at(fixture, "one", 1);
	commit_at(fixture, "two", 2);
	commit_at(fixture, "three", 3);
	git_ok(fixture->dir, "clone", "-q", "--depth", "2", url, clone);
	Fixture shallow = { clone, mlv_repo_open(clone, NULL) };
	g_autofree char *text = walk_text(&shallow, head);
	assert_string_equal(text, "three\ntwo\n");
	g_autoptr(MlvGitReach) reach = mlv_git_reach_new(shallow.repo);
	assert_true(mlv_git_reach_add_everything(reach, NULL));
	mlv_repo_free(shallow.repo);
	git_scratch_remove(clone);
}

static void changes_of_commits_are_those_of_their_pointers(void **state)
{
	Fixture *fixture = *state;
	gboolean unborn;
	MlvOid first, second;

	add(fixture, "a/x", 1);
	add(fixture, "b", 2);
	git_ok(fixture->dir, "commit", "-q", "-m", "one");
	assert_true(mlv_git_head(fixture->repo, &first, &unborn, NULL));
	add(fixture, "a/x", 3);
	add(fixture, "c/d/e", 4);
	git_ok(fixture->dir, "rm", "-q", "b.mlv");
	git_ok(fixture->dir, "commit", "-q", "-m", "two");
	assert_true(mlv_git_head(fixture->repo, &second, &unborn, NULL));
	g_autoptr(GPtrArray) changes =
		mlv_git_pointer_changes(fixture->repo, &first, &second, NULL);
	assert_int_equal(changes->len, 3);
	const MlvPointerChange *x = changes->pdata[0], *b = changes->pdata[1],
			       *e = changes->pdata[2];
	assert_string_equal(x->path, "a/x");
	assert_int_equal(x->from->pointer.ref.size, 1);
	assert_int_equal(x->to->pointer.ref.size, 3);
	assert_string_equal(b->path, "b");
	assert_null(b->to);
	assert_string_equal(e->path, "c/d/e");
	assert_null(e->from);
	g_autoptr(MlvCommit) root = mlv_git_commit_read(fixture->repo, &first, NULL);
	g_autoptr(GPtrArray) initial = mlv_git_commit_changes(fixture->repo, root, NULL);
	assert_int_equal(initial->len, 2);
}

static gboolean count_visit(const MlvTracked *tracked, const MlvOid *commit, gpointer user,
			    GError **error)
{
	GString *seen = user;
	g_string_append_printf(seen, "%s=%u ", tracked->path, (guint)tracked->pointer.ref.size);
	return TRUE;
}

static void assert_reached(const GString *seen, const char *what, gboolean expected)
{
	g_autofree char *padded = g_strconcat(" ", seen->str, NULL);
	g_autofree char *wanted = g_strconcat(" ", what, " ", NULL);
	if ((strstr(padded, wanted) != NULL) != expected)
		fail_msg("'%s' in '%s'", what, seen->str);
}

static void everything_that_git_keeps_is_reached_once(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *linked = g_strconcat(fixture->dir, "-linked", NULL);
	g_autoptr(GString) seen = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	add(fixture, "x", 1);
	git_ok(fixture->dir, "commit", "-q", "-m", "one");
	add(fixture, "x", 2);
	git_ok(fixture->dir, "commit", "-q", "-m", "two");
	git_ok(fixture->dir, "reset", "-q", "--hard", "HEAD~1"); /* 2: only in the reflog */
	add(fixture, "x", 3);
	git_ok(fixture->dir, "stash", "-q");
	add(fixture, "x", 4);
	git_ok(fixture->dir, "stash", "-q"); /* 3: the older stash entry */
	git_ok(fixture->dir, "worktree", "add", "-q", "--detach", linked);
	Fixture other = { linked, mlv_repo_open(linked, NULL) };
	add(&other, "x", 5); /* the other work tree's index */
	add(&other, "y", 6);
	git_ok(linked, "commit", "-q", "-m", "detached"); /* the other work tree's HEAD */
	add(&other, "x", 7);
	add(fixture, "x", 8);
	g_autoptr(MlvGitReach) reach = mlv_git_reach_new(fixture->repo);
	assert_ok(mlv_git_reach_add_everything(reach, &error), error);
	assert_ok(mlv_git_reach_run(reach, count_visit, seen, &error), error);
	for (int i = 1; i <= 8; i++) {
		g_autofree char *what = g_strdup_printf("%s=%d", i == 6 ? "y" : "x", i);
		assert_reached(seen, what, TRUE);
	}
	g_auto(GStrv) words = g_strsplit(g_strchomp(seen->str), " ", -1);
	assert_int_equal(g_strv_length(words), 8);
	g_autoptr(GArray) tips = mlv_git_reach_tips(reach);
	assert_true(tips->len >= 5);
	g_autoptr(GPtrArray) trees = mlv_git_worktrees(fixture->repo, NULL);
	assert_int_equal(trees->len, 1);
	assert_string_equal(trees->pdata[0], linked);
	g_autoptr(GPtrArray) back = mlv_git_worktrees(other.repo, NULL);
	assert_int_equal(back->len, 1);
	assert_string_equal(back->pdata[0], fixture->dir);
	mlv_repo_free(other.repo);
	git_scratch_remove(linked);
}

static void hidden_commits_are_not_reached(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GString) seen = g_string_new(NULL);
	MlvOid old, new;

	add(fixture, "x", 1);
	git_ok(fixture->dir, "commit", "-q", "-m", "one");
	add(fixture, "x", 2);
	git_ok(fixture->dir, "commit", "-q", "-m", "two");
	add(fixture, "x", 3);
	git_ok(fixture->dir, "commit", "-q", "-m", "three");
	assert_true(mlv_git_resolve(fixture->repo, "HEAD~2", &old, NULL));
	assert_true(mlv_git_resolve(fixture->repo, "HEAD", &new, NULL));
	g_autoptr(MlvGitReach) reach = mlv_git_reach_new(fixture->repo);
	assert_true(mlv_git_reach_hide(reach, &old, NULL));
	assert_true(mlv_git_reach_add(reach, &new, TRUE, NULL));
	assert_true(mlv_git_reach_run(reach, count_visit, seen, NULL));
	assert_string_equal(seen->str, "x=3 x=2 ");
	g_autoptr(MlvGitReach) single = mlv_git_reach_new(fixture->repo);
	g_string_truncate(seen, 0);
	assert_true(mlv_git_reach_add(single, &new, FALSE, NULL));
	assert_true(mlv_git_reach_run(single, count_visit, seen, NULL));
	assert_string_equal(seen->str, "x=3 ");
}

static void a_partial_clone_fetches_the_pointers_it_lacks(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *clone = g_strconcat(fixture->dir, "-clone", NULL);
	g_autofree char *url = g_strconcat("file://", fixture->dir, NULL);
	g_autoptr(GError) error = NULL;
	MlvOid old;

	git_ok(fixture->dir, "config", "uploadpack.allowFilter", "true");
	git_ok(fixture->dir, "config", "uploadpack.allowAnySHA1InWant", "true");
	add(fixture, "x", 1);
	add(fixture, "y", 2);
	git_ok(fixture->dir, "commit", "-q", "-m", "one");
	add(fixture, "x", 3);
	add(fixture, "y", 4);
	git_ok(fixture->dir, "commit", "-q", "-m", "two");
	git_ok(fixture->dir, "clone", "-q", "--filter=blob:none", url, clone);
	g_autoptr(MlvRepo) repo = mlv_repo_open(clone, &error);
	assert_ok(repo != NULL, error);
	assert_ok(mlv_git_resolve(repo, "HEAD~1", &old, &error), error);
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_commit(repo, &old, &error);
	assert_ok(pointers != NULL, error);
	assert_int_equal(pointers->len, 2);
	assert_int_equal(mlv_tracked_find(pointers, "x")->pointer.ref.size, 1);
	git_scratch_remove(clone);
}

static void hostile_names_in_trees_are_reported(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *file = g_build_filename(fixture->dir, "x.mlv", NULL);
	g_autoptr(GError) error = NULL;

	add(fixture, "x", 1);
	g_autofree char *blob = git_output(fixture->dir, "hash-object", file, NULL);
	g_autofree char *script =
		g_strdup_printf("inner=$(printf '100644 blob %s\\tevil.mlv\\n' | git mktree) && "
				"tree=$(printf '040000 tree %%s\\t..\\n' $inner | git mktree) && "
				"git update-ref refs/heads/evil $(git commit-tree -m evil $tree)",
				blob);
	const char *argv[] = { "sh", "-c", script, NULL };
	assert_true(g_spawn_sync(fixture->dir, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				 NULL, NULL, NULL, NULL));
	MlvOid evil;
	assert_ok(mlv_git_resolve(fixture->repo, "evil", &evil, &error), error);
	g_autoptr(GPtrArray) pointers = mlv_git_pointers_in_commit(fixture->repo, &evil, &error);
	assert_ok(pointers != NULL, error);
	assert_int_equal(pointers->len, 1);
	assert_non_null(((MlvTracked *)pointers->pdata[0])->error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pointer_is_staged_with_its_ignore_line),
		TEST(other_edits_of_gitignore_stay_unstaged),
		TEST(an_untracked_gitignore_stays_the_users_own),
		TEST(removing_takes_pointer_line_and_empty_file_away),
		TEST(many_are_staged_at_once_in_a_stable_order),
		TEST(a_lock_of_another_git_is_waited_for_and_reported),
		TEST(a_lock_left_by_a_killed_mlv_is_taken_over),
		TEST(conflicts_are_staged_and_read),
		TEST(files_are_staged_as_git_add_does),
		TEST(all_tracked_works_without_any_commit),
		TEST(pointers_are_read_from_commits_head_and_index),
		TEST(pointer_files_of_the_work_tree_are_found),
		TEST(what_git_tracks_and_ignores_is_known),
		TEST(large_files_on_their_way_into_git_are_seen),
		TEST(revisions_are_resolved_as_git_does),
		TEST(words_split_into_revision_and_path),
		TEST(history_is_walked_as_git_log_does),
		TEST(a_shallow_clone_ends_where_it_ends),
		TEST(changes_of_commits_are_those_of_their_pointers),
		TEST(everything_that_git_keeps_is_reached_once),
		TEST(hidden_commits_are_not_reached),
		TEST(a_partial_clone_fetches_the_pointers_it_lacks),
		TEST(hostile_names_in_trees_are_reported),
	};
	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
