/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: directories are entered top down, and finished bottom up as their files become
 * known. */
#include "core/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/snapshot_private.h"
#include "storage/file.h"

static gboolean finish_dir(MlvSnapshot *snapshot, SnapDir *dir, GError **error);

static void target_free(gpointer data)
{
	SnapTarget *target = data;

	mlv_ignore_rules_unref(target->rules);
	g_free(target->path);
	g_free(target->owner);
	g_free(target);
}

static void dir_free(gpointer data)
{
	SnapDir *dir = data;

	mlv_scan_dir_free(dir->scan);
	g_clear_pointer(&dir->base, g_array_unref);
	g_free(dir->entries);
	g_free(dir->files);
	g_free(dir);
}

static SnapDir *dir_new(MlvSnapshot *snapshot, SnapTarget *target)
{
	SnapDir *dir = g_new0(SnapDir, 1);

	dir->target = target;
	g_hash_table_add(snapshot->dirs, dir);
	return dir;
}

static void give_result(MlvSnapshot *snapshot, SnapTarget *target, const MlvTreeEntry *entry,
			gboolean stored)
{
	MlvSnapshotResult result = { .path = target->path,
				     .user = target->user,
				     .has_base = target->has_base,
				     .stored = stored };

	result.present = entry->mode != 0;
	result.complete = !target->incomplete;
	if (result.present && !mlv_pointer_from_entry(entry, &result.pointer))
		result.pointer = (MlvPointer){ .ref = entry->ref,
					       .mode = entry->mode,
					       .files = entry->files,
					       .bytes = entry->bytes };
	result.same = result.present && target->has_base &&
		      mlv_pointer_equal(&result.pointer, &target->base);
	snapshot->options.done(&result, snapshot->options.data);
	g_hash_table_remove(snapshot->targets, target);
}

/* --- files ------------------------------------------------------------------------------------ */

static gboolean give_file(MlvSnapshot *snapshot, SnapDir *dir, gsize number, SnapTarget *target,
			  const char *path, guint64 size, GError **error)
{
	SnapFile *file = &target->file;

	if (dir && !dir->files)
		dir->files = g_new(SnapFile, dir->scan->count);
	if (dir)
		file = &dir->files[number];
	file->dir = dir;
	file->number = number;
	file->target = target;
	if (dir)
		dir->pending++;
	return mlv_ingest_file(snapshot->ingest, mlv_repo_root_fd(snapshot->options.repo), path,
			       size, file, error);
}

static char *entry_path(const SnapDir *dir, gsize number)
{
	return g_strconcat(dir->scan->path, *dir->scan->path ? "/" : "",
			   dir->scan->entries[number].name, NULL);
}

static gboolean enter_file(MlvSnapshot *snapshot, SnapDir *dir, gsize number, GError **error)
{
	MlvScanEntry *found = &dir->scan->entries[number];

	snapshot->files++;
	if (found->record &&
	    mlv_snapshot_known_file(snapshot, found->record, &dir->entries[number]))
		return TRUE;
	found->record = NULL;
	dir->changed = TRUE;
	g_autofree char *path = entry_path(dir, number);
	if (found->st.mode == MLV_MODE_SYMLINK)
		return mlv_snapshot_read_symlink(snapshot, dir->target, path, &dir->entries[number],
						 error);
	if (mlv_snapshot_is_pointer_file(snapshot, path, found->st.size)) {
		mlv_snapshot_problem(
			snapshot, dir->target, MLV_PROBLEM_REFUSED, path,
			"it is a pointer: what it names is tracked by itself; take it back first with "
			"'mlv rm --cached'");
		return TRUE;
	}
	return give_file(snapshot, dir, number, dir->target, path, found->st.size, error);
}

/* --- directories ------------------------------------------------------------------------------ */

static gboolean enter_dir(MlvSnapshot *snapshot, SnapTarget *target, SnapDir *parent, gsize number,
			  MlvScanNode *node, GError **error);

