/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bundle_plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/bundle_private.h"
#include "core/git_reach.h"

#define NAMED_MAX 3 /* missing objects that a message names */

/* What a set of commits needs. */
typedef struct {
	GArray *refs; /* of MlvRef: with all that lies below */
	GArray *ways; /* of MlvRef: directories on the way to them, alone */
} Needs;

typedef struct {
	MlvBundlePlan *plan;
	MlvRepo *repo;
	MlvPathspec *paths;
	Needs have, need;
	Needs *into;     /* whichever is being gathered */
	MlvMarks *marks; /* what is had, then what was collected */
	MlvMarks *way_marks;
	guint64 n_missing;
	GString *missing; /* the first of them */
} Gather;

/* A directory whose entries are to be looked at. */
typedef struct {
	char *path;
	MlvRef ref;
} Folder;

static gboolean cancelled(const Gather *gather, GError **error)
{
	const volatile sig_atomic_t *cancel = gather->plan->options->cancel;

	return cancel && *cancel && !mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

/* --- what pointers name ----------------------------------------------------------------------- */

static void push_folder(GQueue *queue, const char *path, const MlvRef *ref)
{
	Folder *folder = g_new(Folder, 1);

	folder->path = g_strdup(path);
	folder->ref = *ref;
	g_queue_push_tail(queue, folder);
}

static void folder_free(gpointer data)
{
	g_free(((Folder *)data)->path);
	g_free(data);
}

/* Takes from one directory what the paths mean; further ones that must be looked at go to the
 * queue. */
static gboolean look_into(Gather *gather, const Folder *folder, GQueue *queue, GError **error)
{
	g_autoptr(MlvTreeCursor) cursor =
		mlv_tree_cursor_new(mlv_store_source(gather->plan->store), &folder->ref, error);
	MlvTreeEntry entry;

	g_array_append_val(gather->into->ways, folder->ref);
	while (cursor && mlv_tree_cursor_next(cursor, &entry, error)) {
		g_autofree char *path = NULL;

		if (!entry.name)
			return TRUE;
		path = g_strconcat(folder->path, "/", entry.name, NULL);
		if (mlv_pathspec_matches(gather->paths, path))
			g_array_append_val(gather->into->refs, entry.ref);
		else if (entry.mode == MLV_MODE_DIRECTORY &&
			 mlv_pathspec_may_match_below(gather->paths, path))
			push_folder(queue, path, &entry.ref);
	}
	g_prefix_error(error, "'%s': ", folder->path);
	return FALSE;
}

static gboolean take_pointer(Gather *gather, const MlvTracked *tracked, GError **error)
{
	const MlvBundleOptions *options = gather->plan->options;
	g_autoptr(GQueue) queue = NULL;
	gboolean ok = TRUE;
	Folder *folder;

	if (cancelled(gather, error))
		return FALSE;
	if (tracked->stays || !mlv_pathspec_may_match_below(gather->paths, tracked->path))
		return TRUE;
	if (tracked->error) {
		if (options->problem)
			options->problem(tracked->path, tracked->error->message, options->user);
		return TRUE;
	}
	if (mlv_pathspec_matches(gather->paths, tracked->path)) {
		g_array_append_val(gather->into->refs, tracked->pointer.ref);
		return TRUE;
	}
	if (tracked->pointer.mode != MLV_MODE_DIRECTORY)
		return TRUE;
	queue = g_queue_new();
	push_folder(queue, tracked->path, &tracked->pointer.ref);
	while (ok && (folder = g_queue_pop_head(queue))) {
		ok = look_into(gather, folder, queue, error);
		folder_free(folder);
	}
	g_queue_clear_full(queue, folder_free);
	return ok;
}

static gboolean visit_pointer(const MlvTracked *tracked, const MlvOid *commit, gpointer user,
			      GError **error)
{
	return take_pointer(user, tracked, error);
}

/* The needs of commits. Where paths are chosen each commit is read whole: a pointer that
 * stands at two paths is told of once only otherwise. */
static gboolean gather_commits(Gather *gather, const GArray *commits, Needs *into, GError **error)
{
	g_autoptr(MlvGitReach) reach = mlv_git_reach_new(gather->repo);

	gather->into = into;
	for (guint i = 0; i < commits->len; i++) {
		const MlvOid *commit = &g_array_index(commits, MlvOid, i);
		g_autoptr(GPtrArray) pointers = NULL;

		if (mlv_pathspec_is_all(gather->paths)) {
			if (!mlv_git_reach_add(reach, commit, FALSE, error))
				return FALSE;
			continue;
		}
		pointers = mlv_git_pointers_in_commit(gather->repo, commit, error);
		if (!pointers)
			return FALSE;
		for (guint j = 0; j < pointers->len; j++)
			if (!take_pointer(gather, pointers->pdata[j], error))
				return FALSE;
	}
	return mlv_git_reach_run(reach, visit_pointer, gather, error);
}

/* --- which chunks that is --------------------------------------------------------------------- */

static gboolean note_missing(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	Gather *gather = user;
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	if (gather->n_missing++ < NAMED_MAX)
		g_string_append_printf(gather->missing, "%ssha256:%.12s",
				       gather->missing->len > 0 ? ", " : "", hex);
	return TRUE;
}

/* What a prerequisite names and is not here is the other side's. */
static gboolean ignore_missing(MlvKind kind, const MlvId *id, gpointer user, GError **error)
{
	return TRUE;
}

static gboolean collect(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			gpointer user, GError **error)
{
	Gather *gather = user;
	MlvBundlePlan *plan = gather->plan;
	MlvPlace place;
	gboolean found;
	guint64 key;

	if (cancelled(gather, error))
		return FALSE;
	/* An empty file has no chunk. */
	if (kind == MLV_KIND_BLOB && length == 0)
		return TRUE;
	if (!mlv_store_find(plan->store, kind, id, &place, &found, error))
		return FALSE;
	if (!found) {
		*descend = FALSE;
		return note_missing(kind, id, gather, error);
	}
	key = (guint64)place.pack << 32 | place.entry.offset;
	g_array_append_val(mlv_class_of(kind) == MLV_CLASS_DATA ? plan->data : plan->meta, key);
	plan->manifest->objects++;
	plan->manifest->bytes += place.entry.raw;
	return TRUE;
}

/* A directory alone: the lists of a huge one are followed, what its entries name is not. */
static gboolean collect_way(MlvKind kind, const MlvId *id, guint64 length, gboolean *descend,
			    gpointer user, GError **error)
{
	Gather *gather = user;
	gboolean further = kind == MLV_KIND_LIST;

	*descend = further;
	return mlv_marks_contains(gather->marks, kind, id) ||
	       collect(kind, id, length, descend, user, error);
}

static gboolean collect_all(Gather *gather, GError **error)
{
	MlvSource *source = mlv_store_source(gather->plan->store);

	for (guint i = 0; i < gather->have.refs->len; i++)
		if (!mlv_mark(source, &g_array_index(gather->have.refs, MlvRef, i), gather->marks,
			      NULL, ignore_missing, gather, error))
			return FALSE;
	for (guint i = 0; i < gather->need.refs->len; i++)
		if (!mlv_mark(source, &g_array_index(gather->need.refs, MlvRef, i), gather->marks,
			      collect, note_missing, gather, error))
			return FALSE;
	for (guint i = 0; i < gather->need.ways->len; i++)
		if (!mlv_mark(source, &g_array_index(gather->need.ways, MlvRef, i),
			      gather->way_marks, collect_way, note_missing, gather, error))
			return FALSE;
	if (gather->n_missing == 0)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_MISSING,
			"%" G_GUINT64_FORMAT
			" object%s not in the store (%s%s); 'mlv fetch' with the "
			"same revisions brings what is missing",
			gather->n_missing, gather->n_missing == 1 ? " is" : "s are",
			gather->missing->str, gather->n_missing > NAMED_MAX ? ", ..." : "");
}

