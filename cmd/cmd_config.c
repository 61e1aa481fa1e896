/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "core/git_staging.h"

typedef struct {
	gboolean shared, local, global, worktree, list, unset, keys, zero, json;
} Options;

static const char *level_name(MlvConfigLevel level)
{
	static const char *const names[] = {
		[MLV_CONFIG_SHARED] = MLV_CONFIG_FILE, [MLV_CONFIG_SYSTEM] = "system",
		[MLV_CONFIG_GLOBAL] = "global",        [MLV_CONFIG_LOCAL] = "local",
		[MLV_CONFIG_WORKTREE] = "worktree",    [MLV_CONFIG_ENVIRONMENT] = "environment",
	};

	return names[level];
}

static MlvConfigLevel chosen_level(const Options *opt)
{
	if (opt->shared)
		return MLV_CONFIG_SHARED;
	if (opt->global)
		return MLV_CONFIG_GLOBAL;
	return opt->worktree ? MLV_CONFIG_WORKTREE : MLV_CONFIG_LOCAL;
}

/* "jobs" is short for "mlv.jobs". */
static char *full_key(const char *key)
{
	return strchr(key, '.') ? g_strdup(key) : g_strconcat("mlv.", key, NULL);
}

static gboolean stage_shared(MlvRepo *repo, MlvConfigLevel level, GError **error)
{
	if (level != MLV_CONFIG_SHARED)
		return TRUE;
	g_autoptr(MlvStaging) stage = mlv_staging_new(repo);
	mlv_staging_file(stage, MLV_CONFIG_FILE);
	return mlv_staging_commit(stage, error);
}

static void add_key_rows(json_t *rows, const char *prefix, const MlvConfigKey *key)
{
	for (; key->name; key++) {
		g_autofree char *name = g_strconcat(prefix, key->name, NULL);
		json_t *row = json_object();

		mlv_json_set_text(row, "key", name);
		mlv_json_set_text(row, "default", key->fallback);
		mlv_json_set_bool(row, "shared", key->shared);
		mlv_json_set_text(row, "description", key->description);
		json_array_append_new(rows, row);
	}
}

static gboolean print_keys_json(MlvCmd *cmd, GError **error)
{
	json_t *document = mlv_json_new(cmd);
	json_t *rows = json_array();

	add_key_rows(rows, "mlv.", mlv_config_keys());
	add_key_rows(rows, "mlv-remote.NAME.", mlv_config_remote_keys());
	json_object_set_new(document, "keys", rows);
	return mlv_json_print(cmd, document, error);
}

static gboolean print_keys(void)
{
	MlvColumns *columns = mlv_ui_columns_new("lll");

	for (const MlvConfigKey *key = mlv_config_keys(); key->name; key++) {
		g_autofree char *name = g_strconcat("mlv.", key->name, NULL);
		mlv_ui_columns_add(columns, name, key->fallback ? key->fallback : "-",
				   key->description);
	}
	for (const MlvConfigKey *key = mlv_config_remote_keys(); key->name; key++) {
		g_autofree char *name = g_strconcat("mlv-remote.NAME.", key->name, NULL);
		mlv_ui_columns_add(columns, name, key->fallback ? key->fallback : "-",
				   key->description);
	}
	mlv_ui_columns_print(columns, stdout);
	return TRUE;
}

static gboolean list(MlvCmd *cmd, MlvRepo *repo, const Options *opt, GError **error)
{
	const MlvConfig *config = mlv_repo_config(repo);
	g_autoptr(GPtrArray) own = mlv_config_list(config, "mlv.");
	g_autoptr(GPtrArray) remotes = mlv_config_list(config, "mlv-remote.");
	json_t *rows = json_array();

	g_ptr_array_extend(own, remotes, NULL, NULL);
	for (guint i = 0; i < own->len; i++) {
		const MlvConfigEntry *entry = own->pdata[i];
		const char *value = entry->value ? entry->value : "true";

		if (opt->json) {
			json_t *row = json_object();
			mlv_json_set_text(row, "key", entry->key);
			mlv_json_set_text(row, "value", value);
			mlv_json_set_text(row, "level", level_name(entry->level));
			json_array_append_new(rows, row);
			continue;
		}
		g_autofree char *line = g_strdup_printf("%s=%s", entry->key, value);
		mlv_ui_put_name(line, opt->zero);
	}
	if (!opt->json) {
		json_decref(rows);
		return TRUE;
	}
	json_t *document = mlv_json_new(cmd);
	json_object_set_new(document, "entries", rows);
	return mlv_json_print(cmd, document, error);
}

static gboolean get(MlvCmd *cmd, MlvRepo *repo, const char *key, const Options *opt, GError **error)
{
	const MlvConfigEntry *entry = mlv_config_find(mlv_repo_config(repo), key);

	if (!entry) {
		cmd->status = MLV_EXIT_CHECK; /* as git config: nothing is printed */
		return TRUE;
	}
	if (opt->json) {
		json_t *document = mlv_json_new(cmd);
		mlv_json_set_text(document, "key", entry->key);
		mlv_json_set_text(document, "value", entry->value ? entry->value : "true");
		mlv_json_set_text(document, "level", level_name(entry->level));
		return mlv_json_print(cmd, document, error);
	}
	mlv_ui_put_name(entry->value ? entry->value : "true", opt->zero);
	return TRUE;
}

