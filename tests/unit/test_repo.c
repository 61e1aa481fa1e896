/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/git_tree.h"
#include "core/repo.h"
#include "tests/unit/git_scratch.h"

static MlvRepo *open_at(const char *dir, const char *folder)
{
	g_autofree char *path = g_build_filename(dir, folder, NULL);
	g_autoptr(GError) error = NULL;
	MlvRepo *repo = mlv_repo_open(path, &error);

	if (!repo)
		fail_msg("cannot open: %s", error->message);
	return repo;
}

static void assert_not_opened(const char *dir, MlvError code, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvRepo) repo = mlv_repo_open(dir, &error);

	assert_null(repo);
	if (error->code != (int)code || !strstr(error->message, why))
		fail_msg("code %d: %s", error->code, error->message);
}

static void a_repository_is_found_from_a_folder_in_it(void **state)
{
	g_autofree char *dir = git_scratch_repo();

	write_text(dir, "a/b/file", "x");
	g_autoptr(MlvRepo) repo = open_at(dir, "a/b");
	assert_string_equal(mlv_repo_root(repo), dir);
	assert_string_equal(mlv_repo_prefix(repo), "a/b");
	g_autofree char *git_dir = g_build_filename(dir, ".git", NULL);
	assert_string_equal(mlv_repo_git_dir(repo), git_dir);
	assert_string_equal(mlv_repo_common_dir(repo), git_dir);
	assert_string_equal(mlv_repo_main_root(repo), dir);
	g_autofree char *store = g_build_filename(git_dir, "mlv", "store", NULL);
	assert_string_equal(mlv_repo_store_dir(repo), store);
	assert_true(mlv_repo_root_fd(repo) >= 0);
	git_scratch_remove(dir);
}

static void no_repository_is_said_so(void **state)
{
	g_autofree char *dir = g_dir_make_tmp("mlv-test-XXXXXX", NULL);

	assert_not_opened(dir, MLV_ERROR_MISSING, "mlv init");
	git_scratch_remove(dir);
}

static void a_bare_repository_is_refused(void **state)
{
	g_autofree char *dir = g_dir_make_tmp("mlv-test-XXXXXX", NULL);

	git_ok(dir, "init", "-q", "--bare");
	assert_not_opened(dir, MLV_ERROR_UNSUPPORTED, "bare");
	g_autoptr(MlvRepo) repo = mlv_repo_open_git_dir(dir, NULL);
	assert_non_null(repo);
	assert_null(mlv_repo_root(repo));
	git_scratch_remove(dir);
}

static void formats_that_cannot_be_read_are_named(void **state)
{
	g_autofree char *dir = g_dir_make_tmp("mlv-test-XXXXXX", NULL);
	g_autofree char *other = git_scratch_repo();

	git_ok(dir, "init", "-q", "--object-format=sha256");
	assert_not_opened(dir, MLV_ERROR_UNSUPPORTED, "SHA-256");
	write_text(other, ".git/config",
		   "[core]\nrepositoryformatversion = 1\n[extensions]\nrefStorage = reftable\n");
	assert_not_opened(other, MLV_ERROR_UNSUPPORTED, "reftable");
	write_text(other, ".git/config",
		   "[core]\nrepositoryformatversion = 1\n[extensions]\nwonder = true\n");
	assert_not_opened(other, MLV_ERROR_UNSUPPORTED, "wonder");
	git_scratch_remove(dir);
	git_scratch_remove(other);
}

static void a_split_index_is_named(void **state)
{
	g_autofree char *dir = git_scratch_repo();
	g_autoptr(GError) error = NULL;

	write_text(dir, "f", "x");
	git_ok(dir, "add", "f");
	git_ok(dir, "update-index", "--split-index");
	g_autoptr(MlvRepo) repo = open_at(dir, ".");
	assert_null(mlv_git_pointers_in_index(repo, &error));
	assert_int_equal(error->code, MLV_ERROR_UNSUPPORTED);
	assert_non_null(strstr(error->message, "split index"));
	git_scratch_remove(dir);
}

