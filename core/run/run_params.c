/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/run_params.h"

#include <string.h>
#include <sys/stat.h>

#include "core/pipeline/files.h"
#include "core/yaml_edit.h"
#include "storage/file.h"

#define DEFAULT_FILE "params.yaml"

typedef struct {
	MlvRepo *repo;
	const char *folder;
	GPtrArray *paths; /* of char *, in order */
	GPtrArray *edits; /* of MlvYamlEdit *, likewise */
} Params;

static gboolean is_there(MlvRepo *repo, const char *path)
{
	struct stat st;
	return fstatat(mlv_repo_root_fd(repo), path, &st, 0) == 0;
}

static char *find_path(const Params *params, const MlvGridAxis *axis, GError **error)
{
	MlvFiles files = { .root = mlv_repo_root(params->repo) };
	const char *written = axis->file ? axis->file : DEFAULT_FILE;
	g_autofree char *path = mlv_files_normal(&files, params->folder, written);

	if (!axis->file && !is_there(params->repo, path) && is_there(params->repo, DEFAULT_FILE))
		return g_strdup(DEFAULT_FILE);
	if (mlv_files_is_outside(path) || !*path) {
		mlv_fail(error, MLV_ERROR_USAGE, "'%s' is no file of this repository", written);
		return NULL;
	}
	if (!mlv_yaml_check_name(path, error))
		return NULL;
	return g_steal_pointer(&path);
}

static MlvYamlEdit *open_file(Params *params, const char *path, GError **error)
{
	guint at;

	if (g_ptr_array_find_with_equal_func(params->paths, path, g_str_equal, &at))
		return params->edits->pdata[at];
	g_autoptr(GBytes) bytes = mlv_repo_read_file(params->repo, path, MLV_YAML_MAX, error);
	if (!bytes) {
		g_prefix_error(error, "cannot change parameters: ");
		return NULL;
	}
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	MlvYamlEdit *edit = mlv_yaml_edit_new(data ? data : "", length, path, error);
	if (edit) {
		g_ptr_array_add(params->paths, g_strdup(path));
		g_ptr_array_add(params->edits, edit);
	}
	return edit;
}

static gboolean apply(MlvYamlEdit *edit, const MlvGridAxis *axis, const MlvValue *value,
		      const char *path, GError **error)
{
	gboolean there = mlv_value_lookup(mlv_yaml_edit_root(edit), axis->key) != NULL;

	if (axis->mode == MLV_CHANGE_ADD && there)
		return mlv_fail(error, MLV_ERROR_EXISTS,
				"'%s' has a parameter '%s' already: write it without '+'", path,
				axis->key);
	if (!there && (axis->mode == MLV_CHANGE_SET || axis->mode == MLV_CHANGE_REMOVE)) {
		g_autoptr(GError) problem = NULL;
		mlv_value_find(mlv_yaml_edit_root(edit), axis->key, &problem);
		return mlv_fail(error, MLV_ERROR_MISSING, "'%s': %s%s", path,
				problem ? problem->message : "no such parameter",
				axis->mode == MLV_CHANGE_SET ? "; '+KEY=VALUE' adds one" : "");
	}
	if (axis->mode == MLV_CHANGE_REMOVE)
		return mlv_yaml_edit_remove(edit, axis->key, error);
	return mlv_yaml_edit_set(edit, axis->key, value,
				 there ? MLV_EDIT_MUST_EXIST : MLV_EDIT_CREATE, error);
}

static void free_file(gpointer data)
{
	MlvRunParamsFile *file = data;

	g_free(file->path);
	g_free(file->text);
	g_free(file);
}

static GPtrArray *results(const Params *params)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(free_file);

	for (guint i = 0; i < params->paths->len; i++) {
		MlvRunParamsFile *file = g_new0(MlvRunParamsFile, 1);
		MlvYamlEdit *edit = params->edits->pdata[i];
		const char *text = mlv_yaml_edit_text(edit, &file->length);
		file->path = g_strdup(params->paths->pdata[i]);
		file->text = g_strndup(text, file->length);
		file->changed = mlv_yaml_edit_changed(edit);
		g_ptr_array_add(files, file);
	}
	return files;
}

GPtrArray *mlv_run_params_edit(MlvRepo *repo, const char *folder, const GPtrArray *axes,
			       guint number, MlvValue **changes, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) edits =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_yaml_edit_free);
	Params params = { .repo = repo, .folder = folder, .paths = paths, .edits = edits };
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < axes->len; i++) {
		const MlvGridAxis *axis = axes->pdata[i];
		const MlvValue *value = mlv_grid_value(axes, number, i);
		g_autofree char *path = find_path(&params, axis, error);
		MlvYamlEdit *edit = path ? open_file(&params, path, error) : NULL;

		ok = edit && apply(edit, axis, value, path, error);
		if (!ok)
			break;
		g_autofree char *key = g_strconcat(path, ":", axis->key, NULL);
		mlv_value_add(entries, key, value ? mlv_value_ref(value) : mlv_value_new_null());
	}
	g_autoptr(MlvValue) map = mlv_value_new_map(entries);
	if (!ok)
		return NULL;
	if (changes)
		*changes = g_steal_pointer(&map);
	return results(&params);
}

gboolean mlv_run_params_write(MlvRepo *repo, const GPtrArray *files, GError **error)
{
	for (guint i = 0; i < files->len; i++) {
		const MlvRunParamsFile *file = files->pdata[i];
		struct stat st;

		if (!file->changed)
			continue;
		mode_t mode = fstatat(mlv_repo_root_fd(repo), file->path, &st, 0) == 0
				      ? st.st_mode & 0777
				      : 0666;
		if (!mlv_repo_write_file(repo, file->path, file->text, file->length, mode, error))
			return FALSE;
	}
	return TRUE;
}
