/* SPDX-License-Identifier: Apache-2.0 */
/* The helper: waits for stops of whatever it traces, and lets them go on. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pipeline/trace_private.h"

typedef struct {
	int fd; /* -1: nobody listens any more */
	pid_t program;
	MlvCallUnder **under; /* calls whose end is waited for; few, so they are searched */
	size_t n_under, room;
} Follow;

/* --- telling ---------------------------------------------------------------------------------- */

static gboolean write_all(int fd, const void *data, size_t length)
{
	const char *at = data;

	while (length > 0) {
		ssize_t done = write(fd, at, length);
		if (done < 0 && errno != EINTR)
			return FALSE;
		if (done > 0) {
			at += done;
			length -= (size_t)done;
		}
	}
	return TRUE;
}

void mlv_trace_tell(int fd, MlvTellKind kind, int value, const char *path)
{
	size_t length = path ? strnlen(path, PATH_MAX) : 0;
	MlvTell head = { .value = value, .length = (uint16_t)length, .kind = (uint8_t)kind };
	char record[sizeof(head) + PATH_MAX];

	memcpy(record, &head, sizeof(head));
	if (length > 0)
		memcpy(record + sizeof(head), path, length);
	if (fd >= 0)
		(void)!write_all(fd, record, sizeof(head) + length);
}

/* --- calls under way -------------------------------------------------------------------------- */

static MlvCallUnder *add_under(Follow *follow)
{
	if (follow->n_under == follow->room) {
		follow->room = follow->room ? 2 * follow->room : 16;
		follow->under = g_renew(MlvCallUnder *, follow->under, follow->room);
		for (size_t i = follow->n_under; i < follow->room; i++)
			follow->under[i] = g_new(MlvCallUnder, 1);
	}
	return follow->under[follow->n_under];
}

static MlvCallUnder *find_under(Follow *follow, pid_t tid)
{
	for (size_t i = 0; i < follow->n_under; i++)
		if (follow->under[i]->tid == tid)
			return follow->under[i];
	return NULL;
}

/* The last one takes its place. */
static void drop_under(Follow *follow, pid_t tid)
{
	for (size_t i = 0; i < follow->n_under; i++) {
		if (follow->under[i]->tid != tid)
			continue;
		MlvCallUnder *gone = follow->under[i];
		follow->under[i] = follow->under[--follow->n_under];
		follow->under[follow->n_under] = gone;
		return;
	}
}

/* --- stops ------------------------------------------------------------------------------------ */

static void go_on(pid_t tid, enum __ptrace_request how, int signal)
{
	/* It may have been killed meanwhile. */
	ptrace(how, tid, NULL, (void *)(intptr_t)signal);
}

static gboolean get_info(pid_t tid, struct __ptrace_syscall_info *info)
{
	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(*info), info) > 0;
}

static void stop_before(Follow *follow, pid_t tid)
{
	struct __ptrace_syscall_info info;
	MlvCallUnder *under;

	drop_under(follow, tid);
	if (follow->fd < 0 || !get_info(tid, &info) || info.op != PTRACE_SYSCALL_INFO_SECCOMP) {
		go_on(tid, PTRACE_CONT, 0);
		return;
	}
	under = add_under(follow);
	if (!mlv_trace_call_begin(tid, (MlvCall)info.seccomp.ret_data, info.seccomp.args, under)) {
		go_on(tid, PTRACE_CONT, 0);
		return;
	}
	follow->n_under++;
	go_on(tid, PTRACE_SYSCALL, 0);
}

static void stop_behind(Follow *follow, pid_t tid)
{
	const MlvCallUnder *under = find_under(follow, tid);
	struct __ptrace_syscall_info info;

	if (under && get_info(tid, &info) && info.op == PTRACE_SYSCALL_INFO_EXIT)
		mlv_trace_call_end(under, info.exit.rval, follow->fd);
	drop_under(follow, tid);
	go_on(tid, PTRACE_CONT, 0);
}

/* All other threads are gone, and the one that called goes on under the process's number. */
static void stop_exec(Follow *follow, pid_t tid)
{
	unsigned long former = (unsigned long)tid;

	ptrace(PTRACE_GETEVENTMSG, tid, NULL, &former);
	mlv_trace_call_exec(tid, find_under(follow, (pid_t)former), follow->fd);
	drop_under(follow, (pid_t)former);
	drop_under(follow, tid);
	go_on(tid, PTRACE_CONT, 0);
}

static void stopped(Follow *follow, pid_t tid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		stop_before(follow, tid);
		break;
	case PTRACE_EVENT_EXEC:
		stop_exec(follow, tid);
		break;
	case PTRACE_EVENT_STOP:
		/* Stopped by a signal it stays so until it is continued; else it is new. */
		if (signal == SIGTRAP)
			go_on(tid, PTRACE_CONT, 0);
		else
			go_on(tid, PTRACE_LISTEN, 0);
		break;
	case 0:
		if (signal == (SIGTRAP | 0x80))
			stop_behind(follow, tid);
		else
			go_on(tid, PTRACE_CONT, signal);
		break;
	default:
		go_on(tid, PTRACE_CONT, 0);
	}
}

void mlv_trace_follow(pid_t pid, int fd)
{
	Follow follow = { .fd = fd, .program = pid };

	for (;;) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return;
		if (WIFSTOPPED(status)) {
			stopped(&follow, tid, status);
			continue;
		}
		drop_under(&follow, tid);
		if (tid != follow.program)
			continue;
		/* What it has left behind goes on, and concerns nobody. */
		mlv_trace_tell(follow.fd, MLV_TELL_END, status, NULL);
		close(follow.fd);
		follow.fd = -1;
	}
}
