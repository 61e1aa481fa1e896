/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs: what the commands of a stage printed in one run, compressed, in
 * <git common dir>/mlv/logs/<run>/; mlv-runcache(5). Of a log that grows past its limit the first
 * and the last half are kept.
 *
 *	g_autoptr(MlvRunLog) log = mlv_runlog_new(repo, run, address, max);
 *	mlv_runlog_write(log, data, length);
 *	mlv_runlog_finish(log, error);
 *
 * Main thread.
 */
#ifndef MLV_CORE_PIPELINE_RUNLOG_H
#define MLV_CORE_PIPELINE_RUNLOG_H

#include "core/repo.h"

typedef struct MlvRunLog MlvRunLog;

/* Nothing is written before there is something to write. `max`: bytes that are kept. */
MlvRunLog *mlv_runlog_new(MlvRepo *repo, const char *run, const char *address, guint64 max);
void mlv_runlog_free(MlvRunLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRunLog, mlv_runlog_free)
/* What goes wrong is told by mlv_runlog_finish(). */
void mlv_runlog_write(MlvRunLog *log, const guint8 *data, gsize length);
gboolean mlv_runlog_finish(MlvRunLog *log, GError **error);

/* Gives the bytes of a stage's log in order; `skipped` bytes were left out before `data` (with
 * length 0). FALSE ends it. */
typedef gboolean (*MlvRunLogSink)(const guint8 *data, gsize length, guint64 skipped, gpointer user,
				  GError **error);
/* run NULL: of its latest run. There is none: MLV_ERROR_MISSING. A log that breaks off, as a killed
 * run leaves it, ends there. */
gboolean mlv_runlog_read(MlvRepo *repo, const char *run, const char *address, MlvRunLogSink sink,
			 gpointer user, GError **error);

/* Removes the logs that were written before that time (unix seconds). */
gboolean mlv_runlog_sweep(MlvRepo *repo, gint64 before, GError **error);

#endif
