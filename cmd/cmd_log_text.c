/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/log_call.h"
#include "storage/file.h"

#define TEXT_MAX (64u << 20)

static GBytes *read_input(GError **error)
{
	g_autoptr(GByteArray) text = g_byte_array_new();
	guint8 buffer[65536];
	gssize got;

	while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			mlv_fail_errno(error, "cannot read the standard input");
			return NULL;
		}
		g_byte_array_append(text, buffer, (guint)got);
		if (text->len > TEXT_MAX) {
			mlv_fail(error, MLV_ERROR_FAILED,
				 "the text is longer than %u MiB; 'mlv log-artifact' keeps files",
				 TEXT_MAX >> 20);
			return NULL;
		}
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&text));
}

static gboolean append(const char *folder, const char *name, GBytes *text, GError **error)
{
	g_autofree char *inner = g_build_filename(MLV_LOG_TEXTS_DIR, name, NULL);
	g_autofree char *parent = g_path_get_dirname(inner);
	g_auto(MlvFd) dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gsize length;
	const void *data = g_bytes_get_data(text, &length);

	if (dir < 0)
		return mlv_fail_errno(error, "cannot open the run's folder '%s'", folder);
	if (!mlv_file_make_dirs(dir, parent, 0777, error))
		return FALSE;
	g_auto(MlvFd) fd =
		mlv_file_open_beneath(dir, inner, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return mlv_fail_errno(error, "cannot write '%s' in '%s'", inner, folder);
	return mlv_file_write(fd, data, length, inner, error);
}

gboolean mlv_cmd_log_text(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };
	g_auto(MlvLogCall) call = { 0 };
	g_autoptr(GBytes) text = NULL;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "NAME [TEXT...]\nnvidia-smi | mlv log-text gpu\n"
			       "mlv log-text notes 'second try, smaller batches'",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error) || !mlv_log_call_check_name(argv[1], error))
		return FALSE;
	mlv_log_call_init(&call);
	if (!mlv_log_call_need_run(&call, "'mlv run' begins one", error))
		return FALSE;
	if (argc > 2) {
		g_autofree char *words = g_strjoinv(" ", argv + 2);
		char *line = g_strconcat(words, "\n", NULL);

		text = g_bytes_new_take(line, strlen(line));
	} else {
		text = read_input(error);
	}
	return text && append(call.folder, argv[1], text, error);
}
