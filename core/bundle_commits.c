/* SPDX-License-Identifier: Apache-2.0 */
/* Which commits a bundle is about. */
#include "core/bundle_private.h"

typedef struct {
	MlvRepo *repo;
	const MlvBundleOptions *options;
	MlvBundleManifest *manifest;
	GArray *tips; /* of MlvOid */
	gboolean history;
} Choice;

static gboolean add_prerequisite(Choice *choice, const char *rev, GError **error)
{
	MlvOid commit;

	if (!mlv_git_resolve(choice->repo, rev, &commit, error))
		return FALSE;
	g_array_append_val(choice->manifest->prerequisites, commit);
	choice->history = TRUE;
	return TRUE;
}

static gboolean add_tip(Choice *choice, const char *rev, GError **error)
{
	MlvOid commit;

	if (!mlv_git_resolve(choice->repo, rev, &commit, error))
		return FALSE;
	g_array_append_val(choice->tips, commit);
	return TRUE;
}

/* REV, A..B or ^A. */
static gboolean add_rev(Choice *choice, const char *rev, GError **error)
{
	g_autofree char *from = NULL;
	g_autofree char *to = NULL;
	gboolean symmetric;

	if (*rev == '^')
		return add_prerequisite(choice, rev + 1, error);
	if (!mlv_git_split_range(rev, &from, &to, &symmetric))
		return add_tip(choice, rev, error);
	if (symmetric)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' has two sides, and a bundle only one; write 'A..B'", rev);
	return add_prerequisite(choice, from, error) && add_tip(choice, to, error);
}

static gboolean add_head(Choice *choice, gboolean required, GError **error)
{
	MlvOid commit;
	gboolean unborn;

	if (!mlv_git_head(choice->repo, &commit, &unborn, error))
		return FALSE;
	if (!unborn)
		g_array_append_val(choice->tips, commit);
	else if (required)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"there is no commit yet, and a bundle is made of commits");
	return TRUE;
}

/* The branches and tags that lead to a tip give it a name; with --all they are the tips. */
static gboolean add_refs(Choice *choice, const char *prefix, GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_refs(choice->repo, prefix, error);

	for (guint i = 0; refs && i < refs->len; i++) {
		const MlvGitRef *ref = refs->pdata[i];
		gboolean wanted = choice->options->all;

		for (guint j = 0; !wanted && j < choice->tips->len; j++)
			wanted = mlv_oid_equal(&g_array_index(choice->tips, MlvOid, j),
					       &ref->commit);
		if (!wanted)
			continue;
		mlv_bundle_manifest_add_name(choice->manifest, ref->name, &ref->commit);
		if (choice->options->all)
			g_array_append_val(choice->tips, ref->commit);
	}
	return refs != NULL;
}

static gboolean walk_history(Choice *choice, GError **error)
{
	g_autoptr(MlvGitWalk) walk = mlv_git_walk_new(choice->repo);
	const GArray *hidden = choice->manifest->prerequisites;

	for (guint i = 0; i < choice->tips->len; i++)
		if (!mlv_git_walk_push(walk, &g_array_index(choice->tips, MlvOid, i), error))
			return FALSE;
	for (guint i = 0; i < hidden->len; i++)
		if (!mlv_git_walk_hide(walk, &g_array_index(hidden, MlvOid, i), error))
			return FALSE;
	for (;;) {
		g_autoptr(MlvCommit) commit = NULL;

		if (!mlv_git_walk_next(walk, &commit, error))
			return FALSE;
		if (!commit)
			return TRUE;
		g_array_append_val(choice->manifest->commits, commit->oid);
	}
}

static gboolean choose(Choice *choice, GError **error)
{
	const MlvBundleOptions *options = choice->options;

	for (guint i = 0; i < options->n_since; i++)
		if (!add_prerequisite(choice, options->since[i], error))
			return FALSE;
	for (guint i = 0; i < options->n_revs; i++)
		if (!add_rev(choice, options->revs[i], error))
			return FALSE;
	if (choice->tips->len == 0 && !add_head(choice, !options->all, error))
		return FALSE;
	if (!add_refs(choice, "refs/heads/", error) || !add_refs(choice, "refs/tags/", error))
		return FALSE;
	if (choice->history && !walk_history(choice, error))
		return FALSE;
	if (!choice->history)
		g_array_append_vals(choice->manifest->commits, choice->tips->data,
				    choice->tips->len);
	return choice->manifest->commits->len > 0 ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"there is nothing to bundle: no commit is left when those are taken away "
			"that the other side has");
}

gboolean mlv_bundle_choose_commits(MlvRepo *repo, const MlvBundleOptions *options,
				   MlvBundleManifest *manifest, GError **error)
{
	Choice choice = { .repo = repo, .options = options, .manifest = manifest };
	gboolean ok;

	choice.history = options->history || options->all;
	choice.tips = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	ok = choose(&choice, error);
	g_array_unref(choice.tips);
	return ok;
}
