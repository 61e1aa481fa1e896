/* SPDX-License-Identifier: Apache-2.0 */
/* Reading git's index, and the pointer files of the work tree. */

#include <fcntl.h>

#include "core/git_internal.h"
#include "core/target.h"
#include "storage/file.h"

static gboolean fail_index(const char *file, int code, GError **error)
{
	const git_error *last = git_error_last();
	const char *reason = last && last->message ? last->message : "";

	if (strstr(reason, "'link'"))
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			"git's index '%s' has the extension 'split index', which mlv cannot read; "
			"run 'git update-index --no-split-index'",
			file);
	if (strstr(reason, "'sdir'"))
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			"git's index '%s' has the extension 'sparse index', which mlv cannot read; "
			"run 'git sparse-checkout reapply --no-sparse-index'",
			file);
	return mlv_git_fail(error, code, "cannot read git's index '%s'", file);
}

git_index *mlv_git_open_index_file(const char *file, const char *label, GError **error)
{
	git_index *index = NULL;
	int code = git_index_open(&index, file);

	if (code == 0)
		code = git_index_read(index, 0);
	if (code < 0) {
		git_index_free(index);
		fail_index(label, code, error);
		return NULL;
	}
	return index;
}

git_index *mlv_git_open_index(MlvRepo *repo, GError **error)
{
	return mlv_git_open_index_file(repo->index_file, repo->index_file, error);
}

/* The index kept with the repository, read again if the file was changed. Borrowed. */
static git_index *current_index(MlvRepo *repo, GError **error)
{
	if (!repo->index) {
		repo->index = mlv_git_open_index(repo, error);
		return repo->index;
	}
	int code = git_index_read(repo->index, 0);
	if (code < 0) {
		fail_index(repo->index_file, code, error);
		return NULL;
	}
	return repo->index;
}

static gboolean names_targets(const git_index_entry *entry)
{
	return (entry->mode == GIT_FILEMODE_BLOB || entry->mode == GIT_FILEMODE_BLOB_EXECUTABLE) &&
	       mlv_target_file(entry->path) != MLV_TARGET_NONE;
}

GPtrArray *mlv_git_pointers_of_index(MlvRepo *repo, git_index *index, GError **error)
{
	g_autoptr(GPtrArray) pointers =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_tracked_free);
	g_autoptr(GArray) oids = g_array_new(FALSE, FALSE, sizeof(git_oid));
	size_t count = git_index_entrycount(index);

	for (size_t i = 0; i < count; i++) {
		const git_index_entry *entry = git_index_get_byindex(index, i);
		if (names_targets(entry))
			g_array_append_val(oids, entry->id);
	}
	if (!mlv_git_fetch_missing(repo, oids, error))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const git_index_entry *entry = git_index_get_byindex(index, i);
		guint from = pointers->len;
		if (!names_targets(entry))
			continue;
		if (!mlv_git_read_targets(repo, entry->path, &entry->id, pointers, error))
			return NULL;
		for (; from < pointers->len; from++) {
			MlvTracked *tracked = pointers->pdata[from];
			tracked->stage = (guint8)git_index_entry_stage(entry);
			tracked->sparse =
				(entry->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0;
		}
	}
	mlv_targets_settle(pointers);
	return g_steal_pointer(&pointers);
}

GPtrArray *mlv_git_locks_in_index(MlvRepo *repo, GError **error)
{
	git_index *index = current_index(repo, error);
	GPtrArray *files = index ? g_ptr_array_new_with_free_func(g_free) : NULL;

	for (size_t i = 0; index && i < git_index_entrycount(index); i++) {
		const git_index_entry *entry = git_index_get_byindex(index, i);
		const char *last = files->len > 0 ? files->pdata[files->len - 1] : NULL;
		if (mlv_target_file(entry->path) == MLV_TARGET_LOCK &&
		    g_strcmp0(last, entry->path) != 0)
			g_ptr_array_add(files, g_strdup(entry->path));
	}
	return files;
}

GPtrArray *mlv_git_pointers_in_index(MlvRepo *repo, GError **error)
{
	git_index *index = current_index(repo, error);
	return index ? mlv_git_pointers_of_index(repo, index, error) : NULL;
}

