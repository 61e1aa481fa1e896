/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and opening a repository through libgit2, and what every other git_*.c file needs of
 * it. */
#include <errno.h>
#include <git2/sys/repository.h>
#include <stdlib.h>
#include <string.h>

#include "core/git_internal.h"

gboolean mlv_git_fail(GError **error, int code, const char *format, ...)
{
	const git_error *last = git_error_last();
	MlvError mlv_code = code == GIT_ENOTFOUND ? MLV_ERROR_MISSING
			    : code == GIT_EEXISTS ? MLV_ERROR_EXISTS
						  : MLV_ERROR_FAILED;
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	mlv_fail(error, mlv_code, "%s: %s", text,
		 last && last->message ? last->message : "git gives no reason");
	git_error_clear();
	return FALSE;
}

static char *without_slash(const char *path)
{
	gsize length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return g_strndup(path, length);
}

static char *real_folder(const char *path)
{
	char *real = realpath(path, NULL);
	char *copy = real ? g_strdup(real) : without_slash(path);
	free(real);
	return copy;
}

static void set_options(void)
{
	/* Those that change nothing in what libgit2 reads: config.worktree is read by git_config.c,
	 * missing objects of a partial clone are fetched by git, and nothing here removes
	 * objects. */
	const char *extensions[] = { "worktreeconfig", "worktreeConfig",  "partialclone",
				     "partialClone",   "preciousobjects", "preciousObjects" };
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, G_N_ELEMENTS(extensions));
	/* What a new tree names was just written, or comes from another tree; to look for each of
	 * them takes long, and in a clone without blobs it would fail. */
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 0);
}

/* What libgit2 cannot open, said so that the user knows what to do. */
static gboolean explain(const char *where, int code, GError **error)
{
	const git_error *last = git_error_last();
	g_autofree char *reason = g_strdup(last && last->message ? last->message : "");
	const char *extension = strstr(reason, "extensions.");

	git_error_clear();
	if (code == GIT_ENOTFOUND)
		return mlv_fail(
			error, MLV_ERROR_MISSING,
			"no git repository at '%s' nor in any folder above it; run 'mlv init' to "
			"make one",
			where);
	if (code == GIT_EOWNER)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"the repository at '%s' belongs to another user; if you trust it, run 'git "
			"config --global --add safe.directory %s'",
			where, where);
	if (strstr(reason, "object format") || (extension && strstr(extension, "objectformat")))
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			"the repository at '%s' has the extension 'objectFormat' (SHA-256), which "
			"mlv cannot read; use one with SHA-1",
			where);
	if (extension && strstr(extension, "refstorage"))
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			"the repository at '%s' has the extension 'refStorage' (reftable), which "
			"mlv cannot read; run 'git refs migrate --ref-format=files'",
			where);
	if (extension)
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			"the repository at '%s' has the extension '%s', which mlv cannot read",
			where, extension + strlen("extensions."));
	return mlv_fail(error, MLV_ERROR_FAILED, "cannot open the git repository at '%s': %s",
			where, reason);
}

static gboolean is_true(const char *text)
{
	gboolean value;
	return text && mlv_config_parse_bool(text, &value) && value;
}

static int open_once(MlvRepo *repo, const char *git_dir)
{
	if (git_dir) {
		unsigned int flags = GIT_REPOSITORY_OPEN_NO_SEARCH;
		if (g_file_test(git_dir, G_FILE_TEST_IS_DIR))
			flags |= GIT_REPOSITORY_OPEN_NO_DOTGIT;
		return git_repository_open_ext(&repo->git, git_dir, flags, NULL);
	}
	unsigned int flags = is_true(g_getenv("GIT_DISCOVERY_ACROSS_FILESYSTEM"))
				     ? GIT_REPOSITORY_OPEN_CROSS_FS
				     : 0;
	return git_repository_open_ext(&repo->git, repo->cwd, flags,
				       g_getenv("GIT_CEILING_DIRECTORIES"));
}

/* Whether the user's own configuration or environment lists this folder as safe, which libgit2
 * reads less of than git does. */
static gboolean is_declared_safe(MlvRepo *repo, const char *folder)
{
	g_autoptr(MlvConfig) config = mlv_config_new();
	gboolean safe = FALSE;

	if (!mlv_git_load_config(repo, config, NULL) ||
	    !mlv_config_append_environment(config, NULL))
		return FALSE;
	g_autoptr(GPtrArray) values = mlv_config_get_all(config, "safe.directory");
	for (guint i = 0; i < values->len; i++) {
		const char *value = values->pdata[i];
		g_autofree char *plain = without_slash(value);
		if (!*value)
			safe = FALSE;
		else if (strcmp(value, "*") == 0 || strcmp(plain, folder) == 0)
			safe = TRUE;
		else if (g_str_has_suffix(value, "/*") &&
			 strncmp(value, folder, strlen(value) - 1) == 0)
			safe = TRUE;
	}
	return safe;
}

/* libgit2 1.5 says "not found" of another user's repository where no safe.directory is set. */
static gboolean is_foreign(int code)
{
	const git_error *last = git_error_last();

	return code == GIT_EOWNER || (code == GIT_ENOTFOUND && last && last->message &&
				      strstr(last->message, "safe.directory"));
}

