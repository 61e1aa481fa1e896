/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying out the plan: what is to go goes first (it may free names and room), directories are
 * made top down, then files are written in parallel, and at the end the stat cache learns what
 * is there.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/checkout_private.h"
#include "core/workspace.h"

#define SETTLE_TRIES 20
#define SETTLE_STEP  2000 /* microseconds */

static gboolean cancelled(MlvCheckout *checkout, GError **error)
{
	return checkout->options.cancel && *checkout->options.cancel &&
	       !mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted; run the command again to go on");
}

static gboolean is_wanted(const CheckoutDir *dir)
{
	return dir->folder || dir->tree.mode == MLV_MODE_DIRECTORY;
}

static gboolean has_op(const CheckoutDir *dir, ItemOp op)
{
	for (guint i = 0; i < dir->items->len; i++)
		if (g_array_index(dir->items, CheckoutItem, i).op == op)
			return TRUE;
	return FALSE;
}

/* Hashed just now, and changed in the same tick of the clock: it may have been changed again
 * since. */
static gboolean is_racy(const MlvCheckout *checkout, const CheckoutItem *item)
{
	return !(item->flags & ITEM_CACHED) && checkout->hash_now > 0 &&
	       (item->st.mtime >= checkout->hash_now || item->st.ctime >= checkout->hash_now);
}

/* --- what goes -------------------------------------------------------------------------------- */

static gboolean change_items(MlvCheckout *checkout, CheckoutDir *dir, ItemOp op, GError **error)
{
	g_auto(MlvFd) fd = -1;

	for (guint i = 0; i < dir->items->len; i++) {
		CheckoutItem *item = &g_array_index(dir->items, CheckoutItem, i);
		gboolean ok;

		if (item->op != op)
			continue;
		if (cancelled(checkout, error))
			return FALSE;
		if (fd < 0 && (fd = mlv_workspace_open_dir(checkout->root, dir->path, error)) < 0)
			return FALSE;
		g_autofree char *path = mlv_checkout_item_path(dir, item->name);
		gboolean sure = op == OP_REMOVE || !is_racy(checkout, item);
		if (op == OP_REMOVE)
			ok = mlv_workspace_remove(fd, item->name, &item->st, path, error);
		else
			ok = mlv_workspace_set_executable(fd, item->name,
							  item->mode == MLV_MODE_EXECUTABLE,
							  &item->st, path, error);
		if (!ok)
			return FALSE;
		if (sure)
			item->flags |= ITEM_DONE;
	}
	return TRUE;
}

/* Deepest first. One that still holds something stays, unless a file is to take its place. */
static gboolean remove_directories(MlvCheckout *checkout, GError **error)
{
	for (guint i = checkout->dirs->len; i-- > 0;) {
		CheckoutDir *dir = checkout->dirs->pdata[i];
		const char *name = strrchr(dir->path, '/');
		gboolean removed;

		if (is_wanted(dir) || !dir->on_disk || (checkout->options.exact && !dir->whole))
			continue;
		g_autofree char *above = g_strndup(dir->path, name ? (gsize)(name - dir->path) : 0);
		g_auto(MlvFd) fd = mlv_workspace_open_dir(checkout->root, above, error);
		if (fd < 0 || !mlv_workspace_remove_dir(fd, name ? name + 1 : dir->path, &removed,
							dir->path, error))
			return FALSE;
		if (!removed && dir->must_go)
			return mlv_fail(
				error, MLV_ERROR_EXISTS,
				"the directory '%s' is in the way of a file and holds what is "
				"ignored or new; move that away and run the command again",
				dir->path);
	}
	return TRUE;
}

static gboolean make_directories(MlvCheckout *checkout, GError **error)
{
	for (guint i = 0; i < checkout->dirs->len; i++) {
		CheckoutDir *dir = checkout->dirs->pdata[i];
		gboolean writes = is_wanted(dir) && has_op(dir, OP_WRITE);

		if (dir->folder ? !writes
				: dir->on_disk || !is_wanted(dir) || !(dir->whole || writes))
			continue;
		if (cancelled(checkout, error) ||
		    !mlv_workspace_make_dirs(checkout->root, dir->path, error))
			return FALSE;
	}
	return TRUE;
}

static void sweep(MlvCheckout *checkout)
{
	for (guint i = 0; i < checkout->dirs->len; i++) {
		CheckoutDir *dir = checkout->dirs->pdata[i];

		if (!dir->on_disk || !is_wanted(dir) || !has_op(dir, OP_WRITE))
			continue;
		g_auto(MlvFd) fd = mlv_workspace_open_dir(checkout->root, dir->path, NULL);
		if (fd >= 0)
			mlv_workspace_sweep(fd);
	}
}

