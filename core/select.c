/* SPDX-License-Identifier: Apache-2.0 */
#include "core/select.h"

#include <string.h>

#include "core/target.h"

static gint by_path(gconstpointer a, gconstpointer b)
{
	const MlvTracked *first = *(const MlvTracked *const *)a,
			 *second = *(const MlvTracked *const *)b;

	return strcmp(first->path, second->path);
}

static void add_copy(GPtrArray *targets, const MlvTracked *tracked)
{
	MlvTracked *copy = mlv_tracked_copy(tracked);

	copy->stage = 0;
	g_ptr_array_add(targets, copy);
}

GPtrArray *mlv_select_targets(MlvRepo *repo, GError **error)
{
	g_autoptr(GPtrArray) here = mlv_git_pointers_in_workspace(repo, FALSE, error);
	g_autoptr(GPtrArray) index = here ? mlv_git_pointers_in_index(repo, error) : NULL;
	GPtrArray *targets = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	const char *last = NULL;

	for (guint i = 0; index && i < here->len; i++)
		add_copy(targets, here->pdata[i]);
	for (guint i = 0; index && i < index->len; i++) {
		const MlvTracked *staged = index->pdata[i];
		if (g_strcmp0(staged->path, last) != 0 && !mlv_tracked_find(here, staged->path))
			add_copy(targets, staged);
		last = staged->path;
	}
	if (!index)
		g_clear_pointer(&targets, g_ptr_array_unref);
	else
		g_ptr_array_sort(targets, by_path);
	return targets;
}

void mlv_selected_free(gpointer selected)
{
	g_free(((MlvSelected *)selected)->path);
	g_free(selected);
}

/* Unless it is among the first `known`: what one word selects is selected once anyway. */
static void add(GPtrArray *selected, guint known, const char *path, const MlvTracked *target)
{
	for (guint i = 0; i < known; i++)
		if (strcmp(((MlvSelected *)selected->pdata[i])->path, path) == 0)
			return;
	MlvSelected *one = g_new0(MlvSelected, 1);
	one->path = g_strdup(path);
	one->target = target;
	one->part = strcmp(path, target->path) != 0;
	g_ptr_array_add(selected, one);
}

static gboolean add_below(const GPtrArray *targets, const char *folder, gboolean recursive,
			  GPtrArray *selected, GError **error)
{
	gsize length = strlen(folder);
	guint known = selected->len;
	gboolean any = FALSE;

	for (guint i = 0; i < targets->len; i++) {
		const MlvTracked *target = targets->pdata[i];
		if (length > 0 &&
		    (strncmp(target->path, folder, length) != 0 || target->path[length] != '/'))
			continue;
		any = TRUE;
		if (!recursive)
			break;
		if (!mlv_target_check_own(target, error))
			return FALSE;
		add(selected, known, target->path, target);
	}
	if (any && !recursive)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is a folder of tracked data; -r means all of it",
				length > 0 ? folder : ".");
	if (!any)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"'%s' is not tracked by mlv; git rm and git mv are for "
				"files that git tracks",
				length > 0 ? folder : ".");
	return TRUE;
}

gboolean mlv_select_path(const GPtrArray *targets, const char *path, gboolean recursive,
			 GPtrArray *selected, GError **error)
{
	g_autofree char *data = mlv_pointer_is_path(path) ? mlv_pointer_data_path(path) : NULL;
	const char *rest;

	if (data && mlv_tracked_find(targets, data))
		path = data;
	const MlvTracked *target = *path ? mlv_tracked_cover(targets, path, &rest) : NULL;
	if (!target)
		return add_below(targets, path, recursive, selected, error);
	if (!mlv_target_check_own(target, error))
		return FALSE;
	if (*rest && (target->error || target->pointer.ref.kind != MLV_KIND_TREE))
		return mlv_fail(
			error, MLV_ERROR_FAILED, "'%s' lies in '%s', which %s", path, target->path,
			target->error ? "has an unreadable pointer" : "is tracked as a file");
	add(selected, selected->len, path, target);
	return TRUE;
}
