/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recording a run: a commit under refs/mlv/runs/ that says "running" when it begins and what came
 * of it when it ends. mlv-run(5) is what the commit holds.
 *
 *	g_autoptr(MlvRecorder) recorder = mlv_recorder_start(run, &options, error);
 *	... the program runs, its log and metrics go to mlv_recorder_folder() ...
 *	mlv_recorder_finish(recorder, MLV_RUN_DONE, 0, error);
 *
 * The parent of the record is what the run began from: HEAD's commit, or, where the work tree had
 * changes, a commit of these on top of it. A recorder that is freed before it has finished, or
 * killed, leaves a run that mlv_runs_settle() makes "interrupted". Main thread.
 */
#ifndef MLV_CORE_RUN_RECORDER_H
#define MLV_CORE_RUN_RECORDER_H

#include "core/git_snapshot.h"
#include "core/run/run_record.h"

#define MLV_RUN_REFS   "refs/mlv/runs/"
#define MLV_RUN_FOLDER ".mlv-run" /* in the record's tree */

/* Files of a run's folder while it is under way, and in the record. */
#define MLV_RUN_LOG "log"

typedef struct {
	MlvRepo *repo;               /* borrowed, as all that follows, until it is freed */
	const MlvValue *environment; /* NULL: not recorded */
	const char *who;             /* as of mlv_git_anyone(); NULL: asked */
	guint64 max_file;            /* as MlvGitSnapshotOptions */
	/* As MlvGitSnapshotOptions; may be NULL. */
	void (*left_out)(const char *path, const char *why, gpointer user);
	gpointer user;
} MlvRecorderOptions;

typedef struct MlvRecorder MlvRecorder;

/* Takes `run` (name, words, folder, changes and times are set) whether it succeeds or not. A run
 * of that name is MLV_ERROR_EXISTS, unless it is `queued`: the commit of that record, whose
 * beginning is taken over. NULL: none. */
MlvRecorder *mlv_recorder_start(MlvRun *run, const MlvOid *queued,
				const MlvRecorderOptions *options, GError **error);
/* Records a run that is to be run later, from this tree on top of HEAD's commit; takes `run`. */
gboolean mlv_recorder_queue(MlvRun *run, const MlvOid *tree, const MlvRecorderOptions *options,
			    MlvOid *record, GError **error);
/* Whether this record was queued here: one that came from elsewhere is not run. */
gboolean mlv_recorder_is_queued_here(MlvRepo *repo, const char *name, const MlvOid *record);
/* Whether a run is under way here. */
gboolean mlv_recorder_is_live(MlvRepo *repo, const char *name);
/* Absolute path of the folder in which the run's files lie while it is under way. */
const char *mlv_recorder_folder(const MlvRecorder *recorder);
/* The run as it is recorded so far; borrowed. */
MlvRun *mlv_recorder_run(const MlvRecorder *recorder);
/* Records the end: the work tree as it is now, duration (unless the run has one), parameters,
 * metrics, outputs, files. `record` (may be NULL) is its commit. */
gboolean mlv_recorder_finish(MlvRecorder *recorder, MlvRunState state, int status, MlvOid *record,
			     GError **error);
void mlv_recorder_free(MlvRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRecorder, mlv_recorder_free)

/* Gives what died an end: runs under way whose mlv is no more become interrupted, with what they
 * had logged. *count (may be NULL) is how many. */
gboolean mlv_runs_settle(MlvRepo *repo, guint *count, GError **error);

#endif
