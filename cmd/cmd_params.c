/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/measure_call.h"

static gboolean show(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	return mlv_measure_call_show(cmd, MLV_MEASURE_PARAMS, argc, argv, error);
}

static gboolean diff(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	return mlv_measure_call_diff(cmd, MLV_MEASURE_PARAMS, argc, argv, error);
}

gboolean mlv_cmd_params(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "show", show, "print the params of revisions beside each other" },
		{ "diff", diff, "print the params that differ between two revisions" },
		{ NULL },
	};
	return mlv_options_dispatch(cmd, rows, NULL, argc, argv, error);
}
