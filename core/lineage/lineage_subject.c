/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for: a path, an id, a run or a stage, and the revision that it is looked at in. */
#include <string.h>

#include "core/git_touch.h"
#include "core/lineage/lineage_private.h"
#include "core/pipeline/graph.h"
#include "core/run/run_list.h"
#include "storage/chunker.h"

static MlvRepo *repo_of(const MlvLineage *lineage)
{
	return mlv_view_repo(lineage->options.view);
}

/* --- the revision ----------------------------------------------------------------------------- */

/* The locks of the work tree: those that git knows, and those beside pipeline files. */
static gboolean read_workspace_locks(MlvLineage *lineage, GError **error)
{
	const MlvFiles *files = mlv_side_files(lineage->side);
	g_autoptr(GPtrArray) known = mlv_git_locks_in_index(repo_of(lineage), error);
	g_autoptr(GPtrArray) pipelines = known ? mlv_pipeline_scan(files, "", error) : NULL;
	g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	if (!pipelines)
		return FALSE;
	for (guint i = 0; i < known->len; i++)
		g_hash_table_add(paths, g_strdup(known->pdata[i]));
	for (guint i = 0; i < pipelines->len; i++) {
		g_autofree char *folder = mlv_files_folder(pipelines->pdata[i]);
		g_hash_table_add(paths,
				 g_strconcat(folder, *folder ? "/" : "", MLV_LOCK_NAME, NULL));
	}
	g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_keys(paths), (GCompareFunc)strcmp);
	for (GList *at = sorted; at; at = at->next) {
		g_autoptr(GError) why = NULL;
		g_autoptr(GBytes) bytes = files->read(files->user, at->data, MLV_LOCK_MAX, &why);
		if (bytes)
			mlv_lineage_scan_current(lineage->scan, at->data, bytes);
		else if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING))
			mlv_lineage_add_problem(lineage, "%s", why->message);
	}
	return TRUE;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const MlvNamed *first = a, *second = b;
	int order = strcmp(first->path->path, second->path->path);

	return order ? order : first->step < second->step ? -1 : first->step > second->step;
}

/* The paths of the current steps, which are all that were read by now. */
static void index_current(MlvLineage *lineage)
{
	for (guint i = 0; i < mlv_steps_count(lineage->steps); i++) {
		const MlvLockStage *block = mlv_steps_get(lineage->steps, i)->block;
		for (guint j = 0; j < block->deps->len; j++) {
			MlvNamed named = { block->deps->pdata[j], i };
			g_array_append_val(lineage->deps, named);
		}
		for (guint j = 0; j < block->outs->len; j++) {
			MlvNamed named = { block->outs->pdata[j], i };
			g_array_append_val(lineage->outs, named);
		}
	}
	g_array_sort(lineage->deps, by_path);
	g_array_sort(lineage->outs, by_path);
}

/* Reads what the revision has, then history and runs. */
static gboolean open_revision(MlvLineage *lineage, const char *rev, GError **error)
{
	gboolean unborn = FALSE;

	if (rev && !*rev)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"git's index has no lineage of its own; write the path alone for "
				"the work tree, or 'HEAD:PATH'");
	lineage->rev = g_strdup(rev);
	lineage->side = mlv_side_open(lineage->options.view, rev, error);
	if (!lineage->side)
		return FALSE;
	lineage->revision = *mlv_side_revision(lineage->side);
	lineage->targets = mlv_view_pointers(lineage->options.view, &lineage->revision, error);
	if (!lineage->targets)
		return FALSE;
	if (lineage->revision.at == MLV_AT_COMMIT) {
		lineage->tip = lineage->revision.commit;
		if (!mlv_lineage_scan_current_commit(lineage->scan, &lineage->tip, error))
			return FALSE;
	} else if (!read_workspace_locks(lineage, error) ||
		   !mlv_git_head(repo_of(lineage), &lineage->tip, &unborn, error)) {
		return FALSE;
	}
	lineage->has_tip = !unborn;
	index_current(lineage);
	return mlv_lineage_scan_history(lineage->scan, unborn ? NULL : &lineage->tip,
					lineage->options.all, error) &&
	       mlv_lineage_scan_runs(lineage->scan, error);
}

void mlv_lineage_add_subject(MlvLineage *lineage, const char *path, const MlvPointer *held,
			     const char *etag)
{
	guint number = mlv_lineage_add(lineage, path, held, etag);

	for (guint i = 0; i < lineage->subjects->len; i++)
		if (g_array_index(lineage->subjects, guint, i) == number)
			return;
	g_array_append_val(lineage->subjects, number);
}

