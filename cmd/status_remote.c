/* SPDX-License-Identifier: Apache-2.0 */
/* `mlv status --remote`: what is staged and not on the remote, by path. */
#include <string.h>

#include "cmd/status_print.h"
#include "core/sync.h"

typedef struct {
	MlvStatusPrint *print;
	GHashTable *paths; /* told already: a large file lacks many objects */
} Asked;

static gboolean take_missing(const char *path, MlvKind kind, const MlvId *id, gpointer user,
			     GError **error)
{
	Asked *asked = user;
	MlvChange change = { .kind = MLV_CHANGE_ADDED, .path = path, .target = path };

	if (!g_hash_table_add(asked->paths, g_strdup(path)))
		return TRUE;
	if (kind == MLV_KIND_TREE)
		change.to.mode = MLV_MODE_DIRECTORY;
	mlv_status_print_take_remote(asked->print, &change);
	return TRUE;
}

gboolean mlv_status_print_remote(MlvStatusPrint *print, MlvLocal *local, const MlvPathspec *paths,
				 GError **error)
{
	g_autoptr(MlvSelection) selection = mlv_selection_new(local->repo);
	g_autoptr(MlvSync) sync = mlv_sync_open(local->repo, NULL, FALSE, error);
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Asked asked = { print, told };
	MlvSyncResult result;

	if (!sync)
		return FALSE;
	print->remote_name = g_strdup(sync->config->name);
	mlv_selection_set_paths(selection, paths);
	mlv_selection_add_workspace(selection);
	return mlv_sync_verify(sync, local, selection, take_missing, &asked, &result, error);
}
