/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_staging.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/git_lock.h"
#include "core/git_run.h"
#include "core/ignore.h"
#include "core/import_record.h"
#include "core/workspace.h"

#define IGNORE_MAX (16u << 20) /* bytes of a .gitignore */

typedef enum {
	OP_BYTES,
	OP_FILE,
	OP_FORGET,
	OP_CONFLICT
} OpKind;

typedef struct {
	OpKind kind;
	char *path;
	guint32 mode;
	gboolean write;   /* BYTES: into the work tree too; FORGET: remove the file there too */
	GBytes *bytes[3]; /* BYTES: the first; CONFLICT: base, ours, theirs */
} Op;

/* The lines of one .gitignore to add and to remove: name -> whether to add. */
typedef struct {
	char *file;
	GHashTable *names;
	gboolean removes;
	GBytes *work; /* the file's bytes in the work tree once that is done; NULL: no file */
} IgnoreFile;

struct MlvStaging {
	MlvRepo *repo;
	GPtrArray *ops;      /* of Op * */
	GHashTable *ignores; /* folder -> IgnoreFile */
	gboolean all_tracked;
	MlvIndexLock *lock; /* NULL until it is taken */
};

static void op_free(gpointer data)
{
	Op *op = data;

	g_free(op->path);
	for (gsize i = 0; i < G_N_ELEMENTS(op->bytes); i++)
		g_bytes_unref(op->bytes[i]);
	g_free(op);
}

static void ignore_free(gpointer data)
{
	IgnoreFile *ignore = data;

	g_free(ignore->file);
	g_hash_table_unref(ignore->names);
	g_bytes_unref(ignore->work);
	g_free(ignore);
}

MlvStaging *mlv_staging_new(MlvRepo *repo)
{
	MlvStaging *stage = g_new0(MlvStaging, 1);
	stage->repo = repo;
	stage->ops = g_ptr_array_new_with_free_func(op_free);
	stage->ignores = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, ignore_free);
	return stage;
}

void mlv_staging_free(MlvStaging *stage)
{
	if (!stage)
		return;
	g_clear_pointer(&stage->lock, mlv_index_lock_free);
	g_ptr_array_unref(stage->ops);
	g_hash_table_unref(stage->ignores);
	g_free(stage);
}

static Op *add_op(MlvStaging *stage, OpKind kind, const char *path)
{
	Op *op = g_new0(Op, 1);

	op->kind = kind;
	op->path = g_strdup(path);
	g_ptr_array_add(stage->ops, op);
	return op;
}

void mlv_staging_bytes(MlvStaging *stage, const char *path, GBytes *bytes, guint32 mode,
		       gboolean write)
{
	Op *op = add_op(stage, OP_BYTES, path);

	op->bytes[0] = g_bytes_ref(bytes);
	op->mode = mode;
	op->write = write;
}

void mlv_staging_pointer(MlvStaging *stage, const char *path, const MlvPointer *pointer)
{
	gsize length;
	char *text = mlv_pointer_format(pointer, &length);
	g_autoptr(GBytes) bytes = g_bytes_new_take(text, length);
	g_autofree char *file = mlv_pointer_path(path);

	mlv_staging_bytes(stage, file, bytes, GIT_FILEMODE_BLOB, TRUE);
	mlv_staging_ignore(stage, path, TRUE);
}

void mlv_staging_remove_pointer(MlvStaging *stage, const char *path)
{
	g_autofree char *file = mlv_pointer_path(path);
	g_autofree char *record = mlv_import_record_path(path);

	add_op(stage, OP_FORGET, file)->write = TRUE;
	/* Where imported data came from goes with them. */
	add_op(stage, OP_FORGET, record)->write = TRUE;
	mlv_staging_ignore(stage, path, FALSE);
}

void mlv_staging_ignore(MlvStaging *stage, const char *path, gboolean add)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = g_strndup(path, slash ? (gsize)(slash - path) + 1 : 0);
	IgnoreFile *ignore = g_hash_table_lookup(stage->ignores, folder);

	if (!ignore) {
		ignore = g_new0(IgnoreFile, 1);
		ignore->file = g_strconcat(folder, ".gitignore", NULL);
		ignore->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		g_hash_table_insert(stage->ignores, g_steal_pointer(&folder), ignore);
	}
	ignore->removes |= !add;
	g_hash_table_replace(ignore->names, g_strdup(slash ? slash + 1 : path),
			     GINT_TO_POINTER(add));
}

