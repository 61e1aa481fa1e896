/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_rev.h"

#include "core/git_internal.h"
#include "core/git_run.h"

/* --- names ------------------------------------------------------------------------------------ */

void mlv_oid_format(const MlvOid *oid, char hex[MLV_OID_HEX + 1])
{
	for (gsize i = 0; i < MLV_OID_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[oid->b[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[oid->b[i] & 15];
	}
	hex[MLV_OID_HEX] = '\0';
}

gboolean mlv_oid_parse(const char *hex, MlvOid *oid)
{
	if (strlen(hex) != MLV_OID_HEX)
		return FALSE;
	for (gsize i = 0; i < MLV_OID_SIZE; i++) {
		int high = g_ascii_xdigit_value(hex[2 * i]),
		    low = g_ascii_xdigit_value(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return FALSE;
		oid->b[i] = (guint8)(high << 4 | low);
	}
	return TRUE;
}

gboolean mlv_oid_equal(const MlvOid *a, const MlvOid *b)
{
	return memcmp(a->b, b->b, MLV_OID_SIZE) == 0;
}

gboolean mlv_oid_is_zero(const MlvOid *oid)
{
	static const MlvOid zero;
	return mlv_oid_equal(oid, &zero);
}

guint mlv_oid_hash(gconstpointer oid)
{
	guint hash;
	memcpy(&hash, ((const MlvOid *)oid)->b, sizeof hash);
	return hash;
}

gboolean mlv_oid_equal_key(gconstpointer a, gconstpointer b)
{
	return mlv_oid_equal(a, b);
}

/* --- resolving -------------------------------------------------------------------------------- */

static gboolean resolve_here(MlvRepo *repo, const char *rev, MlvOid *commit)
{
	g_autoptr(git_object) object = NULL, peeled = NULL;

	if (git_revparse_single(&object, repo->git, rev) < 0 ||
	    git_object_peel(&peeled, object, GIT_OBJECT_COMMIT) < 0) {
		git_error_clear();
		return FALSE;
	}
	mlv_oid_from_git(git_object_id(peeled), commit);
	return TRUE;
}

/* Runs git and parses the one name that it prints. *found = FALSE where its status is 1 or 128. */
static gboolean ask_git(MlvRepo *repo, const char *const *argv, MlvOid *oid, gboolean *found,
			GError **error)
{
	g_autoptr(GBytes) output = NULL;
	int status;

	*found = FALSE;
	if (!mlv_git_capture(repo, argv, NULL, &output, &status, error))
		return FALSE;
	if (status != 0)
		return TRUE;
	gsize length;
	const char *text = g_bytes_get_data(output, &length);
	g_autofree char *hex = g_strndup(text ? text : "", MIN(length, MLV_OID_HEX));
	*found = mlv_oid_parse(hex, oid);
	return TRUE;
}

gboolean mlv_git_resolve(MlvRepo *repo, const char *rev, MlvOid *commit, GError **error)
{
	gboolean found = FALSE;

	if (resolve_here(repo, rev, commit))
		return TRUE;
	/* A run by its name: core/run/. */
	g_autofree char *run = g_strconcat("refs/mlv/runs/", rev, NULL);
	if (g_ascii_isalnum(*rev) && resolve_here(repo, run, commit))
		return TRUE;
	/* git knows more ways to write a revision than libgit2: dates, "@{push}", ":/text". */
	if (strpbrk(rev, "@:^~{")) {
		g_autofree char *wanted = g_strconcat(rev, "^{commit}", NULL);
		const char *argv[] = { "rev-parse",        "--verify", "--quiet",
				       "--end-of-options", wanted,     NULL };
		if (!ask_git(repo, argv, commit, &found, error))
			return FALSE;
	}
	return found ||
	       mlv_fail(error, MLV_ERROR_MISSING,
			"'%s' names no commit: no branch, tag or commit is called so here", rev);
}

gboolean mlv_git_head(MlvRepo *repo, MlvOid *commit, gboolean *unborn, GError **error)
{
	git_oid oid;
	int code = git_reference_name_to_id(&oid, repo->git, "HEAD");

	*commit = (MlvOid){ { 0 } };
	*unborn = code == GIT_ENOTFOUND;
	if (*unborn) {
		git_error_clear();
		return TRUE;
	}
	if (code < 0)
		return mlv_git_fail(error, code, "cannot read HEAD");
	mlv_oid_from_git(&oid, commit);
	return TRUE;
}

char *mlv_git_branch(MlvRepo *repo)
{
	g_autoptr(git_reference) head = NULL;

	if (git_reference_lookup(&head, repo->git, "HEAD") < 0) {
		git_error_clear();
		return NULL;
	}
	const char *target = git_reference_symbolic_target(head);
	if (!target)
		return NULL;
	return g_strdup(g_str_has_prefix(target, "refs/heads/") ? target + strlen("refs/heads/")
								: target);
}

char *mlv_git_short_oid(MlvRepo *repo, const MlvOid *oid)
{
	g_autoptr(git_object) object = NULL;
	g_auto(git_buf) buf = GIT_BUF_INIT;
	char hex[MLV_OID_HEX + 1];
	git_oid id;

	mlv_oid_to_git(oid, &id);
	if (git_object_lookup(&object, repo->git, &id, GIT_OBJECT_ANY) == 0 &&
	    git_object_short_id(&buf, object) == 0)
		return g_strdup(buf.ptr);
	git_error_clear();
	mlv_oid_format(oid, hex);
	return g_strndup(hex, 7);
}

/* The first ':' that is not within {...}. */
static const char *find_colon(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		if (*text == '{')
			depth++;
		else if (*text == '}' && depth > 0)
			depth--;
		else if (*text == ':' && depth == 0)
			return text;
	}
	return NULL;
}

/* The path behind "REV:" is relative to the root, but for "./" and "../", which are to the current
 * folder. */
static char *path_in_tree(MlvRepo *repo, const char *path, GError **error)
{
	gboolean here = g_str_has_prefix(path, "./") || g_str_has_prefix(path, "../") ||
			strcmp(path, ".") == 0 || strcmp(path, "..") == 0;
	g_autofree char *base = g_strconcat("/", here ? repo->prefix : "", NULL);
	g_autofree char *whole = g_canonicalize_filename(*path == '/' ? "" : path, base);

	if (*path == '/') {
		mlv_fail(error, MLV_ERROR_USAGE,
			 "the path '%s' behind ':' must be relative to the repository's root",
			 path);
		return NULL;
	}
	gsize length = strlen(whole);
	while (length > 1 && whole[length - 1] == '/')
		whole[--length] = '\0';
	return g_strdup(whole + 1);
}

gboolean mlv_git_split_path(MlvRepo *repo, const char *text, char **rev, char **path,
			    GError **error)
{
	const char *colon = find_colon(text);
	g_autofree char *before = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;
	MlvOid commit;

	*rev = *path = NULL;
	gboolean is_rev = before && (!*before || mlv_git_resolve(repo, before, &commit, NULL));
	if (is_rev) {
		*path = path_in_tree(repo, colon + 1, error);
		if (*path)
			*rev = g_steal_pointer(&before);
		return *path != NULL;
	}
	g_autoptr(GError) local = NULL;
	*path = mlv_repo_relative(repo, text, &local);
	if (*path)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

gboolean mlv_git_split_range(const char *text, char **from, char **to, gboolean *symmetric)
{
	const char *dots = strstr(text, "..");

	/* "../x" and "a/../b" are paths. */
	if (!dots || dots[2] == '/' || (dots > text && dots[-1] == '/') ||
	    (dots == text && !dots[2]))
		return FALSE;
	*symmetric = dots[2] == '.';
	const char *right = dots + 2 + *symmetric;
	*from = dots > text ? g_strndup(text, (gsize)(dots - text)) : g_strdup("HEAD");
	*to = g_strdup(*right ? right : "HEAD");
	return TRUE;
}

gboolean mlv_git_merge_base(MlvRepo *repo, const MlvOid *a, const MlvOid *b, MlvOid *base,
			    gboolean *found, GError **error)
{
	char first[MLV_OID_HEX + 1], second[MLV_OID_HEX + 1];

	mlv_oid_format(a, first);
	mlv_oid_format(b, second);
	const char *argv[] = { "merge-base", first, second, NULL };
	return ask_git(repo, argv, base, found, error);
}

gboolean mlv_git_is_ancestor(MlvRepo *repo, const MlvOid *ancestor, const MlvOid *commit,
			     gboolean *is, GError **error)
{
	char first[MLV_OID_HEX + 1], second[MLV_OID_HEX + 1];
	g_autoptr(GBytes) output = NULL;
	int status;

	mlv_oid_format(ancestor, first);
	mlv_oid_format(commit, second);
	const char *argv[] = { "merge-base", "--is-ancestor", first, second, NULL };
	if (!mlv_git_capture(repo, argv, NULL, &output, &status, error))
		return FALSE;
	*is = status == 0;
	return status <= 1 || mlv_fail(error, MLV_ERROR_FAILED,
				       "git cannot compare commits %.12s and %.12s", first, second);
}

/* --- refs ------------------------------------------------------------------------------------- */

void mlv_git_ref_free(MlvGitRef *ref)
{
	if (!ref)
		return;
	g_free(ref->name);
	g_free(ref);
}

static int compare_refs(gconstpointer a, gconstpointer b)
{
	return strcmp((*(MlvGitRef *const *)a)->name, (*(MlvGitRef *const *)b)->name);
}

GPtrArray *mlv_git_refs(MlvRepo *repo, const char *prefix, GError **error)
{
	g_autoptr(GPtrArray) refs =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_git_ref_free);
	g_autoptr(git_reference_iterator) iterator = NULL;
	git_reference *next;
	int code = git_reference_iterator_new(&iterator, repo->git);

	while (code == 0 && (code = git_reference_next(&next, iterator)) == 0) {
		g_autoptr(git_reference) ref = next;
		g_autoptr(git_object) commit = NULL;
		if (!g_str_has_prefix(git_reference_name(ref), prefix))
			continue;
		if (git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT) < 0) {
			git_error_clear();
			continue;
		}
		MlvGitRef *found = g_new0(MlvGitRef, 1);
		found->name = g_strdup(git_reference_name(ref));
		mlv_oid_from_git(git_object_id(commit), &found->commit);
		g_ptr_array_add(refs, found);
	}
	if (code != GIT_ITEROVER) {
		mlv_git_fail(error, code, "cannot list git's references");
		return NULL;
	}
	git_error_clear();
	g_ptr_array_sort(refs, compare_refs);
	return g_steal_pointer(&refs);
}
