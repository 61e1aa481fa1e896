/* SPDX-License-Identifier: Apache-2.0 */
/* Runs and values for programs and people, shared by run, runs and env. */
#ifndef MLV_CMD_RUN_JSON_H
#define MLV_CMD_RUN_JSON_H

#include <jansson.h>

#include "core/run/recorder.h"

/* A value as JSON; NaN and infinities, which JSON has not, become null. */
json_t *mlv_run_json_value(const MlvValue *value);
/* A record with the commit that holds it. */
json_t *mlv_run_json(const MlvRun *run, const MlvOid *record);
/* A cell of a table: floats short, strings as they are; "" for NULL. Caller frees. */
char *mlv_run_value_text(const MlvValue *value);

/* The environment as it is now, with the variables that mlv.env names. */
MlvValue *mlv_run_read_environment(MlvRepo *repo);
/* The words of mlv.env. Free with g_strfreev. */
char **mlv_run_variable_names(MlvRepo *repo);

#endif
