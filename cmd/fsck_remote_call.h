/* SPDX-License-Identifier: Apache-2.0 */
/* `mlv fsck --remote`. */
#ifndef MLV_CMD_FSCK_REMOTE_CALL_H
#define MLV_CMD_FSCK_REMOTE_CALL_H

#include "cmd/cmd.h"

/* Checks the remote of that name (NULL: the default), with `deep` every byte of it; prints faults
 * and a summary, and sets the exit status. */
gboolean mlv_cmd_fsck_remote(MlvCmd *cmd, const char *name, gboolean deep, gboolean json,
			     GError **error);

#endif
