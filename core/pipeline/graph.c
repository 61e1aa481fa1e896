/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/graph.h"

#include <string.h>

#include "core/pipeline/glob.h"
#include "core/pipeline/graph_private.h"

static MlvNode *node_at(const MlvPipeline *pipeline, guint number)
{
	return &g_array_index(pipeline->nodes, MlvNode, number);
}

const MlvNode *mlv_pipeline_node(const MlvPipeline *pipeline, guint number)
{
	return node_at(pipeline, number);
}

gint mlv_pipeline_find(const MlvPipeline *pipeline, const char *address)
{
	return (gint)GPOINTER_TO_UINT(g_hash_table_lookup(pipeline->by_address, address)) - 1;
}

/* --- outputs ---------------------------------------------------------------------------------- */

static const MlvGraphOut *out_at(const MlvPipeline *pipeline, const char *path)
{
	guint index = GPOINTER_TO_UINT(g_hash_table_lookup(pipeline->by_out, path));
	return index ? &g_array_index(pipeline->outs, MlvGraphOut, index - 1) : NULL;
}

const MlvGraphOut *mlv_graph_cover(const MlvPipeline *pipeline, const char *path)
{
	g_autofree char *above = g_strdup(path);

	for (;;) {
		const MlvGraphOut *found = out_at(pipeline, above);
		char *slash = strrchr(above, '/');
		if (found || !slash)
			return found;
		*slash = '\0';
	}
}

