/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sync_words.h"
#include "cmd/ui_json.h"
#include "core/follow.h"

static void tell_progress(guint64 bytes, guint64 files, gpointer data)
{
	mlv_ui_progress_add(((MlvSyncWords *)data)->progress, bytes, files);
}

/* Brings the work tree in line with its pointers; with paths only those, and they become part of
 * what is expected here. */
static gboolean check_out(MlvSyncWords *words, MlvLocal *local, gboolean force, json_t *document,
			  GError **error)
{
	MlvCheckoutTotals totals;
	MlvCheckoutOptions options = { .repo = local->repo,
				       .store = local->store,
				       .cache = local->cache,
				       .partial = local->partial,
				       .paths = words->paths,
				       .force = force,
				       .cancel = words->cmd->cancel,
				       .progress = tell_progress,
				       .data = words };

	if (!mlv_cmd_jobs(words->cmd, &options.threads, error))
		return FALSE;
	words->progress = mlv_ui_progress_begin(words->cmd->ui, "writing");
	gboolean ok = mlv_follow_checkout(&options, NULL, &totals, error);
	g_clear_pointer(&words->progress, mlv_ui_progress_end);
	if (!ok)
		return FALSE;
	if (document) {
		mlv_json_set_size(document, "files_written", totals.write_files);
		mlv_json_set_size(document, "files_removed", totals.remove_files);
		mlv_json_set_size(document, "files_kept", totals.keep_files);
	} else if (totals.write_files + totals.remove_files + totals.mode_files > 0) {
		g_autofree char *written = mlv_ui_plural(totals.write_files, "file");
		g_autofree char *size = mlv_ui_size(totals.write_bytes);
		g_autofree char *removed = mlv_ui_plural(totals.remove_files, "file");
		mlv_ui_note(words->cmd->ui, "wrote %s (%s), removed %s", written, size, removed);
	}
	return TRUE;
}

gboolean mlv_cmd_pull(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(MlvSyncWords) words = { 0 };
	gboolean force = FALSE;
	const GOptionEntry entries[] = {
		{ "all", 0, 0, G_OPTION_ARG_NONE, &words.all,
		  "also fetch every ref, with its history", NULL },
		{ "tags", 0, 0, G_OPTION_ARG_NONE, &words.tags,
		  "also fetch the commits that tags name", NULL },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &force, "overwrite data that no store has",
		  NULL },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &words.dry_run,
		  "only say what would be fetched", NULL },
		{ "run-cache", 0, 0, G_OPTION_ARG_NONE, &words.runs,
		  "also get what stages made of what", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &words.json, "print one JSON document", NULL },
		{ NULL },
	};
	MlvSyncOptions options;
	MlvSyncResult result;

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "[REMOTE] [REV...] [-- PATH...]\nmlv pull\nmlv pull -- data/images/1.jpg",
		    error))
		return FALSE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	if (!local || !mlv_sync_words_take(&words, cmd, local->repo, argc, argv, TRUE, error))
		return FALSE;
	mlv_selection_add_workspace(words.selection);
	g_autoptr(MlvSync) sync = mlv_sync_open(local->repo, words.remote, FALSE, error);
	if (!sync || !mlv_sync_words_options(&words, "fetching", &options, error) ||
	    !mlv_sync_fetch(sync, local, words.selection, &options, &result, error))
		return FALSE;
	json_t *document = words.json ? mlv_json_new(cmd) : NULL;
	mlv_sync_words_done(&words, sync->config->name, &result, "fetched", document);
	if (!words.dry_run && !check_out(&words, local, force, document, error)) {
		json_decref(document);
		return FALSE;
	}
	return !document || mlv_json_print(cmd, document, error);
}
