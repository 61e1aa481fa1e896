/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plots as text of Unicode characters: lines and points as Braille dots, bars as blocks, matrices
 * as tables. The same plot gives the same text. Pure functions.
 */
#ifndef MLV_CORE_PLOT_TEXT_PLOT_H
#define MLV_CORE_PLOT_TEXT_PLOT_H

#include "core/plot/plot.h"

typedef struct {
	guint width, height; /* columns and rows of the whole picture of a chart */
	gboolean color;      /* with the sequences of a terminal; without, several series are told
			      * apart by their marks */
} MlvTextOptions;

/* Title, picture, legend and notes. `names` are those of the revisions. */
void mlv_text_append_plot(GString *out, const MlvPlot *plot, const char *const *names, guint count,
			  const MlvTextOptions *options);

#endif
