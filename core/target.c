/* SPDX-License-Identifier: Apache-2.0 */
#include "core/target.h"

#include <string.h>

#include "core/pipeline/lock.h"

MlvTargetFile mlv_target_file(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(slash ? slash + 1 : path, MLV_TARGET_LOCK_NAME) == 0)
		return MLV_TARGET_LOCK;
	return mlv_pointer_is_path(path) ? MLV_TARGET_POINTER : MLV_TARGET_NONE;
}

gsize mlv_target_max(MlvTargetFile type)
{
	return type == MLV_TARGET_LOCK ? MLV_LOCK_MAX : MLV_POINTER_MAX;
}

gboolean mlv_target_check_path(const char *path, GError **error)
{
	for (const char *part = path; part;) {
		const char *slash = strchr(part, '/');
		gsize length = slash ? (gsize)(slash - part) : strlen(part);
		if (!mlv_name_allowed(part, length))
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"the path '%s' in git is not one that can be used", path);
		part = slash ? slash + 1 : NULL;
	}
	return mlv_pointer_check_target(path, error);
}

static MlvTracked *add(GPtrArray *targets, const char *path, const char *lock, const MlvOid *blob)
{
	MlvTracked *tracked = g_new0(MlvTracked, 1);

	tracked->path = g_strdup(path);
	tracked->lock = g_strdup(lock);
	if (blob)
		tracked->blob = *blob;
	g_ptr_array_add(targets, tracked);
	return tracked;
}

void mlv_target_unread(const char *file, const MlvOid *blob, GError *why, GPtrArray *targets)
{
	gboolean lock = mlv_target_file(file) == MLV_TARGET_LOCK;
	g_autofree char *path = lock ? g_strdup(file) : mlv_pointer_data_path(file);

	add(targets, path, lock ? file : NULL, blob)->error = why;
}

static void add_output(const char *file, const MlvOid *blob, const MlvLockStage *stage,
		       const MlvLockPath *out, GPtrArray *targets)
{
	MlvTracked *tracked;

	if (out->no_cache || out->etag)
		return;
	tracked = add(targets, out->path, file, blob);
	tracked->pointer = out->held;
	tracked->stays = out->no_push;
	if (stage->conflict)
		mlv_fail(&tracked->error, MLV_ERROR_CHECK,
			 "'%s' has two versions of the stage '%s' that makes it, from a merge; "
			 "'mlv repro' settles that",
			 file, stage->name);
	else
		mlv_target_check_path(out->path, &tracked->error);
}

static void parse_lock(const char *file, const char *data, gsize length, const MlvOid *blob,
		       GPtrArray *targets)
{
	const char *slash = strrchr(file, '/');
	g_autofree char *folder = g_strndup(file, slash ? (gsize)(slash - file) : 0);
	GError *why = NULL;
	g_autoptr(MlvLock) lock = mlv_lock_parse(folder, data, length, file, &why);

	if (!lock) {
		mlv_target_unread(file, blob, why, targets);
		return;
	}
	g_autoptr(GPtrArray) names = mlv_lock_names(lock);
	for (guint i = 0; i < names->len; i++) {
		const MlvLockStage *stage = mlv_lock_get(lock, names->pdata[i]);
		for (guint j = 0; j < stage->outs->len; j++)
			add_output(file, blob, stage, stage->outs->pdata[j], targets);
	}
}

void mlv_target_parse(const char *file, const char *data, gsize length, const MlvOid *blob,
		      GPtrArray *targets)
{
	if (mlv_target_file(file) == MLV_TARGET_LOCK) {
		parse_lock(file, data, length, blob, targets);
		return;
	}
	g_autofree char *path = mlv_pointer_data_path(file);
	MlvTracked *tracked = add(targets, path, NULL, blob);
	if (mlv_target_check_path(path, &tracked->error))
		mlv_pointer_parse(data, length, file, &tracked->pointer, &tracked->error);
}

/* --- one to a path ---------------------------------------------------------------------------- */

/* By path and stage; where both are the same a pointer first, then in order of locks. */
static int compare(gconstpointer a, gconstpointer b)
{
	const MlvTracked *first = *(MlvTracked *const *)a, *second = *(MlvTracked *const *)b;
	int order = strcmp(first->path, second->path);

	if (order == 0)
		order = (first->lock != NULL) - (second->lock != NULL);
	if (order == 0)
		order = first->stage - second->stage;
	return order ? order : g_strcmp0(first->lock, second->lock);
}

