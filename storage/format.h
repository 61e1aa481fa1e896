/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `format` file at the top of every store and remote: which version of the formats lies
 * there, and in which role. mlv-store(5) has its text.
 *
 *	g_autofree char *text = mlv_format_text(MLV_ROLE_REMOTE);
 *	mlv_format_check(bytes, MLV_ROLE_REMOTE, "file:///srv/data", error);
 *
 * A local store and a remote hold the same kinds of files but are kept by different rules (locks
 * there, roots here), so neither is ever used as the other.
 */
#ifndef MLV_STORAGE_FORMAT_H
#define MLV_STORAGE_FORMAT_H

#include "storage/error.h"

#define MLV_FORMAT_NAME "format"
#define MLV_FORMAT_MAX  4096 /* bytes that a format file never exceeds */

typedef enum {
	MLV_ROLE_STORE,
	MLV_ROLE_REMOTE,
} MlvRole;

/* The file's text for version 1. Free with g_free. */
char *mlv_format_text(MlvRole role);

/* Whether `bytes` are a format file that this program understands, for this role. `label` is
 * what messages call the place. A newer version or another role is MLV_ERROR_UNSUPPORTED,
 * anything else MLV_ERROR_CORRUPT. */
gboolean mlv_format_check(GBytes *bytes, MlvRole role, const char *label, GError **error);
/* Whether the bytes are that role's text gone wrong (no text at all, or a byte or two), rather
 * than another format. For fsck. */
gboolean mlv_format_is_damaged(GBytes *bytes, MlvRole role);

#endif
