/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/measures.h"

#include <string.h>

#include "core/measure/measure_sources.h"
#include "core/measure/metric_log.h"
#include "core/yaml.h"

static void value_unref(gpointer value)
{
	mlv_value_unref(value);
}

static void row_free(gpointer data)
{
	MlvMeasureRow *row = data;

	g_free(row->path);
	g_free(row->name);
	g_ptr_array_unref(row->values);
	g_free(row);
}

MlvMeasures *mlv_measures_new(const MlvMeasuresOptions *options)
{
	MlvMeasures *measures = g_new0(MlvMeasures, 1);

	measures->options = *options;
	measures->rows = g_ptr_array_new_with_free_func(row_free);
	measures->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	measures->found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	measures->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return measures;
}

void mlv_measures_free(MlvMeasures *measures)
{
	if (!measures)
		return;
	g_ptr_array_unref(measures->rows);
	g_hash_table_unref(measures->named);
	g_hash_table_unref(measures->found);
	g_hash_table_unref(measures->by_name);
	g_free(measures);
}

/* --- one side --------------------------------------------------------------------------------- */

typedef struct {
	MlvMeasures *measures;
	MlvSide *side;
	const MlvMeasureSource *source;
	guint count; /* values at this side */
} Taker;

/* Rows get a value for each side, so those of earlier sides that lacked it are filled up first. */
static void set_value(Taker *taker, const char *name, const MlvValue *value)
{
	MlvMeasures *measures = taker->measures;
	g_autofree char *key = g_strconcat(taker->source->path, "\n", name, NULL);
	MlvMeasureRow *row = g_hash_table_lookup(measures->by_name, key);

	if (!row) {
		row = g_new0(MlvMeasureRow, 1);
		row->path = g_strdup(taker->source->path);
		row->name = g_strdup(name);
		row->values = g_ptr_array_new_with_free_func(value_unref);
		g_ptr_array_add(measures->rows, row);
		g_hash_table_insert(measures->by_name, g_steal_pointer(&key), row);
	}
	if (measures->options.kind == MLV_MEASURE_METRICS)
		row->direction = mlv_direction_of(name, taker->source->better);
	/* A key with dots in it may be another's path: the first one stays. */
	if (row->values->len <= measures->sides) {
		while (row->values->len < measures->sides)
			g_ptr_array_add(row->values, NULL);
		g_ptr_array_add(row->values, mlv_value_ref(value));
		taker->count++;
	}
}

static void flatten(Taker *taker, GString *name, const MlvValue *value)
{
	gsize length = name->len;

	if (taker->count >= MLV_MEASURE_MAX)
		return;
	if (mlv_value_is(value, MLV_VALUE_MAP) &&
	    (value->length > 0 || taker->measures->options.kind == MLV_MEASURE_METRICS)) {
		for (gsize i = 0; i < value->length; i++) {
			const MlvValue *key = value->entries[i].key;

			if (length > 0)
				g_string_append_c(name, '.');
			g_string_append_len(name, key->text, (gssize)key->length);
			flatten(taker, name, value->entries[i].value);
			g_string_truncate(name, length);
		}
	} else if (!mlv_value_is(value, MLV_VALUE_LIST) ||
		   taker->measures->options.kind == MLV_MEASURE_PARAMS) {
		set_value(taker, name->str, value);
	}
}

static void take_values(Taker *taker, const MlvValue *root)
{
	const MlvMeasureSource *source = taker->source;
	g_autoptr(GString) name = g_string_new(NULL);

	if (source->whole) {
		/* An empty file has nothing. */
		if (!mlv_value_is(root, MLV_VALUE_NULL))
			flatten(taker, name, root);
		return;
	}
	for (guint i = 0; i < source->keys->len; i++) {
		const MlvValue *value = mlv_value_lookup(root, source->keys->pdata[i]);

		if (!value)
			continue;
		g_string_assign(name, source->keys->pdata[i]);
		flatten(taker, name, value);
	}
}

static gboolean take_log(Taker *taker, const char *data, gsize length, GError **error)
{
	const char *path = taker->source->path;
	g_autoptr(MlvLog) log = mlv_log_parse(data, length, MLV_LOG_LAST, path, error);

	if (!log)
		return FALSE;
	if (log->bad > 0)
		mlv_side_add_problem(taker->side,
				     "%s:%" G_GUINT64_FORMAT ": no JSON object; %" G_GUINT64_FORMAT
				     " such line%s passed over",
				     path, log->first_bad, log->bad, log->bad == 1 ? "" : "s");
	for (guint i = 0; i < log->metrics->len && taker->count < MLV_MEASURE_MAX; i++) {
		const MlvLogMetric *metric = log->metrics->pdata[i];
		g_autoptr(MlvValue) value = mlv_value_new_float(metric->last);
		set_value(taker, metric->name, value);
	}
	return TRUE;
}

static gboolean take_bytes(Taker *taker, GBytes *bytes, GError **error)
{
	const char *path = taker->source->path;
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	g_autoptr(MlvValue) root = NULL;

	if (!data)
		data = "";
	if (mlv_log_is_name(path)) {
		if (taker->measures->options.kind == MLV_MEASURE_METRICS)
			return take_log(taker, data, length, error);
		root = mlv_log_parse_params(data, length, path);
	} else {
		root = mlv_yaml_check_name(path, error) ? mlv_yaml_parse(data, length, path, error)
							: NULL;
	}
	if (!root)
		return FALSE;
	take_values(taker, root);
	return TRUE;
}

/* Whether the file is there, be it damaged. */
static gboolean take_source(Taker *taker)
{
	const MlvMeasureSource *source = taker->source;
	gsize max = mlv_log_is_name(source->path) ? MLV_LOG_MAX : MLV_MEASURE_FILE_MAX;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = mlv_side_read(taker->side, source->path, max, &error);

	if (!bytes && g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING))
		return FALSE;
	if (!bytes || !take_bytes(taker, bytes, &error))
		mlv_side_add_problem(taker->side, "%s", error->message);
	return TRUE;
}

gboolean mlv_measures_add(MlvMeasures *measures, MlvSide *side, GError **error)
{
	g_autoptr(GPtrArray) sources = mlv_measure_sources(side, &measures->options);
	Taker taker = { measures, side, NULL, 0 };

	for (guint i = 0; i < sources->len; i++) {
		gboolean found;

		taker.source = sources->pdata[i];
		found = take_source(&taker);
		if (found || !taker.source->optional)
			g_hash_table_add(measures->named, g_strdup(taker.source->path));
		if (found)
			g_hash_table_add(measures->found, g_strdup(taker.source->path));
	}
	if (taker.count >= MLV_MEASURE_MAX)
		return mlv_fail(
			error, MLV_ERROR_FAILED,
			"there are more than %u values at '%s'; name the files that you mean",
			MLV_MEASURE_MAX, mlv_side_name(side));
	measures->sides++;
	return TRUE;
}

static gint compare_rows(gconstpointer a, gconstpointer b)
{
	const MlvMeasureRow *const *first = a, *const *second = b;
	int order = strcmp((*first)->path, (*second)->path);
	return order ? order : strcmp((*first)->name, (*second)->name);
}

void mlv_measures_finish(MlvMeasures *measures)
{
	for (guint i = 0; i < measures->rows->len; i++) {
		MlvMeasureRow *row = measures->rows->pdata[i];

		while (row->values->len < measures->sides)
			g_ptr_array_add(row->values, NULL);
	}
	g_ptr_array_sort(measures->rows, compare_rows);
}
