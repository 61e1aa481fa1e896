/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plot/plot_def.h"

#include <string.h>

#include "core/measure/metric_log.h"
#include "core/plot/picture.h"
#include "core/plot/plot_table.h"

#define FOLDER_FILES_MAX 2000u

static void source_free(MlvPlotSource *source)
{
	g_free(source->file);
	g_free(source->column);
	g_free(source->x_file);
	g_free(source->x);
	g_free(source);
}

void mlv_plot_def_free(MlvPlotDef *def)
{
	if (!def)
		return;
	g_ptr_array_unref(def->sources);
	g_free(def->id);
	g_free(def->title);
	g_free(def->x_label);
	g_free(def->y_label);
	g_free(def->template_name);
	g_free(def);
}

gboolean mlv_plot_kind_of(const char *template_name, MlvPlotKind *kind)
{
	static const struct {
		const char *name;
		MlvPlotKind kind;
	} templates[] = {
		{ "default", MLV_PLOT_LINES },
		{ "linear", MLV_PLOT_LINES },
		{ "simple", MLV_PLOT_LINES },
		{ "smooth", MLV_PLOT_LINES },
		{ "scatter", MLV_PLOT_SCATTER },
		{ "scatter_jitter", MLV_PLOT_SCATTER },
		{ "confusion", MLV_PLOT_CONFUSION },
		{ "confusion_normalized", MLV_PLOT_CONFUSION_NORMALIZED },
		{ "bar_horizontal", MLV_PLOT_BARS },
		{ "bar_horizontal_sorted", MLV_PLOT_BARS_SORTED },
		{ "histogram", MLV_PLOT_HISTOGRAM },
	};

	*kind = MLV_PLOT_LINES;
	if (!template_name)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(templates); i++) {
		if (strcmp(templates[i].name, template_name) == 0) {
			*kind = templates[i].kind;
			return TRUE;
		}
	}
	return FALSE;
}

/* --- one definition --------------------------------------------------------------------------- */

typedef struct {
	MlvSide *side;
	const MlvPlotOptions *options;
	GHashTable *defs;      /* id -> MlvPlotDef */
	GHashTable *this_side; /* ids that this side has */
} Collector;

static void add_source(MlvPlotDef *def, const char *file, const char *column, const char *x_file,
		       const char *x)
{
	MlvPlotSource *source = g_new0(MlvPlotSource, 1);

	source->file = g_strdup(file);
	source->column = g_strdup(column);
	source->x_file = g_strcmp0(file, x_file) == 0 ? NULL : g_strdup(x_file);
	source->x = g_strdup(x);
	g_ptr_array_add(def->sources, source);
}

static char *scalar_text(const MlvValue *value)
{
	return mlv_value_is_scalar(value) && !mlv_value_is(value, MLV_VALUE_NULL)
		       ? mlv_value_text(value)
		       : NULL;
}

static char *option_text(const MlvValue *options, const char *key)
{
	return scalar_text(mlv_value_get(options, key));
}

/* The x for the n-th y, which is in `file`: a column's name, or {FILE: COLUMN, ...}. */
static void find_x(const MlvFiles *files, const char *folder, const MlvValue *x, guint n,
		   const char *file, char **x_file, char **column)
{
	*x_file = *column = NULL;
	if (!mlv_value_is(x, MLV_VALUE_MAP)) {
		*column = scalar_text(x);
		return;
	}
	const MlvEntry *entry = NULL;
	/* That of the same file, else the one in the same place, else the only one. */
	for (gsize i = 0; i < x->length && !entry; i++) {
		g_autofree char *path = mlv_files_normal(files, folder, x->entries[i].key->text);
		if (strcmp(path, file) == 0)
			entry = &x->entries[i];
	}
	if (!entry && x->length > 0)
		entry = &x->entries[n < x->length ? n : 0];
	if (!entry)
		return;
	*x_file = mlv_files_normal(files, folder, entry->key->text);
	*column = scalar_text(mlv_value_is(entry->value, MLV_VALUE_LIST)
				      ? mlv_value_item(entry->value, 0)
				      : entry->value);
}

/* y: COLUMN, or [COLUMN, ...], of one file. */
static void add_columns(const MlvFiles *files, const char *folder, MlvPlotDef *def,
			const char *file, const MlvValue *columns, const MlvValue *x)
{
	gboolean list = mlv_value_is(columns, MLV_VALUE_LIST);
	gsize count = list ? columns->length : 1;

	for (gsize i = 0; i < count; i++) {
		g_autofree char *column = scalar_text(list ? columns->items[i] : columns);
		g_autofree char *x_file = NULL, *x_column = NULL;

		find_x(files, folder, x, def->sources->len, file, &x_file, &x_column);
		add_source(def, file, column, x_file, x_column);
	}
}

