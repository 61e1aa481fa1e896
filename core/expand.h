/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns to the paths of the work tree that they name. */
#ifndef MLV_CORE_EXPAND_H
#define MLV_CORE_EXPAND_H

#include "core/repo.h"

/* Each path (relative to the root) that holds `* ? [` is replaced by what it matches, sorted;
 * "**" crosses folders. A path that exists as it is stays. No match is MLV_ERROR_MISSING. What
 * matches is not searched further; symlinks are not followed, git's own folders not entered,
 * pointers not matched, nor, unless `all`, what a .mlvignore leaves out. NULL-terminated; free with
 * g_strfreev. */
char **mlv_expand_globs(MlvRepo *repo, char *const *paths, gboolean all, GError **error);

#endif
