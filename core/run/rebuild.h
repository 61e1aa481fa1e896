/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a commit or a run can be made again: its stages run in a clean work tree from nothing,
 * and what they make is compared with what the locks there recorded; what differs is put down to
 * the layer that it comes from.
 *
 *	MlvRebuildOptions options = { .repro = { .local = local, .pipeline = ... }, ... };
 *	g_autoptr(MlvRebuild) rebuild = mlv_rebuild(&options, targets, error);
 *	if (rebuild->reproduced) ...
 *
 * Nothing is stored or recorded. Main thread.
 */
#ifndef MLV_CORE_RUN_REBUILD_H
#define MLV_CORE_RUN_REBUILD_H

#include "core/measure/side.h"
#include "core/pipeline/execute.h"
#include "core/run/run_list.h"
#include "core/run/tolerance.h"

/* In this order: the first that differs is the one that is told. */
typedef enum {
	MLV_LAYER_NONE,
	MLV_LAYER_CODE,        /* what git tracks, commands too */
	MLV_LAYER_DATA,        /* what mlv tracks, and what lies outside of the repository */
	MLV_LAYER_PARAMS,      /* values of parameters */
	MLV_LAYER_ENVIRONMENT, /* what the machine and the shell gave */
	MLV_LAYER_PROGRAM,     /* the program itself */
} MlvLayer;
/* "code", "data", ...; NULL for none. Static. */
const char *mlv_layer_name(MlvLayer layer);

/* An input that is not what was recorded. */
typedef struct {
	MlvLayer layer;  /* NONE: what another stage made */
	char *what;      /* a path, FILE:KEY, "packages.pip.numpy", or NULL */
	char *was, *now; /* in short; NULL: nothing */
	char *text;      /* for people */
	char *stage;     /* with NONE: the address of the stage that made it */
} MlvRebuildCause;

/* Of an output that is a folder: a file that came, went or changed. */
typedef struct {
	char kind; /* as MlvChangeKind: 'A', 'D', 'M', 'T' */
	char *path;
} MlvRebuildFile;

typedef struct {
	char *path;
	GPtrArray
		*files; /* of MlvRebuildFile *, the first hundred; NULL: it is not known, or none */
	guint64 more;   /* that are not among them */
	gboolean has_was, has_now; /* FALSE: not recorded, not made */
	MlvPointer was, now;
	gboolean differs;   /* counts as such */
	gboolean tolerated; /* its id differs, and that by tolerated metrics alone */
} MlvRebuildOut;

typedef struct {
	char *path; /* the file that it is in; NULL: it was logged */
	char *name;
	MlvValue *was, *now;  /* NULL: it is not there */
	MlvValue *difference; /* of two numbers, or NULL */
	gboolean differs, tolerated;
} MlvRebuildMetric;

/* What came of a second time. */
typedef enum {
	MLV_REPEAT_NONE,  /* there was none, or of other inputs */
	MLV_REPEAT_SAME,  /* the program is deterministic */
	MLV_REPEAT_OTHER, /* it is not */
} MlvRepeat;

typedef struct {
	char *address;         /* of the stage, or a run's command */
	MlvReproResult result; /* RAN, FAILED, SKIPPED; FROZEN and RESTORED: taken as it is */
	char *why;             /* of FAILED and SKIPPED */
	int status;
	gint64 duration; /* microseconds */
	gboolean differs;
	MlvLayer layer; /* of one that differs; NONE: it follows from another stage */
	MlvRepeat repeat;
	GPtrArray *causes; /* of MlvRebuildCause *: inputs that differ, even where outputs do not */
	GPtrArray *outs;   /* of MlvRebuildOut * */
	GPtrArray *metrics; /* of MlvRebuildMetric * */
	GString *log;       /* the last of what it printed */
	/* private */
	guint number;
	MlvLockStage *made; /* what its lock would say; NULL: it did not end well */
} MlvRebuildStage;

typedef struct {
	gboolean reproduced;
	MlvLayer layer;         /* the first of all that differ */
	MlvRepeat repeat;       /* OTHER if any stage's is, else SAME if any's is */
	GPtrArray *stages;      /* of MlvRebuildStage *, in the order in which they ran */
	GPtrArray *metrics;     /* of MlvRebuildMetric *: what was logged */
	GPtrArray *environment; /* of MlvRebuildCause *; empty as well if nothing was compared */
	char *environment_run;  /* the run whose environment was compared; NULL: none is known */
	GPtrArray *problems;    /* of char *: metrics that could not be read */
} MlvRebuild;

void mlv_rebuild_free(MlvRebuild *rebuild);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRebuild, mlv_rebuild_free)

typedef struct {
	/* What it runs with: `rebuild`, `pull` and `keep_going` are taken as set. */
	MlvReproOptions repro;
	MlvView *view;               /* over the work tree's repository */
	const char *rev;             /* the commit with what was recorded: a run's is its record */
	const MlvRunEntry *run;      /* NULL: it is no run */
	const char *logged;          /* of a run: the file that MLV_METRICS names */
	const GPtrArray *tolerances; /* of MlvTolerance * */
	/* The environment as it is; asked once, if it matters. New reference. */
	MlvValue *(*environment)(gpointer user);
	/* So many stages, or a command, run a second time; may be NULL. */
	void (*again)(guint count, gpointer user);
	gpointer user; /* of these two */
} MlvRebuildOptions;

/* Rebuilds `targets` and all that they need. That something differs is no error. A stage that the
 * lock does not know is MLV_ERROR_MISSING; an interruption MLV_ERROR_CANCELLED. */
MlvRebuild *mlv_rebuild(const MlvRebuildOptions *options, const GArray *targets, GError **error);

/* Puts the locks of commit `rev` into the work tree, where an earlier one is checked out. */
gboolean mlv_rebuild_take_locks(MlvRepo *repo, const MlvPipeline *pipeline, const char *rev,
				GError **error);

#endif
