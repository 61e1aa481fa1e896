/* SPDX-License-Identifier: Apache-2.0 */
#include "core/nearest_word.h"

#include <string.h>

/* Words longer than this are no mistyped names. */
#define WORD_MAX 64

static guint min3(guint a, guint b, guint c)
{
	return MIN(MIN(a, b), c);
}

/* Edits from one word to the other: a byte put in, left out, replaced, or two neighbours swapped
 * (optimal string alignment: Damerau 1964, without editing a place twice). */
static guint distance(const char *a, const char *b)
{
	gsize n = strlen(a), m = strlen(b);
	guint rows[3][WORD_MAX + 1];

	if (n > WORD_MAX || m > WORD_MAX)
		return G_MAXUINT;
	for (gsize j = 0; j <= m; j++)
		rows[0][j] = (guint)j;
	for (gsize i = 1; i <= n; i++) {
		guint *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = (guint)i;
		for (gsize j = 1; j <= m; j++) {
			guint replaced = last[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = min3(last[j] + 1, row[j - 1] + 1, replaced);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *mlv_nearest_word(const char *word, const char *const *names)
{
	const char *best = NULL;
	guint least = G_MAXUINT;

	for (; *names; names++) {
		guint edits = distance(word, *names);

		/* A third of the letters may be wrong; a word that begins like the name is near
		 * as well. */
		if (strlen(word) >= 3 && g_str_has_prefix(*names, word))
			edits = MIN(edits, 1);
		if (edits < least && edits <= MAX(1, strlen(*names) / 3) && edits < strlen(word)) {
			least = edits;
			best = *names;
		}
	}
	return best;
}
