/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a pipeline file: outputs and working folders stay in the repository, names are
 * unique, and the stages make a graph or an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/pipeline/graph.h"
#include "core/pipeline/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char params[] = "lr: 1e-3\nlist: [a, b]\nmap: {k: 1, l: {m: [1, x y]}}\nflag: true\n";

static GBytes *fuzz_read(gpointer user, const char *path, gsize max, GError **error)
{
	if (strcmp(path, "params.yaml") == 0)
		return g_bytes_new_static(params, strlen(params));
	mlv_fail(error, MLV_ERROR_MISSING, "there is no file '%s'", path);
	return NULL;
}

static MlvFilesType fuzz_type(gpointer user, const char *path)
{
	return strcmp(path, "params.yaml") == 0 ? MLV_FILES_FILE : MLV_FILES_NOTHING;
}

static GPtrArray *fuzz_list(gpointer user, const char *path, GError **error)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(names, g_strdup("params.yaml"));
	g_ptr_array_add(names, g_strdup("x.csv"));
	return names;
}

static void check_stage(const MlvStage *stage)
{
	if (stage->cmds->len == 0 || mlv_files_is_outside(stage->wdir))
		abort();
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		if (!*out->path || mlv_files_is_outside(out->path) || strstr(out->path, "/../") ||
		    strcmp(out->path, ".git") == 0 || g_str_has_prefix(out->path, ".git/"))
			abort();
	}
}

static void check_pipeline(const MlvPipeline *pipeline)
{
	g_autoptr(GArray) all = mlv_pipeline_targets(pipeline, "", NULL, NULL);

	for (guint i = 0; i < pipeline->nodes->len; i++) {
		const MlvStage *stage = mlv_pipeline_node(pipeline, i)->stage;
		if (mlv_pipeline_find(pipeline, stage->address) != (gint)i)
			abort();
		for (guint j = 0; j < stage->deps->len; j++) {
			g_autoptr(GPtrArray) paths =
				mlv_pipeline_dep_paths(pipeline, i, stage->deps->pdata[j], NULL);
			(void)paths;
		}
	}
	if (!all)
		return;
	g_autoptr(GArray) order = mlv_pipeline_order(pipeline, all, MLV_ORDER_UPSTREAM);
	if (order->len != pipeline->nodes->len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const MlvFiles files = {
		.read = fuzz_read, .type = fuzz_type, .list = fuzz_list, .root = "/r"
	};
	g_autoptr(GError) error = NULL;
	MlvPipelineFile *file =
		mlv_pipeline_file_parse(&files, "mlv.yaml", (const char *)data, length, &error);

	if (!file != !!error)
		abort();
	if (!file || file->stages->len > 2000) {
		mlv_pipeline_file_free(file);
		return 0;
	}
	g_autoptr(MlvParamsCache) cache = mlv_params_cache_new(&files);
	for (guint i = 0; i < file->stages->len; i++) {
		check_stage(file->stages->pdata[i]);
		g_autoptr(GPtrArray) resolved =
			mlv_params_resolve(cache, file->stages->pdata[i], NULL);
		(void)resolved;
	}
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_pipeline_file_free);
	g_ptr_array_add(all, file);
	g_autoptr(MlvPipeline) pipeline = mlv_pipeline_new(&files, all, NULL);
	if (pipeline)
		check_pipeline(pipeline);
	return 0;
}
