/* SPDX-License-Identifier: Apache-2.0 */
/* One stage, of its definition and the variables that it sees. */
#include <string.h>

#include "core/pipeline/stages_private.h"
#include "core/value_private.h"

static MlvStage *new_stage(const MlvPipelineFile *file, const char *name, const MlvWhere *where,
			   const GPtrArray *groups)
{
	MlvStage *stage = g_new0(MlvStage, 1);

	stage->file = file;
	stage->name = g_strdup(name);
	stage->address =
		*file->folder ? g_strdup_printf("%s:%s", file->path, name) : g_strdup(name);
	stage->groups = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < groups->len; i++)
		g_ptr_array_add(stage->groups, g_strdup(groups->pdata[i]));
	stage->cmds = g_ptr_array_new_with_free_func(g_free);
	stage->deps = g_ptr_array_new();
	stage->params = g_ptr_array_new();
	stage->outs = g_ptr_array_new();
	stage->where = *where;
	return stage;
}

/* --- vars ------------------------------------------------------------------------------------- */

static gboolean check_plain(const MlvValue *value, GError **error)
{
	if (value->type == MLV_VALUE_STRING && mlv_template_is(value->text))
		return mlv_fail_at(
			error, &value->where, MLV_ERROR_CORRUPT,
			"'vars' cannot have templates, since they are what templates see");
	for (gsize i = 0; value->type == MLV_VALUE_LIST && i < value->length; i++)
		if (!check_plain(value->items[i], error))
			return FALSE;
	for (gsize i = 0; value->type == MLV_VALUE_MAP && i < value->length; i++)
		if (!check_plain(value->entries[i].key, error) ||
		    !check_plain(value->entries[i].value, error))
			return FALSE;
	return TRUE;
}