static gboolean change_tree(MlvCheckout *checkout, GError **error)
{
	for (guint i = 0; i < checkout->dirs->len; i++)
		if (!change_items(checkout, checkout->dirs->pdata[i], OP_REMOVE, error))
			return FALSE;
	if (!remove_directories(checkout, error) || !make_directories(checkout, error))
		return FALSE;
	for (guint i = 0; i < checkout->dirs->len; i++)
		if (!change_items(checkout, checkout->dirs->pdata[i], OP_MODE, error))
			return FALSE;
	sweep(checkout);
	return mlv_checkout_write(checkout, error);
}

/* --- the stat cache --------------------------------------------------------------------------- */

/* The newest change among what was written. */
static gint64 newest_change(MlvCheckout *checkout)
{
	gint64 newest = 0;

	for (guint i = 0; i < checkout->dirs->len; i++) {
		CheckoutDir *dir = checkout->dirs->pdata[i];
		for (guint j = 0; j < dir->items->len; j++) {
			const CheckoutItem *item = &g_array_index(dir->items, CheckoutItem, j);
			if (item->flags & (ITEM_WRITTEN | ITEM_DONE))
				newest = MAX(newest, MAX(item->st.ctime, item->st.mtime));
		}
	}
	return newest;
}

/* A time of the file system's clock past all that was written: else the last files would count
 * as racy. */
static gint64 settle(MlvCheckout *checkout)
{
	gint64 newest = newest_change(checkout), now = mlv_stat_fs_now(checkout->options.repo);

	for (int i = 0; i < SETTLE_TRIES && now > 0 && now <= newest; i++) {
		g_usleep(SETTLE_STEP);
		now = mlv_stat_fs_now(checkout->options.repo);
	}
	return now;
}

/* Whether the state in item->st is known to be that of the wanted content. */
static gboolean is_known(const MlvCheckout *checkout, const CheckoutItem *item)
{
	if (item->op == OP_WRITE)
		return item->flags & ITEM_WRITTEN;
	if (item->op == OP_MODE)
		return item->flags & ITEM_DONE;
	return item->op == OP_KEEP && !is_racy(checkout, item);
}

/* A file whose record in the old cache holds. */
static gboolean keep_record(MlvCheckout *checkout, MlvStatWriter *writer, CheckoutDir *dir,
			    const MlvStatDir *old, const char *name)
{
	const MlvStatRecord *record = mlv_statcache_find(old, name);

	if (!record)
		return FALSE;
	if (!(record->flags & MLV_STAT_STORED) || mlv_statcache_is_stale(checkout->options.cache))
		dir->unstored = TRUE;
	mlv_statcache_writer_keep(writer, old, record);
	return TRUE;
}

static void add_item(MlvCheckout *checkout, MlvStatWriter *writer, CheckoutDir *dir,
		     const MlvStatDir *old, CheckoutItem *item)
{
	MlvRef ref = mlv_checkout_item_ref(item);

	if ((item->op == OP_KEEP || item->op == OP_NONE) && (item->flags & ITEM_CACHED)) {
		if (!old || !keep_record(checkout, writer, dir, old, item->name))
			dir->incomplete = TRUE;
		return;
	}
	if (item->op == OP_REMOVE && (item->flags & ITEM_DONE))
		return;
	if (!is_known(checkout, item)) {
		dir->incomplete = TRUE;
		return;
	}
	gboolean stored = item->op == OP_WRITE || (item->flags & ITEM_STORED);
	if (!stored)
		dir->unstored = TRUE;
	mlv_statcache_writer_set_stored(writer, stored);
	mlv_statcache_writer_add(writer, item->name, &item->st, &ref);
}

static void write_block(MlvCheckout *checkout, MlvStatWriter *writer, CheckoutDir *dir)
{
	MlvStatDir old;
	gboolean has_old = mlv_statcache_dir(checkout->options.cache, dir->path, &old);

	mlv_statcache_writer_begin(writer, dir->path);
	if (dir->unchanged && has_old)
		for (gsize i = 0; i < old.count; i++)
			keep_record(checkout, writer, dir, &old,
				    mlv_statcache_name(&old, &old.records[i]));
	for (guint i = 0; !dir->unchanged && i < dir->items->len; i++)
		add_item(checkout, writer, dir, has_old ? &old : NULL,
			 &g_array_index(dir->items, CheckoutItem, i));
	mlv_statcache_writer_set_stored(writer, !dir->unstored);
	mlv_statcache_writer_end(writer, dir->incomplete ? NULL : &dir->tree.ref, dir->tree.files,
				 dir->tree.bytes, dir->subdirs);
	mlv_statcache_writer_set_stored(writer, TRUE);
}

