/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>

#include "cmd/checkout_tell.h"
#include "cmd/session.h"
#include "core/remove.h"
#include "core/track.h"

typedef struct {
	gboolean force, cached, recursive, dry_run, json;
} Options;

static void ignore_added(const char *path, const MlvPointer *pointer, gboolean is_new,
			 gboolean changed, gboolean gone, gpointer data)
{
}

static void warn_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	MlvCmd *cmd = data;

	cmd->status = MLV_EXIT_CHECK;
	mlv_cmd_tell_problem(cmd, cmd->repo, path, why);
}

static GPtrArray *select_paths(MlvCmd *cmd, MlvRepo *repo, const MlvWords *words,
			       const Options *opt, const GPtrArray *targets, GError **error)
{
	g_autoptr(GPtrArray) selected = g_ptr_array_new_with_free_func(mlv_selected_free);
	struct stat st;

	for (guint i = 0; i < words->n_before + words->n_after; i++) {
		const char *word =
			i < words->n_before ? words->before[i] : words->after[i - words->n_before];
		g_autofree char *path = mlv_repo_relative(repo, word, error);

		if (!path || !mlv_select_path(targets, path, opt->recursive, selected, error))
			return NULL;
		const MlvSelected *last =
			selected->len > 0 ? selected->pdata[selected->len - 1] : NULL;
		if (last && last->part && !opt->recursive &&
		    fstatat(mlv_repo_root_fd(repo), last->path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode)) {
			mlv_fail(error, MLV_ERROR_USAGE,
				 "'%s' is a directory; -r removes it with all in it", word);
			return NULL;
		}
	}
	return g_steal_pointer(&selected);
}

/* What goes, or went: "remove PATH" a line, or rows. */
static gboolean tell(MlvCmd *cmd, MlvRepo *repo, const GPtrArray *selected, const Options *opt,
		     GError **error)
{
	json_auto_t *removed = json_array();

	for (guint i = 0; i < selected->len; i++) {
		const MlvSelected *one = selected->pdata[i];
		g_autofree char *shown = mlv_repo_display(repo, one->path);
		g_autofree char *name = mlv_ui_name(shown);
		json_t *row = json_object();

		mlv_json_set_path(row, "path", one->path);
		mlv_json_set_path(row, "target", one->target->path);
		json_array_append_new(removed, row);
		if (!opt->json && !cmd->ui->quiet)
			printf("rm %s\n", name);
	}
	if (!opt->json)
		return TRUE;
	json_t *document = mlv_json_new(cmd);
	mlv_json_set_bool(document, "dry_run", opt->dry_run);
	mlv_json_set_bool(document, "cached", opt->cached);
	json_object_set(document, "removed", removed);
	return mlv_json_print(cmd, document, error);
}

/* Directories of which parts went get new trees and pointers. */
static gboolean update_parts(MlvCmd *cmd, const GPtrArray *parts, GError **error)
{
	MlvTrackOptions options = {
		.cancel = cmd->cancel, .added = ignore_added, .problem = warn_problem, .data = cmd
	};
	MlvTrackResult result;

	if (parts->len == 0)
		return TRUE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	return local && mlv_cmd_jobs(cmd, &options.threads, error) &&
	       mlv_track_add(local, (const char *const *)parts->pdata, parts->len, &options,
			     &result, error);
}

static gboolean check(MlvCmd *cmd, MlvRepo *repo, MlvRemoval *removal, GError **error)
{
	if ((removal->whole && !mlv_cmd_checkout_check(cmd, repo, removal->whole, error)) ||
	    (removal->parts && !mlv_cmd_checkout_check(cmd, repo, removal->parts, error))) {
		g_prefix_error(error, "cannot remove: ");
		return FALSE;
	}
	return TRUE;
}

static gboolean run(MlvCmd *cmd, const MlvWords *words, const Options *opt, GError **error)
{
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	g_autoptr(GPtrArray) targets = local ? mlv_select_targets(local->repo, error) : NULL;
	g_autoptr(GPtrArray) selected =
		targets ? select_paths(cmd, local->repo, words, opt, targets, error) : NULL;
	MlvCheckoutOptions options;

	if (!selected || !mlv_cmd_checkout_options(cmd, local, &options, error))
		return FALSE;
	options.force = opt->force;
	g_autoptr(MlvRemoval) removal =
		mlv_removal_new(local, selected, opt->cached, &options, error);
	if (!removal || !check(cmd, local->repo, removal, error))
		return FALSE;
	g_autoptr(GPtrArray) parts = mlv_removal_parts(removal);
	if (!opt->dry_run) {
		gboolean ok = mlv_removal_apply(removal, error);
		g_clear_pointer(&removal, mlv_removal_free);
		if (!ok || !update_parts(cmd, parts, error))
			return FALSE;
	}
	return tell(cmd, local->repo, selected, opt, error);
}

gboolean mlv_cmd_rm(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force, "also data that no store has",
		  NULL },
		{ "cached", 0, 0, G_OPTION_ARG_NONE, &opt.cached,
		  "stop tracking, and keep the data where it is", NULL },
		{ "recursive", 'r', 0, G_OPTION_ARG_NONE, &opt.recursive,
		  "directories inside tracked data, and folders of several targets", NULL },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run,
		  "only say what would be removed", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "PATH...\nmlv rm data/old\nmlv rm --cached model.pkl\nmlv rm data/images/7.png",
		    error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	return run(cmd, &words, &opt, error);
}
