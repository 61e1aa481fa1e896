/* SPDX-License-Identifier: Apache-2.0 */
#include "core/local.h"

#include "core/collect.h"
#include "core/git_staging.h"

MlvLocal *mlv_local_open(MlvRepo *repo, MlvStoreWaiting waiting, gpointer user, GError **error)
{
	g_autoptr(MlvLocal) local = g_new0(MlvLocal, 1);
	const MlvConfig *config = mlv_repo_config(repo);
	guint64 generation;
	gint64 level;

	local->repo = repo;
	mlv_staging_recover(repo);
	if (!mlv_repo_make_dirs(repo, error) ||
	    !mlv_config_get_bool(config, "mlv.fsync", TRUE, &local->write.sync, error) ||
	    !mlv_config_get_int(config, "mlv.compression", 1, 0, 19, &level, error))
		return NULL;
	local->write.level = (int)level;
	local->store = mlv_store_open(mlv_repo_store_dir(repo), TRUE, waiting, user, error);
	if (!local->store) {
		if (mlv_config_get(config, "mlv.store"))
			g_prefix_error(error, "mlv.store: ");
		return NULL;
	}
	if (!mlv_collect_register(local->store, repo, error))
		return NULL;
	local->partial = mlv_partial_open(repo, error);
	if (!local->partial)
		return NULL;
	local->cache = mlv_statcache_open(repo);
	if (!mlv_store_generation(local->store, &generation, error))
		return NULL;
	mlv_statcache_use_store(local->cache, generation);
	return g_steal_pointer(&local);
}

void mlv_local_close(MlvLocal *local)
{
	if (!local)
		return;
	mlv_statcache_close(local->cache);
	mlv_partial_close(local->partial);
	mlv_store_close(local->store);
	g_free(local);
}
