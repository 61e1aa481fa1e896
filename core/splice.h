/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry of a tree put in, replaced or taken out: only the directories on the way are written
 * anew.
 */
#ifndef MLV_CORE_SPLICE_H
#define MLV_CORE_SPLICE_H

#include "storage/source.h"

/* In: *tree, a directory (mode DIRECTORY; mode 0: an empty one); `path` ("a/b/c", not empty)
 * below it; `entry` what is to be there, mode 0 for nothing (a path that is not there is no error
 * then). Out: *tree, the new directory. Folders on the way that are missing are made; a file in
 * the way is replaced by a folder. Chunks go to `put`. */
gboolean mlv_splice(MlvSource *source, MlvTreeEntry *tree, const char *path,
		    const MlvTreeEntry *entry, MlvPutChunk put, gpointer user, GError **error);

#endif
