/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a table: the first byte says of which kind. What is read is drawn too. */
#include <stdint.h>
#include <stdlib.h>

#include "core/plot/plot_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const char *const labels[] = { "a.csv", "a.tsv", "a.json", "a.jsonl", "a.yaml" };
	guint first = length > 0 ? data[0] : 0;
	const MlvPlotTableOptions options = { .no_header = (first & 8) != 0,
					      .field = first & 16 ? "x" : NULL };

	if (length < 1 || length > 65536)
		return 0;
	g_autoptr(MlvPlotTable) grid =
		mlv_plot_table_parse(&options, (const char *)data + 1, length - 1,
				     labels[(first & 7) % G_N_ELEMENTS(labels)], NULL);
	if (!grid)
		return 0;
	for (guint column = 0; column < grid->names->len; column++) {
		const char *name = grid->names->pdata[column];
		if (!g_utf8_validate(name, -1, NULL) ||
		    mlv_plot_table_column(grid, name) != (gint)column)
			abort();
		mlv_plot_table_is_numeric(grid, column);
		for (guint row = 0; row < grid->n_rows; row++) {
			const char *cell = mlv_plot_table_cell(grid, row, column);
			double number;
			if (cell && mlv_plot_table_parse_number(cell, &number) !=
					    mlv_plot_table_number(grid, row, column, &number))
				abort();
		}
	}
	return 0;
}