static int open_checked(MlvRepo *repo, const char *git_dir, char **where)
{
	int code = open_once(repo, git_dir);

	*where = g_strdup(git_dir ? git_dir : repo->cwd);
	if (!is_foreign(code))
		return code;
	/* Open it anyway to learn its root, then ask the configuration. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	code = open_once(repo, git_dir);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
	if (code < 0)
		return code;
	const char *workdir = git_repository_workdir(repo->git);
	g_autofree char *folder = without_slash(workdir ? workdir : git_repository_path(repo->git));
	git_repository_free(g_steal_pointer(&repo->git));
	if (is_declared_safe(repo, folder)) {
		git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
		code = open_once(repo, git_dir);
		git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
		return code;
	}
	g_free(*where);
	*where = g_steal_pointer(&folder);
	return GIT_EOWNER;
}

static char *absolute(const MlvRepo *repo, const char *path)
{
	return g_canonicalize_filename(path, repo->cwd);
}

/* GIT_WORK_TREE; or with GIT_DIR alone the current folder, unless core.worktree or core.bare say
 * otherwise. */
static gboolean apply_work_tree(MlvRepo *repo, gboolean from_git_dir, GError **error)
{
	const char *work_tree = g_getenv("GIT_WORK_TREE");
	g_autofree char *chosen = NULL;

	if (work_tree && *work_tree) {
		chosen = absolute(repo, work_tree);
	} else if (from_git_dir && !git_repository_is_bare(repo->git)) {
		g_autoptr(git_config) config = NULL;
		git_config_entry *entry = NULL;
		if (git_repository_config_snapshot(&config, repo->git) == 0 &&
		    git_config_get_entry(&entry, config, "core.worktree") == 0)
			git_config_entry_free(entry);
		else
			chosen = g_strdup(repo->cwd);
	}
	if (!chosen)
		return TRUE;
	if (!g_file_test(chosen, G_FILE_TEST_IS_DIR))
		return mlv_fail(error, MLV_ERROR_MISSING,
				"GIT_WORK_TREE names '%s', which is no folder", chosen);
	/* libgit2 1.5 leaks a path that it has already. */
	const char *now = git_repository_workdir(repo->git);
	g_autofree char *same = now ? real_folder(now) : NULL;
	g_autofree char *real = real_folder(chosen);
	if (g_strcmp0(same, real) == 0)
		return TRUE;
	int code = git_repository_set_workdir(repo->git, chosen, 0);
	return code == 0 || mlv_git_fail(error, code, "cannot use '%s' as work tree", chosen);
}

/* GIT_OBJECT_DIRECTORY and GIT_ALTERNATE_OBJECT_DIRECTORIES: git sets them around hooks that look
 * at objects on probation. */
static gboolean apply_object_dirs(MlvRepo *repo, GError **error)
{
	const char *main_dir = g_getenv("GIT_OBJECT_DIRECTORY");
	const char *others = g_getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	int code = 0;

	if (main_dir && *main_dir) {
		g_autofree char *path = absolute(repo, main_dir);
		g_autoptr(git_odb) odb = NULL;
		code = git_odb_open(&odb, path);
		if (code == 0)
			code = git_repository_set_odb(repo->git, odb);
	}
	if (code == 0 && others && *others && mlv_git_odb(repo, error)) {
		g_auto(GStrv) list = g_strsplit(others, ":", -1);
		for (char **at = list; *at && code == 0; at++)
			if (**at) {
				g_autofree char *path = absolute(repo, *at);
				code = git_odb_add_disk_alternate(repo->odb, path);
			}
	}
	return code == 0 ||
	       mlv_git_fail(error, code, "cannot use the environment's object folders");
}

static gboolean apply_environment(MlvRepo *repo, gboolean from_git_dir, GError **error)
{
	const char *common = g_getenv("GIT_COMMON_DIR");
	const char *index = g_getenv("GIT_INDEX_FILE");

	if (common && *common) {
		g_autofree char *path = absolute(repo, common);
		g_autofree char *real = real_folder(path);
		if (strcmp(real, repo->common_dir) != 0)
			return mlv_fail(
				error, MLV_ERROR_UNSUPPORTED,
				"GIT_COMMON_DIR is '%s', but '%s' belongs to '%s': unset it",
				common, repo->git_dir, repo->common_dir);
	}
	if (index && *index) {
		g_free(repo->index_file);
		repo->index_file = absolute(repo, index);
	}
	return apply_work_tree(repo, from_git_dir, error) && apply_object_dirs(repo, error);
}

gboolean mlv_git_open(MlvRepo *repo, gboolean exact, GError **error)
{
	g_autofree char *where = NULL, *git_dir = NULL;
	const char *from_environment = exact ? NULL : g_getenv("GIT_DIR");

	git_libgit2_init();
	set_options();
	if (exact)
		git_dir = g_strdup(repo->cwd);
	else if (from_environment && *from_environment)
		git_dir = absolute(repo, from_environment);
	int code = open_checked(repo, git_dir, &where);
	if (code < 0) {
		repo->git = NULL;
		explain(where, code, error);
		git_libgit2_shutdown();
		return FALSE;
	}
	repo->git_dir = real_folder(git_repository_path(repo->git));
	repo->common_dir = real_folder(git_repository_commondir(repo->git));
	repo->index_file = g_build_filename(repo->git_dir, "index", NULL);
	if (!exact && !apply_environment(repo, git_dir != NULL, error))
		return FALSE;
	const char *workdir = git_repository_workdir(repo->git);
	repo->root = workdir ? real_folder(workdir) : NULL;
	return TRUE;
}

void mlv_git_close(MlvRepo *repo)
{
	if (!repo->git)
		return;
	git_index_free(repo->index);
	git_odb_free(repo->odb);
	git_repository_free(repo->git);
	repo->git = NULL;
	git_libgit2_shutdown();
}

git_odb *mlv_git_odb(MlvRepo *repo, GError **error)
{
	if (!repo->odb) {
		int code = git_repository_odb(&repo->odb, repo->git);
		if (code < 0)
			mlv_git_fail(error, code, "cannot open the objects of '%s'",
				     repo->common_dir);
	}
	return repo->odb;
}