/* --- a path ----------------------------------------------------------------------------------- */

/* A file of git's, or one that nobody tracks: by its content, as far as that is one chunk. */
static gboolean add_plain(MlvLineage *lineage, const char *path)
{
	MlvPointer held = { .ref = { .kind = MLV_KIND_BLOB }, .mode = MLV_MODE_FILE, .files = 1 };
	const MlvFiles *files = mlv_side_files(lineage->side);
	gsize length;

	switch (files->type(files->user, path)) {
	case MLV_FILES_NOTHING:
		return FALSE;
	case MLV_FILES_DIRECTORY:
		mlv_lineage_add_subject(lineage, path, NULL, NULL);
		return TRUE;
	case MLV_FILES_FILE:
		break;
	}
	g_autoptr(GBytes) bytes = files->read(files->user, path, MLV_CHUNK_MAX, NULL);
	if (bytes) {
		const void *data = g_bytes_get_data(bytes, &length);
		mlv_id_of(data, length, &held.ref.id);
		held.ref.size = held.bytes = length;
	}
	mlv_lineage_add_subject(lineage, path, bytes ? &held : NULL, NULL);
	return TRUE;
}

/* A file in a tracked folder; what lies there cannot be told where the store has not its tree. */
static gboolean add_inside(MlvLineage *lineage, const char *path, const MlvTracked *target,
			   const char *rest, gboolean *found, GError **error)
{
	g_autoptr(GError) why = NULL;
	MlvTreeEntry entry;
	MlvPointer held;

	if (!mlv_view_descend(lineage->options.view, target, rest, &entry, found, &why)) {
		if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		*found = TRUE;
		mlv_lineage_add_subject(lineage, path, NULL, NULL);
		return TRUE;
	}
	if (*found)
		mlv_lineage_add_subject(lineage, path,
					mlv_pointer_from_entry(&entry, &held) ? &held : NULL, NULL);
	return TRUE;
}

/* All that is tracked, or made, below a folder of git's. */
static gboolean add_below(MlvLineage *lineage, const char *path)
{
	guint count, before = lineage->subjects->len;

	for (guint i = 0; i < lineage->targets->len; i++) {
		const MlvTracked *target = lineage->targets->pdata[i];
		if (!target->error && strcmp(target->path, path) != 0 &&
		    mlv_files_is_below(target->path, path))
			mlv_lineage_add_subject(lineage, target->path, &target->pointer, NULL);
	}
	const MlvNamed *named = mlv_lineage_named(lineage->outs, path, TRUE, &count);
	for (guint i = 0; i < count; i++)
		mlv_lineage_add_subject(lineage, named[i].path->path, &named[i].path->held, NULL);
	return lineage->subjects->len > before;
}

static gboolean add_path(MlvLineage *lineage, const char *path, gboolean *found, GError **error)
{
	const char *rest;
	const MlvTracked *target = mlv_tracked_cover(lineage->targets, path, &rest);
	guint count;

	*found = TRUE;
	if (target && target->error) {
		g_propagate_error(error, g_error_copy(target->error));
		return FALSE;
	}
	if (target && !*rest) {
		mlv_lineage_add_subject(lineage, target->path, &target->pointer, NULL);
		return TRUE;
	}
	if (target)
		return add_inside(lineage, path, target, rest, found, error);
	const MlvNamed *named = mlv_lineage_named(lineage->outs, path, FALSE, &count);
	if (count > 0) {
		mlv_lineage_add_subject(lineage, path, &named->path->held, NULL);
		return TRUE;
	}
	named = *path ? mlv_lineage_named(lineage->deps, path, FALSE, &count) : NULL;
	if (named) {
		/* What is not there any more is what a stage last read. */
		if (!add_plain(lineage, path))
			mlv_lineage_add_subject(lineage, path,
						named->path->etag ? NULL : &named->path->held,
						named->path->etag);
		return TRUE;
	}
	*found = add_below(lineage, path) || (*path && add_plain(lineage, path));
	return TRUE;
}

/* --- runs and stages -------------------------------------------------------------------------- */

static void add_outs(MlvLineage *lineage, const MlvStep *step)
{
	for (guint i = 0; i < step->block->outs->len; i++) {
		const MlvLockPath *out = step->block->outs->pdata[i];
		mlv_lineage_add_subject(lineage, out->path, &out->held, NULL);
	}
}

