/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by plot_load.c, plot_points.c and plot_count.c. */
#ifndef MLV_CORE_PLOT_PLOT_PRIVATE_H
#define MLV_CORE_PLOT_PLOT_PRIVATE_H

#include "core/plot/plot.h"
#include "core/plot/plot_table.h"

/* The columns of one source at one side. */
typedef struct {
	guint side, variant;
	const MlvPlotTable *grid;   /* where y is; borrowed from the loader */
	const MlvPlotTable *x_grid; /* where x is; mostly the same */
	gint x, y;                  /* columns; x -1: the number of the row */
	guint n;                    /* rows that both have */
} MlvPlotColumns;

void mlv_plot_note(MlvPlot *plot, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Each makes of the columns (of MlvPlotColumns) what the plot shows. */
void mlv_plot_take_points(MlvPlot *plot, const GArray *columns);
void mlv_plot_take_histogram(MlvPlot *plot, const GArray *columns);
void mlv_plot_take_matrices(MlvPlot *plot, const GArray *columns);
void mlv_plot_take_bars(MlvPlot *plot, const GArray *columns);

/* What tells a source from the plot's others: its column, or what of its file's path they do not
 * share, or both. Caller frees. */
char *mlv_plot_label(const MlvPlot *plot, const MlvPlotColumns *columns);
MlvPlotSeries *mlv_plot_add_series(MlvPlot *plot, const MlvPlotColumns *columns);

/* Names in the order in which they were seen; the number of one. */
typedef struct {
	GPtrArray *names; /* of char * */
	GHashTable *numbers;
	guint max; /* more are G_MAXUINT */
} MlvPlotNames;
void mlv_plot_names_init(MlvPlotNames *names, guint max);
guint mlv_plot_names_add(MlvPlotNames *names, const char *name);
/* The names; the rest is freed. */
GPtrArray *mlv_plot_names_end(MlvPlotNames *names);

#endif