/* A target file lies among files that are none of ours: its record alone is changed. */
static void write_folder(MlvCheckout *checkout, MlvStatWriter *writer, CheckoutDir *dir)
{
	for (guint i = 0; i < dir->items->len; i++) {
		CheckoutItem *item = &g_array_index(dir->items, CheckoutItem, i);
		MlvRef ref = mlv_checkout_item_ref(item);
		g_autofree char *path = mlv_checkout_item_path(dir, item->name);

		if ((item->op == OP_KEEP || item->op == OP_NONE) && (item->flags & ITEM_CACHED))
			continue;
		gboolean known = is_known(checkout, item);
		mlv_statcache_writer_set_stored(writer, item->op == OP_WRITE ||
								(item->flags & ITEM_STORED));
		mlv_statcache_writer_set(writer, path, known ? &item->st : NULL,
					 known ? &ref : NULL);
		mlv_statcache_writer_set_stored(writer, TRUE);
	}
}

/* What is to go is known by the version that was here, which the cache alone has: where something
 * is left to remove, the target's old blocks stay for the next try. Their records do not fit what
 * was written. */
static gboolean has_leftover(const CheckoutDir *dir, gboolean ok)
{
	if (!ok && dir->on_disk && !is_wanted(dir))
		return TRUE;
	for (guint i = 0; dir->items && i < dir->items->len; i++) {
		const CheckoutItem *item = &g_array_index(dir->items, CheckoutItem, i);

		if (item->op == OP_REMOVE && !(item->flags & ITEM_DONE))
			return TRUE;
	}
	return FALSE;
}

/* Children come after their parents in the list, so that going backwards each is done before its
 * parent. `ok`: all was done. */
static gboolean renew_cache(MlvCheckout *checkout, gboolean ok, GError **error)
{
	g_autoptr(MlvStatWriter) writer =
		mlv_statcache_writer_new(checkout->options.cache, settle(checkout));

	for (guint i = 0; i < checkout->dirs->len; i++) {
		CheckoutDir *dir = checkout->dirs->pdata[i];
		dir->target->unfinished |= has_leftover(dir, ok);
	}
	for (guint i = checkout->dirs->len; i-- > 0;) {
		CheckoutDir *dir = checkout->dirs->pdata[i], *parent = dir->parent;

		if (dir->folder)
			write_folder(checkout, writer, dir);
		else if (dir->target->unfinished)
			dir->incomplete = TRUE;
		else if (dir->tree.mode == MLV_MODE_DIRECTORY && dir->dirty)
			write_block(checkout, writer, dir);
		else if (dir->tree.mode == 0 && is_wanted(parent))
			mlv_statcache_writer_drop(writer, dir->path);
		parent = dir->folder ? NULL : dir->parent;
		if (parent) {
			parent->dirty |= dir->dirty;
			parent->incomplete |=
				dir->tree.mode == MLV_MODE_DIRECTORY && dir->incomplete;
			parent->unstored |= dir->unstored;
		}
		g_clear_pointer(&dir->items, g_array_unref);
	}
	return mlv_statcache_writer_commit(writer, error);
}

/* --- partial work trees ----------------------------------------------------------------------- */

static void note_partial(MlvCheckout *checkout)
{
	MlvPartial *partial = checkout->options.partial;

	for (guint i = 0; i < checkout->targets->len; i++) {
		CheckoutTarget *target = checkout->targets->pdata[i];

		if (!target->wanted) {
			if (!checkout->by_path)
				mlv_partial_forget(partial, target->path);
			continue;
		}
		if (!checkout->by_path)
			continue;
		if (target->absent)
			mlv_partial_begin(partial, target->path);
		for (guint j = 0; j < target->brought->len; j++)
			mlv_partial_include(partial, target->path, target->brought->pdata[j]);
	}
}

gboolean mlv_checkout_apply(MlvCheckout *checkout, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (!mlv_checkout_check(checkout, error))
		return FALSE;
	/* Before anything is there: after a kill, what was not brought must not count as
	 * deleted. */
	note_partial(checkout);
	if (!mlv_partial_save(checkout->options.partial, error))
		return FALSE;
	gboolean ok = change_tree(checkout, error);
	/* What was done is worth remembering even if not all was; without the cache only time is
	 * lost. */
	return renew_cache(checkout, ok, ok ? error : &local) && ok;
}
