/* SPDX-License-Identifier: Apache-2.0 */
/* Opening remotes, and pushing. Fetching and verifying are in sync_fetch.c. */
#include "core/sync.h"

#include <string.h>

#include "core/git_tree.h"
#include "core/remote_medium.h"
#include "core/sync_runs.h"
#include "storage/push.h"

/* --- opening ---------------------------------------------------------------------------------- */

/* What is known of a remote is kept beside the store, by its address. */
static char *cache_dir(MlvRepo *repo, const MlvRemoteConfig *config)
{
	g_autofree char *address =
		config->endpoint ? g_strconcat(config->endpoint, " ", config->url, NULL)
				 : g_strdup(config->directory ? config->directory : config->url);
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of(address, strlen(address), &id);
	mlv_id_format(&id, hex);
	hex[16] = '\0';
	return g_build_filename(mlv_repo_mlv_dir(repo), "remotes", hex, NULL);
}

/* Takes `config`. `cache` NULL: nothing is kept. */
static MlvSync *open_config(MlvRepo *repo, MlvRemoteConfig *config, const char *cache,
			    gboolean create, GError **error)
{
	g_autoptr(MlvSync) sync = g_new0(MlvSync, 1);
	gboolean fsync;

	sync->repo = repo;
	sync->config = config;
	if (!mlv_config_get_bool(mlv_repo_config(repo), "mlv.fsync", TRUE, &fsync, error))
		return NULL;
	sync->medium = mlv_remote_medium_open(repo, config, fsync, error);
	if (!sync->medium)
		return NULL;
	sync->remote = mlv_remote_open(sync->medium, cache, create, error);
	if (!sync->remote) {
		g_prefix_error(error, "remote '%s': ", config->name);
		return NULL;
	}
	return g_steal_pointer(&sync);
}

static gboolean check_id(const MlvRepo *repo, GError **error)
{
	return mlv_repo_id(repo) ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"the repository has no id yet; run 'mlv init' and commit .mlvconfig");
}

MlvSync *mlv_sync_open(MlvRepo *repo, const char *name, gboolean create, GError **error)
{
	g_autoptr(MlvRemoteConfig) config = mlv_remote_config_find(repo, name, error);
	g_autofree char *cache = config ? cache_dir(repo, config) : NULL;
	g_autoptr(MlvSync) sync = NULL;

	/* No remote is made to which nothing can be sent. */
	if (!config || (create && !check_id(repo, error)) || !mlv_repo_make_dirs(repo, error))
		return NULL;
	sync = open_config(repo, g_steal_pointer(&config), cache, create, error);
	if (!sync)
		return NULL;
	if (!create && !mlv_remote_refresh(sync->remote, error)) {
		g_prefix_error(error, "remote '%s': ", sync->config->name);
		return NULL;
	}
	return g_steal_pointer(&sync);
}

MlvSync *mlv_sync_open_config(MlvRepo *repo, MlvRemoteConfig *config, GError **error)
{
	return open_config(repo, config, NULL, FALSE, error);
}

void mlv_sync_close(MlvSync *sync)
{
	if (!sync)
		return;
	mlv_remote_free(sync->remote);
	mlv_medium_free(sync->medium);
	mlv_remote_config_free(sync->config);
	g_free(sync);
}

/* --- pushing ---------------------------------------------------------------------------------- */

static gboolean add_needed(const MlvOid *commit, const MlvTracked *tracked, gpointer user,
			   GError **error)
{
	MlvRoot *root = user;
	char hex[MLV_OID_HEX + 1];

	if (tracked->error || !commit)
		return TRUE; /* a pointer that cannot be read needs nothing that could be sent */
	mlv_oid_format(commit, hex);
	if (tracked->pointer.ref.size == 0)
		return TRUE; /* an empty file is nowhere, and everywhere */
	mlv_root_add(root, MLV_ROOT_COMMIT, hex, &tracked->pointer.ref, 1);
	return TRUE;
}

/* What the provider's calls need; a push ends between packs and chunks. */
typedef struct {
	MlvLocal *local;
	const volatile sig_atomic_t *cancel;
} Provider;

