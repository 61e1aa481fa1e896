/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/log_call.h"

gboolean mlv_cmd_log_param(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = { { NULL } };
	g_autoptr(GArray) items = mlv_log_items_new();
	g_auto(MlvLogCall) call = { 0 };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "NAME=VALUE...\nmlv log-param optimizer=adam 'layers=[64, 32]'",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error))
		return FALSE;
	for (int i = 1; i < argc; i++)
		if (!mlv_log_add_param(items, argv[i], error))
			return FALSE;
	mlv_log_call_init(&call);
	g_autofree char *file = call.run || g_strcmp0(call.folder, ".") != 0
					? g_build_filename(call.folder, MLV_LOG_PARAMS, NULL)
					: g_strdup(MLV_LOG_PARAMS);
	return mlv_log_call_write(cmd, &call, file, items, NULL, error);
}
