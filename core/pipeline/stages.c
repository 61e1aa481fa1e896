/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/stages.h"

#include <string.h>

#include "core/pipeline/stages_private.h"

static const char *const file_keys[] = { "stages",    "vars",     "params", "metrics", "plots",
					 "artifacts", "datasets", "shell",  NULL };
static const char *const plot_keys[] = { "x",        "y",      "x_label", "y_label", "title",
					 "template", "header", "bins",    NULL };
static const char *const metric_keys[] = { "better", NULL };
static const char *const artifact_keys[] = { "path", "type", "labels", "desc", "meta", NULL };

static void item_free(MlvPipelineItem *item)
{
	g_free(item->path);
	g_free(item->name);
	mlv_value_unref(item->options);
	g_free(item);
}

void mlv_pipeline_file_free(MlvPipelineFile *file)
{
	if (!file)
		return;
	g_ptr_array_unref(file->stages);
	g_ptr_array_unref(file->params);
	g_ptr_array_unref(file->metrics);
	g_ptr_array_unref(file->plots);
	g_ptr_array_unref(file->artifacts);
	g_ptr_array_unref(file->var_files);
	g_ptr_array_unref(file->kept);
	mlv_value_unref(file->root);
	g_free(file->path);
	g_free(file->folder);
	g_free(file);
}

static MlvPipelineFile *new_file(const char *path)
{
	MlvPipelineFile *file = g_new0(MlvPipelineFile, 1);

	file->path = g_strdup(path);
	file->folder = mlv_files_folder(path);
	file->stages = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_pipeline_stage_free);
	file->params = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
	file->metrics = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
	file->plots = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
	file->artifacts = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
	file->var_files = g_ptr_array_new_with_free_func(g_free);
	file->kept = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_value_unref);
	return file;
}

/* --- variables -------------------------------------------------------------------------------- */

static gboolean load_vars(MlvStageLoader *loader, GError **error)
{
	const MlvFiles *files = loader->files;
	const MlvPipelineFile *file = loader->file;
	const MlvValue *vars = NULL;
	g_autofree char *params = mlv_files_normal(files, file->folder, MLV_PARAMS_FILE);
	const MlvWhere nowhere = { file->path, 0, 0 };

	if (files->type(files->user, params) == MLV_FILES_FILE &&
	    !mlv_scope_load(loader->scope, files, file->folder, MLV_PARAMS_FILE, &nowhere, error))
		return FALSE;
	return mlv_stage_get_list(file->root, "vars", &vars, error) &&
	       (!vars ||
		mlv_stage_load_vars(loader, loader->scope, vars, file->folder, NULL, error));
}

/* --- stages ----------------------------------------------------------------------------------- */

static gboolean check_stage_key(const MlvValue *key, GError **error)
{
	for (const char *at = key->text; *at; at++)
		if ((guchar)*at < 0x20 || *at == 0x7f || *at == '@')
			return mlv_fail_at(
				error, &key->where, MLV_ERROR_CORRUPT,
				"a stage cannot be called '%s': '@' and control characters "
				"are not possible in its name",
				key->text);
	return *key->text || mlv_fail_at(error, &key->where, MLV_ERROR_CORRUPT,
					 "a stage needs a name, and this one's is empty");
}

static gboolean build_stages(MlvStageLoader *loader, GError **error)
{
	const MlvValue *stages = mlv_value_get(loader->file->root, "stages");
	g_autoptr(GPtrArray) groups = g_ptr_array_new();

	if (!stages || stages->type == MLV_VALUE_NULL)
		return TRUE;
	if (stages->type != MLV_VALUE_MAP)
		return mlv_stage_fail_type(stages, "stages", "a map of names and stages", error);
	for (gsize i = 0; i < stages->length; i++) {
		const MlvEntry *entry = &stages->entries[i];
		if (!check_stage_key(entry->key, error) ||
		    !mlv_stage_check_definition(entry->value, &entry->key->where, error) ||
		    !mlv_stage_spread(loader, entry->value, &entry->key->where, entry->key->text,
				      loader->scope, groups, error))
			return FALSE;
	}
	return TRUE;
}

