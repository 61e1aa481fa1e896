/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The repository as it is in the work tree or at a revision, for reading what experiments leave:
 * pipeline files, metrics, parameters, plots. A path may be a file of git's, lie in data that mlv
 * tracks, or be an output that mlv.lock names.
 *
 *	g_autoptr(MlvSide) side = mlv_side_open(view, "v1", error);
 *	g_autoptr(GBytes) bytes = mlv_side_read(side, "out/metrics.json", max, error);
 *
 * Whatever names a commit can be a side, the record of a run too (mlv-run(5)), which has the
 * metrics that the run logged in a folder of its own. Main thread.
 */
#ifndef MLV_CORE_MEASURE_SIDE_H
#define MLV_CORE_MEASURE_SIDE_H

#include "core/pipeline/stages.h"
#include "core/view.h"

typedef struct MlvSide MlvSide;

/* `rev` NULL is the work tree. The view is borrowed. */
MlvSide *mlv_side_open(MlvView *view, const char *rev, GError **error);
void mlv_side_close(MlvSide *side);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSide, mlv_side_close)

/* The revision as it was written, or "workspace". Borrowed. */
const char *mlv_side_name(const MlvSide *side);
const MlvRevision *mlv_side_revision(const MlvSide *side);

/* The pipeline files, of MlvPipelineFile *, sorted by folder; borrowed. Read at the first call. One
 * that cannot be read is left out, and is among the problems. */
const GPtrArray *mlv_side_pipelines(MlvSide *side);
/* What was left out and why, of char *, "REV: message"; borrowed, grows. */
const GPtrArray *mlv_side_problems(const MlvSide *side);
/* Adds one. */
void mlv_side_add_problem(MlvSide *side, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The side as what the pipeline language reads from. Borrowed. */
const MlvFiles *mlv_side_files(const MlvSide *side);

/* A whole file of at most `max` bytes. Absent is MLV_ERROR_MISSING; data that neither the store nor
 * what stands behind it has is MLV_ERROR_FAILED with what brings it. In the work tree symbolic
 * links are followed as long as they stay in it. */
GBytes *mlv_side_read(MlvSide *side, const char *path, gsize max, GError **error);
/* What there is at a path. */
MlvFilesType mlv_side_type(MlvSide *side, const char *path);
/* The files at and below a path, sorted, of char *; at most `max`, then an error. Names that begin
 * with a dot are passed over. Nothing there is an empty array. */
GPtrArray *mlv_side_files_below(MlvSide *side, const char *path, guint max, GError **error);

#endif
