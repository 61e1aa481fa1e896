/* SPDX-License-Identifier: Apache-2.0 */
/* What changed among the targets of two trees: both are walked in step, and equal folders are not
 * entered. */
#include <stdlib.h>

#include "core/git_internal.h"
#include "core/target.h"

typedef struct {
	MlvRepo *repo;
	GPtrArray *changes;
} Compare;

static void change_free(gpointer data)
{
	MlvPointerChange *change = data;
	g_free(change->path);
	mlv_tracked_free(change->from);
	mlv_tracked_free(change->to);
	g_free(change);
}

static int compare_changes(gconstpointer a, gconstpointer b)
{
	return strcmp((*(MlvPointerChange *const *)a)->path, (*(MlvPointerChange *const *)b)->path);
}

static gboolean names_targets(const git_tree_entry *entry)
{
	if (!entry || mlv_target_file(git_tree_entry_name(entry)) == MLV_TARGET_NONE)
		return FALSE;
	git_filemode_t mode = git_tree_entry_filemode(entry);
	return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static MlvPointerChange *new_change(Compare *compare, const char *path)
{
	MlvPointerChange *change = g_new0(MlvPointerChange, 1);

	change->path = g_strdup(path);
	g_ptr_array_add(compare->changes, change);
	return change;
}

/* The targets that a pointer or lock names; none where there is none. */
static GPtrArray *read_side(Compare *compare, const char *path, const git_tree_entry *entry,
			    GError **error)
{
	g_autoptr(GPtrArray) targets =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);

	if (names_targets(entry) &&
	    !mlv_git_read_targets(compare->repo, path, git_tree_entry_id(entry), targets, error))
		return NULL;
	mlv_targets_settle(targets);
	return g_steal_pointer(&targets);
}

static gboolean same_target(const MlvTracked *a, const MlvTracked *b)
{
	return a && b && !a->error && !b->error && mlv_pointer_equal(&a->pointer, &b->pointer);
}

/* What differs between two versions of one file, path by path. */
static gboolean add_changes(Compare *compare, const char *path, const git_tree_entry *from,
			    const git_tree_entry *to, GError **error)
{
	g_autoptr(GPtrArray) old = read_side(compare, path, from, error);
	g_autoptr(GPtrArray) new = old ? read_side(compare, path, to, error) : NULL;

	if (!new)
		return FALSE;
	while (old->len > 0 || new->len > 0) {
		const MlvTracked *a = old->len ? old->pdata[old->len - 1] : NULL;
		const MlvTracked *b = new->len ? new->pdata[new->len - 1] : NULL;
		int order = !a ? -1 : !b ? 1 : strcmp(a->path, b->path);
		g_autoptr(MlvTracked) left =
			order >= 0 ? g_ptr_array_steal_index(old, old->len - 1) : NULL;
		g_autoptr(MlvTracked) right =
			order <= 0 ? g_ptr_array_steal_index(new, new->len - 1) : NULL;
		if (same_target(left, right))
			continue;
		MlvPointerChange *change = new_change(compare, left ? left->path : right->path);
		change->from = g_steal_pointer(&left);
		change->to = g_steal_pointer(&right);
	}
	return TRUE;
}

/* What one file does not name any more and another does now is one change, or none. */
static void join_changes(GPtrArray *changes)
{
	g_ptr_array_sort(changes, compare_changes);
	for (guint i = changes->len; i-- > 1;) {
		MlvPointerChange *before = changes->pdata[i - 1], *after = changes->pdata[i];
		if (strcmp(before->path, after->path) != 0)
			continue;
		if (!before->from)
			before->from = g_steal_pointer(&after->from);
		if (!before->to)
			before->to = g_steal_pointer(&after->to);
		g_ptr_array_remove_index(changes, i);
		if (same_target(before->from, before->to))
			g_ptr_array_remove_index(changes, --i);
	}
}

