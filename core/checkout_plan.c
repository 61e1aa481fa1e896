/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk that makes the plan: the wanted tree, the base tree and the directory on disk are
 * gone through side by side, name by name.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "core/checkout_private.h"
#include "core/workspace.h"

/* A tree read name by name; `at` is the next entry, at.name NULL at the end. */
typedef struct {
	MlvTreeCursor *cursor;
	MlvTreeEntry at;
} Side;

/* One directory of the walk. */
typedef struct {
	CheckoutDir *dir;
	MlvScanDir *disk;    /* NULL: it is not there */
	MlvTreeEntry cached; /* the base that the stat cache knows, if the caller knows none */
	gboolean whole;      /* everything in it is meant */
	MlvFd fd;            /* of the directory, once it is needed */
	/* Where it does not tell cases apart: names that will be in it, and those that are. */
	GHashTable *folded, *there;
} Walk;

static gboolean walk_dir(MlvCheckout *checkout, CheckoutDir *dir, const MlvTreeEntry *base,
			 MlvScanNode *node, gboolean whole, GError **error);

static void forget_names(Walk *walk)
{
	g_clear_pointer(&walk->folded, g_hash_table_unref);
	g_clear_pointer(&walk->there, g_hash_table_unref);
}

/* --- small things ----------------------------------------------------------------------------- */

char *mlv_checkout_item_path(const CheckoutDir *dir, const char *name)
{
	return g_strconcat(dir->path, *dir->path ? "/" : "", name, NULL);
}

CheckoutItem *mlv_checkout_add_item(MlvCheckout *checkout, CheckoutDir *dir,
				    const MlvTreeEntry *wanted, const char *name)
{
	CheckoutItem item = { .op = OP_PENDING };

	item.name = g_string_chunk_insert(checkout->names, name);
	if (wanted) {
		item.id = wanted->ref.id;
		item.size = wanted->ref.size;
		item.depth = wanted->ref.depth;
		item.mode = wanted->mode;
		item.flags = ITEM_WANTED;
	}
	g_array_append_val(dir->items, item);
	return &g_array_index(dir->items, CheckoutItem, dir->items->len - 1);
}

static CheckoutDir *add_dir(MlvCheckout *checkout, CheckoutTarget *target, CheckoutDir *parent,
			    const char *path, const MlvTreeEntry *tree)
{
	CheckoutDir *dir = g_new0(CheckoutDir, 1);

	dir->path = g_strdup(path);
	dir->parent = parent;
	dir->target = target;
	dir->items = g_array_new(FALSE, FALSE, sizeof(CheckoutItem));
	if (tree)
		dir->tree = *tree;
	dir->tree.name = NULL;
	g_ptr_array_add(checkout->dirs, dir);
	return dir;
}

/* Whether `path` itself, with all below it, is meant. Notes what the path filter brings. */
static gboolean is_meant(MlvCheckout *checkout, CheckoutTarget *target, const char *path,
			 gboolean wanted)
{
	if (!checkout->by_path)
		return !target->wanted ||
		       mlv_partial_expects(checkout->options.partial, target->path, path);
	if (!mlv_pathspec_matches(checkout->options.paths, path))
		return FALSE;
	if (wanted)
		g_ptr_array_add(target->brought, g_strdup(path));
	return TRUE;
}

static gboolean may_be_below(MlvCheckout *checkout, CheckoutTarget *target, const char *path)
{
	return checkout->by_path
		       ? mlv_pathspec_may_match_below(checkout->options.paths, path)
		       : mlv_partial_expects_below(checkout->options.partial, target->path, path);
}

/* --- the sides -------------------------------------------------------------------------------- */

static gboolean side_next(Side *side, GError **error)
{
	if (!side->cursor) {
		side->at.name = NULL;
		return TRUE;
	}
	return mlv_tree_cursor_next(side->cursor, &side->at, error);
}

static void side_clear(Side *side)
{
	g_clear_pointer(&side->cursor, mlv_tree_cursor_free);
}

/* Opens a tree; one that the store lacks is *missing. */
static gboolean side_open(MlvCheckout *checkout, Side *side, const MlvTreeEntry *tree,
			  gboolean *missing, GError **error)
{
	g_autoptr(GError) local = NULL;

	memset(side, 0, sizeof(*side));
	*missing = FALSE;
	if (!tree || tree->mode != MLV_MODE_DIRECTORY)
		return TRUE;
	side->cursor =
		mlv_tree_cursor_new(mlv_store_source(checkout->options.store), &tree->ref, &local);
	if (side->cursor && side_next(side, &local))
		return TRUE;
	side_clear(side);
	side->at.name = NULL;
	*missing = g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING);
	if (*missing)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* --- one name --------------------------------------------------------------------------------- */

