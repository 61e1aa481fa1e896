/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by plot_table.c, plot_table_csv.c and plot_table_records.c. */
#ifndef MLV_CORE_PLOT_PLOT_TABLE_PRIVATE_H
#define MLV_CORE_PLOT_PLOT_TABLE_PRIVATE_H

#include "core/plot/plot_table.h"

MlvPlotTable *mlv_plot_table_new(void);
/* Names a further column, valid UTF-8 or not; a name that is there gets a number behind it. */
void mlv_plot_table_add_column(MlvPlotTable *grid, const char *name);
/* Whether a row of as many cells as there are columns still fits; else the table is truncated. */
gboolean mlv_plot_table_has_room(MlvPlotTable *grid);
/* Adds a row: n cells, which must live as long as the table; what lacks is NULL. */
void mlv_plot_table_add_row(MlvPlotTable *grid, const char *const *cells, guint n);

MlvPlotTable *mlv_plot_table_parse_csv(const MlvPlotTableOptions *options, const char *data,
				       gsize length, const char *label, GError **error);
MlvPlotTable *mlv_plot_table_parse_lines(const char *data, gsize length, const char *label,
					 GError **error);

#endif
