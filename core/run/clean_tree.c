/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/clean_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/git_run.h"
#include "core/run/recorder_private.h"
#include "core/workspace.h"

#define UP_MAX 64u /* folders above the root to which dependencies may lead */

struct MlvCleanTree {
	MlvRepo *repo;
	MlvRunLive live;
	char *name;
	guint up; /* folders between `live.path` and the tree, called as those above the root */
	GPtrArray *outside;
	char *path; /* NULL: not filled yet */
};

/* git in `folder` (NULL: where the repository is), without what names the user's index, which a
 * checkout would write: a hook's environment has it. */
static gboolean run_git(MlvRepo *repo, const char *folder, const char *const *words, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autoptr(GBytes) output = NULL;
	static const char *const all[] = { "env", "-u", "GIT_INDEX_FILE" };
	static const char *const elsewhere[] = { "-u", "GIT_DIR", "-u", "GIT_WORK_TREE" };

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		g_ptr_array_add(argv, (gpointer)all[i]);
	for (gsize i = 0; folder && i < G_N_ELEMENTS(elsewhere); i++)
		g_ptr_array_add(argv, (gpointer)elsewhere[i]);
	g_ptr_array_add(argv, (gpointer) "git");
	if (folder) {
		g_ptr_array_add(argv, (gpointer) "-C");
		g_ptr_array_add(argv, (gpointer)folder);
	}
	for (; *words; words++)
		g_ptr_array_add(argv, (gpointer)*words);
	g_ptr_array_add(argv, NULL);
	return mlv_program_capture(repo, (char **)argv->pdata, NULL, &output, NULL, error);
}

gboolean mlv_clean_tree_add(MlvRepo *repo, const char *path, const char *rev, GError **error)
{
	const char *words[] = {
		"-c",       "core.hooksPath=/dev/null",
		"-c",       "core.sparseCheckout=false",
		"worktree", "add",
		"--quiet",  "--force",
		"--detach", path,
		rev,        NULL,
	};

	if (run_git(repo, NULL, words, error))
		return TRUE;
	g_prefix_error(error, "cannot check '%s' out into a work tree of its own: ", rev);
	return FALSE;
}

void mlv_clean_tree_prune(MlvRepo *repo)
{
	static const char *const argv[] = { "worktree", "prune", NULL };
	g_autoptr(GBytes) output = NULL;

	mlv_git_capture(repo, argv, NULL, &output, NULL, NULL);
}

MlvCleanTree *mlv_clean_tree_new(MlvRepo *repo, const char *what, GError **error)
{
	g_autoptr(MlvCleanTree) tree = g_new0(MlvCleanTree, 1);

	tree->repo = repo;
	tree->live.lock = -1;
	tree->name = mlv_run_make_name(what);
	tree->outside = g_ptr_array_new_with_free_func(g_free);
	if (!mlv_run_live_make(repo, tree->name, &tree->live, error))
		return NULL;
	/* a program that works in there outlives us, and its tree with it, if we are killed */
	fcntl(tree->live.lock, F_SETFD, 0);
	return g_steal_pointer(&tree);
}

/* How many folders "../../x" goes up, and what is left. */
static guint count_up(const char *path, const char **rest)
{
	guint up = 0;

	while (strncmp(path, "../", 3) == 0) {
		path += 3;
		up++;
	}
	*rest = path;
	return up;
}

gboolean mlv_clean_tree_link(MlvCleanTree *tree, const char *outside, GError **error)
{
	const char *rest;
	guint up = count_up(outside, &rest);

	if (up == 0)
		return TRUE;
	if (up > UP_MAX)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED, "'%s' leads more than %u folders up",
				outside, UP_MAX);
	tree->up = MAX(tree->up, up);
	g_ptr_array_add(tree->outside, g_strdup(outside));
	return TRUE;
}

/* The tree lies as deep in our folder as those paths lead up; there they find links to what they
 * mean. */
static gboolean make_link(const MlvCleanTree *tree, const char *outside, GError **error)
{
	g_autofree char *here = g_canonicalize_filename(outside, tree->path);
	g_autofree char *there = g_canonicalize_filename(outside, mlv_repo_root(tree->repo));
	g_autofree char *folder = g_path_get_dirname(here);

	if (!g_str_has_prefix(here, tree->live.path) || g_file_test(here, G_FILE_TEST_EXISTS))
		return TRUE;
	if (g_mkdir_with_parents(folder, 0777) < 0)
		return mlv_fail_errno(error, "cannot make the folder '%s'", folder);
	return symlink(there, here) == 0 || errno == EEXIST ||
	       mlv_fail_errno(error, "cannot make the link '%s'", here);
}

/* --- submodules ------------------------------------------------------------------------------- */

