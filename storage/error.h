/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error domain of mlv.
 *
 * A fallible function returns FALSE (or NULL) and sets `error`. The message says what failed, on
 * what, and why; who wants to add for whom uses g_prefix_error(). Only codes that some caller
 * branches on exist.
 *
 *	if (fsync(fd) < 0)
 *		return mlv_fail_errno(error, "cannot sync '%s'", name);
 */
#ifndef MLV_STORAGE_ERROR_H
#define MLV_STORAGE_ERROR_H

#include <glib.h>

typedef enum {
	MLV_ERROR_FAILED,      /* nothing to branch on */
	MLV_ERROR_CORRUPT,     /* bytes are not what they must be */
	MLV_ERROR_MISSING,     /* an object, file or name is not there */
	MLV_ERROR_EXISTS,      /* something is there already */
	MLV_ERROR_USAGE,       /* the call's words are wrong: exit status 129 */
	MLV_ERROR_CHECK,       /* done, and a check failed or something is missing: exit status 1 */
	MLV_ERROR_CANCELLED,   /* interrupted, or another job failed first */
	MLV_ERROR_UNSUPPORTED, /* the file system, server or format cannot do this */
	MLV_ERROR_SILENT,      /* the command has said all itself: exit status 1, print nothing */
} MlvError;

#define MLV_ERROR mlv_error_quark()
GQuark mlv_error_quark(void);

/* Sets `error` (may be NULL) to the message; returns FALSE, for `return mlv_fail(...)`. */
gboolean mlv_fail(GError **error, MlvError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same with ": " and errno's text behind; ENOENT gives MLV_ERROR_MISSING, EEXIST
 * MLV_ERROR_EXISTS, all else MLV_ERROR_FAILED. A full disk is told with what to do next. */
gboolean mlv_fail_errno(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
