/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gitignore(5) patterns. A pattern is matched part by part between slashes; "**" alone in a part
 * stands for any number of parts. Both levels go back to the last star only, so the time is bounded
 * by the product of the lengths whatever the pattern.
 */
#include <string.h>

#include "core/ignore.h"

static gboolean in_class(const char *name, gsize length, guchar c)
{
	static const struct {
		const char *name;
		GAsciiType type;
	} classes[] = {
		{ "alnum", G_ASCII_ALNUM },   { "alpha", G_ASCII_ALPHA },
		{ "cntrl", G_ASCII_CNTRL },   { "digit", G_ASCII_DIGIT },
		{ "graph", G_ASCII_GRAPH },   { "lower", G_ASCII_LOWER },
		{ "print", G_ASCII_PRINT },   { "punct", G_ASCII_PUNCT },
		{ "space", G_ASCII_SPACE },   { "upper", G_ASCII_UPPER },
		{ "xdigit", G_ASCII_XDIGIT },
	};

	if (length == 5 && memcmp(name, "blank", 5) == 0)
		return c == ' ' || c == '\t';
	for (gsize i = 0; i < G_N_ELEMENTS(classes); i++)
		if (strlen(classes[i].name) == length && memcmp(classes[i].name, name, length) == 0)
			return (g_ascii_table[c] & classes[i].type) != 0;
	return FALSE;
}

/* A bracket expression, `at` behind its '['. Gives what stands behind its ']', or NULL if it has
 * none; *matches tells whether `c` is in it. */
static const char *match_bracket(const char *at, guchar c, gboolean *matches)
{
	gboolean negated = *at == '!' || *at == '^';
	gboolean found = FALSE;

	at += negated;
	for (gboolean first = TRUE; *at && (first || *at != ']'); first = FALSE) {
		if (at[0] == '[' && at[1] == ':') {
			gsize length = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz");
			if (length <= 6 && at[2 + length] == ':' && at[3 + length] == ']') {
				found |= in_class(at + 2, length, c);
				at += length + 4;
				continue;
			}
		}
		if (*at == '\\' && at[1])
			at++;
		guchar low = (guchar)*at++, high = low;
		if (at[0] == '-' && at[1] && at[1] != ']') {
			at++;
			if (*at == '\\' && at[1])
				at++;
			high = (guchar)*at++;
		}
		/* As in git, the first of a range that goes backwards is in it all the same. */
		found |= c == low || (c >= low && c <= high);
	}
	if (*at != ']')
		return NULL;
	*matches = found != negated;
	return at + 1;
}

/* The end of a pattern's part: the next slash that is not within brackets. */
static const char *part_end(const char *at)
{
	while (*at && *at != '/') {
		gboolean matches;
		const char *behind = *at == '[' ? match_bracket(at + 1, 0, &matches) : NULL;
		if (behind)
			at = behind;
		else
			at += *at == '\\' && at[1] ? 2 : 1;
	}
	return at;
}

gboolean mlv_ignore_wildmatch_valid(const char *pattern)
{
	while (pattern && *pattern) {
		gboolean matches;
		if (*pattern == '\\')
			pattern = pattern[1] ? pattern + 2 : NULL;
		else if (*pattern == '[')
			pattern = match_bracket(pattern + 1, 0, &matches);
		else
			pattern++;
	}
	return pattern != NULL;
}

/* One byte of text against what stands at *pattern (no star); moves *pattern behind it. */
static gboolean match_one(const char **pattern, const char *end, guchar c)
{
	const char *at = *pattern;
	gboolean matches = FALSE;

	if (at >= end)
		return FALSE;
	if (*at == '?') {
		*pattern = at + 1;
		return TRUE;
	}
	if (*at == '[') {
		const char *behind = match_bracket(at + 1, c, &matches);
		if (!behind || behind > end)
			return FALSE;
		*pattern = behind;
		return matches;
	}
	if (*at == '\\') {
		if (at + 1 >= end)
			return FALSE;
		at++;
	}
	*pattern = at + 1;
	return (guchar)*at == c;
}

/* One part against one part. */
static gboolean match_part(const char *pattern, const char *pattern_end, const char *text,
			   const char *text_end)
{
	const char *star = NULL, *resume = NULL;

	for (;;) {
		if (pattern < pattern_end && *pattern == '*') {
			star = ++pattern;
			resume = text;
			continue;
		}
		if (text == text_end) {
			if (pattern == pattern_end)
				return TRUE;
			return FALSE;
		}
		if (match_one(&pattern, pattern_end, (guchar)*text)) {
			text++;
			continue;
		}
		if (!star)
			return FALSE;
		pattern = star;
		text = ++resume;
	}
}

static const char *text_end(const char *text)
{
	const char *slash = strchr(text, '/');
	return slash ? slash : text + strlen(text);
}

/* "**", which git takes more stars for too. */
static gboolean is_deep(const char *at, const char *end)
{
	return end - at >= 2 && (gsize)(end - at) == strspn(at, "*");
}

gboolean mlv_ignore_wildmatch(const char *pattern, const char *text)
{
	const char *deep = NULL, *resume = NULL; /* behind the last "**", and where it ended */

	/* Pointers are NULL once the last part is used up. */
	for (;;) {
		const char *end = pattern ? part_end(pattern) : NULL;
		if (pattern && is_deep(pattern, end)) {
			if (!*end)
				return text != NULL;
			pattern = deep = end + 1;
			resume = text;
			continue;
		}
		if (!text)
			return !pattern;
		const char *stop = text_end(text);
		if (pattern && match_part(pattern, end, text, stop)) {
			pattern = *end ? end + 1 : NULL;
			text = *stop ? stop + 1 : NULL;
			continue;
		}
		if (!deep || !resume)
			return FALSE;
		const char *skipped = text_end(resume);
		resume = *skipped ? skipped + 1 : NULL;
		pattern = deep;
		text = resume;
	}
}
