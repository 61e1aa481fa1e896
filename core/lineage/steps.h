/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every step that mlv.lock files tell of: a stage as it once ran, with what it read and what it
 * made. A step that stands in many versions of a lock is kept once: a lock's text is taken apart
 * into blocks, and only blocks that were not seen before are parsed. Main thread.
 *
 *	g_autoptr(MlvSteps) steps = mlv_steps_new();
 *	g_autoptr(GArray) numbers = mlv_steps_read(steps, "sub", data, length, "v1:sub/mlv.lock");
 *	const GArray *readers = mlv_steps_readers(steps, &id);
 */
#ifndef MLV_CORE_LINEAGE_STEPS_H
#define MLV_CORE_LINEAGE_STEPS_H

#include "core/git_rev.h"
#include "core/pipeline/lock.h"

typedef struct {
	char *address; /* "train", "sub:train" */
	MlvLockStage *block;
	gboolean current; /* the revision in question has it */
	GArray *commits;  /* of MlvOid: those that brought it */
	GPtrArray *runs;  /* of char *, borrowed: names of the runs that brought it */
} MlvStep;

typedef struct MlvSteps MlvSteps;

MlvSteps *mlv_steps_new(void);
void mlv_steps_free(MlvSteps *steps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvSteps, mlv_steps_free)

/* The numbers (guint, ascending, none twice) of the steps in a lock's text. What cannot be read is
 * passed over and among the problems; `label` names the file there. Caller frees. */
GArray *mlv_steps_read(MlvSteps *steps, const char *folder, const char *data, gsize length,
		       const char *label);
guint mlv_steps_count(const MlvSteps *steps);
MlvStep *mlv_steps_get(const MlvSteps *steps, guint number);
/* The steps with an output, or a dependency, of that id, in the order in which they were read; of
 * guint, borrowed; NULL: none. */
const GArray *mlv_steps_makers(const MlvSteps *steps, const MlvId *id);
const GArray *mlv_steps_readers(const MlvSteps *steps, const MlvId *id);
/* What was passed over, of char *. Borrowed. */
const GPtrArray *mlv_steps_problems(const MlvSteps *steps);

#endif
