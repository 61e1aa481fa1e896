/* SPDX-License-Identifier: Apache-2.0 */
#include "core/follow.h"

#include <string.h>

#include "core/target.h"

/* --- after git has moved ---------------------------------------------------------------------- */

/* One following: what git has moved. */
typedef struct {
	const MlvCheckoutOptions *options;
	GPtrArray *before; /* targets of the commit before; NULL where it is not known */
	GPtrArray *now;
	gboolean moved_only; /* pass over targets that git did not move */
} Follow;

static gboolean is_moved(const Follow *follow, const MlvTracked *now)
{
	const MlvTracked *was = follow->before ? mlv_tracked_find(follow->before, now->path) : NULL;

	return !was || was->error || now->error || !mlv_pointer_equal(&was->pointer, &now->pointer);
}

/* The targets that are tracked no more. */
static gboolean plan_removals(const Follow *follow, MlvCheckout *checkout, GError **error)
{
	for (guint i = 0; follow->before && i < follow->before->len; i++) {
		const MlvTracked *old = follow->before->pdata[i];
		const char *rest;

		if (old->error || mlv_tracked_cover(follow->now, old->path, &rest) ||
		    mlv_targets_doubt(follow->now, old))
			continue;
		if (!mlv_checkout_target(checkout, old->path, NULL, &old->pointer, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean run(const Follow *follow, MlvCheckoutTotals *totals, GError **error)
{
	g_autoptr(MlvCheckout) checkout = mlv_checkout_new(follow->options);

	if (!plan_removals(follow, checkout, error))
		return FALSE;
	for (guint i = 0; i < follow->now->len; i++) {
		const MlvTracked *tracked = follow->now->pdata[i];

		if (tracked->error || (follow->moved_only && !is_moved(follow, tracked)) ||
		    !mlv_pathspec_may_match_below(follow->options->paths, tracked->path))
			continue;
		if (!mlv_checkout_tracked(checkout, tracked, NULL, error))
			return FALSE;
	}
	if (!mlv_checkout_plan(checkout, error) || !mlv_checkout_check(checkout, error) ||
	    !mlv_checkout_apply(checkout, error))
		return FALSE;
	mlv_checkout_totals(checkout, totals);
	return TRUE;
}

/* All else is there; but that something is not must not pass in silence. */
static gboolean check_unread(const Follow *follow, GError **error)
{
	for (guint i = 0; i < follow->now->len; i++) {
		const MlvTracked *tracked = follow->now->pdata[i];

		if (tracked->error &&
		    mlv_pathspec_may_match_below(follow->options->paths, tracked->path))
			return mlv_fail(error, MLV_ERROR_CHECK,
					"the data of '%s' were not brought: %s", tracked->path,
					tracked->error->message);
	}
	return TRUE;
}

gboolean mlv_follow_checkout(const MlvCheckoutOptions *options, const MlvOid *from,
			     MlvCheckoutTotals *totals, GError **error)
{
	g_autoptr(GPtrArray) now = mlv_git_pointers_in_workspace(options->repo, FALSE, error);
	g_autoptr(GPtrArray) before = NULL;
	g_autoptr(GError) failed = NULL;
	Follow follow = { .options = options, .now = now };

	memset(totals, 0, sizeof(*totals));
	if (!now)
		return FALSE;
	if (from && mlv_git_commit_exists(options->repo, from)) {
		follow.before = before = mlv_git_pointers_in_commit(options->repo, from, error);
		if (!before)
			return FALSE;
	}
	if (run(&follow, totals, &failed))
		return check_unread(&follow, error);
	/* Unsaved data of what git did not move are carried along, as git does with its own. */
	follow.moved_only = before && g_error_matches(failed, MLV_ERROR, MLV_ERROR_EXISTS);
	if (follow.moved_only) {
		g_clear_error(&failed);
		if (run(&follow, totals, &failed))
			return check_unread(&follow, error);
	}
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

gboolean mlv_follow_rebased_onto(MlvRepo *repo, MlvOid *onto)
{
	static const char *const files[] = { "rebase-merge/onto", "rebase-apply/onto" };

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *file = g_build_filename(mlv_repo_git_dir(repo), files[i], NULL);
		g_autofree char *text = NULL;

		if (g_file_get_contents(file, &text, NULL, NULL) &&
		    mlv_oid_parse(g_strchomp(text), onto))
			return TRUE;
	}
	return mlv_git_resolve(repo, "ORIG_HEAD", onto, NULL);
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
