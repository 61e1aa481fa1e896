/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/remote_publish.h"

#include "cmd/ui_json.h"
#include "core/sync.h"
#include "storage/published.h"

static gboolean tell(MlvCmd *cmd, const char *remote, gboolean stop, gboolean json, guint64 names,
		     GError **error)
{
	g_autofree char *files = mlv_ui_plural(names, "file");

	if (json) {
		json_t *document = mlv_json_new(cmd);

		mlv_json_set_text(document, "remote", remote);
		mlv_json_set_bool(document, "published", !stop);
		mlv_json_set_size(document, "files", names);
		return mlv_json_print(cmd, document, error);
	}
	if (stop)
		mlv_ui_note(cmd->ui, "%s: no longer published", remote);
	else
		mlv_ui_note(cmd->ui, "%s: published, %s listed", remote, files);
	return TRUE;
}

gboolean mlv_cmd_remote_publish(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean stop = FALSE, json = FALSE;
	const GOptionEntry entries[] = {
		{ "stop", 0, 0, G_OPTION_ARG_NONE, &stop,
		  "take the list away, so that nobody reads by it", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	guint64 names = 0;
	MlvRepo *repo;

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "[REMOTE]", error) ||
	    !mlv_options_count(cmd, argc, 0, 1, error) || !(repo = mlv_cmd_open_repo(cmd, error)))
		return FALSE;
	g_autoptr(MlvSync) sync = mlv_sync_open(repo, argc > 1 ? argv[1] : NULL, FALSE, error);
	if (!sync || !(stop ? mlv_published_remove(sync->medium, error)
			    : mlv_published_write(sync->medium, &names, error)))
		return FALSE;
	return tell(cmd, sync->config->name, stop, json, names, error);
}
