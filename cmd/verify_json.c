/* SPDX-License-Identifier: Apache-2.0 */
/* What `mlv repro --verify --json` prints. */
#include "cmd/run_json.h"
#include "cmd/ui_json.h"
#include "cmd/verify_call.h"

static void set_id(json_t *object, const char *key, gboolean there, const MlvPointer *pointer)
{
	char hex[MLV_ID_HEX + 1];
	g_autofree char *id = NULL;

	mlv_id_format(&pointer->ref.id, hex);
	id = there ? g_strconcat("sha256:", hex, NULL) : NULL;
	mlv_json_set_text(object, key, id);
}

static json_t *files_json(const GPtrArray *files)
{
	json_t *array = json_array();

	for (guint i = 0; i < files->len; i++) {
		const MlvRebuildFile *file = files->pdata[i];
		const char kind[] = { file->kind, '\0' };
		json_t *object = json_object();
		mlv_json_set_path(object, "path", file->path);
		mlv_json_set_text(object, "change", kind);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *out_json(const MlvRebuildOut *out)
{
	json_t *object = json_object();

	mlv_json_set_path(object, "path", out->path);
	set_id(object, "recorded", out->has_was, &out->was);
	set_id(object, "now", out->has_now, &out->now);
	mlv_json_set_bool(object, "reproduced", !out->differs);
	mlv_json_set_bool(object, "tolerated", out->tolerated);
	if (out->files) {
		json_object_set_new(object, "files", files_json(out->files));
		mlv_json_set_size(object, "more", out->more);
	}
	return object;
}

static json_t *metric_json(const MlvRebuildMetric *metric)
{
	json_t *object = json_object();

	if (metric->path)
		mlv_json_set_path(object, "path", metric->path);
	mlv_json_set_text(object, "name", metric->name);
	json_object_set_new(object, "recorded", mlv_run_json_value(metric->was));
	json_object_set_new(object, "now", mlv_run_json_value(metric->now));
	json_object_set_new(object, "difference", mlv_run_json_value(metric->difference));
	mlv_json_set_bool(object, "reproduced", !metric->differs);
	mlv_json_set_bool(object, "tolerated", metric->tolerated);
	return object;
}

static json_t *causes_json(const GPtrArray *causes)
{
	json_t *array = json_array();

	for (guint i = 0; i < causes->len; i++) {
		const MlvRebuildCause *cause = causes->pdata[i];
		json_t *object = json_object();
		mlv_json_set_text(object, "layer", mlv_layer_name(cause->layer));
		if (cause->stage)
			mlv_json_set_text(object, "follows", cause->stage);
		if (cause->what)
			mlv_json_set_path(object, "what", cause->what);
		mlv_json_set_text(object, "recorded", cause->was);
		mlv_json_set_text(object, "now", cause->now);
		mlv_json_set_text(object, "text", cause->text);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *repeat_json(MlvRepeat repeat)
{
	return repeat == MLV_REPEAT_NONE ? json_null() : json_boolean(repeat == MLV_REPEAT_SAME);
}

static const char *result_name(const MlvRebuildStage *stage)
{
	if (stage->result == MLV_REPRO_FROZEN || stage->result == MLV_REPRO_RESTORED)
		return "frozen";
	if (stage->result == MLV_REPRO_SKIPPED)
		return "skipped";
	if (stage->result >= MLV_REPRO_FAILED)
		return "failed";
	return stage->differs ? "differs" : "reproduced";
}

static json_t *metrics_json(const GPtrArray *metrics)
{
	json_t *array = json_array();

	for (guint i = 0; i < metrics->len; i++)
		json_array_append_new(array, metric_json(metrics->pdata[i]));
	return array;
}

static json_t *stage_json(const MlvRebuildStage *stage)
{
	json_t *object = json_object(), *outs = json_array();

	mlv_json_set_text(object, "stage", stage->address);
	mlv_json_set_text(object, "result", result_name(stage));
	mlv_json_set_text(object, "layer", mlv_layer_name(stage->layer));
	json_object_set_new(object, "deterministic", repeat_json(stage->repeat));
	if (stage->why)
		mlv_json_set_text(object, "why", stage->why);
	if (stage->status)
		json_object_set_new(object, "status", json_integer(stage->status));
	if (stage->duration > 0)
		json_object_set_new(object, "seconds",
				    json_real((double)stage->duration / G_USEC_PER_SEC));
	for (guint i = 0; i < stage->outs->len; i++)
		json_array_append_new(outs, out_json(stage->outs->pdata[i]));
	json_object_set_new(object, "outs", outs);
	json_object_set_new(object, "metrics", metrics_json(stage->metrics));
	json_object_set_new(object, "causes", causes_json(stage->causes));
	if (stage->result == MLV_REPRO_FAILED)
		mlv_json_set_text(object, "log", stage->log->str);
	return object;
}

/* --- all that differs, in one list ------------------------------------------------------------ */

static void add_row(json_t *rows, const char *kind, const char *stage, json_t *row)
{
	mlv_json_set_text(row, "kind", kind);
	mlv_json_set_text(row, "stage", stage);
	json_array_append_new(rows, row);
}

static void add_metrics(json_t *rows, const char *stage, const GPtrArray *metrics)
{
	for (guint i = 0; i < metrics->len; i++) {
		const MlvRebuildMetric *metric = metrics->pdata[i];
		if (metric->differs)
			add_row(rows, "metric", stage, metric_json(metric));
	}
}

static json_t *differs_json(const MlvRebuild *rebuild)
{
	json_t *rows = json_array();

	for (guint i = 0; i < rebuild->stages->len; i++) {
		const MlvRebuildStage *stage = rebuild->stages->pdata[i];
		if (stage->result >= MLV_REPRO_FAILED) {
			json_t *row = json_object();
			mlv_json_set_text(row, "why", stage->why ? stage->why : "interrupted");
			add_row(rows, "stage", stage->address, row);
		}
		for (guint j = 0; j < stage->outs->len; j++) {
			const MlvRebuildOut *out = stage->outs->pdata[j];
			if (out->differs)
				add_row(rows, "output", stage->address, out_json(out));
		}
		add_metrics(rows, stage->address, stage->metrics);
	}
	add_metrics(rows, NULL, rebuild->metrics);
	return rows;
}

gboolean mlv_verify_json(const MlvVerifyCall *call, const MlvVerifySubject *subject,
			 const MlvRebuild *rebuild, GError **error)
{
	json_t *document = mlv_json_new(call->cmd), *stages = json_array();
	g_autofree char *why = rebuild->reproduced ? NULL
						   : mlv_verify_layer_text(rebuild, rebuild->layer,
									   rebuild->repeat);

	mlv_json_set_text(document, "commit", subject->commit);
	mlv_json_set_text(document, "run", subject->run ? subject->run->name : NULL);
	mlv_json_set_bool(document, "reproduced", rebuild->reproduced);
	mlv_json_set_text(document, "layer", mlv_layer_name(rebuild->layer));
	json_object_set_new(document, "deterministic", repeat_json(rebuild->repeat));
	mlv_json_set_text(document, "why", why);
	json_object_set_new(document, "differs", differs_json(rebuild));
	for (guint i = 0; i < rebuild->stages->len; i++)
		json_array_append_new(stages, stage_json(rebuild->stages->pdata[i]));
	json_object_set_new(document, "stages", stages);
	json_object_set_new(document, "logged", metrics_json(rebuild->metrics));
	mlv_json_set_text(document, "environment_run", rebuild->environment_run);
	json_object_set_new(document, "environment", causes_json(rebuild->environment));
	return mlv_json_print(call->cmd, document, error);
}
