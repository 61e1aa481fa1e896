/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "core/hook.h"

static const char *state_word(MlvHookState state)
{
	static const char *const words[] = {
		[MLV_HOOK_ABSENT] = "absent",     [MLV_HOOK_INSTALLED] = "installed",
		[MLV_HOOK_CHAINED] = "chained",   [MLV_HOOK_OTHER] = "other",
		[MLV_HOOK_OUTDATED] = "outdated",
	};

	return words[state];
}

static gboolean hooks_install(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean shared = FALSE;
	const GOptionEntry entries[] = {
		{ "shared", 0, 0, G_OPTION_ARG_NONE, &shared,
		  "also where core.hooksPath names a folder that other repositories may share",
		  NULL },
		{ NULL },
	};
	MlvRepo *repo;

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "", error) ||
	    !mlv_options_count(cmd, argc, 0, 0, error) || !(repo = mlv_cmd_open_repo(cmd, error)) ||
	    !mlv_hook_install(repo, shared, error))
		return FALSE;
	g_autofree char *dir = mlv_hook_dir(repo, NULL);
	g_autofree char *name = mlv_ui_name(dir);
	mlv_ui_note(cmd->ui, "hooks are installed in %s, with the merge and diff drivers", name);
	return TRUE;
}

static gboolean hooks_uninstall(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };
	MlvRepo *repo;

	return mlv_options_parse(cmd, entries, &argc, &argv, "", error) &&
	       mlv_options_count(cmd, argc, 0, 0, error) &&
	       (repo = mlv_cmd_open_repo(cmd, error)) && mlv_hook_uninstall(repo, error);
}

static gboolean hooks_list(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	MlvRepo *repo;

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "", error) ||
	    !mlv_options_count(cmd, argc, 0, 0, error) || !(repo = mlv_cmd_open_repo(cmd, error)))
		return FALSE;
	const char *drivers = mlv_hook_drivers_installed(repo) ? "installed" : "absent";
	if (json) {
		json_t *document = mlv_json_new(cmd);
		json_t *hooks = json_object();
		for (const char *const *name = mlv_hook_names(); *name; name++)
			mlv_json_set_text(hooks, *name, state_word(mlv_hook_state(repo, *name)));
		json_object_set_new(document, "hooks", hooks);
		mlv_json_set_text(document, "drivers", drivers);
		return mlv_json_print(cmd, document, error);
	}
	MlvColumns *columns = mlv_ui_columns_new("ll");
	for (const char *const *name = mlv_hook_names(); *name; name++)
		mlv_ui_columns_add(columns, *name, state_word(mlv_hook_state(repo, *name)));
	mlv_ui_columns_add(columns, "drivers", drivers);
	mlv_ui_columns_print(columns, stdout);
	return TRUE;
}

gboolean mlv_cmd_hooks(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "install", hooks_install, "install the hooks, beside those that are there" },
		{ "uninstall", hooks_uninstall, "take them away again" },
		{ "list", hooks_list, "say which are installed" },
		{ NULL, NULL, NULL },
	};

	return mlv_options_dispatch(cmd, rows, "list", argc, argv, error);
}
