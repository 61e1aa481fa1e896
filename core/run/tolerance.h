/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a metric may be from what it was: `acc=1e-6`, `val.*=0.1%`, `metrics.json:loss=0.01`.
 *
 * The name is a metric's, or the last part of it, or a pattern with '*' and '?', each with the file
 * before it where that matters; the amount is absolute, or with '%' relative to what was recorded.
 * Of several that fit the first counts. Pure functions.
 */
#ifndef MLV_CORE_RUN_TOLERANCE_H
#define MLV_CORE_RUN_TOLERANCE_H

#include "core/value.h"

typedef struct {
	char *name; /* as it was written */
	double amount;
	gboolean relative;
	gboolean used; /* some metric was meant by it */
} MlvTolerance;

/* Of MlvTolerance *; free with g_ptr_array_unref. `words` may be NULL. Bad ones are
 * MLV_ERROR_USAGE. */
GPtrArray *mlv_tolerances_parse(const char *const *words, GError **error);
/* The one that a metric falls under, or NULL; it counts as used. `file` may be NULL. */
const MlvTolerance *mlv_tolerances_find(const GPtrArray *tolerances, const char *file,
					const char *name);
/* Whether both are numbers, and near enough. */
gboolean mlv_tolerance_holds(const MlvTolerance *tolerance, const MlvValue *was,
			     const MlvValue *now);

#endif
