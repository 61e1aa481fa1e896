/* SPDX-License-Identifier: Apache-2.0 */
#include "core/checkout.h"

#include <string.h>
#include <sys/statvfs.h>

#include "core/checkout_private.h"
#include "storage/chunker.h"

#define NAMED_MAX 3 /* paths in a message */

static void target_free(gpointer data)
{
	CheckoutTarget *target = data;

	g_ptr_array_unref(target->brought);
	g_free(target->path);
	g_free(target);
}

static void dir_free(gpointer data)
{
	CheckoutDir *dir = data;

	g_clear_pointer(&dir->items, g_array_unref);
	g_free(dir->path);
	g_free(dir);
}

MlvCheckout *mlv_checkout_new(const MlvCheckoutOptions *options)
{
	MlvCheckout *checkout = g_new0(MlvCheckout, 1);

	checkout->options = *options;
	checkout->root = mlv_repo_root_fd(options->repo);
	checkout->by_path = options->paths != NULL;
	checkout->scan = mlv_scan_new(checkout->root, options->cache, options->threads);
	checkout->names = g_string_chunk_new(16384);
	checkout->targets = g_ptr_array_new_with_free_func(target_free);
	checkout->dirs = g_ptr_array_new_with_free_func(dir_free);
	checkout->conflicts = g_ptr_array_new_with_free_func(g_free);
	checkout->missing_paths = g_ptr_array_new_with_free_func(g_free);
	checkout->missing = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	checkout->missing_seen = g_hash_table_new_full(mlv_id_hash, mlv_id_equal_key, g_free, NULL);
	checkout->pending = g_ptr_array_new_with_free_func(g_free);
	checkout->clone_block = mlv_store_clone_block(options->store);
	checkout->buffers = g_async_queue_new_full(g_free);
	g_autofree guint8 *zeros = g_malloc0(MLV_CHUNK_MAX);
	mlv_id_of(zeros, MLV_CHUNK_MAX, &checkout->zeros);
	if (checkout->clone_block > 0)
		checkout->untouched = mlv_untouched_open(mlv_store_fd(options->store));
	return checkout;
}

void mlv_checkout_free(MlvCheckout *checkout)
{
	if (!checkout)
		return;
	mlv_ingest_free(checkout->ingest);
	g_clear_pointer(&checkout->scan, mlv_scan_free);
	g_string_chunk_free(checkout->names);
	g_ptr_array_unref(checkout->targets);
	g_ptr_array_unref(checkout->dirs);
	g_ptr_array_unref(checkout->conflicts);
	g_ptr_array_unref(checkout->missing_paths);
	g_array_unref(checkout->missing);
	g_hash_table_unref(checkout->missing_seen);
	g_ptr_array_unref(checkout->pending);
	g_async_queue_unref(checkout->buffers);
	mlv_untouched_close(checkout->untouched);
	g_clear_error(&checkout->error);
	g_free(checkout);
}

gboolean mlv_checkout_plan(MlvCheckout *checkout, GError **error)
{
	if (checkout->ingest && !mlv_ingest_finish(checkout->ingest, error))
		return FALSE;
	g_clear_pointer(&checkout->ingest, mlv_ingest_free);
	g_ptr_array_set_size(checkout->pending, 0);
	g_clear_pointer(&checkout->scan, mlv_scan_free);
	if (checkout->error) {
		g_propagate_error(error, g_steal_pointer(&checkout->error));
		return FALSE;
	}
	return TRUE;
}

void mlv_checkout_totals(const MlvCheckout *checkout, MlvCheckoutTotals *totals)
{
	*totals = checkout->totals;
}

gboolean mlv_checkout_is_idle(const MlvCheckout *checkout)
{
	const MlvCheckoutTotals *totals = &checkout->totals;

	if (totals->write_files || totals->mode_files || totals->remove_files ||
	    totals->conflicts || totals->missing)
		return FALSE;
	for (guint i = 0; i < checkout->dirs->len; i++) {
		const CheckoutDir *dir = checkout->dirs->pdata[i];
		if (!dir->folder &&
		    (dir->tree.mode == 0 ? dir->on_disk : !dir->on_disk && dir->whole))
			return FALSE;
	}
	return TRUE;
}

GPtrArray *mlv_checkout_brought(const MlvCheckout *checkout)
{
	GPtrArray *brought = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < checkout->targets->len; i++) {
		const CheckoutTarget *target = checkout->targets->pdata[i];
		for (guint j = 0; j < target->brought->len; j++)
			g_ptr_array_add(brought, g_strdup(target->brought->pdata[j]));
	}
	return brought;
}

const GArray *mlv_checkout_missing(const MlvCheckout *checkout)
{
	return checkout->missing;
}

/* --- telling the plan ------------------------------------------------------------------------- */

