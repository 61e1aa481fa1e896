/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of tracked data, in git's three parts: what is staged against HEAD, what the work
 * tree has against what is staged, and what of the staged data is not in the store. Main thread.
 */
#ifndef MLV_CORE_STATUS_H
#define MLV_CORE_STATUS_H

#include "core/local.h"
#include "core/pathspec.h"
#include "core/snapshot.h"

typedef enum {
	MLV_PART_STAGED,    /* index against HEAD */
	MLV_PART_WORKSPACE, /* work tree against index */
	MLV_PART_MISSING,   /* staged, and not in the store: change->to is what is missing */
	MLV_PART_UNMERGED,  /* the target's pointer has conflicts, or cannot be read: `why` */
} MlvStatusPart;

typedef struct {
	guint threads;
	const volatile sig_atomic_t *cancel;
	const MlvPathspec *paths; /* NULL: all */
	gboolean renames;
	/* Only MLV_PART_WORKSPACE and MLV_PART_UNMERGED, against the pointer files instead of the
	 * index. */
	gboolean unadded;
	/* In order of parts and, within each, of paths. `why` is NULL but for MLV_PART_UNMERGED.
	 * Borrowed. */
	gboolean (*visit)(MlvStatusPart part, const MlvChange *change, const char *why,
			  gpointer data, GError **error);
	void (*problem)(MlvProblemType type, const char *path, const char *why, gpointer data);
	void (*progress)(guint64 bytes, guint64 files, gpointer data);
	gpointer data;
} MlvStatusOptions;

typedef struct {
	guint64 targets;                            /* tracked */
	guint64 staged, changed, missing, unmerged; /* what was visited in each part */
	gboolean problems;
	gboolean moved_by_git; /* data here were added before: git moved pointers, not the data */
} MlvStatusResult;

/* Files are hashed only where stat data do not say that they are unchanged; the stat cache is
 * renewed by the way. */
gboolean mlv_status_run(MlvLocal *local, const MlvStatusOptions *options, MlvStatusResult *result,
			GError **error);

#endif
