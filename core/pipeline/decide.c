/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/decide.h"

#include <stdlib.h>
#include <string.h>

#define SHORT 12 /* digits of an id in a reason */

void mlv_stage_now_free(MlvStageNow *now)
{
	if (!now)
		return;
	g_ptr_array_unref(now->deps);
	g_clear_pointer(&now->params, g_ptr_array_unref);
	g_ptr_array_unref(now->missing);
	g_ptr_array_unref(now->made);
	g_ptr_array_unref(now->reasons);
	g_free(now);
}

static MlvStageNow *now_new(guint number)
{
	MlvStageNow *now = g_new0(MlvStageNow, 1);

	now->number = number;
	now->deps = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_lock_path_free);
	now->missing = g_ptr_array_new_with_free_func(g_free);
	now->made = g_ptr_array_new_with_free_func(g_free);
	now->reasons = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_reason_free);
	return now;
}

static const MlvStage *stage_at(const MlvDecideContext *context, guint number)
{
	return mlv_pipeline_node(context->pipeline, number)->stage;
}

/* --- what it consists of ---------------------------------------------------------------------- */

/* Whether a path is an output, lies in one or holds one: then nothing but .mlvignore hides parts of
 * it. */
static gboolean is_made(const MlvDecideContext *context, const char *path)
{
	return mlv_pipeline_producer(context->pipeline, path, NULL) >= 0;
}

gboolean mlv_decide_ask_inputs(const MlvDecideContext *context, guint number, GError **error)
{
	const MlvStage *stage = stage_at(context, number);

	for (guint i = 0; i < stage->deps->len; i++) {
		const MlvDep *dep = stage->deps->pdata[i];
		if (dep->type == MLV_DEP_URL)
			continue;
		if (dep->type != MLV_DEP_GLOB) {
			mlv_held_ask(context->held, dep->path, is_made(context, dep->path));
			continue;
		}
		g_autoptr(GPtrArray) paths =
			mlv_pipeline_dep_paths(context->pipeline, number, dep, error);
		if (!paths)
			return FALSE;
		for (guint j = 0; j < paths->len; j++)
			mlv_held_ask(context->held, paths->pdata[j],
				     is_made(context, paths->pdata[j]));
	}
	return TRUE;
}

gboolean mlv_decide_ask(const MlvDecideContext *context, guint number, GError **error)
{
	const MlvStage *stage = stage_at(context, number);

	for (guint i = 0; i < stage->outs->len; i++)
		mlv_held_ask(context->held, ((MlvOut *)stage->outs->pdata[i])->path, TRUE);
	return mlv_decide_ask_inputs(context, number, error);
}

/* The stage that is about to make a path anew, or -1. */
static gint maker(const MlvDecideContext *context, guint number, const char *path)
{
	const GArray *upstream = mlv_pipeline_node(context->pipeline, number)->upstream;

	for (guint i = 0; context->about_to_run && i < upstream->len; i++) {
		guint other = g_array_index(upstream, guint, i);
		const MlvStage *stage = stage_at(context, other);
		if (!context->about_to_run(other, context->user))
			continue;
		for (guint j = 0; j < stage->outs->len; j++) {
			const char *out = ((MlvOut *)stage->outs->pdata[j])->path;
			if (mlv_files_is_below(path, out) || mlv_files_is_below(out, path))
				return (gint)other;
		}
	}
	return -1;
}

static gboolean add_url(const MlvDecideContext *context, MlvStageNow *now, const MlvDep *dep,
			GError **error)
{
	g_autofree char *etag = context->etag(dep->path, context->user, error);

	if (!etag) {
		g_prefix_error(error, "'%s': ", dep->path);
		return FALSE;
	}
	g_ptr_array_add(now->deps, mlv_lock_path_new(dep->path, NULL, etag));
	return TRUE;
}

static gboolean add_path(const MlvDecideContext *context, MlvStageNow *now, const MlvDep *dep,
			 const char *path, GError **error)
{
	const MlvHeld *held = mlv_held_get(context->held, path);

	if (maker(context, now->number, path) >= 0) {
		g_ptr_array_add(now->made, g_strdup(path));
		return TRUE;
	}
	if (!held || held->type == MLV_HELD_NOTHING) {
		g_ptr_array_add(now->missing, g_strdup(path));
		return TRUE;
	}
	if (held->type == MLV_HELD_UNREAD)
		return mlv_fail_at(error, &dep->where, MLV_ERROR_FAILED,
				   "the dependency '%s' cannot be read: %s", path, held->why);
	if (dep->folder && held->pointer.mode != MLV_MODE_DIRECTORY)
		return mlv_fail_at(
			error, &dep->where, MLV_ERROR_FAILED,
			"the dependency '%s' is written with a slash at its end and is no "
			"folder",
			dep->written);
	if (held->type == MLV_HELD_AWAY || held->type == MLV_HELD_PARTLY)
		g_ptr_array_add(now->missing, g_strdup(path));
	g_ptr_array_add(now->deps, mlv_lock_path_new(path, &held->pointer, NULL));
	return TRUE;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	return strcmp((*(MlvLockPath *const *)a)->path, (*(MlvLockPath *const *)b)->path);
}