/* What options say, of the plot of `path` (NULL: the files are in the options). */
static MlvPlotDef *read_def(const MlvFiles *files, const char *folder, const char *id,
			    const char *path, const MlvValue *options)
{
	MlvPlotDef *def = g_new0(MlvPlotDef, 1);
	const MlvValue *y = mlv_value_get(options, "y"), *x = mlv_value_get(options, "x");
	const MlvValue *header = mlv_value_get(options, "header");
	const MlvValue *bins = mlv_value_get(options, "bins");

	def->id = g_strdup(id);
	def->sources = g_ptr_array_new_with_free_func((GDestroyNotify)source_free);
	def->title = option_text(options, "title");
	def->x_label = option_text(options, "x_label");
	def->y_label = option_text(options, "y_label");
	def->template_name = option_text(options, "template");
	def->no_header = mlv_value_is(header, MLV_VALUE_BOOL) && !header->boolean;
	def->bins = mlv_value_is(bins, MLV_VALUE_INT) ? (guint)CLAMP(bins->integer, 0, 1000) : 0;
	if (mlv_value_is(y, MLV_VALUE_MAP)) {
		for (gsize i = 0; i < y->length; i++) {
			g_autofree char *file =
				mlv_files_normal(files, folder, y->entries[i].key->text);
			add_columns(files, folder, def, file, y->entries[i].value, x);
		}
	} else if (mlv_value_is(x, MLV_VALUE_MAP) && !y) {
		/* Only where x is. */
		for (gsize i = 0; i < x->length; i++) {
			g_autofree char *file =
				mlv_files_normal(files, folder, x->entries[i].key->text);
			add_columns(files, folder, def, file, NULL, x);
		}
	} else if (path) {
		add_columns(files, folder, def, path, y, x);
	}
	return def;
}

/* --- collecting ------------------------------------------------------------------------------- */

static gboolean is_meant(const Collector *collector, const MlvPlotDef *def)
{
	const MlvPlotOptions *options = collector->options;

	if (!options->filter || mlv_pathspec_is_all(options->filter))
		return TRUE;
	for (guint i = 0; options->names && i < options->names->len; i++)
		if (strcmp(options->names->pdata[i], def->id) == 0)
			return TRUE;
	for (guint i = 0; i < def->sources->len; i++)
		if (mlv_pathspec_matches(options->filter,
					 ((MlvPlotSource *)def->sources->pdata[i])->file))
			return TRUE;
	return FALSE;
}

static gboolean is_same_source(const MlvPlotSource *a, const MlvPlotSource *b)
{
	return strcmp(a->file, b->file) == 0 && g_strcmp0(a->column, b->column) == 0 &&
	       g_strcmp0(a->x_file, b->x_file) == 0 && g_strcmp0(a->x, b->x) == 0;
}

/* Whether a plot is declared twice, in a stage and for the whole, and the second says no more. */
static gboolean says_nothing_new(const MlvPlotDef *a, const MlvPlotDef *b)
{
	const MlvPlotSource *only = b->sources->pdata[0];

	if ((b->template_name && g_strcmp0(a->template_name, b->template_name) != 0) ||
	    (b->title && g_strcmp0(a->title, b->title) != 0) ||
	    (b->x_label && g_strcmp0(a->x_label, b->x_label) != 0) ||
	    (b->y_label && g_strcmp0(a->y_label, b->y_label) != 0))
		return FALSE;
	if (b->sources->len == 1 && !only->column && !only->x)
		return TRUE;
	if (a->sources->len != b->sources->len)
		return FALSE;
	for (guint i = 0; i < a->sources->len; i++)
		if (!is_same_source(a->sources->pdata[i], b->sources->pdata[i]))
			return FALSE;
	return TRUE;
}

/* Takes a definition in. A later side's takes the place of an earlier one's; of the same side it
 * gets another id. */
