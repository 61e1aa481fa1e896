/* SPDX-License-Identifier: Apache-2.0 */
/* What brings another revision. */
#include "cmd/checkout_call.h"
#include "cmd/session.h"
#include "core/git_staging.h"
#include "core/switch.h"
#include "core/track.h"

/* --- single paths of a revision --------------------------------------------------------------- */

static void ignore_added(const char *path, const MlvPointer *pointer, gboolean is_new,
			 gboolean changed, gboolean gone, gpointer data)
{
}

/* The pointers follow the data: a whole target gets the revision's, one of which a part was
 * brought is put together anew. */
static gboolean stage_brought(MlvCheckoutCall *call, MlvCheckout *checkout, const GPtrArray *wanted,
			      const GPtrArray *before, GError **error)
{
	g_autoptr(GPtrArray) brought = mlv_checkout_brought(checkout);
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_autoptr(MlvStaging) stage = mlv_staging_new(call->local->repo);
	MlvTrackOptions options = { .cancel = call->cmd->cancel, .added = ignore_added };
	MlvTrackResult result;

	for (guint i = 0; i < brought->len; i++) {
		const char *rest;
		const MlvTracked *tracked = mlv_tracked_cover(wanted, brought->pdata[i], &rest);

		/* An output's version is its stage's business: its lock stays. */
		if (!tracked || tracked->error || tracked->lock)
			continue;
		if (*rest && mlv_tracked_find(before, tracked->path))
			g_ptr_array_add(parts, brought->pdata[i]);
		else
			mlv_staging_pointer(stage, tracked->path, &tracked->pointer);
	}
	if (!mlv_staging_commit(stage, error))
		return FALSE;
	return parts->len == 0 || (mlv_checkout_call_reopen(call, error) &&
				   mlv_cmd_jobs(call->cmd, &options.threads, error) &&
				   mlv_track_add(call->local, (const char *const *)parts->pdata,
						 parts->len, &options, &result, error));
}

gboolean mlv_checkout_call_paths(MlvCheckoutCall *call, GError **error)
{
	g_autoptr(GPtrArray) wanted =
		mlv_git_pointers_in_commit(call->local->repo, &call->commit, error);
	g_autoptr(GPtrArray) before =
		wanted ? mlv_git_pointers_in_workspace(call->local->repo, FALSE, error) : NULL;
	g_autoptr(GPtrArray) base = g_ptr_array_new();

	if (!before || !mlv_checkout_call_check_paths(call, wanted, call->rev, error))
		return FALSE;
	for (guint i = 0; i < before->len; i++)
		if (mlv_tracked_find(wanted, ((MlvTracked *)before->pdata[i])->path))
			g_ptr_array_add(base, before->pdata[i]);
	call->unreadable = mlv_cmd_checkout_warn(call->cmd, call->local->repo, wanted, call->paths);
	g_autoptr(MlvCheckout) checkout = mlv_checkout_call_plan(call, wanted, base, error);
	if (!checkout)
		return FALSE;
	if (call->opt->dry_run)
		return mlv_checkout_call_tell(call, checkout, error);
	return mlv_checkout_call_check(call, checkout, error) &&
	       mlv_cmd_checkout_apply(call->cmd, checkout, error) &&
	       stage_brought(call, checkout, wanted, before, error) &&
	       mlv_checkout_call_tell(call, checkout, error);
}

/* --- switching -------------------------------------------------------------------------------- */

static gboolean run_git(MlvCheckoutCall *call, GError **error)
{
	return mlv_switch_run(call->local->repo, call->rev, call->opt->force,
			      call->opt->json || call->cmd->ui->quiet, error);
}

/* Git switches; data whose names git itself needs goes first, and comes back if git will not. */
static gboolean git_switch(MlvCheckoutCall *call, const MlvSwitch *change, GError **error)
{
	if (change->taken->len == 0)
		return run_git(call, error);
	g_autoptr(MlvCheckout) away = mlv_checkout_call_plan(call, NULL, change->taken, error);
	if (!away || !mlv_cmd_checkout_apply(call->cmd, away, error) ||
	    !mlv_checkout_call_reopen(call, error))
		return FALSE;
	if (run_git(call, error))
		return TRUE;
	g_autoptr(MlvCheckout) back = mlv_checkout_call_plan(call, change->taken, NULL, NULL);
	if (back)
		mlv_cmd_checkout_apply(call->cmd, back, NULL);
	return FALSE;
}

/* The targets that are there before or after; those that git took are done with. */
static GPtrArray *remaining(const MlvSwitch *change)
{
	GPtrArray *base = g_ptr_array_new();

	for (guint i = 0; i < change->before->len; i++) {
		MlvTracked *tracked = change->before->pdata[i];
		gboolean gone = g_ptr_array_find(change->gone, tracked, NULL);
		if (!g_ptr_array_find(change->taken, tracked, NULL) &&
		    (gone || mlv_tracked_find(change->after, tracked->path)))
			g_ptr_array_add(base, tracked);
	}
	return base;
}

gboolean mlv_checkout_call_switch(MlvCheckoutCall *call, GError **error)
{
	MlvRepo *repo = call->local->repo;
	g_autoptr(MlvSwitch) change = mlv_switch_new(repo, &call->commit, call->opt->force, error);
	gboolean holds;

	if (!change)
		return FALSE;
	g_autoptr(MlvCheckout) checkout =
		mlv_checkout_call_plan(call, change->sure, change->before, error);
	if (!checkout)
		return FALSE;
	if (call->opt->dry_run)
		return mlv_checkout_call_tell(call, checkout, error);
	if (!mlv_checkout_call_check(call, checkout, error) || !git_switch(call, change, error) ||
	    !mlv_switch_holds(change, repo, &holds, error))
		return FALSE;
	if (!holds || change->taken->len > 0 || change->sure->len < change->after->len) {
		/* Where git had a hand in the data, or did otherwise than foretold, what it left
		 * is what counts. */
		g_autoptr(GPtrArray) now = mlv_git_pointers_in_workspace(repo, FALSE, error);
		g_autoptr(GPtrArray) base = remaining(change);
		g_clear_pointer(&checkout, mlv_checkout_free);
		checkout = now ? mlv_checkout_call_plan(call, now, base, error) : NULL;
		if (!checkout || !mlv_checkout_call_check(call, checkout, error))
			return FALSE;
	}
	call->unreadable = mlv_cmd_checkout_warn(call->cmd, repo, change->after, NULL);
	return mlv_cmd_checkout_apply(call->cmd, checkout, error) &&
	       mlv_checkout_call_tell(call, checkout, error);
}
