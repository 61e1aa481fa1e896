/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing files on all cores. Small and middling files go in batches; a large one is written to
 * a temporary file in segments at once, and put in place by the main thread when the last is
 * done.
 */
#include <string.h>
#include <unistd.h>

#include "core/checkout_read.h"
#include "core/workspace.h"
#include "storage/pool.h"

#define BATCH_FILES  128
#define BATCH_BYTES  (4u << 20)
#define LARGE_SIZE   (8u << 20) /* a file longer than this is written in segments */
#define SEGMENT_SIZE (8u << 20)
#define CLONE_SIZE   (64u << 20) /* a segment whose blocks may be shared: each costs two edges */

typedef struct {
	CheckoutDir *dir;
	CheckoutItem *item;
} JobFile;

/* A large file under way. The main thread makes and ends it. */
typedef struct {
	JobFile file;
	char *path;
	MlvFd dir;
	MlvWorkspaceTemp *temp; /* or NULL */
} LargeFile;

typedef struct {
	MlvCheckout *checkout;
	GArray *files; /* JobFile: a batch */
	guint64 bytes;
	LargeFile *large;
	guint64 from, to;
	gboolean last; /* the large file's last segment */
	GError *error;
} Job;

static void large_free(gpointer data)
{
	LargeFile *large = data;

	mlv_workspace_temp_free(large->temp);
	mlv_fd_clear(&large->dir);
	g_free(large->path);
	g_free(large);
}

static void job_free(gpointer data)
{
	Job *job = data;

	g_clear_pointer(&job->files, g_array_unref);
	g_clear_error(&job->error);
	g_free(job);
}

static void progress(MlvCheckout *checkout, guint64 bytes, guint64 files)
{
	if (checkout->options.progress)
		checkout->options.progress(bytes, files, checkout->options.data);
}

/* --- batches (in workers) --------------------------------------------------------------------- */

/* A batch at work: the folder that is open, and the file that the next content is for. */
typedef struct {
	Job *job;
	CheckoutDir *dir;
	MlvFd fd;
	guint next;
} Batch;

static gboolean batch_open(Batch *batch, CheckoutDir *dir, GError **error)
{
	if (batch->dir == dir)
		return TRUE;
	mlv_fd_clear(&batch->fd);
	batch->dir = dir;
	batch->fd = mlv_workspace_open_dir(batch->job->checkout->root, dir->path, error);
	return batch->fd >= 0;
}

static const MlvStat *old_of(const CheckoutItem *item)
{
	return item->flags & ITEM_HAS_OLD ? &item->st : NULL;
}

static gboolean place_small(Batch *batch, const JobFile *file, const guint8 *data, GError **error)
{
	CheckoutItem *item = file->item;
	MlvWorkspaceContent content = { .mode = item->mode, .data = data, .length = item->size };
	g_autofree char *path = mlv_checkout_item_path(file->dir, item->name);
	MlvStat st;

	if (!batch_open(batch, file->dir, error) ||
	    !mlv_workspace_place(batch->fd, item->name, &content, old_of(item), &st, path, error))
		return FALSE;
	item->st = st;
	item->flags |= ITEM_WRITTEN;
	progress(batch->job->checkout, item->size, 1);
	return TRUE;
}

/* The content of the next file that has a single chunk. */
static gboolean give_content(const CheckoutPiece *piece, const guint8 *data, gpointer user,
			     GError **error)
{
	Batch *batch = user;

	return !piece ||
	       place_small(batch, &g_array_index(batch->job->files, JobFile, piece->position), data,
			   error);
}

static gboolean place_list(Batch *batch, const JobFile *file, GError **error)
{
	CheckoutItem *item = file->item;
	MlvRef ref = mlv_checkout_item_ref(item);
	g_autofree char *path = mlv_checkout_item_path(file->dir, item->name);
	MlvStat st;

	if (!batch_open(batch, file->dir, error))
		return FALSE;
	g_autoptr(MlvWorkspaceTemp) temp =
		mlv_workspace_temp_new(batch->fd, item->mode, item->size, path, error);
	if (!temp ||
	    !mlv_checkout_copy(batch->job->checkout, &ref, 0, item->size,
			       mlv_workspace_temp_fd(temp), path, error) ||
	    !mlv_workspace_temp_place(temp, batch->fd, item->name, old_of(item), &st, error))
		return FALSE;
	item->st = st;
	item->flags |= ITEM_WRITTEN;
	progress(batch->job->checkout, 0, 1);
	return TRUE;
}

