/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plot/scale.h"

#include <math.h>
#include <string.h>

#define TICKS_MAX 1000u

/* The nice step for a range: 1, 2 or 5 times a power of ten, so that there are about `count`. */
static double nice_step(double range, guint count, int *exponent)
{
	double raw = range / count, power, fraction;

	*exponent = (int)floor(log10(raw));
	power = pow(10, *exponent);
	fraction = raw / power;
	/* log10() may be off by the last bit at a power of ten. */
	if (fraction >= 9.9999999) {
		(*exponent)++;
		power *= 10;
		fraction /= 10;
	}
	if (fraction <= 1.0000001)
		return power;
	if (fraction <= 2.0000001)
		return 2 * power;
	if (fraction <= 5.0000001)
		return 5 * power;
	(*exponent)++;
	return 10 * power;
}

/* Widens a range that is none: around a number by a tenth of it. */
static void widen(double *low, double *high)
{
	double around = fabs(*low) > 0 ? fabs(*low) * 0.1 : 0.5;

	if (around < 1e-300)
		around = 1e-300;
	*low -= around;
	*high += around;
}

void mlv_scale_init(MlvScale *scale, double low, double high, guint count, gboolean round)
{
	int exponent;
	double first, last;

	memset(scale, 0, sizeof *scale);
	if (!isfinite(low) || !isfinite(high)) {
		low = 0;
		high = 1;
	}
	if (low > high) {
		double swap = low;
		low = high;
		high = swap;
	}
	low = CLAMP(low, -1e300, 1e300);
	high = CLAMP(high, -1e300, 1e300);
	/* As near to each other as doubles cannot tell ticks apart. */
	if (high - low <= fmax(fabs(low), fabs(high)) * 1e-12)
		widen(&low, &high);
	scale->step = nice_step(high - low, CLAMP(count, 2, 100), &exponent);
	first = floor(low / scale->step + 1e-9);
	last = ceil(high / scale->step - 1e-9);
	if (!round) {
		first = ceil(low / scale->step - 1e-9);
		last = floor(high / scale->step + 1e-9);
	}
	scale->from = round ? first * scale->step : low;
	scale->to = round ? last * scale->step : high;
	scale->first = first * scale->step;
	scale->ticks = (guint)CLAMP(last - first + 1, 0, TICKS_MAX);
	scale->decimals = exponent >= 0 ? 0 : -exponent;
	if (scale->decimals > 6 || fmax(fabs(scale->from), fabs(scale->to)) >= 1e7)
		scale->decimals = -1;
}

double mlv_scale_tick(const MlvScale *scale, guint i)
{
	/* By the whole number of steps, so that errors do not add up. */
	return (round(scale->first / scale->step) + i) * scale->step;
}

char *mlv_scale_label(const MlvScale *scale, double tick)
{
	char format[16], text[64];

	/* What is next to nothing beside a step is nothing, and has no sign. */
	if (fabs(tick) < fabs(scale->step) * 1e-9)
		return g_strdup("0");
	if (scale->decimals < 0)
		return mlv_scale_number(tick, 4);
	g_snprintf(format, sizeof format, "%%.%df", scale->decimals);
	g_ascii_formatd(text, sizeof text, format, tick);
	return g_strdup(text);
}

double mlv_scale_place(const MlvScale *scale, double number)
{
	return (number - scale->from) / (scale->to - scale->from);
}

char *mlv_scale_number(double number, guint digits)
{
	char format[16], text[64];

	if (!isfinite(number))
		return g_strdup(isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
	g_snprintf(format, sizeof format, "%%.%ug", CLAMP(digits, 1, 17));
	g_ascii_formatd(text, sizeof text, format, number == 0 ? 0 : number);
	return g_strdup(text);
}
