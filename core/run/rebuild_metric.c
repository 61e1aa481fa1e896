/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of what was made against those that were recorded. */
#include <string.h>

#include "core/measure/measures.h"
#include "core/measure/metric_log.h"
#include "core/run/rebuild_private.h"
#include "core/yaml.h"

static gboolean is_number(const MlvValue *value)
{
	return mlv_value_is(value, MLV_VALUE_INT) || mlv_value_is(value, MLV_VALUE_FLOAT);
}

static MlvValue *ref_or_null(const MlvValue *value)
{
	return value ? mlv_value_ref(value) : NULL;
}

MlvRebuildMetric *mlv_rebuild_metric_new(const GPtrArray *tolerances, const char *file,
					 const char *name, const MlvValue *was, const MlvValue *now)
{
	MlvRebuildMetric *metric = g_new0(MlvRebuildMetric, 1);
	const MlvTolerance *tolerance = mlv_tolerances_find(tolerances, file, name);

	metric->path = g_strdup(file);
	metric->name = g_strdup(name);
	metric->was = ref_or_null(was);
	metric->now = ref_or_null(now);
	metric->difference = mlv_measure_difference(was, now);
	metric->differs = mlv_measure_changed(was, now);
	metric->tolerated = metric->differs && mlv_tolerance_holds(tolerance, was, now);
	metric->differs &= !metric->tolerated;
	return metric;
}

void mlv_rebuild_metric_free(gpointer data)
{
	MlvRebuildMetric *metric = data;

	g_free(metric->path);
	g_free(metric->name);
	mlv_value_unref(metric->was);
	mlv_value_unref(metric->now);
	mlv_value_unref(metric->difference);
	g_free(metric);
}

/* --- files ------------------------------------------------------------------------------------ */

/* The stage that made a file, with the output that it is or lies in. */
static MlvRebuildStage *maker(const Rebuilding *rebuilding, const char *path, MlvRebuildOut **out)
{
	const GPtrArray *stages = rebuilding->result->stages;

	for (guint i = 0; i < stages->len; i++) {
		MlvRebuildStage *stage = stages->pdata[i];
		for (guint j = 0; j < stage->outs->len; j++) {
			*out = stage->outs->pdata[j];
			if (mlv_files_is_below(path, (*out)->path))
				return stage;
		}
	}
	return NULL;
}

static void take_rows(const Rebuilding *rebuilding, const MlvMeasures *measures)
{
	for (guint i = 0; i < measures->rows->len; i++) {
		const MlvMeasureRow *row = measures->rows->pdata[i];
		MlvRebuildOut *out;
		MlvRebuildStage *stage = maker(rebuilding, row->path, &out);
		/* what was not made is told as that */
		if (!stage || !out->has_now)
			continue;
		g_ptr_array_add(stage->metrics,
				mlv_rebuild_metric_new(rebuilding->options->tolerances, row->path,
						       row->name, row->values->pdata[0],
						       row->values->pdata[1]));
	}
}

/* --- outputs that differ by tolerated metrics alone ------------------------------------------- */

/* Whether two values are equal but for numbers, which were judged as metrics; those in lists are
 * none. */
static gboolean same_rest(const MlvValue *a, const MlvValue *b)
{
	if (is_number(a) && is_number(b))
		return TRUE;
	if (!mlv_value_is(a, MLV_VALUE_MAP) || !mlv_value_is(b, MLV_VALUE_MAP))
		return mlv_value_equal(a, b);
	for (gsize i = 0; i < a->length && a->length == b->length; i++) {
		const MlvValue *other = mlv_value_get(b, a->entries[i].key->text);
		if (!other || !same_rest(a->entries[i].value, other))
			return FALSE;
	}
	return a->length == b->length;
}

static MlvValue *parse_side(MlvSide *side, const char *path)
{
	g_autoptr(GBytes) bytes = mlv_side_read(side, path, MLV_MEASURE_FILE_MAX, NULL);
	gsize length;

	if (!bytes)
		return NULL;
	const char *data = g_bytes_get_data(bytes, &length);
	return mlv_yaml_parse(data ? data : "", length, path, NULL);
}

/* Of a log the last values count, and when they were logged does not. */
static gboolean is_same_besides(MlvSide *was, MlvSide *now, const char *path)
{
	if (mlv_log_is_name(path))
		return TRUE;
	g_autoptr(MlvValue) before = parse_side(was, path);
	g_autoptr(MlvValue) after = parse_side(now, path);
	return before && after && same_rest(before, after);
}

static gboolean is_tolerated(const Rebuilding *rebuilding, const MlvRebuildStage *stage,
			     const MlvRebuildOut *out, MlvSide *was, MlvSide *now)
{
	gboolean meant = FALSE;

	for (guint i = 0; i < stage->metrics->len; i++) {
		const MlvRebuildMetric *metric = stage->metrics->pdata[i];
		if (strcmp(metric->path, out->path) != 0)
			continue;
		if (metric->differs)
			return FALSE;
		meant |= mlv_tolerances_find(rebuilding->options->tolerances, metric->path,
					     metric->name) != NULL;
	}
	return meant && is_same_besides(was, now, out->path);
}

