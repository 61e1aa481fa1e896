/* SPDX-License-Identifier: Apache-2.0 */
/* What a word on the command line means by way of stages. */
#include <string.h>

#include "core/nearest_word.h"
#include "core/pipeline/graph_private.h"

static const MlvStage *stage_at(const MlvPipeline *pipeline, guint number)
{
	return mlv_pipeline_node(pipeline, number)->stage;
}

static const MlvPipelineFile *file_of(const MlvPipeline *pipeline, const char *folder)
{
	for (guint i = 0; i < pipeline->files->len; i++) {
		const MlvPipelineFile *file = pipeline->files->pdata[i];
		if (strcmp(file->folder, folder) == 0)
			return file;
	}
	return NULL;
}

static gboolean has_group(const MlvStage *stage, const char *name)
{
	return g_ptr_array_find_with_equal_func(stage->groups, name, g_str_equal, NULL);
}

/* A file's stages; only those of a name or group if `name` is given. */
static void add_file(const MlvPipeline *pipeline, const MlvPipelineFile *file, const char *name,
		     GArray *found)
{
	for (guint i = 0; i < pipeline->nodes->len; i++) {
		const MlvStage *stage = stage_at(pipeline, i);
		if (stage->file == file &&
		    (!name || strcmp(stage->name, name) == 0 || has_group(stage, name)))
			g_array_append_val(found, i);
	}
}

/* The stages of all files at and below a folder. */
static void add_below(const MlvPipeline *pipeline, const char *folder, GArray *found)
{
	for (guint i = 0; i < pipeline->nodes->len; i++)
		if (mlv_files_is_below(stage_at(pipeline, i)->file->folder, folder))
			g_array_append_val(found, i);
}

/* A pipeline file by its path or its folder's. */
static const MlvPipelineFile *file_named(const MlvPipeline *pipeline, const char *path)
{
	for (guint i = 0; i < pipeline->files->len; i++) {
		const MlvPipelineFile *file = pipeline->files->pdata[i];
		if (strcmp(file->path, path) == 0 || strcmp(file->folder, path) == 0)
			return file;
	}
	return NULL;
}

/* FILE:NAME, at whatever colon a file stands before. */
static void add_addressed(const MlvPipeline *pipeline, const char *folder, const char *word,
			  GArray *found)
{
	for (const char *colon = strchr(word, ':'); colon && found->len == 0;
	     colon = strchr(colon + 1, ':')) {
		g_autofree char *left = g_strndup(word, (gsize)(colon - word));
		g_autofree char *path = mlv_files_normal(&pipeline->source, folder, left);
		const MlvPipelineFile *file = file_named(pipeline, path);
		if (file)
			add_file(pipeline, file, colon + 1, found);
	}
}

/* A pipeline file, an output or what lies in one, a folder. */
static void add_path(const MlvPipeline *pipeline, const char *path, GArray *found)
{
	for (guint i = 0; i < pipeline->files->len; i++) {
		const MlvPipelineFile *file = pipeline->files->pdata[i];
		if (strcmp(file->path, path) == 0) {
			add_file(pipeline, file, NULL, found);
			return;
		}
	}
	const MlvGraphOut *out = mlv_graph_cover(pipeline, path);
	if (out) {
		g_array_append_val(found, out->number);
		return;
	}
	add_below(pipeline, path, found);
	guint count;
	const MlvGraphOut *below = mlv_graph_below(pipeline, path, &count);
	for (guint i = 0; i < count; i++)
		g_array_append_val(found, below[i].number);
}

/* What the word is like: a stage of that name elsewhere, or a name that is written nearly so. */
static const char *suggest(const MlvPipeline *pipeline, const char *word)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < pipeline->nodes->len; i++) {
		const MlvStage *stage = stage_at(pipeline, i);
		if (strcmp(stage->name, word) == 0 || has_group(stage, word))
			return stage->address;
		g_ptr_array_add(names, stage->address);
		for (guint j = 0; j < stage->groups->len; j++)
			g_ptr_array_add(names, stage->groups->pdata[j]);
		for (guint j = 0; j < stage->outs->len; j++)
			g_ptr_array_add(names, ((MlvOut *)stage->outs->pdata[j])->path);
	}
	g_ptr_array_add(names, NULL);
	return mlv_nearest_word(word, (const char *const *)names->pdata);
}

static gboolean fail_target(const MlvPipeline *pipeline, const char *word, GError **error)
{
	const char *nearest = suggest(pipeline, word);

	if (nearest)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"'%s' is no stage, output or folder of stages; did you mean '%s'?",
				word, nearest);
	return mlv_fail(error, MLV_ERROR_MISSING,
			"'%s' is no stage, group, pipeline file, output or folder of stages: 'mlv "
			"stage list' shows what there is",
			word);
}

static gboolean add_default(const MlvPipeline *pipeline, const char *folder, GArray *found,
			    GError **error)
{
	const MlvPipelineFile *file = file_of(pipeline, folder);

	if (file) {
		add_file(pipeline, file, NULL, found);
		return TRUE;
	}
	add_below(pipeline, folder, found);
	return found->len > 0 ||
	       mlv_fail(error, MLV_ERROR_MISSING,
			"there is no " MLV_PIPELINE_NAME " or " MLV_PIPELINE_DVC_NAME
			" here or below: 'mlv stage add' makes one");
}

GArray *mlv_pipeline_targets(const MlvPipeline *pipeline, const char *folder, const char *word,
			     GError **error)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(guint));

	if (!word)
		return add_default(pipeline, folder, found, error) ? g_steal_pointer(&found) : NULL;
	const MlvPipelineFile *file = file_of(pipeline, folder);
	if (file)
		add_file(pipeline, file, word, found);
	if (found->len == 0)
		add_addressed(pipeline, folder, word, found);
	if (found->len == 0 && *word) {
		g_autofree char *path = mlv_files_normal(&pipeline->source, folder, word);
		add_path(pipeline, path, found);
	}
	if (found->len == 0) {
		fail_target(pipeline, word, error);
		return NULL;
	}
	mlv_graph_unique(found);
	return g_steal_pointer(&found);
}
