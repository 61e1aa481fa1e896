/* SPDX-License-Identifier: Apache-2.0 */
/* `[REMOTE] [REV...] [-- PATH...]`, and what push, fetch, pull and verify share beside it. */
#ifndef MLV_CMD_SYNC_WORDS_H
#define MLV_CMD_SYNC_WORDS_H

#include <jansson.h>

#include "cmd/session.h"
#include "core/sync.h"

typedef struct {
	gboolean all, tags, dry_run, json;
	gboolean recheck; /* push */
	gboolean runs;    /* push, fetch, pull: the run cache too */
	/* private */
	MlvCmd *cmd;
	MlvProgress *progress;
	const char *remote; /* NULL: the default */
	MlvPathspec *paths;
	MlvSelection *selection;
} MlvSyncWords;

/* Takes the words apart: the first is a remote if one has that name, or (with `must_be_remote`)
 * always. Without a revision HEAD's commit is meant, and with `workspace` the work tree's own
 * pointers instead. */
gboolean mlv_sync_words_take(MlvSyncWords *words, MlvCmd *cmd, MlvRepo *repo, int argc, char **argv,
			     gboolean workspace, GError **error);
void mlv_sync_words_clear(MlvSyncWords *words);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvSyncWords, mlv_sync_words_clear)

/* Options for mlv_sync_push and mlv_sync_fetch that show progress under `title`; end with
 * mlv_sync_words_done. */
gboolean mlv_sync_words_options(MlvSyncWords *words, const char *title, MlvSyncOptions *options,
				GError **error);
/* Clears the progress and says what was moved; `verb` is "sent" or "fetched". Adds to `document`
 * (may be NULL) instead with --json. */
void mlv_sync_words_done(MlvSyncWords *words, const char *remote, const MlvSyncResult *result,
			 const char *verb, json_t *document);

#endif
