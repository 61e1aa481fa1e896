/* SPDX-License-Identifier: Apache-2.0 */
/* A graph of stages as text. */
#ifndef MLV_CMD_DAG_TEXT_H
#define MLV_CMD_DAG_TEXT_H

#include "core/pipeline/graph.h"

/* Appends the stages of `order` (of guint, each behind what it needs), one a line, with lines drawn
 * from each to those that need it. `name` gives what a stage is called; the caller frees. */
void mlv_dag_text(const MlvPipeline *pipeline, const GArray *order,
		  char *(*name)(const MlvPipeline *pipeline, guint number), GString *text);

#endif