static gboolean go_on(const Provider *provider, GError **error)
{
	return !provider->cancel || !*provider->cancel ||
	       mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

static gboolean locate(MlvKind kind, const MlvId *id, gboolean *found, MlvId *pack,
		       MlvPackEntry *entry, gpointer user, GError **error)
{
	const Provider *provider = user;
	MlvLocal *local = provider->local;
	MlvPlace place;

	if (!go_on(provider, error) ||
	    !mlv_store_find(local->store, kind, id, &place, found, error))
		return FALSE;
	if (*found) {
		*pack = mlv_store_pack_name(local->store, place.pack);
		*entry = place.entry;
	}
	return TRUE;
}

static int open_pack(const MlvId *pack, gpointer user, GError **error)
{
	const Provider *provider = user;

	return go_on(provider, error) ? mlv_store_pack_open(provider->local->store, pack, error)
				      : -1;
}

/* Of this clone's earlier pushes those stay whose commits git still has, or the run cache. */
typedef struct {
	MlvRepo *repo;
	GHashTable *runs; /* read when first asked for */
} Keep;

static gboolean keep_entry(MlvRootUse use, const char *oid, gpointer user)
{
	Keep *keep = user;
	MlvOid commit;

	if (use == MLV_ROOT_COMMIT)
		return !mlv_oid_parse(oid, &commit) || mlv_git_commit_exists(keep->repo, &commit);
	if (!keep->runs)
		keep->runs = mlv_sync_run_ids(keep->repo);
	return strlen(oid) != MLV_ID_HEX || g_hash_table_contains(keep->runs, oid);
}

static void keep_clear(Keep *keep)
{
	g_clear_pointer(&keep->runs, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keep, keep_clear)

gboolean mlv_sync_push(MlvSync *sync, MlvLocal *local, MlvSelection *selection,
		       const MlvSyncOptions *options, MlvSyncResult *result, GError **error)
{
	char clone[MLV_REPO_ID_HEX + 1];
	const char *id = mlv_repo_id(sync->repo);
	MlvPushResult pushed;

	memset(result, 0, sizeof(*result));
	if (!check_id(sync->repo, error) || !mlv_repo_clone_id(sync->repo, clone, error))
		return FALSE;
	Provider provider = { local, options->cancel };
	g_autoptr(MlvRoot) root = mlv_root_new(id, clone);
	g_auto(Keep) keep = { sync->repo, NULL };
	if (!mlv_selection_foreach(selection, add_needed, root, error) ||
	    (options->runs && !mlv_sync_add_runs(local, root, error)))
		return FALSE;
	if (mlv_root_need_count(root) == 0 && !mlv_pathspec_is_all(mlv_selection_paths(selection)))
		return mlv_fail(error, MLV_ERROR_MISSING, "no tracked data lie at the paths given");
	if (mlv_root_need_count(root) == 0) {
		result->up_to_date = TRUE;
		return TRUE;
	}
	MlvPush push = {
		.remote = sync->remote,
		.wanted = root,
		.keep = keep_entry,
		.keep_user = &keep,
		.source = mlv_store_source(local->store),
		.provider = { .locate = locate, .open_pack = open_pack, .user = &provider },
		.temp_dir = mlv_store_path(local->store),
		.level = mlv_store_clone_block(local->store) > 0 ? local->write.level : 0,
		.dry_run = options->dry_run,
		.publish = sync->config->publish,
		.recheck = options->recheck,
		.progress = options->progress,
		.waiting = options->waiting,
		.user = options->user,
	};
	if (!mlv_push(&push, &pushed, error))
		return FALSE;
	result->up_to_date = pushed.up_to_date;
	result->packs = pushed.packs;
	result->chunks = pushed.chunks;
	result->bytes = pushed.bytes;
	result->checked = pushed.checked;
	result->reused = pushed.reused;
	result->packs_lost = pushed.packs_lost;
	result->lost = pushed.chunks_lost;
	return TRUE;
}

gboolean mlv_sync_trim(MlvSync *sync, MlvLocal *local, MlvRootKeep keep, gpointer user,
		       GError **error)
{
	char clone[MLV_REPO_ID_HEX + 1];
	Provider provider = { local, NULL };
	MlvPushResult pushed;

	if (!mlv_repo_clone_id(sync->repo, clone, error))
		return FALSE;
	g_autoptr(MlvRoot) none = mlv_root_new(mlv_repo_id(sync->repo), clone);
	const MlvPush push = {
		.remote = sync->remote,
		.wanted = none,
		.keep = keep,
		.keep_user = user,
		.source = mlv_store_source(local->store),
		.provider = { .locate = locate, .open_pack = open_pack, .user = &provider },
		.temp_dir = mlv_store_path(local->store),
		.level = mlv_store_clone_block(local->store) > 0 ? local->write.level : 0,
	};
	return mlv_push(&push, &pushed, error);
}
