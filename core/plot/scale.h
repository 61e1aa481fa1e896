/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Axes: a range of numbers rounded to nice ends, with ticks at 1, 2 or 5 times a power of ten, and
 * how numbers are written on it. Pure functions; the same input gives the same text anywhere.
 */
#ifndef MLV_CORE_PLOT_SCALE_H
#define MLV_CORE_PLOT_SCALE_H

#include <glib.h>

typedef struct {
	double from, to; /* from < to, both finite */
	double step;     /* between ticks */
	double first;    /* the first tick */
	guint ticks;
	int decimals; /* that tick labels need; -1: they are written with an exponent */
} MlvScale;

/* A scale for the numbers from `low` to `high` (swapped, equal or not finite is understood) with
 * about `count` ticks. With `round` the ends are ticks as well. */
void mlv_scale_init(MlvScale *scale, double low, double high, guint count, gboolean round);
/* The value of a tick, exactly as its label says. */
double mlv_scale_tick(const MlvScale *scale, guint i);
/* Its label. Caller frees. */
char *mlv_scale_label(const MlvScale *scale, double tick);
/* Where a number lies: 0 at `from`, 1 at `to`. */
double mlv_scale_place(const MlvScale *scale, double number);

/* A number for people with at most `digits` significant digits: "0.31", "1.2e-07". Caller frees. */
char *mlv_scale_number(double number, guint digits);

#endif
