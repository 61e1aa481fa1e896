/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A git repository seen by mlv: where it is found, its folders, its identity, its configuration.
 *
 *	g_autoptr(MlvRepo) repo = mlv_repo_open(".", error);
 *	g_autofree char *path = mlv_repo_relative(repo, argv[1], error);
 *
 * Only the main thread uses an MlvRepo; the strings and the descriptor it gives are borrowed, live
 * as long as it does, and may be read from any thread. Paths inside the repository are relative to
 * the root, "/"-separated bytes without "." or ".." parts; "" is the root itself.
 */
#ifndef MLV_CORE_REPO_H
#define MLV_CORE_REPO_H

#include <signal.h>
#include <sys/types.h>

#include "core/config.h"
#include "storage/error.h"

#define MLV_REPO_ID_HEX 16

typedef struct MlvRepo MlvRepo;

/* Finds the repository around `start_dir` (normally ".") as git does: GIT_DIR, GIT_WORK_TREE,
 * GIT_COMMON_DIR, GIT_INDEX_FILE, GIT_OBJECT_DIRECTORY and GIT_CEILING_DIRECTORIES are honoured.
 * None found is MLV_ERROR_MISSING; a bare one or one in a format that cannot be read is
 * MLV_ERROR_UNSUPPORTED and says which. Walks and reads nothing but the configuration. */
MlvRepo *mlv_repo_open(const char *start_dir, GError **error);

/* Opens exactly this git directory (another repository that shares a store), whatever the
 * environment says. It may be bare: then root, root_fd and relative are not to be used (NULL,
 * -1). */
MlvRepo *mlv_repo_open_git_dir(const char *git_dir, GError **error);

void mlv_repo_free(MlvRepo *repo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRepo, mlv_repo_free)

/* Prepares `dir` for mlv: makes a git repository where there is none (*created tells), the folder
 * $GIT_COMMON_DIR/mlv, and a .mlvconfig with the repository's id, staged. Safe to run again. */
MlvRepo *mlv_repo_init(const char *dir, gboolean *created, GError **error);

/* --- where things are: absolute paths without a slash at the end ------------------------------ */

const char *mlv_repo_root(const MlvRepo *repo);       /* the work tree */
int mlv_repo_root_fd(const MlvRepo *repo);            /* O_DIRECTORY descriptor of the root */
const char *mlv_repo_git_dir(const MlvRepo *repo);    /* of this work tree */
const char *mlv_repo_common_dir(const MlvRepo *repo); /* shared by all work trees */
const char *mlv_repo_mlv_dir(const MlvRepo *repo);    /* <common dir>/mlv; made on demand */
const char *mlv_repo_worktree_dir(
	const MlvRepo *repo);                        /* <git dir>/mlv: this work tree's own state */
const char *mlv_repo_store_dir(const MlvRepo *repo); /* mlv.store, else <common dir>/mlv/store */
const char *mlv_repo_index_file(const MlvRepo *repo); /* GIT_INDEX_FILE or <git dir>/index */
const char *mlv_repo_prefix(
	const MlvRepo *repo); /* start_dir relative to the root; "" at the root */
/* Where relative directory URLs begin: the main work tree's root, the same from every work tree. */
const char *mlv_repo_main_root(const MlvRepo *repo);

/* Makes mlv_dir and worktree_dir if they are not there. */
gboolean mlv_repo_make_dirs(MlvRepo *repo, GError **error);

/* Turns a path as the user wrote it (relative to start_dir, or absolute) into one relative to the
 * root. The parents are resolved through symlinks, the last part is not. "", ".", "..", doubled and
 * trailing slashes are understood; the path need not exist. Outside of the root, or in a git
 * directory, is MLV_ERROR_FAILED. Where the current folder is not in the work tree (GIT_WORK_TREE
 * names another) a relative one begins at the root. */
char *mlv_repo_relative(const MlvRepo *repo, const char *user_path, GError **error);

/* The other way, for messages and output: root-relative to relative to start_dir ("../x"). */
char *mlv_repo_display(const MlvRepo *repo, const char *path);

/* The whole of a regular file of the work tree, no symlink followed on the way. Absent is
 * MLV_ERROR_MISSING; one larger than `max`, or no regular file, is MLV_ERROR_FAILED. */
GBytes *mlv_repo_read_file(const MlvRepo *repo, const char *path, gsize max, GError **error);
/* Replaces or makes a file of the work tree (temporary name, rename), no symlink followed on the
 * way; missing parent folders are made. */
gboolean mlv_repo_write_file(const MlvRepo *repo, const char *path, const void *data, gsize length,
			     mode_t mode, GError **error);
/* Removes a file of the work tree likewise; absent is success. */
gboolean mlv_repo_remove_file(const MlvRepo *repo, const char *path, GError **error);

/* --- who uses it ------------------------------------------------------------------------------ */

/* Whom work on a remote asks whether to go on, and tells what the user should know. */
typedef struct {
	const volatile sig_atomic_t *cancel;           /* not 0: stop; may be NULL */
	void (*warn)(const char *text, gpointer user); /* one line; may be NULL */
	gpointer user;
} MlvRepoCaller;

/* None unless set; copied. */
void mlv_repo_set_caller(MlvRepo *repo, const MlvRepoCaller *caller);
const MlvRepoCaller *mlv_repo_caller(const MlvRepo *repo);

/* --- identity and configuration --------------------------------------------------------------- */

/* The merged configuration, read when the repository was opened (or reloaded). */
MlvConfig *mlv_repo_config(const MlvRepo *repo);
/* Reads all levels again, after a change. */
gboolean mlv_repo_reload_config(MlvRepo *repo, GError **error);

/* What a bare repository, which has no work tree, takes for its .mlvconfig; reloads. */
gboolean mlv_repo_set_committed_config(MlvRepo *repo, GBytes *bytes, GError **error);

/* mlv.repository of .mlvconfig: 16 hex digits that all clones share; NULL before `mlv init`. */
const char *mlv_repo_id(const MlvRepo *repo);
/* This clone's own id, from <mlv dir>/clone, made on demand. */
gboolean mlv_repo_clone_id(MlvRepo *repo, char hex[MLV_REPO_ID_HEX + 1], GError **error);

#endif