/* The row of a key of mlv's, and whether the key is mlv's at all. */
static const MlvConfigKey *find_key(const char *key, gboolean *ours)
{
	const MlvConfigKey *row = mlv_config_keys();
	const char *name = strrchr(key, '.') + 1;

	*ours = g_ascii_strncasecmp(key, "mlv.", 4) == 0 ||
		g_ascii_strncasecmp(key, "mlv-remote.", 11) == 0;
	if (g_ascii_strncasecmp(key, "mlv-remote.", 11) == 0)
		row = mlv_config_remote_keys();
	while (row->name && g_ascii_strcasecmp(row->name, name) != 0)
		row++;
	return row->name ? row : NULL;
}

static gboolean fail_unknown(const char *key, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const MlvConfigKey *row = g_ascii_strncasecmp(key, "mlv.", 4) == 0
					  ? mlv_config_keys()
					  : mlv_config_remote_keys();
	const char *name = strrchr(key, '.') + 1;

	for (; row->name; row++)
		g_ptr_array_add(names, (gpointer)row->name);
	g_ptr_array_add(names, NULL);
	const char *near = mlv_options_nearest(name, (const char *const *)names->pdata);
	return near ? mlv_fail(error, MLV_ERROR_USAGE,
			       "there is no key '%s'; did you mean '%.*s%s'?", key,
			       (int)(name - key), key, near)
		    : mlv_fail(error, MLV_ERROR_USAGE,
			       "there is no key '%s'; 'mlv config --keys' lists them", key);
}

/* A value that no command could read is refused when it is set. */
static gboolean check_value(const char *key, const char *value, GError **error)
{
	gboolean ours, truth;
	const MlvConfigKey *row = find_key(key, &ours);
	guint64 seconds;
	gint64 number;

	if (!row)
		return !ours || fail_unknown(key, error);
	switch (row->type) {
	case MLV_TYPE_BOOL:
		return mlv_config_parse_bool(value, &truth) ||
		       mlv_fail(error, MLV_ERROR_USAGE, "'%s' takes true or false, not '%s'", key,
				value);
	case MLV_TYPE_INT:
		return mlv_config_parse_int(value, &number, error);
	case MLV_TYPE_DURATION:
		return mlv_config_parse_duration(value, &seconds, error);
	default:
		return TRUE;
	}
}

static gboolean change(MlvRepo *repo, const Options *opt, const char *key, const char *value,
		       GError **error)
{
	MlvConfigLevel level = chosen_level(opt);
	gboolean found = TRUE;

	if (value && !check_value(key, value, error))
		return FALSE;
	if (value ? !mlv_config_set(repo, level, key, value, error)
		  : !mlv_config_unset(repo, level, key, &found, error))
		return FALSE;
	if (!found)
		return mlv_fail(error, MLV_ERROR_CHECK, "'%s' is not set in %s", key,
				level_name(level));
	return stage_shared(repo, level, error);
}

gboolean mlv_cmd_config(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "shared", 0, 0, G_OPTION_ARG_NONE, &opt.shared,
		  "write to .mlvconfig, for the team", NULL },
		{ "local", 0, 0, G_OPTION_ARG_NONE, &opt.local,
		  "write to this clone's git configuration (default)", NULL },
		{ "global", 0, 0, G_OPTION_ARG_NONE, &opt.global,
		  "write to the user's git configuration", NULL },
		{ "worktree", 0, 0, G_OPTION_ARG_NONE, &opt.worktree,
		  "write to this work tree's configuration", NULL },
		{ "list", 'l', 0, G_OPTION_ARG_NONE, &opt.list, "list what is set", NULL },
		{ "keys", 0, 0, G_OPTION_ARG_NONE, &opt.keys,
		  "list every key, its default and what it does", NULL },
		{ "unset", 0, 0, G_OPTION_ARG_NONE, &opt.unset, "take KEY out", NULL },
		{ "null", 'z', 0, G_OPTION_ARG_NONE, &opt.zero, "end values by NUL", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[KEY [VALUE]]\nmlv config jobs 4\nmlv config --unset jobs",
			       error) ||
	    !mlv_options_count(cmd, argc, 0, 2, error))
		return FALSE;
	if (opt.keys)
		return opt.json ? print_keys_json(cmd, error) : print_keys();
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	if (!repo)
		return FALSE;
	if (opt.list || argc == 1)
		return list(cmd, repo, &opt, error);
	g_autofree char *key = full_key(argv[1]);
	if (!mlv_config_key_check(key, error))
		return FALSE;
	if (opt.unset || argc > 2)
		return change(repo, &opt, key, opt.unset ? NULL : argv[2], error);
	return get(cmd, repo, key, &opt, error);
}
