/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/run_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/file.h"

#define POLL_MS 100
/* Microseconds after which a program that was asked to end is asked again, and then made to. */
#define ASK_AGAIN (10 * G_USEC_PER_SEC)
#define MAKE_IT   (20 * G_USEC_PER_SEC)
/* What still holds the pipes once the program is gone (a daemon that it left) is not waited for. */
#define LINGER (500 * 1000)

/* The log: the first half in one file, of what follows the last half in two that take turns. */
typedef struct {
	const char *path;
	guint64 half;
	MlvFd head, tail;
	guint64 head_size, tail_size, skipped;
	GError *error;
} Log;

typedef struct {
	const MlvRunExec *exec;
	pid_t pid;
	gboolean own_group;
	struct pollfd fds[2];
	Log log;
	gint64 asked;   /* when it was first asked to end; 0: not */
	int asked_with; /* the last signal */
	gint64 gone;    /* when it ended; 0: not yet */
	int status;
} Child;

/* --- log -------------------------------------------------------------------------------------- */

static char *log_name(const Log *log, const char *suffix)
{
	return g_strconcat(log->path, suffix, NULL);
}

static int create_log(const char *path, GError **error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		mlv_fail_errno(error, "cannot write the log '%s'", path);
	return fd;
}

/* The tail that is full becomes the older one. */
static gboolean turn(Log *log)
{
	g_autofree char *now = log_name(log, ".tail"), *before = log_name(log, ".before");

	if (log->tail >= 0) {
		struct stat st;
		if (stat(before, &st) == 0)
			log->skipped += (guint64)st.st_size;
		mlv_fd_clear(&log->tail);
		rename(now, before);
	}
	log->tail = create_log(now, &log->error);
	log->tail_size = 0;
	return log->tail >= 0;
}

static void log_write(Log *log, const char *data, gsize length)
{
	while (length > 0 && !log->error) {
		gboolean head = log->head_size < log->half;
		guint64 *size = head ? &log->head_size : &log->tail_size;
		gsize n = length;

		if (!head && (log->tail < 0 || log->tail_size >= log->half) && !turn(log))
			return;
		n = MIN(n, log->half - *size);
		if (!mlv_file_write(head ? log->head : log->tail, data, n, log->path, &log->error))
			return;
		*size += n;
		data += n;
		length -= n;
	}
}

static void append_file(Log *log, const char *name, guint64 from)
{
	char buffer[65536];
	g_auto(MlvFd) fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || lseek(fd, (off_t)from, SEEK_SET) < 0)
		return;
	while (!log->error && (n = read(fd, buffer, sizeof buffer)) > 0)
		mlv_file_write(log->head, buffer, (gsize)n, log->path, &log->error);
}

static gboolean log_finish(Log *log, GError **error)
{
	g_autofree char *now = log_name(log, ".tail"), *before = log_name(log, ".before");
	struct stat st;

	if (log->tail >= 0) {
		guint64 older = stat(before, &st) == 0 ? (guint64)st.st_size : 0;
		guint64 cut = MIN(older, log->tail_size);
		g_autofree char *mark = g_strdup_printf(
			"\n[%" G_GUINT64_FORMAT " bytes left out]\n", log->skipped + cut);
		if (log->skipped + cut > 0 && !log->error)
			mlv_file_write(log->head, mark, strlen(mark), log->path, &log->error);
		append_file(log, before, cut);
		append_file(log, now, 0);
		mlv_fd_clear(&log->tail);
	}
	unlink(now);
	unlink(before);
	mlv_fd_clear(&log->head);
	if (!log->error)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&log->error));
	return FALSE;
}

/* --- the program ------------------------------------------------------------------------------ */