void mlv_staging_file(MlvStaging *stage, const char *path)
{
	add_op(stage, OP_FILE, path);
}

void mlv_staging_forget(MlvStaging *stage, const char *path)
{
	add_op(stage, OP_FORGET, path);
}

void mlv_staging_conflict(MlvStaging *stage, const char *path, GBytes *base, GBytes *ours,
			  GBytes *theirs)
{
	Op *op = add_op(stage, OP_CONFLICT, path);

	op->bytes[0] = base ? g_bytes_ref(base) : NULL;
	op->bytes[1] = ours ? g_bytes_ref(ours) : NULL;
	op->bytes[2] = theirs ? g_bytes_ref(theirs) : NULL;
}

void mlv_staging_all_tracked(MlvStaging *stage)
{
	stage->all_tracked = TRUE;
}

gboolean mlv_staging_is_empty(const MlvStaging *stage)
{
	return stage->ops->len == 0 && g_hash_table_size(stage->ignores) == 0 &&
	       !stage->all_tracked;
}

/* --- .gitignore ------------------------------------------------------------------------------- */

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names to add, or those to remove, sorted so that the file does not depend on a hash's
 * order. */
static GPtrArray *names_of(const IgnoreFile *ignore, gboolean add)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter at;
	gpointer name, adds;

	g_hash_table_iter_init(&at, ignore->names);
	while (g_hash_table_iter_next(&at, &name, &adds))
		if (GPOINTER_TO_INT(adds) == add)
			g_ptr_array_add(names, name);
	g_ptr_array_sort(names, compare_names);
	return names;
}

/* The bytes with all lines added and removed; NULL if nothing changes. */
static GBytes *edit_ignore(const IgnoreFile *ignore, GBytes *before)
{
	g_autoptr(GPtrArray) gone = names_of(ignore, FALSE), wanted = names_of(ignore, TRUE);
	gsize length = 0;
	const void *data = before ? g_bytes_get_data(before, &length) : NULL;
	g_autoptr(GBytes) shorter =
		mlv_ignore_remove_lines(data, length, (const char *const *)gone->pdata, gone->len);

	if (shorter)
		data = g_bytes_get_data(shorter, &length);
	GBytes *longer =
		mlv_ignore_add_lines(data, length, (const char *const *)wanted->pdata, wanted->len);
	return longer ? longer : g_steal_pointer(&shorter);
}

