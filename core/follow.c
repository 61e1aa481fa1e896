/* SPDX-License-Identifier: Apache-2.0 */
#include "core/follow.h"

#include <string.h>

#include "core/target.h"

/* --- after git has moved ---------------------------------------------------------------------- */

/* The targets that are tracked no more. */
static gboolean plan_removals(MlvCheckout *checkout, MlvRepo *repo, const GPtrArray *now,
			      const MlvOid *from, GError **error)
{
	g_autoptr(GPtrArray) before = NULL;

	if (!from || !mlv_git_commit_exists(repo, from))
		return TRUE;
	before = mlv_git_pointers_in_commit(repo, from, error);
	if (!before)
		return FALSE;
	for (guint i = 0; i < before->len; i++) {
		const MlvTracked *old = before->pdata[i];
		const char *rest;

		if (old->error || mlv_tracked_cover(now, old->path, &rest) ||
		    mlv_targets_doubt(now, old))
			continue;
		if (!mlv_checkout_target(checkout, old->path, NULL, &old->pointer, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_follow_checkout(const MlvCheckoutOptions *options, const MlvOid *from,
			     MlvCheckoutTotals *totals, GError **error)
{
	g_autoptr(GPtrArray) now = mlv_git_pointers_in_workspace(options->repo, FALSE, error);
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(options);
	const MlvTracked *unread = NULL;

	memset(totals, 0, sizeof(*totals));
	if (!now || !plan_removals(checkout, options->repo, now, from, error))
		return FALSE;
	for (guint i = 0; i < now->len; i++) {
		const MlvTracked *tracked = now->pdata[i];

		if (!mlv_pathspec_may_match_below(options->paths, tracked->path))
			continue;
		if (tracked->error && !unread)
			unread = tracked;
		if (!tracked->error && !mlv_checkout_tracked(checkout, tracked, NULL, error))
			return FALSE;
	}
	if (!mlv_checkout_plan(checkout, error) || !mlv_checkout_check(checkout, error) ||
	    !mlv_checkout_apply(checkout, error))
		return FALSE;
	mlv_checkout_totals(checkout, totals);
	/* All else is there; but that something is not must not pass in silence. */
	return !unread || mlv_fail(error, MLV_ERROR_CHECK, "the data of '%s' were not brought: %s",
				   unread->path, unread->error->message);
}

/* --- before git pushes ------------------------------------------------------------------------ */

GArray *mlv_follow_parse_refs(const char *input, GError **error)
{
	g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(MlvPushedRef));
	g_auto(GStrv) lines = g_strsplit(input, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);
		MlvPushedRef ref;

		if (!**line)
			continue;
		/* local ref, local oid, remote ref, remote oid */
		if (g_strv_length(words) != 4 || !mlv_oid_parse(words[1], &ref.local) ||
		    !mlv_oid_parse(words[3], &ref.remote)) {
			mlv_fail(error, MLV_ERROR_CORRUPT,
				 "'%s' is no line that git gives to pre-push", *line);
			return NULL;
		}
		g_array_append_val(refs, ref);
	}
	return g_steal_pointer(&refs);
}

gboolean mlv_follow_select(MlvSelection *selection, MlvRepo *repo, const char *git_remote,
			   const GArray *refs, GError **error)
{
	g_autofree char *prefix = g_strdup_printf("refs/remotes/%s/", git_remote);
	g_autoptr(GPtrArray) known = mlv_git_refs(repo, prefix, error);

	if (!known)
		return FALSE;
	for (guint i = 0; i < known->len; i++)
		mlv_selection_hide(selection, &((MlvGitRef *)known->pdata[i])->commit);
	for (guint i = 0; i < refs->len; i++) {
		const MlvPushedRef *ref = &g_array_index(refs, MlvPushedRef, i);

		if (!mlv_oid_is_zero(&ref->remote) && mlv_git_commit_exists(repo, &ref->remote))
			mlv_selection_hide(selection, &ref->remote);
		if (!mlv_oid_is_zero(&ref->local) && mlv_git_commit_exists(repo, &ref->local))
			mlv_selection_add_commit(selection, &ref->local, TRUE);
	}
	return TRUE;
}
