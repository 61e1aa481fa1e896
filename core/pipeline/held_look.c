/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at paths: by stat data where these are known, else by reading. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/pipeline/files.h"
#include "core/pipeline/held_private.h"
#include "core/snapshot.h"
#include "storage/chunker.h"

/* A clock tick of the kernel lasts at most so many microseconds. */
#define TICK 10000

static void set_unread(MlvHeld *held, const char *why)
{
	held->type = MLV_HELD_UNREAD;
	g_free(held->why);
	held->why = g_strdup(why);
}

/* --- single files ----------------------------------------------------------------------------- */

static gboolean same_stat(const MlvStat *a, const MlvStat *b)
{
	return a->mtime == b->mtime && a->ctime == b->ctime && a->size == b->size &&
	       a->inode == b->inode && a->mode == b->mode;
}

/* Takes a single file's content from what is known of its stat data: by an earlier look, or by the
 * stat cache. */
static gboolean known_file(MlvHeldSet *set, const char *path, const MlvStat *st, MlvHeld *held)
{
	if (held->single && held->type == MLV_HELD_HERE && !held->racy &&
	    same_stat(&held->stat, st))
		return TRUE;
	const MlvStatRecord *record = mlv_held_record(set, path);
	if (!record || !mlv_stat_matches(record, st))
		return FALSE;
	held->type = MLV_HELD_HERE;
	held->pointer = (MlvPointer){
		.ref = { .kind = MLV_KIND_BLOB, .depth = record->depth, .size = record->size },
		.mode = record->mode,
		.files = 1,
		.bytes = record->size,
	};
	memcpy(held->pointer.ref.id.b, record->id, MLV_ID_SIZE);
	held->single = TRUE;
	held->racy = FALSE;
	held->stat = *st;
	return TRUE;
}

static void note_small(MlvHeldSet *set, const char *path, MlvHeld *held, gint64 now,
		       gboolean stored)
{
	held->racy = held->stat.mtime >= now || held->stat.ctime >= now;
	mlv_held_note(set, path, &held->stat, &held->pointer.ref, now, stored);
}

/* --- looking ---------------------------------------------------------------------------------- */

/* A look under way: what goes through a snapshot, and its results. */
typedef struct {
	MlvHeldSet *set;
	MlvStoreWriter *writer;
	gboolean outputs;
	MlvSnapshot *snapshots[2]; /* of folders of code; of data */
	GPtrArray *jobs;           /* of HeldJob * */
	guint64 files;             /* in folders that were gone through */
} Look;

typedef struct {
	Look *look;
	MlvHeld *held;
	char *path, *real; /* as asked; where it is */
	gboolean done;
	MlvPointer base;
} HeldJob;

static void job_free(gpointer data)
{
	HeldJob *job = data;

	g_free(job->path);
	g_free(job->real);
	g_free(job);
}

static void take_result(const MlvSnapshotResult *result, gpointer data)
{
	HeldJob *job = result->user;
	MlvHeld *held = job->held;

	job->done = TRUE;
	job->look->files += result->pointer.files;
	if (held->type == MLV_HELD_UNREAD)
		return;
	if (!result->complete && job->look->outputs)
		set_unread(held, "part of it cannot be kept");
	else if (result->present) {
		held->pointer = result->pointer;
		if (held->type != MLV_HELD_PARTLY)
			held->type = MLV_HELD_HERE;
	}
}

/* The job that a path belongs to. */
static HeldJob *find_job(const Look *look, const char *path)
{
	for (guint i = look->jobs->len; i-- > 0;) {
		HeldJob *job = look->jobs->pdata[i];
		if (!job->done && mlv_files_is_below(path, job->real))
			return job;
	}
	return NULL;
}

static void take_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	Look *look = data;
	HeldJob *job = find_job(look, path);

	/* Pointers and repositories in a folder of code are no input of it. */
	if (!job || type == MLV_PROBLEM_KIND ||
	    (type == MLV_PROBLEM_REFUSED && !look->outputs && strcmp(path, job->real) != 0))
		return;
	g_autofree char *text = g_strdup_printf("'%s': %s", path, why);
	set_unread(job->held, strcmp(path, job->real) == 0 ? why : text);
}

static void pass_progress(guint64 bytes, guint64 files, gpointer data)
{
	const MlvHeldOptions *options = &((Look *)data)->set->options;

	if (options->progress)
		options->progress(bytes, files, options->user);
}

static MlvSnapshot *snapshot_for(Look *look, gboolean data)
{
	MlvLocal *local = look->set->options.local;
	MlvStatWriter *writer = mlv_held_writer(look->set);
	MlvSnapshotOptions options = {
		.repo = local->repo,
		.store = local->store,
		.cache = local->cache,
		.cache_writer = writer,
		.partial = local->partial,
		.writer = look->writer,
		.leave_open = TRUE,
		.leave_out = data ? NULL : look->set->leave_out,
		.threads = look->set->options.threads,
		.cancel = look->set->options.cancel,
		.done = take_result,
		.problem = take_problem,
		.progress = pass_progress,
		.data = look,
	};

	mlv_statcache_writer_set_now(writer, mlv_stat_fs_now(local->repo));
	mlv_statcache_writer_set_stored(writer, look->writer != NULL);
	if (!look->snapshots[data])
		look->snapshots[data] = mlv_snapshot_new(&options);
	return look->snapshots[data];
}

