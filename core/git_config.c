/* SPDX-License-Identifier: Apache-2.0 */
/* git's configuration levels: reading them as git finds them, and changing one key of one of
 * them. */
#include <errno.h>
#include <fcntl.h>
#include <git2/sys/repository.h>
#include <string.h>

#include "core/config_parse.h"
#include "core/git_internal.h"
#include "core/git_run.h"
#include "storage/file.h"

typedef int (*FindFile)(git_buf *out);

static char *find_file(FindFile find)
{
	g_auto(git_buf) buf = GIT_BUF_INIT;

	if (find(&buf) < 0) {
		git_error_clear();
		return NULL;
	}
	return g_strdup(buf.ptr);
}

static char *system_file(void)
{
	const char *none = g_getenv("GIT_CONFIG_NOSYSTEM"), *file = g_getenv("GIT_CONFIG_SYSTEM");
	gboolean skip;

	if (none && mlv_config_parse_bool(none, &skip) && skip)
		return NULL;
	return file ? g_strdup(file) : find_file(git_config_find_system);
}

static char *worktree_file(const MlvRepo *repo, git_config *config)
{
	int on = 0;

	if (!repo->git_dir || git_config_get_bool(&on, config, "extensions.worktreeconfig") < 0 ||
	    !on) {
		git_error_clear();
		return NULL;
	}
	return g_build_filename(repo->git_dir, "config.worktree", NULL);
}

/* Adds one file if it is there. An unreadable one is an error, as in git. */
static gboolean add_file(MlvRepo *repo, git_config *config, const char *file,
			 git_config_level_t level, GError **error)
{
	if (!file || !*file || !g_file_test(file, G_FILE_TEST_EXISTS))
		return TRUE;
	int code = git_config_add_file_ondisk(config, file, level, repo->git, 1);
	return code == 0 || mlv_git_fail(error, code, "cannot read the configuration '%s'", file);
}

static gboolean add_levels(MlvRepo *repo, git_config *config, GError **error)
{
	const char *global = g_getenv("GIT_CONFIG_GLOBAL");
	g_autofree char *system = system_file();
	g_autofree char *xdg = global ? NULL : find_file(git_config_find_xdg);
	g_autofree char *own = global ? g_strdup(global) : find_file(git_config_find_global);

	if (!add_file(repo, config, system, GIT_CONFIG_LEVEL_SYSTEM, error) ||
	    !add_file(repo, config, xdg, GIT_CONFIG_LEVEL_XDG, error) ||
	    !add_file(repo, config, own, GIT_CONFIG_LEVEL_GLOBAL, error))
		return FALSE;
	if (!repo->common_dir)
		return TRUE;
	g_autofree char *local = g_build_filename(repo->common_dir, "config", NULL);
	if (!add_file(repo, config, local, GIT_CONFIG_LEVEL_LOCAL, error))
		return FALSE;
	g_autofree char *worktree = worktree_file(repo, config);
	return add_file(repo, config, worktree, GIT_CONFIG_LEVEL_APP, error);
}

static MlvConfigLevel level_of(git_config_level_t level)
{
	switch (level) {
	case GIT_CONFIG_LEVEL_PROGRAMDATA:
	case GIT_CONFIG_LEVEL_SYSTEM:
		return MLV_CONFIG_SYSTEM;
	case GIT_CONFIG_LEVEL_XDG:
	case GIT_CONFIG_LEVEL_GLOBAL:
		return MLV_CONFIG_GLOBAL;
	case GIT_CONFIG_LEVEL_LOCAL:
		return MLV_CONFIG_LOCAL;
	default:
		return MLV_CONFIG_WORKTREE;
	}
}

/* Entries of one level, in the file's order. The iterator's own order across levels is libgit2's
 * business. */
static gboolean append_level(git_config *config, git_config_level_t level, MlvConfig *out,
			     GError **error)
{
	g_autoptr(git_config_iterator) iterator = NULL;
	git_config_entry *entry;
	int code = git_config_iterator_new(&iterator, config);

	while (code == 0 && (code = git_config_next(&entry, iterator)) == 0)
		if (entry->level == level)
			mlv_config_append(out, level_of(level), entry->name, entry->value);
	git_error_clear();
	return code == GIT_ITEROVER || mlv_git_fail(error, code, "cannot read git's configuration");
}

