/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run cache between clones: entries are objects on a remote, and roots name them with what they
 * need. Private to core/sync*.c. Main thread.
 */
#ifndef MLV_CORE_SYNC_RUNS_H
#define MLV_CORE_SYNC_RUNS_H

#include "core/sync.h"

/* Puts the entries of this clone's run cache into the store as objects, and adds them to the root.
 * One that names something which stays here, or is not here, is passed over. */
gboolean mlv_sync_add_runs(MlvLocal *local, MlvRoot *root, GError **error);
/* Brings the entries that roots of this repository name and this clone does not have, and adds what
 * they need to the selection. */
gboolean mlv_sync_bring_runs(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
			     gboolean dry_run, GError **error);
/* The ids (64 digits, of char *) of this clone's entries. */
GHashTable *mlv_sync_run_ids(MlvRepo *repo);

#endif
