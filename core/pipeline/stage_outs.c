/* SPDX-License-Identifier: Apache-2.0 */
/* What a stage reads and writes. */
#include <string.h>

#include "core/pipeline/glob.h"
#include "core/pipeline/lock.h"
#include "core/pipeline/stages_private.h"

static void dep_free(MlvDep *dep)
{
	g_free(dep->path);
	g_free(dep->written);
	g_free(dep);
}

static void params_dep_free(MlvParamsDep *params)
{
	g_free(params->file);
	g_ptr_array_unref(params->keys);
	g_free(params);
}

static void out_free(MlvOut *out)
{
	g_free(out->path);
	g_free(out->written);
	g_free(out->remote);
	g_free(out->desc);
	mlv_value_unref(out->options);
	g_free(out);
}

void mlv_pipeline_stage_free(MlvStage *stage)
{
	g_ptr_array_set_free_func(stage->deps, (GDestroyNotify)dep_free);
	g_ptr_array_set_free_func(stage->params, (GDestroyNotify)params_dep_free);
	g_ptr_array_set_free_func(stage->outs, (GDestroyNotify)out_free);
	g_ptr_array_unref(stage->deps);
	g_ptr_array_unref(stage->params);
	g_ptr_array_unref(stage->outs);
	g_ptr_array_unref(stage->groups);
	g_ptr_array_unref(stage->cmds);
	g_free(stage->name);
	g_free(stage->address);
	g_free(stage->shell);
	g_free(stage->wdir);
	g_free(stage->desc);
	mlv_value_unref(stage->meta);
	g_free(stage);
}

static gboolean ends_in_slash(const char *text)
{
	return *text && text[strlen(text) - 1] == '/';
}

/* Calls `each` for the items; an item that is a list (of a template) has its own in its place. */
typedef gboolean (*EachItem)(MlvStageLoader *loader, MlvStage *stage, const MlvValue *item,
			     gpointer user, GError **error);

static gboolean for_each(MlvStageLoader *loader, MlvStage *stage, const MlvValue *list,
			 EachItem each, gpointer user, GError **error)
{
	for (gsize i = 0; i < list->length; i++) {
		const MlvValue *item = list->items[i];
		if (item->type != MLV_VALUE_LIST) {
			if (!each(loader, stage, item, user, error))
				return FALSE;
			continue;
		}
		for (gsize j = 0; j < item->length; j++)
			if (!each(loader, stage, item->items[j], user, error))
				return FALSE;
	}
	return TRUE;
}

/* --- deps ------------------------------------------------------------------------------------- */

/* A pattern relative to the root: what leads to it is no pattern. */
static char *normal_pattern(MlvStageLoader *loader, const char *wdir, const char *written)
{
	g_autoptr(GString) folder = g_string_new("");

	for (const char *at = wdir; *at; at++) {
		if (strchr("*?[]\\", *at))
			g_string_append_c(folder, '\\');
		g_string_append_c(folder, *at);
	}
	return mlv_files_normal(loader->files, folder->str, written);
}

static gboolean add_dep(MlvStageLoader *loader, MlvStage *stage, const MlvValue *item,
			gpointer seen, GError **error)
{
	g_autofree char *text = mlv_stage_word(item, "a path that the stage depends on", error);

	if (!text)
		return FALSE;
	if (g_str_has_prefix(text, "ds://"))
		return mlv_fail_at(error, &item->where, MLV_ERROR_UNSUPPORTED,
				   "'%s' is a dataset of DVC's registry, which mlv has not: bring "
				   "the data in with 'mlv import' and name its path",
				   text);
	gboolean url = mlv_files_is_url(text);
	g_autofree char *path =
		url ? g_strdup(text) : mlv_files_normal(loader->files, stage->wdir, text);
	MlvDepType type = url                          ? MLV_DEP_URL
			  : mlv_files_is_outside(path) ? MLV_DEP_OUTSIDE
						       : MLV_DEP_PATH;

	if (type == MLV_DEP_PATH && mlv_glob_is(text) &&
	    loader->files->type(loader->files->user, path) == MLV_FILES_NOTHING) {
		type = MLV_DEP_GLOB;
		g_free(path);
		path = normal_pattern(loader, stage->wdir, text);
	}
	if (!g_hash_table_add(seen, g_strdup(path)))
		return TRUE;
	MlvDep *dep = g_new0(MlvDep, 1);
	dep->type = type;
	dep->folder = type != MLV_DEP_URL && ends_in_slash(text);
	dep->path = g_steal_pointer(&path);
	dep->written = g_steal_pointer(&text);
	dep->where = item->where;
	g_ptr_array_add(stage->deps, dep);
	return TRUE;
}

