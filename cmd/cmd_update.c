/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/import_url.h"
#include "core/pathspec.h"

typedef struct {
	gboolean force, dry_run, exit_code, json;
} Options;

typedef struct {
	MlvCmd *cmd;
	const Options *opt;
	MlvLocal *local;
	MlvProgress *progress;
	json_t *rows; /* NULL: text */
	guint updated, failed, total;
} Update;

static void show_progress(guint64 done, guint64 total, gpointer user)
{
	Update *update = user;

	mlv_ui_progress_total(update->progress, total, 0);
	mlv_ui_progress_set(update->progress, done, 0);
}

/* --- telling ---------------------------------------------------------------------------------- */

static void set_id(json_t *row, const char *key, const MlvPointer *pointer)
{
	char hex[MLV_ID_HEX + 1];
	g_autofree char *id = NULL;

	mlv_id_format(&pointer->ref.id, hex);
	id = g_strconcat("sha256:", hex, NULL);
	mlv_json_set_text(row, key, id);
}

static void add_row(Update *update, const MlvImported *one, const char *state,
		    const MlvImportUrlResult *result, const char *problem)
{
	json_t *row = json_object();

	mlv_json_set_path(row, "path", one->path);
	mlv_json_set_path(row, "url", one->record.url ? one->record.url : "");
	mlv_json_set_text(row, "state", state);
	if (result) {
		set_id(row, "id", &result->pointer);
		set_id(row, "old_id", &result->before);
		mlv_json_set_size(row, "bytes", result->pointer.bytes);
	}
	if (problem)
		mlv_json_set_text(row, "problem", problem);
	json_array_append_new(update->rows, row);
}

static const char *state_name(const Update *update, MlvImportState state)
{
	static const char *const names[] = {
		[MLV_IMPORT_UNCHANGED] = "unchanged",
		[MLV_IMPORT_SAME] = "same",
		[MLV_IMPORT_CHANGED] = "updated",
		[MLV_IMPORT_EDITED] = "edited",
	};

	return state == MLV_IMPORT_CHANGED && update->opt->dry_run ? "changed" : names[state];
}

static void tell(Update *update, const MlvImported *one, const MlvImportUrlResult *result)
{
	g_autofree char *shown = mlv_repo_display(update->local->repo, one->path);
	g_autofree char *name = mlv_ui_name(shown);
	g_autofree char *now = mlv_ui_size(result->pointer.bytes);
	g_autofree char *before = mlv_ui_size(result->before.bytes);
	MlvUi *ui = update->cmd->ui;

	switch (result->state) {
	case MLV_IMPORT_UNCHANGED:
		mlv_ui_detail(ui, "%s: unchanged", name);
		break;
	case MLV_IMPORT_SAME:
		mlv_ui_detail(ui, "%s: has the same bytes", name);
		break;
	case MLV_IMPORT_CHANGED:
		if (update->opt->dry_run)
			printf("%s: has changed\n", name);
		else
			printf("%s: updated, %s, was %s\n", name, now, before);
		break;
	case MLV_IMPORT_EDITED:
		mlv_ui_warn(ui,
			    "%s: was changed here since it was fetched, and is left alone; -f "
			    "fetches it again",
			    name);
		break;
	}
	fflush(stdout);
}

static void count(Update *update, const MlvImported *one, const MlvImportUrlResult *result)
{
	update->updated += result->state == MLV_IMPORT_CHANGED;
	update->failed += result->state == MLV_IMPORT_EDITED;
	if (update->rows)
		add_row(update, one, state_name(update, result->state), result, NULL);
	else
		tell(update, one, result);
}

/* One that cannot be fetched does not keep the others back. */
static gboolean note_failure(Update *update, const MlvImported *one, GError *failed, GError **error)
{
	gboolean gone = g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING);

	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_CANCELLED)) {
		g_propagate_error(error, failed);
		return FALSE;
	}
	update->failed++;
	if (update->rows)
		add_row(update, one, gone ? "gone" : "failed", NULL, failed->message);
	else
		mlv_cmd_tell_problem(update->cmd, update->local->repo, one->path, failed->message);
	g_error_free(failed);
	return TRUE;
}