static gboolean enter_entry(MlvSnapshot *snapshot, SnapDir *dir, gsize number, GError **error)
{
	MlvScanEntry *found = &dir->scan->entries[number];
	gboolean allowed = mlv_name_allowed(found->name, strlen(found->name));

	if (allowed && found->type == MLV_SCAN_FILE)
		return enter_file(snapshot, dir, number, error);
	if (allowed && found->type == MLV_SCAN_DIRECTORY)
		return enter_dir(snapshot, dir->target, dir, number, found->node, error);
	g_autofree char *path = entry_path(dir, number);
	dir->changed = TRUE;
	if (!allowed)
		mlv_snapshot_problem(
			snapshot, dir->target, MLV_PROBLEM_REFUSED, path,
			"a git repository inside data cannot be tracked; move it away, or leave it out "
			"by a line in .mlvignore");
	else if (found->type == MLV_SCAN_OTHER)
		mlv_snapshot_problem(snapshot, dir->target, MLV_PROBLEM_KIND, path,
				     "a socket, device or named pipe cannot be tracked");
	else
		mlv_snapshot_problem(snapshot, dir->target, MLV_PROBLEM_UNREADABLE, path,
				     g_strerror(found->problem));
	return TRUE;
}

static gboolean enter_dir(MlvSnapshot *snapshot, SnapTarget *target, SnapDir *parent, gsize number,
			  MlvScanNode *node, GError **error)
{
	SnapDir *dir = dir_new(snapshot, target);

	dir->parent = parent;
	dir->number = number;
	dir->scan = mlv_scan_take(snapshot->scan, node);
	dir->entries = g_new0(MlvTreeEntry, dir->scan->count + 1);
	dir->pending = 1;
	if (parent)
		parent->pending++;
	if (dir->scan->error)
		mlv_snapshot_problem(snapshot, target, MLV_PROBLEM_UNREADABLE, dir->scan->path,
				     dir->scan->error->message);
	dir->changed = !dir->scan->same_files || !dir->scan->cached.has_tree ||
		       dir->scan->subdirs != dir->scan->cached.subdirs || target->is_partial ||
		       (snapshot->options.writer && !dir->scan->cached.tree_stored);
	if (snapshot->options.cancel && *snapshot->options.cancel)
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	for (gsize i = 0; i < dir->scan->count; i++)
		if (!enter_entry(snapshot, dir, i, error))
			return FALSE;
	if (snapshot->options.progress)
		snapshot->options.progress(mlv_ingest_bytes(snapshot->ingest), snapshot->files,
					   snapshot->options.data);
	return --dir->pending > 0 || finish_dir(snapshot, dir, error);
}

static void renew_cache(MlvSnapshot *snapshot, SnapDir *dir, const MlvTreeEntry *self)
{
	MlvStatWriter *writer = snapshot->options.cache_writer;
	gboolean whole = !dir->target->is_partial && !dir->target->incomplete;

	/* What the cache knows was brought. */
	if (!writer || !dir->changed || (dir->target->unbrought && !snapshot->options.writer))
		return;
	mlv_statcache_writer_begin(writer, dir->scan->path);
	for (gsize i = 0; i < dir->scan->count; i++) {
		const MlvScanEntry *found = &dir->scan->entries[i];

		if (found->type != MLV_SCAN_FILE || dir->entries[i].mode == 0)
			continue;
		if (found->record && !snapshot->options.writer)
			mlv_statcache_writer_keep(writer, &dir->scan->cached, found->record);
		else
			mlv_statcache_writer_add(writer, found->name, &found->st,
						 &dir->entries[i].ref);
	}
	mlv_statcache_writer_end(writer, whole ? &self->ref : NULL, self->files, self->bytes,
				 dir->scan->subdirs);
}

static gboolean differs_from_base(MlvSnapshot *snapshot, SnapDir *dir, const MlvRef *ref,
				  gboolean *differs, GError **error)
{
	MlvRef base;
	gboolean exists;

	if (!mlv_snapshot_base_ref(snapshot, dir, &base, &exists, error))
		return FALSE;
	*differs = !exists || !mlv_ref_equal(&base, ref);
	return TRUE;
}

