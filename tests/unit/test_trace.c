/* SPDX-License-Identifier: Apache-2.0 */
/* Programs are traced, in all ways in which they end or do not begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pipeline/trace_private.h"
#include "storage/file.h"

/* Runs a command of the shell to its end, in the current folder. */
static void run(MlvTrace *trace, const char *command, int *status)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	const char *const variables[] = { "PATH=/usr/bin:/bin", NULL };
	g_autofree char *here = g_get_current_dir();
	g_auto(MlvFd) null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	MlvTraceStart start = { .argv = (char *const *)argv,
				.environ = variables,
				.directory = here,
				.output = null,
				.keep_fd = -1 };
	gboolean ended = FALSE;
	GError *error = NULL;
	pid_t pid;

	assert_true(mlv_trace_start(trace, &start, &pid, &error));
	while (!ended) {
		struct pollfd fd = { .fd = mlv_trace_fd(trace), .events = POLLIN };
		poll(&fd, 1, -1);
		assert_true(mlv_trace_read(trace, &ended, status, &error));
	}
}

static const MlvTraced *find(const GArray *files, const char *name)
{
	for (guint i = 0; i < files->len; i++) {
		const MlvTraced *traced = &g_array_index(files, MlvTraced, i);
		if (g_str_has_suffix(traced->path, name))
			return traced;
	}
	return NULL;
}

static void files_are_noted_over_several_programs(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("mlv-trace-XXXXXX", NULL);
	g_autofree char *before = g_get_current_dir();
	g_autoptr(MlvTrace) trace = mlv_trace_new();
	int status;

	if (!mlv_trace_check(NULL))
		skip();
	assert_int_equal(chdir(folder), 0);
	run(trace, "echo a >one; echo b >two", &status);
	assert_int_equal(status, 0);
	run(trace, "cat one </dev/null; cat three; mv two four", &status);
	g_autoptr(GArray) files = mlv_trace_files(trace);
	assert_true(find(files, "/one")->own);
	assert_false(find(files, "/one")->input);
	assert_true(find(files, "/three")->missing);
	assert_true(find(files, "/four")->own);
	assert_true(find(files, "/two")->written);
	assert_true(find(files, "/cat")->program);
	unlink("one");
	unlink("four");
	assert_int_equal(chdir(before), 0);
	rmdir(folder);
}

static void a_program_ends_as_it_ends(void **state)
{
	g_autoptr(MlvTrace) trace = mlv_trace_new();
	int status;

	if (!mlv_trace_check(NULL))
		skip();
	run(trace, "exit 9", &status);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 9);
	run(trace, "kill -TERM $$", &status);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	run(trace, "trap 'exit 3' USR1; kill -USR1 $$; exit 4", &status);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void what_cannot_begin_is_an_error(void **state)
{
	const char *const argv[] = { "/nowhere/no-such-program", NULL };
	const char *const variables[] = { NULL };
	g_autoptr(MlvTrace) trace = mlv_trace_new();
	g_autoptr(GError) error = NULL;
	MlvTraceStart start = { .argv = (char *const *)argv,
				.environ = variables,
				.directory = "/",
				.output = 2,
				.keep_fd = -1 };
	pid_t pid;

	if (!mlv_trace_check(NULL))
		skip();
	assert_false(mlv_trace_start(trace, &start, &pid, &error));
	assert_non_null(strstr(error->message, "/nowhere/no-such-program"));
	g_clear_error(&error);
	start.directory = "/nowhere";
	assert_false(mlv_trace_start(trace, &start, &pid, &error));
	assert_non_null(strstr(error->message, "cannot stand in '/nowhere'"));
}

static void many_threads_and_processes_are_followed(void **state)
{
	g_autoptr(MlvTrace) trace = mlv_trace_new();
	int status;

	if (!mlv_trace_check(NULL))
		skip();
	run(trace, "for i in 1 2 3 4 5 6 7 8; do (cat /etc/passwd; cat /nowhere/$i) & done; wait",
	    &status);
	g_autoptr(GArray) files = mlv_trace_files(trace);
	assert_int_equal(status, 0);
	assert_true(find(files, "/etc/passwd")->input);
	for (int i = 1; i <= 8; i++) {
		g_autofree char *name = g_strdup_printf("/nowhere/%d", i);
		assert_true(find(files, name)->missing);
	}
}

/* Every path through the filter ends in a return, and none leads out of it. */
static void the_filter_is_closed(void **state)
{
	struct sock_filter filter[MLV_TRACE_FILTER_MAX];
	unsigned short length = mlv_trace_filter(filter);

	assert_true(length > 0 && length <= MLV_TRACE_FILTER_MAX);
	assert_int_equal(BPF_CLASS(filter[length - 1].code), BPF_RET);
	for (unsigned short i = 0; i < length; i++)
		if (BPF_CLASS(filter[i].code) == BPF_JMP)
			assert_true(i + 1 + MAX(filter[i].jt, filter[i].jf) < length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_noted_over_several_programs),
		cmocka_unit_test(a_program_ends_as_it_ends),
		cmocka_unit_test(what_cannot_begin_is_an_error),
		cmocka_unit_test(many_threads_and_processes_are_followed),
		cmocka_unit_test(the_filter_is_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
