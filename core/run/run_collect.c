/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters, metrics and outputs of a run, as its record names them. */
#include <string.h>

#include "core/measure/measures.h"
#include "core/measure/metric_log.h"
#include "core/pipeline/lock.h"
#include "core/run/recorder_private.h"

#define NAMES_MAX 2000u /* of one kind: a record is read whenever runs are listed */

/* Names to values, in the order in which they came. */
typedef struct {
	GPtrArray *names;
	GHashTable *values; /* name -> MlvValue */
} Table;

static void table_init(Table *table)
{
	table->names = g_ptr_array_new_with_free_func(g_free);
	table->values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					      (GDestroyNotify)mlv_value_unref);
}

/* Takes the value; the last one of a name stays. */
static void table_set(Table *table, const char *name, MlvValue *value)
{
	gpointer key;

	if (g_hash_table_lookup_extended(table->values, name, &key, NULL)) {
		g_hash_table_replace(table->values, key, value);
	} else if (table->names->len < NAMES_MAX) {
		char *copy = g_strdup(name);
		g_ptr_array_add(table->names, copy);
		g_hash_table_insert(table->values, copy, value);
	} else {
		mlv_value_unref(value);
	}
}

static void table_move(Table *table, MlvValue **map)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvEntry));

	for (guint i = 0; i < table->names->len; i++) {
		const char *name = table->names->pdata[i];
		mlv_value_add(entries, name,
			      mlv_value_ref(g_hash_table_lookup(table->values, name)));
	}
	mlv_value_unref(*map);
	*map = mlv_value_new_map(entries);
	g_hash_table_unref(table->values);
	g_ptr_array_unref(table->names);
}

/* --- of files --------------------------------------------------------------------------------- */

static gboolean is_number(const MlvValue *value)
{
	return mlv_value_is(value, MLV_VALUE_INT) || mlv_value_is(value, MLV_VALUE_FLOAT);
}

/* A name that two files have gets the second file's before it. */
static void take_rows(const MlvMeasures *measures, Table *table)
{
	for (guint i = 0; i < measures->rows->len; i++) {
		const MlvMeasureRow *row = measures->rows->pdata[i];
		const MlvValue *value = row->values->pdata[0];
		if (!value || (measures->options.kind == MLV_MEASURE_METRICS && !is_number(value)))
			continue;
		const char *name = *row->name ? row->name : row->path;
		g_autofree char *longer = g_strconcat(row->path, ":", row->name, NULL);
		gboolean twice = g_hash_table_contains(table->values, name);
		table_set(table, twice ? longer : name, mlv_value_ref(value));
	}
}

static void take_kind(MlvSide *side, MlvMeasureKind kind, const GPtrArray *paths, Table *table)
{
	MlvMeasuresOptions options = { .kind = kind, .paths = paths };
	g_autoptr(MlvMeasures) measures = mlv_measures_new(&options);

	if (!mlv_measures_add(measures, side, NULL))
		return;
	mlv_measures_finish(measures);
	take_rows(measures, table);
}

static void take_lock(const MlvLock *lock, Table *table)
{
	g_autoptr(GPtrArray) names = mlv_lock_names(lock);

	for (guint i = 0; i < names->len; i++) {
		const MlvLockStage *stage = mlv_lock_get(lock, names->pdata[i]);
		for (guint j = 0; j < stage->outs->len; j++) {
			const MlvLockPath *out = stage->outs->pdata[j];
			char hex[MLV_ID_HEX + 1];
			mlv_id_format(&out->held.ref.id, hex);
			g_autofree char *id = g_strconcat("sha256:", hex, NULL);
			table_set(table, out->path, mlv_value_new_string(id));
		}
	}
}

/* What the locks beside the pipeline files say now. */
static void take_outs(MlvRepo *repo, const GPtrArray *pipelines, MlvRun *run)
{
	const int root = mlv_repo_root_fd(repo);
	MlvFiles files;
	Table table;

	table_init(&table);
	mlv_files_init_directory(&files, &root, mlv_repo_root(repo));
	for (guint i = 0; i < pipelines->len; i++) {
		const MlvPipelineFile *pipeline = pipelines->pdata[i];
		g_autoptr(MlvLock) lock = mlv_lock_read(&files, pipeline->folder, NULL);
		if (lock)
			take_lock(lock, &table);
	}
	table_move(&table, &run->outs);
}

/* --- of logs ---------------------------------------------------------------------------------- */

static void take_logged(const char *folder, Table *params, Table *metrics)
{
	g_autofree char *metrics_file = g_build_filename(folder, MLV_LOG_METRICS, NULL);
	g_autofree char *params_file = g_build_filename(folder, MLV_LOG_PARAMS, NULL);
	g_autoptr(GMappedFile) logged = g_mapped_file_new(metrics_file, FALSE, NULL);
	g_autoptr(GMappedFile) named = g_mapped_file_new(params_file, FALSE, NULL);
	g_autoptr(MlvLog) log = NULL;

	if (logged && g_mapped_file_get_length(logged) > 0 &&
	    g_mapped_file_get_length(logged) <= MLV_LOG_MAX)
		log = mlv_log_parse(g_mapped_file_get_contents(logged),
				    g_mapped_file_get_length(logged), MLV_LOG_LAST, MLV_LOG_METRICS,
				    NULL);
	for (guint i = 0; log && i < log->metrics->len; i++) {
		const MlvLogMetric *metric = log->metrics->pdata[i];
		table_set(metrics, metric->name, mlv_value_new_float(metric->last));
	}
	if (!named || g_mapped_file_get_length(named) == 0 ||
	    g_mapped_file_get_length(named) > MLV_LOG_MAX)
		return;
	g_autoptr(MlvValue) map = mlv_log_parse_params(
		g_mapped_file_get_contents(named), g_mapped_file_get_length(named), MLV_LOG_PARAMS);
	for (gsize i = 0; map && i < map->length; i++)
		table_set(params, map->entries[i].key->text, mlv_value_ref(map->entries[i].value));
}

/* The files that were changed for it, as paths relative to the root. */
static GPtrArray *changed_files(const MlvRun *run)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < run->changes->length; i++) {
		const char *key = run->changes->entries[i].key->text;
		const char *colon = strrchr(key, ':');
		if (!colon)
			continue;
		g_autofree char *file = g_strndup(key, (gsize)(colon - key));
		if (!g_ptr_array_find_with_equal_func(files, file, g_str_equal, NULL))
			g_ptr_array_add(files, g_steal_pointer(&file));
	}
	return files;
}

void mlv_run_collect(MlvRepo *repo, MlvRun *run, const char *folder, gboolean workspace)
{
	Table params, metrics;

	table_init(&params);
	table_init(&metrics);
	g_autoptr(MlvView) view = workspace ? mlv_view_new(repo, NULL) : NULL;
	g_autoptr(MlvSide) side = view ? mlv_side_open(view, NULL, NULL) : NULL;
	if (side) {
		g_autoptr(GPtrArray) files = changed_files(run);
		take_kind(side, MLV_MEASURE_PARAMS, files->len > 0 ? files : NULL, &params);
		take_kind(side, MLV_MEASURE_METRICS, NULL, &metrics);
		take_outs(repo, mlv_side_pipelines(side), run);
	}
	take_logged(folder, &params, &metrics);
	table_move(&params, &run->params);
	table_move(&metrics, &run->metrics);
}
