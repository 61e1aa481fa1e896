/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/remote_publish.h"
#include "cmd/ui_json.h"
#include "core/git_staging.h"
#include "core/remote_config.h"

/* .mlvconfig is the team's: a change to it is staged, as a pointer is. */
static gboolean stage_shared(MlvRepo *repo, MlvConfigLevel level, GError **error)
{
	if (level != MLV_CONFIG_SHARED)
		return TRUE;
	g_autoptr(MlvStaging) stage = mlv_staging_new(repo);
	mlv_staging_file(stage, MLV_CONFIG_FILE);
	return mlv_staging_commit(stage, error);
}

/* The keys of a remote as flags of `remote add`; NULL-ended. Values land in `values`, one a key. */
static GOptionEntry *key_entries(char ***values)
{
	const MlvConfigKey *keys = mlv_config_remote_keys();
	GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
	guint count = 0;

	while (keys[count].name)
		count++;
	*values = g_new0(char *, count + 1);
	for (guint i = 0; i < count; i++) {
		GOptionEntry entry = {
			keys[i].name,        0,      0, G_OPTION_ARG_STRING, &(*values)[i],
			keys[i].description, "VALUE"
		};
		if (strcmp(keys[i].name, "url") != 0)
			g_array_append_val(entries, entry);
	}
	return (GOptionEntry *)(void *)g_array_free(entries, FALSE);
}

static void free_values(char **values)
{
	for (guint i = 0; mlv_config_remote_keys()[i].name; i++)
		g_free(values[i]);
	g_free(values);
}

static gboolean add_remote(MlvCmd *cmd, char **values, gboolean local, gboolean is_default,
			   char **argv, GError **error)
{
	const MlvConfigKey *keys = mlv_config_remote_keys();
	MlvConfigLevel level = local ? MLV_CONFIG_LOCAL : MLV_CONFIG_SHARED;
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);

	if (!repo || !mlv_remote_config_add(repo, level, argv[1], argv[2], error))
		return FALSE;
	for (guint i = 0; keys[i].name; i++) {
		/* what a committed file may not say goes to the user's own configuration */
		MlvConfigLevel where = keys[i].shared ? level : MLV_CONFIG_LOCAL;
		if (values[i] &&
		    !mlv_remote_config_set(repo, where, argv[1], keys[i].name, values[i], error))
			return FALSE;
	}
	if (is_default && !mlv_remote_config_set_default(repo, level, argv[1], error))
		return FALSE;
	return stage_shared(repo, level, error);
}

static gboolean remote_add(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean local = FALSE, is_default = FALSE;
	g_autoptr(GArray) all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
	const GOptionEntry own[] = {
		{ "local", 0, 0, G_OPTION_ARG_NONE, &local,
		  "for this clone alone, in git's configuration, not in .mlvconfig", NULL },
		{ "default", 'd', 0, G_OPTION_ARG_NONE, &is_default, "make it the default remote",
		  NULL },
	};
	char **values;
	g_autofree GOptionEntry *keys = key_entries(&values);

	g_array_append_vals(all, own, G_N_ELEMENTS(own));
	for (const GOptionEntry *key = keys; key->long_name; key++)
		g_array_append_vals(all, key, 1);
	gboolean ok =
		mlv_options_parse(cmd, (const GOptionEntry *)(const void *)all->data, &argc, &argv,
				  "NAME URL\nmlv remote add origin /srv/data\n"
				  "mlv remote add --local scratch /mnt/scratch",
				  error) &&
		mlv_options_count(cmd, argc, 2, 2, error) &&
		add_remote(cmd, values, local, is_default, argv, error);
	free_values(values);
	return ok;
}

static gboolean list_json(MlvCmd *cmd, const GPtrArray *remotes, const char *preferred,
			  GError **error)
{
	json_t *document = mlv_json_new(cmd);
	json_t *rows = json_array();

	for (guint i = 0; i < remotes->len; i++) {
		const MlvRemoteConfig *remote = remotes->pdata[i];
		json_t *row = json_object();

		mlv_json_set_text(row, "name", remote->name);
		mlv_json_set_text(row, "url", remote->url);
		mlv_json_set_bool(row, "default", g_strcmp0(preferred, remote->name) == 0);
		mlv_json_set_bool(row, "shared", remote->level == MLV_CONFIG_SHARED);
		json_array_append_new(rows, row);
	}
	json_object_set_new(document, "remotes", rows);
	return mlv_json_print(cmd, document, error);
}

