/* SPDX-License-Identifier: Apache-2.0 */
/* The sub-commands of `mlv stage`. */
#ifndef MLV_CMD_STAGE_CALLS_H
#define MLV_CMD_STAGE_CALLS_H

#include "cmd/cmd.h"
#include "core/pipeline/stages.h"

gboolean mlv_stage_call_add(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_stage_call_list(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_stage_call_show(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_stage_call_log(MlvCmd *cmd, int argc, char **argv, GError **error);

/* A stage as a pipeline file could have it, nothing left to expand. A new reference. */
MlvValue *mlv_stage_value(const MlvStage *stage);

#endif
