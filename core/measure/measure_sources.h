/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files hold metrics or parameters at a revision. Main thread.
 */
#ifndef MLV_CORE_MEASURE_MEASURE_SOURCES_H
#define MLV_CORE_MEASURE_MEASURE_SOURCES_H

#include "core/measure/measures.h"

typedef struct {
	char *path;      /* relative to the root */
	gboolean whole;  /* all of it */
	GPtrArray *keys; /* of char *, as mlv_value_lookup() takes them; what is looked at if not
			       * whole */
	const MlvValue *better; /* what the declaration says of directions, or NULL; borrowed */
	gboolean optional;      /* nobody named it: it may well be absent */
} MlvMeasureSource;

/* Of MlvMeasureSource *, sorted by path, none twice. Free with g_ptr_array_unref. */
GPtrArray *mlv_measure_sources(MlvSide *side, const MlvMeasuresOptions *options);

#endif
