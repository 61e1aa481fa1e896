/* SPDX-License-Identifier: Apache-2.0 */
/* Two of git's trees, walked in step. */
#include "core/git_internal.h"

#define PATH_LIMIT 4096 /* bytes; a longer path in a tree can be no file */

typedef struct {
	MlvRepo *repo;
	MlvGitPairVisit visit;
	gpointer user;
	GString *path;
} Walk;

gboolean mlv_git_is_tree(const git_tree_entry *entry)
{
	return entry && git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

static gboolean walk_trees(Walk *walk, const git_oid *from, const git_oid *to, GError **error);

static gboolean walk_below(Walk *walk, const git_tree_entry *from, const git_tree_entry *to,
			   GError **error)
{
	return walk_trees(walk, mlv_git_is_tree(from) ? git_tree_entry_id(from) : NULL,
			  mlv_git_is_tree(to) ? git_tree_entry_id(to) : NULL, error);
}

/* Two entries of one name and kind; either may be NULL. */
static gboolean walk_pair(Walk *walk, const git_tree_entry *from, const git_tree_entry *to,
			  GError **error)
{
	gsize length = walk->path->len;
	gboolean enter = FALSE;

	if (from && to && git_oid_equal(git_tree_entry_id(from), git_tree_entry_id(to)) &&
	    git_tree_entry_type(from) == git_tree_entry_type(to))
		return TRUE;
	if (length > 0)
		g_string_append_c(walk->path, '/');
	g_string_append(walk->path, git_tree_entry_name(from ? from : to));
	if (walk->path->len > PATH_LIMIT)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"a path in git's trees is longer than %d bytes", PATH_LIMIT);
	gboolean ok = walk->visit(walk->path->str, from, to, &enter, walk->user, error) &&
		      (!enter || walk_below(walk, from, to, error));
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
		/* git orders a folder as if its name ended in '/', so a file and a folder of one
		 * name are two. */
		int order = !a ? 1 : !b ? -1 : git_tree_entry_cmp(a, b);
		if (order <= 0)
			i++;
		if (order >= 0)
			j++;
		if (!walk_pair(walk, order <= 0 ? a : NULL, order >= 0 ? b : NULL, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_git_walk_pairs(MlvRepo *repo, const git_oid *from, const git_oid *to,
			    MlvGitPairVisit visit, gpointer user, GError **error)
{
	g_autoptr(GString) path = g_string_new(NULL);
	Walk walk = { repo, visit, user, path };

	return (from && to && git_oid_equal(from, to)) || walk_trees(&walk, from, to, error);
}

gboolean mlv_git_tree_of(MlvRepo *repo, const MlvOid *commit, git_oid *tree, GError **error)
{
	g_autoptr(git_commit) found = mlv_git_lookup_commit(repo, commit, error);

	if (found)
		*tree = *git_commit_tree_id(found);
	return found != NULL;
}
