/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching what a stage needs and is not here. */
#include "core/import_fetch.h"
#include "core/pipeline/execute_private.h"
#include "core/sync.h"

gboolean mlv_execution_fetch(Execution *execution, const GPtrArray *paths, GError **error)
{
	MlvLocal *local = execution->options->local;
	g_autoptr(MlvSync) sync = mlv_sync_open(local->repo, NULL, FALSE, error);
	g_autoptr(MlvSelection) selection = mlv_selection_new(local->repo);
	g_autoptr(MlvPathspec) spec =
		mlv_pathspec_literal((const char *const *)paths->pdata, paths->len);
	MlvSyncOptions options = { .threads = execution->options->threads,
				   .cancel = execution->options->cancel };
	MlvSyncResult result;

	if (!sync)
		return FALSE;
	mlv_selection_add_workspace(selection);
	mlv_selection_set_paths(selection, spec);
	return mlv_sync_fetch(sync, local, selection, &options, &result, error);
}

char *mlv_execution_etag(const char *url, gpointer user, GError **error)
{
	Execution *execution = user;
	const char *known = g_hash_table_lookup(execution->etags, url);
	g_auto(MlvImportStamp) stamp = { 0 };
	MlvImportFetch fetch = { .repo = execution->options->local->repo,
				 .url = url,
				 .look = TRUE,
				 .cancel = execution->options->cancel };
	gboolean changed;
	int executable;

	if (known)
		return g_strdup(known);
	if (!mlv_import_fetch(&fetch, &changed, &stamp, &executable, error))
		return NULL;
	/* A server that names no versions may know when it got this one. */
	char *etag = stamp.etag ? g_strdup(stamp.etag)
				: g_strdup_printf("%" G_GINT64_FORMAT "-%" G_GUINT64_FORMAT,
						  stamp.modified, stamp.size);
	g_hash_table_insert(execution->etags, g_strdup(url), g_strdup(etag));
	return etag;
}
