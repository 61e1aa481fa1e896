/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/held.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/pipeline/files.h"
#include "core/pipeline/held_private.h"
#include "core/snapshot.h"
#include "storage/chunker.h"

/* In folders of code: what mlv itself writes, and what Python leaves beside the code that it runs,
 * is no input. */
static const char left_out[] = "mlv.lock\n*.mlv\n__pycache__/\n";

gboolean mlv_held_same(const MlvHeld *a, const MlvHeld *b)
{
	gboolean has_a = a && a->type != MLV_HELD_NOTHING && a->type != MLV_HELD_UNREAD;
	gboolean has_b = b && b->type != MLV_HELD_NOTHING && b->type != MLV_HELD_UNREAD;

	return has_a && has_b ? mlv_pointer_equal(&a->pointer, &b->pointer)
			      : has_a == has_b && (!a || !b || a->type == b->type);
}

static void held_free(gpointer data)
{
	MlvHeld *held = data;

	g_free(held->why);
	g_free(held);
}

static GHashTable *new_folders(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

MlvHeldSet *mlv_held_new(const MlvHeldOptions *options)
{
	MlvHeldSet *set = g_new0(MlvHeldSet, 1);

	set->options = *options;
	set->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, held_free);
	set->order = g_tree_new((GCompareFunc)(void (*)(void))strcmp);
	set->asked = g_ptr_array_new();
	set->folders = new_folders();
	set->leave_out = mlv_ignore_rules_new(NULL, "", left_out, strlen(left_out));
	return set;
}

void mlv_held_free(MlvHeldSet *set)
{
	if (!set)
		return;
	g_ptr_array_unref(set->asked);
	g_tree_unref(set->order);
	g_hash_table_unref(set->answers);
	g_hash_table_unref(set->folders);
	mlv_statcache_writer_free(set->cache);
	g_clear_pointer(&set->targets, g_ptr_array_unref);
	mlv_ignore_rules_unref(set->leave_out);
	g_free(set);
}

const GPtrArray *mlv_held_targets(MlvHeldSet *set, GError **error)
{
	if (!set->targets)
		set->targets =
			mlv_git_pointers_in_workspace(set->options.local->repo, FALSE, error);
	return set->targets;
}

void mlv_held_forget_targets(MlvHeldSet *set)
{
	g_clear_pointer(&set->targets, g_ptr_array_unref);
}

/* --- asking ----------------------------------------------------------------------------------- */

void mlv_held_ask(MlvHeldSet *set, const char *path, gboolean data)
{
	gpointer key, value;

	if (!g_hash_table_lookup_extended(set->answers, path, &key, &value)) {
		key = g_strdup(path);
		value = g_new0(MlvHeld, 1);
		g_hash_table_insert(set->answers, key, value);
		g_tree_insert(set->order, key, value);
	}
	MlvHeld *held = value;
	if (!held->fresh && !held->asked)
		g_ptr_array_add(set->asked, key);
	held->asked |= !held->fresh;
	held->data |= data;
}

const MlvHeld *mlv_held_get(const MlvHeldSet *set, const char *path)
{
	const MlvHeld *held = g_hash_table_lookup(set->answers, path);

	return held && held->fresh ? held : NULL;
}

static void forget_one(MlvHeldSet *set, const char *path)
{
	MlvHeld *held = g_hash_table_lookup(set->answers, path);

	if (held)
		held->fresh = FALSE;
}

void mlv_held_forget(MlvHeldSet *set, const char *path)
{
	g_autofree char *above = g_strdup(path);
	g_autofree char *below = g_strconcat(path, "/", NULL);

	forget_one(set, path);
	for (char *slash; (slash = strrchr(above, '/'));) {
		*slash = '\0';
		forget_one(set, above);
	}
	forget_one(set, "");
	for (GTreeNode *node = g_tree_lower_bound(set->order, below);
	     node && g_str_has_prefix(g_tree_node_key(node), below); node = g_tree_node_next(node))
		((MlvHeld *)g_tree_node_value(node))->fresh = FALSE;
}

void mlv_held_forget_all(MlvHeldSet *set)
{
	GHashTableIter at;
	gpointer held;

	g_hash_table_iter_init(&at, set->answers);
	while (g_hash_table_iter_next(&at, NULL, &held))
		((MlvHeld *)held)->fresh &= ((MlvHeld *)held)->type == MLV_HELD_PENDING;
}

void mlv_held_put(MlvHeldSet *set, const char *path, const MlvPointer *pointer)
{
	MlvHeld *held;

	mlv_held_forget(set, path);
	mlv_held_ask(set, path, TRUE);
	held = g_hash_table_lookup(set->answers, path);
	held->type = MLV_HELD_PENDING;
	held->pointer = *pointer;
	held->single = held->racy = FALSE;
	held->fresh = TRUE;
}

/* --- the stat cache --------------------------------------------------------------------------- */

MlvStatWriter *mlv_held_writer(MlvHeldSet *set)
{
	if (!set->cache)
		set->cache = mlv_statcache_writer_new(set->options.local->cache, 0);
	return set->cache;
}

gboolean mlv_held_reopen(MlvHeldSet *set, GError **error)
{
	MlvLocal *local = set->options.local;
	guint64 generation;

	if (!mlv_store_generation(local->store, &generation, error))
		return FALSE;
	g_hash_table_remove_all(set->folders);
	mlv_statcache_close(local->cache);
	local->cache = mlv_statcache_open(local->repo);
	mlv_statcache_use_store(local->cache, generation);
	return TRUE;
}

gboolean mlv_held_save(MlvHeldSet *set, GError **error)
{
	if (!set->cache)
		return TRUE;
	gboolean ok = mlv_statcache_writer_commit(set->cache, error);
	g_clear_pointer(&set->cache, mlv_statcache_writer_free);
	return ok && mlv_held_reopen(set, error);
}

const MlvHeldOptions *mlv_held_options(const MlvHeldSet *set)
{
	return &set->options;
}

const MlvStatRecord *mlv_held_record(MlvHeldSet *set, const char *path)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *name = g_strndup(path, slash ? (gsize)(slash - path) : 0);
	HeldFolder *folder = g_hash_table_lookup(set->folders, name);

	if (!folder) {
		folder = g_new0(HeldFolder, 1);
		folder->known = mlv_statcache_dir(set->options.local->cache, name, &folder->dir);
		g_hash_table_insert(set->folders, g_steal_pointer(&name), folder);
	}
	return folder->known ? mlv_statcache_find(&folder->dir, slash ? slash + 1 : path) : NULL;
}

void mlv_held_note(MlvHeldSet *set, const char *path, const MlvStat *st, const MlvRef *ref,
		   gint64 now, gboolean stored)
{
	MlvStatWriter *writer = mlv_held_writer(set);

	mlv_statcache_writer_set_now(writer, now);
	mlv_statcache_writer_set_stored(writer, stored);
	mlv_statcache_writer_set(writer, path, st, ref);
	set->uncommitted += stored;
}

void mlv_held_committed(MlvHeldSet *set)
{
	set->uncommitted = 0;
}

guint64 mlv_held_uncommitted(const MlvHeldSet *set)
{
	return set->uncommitted;
}