/* What a run made: the outputs of the steps that it brought. */
static gboolean add_run(MlvLineage *lineage, const char *name, GError **error)
{
	const GArray *scanned = mlv_lineage_scan_pointers(lineage->scan);

	for (guint i = 0; i < mlv_steps_count(lineage->steps); i++) {
		const MlvStep *step = mlv_steps_get(lineage->steps, i);
		for (guint j = 0; j < step->runs->len; j++)
			if (strcmp(step->runs->pdata[j], name) == 0)
				add_outs(lineage, step);
	}
	for (guint i = 0; i < scanned->len; i++) {
		const MlvScanned *one = &g_array_index(scanned, MlvScanned, i);
		if (g_strcmp0(one->run, name) == 0)
			mlv_lineage_add_subject(lineage, one->path, &one->pointer, NULL);
	}
	return lineage->subjects->len > 0 ||
	       mlv_fail(error, MLV_ERROR_MISSING,
			"the run '%s' made nothing that a lock or pointer names; 'mlv runs show "
			"%s' says what it did",
			name, name);
}

static gboolean add_stage(MlvLineage *lineage, const char *name)
{
	const char *prefix = mlv_repo_prefix(repo_of(lineage));
	g_autofree char *here = *prefix ? g_strconcat(prefix, ":", name, NULL) : NULL;

	for (guint i = 0; i < mlv_steps_count(lineage->steps); i++) {
		const MlvStep *step = mlv_steps_get(lineage->steps, i);
		if (step->current &&
		    (strcmp(step->address, name) == 0 || g_strcmp0(step->address, here) == 0))
			add_outs(lineage, step);
	}
	return lineage->subjects->len > 0;
}

/* --- the word --------------------------------------------------------------------------------- */

static gboolean fail_unknown(const char *text, GError **error)
{
	return mlv_fail(error, MLV_ERROR_MISSING,
			"'%s' is no path, id, run or stage here; write 'REV:PATH' for what another "
			"revision has",
			text);
}

/* No path of the work tree: an id, a stage. */
static gboolean resolve_other(MlvLineage *lineage, const char *text, const char *hex,
			      gboolean prefixed, GError **error)
{
	gboolean found = FALSE;

	if (hex && !mlv_lineage_add_id(lineage, hex, &found, error))
		return FALSE;
	if (found || add_stage(lineage, text))
		return TRUE;
	if (hex && prefixed)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"nothing in the work tree, in its history or in a run has the id "
				"'%s'",
				text);
	return fail_unknown(text, error);
}

/* A run is looked at in its own record. */
static gboolean resolve_run(MlvLineage *lineage, const char *text, gboolean *is_run, GError **error)
{
	g_autoptr(MlvRunEntry) run = mlv_runs_find(repo_of(lineage), text, NULL);

	*is_run = run != NULL;
	return !run ||
	       (open_revision(lineage, run->name, error) && add_run(lineage, run->name, error));
}

static gboolean is_here(MlvLineage *lineage, const char *path)
{
	g_autoptr(GPtrArray) targets = mlv_git_pointers_in_workspace(repo_of(lineage), FALSE, NULL);
	g_autofree char *whole = g_build_filename(mlv_repo_root(repo_of(lineage)), path, NULL);
	const char *rest;

	return g_file_test(whole, G_FILE_TEST_EXISTS) ||
	       (targets && mlv_tracked_cover(targets, path, &rest));
}

gboolean mlv_lineage_resolve(MlvLineage *lineage, const char *text, GError **error)
{
	g_autofree char *rev = NULL, *path = NULL, *hex = NULL;
	gboolean found = FALSE, is_run = FALSE, prefixed;

	hex = mlv_lineage_id_digits(text, &prefixed);
	if (hex && prefixed) {
		mlv_lineage_scan_look_for(lineage->scan, hex);
		return open_revision(lineage, NULL, error) &&
		       resolve_other(lineage, text, hex, TRUE, error);
	}
	if (!mlv_git_split_path(repo_of(lineage), text, &rev, &path, error))
		return FALSE;
	if (!rev && !is_here(lineage, path)) {
		if (!resolve_run(lineage, text, &is_run, error))
			return FALSE;
		if (is_run)
			return TRUE;
		if (hex)
			mlv_lineage_scan_look_for(lineage->scan, hex);
	}
	if (!open_revision(lineage, rev, error) || !add_path(lineage, path, &found, error))
		return FALSE;
	if (found)
		return TRUE;
	return rev ? mlv_fail(error, MLV_ERROR_MISSING, "there is nothing at '%s' in '%s'", path,
			      rev)
		   : resolve_other(lineage, text, hex, FALSE, error);
}
