/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fsck_walk.h"

#include <string.h>

#include "storage/chunker.h"
#include "storage/error.h"
#include "storage/pool.h"

#define CUTS_A_JOB    16
#define JOBS_A_THREAD 3

/* Which pointer led somewhere. */
typedef struct {
	char *path;
	char *text; /* "'data/images' (commit 1a2b3c4d5e6f)" */
} Label;

/* A tree or a list of a file as something names it. Sizes that differ make it another. */
typedef struct {
	MlvRef ref;
	guint64 files, bytes; /* trees: as stated where it was named first, then as they are */
	const Label *label;   /* borrowed from labels */
	gboolean walked;
} Node;

/* A later statement of totals, compared when the tree has been walked. */
typedef struct {
	const Node *node;
	guint64 files, bytes;
	const Label *label;
} Claim;

struct MlvFsckWalk {
	MlvSource source; /* first: reads from the store and remembers what was asked for last */
	MlvStore *store;
	MlvId last_id;
	MlvKind last_kind;
	const MlvCheck *check;
	MlvFsckRemotes *remotes;
	const MlvFsckOptions *options;
	MlvFsckResult *result;
	GPtrArray *labels;        /* Label */
	GHashTable *nodes;        /* Node */
	GPtrArray *waiting;       /* Node, a stack */
	GArray *claims;           /* Claim */
	MlvMarks *blobs;          /* whose presence was looked up */
	MlvMarks *absent;         /* told */
	MlvMarks *cut, *cut_last; /* leaves whose cuts are checked, within a file and at its end */
	struct CutJob *gathering;
	MlvPool *pool;
};

static void label_free(gpointer data)
{
	Label *label = data;

	g_free(label->path);
	g_free(label->text);
	g_free(label);
}

void mlv_fsck_report(const MlvFsckOptions *options, MlvFsckResult *result, const char *kind,
		     const char *path, MlvKind object_kind, const MlvId *object,
		     const char *message)
{
	MlvFsckFault fault = { .kind = kind, .path = path, .message = message };

	if (object) {
		fault.has_object = TRUE;
		fault.object_kind = object_kind;
		fault.object = *object;
	}
	result->faults++;
	result->left++;
	options->found(&fault, options->user);
}

/* "tree sha256:1a2b3c4d5e6f of 'data' (HEAD): " and the rest. */
static void fault(MlvFsckWalk *walk, const Label *label, MlvKind kind, const MlvId *id,
		  const char *format, ...) G_GNUC_PRINTF(5, 6);
static void fault(MlvFsckWalk *walk, const Label *label, MlvKind kind, const MlvId *id,
		  const char *format, ...)
{
	static const char *const names[] = {
		[MLV_KIND_BLOB] = "object", [MLV_KIND_LIST] = "list", [MLV_KIND_TREE] = "tree"
	};
	char hex[MLV_ID_HEX + 1];
	va_list args;

	va_start(args, format);
	g_autofree char *rest = g_strdup_vprintf(format, args);
	va_end(args);
	mlv_id_format(id, hex);
	g_autofree char *message =
		g_strdup_printf("%s sha256:%s of %s: %s", names[kind], hex, label->text, rest);
	mlv_fsck_report(walk->options, walk->result, names[kind], label->path, kind, id, message);
}

static gboolean keep_going(const MlvFsckWalk *walk, GError **error)
{
	if (!walk->options->cancel || !*walk->options->cancel)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

/* --- what is not here ------------------------------------------------------------------------- */

static void missing(MlvFsckWalk *walk, const Label *label, MlvKind kind, const MlvId *id,
		    const char *why)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	g_autofree char *message =
		g_strdup_printf("object sha256:%s of %s is missing: %s", hex, label->text, why);
	mlv_fsck_report(walk->options, walk->result, "missing", label->path, kind, id, message);
}

/* An object is not here. `root`: a pointer itself names it. */
static void absent(MlvFsckWalk *walk, const Label *label, MlvKind kind, const MlvId *id,
		   gboolean root)
{
	MlvFsckAnswer answer;

	if (!mlv_marks_add(walk->absent, kind, id))
		return;
	/* Of a fetch that was killed a pack may be here whose index did not come to be. */
	if (!walk->result->repaired && mlv_check_in_unindexed(walk->check, kind, id) &&
	    mlv_fsck_remotes_ask(walk->remotes, kind, id) != MLV_FSCK_HAS) {
		missing(walk, label, kind, id,
			"only a pack that no index names has it; 'mlv fsck --repair' "
			"brings it back");
		return;
	}
	if (root && !mlv_check_is_lost(walk->check, kind, id)) {
		walk->result->not_here++;
		return;
	}
	answer = mlv_fsck_remotes_ask(walk->remotes, kind, id);
	if (answer != MLV_FSCK_HAS && mlv_check_is_lost(walk->check, kind, id))
		missing(walk, label, kind, id,
			"no good copy was found; where the data are still in a work tree, "
			"'mlv add' stores them again");
	else if (answer == MLV_FSCK_LACKS)
		missing(walk, label, kind, id,
			"what names it is here, and it is neither here nor on a remote; "
			"'mlv push --recheck' in a clone that has it puts it there");
	else
		walk->result->not_here++;
}

