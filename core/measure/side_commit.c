/* SPDX-License-Identifier: Apache-2.0 */
/* Git's files at a commit. Its trees are read once, each: a pipeline names hundreds of files, and
 * libgit2 would read all trees on the way to each of them again. */
#include <stdlib.h>
#include <string.h>

#include "core/measure/side_private.h"

#define LINKS_MAX 8 /* symbolic links that are followed one after the other */
#define LINK_MAX  4096

#define MODE_FOLDER    0040000u
#define MODE_LINK      0120000u
#define MODE_SUBMODULE 0160000u

typedef struct {
	const char *name; /* in side->names */
	MlvOid oid;
	guint32 mode;
} Entry;

typedef struct {
	GArray *entries; /* of Entry, in git's order until they are sorted by name */
	gboolean sorted;
} Folder;

static void folder_free(gpointer data)
{
	Folder *folder = data;

	g_array_unref(folder->entries);
	g_free(folder);
}

static Folder *add_folder(MlvSide *side, const char *path)
{
	Folder *folder = g_new0(Folder, 1);

	folder->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	g_hash_table_insert(side->folders, g_strdup(path), folder);
	return folder;
}

/* The walk goes into a folder right behind its own entry: the last one is mostly the one. */
typedef struct {
	MlvSide *side;
	char *path;
	Folder *folder;
} Walk;

static gboolean see_entry(const char *path, guint32 mode, const MlvOid *oid, gboolean *descend,
			  gpointer user, GError **error)
{
	Walk *walk = user;
	const char *slash = strrchr(path, '/');
	gsize length = slash ? (gsize)(slash - path) : 0;
	Entry entry = { .oid = *oid, .mode = mode };

	if (strlen(walk->path) != length || strncmp(walk->path, path, length) != 0) {
		g_free(walk->path);
		walk->path = g_strndup(path, length);
		walk->folder = g_hash_table_lookup(walk->side->folders, walk->path);
	}
	if (mode == MODE_FOLDER)
		add_folder(walk->side, path);
	entry.name = g_string_chunk_insert(walk->side->names, slash ? slash + 1 : path);
	g_array_append_val(walk->folder->entries, entry);
	return TRUE;
}

static void read_trees(MlvSide *side)
{
	g_autoptr(GError) error = NULL;
	Walk walk = { .side = side };

	if (side->folders)
		return;
	walk.path = g_strdup("");
	side->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, folder_free);
	side->names = g_string_chunk_new(4096);
	walk.folder = add_folder(side, "");
	if (!mlv_git_walk_tree(side->repo, &side->revision.commit, "", see_entry, &walk, &error))
		mlv_side_add_problem(side, "%s", error->message);
	g_free(walk.path);
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
	return strcmp(((const Entry *)a)->name, ((const Entry *)b)->name);
}

/* What lies at a path; a link is not followed. NULL: nothing. The root has no entry. */
static const Entry *find_entry(MlvSide *side, const char *path)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = slash ? g_strndup(path, (gsize)(slash - path)) : g_strdup("");
	const Entry key = { .name = slash ? slash + 1 : path };
	Folder *folder;

	read_trees(side);
	folder = g_hash_table_lookup(side->folders, parent);
	if (!folder || folder->entries->len == 0)
		return NULL;
	if (!folder->sorted)
		g_array_sort(folder->entries, compare_entries);
	folder->sorted = TRUE;
	return bsearch(&key, folder->entries->data, folder->entries->len, sizeof(Entry),
		       compare_entries);
}

/* The same, links within the repository followed; *root for the root itself. */
static const Entry *resolve(MlvSide *side, const char *path, gboolean *root)
{
	g_autofree char *at = g_strdup(path);

	*root = FALSE;
	for (int i = 0; i < LINKS_MAX; i++) {
		const Entry *entry;

		*root = !*at;
		entry = *at && !mlv_files_is_outside(at) ? find_entry(side, at) : NULL;
		if (!entry || entry->mode != MODE_LINK)
			return entry;
		g_autoptr(GBytes) target =
			mlv_git_read_blob(side->repo, &entry->oid, LINK_MAX, NULL);
		gsize length;
		const char *data = target ? g_bytes_get_data(target, &length) : NULL;
		if (!data)
			return NULL;
		g_autofree char *text = g_strndup(data, length);
		g_autofree char *folder = mlv_files_folder(at);
		g_free(at);
		at = mlv_files_normal(&side->base, folder, text);
	}
	return NULL;
}

static GBytes *commit_read(gpointer user, const char *path, gsize max, GError **error)
{
	MlvSide *side = user;
	gboolean root;
	const Entry *entry = resolve(side, path, &root);

	if (entry && entry->mode != MODE_FOLDER && entry->mode != MODE_SUBMODULE)
		return mlv_git_read_blob(side->repo, &entry->oid, max, error);
	mlv_fail(error, MLV_ERROR_MISSING, "there is no file '%s' in '%s'", path, side->name);
	return NULL;
}

static MlvFilesType commit_type(gpointer user, const char *path)
{
	gboolean root;
	const Entry *entry = resolve(user, path, &root);

	if (root || (entry && entry->mode == MODE_FOLDER))
		return MLV_FILES_DIRECTORY;
	/* A submodule is another repository. */
	return entry && entry->mode != MODE_SUBMODULE ? MLV_FILES_FILE : MLV_FILES_NOTHING;
}

static GPtrArray *commit_list(gpointer user, const char *path, GError **error)
{
	MlvSide *side = user;
	const Folder *folder;
	GPtrArray *names;

	read_trees(side);
	folder = g_hash_table_lookup(side->folders, path);
	if (!folder) {
		mlv_fail(error, MLV_ERROR_MISSING, "there is no folder '%s' in '%s'", path,
			 side->name);
		return NULL;
	}
	names = g_ptr_array_new_full(folder->entries->len, g_free);
	for (guint i = 0; i < folder->entries->len; i++) {
		const Entry *entry = &g_array_index(folder->entries, Entry, i);

		if (entry->mode != MODE_SUBMODULE)
			g_ptr_array_add(names,
					g_strconcat(entry->name,
						    entry->mode == MODE_FOLDER ? "/" : "", NULL));
	}
	return names;
}

void mlv_side_init_commit(MlvSide *side)
{
	side->base = (MlvFiles){ commit_read, commit_type, commit_list, side, NULL };
	side->read = commit_read;
}

void mlv_side_clear_commit(MlvSide *side)
{
	g_clear_pointer(&side->folders, g_hash_table_unref);
	g_clear_pointer(&side->names, g_string_chunk_free);
}
