/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a program for a record: what it prints is passed on and kept. Main thread.
 */
#ifndef MLV_CORE_RUN_RUN_EXEC_H
#define MLV_CORE_RUN_RUN_EXEC_H

#include <signal.h>

#include "storage/error.h"

typedef struct {
	const char *const *argv;    /* argv[0] is looked up on PATH */
	const char *directory;      /* absolute: where it runs */
	const char *const *environ; /* "NAME=VALUE" */
	const char *log;            /* file for what it prints, both streams as they come */
	guint64 max_log;            /* beyond so many bytes only the first and last half are kept */
	gboolean quiet;             /* nothing is passed on to our own streams */
	const volatile sig_atomic_t *cancel; /* may be NULL */
} MlvRunExec;

/* Runs it to its end. Interrupted, it is asked to end (SIGINT, then SIGTERM, then SIGKILL) and
 * waited for. *status is its exit status, 128 + n where signal n killed it, 127 or 126 where it
 * cannot be found or started, which is told in the log too. */
gboolean mlv_run_exec(const MlvRunExec *exec, int *status, GError **error);

#endif
