/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/expand.h"
#include "core/track.h"

typedef struct {
	gboolean dry_run, force, glob, json;
} Options;

typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	const Options *opt;
	MlvProgress *progress;
	json_t *added, *problems;
	guint nothing; /* targets that were unchanged */
} Add;

static void tell_json(Add *add, const char *path, const MlvPointer *pointer, const char *action)
{
	json_t *row = json_object();

	mlv_json_set_path(row, "path", path);
	mlv_json_set_text(row, "action", action);
	if (pointer->mode != 0 && g_strcmp0(action, "remove") != 0 && !add->opt->dry_run) {
		char hex[MLV_ID_HEX + 1];
		g_autofree char *id = NULL;

		mlv_id_format(&pointer->ref.id, hex);
		id = g_strconcat("sha256:", hex, NULL);
		mlv_json_set_text(row, "kind",
				  pointer->mode == MLV_MODE_DIRECTORY ? "directory" : "file");
		mlv_json_set_text(row, "id", id);
		mlv_json_set_size(row, "files", pointer->files);
		mlv_json_set_size(row, "bytes", pointer->bytes);
	}
	json_array_append_new(add->added, row);
}

static void tell_added(const char *path, const MlvPointer *pointer, gboolean is_new,
		       gboolean changed, gboolean gone, gpointer data)
{
	Add *add = data;
	g_autofree char *shown = mlv_repo_display(add->repo, path);
	g_autofree char *name = mlv_ui_name(shown);
	const char *action = gone ? "remove" : is_new ? "add" : changed ? "update" : "unchanged";

	if (add->opt->json) {
		tell_json(add, path, pointer, action);
		return;
	}
	if (add->opt->dry_run) {
		printf("%s %s\n", action, name);
		return;
	}
	if (!changed && !gone)
		return;
	g_autofree char *files = mlv_ui_plural(pointer->files, "file");
	g_autofree char *size = mlv_ui_size(pointer->bytes);
	if (gone)
		mlv_ui_note(add->cmd->ui, "%s: removed", name);
	else if (pointer->mode == MLV_MODE_DIRECTORY)
		mlv_ui_note(add->cmd->ui, "%s: %s, %s", name, files, size);
	else
		mlv_ui_note(add->cmd->ui, "%s: %s", name, size);
}

static void tell_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	Add *add = data;

	if (add->opt->json) {
		json_t *row = json_object();
		mlv_json_set_path(row, "path", path);
		mlv_json_set_text(row, "problem", why);
		json_array_append_new(add->problems, row);
	}
	mlv_cmd_tell_problem(add->cmd, add->repo, path, why);
}

static void tell_progress(guint64 bytes, guint64 files, gpointer data)
{
	mlv_ui_progress_set(((Add *)data)->progress, bytes, files);
}

static gboolean finish(Add *add, const MlvTrackResult *result, GError **error)
{
	if (add->opt->json) {
		json_t *document = mlv_json_new(add->cmd);
		json_object_set(document, "targets", add->added);
		json_object_set(document, "problems", add->problems);
		mlv_json_set_size(document, "stored", result->stored);
		if (!mlv_json_print(add->cmd, document, error))
			return FALSE;
	} else if (result->stored > 0) {
		g_autofree char *size = mlv_ui_size(result->stored);
		mlv_ui_note(add->cmd->ui, "stored %s anew", size);
	}
	if (result->problems)
		add->cmd->status = MLV_EXIT_CHECK;
	return TRUE;
}

gboolean mlv_cmd_add(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run,
		  "only say what would be added", NULL },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force,
		  "also where git ignores the pointer, and what a .mlvignore names", NULL },
		{ "glob", 0, 0, G_OPTION_ARG_NONE, &opt.glob,
		  "expand *, ?, [] and ** in the paths, as .gitignore understands them", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	MlvTrackResult result;

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "PATH...\nmlv add data/images model.pkl\nmlv add --glob 'runs/**/*.ckpt'",
		    error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error))
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
	g_auto(GStrv) paths = mlv_cmd_paths(cmd, local->repo, (char **)all->pdata, all->len, error);
	if (!paths)
		return FALSE;
	if (opt.glob) {
		char **expanded = mlv_expand_globs(local->repo, paths, opt.force, error);
		if (!expanded)
			return FALSE;
		g_strfreev(paths);
		paths = expanded;
	}
	json_auto_t *added = json_array();
	json_auto_t *problems = json_array();
	Add add = {
		.cmd = cmd, .repo = local->repo, .opt = &opt, .added = added, .problems = problems
	};
	MlvTrackOptions options = { .dry_run = opt.dry_run,
				    .force = opt.force,
				    .cancel = cmd->cancel,
				    .added = tell_added,
				    .problem = tell_problem,
				    .progress = tell_progress,
				    .data = &add };
	if (!mlv_cmd_jobs(cmd, &options.threads, error))
		return FALSE;
	g_autoptr(MlvProgress) progress = mlv_ui_progress_begin(cmd->ui, "storing");
	add.progress = progress;
	if (!mlv_track_add(local, (const char *const *)paths, g_strv_length(paths), &options,
			   &result, error))
		return FALSE;
	g_clear_pointer(&progress, mlv_ui_progress_end);
	return finish(&add, &result, error);
}
