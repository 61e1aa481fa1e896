/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of tracked directories: finding one, and putting the target's pointer together anew. Main
 * thread. */
#ifndef MLV_CORE_TRACK_PART_H
#define MLV_CORE_TRACK_PART_H

#include "core/local.h"
#include "core/pointer.h"
#include "core/splice.h"

/* A path below the directory that `target` is. */
typedef struct {
	MlvLocal *local;
	const char *target, *path;
} MlvPart;

/* The same, counted from the target. */
const char *mlv_part_below(const MlvPart *part);
/* What the directory `base` has at the part's path. *found FALSE where that is nothing, or a
 * symlink. */
gboolean mlv_part_find(const MlvPart *part, const MlvPointer *base, MlvPointer *pointer,
		       gboolean *found, GError **error);
/* The target's pointer as its file has it now; another process may have added another part since
 * the work began. *pointer stays where there is no file. For the holder of the index's lock. */
gboolean mlv_part_read_target(const MlvPart *part, MlvPointer *pointer, GError **error);
/* Puts parts (of MlvSpliceEdit, by their paths below the target) into the target's pointer.
 * Directories above a part that is gone go with it where they are gone too and hold no other file.
 * The new trees are committed to the store. */
gboolean mlv_part_splice(MlvLocal *local, const char *target, GArray *edits, MlvStoreWriter *writer,
			 MlvPointer *pointer, GError **error);

#endif
