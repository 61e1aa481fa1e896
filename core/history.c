/* SPDX-License-Identifier: Apache-2.0 */
#include "core/history.h"

#include <string.h>

struct MlvHistory {
	MlvView *view;
	const MlvPathspec *paths;
	MlvGitWalk *walk;
};

void mlv_history_entry_free(MlvHistoryEntry *entry)
{
	if (!entry)
		return;
	mlv_commit_free(entry->commit);
	g_clear_pointer(&entry->targets, g_array_unref);
	g_clear_pointer(&entry->changes, g_ptr_array_unref);
	g_free(entry);
}

/* --- one commit ------------------------------------------------------------------------------- */

/* The target that a path is or lies in, or NULL. */
static MlvHistoryTarget *find_target(const MlvHistoryEntry *entry, const char *path)
{
	for (guint i = 0; i < entry->targets->len; i++) {
		MlvHistoryTarget *target = &g_array_index(entry->targets, MlvHistoryTarget, i);
		gsize length = strlen(target->change->path);

		if (strncmp(path, target->change->path, length) == 0 &&
		    (!path[length] || path[length] == '/'))
			return target;
	}
	return NULL;
}

/* A file that moved from one target to another came here and went there. */
static void count_crossing(const MlvChange *change, MlvHistoryTarget *from, MlvHistoryTarget *to)
{
	MlvChange came = *change, went = *change;

	came.kind = MLV_CHANGE_ADDED;
	memset(&came.from, 0, sizeof(came.from));
	mlv_change_totals_add(&to->totals, &came);
	went.kind = MLV_CHANGE_REMOVED;
	memset(&went.to, 0, sizeof(went.to));
	mlv_change_totals_add(&from->totals, &went);
}

static gboolean count_change(const MlvChange *change, gpointer user, GError **error)
{
	MlvHistoryEntry *entry = user;
	MlvHistoryTarget *target = find_target(entry, change->target);
	MlvHistoryTarget *from = change->from_path ? find_target(entry, change->from_path) : target;

	if (!target)
		return TRUE;
	if (from && from != target && strcmp(change->path, change->target) != 0) {
		count_crossing(change, from, target);
		return TRUE;
	}
	if (from && from != target)
		target->from_path = from->change->path;
	mlv_change_totals_add(&target->totals, change);
	return TRUE;
}

static gboolean is_nothing(const MlvChangeTotals *totals)
{
	return !totals->added && !totals->removed && !totals->modified && !totals->renamed &&
	       !totals->unread && totals->delta == 0;
}

static gboolean is_moved_away(const MlvHistoryEntry *entry, const MlvHistoryTarget *target)
{
	for (guint i = 0; !target->change->to && i < entry->targets->len; i++) {
		const MlvHistoryTarget *other = &g_array_index(entry->targets, MlvHistoryTarget, i);

		if (g_strcmp0(other->from_path, target->change->path) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Drops targets that are told of elsewhere, or in which nothing of the paths changed. */
static void drop_idle(MlvHistoryEntry *entry, const MlvPathspec *paths)
{
	for (guint i = entry->targets->len; i-- > 0;) {
		const MlvHistoryTarget *target =
			&g_array_index(entry->targets, MlvHistoryTarget, i);
		gboolean idle = !target->problem && is_nothing(&target->totals) &&
				!mlv_pathspec_matches(paths, target->change->path);

		if (idle || is_moved_away(entry, target))
			g_array_remove_index(entry->targets, i);
	}
}

static const GError *problem_of(const MlvPointerChange *change)
{
	if (change->to && change->to->error)
		return change->to->error;
	return change->from ? change->from->error : NULL;
}

static gboolean count_commit(MlvView *view, MlvHistoryEntry *entry, const MlvPathspec *paths,
			     GError **error)
{
	MlvCompareOptions options = {
		.renames = TRUE, .paths = paths, .visit = count_change, .user = entry
	};
	g_autoptr(MlvCompare) compare = mlv_compare_new(mlv_view_source(view), &options);
	g_autoptr(GPtrArray) readable = g_ptr_array_new();

	for (guint i = 0; i < entry->changes->len; i++) {
		MlvPointerChange *change = entry->changes->pdata[i];
		MlvHistoryTarget target = { .change = change, .problem = problem_of(change) };

		if (!mlv_pathspec_may_match_below(paths, change->path))
			continue;
		g_array_append_val(entry->targets, target);
		if (!target.problem)
			g_ptr_array_add(readable, change);
	}
	if (!mlv_compare_pointer_changes(compare, readable, error) ||
	    !mlv_compare_finish(compare, error))
		return FALSE;
	drop_idle(entry, paths);
	return TRUE;
}

static MlvHistoryEntry *read_commit(MlvView *view, MlvCommit *commit, const MlvPathspec *paths,
				    GError **error)
{
	g_autoptr(MlvHistoryEntry) entry = g_new0(MlvHistoryEntry, 1);

	entry->commit = commit;
	entry->targets = g_array_new(FALSE, FALSE, sizeof(MlvHistoryTarget));
	entry->changes = mlv_git_commit_changes(mlv_view_repo(view), commit, error);
	if (!entry->changes || !count_commit(view, entry, paths, error))
		return NULL;
	return g_steal_pointer(&entry);
}

MlvHistoryEntry *mlv_history_read(MlvView *view, const MlvOid *commit, const MlvPathspec *paths,
				  GError **error)
{
	MlvCommit *read = mlv_git_commit_read(mlv_view_repo(view), commit, error);

	return read ? read_commit(view, read, paths, error) : NULL;
}

/* --- many ------------------------------------------------------------------------------------- */

MlvHistory *mlv_history_new(MlvView *view, const MlvPathspec *paths)
{
	MlvHistory *history = g_new0(MlvHistory, 1);

	history->view = view;
	history->paths = paths;
	history->walk = mlv_git_walk_new(mlv_view_repo(view));
	return history;
}

void mlv_history_free(MlvHistory *history)
{
	if (!history)
		return;
	mlv_git_walk_free(history->walk);
	g_free(history);
}

gboolean mlv_history_push(MlvHistory *history, const char *text, GError **error)
{
	return mlv_git_walk_push_text(history->walk, text, error);
}

gboolean mlv_history_push_commit(MlvHistory *history, const MlvOid *commit, GError **error)
{
	return mlv_git_walk_push(history->walk, commit, error);
}

gboolean mlv_history_next(MlvHistory *history, const volatile sig_atomic_t *cancel,
			  MlvHistoryEntry **entry, GError **error)
{
	*entry = NULL;
	for (;;) {
		g_autoptr(MlvHistoryEntry) read = NULL;
		MlvCommit *commit;

		if (cancel && *cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (!mlv_git_walk_next(history->walk, &commit, error))
			return FALSE;
		if (!commit)
			return TRUE;
		read = read_commit(history->view, commit, history->paths, error);
		if (!read)
			return FALSE;
		if (read->targets->len > 0) {
			*entry = g_steal_pointer(&read);
			return TRUE;
		}
	}
}
