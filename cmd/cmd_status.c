/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/session.h"
#include "cmd/status_print.h"
#include "core/status.h"

static gboolean take_change(MlvStatusPart part, const MlvChange *change, const char *why,
			    gpointer data, GError **error)
{
	mlv_status_print_take(data, part, change, why);
	return TRUE;
}

static void take_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	mlv_status_print_problem(data, path, why);
}

static void tell_progress(guint64 bytes, guint64 files, gpointer data)
{
	mlv_ui_progress_set(((MlvStatusPrint *)data)->progress, bytes, files);
}

gboolean mlv_cmd_status(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	MlvStatusPrint print = { .cmd = cmd };
	gboolean exit_code = FALSE, no_renames = FALSE, remote = FALSE;
	const GOptionEntry entries[] = {
		{ "short", 's', 0, G_OPTION_ARG_NONE, &print.brief,
		  "two letters and a path, as git's", NULL },
		{ "null", 'z', 0, G_OPTION_ARG_NONE, &print.zero,
		  "short, with names as they are, ended by NUL", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &print.json, "print one JSON document", NULL },
		{ "exit-code", 0, 0, G_OPTION_ARG_NONE, &exit_code,
		  "exit with 1 if anything has changed", NULL },
		{ "no-renames", 0, 0, G_OPTION_ARG_NONE, &no_renames, "do not look for renames",
		  NULL },
		{ "remote", 0, 0, G_OPTION_ARG_NONE, &remote, "also show what is not on the remote",
		  NULL },
		{ NULL },
	};
	MlvStatusResult result;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[PATH...]\nmlv status --short\nmlv status --exit-code -q", error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	if (!local)
		return FALSE;
	g_autoptr(MlvPathspec) paths =
		words.separator
			? mlv_pathspec_new(local->repo, words.after, words.n_after, error)
			: mlv_pathspec_new(local->repo, words.before, words.n_before, error);
	if (!paths)
		return FALSE;
	mlv_status_print_init(&print, local->repo);
	MlvStatusOptions options = { .cancel = cmd->cancel,
				     .paths = paths,
				     .renames = !no_renames,
				     .visit = take_change,
				     .problem = take_problem,
				     .progress = tell_progress,
				     .data = &print };
	gboolean ok = mlv_cmd_jobs(cmd, &options.threads, error);
	if (ok) {
		print.progress = mlv_ui_progress_begin(cmd->ui, "looking at files");
		ok = mlv_status_run(local, &options, &result, error);
		g_clear_pointer(&print.progress, mlv_ui_progress_end);
	}
	ok = ok && (!remote || mlv_status_print_remote(&print, local, paths, error)) &&
	     mlv_status_print_end(&print, &result, error);
	mlv_status_print_clear(&print);
	if (ok && exit_code &&
	    (result.problems || result.staged || result.changed || result.missing ||
	     result.unmerged || print.not_remote))
		cmd->status = MLV_EXIT_CHECK;
	return ok;
}
