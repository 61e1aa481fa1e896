/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of an archive, in any order, on their way to become a tree object: names are judged as
 * they come, folders are implied, what comes later wins.
 *
 *	MlvMemberTree *tree = mlv_member_tree_new(strip);
 *	mlv_member_tree_file(tree, "a/b", MLV_MODE_FILE, &content, error)
 *	...                               content->ref is set when it is known
 *	mlv_member_tree_build(tree, put, user, &pointer, error)
 *
 * Memory: about 100 bytes a member, names included. Not thread safe.
 */
#ifndef MLV_CORE_MEMBER_TREE_H
#define MLV_CORE_MEMBER_TREE_H

#include "core/pointer.h"

/* What a file or symlink holds; shared by hard links. Lives as long as the tree. */
typedef struct {
	MlvRef ref;
} MlvMemberContent;

typedef struct MlvMemberTree MlvMemberTree;

/* `strip` leading parts of each path are left out; a path that has no more of them is passed
 * over. */
MlvMemberTree *mlv_member_tree_new(guint strip);
void mlv_member_tree_free(MlvMemberTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvMemberTree, mlv_member_tree_free)

/* "." parts and doubled slashes mean nothing. A path that is absolute, leads up, has a name that no
 * directory entry may have, or lies below what is no folder is MLV_ERROR_CORRUPT. */
gboolean mlv_member_tree_directory(MlvMemberTree *tree, const char *path, GError **error);
/* A file or symlink. *content is its new content, or NULL if the path was passed over. */
gboolean mlv_member_tree_file(MlvMemberTree *tree, const char *path, MlvMode mode,
			      MlvMemberContent **content, GError **error);
/* Another name of a member before, which must not have been passed over; *content is what they
 * share. */
gboolean mlv_member_tree_link(MlvMemberTree *tree, const char *path, const char *target,
			      MlvMemberContent **content, GError **error);
/* Whether the path may be there, without putting anything there. */
gboolean mlv_member_tree_check(MlvMemberTree *tree, const char *path, GError **error);

/* All contents are known: makes the tree objects, from the leaves up, and what a pointer says. */
gboolean mlv_member_tree_build(MlvMemberTree *tree, MlvPutChunk put, gpointer user,
			       MlvPointer *pointer, GError **error);

#endif
