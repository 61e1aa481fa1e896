/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of one stage under way: each in a shell of its own, one behind the other, in a
 * process group of its own, what they print through one pipe.
 *
 *	MlvChild *child = mlv_child_start(&options, error);
 *	poll on mlv_child_fds(), mlv_child_timeout() ...
 *	mlv_child_step(child, &finished, error);
 *
 * Main thread.
 */
#ifndef MLV_CORE_PIPELINE_CHILD_H
#define MLV_CORE_PIPELINE_CHILD_H

#include <glib.h>
#include <poll.h>

#include "core/pipeline/trace.h"

typedef struct {
	const GPtrArray *cmds;    /* of char *, at least one */
	const char *const *shell; /* its words, to which "-c" and the command are added */
	gboolean any_shell;       /* commands that mean the same to any may run in /bin/sh */
	const char *directory;    /* absolute */
	const char *const *environ;
	int keep_fd;     /* kept open in the child; -1: none */
	MlvTrace *trace; /* what it touches is noted there; NULL: it is not traced */
	/* What was printed, as it comes. */
	void (*output)(const guint8 *data, gsize length, gpointer user);
	gpointer user;
} MlvChildOptions;

typedef struct MlvChild MlvChild;

/* Starts the first command. What options name is borrowed until the child is freed. */
MlvChild *mlv_child_start(const MlvChildOptions *options, GError **error);
/* Kills what still runs. */
void mlv_child_free(MlvChild *child);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvChild, mlv_child_free)

#define MLV_CHILD_FDS 2
/* What to poll for; returns how many of `fds` are set. */
guint mlv_child_fds(const MlvChild *child, struct pollfd fds[MLV_CHILD_FDS]);
/* Milliseconds after which mlv_child_step() is to be called whatever poll says; -1: no such. */
int mlv_child_timeout(const MlvChild *child);
/* Reads what was printed, and goes on to the next command where one has ended well. *finished: all
 * have, or one has failed, or a stopped one is gone. */
gboolean mlv_child_step(MlvChild *child, gboolean *finished, GError **error);

/* Asks it to end: SIGINT to its group, later SIGTERM, then SIGKILL. `now`: SIGKILL at once. */
void mlv_child_stop(MlvChild *child, gboolean now);

/* After it finished: whether all commands ended with 0. */
gboolean mlv_child_succeeded(const MlvChild *child);
/* "exit status 3", "killed by signal 9 (Killed)". Caller frees. */
char *mlv_child_ended(const MlvChild *child);
/* The exit status, or 128 and the signal. */
int mlv_child_status(const MlvChild *child);
/* The command that ran last. Borrowed. */
const char *mlv_child_command(const MlvChild *child);

/* The shell to use: `shell` (a stage's own; may be NULL) taken apart into words, else bash where
 * PATH of `environ` has it, else /bin/sh. Free with g_strfreev. NULL with *error. */
char **mlv_child_shell(const char *shell, const char *const *environ, GError **error);

#endif
