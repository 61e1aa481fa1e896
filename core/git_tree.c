/* SPDX-License-Identifier: Apache-2.0 */
/* Targets and files in git's trees. */
#include "core/git_internal.h"
#include "core/target.h"

#define PATH_LIMIT 4096 /* bytes; a longer path in a tree can be no file */

/* A pointer or lock seen in a tree and not read yet. */
typedef struct {
	char *file;
	git_oid blob;
} Seen;

static void seen_clear(gpointer data)
{
	g_free(((Seen *)data)->file);
}

static GArray *new_seen(void)
{
	GArray *seen = g_array_new(FALSE, FALSE, sizeof(Seen));
	g_array_set_clear_func(seen, seen_clear);
	return seen;
}

static GPtrArray *new_pointers(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
}

static gboolean is_file(const git_tree_entry *entry)
{
	git_filemode_t mode = git_tree_entry_filemode(entry);
	return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static gboolean names_targets(const git_tree_entry *entry)
{
	return is_file(entry) && mlv_target_file(git_tree_entry_name(entry)) != MLV_TARGET_NONE;
}

static gboolean is_pointer(const git_tree_entry *entry)
{
	return is_file(entry) && mlv_pointer_is_path(git_tree_entry_name(entry));
}

/* Appends "/name" to the path; FALSE if that is too long. */
static gboolean descend(GString *path, const char *name, GError **error)
{
	if (path->len > 0)
		g_string_append_c(path, '/');
	g_string_append(path, name);
	return path->len < PATH_LIMIT ||
	       mlv_fail(error, MLV_ERROR_CORRUPT, "a path in git's trees is longer than %d bytes",
			PATH_LIMIT);
}

static gboolean collect(MlvRepo *repo, const git_oid *oid, GString *path, GArray *seen,
			GError **error)
{
	g_autoptr(git_tree) tree = mlv_git_lookup_tree(repo, oid, error);

	if (!tree)
		return FALSE;
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		gboolean folder = git_tree_entry_type(entry) == GIT_OBJECT_TREE;
		gsize length = path->len;
		if (!folder && !names_targets(entry))
			continue;
		if (!descend(path, git_tree_entry_name(entry), error))
			return FALSE;
		if (folder) {
			if (!collect(repo, git_tree_entry_id(entry), path, seen, error))
				return FALSE;
		} else {
			Seen found = { g_strdup(path->str), *git_tree_entry_id(entry) };
			g_array_append_val(seen, found);
		}
		g_string_truncate(path, length);
	}
	return TRUE;
}

/* Fetches at once what a partial clone lacks of these. */
static gboolean fetch_seen(MlvRepo *repo, const GArray *seen, GError **error)
{
	g_autoptr(GArray) oids = g_array_new(FALSE, FALSE, sizeof(git_oid));

	for (guint i = 0; i < seen->len; i++)
		g_array_append_val(oids, g_array_index(seen, Seen, i).blob);
	return mlv_git_fetch_missing(repo, oids, error);
}

static GPtrArray *read_seen(MlvRepo *repo, const GArray *seen, GError **error)
{
	g_autoptr(GPtrArray) pointers = new_pointers();

	if (!fetch_seen(repo, seen, error))
		return NULL;
	for (guint i = 0; i < seen->len; i++) {
		const Seen *found = &g_array_index(seen, Seen, i);
		if (!mlv_git_read_targets(repo, found->file, &found->blob, pointers, error))
			return NULL;
	}
	mlv_targets_settle(pointers);
	return g_steal_pointer(&pointers);
}

GPtrArray *mlv_git_pointers_in_commit(MlvRepo *repo, const MlvOid *oid, GError **error)
{
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(repo, oid, error);
	g_autoptr(GArray) seen = new_seen();
	g_autoptr(GString) path = g_string_new(NULL);

	if (!commit || !collect(repo, git_commit_tree_id(commit), path, seen, error))
		return NULL;
	return read_seen(repo, seen, error);
}

GPtrArray *mlv_git_pointers_in_head(MlvRepo *repo, GError **error)
{
	gboolean unborn;
	MlvOid head;

	if (!mlv_git_head(repo, &head, &unborn, error))
		return NULL;
	return unborn ? new_pointers() : mlv_git_pointers_in_commit(repo, &head, error);
}

/* --- finding in a sorted array ---------------------------------------------------------------- */

/* Compares an element's path with the first `length` bytes of `path`. */
static int compare_prefix(const MlvTracked *tracked, const char *path, gsize length)
{
	int order = strncmp(tracked->path, path, length);
	return order ? order : tracked->path[length] != '\0';
}