static void extensions_that_change_nothing_for_mlv_are_allowed(void **state)
{
	g_autofree char *dir = git_scratch_repo();

	git_ok(dir, "config", "core.repositoryformatversion", "1");
	git_ok(dir, "config", "extensions.worktreeConfig", "true");
	git_ok(dir, "config", "extensions.partialClone", "origin");
	git_ok(dir, "config", "--worktree", "mlv.jobs", "7");
	g_autoptr(MlvRepo) repo = open_at(dir, ".");
	assert_string_equal(mlv_config_get(mlv_repo_config(repo), "mlv.jobs"), "7");
	git_scratch_remove(dir);
}

static void a_linked_work_tree_shares_the_store(void **state)
{
	g_autofree char *dir = git_scratch_repo();
	g_autofree char *linked = g_strconcat(dir, "-linked", NULL);

	git_ok(dir, "commit", "-q", "--allow-empty", "-m", "x");
	git_ok(dir, "worktree", "add", "-q", linked);
	g_autoptr(MlvRepo) repo = open_at(linked, ".");
	assert_string_equal(mlv_repo_root(repo), linked);
	assert_string_equal(mlv_repo_main_root(repo), dir);
	g_autofree char *mlv_dir = g_build_filename(dir, ".git", "mlv", NULL);
	assert_string_equal(mlv_repo_mlv_dir(repo), mlv_dir);
	assert_string_not_equal(mlv_repo_worktree_dir(repo), mlv_dir);
	git_scratch_remove(linked);
	git_scratch_remove(dir);
}

static void the_environment_of_git_is_honoured(void **state)
{
	g_autofree char *dir = git_scratch_repo();
	g_autofree char *tree = g_dir_make_tmp("mlv-tree-XXXXXX", NULL);
	g_autofree char *git_dir = g_build_filename(dir, ".git", NULL);

	g_setenv("GIT_DIR", git_dir, TRUE);
	g_setenv("GIT_WORK_TREE", tree, TRUE);
	g_setenv("GIT_INDEX_FILE", "other-index", TRUE);
	g_autoptr(MlvRepo) repo = open_at(tree, ".");
	assert_string_equal(mlv_repo_root(repo), tree);
	assert_string_equal(mlv_repo_git_dir(repo), git_dir);
	g_autofree char *index = g_build_filename(tree, "other-index", NULL);
	assert_string_equal(mlv_repo_index_file(repo), index);
	g_unsetenv("GIT_WORK_TREE");
	g_unsetenv("GIT_INDEX_FILE");
	/* As git: with GIT_DIR alone the current folder is the work tree. */
	g_autoptr(MlvRepo) alone = open_at(tree, ".");
	assert_string_equal(mlv_repo_root(alone), tree);
	g_setenv("GIT_COMMON_DIR", tree, TRUE);
	assert_not_opened(tree, MLV_ERROR_UNSUPPORTED, "GIT_COMMON_DIR");
	g_unsetenv("GIT_COMMON_DIR");
	g_unsetenv("GIT_DIR");
	write_text(dir, "sub/deep/f", "x");
	g_autofree char *sub = g_build_filename(dir, "sub", NULL);
	g_autofree char *deep = g_build_filename(sub, "deep", NULL);
	g_setenv("GIT_CEILING_DIRECTORIES", sub, TRUE);
	assert_not_opened(deep, MLV_ERROR_MISSING, "no git repository");
	g_unsetenv("GIT_CEILING_DIRECTORIES");
	git_scratch_remove(tree);
	git_scratch_remove(dir);
}

static void assert_relative(const MlvRepo *repo, const char *path, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *relative = mlv_repo_relative(repo, path, &error);

	if (g_strcmp0(relative, expected) != 0)
		fail_msg("'%s' gives '%s' (%s)", path, relative, error ? error->message : "");
	if (!relative)
		assert_int_equal(error->code, MLV_ERROR_FAILED);
}