/* "-c submodule.NAME.url=..." and the path of each that was cloned here: nothing is fetched. */
static void add_cloned(const MlvCleanTree *tree, GPtrArray *words, GPtrArray *paths,
		       GPtrArray *kept)
{
	const char *common = mlv_repo_common_dir(tree->repo);
	g_autofree char *file = g_build_filename(tree->path, ".gitmodules", NULL);
	const char *argv[] = { "config", "-z",           "-f",
			       file,     "--get-regexp", "^submodule\\..*\\.path$",
			       NULL };
	g_autoptr(GBytes) output = NULL;
	gsize length;

	if (!mlv_git_capture(tree->repo, argv, NULL, &output, NULL, NULL))
		return;
	const char *data = g_bytes_get_data(output, &length);
	/* "submodule.NAME.path\nPATH\0" */
	for (gsize at = 0; at < length; at += strnlen(data + at, length - at) + 1) {
		g_autofree char *entry = g_strndup(data + at, length - at);
		char *path = strchr(entry, '\n');
		if (!path || path - entry < 16)
			continue;
		g_autofree char *name = g_strndup(entry + 10, (gsize)(path - entry) - 15);
		g_autofree char *folder = g_build_filename(common, "modules", name, NULL);
		if (strstr(name, "..") || !g_file_test(folder, G_FILE_TEST_IS_DIR))
			continue;
		char *setting = g_strdup_printf("submodule.%s.url=%s", name, folder);
		char *copy = g_strdup(path + 1);
		g_ptr_array_add(kept, setting);
		g_ptr_array_add(kept, copy);
		g_ptr_array_add(words, (gpointer) "-c");
		g_ptr_array_add(words, setting);
		g_ptr_array_add(paths, copy);
	}
}

/* Those that the user has cloned: their work tree has no others, and to make them known would
 * be written into the configuration. */
static gboolean update_submodules(const MlvCleanTree *tree, GError **error)
{
	static const char *const update[] = {
		"-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--"
	};
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);

	add_cloned(tree, words, paths, kept);
	if (paths->len == 0)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(update); i++)
		g_ptr_array_add(words, (gpointer)update[i]);
	for (guint i = 0; i < paths->len; i++)
		g_ptr_array_add(words, paths->pdata[i]);
	g_ptr_array_add(words, NULL);
	return run_git(tree->repo, tree->path, (const char *const *)words->pdata, error);
}

/* Whoever does not need them may go on without. */
static void bring_submodules(const MlvCleanTree *tree)
{
	const MlvRepoCaller *caller = mlv_repo_caller(tree->repo);
	g_autofree char *file = g_build_filename(tree->path, ".gitmodules", NULL);
	g_autoptr(GError) why = NULL;

	if (!g_file_test(file, G_FILE_TEST_IS_REGULAR) || update_submodules(tree, &why))
		return;
	if (caller && caller->warn) {
		g_autofree char *text =
			g_strdup_printf("submodules are not there: %s", why->message);
		caller->warn(text, caller->user);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

gboolean mlv_clean_tree_fill(MlvCleanTree *tree, const char *rev, GError **error)
{
	g_auto(GStrv) names = g_strsplit(mlv_repo_root(tree->repo), "/", -1);
	guint count = g_strv_length(names);
	g_autoptr(GString) path = g_string_new(tree->live.path);

	for (guint i = tree->up + 1; i-- > 0;) {
		const char *name = i < count ? names[count - 1 - i] : "";
		if (g_mkdir_with_parents(path->str, 0777) < 0)
			return mlv_fail_errno(error, "cannot make the folder '%s'", path->str);
		g_string_append_printf(path, "/%s", *name ? name : "tree");
	}
	tree->path = g_string_free(g_steal_pointer(&path), FALSE);
	for (guint i = 0; i < tree->outside->len; i++)
		if (!make_link(tree, tree->outside->pdata[i], error))
			return FALSE;
	if (!mlv_clean_tree_add(tree->repo, tree->path, rev, error))
		return FALSE;
	bring_submodules(tree);
	return TRUE;
}

char *mlv_clean_tree_enter(const MlvCleanTree *tree, const char *folder)
{
	g_auto(MlvFd) root = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!*folder || root < 0 || !mlv_workspace_make_dirs(root, folder, NULL))
		return g_strdup(tree->path);
	return g_build_filename(tree->path, folder, NULL);
}

const char *mlv_clean_tree_path(const MlvCleanTree *tree)
{
	return tree->path;
}

const char *mlv_clean_tree_folder(const MlvCleanTree *tree)
{
	return tree->live.path;
}

const char *mlv_clean_tree_name(const MlvCleanTree *tree)
{
	return tree->name;
}

void mlv_clean_tree_free(MlvCleanTree *tree)
{
	if (!tree)
		return;
	mlv_run_live_remove(&tree->live);
	if (tree->path)
		mlv_clean_tree_prune(tree->repo);
	g_ptr_array_unref(tree->outside);
	g_free(tree->path);
	g_free(tree->name);
	g_free(tree);
}
