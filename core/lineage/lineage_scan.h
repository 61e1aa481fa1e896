/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History and runs, looked through for what brought which step: each version of a lock is read
 * once, and of commits nothing but what they changed. Main thread.
 */
#ifndef MLV_CORE_LINEAGE_LINEAGE_SCAN_H
#define MLV_CORE_LINEAGE_LINEAGE_SCAN_H

#include <signal.h>

#include "core/lineage/steps.h"
#include "core/pointer.h"

/* A pointer that a run brought, or that matches what is looked for. */
typedef struct {
	char *path; /* of the data */
	MlvPointer pointer;
	const char *run; /* borrowed; NULL: a commit */
} MlvScanned;

typedef struct MlvLineageScan MlvLineageScan;

/* What is given is borrowed. */
MlvLineageScan *mlv_lineage_scan_new(MlvRepo *repo, MlvSteps *steps,
				     const volatile sig_atomic_t *cancel);
void mlv_lineage_scan_free(MlvLineageScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvLineageScan, mlv_lineage_scan_free)

/* Pointers of commits whose id begins so are kept as well. Before the rest. */
void mlv_lineage_scan_look_for(MlvLineageScan *scan, const char *hex_prefix);
/* Reads a lock of the revision in question: its steps are current. */
void mlv_lineage_scan_current(MlvLineageScan *scan, const char *path, GBytes *bytes);
/* The locks of a commit, read likewise. */
gboolean mlv_lineage_scan_current_commit(MlvLineageScan *scan, const MlvOid *commit,
					 GError **error);
/* The history of a commit (NULL: none), with `all` of every branch and tag too. */
gboolean mlv_lineage_scan_history(MlvLineageScan *scan, const MlvOid *from, gboolean all,
				  GError **error);
/* All runs, newest first. */
gboolean mlv_lineage_scan_runs(MlvLineageScan *scan, GError **error);

/* The pointers that were kept, of MlvScanned; borrowed. */
const GArray *mlv_lineage_scan_pointers(const MlvLineageScan *scan);

#endif
