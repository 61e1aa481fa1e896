/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same as core/run/rebuild.h for a run that was a command: what it made are the files that it
 * changed, and its metrics. Main thread.
 */
#ifndef MLV_CORE_RUN_REBUILD_COMMAND_H
#define MLV_CORE_RUN_REBUILD_COMMAND_H

#include "core/run/rebuild.h"

/* Makes the work tree what the run began with, tracked data and all. */
typedef gboolean (*MlvRebuildPrepare)(gpointer user, GError **error);

/* `options->run` is the run, `options->repro` has `local`, `environ` and `cancel`. `folder` is for
 * the log. */
MlvRebuild *mlv_rebuild_command(const MlvRebuildOptions *options, const char *folder,
				MlvRebuildPrepare prepare, GError **error);

#endif