static void paths_become_relative_to_the_root(void **state)
{
	g_autofree char *dir = git_scratch_repo();

	write_text(dir, "a/b/file", "x");
	write_text(dir, "out/f", "x");
	g_autofree char *link = g_build_filename(dir, "link", NULL);
	assert_int_equal(symlink("a/b", link), 0);
	g_autofree char *away = g_build_filename(dir, "away", NULL);
	assert_int_equal(symlink("/", away), 0);
	g_autoptr(MlvRepo) repo = open_at(dir, "a");
	assert_relative(repo, "b/file", "a/b/file");
	assert_relative(repo, "b//./file/", "a/b/file");
	assert_relative(repo, "../out/f", "out/f");
	assert_relative(repo, ".", "a");
	assert_relative(repo, "..", "");
	assert_relative(repo, "b/..", "a");
	assert_relative(repo, "absent/x/../y", "a/absent/y");
	assert_relative(repo, "../link/file", "a/b/file");
	assert_relative(repo, "../link", "link");
	assert_relative(repo, "\xff\xfe", "a/\xff\xfe");
	g_autofree char *absolute = g_build_filename(dir, "out", "new", NULL);
	assert_relative(repo, absolute, "out/new");
	assert_relative(repo, "../..", NULL);
	assert_relative(repo, "../../x", NULL);
	assert_relative(repo, "../away/etc", NULL);
	assert_relative(repo, "/etc/passwd", NULL);
	assert_relative(repo, "../.git/config", NULL);
	assert_relative(repo, "x/.GIT/y", NULL);
	assert_relative(repo, "", NULL);
	git_scratch_remove(dir);
}

static void shown_paths_are_relative_to_where_the_user_stands(void **state)
{
	static const char *const pairs[][2] = { { "a/b", "." },          { "a/b/c", "c" },
						{ "a/c", "../c" },       { "x", "../../x" },
						{ "a", ".." },           { "", "../.." },
						{ "ab/c", "../../ab/c" } };
	g_autofree char *dir = git_scratch_repo();

	write_text(dir, "a/b/file", "x");
	g_autoptr(MlvRepo) repo = open_at(dir, "a/b");
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *shown = mlv_repo_display(repo, pairs[i][0]);
		assert_string_equal(shown, pairs[i][1]);
	}
	git_scratch_remove(dir);
}

static void init_makes_a_repository_and_can_be_run_again(void **state)
{
	g_autofree char *dir = g_dir_make_tmp("mlv-test-XXXXXX", NULL);
	g_autoptr(GError) error = NULL;
	gboolean created;

	g_autoptr(MlvRepo) repo = mlv_repo_init(dir, &created, &error);
	if (!repo)
		fail_msg("%s", error->message);
	assert_true(created);
	g_autofree char *id = g_strdup(mlv_repo_id(repo));
	assert_int_equal(strlen(id), MLV_REPO_ID_HEX);
	g_autofree char *staged = git_output(dir, "status", "--porcelain", NULL);
	assert_string_equal(staged, "A  .mlvconfig");
	g_autoptr(MlvRepo) again = mlv_repo_init(dir, &created, &error);
	assert_non_null(again);
	assert_false(created);
	assert_string_equal(mlv_repo_id(again), id);
	git_ok(dir, "commit", "-q", "-m", "x");
	git_ok(dir, "fsck", "--strict");
	git_scratch_remove(dir);
}

static void a_clone_keeps_its_own_id(void **state)
{
	g_autofree char *dir = git_scratch_repo();
	char first[MLV_REPO_ID_HEX + 1], second[MLV_REPO_ID_HEX + 1];
	g_autoptr(GError) error = NULL;

	g_autoptr(MlvRepo) repo = open_at(dir, ".");
	assert_true(mlv_repo_clone_id(repo, first, NULL));
	assert_true(mlv_repo_clone_id(repo, second, NULL));
	assert_string_equal(first, second);
	write_text(dir, ".git/mlv/clone", "nonsense\n");
	assert_false(mlv_repo_clone_id(repo, second, &error));
	git_scratch_remove(dir);
}

