/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands on pipelines share: opening them, and the words that name stages. */
#ifndef MLV_CMD_PIPELINES_H
#define MLV_CMD_PIPELINES_H

#include "cmd/cmd.h"
#include "core/pipeline/graph.h"

typedef struct {
	MlvRepo *repo; /* borrowed */
	int root_fd;
	MlvFiles files; /* the work tree */
	MlvPipeline *pipeline;
} MlvPipelines;

/* Reads all pipeline files of the repository. `pipelines` must not be moved after. */
gboolean mlv_pipelines_open(MlvPipelines *pipelines, MlvRepo *repo, GError **error);
void mlv_pipelines_clear(MlvPipelines *pipelines);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvPipelines, mlv_pipelines_clear)

/* The stages that words name, as the user wrote them, in the current folder; none: as
 * mlv_pipeline_targets() has it. */
GArray *mlv_pipelines_targets(const MlvPipelines *pipelines, char *const *words, guint count,
			      GError **error);
/* All stages. */
GArray *mlv_pipelines_all(const MlvPipelines *pipelines);

#endif
