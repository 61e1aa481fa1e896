/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/options_private.h"

static gboolean takes_value(const GOptionEntry *entry)
{
	return entry->arg != G_OPTION_ARG_NONE &&
	       !(entry->arg == G_OPTION_ARG_CALLBACK && (entry->flags & G_OPTION_FLAG_NO_ARG));
}

static gboolean value_is_optional(const GOptionEntry *entry)
{
	return entry->arg == G_OPTION_ARG_CALLBACK && (entry->flags & G_OPTION_FLAG_OPTIONAL_ARG);
}

const GOptionEntry *mlv_options_find_long(const GOptionEntry *entries, const char *name,
					  gsize length)
{
	for (; entries->long_name; entries++)
		if (strlen(entries->long_name) == length &&
		    memcmp(entries->long_name, name, length) == 0)
			return entries;
	return NULL;
}

const GOptionEntry *mlv_options_find_short(const GOptionEntry *entries, char letter)
{
	for (; entries->long_name; entries++)
		if (letter && entries->short_name == letter)
			return entries;
	return NULL;
}

static gboolean unknown_long(const GOptionEntry *entries, const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *near;

	for (; entries->long_name; entries++)
		if (!(entries->flags & G_OPTION_FLAG_HIDDEN))
			g_ptr_array_add(names, (gpointer)entries->long_name);
	g_ptr_array_add(names, NULL);
	near = mlv_options_nearest(name, (const char *const *)names->pdata);
	if (near)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"unknown option '--%s'; did you mean '--%s'?", name, near);
	return mlv_fail(error, MLV_ERROR_USAGE, "unknown option '--%s'", name);
}

/* "--name" or "--name=value" at argv[*index]; moves *index over a value that is a word of its
 * own. */
static gboolean split_long(MlvOptionsSplit *split, const GOptionEntry *entries, int argc,
			   char **argv, int *index, GError **error)
{
	const char *name = argv[*index] + 2;
	const char *equals = strchr(name, '=');
	gsize length = equals ? (gsize)(equals - name) : strlen(name);
	const GOptionEntry *entry = mlv_options_find_long(entries, name, length);

	if (!entry) {
		g_autofree char *alone = g_strndup(name, length);

		return unknown_long(entries, alone, error);
	}
	if (equals && !takes_value(entry))
		return mlv_fail(error, MLV_ERROR_USAGE, "option '--%s' takes no value",
				entry->long_name);
	g_ptr_array_add(split->options, g_strdup(argv[*index]));
	if (equals || !takes_value(entry) || value_is_optional(entry))
		return TRUE;
	if (*index + 1 >= argc)
		return mlv_fail(error, MLV_ERROR_USAGE, "option '--%s' needs a value",
				entry->long_name);
	g_ptr_array_add(split->options, g_strdup(argv[++*index]));
	return TRUE;
}

/* "-abm VALUE" or "-abmVALUE" at argv[*index]: each letter becomes a word, which GOption cannot
 * do itself. */
static gboolean split_short(MlvOptionsSplit *split, const GOptionEntry *entries, int argc,
			    char **argv, int *index, GError **error)
{
	for (const char *letter = argv[*index] + 1; *letter; letter++) {
		const GOptionEntry *entry = mlv_options_find_short(entries, *letter);

		if (!entry)
			return mlv_fail(error, MLV_ERROR_USAGE, "unknown option '-%c'%s%s", *letter,
					argv[*index][2] ? " in " : "",
					argv[*index][2] ? argv[*index] : "");
		g_ptr_array_add(split->options, g_strdup_printf("-%c", *letter));
		if (!takes_value(entry))
			continue;
		if (letter[1]) {
			g_ptr_array_add(split->options, g_strdup(letter + 1));
			return TRUE;
		}
		if (value_is_optional(entry))
			return TRUE;
		if (*index + 1 >= argc)
			return mlv_fail(error, MLV_ERROR_USAGE, "option '-%c' needs a value",
					*letter);
		g_ptr_array_add(split->options, g_strdup(argv[++*index]));
	}
	return TRUE;
}

gboolean mlv_options_split(MlvOptionsSplit *split, const GOptionEntry *entries, gboolean leading,
			   int argc, char **argv, GError **error)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *word = argv[i];
		gboolean plain = word[0] != '-' || !word[1];

		if (leading && plain)
			break;
		if (split->has_separator || plain || (split->rest && split->words->len > 0)) {
			g_ptr_array_add(split->words, argv[i]);
		} else if (strcmp(word, "--") == 0) {
			split->has_separator = TRUE;
			split->separator = split->words->len;
		} else if (word[1] == '-') {
			if (!split_long(split, entries, argc, argv, &i, error))
				return FALSE;
		} else if (!split_short(split, entries, argc, argv, &i, error)) {
			return FALSE;
		}
	}
	split->end = i;
	if (!split->has_separator)
		split->separator = split->words->len;
	return TRUE;
}
