/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs in dependencies: '*' and '?' within a part, [..] classes, "**" alone in a part for any
 * number of folders, backslash to take a character as it is. As in a shell a name that begins with
 * a dot is matched only by a pattern that says the dot; mlv's own files (pointers, mlv.lock) never
 * are. Pure but for the files that are listed; one thread.
 */
#ifndef MLV_CORE_PIPELINE_GLOB_H
#define MLV_CORE_PIPELINE_GLOB_H

#include "core/pipeline/files.h"

/* Whether a path has a character that makes it a pattern. */
gboolean mlv_glob_is(const char *text);
/* Whether the pattern matches the path (both relative to the root). */
gboolean mlv_glob_matches(const char *pattern, const char *path);
/* Whether the pattern could match something below the path. */
gboolean mlv_glob_may_match_below(const char *pattern, const char *path);
/* The folder below which all matches lie: the parts before the first that is a pattern. Caller
 * frees. */
char *mlv_glob_folder(const char *pattern);
/* The files and folders that match now, sorted by bytes, of char *; none is an empty array. Free
 * with g_ptr_array_unref. */
GPtrArray *mlv_glob_expand(const MlvFiles *files, const char *pattern, GError **error);

#endif