/* --- updating --------------------------------------------------------------------------------- */

static gboolean update_one(Update *update, const MlvImported *one, GError **error)
{
	MlvImportUrlOptions options = { .force = update->opt->force,
					.look = update->opt->dry_run,
					.cancel = update->cmd->cancel,
					.progress = show_progress,
					.user = update };
	GError *failed = NULL;
	MlvImportUrlResult result;
	gboolean ok;

	update->total++;
	if (!mlv_cmd_keep_going(update->cmd, error) ||
	    !mlv_cmd_jobs(update->cmd, &options.threads, error))
		return FALSE;
	update->progress = mlv_ui_progress_begin(update->cmd->ui, "fetching");
	ok = mlv_import_update(update->local, one, &options, &result, &failed);
	g_clear_pointer(&update->progress, mlv_ui_progress_end);
	if (!ok)
		return note_failure(update, one, failed, error);
	count(update, one, &result);
	return TRUE;
}

static gboolean update_all(Update *update, const MlvPathspec *paths, GError **error)
{
	g_autoptr(GPtrArray) all = mlv_import_list(update->local->repo, error);

	for (guint i = 0; all && i < all->len; i++) {
		const MlvImported *one = all->pdata[i];

		if (!mlv_pathspec_matches(paths, one->path))
			continue;
		/* Stat cache and partial record are as of the one before otherwise. */
		if (update->total > 0) {
			mlv_local_close(update->local);
			update->local = mlv_cmd_open_local(update->cmd, error);
			if (!update->local)
				return FALSE;
		}
		if (!update_one(update, one, error))
			return FALSE;
	}
	if (all && update->total == 0 && !mlv_pathspec_is_all(paths))
		return mlv_fail(error, MLV_ERROR_MISSING,
				"nothing at these paths was imported by 'mlv import-url'");
	return all != NULL;
}

static gboolean end(Update *update, GError **error)
{
	const Options *opt = update->opt;
	json_t *document;

	if (update->failed > 0 || (opt->exit_code && update->updated > 0))
		update->cmd->status = MLV_EXIT_CHECK;
	if (!update->rows) {
		if (update->updated + update->failed == 0)
			mlv_ui_note(update->cmd->ui, "%s",
				    update->total > 0 ? "nothing has changed"
						      : "nothing was imported");
		return TRUE;
	}
	document = mlv_json_new(update->cmd);
	mlv_json_set_bool(document, "dry_run", opt->dry_run);
	mlv_json_set_size(document, "updated", update->updated);
	mlv_json_set_size(document, "failed", update->failed);
	json_object_set(document, "imports", update->rows);
	return mlv_json_print(update->cmd, document, error);
}

gboolean mlv_cmd_update(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run,
		  "only say what has changed at its source", NULL },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force,
		  "also over what was changed here since it was fetched", NULL },
		{ "exit-code", 0, 0, G_OPTION_ARG_NONE, &opt.exit_code,
		  "exit with 1 if something has changed", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	Update update = { .cmd = cmd, .opt = &opt };
	gboolean ok;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[PATH...]\nmlv update\nmlv update --dry-run data/labels.csv",
			       error))
		return FALSE;
	update.local = mlv_cmd_open_local(cmd, error);
	if (!update.local)
		return FALSE;
	g_autoptr(MlvPathspec) paths =
		mlv_pathspec_new(update.local->repo, argv + 1, (guint)argc - 1, error);
	json_auto_t *rows = opt.json ? json_array() : NULL;
	update.rows = rows;
	ok = paths && update_all(&update, paths, error) && end(&update, error);
	mlv_local_close(update.local);
	return ok;
}
