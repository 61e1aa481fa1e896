/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracking data: what `mlv add` does. Paths become targets, their content goes to the store,
 * their pointers and .gitignore lines are written and staged. Main thread.
 */
#ifndef MLV_CORE_TRACK_H
#define MLV_CORE_TRACK_H

#include "core/local.h"
#include "core/snapshot.h"

typedef struct {
	gboolean dry_run; /* hashes nothing and changes nothing: only says what would be added */
	gboolean force;   /* also where git would ignore the pointer, and what a .mlvignore names */
	guint threads;
	const volatile sig_atomic_t *cancel;
	/* A target has been done (dry run: would be). pointer is what is there now; `changed`
	 * whether its pointer is a new one; `gone` that its data, and so its pointer, are no
	 * more. */
	void (*added)(const char *path, const MlvPointer *pointer, gboolean is_new,
		      gboolean changed, gboolean gone, gpointer data);
	void (*problem)(MlvProblemType type, const char *path, const char *why, gpointer data);
	void (*progress)(guint64 bytes, guint64 files, gpointer data);
	gpointer data;
} MlvTrackOptions;

typedef struct {
	guint64 stored;    /* bytes that the store grew by */
	gboolean problems; /* something was named and left out */
	guint staged;      /* pointers that were written */
} MlvTrackResult;

/* Adds `paths` (relative to the root). One inside tracked data updates just that part of it; ""
 * stands for every target. What git tracks itself is refused, with the command that mends it. */
gboolean mlv_track_add(MlvLocal *local, const char *const *paths, gsize count,
		       const MlvTrackOptions *options, MlvTrackResult *result, GError **error);

/* All tracked targets, as `commit -a` wants them: those whose data are gone are removed. */
gboolean mlv_track_update_all(MlvLocal *local, const MlvTrackOptions *options,
			      MlvTrackResult *result, GError **error);

#endif