/* --- the whole -------------------------------------------------------------------------------- */

static gint compare_keys(gconstpointer a, gconstpointer b)
{
	guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

	return x < y ? -1 : x > y;
}

static void gather_init(Gather *gather)
{
	gather->have.refs = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	gather->have.ways = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	gather->need.refs = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	gather->need.ways = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	gather->marks = mlv_marks_new();
	gather->way_marks = mlv_marks_new();
	gather->missing = g_string_new(NULL);
}

static void gather_clear(Gather *gather)
{
	g_array_unref(gather->have.refs);
	g_array_unref(gather->have.ways);
	g_array_unref(gather->need.refs);
	g_array_unref(gather->need.ways);
	mlv_marks_free(gather->marks);
	mlv_marks_free(gather->way_marks);
	mlv_pathspec_free(gather->paths);
	g_string_free(gather->missing, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Gather, gather_clear)

static gboolean make_plan(MlvBundlePlan *plan, MlvRepo *repo, GError **error)
{
	const MlvBundleOptions *options = plan->options;
	MlvBundleManifest *manifest = plan->manifest;
	g_auto(Gather) gather = { .plan = plan, .repo = repo };
	const char *id = mlv_repo_id(repo);

	gather_init(&gather);
	if (id)
		g_strlcpy(manifest->repo, id, sizeof(manifest->repo));
	gather.paths = mlv_pathspec_new(repo, options->words, options->n_words, error);
	if (!gather.paths)
		return FALSE;
	for (guint i = 0; i < options->n_words; i++) {
		char *path = mlv_repo_relative(repo, options->words[i], error);

		if (!path)
			return FALSE;
		/* "" is the root, and so all. */
		if (*path)
			g_ptr_array_add(manifest->paths, path);
		else
			g_free(path);
	}
	if (!mlv_bundle_choose_commits(repo, options, manifest, error) ||
	    !gather_commits(&gather, manifest->prerequisites, &gather.have, error) ||
	    !gather_commits(&gather, manifest->commits, &gather.need, error))
		return FALSE;
	if (options->n_words > 0 && gather.need.refs->len == 0)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"no tracked data at '%s'%s in these revisions", options->words[0],
				options->n_words > 1 ? " or the other paths" : "");
	if (!collect_all(&gather, error))
		return FALSE;
	g_array_append_vals(manifest->have, gather.have.refs->data, gather.have.refs->len);
	g_array_append_vals(manifest->need, gather.need.refs->data, gather.need.refs->len);
	g_array_sort(plan->data, compare_keys);
	g_array_sort(plan->meta, compare_keys);
	return TRUE;
}

MlvBundlePlan *mlv_bundle_plan_new(MlvRepo *repo, MlvStore *store, const MlvBundleOptions *options,
				   GError **error)
{
	g_autoptr(MlvBundlePlan) plan = g_new0(MlvBundlePlan, 1);

	plan->store = store;
	plan->options = options;
	plan->manifest = mlv_bundle_manifest_new();
	plan->data = g_array_new(FALSE, FALSE, sizeof(guint64));
	plan->meta = g_array_new(FALSE, FALSE, sizeof(guint64));
	return make_plan(plan, repo, error) ? g_steal_pointer(&plan) : NULL;
}

void mlv_bundle_plan_free(MlvBundlePlan *plan)
{
	if (!plan)
		return;
	mlv_bundle_manifest_free(plan->manifest);
	g_array_unref(plan->data);
	g_array_unref(plan->meta);
	g_free(plan);
}

const MlvBundleManifest *mlv_bundle_plan_manifest(const MlvBundlePlan *plan)
{
	return plan->manifest;
}
