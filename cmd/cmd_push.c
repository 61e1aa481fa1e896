/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sync_words.h"
#include "cmd/ui_json.h"

/* A dry run makes no remote where there is none: then everything would be sent. */
static gboolean send_or_measure(MlvSyncWords *words, MlvLocal *local, const MlvSyncOptions *options,
				MlvSyncResult *result, char **remote, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(MlvSync) sync =
		mlv_sync_open(local->repo, words->remote, !words->dry_run, &problem);
	g_autoptr(MlvRemoteConfig) config = NULL;

	if (sync) {
		*remote = g_strdup(sync->config->name);
		return mlv_sync_push(sync, local, words->selection, options, result, error);
	}
	config = mlv_remote_config_find(local->repo, words->remote, NULL);
	if (!words->dry_run || !config || !g_error_matches(problem, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	*remote = g_strdup(config->name);
	return mlv_sync_measure(local, words->selection, result, error);
}

gboolean mlv_cmd_push(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(MlvSyncWords) words = { 0 };
	const GOptionEntry entries[] = {
		{ "all", 0, 0, G_OPTION_ARG_NONE, &words.all, "every ref, with its history", NULL },
		{ "tags", 0, 0, G_OPTION_ARG_NONE, &words.tags, "the commits that tags name",
		  NULL },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &words.dry_run,
		  "only say what would be sent", NULL },
		{ "recheck", 0, 0, G_OPTION_ARG_NONE, &words.recheck,
		  "trust no earlier push: look whether everything is really there, and mend it",
		  NULL },
		{ "run-cache", 0, 0, G_OPTION_ARG_NONE, &words.runs,
		  "also send what stages made of what", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &words.json, "print one JSON document", NULL },
		{ NULL },
	};
	g_autofree char *remote = NULL;
	MlvSyncOptions options;
	MlvSyncResult result;

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "[REMOTE] [REV...] [-- PATH...]\nmlv push\nmlv push origin v1.0 -- data/",
		    error))
		return FALSE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	if (!local || !mlv_sync_words_take(&words, cmd, local->repo, argc, argv, FALSE, error))
		return FALSE;
	if (!mlv_sync_words_options(&words, "sending", &options, error) ||
	    !send_or_measure(&words, local, &options, &result, &remote, error))
		return FALSE;
	json_t *document = words.json ? mlv_json_new(cmd) : NULL;
	mlv_sync_words_done(&words, remote, &result, "sent", document);
	if (result.lost > 0)
		cmd->status = MLV_EXIT_CHECK;
	return !document || mlv_json_print(cmd, document, error);
}
