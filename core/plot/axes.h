/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the points of a plot lie: the two axes, as numbers or names, that all its series share, and
 * fewer points where there are more than can be seen. Pure functions.
 */
#ifndef MLV_CORE_PLOT_AXES_H
#define MLV_CORE_PLOT_AXES_H

#include "core/plot/plot.h"
#include "core/plot/scale.h"

typedef struct {
	MlvScale x, y;
	const GPtrArray *x_names, *y_names; /* or NULL; the i-th lies at i */
} MlvAxes;

/* FALSE if there is no point to be seen. The counts are of ticks that are wanted. */
gboolean mlv_axes_init(MlvAxes *axes, const MlvPlot *plot, guint x_ticks, guint y_ticks);
/* Every how many names has a label, so that there are at most `max`. */
guint mlv_axes_name_step(const GPtrArray *names, guint max);

/* The points to draw for a series, as places from 0 to 1 along both axes. A line over more points
 * than four for each of `width` columns keeps the first, lowest, highest and last of each column,
 * which looks the same. A point that is no number has y NaN: the line is broken there. */
typedef struct {
	double x, y;
	guint index; /* in the series */
} MlvPoint;
/* Of MlvPoint. */
GArray *mlv_axes_points(const MlvAxes *axes, const MlvPlotSeries *series, guint width);
/* The same for a scatter plot: of points in the same cell of a raster only one. */
GArray *mlv_axes_cloud(const MlvAxes *axes, const MlvPlotSeries *series, guint width, guint height);

#endif
