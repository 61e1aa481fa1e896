/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sync_words.h"
#include "cmd/ui_json.h"

gboolean mlv_cmd_fetch(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(MlvSyncWords) words = { 0 };
	const GOptionEntry entries[] = {
		{ "all", 0, 0, G_OPTION_ARG_NONE, &words.all, "every ref, with its history", NULL },
		{ "tags", 0, 0, G_OPTION_ARG_NONE, &words.tags, "the commits that tags name",
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
		    "[REMOTE] [REV...] [-- PATH...]\nmlv fetch --all\nmlv fetch origin main",
		    error))
		return FALSE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	if (!local || !mlv_sync_words_take(&words, cmd, local->repo, argc, argv, TRUE, error))
		return FALSE;
	g_autoptr(MlvSync) sync = mlv_sync_open(local->repo, words.remote, FALSE, error);
	if (!sync || !mlv_sync_words_options(&words, "fetching", &options, error) ||
	    !mlv_sync_fetch(sync, local, words.selection, &options, &result, error))
		return FALSE;
	json_t *document = words.json ? mlv_json_new(cmd) : NULL;
	mlv_sync_words_done(&words, sync->config->name, &result, "fetched", document);
	return !document || mlv_json_print(cmd, document, error);
}