/* A file of variables is looked for in `folder`, then where `fallback` (may be NULL) is. */
static gboolean load_file(MlvStageLoader *loader, MlvScope *scope, const MlvValue *spec,
			  const char *folder, const char *fallback, GError **error)
{
	g_autoptr(GError) problem = NULL;

	if (mlv_scope_load(scope, loader->files, folder, spec->text, &spec->where, &problem))
		return TRUE;
	if (problem->code != MLV_ERROR_MISSING || !fallback ||
	    !mlv_scope_load(scope, loader->files, fallback, spec->text, &spec->where, NULL)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	return TRUE;
}

gboolean mlv_stage_load_vars(MlvStageLoader *loader, MlvScope *scope, const MlvValue *vars,
			     const char *folder, const char *fallback, GError **error)
{
	if (!check_plain(vars, error))
		return FALSE;
	for (gsize i = 0; i < vars->length; i++) {
		const MlvValue *item = vars->items[i];
		gboolean ok;
		if (item->type == MLV_VALUE_STRING)
			ok = load_file(loader, scope, item, folder, fallback, error);
		else if (item->type == MLV_VALUE_MAP)
			ok = mlv_scope_add(scope, item, error);
		else
			ok = mlv_stage_fail_type(item, "vars", "a list of file names and maps",
						 error);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

/* --- commands --------------------------------------------------------------------------------- */

/* Whether a shell joins the next line to this one: an odd number of backslashes at its end. */
static gboolean continues(const char *line, gsize length)
{
	gsize count = 0;

	while (count < length && line[length - 1 - count] == '\\')
		count++;
	return count % 2 == 1;
}

/* Each line is a command, save those that a backslash joins. */
static void split_lines(GPtrArray *cmds, const char *text)
{
	g_autoptr(GString) command = g_string_new("");

	while (*text) {
		gsize length = strcspn(text, "\r\n");
		const char *behind = text + length;
		gboolean joined = *behind && continues(text, length);

		g_string_append_len(command, text, (gssize)length);
		if (*behind == '\r' && behind[1] == '\n')
			behind++;
		text = *behind ? behind + 1 : behind;
		if (joined) {
			g_string_append_c(command, '\n');
			continue;
		}
		if (command->str[strspn(command->str, " \t\n")])
			g_ptr_array_add(cmds, g_strdup(command->str));
		g_string_truncate(command, 0);
	}
	if (command->str[strspn(command->str, " \t\n")])
		g_ptr_array_add(cmds, g_strdup(command->str));
}

static gboolean build_cmds(MlvStage *stage, const MlvValue *cmd, GError **error)
{
	for (gsize i = 0; cmd->type == MLV_VALUE_LIST && i < cmd->length; i++) {
		const MlvValue *item = cmd->items[i];
		if (!mlv_value_is_scalar(item) || item->type == MLV_VALUE_NULL)
			return mlv_stage_fail_type(item, "cmd", "a list of commands", error);
		g_autofree char *text = mlv_value_text(item);
		if (*text)
			g_ptr_array_add(stage->cmds, g_steal_pointer(&text));
	}
	if (cmd->type == MLV_VALUE_MAP || cmd->type == MLV_VALUE_NULL)
		return mlv_stage_fail_type(cmd, "cmd", "a command or a list of them", error);
	if (cmd->type != MLV_VALUE_LIST) {
		g_autofree char *text = mlv_value_text(cmd);
		split_lines(stage->cmds, text);
	}
	return stage->cmds->len > 0 ||
	       mlv_fail_at(error, &cmd->where, MLV_ERROR_CORRUPT, "'cmd' is empty");
}

/* --- the stage -------------------------------------------------------------------------------- */

/* The folder that it runs in; its template sees the variables of the file only. */
static char *find_wdir(MlvStageLoader *loader, const MlvValue *definition, const MlvScope *scope,
		       GError **error)
{
	const MlvValue *written = mlv_value_get(definition, "wdir");

	if (!written || written->type == MLV_VALUE_NULL)
		return g_strdup(loader->file->folder);
	g_autoptr(MlvValue) value = mlv_template_expand(scope, written, MLV_TEMPLATE_VALUE, error);
	if (!value)
		return NULL;
	g_autofree char *text = mlv_stage_word(value, "a folder", error);
	if (!text)
		return NULL;
	g_autofree char *wdir = mlv_files_normal(loader->files, loader->file->folder, text);
	if (mlv_files_is_outside(wdir)) {
		mlv_fail_at(error, &written->where, MLV_ERROR_CORRUPT,
			    "the folder '%s' lies outside of the repository, where a stage cannot "
			    "run",
			    text);
		return NULL;
	}
	return g_steal_pointer(&wdir);
}

/* The definition with its templates expanded, without its `vars`. */
static MlvValue *expand(const MlvValue *definition, const MlvScope *scope, GError **error)
{
	GArray *entries = mlv_value_new_entries();

	for (gsize i = 0; i < definition->length; i++) {
		const MlvEntry *old = &definition->entries[i];
		gboolean command = strcmp(old->key->text, "cmd") == 0;
		MlvEntry entry = { mlv_value_ref(old->key), NULL, FALSE };

		entry.value = strcmp(old->key->text, "vars") == 0
				      ? mlv_value_new_null()
				      : mlv_template_expand(scope, old->value,
							    command ? MLV_TEMPLATE_COMMAND
								    : MLV_TEMPLATE_VALUE,
							    error);
		gboolean ok = entry.value != NULL;
		if (!ok)
			entry.value = mlv_value_new_null();
		g_array_append_val(entries, entry);
		if (!ok) {
			mlv_value_free_entries(entries);
			return NULL;
		}
	}
	return mlv_value_new_map(entries);
}

static gboolean build_paths(MlvStageLoader *loader, MlvStage *stage, const MlvValue *map,
			    GError **error)
{
	const MlvValue *deps = NULL, *params = NULL, *lists[3] = { NULL, NULL, NULL };

	if (!mlv_stage_get_list(map, "deps", &deps, error) ||
	    !mlv_stage_get_list(map, "params", &params, error) ||
	    !mlv_stage_get_list(map, "outs", &lists[MLV_OUT_PLAIN], error) ||
	    !mlv_stage_get_list(map, "metrics", &lists[MLV_OUT_METRIC], error) ||
	    !mlv_stage_get_list(map, "plots", &lists[MLV_OUT_PLOT], error))
		return FALSE;
	if ((deps && !mlv_stage_build_deps(loader, stage, deps, error)) ||
	    (params && !mlv_stage_build_params(loader, stage, params, error)))
		return FALSE;
	for (guint type = MLV_OUT_PLAIN; type <= MLV_OUT_PLOT; type++)
		if (lists[type] &&
		    !mlv_stage_build_outs(loader, stage, lists[type], (MlvOutType)type, error))
			return FALSE;
	loader->paths += stage->deps->len + stage->params->len + stage->outs->len;
	return loader->paths <= MLV_STAGE_PATHS_MAX ||
	       mlv_fail_at(error, &stage->where, MLV_ERROR_CORRUPT,
			   "the stages of the file have more than %u paths", MLV_STAGE_PATHS_MAX);
}

static gboolean fill(MlvStageLoader *loader, MlvStage *stage, const MlvValue *map, GError **error)
{
	const MlvValue *meta = mlv_value_get(map, "meta");

	stage->meta = meta ? mlv_value_ref(meta) : NULL;
	return mlv_stage_get_string(map, "shell", &stage->shell, error) &&
	       mlv_stage_get_string(map, "desc", &stage->desc, error) &&
	       mlv_stage_get_bool(map, "frozen", &stage->frozen, error) &&
	       mlv_stage_get_bool(map, "always_changed", &stage->always_changed, error) &&
	       build_cmds(stage, mlv_value_get(map, "cmd"), error) &&
	       build_paths(loader, stage, map, error);
}

static gboolean build(MlvStageLoader *loader, MlvStage *stage, const MlvValue *definition,
		      const MlvScope *outer, GError **error)
{
	const MlvValue *vars = NULL;
	g_autoptr(MlvScope) scope = NULL;

	stage->wdir = find_wdir(loader, definition, outer, error);
	if (!stage->wdir || !mlv_stage_get_list(definition, "vars", &vars, error))
		return FALSE;
	if (vars) {
		scope = mlv_scope_new(outer);
		if (!mlv_stage_load_vars(loader, scope, vars, stage->wdir, loader->file->folder,
					 error))
			return FALSE;
	}
	MlvValue *map = expand(definition, scope ? scope : outer, error);
	if (!map)
		return FALSE;
	/* Places and values in the stage point into it. */
	g_ptr_array_add(loader->file->kept, map);
	return fill(loader, stage, map, error);
}

gboolean mlv_stage_build(MlvStageLoader *loader, const MlvValue *definition, const MlvWhere *where,
			 const char *name, const MlvScope *scope, const GPtrArray *groups,
			 GError **error)
{
	MlvPipelineFile *file = loader->file;

	if (file->stages->len >= MLV_STAGES_MAX)
		return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				   "the file has more than %d stages", MLV_STAGES_MAX);
	MlvStage *stage = new_stage(file, name, where, groups);
	g_ptr_array_add(file->stages, stage);
	if (!g_hash_table_insert(loader->by_name, stage->name, stage))
		return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				   "a stage called '%s' comes of two definitions", name);
	if (build(loader, stage, definition, scope, error))
		return TRUE;
	if (error && *error) {
		g_autofree char *message =
			g_strdup_printf("%s (stage '%s')", (*error)->message, name);
		g_free((*error)->message);
		(*error)->message = g_steal_pointer(&message);
	}
	return FALSE;
}
