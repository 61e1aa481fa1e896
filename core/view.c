/* SPDX-License-Identifier: Apache-2.0 */
#include "core/view.h"

#include <string.h>

struct MlvView {
	MlvRepo *repo;
	MlvStore *store;
	gboolean borrowed; /* the store is the caller's */
	MlvSource *chain;
};

MlvView *mlv_view_new(MlvRepo *repo, MlvStore *store)
{
	MlvView *view = g_new0(MlvView, 1);

	view->repo = repo;
	view->store = store;
	view->borrowed = TRUE;
	view->chain = mlv_chain_new(store ? mlv_store_source(store) : NULL);
	return view;
}

MlvView *mlv_view_open(MlvRepo *repo, MlvStoreWaiting waiting, gpointer user, GError **error)
{
	g_autoptr(GError) failed = NULL;
	MlvStore *store = mlv_store_open(mlv_repo_store_dir(repo), FALSE, waiting, user, &failed);
	MlvView *view;

	if (!store && !g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return NULL;
	}
	view = g_new0(MlvView, 1);
	view->repo = repo;
	view->store = store;
	view->chain = mlv_chain_new(store ? mlv_store_source(store) : NULL);
	return view;
}

void mlv_view_close(MlvView *view)
{
	if (!view)
		return;
	mlv_chain_free(view->chain);
	if (!view->borrowed)
		mlv_store_close(view->store);
	g_free(view);
}

MlvRepo *mlv_view_repo(const MlvView *view)
{
	return view->repo;
}

MlvStore *mlv_view_store(const MlvView *view)
{
	return view->store;
}

MlvSource *mlv_view_source(const MlvView *view)
{
	return view->chain;
}

void mlv_view_set_fallback(MlvView *view, MlvChainOpen open, gpointer user,
			   GDestroyNotify free_user)
{
	mlv_chain_set_fallback(view->chain, open, user, free_user);
}

/* --- revisions -------------------------------------------------------------------------------- */

gboolean mlv_view_revision(MlvView *view, const char *rev, MlvRevision *revision, GError **error)
{
	gboolean unborn = FALSE;

	memset(revision, 0, sizeof(*revision));
	revision->at = !rev ? MLV_AT_WORKSPACE : !*rev ? MLV_AT_INDEX : MLV_AT_COMMIT;
	if (revision->at != MLV_AT_COMMIT)
		return TRUE;
	if (strcmp(rev, "HEAD") == 0 || strcmp(rev, "@") == 0) {
		if (!mlv_git_head(view->repo, &revision->commit, &unborn, error))
			return FALSE;
		if (unborn)
			revision->at = MLV_AT_NOTHING;
		return TRUE;
	}
	return mlv_git_resolve(view->repo, rev, &revision->commit, error);
}

/* Of a path in conflict only our side is kept, if there is one. */
static GPtrArray *keep_ours(GPtrArray *pointers)
{
	for (guint i = pointers->len; i-- > 0;) {
		const MlvTracked *tracked = pointers->pdata[i];

		if (tracked->stage == 1 || tracked->stage == 3)
			g_ptr_array_remove_index(pointers, i);
	}
	return pointers;
}

GPtrArray *mlv_view_pointers(MlvView *view, const MlvRevision *revision, GError **error)
{
	GPtrArray *pointers;

	switch (revision->at) {
	case MLV_AT_WORKSPACE:
		return mlv_git_pointers_in_workspace(view->repo, FALSE, error);
	case MLV_AT_INDEX:
		pointers = mlv_git_pointers_in_index(view->repo, error);
		return pointers ? keep_ours(pointers) : NULL;
	case MLV_AT_COMMIT:
		return mlv_git_pointers_in_commit(view->repo, &revision->commit, error);
	case MLV_AT_NOTHING:
		break;
	}
	return g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
}

/* --- [REV:]PATH ------------------------------------------------------------------------------- */

