/* SPDX-License-Identifier: Apache-2.0 */
#include "core/remove.h"

#include <string.h>

#include "core/git_staging.h"
#include "core/workspace.h"

static gboolean plan_whole(MlvRemoval *removal, const MlvCheckoutOptions *base, GError **error)
{
	MlvCheckoutOptions options = *base;

	options.paths = NULL;
	options.exact = TRUE;
	removal->whole = mlv_checkout_new(&options);
	for (guint i = 0; i < removal->selected->len; i++) {
		const MlvSelected *one = removal->selected->pdata[i];
		const MlvPointer *pointer = one->target->error ? NULL : &one->target->pointer;

		if (!one->part &&
		    !mlv_checkout_target(removal->whole, one->path, NULL, pointer, error))
			return FALSE;
	}
	return mlv_checkout_plan(removal->whole, error);
}

static gboolean plan_parts(MlvRemoval *removal, const MlvCheckoutOptions *base, GError **error)
{
	g_autoptr(GPtrArray) words = mlv_removal_parts(removal);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	MlvCheckoutOptions options = *base;

	if (words->len == 0)
		return TRUE;
	removal->paths = mlv_pathspec_literal((const char *const *)words->pdata, words->len);
	options.paths = removal->paths;
	options.exact = TRUE;
	removal->parts = mlv_checkout_new(&options);
	for (guint i = 0; i < removal->selected->len; i++) {
		const MlvSelected *one = removal->selected->pdata[i];

		if (!one->part || !g_hash_table_add(seen, one->target->path))
			continue;
		if (!mlv_checkout_target(removal->parts, one->target->path, NULL,
					 &one->target->pointer, error))
			return FALSE;
	}
	return mlv_checkout_plan(removal->parts, error);
}

MlvRemoval *mlv_removal_new(MlvLocal *local, GPtrArray *selected, gboolean keep_data,
			    const MlvCheckoutOptions *options, GError **error)
{
	g_autoptr(MlvRemoval) removal = g_new0(MlvRemoval, 1);

	removal->local = local;
	removal->selected = selected;
	removal->keep_data = keep_data;
	for (guint i = 0; keep_data && i < selected->len; i++) {
		const MlvSelected *one = selected->pdata[i];
		if (one->part) {
			mlv_fail(error, MLV_ERROR_USAGE,
				 "'%s' lies in the tracked directory '%s' and cannot stay there "
				 "untracked; move it "
				 "away, or name it in a .mlvignore",
				 one->path, one->target->path);
			return NULL;
		}
	}
	if (!keep_data &&
	    (!plan_whole(removal, options, error) || !plan_parts(removal, options, error)))
		return NULL;
	return g_steal_pointer(&removal);
}

void mlv_removal_free(MlvRemoval *removal)
{
	if (!removal)
		return;
	mlv_checkout_free(removal->whole);
	mlv_checkout_free(removal->parts);
	mlv_pathspec_free(removal->paths);
	g_free(removal);
}

GPtrArray *mlv_removal_parts(const MlvRemoval *removal)
{
	GPtrArray *paths = g_ptr_array_new();

	for (guint i = 0; i < removal->selected->len; i++) {
		MlvSelected *one = removal->selected->pdata[i];
		if (one->part)
			g_ptr_array_add(paths, one->path);
	}
	return paths;
}

gboolean mlv_removal_check(MlvRemoval *removal, GError **error)
{
	return (!removal->whole || mlv_checkout_check(removal->whole, error)) &&
	       (!removal->parts || mlv_checkout_check(removal->parts, error));
}

/* A part that was never brought is expected from now on, so that its absence counts as removal. */
static gboolean expect_parts(MlvRemoval *removal, GError **error)
{
	MlvPartial *partial = removal->local->partial;

	for (guint i = 0; i < removal->selected->len; i++) {
		const MlvSelected *one = removal->selected->pdata[i];
		if (one->part)
			mlv_partial_include(partial, one->target->path, one->path);
		else
			mlv_partial_forget(partial, one->path);
	}
	return mlv_partial_save(partial, error);
}

gboolean mlv_removal_apply(MlvRemoval *removal, GError **error)
{
	g_autoptr(MlvStaging) stage = mlv_staging_new(removal->local->repo);
	int root = mlv_repo_root_fd(removal->local->repo);

	if ((removal->whole && !mlv_checkout_apply(removal->whole, error)) ||
	    (removal->parts && !mlv_checkout_apply(removal->parts, error)))
		return FALSE;
	for (guint i = 0; i < removal->selected->len; i++) {
		const MlvSelected *one = removal->selected->pdata[i];
		if (!one->part)
			mlv_staging_remove_pointer(stage, one->path);
	}
	if (!mlv_staging_commit(stage, error) || !expect_parts(removal, error))
		return FALSE;
	for (guint i = 0; !removal->keep_data && i < removal->selected->len; i++) {
		const MlvSelected *one = removal->selected->pdata[i];
		if (!one->part)
			mlv_workspace_prune_above(root, one->path);
	}
	return TRUE;
}
