/* SPDX-License-Identifier: Apache-2.0 */
/* Whence the data that no stage made: tracked, imported, git's own; and the commits that brought
 * these versions, found in one walk back that ends when all are. */
#include <string.h>

#include "core/git_touch.h"
#include "core/history.h"
#include "core/lineage/lineage_private.h"
#include "storage/chunker.h"

/* A version whose commit is looked for. */
typedef struct {
	MlvLineageData *data;
	char *file; /* git's: the pointer, or the path itself */
	gboolean pointer;
} Source;

typedef struct {
	MlvLineage *lineage;
	GHashTable *by_file; /* -> GArray of Source * */
	GHashTable *folders; /* those that lie around them */
	guint left;
} Search;

static MlvRepo *repo_of(const MlvLineage *lineage)
{
	return mlv_view_repo(lineage->options.view);
}

/* --- the origin ------------------------------------------------------------------------------- */

static void read_import(MlvLineage *lineage, MlvLineageData *data)
{
	g_autofree char *path = mlv_import_record_path(data->path);
	const MlvFiles *files = mlv_side_files(lineage->side);
	g_autoptr(GBytes) bytes = files->read(files->user, path, MLV_IMPORT_RECORD_MAX, NULL);
	g_auto(MlvImportRecord) record = { 0 };
	g_autoptr(GError) why = NULL;
	gsize length;

	data->origin = MLV_ORIGIN_ADDED;
	if (!bytes)
		return;
	const char *text = g_bytes_get_data(bytes, &length);
	if (!mlv_import_record_parse(text ? text : "", length, path, &record, &why)) {
		mlv_lineage_add_problem(lineage, "%s", why->message);
		return;
	}
	/* What was added by hand since is not what was fetched. */
	if (data->has_id && !mlv_id_equal(&record.id, &data->held.ref.id))
		return;
	data->origin = MLV_ORIGIN_IMPORTED;
	data->import = g_new0(MlvImportRecord, 1);
	*data->import = record;
	record = (MlvImportRecord){ 0 };
}

static void find_origin(MlvLineage *lineage, MlvLineageData *data, const MlvTracked *target)
{
	const MlvFiles *files = mlv_side_files(lineage->side);

	if (data->etag || mlv_files_is_url(data->path))
		data->origin = MLV_ORIGIN_URL;
	else if (mlv_files_is_outside(data->path))
		data->origin = MLV_ORIGIN_OUTSIDE;
	else if (target && target->lock)
		data->origin = MLV_ORIGIN_UNKNOWN;
	else if (target)
		read_import(lineage, data);
	else if (files->type(files->user, data->path) != MLV_FILES_NOTHING)
		data->origin = MLV_ORIGIN_GIT;
}

/* Runs in which it was added. */
static void find_runs(MlvLineage *lineage)
{
	const GArray *scanned = mlv_lineage_scan_pointers(lineage->scan);

	for (guint i = 0; i < scanned->len; i++) {
		const MlvScanned *one = &g_array_index(scanned, MlvScanned, i);
		if (!one->run)
			continue;
		guint known = mlv_lineage_known(lineage, one->path, &one->pointer, NULL);
		if (known)
			g_ptr_array_add(((MlvLineageData *)lineage->data->pdata[known - 1])->runs,
					(gpointer)one->run);
	}
}

/* --- the commit ------------------------------------------------------------------------------- */

static void source_free(gpointer pointer)
{
	Source *source = pointer;

	g_free(source->file);
	g_free(source);
}

static guint want(const char *path, gboolean folder, gpointer user)
{
	const Search *search = user;
	guint what =
		g_hash_table_contains(search->by_file, path) ? MLV_TOUCH_REPORT : MLV_TOUCH_PASS;

	if (folder && g_hash_table_contains(search->folders, path))
		what |= MLV_TOUCH_ENTER;
	return what;
}

static gboolean is_version(const Search *search, const Source *source, const MlvOid *blob)
{
	const gsize max = source->pointer ? MLV_POINTER_MAX : MLV_CHUNK_MAX;
	g_autoptr(GBytes) bytes = mlv_git_read_blob(repo_of(search->lineage), blob, max, NULL);
	MlvPointer pointer;
	gsize length;

	if (!bytes)
		return FALSE;
	const char *data = g_bytes_get_data(bytes, &length);
	data = data ? data : "";
	if (!source->pointer)
		mlv_id_of(data, length, &pointer.ref.id);
	else if (!mlv_pointer_parse(data, length, source->file, &pointer, NULL))
		return FALSE;
	return mlv_id_equal(&pointer.ref.id, &source->data->held.ref.id);
}

