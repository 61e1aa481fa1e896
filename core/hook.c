/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hook.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/git_run.h"
#include "core/repo_private.h"

char *mlv_hook_dir(const MlvRepo *repo, gboolean *foreign)
{
	const char *set = mlv_config_get(repo->config, "core.hookspath");

	if (foreign)
		*foreign = FALSE;
	if (!set || !*set)
		return g_build_filename(repo->common_dir, "hooks", NULL);
	g_autofree char *expanded = g_str_has_prefix(set, "~/")
					    ? g_build_filename(g_get_home_dir(), set + 2, NULL)
					    : g_strdup(set);
	char *dir = g_canonicalize_filename(expanded, repo->root ? repo->root : repo->git_dir);
	const char *own[] = { repo->root, repo->common_dir };
	gboolean inside = FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
		gsize length = own[i] ? strlen(own[i]) : 0;
		inside |= length > 0 && strncmp(dir, own[i], length) == 0 &&
			  (dir[length] == '/' || !dir[length]);
	}
	if (foreign)
		*foreign = !inside;
	return dir;
}

/* --- running ---------------------------------------------------------------------------------- */

static GSubprocess *spawn_hook(MlvRepo *repo, const char *file, const MlvHookCall *call,
			       GError **error)
{
	GSubprocessFlags flags =
		call->input ? G_SUBPROCESS_FLAGS_STDIN_PIPE : G_SUBPROCESS_FLAGS_NONE;
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(flags);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(GError) local = NULL;
	int out = dup(STDERR_FILENO);

	g_subprocess_launcher_set_cwd(launcher, repo->root);
	if (out >= 0)
		g_subprocess_launcher_take_stdout_fd(launcher, out);
	if (call->index_file)
		g_subprocess_launcher_setenv(launcher, "GIT_INDEX_FILE", call->index_file, TRUE);
	if (call->no_editor)
		g_subprocess_launcher_setenv(launcher, "GIT_EDITOR", ":", TRUE);
	/* The hook stands in the root, wherever the user does. */
	if (g_getenv("GIT_DIR"))
		g_subprocess_launcher_setenv(launcher, "GIT_DIR", repo->git_dir, TRUE);
	if (g_getenv("GIT_WORK_TREE"))
		g_subprocess_launcher_setenv(launcher, "GIT_WORK_TREE", repo->root, TRUE);
	g_ptr_array_add(words, (gpointer)file);
	for (gsize i = 0; call->argv && call->argv[i]; i++)
		g_ptr_array_add(words, (gpointer)call->argv[i]);
	g_ptr_array_add(words, NULL);
	GSubprocess *process =
		g_subprocess_launcher_spawnv(launcher, (const char *const *)words->pdata, &local);
	if (!process)
		mlv_fail(error, MLV_ERROR_FAILED, "cannot run the hook '%s': %s", file,
			 local->message);
	return process;
}

gboolean mlv_hook_run(MlvRepo *repo, const char *name, const MlvHookCall *call, gboolean *ran,
		      GError **error)
{
	g_autofree char *dir = mlv_hook_dir(repo, NULL);
	g_autofree char *file = g_build_filename(dir, name, NULL);
	g_autoptr(GError) local = NULL;
	gboolean there = g_file_test(file, G_FILE_TEST_IS_REGULAR) && access(file, X_OK) == 0;

	if (ran)
		*ran = there;
	if (!there)
		return TRUE;
	g_autoptr(GSubprocess) process = spawn_hook(repo, file, call, error);
	if (!process)
		return FALSE;
	/* A hook need not read its input: a broken pipe is no failure. */
	g_subprocess_communicate(process, call->input, NULL, NULL, NULL, NULL);
	if (!g_subprocess_wait(process, NULL, &local))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot wait for the hook '%s': %s", name,
				local->message);
	if (g_subprocess_get_if_exited(process) && g_subprocess_get_exit_status(process) == 0)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CHECK, "the hook '%s' refused", file);
}

/* --- installing ------------------------------------------------------------------------------- */

