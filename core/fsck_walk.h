/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of fsck over objects: one for all pointers, each object looked at once. For fsck.c
 * alone. */
#ifndef MLV_CORE_FSCK_WALK_H
#define MLV_CORE_FSCK_WALK_H

#include "core/fsck.h"
#include "core/fsck_remote.h"
#include "core/pointer.h"

typedef struct MlvFsckWalk MlvFsckWalk;

/* All borrowed. Counts into `result`. */
MlvFsckWalk *mlv_fsck_walk_new(MlvStore *store, const MlvCheck *check, MlvFsckRemotes *remotes,
			       const MlvFsckOptions *options, MlvFsckResult *result);
/* Everything below a pointer that was not walked before. `path` and `where` are for messages. */
gboolean mlv_fsck_walk_add(MlvFsckWalk *walk, const MlvPointer *pointer, const char *path,
			   const char *where, GError **error);
/* Waits for what is under way. */
gboolean mlv_fsck_walk_finish(MlvFsckWalk *walk, GError **error);
void mlv_fsck_walk_free(MlvFsckWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvFsckWalk, mlv_fsck_walk_free)

/* A fault that is not the store's own; counts it. */
void mlv_fsck_report(const MlvFsckOptions *options, MlvFsckResult *result, const char *kind,
		     const char *path, MlvKind object_kind, const MlvId *object,
		     const char *message);

/* Whether a leaf of a file of several chunks is cut as the chunker cuts: nowhere before its end,
 * and, unless it is the last, there. Any thread. */
gboolean mlv_fsck_cut_is_right(const guint8 *data, gsize length, gboolean last);

#endif
