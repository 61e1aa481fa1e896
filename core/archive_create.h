/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive of a revision: its tracked data, and if wanted git's own files with the data where
 * the pointers are.
 *
 *	MlvArchivePlan plan = { .revision = revision, .format = MLV_ARCHIVE_TAR, .sink = ..., };
 *	mlv_archive_create(view, &plan, error);
 *
 * Entries come in the order of their paths' bytes, a folder's path ending in a slash; each folder
 * on the way has one. The same revision gives the same bytes. Main thread only.
 */
#ifndef MLV_CORE_ARCHIVE_CREATE_H
#define MLV_CORE_ARCHIVE_CREATE_H

#include "core/archive_pump.h"
#include "core/view.h"

typedef struct {
	MlvRevision revision;
	gboolean code;      /* with git's files; revision must be a commit */
	const char *prefix; /* put before each path as it is; "" none */
	char *const *words; /* paths as the user wrote them; none: all */
	guint n_words;
	MlvArchiveFormat format;
	guint threads; /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	MlvArchiveSink sink;   /* gets the bytes */
	MlvArchiveMoved moved; /* for progress; may be NULL */
	gpointer user;         /* of both */
} MlvArchivePlan;

/* Writes it. A word that matches nothing is MLV_ERROR_MISSING, as is an object that is not here;
 * what has gone to the sink until then is of no use. */
gboolean mlv_archive_create(MlvView *view, const MlvArchivePlan *plan, GError **error);

/* Whether a prefix may be used: relative, and without "." or ".." parts; else MLV_ERROR_USAGE. */
gboolean mlv_archive_check_prefix(const char *prefix, GError **error);

#endif
