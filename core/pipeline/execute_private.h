/* SPDX-License-Identifier: Apache-2.0 */
/* What core/pipeline/execute*.c share. */
#ifndef MLV_CORE_PIPELINE_EXECUTE_PRIVATE_H
#define MLV_CORE_PIPELINE_EXECUTE_PRIVATE_H

#include "core/pipeline/child.h"
#include "core/pipeline/execute.h"
#include "core/pipeline/outs.h"
#include "core/pipeline/record.h"
#include "core/pipeline/runlog.h"

typedef enum {
	JOB_WAITING, /* for stages upstream */
	JOB_READY,
	JOB_LOCKED, /* another process makes it */
	JOB_RUNNING,
	JOB_DONE,   /* well */
	JOB_FAILED, /* or skipped */
} JobState;

typedef struct Execution Execution;

typedef struct {
	Execution *execution;
	guint number;
	const MlvStage *stage;
	JobState state;
	guint waits; /* upstream jobs that are not done */
	MlvStageNow *now;
	gboolean waited; /* for another process */
	gboolean has_key, holds_key, holds_stage;
	MlvId key;
	MlvChild *child;
	MlvRunLog *log;
	char **shell;
	GPtrArray *environ; /* of char *: two are owned, the rest borrowed */
	char *stage_variable, *run_variable, *directory;
	GArray *param_files; /* of MlvHeld: what its parameter files held when it began */
	gint64 started;
	MlvTrace *trace;        /* NULL: not traced */
	MlvTraceReport *report; /* once it has ended */
	gboolean interrupted;
	gboolean about_to_run; /* dry run: it would */
} Job;

/* What was made and is to be recorded with the next flush. */
typedef struct {
	Job *job;
	gboolean has_key;
	MlvId key;
} Taken;

struct Execution {
	const MlvReproOptions *options;
	MlvReproTotals *totals;
	MlvDecideContext decide;
	MlvHeldSet *held;
	MlvParamsCache *params;
	MlvRunLocks *locks; /* NULL in a dry run */
	MlvRecord *record;
	MlvRestore *restore;
	MlvEntering entering;
	MlvStoreWriter *writer; /* NULL: nothing uncommitted */
	GPtrArray *jobs;        /* of Job *, dependencies first */
	GHashTable *by_number;  /* number + 1 -> Job */
	GArray *taken;          /* of Taken */
	GPtrArray *declared;    /* of char *: "NAME=value" of mlv.env */
	char **shell;           /* for stages that name none; NULL: not looked for yet */
	gboolean any_shell;     /* the environment lets any shell stand for another */
	GHashTable *etags;      /* URL -> what its server said */
	gint64 flushed;         /* when; monotonic microseconds */
	guint64 max_log;
	guint running;
	guint next;        /* jobs before it are done with, or running */
	gboolean stopping; /* a stage failed: nothing more is started */
	gboolean blocked;  /* signals are blocked */
};

/* --- execute.c -------------------------------------------------------------------------------- */

/* Ends a job: tells of it, and lets those that wait for it go on. */
void mlv_job_done(Job *job, MlvReproResult result, const char *why, int status);
/* The same for an error, which is taken. */
void mlv_job_failed(Job *job, GError *why, int status);

/* --- execute_choose.c ------------------------------------------------------------------------- */

/* Makes the jobs: targets, and what is needed; not beyond frozen stages. */
gboolean mlv_execution_choose(Execution *execution, const GArray *targets, GError **error);

/* --- execute_stage.c -------------------------------------------------------------------------- */

/* Decides on a job that is ready: it is done after, or runs, or is locked. */
void mlv_job_begin(Job *job);
void mlv_job_release(Job *job);

/* --- execute_end.c ---------------------------------------------------------------------------- */

/* The commands have ended: takes what they made. */
void mlv_job_finish(Job *job);
/* The block of a stage's lock: what it consists of now, which job->now has no more after. Its
 * outputs are the caller's. */
MlvLockStage *mlv_job_block(Job *job);

/* --- execute_flush.c -------------------------------------------------------------------------- */

/* Notes what a stage made (takes `block`); recorded by the next flush. */
void mlv_execution_take(Job *job, MlvLockStage *block);
MlvStoreWriter *mlv_execution_writer(Execution *execution);
/* Makes what was taken durable: store, run cache, locks, git's index, stat cache, in this order. */
gboolean mlv_execution_flush(Execution *execution, GError **error);
/* If it is time. */
gboolean mlv_execution_flush_some(Execution *execution, GError **error);

/* --- execute_pull.c --------------------------------------------------------------------------- */

/* Fetches what the store lacks of tracked data at these paths, of char *. */
/* What a server says of the version of what it has at a URL; asked once. Caller frees. */
char *mlv_execution_etag(const char *url, gpointer execution, GError **error);

gboolean mlv_execution_fetch(Execution *execution, const GPtrArray *paths, GError **error);

#endif