/* A path that two patterns match is one dependency. */
static void drop_doubles(GPtrArray *deps)
{
	g_ptr_array_sort(deps, by_path);
	for (guint i = deps->len; i-- > 1;)
		if (strcmp(((MlvLockPath *)deps->pdata[i])->path,
			   ((MlvLockPath *)deps->pdata[i - 1])->path) == 0)
			g_ptr_array_remove_index(deps, i);
}

MlvStageNow *mlv_decide_inputs(const MlvDecideContext *context, guint number, GError **error)
{
	const MlvStage *stage = stage_at(context, number);
	g_autoptr(MlvStageNow) now = now_new(number);

	for (guint i = 0; i < stage->deps->len; i++) {
		const MlvDep *dep = stage->deps->pdata[i];
		if (dep->type == MLV_DEP_URL) {
			if (!add_url(context, now, dep, error))
				return NULL;
			continue;
		}
		if (dep->type != MLV_DEP_GLOB) {
			if (!add_path(context, now, dep, dep->path, error))
				return NULL;
			continue;
		}
		g_autoptr(GPtrArray) paths =
			mlv_pipeline_dep_paths(context->pipeline, number, dep, error);
		if (!paths)
			return NULL;
		for (guint j = 0; j < paths->len; j++)
			if (!add_path(context, now, dep, paths->pdata[j], error))
				return NULL;
	}
	drop_doubles(now->deps);
	now->params = mlv_params_resolve(context->params, stage, error);
	return now->params ? g_steal_pointer(&now) : NULL;
}

/* --- against what was ------------------------------------------------------------------------- */

static char *short_id(const MlvLockPath *path)
{
	char hex[MLV_ID_HEX + 1];

	if (path->etag)
		return g_strdup(path->etag);
	mlv_id_format(&path->held.ref.id, hex);
	return g_strndup(hex, SHORT);
}

static void add_reason(MlvStageNow *now, MlvReasonType type, const char *what, char *old, char *new)
{
	MlvReason *reason = g_new0(MlvReason, 1);

	reason->type = type;
	reason->what = g_strdup(what);
	reason->old = old;
	reason->new = new;
	g_ptr_array_add(now->reasons, reason);
}

static gboolean has_text(const GPtrArray *texts, const char *text)
{
	return g_ptr_array_find_with_equal_func((GPtrArray *)texts, text, g_str_equal, NULL);
}

static void compare_deps(MlvStageNow *now, const MlvLockStage *old)
{
	for (guint i = 0; i < now->deps->len; i++) {
		const MlvLockPath *dep = now->deps->pdata[i];
		const MlvLockPath *was = mlv_lock_stage_dep(old, dep->path);
		if (!was)
			add_reason(now, MLV_REASON_DEP_NEW, dep->path, NULL, NULL);
		else if (!mlv_lock_path_same(was, dep))
			add_reason(now, MLV_REASON_DEP_CHANGED, dep->path, short_id(was),
				   short_id(dep));
	}
	for (guint i = 0; i < old->deps->len; i++) {
		const MlvLockPath *was = old->deps->pdata[i];
		MlvLockPath key = { .path = was->path }, *wanted = &key;
		gboolean known =
			now->deps->len > 0 &&
			bsearch(&wanted, now->deps->pdata, now->deps->len, sizeof(wanted), by_path);
		if (!known && !has_text(now->missing, was->path) && !has_text(now->made, was->path))
			add_reason(now, MLV_REASON_DEP_GONE, was->path, NULL, NULL);
	}
}

static char *value_text(const MlvParam *param)
{
	return param->value ? mlv_value_written(param->value) : NULL;
}

static gboolean has_param(const MlvStageNow *now, const MlvParam *wanted)
{
	for (guint i = 0; i < now->params->len; i++) {
		const MlvParam *param = now->params->pdata[i];
		if (strcmp(param->file, wanted->file) == 0 && strcmp(param->key, wanted->key) == 0)
			return TRUE;
	}
	return FALSE;
}

static void compare_params(MlvStageNow *now, const MlvLockStage *old)
{
	for (guint i = 0; i < now->params->len; i++) {
		const MlvParam *param = now->params->pdata[i];
		const MlvParam *was = mlv_lock_stage_param(old, param->file, param->key);
		g_autofree char *what = g_strdup_printf("%s:%s", param->file, param->key);
		if (!was)
			add_reason(now, MLV_REASON_PARAM_NEW, what, NULL, value_text(param));
		else if (!param->value || !mlv_value_equal(was->value, param->value))
			add_reason(now, MLV_REASON_PARAM_CHANGED, what, value_text(was),
				   value_text(param));
	}
	for (guint i = 0; i < old->params->len; i++) {
		const MlvParam *was = old->params->pdata[i];
		g_autofree char *what = g_strdup_printf("%s:%s", was->file, was->key);
		if (!has_param(now, was))
			add_reason(now, MLV_REASON_PARAM_GONE, what, NULL, NULL);
	}
}

