/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of all pipeline files of a repository, and what comes before what.
 *
 *	g_autoptr(MlvPipeline) pipeline = mlv_pipeline_load(&files, "", error);
 *	g_autoptr(GArray) targets = mlv_pipeline_targets(pipeline, "sub", "train", error);
 *	g_autoptr(GArray) order = mlv_pipeline_order(pipeline, targets, MLV_ORDER_UPSTREAM);
 *
 * Stages are numbered in the order of their files' folders and, within one, of the file. A stage
 * comes after another if one of its dependencies is an output of that, lies in one, or holds one,
 * or if a parameter file of it is one. One thread.
 */
#ifndef MLV_CORE_PIPELINE_GRAPH_H
#define MLV_CORE_PIPELINE_GRAPH_H

#include "core/pipeline/stages.h"

typedef struct {
	const MlvStage *stage;
	GArray *upstream;   /* of guint, ascending: the stages whose outputs it needs */
	GArray *downstream; /* of guint, ascending: those that need its outputs */
} MlvNode;

typedef struct {
	GPtrArray *files; /* of MlvPipelineFile *, sorted by folder: the root's first */
	GArray *nodes;    /* of MlvNode */
	/* private */
	MlvFiles source;
	GHashTable *by_address;
	GHashTable *by_out; /* path -> number + 1 */
	GArray *outs;       /* sorted by path */
} MlvPipeline;

/* Finds the pipeline files at and below `folder` of the root ("" for all), passing over what
 * .gitignore, .mlvignore and .dvcignore leave out, reads them and joins them. None at all is an
 * empty pipeline. Overlapping outputs, a cycle (its stages are named) and an output that is its
 * stage's own dependency are MLV_ERROR_CORRUPT, and whatever is wrong in a file. */
MlvPipeline *mlv_pipeline_load(const MlvFiles *files, const char *folder, GError **error);
/* The same of files at hand, of MlvPipelineFile *; takes the array. `files` is copied; what it
 * points to must outlive the pipeline. */
MlvPipeline *mlv_pipeline_new(const MlvFiles *files, GPtrArray *pipeline_files, GError **error);
void mlv_pipeline_free(MlvPipeline *pipeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPipeline, mlv_pipeline_free)

/* The paths of the pipeline files at and below `folder`, sorted by folder, of char *. */
GPtrArray *mlv_pipeline_scan(const MlvFiles *files, const char *folder, GError **error);

const MlvNode *mlv_pipeline_node(const MlvPipeline *pipeline, guint number);
/* The number of a stage by its address, or -1. */
gint mlv_pipeline_find(const MlvPipeline *pipeline, const char *address);
/* The stage whose output is `path`, or whose output folder holds it, or -1; *out (may be NULL) is
 * the output. */
gint mlv_pipeline_producer(const MlvPipeline *pipeline, const char *path, const MlvOut **out);

/* What a word names, in `folder` (relative to the root), as numbers, ascending, without repetition:
 *   a stage or group of that folder's file;  FILE:NAME or FOLDER:NAME;  a pipeline file;
 *   an output or what lies in one;  a folder: the stages of all files at and below it, and those
 *   whose outputs lie there.
 * NULL is the folder's own file, or where that has none all files below it. What is nothing of
 * these is MLV_ERROR_MISSING and says what was likely meant. */
GArray *mlv_pipeline_targets(const MlvPipeline *pipeline, const char *folder, const char *word,
			     GError **error);

typedef enum {
	MLV_ORDER_ONLY,       /* the targets alone */
	MLV_ORDER_UPSTREAM,   /* and what they need */
	MLV_ORDER_DOWNSTREAM, /* and what needs them */
} MlvOrder;

/* The targets with what `order` adds: by number, each right behind what it needs of the others. */
GArray *mlv_pipeline_order(const MlvPipeline *pipeline, const GArray *targets, MlvOrder order);

/* What a dependency is now: its path, or what its pattern matches, among files and other stages'
 * outputs, that stage's own left out; sorted, of char *. A pattern that matches nothing is
 * MLV_ERROR_MISSING at its place. URLs are given as they are. */
GPtrArray *mlv_pipeline_dep_paths(const MlvPipeline *pipeline, guint number, const MlvDep *dep,
				  GError **error);

#endif
