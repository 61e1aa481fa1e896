/* SPDX-License-Identifier: Apache-2.0 */
/* What `mlv metrics` and `mlv params` are: they differ in what they look at alone. */
#ifndef MLV_CMD_MEASURE_CALL_H
#define MLV_CMD_MEASURE_CALL_H

#include "cmd/cmd.h"
#include "core/measure/measures.h"

gboolean mlv_measure_call_show(MlvCmd *cmd, MlvMeasureKind kind, int argc, char **argv,
			       GError **error);
gboolean mlv_measure_call_diff(MlvCmd *cmd, MlvMeasureKind kind, int argc, char **argv,
			       GError **error);

#endif
