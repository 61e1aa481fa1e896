/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three-way merge of tracked data, entry by entry, from trees alone: no data are read or needed.
 */
#ifndef MLV_CORE_MERGE_H
#define MLV_CORE_MERGE_H

#include "core/pointer.h"
#include "storage/source.h"

/* What both sides changed, and not alike. `path` is relative to the merged directory; ours stays
 * under its name, theirs stands beside it as `theirs_path` (NULL where one side removed it: the
 * changed one stays). Borrowed. */
typedef void (*MlvMergeConflict)(const char *path, const char *theirs_path, gpointer user);

typedef struct {
	MlvSource *source; /* where the trees of all three are read */
	MlvPutChunk put;   /* where the merged trees go */
	gpointer put_user;
	MlvMergeConflict conflict;
	gpointer user;
} MlvMergeOptions;

/* Merges what `ours` and `theirs` (NULL: removed there) made of `base` (NULL: not there). Out:
 * *result, and *conflicts, how many there are. A file, or a directory against a file, cannot be
 * merged: ours is the result then, with one conflict of path "". */
gboolean mlv_merge_pointers(const MlvMergeOptions *options, const MlvPointer *base,
			    const MlvPointer *ours, const MlvPointer *theirs, MlvPointer *result,
			    guint64 *conflicts, GError **error);

#endif