#define CHAINED    ".mlv-chained"
#define MARK       "# Made by 'mlv hooks install' (format 1)"
#define MARK_BEGIN "# Made by 'mlv hooks install'"
#define POINTERS   "*.mlv merge=mlv diff=mlv -text"
/* Two branches that track data in one folder both add a line to its .gitignore. */
#define IGNORES ".gitignore merge=union"

static const struct {
	const char *key, *value;
} drivers[] = {
	{ "merge.mlv.name", "mlv pointers" },
	{ "merge.mlv.driver", "mlv hook merge %O %A %B %P" },
	{ "diff.mlv.command", "mlv hook diff" },
};

const char *const *mlv_hook_names(void)
{
	static const char *const names[] = { "pre-commit",   "post-checkout", "post-merge",
					     "post-rewrite", "pre-push",      NULL };
	return names;
}

/* pre-push and post-rewrite read their standard input, so that it is kept for both. pre-push alone
 * must not pass without mlv: the commits would arrive without their data. */
static char *script_text(const char *name)
{
	gboolean push = strcmp(name, "pre-push") == 0;
	gboolean input = push || strcmp(name, "post-rewrite") == 0;

	return g_strdup_printf(
		"#!/bin/sh\n" MARK "; 'mlv hooks uninstall' puts back what was here.\n"
		"chained=${0%%/*}/%s" CHAINED "\n"
		"%sif test -x \"$chained\"; then\n"
		"\t%s\"$chained\" \"$@\" || exit $?\n"
		"fi\n"
		"if ! command -v mlv >/dev/null 2>&1; then\n"
		"\techo \"mlv is not on PATH: %s\" >&2\n"
		"\texit %d\n"
		"fi\n"
		"%s mlv hook %s \"$@\"\n",
		name,
		input ? "input=$(cat)\nlines() {\n\ttest -z \"$input\" || printf '%s\\n' "
			"\"$input\"\n}\n"
		      : "",
		input ? "lines | " : "",
		push ? "data cannot be pushed before the commits; install it, or use 'git push "
		       "--no-verify'"
		     : "tracked data is not looked after",
		push ? 1 : 0, input ? "lines |" : "exec", name);
}

static char *hook_file(const MlvRepo *repo, const char *name, const char *suffix)
{
	g_autofree char *dir = mlv_hook_dir(repo, NULL);
	g_autofree char *base = g_strconcat(name, suffix, NULL);
	return g_build_filename(dir, base, NULL);
}

MlvHookState mlv_hook_state(const MlvRepo *repo, const char *name)
{
	g_autofree char *file = hook_file(repo, name, "");
	g_autofree char *chained = hook_file(repo, name, CHAINED);
	g_autofree char *wanted = script_text(name);
	g_autofree char *text = NULL;

	if (!g_file_get_contents(file, &text, NULL, NULL))
		return MLV_HOOK_ABSENT;
	if (!strstr(text, MARK_BEGIN))
		return MLV_HOOK_OTHER;
	if (strcmp(text, wanted) != 0)
		return MLV_HOOK_OUTDATED;
	return g_file_test(chained, G_FILE_TEST_EXISTS) ? MLV_HOOK_CHAINED : MLV_HOOK_INSTALLED;
}

static gboolean write_text(const char *file, const char *text, int mode, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (!g_file_set_contents_full(file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, &local))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot write '%s': %s", file,
				local->message);
	return TRUE;
}

static gboolean install_one(MlvRepo *repo, const char *name, GError **error)
{
	MlvHookState state = mlv_hook_state(repo, name);
	g_autofree char *file = hook_file(repo, name, "");
	g_autofree char *chained = hook_file(repo, name, CHAINED);
	g_autofree char *text = script_text(name);

	if (state == MLV_HOOK_INSTALLED || state == MLV_HOOK_CHAINED)
		return TRUE;
	if (state == MLV_HOOK_OTHER) {
		if (g_file_test(chained, G_FILE_TEST_EXISTS))
			return mlv_fail(
				error, MLV_ERROR_EXISTS,
				"cannot chain the hook '%s': '%s' exists already; remove one of "
				"the two",
				file, chained);
		if (rename(file, chained) < 0)
			return mlv_fail_errno(error, "cannot move the hook '%s'", file);
	}
	if (!write_text(file, text, 0777, error) || chmod(file, 0755) < 0) {
		if (state == MLV_HOOK_OTHER && rename(chained, file) < 0)
			g_prefix_error(error, "the hook that was there is now '%s': ", chained);
		return FALSE;
	}
	return TRUE;
}

