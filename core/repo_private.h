/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an MlvRepo holds, for repo.c and the git_*.c files. Nobody else includes this.
 */
#ifndef MLV_CORE_REPO_PRIVATE_H
#define MLV_CORE_REPO_PRIVATE_H

#include "core/repo.h"

struct git_repository;
struct git_odb;
struct git_index;

struct MlvRepo {
	struct git_repository *git;
	struct git_odb *odb;     /* opened when first needed */
	struct git_index *index; /* likewise */
	char *cwd;               /* where the user stands, absolute, symlinks resolved */
	char *root;
	int root_fd;
	char *git_dir, *common_dir, *mlv_dir, *worktree_dir, *store_dir, *index_file;
	gboolean outside; /* cwd is not in the work tree: paths begin at the root, as in git */
	char *prefix, *main_root;
	MlvConfig *config;
	GBytes *committed; /* a bare one's .mlvconfig; NULL: none */
	MlvRepoCaller caller;
	GHashTable *pointers; /* MlvOid -> MlvPointer of blobs that were read */
	GHashTable *locks;    /* blob and path -> targets of an mlv.lock that was read */
};

/* --- git_open.c ------------------------------------------------------------------------------- */

/* Finds and opens: sets git, git_dir, common_dir, index_file, root (NULL if bare). cwd is set
 * before. `exact` opens cwd itself as a git directory and leaves the environment aside. */
gboolean mlv_git_open(MlvRepo *repo, gboolean exact, GError **error);
void mlv_git_close(MlvRepo *repo);

/* --- git_config.c ----------------------------------------------------------------------------- */

/* Appends the levels system to work tree in order, and makes libgit2 use them too. */
gboolean mlv_git_load_config(MlvRepo *repo, MlvConfig *config, GError **error);

#endif
