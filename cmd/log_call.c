/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/log_call.h"

#include <string.h>

void mlv_log_call_init(MlvLogCall *call)
{
	const char *metrics = g_getenv("MLV_METRICS");

	call->run = metrics && *metrics;
	call->metrics = g_strdup(call->run ? metrics : MLV_LOG_METRICS);
	call->folder = g_path_get_dirname(call->metrics);
}

void mlv_log_call_clear(MlvLogCall *call)
{
	g_free(call->metrics);
	g_free(call->folder);
}

gboolean mlv_log_call_write(MlvCmd *cmd, const MlvLogCall *call, const char *file,
			    const GArray *items, const gint64 *step, GError **error)
{
	g_autofree char *line = mlv_log_format(items, step, g_get_real_time());
	gboolean created;

	if (strlen(line) > MLV_LOG_LINE_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE, "too much for one line of a log");
	if (!mlv_log_append(file, line, &created, error))
		return FALSE;
	if (created && !call->run)
		mlv_ui_note(cmd->ui, "no run is under way: logging to '%s'", file);
	return TRUE;
}

gboolean mlv_log_call_need_run(const MlvLogCall *call, const char *advice, GError **error)
{
	return call->run ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"no run is under way (MLV_METRICS is not set) that could keep it: %s",
			advice);
}

gboolean mlv_log_call_check_name(const char *name, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(name, "/", -1);

	for (char **part = parts; *part; part++)
		if (!**part || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"'%s' is no name to keep something under: write a plain "
					"name, or one below folders, as 'plots/roc.png'",
					name);
	return *parts || mlv_fail(error, MLV_ERROR_USAGE, "an empty name names nothing");
}
