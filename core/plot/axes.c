/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plot/axes.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
	double low, high;
	gboolean any;
} Range;

static void extend(Range *range, double number)
{
	if (!isfinite(number))
		return;
	range->low = range->any ? MIN(range->low, number) : number;
	range->high = range->any ? MAX(range->high, number) : number;
	range->any = TRUE;
}

/* Names lie at 0, 1, 2 ...: with room for half of one at both ends. */
static void init_names(MlvScale *scale, const GPtrArray *names)
{
	*scale = (MlvScale){ .from = -0.5, .to = names->len - 0.5, .step = 1, .ticks = names->len };
}

gboolean mlv_axes_init(MlvAxes *axes, const MlvPlot *plot, guint x_ticks, guint y_ticks)
{
	Range x = { 0 }, y = { 0 };
	gboolean counts = plot->kind == MLV_PLOT_HISTOGRAM;
	gboolean bars = plot->kind == MLV_PLOT_BARS || plot->kind == MLV_PLOT_BARS_SORTED;

	for (guint i = 0; i < plot->series->len; i++) {
		const MlvPlotSeries *series = plot->series->pdata[i];

		for (guint j = 0; j < series->x->len; j++) {
			double at_y = g_array_index(series->y, double, j);

			if (!isfinite(at_y))
				continue;
			extend(&x, g_array_index(series->x, double, j));
			extend(&y, at_y);
		}
	}
	if (!x.any)
		return FALSE;
	/* What is counted or measured from nothing begins there. */
	if (counts) {
		extend(&x, x.high + plot->bin_width);
		extend(&y, 0);
	}
	if (bars)
		extend(&x, 0);
	axes->x_names = plot->x_names;
	axes->y_names = plot->y_names;
	mlv_scale_init(&axes->x, x.low, x.high, x_ticks, bars || plot->kind == MLV_PLOT_SCATTER);
	mlv_scale_init(&axes->y, y.low, y.high, y_ticks, TRUE);
	if (axes->x_names)
		init_names(&axes->x, axes->x_names);
	if (axes->y_names)
		init_names(&axes->y, axes->y_names);
	return TRUE;
}

guint mlv_axes_name_step(const GPtrArray *names, guint max)
{
	return MAX(1, (names->len + max - 1) / MAX(max, 1));
}

static MlvPoint point_at(const MlvAxes *axes, const MlvPlotSeries *series, guint i)
{
	double y = g_array_index(series->y, double, i);

	return (MlvPoint){
		.x = mlv_scale_place(&axes->x, g_array_index(series->x, double, i)),
		.y = isfinite(y) ? mlv_scale_place(&axes->y, y) : NAN,
		.index = i,
	};
}

static gboolean is_sorted(const GArray *x)
{
	for (guint i = 1; i < x->len; i++)
		if (g_array_index(x, double, i) < g_array_index(x, double, i - 1))
			return FALSE;
	return TRUE;
}

/* Points of one column of the picture, as far as they are known. */
typedef struct {
	MlvPoint points[4]; /* first, lowest, highest, last */
	gboolean any;
	guint column;
} Bucket;

static gint compare_points(gconstpointer a, gconstpointer b)
{
	const MlvPoint *first = a, *second = b;
	return first->index < second->index ? -1 : first->index > second->index;
}

static void flush(Bucket *bucket, GArray *points)
{
	if (!bucket->any)
		return;
	qsort(bucket->points, 4, sizeof(MlvPoint), compare_points);
	for (guint i = 0; i < 4; i++)
		if (i == 0 || bucket->points[i].index != bucket->points[i - 1].index)
			g_array_append_val(points, bucket->points[i]);
	bucket->any = FALSE;
}

static void put(Bucket *bucket, MlvPoint point)
{
	if (!bucket->any) {
		for (guint i = 0; i < 4; i++)
			bucket->points[i] = point;
		bucket->any = TRUE;
		return;
	}
	if (point.y < bucket->points[1].y)
		bucket->points[1] = point;
	if (point.y > bucket->points[2].y)
		bucket->points[2] = point;
	bucket->points[3] = point;
}

GArray *mlv_axes_points(const MlvAxes *axes, const MlvPlotSeries *series, guint width)
{
	GArray *points = g_array_new(FALSE, FALSE, sizeof(MlvPoint));
	gboolean few = series->x->len <= 4 * width || !is_sorted(series->x);
	/* Not in order, and too many: every n-th. */
	guint stride = few && series->x->len > 40000 ? series->x->len / 20000 : 1;
	Bucket bucket = { .any = FALSE };

	for (guint i = 0; i < series->x->len; i += stride) {
		MlvPoint point = point_at(axes, series, i);
		guint column;

		if (few) {
			g_array_append_val(points, point);
			continue;
		}
		if (isnan(point.y)) {
			flush(&bucket, points);
			g_array_append_val(points, point);
			continue;
		}
		column = (guint)CLAMP(point.x * width, 0, (double)width);
		if (bucket.any && column != bucket.column)
			flush(&bucket, points);
		bucket.column = column;
		put(&bucket, point);
	}
	flush(&bucket, points);
	return points;
}

GArray *mlv_axes_cloud(const MlvAxes *axes, const MlvPlotSeries *series, guint width, guint height)
{
	GArray *points = g_array_new(FALSE, FALSE, sizeof(MlvPoint));
	g_autofree guint8 *seen = g_new0(guint8, (gsize)(width + 1) * (height + 1));

	for (guint i = 0; i < series->x->len; i++) {
		MlvPoint point = point_at(axes, series, i);
		gsize cell;

		if (isnan(point.y))
			continue;
		cell = (gsize)CLAMP(point.x * width, 0, (double)width) * (height + 1) +
		       (gsize)CLAMP(point.y * height, 0, (double)height);
		if (seen[cell])
			continue;
		seen[cell] = 1;
		g_array_append_val(points, point);
	}
	return points;
}