static gboolean write_ignore(MlvStaging *stage, IgnoreFile *ignore, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) before =
		mlv_repo_read_file(stage->repo, ignore->file, IGNORE_MAX, &local);

	if (!before && !g_error_matches(local, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	g_autoptr(GBytes) after = edit_ignore(ignore, before);
	g_clear_pointer(&ignore->work, g_bytes_unref);
	if (!after) {
		ignore->work = g_steal_pointer(&before);
		return TRUE;
	}
	/* A .gitignore that held nothing but our lines goes with them. */
	if (g_bytes_get_size(after) == 0)
		return mlv_repo_remove_file(stage->repo, ignore->file, error);
	ignore->work = g_steal_pointer(&after);
	gsize length;
	const void *data = g_bytes_get_data(ignore->work, &length);
	return mlv_repo_write_file(stage->repo, ignore->file, data, length, 0666, error);
}

/* Removes what killed processes left in the folder of a file. */
static void sweep_folder(MlvStaging *stage, const char *file)
{
	const char *slash = strrchr(file, '/');
	g_autofree char *folder = g_strndup(file, slash ? (gsize)(slash - file) : 0);
	g_auto(MlvFd) fd = mlv_workspace_open_dir(mlv_repo_root_fd(stage->repo), folder, NULL);

	if (fd >= 0)
		mlv_workspace_sweep(fd);
}

static gboolean write_files(MlvStaging *stage, GError **error)
{
	GHashTableIter at;
	gpointer ignore;

	g_hash_table_iter_init(&at, stage->ignores);
	while (g_hash_table_iter_next(&at, NULL, &ignore)) {
		if (!write_ignore(stage, ignore, error))
			return FALSE;
		sweep_folder(stage, ((IgnoreFile *)ignore)->file);
	}
	for (guint i = 0; i < stage->ops->len; i++) {
		const Op *op = stage->ops->pdata[i];
		gsize length = 0;
		const void *data = op->bytes[0] ? g_bytes_get_data(op->bytes[0], &length) : NULL;
		if (!op->write)
			continue;
		if (op->kind == OP_FORGET
			    ? !mlv_repo_remove_file(stage->repo, op->path, error)
			    : !mlv_repo_write_file(stage->repo, op->path, data, length,
						   op->mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0777
											    : 0666,
						   error))
			return FALSE;
	}
	return TRUE;
}

/* --- the index -------------------------------------------------------------------------------- */

/* What `stat` says of the work tree's file, as git notes it to know later that nothing changed. */
static void fill_stat(MlvRepo *repo, const char *path, git_index_entry *entry)
{
	struct stat st;

	if (fstatat(repo->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	entry->ctime.seconds = (int32_t)st.st_ctim.tv_sec;
	entry->ctime.nanoseconds = (uint32_t)st.st_ctim.tv_nsec;
	entry->mtime.seconds = (int32_t)st.st_mtim.tv_sec;
	entry->mtime.nanoseconds = (uint32_t)st.st_mtim.tv_nsec;
	entry->dev = (uint32_t)st.st_dev;
	entry->ino = (uint32_t)st.st_ino;
	entry->uid = st.st_uid;
	entry->gid = st.st_gid;
	entry->file_size = (uint32_t)st.st_size;
}

static gboolean put_entry(git_index *index, const git_index_entry *entry, GError **error)
{
	/* Staging settles a conflict; libgit2 forgets that where an index has no repository. */
	git_index_conflict_remove(index, entry->path);
	git_error_clear();
	int code = git_index_add(index, entry);
	return code == 0 || mlv_git_fail(error, code, "cannot stage '%s'", entry->path);
}

static gboolean store_blob(MlvRepo *repo, GBytes *bytes, git_oid *oid, GError **error)
{
	gsize length;
	const void *data = g_bytes_get_data(bytes, &length);
	int code = git_blob_create_from_buffer(oid, repo->git, data ? data : "", length);
	return code == 0 || mlv_git_fail(error, code, "cannot store in git's objects");
}

static gboolean put_bytes(MlvRepo *repo, git_index *index, const char *path, GBytes *bytes,
			  guint32 mode, gboolean as_in_work_tree, GError **error)
{
	git_index_entry entry = { .path = path, .mode = mode };

	if (!store_blob(repo, bytes, &entry.id, error))
		return FALSE;
	if (as_in_work_tree)
		fill_stat(repo, path, &entry);
	return put_entry(index, &entry, error);
}

static gboolean put_file(MlvRepo *repo, git_index *index, const char *path, GError **error)
{
	git_index_entry entry = { .path = path };
	struct stat st;

	if (fstatat(repo->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mlv_fail_errno(error, "cannot stage '%s'", path);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot stage '%s': it is no file", path);
	entry.mode = S_ISLNK(st.st_mode)        ? GIT_FILEMODE_LINK
		     : (st.st_mode & 0100) != 0 ? GIT_FILEMODE_BLOB_EXECUTABLE
						: GIT_FILEMODE_BLOB;
	fill_stat(repo, path, &entry);
	int code = git_blob_create_from_workdir(&entry.id, repo->git, path);
	if (code < 0)
		return mlv_git_fail(error, code, "cannot store '%s' in git's objects", path);
	return put_entry(index, &entry, error);
}

static void forget(git_index *index, const char *path)
{
	for (int stage = 0; stage <= 3; stage++)
		git_index_remove(index, path, stage);
	git_error_clear();
}

static gboolean put_conflict(MlvRepo *repo, git_index *index, const Op *op, GError **error)
{
	git_index_entry sides[3] = { { .path = op->path },
				     { .path = op->path },
				     { .path = op->path } };
	const git_index_entry *given[3] = { NULL };

	for (gsize i = 0; i < 3; i++) {
		if (!op->bytes[i])
			continue;
		sides[i].mode = GIT_FILEMODE_BLOB;
		if (!store_blob(repo, op->bytes[i], &sides[i].id, error))
			return FALSE;
		given[i] = &sides[i];
	}
	forget(index, op->path);
	int code = git_index_conflict_add(index, given[0], given[1], given[2]);
	return code == 0 || mlv_git_fail(error, code, "cannot mark '%s' as unmerged", op->path);
}

static gboolean apply_op(MlvRepo *repo, git_index *index, const Op *op, GError **error)
{
	switch (op->kind) {
	case OP_BYTES:
		return put_bytes(repo, index, op->path, op->bytes[0], op->mode, op->write, error);
	case OP_FILE:
		return put_file(repo, index, op->path, error);
	case OP_FORGET:
		forget(index, op->path);
		return TRUE;
	case OP_CONFLICT:
		return put_conflict(repo, index, op, error);
	}
	return TRUE;
}

/* Edits what the index has of the .gitignore, not what the work tree has: other edits stay
 * unstaged. */
static gboolean stage_ignore(MlvRepo *repo, git_index *index, const IgnoreFile *ignore,
			     GError **error)
{
	const git_index_entry *entry = git_index_get_bypath(index, ignore->file, 0);
	g_autoptr(GBytes) before = NULL;
	guint32 mode = entry ? entry->mode : GIT_FILEMODE_BLOB;

	git_error_clear();
	if (entry) {
		MlvOid oid;
		mlv_oid_from_git(&entry->id, &oid);
		before = mlv_git_read_blob(repo, &oid, IGNORE_MAX, error);
		if (!before)
			return FALSE;
	} else {
		for (int stage = 1; stage <= 3; stage++)
			if (git_index_get_bypath(index, ignore->file, stage))
				return TRUE; /* unmerged: the user's to settle */
		git_error_clear();
	}
	g_autoptr(GBytes) after = edit_ignore(ignore, before);
	if (!after)
		return TRUE;
	if (g_bytes_get_size(after) == 0 && !ignore->work) {
		forget(index, ignore->file);
		return TRUE;
	}
	gboolean same = ignore->work && g_bytes_equal(after, ignore->work);
	return put_bytes(repo, index, ignore->file, after, mode, same, error);
}

static gboolean change_index(MlvStaging *stage, GError **error)
{
	git_index *index = mlv_index_lock_index(stage->lock);
	GHashTableIter at;
	gpointer ignore;

	g_hash_table_iter_init(&at, stage->ignores);
	while (g_hash_table_iter_next(&at, NULL, &ignore))
		if (!stage_ignore(stage->repo, index, ignore, error))
			return FALSE;
	for (guint i = 0; i < stage->ops->len; i++)
		if (!apply_op(stage->repo, index, stage->ops->pdata[i], error))
			return FALSE;
	return mlv_index_lock_commit(stage->lock, error);
}

void mlv_staging_recover(MlvRepo *repo)
{
	mlv_index_lock_recover(repo);
}

gboolean mlv_staging_lock(MlvStaging *stage, GError **error)
{
	if (!stage->lock)
		stage->lock = mlv_index_lock(stage->repo, error);
	return stage->lock != NULL;
}

/* The files are changed under the lock too: a .gitignore is read and written, and another mlv may
 * be entering a line of its own. */
static gboolean commit_under_lock(MlvStaging *stage, GError **error)
{
	gboolean ok = mlv_staging_lock(stage, error) && write_files(stage, error) &&
		      change_index(stage, error);

	g_clear_pointer(&stage->lock, mlv_index_lock_free);
	return ok;
}

gboolean mlv_staging_commit(MlvStaging *stage, GError **error)
{
	const char *argv[] = { "add", "--update", NULL };
	g_autoptr(GBytes) output = NULL;

	/* git takes the lock itself. */
	if (stage->all_tracked)
		mlv_index_lock_recover(stage->repo);
	if (stage->all_tracked && !mlv_git_capture(stage->repo, argv, NULL, &output, NULL, error))
		return FALSE;
	stage->all_tracked = FALSE;
	if (mlv_staging_is_empty(stage))
		g_clear_pointer(&stage->lock, mlv_index_lock_free);
	else if (!commit_under_lock(stage, error))
		return FALSE;
	g_ptr_array_set_size(stage->ops, 0);
	g_hash_table_remove_all(stage->ignores);
	return TRUE;
}
