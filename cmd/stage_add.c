/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/pipelines.h"
#include "cmd/stage_calls.h"
#include "core/pipeline/edit.h"

typedef struct {
	char *name, *wdir, *desc, *shell;
	char **deps, **params;
	char **outs, **outs_uncached, **outs_persist, **outs_persist_uncached;
	char **metrics, **metrics_uncached, **plots, **plots_uncached;
	gboolean always_changed, force, run;
} Options;

static void options_clear(Options *opt)
{
	char **const lists[] = { opt->deps,         opt->params,
				 opt->outs,         opt->outs_uncached,
				 opt->outs_persist, opt->outs_persist_uncached,
				 opt->metrics,      opt->metrics_uncached,
				 opt->plots,        opt->plots_uncached };

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		g_strfreev(lists[i]);
	g_free(opt->name);
	g_free(opt->wdir);
	g_free(opt->desc);
	g_free(opt->shell);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static GPtrArray *new_list(void)
{
	return g_ptr_array_new();
}

/* Puts a list under a key if there is anything in it. */
static void add_list(GArray *map, const char *key, GPtrArray *items)
{
	if (items->len > 0)
		mlv_value_add(map, key, mlv_value_new_list(items));
	else
		g_ptr_array_unref(items);
}

static GArray *new_map(void)
{
	return g_array_new(FALSE, FALSE, sizeof(MlvEntry));
}

static void add_paths(GPtrArray *items, char **paths, gboolean uncached, gboolean persist)
{
	for (char **path = paths; path && *path; path++) {
		if (!uncached && !persist) {
			g_ptr_array_add(items, mlv_value_new_string(*path));
			continue;
		}
		GArray *flags = new_map(), *map = new_map();
		if (uncached)
			mlv_value_add(flags, "cache", mlv_value_new_bool(FALSE));
		if (persist)
			mlv_value_add(flags, "persist", mlv_value_new_bool(TRUE));
		mlv_value_add(map, *path, mlv_value_new_map(flags));
		g_ptr_array_add(items, mlv_value_new_map(map));
	}
}

/* "a,b" are keys of params.yaml, "FILE:a,b" of another file, "FILE:" is all of it. */
static GPtrArray *params_list(char **params)
{
	GPtrArray *items = new_list();
	g_autoptr(GHashTable) files = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) order = g_ptr_array_new();

	for (char **param = params; param && *param; param++) {
		char *colon = strchr(*param, ':');
		g_auto(GStrv) keys = g_strsplit(colon ? colon + 1 : *param, ",", -1);
		GPtrArray *list = items;
		if (colon) {
			*colon = '\0';
			list = g_hash_table_lookup(files, *param);
			if (!list) {
				list = new_list();
				g_hash_table_insert(files, *param, list);
				g_ptr_array_add(order, *param);
			}
		}
		for (char **key = keys; *key; key++)
			if (**key)
				g_ptr_array_add(list, mlv_value_new_string(*key));
	}
	for (guint i = 0; i < order->len; i++) {
		GPtrArray *keys = g_hash_table_lookup(files, order->pdata[i]);
		GArray *map = new_map();
		MlvValue *value;
		if (keys->len > 0) {
			value = mlv_value_new_list(keys);
		} else {
			value = mlv_value_new_null();
			g_ptr_array_unref(keys);
		}
		mlv_value_add(map, order->pdata[i], value);
		g_ptr_array_add(items, mlv_value_new_map(map));
	}
	return items;
}

/* One word is the command as it is; several are quoted where a shell would take them apart. */
static char *join_command(char **words, guint count)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "@%+=:,./-_${}";
	GString *cmd = g_string_new(NULL);

	if (count == 1)
		return g_string_free(g_string_append(cmd, words[0]), FALSE);
	for (guint i = 0; i < count; i++) {
		g_autofree char *quoted = *words[i] && strspn(words[i], plain) == strlen(words[i])
						  ? g_strdup(words[i])
						  : g_shell_quote(words[i]);
		g_string_append_printf(cmd, "%s%s", i > 0 ? " " : "", quoted);
	}
	return g_string_free(cmd, FALSE);
}

