/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revisions and commits: resolving what the user wrote, reading commits, walking history.
 * Main thread only.
 */
#ifndef MLV_CORE_GIT_REV_H
#define MLV_CORE_GIT_REV_H

#include "core/repo.h"

#define MLV_OID_SIZE 20
#define MLV_OID_HEX  40

/* The name of a git object (SHA-1). */
typedef struct {
	guint8 b[MLV_OID_SIZE];
} MlvOid;

void mlv_oid_format(const MlvOid *oid, char hex[MLV_OID_HEX + 1]);
gboolean mlv_oid_parse(const char *hex,
		       MlvOid *oid); /* exactly 40 hex digits, lower or upper case */
gboolean mlv_oid_equal(const MlvOid *a, const MlvOid *b);
gboolean mlv_oid_is_zero(const MlvOid *oid);
guint mlv_oid_hash(gconstpointer oid);
gboolean mlv_oid_equal_key(gconstpointer a, gconstpointer b);

/* The commit that a revision (anything `git rev-parse` takes: HEAD~2, tag, branch@{1}, abbreviated;
 * the name of a run) names. Unknown is MLV_ERROR_MISSING. */
gboolean mlv_git_resolve(MlvRepo *repo, const char *rev, MlvOid *commit, GError **error);
/* HEAD's commit; *unborn = TRUE (and a zero oid) in a repository without commits. */
gboolean mlv_git_head(MlvRepo *repo, MlvOid *commit, gboolean *unborn, GError **error);
/* The branch that HEAD stands on ("main", born or not), or NULL if it is detached. */
char *mlv_git_branch(MlvRepo *repo);
/* The short form that git prints, unambiguous (7 digits or more). */
char *mlv_git_short_oid(MlvRepo *repo, const MlvOid *oid);

/* Splits "REV:PATH" (*rev and *path set; "" REV is the index) or takes the whole for a path (*rev
 * NULL): the part before the first ':' outside of {...} must name a revision. `path` comes back
 * relative to the root. */
gboolean mlv_git_split_path(MlvRepo *repo, const char *text, char **rev, char **path,
			    GError **error);
/* Splits "A..B" or "A...B" (an empty side is HEAD). FALSE if there are no dots; *symmetric
 * tells. */
gboolean mlv_git_split_range(const char *text, char **from, char **to, gboolean *symmetric);
/* A best common ancestor; *found = FALSE where there is none. */
gboolean mlv_git_merge_base(MlvRepo *repo, const MlvOid *a, const MlvOid *b, MlvOid *base,
			    gboolean *found, GError **error);
/* Whether `ancestor` is reachable from (or is) `commit`. */
gboolean mlv_git_is_ancestor(MlvRepo *repo, const MlvOid *ancestor, const MlvOid *commit,
			     gboolean *is, GError **error);

typedef struct {
	MlvOid oid;
	MlvOid tree;
	guint n_parents; /* none beyond a shallow clone's edge */
	MlvOid *parents;
	char *author_name, *author_email;
	gint64 author_time; /* unix seconds */
	int author_offset;  /* minutes east of UTC */
	char *committer_name, *committer_email;
	gint64 committer_time;
	int committer_offset;
	char *message; /* whole */
} MlvCommit;

MlvCommit *mlv_git_commit_read(MlvRepo *repo, const MlvOid *oid, GError **error);
void mlv_commit_free(MlvCommit *commit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvCommit, mlv_commit_free)
/* First line of the message; caller frees. */
char *mlv_commit_subject(const MlvCommit *commit);
gboolean mlv_git_commit_exists(MlvRepo *repo, const MlvOid *oid);

/* A reference with the commit that it leads to. */
typedef struct {
	char *name; /* "refs/heads/main" */
	MlvOid commit;
} MlvGitRef;
void mlv_git_ref_free(MlvGitRef *ref);
/* Refs whose name begins with `prefix` ("refs/heads/", "refs/tags/", "refs/") and that lead to a
 * commit, by name. */
GPtrArray *mlv_git_refs(MlvRepo *repo, const char *prefix, GError **error);

/* Commits newest first, each once. Shallow clones end where they end. */
typedef struct MlvGitWalk MlvGitWalk;
MlvGitWalk *mlv_git_walk_new(MlvRepo *repo);
gboolean mlv_git_walk_push(MlvGitWalk *walk, const MlvOid *commit, GError **error);
/* Neither this commit nor its ancestors. One that is not here is passed over. Before the first
 * next. */
gboolean mlv_git_walk_hide(MlvGitWalk *walk, const MlvOid *commit, GError **error);
/* "A..B", "A...B", "^A" or "REV". */
gboolean mlv_git_walk_push_text(MlvGitWalk *walk, const char *text, GError **error);
/* TRUE with *commit set (caller frees), or NULL at the end. */
gboolean mlv_git_walk_next(MlvGitWalk *walk, MlvCommit **commit, GError **error);
void mlv_git_walk_free(MlvGitWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvGitWalk, mlv_git_walk_free)

#endif
