/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as ignore rules (up to the first NUL) and a path (behind it). Lines that are added
 * can be taken away again, and leave the file as it was but for its last line end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void add_and_remove(const char *rules, gsize length)
{
	const char *const names[] = { "a name that no line of the input has \t ", NULL };
	g_autoptr(GBytes) longer = mlv_ignore_add_lines(rules, length, names, 1);

	if (!longer)
		return;
	gsize n;
	const char *text = g_bytes_get_data(longer, &n);
	g_autoptr(GBytes) back = mlv_ignore_remove_lines(text, n, names, 1);
	if (!back || g_bytes_get_size(back) < length ||
	    memcmp(g_bytes_get_data(back, NULL) ? g_bytes_get_data(back, NULL) : "", rules,
		   length) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (length > 4096)
		return 0;
	g_autofree char *text = g_strndup((const char *)data, length);
	gsize split = strlen(text);
	g_autofree char *path =
		split < length ? g_strndup((const char *)data + split + 1, length - split - 1)
			       : g_strdup("a/b");
	g_autoptr(MlvIgnoreRules) rules = mlv_ignore_rules_new(NULL, "", text, split);

	mlv_ignore_match(rules, path, TRUE);
	mlv_ignore_match(rules, path, FALSE);
	mlv_ignore_wildmatch(text, path);
	add_and_remove(text, split);
	return 0;
}