/* Files of one chunk first, read together as they lie in the packs; then those of several. */
static void run_batch(Job *job)
{
	Batch batch = { .job = job, .fd = -1 };
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(CheckoutPiece));
	gboolean ok = TRUE;

	for (guint i = 0; i < job->files->len; i++) {
		const CheckoutItem *item = g_array_index(job->files, JobFile, i).item;
		CheckoutPiece piece = { .position = i, .pack = item->pack };

		if (item->depth > 0 || item->size == 0)
			continue;
		piece.entry = (MlvPackEntry){ .id = item->id,
					      .offset = item->offset,
					      .stored = item->stored,
					      .raw = (guint32)item->size,
					      .kind = MLV_KIND_BLOB,
					      .codec = item->codec };
		g_array_append_val(pieces, piece);
	}
	ok = mlv_checkout_read(job->checkout, (CheckoutPiece *)(void *)pieces->data, pieces->len,
			       give_content, &batch, &job->error);
	for (guint i = 0; ok && i < job->files->len; i++) {
		const JobFile *file = &g_array_index(job->files, JobFile, i);

		if (file->item->size == 0)
			ok = place_small(&batch, file, (const guint8 *)"", &job->error);
		else if (file->item->depth > 0)
			ok = place_list(&batch, file, &job->error);
	}
	mlv_fd_clear(&batch.fd);
}

static void run(gpointer data, gpointer user)
{
	Job *job = data;
	MlvCheckout *checkout = user;

	if (mlv_pool_is_cancelled(checkout->options.cancel)) {
		mlv_fail(&job->error, MLV_ERROR_CANCELLED,
			 "interrupted; run the command again to go on");
	} else if (job->files) {
		run_batch(job);
	} else {
		MlvRef ref = mlv_checkout_item_ref(job->large->file.item);
		mlv_checkout_copy(checkout, &ref, job->from, job->to,
				  mlv_workspace_temp_fd(job->large->temp), job->large->path,
				  &job->error);
	}
}

/* --- the main thread -------------------------------------------------------------------------- */

typedef struct {
	MlvCheckout *checkout;
	MlvPool *pool;
	Job *batch;        /* being filled */
	GPtrArray *larges; /* LargeFile: under way */
	guint threads;
} Writing;

static gboolean end_large(Writing *writing, LargeFile *large, GError **error)
{
	CheckoutItem *item = large->file.item;
	MlvStat st;

	if (!mlv_workspace_temp_place(large->temp, large->dir, item->name, old_of(item), &st,
				      error))
		return FALSE;
	item->st = st;
	item->flags |= ITEM_WRITTEN;
	progress(writing->checkout, 0, 1);
	g_ptr_array_remove_fast(writing->larges, large);
	return TRUE;
}

static gboolean end_job(Writing *writing, Job *job, GError **error)
{
	gboolean ok = job->error == NULL;

	if (!ok)
		g_propagate_error(error, g_steal_pointer(&job->error));
	else if (job->last)
		ok = end_large(writing, job->large, error);
	job_free(job);
	return ok;
}

static gboolean submit(Writing *writing, Job *job, GError **error)
{
	while (mlv_pool_is_full(writing->pool))
		if (!end_job(writing, mlv_pool_take(writing->pool), error)) {
			job_free(job);
			return FALSE;
		}
	mlv_pool_submit(writing->pool, job);
	return TRUE;
}

static gboolean submit_batch(Writing *writing, GError **error)
{
	return !writing->batch || submit(writing, g_steal_pointer(&writing->batch), error);
}

