/* SPDX-License-Identifier: Apache-2.0 */
/* Which files of an output that is a folder are not as recorded. */
#include <string.h>

#include "core/diff_workspace.h"
#include "core/run/rebuild_private.h"

#define FILES_MAX 100u /* that are named, of one output */

static MlvRebuildOut *find_out(const Rebuilding *rebuilding, const char *path)
{
	const GPtrArray *stages = rebuilding->result->stages;

	for (guint i = 0; i < stages->len; i++) {
		const MlvRebuildStage *stage = stages->pdata[i];
		for (guint j = 0; j < stage->outs->len; j++) {
			MlvRebuildOut *out = stage->outs->pdata[j];
			if (strcmp(out->path, path) == 0)
				return out;
		}
	}
	return NULL;
}

static void file_free(gpointer data)
{
	MlvRebuildFile *file = data;

	g_free(file->path);
	g_free(file);
}

static gboolean take_change(const MlvChange *change, gpointer user, GError **error)
{
	MlvRebuildOut *out = find_out(user, change->target);
	MlvRebuildFile *file;

	if (!out)
		return TRUE;
	if (!out->files)
		out->files = g_ptr_array_new_with_free_func(file_free);
	if (out->files->len >= FILES_MAX) {
		out->more++;
		return TRUE;
	}
	file = g_new0(MlvRebuildFile, 1);
	file->kind = (char)change->kind;
	file->path = g_strdup(change->path);
	g_ptr_array_add(out->files, file);
	return TRUE;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	return strcmp((*(MlvTracked *const *)a)->path, (*(MlvTracked *const *)b)->path);
}

static void add_recorded(GPtrArray *from, const MlvRebuildOut *out)
{
	MlvTracked *tracked;

	if (!out->differs || !out->has_was || !out->has_now ||
	    out->was.mode != MLV_MODE_DIRECTORY || out->now.mode != MLV_MODE_DIRECTORY)
		return;
	tracked = g_new0(MlvTracked, 1);
	tracked->path = g_strdup(out->path);
	tracked->pointer = out->was;
	g_ptr_array_add(from, tracked);
}

void mlv_rebuild_look_inside(const Rebuilding *rebuilding)
{
	const MlvReproOptions *repro = &rebuilding->options->repro;
	const GPtrArray *stages = rebuilding->result->stages;
	g_autoptr(GPtrArray) from =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	gboolean problems;

	for (guint i = 0; i < stages->len; i++) {
		const MlvRebuildStage *stage = stages->pdata[i];
		for (guint j = 0; j < stage->outs->len; j++)
			add_recorded(from, stage->outs->pdata[j]);
	}
	if (from->len == 0)
		return;
	g_ptr_array_sort(from, by_path);
	for (guint i = 0; i < from->len; i++)
		g_ptr_array_add(paths, ((MlvTracked *)from->pdata[i])->path);
	g_autoptr(MlvPathspec) spec =
		mlv_pathspec_literal((const char *const *)paths->pdata, paths->len);
	MlvDiffWorkspaceOptions options = { .threads = repro->threads,
					    .cancel = repro->cancel,
					    .paths = spec };
	MlvCompareOptions how = { .files = TRUE,
				  .sorted = TRUE,
				  .paths = spec,
				  .visit = take_change,
				  .user = (gpointer)rebuilding };
	g_autoptr(MlvCompare) compare =
		mlv_compare_new(mlv_view_source(rebuilding->options->view), &how);
	/* where a folder's recorded tree is not here, it is not said */
	if (mlv_diff_workspace(repro->local, from, &options, compare, &problems, NULL))
		mlv_compare_finish(compare, NULL);
}