static gboolean visit(const char *path, const git_tree_entry *from, const git_tree_entry *to,
		      gboolean *enter, gpointer user, GError **error)
{
	*enter = mlv_git_is_tree(from) || mlv_git_is_tree(to);
	return !(names_targets(from) || names_targets(to)) ||
	       add_changes(user, path, from, to, error);
}

static gboolean same_tree(MlvRepo *repo, const MlvOid *a, const MlvOid *b)
{
	git_oid first, second;
	return mlv_git_tree_of(repo, a, &first, NULL) && mlv_git_tree_of(repo, b, &second, NULL) &&
	       git_oid_equal(&first, &second);
}

GPtrArray *mlv_git_tree_changes(MlvRepo *repo, const git_oid *from, const git_oid *to,
				GError **error)
{
	g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(change_free);
	Compare compare = { repo, changes };

	if (!mlv_git_walk_pairs(repo, from, to, visit, &compare, error))
		return NULL;
	join_changes(changes);
	return g_steal_pointer(&changes);
}

GPtrArray *mlv_git_pointer_changes(MlvRepo *repo, const MlvOid *from, const MlvOid *to,
				   GError **error)
{
	git_oid before, after;

	if ((from && !mlv_git_tree_of(repo, from, &before, error)) ||
	    (to && !mlv_git_tree_of(repo, to, &after, error)))
		return NULL;
	return mlv_git_tree_changes(repo, from ? &before : NULL, to ? &after : NULL, error);
}

static gboolean has_path(const GPtrArray *changes, const char *path)
{
	MlvPointerChange key = { .path = (char *)path }, *wanted = &key;
	return changes->len > 0 &&
	       bsearch(&wanted, changes->pdata, changes->len, sizeof wanted, compare_changes);
}

/* The data that the older sides name. */
static GHashTable *old_ids(const GPtrArray *sides)
{
	GHashTable *ids = g_hash_table_new(mlv_id_hash, mlv_id_equal_key);

	for (guint i = 0; i < sides->len; i++) {
		const GPtrArray *changes = sides->pdata[i];
		for (guint j = 0; j < changes->len; j++) {
			MlvTracked *from = ((MlvPointerChange *)changes->pdata[j])->from;
			if (from && !from->error)
				g_hash_table_add(ids, &from->pointer.ref.id);
		}
	}
	return ids;
}

GPtrArray *mlv_git_new_pointers(const GPtrArray *sides)
{
	g_autoptr(GHashTable) old = old_ids(sides);
	GPtrArray *added = g_ptr_array_new();
	const GPtrArray *first = sides->pdata[0];

	for (guint i = 0; i < first->len; i++) {
		const MlvPointerChange *change = first->pdata[i];
		gboolean is_new =
			change->to && (change->to->error ||
				       !g_hash_table_contains(old, &change->to->pointer.ref.id));
		for (guint side = 1; is_new && side < sides->len; side++)
			is_new = has_path(sides->pdata[side], change->path);
		if (is_new)
			g_ptr_array_add(added, change->to);
	}
	return added;
}

GPtrArray *mlv_git_commit_changes(MlvRepo *repo, const MlvCommit *commit, GError **error)
{
	/* A merge that took one parent's tree changed nothing. */
	for (guint i = 0; commit->n_parents > 1 && i < commit->n_parents; i++)
		if (same_tree(repo, &commit->parents[i], &commit->oid))
			return g_ptr_array_new_with_free_func(change_free);
	g_autoptr(GPtrArray) changes = mlv_git_pointer_changes(
		repo, commit->n_parents ? &commit->parents[0] : NULL, &commit->oid, error);
	for (guint p = 1; changes && p < commit->n_parents; p++) {
		g_autoptr(GPtrArray) others =
			mlv_git_pointer_changes(repo, &commit->parents[p], &commit->oid, error);
		if (!others)
			return NULL;
		for (guint i = changes->len; i-- > 0;)
			if (!has_path(others, ((MlvPointerChange *)changes->pdata[i])->path))
				g_ptr_array_remove_index(changes, i);
	}
	return g_steal_pointer(&changes);
}
