/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plot with its data, of all revisions: what svg.h and text_chart.h draw.
 *
 *	g_autoptr(MlvPlotLoader) loader = mlv_plot_loader_new(sides);
 *	g_autoptr(MlvPlot) plot = mlv_plot_load(loader, def);
 *
 * What cannot be read at a revision is a note of the plot, never an error of the whole. Main
 * thread.
 */
#ifndef MLV_CORE_PLOT_PLOT_H
#define MLV_CORE_PLOT_PLOT_H

#include "core/plot/picture.h"
#include "core/plot/plot_def.h"

#define MLV_PLOT_CLASSES_MAX 100u /* of a confusion matrix, or bars */

/* The points of one column at one revision, in the file's order. */
typedef struct {
	char *label;   /* what tells it from the others of its revision */
	guint side;    /* index of the revision */
	guint variant; /* which of the plot's sources it is */
	GArray *x, *y; /* of double, as many of each; y may be NaN or infinite, x is finite */
} MlvPlotSeries;

/* How often the y class i came with the x class j: counts[i * classes + j]. */
typedef struct {
	char *label;    /* as that of a series */
	guint side;     /* index of the revision */
	guint variant;  /* which of the plot's sources it is */
	GArray *counts; /* of double; normalized: parts of the row's sum */
} MlvPlotMatrix;

typedef struct {
	guint side;
	GBytes *bytes;
	MlvPictureInfo info;
} MlvPlotImage;

typedef struct {
	const MlvPlotDef *def; /* borrowed */
	MlvPlotKind kind;
	char *title, *x_label, *y_label;
	GPtrArray *series;   /* of MlvPlotSeries *: all kinds but the next two */
	GPtrArray *matrices; /* of MlvPlotMatrix * */
	GPtrArray *images;   /* of MlvPlotImage * */
	/* Where an axis has names in place of numbers: of char *, the i-th at i; else NULL. Of a
	 * matrix both are the same. */
	GPtrArray *x_names, *y_names;
	double bin_width; /* histogram: x is where a bin begins */
	GPtrArray *notes; /* of char *: what is lacking, or was left out */
} MlvPlot;

void mlv_plot_free(MlvPlot *plot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPlot, mlv_plot_free)
/* Whether there is nothing to draw. */
gboolean mlv_plot_is_empty(const MlvPlot *plot);

/* Whether two revisions, by their index, look different in it. */
gboolean mlv_plot_differs(const MlvPlot *plot, guint a, guint b);

typedef struct MlvPlotLoader MlvPlotLoader;

/* `sides`, of MlvSide *, are borrowed. */
MlvPlotLoader *mlv_plot_loader_new(const GPtrArray *sides);
void mlv_plot_loader_free(MlvPlotLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPlotLoader, mlv_plot_loader_free)
/* Never NULL. */
MlvPlot *mlv_plot_load(MlvPlotLoader *loader, const MlvPlotDef *def);

#endif
