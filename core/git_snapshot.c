/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/git_blobs.h"
#include "core/git_internal.h"
#include "core/git_run.h"
#include "core/workspace.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_diff, git_diff_free)

typedef struct {
	MlvRepo *repo;
	const MlvGitSnapshotOptions *options;
	GArray *edits;          /* of MlvGitEdit */
	GPtrArray *filtered;    /* paths that a program must filter first, of char * */
	GArray *filtered_modes; /* of guint32 */
	gboolean programs;      /* git is configured to run some as filters */
	MlvGitBlobs *blobs;
} Snapshot;

static void leave_out(const Snapshot *snapshot, const char *path, const char *why)
{
	if (snapshot->options->left_out)
		snapshot->options->left_out(path, why, snapshot->options->user);
}

static void add_edit(GArray *edits, const char *path, const git_oid *blob, guint32 mode)
{
	MlvGitEdit edit = { .path = g_strdup(path), .mode = mode };

	if (blob)
		mlv_oid_from_git(blob, &edit.blob);
	g_array_append_val(edits, edit);
}

/* --- what a file is to git -------------------------------------------------------------------- */

static guint32 git_mode(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return GIT_FILEMODE_LINK;
	if (!S_ISREG(st->st_mode))
		return 0;
	return st->st_mode & S_IXUSR ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
}

/* libgit2 runs no programs: those that attributes name as filters are left to git. */
static gboolean needs_program(const Snapshot *snapshot, const char *path)
{
	const char *value = NULL;

	if (!snapshot->programs)
		return FALSE;
	if (git_attr_get(&value, snapshot->repo->git, 0, path, "filter") < 0) {
		git_error_clear();
		return FALSE;
	}
	return git_attr_value(value) == GIT_ATTR_VALUE_STRING;
}

static gboolean has_programs(const MlvRepo *repo)
{
	g_autoptr(git_config) config = NULL;
	g_autoptr(git_config_iterator) iterator = NULL;
	git_config_entry *entry;

	gboolean found = git_repository_config(&config, repo->git) == 0 &&
			 git_config_iterator_glob_new(&iterator, config, "^filter\\.") == 0 &&
			 git_config_next(&entry, iterator) == 0;
	git_error_clear();
	return found;
}

/* A change within this time before a file was stored might not show in its times: nanoseconds. */
#define RACY (50 * 1000 * 1000ll)

/* A file as it was when it was stored. */
typedef struct {
	struct timespec mtime, ctime;
	ino_t inode;
	off_t size;
	git_oid blob;
} Known;

