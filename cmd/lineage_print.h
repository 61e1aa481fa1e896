/* SPDX-License-Identifier: Apache-2.0 */
/* The forms in which `mlv lineage` prints a lineage. */
#ifndef MLV_CMD_LINEAGE_PRINT_H
#define MLV_CMD_LINEAGE_PRINT_H

#include "cmd/cmd.h"
#include "core/lineage/lineage.h"

/* A tree of lines for people. */
gboolean mlv_lineage_print_text(MlvCmd *cmd, const MlvLineage *lineage, gboolean up,
				GError **error);
/* One document: data, stages, edges. */
gboolean mlv_lineage_print_json(MlvCmd *cmd, const MlvLineage *lineage, GError **error);
/* A graph for Graphviz, or (`mermaid`) for Markdown. */
void mlv_lineage_print_graph(const MlvLineage *lineage, gboolean mermaid);

/* "python train.py; python plot.py", made harmless. Caller frees. */
char *mlv_lineage_command(const MlvLineageStage *stage);

#endif
