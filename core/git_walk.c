/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits and walking them, newest first. libgit2 1.5 does not know shallow clones, so the edge is
 * kept here: a commit that $GIT_COMMON_DIR/shallow lists has no parents.
 */
#include "core/git_internal.h"

/* How many commits beyond the last wanted one are looked at before a limited walk believes that the
 * rest is hidden: clocks of commits are not always in order. */
#define SLOP 5

typedef struct {
	MlvOid oid;
	gint64 time;
	guint64 serial; /* commits of one second: first come, first out */
	gboolean hidden;
	gboolean expanded; /* its parents were queued */
} Node;

struct MlvGitWalk {
	MlvRepo *repo;
	GHashTable *nodes; /* MlvOid (in the Node) -> Node, owned */
	GSequence *queue;  /* Node *, newest first, borrowed */
	GQueue *ready;     /* of a limited walk: what is to be given out, borrowed */
	GHashTable *edge;  /* of MlvOid: commits at which a shallow clone ends */
	guint64 serial;
	gboolean limited; /* something is hidden */
};

static GHashTable *read_edge(const MlvRepo *repo)
{
	GHashTable *edge = g_hash_table_new_full(mlv_oid_hash, mlv_oid_equal_key, g_free, NULL);
	g_autofree char *file = g_build_filename(repo->common_dir, "shallow", NULL);
	g_autofree char *text = NULL;

	if (!g_file_get_contents(file, &text, NULL, NULL))
		return edge;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		MlvOid oid;
		if (mlv_oid_parse(g_strstrip(*line), &oid))
			g_hash_table_add(edge, g_memdup2(&oid, sizeof oid));
	}
	return edge;
}

MlvGitWalk *mlv_git_walk_new(MlvRepo *repo)
{
	MlvGitWalk *walk = g_new0(MlvGitWalk, 1);
	walk->repo = repo;
	walk->nodes = g_hash_table_new_full(mlv_oid_hash, mlv_oid_equal_key, NULL, g_free);
	walk->queue = g_sequence_new(NULL);
	walk->ready = g_queue_new();
	walk->edge = read_edge(repo);
	return walk;
}

void mlv_git_walk_free(MlvGitWalk *walk)
{
	if (!walk)
		return;
	g_sequence_free(walk->queue);
	g_queue_free(walk->ready);
	g_hash_table_unref(walk->nodes);
	g_hash_table_unref(walk->edge);
	g_free(walk);
}

static int compare_nodes(gconstpointer a, gconstpointer b, gpointer user)
{
	const Node *first = a, *second = b;

	if (first->time != second->time)
		return first->time > second->time ? -1 : 1;
	return first->serial < second->serial ? -1 : first->serial > second->serial;
}

static guint n_parents(MlvGitWalk *walk, git_commit *commit)
{
	MlvOid oid;

	mlv_oid_from_git(git_commit_id(commit), &oid);
	return g_hash_table_contains(walk->edge, &oid) ? 0 : git_commit_parentcount(commit);
}

/* A hidden mark reaches down to all parents that are known already. */
static void spread_hidden(MlvGitWalk *walk, const MlvOid *oid)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(MlvOid));

	g_array_append_val(stack, *oid);
	while (stack->len > 0) {
		MlvOid at = g_array_index(stack, MlvOid, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		Node *node = g_hash_table_lookup(walk->nodes, &at);
		if (!node || node->hidden)
			continue;
		node->hidden = TRUE;
		if (!node->expanded)
			continue;
		g_autoptr(git_commit) commit = mlv_git_lookup_commit(walk->repo, &at, NULL);
		for (guint i = 0; commit && i < n_parents(walk, commit); i++) {
			MlvOid parent;
			mlv_oid_from_git(git_commit_parent_id(commit, i), &parent);
			g_array_append_val(stack, parent);
		}
	}
}

static gboolean enqueue(MlvGitWalk *walk, const MlvOid *oid, gboolean hidden, GError **error)
{
	Node *node = g_hash_table_lookup(walk->nodes, oid);

	if (node) {
		if (hidden && !node->hidden)
			spread_hidden(walk, oid);
		return TRUE;
	}
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(walk->repo, oid, error);
	if (!commit)
		return FALSE;
	node = g_new0(Node, 1);
	node->oid = *oid;
	node->time = git_commit_time(commit);
	node->serial = walk->serial++;
	node->hidden = hidden;
	g_hash_table_insert(walk->nodes, &node->oid, node);
	g_sequence_insert_sorted(walk->queue, node, compare_nodes, NULL);
	return TRUE;
}

gboolean mlv_git_walk_push(MlvGitWalk *walk, const MlvOid *commit, GError **error)
{
	return enqueue(walk, commit, FALSE, error);
}

gboolean mlv_git_walk_hide(MlvGitWalk *walk, const MlvOid *commit, GError **error)
{
	if (!mlv_git_commit_exists(walk->repo, commit))
		return TRUE;
	walk->limited = TRUE;
	return enqueue(walk, commit, TRUE, error);
}

gboolean mlv_git_walk_push_text(MlvGitWalk *walk, const char *text, GError **error)
{
	g_autofree char *from = NULL, *to = NULL;
	gboolean symmetric, found;
	MlvOid left, right, base;

	if (*text == '^')
		return mlv_git_resolve(walk->repo, text + 1, &left, error) &&
		       mlv_git_walk_hide(walk, &left, error);
	if (!mlv_git_split_range(text, &from, &to, &symmetric))
		return mlv_git_resolve(walk->repo, text, &left, error) &&
		       mlv_git_walk_push(walk, &left, error);
	if (!mlv_git_resolve(walk->repo, from, &left, error) ||
	    !mlv_git_resolve(walk->repo, to, &right, error))
		return FALSE;
	if (!symmetric)
		return mlv_git_walk_hide(walk, &left, error) &&
		       mlv_git_walk_push(walk, &right, error);
	if (!mlv_git_merge_base(walk->repo, &left, &right, &base, &found, error))
		return FALSE;
	return (!found || mlv_git_walk_hide(walk, &base, error)) &&
	       mlv_git_walk_push(walk, &left, error) && mlv_git_walk_push(walk, &right, error);
}

