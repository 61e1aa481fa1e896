/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/plot/plot.h"

static gboolean same_numbers(const GArray *a, const GArray *b)
{
	/* By their bits: NaN is the same as NaN. */
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len * sizeof(double)) == 0);
}

static const MlvPlotSeries *find_series(const MlvPlot *plot, guint side, guint variant)
{
	for (guint i = 0; i < plot->series->len; i++) {
		const MlvPlotSeries *series = plot->series->pdata[i];
		if (series->side == side && series->variant == variant)
			return series;
	}
	return NULL;
}

static const MlvPlotMatrix *find_matrix(const MlvPlot *plot, guint side, guint variant)
{
	for (guint i = 0; i < plot->matrices->len; i++) {
		const MlvPlotMatrix *matrix = plot->matrices->pdata[i];
		if (matrix->side == side && matrix->variant == variant)
			return matrix;
	}
	return NULL;
}

static gboolean matrices_differ(const MlvPlot *plot, guint a, guint b, guint variant)
{
	const MlvPlotMatrix *from = find_matrix(plot, a, variant);
	const MlvPlotMatrix *to = find_matrix(plot, b, variant);

	return !from != !to || (from && !same_numbers(from->counts, to->counts));
}

static GBytes *find_image(const MlvPlot *plot, guint side)
{
	for (guint i = 0; i < plot->images->len; i++)
		if (((MlvPlotImage *)plot->images->pdata[i])->side == side)
			return ((MlvPlotImage *)plot->images->pdata[i])->bytes;
	return NULL;
}

gboolean mlv_plot_differs(const MlvPlot *plot, guint a, guint b)
{
	GBytes *image_a = find_image(plot, a), *image_b = find_image(plot, b);

	if (!image_a != !image_b || (image_a && !g_bytes_equal(image_a, image_b)))
		return TRUE;
	for (guint i = 0; i < plot->def->sources->len; i++) {
		const MlvPlotSeries *from = find_series(plot, a, i), *to = find_series(plot, b, i);

		if (matrices_differ(plot, a, b, i))
			return TRUE;
		if (!from != !to ||
		    (from && (!same_numbers(from->x, to->x) || !same_numbers(from->y, to->y))))
			return TRUE;
	}
	return FALSE;
}
