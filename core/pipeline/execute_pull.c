/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching what a stage needs and is not here. */
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
