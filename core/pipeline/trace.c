/* SPDX-License-Identifier: Apache-2.0 */
/* What the helper tells, gathered: one entry a file, however often it was opened. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pipeline/trace_private.h"
#include "storage/file.h"

#define FILES_MAX 1000000u
#define READ_SIZE 65536

struct MlvTrace {
	MlvFd events; /* -1: no program is under way */
	pid_t helper;
	GArray *helpers;     /* of pid_t: earlier ones, which may live on */
	GByteArray *buffer;  /* of a record that is not whole yet */
	GHashTable *files;   /* path -> MlvTraced */
	GHashTable *folders; /* of char *: those put in place; in `files` */
	gboolean overflowed;
	gboolean ended;
	int status;
};

static void traced_free(gpointer data)
{
	MlvTraced *traced = data;

	g_free((char *)traced->path);
	g_free(traced);
}

MlvTrace *mlv_trace_new(void)
{
	MlvTrace *trace = g_new0(MlvTrace, 1);

	trace->events = -1;
	trace->helpers = g_array_new(FALSE, FALSE, sizeof(pid_t));
	trace->buffer = g_byte_array_new();
	trace->files = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, traced_free);
	trace->folders = g_hash_table_new(g_str_hash, g_str_equal);
	return trace;
}

void mlv_trace_free(MlvTrace *trace)
{
	if (!trace)
		return;
	/* One that lives on is waited for by whoever inherits it. */
	for (guint i = 0; i < trace->helpers->len; i++)
		waitpid(g_array_index(trace->helpers, pid_t, i), NULL, WNOHANG);
	mlv_fd_clear(&trace->events);
	g_array_unref(trace->helpers);
	g_byte_array_unref(trace->buffer);
	g_hash_table_unref(trace->folders);
	g_hash_table_unref(trace->files);
	g_free(trace);
}

gboolean mlv_trace_start(MlvTrace *trace, const MlvTraceStart *start, pid_t *pid, GError **error)
{
	pid_t helper = -1;

	mlv_fd_clear(&trace->events);
	g_byte_array_set_size(trace->buffer, 0);
	trace->ended = FALSE;
	if (!mlv_trace_spawn(start, &helper, pid, &trace->events, error))
		return FALSE;
	g_array_append_val(trace->helpers, helper);
	return TRUE;
}

int mlv_trace_fd(const MlvTrace *trace)
{
	return trace->events;
}

/* --- what was done with a file ---------------------------------------------------------------- */

static MlvTraced *get_file(MlvTrace *trace, const char *path)
{
	MlvTraced *traced = g_hash_table_lookup(trace->files, path);

	if (traced)
		return traced;
	if (g_hash_table_size(trace->files) >= FILES_MAX) {
		trace->overflowed = TRUE;
		return NULL;
	}
	traced = g_new0(MlvTraced, 1);
	traced->path = g_strdup(path);
	g_hash_table_insert(trace->files, (gpointer)traced->path, traced);
	return traced;
}

/* It lies in a folder that was put in place as a whole. */
static gboolean is_in_own_folder(const MlvTrace *trace, const char *path)
{
	if (g_hash_table_size(trace->folders) == 0)
		return FALSE;
	g_autofree char *folder = g_strdup(path);
	for (char *slash; (slash = strrchr(folder, '/')) && slash > folder;) {
		*slash = '\0';
		if (g_hash_table_contains(trace->folders, folder))
			return TRUE;
	}
	return FALSE;
}

static void note(MlvTrace *trace, MlvTellKind kind, const char *path)
{
	MlvTraced *traced = get_file(trace, path);

	if (!traced)
		return;
	switch (kind) {
	case MLV_TELL_PROGRAM:
		traced->program = TRUE;
		G_GNUC_FALLTHROUGH;
	case MLV_TELL_READ:
		traced->input |= !traced->own && !is_in_own_folder(trace, path);
		break;
	case MLV_TELL_FOLDER:
		traced->folder = TRUE;
		g_hash_table_add(trace->folders, (gpointer)traced->path);
		G_GNUC_FALLTHROUGH;
	case MLV_TELL_WRITE:
		traced->own |= !traced->input;
		G_GNUC_FALLTHROUGH;
	case MLV_TELL_REMOVE:
		traced->written = TRUE;
		break;
	case MLV_TELL_MISSING:
		traced->missing = TRUE;
		break;
	default:
		break;
	}
}

