/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member_tree.h"

#include <string.h>

#define ARENA_BLOCK    (1u << 20)
#define PATH_BYTES_MAX 4096 /* of a member's path; bounds how deep folders lie in each other too */

typedef struct Node Node;
struct Node {
	Node *parent;
	Node *next; /* of its siblings, in no order */
	union {
		Node *children;            /* directories */
		MlvMemberContent *content; /* all else */
	} has;
	guint32 count; /* directories: children */
	guint8 mode;
	char name[];
};

struct MlvMemberTree {
	guint strip;
	Node *top;
	GHashTable *nodes; /* set of Node, by parent and name */
	GPtrArray *blocks; /* of memory for nodes and contents, which go all at once */
	gsize left;        /* bytes in the last block */
};

static guint node_hash(gconstpointer data)
{
	const Node *node = data;

	return g_str_hash(node->name) ^ (guint)(GPOINTER_TO_SIZE(node->parent) >> 4);
}

static gboolean node_equal(gconstpointer a, gconstpointer b)
{
	const Node *x = a, *y = b;

	return x->parent == y->parent && strcmp(x->name, y->name) == 0;
}

/* Zeroed memory that lives as long as the tree. */
static gpointer take(MlvMemberTree *tree, gsize size)
{
	guint8 *block;

	size = (size + 7) & ~(gsize)7;
	if (size > tree->left) {
		g_ptr_array_add(tree->blocks, g_malloc0(ARENA_BLOCK));
		tree->left = ARENA_BLOCK;
	}
	block = tree->blocks->pdata[tree->blocks->len - 1];
	tree->left -= size;
	return block + tree->left;
}

static Node *add_node(MlvMemberTree *tree, Node *parent, const char *name, MlvMode mode)
{
	gsize length = strlen(name) + 1;
	Node *node = take(tree, sizeof(Node) + length);

	memcpy(node->name, name, length);
	node->mode = (guint8)mode;
	node->parent = parent;
	if (!parent)
		return node;
	node->next = parent->has.children;
	parent->has.children = node;
	parent->count++;
	g_hash_table_add(tree->nodes, node);
	return node;
}

MlvMemberTree *mlv_member_tree_new(guint strip)
{
	MlvMemberTree *tree = g_new0(MlvMemberTree, 1);

	tree->strip = strip;
	tree->nodes = g_hash_table_new(node_hash, node_equal);
	tree->blocks = g_ptr_array_new_with_free_func(g_free);
	tree->top = add_node(tree, NULL, "", MLV_MODE_DIRECTORY);
	return tree;
}

void mlv_member_tree_free(MlvMemberTree *tree)
{
	if (!tree)
		return;
	g_hash_table_unref(tree->nodes);
	g_ptr_array_unref(tree->blocks);
	g_free(tree);
}

/* --- paths ------------------------------------------------------------------------------------ */

static Node *find_child(MlvMemberTree *tree, Node *parent, const char *name)
{
	guint64 space[(sizeof(Node) + MLV_NAME_MAX + 8) / 8];
	Node *key = (Node *)(gpointer)space;

	key->parent = parent;
	memcpy(key->name, name, strlen(name) + 1);
	return g_hash_table_lookup(tree->nodes, key);
}

static gboolean check_part(const char *part, const char *path, GError **error)
{
	gsize length = strlen(part);

	if (mlv_name_allowed(part, length))
		return TRUE;
	if (length > MLV_NAME_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the member '%s' has a name of %" G_GSIZE_FORMAT
				" bytes, and %d is the most",
				path, length, MLV_NAME_MAX);
	if (strcmp(part, "..") == 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "the member '%s' leads upwards", path);
	return mlv_fail(
		error, MLV_ERROR_CORRUPT,
		"the member '%s' has a part '%s', which belongs to git and cannot be tracked", path,
		part);
}

