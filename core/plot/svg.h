/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plots as SVG, to be put into a page of HTML: no script, no style from elsewhere, no network. The
 * same plot gives the same bytes anywhere. Everything that comes from files is escaped here. Pure
 * functions.
 */
#ifndef MLV_CORE_PLOT_SVG_H
#define MLV_CORE_PLOT_SVG_H

#include "core/plot/plot.h"

/* The colour of the i-th revision, or series: "#0072b2"; after eight they begin again. Static. */
const char *mlv_svg_color(guint i);
/* How the lines of the i-th source of one revision are dashed: "" or "6 3". Static. */
const char *mlv_svg_dash(guint i);
/* Which colour a series has: by its revision where there are several, else by its source. */
guint mlv_svg_color_of(const MlvPlotSeries *series, guint sides);

/* A text within HTML or an attribute: &, <, >, quotes as entities; control characters, those that
 * turn the direction of text, and what is no UTF-8 as U+FFFD. */
void mlv_svg_append_text(GString *out, const char *text);
/* The same of a text of which only the first `max` characters are wanted. */
void mlv_svg_append_short(GString *out, const char *text, guint max);
/* For a terminal: what is harmful as above, but nothing is escaped. */
void mlv_svg_append_plain(GString *out, const char *text, guint max);
/* A coordinate with at most one decimal. */
void mlv_svg_append_number(GString *out, double number);

/* Lines, scatter plots, histograms and bars. `sides` is the number of revisions of the page. */
void mlv_svg_append_chart(GString *out, const MlvPlot *plot, guint sides);
/* One confusion matrix. */
void mlv_svg_append_matrix(GString *out, const MlvPlot *plot, const MlvPlotMatrix *matrix);

#endif
