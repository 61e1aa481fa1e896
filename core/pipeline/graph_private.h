/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the graph share. */
#ifndef MLV_CORE_PIPELINE_GRAPH_PRIVATE_H
#define MLV_CORE_PIPELINE_GRAPH_PRIVATE_H

#include "core/pipeline/graph.h"

/* One output of the whole pipeline. */
typedef struct {
	const MlvOut *out;
	guint number; /* of its stage */
} MlvGraphOut;

/* The output that is `path` or holds it, or NULL. Borrowed. */
const MlvGraphOut *mlv_graph_cover(const MlvPipeline *pipeline, const char *path);
/* The outputs strictly below a folder ("" all): the first, and how many. Borrowed. */
const MlvGraphOut *mlv_graph_below(const MlvPipeline *pipeline, const char *folder, guint *count);
/* Whether no stage needs itself by way of others; else MLV_ERROR_CORRUPT that names the circle. */
gboolean mlv_graph_check_cycles(const MlvPipeline *pipeline, GError **error);
/* Sorts numbers and drops those that stand twice. */
void mlv_graph_unique(GArray *numbers);

#endif
