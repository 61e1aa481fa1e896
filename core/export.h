/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data written out as plain files, anywhere, from any source: no store, no repository and no work
 * tree are needed at the place.
 *
 *	MlvExport export = { .source = source };
 *	mlv_export(&export, dir_fd, "images", &entry, error);
 *
 * Chunks of small files are asked for many at once, so that a remote is read in few requests. Names
 * in tree objects are checked as they are decoded, nothing is written through a symlink, and memory
 * is some ten MiB whatever there is.
 */
#ifndef MLV_CORE_EXPORT_H
#define MLV_CORE_EXPORT_H

#include <signal.h>

#include "storage/source.h"

typedef struct {
	MlvSource *source; /* thread safe */
	guint threads;     /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	/* So much more was written. May be NULL. */
	void (*progress)(guint64 bytes, guint64 files, gpointer user);
	gpointer user;
} MlvExport;

/* Writes what the entry names as `name` in an open folder where nothing of that name is: a file, a
 * symlink, or a folder with all below it. What failed midway is left behind. */
gboolean mlv_export(const MlvExport *export, int dir, const char *name, const MlvTreeEntry *entry,
		    GError **error);

#endif
