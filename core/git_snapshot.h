/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees, commits and references that are not the user's branches: what records of runs are made
 * of. The work tree and git's index are read, never changed. Main thread only.
 *
 *	mlv_git_snapshot(repo, &options, &tree, error);
 *	mlv_git_edit_tree(repo, &tree, edits, &tree, error);
 *	mlv_git_store_commit(repo, &commit, &oid, error);
 *	mlv_git_move_ref(repo, "refs/mlv/runs/x", &oid, NULL, error);
 */
#ifndef MLV_CORE_GIT_SNAPSHOT_H
#define MLV_CORE_GIT_SNAPSHOT_H

#include "core/git_tree.h"

typedef struct {
	guint64 max_file; /* untracked files larger than this are left out */
	/* Called for each that is left out: too large, or not to be read. May be NULL. */
	void (*left_out)(const char *path, const char *why, gpointer user);
	gpointer user;
	/* From mlv_git_snapshot_memo(): files that did not change between two snapshots are not
	 * read and stored twice. May be NULL. */
	GHashTable *memo;
} MlvGitSnapshotOptions;

/* What one snapshot knows for the next. Free with g_hash_table_unref. */
GHashTable *mlv_git_snapshot_memo(void);

/* The tree of all that git tracks, as it is in the work tree now, and of files it neither tracks
 * nor ignores. Other repositories and files under way are passed over; the filters of git's
 * attributes are applied. */
gboolean mlv_git_snapshot(MlvRepo *repo, const MlvGitSnapshotOptions *options, MlvOid *tree,
			  GError **error);
/* The tree of a commit. */
gboolean mlv_git_commit_tree_of(MlvRepo *repo, const MlvOid *commit, MlvOid *tree, GError **error);

/* One change to a tree. */
typedef struct {
	char *path;   /* "a/b" */
	MlvOid blob;  /* what stands there then */
	guint32 mode; /* 0100644, 0100755, 0120000; 0: it goes */
} MlvGitEdit;
/* An empty list of changes; free with g_array_unref. */
GArray *mlv_git_edits_new(void);
/* Stores the bytes as a file at `path`. */
gboolean mlv_git_edits_add(GArray *edits, MlvRepo *repo, const char *path, const void *data,
			   gsize length, GError **error);
void mlv_git_edits_remove(GArray *edits, const char *path);
/* Applies them to a tree; `from` NULL is the empty one. What is to go and is not there is passed
 * over. */
gboolean mlv_git_edit_tree(MlvRepo *repo, const MlvOid *from, const GArray *edits, MlvOid *tree,
			   GError **error);
/* What stands at a path of a tree; *found tells. mode as in MlvGitEdit. */
gboolean mlv_git_tree_entry(MlvRepo *repo, const MlvOid *tree, const char *path, MlvOid *oid,
			    guint32 *mode, gboolean *found, GError **error);
/* The paths in which two trees differ, of MlvGitEdit that turn one into the other. NULL is the
 * empty tree. */
GArray *mlv_git_tree_edits(MlvRepo *repo, const MlvOid *from, const MlvOid *to, GError **error);

/* Who a record is by: "Name <mail>", as git has it, or, where git does not know, the name of the
 * account. Caller frees. */
char *mlv_git_anyone(MlvRepo *repo);

typedef struct {
	MlvOid tree;
	const MlvOid *parents;
	guint n_parents;
	const char *who; /* as of mlv_git_anyone() */
	gint64 time;     /* unix seconds; GIT_COMMITTER_DATE has precedence */
	const char *message;
} MlvGitRecord;
/* A commit without hooks, signature, or branch. */
gboolean mlv_git_store_commit(MlvRepo *repo, const MlvGitRecord *record, MlvOid *oid,
			      GError **error);

/* Points a reference at a commit if it still is at `old` (NULL: if it is not there yet):
 * MLV_ERROR_EXISTS if it is not. */
gboolean mlv_git_move_ref(MlvRepo *repo, const char *name, const MlvOid *oid, const MlvOid *old,
			  GError **error);
/* Absent is success. */
gboolean mlv_git_delete_ref(MlvRepo *repo, const char *name, GError **error);
/* Whether git takes this for the name of a reference. */
gboolean mlv_git_ref_is_valid(const char *name);
/* The commit that a full name of a reference leads to; absent is *found = FALSE. */
gboolean mlv_git_read_ref(MlvRepo *repo, const char *name, MlvOid *oid, gboolean *found,
			  GError **error);
/* References below `prefix` with what they name, of MlvGitRef *, sorted; objects are not looked
 * at. */
GPtrArray *mlv_git_list_refs(MlvRepo *repo, const char *prefix, GError **error);
/* The message of a commit, from its first byte; nothing else of it is looked at. Caller frees. */
char *mlv_git_commit_message(MlvRepo *repo, const MlvOid *oid, GError **error);

#endif
