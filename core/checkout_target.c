/* SPDX-License-Identifier: Apache-2.0 */
/* Where a target lies, and which targets there are. */
#include <string.h>

#include "core/checkout_private.h"
#include "core/snapshot.h"
#include "core/target.h"
#include "core/workspace.h"

static void entry_of(const MlvPointer *pointer, const char *name, MlvTreeEntry *entry)
{
	*entry = (MlvTreeEntry){ .name = name,
				 .mode = pointer->mode,
				 .ref = pointer->ref,
				 .files = pointer->files,
				 .bytes = pointer->bytes };
	entry->name_length = (guint8)strlen(name);
}

/* What stands at the target's own path. A folder above that is not there is nothing; one that is
 * a symlink is refused. */
static gboolean find_target(MlvCheckout *checkout, const char *folder, const char *path,
			    MlvScanEntry *found, gboolean *exists, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_auto(MlvFd) fd = mlv_workspace_open_dir(checkout->root, folder, &local);
	MlvStatDir cached;

	*exists = FALSE;
	if (fd < 0 && g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	if (fd < 0) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!mlv_workspace_stat(fd, found->name, &found->st, exists, path, error) || !*exists)
		return !*exists && (!error || !*error);
	found->type = found->st.mode == MLV_MODE_DIRECTORY ? MLV_SCAN_DIRECTORY
		      : found->st.mode == 0                ? MLV_SCAN_OTHER
							   : MLV_SCAN_FILE;
	if (found->type == MLV_SCAN_FILE &&
	    mlv_statcache_dir(checkout->options.cache, folder, &cached)) {
		found->record = mlv_statcache_find(&cached, found->name);
		if (found->record && !mlv_stat_matches(found->record, &found->st))
			found->record = NULL;
	}
	if (found->type == MLV_SCAN_DIRECTORY) {
		g_autoptr(MlvIgnoreRules) rules = mlv_scan_rules_above(checkout->root, path);
		found->node = mlv_scan_root(checkout->scan, path, rules);
	}
	return TRUE;
}

/* Whether what stands there was made here: bringing a part of it makes the work tree partial too. */
static gboolean is_unbrought(const MlvCheckout *checkout, const char *path, const MlvPointer *base)
{
	const MlvSnapshotOptions options = { .repo = checkout->options.repo,
					     .store = checkout->options.store,
					     .cache = checkout->options.cache,
					     .partial = checkout->options.partial };

	return checkout->by_path && base && mlv_snapshot_is_unbrought(&options, path, base);
}

gboolean mlv_checkout_target(MlvCheckout *checkout, const char *path, const MlvPointer *wanted,
			     const MlvPointer *base, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = g_strndup(path, slash ? (gsize)(slash - path) : 0);
	const char *name = slash ? slash + 1 : path;
	MlvScanEntry found = { .name = name };
	MlvTreeEntry want_entry, base_entry;
	gboolean exists;

	if (checkout->by_path && !mlv_pathspec_may_match_below(checkout->options.paths, path))
		return TRUE;
	if (!find_target(checkout, folder, path, &found, &exists, error))
		return FALSE;
	CheckoutTarget *target = g_new0(CheckoutTarget, 1);
	target->path = g_strdup(path);
	target->wanted = wanted != NULL;
	target->absent = !exists || is_unbrought(checkout, path, base ? base : wanted);
	target->brought = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(checkout->targets, target);
	if (wanted)
		entry_of(wanted, name, &want_entry);
	if (base)
		entry_of(base, name, &base_entry);
	return mlv_checkout_walk_target(checkout, target, folder, wanted ? &want_entry : NULL,
					base ? &base_entry : NULL, exists ? &found : NULL, error);
}

/* The next element that can be used. */
static const MlvTracked *next_pointer(const GPtrArray *pointers, guint *number)
{
	for (; pointers && *number < pointers->len; (*number)++) {
		const MlvTracked *tracked = pointers->pdata[*number];
		if (!tracked->error && tracked->stage == 0)
			return tracked;
	}
	return NULL;
}

gboolean mlv_checkout_tracked(MlvCheckout *checkout, const MlvTracked *wanted,
			      const MlvPointer *base, GError **error)
{
	MlvSource *source = mlv_store_source(checkout->options.store);
	const MlvRef *ref = &wanted->pointer.ref;
	gboolean has = TRUE;

	if (wanted->stays && ref->size > 0 &&
	    !source->has(source, mlv_ref_chunk_kind(ref), &ref->id, &has, error))
		return FALSE;
	return !has || mlv_checkout_target(checkout, wanted->path, &wanted->pointer, base, error);
}

gboolean mlv_checkout_pointers(MlvCheckout *checkout, const GPtrArray *wanted,
			       const GPtrArray *base, GError **error)
{
	guint i = 0, j = 0;

	for (;;) {
		const MlvTracked *want = next_pointer(wanted, &i), *was = next_pointer(base, &j);

		if (!want && !was)
			return TRUE;
		int order = !want ? 1 : !was ? -1 : strcmp(want->path, was->path);
		const char *path = order <= 0 ? want->path : was->path;
		/* One that is wanted and cannot be read is not to go. */
		gboolean skip = order > 0 && wanted &&
				(mlv_tracked_find(wanted, path) || mlv_targets_doubt(wanted, was));
		i += order <= 0;
		j += order >= 0;
		const MlvPointer *base_pointer = order >= 0 ? &was->pointer : NULL;
		if (!skip &&
		    !(order <= 0 ? mlv_checkout_tracked(checkout, want, base_pointer, error)
				 : mlv_checkout_target(checkout, path, NULL, base_pointer, error)))
			return FALSE;
	}
}
