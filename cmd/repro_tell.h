/* SPDX-License-Identifier: Apache-2.0 */
/* What `mlv repro` shows: stages as they run, what they print, and how it ended. */
#ifndef MLV_CMD_REPRO_TELL_H
#define MLV_CMD_REPRO_TELL_H

#include "cmd/cmd.h"
#include "cmd/ui_json.h"
#include "core/pipeline/execute.h"

typedef struct {
	MlvCmd *cmd;
	gboolean dry_run;
	gboolean anew;       /* all run whatever has changed; what they print is no result */
	gboolean prefix;     /* each line has its stage before it */
	gboolean strict;     /* undeclared files are a failure */
	json_t *stages;      /* NULL: text */
	GHashTable *partial; /* stage -> GString: the line that is not ended */
} MlvReproTell;

void mlv_repro_tell_init(MlvReproTell *tell, MlvCmd *cmd, gboolean dry_run, gboolean prefix,
			 gboolean json);
void mlv_repro_tell_clear(MlvReproTell *tell);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvReproTell, mlv_repro_tell_clear)

/* Sets the callbacks. */
void mlv_repro_tell_options(MlvReproTell *tell, MlvReproOptions *options);
/* The summary, and the exit status. */
gboolean mlv_repro_tell_end(MlvReproTell *tell, const char *run, const MlvReproTotals *totals,
			    GError **error);

/* --- repro_trace.c ---------------------------------------------------------------------------- */

/* Prints what a stage touched and does not declare: nothing where there is nothing. */
void mlv_repro_trace_print(const MlvReproTell *tell, const MlvReproOutcome *outcome);
/* The same as JSON. */
json_t *mlv_repro_trace_json(const MlvTraceReport *report);

/* --- repro_json.c ----------------------------------------------------------------------------- */

void mlv_repro_json_add(const MlvReproTell *tell, const MlvReproOutcome *outcome);
gboolean mlv_repro_json_print(const MlvReproTell *tell, const char *run,
			      const MlvReproTotals *totals, GError **error);

#endif
