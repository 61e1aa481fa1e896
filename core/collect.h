/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc of the local store: marks what any pointer reaches, and has the rest swept. And the register
 * of the repositories that share a store (mlv.store): a file repos/<16 hex> in it for each, with
 * the path of its git directory.
 *
 *	mlv_store_lock_exclusive(store, waiting, user, error);
 *	mlv_collect_run(repo, store, &options, &result, error);
 *
 * Main thread only.
 */
#ifndef MLV_CORE_COLLECT_H
#define MLV_CORE_COLLECT_H

#include "core/repo.h"
#include "storage/sweep.h"

/* The store's lock is held exclusively. A pointer that cannot be parsed still keeps every object it
 * names. */
gboolean mlv_collect_run(MlvRepo *repo, MlvStore *store, const MlvSweepOptions *options,
			 MlvSweepResult *result, GError **error);

/* Enters the repository, if the store is not its own. Cheap when it is there already. For whoever
 * opens a store to write. */
gboolean mlv_collect_register(MlvStore *store, MlvRepo *repo, GError **error);
/* The git directories in the register, sorted, of char *. Free with g_ptr_array_unref. */
GPtrArray *mlv_collect_registered(MlvStore *store, GError **error);
/* Removes the repository whose git directory or work tree `path` is (absolute), there or not. */
gboolean mlv_collect_forget(MlvStore *store, const char *path, gboolean *found, GError **error);

#endif
