/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/side.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/measure/side_private.h"
#include "core/pipeline/graph.h"
#include "core/pipeline/lock.h"
#include "core/reader.h"

/* --- the work tree, and nothing --------------------------------------------------------------- */

/* Symbolic links are followed only within the work tree: what is read is shown to others. */
static GBytes *workspace_read(gpointer user, const char *path, gsize max, GError **error)
{
	const MlvSide *side = user;
	const char *root = mlv_repo_root(side->repo);
	gsize length = strlen(root);
	g_autoptr(GError) failed = NULL;
	/* Follows none: mostly there are none. */
	GBytes *bytes = mlv_repo_read_file(side->repo, path, max, &failed);

	if (bytes)
		return bytes;
	g_autofree char *whole = g_build_filename(root, path, NULL);
	char *real = realpath(whole, NULL);
	if (real && strncmp(real, root, length) == 0 && real[length] == '/' &&
	    strcmp(real + length + 1, path) != 0) {
		g_clear_error(&failed);
		bytes = mlv_repo_read_file(side->repo, real + length + 1, max, &failed);
	}
	free(real);
	if (failed)
		g_propagate_error(error, g_steal_pointer(&failed));
	return bytes;
}

static GBytes *nothing_read(gpointer user, const char *path, gsize max, GError **error)
{
	mlv_fail(error, MLV_ERROR_MISSING, "there is no file '%s': there is no commit yet", path);
	return NULL;
}

static MlvFilesType nothing_type(gpointer user, const char *path)
{
	return *path ? MLV_FILES_NOTHING : MLV_FILES_DIRECTORY;
}

static GPtrArray *nothing_list(gpointer user, const char *path, GError **error)
{
	return g_ptr_array_new_with_free_func(g_free);
}

/* --- a side ----------------------------------------------------------------------------------- */

static GBytes *side_read(gpointer user, const char *path, gsize max, GError **error)
{
	return mlv_side_read(user, path, max, error);
}

static MlvFilesType side_type(gpointer user, const char *path)
{
	return mlv_side_type(user, path);
}

static GPtrArray *side_list(gpointer user, const char *path, GError **error)
{
	const MlvSide *side = user;
	return side->base.list(side->base.user, path, error);
}

static void init_files(MlvSide *side)
{
	switch (side->revision.at) {
	case MLV_AT_WORKSPACE:
		side->root_fd = mlv_repo_root_fd(side->repo);
		side->read = workspace_read;
		mlv_files_init_directory(&side->base, &side->root_fd, mlv_repo_root(side->repo));
		break;
	case MLV_AT_COMMIT:
		mlv_side_init_commit(side);
		break;
	default:
		side->base = (MlvFiles){ nothing_read, nothing_type, nothing_list, side, NULL };
		side->read = nothing_read;
	}
	side->all = (MlvFiles){ side_read, side_type, side_list, side, side->base.root };
}

MlvSide *mlv_side_open(MlvView *view, const char *rev, GError **error)
{
	g_autoptr(MlvSide) side = g_new0(MlvSide, 1);

	side->view = view;
	side->repo = mlv_view_repo(view);
	side->name = g_utf8_make_valid(rev ? rev : "workspace", -1);
	side->problems = g_ptr_array_new_with_free_func(g_free);
	side->outputs = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	if (!mlv_view_revision(view, rev, &side->revision, error))
		return NULL;
	init_files(side);
	return g_steal_pointer(&side);
}

void mlv_side_close(MlvSide *side)
{
	if (!side)
		return;
	mlv_side_clear_commit(side);
	g_clear_pointer(&side->pipelines, g_ptr_array_unref);
	g_clear_pointer(&side->pointers, g_ptr_array_unref);
	g_ptr_array_unref(side->outputs);
	g_ptr_array_unref(side->problems);
	g_free(side->name);
	g_free(side);
}

const char *mlv_side_name(const MlvSide *side)
{
	return side->name;
}

const MlvRevision *mlv_side_revision(const MlvSide *side)
{
	return &side->revision;
}

const MlvFiles *mlv_side_files(const MlvSide *side)
{
	return &side->all;
}

const GPtrArray *mlv_side_problems(const MlvSide *side)
{
	return side->problems;
}

void mlv_side_add_problem(MlvSide *side, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (side->revision.at == MLV_AT_WORKSPACE)
		g_ptr_array_add(side->problems, g_steal_pointer(&text));
	else
		g_ptr_array_add(side->problems, g_strdup_printf("in '%s': %s", side->name, text));
}

/* --- pipelines and locks ---------------------------------------------------------------------- */

static gint compare_outputs(gconstpointer a, gconstpointer b)
{
	const MlvTracked *const *first = a, *const *second = b;
	return strcmp((*first)->path, (*second)->path);
}

/* What the lock of a folder says of outputs that the store has. */
static void take_lock(MlvSide *side, const char *folder)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvLock) lock = mlv_lock_read(&side->base, folder, &error);
	g_autoptr(GPtrArray) names = lock ? mlv_lock_names(lock) : NULL;

	if (!lock)
		mlv_side_add_problem(side, "%s", error->message);
	for (guint i = 0; names && i < names->len; i++) {
		const MlvLockStage *stage = mlv_lock_get(lock, names->pdata[i]);

		for (guint j = 0; j < stage->outs->len; j++) {
			const MlvLockPath *out = stage->outs->pdata[j];

			if (out->no_cache || out->etag)
				continue;
			MlvTracked *tracked = g_new0(MlvTracked, 1);
			tracked->path = g_strdup(out->path);
			tracked->pointer = out->held;
			g_ptr_array_add(side->outputs, tracked);
		}
	}
}

static void take_pipeline(MlvSide *side, const char *path)
{
	g_autoptr(GError) error = NULL;
	MlvPipelineFile *file = mlv_pipeline_file_read(&side->all, path, &error);

	if (file)
		g_ptr_array_add(side->pipelines, file);
	else
		mlv_side_add_problem(side, "%s", error->message);
}

const GPtrArray *mlv_side_pipelines(MlvSide *side)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) paths = NULL;

	if (side->pipelines)
		return side->pipelines;
	side->pipelines = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_pipeline_file_free);
	paths = mlv_pipeline_scan(&side->base, "", &error);
	if (!paths) {
		mlv_side_add_problem(side, "%s", error->message);
		return side->pipelines;
	}
	/* All locks first: a variable's file may be another's output. */
	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *folder = mlv_files_folder(paths->pdata[i]);
		take_lock(side, folder);
	}
	g_ptr_array_sort(side->outputs, compare_outputs);
	for (guint i = 0; i < paths->len; i++)
		take_pipeline(side, paths->pdata[i]);
	return side->pipelines;
}
