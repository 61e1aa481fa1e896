/* SPDX-License-Identifier: Apache-2.0 */
/* What lies at a path of another repository. */
#include <string.h>

#include "core/elsewhere.h"

#define FILE_MAX (1024u * 1024 * 1024) /* bytes of a file of git's */

void mlv_there_free(MlvThere *what)
{
	if (!what)
		return;
	g_free(what->path);
	g_free(what->name);
	g_clear_pointer(&what->file, g_bytes_unref);
	g_clear_pointer(&what->targets, g_ptr_array_unref);
	g_free(what);
}

/* Without "." and doubled slashes; ".." and names that no entry can have are refused. */
static char *clean_path(const char *path, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autoptr(GString) clean = g_string_new(NULL);

	for (char **part = parts; *part; part++) {
		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (!mlv_name_allowed(*part, strlen(*part))) {
			mlv_fail(error, MLV_ERROR_USAGE, "'%s' is no path in a repository", path);
			return NULL;
		}
		g_string_append_printf(clean, "%s%s", clean->len > 0 ? "/" : "", *part);
	}
	return g_string_free(g_steal_pointer(&clean), FALSE);
}

static void fill_entry(const MlvPointer *pointer, MlvTreeEntry *entry)
{
	*entry = (MlvTreeEntry){ .mode = pointer->mode,
				 .ref = pointer->ref,
				 .files = pointer->files,
				 .bytes = pointer->bytes };
}

/* Down from a target to `rest`. */
static gboolean descend(MlvElsewhere *there, MlvThere *what, const char *rest, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(rest, "/", -1);

	for (char **part = parts; *rest && *part; part++) {
		MlvRef tree = what->entry.ref;
		gboolean found = FALSE;

		if (what->entry.mode == MLV_MODE_DIRECTORY &&
		    !mlv_tree_find(mlv_elsewhere_source(there), &tree, *part, &what->entry, &found,
				   error))
			return FALSE;
		if (!found)
			return mlv_fail(error, MLV_ERROR_MISSING, "there is no '%s' there",
					what->path);
	}
	what->entry.name = what->name;
	what->entry.name_length = (guint8)strlen(what->name);
	return TRUE;
}

static gboolean is_below(const char *path, const char *folder)
{
	gsize length = strlen(folder);

	return length == 0 || (strncmp(path, folder, length) == 0 && path[length] == '/');
}

static gboolean find_folder(MlvElsewhere *there, MlvThere *what, GError **error)
{
	g_autoptr(GPtrArray) all = mlv_git_pointers_in_commit(mlv_elsewhere_repo(there),
							      mlv_elsewhere_commit(there), error);

	what->kind = MLV_THERE_FOLDER;
	what->targets = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	for (guint i = 0; all && i < all->len;) {
		const MlvTracked *tracked = all->pdata[i];

		if (!is_below(tracked->path, what->path)) {
			i++;
			continue;
		}
		if (tracked->error) {
			g_propagate_error(error, g_error_copy(tracked->error));
			return FALSE;
		}
		g_ptr_array_add(what->targets, g_ptr_array_steal_index(all, i));
	}
	return all &&
	       (what->targets->len > 0 || mlv_fail(error, MLV_ERROR_MISSING,
						   "there is no '%s' there, nor tracked data "
						   "below it",
						   what->path));
}

typedef struct {
	const char *path;
	guint8 mode;
} Mode;

static gboolean note_mode(const char *path, guint32 mode, const MlvOid *oid, gboolean *descend_into,
			  gpointer user, GError **error)
{
	Mode *wanted = user;

	*descend_into = FALSE;
	if (strcmp(path, wanted->path) == 0)
		wanted->mode = mode == 0100755   ? MLV_MODE_EXECUTABLE
			       : mode == 0120000 ? MLV_MODE_SYMLINK
						 : MLV_MODE_FILE;
	return TRUE;
}

/* A file of git's own, which is small as a rule. */
static gboolean find_file(MlvElsewhere *there, MlvThere *what, GError **error)
{
	MlvRepo *repo = mlv_elsewhere_repo(there);
	g_autoptr(GError) failed = NULL;
	Mode mode = { .path = what->path };

	what->file =
		mlv_git_read_file(repo, mlv_elsewhere_commit(there), what->path, FILE_MAX, &failed);
	if (!what->file && g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
		return find_folder(there, what, error);
	if (!what->file) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	what->kind = MLV_THERE_FILE;
	if (!mlv_git_walk_tree(repo, mlv_elsewhere_commit(there), what->path, note_mode, &mode,
			       error))
		return FALSE;
	what->mode = mode.mode;
	return TRUE;
}

MlvThere *mlv_elsewhere_find(MlvElsewhere *there, const char *path, GError **error)
{
	g_autoptr(MlvThere) what = g_new0(MlvThere, 1);
	g_autoptr(GError) failed = NULL;
	const char *rest = "", *slash;
	MlvTracked *target;
	gboolean ok;

	what->path = clean_path(path, error);
	if (!what->path)
		return NULL;
	slash = strrchr(what->path, '/');
	what->name = g_strdup(slash ? slash + 1 : what->path);
	target = mlv_git_find_pointer(mlv_elsewhere_repo(there), mlv_elsewhere_commit(there),
				      what->path, &rest, &failed);
	if (failed || (target && target->error)) {
		g_propagate_error(error, failed ? g_steal_pointer(&failed)
						: g_steal_pointer(&target->error));
		mlv_tracked_free(target);
		return NULL;
	}
	if (target) {
		fill_entry(&target->pointer, &what->entry);
		ok = descend(there, what, rest, error);
		mlv_tracked_free(target);
	} else {
		ok = *what->path ? find_file(there, what, error) : find_folder(there, what, error);
	}
	return ok ? g_steal_pointer(&what) : NULL;
}
