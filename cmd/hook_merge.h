/* SPDX-License-Identifier: Apache-2.0 */
/* git's merge and diff drivers for pointers: `mlv hook merge %O %A %B %P` and `mlv hook diff`. */
#ifndef MLV_CMD_HOOK_MERGE_H
#define MLV_CMD_HOOK_MERGE_H

#include "cmd/cmd.h"

gboolean mlv_hook_merge(MlvCmd *cmd, int argc, char **argv, GError **error);
gboolean mlv_hook_diff(MlvCmd *cmd, int argc, char **argv, GError **error);

#endif