static gboolean tell_items(const CheckoutDir *dir, MlvCheckoutEach each, gpointer user,
			   GError **error)
{
	static const MlvCheckoutAction actions[] = { [OP_WRITE] = MLV_CHECKOUT_WRITE,
						     [OP_MODE] = MLV_CHECKOUT_MODE,
						     [OP_REMOVE] = MLV_CHECKOUT_REMOVE };

	for (guint i = 0; i < dir->items->len; i++) {
		const CheckoutItem *item = &g_array_index(dir->items, CheckoutItem, i);

		if (item->op != OP_WRITE && item->op != OP_MODE && item->op != OP_REMOVE)
			continue;
		g_autofree char *path = mlv_checkout_item_path(dir, item->name);
		guint64 size = item->op == OP_WRITE ? item->size : item->st.size;
		if (!each(actions[item->op], path, size, user, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean tell_paths(const GPtrArray *paths, MlvCheckoutAction action, MlvCheckoutEach each,
			   gpointer user, GError **error)
{
	for (guint i = 0; i < paths->len; i++)
		if (!each(action, paths->pdata[i], 0, user, error))
			return FALSE;
	return TRUE;
}

gboolean mlv_checkout_foreach(MlvCheckout *checkout, MlvCheckoutEach each, gpointer user,
			      GError **error)
{
	for (guint i = 0; i < checkout->dirs->len; i++) {
		CheckoutDir *dir = checkout->dirs->pdata[i];
		gboolean make = dir->tree.mode == MLV_MODE_DIRECTORY && !dir->on_disk && dir->whole;
		gboolean remove = dir->tree.mode == 0 && !dir->folder && dir->on_disk &&
				  (dir->whole || !checkout->options.exact);

		if ((make || remove) &&
		    !each(make ? MLV_CHECKOUT_MAKE_DIRECTORY : MLV_CHECKOUT_REMOVE_DIRECTORY,
			  dir->path, 0, user, error))
			return FALSE;
		if (!tell_items(dir, each, user, error))
			return FALSE;
	}
	return tell_paths(checkout->conflicts, MLV_CHECKOUT_CONFLICT, each, user, error) &&
	       tell_paths(checkout->missing_paths, MLV_CHECKOUT_MISSING, each, user, error);
}

/* --- whether it may be carried out ------------------------------------------------------------ */

/* The first paths, quoted, for a message. */
static char *name_some(const GPtrArray *paths, guint64 count)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < MIN(paths->len, NAMED_MAX); i++)
		g_string_append_printf(text, "%s'%s'", i > 0 ? ", " : "", (char *)paths->pdata[i]);
	if (count > NAMED_MAX)
		g_string_append_printf(text, " and %" G_GUINT64_FORMAT " more", count - NAMED_MAX);
	return g_string_free(text, FALSE);
}

static gboolean check_room(MlvCheckout *checkout, GError **error)
{
	struct statvfs fs;
	guint64 need = checkout->copied_bytes - MIN(checkout->copied_bytes, checkout->freed_bytes);

	if (checkout->copied_bytes == 0 || fstatvfs(checkout->root, &fs) < 0 || fs.f_blocks == 0)
		return TRUE;
	guint64 room = (guint64)fs.f_bavail * fs.f_frsize;
	/* Old files go only once the new ones are there, and others write too. */
	checkout->scarce = checkout->copied_bytes > room / 2;
	if (need <= room)
		return TRUE;
	g_autofree char *need_text = g_format_size_full(need, G_FORMAT_SIZE_IEC_UNITS);
	g_autofree char *room_text = g_format_size_full(room, G_FORMAT_SIZE_IEC_UNITS);
	return mlv_fail(
		error, MLV_ERROR_FAILED,
		"no room: %s are to be written, and the file system of the work tree has %s left; "
		"free some, or bring single paths with -- PATH",
		need_text, room_text);
}

gboolean mlv_checkout_check(MlvCheckout *checkout, GError **error)
{
	const MlvCheckoutTotals *totals = &checkout->totals;

	if (totals->conflicts > 0) {
		g_autofree char *names = name_some(checkout->conflicts, totals->conflicts);
		return mlv_fail(
			error, MLV_ERROR_EXISTS,
			"unsaved data is in the way: %s; nothing was changed. 'mlv add' keeps it, "
			"--force gives it up",
			names);
	}
	if (totals->missing > 0) {
		g_autofree char *names = name_some(checkout->missing_paths, totals->missing);
		return mlv_fail(
			error, MLV_ERROR_MISSING,
			"not in the store: %s; nothing was changed. '%s' brings it from the remote",
			names, checkout->options.advice ? checkout->options.advice : "mlv pull");
	}
	return check_room(checkout, error);
}