gboolean mlv_stage_build_deps(MlvStageLoader *loader, MlvStage *stage, const MlvValue *list,
			      GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return for_each(loader, stage, list, add_dep, seen, error);
}

/* --- params ----------------------------------------------------------------------------------- */

/* The stage's entry for a params file, made where there is none. */
static MlvParamsDep *params_of(MlvStageLoader *loader, MlvStage *stage, const char *written,
			       const MlvWhere *where, GError **error)
{
	g_autofree char *file = mlv_files_normal(loader->files, stage->wdir, written);
	g_autoptr(GError) problem = NULL;

	for (guint i = 0; i < stage->params->len; i++) {
		MlvParamsDep *known = stage->params->pdata[i];
		if (strcmp(known->file, file) == 0)
			return known;
	}
	if (!mlv_yaml_check_name(file, &problem)) {
		mlv_fail_at(error, where, (MlvError)problem->code, "%s", problem->message);
		return NULL;
	}
	MlvParamsDep *params = g_new0(MlvParamsDep, 1);
	params->file = g_steal_pointer(&file);
	params->keys = g_ptr_array_new_with_free_func(g_free);
	params->where = *where;
	g_ptr_array_add(stage->params, params);
	return params;
}

static gboolean add_key(MlvParamsDep *params, const MlvValue *item, GError **error)
{
	g_autofree char *key = mlv_stage_word(item, "the name of a parameter", error);

	if (!key)
		return FALSE;
	if (!params->whole &&
	    !g_ptr_array_find_with_equal_func(params->keys, key, g_str_equal, NULL))
		g_ptr_array_add(params->keys, g_steal_pointer(&key));
	return TRUE;
}

/* {FILE: [key, ...]} or {FILE: }. */
static gboolean add_params_file(MlvStageLoader *loader, MlvStage *stage, const MlvEntry *entry,
				GError **error)
{
	const MlvValue *keys = entry->value;
	MlvParamsDep *params =
		params_of(loader, stage, entry->key->text, &entry->key->where, error);

	if (!params)
		return FALSE;
	if (keys->type != MLV_VALUE_NULL && keys->type != MLV_VALUE_LIST)
		return mlv_stage_fail_type(keys, entry->key->text,
					   "a list of its parameters, or nothing for all of them",
					   error);
	if (keys->type == MLV_VALUE_NULL || keys->length == 0) {
		params->whole = TRUE;
		g_ptr_array_set_size(params->keys, 0);
		return TRUE;
	}
	for (gsize i = 0; i < keys->length; i++)
		if (!add_key(params, keys->items[i], error))
			return FALSE;
	return TRUE;
}

static gboolean add_params(MlvStageLoader *loader, MlvStage *stage, const MlvValue *item,
			   gpointer user, GError **error)
{
	if (item->type == MLV_VALUE_MAP) {
		for (gsize i = 0; i < item->length; i++)
			if (!add_params_file(loader, stage, &item->entries[i], error))
				return FALSE;
		return TRUE;
	}
	MlvParamsDep *params = params_of(loader, stage, MLV_PARAMS_FILE, &item->where, error);
	return params && add_key(params, item, error);
}