/* The index of the first output whose path is not before `text`. */
static guint lower_bound(const MlvPipeline *pipeline, const char *text)
{
	guint low = 0, high = pipeline->outs->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (strcmp(g_array_index(pipeline->outs, MlvGraphOut, middle).out->path, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const MlvGraphOut *mlv_graph_below(const MlvPipeline *pipeline, const char *folder, guint *count)
{
	guint first = 0, end = pipeline->outs->len;

	if (*folder) {
		/* '0' comes right behind '/'. */
		g_autofree char *from = g_strconcat(folder, "/", NULL);
		g_autofree char *to = g_strconcat(folder, "0", NULL);
		first = lower_bound(pipeline, from);
		end = lower_bound(pipeline, to);
	}
	*count = end - first;
	return *count ? &g_array_index(pipeline->outs, MlvGraphOut, first) : NULL;
}

gint mlv_pipeline_producer(const MlvPipeline *pipeline, const char *path, const MlvOut **out)
{
	const MlvGraphOut *found = mlv_graph_cover(pipeline, path);

	if (out)
		*out = found ? found->out : NULL;
	return found ? (gint)found->number : -1;
}

static gint compare_outs(gconstpointer a, gconstpointer b)
{
	const MlvGraphOut *first = a, *second = b;
	gint order = strcmp(first->out->path, second->out->path);
	return order ? order : (first->number > second->number) - (first->number < second->number);
}

static const char *address_of(const MlvPipeline *pipeline, guint number)
{
	return node_at(pipeline, number)->stage->address;
}

/* Fails because two outputs are the same path, or one lies in the other. */
static gboolean fail_overlap(const MlvPipeline *pipeline, const MlvGraphOut *one,
			     const MlvGraphOut *other, GError **error)
{
	if (strcmp(one->out->path, other->out->path) == 0)
		return mlv_fail_at(error, &other->out->where, MLV_ERROR_CORRUPT,
				   "the output '%s' is made by two stages, '%s' and '%s'",
				   one->out->path, address_of(pipeline, one->number),
				   address_of(pipeline, other->number));
	return mlv_fail_at(error, &other->out->where, MLV_ERROR_CORRUPT,
			   "the output '%s' of stage '%s' lies in the output '%s' of stage '%s'",
			   other->out->path, address_of(pipeline, other->number), one->out->path,
			   address_of(pipeline, one->number));
}

static gboolean index_outs(MlvPipeline *pipeline, GError **error)
{
	for (guint i = 0; i < pipeline->nodes->len; i++) {
		const MlvStage *stage = node_at(pipeline, i)->stage;
		for (guint j = 0; j < stage->outs->len; j++) {
			MlvGraphOut out = { stage->outs->pdata[j], i };
			g_array_append_val(pipeline->outs, out);
		}
	}
	g_array_sort(pipeline->outs, compare_outs);
	const MlvGraphOut *outs = (const MlvGraphOut *)(gconstpointer)pipeline->outs->data;
	for (guint i = 0; i < pipeline->outs->len; i++) {
		const MlvGraphOut *same = out_at(pipeline, outs[i].out->path);
		if (same)
			return fail_overlap(pipeline, same, &outs[i], error);
		g_hash_table_insert(pipeline->by_out, outs[i].out->path, GUINT_TO_POINTER(i + 1));
	}
	for (guint i = 0; i < pipeline->outs->len; i++) {
		g_autofree char *above = mlv_files_folder(outs[i].out->path);
		const MlvGraphOut *around = mlv_graph_cover(pipeline, above);
		if (around)
			return fail_overlap(pipeline, around, &outs[i], error);
	}
	for (guint i = 0; i < pipeline->files->len; i++) {
		const MlvPipelineFile *file = pipeline->files->pdata[i];
		const MlvGraphOut *around = mlv_graph_cover(pipeline, file->path);
		if (around)
			return mlv_fail_at(error, &around->out->where, MLV_ERROR_CORRUPT,
					   "the output '%s' holds the pipeline file '%s'",
					   around->out->path, file->path);
	}
	return TRUE;
}

/* --- edges ------------------------------------------------------------------------------------ */

static gboolean add_edge(MlvPipeline *pipeline, guint number, const MlvGraphOut *out,
			 const char *path, const MlvWhere *where, GError **error)
{
	if (out->number == number)
		return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				   "stage '%s' depends on '%s' and makes '%s', so that it would "
				   "never be done",
				   address_of(pipeline, number), path, out->out->path);
	g_array_append_val(node_at(pipeline, number)->upstream, out->number);
	return TRUE;
}

/* A path: the output that it is or lies in, and those in it. */
static gboolean join_path(MlvPipeline *pipeline, guint number, const char *path,
			  const MlvWhere *where, GError **error)
{
	const MlvGraphOut *around = mlv_graph_cover(pipeline, path);
	guint count;

	if (around)
		return add_edge(pipeline, number, around, path, where, error);
	const MlvGraphOut *below = mlv_graph_below(pipeline, path, &count);
	for (guint i = 0; i < count; i++)
		if (!add_edge(pipeline, number, &below[i], path, where, error))
			return FALSE;
	return TRUE;
}

/* A pattern: the outputs that it matches, or in which it may match something; not its own. */
static gboolean join_pattern(MlvPipeline *pipeline, guint number, const MlvDep *dep, GError **error)
{
	g_autofree char *folder = mlv_glob_folder(dep->path);
	const MlvGraphOut *around = mlv_graph_cover(pipeline, folder);
	guint count;

	if (out_at(pipeline, dep->path))
		return join_path(pipeline, number, dep->path, &dep->where, error);
	if (around && *folder && around->number != number)
		return add_edge(pipeline, number, around, dep->path, &dep->where, error);
	const MlvGraphOut *below = mlv_graph_below(pipeline, folder, &count);
	for (guint i = 0; i < count; i++) {
		const char *path = below[i].out->path;
		gboolean joined = mlv_glob_matches(dep->path, path) ||
				  mlv_glob_may_match_below(dep->path, path);
		/* An output within a folder that matches. */
		for (const char *at = strchr(path, '/'); at && !joined; at = strchr(at + 1, '/')) {
			g_autofree char *above = g_strndup(path, (gsize)(at - path));
			joined = mlv_glob_matches(dep->path, above);
		}
		if (joined && below[i].number != number)
			g_array_append_val(node_at(pipeline, number)->upstream, below[i].number);
	}
	return TRUE;
}

static gboolean join_stage(MlvPipeline *pipeline, guint number, GError **error)
{
	const MlvStage *stage = node_at(pipeline, number)->stage;

	for (guint i = 0; i < stage->deps->len; i++) {
		const MlvDep *dep = stage->deps->pdata[i];
		gboolean ok = TRUE;
		if (dep->type == MLV_DEP_PATH)
			ok = join_path(pipeline, number, dep->path, &dep->where, error);
		else if (dep->type == MLV_DEP_GLOB)
			ok = join_pattern(pipeline, number, dep, error);
		if (!ok)
			return FALSE;
	}
	for (guint i = 0; i < stage->params->len; i++) {
		const MlvParamsDep *params = stage->params->pdata[i];
		if (!join_path(pipeline, number, params->file, &params->where, error))
			return FALSE;
	}
	return TRUE;
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
	guint first = *(const guint *)a, second = *(const guint *)b;
	return (first > second) - (first < second);
}

void mlv_graph_unique(GArray *numbers)
{
	guint kept = 0;

	g_array_sort(numbers, compare_numbers);
	for (guint i = 0; i < numbers->len; i++) {
		guint number = g_array_index(numbers, guint, i);
		if (kept == 0 || g_array_index(numbers, guint, kept - 1) != number)
			g_array_index(numbers, guint, kept++) = number;
	}
	g_array_set_size(numbers, kept);
}

static gboolean join_all(MlvPipeline *pipeline, GError **error)
{
	for (guint i = 0; i < pipeline->nodes->len; i++) {
		if (!join_stage(pipeline, i, error))
			return FALSE;
		mlv_graph_unique(node_at(pipeline, i)->upstream);
	}
	for (guint i = 0; i < pipeline->nodes->len; i++) {
		const GArray *upstream = node_at(pipeline, i)->upstream;
		for (guint j = 0; j < upstream->len; j++)
			g_array_append_val(
				node_at(pipeline, g_array_index(upstream, guint, j))->downstream,
				i);
	}
	return TRUE;
}

/* --- the pipeline ----------------------------------------------------------------------------- */

void mlv_pipeline_free(MlvPipeline *pipeline)
{
	if (!pipeline)
		return;
	for (guint i = 0; i < pipeline->nodes->len; i++) {
		g_array_unref(node_at(pipeline, i)->upstream);
		g_array_unref(node_at(pipeline, i)->downstream);
	}
	g_array_unref(pipeline->nodes);
	g_array_unref(pipeline->outs);
	g_hash_table_unref(pipeline->by_address);
	g_hash_table_unref(pipeline->by_out);
	g_ptr_array_unref(pipeline->files);
	g_free(pipeline);
}

static gint compare_files(gconstpointer a, gconstpointer b)
{
	const MlvPipelineFile *const *first = a, *const *second = b;
	return strcmp((*first)->folder, (*second)->folder);
}

MlvPipeline *mlv_pipeline_new(const MlvFiles *files, GPtrArray *pipeline_files, GError **error)
{
	g_autoptr(MlvPipeline) pipeline = g_new0(MlvPipeline, 1);

	pipeline->source = *files;
	pipeline->files = pipeline_files;
	g_ptr_array_sort(pipeline->files, compare_files);
	pipeline->nodes = g_array_new(FALSE, FALSE, sizeof(MlvNode));
	pipeline->outs = g_array_new(FALSE, FALSE, sizeof(MlvGraphOut));
	pipeline->by_address = g_hash_table_new(g_str_hash, g_str_equal);
	pipeline->by_out = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < pipeline->files->len; i++) {
		const MlvPipelineFile *file = pipeline->files->pdata[i];
		for (guint j = 0; j < file->stages->len; j++) {
			MlvNode node = { file->stages->pdata[j],
					 g_array_new(FALSE, FALSE, sizeof(guint)),
					 g_array_new(FALSE, FALSE, sizeof(guint)) };
			g_array_append_val(pipeline->nodes, node);
			g_hash_table_insert(pipeline->by_address, node.stage->address,
					    GUINT_TO_POINTER(pipeline->nodes->len));
		}
	}
	if (!index_outs(pipeline, error) || !join_all(pipeline, error) ||
	    !mlv_graph_check_cycles(pipeline, error))
		return NULL;
	return g_steal_pointer(&pipeline);
}

MlvPipeline *mlv_pipeline_load(const MlvFiles *files, const char *folder, GError **error)
{
	g_autoptr(GPtrArray) paths = mlv_pipeline_scan(files, folder, error);
	g_autoptr(GPtrArray) read =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_pipeline_file_free);

	if (!paths)
		return NULL;
	for (guint i = 0; i < paths->len; i++) {
		MlvPipelineFile *file = mlv_pipeline_file_read(files, paths->pdata[i], error);
		if (!file)
			return NULL;
		g_ptr_array_add(read, file);
	}
	return mlv_pipeline_new(files, g_steal_pointer(&read), error);
}

