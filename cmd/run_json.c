/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_json.h"

#include <math.h>
#include <string.h>

#include "cmd/ui_json.h"

static json_t *map_json(const MlvValue *map)
{
	json_t *object = json_object();

	for (gsize i = 0; i < map->length; i++)
		json_object_set_new(object, map->entries[i].key->text,
				    mlv_run_json_value(map->entries[i].value));
	return object;
}

json_t *mlv_run_json_value(const MlvValue *value)
{
	if (!value)
		return json_null();
	switch ((MlvValueType)value->type) {
	case MLV_VALUE_BOOL:
		return json_boolean(value->boolean);
	case MLV_VALUE_INT:
		return value->big ? json_string(value->text) : json_integer(value->integer);
	case MLV_VALUE_FLOAT:
		return isfinite(value->real) ? json_real(value->real) : json_null();
	case MLV_VALUE_STRING:
		return json_stringn_nocheck(value->text, value->length);
	case MLV_VALUE_LIST: {
		json_t *array = json_array();
		for (gsize i = 0; i < value->length; i++)
			json_array_append_new(array, mlv_run_json_value(value->items[i]));
		return array;
	}
	case MLV_VALUE_MAP:
		return map_json(value);
	default:
		return json_null();
	}
}

static void set_time(json_t *object, const char *key, gint64 milliseconds)
{
	g_autofree char *text = milliseconds > 0 ? mlv_run_time_text(milliseconds) : NULL;
	mlv_json_set_text(object, key, text);
}

json_t *mlv_run_json(const MlvRun *run, const MlvOid *record)
{
	json_t *object = json_object(), *words = json_array();
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(record, hex);
	mlv_json_set_text(object, "name", run->name);
	mlv_json_set_text(object, "commit", hex);
	mlv_json_set_text(object, "state", mlv_run_state_name(run->state));
	for (guint i = 0; i < run->words->len; i++) {
		g_autofree char *valid = g_utf8_make_valid(run->words->pdata[i], -1);
		json_array_append_new(words, json_string(valid));
	}
	json_object_set_new(object, run->stages ? "stages" : "command", words);
	mlv_json_set_text(object, "folder", run->folder);
	mlv_json_set_text(object, "base", run->base);
	set_time(object, "created", run->created);
	set_time(object, "started", run->started);
	json_object_set_new(object, "seconds",
			    run->state >= MLV_RUN_DONE ? json_real((double)run->duration / 1000.0)
						       : json_null());
	json_object_set_new(object, "status",
			    run->status < 0 ? json_null() : json_integer(run->status));
	mlv_json_set_text(object, "machine", run->machine);
	json_object_set_new(object, "changes", mlv_run_json_value(run->changes));
	json_object_set_new(object, "params", mlv_run_json_value(run->params));
	json_object_set_new(object, "metrics", mlv_run_json_value(run->metrics));
	json_object_set_new(object, "outs", mlv_run_json_value(run->outs));
	return object;
}

char *mlv_run_value_text(const MlvValue *value)
{
	if (!value)
		return g_strdup("");
	if (mlv_value_is(value, MLV_VALUE_FLOAT) && isfinite(value->real))
		return g_strdup_printf("%.6g", value->real);
	g_autofree char *text = mlv_value_text(value);
	return mlv_ui_printable(text);
}
