/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pipeline/plain_command.h"
#include "storage/error.h"
#include "storage/file.h"

#define READ_SIZE   65536
#define PLAIN_SHELL "/bin/sh"
#define KEEP_FD     198 /* a number that scripts do not use */

/* Milliseconds. */
#define GRACE  3000 /* between one signal and the next */
#define LINGER 200  /* for the rest of the output, once the command has ended */
#define TICK   50   /* between looks at what gives no sign */

typedef enum {
	STOP_NONE,
	STOP_INT,
	STOP_TERM,
	STOP_KILL,
} Stop;

struct MlvChild {
	MlvChildOptions options;
	guint next; /* the command to be started next */
	pid_t pid;  /* of the one under way; 0: it was waited for */
	pid_t group;
	MlvFd pidfd, output;
	int status; /* as of waitpid() */
	gboolean ended;
	gint64 linger; /* until when the rest of the output is waited for */
	Stop stop;
	gint64 deadline; /* of the next signal */
};

static gint64 now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

/* --- starting --------------------------------------------------------------------------------- */

static int fill_actions(posix_spawn_file_actions_t *actions, const MlvChildOptions *options,
			int output)
{
	int code =
		posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	code = code ? code : posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	code = code ? code : posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO);
	if (options->keep_fd >= 0 && sysconf(_SC_OPEN_MAX) > KEEP_FD)
		code = code ? code
			    : posix_spawn_file_actions_adddup2(actions, options->keep_fd, KEEP_FD);
	return code ? code : posix_spawn_file_actions_addchdir_np(actions, options->directory);
}

/* Signals as a shell expects them: we ignore SIGPIPE, and may have been started with others
 * blocked. */
static int fill_attributes(posix_spawnattr_t *attributes)
{
	static const int defaults[] = { SIGPIPE, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGCHLD };
	sigset_t none, all;

	sigemptyset(&none);
	sigemptyset(&all);
	for (gsize i = 0; i < G_N_ELEMENTS(defaults); i++)
		sigaddset(&all, defaults[i]);
	int code = posix_spawnattr_setsigmask(attributes, &none);
	code = code ? code : posix_spawnattr_setsigdefault(attributes, &all);
	code = code ? code : posix_spawnattr_setpgroup(attributes, 0);
	return code ? code
		    : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
								   POSIX_SPAWN_SETSIGDEF |
								   POSIX_SPAWN_SETPGROUP);
}