/* Takes the newest node off the queue and queues its parents. */
static gboolean expand(MlvGitWalk *walk, Node **out, git_commit **out_commit, GError **error)
{
	GSequenceIter *first = g_sequence_get_begin_iter(walk->queue);
	Node *node = g_sequence_get(first);
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(walk->repo, &node->oid, error);

	if (!commit)
		return FALSE;
	g_sequence_remove(first);
	node->expanded = TRUE;
	for (guint i = 0; i < n_parents(walk, commit); i++) {
		MlvOid parent;
		mlv_oid_from_git(git_commit_parent_id(commit, i), &parent);
		if (!enqueue(walk, &parent, node->hidden, error))
			return FALSE;
	}
	*out = node;
	if (out_commit)
		*out_commit = g_steal_pointer(&commit);
	return TRUE;
}

static gboolean queue_has_wanted(MlvGitWalk *walk)
{
	GSequenceIter *at = g_sequence_get_begin_iter(walk->queue);

	for (; !g_sequence_iter_is_end(at); at = g_sequence_iter_next(at))
		if (!((Node *)g_sequence_get(at))->hidden)
			return TRUE;
	return FALSE;
}

/* Walks until only hidden commits are left, and some more. */
static gboolean limit(MlvGitWalk *walk, GError **error)
{
	int slop = SLOP;

	while (!g_sequence_is_empty(walk->queue)) {
		Node *node;
		if (!expand(walk, &node, NULL, error))
			return FALSE;
		if (!node->hidden)
			g_queue_push_tail(walk->ready, node);
		slop = queue_has_wanted(walk) ? SLOP : slop - 1;
		if (slop < 0)
			break;
	}
	return TRUE;
}

gboolean mlv_git_walk_step(MlvGitWalk *walk, git_commit **commit, GError **error)
{
	Node *node;

	*commit = NULL;
	if (!walk->limited)
		return g_sequence_is_empty(walk->queue) || expand(walk, &node, commit, error);
	if (queue_has_wanted(walk) && !limit(walk, error))
		return FALSE;
	while ((node = g_queue_pop_head(walk->ready))) {
		/* It may have been found hidden only later. */
		if (node->hidden)
			continue;
		*commit = mlv_git_lookup_commit(walk->repo, &node->oid, error);
		return *commit != NULL;
	}
	return TRUE;
}

gboolean mlv_git_walk_next(MlvGitWalk *walk, MlvCommit **commit, GError **error)
{
	g_autoptr(git_commit) found = NULL;

	*commit = NULL;
	if (!mlv_git_walk_step(walk, &found, error))
		return FALSE;
	if (found)
		*commit = mlv_git_commit_copy(found, n_parents(walk, found));
	return TRUE;
}

/* --- commits ---------------------------------------------------------------------------------- */

MlvCommit *mlv_git_commit_copy(git_commit *from, guint n)
{
	MlvCommit *commit = g_new0(MlvCommit, 1);
	const git_signature *author = git_commit_author(from),
			    *committer = git_commit_committer(from);

	mlv_oid_from_git(git_commit_id(from), &commit->oid);
	mlv_oid_from_git(git_commit_tree_id(from), &commit->tree);
	commit->n_parents = n;
	commit->parents = g_new0(MlvOid, n);
	for (guint i = 0; i < n; i++)
		mlv_oid_from_git(git_commit_parent_id(from, i), &commit->parents[i]);
	commit->author_name = g_strdup(author->name);
	commit->author_email = g_strdup(author->email);
	commit->author_time = author->when.time;
	commit->author_offset = author->when.offset;
	commit->committer_name = g_strdup(committer->name);
	commit->committer_email = g_strdup(committer->email);
	commit->committer_time = committer->when.time;
	commit->committer_offset = committer->when.offset;
	commit->message = g_strdup(git_commit_message(from));
	return commit;
}

MlvCommit *mlv_git_commit_read(MlvRepo *repo, const MlvOid *oid, GError **error)
{
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(repo, oid, error);

	if (!commit)
		return NULL;
	g_autoptr(GHashTable) edge = read_edge(repo);
	return mlv_git_commit_copy(
		commit, g_hash_table_contains(edge, oid) ? 0 : git_commit_parentcount(commit));
}

void mlv_commit_free(MlvCommit *commit)
{
	if (!commit)
		return;
	g_free(commit->parents);
	g_free(commit->author_name);
	g_free(commit->author_email);
	g_free(commit->committer_name);
	g_free(commit->committer_email);
	g_free(commit->message);
	g_free(commit);
}

char *mlv_commit_subject(const MlvCommit *commit)
{
	const char *start = commit->message;

	while (*start == '\n')
		start++;
	return g_strndup(start, strcspn(start, "\n"));
}

gboolean mlv_git_commit_exists(MlvRepo *repo, const MlvOid *oid)
{
	git_commit *commit = NULL;
	git_oid id;

	mlv_oid_to_git(oid, &id);
	gboolean exists = git_commit_lookup(&commit, repo->git, &id) == 0;
	git_commit_free(commit);
	git_error_clear();
	return exists;
}
