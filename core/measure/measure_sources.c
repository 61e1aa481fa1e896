/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/measure_sources.h"

#include <string.h>

#include "core/measure/metric_log.h"
#include "core/pipeline/template.h"

#define FOLDER_FILES_MAX 10000u

typedef struct {
	MlvSide *side;
	const MlvMeasuresOptions *options;
	GPtrArray *sources;
	GHashTable *by_path;
} Finder;

static void source_free(MlvMeasureSource *source)
{
	g_free(source->path);
	g_ptr_array_unref(source->keys);
	g_free(source);
}

/* The source of that path, made where there is none; NULL if it is not asked for. */
static MlvMeasureSource *take(Finder *finder, const char *path, gboolean optional)
{
	MlvMeasureSource *source = g_hash_table_lookup(finder->by_path, path);

	if (mlv_files_is_outside(path) || mlv_files_is_url(path) ||
	    !mlv_pathspec_matches(finder->options->filter, path))
		return NULL;
	if (!source) {
		source = g_new0(MlvMeasureSource, 1);
		source->path = g_strdup(path);
		source->keys = g_ptr_array_new_with_free_func(g_free);
		source->optional = optional;
		g_ptr_array_add(finder->sources, source);
		g_hash_table_insert(finder->by_path, source->path, source);
	}
	source->optional &= optional;
	return source;
}

static void take_whole(Finder *finder, const char *path, const MlvValue *better, gboolean optional)
{
	MlvMeasureSource *source = take(finder, path, optional);

	if (!source)
		return;
	source->whole = TRUE;
	if (!source->better)
		source->better = better;
}

static gboolean is_measure_file(const char *path)
{
	static const char *const ends[] = { ".json", ".yaml", ".yml", ".jsonl", ".ndjson" };

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		if (g_str_has_suffix(path, ends[i]))
			return TRUE;
	return FALSE;
}

/* A path that was named: a file, or a folder with files in it. */
static void take_named(Finder *finder, const char *path, const MlvValue *better)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) below = NULL;

	if (mlv_side_type(finder->side, path) != MLV_FILES_DIRECTORY) {
		take_whole(finder, path, better, FALSE);
		return;
	}
	below = mlv_side_files_below(finder->side, path, FOLDER_FILES_MAX, &error);
	if (!below)
		mlv_side_add_problem(finder->side, "'%s': %s", path, error->message);
	for (guint i = 0; below && i < below->len; i++)
		if (is_measure_file(below->pdata[i]))
			take_whole(finder, below->pdata[i], better, FALSE);
}

static void take_beside(Finder *finder, const char *folder, const char *name)
{
	g_autofree char *path = g_strconcat(folder, *folder ? "/" : "", name, NULL);
	take_whole(finder, path, NULL, TRUE);
}

static void take_metrics(Finder *finder, const MlvPipelineFile *file)
{
	for (guint i = 0; i < file->metrics->len; i++) {
		const MlvPipelineItem *item = file->metrics->pdata[i];
		take_named(finder, item->path, mlv_value_get(item->options, "better"));
	}
	for (guint i = 0; i < file->stages->len; i++) {
		const MlvStage *stage = file->stages->pdata[i];

		for (guint j = 0; j < stage->outs->len; j++) {
			const MlvOut *out = stage->outs->pdata[j];
			if (out->type == MLV_OUT_METRIC)
				take_named(finder, out->path,
					   mlv_value_get(out->options, "better"));
		}
	}
	take_beside(finder, file->folder, MLV_LOG_METRICS);
}

static void take_stage_params(Finder *finder, const MlvStage *stage)
{
	for (guint i = 0; i < stage->params->len; i++) {
		const MlvParamsDep *params = stage->params->pdata[i];
		MlvMeasureSource *source = take(finder, params->file, FALSE);

		if (!source)
			continue;
		source->whole |= params->whole;
		for (guint j = 0; j < params->keys->len; j++)
			if (!g_ptr_array_find_with_equal_func(source->keys, params->keys->pdata[j],
							      g_str_equal, NULL))
				g_ptr_array_add(source->keys, g_strdup(params->keys->pdata[j]));
	}
}

static void take_params(Finder *finder, const MlvPipelineFile *file)
{
	for (guint i = 0; i < file->stages->len; i++)
		take_stage_params(finder, file->stages->pdata[i]);
	if (finder->options->deps)
		return;
	for (guint i = 0; i < file->params->len; i++)
		take_named(finder, ((MlvPipelineItem *)file->params->pdata[i])->path, NULL);
	for (guint i = 0; i < file->var_files->len; i++)
		take_whole(finder, file->var_files->pdata[i], NULL, FALSE);
	take_beside(finder, file->folder, MLV_PARAMS_FILE);
	take_beside(finder, file->folder, MLV_LOG_PARAMS);
}

static gint compare_sources(gconstpointer a, gconstpointer b)
{
	const MlvMeasureSource *const *first = a, *const *second = b;
	return strcmp((*first)->path, (*second)->path);
}

GPtrArray *mlv_measure_sources(MlvSide *side, const MlvMeasuresOptions *options)
{
	const GPtrArray *pipelines = mlv_side_pipelines(side);
	g_autoptr(GHashTable) by_path = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *sources = g_ptr_array_new_with_free_func((GDestroyNotify)source_free);
	Finder finder = { side, options, sources, by_path };
	gboolean params = options->kind == MLV_MEASURE_PARAMS;

	for (guint i = 0; i < pipelines->len; i++) {
		if (params)
			take_params(&finder, pipelines->pdata[i]);
		else
			take_metrics(&finder, pipelines->pdata[i]);
	}
	if (!options->deps) {
		take_beside(&finder, "", params ? MLV_LOG_PARAMS : MLV_LOG_METRICS);
		if (params)
			take_beside(&finder, "", MLV_PARAMS_FILE);
	}
	/* What a run logged. */
	if (!options->deps && mlv_side_revision(side)->at == MLV_AT_COMMIT)
		take_beside(&finder, MLV_LOG_RUN_FOLDER, params ? MLV_LOG_PARAMS : MLV_LOG_METRICS);
	for (guint i = 0; options->paths && i < options->paths->len; i++)
		if (mlv_side_type(side, options->paths->pdata[i]) == MLV_FILES_FILE &&
		    !g_hash_table_contains(by_path, options->paths->pdata[i]))
			take_whole(&finder, options->paths->pdata[i], NULL, FALSE);
	g_ptr_array_sort(sources, compare_sources);
	return sources;
}
