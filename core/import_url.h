/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file from elsewhere becomes tracked data, and is fetched again when it has changed there. Its
 * bytes go straight into the store; then pointer and record (core/import_record.h) are written and
 * staged, and the file is put into the work tree.
 *
 * Nothing is tracked before all bytes are in the store. What breaks off leaves at most chunks
 * there, which gc drops. Main thread only.
 */
#ifndef MLV_CORE_IMPORT_URL_H
#define MLV_CORE_IMPORT_URL_H

#include <signal.h>

#include "core/import_record.h"
#include "core/local.h"
#include "core/pointer.h"

typedef struct {
	gboolean force;    /* over what is tracked or on disk, over changes that no store has */
	gboolean no_write; /* leave the work tree alone: `mlv checkout` brings it later */
	gboolean look;     /* update: only find out whether it has changed */
	guint threads;     /* 0: one a core */
	const volatile sig_atomic_t *cancel;
	/* So many bytes have come, of so many (0: not known). May be NULL. */
	void (*progress)(guint64 done, guint64 total, gpointer user);
	gpointer user;
} MlvImportUrlOptions;

typedef enum {
	MLV_IMPORT_UNCHANGED, /* the source says so */
	MLV_IMPORT_SAME,      /* it says something else, and has the same bytes */
	MLV_IMPORT_CHANGED,   /* new bytes are tracked; with `look`, would be, as far as it says */
	MLV_IMPORT_EDITED,    /* the data were changed here since they were fetched: left alone */
} MlvImportState;

typedef struct {
	MlvImportState state;
	MlvPointer pointer; /* now */
	MlvPointer before;  /* update: what was tracked */
	guint64 stored;     /* bytes that the store grew by */
} MlvImportUrlResult;

/* Tracks what lies at `url` as `path` (relative to the root). */
gboolean mlv_import_url(MlvLocal *local, const char *url, const char *path,
			const MlvImportUrlOptions *options, MlvImportUrlResult *result,
			GError **error);

/* Imported data of the work tree. */
typedef struct {
	char *path;
	MlvPointer pointer;
	MlvImportRecord record;
	GError *error; /* why the record cannot be read, or NULL */
} MlvImported;
/* All of them, of MlvImported *, sorted by path. Free with g_ptr_array_unref. */
GPtrArray *mlv_import_list(MlvRepo *repo, GError **error);

/* Asks the source of one of them, and brings what it has if that has changed. */
gboolean mlv_import_update(MlvLocal *local, const MlvImported *imported,
			   const MlvImportUrlOptions *options, MlvImportUrlResult *result,
			   GError **error);

#endif
