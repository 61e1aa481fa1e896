/* SPDX-License-Identifier: Apache-2.0 */
/* What core/run/rebuild*.c share. */
#ifndef MLV_CORE_RUN_REBUILD_PRIVATE_H
#define MLV_CORE_RUN_REBUILD_PRIVATE_H

#include "core/run/rebuild.h"

#define MLV_REBUILD_LOG 16384u /* bytes of a stage's log that are kept */

typedef struct {
	const MlvRebuildOptions *options;
	MlvRebuild *result;
	GHashTable *locks; /* folder -> MlvLock */
	GHashTable *again; /* address -> MlvLockStage: what the second time made; NULL: the first */
} Rebuilding;

MlvRebuild *mlv_rebuild_new(void);
MlvRebuildStage *mlv_rebuild_stage_new(const char *address);
MlvRebuildStage *mlv_rebuild_find(const MlvRebuild *rebuild, const char *address);
void mlv_rebuild_log(MlvRebuildStage *stage, const guint8 *data, gsize length);
/* What the lock says of a stage, or NULL. Borrowed. */
const MlvLockStage *mlv_rebuild_recorded(const Rebuilding *rebuilding, const MlvStage *stage);

/* --- rebuild_cause.c -------------------------------------------------------------------------- */

/* The inputs of a stage that are not as recorded, from the reasons for running it. */
void mlv_rebuild_add_causes(const Rebuilding *rebuilding, MlvRebuildStage *stage,
			    const GPtrArray *reasons);
/* What another stage made as its own record says, and this one's does not, is data: it has not run
 * since. Once all outputs are compared. */
void mlv_rebuild_settle_causes(const Rebuilding *rebuilding);
/* Whether the stage has an input that differs because another stage made it so. */
gboolean mlv_rebuild_follows(const MlvRebuildStage *stage);
/* The first layer of its own causes. */
MlvLayer mlv_rebuild_own_layer(const MlvRebuildStage *stage);
/* Says for each that differs, and for all, which layer it is. */
void mlv_rebuild_judge(const Rebuilding *rebuilding);

/* --- rebuild_metric.c ------------------------------------------------------------------------- */

/* Takes and judges a metric; `file` NULL: it was logged. */
MlvRebuildMetric *mlv_rebuild_metric_new(const GPtrArray *tolerances, const char *file,
					 const char *name, const MlvValue *was,
					 const MlvValue *now);
void mlv_rebuild_metric_free(gpointer metric);
/* Fills in the metrics of all stages that ran, and lets outputs pass that differ by tolerated ones
 * alone. */
gboolean mlv_rebuild_compare_metrics(const Rebuilding *rebuilding, GError **error);

/* --- rebuild_where.c -------------------------------------------------------------------------- */

/* Fills in the files of folders that differ, as far as can be said. */
void mlv_rebuild_look_inside(const Rebuilding *rebuilding);

#endif