GHashTable *mlv_git_snapshot_memo(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static gint64 nanoseconds(const struct timespec *time)
{
	return time->tv_sec * G_GINT64_CONSTANT(1000000000) + time->tv_nsec;
}

static const git_oid *recall(const Snapshot *snapshot, const char *path, const struct stat *st)
{
	const Known *known =
		snapshot->options->memo ? g_hash_table_lookup(snapshot->options->memo, path) : NULL;

	return known && known->inode == st->st_ino && known->size == st->st_size &&
			       nanoseconds(&known->mtime) == nanoseconds(&st->st_mtim) &&
			       nanoseconds(&known->ctime) == nanoseconds(&st->st_ctim)
		       ? &known->blob
		       : NULL;
}

static void remember(const Snapshot *snapshot, const char *path, const struct stat *st,
		     const git_oid *blob)
{
	if (!snapshot->options->memo ||
	    nanoseconds(&st->st_ctim) + RACY > g_get_real_time() * 1000 ||
	    nanoseconds(&st->st_mtim) + RACY > g_get_real_time() * 1000)
		return;
	Known *known = g_new0(Known, 1);
	*known = (Known){ .mtime = st->st_mtim,
			  .ctime = st->st_ctim,
			  .inode = st->st_ino,
			  .size = st->st_size,
			  .blob = *blob };
	g_hash_table_replace(snapshot->options->memo, g_strdup(path), known);
}

/* `known` is what its content comes to in git, or NULL. */
static gboolean take_file(Snapshot *snapshot, const char *path, gboolean tracked,
			  const git_oid *known)
{
	const char *name = strrchr(path, '/');
	struct stat st;
	git_oid blob;

	if (!*path || g_str_has_suffix(path, "/") || mlv_workspace_is_temp(name ? name + 1 : path))
		return TRUE;
	if (fstatat(snapshot->repo->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return TRUE; /* gone since */
	guint32 mode = git_mode(&st);
	if (mode == 0)
		return TRUE;
	if (!tracked && (guint64)st.st_size > snapshot->options->max_file) {
		leave_out(snapshot, path, "too large for git; 'mlv add' would keep it");
		return TRUE;
	}
	const git_oid *same = recall(snapshot, path, &st);
	if (same) {
		add_edit(snapshot->edits, path, same, mode);
		return TRUE;
	}
	if (S_ISREG(st.st_mode) && needs_program(snapshot, path)) {
		g_ptr_array_add(snapshot->filtered, g_strdup(path));
		g_array_append_val(snapshot->filtered_modes, mode);
		return TRUE;
	}
	if (!(S_ISREG(st.st_mode) && mlv_git_blobs_add(snapshot->blobs, path, known, &blob)) &&
	    git_blob_create_from_workdir(&blob, snapshot->repo->git, path) < 0) {
		const git_error *why = git_error_last();
		leave_out(snapshot, path, why ? why->message : "cannot be read");
		git_error_clear();
		return TRUE;
	}
	add_edit(snapshot->edits, path, &blob, mode);
	remember(snapshot, path, &st, &blob);
	return TRUE;
}

static gboolean run_filters(Snapshot *snapshot, GError **error)
{
	static const char *const argv[] = { "hash-object", "-w", "--stdin-paths", NULL };
	g_autoptr(GString) input = g_string_new(NULL);
	g_autoptr(GBytes) output = NULL;

	if (snapshot->filtered->len == 0)
		return TRUE;
	for (guint i = 0; i < snapshot->filtered->len; i++) {
		const char *path = snapshot->filtered->pdata[i];
		if (strchr(path, '\n'))
			return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
					"'%s' has a line break in its name and a filter", path);
		g_string_append_printf(input, "%s/%s\n", snapshot->repo->root, path);
	}
	g_autoptr(GBytes) bytes = g_bytes_new(input->str, input->len);
	if (!mlv_git_capture(snapshot->repo, argv, bytes, &output, NULL, error))
		return FALSE;
	gsize length;
	const char *text = g_bytes_get_data(output, &length);
	for (guint i = 0; i < snapshot->filtered->len; i++) {
		git_oid blob;
		if (length < (i + 1) * (GIT_OID_HEXSZ + 1) ||
		    git_oid_fromstrn(&blob, text + i * (GIT_OID_HEXSZ + 1), GIT_OID_HEXSZ) < 0)
			return mlv_fail(error, MLV_ERROR_FAILED, "'git hash-object' gave no names");
		add_edit(snapshot->edits, snapshot->filtered->pdata[i], &blob,
			 g_array_index(snapshot->filtered_modes, guint32, i));
	}
	return TRUE;
}

static void take_delta(Snapshot *snapshot, const git_diff_delta *delta)
{
	const char *path = delta->new_file.path ? delta->new_file.path : delta->old_file.path;

	switch (delta->status) {
	case GIT_DELTA_DELETED:
		add_edit(snapshot->edits, delta->old_file.path, NULL, 0);
		break;
	case GIT_DELTA_UNTRACKED:
	case GIT_DELTA_ADDED:
		take_file(snapshot, path, FALSE, NULL);
		break;
	case GIT_DELTA_MODIFIED:
	case GIT_DELTA_TYPECHANGE:
	case GIT_DELTA_CONFLICTED:
		if (delta->old_file.mode != GIT_FILEMODE_COMMIT)
			take_file(snapshot, path, TRUE,
				  delta->new_file.flags & GIT_DIFF_FLAG_VALID_ID
					  ? &delta->new_file.id
					  : NULL);
		break;
	default:
		break;
	}
}

/* The index without what is unmerged or only meant to be added: that counts as untracked. */
static gboolean index_tree(MlvRepo *repo, git_index *index, git_oid *tree, GError **error)
{
	git_index_conflict_cleanup(index);
	for (size_t i = git_index_entrycount(index); i-- > 0;) {
		const git_index_entry *entry = git_index_get_byindex(index, i);
		if (entry->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) {
			g_autofree char *path = g_strdup(entry->path);
			git_index_remove(index, path, 0);
		}
	}
	int code = git_index_write_tree_to(tree, index, repo->git);
	return code == 0 || mlv_git_fail(error, code, "cannot store git's index as a tree");
}

gboolean mlv_git_snapshot(MlvRepo *repo, const MlvGitSnapshotOptions *options, MlvOid *tree,
			  GError **error)
{
	git_diff_options diff_options = GIT_DIFF_OPTIONS_INIT;
	g_autoptr(GArray) edits = mlv_git_edits_new();
	g_autoptr(GPtrArray) filtered = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) modes = g_array_new(FALSE, FALSE, sizeof(guint32));
	Snapshot snapshot = { .repo = repo,
			      .options = options,
			      .edits = edits,
			      .filtered = filtered,
			      .filtered_modes = modes,
			      .programs = has_programs(repo) };
	g_autoptr(git_index) index = mlv_git_open_index(repo, error);
	g_autoptr(git_diff) diff = NULL;
	g_autoptr(MlvGitBlobs) blobs = mlv_git_blobs_new(repo);
	git_oid base;

	snapshot.blobs = blobs;
	if (!index || !index_tree(repo, index, &base, error))
		return FALSE;
	diff_options.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS |
			     GIT_DIFF_INCLUDE_TYPECHANGE;
	diff_options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
	int code = git_diff_index_to_workdir(&diff, repo->git, index, &diff_options);
	if (code < 0)
		return mlv_git_fail(error, code, "cannot compare the work tree with git's index");
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++)
		take_delta(&snapshot, git_diff_get_delta(diff, i));
	MlvOid from;
	mlv_oid_from_git(&base, &from);
	return mlv_git_blobs_flush(blobs, error) && run_filters(&snapshot, error) &&
	       mlv_git_edit_tree(repo, &from, edits, tree, error);
}