static gboolean finish_dir(MlvSnapshot *snapshot, SnapDir *dir, GError **error)
{
	MlvTreeEntry self = { 0 };
	SnapDir *parent = dir->parent;
	SnapTarget *target = dir->target;
	gboolean differs = FALSE;

	if (!mlv_snapshot_build(snapshot, dir, &self, error))
		return FALSE;
	renew_cache(snapshot, dir, &self);
	if (snapshot->options.change &&
	    (!differs_from_base(snapshot, dir, &self.ref, &differs, error) ||
	     (differs && !mlv_snapshot_compare(snapshot, dir, error))))
		return FALSE;
	if (parent) {
		parent->entries[dir->number] = self;
		parent->changed |= dir->changed;
		g_hash_table_remove(snapshot->dirs, dir);
		return --parent->pending > 0 || finish_dir(snapshot, parent, error);
	}
	if (target->has_base && target->base.ref.kind != MLV_KIND_TREE &&
	    !mlv_snapshot_compare_file(snapshot, target, &self, error))
		return FALSE;
	gboolean stored =
		snapshot->options.writer || (!dir->changed && dir->scan->cached.tree_stored);
	g_hash_table_remove(snapshot->dirs, dir);
	give_result(snapshot, target, &self, stored);
	return TRUE;
}

/* --- results of the ingest -------------------------------------------------------------------- */

static void finish_single(MlvSnapshot *snapshot, SnapTarget *target, const MlvRef *ref,
			  const MlvStat *st)
{
	MlvTreeEntry entry = { .mode = st->mode, .ref = *ref, .files = 1, .bytes = ref->size };

	if (snapshot->options.cache_writer && entry.mode != 0)
		mlv_statcache_writer_set(snapshot->options.cache_writer, target->path, st, ref);
	/* What cannot be read is not gone. */
	if (!target->incomplete &&
	    !mlv_snapshot_compare_file(snapshot, target, &entry, &snapshot->failure))
		return;
	give_result(snapshot, target, &entry, snapshot->options.writer != NULL);
}

static void file_done(MlvIngested *result, gpointer user)
{
	MlvSnapshot *snapshot = user;
	const SnapFile *file = result->tag;
	SnapDir *dir = file->dir;
	MlvStat st = { 0 };

	if (snapshot->failure)
		return;
	if (!result->error && !mlv_stat_from_statx(&result->stat, &st))
		g_set_error(&result->error, MLV_ERROR, MLV_ERROR_FAILED,
			    "it is not a file any more");
	if (result->error) {
		g_autofree char *path =
			dir ? entry_path(dir, file->number) : g_strdup(file->target->path);
		mlv_snapshot_problem(snapshot, file->target, MLV_PROBLEM_UNREADABLE, path,
				     result->error->message);
	} else if (dir) {
		dir->scan->entries[file->number].st = st;
		dir->entries[file->number] = (MlvTreeEntry){
			.mode = st.mode, .ref = result->ref, .files = 1, .bytes = result->ref.size
		};
	}
	if (!dir)
		finish_single(snapshot, file->target, &result->ref, &st);
	else if (--dir->pending == 0)
		finish_dir(snapshot, dir, &snapshot->failure);
}

/* --- the module's face ------------------------------------------------------------------------ */

MlvSnapshot *mlv_snapshot_new(const MlvSnapshotOptions *options)
{
	MlvSnapshot *snapshot = g_new0(MlvSnapshot, 1);

	snapshot->options = *options;
	snapshot->targets = g_hash_table_new_full(NULL, NULL, target_free, NULL);
	snapshot->dirs = g_hash_table_new_full(NULL, NULL, dir_free, NULL);
	snapshot->scan =
		mlv_scan_new(mlv_repo_root_fd(options->repo), options->cache, options->threads);
	if (options->writer)
		mlv_scan_sweep(snapshot->scan);
	snapshot->ingest = mlv_ingest_new(options->writer, options->threads, options->cancel,
					  file_done, snapshot);
	if (options->cache_writer)
		mlv_statcache_writer_set_stored(options->cache_writer, options->writer != NULL);
	return snapshot;
}

