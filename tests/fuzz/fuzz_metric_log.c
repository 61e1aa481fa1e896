/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a log. A line that is read in one pass must give what the JSON reader gives:
 * blanks inside make the difference to neither, an escape makes the slow way. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/measure/metric_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* The same lines, each with a member in front that only the JSON reader takes. */
static char *slowed(const char *data, gsize length)
{
	GString *out = g_string_new(NULL);

	for (gsize i = 0; i < length; i++) {
		gboolean start = i == 0 || data[i - 1] == '\n';

		g_string_append_c(out, data[i]);
		if (start && data[i] == '{' && i + 1 < length && data[i + 1] == '"')
			g_string_append(out, "\"\\u0001slow\":null,");
	}
	return g_string_free(out, FALSE);
}

static gboolean same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const char *text = (const char *)data;

	if (length > 65536)
		return 0;
	g_autoptr(MlvLog) log = mlv_log_parse(text, length, MLV_LOG_SERIES, "log", NULL);
	g_autoptr(MlvValue) params = mlv_log_parse_params(text, length, "log");
	if (!log || !params)
		abort();
	for (guint i = 0; i < log->metrics->len; i++) {
		const MlvLogMetric *metric = log->metrics->pdata[i];
		if (metric->count != metric->values->len || metric->count != metric->steps->len ||
		    !same(g_array_index(metric->values, double, metric->count - 1), metric->last) ||
		    !g_utf8_validate(metric->name, -1, NULL))
			abort();
	}
	g_autofree char *slow_text = slowed(text, length);
	g_autoptr(MlvLog) slow =
		mlv_log_parse(slow_text, strlen(slow_text), MLV_LOG_LAST, "log", NULL);
	if (!slow)
		abort();
	for (guint i = 0; strlen(slow_text) >= length && i < slow->metrics->len; i++) {
		const MlvLogMetric *metric = slow->metrics->pdata[i];
		const MlvLogMetric *other = mlv_log_find(log, metric->name);
		if (!other || !same(other->last, metric->last))
			abort();
	}
	return 0;
}