/* --- trees ------------------------------------------------------------------------------------ */

static void clear_edit(gpointer data)
{
	g_free(((MlvGitEdit *)data)->path);
}

GArray *mlv_git_edits_new(void)
{
	GArray *edits = g_array_new(FALSE, FALSE, sizeof(MlvGitEdit));
	g_array_set_clear_func(edits, clear_edit);
	return edits;
}

gboolean mlv_git_edits_add(GArray *edits, MlvRepo *repo, const char *path, const void *data,
			   gsize length, GError **error)
{
	git_oid blob;
	int code = git_blob_create_from_buffer(&blob, repo->git, data, length);

	if (code < 0)
		return mlv_git_fail(error, code, "cannot store '%s' in git", path);
	add_edit(edits, path, &blob, GIT_FILEMODE_BLOB);
	return TRUE;
}

void mlv_git_edits_remove(GArray *edits, const char *path)
{
	add_edit(edits, path, NULL, 0);
}

/* The slow way, which can do everything: a file in the place of a folder too. */
static int edit_by_index(MlvRepo *repo, git_tree *from, const GArray *edits, git_oid *tree)
{
	g_autoptr(git_index) index = NULL;
	int code = git_index_new(&index);

	if (code == 0 && from)
		code = git_index_read_tree(index, from);
	for (guint i = 0; code == 0 && i < edits->len; i++) {
		const MlvGitEdit *edit = &g_array_index(edits, MlvGitEdit, i);
		if (edit->mode == 0) {
			git_index_remove_directory(index, edit->path, 0);
			git_index_remove(index, edit->path, 0);
		}
	}
	for (guint i = 0; code == 0 && i < edits->len; i++) {
		const MlvGitEdit *edit = &g_array_index(edits, MlvGitEdit, i);
		git_index_entry entry = { .mode = edit->mode, .path = edit->path };
		mlv_oid_to_git(&edit->blob, &entry.id);
		if (edit->mode != 0)
			code = git_index_add(index, &entry);
	}
	return code ? code : git_index_write_tree_to(tree, index, repo->git);
}

