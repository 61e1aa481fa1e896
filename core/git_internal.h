/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libgit2 within the git_*.c files: nobody else includes this.
 */
#ifndef MLV_CORE_GIT_INTERNAL_H
#define MLV_CORE_GIT_INTERNAL_H

#include <git2.h>
#include <string.h>

#include "core/git_tree.h"
#include "core/repo_private.h"

/* Sets `error` to the message with libgit2's own reason behind it; returns FALSE. `code` is what
 * the failed call returned: GIT_ENOTFOUND gives MLV_ERROR_MISSING, GIT_EEXISTS MLV_ERROR_EXISTS,
 * else MLV_ERROR_FAILED. */
gboolean mlv_git_fail(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static inline void mlv_oid_from_git(const git_oid *from, MlvOid *to)
{
	memcpy(to->b, from->id, MLV_OID_SIZE);
}

static inline void mlv_oid_to_git(const MlvOid *from, git_oid *to)
{
	memcpy(to->id, from->b, MLV_OID_SIZE);
}

/* The object database, opened once. */
git_odb *mlv_git_odb(MlvRepo *repo, GError **error);

/* An object of any kind, fetched by git first where a partial clone has it not. Freed with
 * git_odb_object_free. */
git_odb_object *mlv_git_read_object(MlvRepo *repo, const git_oid *oid, GError **error);
/* Reads the objects of these names (of git_oid) that are missing, in one go, if the repository is a
 * partial clone. TRUE if it is none. */
gboolean mlv_git_fetch_missing(MlvRepo *repo, const GArray *oids, GError **error);

/* A commit, tree: looked up likewise. NULL with an error that names it. */
git_commit *mlv_git_lookup_commit(MlvRepo *repo, const MlvOid *oid, GError **error);
git_tree *mlv_git_lookup_tree(MlvRepo *repo, const git_oid *oid, GError **error);

/* git's index as it is now on disk; caller frees with git_index_free. */
git_index *mlv_git_open_index(MlvRepo *repo, GError **error);
/* An index file; `label` is what messages call it. */
git_index *mlv_git_open_index_file(const char *file, const char *label, GError **error);

/* One pointer from its blob: `path` is the data's path. Never NULL: what cannot be read has its
 * error set, but for failures of the database, which are *error. */
MlvTracked *mlv_git_read_pointer(MlvRepo *repo, const char *path, const git_oid *blob,
				 GError **error);

/* Appends what a pointer file or a lock names. What cannot be read is an element with its error;
 * FALSE only for failures of the database. */
gboolean mlv_git_read_targets(MlvRepo *repo, const char *file, const git_oid *blob,
			      GPtrArray *targets, GError **error);

GPtrArray *mlv_git_pointers_of_index(MlvRepo *repo, git_index *index, GError **error);

/* git_pairs.c: two trees (NULL: nothing) in step. `visit` gets each path at which they differ, a
 * folder before what lies in it, with the entry of either side (NULL: there is none); both are of
 * one kind, for a file and a folder of one name are two. *enter, FALSE, is to be set for folders
 * that are to be looked into. */
typedef gboolean (*MlvGitPairVisit)(const char *path, const git_tree_entry *from,
				    const git_tree_entry *to, gboolean *enter, gpointer user,
				    GError **error);
gboolean mlv_git_walk_pairs(MlvRepo *repo, const git_oid *from, const git_oid *to,
			    MlvGitPairVisit visit, gpointer user, GError **error);
/* NULL is none. */
gboolean mlv_git_is_tree(const git_tree_entry *entry);
gboolean mlv_git_tree_of(MlvRepo *repo, const MlvOid *commit, git_oid *tree, GError **error);

/* git_changes.c: the pointers that differ between two trees (from NULL: nothing), of
 * MlvPointerChange *. */
GPtrArray *mlv_git_tree_changes(MlvRepo *repo, const git_oid *from, const git_oid *to,
				GError **error);
/* Given the changes against each parent: the pointers (of MlvTracked *, borrowed) that no parent
 * has at their path and whose data no parent named at another that is gone, so that a move is
 * nothing new. */
GPtrArray *mlv_git_new_pointers(const GPtrArray *sides);

/* git_walk.c: the next commit as libgit2 has it (caller frees; NULL at the end); a copy with its
 * first `n` parents. */
gboolean mlv_git_walk_step(MlvGitWalk *walk, git_commit **commit, GError **error);
MlvCommit *mlv_git_commit_copy(git_commit *from, guint n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_repository, git_repository_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_config, git_config_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_config_iterator, git_config_iterator_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_index, git_index_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_odb, git_odb_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_odb_object, git_odb_object_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_object, git_object_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_commit, git_commit_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_tree, git_tree_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_reference, git_reference_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_reference_iterator, git_reference_iterator_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_signature, git_signature_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(git_buf, git_buf_dispose)

#endif