/* Whether the path as a whole may be; its parts are judged one by one. */
static gboolean check_path(const char *path, GError **error)
{
	if (!*path)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "a member has an empty name");
	if (*path == '/')
		return mlv_fail(
			error, MLV_ERROR_CORRUPT,
			"the member '%s' has an absolute name; pack it again with relative ones",
			path);
	if (strlen(path) > PATH_BYTES_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the member '%.80s...' has a path longer than %d bytes", path,
				PATH_BYTES_MAX);
	return TRUE;
}

/* The path's parts, those that mean nothing and those that are stripped left out. NULL with
 * *error. */
static GStrv split_path(MlvMemberTree *tree, const char *path, GError **error)
{
	g_autoptr(GStrvBuilder) kept = g_strv_builder_new();
	g_auto(GStrv) parts = NULL;
	guint seen = 0;

	if (!check_path(path, error))
		return NULL;
	parts = g_strsplit(path, "/", -1);
	for (char **part = parts; *part; part++) {
		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (!check_part(*part, path, error))
			return NULL;
		if (seen++ >= tree->strip)
			g_strv_builder_add(kept, *part);
	}
	return g_strv_builder_end(kept);
}

/* The folder in which the last of `parts` lies, made where it is missing if `make`; NULL without an
 * error where it is not there. */
static gboolean find_folder(MlvMemberTree *tree, GStrv parts, gboolean make, const char *path,
			    Node **folder, GError **error)
{
	Node *at = tree->top;

	for (char **part = parts; at && *part && part[1]; part++) {
		Node *child = find_child(tree, at, *part);

		if (!child && make)
			child = add_node(tree, at, *part, MLV_MODE_DIRECTORY);
		if (child && child->mode != MLV_MODE_DIRECTORY)
			return mlv_fail(
				error, MLV_ERROR_CORRUPT,
				"the member '%s' lies below '%s', which is a %s in this archive",
				path, *part, child->mode == MLV_MODE_SYMLINK ? "symlink" : "file");
		at = child;
	}
	*folder = at;
	return TRUE;
}

static const char *last_part(GStrv parts)
{
	guint n = g_strv_length(parts);

	return n > 0 ? parts[n - 1] : NULL;
}

/* --- members ---------------------------------------------------------------------------------- */

static gboolean fail_twofold(const char *path, GError **error)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT,
			"'%s' is a folder and something else in this archive", path);
}

gboolean mlv_member_tree_directory(MlvMemberTree *tree, const char *path, GError **error)
{
	g_auto(GStrv) parts = split_path(tree, path, error);
	const char *name;
	Node *folder, *node;

	if (!parts)
		return FALSE;
	name = last_part(parts);
	if (!name)
		return TRUE;
	if (!find_folder(tree, parts, TRUE, path, &folder, error))
		return FALSE;
	node = find_child(tree, folder, name);
	if (!node)
		add_node(tree, folder, name, MLV_MODE_DIRECTORY);
	return !node || node->mode == MLV_MODE_DIRECTORY || fail_twofold(path, error);
}

/* Puts the content at the path, in place of what was there. *placed FALSE: it was passed over. */
static gboolean place(MlvMemberTree *tree, const char *path, MlvMode mode,
		      MlvMemberContent *content, gboolean *placed, GError **error)
{
	g_auto(GStrv) parts = split_path(tree, path, error);
	const char *name;
	Node *folder, *node;

	*placed = FALSE;
	if (!parts)
		return FALSE;
	name = last_part(parts);
	if (!name)
		return tree->strip > 0 ||
		       mlv_fail(error, MLV_ERROR_CORRUPT,
				"a member that is no folder is called '%s'", path);
	if (!find_folder(tree, parts, TRUE, path, &folder, error))
		return FALSE;
	node = find_child(tree, folder, name);
	if (node && node->mode == MLV_MODE_DIRECTORY)
		return fail_twofold(path, error);
	if (!node)
		node = add_node(tree, folder, name, mode);
	node->mode = (guint8)mode;
	node->has.content = content;
	*placed = TRUE;
	return TRUE;
}

