/* SPDX-License-Identifier: Apache-2.0 */
#include "core/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/git_run.h"
#include "core/git_staging.h"
#include "core/repo_private.h"
#include "storage/file.h"

static char *real_path(const char *path, GError **error)
{
	char *real = realpath(path, NULL);
	if (!real)
		mlv_fail_errno(error, "cannot find folder '%s'", path);
	char *copy = g_strdup(real);
	free(real);
	return copy;
}

/* What stands behind `folder` in `path`, without a slash; NULL if path is not there or below. */
static const char *below(const char *path, const char *folder)
{
	gsize length = strlen(folder);

	if (length == 1)
		return path + 1;
	if (strncmp(path, folder, length) != 0)
		return NULL;
	if (path[length] == '/')
		return path + length + 1;
	return path[length] ? NULL : path + length;
}

static char *expand_home(const char *path)
{
	if (path[0] == '~' && (path[1] == '/' || !path[1]))
		return g_build_filename(g_get_home_dir(), path + 1, NULL);
	return g_strdup(path);
}

/* mlv.store: absolute, or relative to the main work tree's root. */
static char *find_store(const MlvRepo *repo)
{
	const char *store = mlv_config_get(repo->config, "mlv.store");

	if (!store || !*store)
		return g_build_filename(repo->mlv_dir, "store", NULL);
	g_autofree char *expanded = expand_home(store);
	return g_canonicalize_filename(expanded, repo->main_root);
}

static char *find_main_root(const MlvRepo *repo)
{
	g_autofree char *name = g_path_get_basename(repo->common_dir);

	if (strcmp(name, ".git") == 0)
		return g_path_get_dirname(repo->common_dir);
	return g_strdup(repo->root ? repo->root : repo->common_dir);
}