GBytes *mlv_git_read_index_file(MlvRepo *repo, const char *path, int stage, GError **error)
{
	git_index *index = current_index(repo, error);
	const git_index_entry *entry = index ? git_index_get_bypath(index, path, stage) : NULL;
	MlvOid oid;

	git_error_clear();
	if (!entry)
		return NULL;
	mlv_oid_from_git(&entry->id, &oid);
	return mlv_git_read_blob(repo, &oid, G_MAXSIZE, error);
}

gboolean mlv_git_tracks(MlvRepo *repo, const char *path, gboolean *tracks, char **example,
			GError **error)
{
	git_index *index = current_index(repo, error);
	size_t at;

	*tracks = FALSE;
	if (example)
		*example = NULL;
	if (!index)
		return FALSE;
	g_autofree char *folder = *path ? g_strconcat(path, "/", NULL) : g_strdup("");
	int code = git_index_find(&at, index, path);
	if (code != 0)
		code = git_index_find_prefix(&at, index, folder);
	git_error_clear();
	*tracks = code == 0 && git_index_entrycount(index) > 0;
	if (*tracks && example)
		*example = g_strdup(git_index_get_byindex(index, at)->path);
	return TRUE;
}

gboolean mlv_git_check_own(MlvRepo *repo, const char *path, GError **error)
{
	git_index *index = current_index(repo, error);

	if (!index)
		return FALSE;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, (gsize)(slash - path));
		g_autofree char *git = g_strconcat(folder, "/.git", NULL);
		const git_index_entry *entry = git_index_get_bypath(index, folder, 0);
		g_auto(MlvFd) fd = mlv_file_open_beneath(repo->root_fd, git, O_PATH, 0);

		git_error_clear();
		if (fd >= 0 || (entry && entry->mode == GIT_FILEMODE_COMMIT))
			return mlv_fail(
				error, MLV_ERROR_FAILED,
				"'%s' lies in '%s', which is a git repository of its own; run "
				"mlv there: 'mlv -C %s ...'",
				path, folder, folder);
	}
	return TRUE;
}

gboolean mlv_git_ignores(MlvRepo *repo, const char *path, gboolean is_dir, gboolean *ignored,
			 GError **error)
{
	g_autofree char *name = is_dir ? g_strconcat(path, "/", NULL) : g_strdup(path);
	int result = 0;
	int code = git_ignore_path_is_ignored(&result, repo->git, name);

	*ignored = result != 0;
	return code == 0 ||
	       mlv_git_fail(error, code, "cannot judge git's ignore rules for '%s'", path);
}

/* --- large files ------------------------------------------------------------------------------ */

void mlv_git_file_free(MlvGitFile *file)
{
	if (!file)
		return;
	g_free(file->path);
	g_free(file);
}

/* HEAD's tree, or NULL without an error in a repository without commits. */
static gboolean head_tree(MlvRepo *repo, git_tree **tree, GError **error)
{
	gboolean unborn;
	MlvOid head;

	*tree = NULL;
	if (!mlv_git_head(repo, &head, &unborn, error))
		return FALSE;
	if (unborn)
		return TRUE;
	g_autoptr(git_commit) commit = mlv_git_lookup_commit(repo, &head, error);
	if (commit)
		*tree = mlv_git_lookup_tree(repo, git_commit_tree_id(commit), error);
	return *tree != NULL;
}

GPtrArray *mlv_git_large_staged(MlvRepo *repo, guint64 limit, GError **error)
{
	g_autoptr(GPtrArray) files =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_git_file_free);
	g_autoptr(git_tree) tree = NULL;
	git_index *index = current_index(repo, error);
	git_odb *odb = mlv_git_odb(repo, error);
	git_diff *diff = NULL;

	if (!index || !odb || !head_tree(repo, &tree, error))
		return NULL;
	int code = git_diff_tree_to_index(&diff, repo->git, tree, index, NULL);
	if (code < 0) {
		mlv_git_fail(error, code, "cannot compare HEAD with git's index");
		return NULL;
	}
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_file *file = &git_diff_get_delta(diff, i)->new_file;
		size_t size;
		git_object_t type;
		if (file->mode != GIT_FILEMODE_BLOB && file->mode != GIT_FILEMODE_BLOB_EXECUTABLE)
			continue;
		if (git_odb_read_header(&size, &type, odb, &file->id) < 0 || size <= limit)
			continue;
		MlvGitFile *large = g_new0(MlvGitFile, 1);
		large->path = g_strdup(file->path);
		large->size = size;
		g_ptr_array_add(files, large);
	}
	git_diff_free(diff);
	git_error_clear();
	return g_steal_pointer(&files);
}