/* Of an output whose lock is in conflict: ours and theirs, if they agree, are what is tracked. */
static gboolean sides_agree(const GPtrArray *targets, guint from, guint to)
{
	const MlvTracked *sides[4] = { NULL };

	for (guint i = from; i < to; i++) {
		const MlvTracked *tracked = targets->pdata[i];
		if (!tracked->error)
			sides[tracked->stage & 3] = tracked;
	}
	return sides[2] && sides[3] && mlv_pointer_equal(&sides[2]->pointer, &sides[3]->pointer);
}

/* Leaves one element to a path, or of a conflict one to a stage. */
static void drop_doubles(GPtrArray *targets)
{
	guint kept = 0;

	for (guint i = 0, next; i < targets->len; i = next) {
		MlvTracked *first = targets->pdata[i];
		for (next = i + 1; next < targets->len; next++)
			if (strcmp(((MlvTracked *)targets->pdata[next])->path, first->path) != 0)
				break;
		gboolean agreed = first->lock && first->stage != 0 && sides_agree(targets, i, next);
		/* Both sides of a conflict have dropped it. */
		gboolean gone = first->lock && ((MlvTracked *)targets->pdata[next - 1])->stage == 1;
		int last = -1;
		for (guint j = i; j < next; j++) {
			MlvTracked *tracked = targets->pdata[j];
			gboolean keep = agreed ? tracked->stage == 2 && last < 0
					       : (tracked->lock != NULL) == (first->lock != NULL) &&
							 (int)tracked->stage > last;
			if (!keep || gone) {
				mlv_tracked_free(tracked);
				continue;
			}
			last = tracked->stage;
			if (agreed)
				tracked->stage = 0;
			targets->pdata[kept++] = tracked;
		}
	}
	/* What lies behind was freed or moved. */
	targets->len = kept;
}

/* Drops of two targets of which one lies in the other the one that a lock names; of two outputs the
 * inner. */
static void drop_overlaps(GPtrArray *targets)
{
	g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) drop = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < targets->len; i++) {
		MlvTracked *tracked = targets->pdata[i];
		g_hash_table_insert(paths, tracked->path, tracked);
	}
	for (guint i = 0; i < targets->len; i++) {
		MlvTracked *inner = targets->pdata[i];
		g_autofree char *above = g_strdup(inner->path);
		for (char *slash; (slash = strrchr(above, '/'));) {
			*slash = '\0';
			MlvTracked *outer = g_hash_table_lookup(paths, above);
			if (outer && (outer->lock || inner->lock))
				g_hash_table_add(drop, inner->lock ? inner : outer);
		}
	}
	if (g_hash_table_size(drop) == 0)
		return;
	for (guint i = targets->len; i-- > 0;)
		if (g_hash_table_contains(drop, targets->pdata[i]))
			g_ptr_array_remove_index(targets, i);
}

void mlv_targets_settle(GPtrArray *targets)
{
	gboolean locks = FALSE;

	g_ptr_array_sort(targets, compare);
	for (guint i = 0; i < targets->len; i++)
		locks |= ((MlvTracked *)targets->pdata[i])->lock != NULL;
	if (!locks)
		return;
	drop_doubles(targets);
	drop_overlaps(targets);
}

gboolean mlv_targets_doubt(const GPtrArray *targets, const MlvTracked *old)
{
	const MlvTracked *lock = old->lock ? mlv_tracked_find(targets, old->lock) : NULL;

	return lock && lock->error && lock->lock;
}

/* --- elements --------------------------------------------------------------------------------- */

void mlv_tracked_free(MlvTracked *tracked)
{
	if (!tracked)
		return;
	g_free(tracked->path);
	g_free(tracked->lock);
	g_clear_error(&tracked->error);
	g_free(tracked);
}

MlvTracked *mlv_tracked_copy(const MlvTracked *tracked)
{
	MlvTracked *copy = g_memdup2(tracked, sizeof(*tracked));

	copy->path = g_strdup(tracked->path);
	copy->lock = g_strdup(tracked->lock);
	copy->error = tracked->error ? g_error_copy(tracked->error) : NULL;
	return copy;
}

gboolean mlv_target_check_own(const MlvTracked *tracked, GError **error)
{
	return !tracked->lock ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"'%s' is the output of a stage, as '%s' says: 'mlv repro' makes it anew; "
			"to make it data of its own, take it out of the stage's outs first",
			tracked->path, tracked->lock);
}