static gboolean open_root(MlvRepo *repo, GError **error)
{
	repo->root_fd = open(repo->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (repo->root_fd < 0 && errno == EACCES)
		repo->root_fd = open(repo->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (repo->root_fd < 0)
		return mlv_fail_errno(error, "cannot open the work tree '%s'", repo->root);
	const char *prefix = below(repo->cwd, repo->root);
	gboolean in_git = below(repo->cwd, repo->git_dir) != NULL;

	repo->outside = !prefix && !in_git;
	repo->prefix = g_strdup(prefix && !in_git ? prefix : "");
	return TRUE;
}

static MlvRepo *open_repo(const char *dir, gboolean exact, GError **error)
{
	g_autoptr(MlvRepo) repo = g_new0(MlvRepo, 1);

	repo->root_fd = -1;
	repo->cwd = real_path(dir, error);
	if (!repo->cwd || !mlv_git_open(repo, exact, error))
		return NULL;
	repo->mlv_dir = g_build_filename(repo->common_dir, "mlv", NULL);
	repo->worktree_dir = g_build_filename(repo->git_dir, "mlv", NULL);
	repo->main_root = find_main_root(repo);
	if (!repo->root && !exact) {
		mlv_fail(error, MLV_ERROR_UNSUPPORTED,
			 "'%s' is a bare repository: mlv needs a work tree; clone it first",
			 repo->git_dir);
		return NULL;
	}
	if (repo->root && !open_root(repo, error))
		return NULL;
	if (!mlv_repo_reload_config(repo, error))
		return NULL;
	return g_steal_pointer(&repo);
}

MlvRepo *mlv_repo_open(const char *start_dir, GError **error)
{
	return open_repo(start_dir, FALSE, error);
}

MlvRepo *mlv_repo_open_git_dir(const char *git_dir, GError **error)
{
	return open_repo(git_dir, TRUE, error);
}

void mlv_repo_free(MlvRepo *repo)
{
	if (!repo)
		return;
	mlv_git_close(repo);
	if (repo->root_fd >= 0)
		close(repo->root_fd);
	mlv_config_free(repo->config);
	g_clear_pointer(&repo->committed, g_bytes_unref);
	g_clear_pointer(&repo->pointers, g_hash_table_unref);
	g_clear_pointer(&repo->locks, g_hash_table_unref);
	g_free(repo->cwd);
	g_free(repo->root);
	g_free(repo->git_dir);
	g_free(repo->common_dir);
	g_free(repo->mlv_dir);
	g_free(repo->worktree_dir);
	g_free(repo->store_dir);
	g_free(repo->index_file);
	g_free(repo->prefix);
	g_free(repo->main_root);
	g_free(repo);
}

/* --- configuration and identity --------------------------------------------------------------- */

static gboolean append_committed(MlvRepo *repo, MlvConfig *config, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (!repo->root && repo->committed)
		return mlv_config_append_shared(config, g_bytes_get_data(repo->committed, NULL),
						g_bytes_get_size(repo->committed), error);
	if (!repo->root)
		return TRUE;
	g_autoptr(GBytes) bytes = mlv_repo_read_file(repo, MLV_CONFIG_FILE, 1 << 20, &local);
	if (bytes) {
		gsize length;
		const char *data = g_bytes_get_data(bytes, &length);
		return mlv_config_append_shared(config, data, length, error);
	}
	if (g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

gboolean mlv_repo_reload_config(MlvRepo *repo, GError **error)
{
	g_autoptr(MlvConfig) config = mlv_config_new();

	if (!append_committed(repo, config, error) || !mlv_git_load_config(repo, config, error))
		return FALSE;
	if (!mlv_config_append_environment(config, error))
		return FALSE;
	mlv_config_free(repo->config);
	repo->config = g_steal_pointer(&config);
	g_free(repo->store_dir);
	repo->store_dir = find_store(repo);
	return TRUE;
}

gboolean mlv_repo_set_committed_config(MlvRepo *repo, GBytes *bytes, GError **error)
{
	g_clear_pointer(&repo->committed, g_bytes_unref);
	repo->committed = g_bytes_ref(bytes);
	return mlv_repo_reload_config(repo, error);
}

static gboolean is_hex_id(const char *text)
{
	return text && strlen(text) == MLV_REPO_ID_HEX &&
	       strspn(text, "0123456789abcdef") == MLV_REPO_ID_HEX;
}

const char *mlv_repo_id(const MlvRepo *repo)
{
	const char *id = mlv_config_get(repo->config, "mlv.repository");
	return is_hex_id(id) ? id : NULL;
}

static void new_id(char hex[MLV_REPO_ID_HEX + 1])
{
	guint8 bytes[MLV_REPO_ID_HEX / 2];

	mlv_random_bytes(bytes, sizeof bytes);
	for (gsize i = 0; i < sizeof bytes; i++)
		g_snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

gboolean mlv_repo_make_dirs(MlvRepo *repo, GError **error)
{
	const char *dirs[] = { repo->mlv_dir, repo->worktree_dir };

	for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++)
		if (g_mkdir_with_parents(dirs[i], 0777) < 0)
			return mlv_fail_errno(error, "cannot make folder '%s'", dirs[i]);
	return TRUE;
}

gboolean mlv_repo_clone_id(MlvRepo *repo, char hex[MLV_REPO_ID_HEX + 1], GError **error)
{
	g_autofree char *file = g_build_filename(repo->mlv_dir, "clone", NULL);

	/* Two processes may make it at once: link(2) lets one win, and both read what it wrote. */
	for (int round = 0; round < 3; round++) {
		g_autofree char *text = NULL;
		if (g_file_get_contents(file, &text, NULL, NULL)) {
			g_strchomp(text);
			if (!is_hex_id(text))
				return mlv_fail(
					error, MLV_ERROR_CORRUPT,
					"'%s' does not hold a clone id; remove it to get a new one",
					file);
			memcpy(hex, text, MLV_REPO_ID_HEX + 1);
			return TRUE;
		}
		if (!mlv_repo_make_dirs(repo, error))
			return FALSE;
		char fresh[MLV_REPO_ID_HEX + 1];
		new_id(fresh);
		g_autofree char *line = g_strdup_printf("%s\n", fresh);
		g_autofree char *temporary = g_strdup_printf("%s.%s", file, fresh);
		g_autoptr(GError) local = NULL;
		if (!g_file_set_contents(temporary, line, -1, &local))
			return mlv_fail(error, MLV_ERROR_FAILED, "cannot write '%s': %s", file,
					local->message);
		int result = link(temporary, file);
		int saved = errno;
		if (result < 0 && saved != EEXIST)
			result = rename(temporary, file);
		else
			unlink(temporary);
		if (result < 0 && saved != EEXIST)
			return mlv_fail_errno(error, "cannot make '%s'", file);
	}
	return mlv_fail(error, MLV_ERROR_FAILED, "cannot read '%s'", file);
}

/* --- init ------------------------------------------------------------------------------------- */

/* Puts an id into .mlvconfig if it has none, and stages the file if git's index has none or it was
 * changed here. */
static gboolean ensure_id(MlvRepo *repo, GError **error)
{
	gboolean tracked = FALSE;

	if (!mlv_repo_id(repo)) {
		char id[MLV_REPO_ID_HEX + 1];
		new_id(id);
		if (!mlv_config_set(repo, MLV_CONFIG_SHARED, "mlv.repository", id, error))
			return FALSE;
	} else if (!mlv_git_tracks(repo, MLV_CONFIG_FILE, &tracked, NULL, error)) {
		return FALSE;
	}
	if (tracked)
		return TRUE;
	g_autoptr(MlvStaging) stage = mlv_staging_new(repo);
	mlv_staging_file(stage, MLV_CONFIG_FILE);
	return mlv_staging_commit(stage, error) && mlv_repo_reload_config(repo, error);
}

MlvRepo *mlv_repo_init(const char *dir, gboolean *created, GError **error)
{
	g_autoptr(GError) local = NULL;

	*created = FALSE;
	g_autoptr(MlvRepo) repo = mlv_repo_open(dir, &local);
	if (!repo && g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING) && !g_getenv("GIT_DIR")) {
		g_clear_error(&local);
		const char *argv[] = { "init", "--quiet", "--", dir, NULL };
		if (!mlv_git_run(NULL, argv, error))
			return NULL;
		*created = TRUE;
		repo = mlv_repo_open(dir, &local);
	}
	if (!repo) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	if (!mlv_repo_make_dirs(repo, error) || !ensure_id(repo, error))
		return NULL;
	return g_steal_pointer(&repo);
}

/* --- accessors -------------------------------------------------------------------------------- */

const char *mlv_repo_root(const MlvRepo *repo)
{
	return repo->root;
}

int mlv_repo_root_fd(const MlvRepo *repo)
{
	return repo->root_fd;
}

const char *mlv_repo_git_dir(const MlvRepo *repo)
{
	return repo->git_dir;
}

const char *mlv_repo_common_dir(const MlvRepo *repo)
{
	return repo->common_dir;
}

const char *mlv_repo_mlv_dir(const MlvRepo *repo)
{
	return repo->mlv_dir;
}

const char *mlv_repo_worktree_dir(const MlvRepo *repo)
{
	return repo->worktree_dir;
}

const char *mlv_repo_store_dir(const MlvRepo *repo)
{
	return repo->store_dir;
}

const char *mlv_repo_index_file(const MlvRepo *repo)
{
	return repo->index_file;
}

const char *mlv_repo_prefix(const MlvRepo *repo)
{
	return repo->prefix;
}

const char *mlv_repo_main_root(const MlvRepo *repo)
{
	return repo->main_root;
}

MlvConfig *mlv_repo_config(const MlvRepo *repo)
{
	return repo->config;
}

void mlv_repo_set_caller(MlvRepo *repo, const MlvRepoCaller *caller)
{
	repo->caller = *caller;
}

const MlvRepoCaller *mlv_repo_caller(const MlvRepo *repo)
{
	return &repo->caller;
}
