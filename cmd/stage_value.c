/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/stage_calls.h"

static void add_text(GArray *map, const char *key, const char *text)
{
	if (text)
		mlv_value_add(map, key, mlv_value_new_string(text));
}

static void add_list(GArray *map, const char *key, GPtrArray *items)
{
	if (items->len > 0)
		mlv_value_add(map, key, mlv_value_new_list(items));
	else
		g_ptr_array_unref(items);
}

static MlvValue *out_value(const MlvOut *out)
{
	GArray *flags = g_array_new(FALSE, FALSE, sizeof(MlvEntry)), *map;

	if (!out->cache)
		mlv_value_add(flags, "cache", mlv_value_new_bool(FALSE));
	if (out->persist)
		mlv_value_add(flags, "persist", mlv_value_new_bool(TRUE));
	if (!out->push)
		mlv_value_add(flags, "push", mlv_value_new_bool(FALSE));
	add_text(flags, "desc", out->desc);
	if (flags->len == 0) {
		g_array_unref(flags);
		return mlv_value_new_string(out->written);
	}
	map = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
	mlv_value_add(map, out->written, mlv_value_new_map(flags));
	return mlv_value_new_map(map);
}

static GPtrArray *outs_of(const MlvStage *stage, MlvOutType type)
{
	GPtrArray *items = g_ptr_array_new();

	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		if (out->type == type)
			g_ptr_array_add(items, out_value(out));
	}
	return items;
}

static GPtrArray *params_of(const MlvStage *stage)
{
	GPtrArray *items = g_ptr_array_new();

	for (guint i = 0; i < stage->params->len; i++) {
		const MlvParamsDep *dep = stage->params->pdata[i];
		g_autofree char *file = mlv_files_relative(stage->wdir, dep->file);
		GArray *map = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
		GPtrArray *keys = g_ptr_array_new();
		for (guint j = 0; j < dep->keys->len; j++)
			g_ptr_array_add(keys, mlv_value_new_string(dep->keys->pdata[j]));
		if (dep->whole) {
			g_ptr_array_unref(keys);
			mlv_value_add(map, file, mlv_value_new_null());
		} else {
			mlv_value_add(map, file, mlv_value_new_list(keys));
		}
		g_ptr_array_add(items, mlv_value_new_map(map));
	}
	return items;
}

MlvValue *mlv_stage_value(const MlvStage *stage)
{
	GArray *map = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
	GPtrArray *cmds = g_ptr_array_new(), *deps = g_ptr_array_new();

	add_text(map, "desc", stage->desc);
	for (guint i = 0; i < stage->cmds->len; i++)
		g_ptr_array_add(cmds, mlv_value_new_string(stage->cmds->pdata[i]));
	if (cmds->len == 1) {
		mlv_value_add(map, "cmd", cmds->pdata[0]);
		g_ptr_array_unref(cmds);
	} else {
		add_list(map, "cmd", cmds);
	}
	add_text(map, "shell", stage->shell);
	if (strcmp(stage->wdir, stage->file->folder) != 0) {
		g_autofree char *wdir = mlv_files_relative(stage->file->folder, stage->wdir);
		add_text(map, "wdir", wdir);
	}
	for (guint i = 0; i < stage->deps->len; i++)
		g_ptr_array_add(deps,
				mlv_value_new_string(((MlvDep *)stage->deps->pdata[i])->written));
	add_list(map, "deps", deps);
	add_list(map, "params", params_of(stage));
	add_list(map, "outs", outs_of(stage, MLV_OUT_PLAIN));
	add_list(map, "metrics", outs_of(stage, MLV_OUT_METRIC));
	add_list(map, "plots", outs_of(stage, MLV_OUT_PLOT));
	if (stage->frozen)
		mlv_value_add(map, "frozen", mlv_value_new_bool(TRUE));
	if (stage->always_changed)
		mlv_value_add(map, "always_changed", mlv_value_new_bool(TRUE));
	if (stage->meta)
		mlv_value_add(map, "meta", mlv_value_ref(stage->meta));
	return mlv_value_new_map(map);
}