static void keep(Collector *collector, MlvPlotDef *def)
{
	g_autofree char *id = g_strdup(def->id);

	if (def->sources->len == 0 || !is_meant(collector, def) ||
	    g_hash_table_size(collector->defs) >= MLV_PLOTS_MAX) {
		mlv_plot_def_free(def);
		return;
	}
	for (guint i = 2; g_hash_table_contains(collector->this_side, def->id); i++) {
		if (says_nothing_new(g_hash_table_lookup(collector->defs, def->id), def)) {
			mlv_plot_def_free(def);
			return;
		}
		g_free(def->id);
		def->id = g_strdup_printf("%s (%u)", id, i);
	}
	if (!mlv_plot_kind_of(def->template_name, &def->kind))
		mlv_side_add_problem(
			collector->side,
			"the plot '%s' is drawn as lines: its template '%s' is not one "
			"that mlv knows",
			def->id, def->template_name);
	if (mlv_picture_is_name(((MlvPlotSource *)def->sources->pdata[0])->file))
		def->kind = MLV_PLOT_IMAGE;
	g_hash_table_add(collector->this_side, g_strdup(def->id));
	g_hash_table_replace(collector->defs, def->id, def);
}

/* The columns of a log, each a plot of its own. */
static void add_log(Collector *collector, const char *path, const MlvValue *options)
{
	const MlvFiles *files = mlv_side_files(collector->side);
	g_autoptr(GBytes) bytes =
		mlv_side_read(collector->side, path, MLV_PLOT_TABLE_FILE_MAX, NULL);
	gsize length = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;
	g_autoptr(MlvLog) log = data ? mlv_log_parse(data, length, MLV_LOG_LAST, path, NULL) : NULL;

	for (guint i = 0; log && i < log->metrics->len && i < 200; i++) {
		const MlvLogMetric *metric = log->metrics->pdata[i];
		g_autofree char *id = g_strdup_printf("%s: %s", path, metric->name);
		MlvPlotDef *def = read_def(files, "", id, path, options);
		MlvPlotSource *source = def->sources->pdata[0];

		g_free(source->column);
		source->column = g_strdup(metric->name);
		if (!source->x)
			source->x = g_strdup("step");
		if (!def->title)
			def->title = g_strdup(metric->name);
		keep(collector, def);
	}
}

static void add_file(Collector *collector, const char *path, const MlvValue *options)
{
	if (mlv_log_is_name(path) && !mlv_value_get(options, "y"))
		add_log(collector, path, options);
	else
		keep(collector, read_def(mlv_side_files(collector->side), "", path, path, options));
}

static gboolean is_plot_file(const char *path)
{
	static const char *const ends[] = { ".csv", ".tsv",   ".json",  ".yaml",
					    ".yml", ".jsonl", ".ndjson" };

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		if (g_str_has_suffix(path, ends[i]))
			return TRUE;
	return mlv_picture_is_name(path);
}

/* A path that was declared: a file, or a folder with files in it. */
static void add_path(Collector *collector, const char *path, const MlvValue *options)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) below = NULL;

	if (mlv_side_type(collector->side, path) != MLV_FILES_DIRECTORY) {
		add_file(collector, path, options);
		return;
	}
	below = mlv_side_files_below(collector->side, path, FOLDER_FILES_MAX, &error);
	if (!below)
		mlv_side_add_problem(collector->side, "'%s': %s", path, error->message);
	for (guint i = 0; below && i < below->len; i++)
		if (is_plot_file(below->pdata[i]))
			add_file(collector, below->pdata[i], options);
}

static void add_out(Collector *collector, const MlvOut *out)
{
	const MlvValue *options = out->options;

	if (!mlv_value_is(options, MLV_VALUE_LIST)) {
		add_path(collector, out->path, options);
		return;
	}
	for (gsize i = 0; i < options->length; i++)
		add_path(collector, out->path, options->items[i]);
}

/* A plot of the whole: a path, or a name with the files in its options. */
static void add_item(Collector *collector, const MlvPipelineFile *file, const MlvPipelineItem *item)
{
	const MlvFiles *files = mlv_side_files(collector->side);
	const MlvValue *options = item->options;
	gboolean named = mlv_value_is(mlv_value_get(options, "y"), MLV_VALUE_MAP) ||
			 (mlv_value_is(mlv_value_get(options, "x"), MLV_VALUE_MAP) &&
			  !mlv_value_get(options, "y"));

	if (!named) {
		if (item->path)
			add_path(collector, item->path, options);
		return;
	}
	g_autofree char *id = *file->folder ? g_strdup_printf("%s: %s", file->folder, item->name)
					    : g_strdup(item->name);
	keep(collector, read_def(files, file->folder, id, NULL, options));
}

/* Whether a plot of this side shows something at or below a path. */
static gboolean is_shown(const Collector *collector, const char *path)
{
	GHashTableIter iter;
	gpointer id;

	g_hash_table_iter_init(&iter, collector->this_side);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		const MlvPlotDef *def = g_hash_table_lookup(collector->defs, id);

		for (guint i = 0; i < def->sources->len; i++)
			if (mlv_files_is_below(((MlvPlotSource *)def->sources->pdata[i])->file,
					       path))
				return TRUE;
	}
	return FALSE;
}

