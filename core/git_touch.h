/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files a commit has otherwise than another: both trees are walked in step, and folders that
 * are equal are not entered. For who follows some files through a long history. Main thread only.
 *
 *	g_autoptr(GArray) touched = mlv_git_touched(repo, &parent, &commit, want, user, error);
 */
#ifndef MLV_CORE_GIT_TOUCH_H
#define MLV_CORE_GIT_TOUCH_H

#include "core/git_rev.h"

/* What is to be done with a path that differs. */
enum {
	MLV_TOUCH_PASS = 0,
	MLV_TOUCH_ENTER = 1 << 0,  /* of a folder: look at what lies in it */
	MLV_TOUCH_REPORT = 1 << 1, /* it is among the results */
};
typedef guint (*MlvGitTouchWant)(const char *path, gboolean folder, gpointer user);

typedef struct {
	char *path;
	MlvOid from, to; /* of the blob, or of the folder's tree; zero where it is absent */
} MlvGitTouched;

/* What `to` has otherwise than `from` (commits; NULL: nothing), of MlvGitTouched, in git's order of
 * paths. A folder that became a file is both: gone, and come. Free with g_array_unref. */
GArray *mlv_git_touched(MlvRepo *repo, const MlvOid *from, const MlvOid *to, MlvGitTouchWant want,
			gpointer user, GError **error);
/* What a commit has otherwise than each of its parents, as `git log` tells of merges. */
GArray *mlv_git_commit_touched(MlvRepo *repo, const MlvCommit *commit, MlvGitTouchWant want,
			       gpointer user, GError **error);
/* The blob or tree at a path of a commit. */
gboolean mlv_git_find_path(MlvRepo *repo, const MlvOid *commit, const char *path, MlvOid *oid,
			   gboolean *found, GError **error);

#endif
