/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ignore files: editing the lines of a .gitignore on its bytes, and matching the patterns of
 * .mlvignore files, which are written as gitignore(5) says. Pure functions of bytes; thread safe.
 */
#ifndef MLV_CORE_IGNORE_H
#define MLV_CORE_IGNORE_H

#include <glib.h>

/* The file's bytes with a line "/name" (escaped) for each of the `count` names in this folder that
 * has none yet, before the end; line ends are those that the file uses. NULL if nothing is to be
 * changed. */
GBytes *mlv_ignore_add_lines(const void *data, gsize length, const char *const *names, gsize count);
/* The bytes without those lines; NULL if none is there. */
GBytes *mlv_ignore_remove_lines(const void *data, gsize length, const char *const *names,
				gsize count);
/* The line for a name, without line end: "/" and the name escaped. */
char *mlv_ignore_line(const char *name);

/* Patterns of one directory's .mlvignore with those of the directories above it. Immutable and
 * reference-counted: the rules of a folder are shared by all below that have none of their own. */
typedef struct MlvIgnoreRules MlvIgnoreRules;

#define MLV_IGNORE_FILE     ".mlvignore"
#define MLV_IGNORE_FILE_MAX (1u << 20)

/* The rules for a directory whose .mlvignore holds these bytes. `parent` (may be NULL) are those of
 * the directory above; `dir` is this directory relative to where matching begins, "" there. Gives a
 * new reference, or a reference to parent (NULL if that is) when the bytes hold no pattern. */
MlvIgnoreRules *mlv_ignore_rules_new(MlvIgnoreRules *parent, const char *dir, const void *data,
				     gsize length);
MlvIgnoreRules *mlv_ignore_rules_ref(MlvIgnoreRules *rules);
void mlv_ignore_rules_unref(MlvIgnoreRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvIgnoreRules, mlv_ignore_rules_unref)

/* Whether these rules leave `path` (relative to where matching begins, "a/b/c") out. As in git,
 * what lies below a directory that is left out is not asked for: the walk does not enter it. rules
 * may be NULL: FALSE. */
gboolean mlv_ignore_match(const MlvIgnoreRules *rules, const char *path, gboolean is_dir);

/* git's wildmatch for one pattern and path: '*' and '?' do not cross '/', "**" between slashes
 * does, [..] classes, backslash. For --glob and path filters too. */
gboolean mlv_ignore_wildmatch(const char *pattern, const char *text);
/* Whether every '[' has its ']' and every backslash something behind it; other patterns match
 * nothing. */
gboolean mlv_ignore_wildmatch_valid(const char *pattern);

#endif
