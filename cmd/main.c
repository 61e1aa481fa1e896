/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/program.h"

/* A signal handler can reach nothing else: the one variable of the program. */
static volatile sig_atomic_t cancelled_by;

static void on_signal(int number)
{
	__atomic_store_n(&cancelled_by, number, __ATOMIC_RELAXED); /* workers look at it */
	/* The next one kills at once. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

static void catch_signals(void)
{
	/* No SA_RESTART: whoever waits for a lock must wake up. */
	struct sigaction catch = { .sa_handler = on_signal };
	struct sigaction now;

	sigemptyset(&catch.sa_mask);
	/* Who starts us in the background with SIGINT ignored means it. */
	if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
		sigaction(SIGINT, &catch, NULL);
	sigaction(SIGTERM, &catch, NULL);
	/* A closed pipe is an error of write(), as it is for sockets, and answered in finish(). */
	signal(SIGPIPE, SIG_IGN);
}

/* A file opened as descriptor 2 would get our messages. What takes the place of a closed input
 * cannot be read, and of a closed output not be written: results that nobody gets are an error. */
static void open_standard_descriptors(void)
{
	static const int how[] = { O_WRONLY, O_RDONLY, O_RDWR };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", how[fd]);
}

/* Ends as if the signal had killed us, so that a shell's loop stops too. */
static int die_of(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	return 128 + number;
}

/* Prints the error, once, and gives the exit status for it. */
static int report(MlvUi *ui, const MlvCmd *cmd, const GError *error)
{
	g_autofree char *usage = cmd ? mlv_options_usage_line(cmd) : NULL;
	const char *name = cmd && cmd->name ? cmd->name : NULL;

	if (g_error_matches(error, MLV_ERROR, MLV_ERROR_SILENT))
		return cmd && cmd->answered ? MLV_EXIT_DONE : MLV_EXIT_CHECK;
	mlv_ui_error(ui, name, error->message);
	if (g_error_matches(error, MLV_ERROR, MLV_ERROR_CHECK))
		return MLV_EXIT_CHECK;
	if (!g_error_matches(error, MLV_ERROR, MLV_ERROR_USAGE))
		return MLV_EXIT_CANNOT;
	fprintf(stderr, "%s\n",
		usage ? usage : "usage: mlv COMMAND [ARGUMENT...]; 'mlv help' lists the commands");
	return MLV_EXIT_USAGE;
}

static int run_command(MlvUi *ui, const MlvCommand *command, int jobs, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	MlvCmd cmd;
	int status;

	mlv_cmd_context_init(&cmd, command, ui, &cancelled_by);
	cmd.jobs = (guint)jobs;
	if (command->run(&cmd, argc, argv, &error))
		status = cmd.status;
	else if (cancelled_by)
		status = 128 + cancelled_by;
	else if (ferror(stdout))
		status = MLV_EXIT_CANNOT;
	else
		status = report(ui, &cmd, error);
	mlv_cmd_context_clear(&cmd);
	return status;
}

static int unknown_command(MlvUi *ui, const char *name)
{
	const char *near = mlv_command_nearest(name);
	g_autofree char *message =
		near ? g_strdup_printf("'%s' is not an mlv command; did you mean '%s'?", name, near)
		     : g_strdup_printf("'%s' is not an mlv command; 'mlv help' lists them", name);

	mlv_ui_error(ui, NULL, message);
	return MLV_EXIT_USAGE;
}

/* The program's own options, then the command. */
static int run(MlvUi *ui, int argc, char **argv)
{
	g_auto(MlvProgramOptions) opt = { 0 };
	g_autoptr(GArray) entries = mlv_program_options_entries(&opt);
	g_autoptr(GError) error = NULL;
	const MlvCommand *command;
	int first = mlv_options_parse_leading((const GOptionEntry *)(gpointer)entries->data, argc,
					      argv, &error);

	if (!first || !mlv_program_options_apply(&opt, ui, &error))
		return report(ui, NULL, error);
	if (opt.version)
		return run_command(ui, mlv_command_find("version"), 0, 1,
				   (char *[]){ (char *)"version", NULL });
	if (opt.help && first == argc && mlv_help_open("mlv"))
		return MLV_EXIT_DONE;
	if (opt.help || opt.usage || first == argc) {
		mlv_command_list(stdout);
		return opt.help || opt.usage ? MLV_EXIT_DONE : MLV_EXIT_CHECK;
	}
	command = mlv_command_find(argv[first]);
	if (!command)
		return unknown_command(ui, argv[first]);
	return run_command(ui, command, opt.jobs, argc - first, argv + first);
}

/* What was printed must have arrived: a full disk is an error, a reader that left is not worth a
 * word. */
static int close_stdout(MlvUi *ui, int status)
{
	gboolean failed = ferror(stdout) != 0;
	/* A write that failed earlier has left no errno; the open descriptor still tells. */
	gboolean gone = failed && mlv_ui_reader_gone(STDOUT_FILENO);
	int reason = 0;

	errno = 0;
	if (fflush(stdout) != 0 || failed)
		reason = errno;
	if (fclose(stdout) != 0 && !reason)
		reason = errno;
	if (!failed && !reason)
		return status;
	if (reason == EPIPE || gone)
		return die_of(SIGPIPE);
	if (reason) {
		g_autofree char *message = g_strdup_printf(
			"cannot write to the standard output: %s", g_strerror(reason));

		mlv_ui_error(ui, NULL, message);
	} else {
		mlv_ui_error(ui, NULL, "cannot write to the standard output");
	}
	return MLV_EXIT_CANNOT;
}

int main(int argc, char **argv)
{
	MlvUi ui;
	int status;

	open_standard_descriptors();
	/* Names are bytes, shown as UTF-8 whatever the environment says; messages and numbers
	 * stay the same. */
	setlocale(LC_CTYPE, "C.UTF-8");
	catch_signals();
	mlv_ui_init(&ui);
	status = run(&ui, argc, argv);
	if (cancelled_by && status == 128 + cancelled_by) {
		fflush(stdout);
		mlv_ui_error(&ui, NULL, "interrupted; run the command again to go on");
		mlv_ui_clear(&ui);
		return die_of(cancelled_by);
	}
	status = close_stdout(&ui, status);
	mlv_ui_clear(&ui);
	return status;
}