static gboolean is_below(const char *path, const char *folder)
{
	gsize length = strlen(folder);

	return length == 0 || (strncmp(path, folder, length) == 0 && path[length] == '/');
}

void mlv_view_entry(const MlvPointer *pointer, const char *name, MlvTreeEntry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->name = name;
	entry->name_length = (guint8)strlen(name);
	entry->mode = pointer->mode;
	entry->ref = pointer->ref;
	entry->files = pointer->files;
	entry->bytes = pointer->bytes;
}

gboolean mlv_view_descend(MlvView *view, const MlvTracked *target, const char *rest,
			  MlvTreeEntry *entry, gboolean *found, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(rest, "/", -1);
	const char *last = strrchr(rest, '/');

	*found = FALSE;
	mlv_view_entry(&target->pointer, rest, entry);
	for (char **part = parts; *part; part++) {
		MlvRef tree = entry->ref;

		if (entry->mode != MLV_MODE_DIRECTORY)
			return TRUE;
		if (!mlv_tree_find(view->chain, &tree, *part, entry, found, error))
			return FALSE;
		if (!*found)
			return TRUE;
		*found = FALSE;
	}
	*found = TRUE;
	entry->name = last ? last + 1 : rest;
	return TRUE;
}

static gboolean fail_absent(const MlvSpot *spot, GError **error)
{
	const char *path = *spot->path ? spot->path : ".";

	if (spot->rev && *spot->rev)
		return mlv_fail(error, MLV_ERROR_MISSING, "no tracked data at '%s' in '%s'", path,
				spot->rev);
	if (spot->rev)
		return mlv_fail(error, MLV_ERROR_MISSING, "no tracked data at '%s' in git's index",
				path);
	return mlv_fail(error, MLV_ERROR_MISSING,
			"no tracked data at '%s'; 'mlv add' tracks it, 'REV:PATH' looks elsewhere",
			path);
}

/* What lies at spot->path, `rest` below the target. */
static gboolean find_in_target(MlvView *view, MlvSpot *spot, const char *rest, GError **error)
{
	const char *slash = strrchr(spot->path, '/');
	gboolean found = TRUE;

	if (spot->target->error) {
		g_propagate_error(error, g_error_copy(spot->target->error));
		return FALSE;
	}
	if (!*rest)
		mlv_view_entry(&spot->target->pointer, "", &spot->entry);
	else if (!mlv_view_descend(view, spot->target, rest, &spot->entry, &found, error))
		return mlv_view_advise(spot->path, error);
	if (!found)
		return fail_absent(spot, error);
	spot->entry.name = slash ? slash + 1 : spot->path;
	spot->entry.name_length = (guint8)MIN(strlen(spot->entry.name), MLV_NAME_MAX);
	return TRUE;
}

/* The target that spot->path is, or lies in, or is the pointer of; FALSE if there is none. */
static gboolean find_cover(MlvSpot *spot, const GPtrArray *pointers, const char **rest)
{
	g_autofree char *data_path = NULL;
	const MlvTracked *cover = mlv_tracked_cover(pointers, spot->path, rest);

	if (!cover && mlv_pointer_is_path(spot->path)) {
		data_path = mlv_pointer_data_path(spot->path);
		cover = mlv_tracked_find(pointers, data_path);
		if (cover) {
			g_free(spot->path);
			spot->path = g_steal_pointer(&data_path);
			*rest = "";
		}
	}
	spot->target = cover;
	return cover != NULL;
}

