/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outputs of stages in the work tree: cleared before a run, taken after it, restored from the
 * store. Main thread.
 */
#ifndef MLV_CORE_PIPELINE_OUTS_H
#define MLV_CORE_PIPELINE_OUTS_H

#include "core/pipeline/held.h"
#include "core/pipeline/lock.h"

/* A stage may write its outputs: git does not track them, nor has one a pointer. */
gboolean mlv_outs_check(MlvHeldSet *held, const MlvStage *stage, GError **error);
/* Removes them, but unless `all` for those with `persist`, and makes the folders that they are
 * in. */
gboolean mlv_outs_clear(MlvHeldSet *held, const MlvStage *stage, gboolean all, GError **error);
/* Hashes what the stage has made and stores it by `writer` (NULL: does not), which stays open;
 * appends to block->outs. One that is not there, or cannot be kept, is an error. */
gboolean mlv_outs_take(MlvHeldSet *held, const MlvStage *stage, MlvStoreWriter *writer,
		       MlvLockStage *block, GError **error);

/* Outputs that are to be brought into the work tree, together. */
typedef struct MlvRestore MlvRestore;
MlvRestore *mlv_restore_new(MlvHeldSet *held, const MlvHeldOptions *options);
void mlv_restore_free(MlvRestore *restore);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRestore, mlv_restore_free)
/* Whether the store has all that a pointer needs. */
gboolean mlv_restore_has(MlvRestore *restore, const MlvPointer *pointer, gboolean *has,
			 GError **error);
/* Whether an entry (of a lock or of the run cache) has all outputs that the stage declares, and
 * what of them is not in the work tree is in the store. */
gboolean mlv_restore_can(MlvRestore *restore, const MlvStage *stage, const MlvLockStage *entry,
			 gboolean *can, GError **error);
/* Plans it: the answers of `held` are as if it were done. */
void mlv_restore_plan(MlvRestore *restore, const MlvStage *stage, const MlvLockStage *entry);
/* The same for one path. */
void mlv_restore_plan_path(MlvRestore *restore, const char *path, const MlvPointer *pointer);
gboolean mlv_restore_is_planned(const MlvRestore *restore);
/* Does what is planned. Not while something is uncommitted. */
gboolean mlv_restore_run(MlvRestore *restore, GError **error);

#endif
