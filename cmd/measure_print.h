/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How metrics and parameters are shown: as columns for people, Markdown, CSV and JSON.
 */
#ifndef MLV_CMD_MEASURE_PRINT_H
#define MLV_CMD_MEASURE_PRINT_H

#include "cmd/sides.h"

typedef enum {
	MLV_MEASURE_COLUMNS,
	MLV_MEASURE_MARKDOWN,
	MLV_MEASURE_CSV,
	MLV_MEASURE_JSON,
	MLV_MEASURE_CELLS, /* only by mlv_measure_diff_cells() */
} MlvMeasureStyle;

typedef struct {
	MlvCmd *cmd;
	const MlvSides *sides;
	const MlvMeasures *measures;
	MlvMeasureStyle style;
	guint precision; /* significant digits; 0: all */
	gboolean all;    /* of a difference also what is equal */
} MlvMeasurePrint;

/* A column a side. */
gboolean mlv_measure_print_show(const MlvMeasurePrint *print, GError **error);
/* The first side, the last, and the difference; *changed tells how many rows differ. */
gboolean mlv_measure_print_diff(const MlvMeasurePrint *print, guint *changed, GError **error);
/* The rows of a difference, of char *, MLV_MEASURE_DIFF_COLUMNS a row, the head first; empty if
 * nothing differs. The caller unrefs. */
GPtrArray *mlv_measure_diff_cells(const MlvMeasurePrint *print);
/* How those columns are aligned: a letter each. */
#define MLV_MEASURE_DIFF_ALIGN   "llrrrl"
#define MLV_MEASURE_DIFF_COLUMNS 6u

#endif