static gboolean failed(MlvSnapshot *snapshot, GError **error)
{
	if (!snapshot->failure)
		return FALSE;
	g_propagate_error(error, g_steal_pointer(&snapshot->failure));
	return TRUE;
}

/* A target that is one file: known by the cache, or to be read. */
static gboolean single_file(MlvSnapshot *snapshot, SnapTarget *target, const MlvStat *st,
			    GError **error)
{
	const char *slash = strrchr(target->path, '/');
	g_autofree char *folder =
		slash ? g_strndup(target->path, (gsize)(slash - target->path)) : g_strdup("");
	MlvStatDir cached;
	MlvTreeEntry entry = { 0 };
	const MlvStatRecord *record = NULL;

	snapshot->files++;
	if (mlv_statcache_dir(snapshot->options.cache, folder, &cached))
		record = mlv_statcache_find(&cached, slash ? slash + 1 : target->path);
	if (!record || !mlv_stat_matches(record, st) ||
	    !mlv_snapshot_known_file(snapshot, record, &entry))
		return give_file(snapshot, NULL, 0, target, target->path, st->size, error);
	if (!mlv_snapshot_compare_file(snapshot, target, &entry, error))
		return FALSE;
	give_result(snapshot, target, &entry,
		    snapshot->options.writer || mlv_snapshot_is_stored(snapshot, &entry.ref));
	return TRUE;
}

/* A part of a directory that is a symlink. */
static gboolean single_symlink(MlvSnapshot *snapshot, SnapTarget *target, GError **error)
{
	MlvTreeEntry entry = { 0 };

	snapshot->files++;
	if (!mlv_snapshot_read_symlink(snapshot, target, target->path, &entry, error) ||
	    (!target->incomplete && !mlv_snapshot_compare_file(snapshot, target, &entry, error)))
		return FALSE;
	give_result(snapshot, target, &entry, snapshot->options.writer != NULL);
	return TRUE;
}

/* Whether a target or part ever was in this work tree: of a target the stat cache has something
 * then. What was never brought here is not deleted. */
static gboolean was_brought(MlvSnapshot *snapshot, const SnapTarget *target)
{
	const char *slash = strrchr(target->path, '/');
	g_autofree char *folder =
		slash ? g_strndup(target->path, (gsize)(slash - target->path)) : g_strdup("");
	MlvStatDir dir;

	if (strcmp(target->path, target->owner) != 0)
		return !target->is_partial ||
		       mlv_partial_expects(snapshot->options.partial, target->owner, target->path);
	return mlv_statcache_dir(snapshot->options.cache, target->path, &dir) ||
	       (mlv_statcache_dir(snapshot->options.cache, folder, &dir) &&
		mlv_statcache_find(&dir, slash ? slash + 1 : target->path));
}

/* A directory that was never brought, and that somebody has made here since: what is in it comes to
 * what it is tracked as, and the rest is not deleted. */
static void take_unbrought(MlvSnapshot *snapshot, SnapTarget *target)
{
	if (!target->has_base || strcmp(target->path, target->owner) != 0 ||
	    !mlv_snapshot_is_unbrought(&snapshot->options, target->owner, &target->base))
		return;
	mlv_partial_begin(snapshot->options.partial, target->owner);
	target->is_partial = target->unbrought = TRUE;
}

/* A directory of which at most parts were brought, and nothing is here now. */
static gboolean absent_partial(MlvSnapshot *snapshot, SnapTarget *target, GError **error)
{
	SnapDir *dir = dir_new(snapshot, target);

	dir->changed = TRUE;
	dir->entries = g_new0(MlvTreeEntry, 1);
	dir->scan = g_new0(MlvScanDir, 1);
	dir->scan->path = g_strdup(target->path);
	dir->scan->names = g_byte_array_new();
	return finish_dir(snapshot, dir, error);
}

