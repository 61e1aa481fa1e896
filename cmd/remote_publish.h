/* SPDX-License-Identifier: Apache-2.0 */
/* `mlv remote publish`. */
#ifndef MLV_CMD_REMOTE_PUBLISH_H
#define MLV_CMD_REMOTE_PUBLISH_H

#include "cmd/cmd.h"

/* A sub-command's function, for mlv_options_dispatch(). */
gboolean mlv_cmd_remote_publish(MlvCmd *cmd, int argc, char **argv, GError **error);

#endif
