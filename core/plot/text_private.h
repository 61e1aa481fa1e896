/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by text_plot.c, text_chart.c and text_bars.c. */
#ifndef MLV_CORE_PLOT_TEXT_PRIVATE_H
#define MLV_CORE_PLOT_TEXT_PRIVATE_H

#include "core/plot/text_plot.h"

#define MLV_TEXT_GUTTER 14u /* characters of a label at the left, at most */

/* The sequence of the i-th colour, and what ends it; "" without colours. Static. */
const char *mlv_text_color(const MlvTextOptions *options, guint i);
const char *mlv_text_reset(const MlvTextOptions *options);
/* Columns that a text takes. */
guint mlv_text_width(const char *text);
/* A text, harmless, cut and filled up to `width` columns. */
void mlv_text_append_cell(GString *out, const char *text, guint width, gboolean right);
/* The mark of the i-th series where there are no colours. Static. */
const char *mlv_text_mark(guint i);

void mlv_text_append_chart(GString *out, const MlvPlot *plot, guint sides,
			   const MlvTextOptions *options);
/* Bars, and histograms. */
void mlv_text_append_bars(GString *out, const MlvPlot *plot, guint sides,
			  const MlvTextOptions *options);
void mlv_text_append_matrix(GString *out, const MlvPlot *plot, const MlvPlotMatrix *matrix,
			    const MlvTextOptions *options);

#endif
