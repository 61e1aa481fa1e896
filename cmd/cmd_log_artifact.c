/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "cmd/log_call.h"
#include "core/measure/artifact.h"
#include "storage/file.h"

/* What a path is kept as: itself where it is a plain relative one, else its last part. */
static char *name_of(const char *path)
{
	g_autofree char *whole = g_canonicalize_filename(path, "/");
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	if (g_path_is_absolute(path) || g_strv_contains((const char *const *)parts, ".."))
		return g_path_get_basename(whole);
	return g_strdup(whole + 1);
}

static gboolean keep(MlvCmd *cmd, const MlvLogCall *call, int folder, const char *path,
		     const char *name, GError **error)
{
	g_autofree char *to = g_build_filename(MLV_LOG_ARTIFACTS_DIR, name, NULL);
	g_autofree char *file = g_build_filename(call->folder, MLV_LOG_ARTIFACTS, NULL);
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	g_autoptr(GArray) items = mlv_log_items_new();
	MlvLogItem item = { g_strdup("path"), mlv_value_new_string(valid) };

	g_array_append_val(items, item);
	if (!mlv_artifact_keep(folder, to, path, error))
		return FALSE;
	return mlv_log_call_write(cmd, call, file, items, NULL, error);
}

gboolean mlv_cmd_log_artifact(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_autofree char *as = NULL;
	const GOptionEntry entries[] = {
		{ "name", 'n', 0, G_OPTION_ARG_STRING, &as, "what it is kept as", "NAME" },
		{ NULL },
	};
	g_auto(MlvLogCall) call = { 0 };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "PATH...\nmlv log-artifact plots/confusion.png\n"
			       "mlv log-artifact --name best.pt checkpoints/12.pt",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, as ? 1 : -1, error))
		return FALSE;
	mlv_log_call_init(&call);
	if (!mlv_log_call_need_run(&call, "'mlv run' begins one, 'mlv add' tracks a file by itself",
				   error))
		return FALSE;
	g_auto(MlvFd) folder = open(call.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return mlv_fail_errno(error, "cannot open the run's folder '%s'", call.folder);
	for (int i = 1; i < argc; i++) {
		g_autofree char *name = as ? g_strdup(as) : name_of(argv[i]);

		if (!mlv_log_call_check_name(name, error) ||
		    !keep(cmd, &call, folder, argv[i], name, error))
			return FALSE;
	}
	return TRUE;
}