static gboolean remote_list(MlvCmd *cmd, int argc, char **argv, GError **error)
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
	g_autoptr(GPtrArray) remotes = mlv_remote_config_list(repo, error);
	g_autofree char *preferred = mlv_remote_config_default(repo);
	if (!remotes)
		return FALSE;
	if (json)
		return list_json(cmd, remotes, preferred, error);
	MlvColumns *columns = mlv_ui_columns_new("lll");
	for (guint i = 0; i < remotes->len; i++) {
		const MlvRemoteConfig *remote = remotes->pdata[i];
		g_autofree char *url = mlv_ui_name(remote->url);
		mlv_ui_columns_add(columns, remote->name, url,
				   g_strcmp0(preferred, remote->name) == 0 ? "(default)" : "");
	}
	mlv_ui_columns_print(columns, stdout);
	return TRUE;
}

/* The sub-commands that only take words: parses, opens, and gives the level that the remote
 * stands in. */
static MlvRepo *begin(MlvCmd *cmd, const char *synopsis, int min, int max, int *argc, char ***argv,
		      gboolean *local, GError **error)
{
	const GOptionEntry entries[] = {
		{ "local", 0, 0, G_OPTION_ARG_NONE, local,
		  "in this clone's own configuration, not in .mlvconfig", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, argc, argv, synopsis, error) ||
	    !mlv_options_count(cmd, *argc, min, max, error))
		return NULL;
	return mlv_cmd_open_repo(cmd, error);
}

static MlvConfigLevel level_of(MlvRepo *repo, const char *name, gboolean local)
{
	g_autoptr(MlvRemoteConfig) remote = local ? NULL : mlv_remote_config_find(repo, name, NULL);

	return remote ? remote->level : local ? MLV_CONFIG_LOCAL : MLV_CONFIG_SHARED;
}

static gboolean remote_rename(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean local = FALSE;
	MlvRepo *repo = begin(cmd, "OLD NEW", 2, 2, &argc, &argv, &local, error);
	MlvConfigLevel level = repo ? level_of(repo, argv[1], FALSE) : MLV_CONFIG_LOCAL;

	return repo && mlv_remote_config_rename(repo, argv[1], argv[2], error) &&
	       stage_shared(repo, level, error);
}

static gboolean remote_remove(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean local = FALSE;
	MlvRepo *repo = begin(cmd, "NAME", 1, 1, &argc, &argv, &local, error);
	MlvConfigLevel level = repo ? level_of(repo, argv[1], FALSE) : MLV_CONFIG_LOCAL;

	return repo && mlv_remote_config_remove(repo, argv[1], error) &&
	       stage_shared(repo, level, error);
}

static gboolean set_key(MlvRepo *repo, const char *name, const char *key, const char *value,
			gboolean local, GError **error)
{
	MlvConfigLevel level = level_of(repo, name, local);
	const MlvConfigKey *known = mlv_config_remote_keys();

	while (known->name && g_ascii_strcasecmp(known->name, key) != 0)
		known++;
	if (known->name && !known->shared)
		level = MLV_CONFIG_LOCAL;
	return mlv_remote_config_set(repo, level, name, key, value, error) &&
	       stage_shared(repo, level, error);
}

static gboolean remote_set_url(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean local = FALSE;
	MlvRepo *repo = begin(cmd, "NAME URL", 2, 2, &argc, &argv, &local, error);

	return repo && set_key(repo, argv[1], "url", argv[2], local, error);
}

static gboolean remote_set(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean local = FALSE;
	MlvRepo *repo = begin(cmd, "NAME KEY [VALUE]\nmlv remote set origin publish true", 2, 3,
			      &argc, &argv, &local, error);

	return repo && set_key(repo, argv[1], argv[2], argc > 3 ? argv[3] : NULL, local, error);
}

static gboolean remote_default(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean local = FALSE;
	MlvRepo *repo = begin(cmd, "[NAME]", 0, 1, &argc, &argv, &local, error);

	if (!repo)
		return FALSE;
	if (argc > 1) {
		MlvConfigLevel level = local ? MLV_CONFIG_LOCAL : level_of(repo, argv[1], FALSE);
		return mlv_remote_config_set_default(repo, level, argv[1], error) &&
		       stage_shared(repo, level, error);
	}
	g_autofree char *name = mlv_remote_config_default(repo);
	if (!name)
		return mlv_fail(error, MLV_ERROR_CHECK,
				"there is no default remote; name one with "
				"'mlv remote default NAME'");
	mlv_ui_put_name(name, FALSE);
	return TRUE;
}

gboolean mlv_cmd_remote(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "add", remote_add, "name a place to push to and pull from" },
		{ "list", remote_list, "list the remotes" },
		{ "rename", remote_rename, "give a remote another name" },
		{ "remove", remote_remove, "forget a remote; what lies there stays" },
		{ "set-url", remote_set_url, "change where a remote is" },
		{ "set", remote_set, "set a key of a remote, or without VALUE unset it" },
		{ "publish", mlv_cmd_remote_publish,
		  "write the list that readers over plain HTTP need" },
		{ "default", remote_default,
		  "say or show which remote is used when none is named" },
		{ NULL, NULL, NULL },
	};

	return mlv_options_dispatch(cmd, rows, "list", argc, argv, error);
}
