/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command that works on tracked data has open: the repository's store, stat cache and
 * partial record, with the configuration that concerns writing. Main thread.
 */
#ifndef MLV_CORE_LOCAL_H
#define MLV_CORE_LOCAL_H

#include "core/partial.h"
#include "core/statcache.h"
#include "storage/store.h"

typedef struct {
	MlvRepo *repo; /* borrowed */
	MlvStore *store;
	MlvStatCache *cache;
	MlvPartial *partial;
	MlvWriteOptions write; /* mlv.fsync, mlv.compression */
} MlvLocal;

/* Opens all; the store is made if it is not there. A lock that a killed mlv left on git's index is
 * removed. `waiting` as in mlv_store_open(). */
MlvLocal *mlv_local_open(MlvRepo *repo, MlvStoreWaiting waiting, gpointer user, GError **error);
void mlv_local_close(MlvLocal *local);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvLocal, mlv_local_close)

#endif