/* Where something lies whose path leads through symlinks: relative to the root, or absolute. */
static char *resolve(MlvHeldSet *set, const char *path)
{
	const char *root = mlv_repo_root(set->options.local->repo);
	g_autofree char *full = *path == '/' ? g_strdup(path) : g_build_filename(root, path, NULL);
	char *system_path = realpath(full, NULL);
	char *real = g_strdup(system_path ? system_path : full);
	gsize length = strlen(root);

	free(system_path);
	if (mlv_files_is_below(real, root) && real[length] == '/') {
		char *inside = g_strdup(real + length + 1);
		g_free(real);
		return inside;
	}
	return real;
}

/* The target that a path is, or lies in; *tracked NULL if there is none. */
static gboolean find_target(MlvHeldSet *set, const char *path, const MlvTracked **tracked,
			    const char **rest, GError **error)
{
	const GPtrArray *targets = mlv_held_targets(set, error);

	*tracked = NULL;
	*rest = "";
	if (!targets)
		return FALSE;
	*tracked = mlv_tracked_cover(targets, path, rest);
	if (*tracked && ((*tracked)->error || (*tracked)->stage != 0))
		*tracked = NULL;
	return TRUE;
}

/* What a target holds at `rest`; *found FALSE: nothing, or nobody knows. */
static gboolean tracked_pointer(MlvHeldSet *set, const MlvTracked *tracked, const char *rest,
				MlvPointer *pointer, gboolean *found)
{
	MlvTreeEntry entry = { .mode = tracked->pointer.mode, .ref = tracked->pointer.ref };
	g_auto(GStrv) names = g_strsplit(rest, "/", -1);

	*pointer = tracked->pointer;
	*found = TRUE;
	for (char **name = names; *found && *name; name++) {
		MlvRef tree = entry.ref;
		*found = entry.mode == MLV_MODE_DIRECTORY &&
			 mlv_tree_find(mlv_store_source(set->options.local->store), &tree, *name,
				       &entry, found, NULL) &&
			 *found;
	}
	if (*found && *rest)
		*found = mlv_pointer_from_entry(&entry, pointer);
	return TRUE;
}

static gboolean look_away(MlvHeldSet *set, const char *path, MlvHeld *held, GError **error)
{
	const MlvTracked *tracked;
	const char *rest;
	gboolean found = FALSE;

	held->type = MLV_HELD_NOTHING;
	if (mlv_files_is_outside(path))
		return TRUE;
	if (!find_target(set, path, &tracked, &rest, error))
		return FALSE;
	if (tracked)
		tracked_pointer(set, tracked, rest, &held->pointer, &found);
	if (found)
		held->type = MLV_HELD_AWAY;
	return TRUE;
}

/* A folder, or a large file: through a snapshot, all of them at once. */
static gboolean look_large(Look *look, const char *path, MlvHeld *held, gboolean folder,
			   GError **error)
{
	MlvHeldSet *set = look->set;
	HeldJob *job = g_new0(HeldJob, 1);
	const MlvTracked *tracked = NULL;
	const char *rest;
	gboolean partial = FALSE;

	job->look = look;
	job->held = held;
	job->path = g_strdup(path);
	job->real = look->outputs ? g_strdup(path) : resolve(set, path);
	g_ptr_array_add(look->jobs, job);
	held->single = FALSE;
	held->type = MLV_HELD_NOTHING;
	if (mlv_files_is_outside(job->real)) {
		job->done = TRUE;
		return mlv_held_read_outside(set, job->real, held, error);
	}
	if (folder && !look->outputs && !find_target(set, job->real, &tracked, &rest, error))
		return FALSE;
	if (tracked && mlv_partial_has(set->options.local->partial, tracked->path) &&
	    !mlv_partial_expects(set->options.local->partial, tracked->path, job->real)) {
		tracked_pointer(set, tracked, rest, &job->base, &partial);
		if (partial)
			held->type = MLV_HELD_PARTLY;
	}
	MlvSnapshot *snapshot = snapshot_for(look, !folder || held->data || tracked != NULL);
	return mlv_snapshot_target(snapshot, job->real, partial ? tracked->path : job->real,
				   partial ? &job->base : NULL, job, error);
}