gboolean mlv_member_tree_file(MlvMemberTree *tree, const char *path, MlvMode mode,
			      MlvMemberContent **content, GError **error)
{
	gboolean placed;
	MlvMemberContent *fresh = take(tree, sizeof(*fresh));

	*content = NULL;
	if (!place(tree, path, mode, fresh, &placed, error))
		return FALSE;
	if (placed)
		*content = fresh;
	return TRUE;
}

gboolean mlv_member_tree_link(MlvMemberTree *tree, const char *path, const char *target,
			      MlvMemberContent **content, GError **error)
{
	g_auto(GStrv) parts = split_path(tree, target, error);
	const char *name;
	Node *folder, *node;
	gboolean placed;

	*content = NULL;
	if (!parts || !find_folder(tree, parts, FALSE, target, &folder, error)) {
		g_prefix_error(error, "'%s' is a link: ", path);
		return FALSE;
	}
	name = last_part(parts);
	node = folder && name ? find_child(tree, folder, name) : NULL;
	if (!node || node->mode == MLV_MODE_DIRECTORY)
		return mlv_fail(
			error, MLV_ERROR_CORRUPT,
			"'%s' is a link to '%s', which is no file before it in this archive", path,
			target);
	/* It may be the very same node, which must be read before it is written. */
	MlvMemberContent *shared = node->has.content;
	MlvMode mode = node->mode;

	if (!place(tree, path, mode, shared, &placed, error))
		return FALSE;
	if (placed)
		*content = shared;
	return TRUE;
}

gboolean mlv_member_tree_check(MlvMemberTree *tree, const char *path, GError **error)
{
	g_auto(GStrv) parts = split_path(tree, path, error);

	return parts != NULL;
}

/* --- building --------------------------------------------------------------------------------- */

static gint compare_nodes(gconstpointer a, gconstpointer b)
{
	return strcmp((*(Node *const *)a)->name, (*(Node *const *)b)->name);
}

/* Children first, so that one directory at a time is being encoded. The depth is bounded by the
 * length of a path. */
static gboolean build(const Node *node, MlvPutChunk put, gpointer user, MlvTreeEntry *made,
		      GError **error)
{
	g_autoptr(GHashTable) folders = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	g_autoptr(GPtrArray) children = g_ptr_array_sized_new(node->count);
	g_autoptr(MlvTreeBuilder) builder = NULL;

	for (Node *child = node->has.children; child; child = child->next) {
		g_ptr_array_add(children, child);
		if (child->mode == MLV_MODE_DIRECTORY) {
			MlvTreeEntry *entry = g_new0(MlvTreeEntry, 1);

			g_hash_table_insert(folders, child, entry);
			if (!build(child, put, user, entry, error))
				return FALSE;
		}
	}
	g_ptr_array_sort(children, compare_nodes);
	builder = mlv_tree_builder_new(put, user);
	for (guint i = 0; i < children->len; i++) {
		const Node *child = children->pdata[i];
		const MlvTreeEntry *below = g_hash_table_lookup(folders, child);
		MlvTreeEntry entry = { 0 };

		if (below)
			entry = *below;
		else
			entry.ref = child->has.content->ref;
		entry.name = child->name;
		entry.name_length = (guint8)strlen(child->name);
		entry.mode = child->mode;
		if (!mlv_tree_builder_add(builder, &entry, error))
			return FALSE;
	}
	return mlv_tree_builder_finish(builder, &made->ref, &made->files, &made->bytes, error);
}

gboolean mlv_member_tree_build(MlvMemberTree *tree, MlvPutChunk put, gpointer user,
			       MlvPointer *pointer, GError **error)
{
	MlvTreeEntry made = { 0 };

	if (!build(tree->top, put, user, &made, error))
		return FALSE;
	memset(pointer, 0, sizeof(*pointer));
	pointer->mode = MLV_MODE_DIRECTORY;
	pointer->ref = made.ref;
	pointer->files = made.files;
	pointer->bytes = made.bytes;
	return TRUE;
}
