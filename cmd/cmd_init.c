/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "core/repo.h"

gboolean mlv_cmd_init(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE, created = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "[DIR]\nmlv init\nmlv init project",
			       error) ||
	    !mlv_options_count(cmd, argc, 0, 1, error))
		return FALSE;
	g_autoptr(MlvRepo) repo = mlv_repo_init(argc > 1 ? argv[1] : ".", &created, error);
	if (!repo)
		return FALSE;
	g_autofree char *root = mlv_ui_name(mlv_repo_root(repo));
	if (json) {
		json_t *document = mlv_json_new(cmd);
		mlv_json_set_path(document, "root", mlv_repo_root(repo));
		mlv_json_set_bool(document, "created", created);
		mlv_json_set_text(document, "repository", mlv_repo_id(repo));
		return mlv_json_print(cmd, document, error);
	}
	mlv_ui_note(cmd->ui, "%s is ready; track data with 'mlv add PATH'%s", root,
		    created ? " (a git repository was made)" : "");
	return TRUE;
}
