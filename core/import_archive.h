/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive becomes a tracked dataset without being unpacked: its members go straight into the
 * store, the tree over them is built, and the pointer is written and staged. The work tree gets
 * nothing until `mlv checkout`; until then the target is recorded as not brought.
 *
 * All or nothing is tracked: an archive that is damaged, encrypted or hostile leaves at most chunks
 * in the store, which gc drops. Main thread only.
 */
#ifndef MLV_CORE_IMPORT_ARCHIVE_H
#define MLV_CORE_IMPORT_ARCHIVE_H

#include <signal.h>

#include "core/local.h"
#include "core/pointer.h"

typedef struct {
	int fd;             /* the archive, borrowed */
	const char *label;  /* its name in messages */
	const char *format; /* as in mlv_archive_reader_new(); NULL: any */
	const char *path;   /* of the new target, relative to the root */
	guint strip;        /* leading parts of members' paths to leave out */
	gboolean force;     /* in place of a target that is tracked */
	guint threads;      /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	/* May be NULL. So much of the archive was read, and so many members seen, since the
	 * beginning. */
	void (*progress)(guint64 consumed, guint64 members, gpointer user);
	/* A member that is no data ("a fifo") was left out. */
	void (*left_out)(const char *member, const char *what, gpointer user);
	gpointer user;
} MlvImportOptions;

typedef struct {
	MlvPointer pointer;
	guint64 stored;   /* bytes that the store grew by */
	guint64 left_out; /* members */
} MlvImportResult;

/* Whether a dataset can be tracked at the path: not tracked (unless `force`), nothing of git's
 * there, whatever is on disk. */
gboolean mlv_import_check_tracked(MlvLocal *local, const char *path, gboolean force,
				  GError **error);
/* The path must not be tracked (unless `force`), git must have nothing there, and on disk there may
 * be nothing but what is tracked there and unchanged. */
gboolean mlv_import(MlvLocal *local, const MlvImportOptions *options, MlvImportResult *result,
		    GError **error);

/* "data/x.tar.gz" -> "x": the last part without the endings of archives; NULL if nothing is
 * left. */
char *mlv_import_default_name(const char *file);

#endif
