/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands that look at data of any revision share.
 */
#ifndef MLV_CMD_LOOK_H
#define MLV_CMD_LOOK_H

#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "core/view.h"

/* The store opened for reading; says on stderr if it has to wait for gc. With `remote` what the
 * store lacks is read from the default remote, if there is one: it is opened when it is needed. */
MlvView *mlv_cmd_open_view(MlvCmd *cmd, gboolean remote, GError **error);

/* Words as git understands them: with "--" all before it are revisions; without, the first ones as
 * long as they name revisions, at most `max`. A word that is both, or neither, is an error that
 * says how to tell them apart. Both arrays, of char *, are the caller's to free; `paths` are words
 * as they were written. */
gboolean mlv_cmd_split_revisions(MlvCmd *cmd, MlvRepo *repo, const MlvWords *words, guint max,
				 GPtrArray **revisions, GPtrArray **paths, GError **error);

/* "file", "executable", "symlink" or "directory". Static. */
const char *mlv_cmd_kind(guint8 mode);
/* "2023-11-14 22:13:20 +0000"; `offset` in minutes east of UTC. Caller frees. */
char *mlv_cmd_date(gint64 seconds, int offset);
/* Sets "kind", "bytes", "files" (of directories) and "id" of what a reference names. */
void mlv_cmd_json_data(json_t *object, guint8 mode, const MlvRef *ref, guint64 files,
		       guint64 bytes);

#endif
