/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_touch.h"

#include "core/git_internal.h"

typedef struct {
	MlvGitTouchWant want;
	gpointer user;
	GArray *touched;
} Touch;

static void touched_clear(gpointer data)
{
	g_free(((MlvGitTouched *)data)->path);
}

static gboolean visit(const char *path, const git_tree_entry *from, const git_tree_entry *to,
		      gboolean *enter, gpointer user, GError **error)
{
	const Touch *touch = user;
	gboolean folder = mlv_git_is_tree(from ? from : to);
	guint what = touch->want(path, folder, touch->user);

	*enter = folder && (what & MLV_TOUCH_ENTER);
	if (what & MLV_TOUCH_REPORT) {
		MlvGitTouched touched = { .path = g_strdup(path) };
		if (from)
			mlv_oid_from_git(git_tree_entry_id(from), &touched.from);
		if (to)
			mlv_oid_from_git(git_tree_entry_id(to), &touched.to);
		g_array_append_val(touch->touched, touched);
	}
	return TRUE;
}

GArray *mlv_git_touched(MlvRepo *repo, const MlvOid *from, const MlvOid *to, MlvGitTouchWant want,
			gpointer user, GError **error)
{
	g_autoptr(GArray) touched = g_array_new(FALSE, FALSE, sizeof(MlvGitTouched));
	Touch touch = { want, user, touched };
	git_oid before, after;

	g_array_set_clear_func(touched, touched_clear);
	if ((from && !mlv_git_tree_of(repo, from, &before, error)) ||
	    (to && !mlv_git_tree_of(repo, to, &after, error)) ||
	    !mlv_git_walk_pairs(repo, from ? &before : NULL, to ? &after : NULL, visit, &touch,
				error))
		return NULL;
	return g_steal_pointer(&touched);
}

GArray *mlv_git_commit_touched(MlvRepo *repo, const MlvCommit *commit, MlvGitTouchWant want,
			       gpointer user, GError **error)
{
	g_autoptr(GArray) touched =
		mlv_git_touched(repo, commit->n_parents ? &commit->parents[0] : NULL, &commit->oid,
				want, user, error);

	for (guint p = 1; touched && p < commit->n_parents; p++) {
		for (guint i = touched->len; i-- > 0;) {
			const MlvGitTouched *one = &g_array_index(touched, MlvGitTouched, i);
			gboolean found;
			MlvOid oid;
			if (!mlv_git_find_path(repo, &commit->parents[p], one->path, &oid, &found,
					       error))
				return NULL;
			if (found ? mlv_oid_equal(&oid, &one->to) : mlv_oid_is_zero(&one->to))
				g_array_remove_index(touched, i);
		}
	}
	return g_steal_pointer(&touched);
}

gboolean mlv_git_find_path(MlvRepo *repo, const MlvOid *commit, const char *path, MlvOid *oid,
			   gboolean *found, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	git_oid at;

	*found = FALSE;
	if (!mlv_git_tree_of(repo, commit, &at, error))
		return FALSE;
	for (char **part = parts; *part; part++) {
		g_autoptr(git_tree) tree = mlv_git_lookup_tree(repo, &at, error);
		if (!tree)
			return FALSE;
		const git_tree_entry *entry = git_tree_entry_byname(tree, *part);
		if (!entry || (part[1] && !mlv_git_is_tree(entry)))
			return TRUE;
		at = *git_tree_entry_id(entry);
	}
	mlv_oid_from_git(&at, oid);
	*found = TRUE;
	return TRUE;
}
