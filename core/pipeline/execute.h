/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reproducing: runs of the chosen stages those that changed, dependencies first, several at once
 * where wanted, and takes from the run cache what was computed before.
 *
 *	MlvReproOptions options = { .local = local, .pipeline = pipeline, .files = &files, ... };
 *	MlvReproTotals totals;
 *	mlv_repro(&options, targets, &totals, error);
 *
 * What a stage made is in the store before its lock names it. A stage that fails, is interrupted,
 * or whose inputs change while it runs, leaves its lock as it was. Main thread.
 */
#ifndef MLV_CORE_PIPELINE_EXECUTE_H
#define MLV_CORE_PIPELINE_EXECUTE_H

#include "core/pipeline/decide.h"
#include "core/pipeline/trace_report.h"

typedef enum {
	MLV_REPRO_KEPT,     /* nothing has changed */
	MLV_REPRO_FROZEN,   /* not looked at */
	MLV_REPRO_RAN,      /* dry run: it would */
	MLV_REPRO_RESTORED, /* outputs taken from the store: lock or run cache; dry run likewise */
	MLV_REPRO_FAILED,   /* `why` */
	MLV_REPRO_SKIPPED,  /* something that it needs failed: `why` */
	MLV_REPRO_INTERRUPTED, /* while it ran */
} MlvReproResult;

/* One stage. Borrowed during the call. */
typedef struct {
	const MlvStage *stage;
	MlvReproResult result;
	const GPtrArray *reasons;    /* of MlvReason *; may be NULL */
	const char *why;             /* or NULL */
	int status;                  /* of the command that failed */
	gint64 duration;             /* microseconds that its commands took */
	const MlvLockStage *block;   /* what its lock says now, or NULL */
	const MlvTraceReport *trace; /* of a stage that was traced; else NULL */
} MlvReproOutcome;

typedef struct {
	MlvLocal *local;
	const MlvPipeline *pipeline;
	const MlvFiles *files;
	const char *const *environ; /* "NAME=value", NULL behind the last: what stages see */
	const char *run;            /* MLV_RUN, and the folder of logs */
	gboolean dry_run, force, keep_going, pull;
	gboolean single;     /* only the targets */
	gboolean downstream; /* the targets and what needs them; else what they need */
	gboolean no_run_cache;
	/* Every stage runs and nothing is recorded: outputs are hashed only, neither stored nor
	 * named by a lock; none is taken from run cache or lock but those of frozen stages, and
	 * none with `persist` stays. Logs are left to `output`. outcome->block is what it would
	 * record, outcome->reasons what differs from the lock. In a work tree made for it. */
	gboolean rebuild;
	gboolean trace;     /* note what stages touch; those chosen run whether changed or not */
	gboolean trace_all; /* files of the system too */
	guint jobs;         /* stages at once; 0: one */
	guint threads;      /* that hash; 0: one a core */
	const volatile sig_atomic_t *cancel;
	/* A stage's commands begin. All callbacks may be NULL. */
	void (*begin)(const MlvStage *stage, const GPtrArray *reasons, gpointer user);
	/* What its commands print, as it comes. */
	void (*output)(const MlvStage *stage, const guint8 *data, gsize length, gpointer user);
	/* A stage is done with; in the order in which that happens. */
	void (*done)(const MlvReproOutcome *outcome, gpointer user);
	/* Another process makes this stage, or the same thing. */
	void (*waiting)(const MlvStage *stage, gpointer user);
	void (*warn)(const char *text, gpointer user);
	gpointer user;
} MlvReproOptions;

typedef struct {
	guint kept, frozen, ran, restored, failed, skipped;
	guint undeclared; /* those that touched files which they do not declare */
} MlvReproTotals;

/* `targets`: numbers of stages (guint). That a stage failed is no error: totals->failed. An
 * interruption is MLV_ERROR_CANCELLED; what was done until then is recorded. */
gboolean mlv_repro(const MlvReproOptions *options, const GArray *targets, MlvReproTotals *totals,
		   GError **error);

/* A name for a run: "20261121-163458-1a2b3c4d". Caller frees. */
char *mlv_repro_run_name(void);

#endif