gboolean mlv_stage_build_params(MlvStageLoader *loader, MlvStage *stage, const MlvValue *list,
				GError **error)
{
	return for_each(loader, stage, list, add_params, NULL, error);
}

/* --- outs ------------------------------------------------------------------------------------- */

static const char *const out_keys[] = { "cache", "persist", "push", "remote",     "desc",
					"type",  "labels",  "meta", "checkpoint", NULL };
static const char *const plot_keys[] = { "cache",  "persist", "push",    "remote",     "desc",
					 "type",   "labels",  "meta",    "checkpoint", "template",
					 "x",      "y",       "x_label", "y_label",    "title",
					 "header", "bins",    NULL };
static const char *const metric_keys[] = { "cache",      "persist", "push",   "remote",
					   "desc",       "type",    "labels", "meta",
					   "checkpoint", "better",  NULL };

static gboolean read_flags(MlvOut *out, const MlvValue *flags, GError **error)
{
	const char *const *keys = out->type == MLV_OUT_PLOT     ? plot_keys
				  : out->type == MLV_OUT_METRIC ? metric_keys
								: out_keys;

	if (!mlv_stage_check_keys(flags, keys,
				  out->type == MLV_OUT_PLOT     ? "a plot"
				  : out->type == MLV_OUT_METRIC ? "a metric's file"
								: "an output",
				  error))
		return FALSE;
	mlv_value_unref(out->options);
	out->options = mlv_value_ref(flags);
	return mlv_stage_get_bool(flags, "cache", &out->cache, error) &&
	       mlv_stage_get_bool(flags, "persist", &out->persist, error) &&
	       mlv_stage_get_bool(flags, "push", &out->push, error) &&
	       mlv_stage_get_string(flags, "remote", &out->remote, error) &&
	       mlv_stage_get_string(flags, "desc", &out->desc, error);
}

static gboolean check_out(const MlvStage *stage, const MlvOut *out, GError **error)
{
	const char *slash = strrchr(out->path, '/'), *name = slash ? slash + 1 : out->path;

	if (mlv_files_is_outside(out->path))
		return mlv_fail_at(
			error, &out->where, MLV_ERROR_CORRUPT,
			"the output '%s' lies outside of the repository, where mlv cannot "
			"keep it",
			out->written);
	if (!*out->path)
		return mlv_fail_at(error, &out->where, MLV_ERROR_CORRUPT,
				   "the repository itself cannot be an output");
	if (strcmp(out->path, ".git") == 0 || g_str_has_prefix(out->path, ".git/"))
		return mlv_fail_at(error, &out->where, MLV_ERROR_CORRUPT,
				   "the output '%s' lies in git's own folder", out->written);
	if (mlv_files_is_below(stage->file->path, out->path) || strcmp(name, MLV_LOCK_NAME) == 0 ||
	    strcmp(name, MLV_PIPELINE_NAME) == 0)
		return mlv_fail_at(error, &out->where, MLV_ERROR_CORRUPT,
				   "the output '%s' is or holds a pipeline's own file",
				   out->written);
	return TRUE;
}

/* The output that has the path already, or NULL. */
static MlvOut *find_out(const MlvStage *stage, const char *path)
{
	for (guint i = 0; i < stage->outs->len; i++) {
		MlvOut *out = stage->outs->pdata[i];
		if (strcmp(out->path, path) == 0)
			return out;
	}
	return NULL;
}

static MlvOut *new_out(MlvStageLoader *loader, const MlvStage *stage, const MlvValue *name,
		       MlvOutType type, GError **error)
{
	g_autofree char *text = mlv_stage_word(name, "the path of an output", error);

	if (!text)
		return NULL;
	if (mlv_files_is_url(text)) {
		mlv_fail_at(error, &name->where, MLV_ERROR_UNSUPPORTED,
			    "the output '%s' lies outside of the repository: write it to a file of "
			    "the repository, and copy it in the command",
			    text);
		return NULL;
	}
	MlvOut *out = g_new0(MlvOut, 1);
	out->type = type;
	out->path = mlv_files_normal(loader->files, stage->wdir, text);
	out->folder = ends_in_slash(text);
	out->written = g_steal_pointer(&text);
	out->cache = out->push = TRUE;
	out->where = name->where;
	return out;
}

