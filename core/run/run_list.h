/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs that are recorded here. Main thread.
 *
 *	g_autoptr(GPtrArray) runs = mlv_runs_read(repo, &bad, error);
 *	const MlvRunEntry *entry = mlv_runs_find(runs, "train-1a2b", error);
 */
#ifndef MLV_CORE_RUN_RUN_LIST_H
#define MLV_CORE_RUN_RUN_LIST_H

#include "core/run/recorder.h"

typedef struct {
	char *name;
	MlvOid record; /* the commit */
	MlvRun *run;
} MlvRunEntry;

/* All, newest first, of MlvRunEntry *; free with g_ptr_array_unref. References below refs/mlv/runs/
 * that are no records are passed over and counted in *bad (may be NULL). */
GPtrArray *mlv_runs_read(MlvRepo *repo, guint *bad, GError **error);
/* One by its name, or by a part at its beginning or end that no other has; reads nothing else.
 * Absent or ambiguous is MLV_ERROR_MISSING. */
MlvRunEntry *mlv_runs_find(MlvRepo *repo, const char *text, GError **error);
void mlv_run_entry_free(MlvRunEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRunEntry, mlv_run_entry_free)

/* Removes references of runs in one go; one that moved meanwhile stays, which is an error. */
gboolean mlv_runs_remove(MlvRepo *repo, const GPtrArray *entries, GError **error);

/* A file of the record (".mlv-run/" before it is put there here): of git, or what lies in the
 * store. Absent is MLV_ERROR_MISSING. */
GBytes *mlv_run_read_file(MlvRepo *repo, const MlvRunEntry *entry, const char *name, gsize max,
			  GError **error);

#endif