/* The file's shell is that of stages which name none. */
static gboolean set_shell(MlvStageLoader *loader, GError **error)
{
	g_autofree char *shell = NULL;

	if (!mlv_stage_get_string(loader->file->root, "shell", &shell, error))
		return FALSE;
	for (guint i = 0; shell && i < loader->file->stages->len; i++) {
		MlvStage *stage = loader->file->stages->pdata[i];
		if (!stage->shell)
			stage->shell = g_strdup(shell);
	}
	return TRUE;
}

/* --- top-level lists -------------------------------------------------------------------------- */

static MlvPipelineItem *add_item(MlvStageLoader *loader, GPtrArray *items, const char *name,
				 const char *path, const MlvValue *options, const MlvWhere *where)
{
	MlvPipelineItem *item = g_new0(MlvPipelineItem, 1);

	item->name = g_strdup(name);
	item->path = mlv_files_is_url(path)
			     ? g_strdup(path)
			     : mlv_files_normal(loader->files, loader->file->folder, path);
	item->options = options ? mlv_value_ref(options) : NULL;
	item->where = *where;
	g_ptr_array_add(items, item);
	return item;
}

/* {PATH: {x: epoch}} of plots, {PATH: {better: lower}} of metrics. */
static gboolean add_map(MlvStageLoader *loader, GPtrArray *items, const MlvValue *map,
			GError **error)
{
	gboolean plots = items == loader->file->plots;

	for (gsize i = 0; i < map->length; i++) {
		const MlvEntry *entry = &map->entries[i];
		const MlvValue *options = entry->value;

		if (options->type != MLV_VALUE_NULL && options->type != MLV_VALUE_MAP)
			return mlv_stage_fail_type(options, entry->key->text,
						   plots ? "a map such as {x: epoch, y: loss}"
							 : "a map such as {better: lower}",
						   error);
		if (options->type == MLV_VALUE_MAP &&
		    !mlv_stage_check_keys(options, plots ? plot_keys : metric_keys,
					  plots ? "a plot" : "a metric's file", error))
			return FALSE;
		add_item(loader, items, entry->key->text, entry->key->text,
			 options->type == MLV_VALUE_MAP ? options : NULL, &entry->key->where);
	}
	return TRUE;
}

/* The list (of plots also a map) under a key, templates expanded; NULL if there is none. */
static gboolean expand_list(MlvStageLoader *loader, const char *key, const MlvValue **list,
			    GError **error)
{
	const MlvValue *written = mlv_value_get(loader->file->root, key);

	*list = NULL;
	if (!written || written->type == MLV_VALUE_NULL)
		return TRUE;
	MlvValue *value = mlv_template_expand(loader->scope, written, MLV_TEMPLATE_VALUE, error);
	if (!value)
		return FALSE;
	g_ptr_array_add(loader->file->kept, value);
	*list = value;
	return TRUE;
}

static gboolean build_paths(MlvStageLoader *loader, const char *key, GPtrArray *items,
			    GError **error)
{
	const MlvValue *list;

	if (!expand_list(loader, key, &list, error))
		return FALSE;
	if (!list)
		return TRUE;
	if (list->type == MLV_VALUE_MAP && items == loader->file->plots)
		return add_map(loader, items, list, error);
	if (list->type != MLV_VALUE_LIST)
		return mlv_stage_fail_type(list, key, "a list ('- ' before each item)", error);
	for (gsize i = 0; i < list->length; i++) {
		const MlvValue *item = list->items[i];
		if (item->type == MLV_VALUE_MAP && items != loader->file->params) {
			if (!add_map(loader, items, item, error))
				return FALSE;
			continue;
		}
		g_autofree char *path = mlv_stage_word(item, "a path", error);
		if (!path)
			return FALSE;
		add_item(loader, items, path, path, NULL, &item->where);
	}
	return TRUE;
}