/* Starts it; returns an errno. */
static int spawn(Child *child, const int *out, const int *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults, mask;
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;

	sigemptyset(&mask);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, err[1], 2);
	posix_spawn_file_actions_addchdir_np(&actions, child->exec->directory);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setsigmask(&attributes, &mask);
	if (child->own_group) {
		flags |= POSIX_SPAWN_SETPGROUP;
		posix_spawnattr_setpgroup(&attributes, 0);
	}
	posix_spawnattr_setflags(&attributes, flags);
	int failed =
		posix_spawnp(&child->pid, child->exec->argv[0], &actions, &attributes,
			     (char *const *)child->exec->argv, (char *const *)child->exec->environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void take_bytes(Child *child, guint which, const char *data, gsize length);

/* What a shell would say and end with. */
static void tell_failed(Child *child, int failed)
{
	g_autofree char *text = g_strdup_printf("mlv: cannot start '%s': %s\n",
						child->exec->argv[0], g_strerror(failed));

	child->status = failed == ENOENT ? 127 : 126;
	child->gone = g_get_monotonic_time();
	take_bytes(child, 1, text, strlen(text));
}

static gboolean start(Child *child, GError **error)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return mlv_fail_errno(error, "cannot make a pipe");
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return mlv_fail_errno(error, "cannot make a pipe");
	}
	/* A program that reads from the terminal must be in its foreground group. */
	child->own_group = !isatty(0);
	int failed = spawn(child, out, err);
	close(out[1]);
	close(err[1]);
	child->fds[0] = (struct pollfd){ .fd = out[0], .events = POLLIN };
	child->fds[1] = (struct pollfd){ .fd = err[0], .events = POLLIN };
	if (failed)
		tell_failed(child, failed);
	return TRUE;
}

static void pass_on(int to, const char *data, gsize length)
{
	while (length > 0) {
		ssize_t n = write(to, data, length);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			data += n;
			length -= (gsize)n;
		}
	}
}

static void take_bytes(Child *child, guint which, const char *data, gsize length)
{
	log_write(&child->log, data, length);
	if (!child->exec->quiet)
		pass_on(which == 0 ? 1 : 2, data, length);
}

static void take_output(Child *child, guint which)
{
	char buffer[65536];
	struct pollfd *fd = &child->fds[which];
	ssize_t n = read(fd->fd, buffer, sizeof buffer);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(fd->fd);
		fd->fd = -1;
		return;
	}
	take_bytes(child, which, buffer, (gsize)n);
}

static void send(const Child *child, int number)
{
	kill(child->own_group ? -child->pid : child->pid, number);
}

/* On a terminal ctrl-C has reached it already, but a signal to us alone has not. */
static void ask_to_end(Child *child)
{
	gint64 now = g_get_monotonic_time();
	int number = 0;

	if (child->asked == 0) {
		child->asked = now;
		number = child->own_group ? SIGINT : 0;
	} else if (child->asked_with != SIGKILL && now - child->asked > MAKE_IT) {
		number = SIGKILL;
	} else if (child->asked_with != SIGTERM && child->asked_with != SIGKILL &&
		   now - child->asked > (child->own_group ? ASK_AGAIN : G_USEC_PER_SEC)) {
		number = SIGTERM;
	}
	if (number) {
		child->asked_with = number;
		send(child, number);
	}
}

static void look_whether_gone(Child *child)
{
	int status;

	if (child->gone || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->gone = g_get_monotonic_time();
	child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void run(Child *child)
{
	while (!child->gone || child->fds[0].fd >= 0 || child->fds[1].fd >= 0) {
		gboolean open = child->fds[0].fd >= 0 || child->fds[1].fd >= 0;
		/* with both pipes closed its end is near */
		int n = poll(child->fds, 2, open ? (child->gone ? 10 : POLL_MS) : 2);

		for (guint i = 0; n > 0 && i < 2; i++)
			if (child->fds[i].fd >= 0 && child->fds[i].revents)
				take_output(child, i);
		look_whether_gone(child);
		if (!child->gone && child->exec->cancel && *child->exec->cancel)
			ask_to_end(child);
		if (child->gone && n <= 0 && g_get_monotonic_time() - child->gone > LINGER)
			break;
	}
	for (guint i = 0; i < 2; i++)
		if (child->fds[i].fd >= 0)
			close(child->fds[i].fd);
}

gboolean mlv_run_exec(const MlvRunExec *exec, int *status, GError **error)
{
	Child child = { .exec = exec,
			.log = { .path = exec->log,
				 .half = MAX(exec->max_log / 2, 1),
				 .head = -1,
				 .tail = -1 } };

	child.log.head = create_log(exec->log, error);
	if (child.log.head < 0)
		return FALSE;
	if (!start(&child, error)) {
		log_finish(&child.log, NULL);
		return FALSE;
	}
	run(&child);
	*status = child.status;
	return log_finish(&child.log, error);
}