static gboolean find_spot(MlvView *view, MlvSpot *spot, GError **error)
{
	g_autoptr(GPtrArray) pointers = NULL;
	const char *rest = "";

	/* The usual case reads only the trees on the way. */
	if (spot->revision.at == MLV_AT_COMMIT && *spot->path) {
		g_autoptr(GError) failed = NULL;
		MlvTracked *target = mlv_git_find_pointer(view->repo, &spot->revision.commit,
							  spot->path, &rest, &failed);

		if (failed) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return FALSE;
		}
		if (target) {
			g_ptr_array_add(spot->targets, target);
			spot->target = target;
			return find_in_target(view, spot, rest, error);
		}
	}
	pointers = mlv_view_pointers(view, &spot->revision, error);
	if (!pointers)
		return FALSE;
	if (find_cover(spot, pointers, &rest)) {
		guint at;

		/* Taken out of the array, which would free it. */
		g_ptr_array_find(pointers, spot->target, &at);
		g_ptr_array_add(spot->targets, g_ptr_array_steal_index(pointers, at));
		return find_in_target(view, spot, rest, error);
	}
	for (guint i = 0; i < pointers->len;) {
		const MlvTracked *tracked = pointers->pdata[i];

		if (is_below(tracked->path, spot->path))
			g_ptr_array_add(spot->targets, g_ptr_array_steal_index(pointers, i));
		else
			i++;
	}
	spot->folder = TRUE;
	return spot->targets->len > 0 || !*spot->path || fail_absent(spot, error);
}

MlvSpot *mlv_view_find(MlvView *view, const char *text, GError **error)
{
	g_autoptr(MlvSpot) spot = g_new0(MlvSpot, 1);

	spot->text = g_strdup(text);
	spot->targets = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	if (!mlv_git_split_path(view->repo, text, &spot->rev, &spot->path, error) ||
	    !mlv_view_revision(view, spot->rev, &spot->revision, error) ||
	    !find_spot(view, spot, error))
		return NULL;
	return g_steal_pointer(&spot);
}

void mlv_spot_free(MlvSpot *spot)
{
	if (!spot)
		return;
	g_ptr_array_unref(spot->targets);
	g_free(spot->text);
	g_free(spot->rev);
	g_free(spot->path);
	g_free(spot);
}

/* --- what is here ----------------------------------------------------------------------------- */

/* Looks for the chunks of a file in the store; once one is lacking it goes no further down. */
typedef struct {
	MlvStore *store;
	gboolean whole;
} HasWalk;

static gboolean ask_store(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			  gpointer user, GError **error)
{
	HasWalk *walk = user;
	MlvPlace place;
	gboolean found = FALSE;

	*descend = walk->whole;
	if (!walk->whole || kind != MLV_KIND_BLOB)
		return TRUE;
	if (!mlv_store_find(walk->store, kind, id, &place, &found, error))
		return FALSE;
	walk->whole = found;
	return TRUE;
}

static gboolean note_missing(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	HasWalk *walk = user;

	walk->whole = FALSE;
	return TRUE;
}

gboolean mlv_view_has(MlvView *view, const MlvRef *ref, gboolean *has, GError **error)
{
	g_autoptr(MlvMarks) marks = NULL;
	HasWalk walk = { view->store, TRUE };
	MlvPlace place;

	/* No bytes need no object. */
	*has = ref->kind == MLV_KIND_BLOB && ref->size == 0;
	if (*has || !view->store)
		return TRUE;
	if (ref->depth == 0 || ref->kind == MLV_KIND_TREE)
		return mlv_store_find(view->store, mlv_ref_chunk_kind(ref), &ref->id, &place, has,
				      error);
	marks = mlv_marks_new();
	if (!mlv_mark(mlv_store_source(view->store), ref, marks, ask_store, note_missing, &walk,
		      error))
		return FALSE;
	*has = walk.whole;
	return TRUE;
}

gboolean mlv_view_advise(const char *path, GError **error)
{
	if (error && g_error_matches(*error, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_autofree char *reason = g_strdup((*error)->message);

		g_clear_error(error);
		mlv_fail(error, MLV_ERROR_MISSING,
			 "'%s' is not here: %s; 'mlv fetch' or 'mlv pull -- %s' brings it", path,
			 reason, path);
	}
	return FALSE;
}
