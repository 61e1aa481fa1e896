/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/pipelines.h"

gboolean mlv_pipelines_open(MlvPipelines *pipelines, MlvRepo *repo, GError **error)
{
	pipelines->repo = repo;
	pipelines->root_fd = mlv_repo_root_fd(repo);
	mlv_files_init_directory(&pipelines->files, &pipelines->root_fd, mlv_repo_root(repo));
	pipelines->pipeline = mlv_pipeline_load(&pipelines->files, "", error);
	return pipelines->pipeline != NULL;
}

void mlv_pipelines_clear(MlvPipelines *pipelines)
{
	g_clear_pointer(&pipelines->pipeline, mlv_pipeline_free);
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	guint first = *(const guint *)a, second = *(const guint *)b;

	return first < second ? -1 : first > second;
}

GArray *mlv_pipelines_targets(const MlvPipelines *pipelines, char *const *words, guint count,
			      GError **error)
{
	const char *folder = mlv_repo_prefix(pipelines->repo);
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(guint));

	if (count == 0)
		return mlv_pipeline_targets(pipelines->pipeline, folder, NULL, error);
	for (guint i = 0; i < count; i++) {
		g_autoptr(GArray) some =
			mlv_pipeline_targets(pipelines->pipeline, folder, words[i], error);
		if (!some)
			return NULL;
		g_array_append_vals(all, some->data, some->len);
	}
	g_array_sort(all, by_number);
	for (guint i = all->len; i-- > 1;)
		if (g_array_index(all, guint, i) == g_array_index(all, guint, i - 1))
			g_array_remove_index(all, i);
	return g_steal_pointer(&all);
}

GArray *mlv_pipelines_all(const MlvPipelines *pipelines)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < pipelines->pipeline->nodes->len; i++)
		g_array_append_val(all, i);
	return all;
}