/* --- cuts, in workers ------------------------------------------------------------------------- */

typedef struct {
	MlvId id;
	const Label *label;
	gboolean last, right, read;
} Cut;

typedef struct CutJob {
	guint count;
	Cut cuts[CUTS_A_JOB];
} CutJob;

static void check_cuts(gpointer data, gpointer user)
{
	CutJob *job = data;

	for (guint i = 0; i < job->count; i++) {
		Cut *cut = &job->cuts[i];
		/* What cannot be read was told with its pack. */
		g_autoptr(GBytes) bytes = mlv_store_read_chunk(user, MLV_KIND_BLOB, &cut->id, NULL);

		cut->read = bytes != NULL;
		cut->right = bytes && mlv_fsck_cut_is_right(g_bytes_get_data(bytes, NULL),
							    g_bytes_get_size(bytes), cut->last);
	}
}

static void finish_cuts(MlvFsckWalk *walk, CutJob *job)
{
	for (guint i = 0; i < job->count; i++)
		if (job->cuts[i].read && !job->cuts[i].right)
			fault(walk, job->cuts[i].label, MLV_KIND_BLOB, &job->cuts[i].id,
			      "a file is not cut there as the format says");
	g_free(job);
}

static void submit_cuts(MlvFsckWalk *walk)
{
	if (!walk->gathering)
		return;
	while (mlv_pool_is_full(walk->pool))
		finish_cuts(walk, mlv_pool_take(walk->pool));
	mlv_pool_submit(walk->pool, g_steal_pointer(&walk->gathering));
}

static void add_cut(MlvFsckWalk *walk, const Node *node, const MlvId *id, gboolean last)
{
	if (!mlv_marks_add(last ? walk->cut_last : walk->cut, MLV_KIND_BLOB, id))
		return;
	if (!walk->gathering)
		walk->gathering = g_new0(CutJob, 1);
	walk->gathering->cuts[walk->gathering->count++] =
		(Cut){ .id = *id, .label = node->label, .last = last };
	if (walk->gathering->count == CUTS_A_JOB)
		submit_cuts(walk);
}

/* --- naming objects --------------------------------------------------------------------------- */

static guint node_hash(gconstpointer data)
{
	return mlv_id_hash(&((const Node *)data)->ref.id);
}

static gboolean node_equal(gconstpointer a, gconstpointer b)
{
	return mlv_ref_equal(&((const Node *)a)->ref, &((const Node *)b)->ref);
}

/* One chunk of a file: here, and as long as is said? *here tells. */
static gboolean look_up_blob(MlvFsckWalk *walk, const Label *label, const MlvId *id, guint64 length,
			     gboolean root, gboolean *here, GError **error)
{
	MlvPlace place;

	if (!mlv_store_find(walk->store, MLV_KIND_BLOB, id, &place, here, error))
		return FALSE;
	if (!*here) {
		absent(walk, label, MLV_KIND_BLOB, id, root);
		return TRUE;
	}
	if (place.entry.raw != length)
		fault(walk, label, MLV_KIND_BLOB, id,
		      "it has %u bytes, and %" G_GUINT64_FORMAT " are said of it", place.entry.raw,
		      length);
	if (mlv_marks_add(walk->blobs, MLV_KIND_BLOB, id)) {
		walk->result->blobs++;
		if (walk->options->progress)
			walk->options->progress(1, 0, walk->options->user);
	}
	return TRUE;
}

/* Something names an object: a pointer (`root`) or a tree's entry. */
static gboolean reach(MlvFsckWalk *walk, const MlvRef *ref, guint64 files, guint64 bytes,
		      gboolean root, const Label *label, GError **error)
{
	Node key = { .ref = *ref };
	gboolean here;
	MlvId empty;

	if (ref->kind == MLV_KIND_BLOB && (ref->depth > 0) != (ref->size > MLV_CHUNK_MAX))
		fault(walk, label, mlv_ref_chunk_kind(ref), &ref->id,
		      "a file of %" G_GUINT64_FORMAT " bytes is %s", ref->size,
		      ref->depth > 0 ? "cut, though it is one chunk's worth" : "not cut");
	/* The empty file needs no chunk. */
	if (ref->kind == MLV_KIND_BLOB && ref->depth == 0 && ref->size == 0) {
		mlv_id_of("", 0, &empty);
		if (!mlv_id_equal(&ref->id, &empty))
			fault(walk, label, MLV_KIND_BLOB, &ref->id,
			      "it is said to be empty, and its id is another's");
		return TRUE;
	}
	if (ref->kind == MLV_KIND_BLOB && ref->depth == 0)
		return look_up_blob(walk, label, &ref->id, ref->size, root, &here, error);
	Node *node = g_hash_table_lookup(walk->nodes, &key);
	if (!node) {
		node = g_new0(Node, 1);
		*node = (Node){ .ref = *ref, .files = files, .bytes = bytes, .label = label };
		g_hash_table_add(walk->nodes, node);
		g_ptr_array_add(walk->waiting, node);
	} else if (ref->kind == MLV_KIND_TREE && (node->files != files || node->bytes != bytes)) {
		Claim claim = { .node = node, .files = files, .bytes = bytes, .label = label };
		g_array_append_val(walk->claims, claim);
	}
	return TRUE;
}