static void tolerate(const Rebuilding *rebuilding, MlvSide *was, MlvSide *now)
{
	const GPtrArray *stages = rebuilding->result->stages;

	for (guint i = 0; i < stages->len; i++) {
		const MlvRebuildStage *stage = stages->pdata[i];
		for (guint j = 0; j < stage->outs->len; j++) {
			MlvRebuildOut *out = stage->outs->pdata[j];
			if (!out->differs || !out->has_was || !out->has_now ||
			    out->was.mode != out->now.mode)
				continue;
			out->tolerated = is_tolerated(rebuilding, stage, out, was, now);
			out->differs = !out->tolerated;
		}
	}
}

/* --- what was logged -------------------------------------------------------------------------- */

static MlvLog *parse_log(GBytes *bytes)
{
	gsize length = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;

	return length > 0 ? mlv_log_parse(data, length, MLV_LOG_LAST, MLV_LOG_METRICS, NULL) : NULL;
}

static GBytes *read_logged(const char *path)
{
	g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, NULL);

	return mapped && g_mapped_file_get_length(mapped) <= MLV_LOG_MAX
		       ? g_mapped_file_get_bytes(mapped)
		       : NULL;
}

/* What the record has; more may be logged now, as stages run that were taken as they were. */
static gboolean compare_logged(const Rebuilding *rebuilding, GError **error)
{
	const MlvRebuildOptions *options = rebuilding->options;
	g_autoptr(GError) why = NULL;

	if (!options->run || !options->logged)
		return TRUE;
	g_autoptr(GBytes) old = mlv_run_read_file(options->repro.local->repo, options->run,
						  MLV_LOG_METRICS, MLV_LOG_MAX, &why);
	if (why && !g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	g_autoptr(GBytes) new = read_logged(options->logged);
	g_autoptr(MlvLog) was = parse_log(old);
	g_autoptr(MlvLog) now = parse_log(new);
	for (guint i = 0; was && i < was->metrics->len; i++) {
		const MlvLogMetric *one = was->metrics->pdata[i];
		const MlvLogMetric *other = now ? mlv_log_find(now, one->name) : NULL;
		g_autoptr(MlvValue) before = mlv_value_new_float(one->last);
		g_autoptr(MlvValue) after = other ? mlv_value_new_float(other->last) : NULL;
		g_ptr_array_add(rebuilding->result->metrics,
				mlv_rebuild_metric_new(options->tolerances, NULL, one->name, before,
						       after));
	}
	return TRUE;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void take_problems(const Rebuilding *rebuilding, MlvSide *side)
{
	const GPtrArray *problems = mlv_side_problems(side);

	for (guint i = 0; i < problems->len; i++)
		g_ptr_array_add(rebuilding->result->problems, g_strdup(problems->pdata[i]));
}

/* The outputs that were made: others' metrics are not read. */
static GPtrArray *made_paths(const Rebuilding *rebuilding)
{
	const GPtrArray *stages = rebuilding->result->stages;
	GPtrArray *paths = g_ptr_array_new();

	for (guint i = 0; i < stages->len; i++) {
		const MlvRebuildStage *stage = stages->pdata[i];
		for (guint j = 0; j < stage->outs->len; j++) {
			const MlvRebuildOut *out = stage->outs->pdata[j];
			if (out->has_now)
				g_ptr_array_add(paths, out->path);
		}
	}
	return paths;
}

static gboolean compare_files(const Rebuilding *rebuilding, const GPtrArray *paths, GError **error)
{
	const MlvRebuildOptions *options = rebuilding->options;
	g_autoptr(MlvPathspec) filter =
		mlv_pathspec_literal((const char *const *)paths->pdata, paths->len);
	const MlvMeasuresOptions kind = { .kind = MLV_MEASURE_METRICS, .filter = filter };
	g_autoptr(MlvMeasures) measures = mlv_measures_new(&kind);
	g_autoptr(MlvSide) was = mlv_side_open(options->view, options->rev, error);
	g_autoptr(MlvSide) now = was ? mlv_side_open(options->view, NULL, error) : NULL;

	if (!now || !mlv_measures_add(measures, was, error) ||
	    !mlv_measures_add(measures, now, error))
		return FALSE;
	mlv_measures_finish(measures);
	take_rows(rebuilding, measures);
	tolerate(rebuilding, was, now);
	take_problems(rebuilding, was);
	take_problems(rebuilding, now);
	return TRUE;
}

gboolean mlv_rebuild_compare_metrics(const Rebuilding *rebuilding, GError **error)
{
	g_autoptr(GPtrArray) paths = made_paths(rebuilding);

	return (paths->len == 0 || compare_files(rebuilding, paths, error)) &&
	       compare_logged(rebuilding, error);
}