gboolean mlv_git_load_config(MlvRepo *repo, MlvConfig *config, GError **error)
{
	static const git_config_level_t levels[] = { GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
						     GIT_CONFIG_LEVEL_GLOBAL,
						     GIT_CONFIG_LEVEL_LOCAL, GIT_CONFIG_LEVEL_APP };
	g_autoptr(git_config) merged = NULL;
	int code = git_config_new(&merged);

	if (code < 0)
		return mlv_git_fail(error, code, "cannot read git's configuration");
	if (!add_levels(repo, merged, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(levels); i++)
		if (!append_level(merged, levels[i], config, error))
			return FALSE;
	if (repo->git)
		git_repository_set_config(repo->git, merged);
	return TRUE;
}

/* --- changing --------------------------------------------------------------------------------- */

static char *global_file(void)
{
	const char *named = g_getenv("GIT_CONFIG_GLOBAL");

	if (named)
		return g_strdup(named);
	char *own = find_file(git_config_find_global);
	if (own)
		return own;
	char *xdg = find_file(git_config_find_xdg);
	return xdg ? xdg : g_build_filename(g_get_home_dir(), ".gitconfig", NULL);
}

/* The file of a level. A .mlvconfig that is a symlink is refused: it may lead anywhere. */
static char *level_file(MlvRepo *repo, MlvConfigLevel level, GError **error)
{
	switch (level) {
	case MLV_CONFIG_GLOBAL:
		return global_file();
	case MLV_CONFIG_LOCAL:
		return g_build_filename(repo->common_dir, "config", NULL);
	case MLV_CONFIG_WORKTREE: {
		const char *on = mlv_config_get(repo->config, "extensions.worktreeconfig");
		gboolean value = FALSE;
		gboolean own = on && mlv_config_parse_bool(on, &value) && value;
		return g_build_filename(own ? repo->git_dir : repo->common_dir,
					own ? "config.worktree" : "config", NULL);
	}
	case MLV_CONFIG_SHARED: {
		g_auto(MlvFd) fd = mlv_file_open_beneath(repo->root_fd, MLV_CONFIG_FILE,
							 O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
		if (fd < 0 && errno != ENOENT) {
			mlv_fail_errno(error, "cannot change '" MLV_CONFIG_FILE "'");
			return NULL;
		}
		return g_build_filename(repo->root, MLV_CONFIG_FILE, NULL);
	}
	default:
		mlv_fail(error, MLV_ERROR_USAGE,
			 "this level of the configuration cannot be changed");
		return NULL;
	}
}

static git_config *open_level(MlvRepo *repo, MlvConfigLevel level, GError **error)
{
	g_autoptr(git_config) config = NULL;
	g_autofree char *file = level_file(repo, level, error);

	if (!file)
		return NULL;
	int code = git_config_open_ondisk(&config, file);
	if (code < 0) {
		mlv_git_fail(error, code, "cannot read the configuration '%s'", file);
		return NULL;
	}
	return g_steal_pointer(&config);
}

gboolean mlv_config_set(MlvRepo *repo, MlvConfigLevel level, const char *key, const char *value,
			GError **error)
{
	gboolean known;

	if (!mlv_config_key_check(key, error))
		return FALSE;
	if (level == MLV_CONFIG_SHARED && !mlv_config_key_is_shared(key, &known))
		return mlv_fail(
			error, MLV_ERROR_USAGE, "'%s' cannot stand in '" MLV_CONFIG_FILE "'%s", key,
			known ? ", which others trust; use --local or --global"
			      : ": mlv knows no such key; use --local or --global for others");
	const MlvConfigKey *row = mlv_config_key_find(key);
	if (row && !mlv_config_value_check(row, value, error)) {
		g_prefix_error(error, "'%s': ", key);
		return FALSE;
	}
	g_autoptr(git_config) config = open_level(repo, level, error);
	if (!config)
		return FALSE;
	int code = git_config_set_multivar(config, key, ".*", value);
	return code == 0 || mlv_git_fail(error, code, "cannot set '%s'", key);
}

gboolean mlv_config_unset(MlvRepo *repo, MlvConfigLevel level, const char *key, gboolean *found,
			  GError **error)
{
	if (!mlv_config_key_check(key, error))
		return FALSE;
	g_autoptr(git_config) config = open_level(repo, level, error);
	if (!config)
		return FALSE;
	int code = git_config_delete_multivar(config, key, ".*");
	if (found)
		*found = code == 0;
	if (code == GIT_ENOTFOUND) {
		git_error_clear();
		return TRUE;
	}
	return code == 0 || mlv_git_fail(error, code, "cannot unset '%s'", key);
}

gboolean mlv_config_rename_section(MlvRepo *repo, MlvConfigLevel level, const char *section,
				   const char *name, const char *new_name, gboolean *found,
				   GError **error)
{
	g_autofree char *file = level_file(repo, level, error);
	g_autofree char *from = g_strdup_printf("%s.%s", section, name);
	g_autofree char *to = new_name ? g_strdup_printf("%s.%s", section, new_name) : NULL;

	if (!file)
		return FALSE;
	if (found)
		*found = FALSE;
	if (!g_file_test(file, G_FILE_TEST_EXISTS))
		return TRUE;
	const char *argv[] = { "config", "--file",
			       file,     to ? "--rename-section" : "--remove-section",
			       from,     to,
			       NULL };
	g_autoptr(GBytes) output = NULL;
	g_autoptr(git_config) config = open_level(repo, level, error);
	if (!config)
		return FALSE;
	/* git says "no such section" by a status that other failures have too: look first. */
	g_autofree char *pattern = g_strdup_printf("^%s\\.", section);
	g_autofree char *wanted = g_strdup_printf("%s.", from);
	g_autoptr(git_config_iterator) iterator = NULL;
	git_config_entry *entry;
	gboolean there = FALSE;
	if (git_config_iterator_glob_new(&iterator, config, pattern) == 0)
		while (!there && git_config_next(&entry, iterator) == 0)
			there = g_str_has_prefix(entry->name, wanted);
	git_error_clear();
	if (found)
		*found = there;
	return !there || mlv_git_capture(repo, argv, NULL, &output, NULL, error);
}
