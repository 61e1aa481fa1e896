/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_run.h"

#include <gio/gio.h>
#include <string.h>

#include "core/repo_private.h"

static GSubprocessLauncher *new_launcher(const MlvRepo *repo, GSubprocessFlags flags)
{
	GSubprocessLauncher *launcher = g_subprocess_launcher_new(flags);

	if (repo)
		g_subprocess_launcher_set_cwd(launcher, repo->cwd);
	g_subprocess_launcher_setenv(launcher, MLV_HOOK_SKIP_VARIABLE, "1", TRUE);
	return launcher;
}

static char **git_argv(const char *const *argv)
{
	GPtrArray *words = g_ptr_array_new();

	g_ptr_array_add(words, g_strdup("git"));
	for (; *argv; argv++)
		g_ptr_array_add(words, g_strdup(*argv));
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

static GSubprocess *spawn(const MlvRepo *repo, char **words, GSubprocessFlags flags, GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher = new_launcher(repo, flags);
	g_autoptr(GError) local = NULL;
	GSubprocess *process =
		g_subprocess_launcher_spawnv(launcher, (const char *const *)words, &local);

	if (!process)
		mlv_fail(error, MLV_ERROR_FAILED, "cannot run '%s': %s", words[0], local->message);
	return process;
}

static int exit_status(GSubprocess *process)
{
	return g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process)
						   : 128 + g_subprocess_get_term_sig(process);
}

static gboolean wait_for(GSubprocess *process, const char *what, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (!g_subprocess_wait(process, NULL, &local))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot wait for '%s': %s", what,
				local->message);
	int status = exit_status(process);
	return status == 0 ||
	       mlv_fail(error, MLV_ERROR_FAILED, "'%s' failed with status %d", what, status);
}

gboolean mlv_git_run(const MlvRepo *repo, const char *const *argv, GError **error)
{
	g_auto(GStrv) words = git_argv(argv);
	g_autoptr(GSubprocess) process =
		spawn(repo, words, G_SUBPROCESS_FLAGS_STDIN_INHERIT, error);
	g_autofree char *what = g_strdup_printf("git %s", argv[0]);

	return process && wait_for(process, what, error);
}

/* The line of what a program said that tells most: git's "fatal: ...", else the first. */
static char *telling_line(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const char *found = lines[0] ? lines[0] : "";

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "fatal: "))
			found = *line;
	return g_strchomp(g_strdup(found));
}

/* Runs any program with `input` on its stdin; what it says on stderr goes into the error. */
gboolean mlv_program_capture(const MlvRepo *repo, char **words, GBytes *input, GBytes **output,
			     int *status, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) complaint = NULL;
	GSubprocessFlags flags = G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE;

	if (input)
		flags |= G_SUBPROCESS_FLAGS_STDIN_PIPE;
	g_autoptr(GSubprocess) process = spawn(repo, words, flags, error);
	if (!process)
		return FALSE;
	if (!g_subprocess_communicate(process, input, NULL, output, &complaint, &local))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot talk to '%s': %s", words[0],
				local->message);
	int code = exit_status(process);
	if (status)
		*status = code;
	if (status || code == 0)
		return TRUE;
	gsize length;
	const char *text = g_bytes_get_data(complaint, &length);
	g_autofree char *all = g_strndup(text ? text : "", length);
	g_autofree char *said = telling_line(all);
	return mlv_fail(error, MLV_ERROR_FAILED, "'%s %s' failed with status %d%s%s", words[0],
			words[1] ? words[1] : "", code, *said ? ": " : "", said);
}

gboolean mlv_git_capture(const MlvRepo *repo, const char *const *argv, GBytes *input,
			 GBytes **output, int *status, GError **error)
{
	g_auto(GStrv) words = git_argv(argv);
	return mlv_program_capture(repo, words, input, output, status, error);
}

/* The editor's command line as git chooses it; NULL for none that can work on this terminal. */
static const char *choose_editor(const MlvRepo *repo)
{
	const char *editor = g_getenv("GIT_EDITOR");
	const char *terminal = g_getenv("TERM");
	gboolean dumb = !terminal || strcmp(terminal, "dumb") == 0;

	if (!editor)
		editor = mlv_config_get(repo->config, "core.editor");
	if (!editor && !dumb)
		editor = g_getenv("VISUAL");
	if (!editor)
		editor = g_getenv("EDITOR");
	if (!editor && !dumb)
		editor = "vi";
	return editor;
}

gboolean mlv_git_edit_file(const MlvRepo *repo, const char *file, GError **error)
{
	const char *editor = choose_editor(repo);

	if (!editor)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"the terminal is dumb and no editor is set: give the message with -m or "
			"-F");
	if (strcmp(editor, ":") == 0)
		return TRUE;
	/* The editor is a shell command by git's definition; the file is its argument, never part
	 * of the command. */
	g_autofree char *command = g_strconcat(editor, " \"$@\"", NULL);
	char *words[] = { (char *)"/bin/sh", (char *)"-c", command,
			  (char *)editor,    (char *)file, NULL };
	g_autoptr(GSubprocess) process =
		spawn(repo, words, G_SUBPROCESS_FLAGS_STDIN_INHERIT, error);
	return process && wait_for(process, editor, error);
}
