/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `-- PATH...` of a command: which paths it is about.
 *
 *	g_autoptr(MlvPathspec) paths = mlv_pathspec_new(repo, words.after, words.n_after, error);
 *	if (mlv_pathspec_matches(paths, "data/images/1.png")) ...
 *
 * A word names a path and all below it; one with '*', '?' or '[' is a pattern too, in which, as in
 * git, '*' crosses slashes. A pointer's own name stands for its data. NULL is a pathspec that
 * everything matches. Immutable; matching is thread safe.
 */
#ifndef MLV_CORE_PATHSPEC_H
#define MLV_CORE_PATHSPEC_H

#include "core/repo.h"

typedef struct MlvPathspec MlvPathspec;

/* Words as the user wrote them. None gives a pathspec that everything matches (not NULL). A word
 * that leads out of the repository is MLV_ERROR_USAGE. */
MlvPathspec *mlv_pathspec_new(MlvRepo *repo, char *const *words, guint count, GError **error);
/* Paths relative to the root, each with all below it; nothing in them is a pattern. */
MlvPathspec *mlv_pathspec_literal(const char *const *paths, gsize count);
void mlv_pathspec_free(MlvPathspec *paths);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPathspec, mlv_pathspec_free)

/* Whether `path` (relative to the root) is meant, and then all below it is too. */
gboolean mlv_pathspec_matches(const MlvPathspec *paths, const char *path);
/* Whether something at or below `path` can be meant: a walk need not enter it otherwise. */
gboolean mlv_pathspec_may_match_below(const MlvPathspec *paths, const char *path);
/* Whether everything matches. */
gboolean mlv_pathspec_is_all(const MlvPathspec *paths);

#endif
