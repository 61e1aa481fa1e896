/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "core/lineage/lineage_private.h"

#define PROBLEMS_MAX 100

static void data_free(gpointer pointer)
{
	MlvLineageData *data = pointer;

	g_free(data->path);
	g_free(data->etag);
	if (data->import) {
		mlv_import_record_clear(data->import);
		g_free(data->import);
	}
	g_ptr_array_unref(data->runs);
	g_array_unref(data->made_by);
	g_array_unref(data->read_by);
	g_free(data);
}

static void stage_free(gpointer pointer)
{
	MlvLineageStage *stage = pointer;

	g_array_unref(stage->deps);
	g_array_unref(stage->outs);
	g_free(stage);
}

static MlvLineage *lineage_new(const MlvLineageOptions *options)
{
	MlvLineage *lineage = g_new0(MlvLineage, 1);

	lineage->options = *options;
	if (!lineage->options.depth)
		lineage->options.depth = MLV_LINEAGE_DEPTH;
	lineage->steps = mlv_steps_new();
	lineage->scan =
		mlv_lineage_scan_new(mlv_view_repo(options->view), lineage->steps, options->cancel);
	lineage->outs = g_array_new(FALSE, FALSE, sizeof(MlvNamed));
	lineage->deps = g_array_new(FALSE, FALSE, sizeof(MlvNamed));
	lineage->subjects = g_array_new(FALSE, FALSE, sizeof(guint));
	lineage->data = g_ptr_array_new_with_free_func(data_free);
	lineage->stages = g_ptr_array_new_with_free_func(stage_free);
	lineage->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	lineage->by_step = g_hash_table_new(NULL, NULL);
	lineage->problems = g_ptr_array_new_with_free_func(g_free);
	return lineage;
}

void mlv_lineage_free(MlvLineage *lineage)
{
	if (!lineage)
		return;
	g_free(lineage->rev);
	mlv_side_close(lineage->side);
	g_clear_pointer(&lineage->targets, g_ptr_array_unref);
	g_array_unref(lineage->outs);
	g_array_unref(lineage->deps);
	g_array_unref(lineage->subjects);
	g_ptr_array_unref(lineage->data);
	g_ptr_array_unref(lineage->stages);
	g_hash_table_unref(lineage->by_key);
	g_hash_table_unref(lineage->by_step);
	g_ptr_array_unref(lineage->problems);
	mlv_lineage_scan_free(lineage->scan);
	mlv_steps_free(lineage->steps);
	g_free(lineage);
}

void mlv_lineage_add_problem(MlvLineage *lineage, const char *format, ...)
{
	va_list arguments;

	if (lineage->problems->len >= PROBLEMS_MAX)
		return;
	va_start(arguments, format);
	g_ptr_array_add(lineage->problems, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

static char *make_key(const char *path, const MlvPointer *held, const char *etag)
{
	char hex[MLV_ID_HEX + 1] = "";

	if (held)
		mlv_id_format(&held->ref.id, hex);
	return g_strconcat(path, "\n", hex, "\n", etag, NULL);
}

guint mlv_lineage_known(const MlvLineage *lineage, const char *path, const MlvPointer *held,
			const char *etag)
{
	g_autofree char *key = make_key(path, held, etag);

	return GPOINTER_TO_UINT(g_hash_table_lookup(lineage->by_key, key));
}

guint mlv_lineage_add(MlvLineage *lineage, const char *path, const MlvPointer *held,
		      const char *etag)
{
	g_autofree char *key = make_key(path, held, etag);
	guint known = GPOINTER_TO_UINT(g_hash_table_lookup(lineage->by_key, key));

	if (known)
		return known - 1;
	MlvLineageData *data = g_new0(MlvLineageData, 1);
	data->path = g_strdup(path);
	data->has_id = held != NULL;
	if (held)
		data->held = *held;
	data->etag = g_strdup(etag);
	data->runs = g_ptr_array_new();
	data->made_by = g_array_new(FALSE, FALSE, sizeof(guint));
	data->read_by = g_array_new(FALSE, FALSE, sizeof(MlvLineageUse));
	g_ptr_array_add(lineage->data, data);
	g_hash_table_insert(lineage->by_key, g_steal_pointer(&key),
			    GUINT_TO_POINTER(lineage->data->len));
	return lineage->data->len - 1;
}

const MlvNamed *mlv_lineage_named(const GArray *named, const char *path, gboolean below,
				  guint *count)
{
	g_autofree char *prefix = below && *path ? g_strconcat(path, "/", NULL) : g_strdup(path);
	gsize length = strlen(prefix);
	guint low = 0, high = named->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (strcmp(g_array_index(named, MlvNamed, middle).path->path, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < named->len; high++) {
		const char *other = g_array_index(named, MlvNamed, high).path->path;
		if (below ? strncmp(other, prefix, length) != 0 : strcmp(other, prefix) != 0)
			break;
	}
	*count = high - low;
	return *count ? &g_array_index(named, MlvNamed, low) : NULL;
}

MlvLineage *mlv_lineage_find(const MlvLineageOptions *options, const char *text, GError **error)
{
	g_autoptr(MlvLineage) lineage = lineage_new(options);

	if (!mlv_lineage_resolve(lineage, text, error) || !mlv_lineage_follow(lineage, error) ||
	    (options->up && !mlv_lineage_sources(lineage, error)))
		return NULL;
	const GPtrArray *problems = mlv_steps_problems(lineage->steps);
	for (guint i = 0; i < problems->len; i++)
		mlv_lineage_add_problem(lineage, "%s", (char *)problems->pdata[i]);
	return g_steal_pointer(&lineage);
}

const char *mlv_lineage_rev(const MlvLineage *lineage)
{
	return lineage->rev;
}

const GArray *mlv_lineage_subjects(const MlvLineage *lineage)
{
	return lineage->subjects;
}

guint mlv_lineage_data_count(const MlvLineage *lineage)
{
	return lineage->data->len;
}

const MlvLineageData *mlv_lineage_data(const MlvLineage *lineage, guint number)
{
	return lineage->data->pdata[number];
}

guint mlv_lineage_stage_count(const MlvLineage *lineage)
{
	return lineage->stages->len;
}

const MlvLineageStage *mlv_lineage_stage(const MlvLineage *lineage, guint number)
{
	return lineage->stages->pdata[number];
}

const GPtrArray *mlv_lineage_problems(const MlvLineage *lineage)
{
	return lineage->problems;
}
