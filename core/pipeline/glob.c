/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern is a small automaton: state i has matched the parts before the i-th; a part "**" may be
 * passed over, or stay for one more part of the path. All states are followed at once, so that no
 * pattern takes more than the product of the lengths. */
#include "core/pipeline/glob.h"

#include <string.h>

#include "core/ignore.h"
#include "core/pipeline/lock.h"
#include "core/pointer.h"

typedef struct {
	char **parts;
	gsize count;
} Pattern;

static void pattern_init(Pattern *pattern, const char *text)
{
	pattern->parts = g_strsplit(text, "/", -1);
	pattern->count = g_strv_length(pattern->parts);
}

static gboolean is_any(const char *part)
{
	return strcmp(part, "**") == 0;
}

/* Whether a part has a character that is not taken as it is. */
static gboolean is_special(const char *part)
{
	for (; *part; part++) {
		if (strchr("*?[", *part))
			return TRUE;
		part += *part == '\\' && part[1];
	}
	return FALSE;
}

/* Bytes as states: a set that has state i has a 1 there. */
typedef guint8 *States;

static States states_new(const Pattern *pattern)
{
	return g_malloc0(pattern->count + 1);
}

/* "**" stands for no part as well; but the last one for at least one. */
static void states_pass(const Pattern *pattern, States states)
{
	for (gsize i = 0; i + 1 < pattern->count; i++)
		if (states[i] && is_any(pattern->parts[i]))
			states[i + 1] = 1;
}

/* Whether a part of the pattern matches a name. */
static gboolean part_matches(const char *part, const char *name)
{
	gboolean dot = *part == '.' || (part[0] == '\\' && part[1] == '.');

	if (*name == '.' && !dot)
		return FALSE;
	if (!is_special(part))
		return mlv_ignore_wildmatch(part, name);
	if (strcmp(name, MLV_LOCK_NAME) == 0 || mlv_pointer_is_path(name))
		return FALSE;
	return is_any(part) || mlv_ignore_wildmatch(part, name);
}

/* The states behind one more part of a path; *any: there are some. Caller frees. */
static States states_step(const Pattern *pattern, const guint8 *states, const char *name,
			  gboolean *any)
{
	States next = states_new(pattern);

	*any = FALSE;
	for (gsize i = 0; i < pattern->count; i++) {
		if (!states[i] || !part_matches(pattern->parts[i], name))
			continue;
		*any = TRUE;
		if (is_any(pattern->parts[i]))
			next[i] = 1;
		if (!is_any(pattern->parts[i]) || i + 1 == pattern->count)
			next[i + 1] = 1;
	}
	states_pass(pattern, next);
	return next;
}

/* The states behind a path. Caller frees. */
static States run(const Pattern *pattern, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	g_autofree guint8 *states = states_new(pattern);
	gboolean any = TRUE;

	states[0] = 1;
	states_pass(pattern, states);
	for (char **name = names; *name && any; name++) {
		guint8 *next = states_step(pattern, states, *name, &any);
		g_free(states);
		states = next;
	}
	return g_steal_pointer(&states);
}

gboolean mlv_glob_is(const char *text)
{
	return strpbrk(text, "*?[") && mlv_ignore_wildmatch_valid(text);
}

gboolean mlv_glob_matches(const char *text, const char *path)
{
	Pattern pattern;

	pattern_init(&pattern, text);
	g_autofree guint8 *states = run(&pattern, path);
	gboolean matches = states[pattern.count];
	g_strfreev(pattern.parts);
	return matches;
}

gboolean mlv_glob_may_match_below(const char *text, const char *path)
{
	Pattern pattern;

	pattern_init(&pattern, text);
	g_autofree guint8 *states = *path ? run(&pattern, path) : states_new(&pattern);
	gboolean may = !*path || memchr(states, 1, pattern.count) != NULL;
	g_strfreev(pattern.parts);
	return may;
}

char *mlv_glob_folder(const char *text)
{
	GString *folder = g_string_new("");
	g_auto(GStrv) parts = g_strsplit(text, "/", -1);

	for (guint i = 0; parts[i] && parts[i + 1] && !is_special(parts[i]); i++) {
		if (i)
			g_string_append_c(folder, '/');
		for (const char *at = parts[i]; *at; at++) {
			at += *at == '\\' && at[1];
			g_string_append_c(folder, *at);
		}
	}
	return g_string_free(folder, FALSE);
}

/* --- what is there ---------------------------------------------------------------------------- */

typedef struct {
	const MlvFiles *files;
	Pattern pattern;
	GPtrArray *found;
} Walk;

static gboolean walk(Walk *walker, const char *folder, const guint8 *states, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) names = walker->files->list(walker->files->user, folder, &problem);

	if (!names && problem->code == MLV_ERROR_MISSING)
		return TRUE;
	if (!names) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	for (guint i = 0; i < names->len; i++) {
		char *name = names->pdata[i];
		gsize length = strlen(name);
		gboolean is_folder = length > 0 && name[length - 1] == '/', any;

		if (is_folder)
			name[length - 1] = '\0';
		g_autofree guint8 *next = states_step(&walker->pattern, states, name, &any);
		if (!any)
			continue;
		g_autofree char *path = g_strconcat(folder, *folder ? "/" : "", name, NULL);
		if (next[walker->pattern.count])
			g_ptr_array_add(walker->found, g_steal_pointer(&path));
		else if (is_folder && !walk(walker, path, next, error))
			return FALSE;
	}
	return TRUE;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *mlv_glob_expand(const MlvFiles *files, const char *text, GError **error)
{
	g_autofree char *folder = mlv_glob_folder(text);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	Walk walker = { .files = files, .found = found };

	pattern_init(&walker.pattern, text);
	g_autofree guint8 *states = NULL;
	if (*folder) {
		states = run(&walker.pattern, folder);
	} else {
		states = states_new(&walker.pattern);
		states[0] = 1;
		states_pass(&walker.pattern, states);
	}
	gboolean ok = walk(&walker, folder, states, error);
	g_strfreev(walker.pattern.parts);
	if (!ok)
		return NULL;
	g_ptr_array_sort(found, compare_paths);
	return g_steal_pointer(&found);
}
