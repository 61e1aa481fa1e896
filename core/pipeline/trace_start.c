/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes are forked: the helper from this one, and from it the program, which waits until it
 * is seized, installs its filter and begins. What goes wrong before that comes as errno through a
 * pipe that is closed when the program begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pipeline/trace_private.h"
#include "storage/file.h"

#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL)

typedef struct {
	const MlvTraceStart *start;
	struct sock_fprog program;
	int directory;
	int events; /* the helper tells here */
	int errors; /* the program's errno, if it cannot begin */
} Plan;

/* --- in the program's process ----------------------------------------------------------------- */

G_GNUC_NORETURN static void end_process(int status)
{
	/* Nothing of this process is cleaned up twice. */
	for (;;)
		syscall(SYS_exit_group, status);
}

static gboolean set_signals(void)
{
	static const int defaults[] = { SIGPIPE, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGCHLD };
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (gsize i = 0; i < G_N_ELEMENTS(defaults); i++)
		sigaction(defaults[i], &action, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static gboolean set_descriptors(const Plan *plan)
{
	const MlvTraceStart *start = plan->start;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	       dup2(start->output, STDOUT_FILENO) >= 0 && dup2(start->output, STDERR_FILENO) >= 0 &&
	       fchdir(plan->directory) == 0 &&
	       (start->keep_fd < 0 || dup2(start->keep_fd, start->keep_as) >= 0);
}

/* `go` ends when the tracer is ready. */
G_GNUC_NORETURN static void be_program(const Plan *plan, const int go[2])
{
	char byte;

	close(go[1]);
	while (read(go[0], &byte, 1) < 0 && errno == EINTR)
		;
	if (set_descriptors(plan) && set_signals() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &plan->program, 0, 0) == 0)
		execve(plan->start->argv[0], plan->start->argv,
		       (char *const *)plan->start->environ);
	int code = errno;
	(void)!write(plan->errors, &code, sizeof(code));
	end_process(127);
}

/* --- in the helper ---------------------------------------------------------------------------- */

/* It must hold nothing open: locks and pipes would live as long as it does. */
static void close_all(int kept)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		if (fd != kept)
			dup2(null, fd);
	if (kept > 3)
		syscall(SYS_close_range, 3, kept - 1, 0);
	syscall(SYS_close_range, MAX(kept, 2) + 1, ~0u, 0);
}

G_GNUC_NORETURN static void be_helper(const Plan *plan)
{
	int go[2];
	pid_t pid = pipe2(go, O_CLOEXEC) == 0 ? fork() : -1;
	int code = errno;

	if (pid == 0)
		be_program(plan, go);
	if (pid > 0) {
		setpgid(pid, pid);
		if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(intptr_t)OPTIONS) == 0) {
			mlv_trace_tell(plan->events, MLV_TELL_PID, pid, NULL);
			close_all(plan->events);
			mlv_trace_follow(pid, plan->events);
			end_process(0);
		}
		code = errno;
		kill(pid, SIGKILL);
	}
	mlv_trace_tell(plan->events, MLV_TELL_FAILED, code,
		       pid < 0 ? "cannot fork" : "cannot trace");
	end_process(1);
}

/* --- in mlv ----------------------------------------------------------------------------------- */

static gboolean read_whole(int fd, void *data, gsize length)
{
	gsize have = 0;

	while (have < length) {
		ssize_t got = read(fd, (char *)data + have, length - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return FALSE;
		have += (gsize)got;
	}
	return TRUE;
}

/* The first word of the helper: the program's number, or why there is none. */
static gboolean read_pid(int fd, pid_t *pid, GError **error)
{
	MlvTell head = { 0 };
	char text[64] = "";

	if (!read_whole(fd, &head, sizeof(head)) || head.length >= sizeof(text) ||
	    !read_whole(fd, text, head.length))
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the process that traces ended before it began");
	*pid = head.value;
	if (head.kind == MLV_TELL_PID)
		return TRUE;
	errno = head.value;
	return mlv_fail(error, MLV_ERROR_UNSUPPORTED, "%s a program: %s", text,
			g_strerror(head.value));
}

/* Whether the program has begun. */
static gboolean read_begun(int fd, const MlvTraceStart *start, GError **error)
{
	int code;

	if (!read_whole(fd, &code, sizeof(code)))
		return TRUE;
	errno = code;
	return mlv_fail_errno(error, "cannot start '%s' in '%s'", start->argv[0], start->directory);
}

static pid_t fork_helper(Plan *plan)
{
	sigset_t all, before;

	/* The helper is in our process group, and lives on when that is interrupted. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t helper = fork();
	if (helper == 0)
		be_helper(plan);
	int code = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = code;
	return helper;
}

static gboolean spawn(Plan *plan, int events, int errors, pid_t *helper, pid_t *program,
		      GError **error)
{
	*helper = fork_helper(plan);
	int code = errno;
	close(plan->events);
	close(plan->errors);
	errno = code;
	if (*helper < 0)
		return mlv_fail_errno(error, "cannot fork");
	return read_pid(events, program, error) && read_begun(errors, plan->start, error);
}

gboolean mlv_trace_spawn(const MlvTraceStart *start, pid_t *helper, pid_t *program, int *events,
			 GError **error)
{
	struct sock_filter filter[MLV_TRACE_FILTER_MAX];
	g_auto(MlvFd) told = -1, errors = -1, directory = -1;
	Plan plan = { .start = start };
	int ends[2];

	plan.program.len = mlv_trace_filter(filter);
	plan.program.filter = filter;
	plan.directory = directory = open(start->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return mlv_fail_errno(error, "cannot stand in '%s'", start->directory);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mlv_fail_errno(error, "cannot make a pipe");
	told = ends[0];
	plan.events = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		close(plan.events);
		return mlv_fail_errno(error, "cannot make a pipe");
	}
	errors = ends[0];
	plan.errors = ends[1];
	gboolean ok = spawn(&plan, told, errors, helper, program, error);
	if (!ok && *helper > 0)
		while (waitpid(*helper, NULL, 0) < 0 && errno == EINTR)
			;
	if (!ok)
		return FALSE;
	fcntl(told, F_SETFL, O_NONBLOCK);
	*events = told;
	told = -1;
	return TRUE;
}