/* --- what a dependency is now ----------------------------------------------------------------- */

static gboolean is_own(const MlvStage *stage, const char *path)
{
	for (guint i = 0; i < stage->outs->len; i++) {
		const MlvOut *out = stage->outs->pdata[i];
		if (mlv_files_is_below(path, out->path))
			return TRUE;
	}
	return FALSE;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and drops what stands twice or lies within another. */
static void tidy(GPtrArray *paths)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) dropped = g_ptr_array_new_with_free_func(g_free);
	guint kept = 0;

	/* A folder sorts before what is in it. */
	g_ptr_array_sort(paths, compare_paths);
	for (guint i = 0; i < paths->len; i++) {
		char *path = paths->pdata[i];
		gboolean covered = g_hash_table_contains(seen, path);
		for (const char *at = strchr(path, '/'); at && !covered; at = strchr(at + 1, '/')) {
			g_autofree char *above = g_strndup(path, (gsize)(at - path));
			covered = g_hash_table_contains(seen, above);
		}
		if (covered) {
			g_ptr_array_add(dropped, path);
			continue;
		}
		g_hash_table_add(seen, path);
		paths->pdata[kept++] = path;
	}
	g_ptr_array_set_free_func(paths, NULL);
	g_ptr_array_set_size(paths, (gint)kept);
	g_ptr_array_set_free_func(paths, g_free);
}

