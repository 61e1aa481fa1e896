/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_touch.h"

#include "core/git_internal.h"

#define PATH_LIMIT 4096 /* bytes; a longer path in a tree can be no file */

typedef struct {
	MlvRepo *repo;
	MlvGitTouchWant want;
	gpointer user;
	GString *path;
	GArray *touched;
} Walk;

static void touched_clear(gpointer data)
{
	g_free(((MlvGitTouched *)data)->path);
}

static gboolean is_tree(const git_tree_entry *entry)
{
	return entry && git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

static void report(Walk *walk, const git_tree_entry *from, const git_tree_entry *to)
{
	MlvGitTouched touched = { .path = g_strdup(walk->path->str) };

	if (from)
		mlv_oid_from_git(git_tree_entry_id(from), &touched.from);
	if (to)
		mlv_oid_from_git(git_tree_entry_id(to), &touched.to);
	g_array_append_val(walk->touched, touched);
}

static gboolean walk_trees(Walk *walk, const git_oid *from, const git_oid *to, GError **error);

/* Two entries of one name and kind; either may be NULL. */
static gboolean walk_entries(Walk *walk, const git_tree_entry *from, const git_tree_entry *to,
			     GError **error)
{
	gsize length = walk->path->len;
	gboolean folder = is_tree(from ? from : to), ok = TRUE;

	if (from && to && git_oid_equal(git_tree_entry_id(from), git_tree_entry_id(to)))
		return TRUE;
	if (length > 0)
		g_string_append_c(walk->path, '/');
	g_string_append(walk->path, git_tree_entry_name(from ? from : to));
	if (walk->path->len > PATH_LIMIT)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"a path in git's trees is longer than %d bytes", PATH_LIMIT);
	guint what = walk->want(walk->path->str, folder, walk->user);
	if (what & MLV_TOUCH_REPORT)
		report(walk, from, to);
	if (folder && (what & MLV_TOUCH_ENTER))
		ok = walk_trees(walk, from ? git_tree_entry_id(from) : NULL,
				to ? git_tree_entry_id(to) : NULL, error);
	g_string_truncate(walk->path, length);
	return ok;
}

static gboolean walk_trees(Walk *walk, const git_oid *from, const git_oid *to, GError **error)
{
	g_autoptr(git_tree) first = from ? mlv_git_lookup_tree(walk->repo, from, error) : NULL;
	g_autoptr(git_tree) second = NULL;

	if (from && !first)
		return FALSE;
	second = to ? mlv_git_lookup_tree(walk->repo, to, error) : NULL;
	if (to && !second)
		return FALSE;
	size_t i = 0, j = 0;
	size_t n = first ? git_tree_entrycount(first) : 0,
	       m = second ? git_tree_entrycount(second) : 0;
	while (i < n || j < m) {
		const git_tree_entry *a = i < n ? git_tree_entry_byindex(first, i) : NULL;
		const git_tree_entry *b = j < m ? git_tree_entry_byindex(second, j) : NULL;
		/* A file and a folder of one name stand at different places. */
		int order = !a ? 1 : !b ? -1 : git_tree_entry_cmp(a, b);
		if (order <= 0)
			i++;
		if (order >= 0)
			j++;
		if (!walk_entries(walk, order <= 0 ? a : NULL, order >= 0 ? b : NULL, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean tree_of(MlvRepo *repo, const MlvOid *oid, git_oid *tree, GError **error)
{
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(repo, oid, error);

	if (commit)
		*tree = *git_commit_tree_id(commit);
	return commit != NULL;
}

GArray *mlv_git_touched(MlvRepo *repo, const MlvOid *from, const MlvOid *to, MlvGitTouchWant want,
			gpointer user, GError **error)
{
	g_autoptr(GArray) touched = g_array_new(FALSE, FALSE, sizeof(MlvGitTouched));
	g_autoptr(GString) path = g_string_new(NULL);
	Walk walk = { repo, want, user, path, touched };
	git_oid before, after;

	g_array_set_clear_func(touched, touched_clear);
	if ((from && !tree_of(repo, from, &before, error)) ||
	    (to && !tree_of(repo, to, &after, error)))
		return NULL;
	if (from && to && git_oid_equal(&before, &after))
		return g_steal_pointer(&touched);
	if (!walk_trees(&walk, from ? &before : NULL, to ? &after : NULL, error))
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
	if (!tree_of(repo, commit, &at, error))
		return FALSE;
	for (char **part = parts; *part; part++) {
		g_autoptr(git_tree) tree = mlv_git_lookup_tree(repo, &at, error);
		if (!tree)
			return FALSE;
		const git_tree_entry *entry = git_tree_entry_byname(tree, *part);
		if (!entry || (part[1] && !is_tree(entry)))
			return TRUE;
		at = *git_tree_entry_id(entry);
	}
	mlv_oid_from_git(&at, oid);
	*found = TRUE;
	return TRUE;
}
