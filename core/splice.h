/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of a tree put in, replaced or taken out, all in one pass: only the directories on the way
 * are written anew, each once.
 */
#ifndef MLV_CORE_SPLICE_H
#define MLV_CORE_SPLICE_H

#include "storage/source.h"

/* What is to be at a path ("a/b/c", not empty) below the tree; entry mode 0 for nothing (a path
 * that is not there is no error then). */
typedef struct {
	const char *path;
	MlvTreeEntry entry;
} MlvSpliceEdit;

typedef struct {
	MlvSource *source;
	MlvPutChunk put;
	gpointer put_user;
	/* Whether a directory below the tree is gone: one out of which something was taken, and
	 * that holds no file then, goes too if it is. NULL: it stays. */
	gboolean (*gone)(const char *path, gpointer user);
	gpointer user;
} MlvSpliceOptions;

/* In: *tree, a directory (mode DIRECTORY; mode 0: an empty one); `edits`, of MlvSpliceEdit, which
 * are sorted by this. Out: *tree, the new directory. Folders on the way that are missing are made;
 * a file in the way is replaced by a folder. An edit of a folder outweighs those below it. */
gboolean mlv_splice(const MlvSpliceOptions *options, MlvTreeEntry *tree, GArray *edits,
		    GError **error);

#endif