static void add_matching_outs(const MlvPipeline *pipeline, guint number, const char *pattern,
			      GPtrArray *paths, gboolean *coming)
{
	g_autofree char *folder = mlv_glob_folder(pattern);
	const MlvGraphOut *around = *folder ? mlv_graph_cover(pipeline, folder) : NULL;
	guint count;
	const MlvGraphOut *below = mlv_graph_below(pipeline, folder, &count);

	*coming = around && around->number != number;
	for (guint i = 0; i < count; i++) {
		const char *path = below[i].out->path;
		if (below[i].number == number)
			continue;
		if (mlv_glob_matches(pattern, path))
			g_ptr_array_add(paths, g_strdup(path));
		else
			*coming |= mlv_glob_may_match_below(pattern, path);
	}
}

GPtrArray *mlv_pipeline_dep_paths(const MlvPipeline *pipeline, guint number, const MlvDep *dep,
				  GError **error)
{
	const MlvStage *stage = node_at(pipeline, number)->stage;
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	gboolean coming = FALSE;

	if (dep->type != MLV_DEP_GLOB || out_at(pipeline, dep->path)) {
		g_ptr_array_add(paths, g_strdup(dep->path));
		return g_steal_pointer(&paths);
	}
	g_autoptr(GPtrArray) found = mlv_glob_expand(&pipeline->source, dep->path, error);
	if (!found)
		return NULL;
	for (guint i = 0; i < found->len; i++)
		if (!is_own(stage, found->pdata[i]))
			g_ptr_array_add(paths, g_strdup(found->pdata[i]));
	add_matching_outs(pipeline, number, dep->path, paths, &coming);
	tidy(paths);
	if (paths->len == 0 && !coming) {
		mlv_fail_at(error, &dep->where, MLV_ERROR_MISSING,
			    "stage '%s': no file matches '%s', and no stage makes one",
			    stage->address, dep->written);
		return NULL;
	}
	return g_steal_pointer(&paths);
}
