/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/pipelines.h"
#include "cmd/stage_calls.h"
#include "core/pipeline/edit.h"
#include "core/workspace.h"

/* The stages and groups, as their files name them, that words mean: file -> GPtrArray of names. */
static void add_name(GHashTable *files, const MlvStage *stage)
{
	const char *at = strchr(stage->name, '@');
	g_autofree char *name =
		at ? g_strndup(stage->name, (gsize)(at - stage->name)) : g_strdup(stage->name);
	GPtrArray *names = g_hash_table_lookup(files, stage->file);

	if (!names) {
		names = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(files, (gpointer)stage->file, names);
	}
	if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
		g_ptr_array_add(names, g_steal_pointer(&name));
}

/* A word that names a member of a group alone cannot be meant: its file has only the group. */
static gboolean check_whole(char *const *words, guint count, GError **error)
{
	for (guint i = 0; i < count; i++) {
		const char *at = strchr(words[i], '@');
		if (at)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"'%s' is one of a group, which can be changed only as a "
					"whole: '%.*s'",
					words[i], (int)(at - words[i]), words[i]);
	}
	return TRUE;
}

static GHashTable *named(const MlvPipelines *pipelines, const MlvWords *words, GError **error)
{
	g_autoptr(GArray) targets = NULL;
	GHashTable *files;

	if (!check_whole(words->before, words->n_before, error))
		return NULL;
	targets = mlv_pipelines_targets(pipelines, words->before, words->n_before, error);
	if (!targets)
		return NULL;
	files = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	for (guint i = 0; i < targets->len; i++)
		add_name(files,
			 mlv_pipeline_node(pipelines->pipeline, g_array_index(targets, guint, i))
				 ->stage);
	return files;
}

/* --- freeze ----------------------------------------------------------------------------------- */

static gboolean set_frozen(MlvCmd *cmd, int argc, char **argv, gboolean frozen, GError **error)
{
	g_auto(MlvPipelines) pipelines = { 0 };
	MlvWords words = mlv_options_words(cmd, argc, argv);
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	GHashTableIter at;
	gpointer file, names;

	if (!repo || !mlv_pipelines_open(&pipelines, repo, error))
		return FALSE;
	g_autoptr(GHashTable) files = named(&pipelines, &words, error);
	if (!files)
		return FALSE;
	g_hash_table_iter_init(&at, files);
	while (g_hash_table_iter_next(&at, &file, &names)) {
		const char *folder = ((const MlvPipelineFile *)file)->folder;
		g_autoptr(MlvPipelineEdit) edit =
			mlv_pipeline_edit_new(repo, &pipelines.files, folder, error);
		for (guint i = 0; edit && i < ((GPtrArray *)names)->len; i++)
			if (!mlv_pipeline_edit_freeze(edit, ((GPtrArray *)names)->pdata[i], frozen,
						      error))
				return FALSE;
		if (!edit || !mlv_pipeline_edit_write(edit, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean freeze(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	return mlv_options_parse(cmd, NULL, &argc, &argv, "STAGE...\nmlv stage freeze prepare",
				 error) &&
	       mlv_options_count(cmd, argc, 1, -1, error) &&
	       set_frozen(cmd, argc, argv, TRUE, error);
}

static gboolean unfreeze(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	return mlv_options_parse(cmd, NULL, &argc, &argv, "STAGE...\nmlv stage unfreeze prepare",
				 error) &&
	       mlv_options_count(cmd, argc, 1, -1, error) &&
	       set_frozen(cmd, argc, argv, FALSE, error);
}

/* --- rm --------------------------------------------------------------------------------------- */

static gboolean clear_outs(MlvRepo *repo, const MlvPipelineFile *file, const char *name,
			   GError **error)
{
	gsize length = strlen(name);

	for (guint i = 0; i < file->stages->len; i++) {
		const MlvStage *stage = file->stages->pdata[i];
		if (strncmp(stage->name, name, length) != 0 ||
		    (stage->name[length] != '\0' && stage->name[length] != '@'))
			continue;
		for (guint j = 0; j < stage->outs->len; j++) {
			const MlvOut *out = stage->outs->pdata[j];
			if (out->cache &&
			    !mlv_workspace_clear(mlv_repo_root_fd(repo), out->path, error))
				return FALSE;
		}
	}
	return TRUE;
}

static gboolean remove_from(const MlvPipelines *pipelines, const MlvPipelineFile *file,
			    const GPtrArray *names, gboolean outs, GError **error)
{
	g_autoptr(MlvPipelineEdit) edit =
		mlv_pipeline_edit_new(pipelines->repo, &pipelines->files, file->folder, error);

	for (guint i = 0; edit && i < names->len; i++)
		if (!mlv_pipeline_edit_remove(edit, names->pdata[i], error))
			return FALSE;
	if (!edit || !mlv_pipeline_edit_write(edit, error))
		return FALSE;
	for (guint i = 0; outs && i < names->len; i++)
		if (!clear_outs(pipelines->repo, file, names->pdata[i], error))
			return FALSE;
	return mlv_pipeline_forget(pipelines->repo, &pipelines->files, file->folder, names, error);
}

static gboolean rm(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(MlvPipelines) pipelines = { 0 };
	gboolean outs = FALSE;
	const GOptionEntry entries[] = {
		{ "outs", 0, 0, G_OPTION_ARG_NONE, &outs, "remove the outputs too", NULL },
		{ NULL },
	};
	GHashTableIter at;
	gpointer file, names;

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "STAGE...\nmlv stage rm prepare",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	MlvRepo *repo = mlv_cmd_open_repo(cmd, error);
	if (!repo || !mlv_pipelines_open(&pipelines, repo, error))
		return FALSE;
	g_autoptr(GHashTable) files = named(&pipelines, &words, error);
	if (!files)
		return FALSE;
	g_hash_table_iter_init(&at, files);
	while (g_hash_table_iter_next(&at, &file, &names))
		if (!remove_from(&pipelines, file, names, outs, error))
			return FALSE;
	return TRUE;
}

gboolean mlv_cmd_stage(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "add", mlv_stage_call_add, "add a stage to the pipeline file" },
		{ "list", mlv_stage_call_list, "list the stages" },
		{ "show", mlv_stage_call_show, "show a stage with its templates expanded" },
		{ "log", mlv_stage_call_log, "show what a stage printed when it last ran" },
		{ "rm", rm, "take stages away" },
		{ "freeze", freeze, "leave stages as they are" },
		{ "unfreeze", unfreeze, "let frozen stages run again" },
		{ NULL },
	};

	return mlv_options_dispatch(cmd, rows, NULL, argc, argv, error);
}
