/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by measure_print.c (tables) and measure_json.c. */
#ifndef MLV_CMD_MEASURE_PRIVATE_H
#define MLV_CMD_MEASURE_PRIVATE_H

#include "cmd/measure_print.h"

gboolean mlv_measure_is_metrics(const MlvMeasurePrint *print);
const MlvSide *mlv_measure_side(const MlvMeasurePrint *print, guint i);

/* The two sides of a row of a difference. */
typedef struct {
	const MlvValue *from, *to;
	gboolean changed;
	MlvVerdict verdict;
	MlvValue *difference; /* or NULL; owned */
} MlvMeasurePair;
void mlv_measure_pair_init(MlvMeasurePair *pair, const MlvMeasurePrint *print,
			   const MlvMeasureRow *row);
void mlv_measure_pair_clear(MlvMeasurePair *pair);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvMeasurePair, mlv_measure_pair_clear)
/* "better", "worse" or "". Static. */
const char *mlv_measure_verdict_word(MlvVerdict verdict);

gboolean mlv_measure_json_show(const MlvMeasurePrint *print, GError **error);
gboolean mlv_measure_json_diff(const MlvMeasurePrint *print, guint *changed, GError **error);

#endif
