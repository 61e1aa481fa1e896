/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/tolerance.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void tolerance_free(gpointer data)
{
	MlvTolerance *tolerance = data;

	g_free(tolerance->name);
	g_free(tolerance);
}

static gboolean parse_amount(const char *text, MlvTolerance *tolerance)
{
	char *end = NULL;

	tolerance->amount = g_ascii_strtod(text, &end);
	if (end == text || !isfinite(tolerance->amount) || tolerance->amount < 0)
		return FALSE;
	tolerance->relative = *end == '%';
	if (tolerance->relative) {
		tolerance->amount /= 100;
		end++;
	}
	return *end == '\0';
}

GPtrArray *mlv_tolerances_parse(const char *const *words, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(tolerance_free);

	for (; words && *words; words++) {
		const char *equals = strrchr(*words, '=');
		MlvTolerance *tolerance = g_new0(MlvTolerance, 1);
		g_ptr_array_add(all, tolerance);
		tolerance->name = equals ? g_strndup(*words, (gsize)(equals - *words)) : NULL;
		if (!equals || equals == *words || !parse_amount(equals + 1, tolerance)) {
			mlv_fail(error, MLV_ERROR_USAGE,
				 "'%s' is no tolerance: give NAME=NUMBER, or NAME=NUMBER%%, as in "
				 "'acc=1e-6'",
				 *words);
			return NULL;
		}
	}
	return g_steal_pointer(&all);
}

static gboolean fits(const char *pattern, const char *file, const char *name)
{
	const char *last = strrchr(name, '.');

	if (g_pattern_match_simple(pattern, name) ||
	    (last && !strchr(pattern, '.') && g_pattern_match_simple(pattern, last + 1)))
		return TRUE;
	if (!file || !strchr(pattern, ':'))
		return FALSE;
	g_autofree char *whole = g_strconcat(file, ":", name, NULL);
	return g_pattern_match_simple(pattern, whole);
}

const MlvTolerance *mlv_tolerances_find(const GPtrArray *tolerances, const char *file,
					const char *name)
{
	for (guint i = 0; tolerances && i < tolerances->len; i++) {
		MlvTolerance *tolerance = tolerances->pdata[i];
		if (!fits(tolerance->name, file, name))
			continue;
		tolerance->used = TRUE;
		return tolerance;
	}
	return NULL;
}

static gboolean number_of(const MlvValue *value, double *number)
{
	if (mlv_value_is(value, MLV_VALUE_INT))
		*number = (double)value->integer;
	else if (mlv_value_is(value, MLV_VALUE_FLOAT))
		*number = value->real;
	else
		return FALSE;
	return TRUE;
}

gboolean mlv_tolerance_holds(const MlvTolerance *tolerance, const MlvValue *was,
			     const MlvValue *now)
{
	double before, after;

	if (!tolerance || !number_of(was, &before) || !number_of(now, &after) ||
	    !isfinite(before) || !isfinite(after))
		return FALSE;
	double room = tolerance->relative ? tolerance->amount * fabs(before) : tolerance->amount;
	/* what is written in decimal is seldom that number: 0.3 is within 0.1 of 0.2 */
	double slack = 4 * DBL_EPSILON * MAX(fabs(before), fabs(after));
	return fabs(after - before) <= room + (room > 0 ? slack : 0);
}
