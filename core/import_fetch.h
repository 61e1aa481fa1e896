/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one file from wherever it is: a web server, a bucket, a path; as a stream, and only
 * if they have changed. What breaks off goes on where it stopped, if the source can and still has
 * the same; else it begins anew.
 *
 *	MlvImportFetch fetch = { .repo = repo, .url = url, .known = &stamp, .begin = ..., .take =
 * ... };
 *	if (!mlv_import_fetch(&fetch, &changed, &stamp, error)) ...
 *
 * Main thread.
 */
#ifndef MLV_CORE_IMPORT_FETCH_H
#define MLV_CORE_IMPORT_FETCH_H

#include "core/import_record.h"

typedef struct {
	MlvRepo *repo;               /* whose logins, settings and main root are used */
	const char *url;             /* as mlv_import_url_check takes it */
	const MlvImportStamp *known; /* of the version that is here; NULL: bring it in any case */
	gboolean look;               /* only find out whether it has changed */
	/* The bytes begin, from the first; if it is called again, what came before is void. size:
	 * G_MAXUINT64 where it is not known. */
	gboolean (*begin)(guint64 size, gpointer user, GError **error);
	gboolean (*take)(const void *data, gsize length, gpointer user, GError **error);
	gpointer user;
	const volatile sig_atomic_t *cancel; /* may be NULL */
} MlvImportFetch;

/* TRUE with *changed FALSE if the source says that it still has what is known; otherwise with all
 * bytes given and *stamp filled in (clear it; with `look` as far as the source says). A source that
 * is not there is MLV_ERROR_MISSING. *executable: 0 or 1 of a path; -1 where that is not known. */
gboolean mlv_import_fetch(const MlvImportFetch *fetch, gboolean *changed, MlvImportStamp *stamp,
			  int *executable, GError **error);

#endif
