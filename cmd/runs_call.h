/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of `mlv runs` that have files of their own. */
#ifndef MLV_CMD_RUNS_CALL_H
#define MLV_CMD_RUNS_CALL_H

#include "cmd/cmd.h"
#include "core/run/run_list.h"

/* Opens the repository and gives what died an end. */
MlvRepo *mlv_runs_open(MlvCmd *cmd, GError **error);
/* The runs that the words name, of MlvRunEntry *; each must be there. */
GPtrArray *mlv_runs_named(MlvRepo *repo, char **words, guint count, GError **error);

gboolean mlv_cmd_runs_diff(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_cmd_runs_apply(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_cmd_runs_branch(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_cmd_runs_push(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_cmd_runs_pull(MlvCmd *cmd, int argc, char **argv, GError **error);

#endif