/* A folder, or a file that is more than one chunk, has no id that its git object tells: the newest
 * commit that changed it is the best that can be said. */
static gboolean can_compare(const MlvLineageData *data)
{
	return data->has_id && data->held.ref.kind == MLV_KIND_BLOB && data->held.ref.depth == 0;
}

static void check_source(Search *search, Source *source, const MlvCommit *commit,
			 const MlvGitTouched *touched)
{
	gboolean exact = source->pointer ? source->data->has_id : can_compare(source->data);

	if (source->data->has_commit || mlv_oid_is_zero(&touched->to) ||
	    (exact && !is_version(search, source, &touched->to)))
		return;
	source->data->has_commit = TRUE;
	source->data->exact = exact;
	source->data->commit = commit->oid;
	search->left--;
}

static gboolean search_history(Search *search, GError **error)
{
	const MlvLineage *lineage = search->lineage;
	g_autoptr(MlvGitWalk) walk = mlv_git_walk_new(repo_of(lineage));

	if (search->left > 0 && !mlv_git_walk_push(walk, &lineage->tip, error))
		return FALSE;
	while (search->left > 0) {
		g_autoptr(MlvCommit) commit = NULL;
		if (lineage->options.cancel && *lineage->options.cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (!mlv_git_walk_next(walk, &commit, error))
			return FALSE;
		if (!commit)
			return TRUE;
		g_autoptr(GArray) touched =
			mlv_git_commit_touched(repo_of(lineage), commit, want, search, error);
		for (guint i = 0; touched && i < touched->len; i++) {
			const MlvGitTouched *one = &g_array_index(touched, MlvGitTouched, i);
			GPtrArray *sources = g_hash_table_lookup(search->by_file, one->path);
			for (guint j = 0; j < sources->len; j++)
				check_source(search, sources->pdata[j], commit, one);
		}
		if (!touched)
			return FALSE;
	}
	return TRUE;
}

static void add_source(Search *search, MlvLineageData *data, const char *file, gboolean pointer)
{
	Source *source = g_new0(Source, 1);
	GPtrArray *sources = g_hash_table_lookup(search->by_file, file);

	if (!sources) {
		sources = g_ptr_array_new_with_free_func(source_free);
		g_hash_table_insert(search->by_file, g_strdup(file), sources);
	}
	*source = (Source){ data, g_strdup(file), pointer };
	g_ptr_array_add(sources, source);
	search->left++;
	for (const char *slash = strchr(file, '/'); slash; slash = strchr(slash + 1, '/'))
		g_hash_table_add(search->folders, g_strndup(file, (gsize)(slash - file)));
}

/* A file in a tracked folder: the newest commit that changed it there. */
static gboolean search_inside(MlvLineage *lineage, MlvLineageData *data, GError **error)
{
	const char *path = data->path;
	g_autoptr(MlvPathspec) paths = mlv_pathspec_literal(&path, 1);
	g_autoptr(MlvHistory) history = mlv_history_new(lineage->options.view, paths);
	g_autoptr(MlvHistoryEntry) entry = NULL;

	if (!mlv_history_push_commit(history, &lineage->tip, error) ||
	    !mlv_history_next(history, lineage->options.cancel, &entry, error))
		return FALSE;
	if (entry) {
		data->has_commit = TRUE;
		data->commit = entry->commit->oid;
	}
	return TRUE;
}

static gboolean add_data(Search *search, MlvLineageData *data, GError **error)
{
	MlvLineage *lineage = search->lineage;
	const char *rest = "";
	const MlvTracked *target = mlv_tracked_cover(lineage->targets, data->path, &rest);

	if (data->origin == MLV_ORIGIN_STAGE)
		return TRUE;
	find_origin(lineage, data, target);
	if (!lineage->has_tip)
		return TRUE;
	if (data->origin == MLV_ORIGIN_GIT && strlen(data->path) < 4096) {
		add_source(search, data, data->path, FALSE);
	} else if (data->origin == MLV_ORIGIN_ADDED || data->origin == MLV_ORIGIN_IMPORTED) {
		if (*rest)
			return search_inside(lineage, data, error);
		g_autofree char *file = mlv_pointer_path(target->path);
		add_source(search, data, file, TRUE);
	}
	return TRUE;
}

gboolean mlv_lineage_sources(MlvLineage *lineage, GError **error)
{
	g_autoptr(GHashTable) by_file = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							      (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GHashTable) folders =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Search search = { lineage, by_file, folders, 0 };

	find_runs(lineage);
	for (guint i = 0; i < lineage->data->len; i++)
		if (!add_data(&search, lineage->data->pdata[i], error))
			return FALSE;
	return search_history(&search, error);
}