static MlvValue *make_stage(const Options *opt, const char *cmd)
{
	GArray *map = new_map();
	GPtrArray *items = new_list();

	if (opt->desc)
		mlv_value_add(map, "desc", mlv_value_new_string(opt->desc));
	mlv_value_add(map, "cmd", mlv_value_new_string(cmd));
	if (opt->shell)
		mlv_value_add(map, "shell", mlv_value_new_string(opt->shell));
	if (opt->wdir)
		mlv_value_add(map, "wdir", mlv_value_new_string(opt->wdir));
	add_paths(items, opt->deps, FALSE, FALSE);
	add_list(map, "deps", items);
	add_list(map, "params", params_list(opt->params));
	items = new_list();
	add_paths(items, opt->outs, FALSE, FALSE);
	add_paths(items, opt->outs_uncached, TRUE, FALSE);
	add_paths(items, opt->outs_persist, FALSE, TRUE);
	add_paths(items, opt->outs_persist_uncached, TRUE, TRUE);
	add_list(map, "outs", items);
	items = new_list();
	add_paths(items, opt->metrics, FALSE, FALSE);
	add_paths(items, opt->metrics_uncached, TRUE, FALSE);
	add_list(map, "metrics", items);
	items = new_list();
	add_paths(items, opt->plots, FALSE, FALSE);
	add_paths(items, opt->plots_uncached, TRUE, FALSE);
	add_list(map, "plots", items);
	if (opt->always_changed)
		mlv_value_add(map, "always_changed", mlv_value_new_bool(TRUE));
	return mlv_value_new_map(map);
}

static gboolean add(MlvCmd *cmd, const Options *opt, const char *command, GError **error)
{
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	g_autoptr(MlvValue) stage = make_stage(opt, command);
	MlvFiles files;
	int root_fd;

	if (!repo)
		return FALSE;
	root_fd = mlv_repo_root_fd(repo);
	mlv_files_init_directory(&files, &root_fd, mlv_repo_root(repo));
	g_autoptr(MlvPipelineEdit) edit =
		mlv_pipeline_edit_new(repo, &files, mlv_repo_prefix(repo), error);
	if (!edit || !mlv_pipeline_edit_add(edit, opt->name, stage, opt->force, error) ||
	    !mlv_pipeline_edit_write(edit, error))
		return FALSE;
	g_autofree char *shown = mlv_repo_display(repo, mlv_pipeline_edit_path(edit));
	mlv_ui_note(cmd->ui, "added the stage '%s' to '%s'", opt->name, shown);
	return TRUE;
}

static gboolean run_it(MlvCmd *cmd, const Options *opt, GError **error)
{
	char *words[] = { (char *)"repro", opt->name, NULL };

	return mlv_cmd_repro(cmd, 2, words, error);
}

gboolean mlv_stage_call_add(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "name", 'n', 0, G_OPTION_ARG_STRING, &opt.name, "what it is called", "NAME" },
		{ "deps", 'd', 0, G_OPTION_ARG_STRING_ARRAY, &opt.deps, "a dependency", "PATH" },
		{ "params", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &opt.params,
		  "parameters: of params.yaml, or of FILE; FILE: for all of it", "[FILE:]KEY,..." },
		{ "outs", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &opt.outs, "an output", "PATH" },
		{ "outs-no-cache", 'O', 0, G_OPTION_ARG_STRING_ARRAY, &opt.outs_uncached,
		  "an output that is left to git", "PATH" },
		{ "outs-persist", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.outs_persist,
		  "an output that is not removed before a run", "PATH" },
		{ "outs-persist-no-cache", 0, 0, G_OPTION_ARG_STRING_ARRAY,
		  &opt.outs_persist_uncached, "both", "PATH" },
		{ "metrics", 'm', 0, G_OPTION_ARG_STRING_ARRAY, &opt.metrics, "a file of metrics",
		  "PATH" },
		{ "metrics-no-cache", 'M', 0, G_OPTION_ARG_STRING_ARRAY, &opt.metrics_uncached,
		  "one that is left to git", "PATH" },
		{ "plots", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.plots, "a file to plot", "PATH" },
		{ "plots-no-cache", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.plots_uncached,
		  "one that is left to git", "PATH" },
		{ "wdir", 'w', 0, G_OPTION_ARG_STRING, &opt.wdir, "where its command runs", "DIR" },
		{ "shell", 0, 0, G_OPTION_ARG_STRING, &opt.shell, "what runs its command",
		  "SHELL" },
		{ "desc", 0, 0, G_OPTION_ARG_STRING, &opt.desc, "what it is for", "TEXT" },
		{ "always-changed", 0, 0, G_OPTION_ARG_NONE, &opt.always_changed,
		  "it runs every time", NULL },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force, "replace a stage of that name",
		  NULL },
		{ "run", 0, 0, G_OPTION_ARG_NONE, &opt.run, "and run it", NULL },
		{ NULL },
	};

	if (!mlv_options_parse_before(
		    cmd, entries, &argc, &argv,
		    "-n NAME COMMAND...\nmlv stage add -n prep -d data/raw -o data/prep ./prep.sh\n"
		    "mlv stage add -n train -d train.py -p lr,epochs -o model.pkl python train.py",
		    error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error))
		return FALSE;
	if (!opt.name)
		return mlv_fail(error, MLV_ERROR_USAGE, "a stage needs a name: -n NAME");
	g_autofree char *command = join_command(argv + 1, (guint)argc - 1);
	return add(cmd, &opt, command, error) && (!opt.run || run_it(cmd, &opt, error));
}
