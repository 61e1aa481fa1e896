/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen to a file that stands where something else is wanted, and whether what is
 * wanted is here. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/checkout_private.h"
#include "core/workspace.h"

#define NOTED_MAX   100000 /* paths of conflicts and missing things that are kept to be told */
#define SYMLINK_MAX 4095

void mlv_checkout_conflict(MlvCheckout *checkout, const char *path)
{
	checkout->totals.conflicts++;
	if (checkout->conflicts->len < NOTED_MAX)
		g_ptr_array_add(checkout->conflicts, g_strdup(path));
}

void mlv_checkout_lack(MlvCheckout *checkout, const char *path, const MlvRef *ref, guint64 bytes)
{
	checkout->totals.missing++;
	checkout->totals.missing_bytes += bytes;
	if (checkout->missing_paths->len < NOTED_MAX)
		g_ptr_array_add(checkout->missing_paths, g_strdup(path));
	if (g_hash_table_contains(checkout->missing_seen, &ref->id))
		return;
	g_hash_table_add(checkout->missing_seen, g_memdup2(&ref->id, sizeof(ref->id)));
	g_array_append_val(checkout->missing, *ref);
}

/* --- what the store has ----------------------------------------------------------------------- */

/* Whether every leaf below a list is in the store; a list that is not is absence too. */
static gboolean has_leaves(MlvStore *store, const MlvRef *ref, gboolean *has, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(MlvLeafCursor) cursor =
		mlv_leaf_cursor_new(mlv_store_source(store), ref, 0, &local);
	guint64 offset, length = 1;
	MlvPlace place;
	MlvId id;

	*has = cursor != NULL;
	while (*has && length > 0) {
		if (!mlv_leaf_cursor_next(cursor, &id, &offset, &length, &local))
			*has = FALSE;
		else if (length > 0 &&
			 !mlv_store_find(store, MLV_KIND_BLOB, &id, &place, has, error))
			return FALSE;
	}
	if (!local || g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* Whether the store has all of a file's content. */
static gboolean is_stored(MlvCheckout *checkout, const MlvRef *ref, gboolean *has, GError **error)
{
	MlvPlace place;

	*has = TRUE;
	if (ref->size == 0)
		return TRUE;
	if (ref->depth > 0)
		return has_leaves(checkout->options.store, ref, has, error);
	return mlv_store_find(checkout->options.store, MLV_KIND_BLOB, &ref->id, &place, has, error);
}

static gboolean corrupt(const CheckoutDir *dir, const CheckoutItem *item, const char *why,
			GError **error)
{
	g_autofree char *path = mlv_checkout_item_path(dir, item->name);

	return mlv_fail(error, MLV_ERROR_CORRUPT, "what '%s' is to be cannot be: %s", path, why);
}

static gboolean find_content(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
			     gboolean *has, GError **error)
{
	MlvRef ref = mlv_checkout_item_ref(item);
	MlvPlace place;
	MlvId id;

	*has = TRUE;
	if (item->mode == MLV_MODE_SYMLINK && (item->size == 0 || item->size > SYMLINK_MAX))
		return corrupt(dir, item, "the target of a symlink has 1 to 4095 bytes", error);
	if (item->size == 0) {
		mlv_id_of("", 0, &id);
		return mlv_id_equal(&id, &item->id) ||
		       corrupt(dir, item, "its id is not that of no bytes", error);
	}
	if (item->depth > 0)
		return has_leaves(checkout->options.store, &ref, has, error);
	if (!mlv_store_find(checkout->options.store, MLV_KIND_BLOB, &item->id, &place, has, error))
		return FALSE;
	if (!*has)
		return TRUE;
	if (place.entry.raw != item->size)
		return corrupt(dir, item, "its object has another size", error);
	item->pack = place.pack;
	item->offset = place.entry.offset;
	item->stored = place.entry.stored;
	item->codec = place.entry.codec;
	return TRUE;
}

gboolean mlv_checkout_want(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
			   GError **error)
{
	MlvRef ref = mlv_checkout_item_ref(item);
	gboolean has;

	item->op = OP_WRITE;
	if (!find_content(checkout, dir, item, &has, error))
		return FALSE;
	if (!has) {
		g_autofree char *path = mlv_checkout_item_path(dir, item->name);
		mlv_checkout_lack(checkout, path, &ref, item->size);
	}
	checkout->totals.write_files++;
	checkout->totals.write_bytes += item->size;
	if (checkout->clone_block == 0 || item->depth == 0)
		checkout->copied_bytes += item->size;
	return TRUE;
}

/* --- what is on disk -------------------------------------------------------------------------- */

/* What was found out about the file on disk. */
typedef struct {
	MlvRef ref;
	guint8 mode;
	gboolean known;  /* ref is set */
	gboolean stored; /* the stat cache says so */
} Found;

static gboolean same_content(const Found *found, const MlvRef *ref, guint8 mode)
{
	return found->known && found->ref.depth == ref->depth && found->ref.size == ref->size &&
	       mlv_id_equal(&found->ref.id, &ref->id) &&
	       (found->mode == MLV_MODE_SYMLINK) == (mode == MLV_MODE_SYMLINK);
}

/* Keeps a file that has the wanted content already. */
static gboolean keep(MlvCheckout *checkout, CheckoutItem *item, const Found *found, GError **error)
{
	gboolean stored = found->stored;

	if (!stored && !is_stored(checkout, &found->ref, &stored, error))
		return FALSE;
	if (stored)
		item->flags |= ITEM_STORED;
	item->op = found->mode == item->mode ? OP_KEEP : OP_MODE;
	if (item->op == OP_KEEP)
		checkout->totals.keep_files++;
	else
		checkout->totals.mode_files++;
	return TRUE;
}

static gboolean decide(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
		       const Found *found, GError **error)
{
	gboolean wanted = item->flags & ITEM_WANTED;
	gboolean may = (checkout->options.force && !(item->flags & ITEM_HIDDEN)) || found->stored;
	MlvRef ref = mlv_checkout_item_ref(item);

	if (wanted && same_content(found, &ref, item->mode))
		return keep(checkout, item, found, error);
	item->flags &= (guint8)~ITEM_CACHED;
	if (!may && found->known && !is_stored(checkout, &found->ref, &may, error))
		return FALSE;
	if (!may) {
		g_autofree char *path = mlv_checkout_item_path(dir, item->name);
		mlv_checkout_conflict(checkout, path);
		item->op = OP_NONE;
		return TRUE;
	}
	checkout->freed_bytes += item->st.size;
	if (wanted)
		return mlv_checkout_want(checkout, dir, item, error);
	item->op = OP_REMOVE;
	checkout->totals.remove_files++;
	return TRUE;
}

static gboolean read_symlink(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
			     Found *found, GError **error)
{
	char text[SYMLINK_MAX + 1];
	g_auto(MlvFd) fd = mlv_workspace_open_dir(checkout->root, dir->path, error);

	if (fd < 0)
		return FALSE;
	ssize_t length = readlinkat(fd, item->name, text, sizeof(text));
	found->known = length >= 0 && length <= SYMLINK_MAX;
	if (!found->known)
		return TRUE;
	found->ref = (MlvRef){ .kind = MLV_KIND_BLOB, .size = (guint64)length };
	mlv_id_of(text, (gsize)length, &found->ref.id);
	return TRUE;
}

static gboolean hash_later(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
			   GError **error)
{
	g_autofree char *path = mlv_checkout_item_path(dir, item->name);
	CheckoutPending *pending = g_new0(CheckoutPending, 1);

	pending->checkout = checkout;
	pending->dir = dir;
	pending->item = (guint)(item - (CheckoutItem *)(void *)dir->items->data);
	g_ptr_array_add(checkout->pending, pending);
	if (!checkout->ingest) {
		checkout->hash_now = mlv_stat_fs_now(checkout->options.repo);
		checkout->ingest =
			mlv_ingest_new(NULL, checkout->options.threads, checkout->options.cancel,
				       mlv_checkout_hashed, checkout);
	}
	return mlv_ingest_file(checkout->ingest, checkout->root, path, item->st.size, pending,
			       error);
}

gboolean mlv_checkout_meet(MlvCheckout *checkout, CheckoutDir *dir, CheckoutItem *item,
			   const MlvScanEntry *disk, GError **error)
{
	const MlvStatRecord *record = disk->record;
	Found found = { .mode = disk->st.mode };

	item->st = disk->st;
	item->flags |= ITEM_HAS_OLD;
	if (record) {
		item->flags |= ITEM_CACHED;
		found.known = TRUE;
		found.ref = (MlvRef){ .kind = MLV_KIND_BLOB,
				      .depth = record->depth,
				      .size = record->size };
		memcpy(found.ref.id.b, record->id, MLV_ID_SIZE);
		found.stored = (record->flags & MLV_STAT_STORED) &&
			       !mlv_statcache_is_stale(checkout->options.cache);
	} else if (disk->st.mode == MLV_MODE_SYMLINK) {
		if (!read_symlink(checkout, dir, item, &found, error))
			return FALSE;
	} else if (disk->type == MLV_SCAN_FILE) {
		gboolean may_be_same = (item->flags & ITEM_WANTED) && item->size == disk->st.size;
		if (!checkout->options.force || may_be_same || (item->flags & ITEM_HIDDEN))
			return hash_later(checkout, dir, item, error);
	}
	return decide(checkout, dir, item, &found, error);
}

void mlv_checkout_hashed(MlvIngested *result, gpointer user)
{
	CheckoutPending *pending = result->tag;
	MlvCheckout *checkout = pending->checkout;
	CheckoutItem *item = &g_array_index(pending->dir->items, CheckoutItem, pending->item);
	Found found = { .mode = item->st.mode };

	if (checkout->error)
		return;
	/* One that cannot be read holds who knows what: it is in the way as if it were unsaved. */
	if (!result->error && mlv_stat_from_statx(&result->stat, &item->st)) {
		found.known = TRUE;
		found.ref = result->ref;
		found.mode = item->st.mode;
		if (checkout->options.progress)
			checkout->options.progress(result->ref.size, 0, checkout->options.data);
	}
	decide(checkout, pending->dir, item, &found, &checkout->error);
}