static const MlvTracked *find_prefix(const GPtrArray *pointers, const char *path, gsize length)
{
	guint low = 0, high = pointers->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (compare_prefix(pointers->pdata[middle], path, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == pointers->len || compare_prefix(pointers->pdata[low], path, length) != 0)
		return NULL;
	return pointers->pdata[low];
}

const MlvTracked *mlv_tracked_find(const GPtrArray *pointers, const char *path)
{
	return find_prefix(pointers, path, strlen(path));
}

const MlvTracked *mlv_tracked_cover(const GPtrArray *pointers, const char *path, const char **rest)
{
	for (const char *at = path;;) {
		const char *slash = strchr(at, '/');
		gsize length = slash ? (gsize)(slash - path) : strlen(path);
		const MlvTracked *found = length ? find_prefix(pointers, path, length) : NULL;
		if (found || !slash) {
			if (found && rest)
				*rest = path + length + (slash != NULL);
			return found;
		}
		at = slash + 1;
	}
}

/* --- one pointer, one file -------------------------------------------------------------------- */

MlvTracked *mlv_git_find_pointer(MlvRepo *repo, const MlvOid *oid, const char *path,
				 const char **rest, GError **error)
{
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(repo, oid, error);
	g_autoptr(git_tree) tree =
		commit ? mlv_git_lookup_tree(repo, git_commit_tree_id(commit), error) : NULL;
	const char *at = path;

	/* In each folder on the way: is there "part.mlv"? Else on into "part". */
	while (tree && *at) {
		const char *slash = strchr(at, '/');
		g_autofree char *part = slash ? g_strndup(at, (gsize)(slash - at)) : g_strdup(at);
		g_autofree char *name = mlv_pointer_path(part);
		const git_tree_entry *entry = git_tree_entry_byname(tree, name);
		if (entry && is_pointer(entry)) {
			gsize length = (gsize)(at - path) + strlen(part);
			g_autofree char *data = g_strndup(path, length);
			if (rest)
				*rest = path + length + (slash != NULL);
			return mlv_git_read_pointer(repo, data, git_tree_entry_id(entry), error);
		}
		entry = git_tree_entry_byname(tree, part);
		if (!slash || !entry || git_tree_entry_type(entry) != GIT_OBJECT_TREE)
			return NULL;
		git_oid next = *git_tree_entry_id(entry);
		git_tree_free(tree);
		tree = mlv_git_lookup_tree(repo, &next, error);
		at = slash + 1;
	}
	return NULL;
}

/* The entry of `path`, owned by the caller; NULL with MLV_ERROR_MISSING if there is none. */
static git_tree_entry *find_entry(MlvRepo *repo, const MlvOid *oid, const char *path,
				  GError **error)
{
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(repo, oid, error);
	git_tree_entry *entry = NULL;

	if (!commit)
		return NULL;
	g_autoptr(git_tree) tree = mlv_git_lookup_tree(repo, git_commit_tree_id(commit), error);
	if (!tree)
		return NULL;
	int code = git_tree_entry_bypath(&entry, tree, path);
	if (code < 0) {
		char hex[MLV_OID_HEX + 1];
		mlv_oid_format(oid, hex);
		git_error_clear();
		mlv_fail(error, MLV_ERROR_MISSING, "'%s' is not in commit %.12s", path, hex);
	}
	return entry;
}

GBytes *mlv_git_read_file(MlvRepo *repo, const MlvOid *commit, const char *path, gsize max,
			  GError **error)
{
	git_tree_entry *entry = find_entry(repo, commit, path, error);
	MlvOid oid;

	if (!entry)
		return NULL;
	gboolean blob = git_tree_entry_type(entry) == GIT_OBJECT_BLOB;
	mlv_oid_from_git(git_tree_entry_id(entry), &oid);
	git_tree_entry_free(entry);
	if (!blob) {
		mlv_fail(error, MLV_ERROR_MISSING, "'%s' is no file in that commit", path);
		return NULL;
	}
	return mlv_git_read_blob(repo, &oid, max, error);
}

typedef struct {
	MlvRepo *repo;
	MlvGitEntry visit;
	gpointer user;
	GString *path;
} Walk;

static gboolean walk_tree(Walk *walk, const git_oid *oid, GError **error);

static gboolean walk_entry(Walk *walk, const git_oid *oid, guint32 mode, GError **error)
{
	gboolean into = TRUE;
	MlvOid id;

	mlv_oid_from_git(oid, &id);
	if (!walk->visit(walk->path->str, mode, &id, &into, walk->user, error))
		return FALSE;
	return mode != GIT_FILEMODE_TREE || !into || walk_tree(walk, oid, error);
}

static gboolean walk_tree(Walk *walk, const git_oid *oid, GError **error)
{
	g_autoptr(git_tree) tree = mlv_git_lookup_tree(walk->repo, oid, error);

	if (!tree)
		return FALSE;
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		gsize length = walk->path->len;
		if (!descend(walk->path, git_tree_entry_name(entry), error) ||
		    !walk_entry(walk, git_tree_entry_id(entry), git_tree_entry_filemode(entry),
				error))
			return FALSE;
		g_string_truncate(walk->path, length);
	}
	return TRUE;
}

gboolean mlv_git_walk_tree(MlvRepo *repo, const MlvOid *oid, const char *path, MlvGitEntry visit,
			   gpointer user, GError **error)
{
	g_autoptr(GString) buffer = g_string_new(path);
	Walk walk = { repo, visit, user, buffer };

	if (*path) {
		git_tree_entry *entry = find_entry(repo, oid, path, error);
		if (!entry)
			return FALSE;
		git_oid id = *git_tree_entry_id(entry);
		guint32 mode = git_tree_entry_filemode(entry);
		git_tree_entry_free(entry);
		return walk_entry(&walk, &id, mode, error);
	}
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(repo, oid, error);
	return commit && walk_tree(&walk, git_commit_tree_id(commit), error);
}
