/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A commit's message and signature, for git_commit.c.
 */
#ifndef MLV_CORE_GIT_MESSAGE_H
#define MLV_CORE_GIT_MESSAGE_H

#include "core/git_commit.h"

/* What the message begins from. */
typedef struct {
	const MlvCommitOptions *options;
	const char *amended;     /* message of the commit that is replaced, or NULL */
	const char *amended_rev; /* its name for the hook: "HEAD" */
	gboolean merge;
} MlvMessageSource;

/* Writes COMMIT_EDITMSG, runs prepare-commit-msg, the editor and commit-msg, and gives the cleaned
 * text. An empty one is an error unless allowed. Caller frees. */
char *mlv_git_compose_message(MlvRepo *repo, const MlvMessageSource *source, GError **error);

/* The signature that git's configuration asks for over these bytes, or NULL without an error if it
 * asks for none. `committer` is "Name <mail> time zone". */
gboolean mlv_git_sign(MlvRepo *repo, const char *bytes, gsize length, const char *committer,
		      char **signature, GError **error);

#endif
