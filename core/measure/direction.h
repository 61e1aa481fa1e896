/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a metric is better when it is higher or when it is lower: as its declaration says
 *
 *	metrics: [{metrics.json: {better: {loss: lower, custom: higher}}}]
 *
 * or else as the words in its name tell: "val.log_loss" lower, "top5_acc" higher. Pure functions.
 */
#ifndef MLV_CORE_MEASURE_DIRECTION_H
#define MLV_CORE_MEASURE_DIRECTION_H

#include "core/value.h"

typedef enum {
	MLV_DIRECTION_UNKNOWN,
	MLV_DIRECTION_HIGHER,
	MLV_DIRECTION_LOWER,
} MlvDirection;

/* `better` is what the declaration has under that key (NULL: nothing): "higher", "lower", "none",
 * or a map of names, of their last parts, or of "*", to these. */
MlvDirection mlv_direction_of(const char *name, const MlvValue *better);
/* The same by the name alone. */
MlvDirection mlv_direction_of_name(const char *name);
/* "higher", "lower", or NULL. Static. */
const char *mlv_direction_word(MlvDirection direction);

#endif
