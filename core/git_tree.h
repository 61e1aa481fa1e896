/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What git's trees, index and work tree hold: targets above all, by pointers and by locks. Of
 * pointers only blobs named *.mlv of at most 1 KiB are read. Objects that a partial clone has not
 * got yet are fetched by git. Main thread only.
 *
 * Arrays are of MlvTracked *, sorted by path (bytes), and own their elements.
 */
#ifndef MLV_CORE_GIT_TREE_H
#define MLV_CORE_GIT_TREE_H

#include "core/git_rev.h"
#include "core/pointer.h"

/* One target as found (core/target.h): by a pointer file, or as an output in an mlv.lock. */
typedef struct {
	char *path;         /* of the data: the pointer's path without ".mlv" */
	MlvPointer pointer; /* valid if error is NULL */
	char *lock;         /* the mlv.lock that names it; NULL: a pointer file does */
	gboolean sparse;    /* of an index: git's sparse checkout leaves its file out */
	gboolean stays;     /* an output with `push: false`: it is not to be had elsewhere */
	MlvOid blob;        /* git's name of that file's bytes; zero for one in the work tree */
	guint8 stage;       /* in an index with conflicts 1 base, 2 ours, 3 theirs; else 0 */
	GError *error;      /* why it cannot be read, or NULL */
} MlvTracked;
void mlv_tracked_free(MlvTracked *tracked);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvTracked, mlv_tracked_free)

/* The element of that data path (binary search; the first stage where there are several), or
 * NULL. */
const MlvTracked *mlv_tracked_find(const GPtrArray *pointers, const char *path);
/* The element that `path` is or lies below, with the rest of the path ("" if it is it), or NULL. */
const MlvTracked *mlv_tracked_cover(const GPtrArray *pointers, const char *path, const char **rest);

GPtrArray *mlv_git_pointers_in_commit(MlvRepo *repo, const MlvOid *commit, GError **error);
/* Of HEAD: empty in a repository without commits. */
GPtrArray *mlv_git_pointers_in_head(MlvRepo *repo, GError **error);
GPtrArray *mlv_git_pointers_in_index(MlvRepo *repo, GError **error);
/* The paths of all mlv.lock in the index, sorted, of char *. */
GPtrArray *mlv_git_locks_in_index(MlvRepo *repo, GError **error);
/* Of the files in the work tree, staged or not. `all` walks the whole tree (never into tracked
 * data or other repositories); without, only those whose path is in the index or HEAD are looked
 * for. */
GPtrArray *mlv_git_pointers_in_workspace(MlvRepo *repo, gboolean all, GError **error);
/* The pointer file of one data path in the work tree; absent is *found = FALSE. */
gboolean mlv_git_read_pointer_file(MlvRepo *repo, const char *path, MlvPointer *pointer,
				   gboolean *found, GError **error);

/* The pointer in a commit that `path` is or lies below; NULL without an error if there is none.
 * `rest` points into path. Reads only what lies on the way. */
MlvTracked *mlv_git_find_pointer(MlvRepo *repo, const MlvOid *commit, const char *path,
				 const char **rest, GError **error);

/* What changed between two commits' pointers (from NULL: from nothing). Equal folders are not
 * read. */
typedef struct {
	char *path;
	MlvTracked *from, *to; /* NULL where absent */
} MlvPointerChange;
GPtrArray *mlv_git_pointer_changes(MlvRepo *repo, const MlvOid *from, const MlvOid *to,
				   GError **error);
/* For a commit against its parents: of a merge only what differs from every parent, as git log. */
GPtrArray *mlv_git_commit_changes(MlvRepo *repo, const MlvCommit *commit, GError **error);

/* --- git's own files -------------------------------------------------------------------------- */

/* A file's bytes in a commit; a larger one than `max` is MLV_ERROR_FAILED, none (or a folder)
 * MLV_ERROR_MISSING. */
GBytes *mlv_git_read_file(MlvRepo *repo, const MlvOid *commit, const char *path, gsize max,
			  GError **error);
GBytes *mlv_git_read_blob(MlvRepo *repo, const MlvOid *blob, gsize max, GError **error);
/* The bytes of a path in the index (stage 0..3); NULL without an error if it is not there. */
GBytes *mlv_git_read_index_file(MlvRepo *repo, const char *path, int stage, GError **error);

/* Entries of a commit's tree at or below `path` ("" for all), in git's order. mode: 0100644,
 * 0100755, 0120000, 0160000 (a submodule), or 040000 (a folder, before its entries; *descend =
 * FALSE passes it over). */
typedef gboolean (*MlvGitEntry)(const char *path, guint32 mode, const MlvOid *oid,
				gboolean *descend, gpointer user, GError **error);
gboolean mlv_git_walk_tree(MlvRepo *repo, const MlvOid *commit, const char *path, MlvGitEntry visit,
			   gpointer user, GError **error);

/* Whether git's index has `path` itself, or anything below it; *example (may be NULL) is one such
 * path. */
gboolean mlv_git_tracks(MlvRepo *repo, const char *path, gboolean *tracks, char **example,
			GError **error);
/* FALSE with MLV_ERROR_FAILED for a path that lies in another repository: a submodule, or one that
 * stands in the work tree. */
gboolean mlv_git_check_own(MlvRepo *repo, const char *path, GError **error);
/* Whether git's ignore rules leave a path out (tracked or not). */
gboolean mlv_git_ignores(MlvRepo *repo, const char *path, gboolean is_dir, gboolean *ignored,
			 GError **error);
/* Git's files (no pointers) in the index that are larger than `limit` bytes and not so in HEAD, of
 * MlvGitFile *. */
typedef struct {
	char *path;
	guint64 size;
} MlvGitFile;
void mlv_git_file_free(MlvGitFile *file);
GPtrArray *mlv_git_large_staged(MlvRepo *repo, guint64 limit, GError **error);

#endif
