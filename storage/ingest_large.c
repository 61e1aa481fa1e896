/* SPDX-License-Identifier: Apache-2.0 */
/* Large files: opened, cloned where blocks can be shared, and given out in segments. */
#include <fcntl.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/ingest_private.h"

#define CLONE_FILE_MIN (1u << 20) /* shorter files are copied even where blocks can be shared */
#define READ_AHEAD     (8u << 20) /* bytes that the kernel is asked for together */

LargeFile *mlv_ingest_large_new(int root, const char *path, gpointer tag, MlvIngest *ingest)
{
	LargeFile *large = g_new0(LargeFile, 1);

	large->refs = 1;
	large->root = root;
	large->path = g_strdup(path);
	large->tag = tag;
	large->fd = large->source = -1;
	large->segment = SEGMENT;
	g_mutex_init(&large->lock);
	g_cond_init(&large->turn_cond);
	mlv_cutter_init(&large->cutter);
	large->list = mlv_list_builder_new(MLV_KIND_BLOB, mlv_ingest_put, ingest);
	return large;
}

void mlv_ingest_large_unref(LargeFile *large)
{
	if (!large || !g_atomic_int_dec_and_test(&large->refs))
		return;
	mlv_fd_clear(&large->fd);
	mlv_fd_clear(&large->source);
	mlv_list_builder_free(large->list);
	g_clear_error(&large->error);
	g_mutex_clear(&large->lock);
	g_cond_clear(&large->turn_cond);
	g_free(large->path);
	g_free(large);
}

static gboolean is_older(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Clones the file to one that nobody changes. *settled tells that the file's last change is older
 * than the file system's time when cloning began: whatever changes it later gives it another
 * time. */
static int make_clone(MlvIngest *ingest, LargeFile *large, gboolean *settled)
{
	int store = mlv_store_fd(mlv_store_writer_store(ingest->writer));
	g_auto(MlvFd) clone = openat(store, "packs", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct statx begun;

	if (clone < 0 || statx(clone, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &begun) < 0 ||
	    !mlv_file_clone_range(large->fd, 0, 0, clone, 0))
		return -1;
	*settled = is_older(&large->stat.stx_ctime, &begun.stx_ctime) &&
		   is_older(&large->stat.stx_mtime, &begun.stx_ctime);
	int fd = clone;
	clone = -1;
	return fd;
}

/* Where blocks can be shared a clone is made first, and it is the clone's content that is hashed
 * and goes into packs, whatever happens to the file meanwhile. */
static void clone_source(MlvIngest *ingest, LargeFile *large)
{
	struct statx after;
	gboolean settled;

	for (int attempt = 0; attempt < 3; attempt++) {
		g_auto(MlvFd) clone = make_clone(ingest, large, &settled);

		if (clone < 0 || statx(large->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &after) < 0)
			return;
		if (mlv_ingest_same_stat(&after, &large->stat)) {
			if (settled) {
				large->source = large->fd;
				large->fd = -1;
			}
			mlv_fd_clear(&large->fd);
			large->fd = clone;
			clone = -1;
			large->is_clone = large->shares = TRUE;
			large->segment = SEGMENT_CLONE;
			posix_fadvise(large->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
			return;
		}
		large->stat = after;
		large->size = after.stx_size;
	}
}

static gboolean open_large(MlvIngest *ingest, LargeFile *large, GError **error)
{
	large->fd = mlv_file_open_beneath(large->root, large->path,
					  O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (large->fd < 0)
		return mlv_fail_errno(error, "cannot open '%s'", large->path);
	if (statx(large->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &large->stat) < 0)
		return mlv_fail_errno(error, "cannot stat '%s'", large->path);
	large->size = large->stat.stx_size;
	posix_fadvise(large->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (ingest->clone_block > 0 && large->size >= CLONE_FILE_MIN)
		clone_source(ingest, large);
	if (!S_ISREG(large->stat.stx_mode) || large->size <= MLV_CHUNK_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' changed while it was read; try again", large->path);
	return TRUE;
}

/* Several threads read at once: the kernel would not see that it is one sequence. */
static void read_ahead(const LargeFile *large, guint64 from)
{
	posix_fadvise(large->source >= 0 ? large->source : large->fd, (off_t)from, READ_AHEAD,
		      POSIX_FADV_WILLNEED);
}

static gboolean submit_large(MlvIngest *ingest, LargeFile *large, GError **error)
{
	guint64 segments = (large->size + large->segment - 1) / large->segment;

	read_ahead(large, 0);
	for (guint64 i = 0; i < segments; i++) {
		Job *job = mlv_ingest_job_new(ingest);
		guint64 start = i * large->segment;

		g_atomic_int_inc(&large->refs);
		job->large = large;
		job->number = i;
		job->before = i > 0 ? MLV_CHUNK_MAX : 0;
		job->length = (gsize)MIN(large->segment, large->size - start);
		job->last = i == segments - 1;
		if (start % READ_AHEAD == 0)
			read_ahead(large, start + READ_AHEAD);
		if (!mlv_ingest_submit(ingest, job, error))
			return FALSE;
	}
	return TRUE;
}

/* A file that cannot even be opened still gives its result in its turn: as a batch of one that
 * has failed. */
static gboolean submit_failed(MlvIngest *ingest, LargeFile *large, GError *problem, GError **error)
{
	Job *job = mlv_ingest_job_new(ingest);

	job->files->len = 0;
	job->large = large;
	g_atomic_int_inc(&large->refs);
	job->last = job->filled = TRUE;
	large->error = problem;
	return mlv_ingest_submit(ingest, job, error);
}

gboolean mlv_ingest_large_give(MlvIngest *ingest, int root, const char *path, gpointer tag,
			       GError **error)
{
	GError *problem = NULL;
	LargeFile *large = mlv_ingest_large_new(root, path, tag, ingest);
	gboolean ok = open_large(ingest, large, &problem)
			      ? submit_large(ingest, large, error)
			      : submit_failed(ingest, large, problem, error);

	mlv_ingest_large_unref(large);
	return ok;
}
