/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/credentials_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/s3/json.h"
#include "storage/s3/secret.h"

#define OUTPUT_MAX (256 * 1024)
#define TICK       50 /* milliseconds */

typedef struct {
	const MlvS3Chain *chain;
	const char *origin;
	gint64 deadline; /* of g_get_monotonic_time */
	GPid pid;
} Process;

static gboolean go_on(const Process *process, GError **error)
{
	if (process->chain->cancel && *process->chain->cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	if (g_get_monotonic_time() >= process->deadline)
		return mlv_fail(error, MLV_ERROR_FAILED, "%s has not ended after %u seconds",
				process->origin, process->chain->process_seconds);
	return TRUE;
}

/* All that it writes. */
static gboolean read_output(const Process *process, int fd, GByteArray *out, GError **error)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	gsize length = 0;

	/* One piece of memory, that no copy is left behind by growing. */
	g_byte_array_set_size(out, OUTPUT_MAX + 1);
	for (;;) {
		ssize_t got;

		if (!go_on(process, error))
			return FALSE;
		if (poll(&poll_fd, 1, TICK) <= 0)
			continue;
		got = read(fd, out->data + length, OUTPUT_MAX + 1 - length);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return mlv_fail_errno(error, "cannot read what %s writes", process->origin);
		if (got == 0)
			break;
		length += got > 0 ? (gsize)got : 0;
		if (length > OUTPUT_MAX)
			return mlv_fail(error, MLV_ERROR_CORRUPT, "%s writes more than %d bytes",
					process->origin, OUTPUT_MAX);
	}
	g_byte_array_set_size(out, (guint)length);
	return TRUE;
}

static gboolean wait_end(Process *process, GError **error)
{
	pid_t ended;
	int status;

	while ((ended = waitpid(process->pid, &status, WNOHANG)) == 0) {
		if (!go_on(process, error))
			return FALSE;
		g_usleep(TICK * 100);
	}
	process->pid = 0;
	if (ended < 0)
		return mlv_fail_errno(error, "cannot wait for %s", process->origin);
	/* What it says of the reason may hold secrets, so it is not shown. */
	if (WIFSIGNALED(status))
		return mlv_fail(error, MLV_ERROR_FAILED, "%s was ended by signal %d",
				process->origin, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"%s failed with exit status %d: run the command by hand to see why",
				process->origin, WEXITSTATUS(status));
	return TRUE;
}

static gboolean run(Process *process, char **words, GByteArray *out, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_auto(MlvFd) fd = -1;
	gboolean good;

	if (!g_spawn_async_with_pipes(NULL, words, NULL,
				      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
					      G_SPAWN_STDERR_TO_DEV_NULL,
				      NULL, NULL, &process->pid, NULL, &fd, NULL, &why))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot run %s: %s", process->origin,
				why->message);
	good = read_output(process, fd, out, error) && wait_end(process, error);
	if (process->pid) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
	}
	return good;
}

static gboolean is_version_1(GByteArray *out, const char *origin, GError **error)
{
	g_autofree char *what = g_strdup_printf("the output of %s", origin);
	g_autoptr(MlvS3Json) json = mlv_s3_json_parse(out->data, out->len, what, error);
	gint64 version;

	if (!json)
		return FALSE;
	if (mlv_s3_json_integer(json, "Version", &version) && version == 1)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_UNSUPPORTED, "the output of %s is not of Version 1",
			origin);
}

gboolean mlv_s3_keys_from_process(MlvS3Chain *chain, const char *profile, MlvS3Keys **keys,
				  GError **error)
{
	const char *command =
		mlv_s3_profiles_get(chain->profiles, MLV_S3_PROFILE, profile, "credential_process");
	g_autofree char *origin =
		g_strdup_printf("the credential_process of profile '%s'", profile);
	Process process = { .chain = chain, .origin = origin };
	g_auto(GStrv) words = NULL;
	GByteArray *out;

	*keys = NULL;
	if (!command)
		return TRUE;
	if (!g_shell_parse_argv(command, NULL, &words, NULL))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot run %s: its quotes do not match",
				origin);
	process.deadline = g_get_monotonic_time() + chain->process_seconds * G_TIME_SPAN_SECOND;
	out = g_byte_array_new();
	if (run(&process, words, out, error) && is_version_1(out, origin, error))
		*keys = mlv_s3_keys_from_json(out->data, out->len, "SessionToken", origin, error);
	mlv_secret_free_bytes(out);
	return *keys != NULL;
}
