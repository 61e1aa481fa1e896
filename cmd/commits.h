/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a commit and what it did to data are printed, by log and show.
 */
#ifndef MLV_CMD_COMMITS_H
#define MLV_CMD_COMMITS_H

#include "cmd/changes.h"
#include "core/history.h"

typedef struct {
	MlvCmd *cmd;
	MlvView *view;
	const MlvPathspec *paths; /* NULL: all */
	gboolean oneline;
	gboolean files;        /* each change, in `style` */
	MlvChangesStyle style; /* JSON: everything goes to `stream`, or is returned */
} MlvCommits;

/* One commit as text: "commit 1a2b3c4 2023-11-14 ... A Tester subject", a line a target, and with
 * files each change. */
gboolean mlv_commits_print(const MlvCommits *commits, const MlvHistoryEntry *entry, GError **error);
/* The same as JSON, NULL with *error. */
json_t *mlv_commits_json(const MlvCommits *commits, const MlvHistoryEntry *entry, GError **error);
/* Who made a commit, when, and its subject. */
json_t *mlv_commit_json(const MlvCommit *commit);
/* Each change of the commit, to `changes`. */
gboolean mlv_commits_changes(const MlvCommits *commits, const MlvHistoryEntry *entry,
			     MlvChanges *changes, GError **error);

#endif