static void add_side(Collector *collector)
{
	const GPtrArray *pipelines = mlv_side_pipelines(collector->side);
	const GPtrArray *paths = collector->options->paths;

	for (guint i = 0; i < pipelines->len; i++) {
		const MlvPipelineFile *file = pipelines->pdata[i];

		for (guint j = 0; j < file->stages->len; j++) {
			const MlvStage *stage = file->stages->pdata[j];

			for (guint k = 0; k < stage->outs->len; k++)
				if (((MlvOut *)stage->outs->pdata[k])->type == MLV_OUT_PLOT)
					add_out(collector, stage->outs->pdata[k]);
		}
		for (guint j = 0; j < file->plots->len; j++)
			add_item(collector, file, file->plots->pdata[j]);
	}
	/* What a run logged. */
	if (mlv_side_revision(collector->side)->at == MLV_AT_COMMIT &&
	    mlv_side_type(collector->side, MLV_LOG_RUN_FOLDER "/" MLV_LOG_METRICS) ==
		    MLV_FILES_FILE)
		add_path(collector, MLV_LOG_RUN_FOLDER "/" MLV_LOG_METRICS, NULL);
	/* A file that some plot shows already is not shown once more. */
	for (guint i = 0; paths && i < paths->len; i++)
		if (!is_shown(collector, paths->pdata[i]) &&
		    mlv_side_type(collector->side, paths->pdata[i]) != MLV_FILES_NOTHING)
			add_path(collector, paths->pdata[i], NULL);
}

/* --- what the command line says --------------------------------------------------------------- */

static void replace(char **text, const char *by)
{
	if (by) {
		g_free(*text);
		*text = g_strdup(by);
	}
}

/* Other columns of the first file. */
static void change_columns(MlvPlotDef *def, const MlvPlotChanges *changes)
{
	const MlvPlotSource *first = def->sources->pdata[0];
	g_autofree char *file = g_strdup(first->file), *x_file = g_strdup(first->x_file);
	g_autofree char *x = g_strdup(changes->x ? changes->x : first->x);

	if (changes->y && *changes->y) {
		g_ptr_array_set_size(def->sources, 0);
		for (char *const *y = changes->y; *y; y++)
			add_source(def, file, *y, changes->x ? NULL : x_file, x);
		return;
	}
	for (guint i = 0; changes->x && i < def->sources->len; i++) {
		MlvPlotSource *source = def->sources->pdata[i];

		replace(&source->x, changes->x);
		g_clear_pointer(&source->x_file, g_free);
	}
}

static gboolean change(MlvPlotDef *def, const MlvPlotChanges *changes, GError **error)
{
	if (def->kind == MLV_PLOT_IMAGE)
		return TRUE;
	change_columns(def, changes);
	replace(&def->title, changes->title);
	replace(&def->x_label, changes->x_label);
	replace(&def->y_label, changes->y_label);
	def->no_header |= changes->no_header;
	if (changes->bins)
		def->bins = changes->bins;
	return !changes->template_name || mlv_plot_kind_of(changes->template_name, &def->kind) ||
	       mlv_fail(error, MLV_ERROR_USAGE,
			"'%s' is no template; there are linear, scatter, confusion, "
			"confusion_normalized, bar_horizontal, bar_horizontal_sorted and histogram",
			changes->template_name);
}

static gint compare_defs(gconstpointer a, gconstpointer b)
{
	const MlvPlotDef *const *first = a, *const *second = b;
	return strcmp((*first)->id, (*second)->id);
}

GPtrArray *mlv_plot_defs(const GPtrArray *sides, const MlvPlotOptions *options, GError **error)
{
	/* The keys are the definitions' own ids. */
	g_autoptr(GHashTable) defs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
							   (GDestroyNotify)mlv_plot_def_free);
	g_autoptr(GPtrArray) sorted =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_plot_def_free);
	GHashTableIter iter;
	gpointer def;

	for (guint i = 0; i < sides->len; i++) {
		g_autoptr(GHashTable) ids =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		Collector collector = { sides->pdata[i], options, defs, ids };

		add_side(&collector);
	}
	g_hash_table_iter_init(&iter, defs);
	while (g_hash_table_iter_next(&iter, NULL, &def)) {
		g_hash_table_iter_steal(&iter);
		g_ptr_array_add(sorted, def);
		if (!change(def, &options->changes, error))
			return NULL;
	}
	g_ptr_array_sort(sorted, compare_defs);
	return g_steal_pointer(&sorted);
}
