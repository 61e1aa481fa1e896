/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lineage/lineage_scan.h"

#include <string.h>

#include "core/git_snapshot.h"
#include "core/git_touch.h"
#include "core/git_tree.h"
#include "core/run/recorder.h"
#include "core/target.h"

#define LOCKS_KEPT 64 /* locks whose steps are remembered: a commit's is its child's old one */

struct MlvLineageScan {
	MlvRepo *repo;
	MlvSteps *steps;
	const volatile sig_atomic_t *cancel;
	char *prefix;        /* or NULL */
	GHashTable *locks;   /* "<oid>:<folder>" -> GArray of guint */
	GPtrArray *runs;     /* of MlvGitRef *, newest first; NULL: not read yet */
	GHashTable *records; /* MlvOid, in runs */
	GArray *pointers;    /* of MlvScanned */
	gboolean is_run;     /* what is read now belongs to a run */
};

static void scanned_clear(gpointer data)
{
	g_free(((MlvScanned *)data)->path);
}

MlvLineageScan *mlv_lineage_scan_new(MlvRepo *repo, MlvSteps *steps,
				     const volatile sig_atomic_t *cancel)
{
	MlvLineageScan *scan = g_new0(MlvLineageScan, 1);

	scan->repo = repo;
	scan->steps = steps;
	scan->cancel = cancel;
	scan->locks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					    (GDestroyNotify)g_array_unref);
	scan->records = g_hash_table_new(mlv_oid_hash, mlv_oid_equal_key);
	scan->pointers = g_array_new(FALSE, FALSE, sizeof(MlvScanned));
	g_array_set_clear_func(scan->pointers, scanned_clear);
	return scan;
}

void mlv_lineage_scan_free(MlvLineageScan *scan)
{
	if (!scan)
		return;
	g_free(scan->prefix);
	g_hash_table_unref(scan->locks);
	g_hash_table_unref(scan->records);
	g_clear_pointer(&scan->runs, g_ptr_array_unref);
	g_array_unref(scan->pointers);
	g_free(scan);
}

void mlv_lineage_scan_look_for(MlvLineageScan *scan, const char *hex_prefix)
{
	scan->prefix = g_strdup(hex_prefix);
}

const GArray *mlv_lineage_scan_pointers(const MlvLineageScan *scan)
{
	return scan->pointers;
}

/* --- locks ------------------------------------------------------------------------------------ */

static GArray *read_lock(MlvLineageScan *scan, const char *path, const MlvOid *blob, GError **error)
{
	g_autofree char *folder = mlv_files_folder(path);
	char hex[MLV_OID_HEX + 1];

	mlv_oid_format(blob, hex);
	g_autofree char *key = g_strconcat(hex, ":", folder, NULL);
	GArray *known = g_hash_table_lookup(scan->locks, key);
	if (known)
		return g_array_ref(known);
	g_autoptr(GBytes) bytes = mlv_git_read_blob(scan->repo, blob, MLV_LOCK_MAX, error);
	if (!bytes)
		return NULL;
	g_autofree char *label = g_strdup_printf("%s of git's blob %.12s", path, hex);
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	GArray *numbers = mlv_steps_read(scan->steps, folder, data ? data : "", length, label);
	if (g_hash_table_size(scan->locks) >= LOCKS_KEPT)
		g_hash_table_remove_all(scan->locks);
	g_hash_table_insert(scan->locks, g_steal_pointer(&key), g_array_ref(numbers));
	return numbers;
}

void mlv_lineage_scan_current(MlvLineageScan *scan, const char *path, GBytes *bytes)
{
	g_autofree char *folder = mlv_files_folder(path);
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	g_autoptr(GArray) numbers =
		mlv_steps_read(scan->steps, folder, data ? data : "", length, path);

	for (guint i = 0; i < numbers->len; i++)
		mlv_steps_get(scan->steps, g_array_index(numbers, guint, i))->current = TRUE;
}

static guint want_locks(const char *path, gboolean folder, gpointer user)
{
	return folder                                     ? MLV_TOUCH_ENTER
	       : mlv_target_file(path) == MLV_TARGET_LOCK ? MLV_TOUCH_REPORT
							  : MLV_TOUCH_PASS;
}

