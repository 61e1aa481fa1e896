/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a condition on runs and a word of `-S` (up to the first NUL), and as the record
 * of a run (all of them). A record that is read is written, and read again, the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/run/run_grid.h"
#include "core/run/run_where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void read_record(const char *text, gsize length, const MlvRunWhere *where)
{
	g_autoptr(MlvRun) run = mlv_run_parse(text, length, "it", NULL);

	if (!run)
		return;
	g_autofree char *first = mlv_run_format(run);
	g_autoptr(MlvRun) again = mlv_run_parse(first, strlen(first), "it", NULL);
	if (!again)
		abort();
	g_autofree char *second = mlv_run_format(again);
	if (strcmp(first, second) != 0)
		abort();
	if (where)
		mlv_run_where_matches(where, run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	if (length > 65536)
		return 0;
	g_autofree char *text = g_strndup((const char *)data, length);
	const char *words[] = { text, NULL };
	g_autoptr(MlvRunWhere) where = mlv_run_where_parse(text, NULL);
	g_autoptr(GPtrArray) axes = mlv_grid_parse(words, NULL);

	if (axes)
		mlv_grid_value(axes, mlv_grid_size(axes) - 1, 0);
	read_record((const char *)data, length, where);
	return 0;
}