static int edit_in_place(MlvRepo *repo, git_tree *from, const GArray *edits, git_oid *tree)
{
	g_autofree git_tree_update *updates = g_new0(git_tree_update, edits->len);
	size_t n = 0;

	for (guint i = 0; i < edits->len; i++) {
		const MlvGitEdit *edit = &g_array_index(edits, MlvGitEdit, i);
		git_tree_entry *entry = NULL;

		if (edit->mode == 0) {
			gboolean there =
				from && git_tree_entry_bypath(&entry, from, edit->path) == 0;
			git_tree_entry_free(entry);
			if (!there)
				continue;
		}
		git_tree_update *update = &updates[n++];
		update->action = edit->mode ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE;
		update->filemode = edit->mode;
		update->path = edit->path;
		mlv_oid_to_git(&edit->blob, &update->id);
	}
	return git_tree_create_updated(tree, repo->git, from, n, updates);
}

gboolean mlv_git_edit_tree(MlvRepo *repo, const MlvOid *from, const GArray *edits, MlvOid *tree,
			   GError **error)
{
	g_autoptr(git_tree) base = NULL;
	git_oid oid;

	if (from) {
		mlv_oid_to_git(from, &oid);
		base = mlv_git_lookup_tree(repo, &oid, error);
		if (!base)
			return FALSE;
	}
	git_oid result;
	int code = edit_in_place(repo, base, edits, &result);
	if (code < 0)
		code = edit_by_index(repo, base, edits, &result);
	if (code < 0)
		return mlv_git_fail(error, code, "cannot store a tree");
	git_error_clear();
	mlv_oid_from_git(&result, tree);
	return TRUE;
}

gboolean mlv_git_commit_tree_of(MlvRepo *repo, const MlvOid *commit, MlvOid *tree, GError **error)
{
	git_oid oid;

	if (!mlv_git_tree_of(repo, commit, &oid, error))
		return FALSE;
	mlv_oid_from_git(&oid, tree);
	return TRUE;
}

gboolean mlv_git_tree_entry(MlvRepo *repo, const MlvOid *tree, const char *path, MlvOid *oid,
			    guint32 *mode, gboolean *found, GError **error)
{
	git_tree_entry *entry = NULL;
	git_oid id;

	mlv_oid_to_git(tree, &id);
	g_autoptr(git_tree) whole = mlv_git_lookup_tree(repo, &id, error);
	if (!whole)
		return FALSE;
	*found = git_tree_entry_bypath(&entry, whole, path) == 0;
	if (*found) {
		mlv_oid_from_git(git_tree_entry_id(entry), oid);
		*mode = git_tree_entry_filemode(entry);
	}
	git_tree_entry_free(entry);
	git_error_clear();
	return TRUE;
}

GArray *mlv_git_tree_edits(MlvRepo *repo, const MlvOid *from, const MlvOid *to, GError **error)
{
	git_diff_options options = GIT_DIFF_OPTIONS_INIT;
	g_autoptr(git_tree) a = NULL;
	g_autoptr(git_tree) b = NULL;
	g_autoptr(git_diff) diff = NULL;
	git_oid oid;

	if (from) {
		mlv_oid_to_git(from, &oid);
		a = mlv_git_lookup_tree(repo, &oid, error);
	}
	if (to && (!from || a)) {
		mlv_oid_to_git(to, &oid);
		b = mlv_git_lookup_tree(repo, &oid, error);
	}
	if ((from && !a) || (to && !b))
		return NULL;
	int code = git_diff_tree_to_tree(&diff, repo->git, a, b, &options);
	if (code < 0) {
		mlv_git_fail(error, code, "cannot compare two trees");
		return NULL;
	}
	GArray *edits = mlv_git_edits_new();
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *delta = git_diff_get_delta(diff, i);
		gboolean gone = delta->status == GIT_DELTA_DELETED;
		add_edit(edits, gone ? delta->old_file.path : delta->new_file.path,
			 &delta->new_file.id, gone ? 0 : delta->new_file.mode);
	}
	return edits;
}
