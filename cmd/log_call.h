/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands share that a program calls while it runs: log-metric, log-param, log-artifact,
 * log-text. They open no repository, so that a call takes milliseconds.
 *
 * A run names its log of metrics in MLV_METRICS; all else that is logged goes to files beside it
 * (core/measure/metric_log.h names them). Outside of a run numbers and parameters go to the same
 * files in the current folder, and what a run alone can keep is an error.
 */
#ifndef MLV_CMD_LOG_CALL_H
#define MLV_CMD_LOG_CALL_H

#include "cmd/cmd.h"
#include "core/measure/metric_log.h"

typedef struct {
	gboolean run;  /* one is under way */
	char *metrics; /* where metrics go */
	char *folder;  /* where all else goes */
} MlvLogCall;

void mlv_log_call_init(MlvLogCall *call);
void mlv_log_call_clear(MlvLogCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvLogCall, mlv_log_call_clear)

/* Writes the items as a line of `file`; says where that is when it makes it outside of a run. */
gboolean mlv_log_call_write(MlvCmd *cmd, const MlvLogCall *call, const char *file,
			    const GArray *items, const gint64 *step, GError **error);
/* FALSE with what to do instead if no run is under way. */
gboolean mlv_log_call_need_run(const MlvLogCall *call, const char *advice, GError **error);
/* Whether what is kept can be called so: a relative path without "." and ".." parts. */
gboolean mlv_log_call_check_name(const char *name, GError **error);

#endif