static gboolean same_cmds(const GPtrArray *a, const GPtrArray *b)
{
	for (guint i = 0; i < a->len && a->len == b->len; i++)
		if (strcmp(a->pdata[i], b->pdata[i]) != 0)
			return FALSE;
	return a->len == b->len;
}

static gboolean compare_outs(const MlvDecideContext *context, MlvStageNow *now,
			     const MlvLockStage *old, GError **error)
{
	const MlvStage *stage = stage_at(context, now->number);

	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		const MlvLockPath *was = mlv_lock_stage_out(old, out->path);
		const MlvHeld *held = mlv_held_get(context->held, out->path);
		if (!was) {
			add_reason(now, MLV_REASON_OUT_NEW, out->path, NULL, NULL);
		} else if (!held || held->type == MLV_HELD_NOTHING || held->type == MLV_HELD_AWAY) {
			add_reason(now, MLV_REASON_OUT_MISSING, out->path, NULL, NULL);
		} else if (held->type == MLV_HELD_UNREAD) {
			add_reason(now, MLV_REASON_OUT_CHANGED, out->path, NULL, NULL);
		} else {
			MlvLockPath is = { .path = out->path, .held = held->pointer };
			if (!mlv_lock_path_same(was, &is))
				add_reason(now, MLV_REASON_OUT_CHANGED, out->path, short_id(was),
					   short_id(&is));
		}
	}
	return TRUE;
}

static void add_standing_reasons(const MlvDecideContext *context, MlvStageNow *now)
{
	const MlvStage *stage = stage_at(context, now->number);

	if (context->force)
		add_reason(now, MLV_REASON_FORCED, NULL, NULL, NULL);
	if (stage->always_changed)
		add_reason(now, MLV_REASON_ALWAYS, NULL, NULL, NULL);
	else if (stage->deps->len == 0 && stage->outs->len == 0 && stage->params->len == 0)
		add_reason(now, MLV_REASON_NO_INPUTS, NULL, NULL, NULL);
	for (guint i = 0; i < now->made->len; i++)
		add_reason(now, MLV_REASON_DEP_MADE, now->made->pdata[i], NULL, NULL);
	for (guint i = 0; i < now->missing->len; i++) {
		const MlvHeld *held = mlv_held_get(context->held, now->missing->pdata[i]);
		if (!held || held->type == MLV_HELD_NOTHING)
			add_reason(now, MLV_REASON_DEP_MISSING, now->missing->pdata[i], NULL, NULL);
	}
}

MlvStageNow *mlv_decide(const MlvDecideContext *context, guint number, GError **error)
{
	const MlvStage *stage = stage_at(context, number);
	const MlvLockStage *old = context->recorded(stage, context->user);
	g_autoptr(MlvStageNow) now = mlv_decide_inputs(context, number, error);

	if (!now)
		return NULL;
	add_standing_reasons(context, now);
	if (!old || old->conflict) {
		add_reason(now, old ? MLV_REASON_CONFLICT : MLV_REASON_NEVER, NULL, NULL, NULL);
		return g_steal_pointer(&now);
	}
	if (!same_cmds(stage->cmds, old->cmds))
		add_reason(now, MLV_REASON_CMD, NULL, NULL, NULL);
	compare_deps(now, old);
	compare_params(now, old);
	guint before = now->reasons->len;
	if (!compare_outs(context, now, old, error))
		return NULL;
	now->only_outs = before == 0 && now->reasons->len > 0;
	for (guint i = 0; i < now->reasons->len; i++)
		if (((MlvReason *)now->reasons->pdata[i])->type == MLV_REASON_OUT_NEW)
			now->only_outs = FALSE;
	return g_steal_pointer(&now);
}

/* --- while it ran ----------------------------------------------------------------------------- */

char *mlv_decide_difference(const MlvStageNow *before, const MlvStageNow *after)
{
	guint i = 0, j = 0;

	while (i < before->deps->len || j < after->deps->len) {
		const MlvLockPath *a = i < before->deps->len ? before->deps->pdata[i] : NULL;
		const MlvLockPath *b = j < after->deps->len ? after->deps->pdata[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
		if (order != 0 || !mlv_lock_path_same(a, b))
			return g_strdup(order <= 0 ? a->path : b->path);
		i++;
		j++;
	}
	for (i = 0; i < before->params->len; i++) {
		const MlvParam *a = before->params->pdata[i];
		const MlvParam *b = i < after->params->len ? after->params->pdata[i] : NULL;
		if (!b || strcmp(a->file, b->file) != 0 || strcmp(a->key, b->key) != 0 ||
		    !mlv_value_equal(a->value, b->value))
			return g_strdup_printf("%s:%s", a->file, a->key);
	}
	return NULL;
}