/* Blocks that will be shared, or stay holes, need no room. */
static gboolean reserve(MlvCheckout *checkout, LargeFile *large, GError **error)
{
	MlvRef ref = mlv_checkout_item_ref(large->file.item);
	gboolean holes;

	return !checkout->scarce || checkout->clone_block > 0 ||
	       (mlv_checkout_has_holes(checkout, &ref, &holes, error) &&
		(holes || mlv_workspace_temp_reserve(large->temp, ref.size, error)));
}

static LargeFile *begin_large(Writing *writing, CheckoutDir *dir, CheckoutItem *item,
			      GError **error)
{
	LargeFile *large = g_new0(LargeFile, 1);

	g_ptr_array_add(writing->larges, large);
	large->file = (JobFile){ dir, item };
	large->path = mlv_checkout_item_path(dir, item->name);
	large->dir = mlv_workspace_open_dir(writing->checkout->root, dir->path, error);
	if (large->dir < 0)
		return NULL;
	large->temp =
		mlv_workspace_temp_new(large->dir, item->mode, item->size, large->path, error);
	return large->temp && reserve(writing->checkout, large, error) ? large : NULL;
}

/* Longer ones where blocks are shared, but so that every thread still has its part. */
static guint64 segment_size(const Writing *writing, guint64 size)
{
	return writing->checkout->clone_block > 0
		       ? CLAMP(size / writing->threads / 4, SEGMENT_SIZE, CLONE_SIZE)
		       : SEGMENT_SIZE;
}

static gboolean submit_large(Writing *writing, CheckoutDir *dir, CheckoutItem *item, GError **error)
{
	LargeFile *large = begin_large(writing, dir, item, error);
	guint64 step = segment_size(writing, item->size);

	if (!large)
		return FALSE;
	for (guint64 from = 0; from < item->size; from += step) {
		Job *job = g_new0(Job, 1);

		job->checkout = writing->checkout;
		job->large = large;
		job->from = from;
		job->to = MIN(from + step, item->size);
		job->last = job->to == item->size;
		if (!submit(writing, job, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean submit_item(Writing *writing, CheckoutDir *dir, CheckoutItem *item, GError **error)
{
	JobFile file = { dir, item };

	if (item->depth > 0 && item->size > LARGE_SIZE)
		return submit_large(writing, dir, item, error);
	if (!writing->batch) {
		writing->batch = g_new0(Job, 1);
		writing->batch->checkout = writing->checkout;
		writing->batch->files = g_array_new(FALSE, FALSE, sizeof(JobFile));
	}
	g_array_append_val(writing->batch->files, file);
	writing->batch->bytes += item->size;
	if (writing->batch->files->len < BATCH_FILES && writing->batch->bytes < BATCH_BYTES)
		return TRUE;
	return submit_batch(writing, error);
}

static gboolean submit_all(Writing *writing, GError **error)
{
	const GPtrArray *dirs = writing->checkout->dirs;

	for (guint i = 0; i < dirs->len; i++) {
		CheckoutDir *dir = dirs->pdata[i];

		for (guint j = 0; j < dir->items->len; j++) {
			CheckoutItem *item = &g_array_index(dir->items, CheckoutItem, j);
			if (item->op == OP_WRITE && !submit_item(writing, dir, item, error))
				return FALSE;
		}
	}
	if (!submit_batch(writing, error))
		return FALSE;
	for (Job *job; (job = mlv_pool_take(writing->pool));)
		if (!end_job(writing, job, error))
			return FALSE;
	return TRUE;
}

gboolean mlv_checkout_write(MlvCheckout *checkout, GError **error)
{
	guint threads =
		checkout->options.threads ? checkout->options.threads : mlv_pool_default_threads();
	Writing writing = { .checkout = checkout, .threads = threads };

	writing.larges = g_ptr_array_new_with_free_func(large_free);
	writing.pool = mlv_pool_new(threads, 4 * threads, run, checkout);
	gboolean ok = submit_all(&writing, error);
	/* Waits for what runs; only then may the files that it writes to go. */
	mlv_pool_free(writing.pool, job_free);
	g_ptr_array_unref(writing.larges);
	if (writing.batch)
		job_free(writing.batch);
	return ok;
}