/* --- walking ---------------------------------------------------------------------------------- */

static GBytes *remembering_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	MlvFsckWalk *walk = (MlvFsckWalk *)source;

	walk->last_kind = kind;
	walk->last_id = *id;
	return mlv_store_read_chunk(walk->store, kind, id, error);
}

/* What a list or tree could not be read for. */
static gboolean explain(MlvFsckWalk *walk, const Node *node, GError *why, gboolean root,
			GError **error)
{
	gboolean top = mlv_id_equal(&walk->last_id, &node->ref.id);

	if (g_error_matches(why, MLV_ERROR, MLV_ERROR_MISSING)) {
		absent(walk, node->label, walk->last_kind, &walk->last_id, root && top);
		return TRUE;
	}
	if (!g_error_matches(why, MLV_ERROR, MLV_ERROR_CORRUPT)) {
		g_propagate_error(error, g_error_copy(why));
		return FALSE;
	}
	/* Damaged bytes were told with their pack. */
	if (!mlv_check_is_damaged(walk->check, walk->last_kind, &walk->last_id))
		fault(walk, node->label, walk->last_kind, &walk->last_id, "%s", why->message);
	return TRUE;
}

static gboolean put_nothing(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			    gpointer user, GError **error)
{
	return TRUE;
}

/* Compares a tree with what its own entries make of it. */
static void compare_tree(MlvFsckWalk *walk, Node *node, const MlvRef *built, guint64 files,
			 guint64 bytes)
{
	if (!mlv_ref_equal(built, &node->ref))
		fault(walk, node->label, mlv_ref_chunk_kind(&node->ref), &node->ref.id,
		      "its entries are not written or cut as the format says");
	if (files != node->files || bytes != node->bytes)
		fault(walk, node->label, mlv_ref_chunk_kind(&node->ref), &node->ref.id,
		      "it holds %" G_GUINT64_FORMAT " files of %" G_GUINT64_FORMAT
		      " bytes, and %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " are said of it",
		      files, bytes, node->files, node->bytes);
	node->files = files;
	node->bytes = bytes;
	node->walked = TRUE;
}

static gboolean walk_tree(MlvFsckWalk *walk, Node *node, gboolean root, GError **error)
{
	g_autoptr(MlvTreeBuilder) builder = mlv_tree_builder_new(put_nothing, NULL);
	g_autoptr(GError) why = NULL;
	g_autoptr(MlvTreeCursor) cursor = mlv_tree_cursor_new(&walk->source, &node->ref, &why);
	MlvTreeEntry entry;
	guint64 files, bytes;
	MlvRef built;

	if (!cursor)
		return explain(walk, node, why, root, error);
	for (;;) {
		if (!mlv_tree_cursor_next(cursor, &entry, &why))
			return explain(walk, node, why, root, error);
		if (!entry.name)
			break;
		if (!reach(walk, &entry.ref, entry.files, entry.bytes, FALSE, node->label, error))
			return FALSE;
		if (!mlv_tree_builder_add(builder, &entry, &why)) {
			fault(walk, node->label, mlv_ref_chunk_kind(&node->ref), &node->ref.id,
			      "%s", why->message);
			return TRUE;
		}
	}
	if (!mlv_tree_builder_finish(builder, &built, &files, &bytes, &why)) {
		fault(walk, node->label, mlv_ref_chunk_kind(&node->ref), &node->ref.id, "%s",
		      why->message);
		return TRUE;
	}
	walk->result->trees++;
	compare_tree(walk, node, &built, files, bytes);
	return TRUE;
}

