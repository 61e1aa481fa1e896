/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/edit.h"

#include <string.h>

#include "core/pipeline/enter.h"
#include "core/pipeline/runcache.h"
#include "core/yaml_edit.h"

struct MlvPipelineEdit {
	MlvRepo *repo;
	const MlvFiles *files;
	char *path;
	MlvYamlEdit *yaml;
};

MlvPipelineEdit *mlv_pipeline_edit_new(MlvRepo *repo, const MlvFiles *files, const char *folder,
				       GError **error)
{
	g_autoptr(MlvPipelineEdit) edit = g_new0(MlvPipelineEdit, 1);
	g_autoptr(GBytes) bytes = NULL;
	gsize length = 0;

	edit->repo = repo;
	edit->files = files;
	edit->path = mlv_pipeline_file_in(files, folder);
	if (edit->path) {
		bytes = files->read(files->user, edit->path, MLV_YAML_MAX, error);
		if (!bytes)
			return NULL;
	} else {
		edit->path = g_strconcat(folder, *folder ? "/" : "", MLV_PIPELINE_NAME, NULL);
	}
	const char *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;
	edit->yaml = mlv_yaml_edit_new(data ? data : "", length, edit->path, error);
	return edit->yaml ? g_steal_pointer(&edit) : NULL;
}

void mlv_pipeline_edit_free(MlvPipelineEdit *edit)
{
	if (!edit)
		return;
	mlv_yaml_edit_free(edit->yaml);
	g_free(edit->path);
	g_free(edit);
}

const char *mlv_pipeline_edit_path(const MlvPipelineEdit *edit)
{
	return edit->path;
}

static const MlvValue *find(const MlvPipelineEdit *edit, const char *name)
{
	const MlvValue *stages = mlv_value_get(mlv_yaml_edit_root(edit->yaml), "stages");

	return mlv_value_get(stages, name);
}

static const MlvValue *find_existing(const MlvPipelineEdit *edit, const char *name, GError **error)
{
	const MlvValue *stage = find(edit, name);
	const char *at = strchr(name, '@');

	if (stage)
		return stage;
	if (at)
		mlv_fail(error, MLV_ERROR_USAGE,
			 "'%s' is one of a group: only '%.*s' as a whole can be changed", name,
			 (int)(at - name), name);
	else
		mlv_fail(error, MLV_ERROR_MISSING, "'%s' has no stage '%s'", edit->path, name);
	return NULL;
}

gboolean mlv_pipeline_edit_add(MlvPipelineEdit *edit, const char *name, const MlvValue *stage,
			       gboolean force, GError **error)
{
	const char *keys[] = { "stages", name, NULL };

	if (!mlv_stage_check_name(name, error))
		return FALSE;
	if (find(edit, name) && !force)
		return mlv_fail(error, MLV_ERROR_EXISTS, "'%s' has a stage '%s'; -f replaces it",
				edit->path, name);
	return mlv_yaml_edit_set_keys(edit->yaml, keys, stage, MLV_EDIT_CREATE, error);
}

gboolean mlv_pipeline_edit_remove(MlvPipelineEdit *edit, const char *name, GError **error)
{
	const char *keys[] = { "stages", name, NULL };

	return find_existing(edit, name, error) &&
	       mlv_yaml_edit_remove_keys(edit->yaml, keys, error);
}

gboolean mlv_pipeline_edit_freeze(MlvPipelineEdit *edit, const char *name, gboolean frozen,
				  GError **error)
{
	const MlvValue *stage = find_existing(edit, name, error);
	g_autoptr(MlvValue) yes = mlv_value_new_bool(TRUE);
	const char *plain[] = { "stages", name, "frozen", NULL };
	const char *each[] = { "stages", name, "do", "frozen", NULL };

	if (!stage)
		return FALSE;
	gboolean group = mlv_value_get(stage, "foreach") != NULL;
	const char *const *keys = group ? each : plain;
	if (frozen)
		return mlv_yaml_edit_set_keys(edit->yaml, keys, yes, MLV_EDIT_CREATE, error);
	return !mlv_value_get(group ? mlv_value_get(stage, "do") : stage, "frozen") ||
	       mlv_yaml_edit_remove_keys(edit->yaml, keys, error);
}

