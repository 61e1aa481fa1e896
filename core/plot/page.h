/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of HTML that needs nothing else: its style and pictures are in it, it runs no script and
 * may load nothing. The same content gives the same bytes.
 *
 *	mlv_page_begin(out, "Plots");
 *	mlv_page_revisions(out, names, ids, count);
 *	mlv_page_plot(out, plot, names, count);
 *	mlv_page_end(out);
 *
 * Texts are escaped here. Pure functions.
 */
#ifndef MLV_CORE_PLOT_PAGE_H
#define MLV_CORE_PLOT_PAGE_H

#include "core/plot/plot.h"

void mlv_page_begin(GString *out, const char *title);
void mlv_page_end(GString *out);
/* The names of the revisions with their colours; an id ("1a2b3c4...") may be NULL. */
void mlv_page_revisions(GString *out, const char *const *names, const char *const *ids,
			guint count);
void mlv_page_heading(GString *out, const char *text);
void mlv_page_paragraph(GString *out, const char *text);
/* A table; `align` has a letter a column, 'l' or 'r'; the first row is its head. `cells` has rows
 * times columns texts. A cell "better" or "worse" is coloured. */
void mlv_page_table(GString *out, const char *align, const char *const *cells, guint rows);
/* One plot, with its legend and notes. `names` are those of the revisions. */
void mlv_page_plot(GString *out, const MlvPlot *plot, const char *const *names, guint count);

#endif
