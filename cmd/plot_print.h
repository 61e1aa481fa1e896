/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where plots go: text to a terminal, a page of HTML, JSON.
 */
#ifndef MLV_CMD_PLOT_PRINT_H
#define MLV_CMD_PLOT_PRINT_H

#include "cmd/sides.h"
#include "core/plot/plot.h"

typedef struct {
	MlvCmd *cmd;
	const MlvSides *sides;
	const GPtrArray *defs; /* of MlvPlotDef * */
	guint width, height;   /* of text, in characters */
} MlvPlotPrint;

/* The names of the sides; the array (not the names) is the caller's. */
const char **mlv_plot_names(const MlvSides *sides);
/* The width of the terminal, else 80. */
guint mlv_plot_terminal_width(void);

gboolean mlv_plot_print_text(const MlvPlotPrint *print, GError **error);
gboolean mlv_plot_print_json(const MlvPlotPrint *print, GError **error);
/* A page into a file; "-" is the standard output. */
gboolean mlv_plot_print_page(const MlvPlotPrint *print, const char *file, GError **error);
/* Appends the names of the revisions, with their colours and commits, to a page. */
void mlv_plot_append_revisions(const MlvSides *sides, GString *page);
/* Appends the plots, each a figure, to a page. */
gboolean mlv_plot_append_figures(const MlvPlotPrint *print, GString *page, GError **error);

#endif
