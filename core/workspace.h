/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one module through which the user's tree is changed: folders made, files put in place,
 * removed, renamed.
 *
 * Everything happens beneath the work tree's root descriptor, no symlink is followed on the way
 * or at the end, and a file appears under its name complete or not at all. Names are taken in a
 * folder that the caller holds open; `label` is what messages call the path. What is written
 * here is not synced: it can be had again from the store.
 *
 *	g_auto(MlvFd) dir = mlv_workspace_open_dir(root_fd, "data/images", error);
 *	mlv_workspace_place(dir, "1.png", &content, NULL, &st, "data/images/1.png", error);
 *
 * Every function is thread safe.
 */
#ifndef MLV_CORE_WORKSPACE_H
#define MLV_CORE_WORKSPACE_H

#include "core/statcache.h"
#include "storage/file.h"

/* Names of files under way, reserved: scans pass them over, so that a killed process leaves
 * nothing that counts. */
#define MLV_WORKSPACE_TEMP_PREFIX ".mlv-tmp-"
gboolean mlv_workspace_is_temp(const char *name);
/* Removes those from an open folder that no process is at work on. */
void mlv_workspace_sweep(int dir);
/* The same from the folder `path` beneath root and all below it. */
void mlv_workspace_sweep_below(int root, const char *path);

/* A folder beneath root ("" is the root itself), for the calls below. -1 with *error;
 * MLV_ERROR_MISSING where it is not there. */
int mlv_workspace_open_dir(int root, const char *path, GError **error);
/* Makes a folder and the missing ones above it (0777 less the umask); an existing one is
 * success. */
gboolean mlv_workspace_make_dirs(int root, const char *path, GError **error);

/* What is at a name now: *exists FALSE where nothing is. Neither file nor symlink has st->mode
 * 0, a directory MLV_MODE_DIRECTORY. */
gboolean mlv_workspace_stat(int dir, const char *name, MlvStat *st, gboolean *exists,
			    const char *label, GError **error);

typedef struct {
	guint8 mode; /* MLV_MODE_FILE, EXECUTABLE, or SYMLINK: then the bytes are its target */
	const void *data;
	gsize length;
} MlvWorkspaceContent;

/* Puts a small file or a symlink in place. `old` is what stands there by the plan: if anything
 * else does by now, it is left as it is and the call fails; NULL: nothing. `st` is what stands
 * there after. */
gboolean mlv_workspace_place(int dir, const char *name, const MlvWorkspaceContent *content,
			     const MlvStat *old, MlvStat *st, const char *label, GError **error);

/* A large file of `size` zeros at first, written in pieces to mlv_workspace_temp_fd() from any
 * thread, then put in place as above. Freeing one that was not placed removes it. `dir` is
 * borrowed. */
typedef struct MlvWorkspaceTemp MlvWorkspaceTemp;
MlvWorkspaceTemp *mlv_workspace_temp_new(int dir, guint8 mode, guint64 size, const char *label,
					 GError **error);
/* Takes the room for all of it from the disk, so that a full one is told before anything is
 * written. Success where the file system cannot, or where it would be done at a price. */
gboolean mlv_workspace_temp_reserve(MlvWorkspaceTemp *temp, guint64 size, GError **error);
int mlv_workspace_temp_fd(const MlvWorkspaceTemp *temp);
gboolean mlv_workspace_temp_place(MlvWorkspaceTemp *temp, int dir, const char *name,
				  const MlvStat *old, MlvStat *st, GError **error);
void mlv_workspace_temp_free(MlvWorkspaceTemp *temp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvWorkspaceTemp, mlv_workspace_temp_free)

/* Sets or takes the executable bits of a regular file that still is *st: whoever may read may
 * execute. Renews *st. */
gboolean mlv_workspace_set_executable(int dir, const char *name, gboolean executable, MlvStat *st,
				      const char *label, GError **error);
/* Removes a file or symlink if it still is `old` (NULL: whatever it is). Absent is success. */
gboolean mlv_workspace_remove(int dir, const char *name, const MlvStat *old, const char *label,
			      GError **error);
/* Removes an empty folder; one that is not empty stays, with *removed FALSE. Absent is success. */
gboolean mlv_workspace_remove_dir(int dir, const char *name, gboolean *removed, const char *label,
				  GError **error);

/* Removes whatever stands at the path, a folder with all that is in it; nothing is success. For
 * what is about to be made anew. */
gboolean mlv_workspace_clear(int root, const char *path, GError **error);

/* Renames a file or folder to a name where nothing stands, making the folders above it. */
gboolean mlv_workspace_rename(int root, const char *from, const char *to, GError **error);
/* Removes the folder above `path`, and those above it, as far as they are empty; never the root. */
void mlv_workspace_prune_above(int root, const char *path);

#endif
