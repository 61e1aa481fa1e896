/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/pipeline/trace*.c share: the calls that are looked at, and what the helper process
 * tells.
 *
 * The helper is forked, and never executes another program: it works with memory of its own making
 * (malloc is safe there, GLib's containers need not be), closes all descriptors but one, and ends
 * without the clean-up of a process.
 */
#ifndef MLV_CORE_PIPELINE_TRACE_PRIVATE_H
#define MLV_CORE_PIPELINE_TRACE_PRIVATE_H

#include <limits.h>
#include <linux/filter.h>
#include <stdint.h>

#include "core/pipeline/trace.h"

/* Kinds of calls; the filter gives them to the tracer. */
typedef enum {
	MLV_CALL_NONE,
	MLV_CALL_OPEN,        /* path, flags */
	MLV_CALL_CREAT,       /* path */
	MLV_CALL_OPENAT,      /* folder, path, flags */
	MLV_CALL_OPENAT2,     /* folder, path, how */
	MLV_CALL_OPEN_HANDLE, /* mount, handle, flags */
	MLV_CALL_EXEC,        /* path */
	MLV_CALL_EXECAT,      /* folder, path */
	MLV_CALL_RENAME,      /* path, path */
	MLV_CALL_RENAMEAT,    /* folder, path, folder, path */
	MLV_CALL_RENAMEAT2,   /* and flags */
	MLV_CALL_LINK,        /* path, path */
	MLV_CALL_LINKAT,      /* folder, path, folder, path */
	MLV_CALL_SYMLINK,     /* text, path */
	MLV_CALL_SYMLINKAT,   /* text, folder, path */
	MLV_CALL_UNLINK,      /* path */
	MLV_CALL_UNLINKAT,    /* folder, path, flags */
	MLV_CALL_TRUNCATE,    /* path */
} MlvCall;

/* What the helper tells, one behind the other in a pipe: a head, and `length` bytes of a path. */
typedef enum {
	MLV_TELL_PID = 'P',    /* value: of the program, which is about to begin */
	MLV_TELL_END = 'E',    /* value: its status */
	MLV_TELL_FAILED = 'F', /* value: errno; the text is what failed */
	MLV_TELL_READ = 'r',
	MLV_TELL_WRITE = 'w',
	MLV_TELL_REMOVE = 'd',
	MLV_TELL_FOLDER = 'D', /* put in place */
	MLV_TELL_MISSING = 'm',
	MLV_TELL_PROGRAM = 'x', /* it was executed */
} MlvTellKind;

typedef struct {
	int32_t value;
	uint16_t length;
	uint8_t kind;
	uint8_t zero;
} MlvTell;

#define MLV_TRACE_FILTER_MAX 256

/* --- trace_filter.c --------------------------------------------------------------------------- */

/* Writes the filter; returns its length. */
unsigned short mlv_trace_filter(struct sock_filter filter[MLV_TRACE_FILTER_MAX]);

/* --- trace_start.c ---------------------------------------------------------------------------- */

/* Starts the helper, and by it the program. *events: what the helper tells comes there. */
gboolean mlv_trace_spawn(const MlvTraceStart *start, pid_t *helper, pid_t *program, int *events,
			 GError **error);

/* --- trace_follow.c: in the helper ------------------------------------------------------------ */

/* Traces `pid`, which is seized and about to begin, and all that it starts, until they are gone.
 * Tells on `fd`. */
void mlv_trace_follow(pid_t pid, int fd);
void mlv_trace_tell(int fd, MlvTellKind kind, int value, const char *path);

/* --- trace_call.c: in the helper -------------------------------------------------------------- */

/* A call under way. */
typedef struct {
	pid_t tid;
	MlvCall call;
	int flags;
	gboolean existed;                     /* what is opened was there before */
	char path[PATH_MAX], path2[PATH_MAX]; /* absolute; "" if they are not known */
} MlvCallUnder;

/* Fills in what a stopped thread is about to do; FALSE if it is of no interest. */
gboolean mlv_trace_call_begin(pid_t tid, MlvCall call, const uint64_t args[6], MlvCallUnder *under);
/* Tells what came of it: `result` is what it returns, or -errno. */
void mlv_trace_call_end(const MlvCallUnder *under, int64_t result, int fd);
/* A program was begun. `under` may be NULL. */
void mlv_trace_call_exec(pid_t tid, const MlvCallUnder *under, int fd);

#endif
