/* SPDX-License-Identifier: Apache-2.0 */
#include "core/collect_remote.h"

#include <string.h>

#include "core/git_reach.h"
#include "core/git_run.h"
#include "storage/error.h"

typedef struct {
	MlvRepo *repo;
	const MlvCollectRemoteOptions *options;
	char clone[MLV_REPO_ID_HEX + 1];
	GHashTable *needed; /* MlvOid: commits that something reaches */
	gboolean listed;    /* the references of a git remote are among that */
	char *unsure;       /* why they may not all be */
} Judge;

static void judge_clear(Judge *judge)
{
	g_clear_pointer(&judge->needed, g_hash_table_unref);
	g_free(judge->unsure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judge, judge_clear)

/* --- which commits are needed ----------------------------------------------------------------- */

static gboolean push_tips(Judge *judge, MlvGitWalk *walk, GError **error)
{
	g_autoptr(MlvGitReach) reach = mlv_git_reach_new(judge->repo);

	if (!mlv_git_reach_add_everything(reach, error))
		return FALSE;
	g_autoptr(GArray) tips = mlv_git_reach_tips(reach);
	for (guint i = 0; i < tips->len; i++) {
		const MlvOid *oid = &g_array_index(tips, MlvOid, i);

		/* A tag may name a tree. */
		if (mlv_git_commit_exists(judge->repo, oid) && !mlv_git_walk_push(walk, oid, error))
			return FALSE;
	}
	return TRUE;
}

static void be_unsure(Judge *judge, char *why)
{
	if (judge->unsure)
		g_free(why);
	else
		judge->unsure = why;
}

/* One line of `git ls-remote`: the name of an object, a tab, a reference. */
static gboolean push_listed(Judge *judge, MlvGitWalk *walk, const char *remote, const char *line,
			    GError **error)
{
	g_autofree char *hex = g_strndup(line, MLV_OID_HEX);
	MlvOid oid;

	if (!mlv_oid_parse(hex, &oid) || line[MLV_OID_HEX] != '\t')
		return TRUE;
	if (mlv_git_commit_exists(judge->repo, &oid))
		return mlv_git_walk_push(walk, &oid, error);
	/* An annotated tag is listed a second time, as the commit that it leads to. */
	if (!g_str_has_prefix(line + MLV_OID_HEX + 1, "refs/tags/") ||
	    g_str_has_suffix(line, "^{}"))
		be_unsure(
			judge,
			g_strdup_printf(
				"'%s' of the git remote '%s' is not here; 'git fetch %s' brings it",
				line + MLV_OID_HEX + 1, remote, remote));
	return TRUE;
}

/* What git printed; "" where it printed nothing and there are no bytes to point to. */
static char *text_of(GBytes *answer)
{
	gsize length;
	const char *data = g_bytes_get_data(answer, &length);

	return g_strndup(data ? data : "", length);
}

static gboolean push_remote(Judge *judge, MlvGitWalk *walk, const char *remote, GError **error)
{
	const char *const ask[] = { "ls-remote", "-q", remote, NULL };
	g_autoptr(GBytes) answer = NULL;
	g_autoptr(GError) why = NULL;

	if (!mlv_git_capture(judge->repo, ask, NULL, &answer, NULL, &why)) {
		be_unsure(judge, g_strdup_printf("the git remote '%s' cannot be listed: %s", remote,
						 why->message));
		return TRUE;
	}
	g_autofree char *text = text_of(answer);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (strlen(*line) > MLV_OID_HEX && !push_listed(judge, walk, remote, *line, error))
			return FALSE;
	judge->listed = TRUE;
	return TRUE;
}

static gboolean push_remotes(Judge *judge, MlvGitWalk *walk, GError **error)
{
	const char *const ask[] = { "remote", NULL };
	g_autoptr(GBytes) answer = NULL;

	if (!mlv_git_capture(judge->repo, ask, NULL, &answer, NULL, error))
		return FALSE;
	g_autofree char *text = text_of(answer);
	g_auto(GStrv) names = g_strsplit(text, "\n", -1);
	for (char **name = names; *name; name++)
		if (**name && !push_remote(judge, walk, *name, error))
			return FALSE;
	return TRUE;
}

static gboolean find_needed(Judge *judge, GError **error)
{
	g_autoptr(MlvGitWalk) walk = mlv_git_walk_new(judge->repo);

	judge->needed = g_hash_table_new_full(mlv_oid_hash, mlv_oid_equal_key, g_free, NULL);
	if (!push_tips(judge, walk, error) || !push_remotes(judge, walk, error))
		return FALSE;
	for (;;) {
		g_autoptr(MlvCommit) commit = NULL;

		if (!mlv_git_walk_next(walk, &commit, error))
			return FALSE;
		if (!commit)
			return TRUE;
		if (*judge->options->cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		g_hash_table_add(judge->needed, g_memdup2(&commit->oid, sizeof(commit->oid)));
	}
}

/* --- which roots are -------------------------------------------------------------------------- */

static gboolean keep_entry(MlvRootUse use, const char *oid, gpointer user)
{
	const Judge *judge = user;
	MlvOid commit;

	return use != MLV_ROOT_COMMIT || judge->unsure || !mlv_oid_parse(oid, &commit) ||
	       g_hash_table_contains(judge->needed, &commit);
}

/* How many entries stay. */
static gsize kept_entries(const Judge *judge, const MlvRoot *root)
{
	gsize kept = 0;

	for (gsize i = 0; i < mlv_root_entry_count(root); i++) {
		const GArray *needs;
		MlvRootUse use;
		const char *oid = mlv_root_entry(root, i, &use, &needs);

		kept += keep_entry(use, oid, (gpointer)judge);
	}
	return kept;
}

static gboolean is_own(const Judge *judge, const MlvRemoteRoot *at)
{
	return strcmp(at->name.clone, judge->clone) == 0;
}

static MlvGcVerdict verdict(const MlvRemoteRoot *at, const MlvRoot *root, gpointer user)
{
	const Judge *judge = user;

	if (judge->options->forget && strcmp(at->name.clone, judge->options->forget) == 0)
		return MLV_GC_FORGET;
	if (strcmp(at->name.repo, mlv_repo_id(judge->repo)) != 0 || kept_entries(judge, root) > 0)
		return MLV_GC_KEEP;
	if (is_own(judge, at))
		return MLV_GC_FORGET;
	return judge->listed && judge->options->grace > 0 ? MLV_GC_DROP : MLV_GC_KEEP;
}

/* What a root of this clone is after it was trimmed. */
static MlvRoot *trimmed(const MlvRemoteRoot *at, const MlvRoot *root, gpointer user)
{
	const Judge *judge = user;

	if (at->name.pending || !is_own(judge, at) ||
	    strcmp(at->name.repo, mlv_repo_id(judge->repo)) != 0)
		return NULL;
	MlvRoot *kept = mlv_root_new(at->name.repo, at->name.clone);
	mlv_root_merge(kept, root, keep_entry, user);
	return kept;
}

/* Whether a root of this clone has entries that stay and others that go. */
static gboolean must_trim(const Judge *judge, MlvRemote *remote, gboolean *must, GError **error)
{
	g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(MlvRemoteRoot));
	gsize count;
	const MlvRemoteRoot *roots = mlv_remote_roots(remote, &count);

	*must = FALSE;
	for (gsize i = 0; i < count; i++)
		if (!roots[i].name.pending && is_own(judge, &roots[i]) &&
		    strcmp(roots[i].name.repo, mlv_repo_id(judge->repo)) == 0)
			g_array_append_val(own, roots[i]);
	g_autoptr(GPtrArray) read = mlv_remote_read_roots(
		remote, (const MlvRemoteRoot *)(const void *)own->data, own->len, error);
	for (guint i = 0; read && i < read->len; i++) {
		const MlvRoot *root = read->pdata[i];
		gsize kept = root ? kept_entries(judge, root) : 0;

		*must = *must || (kept > 0 && kept < mlv_root_entry_count(root));
	}
	return read != NULL;
}

static void wait_for_lock(gpointer user)
{
	const Judge *judge = user;

	if (judge->options->waiting)
		judge->options->waiting(judge->options->user);
}

gboolean mlv_collect_remote(MlvSync *sync, MlvLocal *local, const MlvCollectRemoteOptions *options,
			    MlvRemoteGcResult *result, char **unsure, GError **error)
{
	g_auto(Judge) judge = { .repo = sync->repo, .options = options };
	gboolean trim;
	const MlvRemoteGc gc = {
		.remote = sync->remote,
		.verdict = verdict,
		.instead = trimmed,
		.grace = (gint64)MIN(options->grace, (guint64)G_MAXINT64),
		.dry_run = options->dry_run,
		.temp_dir = mlv_store_path(local->store),
		.waiting = wait_for_lock,
		.user = &judge,
	};

	if (!mlv_repo_id(sync->repo))
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the repository has no id yet; run 'mlv init'");
	if (!mlv_repo_clone_id(sync->repo, judge.clone, error) || !find_needed(&judge, error) ||
	    !must_trim(&judge, sync->remote, &trim, error))
		return FALSE;
	if (trim && !options->dry_run &&
	    (!mlv_sync_trim(sync, local, keep_entry, &judge, error) ||
	     !mlv_remote_refresh(sync->remote, error)))
		return FALSE;
	if (!mlv_remote_gc(&gc, result, error))
		return FALSE;
	if (unsure)
		*unsure = g_steal_pointer(&judge.unsure);
	return TRUE;
}