gboolean mlv_lineage_scan_current_commit(MlvLineageScan *scan, const MlvOid *commit, GError **error)
{
	g_autoptr(GArray) locks =
		mlv_git_touched(scan->repo, NULL, commit, want_locks, NULL, error);

	for (guint i = 0; locks && i < locks->len; i++) {
		const MlvGitTouched *lock = &g_array_index(locks, MlvGitTouched, i);
		g_autoptr(GArray) numbers = read_lock(scan, lock->path, &lock->to, error);
		if (!numbers)
			return FALSE;
		for (guint j = 0; j < numbers->len; j++)
			mlv_steps_get(scan->steps, g_array_index(numbers, guint, j))->current =
				TRUE;
	}
	return locks != NULL;
}

/* Takes out of `numbers` those that `old` has; both ascend. */
static void subtract(GArray *numbers, const GArray *old)
{
	guint kept = 0;

	for (guint i = 0, j = 0; i < numbers->len; i++) {
		guint number = g_array_index(numbers, guint, i);
		while (j < old->len && g_array_index(old, guint, j) < number)
			j++;
		if (j == old->len || g_array_index(old, guint, j) != number)
			g_array_index(numbers, guint, kept++) = number;
	}
	g_array_set_size(numbers, kept);
}

/* The steps of a lock that no parent's has. */
static GArray *new_steps(MlvLineageScan *scan, const MlvCommit *commit,
			 const MlvGitTouched *touched, GError **error)
{
	g_autoptr(GArray) now = read_lock(scan, touched->path, &touched->to, error);
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));

	if (!now)
		return NULL;
	g_array_append_vals(numbers, now->data, now->len);
	for (guint i = 0; i < commit->n_parents; i++) {
		MlvOid blob = touched->from;
		gboolean found = !mlv_oid_is_zero(&blob);
		if (i > 0 && !mlv_git_find_path(scan->repo, &commit->parents[i], touched->path,
						&blob, &found, error))
			return NULL;
		if (!found)
			continue;
		g_autoptr(GArray) old = read_lock(scan, touched->path, &blob, error);
		if (!old)
			return NULL;
		subtract(numbers, old);
	}
	return g_steal_pointer(&numbers);
}

/* --- pointers --------------------------------------------------------------------------------- */

static gboolean is_wanted(const MlvLineageScan *scan, const MlvPointer *pointer)
{
	char hex[MLV_ID_HEX + 1];

	if (scan->is_run)
		return TRUE;
	mlv_id_format(&pointer->ref.id, hex);
	return g_str_has_prefix(hex, scan->prefix);
}

/* A pointer that cannot be read names nothing. */
static gboolean read_pointer(MlvLineageScan *scan, const MlvGitTouched *touched, const char *run,
			     GError **error)
{
	g_autoptr(GBytes) bytes =
		mlv_git_read_blob(scan->repo, &touched->to, MLV_POINTER_MAX, NULL);
	MlvScanned scanned = { .run = run };
	gsize length;

	if (!bytes)
		return TRUE;
	const char *data = g_bytes_get_data(bytes, &length);
	if (!mlv_pointer_parse(data ? data : "", length, touched->path, &scanned.pointer, NULL) ||
	    !is_wanted(scan, &scanned.pointer))
		return TRUE;
	scanned.path = mlv_pointer_data_path(touched->path);
	g_array_append_val(scan->pointers, scanned);
	return TRUE;
}

/* --- commits ---------------------------------------------------------------------------------- */

static guint want(const char *path, gboolean folder, gpointer user)
{
	const MlvLineageScan *scan = user;

	if (folder)
		return MLV_TOUCH_ENTER;
	switch (mlv_target_file(path)) {
	case MLV_TARGET_LOCK:
		return g_str_has_prefix(path, MLV_RUN_FOLDER "/") ? MLV_TOUCH_PASS
								  : MLV_TOUCH_REPORT;
	case MLV_TARGET_POINTER:
		return scan->is_run || scan->prefix ? MLV_TOUCH_REPORT : MLV_TOUCH_PASS;
	default:
		return MLV_TOUCH_PASS;
	}
}