/* A file that stays as it is. Its record, if the stat cache has one, stays too. */
static void leave_file(MlvCheckout *checkout, Walk *walk, const MlvScanEntry *found,
		       const MlvTreeEntry *want)
{
	gboolean same = want && found && found->record && found->record->depth == want->ref.depth &&
			found->record->size == want->ref.size &&
			found->record->mode == want->mode &&
			memcmp(found->record->id, want->ref.id.b, MLV_ID_SIZE) == 0;

	if (!same)
		walk->dir->incomplete = TRUE;
	if (!found || !found->record)
		return;
	CheckoutItem *item =
		mlv_checkout_add_item(checkout, walk->dir, same ? want : NULL, found->name);
	item->op = same ? OP_KEEP : OP_NONE;
	item->flags |= ITEM_CACHED;
	checkout->totals.keep_files += same;
}

/* What .mlvignore hides from the scan may stand where something is wanted. What stands there by a
 * name in other case is known by that name, and goes before anything is written. */
static gboolean find_hidden(MlvCheckout *checkout, Walk *walk, const char *path, const char *name,
			    MlvScanEntry *found, gboolean *exists, GError **error)
{
	*exists = FALSE;
	if (!walk->disk)
		return TRUE;
	if (walk->dir->folds && mlv_checkout_lists_twin(&walk->there, walk->disk, name))
		return TRUE;
	if (walk->fd < 0)
		walk->fd = mlv_workspace_open_dir(checkout->root, walk->dir->path, error);
	if (walk->fd < 0)
		return FALSE;
	memset(found, 0, sizeof(*found));
	found->name = name;
	if (!mlv_workspace_stat(walk->fd, name, &found->st, exists, path, error))
		return FALSE;
	found->type = found->st.mode == MLV_MODE_DIRECTORY ? MLV_SCAN_DIRECTORY
		      : found->st.mode == 0                ? MLV_SCAN_OTHER
							   : MLV_SCAN_FILE;
	return TRUE;
}

/* A directory (on disk) that is to go, as far as its content may. */
static gboolean remove_dir(MlvCheckout *checkout, Walk *walk, const char *path,
			   const MlvScanEntry *found, const MlvTreeEntry *base, gboolean whole,
			   gboolean must_go, GError **error)
{
	CheckoutDir *dir = add_dir(checkout, walk->dir->target, walk->dir, path, NULL);

	dir->on_disk = TRUE;
	dir->must_go = must_go;
	return walk_dir(checkout, dir, base && base->mode == MLV_MODE_DIRECTORY ? base : NULL,
			found->node, whole, error);
}

static gboolean want_file(MlvCheckout *checkout, Walk *walk, const char *path,
			  const MlvTreeEntry *want, const MlvTreeEntry *base,
			  const MlvScanEntry *found, GError **error)
{
	MlvScanEntry other;
	gboolean hidden = FALSE;

	if (!found && !find_hidden(checkout, walk, path, want->name, &other, &hidden, error))
		return FALSE;
	if (hidden)
		found = &other;
	if (found && found->type == MLV_SCAN_DIRECTORY) {
		if (hidden)
			mlv_checkout_conflict(checkout, path);
		else if (!remove_dir(checkout, walk, path, found, base, TRUE, TRUE, error))
			return FALSE;
		found = NULL;
	}
	CheckoutItem *item = mlv_checkout_add_item(checkout, walk->dir, want, want->name);
	walk->dir->dirty = TRUE;
	if (!found)
		return mlv_checkout_want(checkout, walk->dir, item, error);
	if (hidden)
		item->flags |= ITEM_HIDDEN;
	return mlv_checkout_meet(checkout, walk->dir, item, found, error);
}

static gboolean want_dir(MlvCheckout *checkout, Walk *walk, const char *path,
			 const MlvTreeEntry *want, const MlvTreeEntry *base,
			 const MlvScanEntry *found, gboolean whole, GError **error)
{
	MlvScanEntry other;
	gboolean hidden = FALSE;

	if (!found && !find_hidden(checkout, walk, path, want->name, &other, &hidden, error))
		return FALSE;
	if (hidden && other.type != MLV_SCAN_DIRECTORY)
		mlv_checkout_conflict(checkout, path);
	if (found && found->type != MLV_SCAN_DIRECTORY) {
		CheckoutItem *item = mlv_checkout_add_item(checkout, walk->dir, NULL, found->name);
		if (!mlv_checkout_meet(checkout, walk->dir, item, found, error))
			return FALSE;
		walk->dir->dirty = TRUE;
		found = NULL;
	}
	walk->dir->subdirs = mlv_statcache_add_subdir(walk->dir->subdirs, want->name);
	CheckoutDir *dir = add_dir(checkout, walk->dir->target, walk->dir, path, want);
	dir->on_disk = found != NULL || hidden;
	MlvScanNode *node = found    ? found->node
			    : hidden ? mlv_scan_root(checkout->scan, path, NULL)
				     : NULL;
	return walk_dir(checkout, dir, base && base->mode == MLV_MODE_DIRECTORY ? base : NULL, node,
			whole, error);
}