static void symlinks_are_not_followed_by_reads_and_writes(void **state)
{
	g_autofree char *dir = git_scratch_repo();
	g_autofree char *outside = g_dir_make_tmp("mlv-out-XXXXXX", NULL);
	g_autofree char *link = g_build_filename(dir, "link", NULL);
	g_autoptr(GError) error = NULL;

	write_text(outside, "secret", "x");
	assert_int_equal(symlink(outside, link), 0);
	g_autoptr(MlvRepo) repo = open_at(dir, ".");
	assert_null(mlv_repo_read_file(repo, "link/secret", 100, &error));
	assert_false(mlv_repo_write_file(repo, "link/new", "x", 1, 0666, NULL));
	assert_true(mlv_repo_write_file(repo, "deep/er/new", "x", 1, 0666, NULL));
	g_autoptr(GBytes) back = mlv_repo_read_file(repo, "deep/er/new", 100, NULL);
	assert_int_equal(g_bytes_get_size(back), 1);
	assert_true(mlv_repo_remove_file(repo, "deep/er/new", NULL));
	assert_true(mlv_repo_remove_file(repo, "deep/er/new", NULL));
	git_scratch_remove(outside);
	git_scratch_remove(dir);
}

static void a_submodule_is_a_repository_of_its_own(void **state)
{
	g_autofree char *inner = git_scratch_repo();
	g_autofree char *dir = git_scratch_repo();

	git_ok(inner, "commit", "-q", "--allow-empty", "-m", "x");
	git_ok(dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner,
	       "sub");
	g_autoptr(MlvRepo) repo = open_at(dir, "sub");
	g_autofree char *root = g_build_filename(dir, "sub", NULL);
	assert_string_equal(mlv_repo_root(repo), root);
	assert_string_equal(mlv_repo_main_root(repo), root);
	g_autofree char *git_dir = g_build_filename(dir, ".git", "modules", "sub", NULL);
	assert_string_equal(mlv_repo_git_dir(repo), git_dir);
	git_scratch_remove(dir);
	git_scratch_remove(inner);
}

static void another_users_repository_needs_the_users_word(void **state)
{
	g_autofree char *dir = git_scratch_repo();

	if (geteuid() != 0 || chown(dir, 12345, (gid_t)-1) < 0) {
		git_scratch_remove(dir);
		skip();
	}
	assert_not_opened(dir, MLV_ERROR_FAILED, "belongs to another user");
	g_setenv("GIT_CONFIG_COUNT", "1", TRUE);
	g_setenv("GIT_CONFIG_KEY_0", "safe.directory", TRUE);
	g_setenv("GIT_CONFIG_VALUE_0", dir, TRUE);
	g_autoptr(MlvRepo) repo = open_at(dir, ".");
	assert_non_null(repo);
	g_unsetenv("GIT_CONFIG_COUNT");
	git_scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repository_is_found_from_a_folder_in_it),
		cmocka_unit_test(no_repository_is_said_so),
		cmocka_unit_test(a_bare_repository_is_refused),
		cmocka_unit_test(formats_that_cannot_be_read_are_named),
		cmocka_unit_test(a_split_index_is_named),
		cmocka_unit_test(extensions_that_change_nothing_for_mlv_are_allowed),
		cmocka_unit_test(a_linked_work_tree_shares_the_store),
		cmocka_unit_test(the_environment_of_git_is_honoured),
		cmocka_unit_test(paths_become_relative_to_the_root),
		cmocka_unit_test(shown_paths_are_relative_to_where_the_user_stands),
		cmocka_unit_test(init_makes_a_repository_and_can_be_run_again),
		cmocka_unit_test(a_clone_keeps_its_own_id),
		cmocka_unit_test(symlinks_are_not_followed_by_reads_and_writes),
		cmocka_unit_test(a_submodule_is_a_repository_of_its_own),
		cmocka_unit_test(another_users_repository_needs_the_users_word),
	};
	git_scratch_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
