/* SPDX-License-Identifier: Apache-2.0 */
/* Within core/run/. */
#ifndef MLV_CORE_RUN_RECORDER_PRIVATE_H
#define MLV_CORE_RUN_RECORDER_PRIVATE_H

#include "core/run/recorder.h"

/* Logs and tables up to this go into git as they are; what is larger goes to the store, and git has
 * a pointer. */
#define MLV_RUN_GIT_MAX (64u << 10)

/* run_live.c: a run's folder while it is under way, <mlv dir>/running/NAME/, with a lock that ends
 * with the process. */
typedef struct {
	char *path;
	int lock; /* -1: not ours */
} MlvRunLive;
/* Makes and locks it; what a dead run left of that name is removed. A live one is
 * MLV_ERROR_EXISTS. */
gboolean mlv_run_live_make(MlvRepo *repo, const char *name, MlvRunLive *live, GError **error);
/* Takes over the folder of a dead one; *taken FALSE: it lives, or there is none. */
gboolean mlv_run_live_take(MlvRepo *repo, const char *name, MlvRunLive *live, gboolean *taken,
			   GError **error);
/* Removes the folder with all in it and gives the lock back. */
void mlv_run_live_remove(MlvRunLive *live);
/* Gives the lock back, the folder stays. */
void mlv_run_live_close(MlvRunLive *live);
/* The names of all folders, of char *. */
GPtrArray *mlv_run_live_names(MlvRepo *repo, GError **error);

/* run_files.c: adds what lies in the folder (log, metrics, params, artifacts, texts) to the
 * record's tree. */
gboolean mlv_run_files_add(MlvRepo *repo, const char *folder, GArray *edits, GError **error);

/* run_collect.c: fills params and metrics, of what was logged and, with `workspace`, of the work
 * tree's files; outs of its locks. What cannot be read is left out. */
void mlv_run_collect(MlvRepo *repo, MlvRun *run, const char *folder, gboolean workspace);

#endif
