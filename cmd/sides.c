/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sides.h"

#include <string.h>

#include "cmd/look.h"

void mlv_sides_free(MlvSides *sides)
{
	if (!sides)
		return;
	g_ptr_array_unref(sides->sides);
	g_ptr_array_unref(sides->paths);
	mlv_pathspec_free(sides->filter);
	mlv_view_close(sides->view);
	g_free(sides);
}

static MlvSides *open_sides(MlvCmd *cmd, GError **error)
{
	g_autoptr(MlvSides) sides = g_new0(MlvSides, 1);

	sides->sides = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_side_close);
	sides->paths = g_ptr_array_new_with_free_func(g_free);
	sides->view = mlv_cmd_open_view(cmd, TRUE, error);
	return sides->view ? g_steal_pointer(&sides) : NULL;
}

static gboolean take_paths(MlvSides *sides, const GPtrArray *words, GError **error)
{
	MlvRepo *repo = mlv_view_repo(sides->view);

	sides->filter = mlv_pathspec_new(repo, (char **)words->pdata, words->len, error);
	if (!sides->filter)
		return FALSE;
	for (guint i = 0; i < words->len; i++) {
		char *path = strpbrk(words->pdata[i], "*?[")
				     ? NULL
				     : mlv_repo_relative(repo, words->pdata[i], error);

		if (path)
			g_ptr_array_add(sides->paths, path);
		else if (error && *error)
			return FALSE;
	}
	return TRUE;
}

/* Adds a revision, unless it is there already. */
static gboolean add_side(MlvSides *sides, const char *rev, GError **error)
{
	const char *name = rev ? rev : "workspace";
	MlvSide *side;

	for (guint i = 0; i < sides->sides->len; i++)
		if (strcmp(mlv_side_name(sides->sides->pdata[i]), name) == 0)
			return TRUE;
	if (sides->sides->len >= MLV_SIDES_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE, "more than %d revisions at once",
				MLV_SIDES_MAX);
	side = mlv_side_open(sides->view, rev, error);
	if (side)
		g_ptr_array_add(sides->sides, side);
	return side != NULL;
}

/* The common ancestor of what "A...B" names, as git abbreviates it. */
static char *merge_base(MlvRepo *repo, const char *from, const char *to, GError **error)
{
	MlvOid a, b, base;
	gboolean found;

	if (!mlv_git_resolve(repo, from, &a, error) || !mlv_git_resolve(repo, to, &b, error) ||
	    !mlv_git_merge_base(repo, &a, &b, &base, &found, error))
		return NULL;
	if (!found) {
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' and '%s' have no common ancestor", from,
			 to);
		return NULL;
	}
	return mlv_git_short_oid(repo, &base);
}

/* A word that is a revision, or a range, which is two. */
static gboolean add_word(MlvSides *sides, const char *word, GError **error)
{
	g_autofree char *from = NULL, *to = NULL;
	gboolean symmetric = FALSE;

	if (!mlv_git_split_range(word, &from, &to, &symmetric))
		return add_side(sides, word, error);
	if (symmetric) {
		char *base = merge_base(mlv_view_repo(sides->view), from, to, error);

		if (!base)
			return FALSE;
		g_free(from);
		from = base;
	}
	return add_side(sides, from, error) && add_side(sides, to, error);
}

static gboolean add_refs(MlvSides *sides, const char *prefix, GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_refs(mlv_view_repo(sides->view), prefix, error);

	for (guint i = 0; refs && i < refs->len; i++) {
		const MlvGitRef *ref = refs->pdata[i];
		if (!add_side(sides, ref->name + strlen(prefix), error))
			return FALSE;
	}
	return refs != NULL;
}

static MlvSides *take_words(MlvCmd *cmd, const MlvWords *words, guint max, GError **error)
{
	g_autoptr(MlvSides) sides = open_sides(cmd, error);
	g_autoptr(GPtrArray) revisions = NULL, paths = NULL;

	if (!sides ||
	    !mlv_cmd_split_revisions(cmd, mlv_view_repo(sides->view), words, max, &revisions,
				     &paths, error) ||
	    !take_paths(sides, paths, error))
		return NULL;
	for (guint i = 0; i < revisions->len; i++)
		if (!add_word(sides, revisions->pdata[i], error))
			return NULL;
	return g_steal_pointer(&sides);
}

MlvSides *mlv_sides_show(MlvCmd *cmd, const MlvWords *words, const MlvSidesOptions *options,
			 GError **error)
{
	g_autoptr(MlvSides) sides = take_words(cmd, words, MLV_SIDES_MAX, error);

	if (!sides || (options->branches && !add_refs(sides, "refs/heads/", error)) ||
	    (options->tags && !add_refs(sides, "refs/tags/", error)) ||
	    ((options->workspace || sides->sides->len == 0) && !add_side(sides, NULL, error)))
		return NULL;
	return g_steal_pointer(&sides);
}

MlvSides *mlv_sides_diff(MlvCmd *cmd, const MlvWords *words, const MlvSidesOptions *options,
			 guint max, GError **error)
{
	g_autoptr(MlvSides) sides = take_words(cmd, words, 2 + max, error);

	if (!sides || (sides->sides->len == 0 && !add_side(sides, "HEAD", error)) ||
	    ((options->workspace || sides->sides->len == 1) && !add_side(sides, NULL, error)))
		return NULL;
	if (sides->sides->len > 2 + max) {
		mlv_fail(error, MLV_ERROR_USAGE, "two revisions are compared; these are %u",
			 sides->sides->len);
		return NULL;
	}
	if (sides->sides->len < 2) {
		mlv_fail(error, MLV_ERROR_USAGE, "'%s' is both sides",
			 mlv_side_name(sides->sides->pdata[0]));
		return NULL;
	}
	return g_steal_pointer(&sides);
}

MlvSides *mlv_sides_pair(MlvCmd *cmd, const char *from, const char *to, GError **error)
{
	g_autoptr(MlvSides) sides = open_sides(cmd, error);

	if (!sides || !add_side(sides, from, error) || !add_side(sides, to, error))
		return NULL;
	return g_steal_pointer(&sides);
}

gboolean mlv_sides_tell_problems(MlvCmd *cmd, const MlvSides *sides)
{
	gboolean any = FALSE;

	for (guint i = 0; i < sides->sides->len; i++) {
		const GPtrArray *problems = mlv_side_problems(sides->sides->pdata[i]);

		for (guint j = 0; j < problems->len; j++)
			mlv_ui_warn(cmd->ui, "%s", (const char *)problems->pdata[j]);
		any |= problems->len > 0;
	}
	return any;
}

char *mlv_sides_id(const MlvSide *side)
{
	const MlvRevision *revision = mlv_side_revision(side);
	char hex[MLV_OID_HEX + 1];

	if (revision->at != MLV_AT_COMMIT)
		return revision->at == MLV_AT_WORKSPACE ? g_strdup("workspace") : NULL;
	mlv_oid_format(&revision->commit, hex);
	return g_strdup(hex);
}
