/* SPDX-License-Identifier: Apache-2.0 */
/* What writing (lock.c) and reading (lock_read.c) of mlv.lock share. */
#ifndef MLV_CORE_PIPELINE_LOCK_PRIVATE_H
#define MLV_CORE_PIPELINE_LOCK_PRIVATE_H

#include "core/pipeline/lock.h"

#define MLV_LOCK_HEAD                                                        \
	"# Written by mlv: what each stage ran with, and what came of it.\n" \
	"version: 1\nstages:\n"
#define MLV_LOCK_SUM_HEX 16

struct MlvLock {
	char *folder;
	GHashTable *stages; /* name -> MlvLockStage, which has the name */
	gboolean conflicts;
};

void mlv_lock_stage_sort(MlvLockStage *stage);
/* The sum of a stage's block, from its name's line to before the sum's. Caller frees. */
char *mlv_lock_sum(const char *block, gsize length);

#endif