static gboolean build_artifacts(MlvStageLoader *loader, GError **error)
{
	const MlvValue *map;

	if (!expand_list(loader, "artifacts", &map, error))
		return FALSE;
	if (!map)
		return TRUE;
	if (map->type != MLV_VALUE_MAP)
		return mlv_stage_fail_type(map, "artifacts", "a map of names and artifacts", error);
	for (gsize i = 0; i < map->length; i++) {
		const MlvEntry *entry = &map->entries[i];
		const MlvValue *options = entry->value;
		const MlvValue *written = mlv_value_get(options, "path");

		if (options->type != MLV_VALUE_MAP || !written)
			return mlv_fail_at(
				error, &entry->key->where, MLV_ERROR_CORRUPT,
				"the artifact '%s' is expected to be a map with a 'path'",
				entry->key->text);
		if (!mlv_stage_check_keys(options, artifact_keys, "an artifact", error))
			return FALSE;
		g_autofree char *path = mlv_stage_word(written, "a path", error);
		if (!path)
			return FALSE;
		add_item(loader, loader->file->artifacts, entry->key->text, path, options,
			 &entry->key->where);
	}
	return TRUE;
}

/* --- the file --------------------------------------------------------------------------------- */

static gboolean fill(MlvStageLoader *loader, GError **error)
{
	MlvPipelineFile *file = loader->file;

	if (file->root->type == MLV_VALUE_NULL)
		return TRUE;
	if (file->root->type != MLV_VALUE_MAP)
		return mlv_fail_at(
			error, &file->root->where, MLV_ERROR_CORRUPT,
			"a pipeline file is expected to be a map with 'stages', and this "
			"is %s",
			mlv_value_type_name((MlvValueType)file->root->type));
	if (!mlv_stage_check_keys(file->root, file_keys, "a pipeline file", error) ||
	    !load_vars(loader, error) || !build_stages(loader, error) || !set_shell(loader, error))
		return FALSE;
	if (!build_paths(loader, "params", file->params, error) ||
	    !build_paths(loader, "metrics", file->metrics, error) ||
	    !build_paths(loader, "plots", file->plots, error) || !build_artifacts(loader, error))
		return FALSE;
	g_autoptr(GPtrArray) names = mlv_scope_files(loader->scope);
	for (guint i = 0; i < names->len; i++)
		g_ptr_array_add(file->var_files, g_strdup(names->pdata[i]));
	return TRUE;
}

MlvPipelineFile *mlv_pipeline_file_parse(const MlvFiles *files, const char *path, const char *data,
					 gsize length, GError **error)
{
	g_autoptr(MlvPipelineFile) file = new_file(path);
	g_autoptr(MlvScope) scope = mlv_scope_new(NULL);
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	MlvStageLoader loader = {
		.files = files, .file = file, .scope = scope, .by_name = by_name
	};

	file->root = mlv_yaml_parse(data, length, path, error);
	if (!file->root || !fill(&loader, error))
		return NULL;
	return g_steal_pointer(&file);
}

MlvPipelineFile *mlv_pipeline_file_read(const MlvFiles *files, const char *path, GError **error)
{
	g_autoptr(GBytes) bytes = files->read(files->user, path, MLV_YAML_MAX, error);
	gsize length;

	if (!bytes)
		return NULL;
	const char *data = g_bytes_get_data(bytes, &length);
	return mlv_pipeline_file_parse(files, path, data ? data : "", length, error);
}

char *mlv_pipeline_file_in(const MlvFiles *files, const char *folder)
{
	static const char *const names[] = { MLV_PIPELINE_NAME, MLV_PIPELINE_DVC_NAME };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = mlv_files_normal(files, folder, names[i]);
		if (files->type(files->user, path) == MLV_FILES_FILE)
			return g_steal_pointer(&path);
	}
	return NULL;
}

const MlvStage *mlv_pipeline_file_stage(const MlvPipelineFile *file, const char *name)
{
	for (guint i = 0; i < file->stages->len; i++) {
		const MlvStage *stage = file->stages->pdata[i];
		if (strcmp(stage->name, name) == 0)
			return stage;
	}
	return NULL;
}
