/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `-S` says: which parameters are changed, and to what; several values make a grid.
 *
 *	train.lr=0.1              a value; FILE:train.lr=0.1 names another file than params.yaml
 *	train.lr=0.1,0.01         several: a sweep
 *	model=choice(cnn,rnn)     the same
 *	seed=range(0,10,2)        0, 2, 4, 6, 8: the stop is not among them
 *	+new.key=1                a key that is not there yet (++: whether it is there or not)
 *	~old.key                  a key that is to go
 *
 * Pure functions.
 */
#ifndef MLV_CORE_RUN_RUN_GRID_H
#define MLV_CORE_RUN_RUN_GRID_H

#include "core/value.h"

#define MLV_GRID_MAX 100000u /* combinations */

typedef enum {
	MLV_CHANGE_SET,    /* what is there */
	MLV_CHANGE_ADD,    /* what is not there */
	MLV_CHANGE_FORCE,  /* either */
	MLV_CHANGE_REMOVE, /* no value */
} MlvChangeMode;

/* One word of the command line. */
typedef struct {
	MlvChangeMode mode;
	char *file; /* as it is written; NULL: the default one */
	char *key;
	GPtrArray *values; /* of MlvValue *: one, or what is swept over; none with REMOVE */
} MlvGridAxis;

/* Of MlvGridAxis *; free with g_ptr_array_unref. Bad words, a key twice, and grids beyond
 * MLV_GRID_MAX are MLV_ERROR_USAGE. */
GPtrArray *mlv_grid_parse(const char *const *words, GError **error);
/* Number of combinations, at least 1. */
guint mlv_grid_size(const GPtrArray *axes);
/* The value of an axis in combination `number`: the last axis changes fastest. Borrowed; NULL with
 * REMOVE. */
const MlvValue *mlv_grid_value(const GPtrArray *axes, guint number, guint axis);

#endif
