/* SPDX-License-Identifier: Apache-2.0 */
/* Which commits a push, fetch or verify is about, and the pointers that they hold. */
#include <string.h>

#include "core/git_reach.h"
#include "core/git_tree.h"
#include "core/sync.h"
#include "core/target.h"

typedef struct {
	MlvOid commit;
	gboolean history;
} Tip;

struct MlvSelection {
	MlvRepo *repo;
	GArray *tips;       /* Tip */
	GArray *hidden;     /* MlvOid */
	GPtrArray *targets; /* MlvTracked: of no commit */
	gboolean workspace;
	const MlvPathspec *paths;
};

MlvSelection *mlv_selection_new(MlvRepo *repo)
{
	MlvSelection *selection = g_new0(MlvSelection, 1);

	selection->repo = repo;
	selection->tips = g_array_new(FALSE, FALSE, sizeof(Tip));
	selection->hidden = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	selection->targets = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	return selection;
}

void mlv_selection_free(MlvSelection *selection)
{
	if (!selection)
		return;
	g_array_unref(selection->tips);
	g_array_unref(selection->hidden);
	g_ptr_array_unref(selection->targets);
	g_free(selection);
}

gboolean mlv_selection_add_commit(MlvSelection *selection, const MlvOid *commit, gboolean history)
{
	Tip tip = { *commit, history };

	for (guint i = 0; i < selection->tips->len; i++) {
		const Tip *old = &g_array_index(selection->tips, Tip, i);
		if (old->history == history && mlv_oid_equal(&old->commit, commit))
			return FALSE;
	}
	g_array_append_val(selection->tips, tip);
	return TRUE;
}

gboolean mlv_selection_add_rev(MlvSelection *selection, const char *rev, gboolean history,
			       GError **error)
{
	g_autofree char *from = NULL, *to = NULL;
	gboolean symmetric;
	MlvOid commit;

	if (mlv_git_split_range(rev, &from, &to, &symmetric)) {
		if (symmetric)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"'%s': only A..B is understood here", rev);
		if (!mlv_git_resolve(selection->repo, *from ? from : "HEAD", &commit, error))
			return FALSE;
		mlv_selection_hide(selection, &commit);
		rev = *to ? to : "HEAD";
		history = TRUE;
	}
	if (!mlv_git_resolve(selection->repo, rev, &commit, error))
		return FALSE;
	mlv_selection_add_commit(selection, &commit, history);
	return TRUE;
}

gboolean mlv_selection_add_refs(MlvSelection *selection, const char *prefix, gboolean history,
				GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_refs(selection->repo, prefix, error);

	if (!refs)
		return FALSE;
	for (guint i = 0; i < refs->len; i++)
		mlv_selection_add_commit(selection, &((MlvGitRef *)refs->pdata[i])->commit,
					 history);
	return TRUE;
}

void mlv_selection_add_workspace(MlvSelection *selection)
{
	selection->workspace = TRUE;
}

void mlv_selection_add_target(MlvSelection *selection, const MlvTracked *tracked)
{
	g_ptr_array_add(selection->targets, mlv_tracked_copy(tracked));
}

void mlv_selection_hide(MlvSelection *selection, const MlvOid *commit)
{
	g_array_append_val(selection->hidden, *commit);
}

void mlv_selection_set_paths(MlvSelection *selection, const MlvPathspec *paths)
{
	selection->paths = paths;
}

const MlvPathspec *mlv_selection_paths(const MlvSelection *selection)
{
	return selection->paths;
}

gboolean mlv_selection_is_empty(const MlvSelection *selection)
{
	return selection->tips->len == 0 && !selection->workspace;
}

/* --- walking ---------------------------------------------------------------------------------- */

typedef struct {
	MlvSelection *selection;
	const MlvOid *commit; /* the tip whose pointers these are */
	MlvSelectionVisit visit;
	gpointer user;
} Walk;

static gboolean visit_tracked(Walk *walk, const MlvTracked *tracked, GError **error)
{
	/* What stays in its clone is on no remote, and on none is it looked for. */
	if (tracked->stays || !mlv_pathspec_may_match_below(walk->selection->paths, tracked->path))
		return TRUE;
	return walk->visit(walk->commit, tracked, walk->user, error);
}

static gboolean visit_reached(const MlvTracked *tracked, const MlvOid *commit, gpointer user,
			      GError **error)
{
	return visit_tracked(user, tracked, error);
}

/* What a tip's history needs is told under the tip's own name: as long as that is on a ref, all
 * of it is needed. */
static gboolean walk_history(Walk *walk, GError **error)
{
	g_autoptr(MlvGitReach) reach = mlv_git_reach_new(walk->selection->repo);

	for (guint i = 0; i < walk->selection->hidden->len; i++)
		if (!mlv_git_reach_hide(reach, &g_array_index(walk->selection->hidden, MlvOid, i),
					error))
			return FALSE;
	return mlv_git_reach_add(reach, walk->commit, TRUE, error) &&
	       mlv_git_reach_run(reach, visit_reached, walk, error);
}

static gboolean walk_array(Walk *walk, GPtrArray *pointers, GError **error)
{
	if (!pointers)
		return FALSE;
	for (guint i = 0; i < pointers->len; i++)
		if (!visit_tracked(walk, pointers->pdata[i], error))
			return FALSE;
	return TRUE;
}

gboolean mlv_selection_foreach(MlvSelection *selection, MlvSelectionVisit visit, gpointer user,
			       GError **error)
{
	Walk walk = { selection, NULL, visit, user };

	for (guint i = 0; i < selection->tips->len; i++) {
		const Tip *tip = &g_array_index(selection->tips, Tip, i);

		walk.commit = &tip->commit;
		if (tip->history) {
			if (!walk_history(&walk, error))
				return FALSE;
			continue;
		}
		g_autoptr(GPtrArray) pointers =
			mlv_git_pointers_in_commit(selection->repo, &tip->commit, error);
		if (!walk_array(&walk, pointers, error))
			return FALSE;
	}
	walk.commit = NULL;
	if (!walk_array(&walk, selection->targets, error))
		return FALSE;
	if (!selection->workspace)
		return TRUE;
	g_autoptr(GPtrArray) pointers =
		mlv_git_pointers_in_workspace(selection->repo, FALSE, error);
	return walk_array(&walk, pointers, error);
}