static gboolean look_file(Look *look, const char *path, const MlvStat *st, MlvHeld *held,
			  GError **error)
{
	MlvHeldSet *set = look->set;
	int root = mlv_repo_root_fd(set->options.local->repo);
	gboolean done = FALSE;

	if (!look->writer && known_file(set, path, st, held))
		return TRUE;
	if (look->writer && known_file(set, path, st, held) && held->pointer.ref.depth == 0) {
		MlvSource *source = mlv_store_source(set->options.local->store);
		const MlvId *id = &held->pointer.ref.id;
		gboolean has = held->pointer.ref.size == 0;
		if (has || (source->has(source, MLV_KIND_BLOB, id, &has, NULL) && has))
			return TRUE;
	}
	if (st->size <= MLV_CHUNK_MAX) {
		gint64 now = mlv_stat_fs_now(set->options.local->repo);
		if (!mlv_held_read_small(root, path, !look->outputs, look->writer, held, &done,
					 error))
			return FALSE;
		if (done) {
			note_small(set, path, held, now, look->writer != NULL);
			return TRUE;
		}
	}
	return look_large(look, path, held, FALSE, error);
}

static gboolean look_at(Look *look, const char *path, MlvHeld *held, GError **error)
{
	int root = mlv_repo_root_fd(look->set->options.local->repo);
	int flags = AT_STATX_SYNC_AS_STAT | (look->outputs ? AT_SYMLINK_NOFOLLOW : 0);
	struct statx stx;
	MlvStat st;

	g_clear_pointer(&held->why, g_free);
	held->fresh = TRUE;
	if (statx(root, *path ? path : ".", flags, STATX_BASIC_STATS, &stx) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return look_away(look->set, path, held, error);
		set_unread(held, g_strerror(errno));
		return TRUE;
	}
	if (S_ISDIR(stx.stx_mode))
		return look_large(look, path, held, TRUE, error);
	if (!S_ISREG(stx.stx_mode)) {
		set_unread(held, S_ISLNK(stx.stx_mode) ? "it is a symlink"
						       : "it is neither a file nor a folder");
		return TRUE;
	}
	mlv_stat_from_statx(&stx, &st);
	return look_file(look, path, &st, held, error);
}

/* Files that were read are noted; the stat cache is written at once where a later look would read
 * much again. */
static gboolean finish(Look *look, GError **error)
{
	MlvHeldSet *set = look->set;
	gboolean ok = TRUE;

	for (guint i = 0; i < G_N_ELEMENTS(look->snapshots); i++)
		ok = ok && (!look->snapshots[i] || mlv_snapshot_finish(look->snapshots[i], error));
	for (guint i = 0; i < G_N_ELEMENTS(look->snapshots); i++)
		mlv_snapshot_free(look->snapshots[i]);
	gboolean large = look->jobs->len > 0;
	g_ptr_array_unref(look->jobs);
	if (look->writer && large)
		set->uncommitted += look->files;
	return ok && (!large || set->uncommitted > 0 || mlv_held_save(set, error));
}

static gboolean run(Look *look, const GPtrArray *paths, GError **error)
{
	gboolean ok = TRUE;

	look->jobs = g_ptr_array_new_with_free_func(job_free);
	for (guint i = 0; ok && i < paths->len; i++) {
		MlvHeld *held = g_hash_table_lookup(look->set->answers, paths->pdata[i]);
		held->asked = FALSE;
		if (look->set->options.cancel && *look->set->options.cancel)
			ok = mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		else if (!held->fresh)
			ok = look_at(look, paths->pdata[i], held, error);
	}
	GError **why = ok ? error : NULL;
	return finish(look, why) && ok;
}

gboolean mlv_held_look(MlvHeldSet *set, GError **error)
{
	g_autoptr(GPtrArray) asked = g_steal_pointer(&set->asked);
	Look look = { .set = set };

	set->asked = g_ptr_array_new();
	return asked->len == 0 || run(&look, asked, error);
}

gboolean mlv_held_store(MlvHeldSet *set, const char *const *paths, gsize count,
			MlvStoreWriter *writer, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	Look look = { .set = set, .writer = writer, .outputs = TRUE };

	for (gsize i = 0; i < count; i++) {
		mlv_held_forget(set, paths[i]);
		mlv_held_ask(set, paths[i], TRUE);
		g_ptr_array_add(keys, (gpointer)paths[i]);
	}
	return run(&look, keys, error);
}

gboolean mlv_held_settle(MlvHeldSet *set, GError **error)
{
	GHashTableIter at;
	gpointer path, value;
	gboolean waited = FALSE;

	g_hash_table_iter_init(&at, set->answers);
	while (g_hash_table_iter_next(&at, &path, &value)) {
		MlvHeld *held = value, again = { 0 };
		gboolean done;
		if (!held->racy || !held->fresh || held->stat.size > MLV_CHUNK_MAX)
			continue;
		if (!waited)
			g_usleep(TICK);
		waited = TRUE;
		gint64 now = mlv_stat_fs_now(set->options.local->repo);
		if (!mlv_held_read_small(mlv_repo_root_fd(set->options.local->repo), path, TRUE,
					 NULL, &again, &done, error))
			return FALSE;
		if (!done || !mlv_pointer_equal(&again.pointer, &held->pointer))
			continue;
		held->stat = again.stat;
		note_small(set, path, held, now, FALSE);
	}
	return mlv_held_save(set, error);
}
