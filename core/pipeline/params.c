/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/params.h"

#include <string.h>

#include "core/yaml.h"

/* A file's document; of one that is not there the root is NULL. */
typedef struct {
	MlvValue *root;
} ParamsFile;

struct MlvParamsCache {
	const MlvFiles *files;
	GHashTable *read; /* path -> ParamsFile */
};

static void params_file_free(ParamsFile *file)
{
	mlv_value_unref(file->root);
	g_free(file);
}

MlvParamsCache *mlv_params_cache_new(const MlvFiles *files)
{
	MlvParamsCache *cache = g_new0(MlvParamsCache, 1);

	cache->files = files;
	cache->read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					    (GDestroyNotify)params_file_free);
	return cache;
}

void mlv_params_cache_free(MlvParamsCache *cache)
{
	if (!cache)
		return;
	g_hash_table_unref(cache->read);
	g_free(cache);
}

void mlv_params_cache_forget(MlvParamsCache *cache, const char *file)
{
	if (file)
		g_hash_table_remove(cache->read, file);
	else
		g_hash_table_remove_all(cache->read);
}

void mlv_param_free(MlvParam *param)
{
	if (!param)
		return;
	g_free(param->file);
	g_free(param->key);
	mlv_value_unref(param->value);
	g_free(param);
}

gboolean mlv_params_file(MlvParamsCache *cache, const char *file, const MlvValue **root,
			 GError **error)
{
	const MlvFiles *files = cache->files;
	const ParamsFile *known = g_hash_table_lookup(cache->read, file);
	g_autoptr(MlvValue) value = NULL;

	if (known) {
		*root = known->root;
		return TRUE;
	}
	if (!mlv_yaml_check_name(file, error))
		return FALSE;
	g_autoptr(GError) problem = NULL;
	g_autoptr(GBytes) bytes = files->read(files->user, file, MLV_YAML_MAX, &problem);
	if (!bytes && problem->code != MLV_ERROR_MISSING) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	if (bytes) {
		gsize length;
		const char *data = g_bytes_get_data(bytes, &length);
		value = mlv_yaml_parse(data ? data : "", length, file, error);
		if (!value)
			return FALSE;
	}
	ParamsFile *entry = g_new0(ParamsFile, 1);
	*root = entry->root = g_steal_pointer(&value);
	g_hash_table_insert(cache->read, g_strdup(file), entry);
	return TRUE;
}

static void add_param(GPtrArray *params, const char *file, const char *key, const MlvValue *value)
{
	MlvParam *param = g_new0(MlvParam, 1);

	param->file = g_strdup(file);
	param->key = g_strdup(key);
	param->value = value ? mlv_value_ref(value) : NULL;
	g_ptr_array_add(params, param);
}

static void add_params(GPtrArray *params, const MlvParamsDep *dep, const MlvValue *root)
{
	if (!dep->whole) {
		for (guint i = 0; i < dep->keys->len; i++) {
			const char *key = dep->keys->pdata[i];
			add_param(params, dep->file, key, mlv_value_lookup(root, key));
		}
		return;
	}
	if (!mlv_value_is(root, MLV_VALUE_MAP)) {
		add_param(params, dep->file, "", root);
		return;
	}
	for (gsize i = 0; i < root->length; i++)
		add_param(params, dep->file, root->entries[i].key->text, root->entries[i].value);
}

static gint compare_params(gconstpointer a, gconstpointer b)
{
	const MlvParam *const *first = a, *const *second = b;
	gint order = strcmp((*first)->file, (*second)->file);
	return order ? order : strcmp((*first)->key, (*second)->key);
}

GPtrArray *mlv_params_resolve(MlvParamsCache *cache, const MlvStage *stage, GError **error)
{
	g_autoptr(GPtrArray) params =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_param_free);

	for (guint i = 0; i < stage->params->len; i++) {
		const MlvParamsDep *dep = stage->params->pdata[i];
		const MlvValue *root;
		if (!mlv_params_file(cache, dep->file, &root, error)) {
			g_prefix_error(error, "parameters of stage '%s': ", stage->address);
			return NULL;
		}
		add_params(params, dep, root);
	}
	g_ptr_array_sort(params, compare_params);
	return g_steal_pointer(&params);
}

gboolean mlv_params_check(const GPtrArray *params, const MlvStage *stage, GError **error)
{
	g_autoptr(GString) missing = g_string_new("");
	const char *file = NULL;

	for (guint i = 0; i < params->len; i++) {
		const MlvParam *param = params->pdata[i];
		if (param->value)
			continue;
		if (!*param->key)
			return mlv_fail(
				error, MLV_ERROR_MISSING,
				"stage '%s' depends on the parameters in '%s', which is not "
				"there",
				stage->address, param->file);
		if (file && strcmp(file, param->file) != 0)
			break;
		file = param->file;
		g_string_append_printf(missing, "%s'%s'", missing->len ? ", " : "", param->key);
	}
	return !file || mlv_fail(error, MLV_ERROR_MISSING,
				 "stage '%s' depends on the parameters %s, which '%s' has not",
				 stage->address, missing->str, file);
}
