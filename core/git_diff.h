/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git's own line diff, of two buffers. Thread safe.
 */
#ifndef MLV_CORE_GIT_DIFF_H
#define MLV_CORE_GIT_DIFF_H

#include "storage/error.h"

/* Appends the hunks of a unified diff ("@@ -1,3 +1,4 @@", then lines that begin with ' ', '-',
 * '+' or '\') with `context` lines around each. Nothing is appended where both are the same. */
gboolean mlv_git_diff_buffers(const void *from, gsize from_length, const void *to, gsize to_length,
			      guint context, GString *out, GError **error);

#endif
