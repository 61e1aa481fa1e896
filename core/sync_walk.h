/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks everything that a selection needs, level by level, so that what has to come over a
 * network is asked for together. Private to core/sync*.c.
 */
#ifndef MLV_CORE_SYNC_WALK_H
#define MLV_CORE_SYNC_WALK_H

#include "core/sync.h"
#include "storage/source.h"

/* Tells for each of `count` chunks of one level whether it is there. */
typedef gboolean (*MlvWalkHave)(const MlvChunkKey *keys, gsize count, gboolean *have, gpointer user,
				GError **error);
/* One chunk that is not there; *descend (FALSE at first; never asked of blobs) says that `source`
 * can read it all the same. */
typedef gboolean (*MlvWalkLack)(const char *path, const MlvChunkKey *key, guint64 length,
				gboolean *descend, gpointer user, GError **error);

typedef struct {
	MlvSource *source; /* where lists and trees are read */
	const MlvPathspec *paths;
	const volatile sig_atomic_t *cancel;
	MlvWalkHave have;
	MlvWalkLack lack;
	gpointer user;
} MlvWalkOptions;

/* Each chunk is looked at once, however often it is named. *seen: how many. Pointers that cannot
 * be read are passed over. */
gboolean mlv_sync_walk(MlvSelection *selection, const MlvWalkOptions *options, guint64 *seen,
		       GError **error);

#endif