/* A name that the wanted version does not have. */
static gboolean want_nothing(MlvCheckout *checkout, Walk *walk, const char *path,
			     const MlvTreeEntry *base, const MlvScanEntry *found, GError **error)
{
	gboolean meant =
		base || walk->dir->must_go || walk->dir->folder ||
		(walk->dir->target->wanted ? checkout->options.force : checkout->options.exact);

	if (!found)
		return TRUE;
	if (found->type == MLV_SCAN_DIRECTORY) {
		if (meant &&
		    !remove_dir(checkout, walk, path, found, base, TRUE, walk->dir->must_go, error))
			return FALSE;
		if (!meant)
			walk->dir->incomplete = TRUE;
		return TRUE;
	}
	if (!meant) {
		leave_file(checkout, walk, found, NULL);
		return TRUE;
	}
	CheckoutItem *item = mlv_checkout_add_item(checkout, walk->dir, NULL, found->name);
	walk->dir->dirty = TRUE;
	return mlv_checkout_meet(checkout, walk->dir, item, found, error);
}

/* Whether a name can stand beside those before it. */
static gboolean check_twin(MlvCheckout *checkout, Walk *walk, const MlvTreeEntry *want,
			   const MlvTreeEntry *base, const MlvScanEntry *found, gboolean meant,
			   GError **error)
{
	gboolean stays =
		found && !want && !base && !checkout->options.force && !checkout->options.exact;

	if (!walk->dir->folds || !(stays || (want && (meant || found))))
		return TRUE;
	return mlv_checkout_fold_name(&walk->folded, walk->dir, want ? want->name : found->name,
				      error);
}

static gboolean walk_name(MlvCheckout *checkout, Walk *walk, const MlvTreeEntry *want,
			  const MlvTreeEntry *base, const MlvScanEntry *found, GError **error)
{
	const char *name = want ? want->name : base ? base->name : found->name;
	gboolean want_is_dir = want && want->mode == MLV_MODE_DIRECTORY;
	g_autofree char *path = mlv_checkout_item_path(walk->dir, name);
	gboolean whole = walk->whole || is_meant(checkout, walk->dir->target, path, want != NULL);

	if (strlen(path) >= PATH_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"the path '%.200s...' is too long for this system", path);
	if (found && found->type == MLV_SCAN_UNREADABLE)
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot stat '%s': %s", path,
				g_strerror(found->problem));
	gboolean below = !whole && want_is_dir && may_be_below(checkout, walk->dir->target, path);
	if (!check_twin(checkout, walk, want, base, found, whole || below, error))
		return FALSE;
	if (below)
		return want_dir(checkout, walk, path, want, base, found, FALSE, error);
	if (!whole && !want && found && found->type == MLV_SCAN_DIRECTORY &&
	    (checkout->options.exact || (base && base->mode == MLV_MODE_DIRECTORY)) &&
	    may_be_below(checkout, walk->dir->target, path)) {
		walk->dir->incomplete = TRUE;
		return remove_dir(checkout, walk, path, found, base, FALSE, FALSE, error);
	}
	if (!whole) {
		if (found && found->type == MLV_SCAN_DIRECTORY)
			walk->dir->incomplete = TRUE;
		else
			leave_file(checkout, walk, found, want_is_dir ? NULL : want);
		return TRUE;
	}
	if (!want)
		return want_nothing(checkout, walk, path, base, found, error);
	if (want_is_dir)
		return want_dir(checkout, walk, path, want, base, found, TRUE, error);
	return want_file(checkout, walk, path, want, base, found, error);
}

/* --- one directory ---------------------------------------------------------------------------- */

/* Whether the stat cache says that the files here are those of the wanted tree: then only the
 * sub-directories need a look. */
static gboolean is_unchanged(const Walk *walk)
{
	const MlvScanDir *disk = walk->disk;

	return disk && walk->whole && disk->same_files && disk->cached.has_tree &&
	       walk->dir->tree.mode == MLV_MODE_DIRECTORY &&
	       disk->cached.subdirs == disk->subdirs &&
	       mlv_ref_equal(&disk->cached.tree, &walk->dir->tree.ref);
}

/* What the work tree held, when the caller does not know or knows only the wanted: the tree that
 * the stat cache last saw here, if it was in the store. */