gboolean mlv_snapshot_target(MlvSnapshot *snapshot, const char *path, const char *owner,
			     const MlvPointer *base, gpointer user, GError **error)
{
	SnapTarget *target = g_new0(SnapTarget, 1);
	int root = mlv_repo_root_fd(snapshot->options.repo);
	MlvTreeEntry nothing = { 0 };
	struct statx stx;
	MlvStat st;
	g_auto(MlvFd) fd = mlv_file_open_beneath(root, *path ? path : ".", O_PATH | O_NOFOLLOW, 0);

	g_hash_table_add(snapshot->targets, target);
	target->path = g_strdup(path);
	target->owner = g_strdup(owner);
	target->user = user;
	target->is_partial = base && mlv_partial_has(snapshot->options.partial, owner);
	if (base) {
		target->has_base = TRUE;
		target->base = *base;
	}
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR) {
		mlv_snapshot_problem(snapshot, target, MLV_PROBLEM_UNREADABLE, path,
				     errno == ELOOP ? "it is, or lies behind, a symlink"
						    : g_strerror(errno));
		give_result(snapshot, target, &nothing, FALSE);
		return TRUE;
	}
	if (fd < 0 && target->is_partial && target->base.ref.kind == MLV_KIND_TREE)
		return absent_partial(snapshot, target, error);
	if (fd < 0 && base && !was_brought(snapshot, target)) {
		MlvTreeEntry never = { .mode = base->mode,
				       .ref = base->ref,
				       .files = base->files,
				       .bytes = base->bytes };
		give_result(snapshot, target, &never, FALSE);
		return TRUE;
	}
	if (fd >= 0 && statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) < 0) {
		mlv_snapshot_problem(snapshot, target, MLV_PROBLEM_UNREADABLE, path,
				     g_strerror(errno));
		give_result(snapshot, target, &nothing, FALSE);
		return TRUE;
	}
	if (fd < 0) {
		gboolean ok = mlv_snapshot_compare_file(snapshot, target, &nothing, error);
		give_result(snapshot, target, &nothing, FALSE);
		return ok;
	}
	if (S_ISDIR(stx.stx_mode)) {
		take_unbrought(snapshot, target);
		target->rules = mlv_scan_rules_from(root, path, snapshot->options.leave_out);
		return enter_dir(snapshot, target, NULL, 0,
				 mlv_scan_root(snapshot->scan, path, target->rules), error) &&
		       !failed(snapshot, error);
	}
	gboolean whole = strcmp(path, owner) == 0;
	if (!mlv_stat_from_statx(&stx, &st) || (whole && st.mode == MLV_MODE_SYMLINK)) {
		mlv_snapshot_problem(snapshot, target, MLV_PROBLEM_REFUSED, path,
				     "only a file or a directory can be tracked by itself");
		give_result(snapshot, target, &nothing, FALSE);
		return TRUE;
	}
	if (st.mode == MLV_MODE_SYMLINK)
		return single_symlink(snapshot, target, error);
	return single_file(snapshot, target, &st, error) && !failed(snapshot, error);
}

gboolean mlv_snapshot_finish(MlvSnapshot *snapshot, GError **error)
{
	if (!mlv_ingest_finish(snapshot->ingest, error) || failed(snapshot, error))
		return FALSE;
	if (snapshot->options.progress)
		snapshot->options.progress(mlv_ingest_bytes(snapshot->ingest), snapshot->files,
					   snapshot->options.data);
	return !snapshot->options.writer || snapshot->options.leave_open ||
	       mlv_store_writer_commit(snapshot->options.writer, error);
}

void mlv_snapshot_free(MlvSnapshot *snapshot)
{
	if (!snapshot)
		return;
	mlv_ingest_free(snapshot->ingest);
	g_hash_table_unref(snapshot->dirs);
	g_hash_table_unref(snapshot->targets);
	mlv_scan_free(snapshot->scan);
	g_clear_error(&snapshot->failure);
	g_free(snapshot);
}