/* Takes the whole records out of the buffer. */
static void take_records(MlvTrace *trace)
{
	const GByteArray *buffer = trace->buffer;
	gsize at = 0;
	MlvTell head;

	while (buffer->len - at >= sizeof(head)) {
		memcpy(&head, buffer->data + at, sizeof(head));
		if (buffer->len - at - sizeof(head) < head.length)
			break;
		g_autofree char *path =
			g_strndup((const char *)buffer->data + at + sizeof(head), head.length);
		at += sizeof(head) + head.length;
		if (head.kind == MLV_TELL_END) {
			trace->ended = TRUE;
			trace->status = head.value;
		} else {
			note(trace, (MlvTellKind)head.kind, path);
		}
	}
	if (at > 0)
		g_byte_array_remove_range(trace->buffer, 0, (guint)at);
}

gboolean mlv_trace_read(MlvTrace *trace, gboolean *ended, int *status, GError **error)
{
	guint8 data[READ_SIZE];

	while (trace->events >= 0 && !trace->ended) {
		ssize_t got = read(trace->events, data, sizeof(data));
		if (got > 0) {
			g_byte_array_append(trace->buffer, data, (guint)got);
			take_records(trace);
		} else if (got < 0 && errno == EAGAIN) {
			break;
		} else if (got == 0 || errno != EINTR) {
			mlv_fd_clear(&trace->events);
			return mlv_fail(error, MLV_ERROR_FAILED,
					"the process that traced it ended, and it with that");
		}
	}
	if (trace->ended)
		mlv_fd_clear(&trace->events);
	*ended = trace->ended;
	*status = trace->status;
	return TRUE;
}

/* --- the result ------------------------------------------------------------------------------- */

static gint by_path(gconstpointer a, gconstpointer b)
{
	return strcmp(((const MlvTraced *)a)->path, ((const MlvTraced *)b)->path);
}

GArray *mlv_trace_files(const MlvTrace *trace)
{
	GArray *files = g_array_new(FALSE, FALSE, sizeof(MlvTraced));
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, trace->files);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_array_append_vals(files, value, 1);
	g_array_sort(files, by_path);
	return files;
}

gboolean mlv_trace_overflowed(const MlvTrace *trace)
{
	return trace->overflowed;
}

/* --- whether it can be done ------------------------------------------------------------------- */

/* Runs a program that opens one file, of the file system that tracing needs, and looks whether
 * anything was seen. */
static gboolean try_one(GError **error)
{
	static const char *const argv[] = { "/bin/sh", "-c", "exec </proc/self/status", NULL };
	static const char *const variables[] = { NULL };
	g_autoptr(MlvTrace) trace = mlv_trace_new();
	g_auto(MlvFd) null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	MlvTraceStart start = { .argv = (char *const *)argv,
				.environ = variables,
				.directory = "/",
				.output = null,
				.keep_fd = -1 };
	gboolean ended = FALSE;
	int status = 0;
	pid_t pid;

	if (!mlv_trace_start(trace, &start, &pid, error))
		return FALSE;
	while (!ended) {
		struct pollfd fd = { .fd = mlv_trace_fd(trace), .events = POLLIN };
		poll(&fd, 1, -1);
		if (!mlv_trace_read(trace, &ended, &status, error))
			return FALSE;
	}
	if (status != 0 || g_hash_table_size(trace->files) == 0)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"a program that was traced did not run as it should");
	return TRUE;
}

gboolean mlv_trace_check(GError **error)
{
	g_autoptr(GError) why = NULL;

	return try_one(&why) ||
	       mlv_fail(error, MLV_ERROR_UNSUPPORTED,
			"--trace needs ptrace and seccomp filters, which this system forbids or "
			"lacks: %s; a container may have to be started with --cap-add=SYS_PTRACE, "
			"and kernel.yama.ptrace_scope must not be above 1",
			why->message);
}