static char *attributes_file(const MlvRepo *repo)
{
	return g_build_filename(repo->common_dir, "info", "attributes", NULL);
}

/* The file's text with our lines (`add`) or without them. */
static gboolean edit_attributes(MlvRepo *repo, gboolean add, GError **error)
{
	g_autofree char *file = attributes_file(repo);
	g_autofree char *folder = g_path_get_dirname(file);
	g_autofree char *text = NULL;
	g_autoptr(GString) out = g_string_new(NULL);

	g_file_get_contents(file, &text, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	for (char **line = lines; *line; line++)
		if (strcmp(*line, POINTERS) != 0 && strcmp(*line, IGNORES) != 0 &&
		    (**line || line[1]))
			g_string_append_printf(out, "%s\n", *line);
	if (add)
		g_string_append(out, POINTERS "\n" IGNORES "\n");
	if (text ? strcmp(text, out->str) == 0 : out->len == 0)
		return TRUE;
	if (out->len == 0)
		return unlink(file) == 0 || mlv_fail_errno(error, "cannot remove '%s'", file);
	if (g_mkdir_with_parents(folder, 0777) < 0)
		return mlv_fail_errno(error, "cannot make folder '%s'", folder);
	return write_text(file, out->str, 0666, error);
}

gboolean mlv_hook_install(MlvRepo *repo, gboolean allow_foreign, GError **error)
{
	gboolean foreign;
	g_autofree char *dir = mlv_hook_dir(repo, &foreign);

	if (foreign && !allow_foreign)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"core.hooksPath is '%s', outside of this repository: other repositories "
			"may share those hooks; say --shared to install there",
			dir);
	if (g_mkdir_with_parents(dir, 0777) < 0)
		return mlv_fail_errno(error, "cannot make folder '%s'", dir);
	for (const char *const *name = mlv_hook_names(); *name; name++)
		if (!install_one(repo, *name, error))
			return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(drivers); i++)
		if (!mlv_config_set(repo, MLV_CONFIG_LOCAL, drivers[i].key, drivers[i].value,
				    error))
			return FALSE;
	return edit_attributes(repo, TRUE, error) && mlv_repo_reload_config(repo, error);
}

static gboolean uninstall_one(MlvRepo *repo, const char *name, GError **error)
{
	MlvHookState state = mlv_hook_state(repo, name);
	g_autofree char *file = hook_file(repo, name, "");
	g_autofree char *chained = hook_file(repo, name, CHAINED);

	if (state == MLV_HOOK_ABSENT || state == MLV_HOOK_OTHER)
		return TRUE;
	if (rename(chained, file) == 0 || (errno == ENOENT && unlink(file) == 0))
		return TRUE;
	return mlv_fail_errno(error, "cannot take away the hook '%s'", file);
}

gboolean mlv_hook_uninstall(MlvRepo *repo, GError **error)
{
	gboolean found;

	for (const char *const *name = mlv_hook_names(); *name; name++)
		if (!uninstall_one(repo, *name, error))
			return FALSE;
	if (!mlv_config_rename_section(repo, MLV_CONFIG_LOCAL, "merge", "mlv", NULL, &found,
				       error) ||
	    !mlv_config_rename_section(repo, MLV_CONFIG_LOCAL, "diff", "mlv", NULL, &found, error))
		return FALSE;
	return edit_attributes(repo, FALSE, error) && mlv_repo_reload_config(repo, error);
}

gboolean mlv_hook_drivers_installed(const MlvRepo *repo)
{
	g_autofree char *file = attributes_file(repo);
	g_autofree char *text = NULL;

	return g_strcmp0(mlv_config_get(repo->config, drivers[1].key), drivers[1].value) == 0 &&
	       g_strcmp0(mlv_config_get(repo->config, drivers[2].key), drivers[2].value) == 0 &&
	       g_file_get_contents(file, &text, NULL, NULL) && strstr(text, POINTERS);
}