static int spawn(MlvChild *child, char **argv, int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int code = posix_spawn_file_actions_init(&actions);

	if (code)
		return code;
	code = posix_spawnattr_init(&attributes);
	if (!code) {
		code = fill_actions(&actions, &child->options, output);
		code = code ? code : fill_attributes(&attributes);
		code = code ? code
			    : posix_spawn(&child->pid, argv[0], &actions, &attributes, argv,
					  (char **)child->options.environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

static gboolean fail_start(const MlvChild *child, int code, char **argv, GError **error)
{
	errno = code;
	return code == E2BIG ? mlv_fail(error, MLV_ERROR_FAILED,
					"the command is too long for this system: %zu bytes",
					strlen((char *)child->options.cmds->pdata[child->next]))
			     : mlv_fail_errno(error, "cannot start '%s' in '%s'", argv[0],
					      child->options.directory);
}

static gboolean spawn_traced(MlvChild *child, char **argv, int output, GError **error)
{
	gboolean keep = child->options.keep_fd >= 0 && sysconf(_SC_OPEN_MAX) > KEEP_FD;
	MlvTraceStart start = { .argv = argv,
				.environ = child->options.environ,
				.directory = child->options.directory,
				.output = output,
				.keep_fd = keep ? child->options.keep_fd : -1,
				.keep_as = KEEP_FD };

	return mlv_trace_start(child->options.trace, &start, &child->pid, error);
}

static gboolean start_next(MlvChild *child, GError **error)
{
	static const char *const plain[] = { PLAIN_SHELL, NULL };
	const char *cmd = child->options.cmds->pdata[child->next];
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *const *shell = child->options.any_shell && mlv_command_is_plain(cmd)
					   ? plain
					   : child->options.shell;
	int ends[2];

	for (const char *const *word = shell; *word; word++)
		g_ptr_array_add(argv, (gpointer)*word);
	g_ptr_array_add(argv, (gpointer) "-c");
	g_ptr_array_add(argv, (gpointer)cmd);
	g_ptr_array_add(argv, NULL);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mlv_fail_errno(error, "cannot make a pipe");
	int code = 0;
	gboolean ok;
	if (child->options.trace) {
		ok = spawn_traced(child, (char **)argv->pdata, ends[1], error);
	} else {
		code = spawn(child, (char **)argv->pdata, ends[1]);
		ok = code == 0 || fail_start(child, code, (char **)argv->pdata, error);
	}
	close(ends[1]);
	if (!ok) {
		close(ends[0]);
		child->pid = 0;
		return FALSE;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	child->output = ends[0];
	child->group = child->pid;
	/* One that is traced is not ours to wait for. */
	child->pidfd = child->options.trace ? -1 : (int)syscall(SYS_pidfd_open, child->pid, 0);
	child->ended = FALSE;
	child->linger = 0;
	child->next++;
	return TRUE;
}

MlvChild *mlv_child_start(const MlvChildOptions *options, GError **error)
{
	g_autoptr(MlvChild) child = g_new0(MlvChild, 1);

	child->options = *options;
	child->pidfd = child->output = -1;
	return start_next(child, error) ? g_steal_pointer(&child) : NULL;
}

void mlv_child_free(MlvChild *child)
{
	if (!child)
		return;
	if (child->pid > 0) {
		kill(-child->group, SIGKILL);
		while (!child->options.trace && waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	mlv_fd_clear(&child->pidfd);
	mlv_fd_clear(&child->output);
	g_free(child);
}

/* --- waiting ---------------------------------------------------------------------------------- */

guint mlv_child_fds(const MlvChild *child, struct pollfd fds[MLV_CHILD_FDS])
{
	guint count = 0;

	if (child->output >= 0)
		fds[count++] = (struct pollfd){ .fd = child->output, .events = POLLIN };
	if (child->pid > 0 && child->options.trace)
		fds[count++] = (struct pollfd){ .fd = mlv_trace_fd(child->options.trace),
						.events = POLLIN };
	else if (child->pid > 0 && child->pidfd >= 0)
		fds[count++] = (struct pollfd){ .fd = child->pidfd, .events = POLLIN };
	return count;
}

int mlv_child_timeout(const MlvChild *child)
{
	if (child->stop != STOP_NONE ||
	    (child->pid > 0 && child->pidfd < 0 && !child->options.trace))
		return TICK;
	if (!child->ended)
		return -1;
	return (int)CLAMP(child->linger - now_ms(), 0, LINGER);
}

/* Reads what there is now; at the end of it closes. */
static void read_output(MlvChild *child)
{
	guint8 buffer[READ_SIZE];

	for (int i = 0; child->output >= 0 && i < 64; i++) {
		ssize_t got = read(child->output, buffer, sizeof(buffer));
		if (got > 0) {
			child->options.output(buffer, (gsize)got, child->options.user);
			continue;
		}
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		mlv_fd_clear(&child->output);
	}
}

/* Whether the command under way has ended. */
static gboolean look_for_end(MlvChild *child, gboolean *ended, int *status, GError **error)
{
	*ended = FALSE;
	if (child->pid <= 0)
		return TRUE;
	if (child->options.trace)
		return mlv_trace_read(child->options.trace, ended, status, error);
	*ended = waitpid(child->pid, status, WNOHANG) == child->pid;
	return TRUE;
}

static gboolean reap(MlvChild *child, GError **error)
{
	gboolean ended;
	int status;

	if (!look_for_end(child, &ended, &status, error))
		return FALSE;
	if (!ended)
		return TRUE;
	child->status = status;
	child->pid = 0;
	child->ended = TRUE;
	child->linger = now_ms() + LINGER;
	mlv_fd_clear(&child->pidfd);
	return TRUE;
}

static gboolean group_is_gone(const MlvChild *child)
{
	return kill(-child->group, 0) < 0 && errno == ESRCH;
}

/* The next stronger signal, when its time has come. */
static void escalate(MlvChild *child)
{
	static const int signals[] = {
		[STOP_INT] = SIGINT, [STOP_TERM] = SIGTERM, [STOP_KILL] = SIGKILL
	};

	if (child->stop == STOP_KILL || now_ms() < child->deadline)
		return;
	child->stop++;
	child->deadline = now_ms() + GRACE;
	kill(-child->group, signals[child->stop]);
}

void mlv_child_stop(MlvChild *child, gboolean now)
{
	if (now && child->stop < STOP_KILL) {
		child->stop = STOP_KILL;
		kill(-child->group, SIGKILL);
	} else if (child->stop == STOP_NONE) {
		escalate(child);
	}
}

gboolean mlv_child_step(MlvChild *child, gboolean *finished, GError **error)
{
	*finished = FALSE;
	/* In this order: what was printed before the end is in the pipe by then. */
	if (!reap(child, error))
		return FALSE;
	read_output(child);
	if (child->stop != STOP_NONE) {
		escalate(child);
		*finished = child->ended && (child->stop == STOP_KILL || group_is_gone(child));
		return TRUE;
	}
	/* Somebody else may hold the pipe open for ever. */
	if (!child->ended || (child->output >= 0 && now_ms() < child->linger))
		return TRUE;
	mlv_fd_clear(&child->output);
	*finished = child->status != 0 || child->next == child->options.cmds->len;
	return *finished || start_next(child, error);
}

/* --- how it ended ----------------------------------------------------------------------------- */

gboolean mlv_child_succeeded(const MlvChild *child)
{
	return child->ended && child->status == 0 && child->stop == STOP_NONE &&
	       child->next == child->options.cmds->len;
}

int mlv_child_status(const MlvChild *child)
{
	return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
					  : WEXITSTATUS(child->status);
}

char *mlv_child_ended(const MlvChild *child)
{
	if (WIFSIGNALED(child->status))
		return g_strdup_printf("it was killed by signal %d (%s)", WTERMSIG(child->status),
				       g_strsignal(WTERMSIG(child->status)));
	return g_strdup_printf("its command ended with status %d", WEXITSTATUS(child->status));
}

const char *mlv_child_command(const MlvChild *child)
{
	return child->options.cmds->pdata[child->next - 1];
}

/* --- the shell -------------------------------------------------------------------------------- */

/* An executable file of that name in the folders of PATH, or NULL. */
static char *find_program(const char *name, const char *const *variables)
{
	const char *path = g_environ_getenv((char **)variables, "PATH");
	g_auto(GStrv) folders = g_strsplit(path ? path : "/usr/bin:/bin", ":", -1);

	for (char **folder = folders; *folder; folder++) {
		g_autofree char *file = g_build_filename(**folder ? *folder : ".", name, NULL);
		if (*file == '/' && g_file_test(file, G_FILE_TEST_IS_REGULAR) &&
		    access(file, X_OK) == 0)
			return g_steal_pointer(&file);
	}
	return NULL;
}

char **mlv_child_shell(const char *shell, const char *const *variables, GError **error)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(GError) why = NULL;

	if (!shell) {
		char *bash = find_program("bash", variables);
		words = g_new0(char *, 2);
		words[0] = bash ? bash : g_strdup("/bin/sh");
		return g_steal_pointer(&words);
	}
	if (!g_shell_parse_argv(shell, NULL, &words, &why)) {
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' names no shell: %s", shell, why->message);
		return NULL;
	}
	if (*words[0] != '/') {
		char *found = find_program(words[0], variables);
		if (!found) {
			mlv_fail(error, MLV_ERROR_FAILED, "there is no shell '%s' on PATH",
				 words[0]);
			return NULL;
		}
		g_free(words[0]);
		words[0] = found;
	}
	return g_steal_pointer(&words);
}
