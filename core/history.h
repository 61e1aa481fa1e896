/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history of data: which commits changed which tracked data, and by how much.
 *
 *	g_autoptr(MlvHistory) history = mlv_history_new(view, paths);
 *	mlv_history_push(history, "HEAD", error);
 *	while (mlv_history_next(history, &entry, error) && entry) ...
 *
 * Only trees that differ are read, and directories that came or went as a whole are counted by
 * their totals. What is not in the store is counted as far as pointers tell. Main thread.
 */
#ifndef MLV_CORE_HISTORY_H
#define MLV_CORE_HISTORY_H

#include <signal.h>

#include "core/compare.h"
#include "core/view.h"

/* One target of one commit. */
typedef struct {
	const MlvPointerChange *change; /* in the entry's changes */
	const char *from_path;          /* the target was moved from here; else NULL */
	const GError *problem; /* why a pointer cannot be read, and nothing is known; else NULL */
	MlvChangeTotals totals;
} MlvHistoryTarget;

typedef struct {
	MlvCommit *commit;
	GPtrArray *changes; /* of MlvPointerChange *: all of the commit */
	GArray *targets;    /* of MlvHistoryTarget, by path: those of the paths asked for */
} MlvHistoryEntry;
void mlv_history_entry_free(MlvHistoryEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvHistoryEntry, mlv_history_entry_free)

/* One commit against its parents: of a merge only what differs from all of them. `paths` NULL:
 * all. */
MlvHistoryEntry *mlv_history_read(MlvView *view, const MlvOid *commit, const MlvPathspec *paths,
				  GError **error);

typedef struct MlvHistory MlvHistory;

/* view and paths (NULL: all) are borrowed. */
MlvHistory *mlv_history_new(MlvView *view, const MlvPathspec *paths);
/* "A..B", "A...B", "^A" or "REV". */
gboolean mlv_history_push(MlvHistory *history, const char *text, GError **error);
gboolean mlv_history_push_commit(MlvHistory *history, const MlvOid *commit, GError **error);
/* The next commit, newest first, that changed something of the paths: TRUE with *entry for the
 * caller to free, or NULL at the end. `cancel` (may be NULL) ends the search with
 * MLV_ERROR_CANCELLED. */
gboolean mlv_history_next(MlvHistory *history, const volatile sig_atomic_t *cancel,
			  MlvHistoryEntry **entry, GError **error);
void mlv_history_free(MlvHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvHistory, mlv_history_free)

#endif
