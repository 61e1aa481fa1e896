/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/session.h"
#include "cmd/status_print.h"
#include "core/git_tree.h"
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

static gboolean any_matches(const GPtrArray *pointers, const MlvPathspec *paths)
{
	for (guint i = 0; i < pointers->len; i++)
		if (mlv_pathspec_may_match_below(paths,
						 ((const MlvTracked *)pointers->pdata[i])->path))
			return TRUE;
	return FALSE;
}

/* A path at which nothing is tracked shows nothing, as in git; but it may be mistyped. */
static gboolean tell_unmatched(MlvCmd *cmd, MlvRepo *repo, const GPtrArray *words, GError **error)
{
	g_autoptr(GPtrArray) index = NULL, head = NULL;

	if (words->len == 0)
		return TRUE;
	index = mlv_git_pointers_in_index(repo, error);
	head = index ? mlv_git_pointers_in_head(repo, error) : NULL;
	for (guint i = 0; head && i < words->len; i++) {
		char *word = words->pdata[i];
		g_autoptr(MlvPathspec) one = mlv_pathspec_new(repo, &word, 1, error);
		g_autofree char *name = mlv_ui_name(word);

		if (!one)
			return FALSE;
		if (!any_matches(index, one) && !any_matches(head, one))
			mlv_ui_note(cmd->ui, "no tracked data at '%s'", name);
	}
	return head != NULL;
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
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	for (guint i = 0; i < words.n_before; i++)
		g_ptr_array_add(all, words.before[i]);
	for (guint i = 0; i < words.n_after; i++)
		g_ptr_array_add(all, words.after[i]);
	g_autoptr(MlvPathspec) paths =
		mlv_pathspec_new(local->repo, (char **)all->pdata, all->len, error);
	if (!paths || !tell_unmatched(cmd, local->repo, all, error))
		return FALSE;
	mlv_status_print_init(&print, local->repo);
	print.limited = all->len > 0;
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
