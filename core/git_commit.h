/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits what is staged, as `git commit` does: identity, hooks, message clean-up, signature,
 * merges, reflog. Main thread only.
 */
#ifndef MLV_CORE_GIT_COMMIT_H
#define MLV_CORE_GIT_COMMIT_H

#include "core/git_tree.h"

/* Called with the pointers (of MlvTracked *) about to be committed that no parent has, after the
 * pre-commit hook. FALSE refuses the commit. */
typedef gboolean (*MlvCommitCheck)(MlvRepo *repo, const GPtrArray *added, gpointer user,
				   GError **error);

typedef struct {
	const char *message; /* NULL: from the editor */
	gboolean edit;       /* open the editor on `message` */
	gboolean amend;      /* replace HEAD, keeping its author; begin from its message */
	gboolean no_edit;    /* with amend: take its message as it is */
	gboolean allow_empty;
	gboolean allow_empty_message;
	gboolean no_verify;   /* without pre-commit and commit-msg */
	MlvCommitCheck check; /* may be NULL */
	gpointer user;
} MlvCommitOptions;

typedef struct {
	MlvOid oid;
	char *branch; /* NULL: detached */
	char *subject;
	gboolean root; /* first commit of the branch */
} MlvCommitResult;
void mlv_commit_result_clear(MlvCommitResult *result);

/* Nothing to commit is MLV_ERROR_CHECK; unmerged paths, an empty message, a hook that refuses, an
 * unknown identity, a signature that fails are MLV_ERROR_FAILED and leave everything as it was. */
gboolean mlv_git_commit(MlvRepo *repo, const MlvCommitOptions *options, MlvCommitResult *result,
			GError **error);

/* Name, address and time for "AUTHOR" or "COMMITTER" as git finds them (GIT_AUTHOR_NAME ...,
 * author.*, user.*, EMAIL), as in a commit: "Name <mail> 1700000000 +0100". Caller frees. */
char *mlv_git_identity(MlvRepo *repo, const char *who, GError **error);
/* A commit of this tree that no branch has (for runs): returns its name. parents may be 0. */
gboolean mlv_git_commit_tree(MlvRepo *repo, const MlvOid *tree, const MlvOid *parents,
			     guint n_parents, const char *message, MlvOid *commit, GError **error);

/* git's clean-up of a message: trailing blanks and blank lines; lines that begin with the comment
 * character if `strip_comments`. */
char *mlv_git_cleanup_message(const char *message, gboolean strip_comments, char comment);

#endif
