/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing values, and showing them. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/measure/measures.h"

static gboolean is_number(const MlvValue *value)
{
	return mlv_value_is(value, MLV_VALUE_INT) || mlv_value_is(value, MLV_VALUE_FLOAT);
}

static double number_of(const MlvValue *value)
{
	if (value->type == MLV_VALUE_FLOAT)
		return value->real;
	return value->big ? g_ascii_strtod(value->text, NULL) : (double)value->integer;
}

gboolean mlv_measure_changed(const MlvValue *from, const MlvValue *to)
{
	return !mlv_value_equal(from, to);
}

/* Takes away what binary fractions add: 0.91 - 0.9 is 0.01. The result has no more digits than the
 * two numbers together had. */
static double subtract(double to, double from)
{
	double difference = to - from, rounded;
	char text[64];

	if (!isfinite(difference) || difference == 0)
		return difference;
	g_ascii_formatd(text, sizeof text, "%.12g", difference);
	rounded = g_ascii_strtod(text, NULL);
	/* Only noise of the size that rounding of the inputs explains. */
	return fabs(rounded - difference) <= 4 * DBL_EPSILON * fmax(fabs(to), fabs(from))
		       ? rounded
		       : difference;
}

MlvValue *mlv_measure_difference(const MlvValue *from, const MlvValue *to)
{
	gint64 difference;

	if (!is_number(from) || !is_number(to))
		return NULL;
	if (from->type == MLV_VALUE_INT && to->type == MLV_VALUE_INT && !from->big && !to->big &&
	    !__builtin_sub_overflow(to->integer, from->integer, &difference))
		return mlv_value_new_int(difference);
	if (mlv_value_equal(from, to))
		return mlv_value_new_float(isnan(number_of(to)) ? NAN : 0);
	return mlv_value_new_float(subtract(number_of(to), number_of(from)));
}

MlvVerdict mlv_measure_verdict(MlvDirection direction, const MlvValue *from, const MlvValue *to)
{
	if (direction == MLV_DIRECTION_UNKNOWN || !is_number(from) || !is_number(to) ||
	    mlv_value_equal(from, to))
		return MLV_VERDICT_NONE;
	double old = number_of(from), new = number_of(to);
	/* What became NaN is broken. */
	if (isnan(new))
		return MLV_VERDICT_WORSE;
	if (isnan(old))
		return MLV_VERDICT_BETTER;
	if (old == new)
		return MLV_VERDICT_NONE;
	return (new > old) == (direction == MLV_DIRECTION_HIGHER) ? MLV_VERDICT_BETTER
								  : MLV_VERDICT_WORSE;
}

char *mlv_measure_text(const MlvValue *value, guint precision)
{
	char format[16], text[64];

	if (!value)
		return g_strdup("-");
	if (value->type == MLV_VALUE_NULL)
		return g_strdup("null");
	if (value->type != MLV_VALUE_FLOAT || precision == 0 || !isfinite(value->real))
		return mlv_value_text(value);
	g_snprintf(format, sizeof format, "%%.%ug", MIN(precision, 17u));
	g_ascii_formatd(text, sizeof text, format, value->real);
	return g_strdup(text);
}

char *mlv_measure_difference_text(const MlvValue *difference, guint precision)
{
	g_autofree char *text = mlv_measure_text(difference, precision);
	gboolean sign = is_number(difference) && number_of(difference) > 0;

	return g_strconcat(sign ? "+" : "", text, NULL);
}
