/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/log_call.h"

gboolean mlv_cmd_log_metric(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_autofree char *text = NULL;
	const GOptionEntry entries[] = {
		{ "step", 0, 0, G_OPTION_ARG_STRING, &text,
		  "the step of the training that this belongs to", "N" },
		{ NULL },
	};
	g_autoptr(GArray) items = mlv_log_items_new();
	g_auto(MlvLogCall) call = { 0 };
	gint64 step = 0;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "NAME=NUMBER...\nmlv log-metric --step 10 loss=0.31 val.acc=0.9",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, -1, error))
		return FALSE;
	if (text && !g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &step, NULL))
		return mlv_fail(error, MLV_ERROR_USAGE, "--step takes a whole number, not '%s'",
				text);
	for (int i = 1; i < argc; i++)
		if (!mlv_log_add(items, argv[i], error))
			return FALSE;
	mlv_log_call_init(&call);
	return mlv_log_call_write(cmd, &call, call.metrics, items, text ? &step : NULL, error);
}