/* Adds an output, or finds it: a path that stands twice in one list is one, as in DVC. `flags`
 * NULL: none are written. NULL with *error. Borrowed. */
static MlvOut *add_out(MlvStageLoader *loader, MlvStage *stage, const MlvValue *name,
		       const MlvValue *flags, MlvOutType type, GError **error)
{
	MlvOut *out = new_out(loader, stage, name, type, error);

	if (!out)
		return NULL;
	MlvOut *known = find_out(stage, out->path);
	if (known && known->type == type) {
		out_free(out);
		return !flags || read_flags(known, flags, error) ? known : NULL;
	}
	g_ptr_array_add(stage->outs, out);
	if (known) {
		mlv_fail_at(error, &out->where, MLV_ERROR_CORRUPT,
			    "the output '%s' stands under another heading too (line %u)",
			    out->written, known->where.line);
		return NULL;
	}
	return (!flags || read_flags(out, flags, error)) && check_out(stage, out, error) ? out
											 : NULL;
}

/* {PATH: [{x: a}, {x: b}]}: a map for each way to draw it. */
static gboolean add_plot(MlvStageLoader *loader, MlvStage *stage, const MlvEntry *entry,
			 GError **error)
{
	const MlvValue *ways = entry->value, *flags = mlv_value_item(ways, 0);

	for (gsize i = 0; i < ways->length; i++) {
		const MlvValue *way = ways->items[i];
		if (way->type != MLV_VALUE_MAP)
			return mlv_stage_fail_type(way, entry->key->text,
						   "a list of maps such as {x: epoch, y: loss}",
						   error);
		if (!mlv_stage_check_keys(way, plot_keys, "a plot", error))
			return FALSE;
	}
	MlvOut *out = add_out(loader, stage, entry->key, flags, MLV_OUT_PLOT, error);
	if (!out)
		return FALSE;
	mlv_value_unref(out->options);
	out->options = mlv_value_ref(ways);
	return TRUE;
}

/* {PATH: {cache: false, ...}} */
static gboolean add_flagged(MlvStageLoader *loader, MlvStage *stage, const MlvEntry *entry,
			    MlvOutType type, GError **error)
{
	const MlvValue *flags = entry->value;

	if (flags->type == MLV_VALUE_LIST && type == MLV_OUT_PLOT)
		return add_plot(loader, stage, entry, error);
	if (mlv_value_is_scalar(flags) && flags->type != MLV_VALUE_NULL &&
	    g_strv_contains(out_keys, entry->key->text))
		return mlv_fail_at(error, &entry->key->where, MLV_ERROR_CORRUPT,
				   "'%s' stands beside a path, and belongs to it: indent it by two "
				   "more",
				   entry->key->text);
	if (flags->type == MLV_VALUE_NULL)
		flags = NULL;
	else if (flags->type != MLV_VALUE_MAP)
		return mlv_stage_fail_type(flags, entry->key->text, "a map such as {cache: false}",
					   error);
	return add_out(loader, stage, entry->key, flags, type, error) != NULL;
}

static gboolean add_out_item(MlvStageLoader *loader, MlvStage *stage, const MlvValue *item,
			     gpointer user, GError **error)
{
	MlvOutType type = *(const MlvOutType *)user;

	if (item->type != MLV_VALUE_MAP)
		return add_out(loader, stage, item, NULL, type, error) != NULL;
	for (gsize i = 0; i < item->length; i++)
		if (!add_flagged(loader, stage, &item->entries[i], type, error))
			return FALSE;
	return TRUE;
}

gboolean mlv_stage_build_outs(MlvStageLoader *loader, MlvStage *stage, const MlvValue *list,
			      MlvOutType type, GError **error)
{
	return for_each(loader, stage, list, add_out_item, &type, error);
}
