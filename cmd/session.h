/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that work on tracked data share: opening, and telling problems and progress. */
#ifndef MLV_CMD_SESSION_H
#define MLV_CMD_SESSION_H

#include "cmd/cmd.h"
#include "cmd/ui_progress.h"
#include "core/local.h"
#include "core/snapshot.h"

/* The repository that the current folder is in and its store, stat cache and partial record; says
 * on stderr if it has to wait for gc. */
MlvLocal *mlv_cmd_open_local(MlvCmd *cmd, GError **error);

/* Paths as the user wrote them, relative to the root; NULL-terminated, free with g_strfreev. */
char **mlv_cmd_paths(MlvCmd *cmd, MlvRepo *repo, char *const *words, guint count, GError **error);

/* For mlv_store_open and mlv_store_lock_exclusive; `user` is the MlvCmd. */
void mlv_cmd_waiting(gboolean exclusive, gpointer user);

/* A remark on stderr about something that was left out. */
void mlv_cmd_tell_problem(MlvCmd *cmd, MlvRepo *repo, const char *path, const char *why);

#endif
