/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files the programs of a stage read and wrote, by watching their system calls.
 *
 *	g_autoptr(MlvTrace) trace = mlv_trace_new();
 *	mlv_trace_start(trace, &start, &pid, error);
 *	poll on mlv_trace_fd() ...
 *	mlv_trace_read(trace, &ended, &status, error);
 *
 * A helper process, which does nothing else, is the parent and tracer (ptrace) of the program and
 * of whatever that starts; a filter (seccomp) stops them at calls that name files only, so that all
 * else runs at full speed. It lives as long as one of them does: what a stage leaves behind goes on
 * as without tracing. Programs gain no rights by running a set-user-id file meanwhile, and cannot
 * trace others. io_uring, which would pass by the filter, is not there for them.
 *
 * Main thread.
 */
#ifndef MLV_CORE_PIPELINE_TRACE_H
#define MLV_CORE_PIPELINE_TRACE_H

#include <sys/types.h>

#include "storage/error.h"

typedef struct MlvTrace MlvTrace;

/* Whether programs can be traced here at all: traces one. MLV_ERROR_UNSUPPORTED says what forbids
 * it. */
gboolean mlv_trace_check(GError **error);

MlvTrace *mlv_trace_new(void);
/* What still runs is left alone. */
void mlv_trace_free(MlvTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvTrace, mlv_trace_free)

typedef struct {
	char *const *argv;          /* argv[0] an absolute path */
	const char *const *environ; /* "NAME=value" */
	const char *directory;      /* where it stands */
	int output;                 /* its standard output and error */
	int keep_fd, keep_as;       /* a descriptor that it gets, under this number; -1: none */
} MlvTraceStart;

/* Starts a program in a process group of its own, with *pid its leader, when none that was started
 * before is under way. It is not to be waited for. */
gboolean mlv_trace_start(MlvTrace *trace, const MlvTraceStart *start, pid_t *pid, GError **error);
/* To poll for reading while a program runs. */
int mlv_trace_fd(const MlvTrace *trace);
/* Takes in what was seen since. *ended: the program has, with *status as of waitpid(). FALSE: its
 * tracing broke off, and with it the program. */
gboolean mlv_trace_read(MlvTrace *trace, gboolean *ended, int *status, GError **error);

/* --- what was seen ---------------------------------------------------------------------------- */

/* What was done with one file, of all programs that were started. */
typedef struct {
	const char *path; /* absolute, without symbolic links; borrowed */
	gboolean input;   /* it was read before any of them wrote it */
	gboolean written; /* or removed, or put in place by a rename */
	gboolean own;     /* it was not there, or was written first */
	gboolean missing; /* looked for, and not there */
	gboolean folder;  /* a folder put in place by a rename */
	gboolean program; /* it was executed */
} MlvTraced;

/* All, sorted by path, of MlvTraced; free with g_array_unref. */
GArray *mlv_trace_files(const MlvTrace *trace);
/* There were more files than are kept. */
gboolean mlv_trace_overflowed(const MlvTrace *trace);

#endif
