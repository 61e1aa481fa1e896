/* SPDX-License-Identifier: Apache-2.0 */
/* The table of runs: which, in what order, with which columns, in which form. */
#ifndef MLV_CMD_RUNS_TABLE_H
#define MLV_CMD_RUNS_TABLE_H

#include "cmd/cmd.h"
#include "core/run/run_list.h"

typedef enum {
	MLV_RUNS_TEXT,
	MLV_RUNS_CSV,
	MLV_RUNS_MARKDOWN,
	MLV_RUNS_JSON,
} MlvRunsForm;

typedef struct {
	MlvRunsForm form;
	const char *where; /* a condition (core/run/run_where.h), or NULL */
	const char *sort;  /* a field, '-' before it for the largest first, or NULL: newest first */
	gint64 count;      /* at most so many; -1: all */
	char **columns;    /* fields to show after the name, or NULL: those that differ */
	gboolean all;      /* columns in which all agree too */
} MlvRunsTable;

/* Those that are wanted, in order, of MlvRunEntry * borrowed from `runs`. */
GPtrArray *mlv_runs_select(const MlvRunsTable *table, const GPtrArray *runs, GError **error);
gboolean mlv_runs_print(MlvCmd *cmd, const MlvRunsTable *table, const GPtrArray *runs,
			GError **error);

#endif
