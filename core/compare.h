/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences between two states of tracked data, file by file.
 *
 *	MlvCompareOptions options = {.files = TRUE, .renames = TRUE, .visit = print, .user = out};
 *	g_autoptr(MlvCompare) compare = mlv_compare_new(source, &options);
 *	mlv_compare_pointers(compare, from, to, error) && mlv_compare_finish(compare, error);
 *
 * Directories are read side by side as streams; what is equal on both sides, a sub-directory or a
 * chunk of a huge directory, is never read. With renames what was found is kept until the end, so
 * that a file that went and one of the same content that came are told as one rename. Main thread.
 */
#ifndef MLV_CORE_COMPARE_H
#define MLV_CORE_COMPARE_H

#include "core/git_tree.h"
#include "core/pathspec.h"
#include "storage/source.h"

typedef enum {
	MLV_CHANGE_ADDED = 'A',
	MLV_CHANGE_REMOVED = 'D',
	MLV_CHANGE_MODIFIED = 'M', /* content, or only whether it is executable */
	MLV_CHANGE_RENAMED = 'R',  /* the same content under another path */
	MLV_CHANGE_TYPE = 'T',     /* a file became a symlink, or the other way */
} MlvChangeKind;

/* One side of a change. */
typedef struct {
	guint8 mode;   /* MlvMode; 0: absent */
	MlvRef ref;    /* kind 0: not known (a file of the workspace that was not hashed) */
	guint64 files; /* as in a tree entry: 1 and the size, or a directory's totals */
	guint64 bytes;
} MlvChangeSide;

/* Files, symlinks, and directories without entries; whole directories where they are not looked
 * into. */
typedef struct {
	MlvChangeKind kind;
	gboolean unread;    /* a directory whose objects are not here: only its totals are known */
	const char *target; /* data path of the pointer that it belongs to */
	const char *path;   /* relative to the root, the target's included */
	const char *from_path; /* of a rename: where it was; else NULL */
	MlvChangeSide from, to;
} MlvChange;

/* The change is borrowed. FALSE ends the comparison. */
typedef gboolean (*MlvChangeVisit)(const MlvChange *change, gpointer user, GError **error);

/* Changes that are kept for finding renames; with more, all are told as they are. */
#define MLV_RENAME_LIMIT 200000u

typedef struct {
	gboolean files; /* directories that came or went are looked into; else each is one change */
	gboolean renames;
	gboolean sorted;          /* tell changes in order of their paths; with renames always */
	guint rename_limit;       /* 0: MLV_RENAME_LIMIT */
	const MlvPathspec *paths; /* borrowed; NULL: all */
	MlvChangeVisit visit;
	gpointer user;
} MlvCompareOptions;

typedef struct MlvCompare MlvCompare;

/* `source` is borrowed. */
MlvCompare *mlv_compare_new(MlvSource *source, const MlvCompareOptions *options);
void mlv_compare_free(MlvCompare *compare);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvCompare, mlv_compare_free)

/* Compares what two pointers (either may be NULL) hold, as the target `path`. */
gboolean mlv_compare_target(MlvCompare *compare, const char *path, const MlvPointer *from,
			    const MlvPointer *to, GError **error);
/* Compares two sets of pointers, of MlvTracked * sorted by path. A pointer that cannot be read
 * ends it with its error, unless it is the same on both sides. */
gboolean mlv_compare_pointers(MlvCompare *compare, const GPtrArray *from, const GPtrArray *to,
			      GError **error);
/* The same for what mlv_git_pointer_changes() and mlv_git_commit_changes() give. */
gboolean mlv_compare_pointer_changes(MlvCompare *compare, const GPtrArray *changes, GError **error);
/* Takes in a change that was found elsewhere (in the workspace); its strings are copied. */
gboolean mlv_compare_add(MlvCompare *compare, const MlvChange *change, GError **error);
/* Tells what was kept. */
gboolean mlv_compare_finish(MlvCompare *compare, GError **error);
/* Whether there were too many changes to look for renames. */
gboolean mlv_compare_renames_skipped(const MlvCompare *compare);

/* --- sums ------------------------------------------------------------------------------------- */

typedef struct {
	guint64 added, removed, modified, renamed; /* files; a type change counts as modified */
	guint64 bytes_added;                       /* of files that came */
	guint64 bytes_removed;                     /* of files that went */
	gint64 delta;                              /* bytes that all grew by, or shrank */
	guint64 unread; /* directories of which only the totals are known */
} MlvChangeTotals;

void mlv_change_totals_add(MlvChangeTotals *totals, const MlvChange *change);
void mlv_change_totals_sum(MlvChangeTotals *totals, const MlvChangeTotals *more);

#endif