static const MlvTreeEntry *choose_base(Walk *walk, const MlvTreeEntry *base)
{
	const MlvScanDir *disk = walk->disk;

	if (base && (walk->dir->tree.mode == 0 || !mlv_ref_equal(&base->ref, &walk->dir->tree.ref)))
		return base;
	if (!disk || !disk->has_cached || !disk->cached.has_tree || !disk->cached.tree_stored)
		return base;
	walk->cached = (MlvTreeEntry){ .mode = MLV_MODE_DIRECTORY, .ref = disk->cached.tree };
	return &walk->cached;
}

/* The smallest of the names that come next, or NULL at the end. */
static const char *next_name(const Side *want, const Side *base, const MlvScanDir *disk,
			     gsize number)
{
	const char *name = want->at.name;

	if (base->at.name && (!name || strcmp(base->at.name, name) < 0))
		name = base->at.name;
	if (disk && number < disk->count && (!name || strcmp(disk->entries[number].name, name) < 0))
		name = disk->entries[number].name;
	return name;
}

static gboolean merge_sides(MlvCheckout *checkout, Walk *walk, Side *want, Side *base,
			    GError **error)
{
	gsize number = 0;
	const char *name;

	while ((name = next_name(want, base, walk->disk, number))) {
		gboolean in_want = want->at.name && strcmp(want->at.name, name) == 0;
		gboolean in_base = base->at.name && strcmp(base->at.name, name) == 0;
		gboolean on_disk = walk->disk && number < walk->disk->count &&
				   strcmp(walk->disk->entries[number].name, name) == 0;
		const MlvScanEntry *found = on_disk ? &walk->disk->entries[number] : NULL;
		gboolean pass =
			walk->dir->unchanged && in_want && want->at.mode != MLV_MODE_DIRECTORY;

		if (checkout->options.cancel && *checkout->options.cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (pass)
			checkout->totals.keep_files++;
		else if (!walk_name(checkout, walk, in_want ? &want->at : NULL,
				    in_base ? &base->at : NULL, found, error))
			return FALSE;
		number += on_disk;
		if ((in_want && !side_next(want, error)) || (in_base && !side_next(base, error))) {
			g_prefix_error(error, "'%s': ", walk->dir->path);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean walk_sides(MlvCheckout *checkout, Walk *walk, const MlvTreeEntry *base_tree,
			   GError **error)
{
	CheckoutDir *dir = walk->dir;
	Side want, base;
	gboolean missing, no_base;

	if (!side_open(checkout, &want, &dir->tree, &missing, error))
		return FALSE;
	if (missing) {
		mlv_checkout_lack(checkout, dir->path, &dir->tree.ref, dir->tree.bytes);
		return TRUE;
	}
	/* A damaged base is as none: the rule falls back to what the store has. One that cannot
	 * be read just now is no reason to leave behind what the new version does not have. */
	g_autoptr(GError) unread = NULL;
	if (!side_open(checkout, &base, base_tree, &no_base, &unread))
		memset(&base, 0, sizeof(base));
	gboolean ok = FALSE;
	if (unread && !g_error_matches(unread, MLV_ERROR, MLV_ERROR_CORRUPT))
		g_propagate_error(error, g_steal_pointer(&unread));
	else
		ok = merge_sides(checkout, walk, &want, &base, error);
	side_clear(&want);
	side_clear(&base);
	return ok;
}

static gboolean walk_dir(MlvCheckout *checkout, CheckoutDir *dir, const MlvTreeEntry *base,
			 MlvScanNode *node, gboolean whole, GError **error)
{
	Walk walk = { .dir = dir, .whole = whole, .fd = -1 };

	if (node)
		walk.disk = mlv_scan_take(checkout->scan, node);
	if (walk.disk && walk.disk->error) {
		g_propagate_error(error, g_steal_pointer(&walk.disk->error));
		mlv_scan_dir_free(walk.disk);
		return FALSE;
	}
	mlv_checkout_find_fold(checkout, dir);
	dir->unchanged = is_unchanged(&walk);
	dir->dirty = !dir->unchanged;
	dir->whole = whole;
	gboolean ok = walk_sides(checkout, &walk, dir->unchanged ? NULL : choose_base(&walk, base),
				 error);
	mlv_scan_dir_free(walk.disk);
	mlv_fd_clear(&walk.fd);
	forget_names(&walk);
	return ok;
}

gboolean mlv_checkout_walk_target(MlvCheckout *checkout, CheckoutTarget *target, const char *folder,
				  const MlvTreeEntry *want, const MlvTreeEntry *base,
				  const MlvScanEntry *found, GError **error)
{
	Walk walk = { .dir = add_dir(checkout, target, NULL, folder, NULL), .fd = -1 };

	walk.dir->folder = walk.dir->on_disk = TRUE;
	mlv_checkout_find_fold(checkout, walk.dir);
	gboolean ok =
		(!want && !base && !found) || walk_name(checkout, &walk, want, base, found, error);
	mlv_fd_clear(&walk.fd);
	forget_names(&walk);
	return ok;
}
