/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a run, and its text: JSON, as mlv-run(5) has it. Pure functions.
 *
 *	g_autoptr(MlvRun) run = mlv_run_parse(text, length, "run 'x'", error);
 *	const MlvValue *acc = mlv_value_get(run->metrics, "acc");
 */
#ifndef MLV_CORE_RUN_RUN_RECORD_H
#define MLV_CORE_RUN_RUN_RECORD_H

#include "core/value.h"

#define MLV_RUN_RECORD_MAX  (4u << 20) /* bytes of a record */
#define MLV_RUN_NAME_MAX    128u
#define MLV_RUN_STATUS_NONE (-1)

typedef enum {
	MLV_RUN_QUEUED,
	MLV_RUN_RUNNING,
	MLV_RUN_DONE,
	MLV_RUN_FAILED,
	MLV_RUN_INTERRUPTED,
} MlvRunState;

typedef struct {
	char *name;
	MlvRunState state;
	gboolean stages;  /* `words` are targets of a pipeline; else a command */
	GPtrArray *words; /* of char *: targets, or a program and its arguments */
	char *folder;     /* where it was started, relative to the root */
	char *base;       /* the commit it began from, 40 hex digits; NULL: none yet */
	gint64 created;   /* unix milliseconds; so is the next, which is 0 until it starts */
	gint64 started;
	gint64 duration; /* milliseconds, once it has ended */
	int status;    /* exit status; MLV_RUN_STATUS_NONE until it has ended; 128 + n: signal n */
	char *machine; /* host name, or NULL */
	gint64 pid;    /* of the mlv that runs it, 0: none */
	char *boot;    /* the boot that pid belongs to, or NULL */
	MlvValue *changes; /* map: "FILE:KEY" -> value, what was set for it */
	MlvValue *params;  /* map: name -> value */
	MlvValue *metrics; /* map: name -> number */
	MlvValue *outs;    /* map: path -> "sha256:..." */
} MlvRun;

/* With empty maps and no words. */
MlvRun *mlv_run_new(const char *name);
void mlv_run_free(MlvRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvRun, mlv_run_free)

/* The JSON, one member a line, newline at the end; the same for equal records. Caller frees. */
char *mlv_run_format(const MlvRun *run);
/* Anything that is not a record is MLV_ERROR_CORRUPT, a later version MLV_ERROR_UNSUPPORTED.
 * Members that are not known are passed over. `label` is what messages call it. */
MlvRun *mlv_run_parse(const char *text, gsize length, const char *label, GError **error);

/* "queued", "running", "done", "failed", "interrupted". Static. */
const char *mlv_run_state_name(MlvRunState state);
gboolean mlv_run_state_parse(const char *name, MlvRunState *state);

/* Whether a run may be called so: letters, digits, '-', '_', '.', none of ". - / .." where git
 * does not take them, at most MLV_RUN_NAME_MAX bytes; else MLV_ERROR_USAGE. */
gboolean mlv_run_check_name(const char *name, GError **error);
/* A name that most likely nobody has: WHAT-1a2b3c4d, `what` made fit. Caller frees. */
char *mlv_run_make_name(const char *what);
/* "python train.py --lr 1", or the targets: for people. Caller frees. */
char *mlv_run_command_text(const MlvRun *run);
/* "2026-11-21T16:53:12.123Z". Caller frees. */
char *mlv_run_time_text(gint64 milliseconds);

/* A member by the name that tables and conditions use: "name", "state", "status", "seconds",
 * "started", "command", "machine", "base", a metric or parameter ("acc"; "metrics.acc", "params.lr"
 * where both have it). New reference; NULL if it has none. */
MlvValue *mlv_run_field(const MlvRun *run, const char *name);

#endif