/* What a commit, or the record of a run, brought. */
static gboolean scan_commit(MlvLineageScan *scan, const MlvCommit *commit, const char *run,
			    GError **error)
{
	scan->is_run = run != NULL;
	g_autoptr(GArray) touched = mlv_git_commit_touched(scan->repo, commit, want, scan, error);

	for (guint i = 0; touched && i < touched->len; i++) {
		const MlvGitTouched *one = &g_array_index(touched, MlvGitTouched, i);
		if (mlv_oid_is_zero(&one->to))
			continue;
		if (mlv_target_file(one->path) == MLV_TARGET_POINTER) {
			if (!read_pointer(scan, one, run, error))
				return FALSE;
			continue;
		}
		g_autoptr(GArray) numbers = new_steps(scan, commit, one, error);
		for (guint j = 0; numbers && j < numbers->len; j++) {
			MlvStep *step =
				mlv_steps_get(scan->steps, g_array_index(numbers, guint, j));
			if (run)
				g_ptr_array_add(step->runs, (gpointer)run);
			else
				g_array_append_val(step->commits, commit->oid);
		}
		if (!numbers)
			return FALSE;
	}
	return touched != NULL;
}

static gboolean read_refs(MlvLineageScan *scan, GError **error)
{
	if (!scan->runs)
		scan->runs = mlv_git_list_refs(scan->repo, MLV_RUN_REFS, error);
	for (guint i = 0; scan->runs && i < scan->runs->len; i++)
		g_hash_table_add(scan->records, &((MlvGitRef *)scan->runs->pdata[i])->commit);
	return scan->runs != NULL;
}

static gboolean push_all(MlvLineageScan *scan, MlvGitWalk *walk, GError **error)
{
	g_autoptr(GPtrArray) refs = mlv_git_refs(scan->repo, "refs/", error);

	for (guint i = 0; refs && i < refs->len; i++) {
		const MlvGitRef *ref = refs->pdata[i];
		if (!g_str_has_prefix(ref->name, "refs/mlv/") &&
		    !mlv_git_walk_push(walk, &ref->commit, error))
			return FALSE;
	}
	return refs != NULL;
}

static gboolean is_cancelled(const MlvLineageScan *scan, GError **error)
{
	return scan->cancel && *scan->cancel &&
	       !mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

gboolean mlv_lineage_scan_history(MlvLineageScan *scan, const MlvOid *from, gboolean all,
				  GError **error)
{
	g_autoptr(MlvGitWalk) walk = mlv_git_walk_new(scan->repo);

	if (!read_refs(scan, error) || (from && !mlv_git_walk_push(walk, from, error)) ||
	    (all && !push_all(scan, walk, error)))
		return FALSE;
	for (;;) {
		g_autoptr(MlvCommit) commit = NULL;
		if (is_cancelled(scan, error) || !mlv_git_walk_next(walk, &commit, error))
			return FALSE;
		if (!commit)
			return TRUE;
		/* The record of a run is told of as a run. */
		if (!g_hash_table_contains(scan->records, &commit->oid) &&
		    !scan_commit(scan, commit, NULL, error))
			return FALSE;
	}
}

/* --- runs ------------------------------------------------------------------------------------- */

typedef struct {
	const char *name;
	MlvCommit *commit;
} Run;

static void run_clear(gpointer data)
{
	mlv_commit_free(((Run *)data)->commit);
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	const Run *first = a, *second = b;

	if (first->commit->committer_time != second->commit->committer_time)
		return first->commit->committer_time > second->commit->committer_time ? -1 : 1;
	return strcmp(first->name, second->name);
}

gboolean mlv_lineage_scan_runs(MlvLineageScan *scan, GError **error)
{
	g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(Run));

	g_array_set_clear_func(runs, run_clear);
	if (!read_refs(scan, error))
		return FALSE;
	for (guint i = 0; i < scan->runs->len; i++) {
		const MlvGitRef *ref = scan->runs->pdata[i];
		Run run = { .name = ref->name + strlen(MLV_RUN_REFS) };
		/* What is no commit is no run. */
		run.commit = mlv_git_commit_read(scan->repo, &ref->commit, NULL);
		if (run.commit)
			g_array_append_val(runs, run);
	}
	g_array_sort(runs, newest_first);
	for (guint i = 0; i < runs->len; i++) {
		const Run *run = &g_array_index(runs, Run, i);
		if (is_cancelled(scan, error) || !scan_commit(scan, run->commit, run->name, error))
			return FALSE;
	}
	return TRUE;
}
