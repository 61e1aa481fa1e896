/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage did with files that its pipeline file does not name. Main thread.
 */
#ifndef MLV_CORE_PIPELINE_TRACE_REPORT_H
#define MLV_CORE_PIPELINE_TRACE_REPORT_H

#include "core/pipeline/stages.h"
#include "core/pipeline/trace.h"
#include "core/repo.h"

/* Arrays are of char *, sorted; paths of the repository are relative to its root, others absolute,
 * all without symbolic links. */
typedef struct {
	GPtrArray *reads;          /* before the stage had written them */
	GPtrArray *writes;         /* what it made and removed again is not among them */
	GPtrArray *outside_reads;  /* of the repository */
	GPtrArray *outside_writes; /* likewise */
	GPtrArray *missing;        /* in the repository: looked for, and not there */
	GPtrArray *unread;         /* dependencies that it has not read */
	gboolean overflowed;       /* there were more files than are kept */
} MlvTraceReport;

/* `deps`, of char *: what the stage's dependencies stand for, paths as pipeline files have them.
 * Files of git and mlv, and what Python compiles, are left out, and with `all` FALSE what lies in
 * the system's folders and in those for temporary files. */
MlvTraceReport *mlv_trace_report_new(const MlvTrace *trace, const MlvRepo *repo,
				     const MlvStage *stage, const GPtrArray *deps, gboolean all);
void mlv_trace_report_free(MlvTraceReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvTraceReport, mlv_trace_report_free)

/* Whether it has files that ought to be declared. */
gboolean mlv_trace_report_finds(const MlvTraceReport *report);

#endif