/* A file of several chunks. */
static gboolean walk_list(MlvFsckWalk *walk, Node *node, gboolean root, GError **error)
{
	g_autoptr(MlvListBuilder) builder = mlv_list_builder_new(MLV_KIND_BLOB, put_nothing, NULL);
	g_autoptr(GError) why = NULL;
	g_autoptr(MlvLeafCursor) cursor = mlv_leaf_cursor_new(&walk->source, &node->ref, 0, &why);
	guint64 offset, length;
	gboolean here;
	MlvId id;
	MlvRef built;

	if (!cursor)
		return explain(walk, node, why, root, error);
	for (;;) {
		if (!mlv_leaf_cursor_next(cursor, &id, &offset, &length, &why))
			return explain(walk, node, why, root, error);
		if (length == 0)
			break;
		if (!look_up_blob(walk, node->label, &id, length, FALSE, &here, error))
			return FALSE;
		if (here)
			add_cut(walk, node, &id, offset + length == node->ref.size);
		if (!mlv_list_builder_add(builder, &id, length, &why))
			break;
	}
	if (!why)
		mlv_list_builder_finish(builder, &built, &why);
	if (why)
		fault(walk, node->label, MLV_KIND_LIST, &node->ref.id, "%s", why->message);
	else if (!mlv_ref_equal(&built, &node->ref))
		fault(walk, node->label, MLV_KIND_LIST, &node->ref.id,
		      "it is not written or cut as the format says");
	walk->result->lists++;
	return TRUE;
}

gboolean mlv_fsck_walk_add(MlvFsckWalk *walk, const MlvPointer *pointer, const char *path,
			   const char *where, GError **error)
{
	Label *label = g_new0(Label, 1);
	gboolean root = TRUE;

	label->path = g_strdup(path);
	label->text = g_strdup_printf("'%s' (%s)", path, where);
	g_ptr_array_add(walk->labels, label);
	walk->result->pointers++;
	if (!reach(walk, &pointer->ref, pointer->files, pointer->bytes, TRUE, label, error))
		return FALSE;
	for (; walk->waiting->len > 0; root = FALSE) {
		Node *node = g_ptr_array_remove_index(walk->waiting, walk->waiting->len - 1);

		if (!keep_going(walk, error) ||
		    !(node->ref.kind == MLV_KIND_TREE ? walk_tree(walk, node, root, error)
						      : walk_list(walk, node, root, error)))
			return FALSE;
		if (walk->options->progress)
			walk->options->progress(1, 0, walk->options->user);
	}
	return TRUE;
}

gboolean mlv_fsck_walk_finish(MlvFsckWalk *walk, GError **error)
{
	submit_cuts(walk);
	for (CutJob *job; (job = mlv_pool_take(walk->pool));)
		finish_cuts(walk, job);
	for (guint i = 0; i < walk->claims->len; i++) {
		const Claim *claim = &g_array_index(walk->claims, Claim, i);
		const Node *node = claim->node;

		if (!node->walked || (node->files == claim->files && node->bytes == claim->bytes))
			continue;
		fault(walk, claim->label, mlv_ref_chunk_kind(&node->ref), &node->ref.id,
		      "it holds %" G_GUINT64_FORMAT " files of %" G_GUINT64_FORMAT
		      " bytes, and %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " are said of it",
		      node->files, node->bytes, claim->files, claim->bytes);
	}
	g_array_set_size(walk->claims, 0);
	return keep_going(walk, error);
}

MlvFsckWalk *mlv_fsck_walk_new(MlvStore *store, const MlvCheck *check, MlvFsckRemotes *remotes,
			       const MlvFsckOptions *options, MlvFsckResult *result)
{
	MlvFsckWalk *walk = g_new0(MlvFsckWalk, 1);
	guint threads = options->threads > 0 ? options->threads : mlv_pool_default_threads();

	walk->source.read = remembering_read;
	walk->store = store;
	walk->check = check;
	walk->remotes = remotes;
	walk->options = options;
	walk->result = result;
	walk->labels = g_ptr_array_new_with_free_func(label_free);
	walk->nodes = g_hash_table_new_full(node_hash, node_equal, g_free, NULL);
	walk->waiting = g_ptr_array_new();
	walk->claims = g_array_new(FALSE, FALSE, sizeof(Claim));
	walk->blobs = mlv_marks_new();
	walk->absent = mlv_marks_new();
	walk->cut = mlv_marks_new();
	walk->cut_last = mlv_marks_new();
	walk->pool = mlv_pool_new(threads, threads * JOBS_A_THREAD, check_cuts, store);
	return walk;
}

void mlv_fsck_walk_free(MlvFsckWalk *walk)
{
	if (!walk)
		return;
	mlv_pool_free(walk->pool, g_free);
	g_free(walk->gathering);
	g_ptr_array_unref(walk->labels);
	g_hash_table_unref(walk->nodes);
	g_ptr_array_unref(walk->waiting);
	g_array_unref(walk->claims);
	mlv_marks_free(walk->blobs);
	mlv_marks_free(walk->absent);
	mlv_marks_free(walk->cut);
	mlv_marks_free(walk->cut_last);
	g_free(walk);
}
