/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/ui_json.h"

gboolean mlv_cmd_version(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	json_t *document;

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "", error) ||
	    !mlv_options_count(cmd, argc, 0, 0, error))
		return FALSE;
	if (!json) {
		printf("mlv version %s\n", MLV_VERSION);
		return TRUE;
	}
	document = mlv_json_new(cmd);
	mlv_json_set_text(document, "version", MLV_VERSION);
	return mlv_json_print(cmd, document, error);
}