/* All pipeline files, this one as it is to be. */
static gboolean check(MlvPipelineEdit *edit, const char *text, gsize length, GError **error)
{
	g_autoptr(GPtrArray) paths = mlv_pipeline_scan(edit->files, "", error);
	g_autoptr(GPtrArray) all =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_pipeline_file_free);
	MlvPipelineFile *file;

	for (guint i = 0; paths && i < paths->len; i++) {
		if (strcmp(paths->pdata[i], edit->path) == 0)
			continue;
		file = mlv_pipeline_file_read(edit->files, paths->pdata[i], error);
		if (!file)
			return FALSE;
		g_ptr_array_add(all, file);
	}
	file = paths ? mlv_pipeline_file_parse(edit->files, edit->path, text, length, error) : NULL;
	if (!file)
		return FALSE;
	g_ptr_array_add(all, file);
	g_autoptr(MlvPipeline) pipeline =
		mlv_pipeline_new(edit->files, g_steal_pointer(&all), error);
	return pipeline != NULL;
}

gboolean mlv_pipeline_edit_write(MlvPipelineEdit *edit, GError **error)
{
	gsize length;
	const char *text = mlv_yaml_edit_text(edit->yaml, &length);

	return !mlv_yaml_edit_changed(edit->yaml) ||
	       (check(edit, text, length, error) &&
		mlv_repo_write_file(edit->repo, edit->path, text, length, 0666, error));
}

/* --- the lock --------------------------------------------------------------------------------- */

static gboolean is_named(const GPtrArray *names, const char *stage)
{
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		gsize length = strlen(name);
		if (strncmp(stage, name, length) == 0 &&
		    (stage[length] == '\0' || stage[length] == '@'))
			return TRUE;
	}
	return FALSE;
}

static gboolean forget(MlvRepo *repo, const MlvFiles *files, const char *folder,
		       const GPtrArray *names, MlvEntering *entering, GError **error)
{
	g_autofree char *path = g_strconcat(folder, *folder ? "/" : "", MLV_LOCK_NAME, NULL);
	g_autoptr(MlvLock) lock = mlv_lock_read(files, folder, error);
	g_autoptr(GPtrArray) stages = lock ? mlv_lock_names(lock) : NULL;
	gboolean any = FALSE;
	gsize length = 0;

	for (guint i = 0; stages && i < stages->len; i++) {
		const MlvLockStage *stage = mlv_lock_get(lock, stages->pdata[i]);
		if (!is_named(names, stages->pdata[i]))
			continue;
		for (guint j = 0; j < stage->outs->len; j++) {
			const MlvLockPath *out = stage->outs->pdata[j];
			if (!out->no_cache)
				g_hash_table_replace(entering->ignore, g_strdup(out->path),
						     GINT_TO_POINTER(FALSE));
		}
		mlv_lock_remove(lock, stages->pdata[i]);
		any = TRUE;
	}
	if (!stages || !any)
		return stages != NULL;
	g_autofree char *text = mlv_lock_format(lock, &length);
	g_hash_table_add(entering->locks, g_strdup(path));
	return (text ? mlv_repo_write_file(repo, path, text, length, 0666, error)
		     : mlv_repo_remove_file(repo, path, error)) &&
	       mlv_entering_commit(entering, repo, error);
}

gboolean mlv_pipeline_forget(MlvRepo *repo, const MlvFiles *files, const char *folder,
			     const GPtrArray *names, GError **error)
{
	g_auto(MlvEntering) entering = { 0 };
	g_autoptr(MlvRunLocks) locks = mlv_runlocks_open(repo, error);

	mlv_entering_init(&entering);
	if (!locks || !mlv_runlocks_take_files(locks, error))
		return FALSE;
	return forget(repo, files, folder, names, &entering, error);
}
