/* SPDX-License-Identifier: Apache-2.0 */
/* `mlv status --json`. */
#include "cmd/status_rows.h"
#include "core/git_rev.h"

static json_t *json_row(const StatusRow *row)
{
	static const char *const kinds[] = { ['A'] = "added",
					     ['D'] = "deleted",
					     ['M'] = "modified",
					     ['R'] = "renamed",
					     ['T'] = "typechange" };
	json_t *object = json_object();

	mlv_json_set_path(object, "path", row->path);
	if (row->part == MLV_PART_STAGED || row->part == MLV_PART_WORKSPACE)
		mlv_json_set_text(object, "change", kinds[row->kind]);
	if (row->from_path)
		mlv_json_set_path(object, "from", row->from_path);
	if (row->why)
		mlv_json_set_text(object, "why", row->why);
	else
		mlv_json_set_size(object, "bytes", row->bytes);
	if (row->directory)
		mlv_json_set_size(object, "files", row->files);
	return object;
}

gboolean mlv_status_print_json(MlvStatusPrint *print, const MlvStatusResult *result, GError **error)
{
	static const char *const names[N_PARTS] = { "staged", "workspace", "not_in_store",
						    "unmerged", "not_on_remote" };
	json_t *document = mlv_json_new(print->cmd);
	g_autofree char *branch = mlv_git_branch(print->repo);

	mlv_json_set_text(document, "branch", branch);
	mlv_json_set_size(document, "targets", result->targets);
	for (guint part = 0; part < N_PARTS; part++) {
		json_t *array = json_array();

		for (guint i = 0; i < print->rows->len; i++) {
			const StatusRow *row = print->rows->pdata[i];
			if (row->part == part)
				json_array_append_new(array, json_row(row));
		}
		if (part == PART_REMOTE && !print->remote_name)
			json_decref(array);
		else
			json_object_set_new(document, names[part], array);
	}
	json_object_set(document, "problems", print->problems);
	mlv_json_set_bool(document, "moved_by_git", result->moved_by_git);
	return mlv_json_print(print->cmd, document, error);
}
