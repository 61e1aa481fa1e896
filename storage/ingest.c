/* SPDX-License-Identifier: Apache-2.0 */
/* The ingest's main thread: gathers jobs, takes them back in order, writes what is new, gives
 * results. */
#include "storage/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/ingest_private.h"
#include "storage/pool.h"

#define WINDOW_MAX    32 /* jobs under way: bounds the memory */
#define CLONE_RUN_MIN (128u << 10)
#define RUN_MAX       256 /* chunks that are shared together */

/* --- buffers ---------------------------------------------------------------------------------- */

static void buffer_free(gpointer data)
{
	Buffer *buffer = data;

	g_free(buffer->bytes);
	g_free(buffer->compressed);
	g_free(buffer);
}

Buffer *mlv_ingest_take_buffer(MlvIngest *ingest)
{
	Buffer *buffer = NULL;

	g_mutex_lock(&ingest->buffers_lock);
	if (ingest->buffers->len > 0)
		buffer = g_ptr_array_steal_index(ingest->buffers, ingest->buffers->len - 1);
	g_mutex_unlock(&ingest->buffers_lock);
	if (buffer)
		return buffer;
	buffer = g_new0(Buffer, 1);
	buffer->bytes = g_malloc(BUFFER_SIZE);
	return buffer;
}

void mlv_ingest_give_buffer(MlvIngest *ingest, Buffer *buffer)
{
	if (!buffer)
		return;
	buffer->compressed_length = 0;
	g_mutex_lock(&ingest->buffers_lock);
	g_ptr_array_add(ingest->buffers, buffer);
	g_mutex_unlock(&ingest->buffers_lock);
}

MlvIngest *mlv_ingest_new(MlvStoreWriter *writer, guint threads,
			  const volatile sig_atomic_t *cancel, MlvIngestDone done, gpointer user)
{
	MlvIngest *ingest = g_new0(MlvIngest, 1);

	if (threads == 0)
		threads = mlv_pool_default_threads();
	ingest->writer = writer;
	if (writer) {
		ingest->clone_block = mlv_store_clone_block(mlv_store_writer_store(writer));
		ingest->compress =
			ingest->clone_block == 0 && mlv_store_writer_options(writer)->level != 0;
	}
	g_mutex_init(&ingest->buffers_lock);
	ingest->buffers = g_ptr_array_new_with_free_func(buffer_free);
	g_mutex_init(&ingest->turn_lock);
	g_cond_init(&ingest->turn_cond);
	ingest->pool =
		mlv_pool_new(threads, MIN(2 * threads + 2, WINDOW_MAX), mlv_ingest_job_run, ingest);
	ingest->cancel = cancel;
	ingest->done = done;
	ingest->user = user;
	ingest->idle = g_ptr_array_new();
	return ingest;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void small_file_clear(gpointer data)
{
	SmallFile *file = data;

	g_clear_error(&file->error);
	g_free(file->path);
}

static void job_free(gpointer data)
{
	Job *job = data;

	if (!job)
		return;
	mlv_ingest_large_unref(job->large);
	g_clear_error(&job->error);
	g_array_unref(job->files);
	g_array_unref(job->chunks);
	mlv_candidates_clear(&job->candidates);
	mlv_ingest_give_buffer(job->ingest, job->buffer);
	g_free(job);
}

Job *mlv_ingest_job_new(MlvIngest *ingest)
{
	if (ingest->idle->len > 0)
		return g_ptr_array_steal_index_fast(ingest->idle, ingest->idle->len - 1);
	Job *job = g_new0(Job, 1);
	job->ingest = ingest;
	job->files = g_array_new(FALSE, TRUE, sizeof(SmallFile));
	g_array_set_clear_func(job->files, small_file_clear);
	job->chunks = g_array_new(FALSE, FALSE, sizeof(Chunk));
	mlv_candidates_init(&job->candidates);
	return job;
}

/* Makes a taken job ready for the next use. */
static void job_recycle(MlvIngest *ingest, Job *job)
{
	g_clear_pointer(&job->large, mlv_ingest_large_unref);
	g_clear_error(&job->error);
	mlv_ingest_give_buffer(ingest, g_steal_pointer(&job->buffer));
	g_array_set_size(job->files, 0);
	g_array_set_size(job->chunks, 0);
	mlv_candidates_reset(&job->candidates);
	job->batch_bytes = 0;
	job->number = 0;
	job->before = job->length = 0;
	job->last = job->filled = job->fatal = FALSE;
	g_ptr_array_add(ingest->idle, job);
}

/* --- finished jobs ---------------------------------------------------------------------------- */

/* The new chunks from `from` on that lie in one piece: their entries, and how many. */
static guint gather_run(const Job *job, guint from, MlvPackEntry *entries, gsize *length)
{
	const Chunk *first = &g_array_index(job->chunks, Chunk, from);
	guint count = 0;

	*length = 0;
	for (guint i = from; i < job->chunks->len && count < RUN_MAX; i++) {
		const Chunk *chunk = &g_array_index(job->chunks, Chunk, i);

		if (!chunk->mine || chunk->bytes != first->bytes + *length)
			break;
		entries[count++] = chunk->entry;
		*length += chunk->entry.stored;
	}
	return count;
}

/* The run at `from` goes to the store by the main thread: blocks are shared one run at a time. */
static gboolean share_run(MlvIngest *ingest, Job *job, guint from, guint *to, GError **error)
{
	const Chunk *first = &g_array_index(job->chunks, Chunk, from);
	MlvPackEntry entries[RUN_MAX];
	MlvStorePiece piece = { .bytes = first->bytes };
	MlvStoreRoom room;
	guint count = gather_run(job, from, entries, &piece.length);

	*to = from + count;
	if (first->entry.codec == MLV_CODEC_RAW && piece.length >= CLONE_RUN_MIN)
		return mlv_store_writer_clone(ingest->writer, job->large->fd, first->offset,
					      first->bytes, entries, count, error);
	return mlv_store_writer_reserve(ingest->writer, entries, count, &room, error) &&
	       mlv_store_writer_fill(ingest->writer, &room, &piece, 1, error);
}

static gboolean share_chunks(MlvIngest *ingest, Job *job, GError **error)
{
	for (guint i = 0; i < job->chunks->len;) {
		if (!g_array_index(job->chunks, Chunk, i).mine)
			i++;
		else if (!share_run(ingest, job, i, &i, error))
			return FALSE;
	}
	return TRUE;
}

static void give(MlvIngest *ingest, gpointer tag, const MlvRef *ref, const struct statx *st,
		 GError *problem)
{
	MlvIngested result = { .tag = tag, .error = problem };

	if (ref)
		result.ref = *ref;
	if (st)
		result.stat = *st;
	ingest->done(&result, ingest->user);
	g_clear_error(&result.error);
}

static void finish_batch(MlvIngest *ingest, Job *job)
{
	for (guint i = 0; i < job->files->len; i++) {
		SmallFile *file = &g_array_index(job->files, SmallFile, i);
		give(ingest, file->tag, &file->ref, &file->stat, g_steal_pointer(&file->error));
	}
}

/* A file read in place must be at its end what it was at its beginning. */
static void check_unchanged(LargeFile *large)
{
	struct statx after;

	if (large->error || large->fd < 0 || large->is_clone)
		return;
	if (statx(large->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &after) < 0 ||
	    !mlv_ingest_same_stat(&after, &large->stat))
		mlv_fail(&large->error, MLV_ERROR_FAILED,
			 "'%s' changed while it was read; try again", large->path);
}

static gboolean finish_segment(MlvIngest *ingest, Job *job, GError **error)
{
	LargeFile *large = job->large;
	MlvRef ref = { 0 };

	if (job->error && !large->error)
		large->error = g_steal_pointer(&job->error);
	for (guint i = 0; i < job->chunks->len && !large->error; i++) {
		const Chunk *chunk = &g_array_index(job->chunks, Chunk, i);
		if (!mlv_list_builder_add(large->list, &chunk->entry.id, chunk->entry.raw, error))
			return FALSE;
	}
	if (!job->last)
		return TRUE;
	check_unchanged(large);
	if (!large->error && !mlv_list_builder_finish(large->list, &ref, error))
		return FALSE;
	give(ingest, large->tag, &ref, &large->stat, g_steal_pointer(&large->error));
	return TRUE;
}

/* Takes one finished job: what is to be shared goes to the store, results to the caller. */
static gboolean finish_job(MlvIngest *ingest, Job *job, GError **error)
{
	gboolean ok = TRUE;

	if (job->fatal) {
		g_propagate_error(error, g_steal_pointer(&job->error));
		ok = FALSE;
	}
	if (ok && mlv_ingest_shares(job))
		ok = share_chunks(ingest, job, error);
	if (ok && job->large)
		ok = finish_segment(ingest, job, error);
	else if (ok)
		finish_batch(ingest, job);
	job_recycle(ingest, job);
	return ok;
}

gboolean mlv_ingest_submit(MlvIngest *ingest, Job *job, GError **error)
{
	Job *done;

	while ((done = mlv_pool_is_full(ingest->pool) ? mlv_pool_take(ingest->pool)
						      : mlv_pool_poll(ingest->pool)))
		if (!finish_job(ingest, done, error)) {
			job_free(job);
			return FALSE;
		}
	job->turn = ingest->submitted++;
	mlv_pool_submit(ingest->pool, job);
	return TRUE;
}

static gboolean submit_batch(MlvIngest *ingest, GError **error)
{
	return !ingest->batch || mlv_ingest_submit(ingest, g_steal_pointer(&ingest->batch), error);
}

/* --- what is given ---------------------------------------------------------------------------- */

gboolean mlv_ingest_put(MlvKind kind, const MlvId *id, const guint8 *data, gsize length,
			gpointer user, GError **error)
{
	MlvIngest *ingest = user;

	return !ingest->writer ||
	       mlv_store_writer_put(kind, id, data, length, ingest->writer, error);
}

static gboolean give_large(MlvIngest *ingest, int root, const char *path, gpointer tag,
			   GError **error)
{
	return submit_batch(ingest, error) && mlv_ingest_large_give(ingest, root, path, tag, error);
}

gboolean mlv_ingest_file(MlvIngest *ingest, int root, const char *path, guint64 size, gpointer tag,
			 GError **error)
{
	if (mlv_ingest_cancelled(ingest))
		return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
	if (size > MLV_CHUNK_MAX)
		return give_large(ingest, root, path, tag, error);
	if (ingest->batch &&
	    (ingest->batch->files->len >= BATCH_FILES ||
	     ingest->batch->batch_bytes + size > BATCH_BYTES) &&
	    !submit_batch(ingest, error))
		return FALSE;
	if (!ingest->batch)
		ingest->batch = mlv_ingest_job_new(ingest);
	SmallFile file = { .root = root, .path = g_strdup(path), .tag = tag, .size = size };
	g_array_append_val(ingest->batch->files, file);
	ingest->batch->batch_bytes += size;
	return TRUE;
}

/* --- streams ---------------------------------------------------------------------------------- */

gboolean mlv_ingest_stream_begin(MlvIngest *ingest, gpointer tag, GError **error)
{
	if (!submit_batch(ingest, error))
		return FALSE;
	ingest->stream = mlv_ingest_large_new(-1, "stream", tag, ingest);
	ingest->segment = mlv_ingest_job_new(ingest);
	ingest->segment->buffer = mlv_ingest_take_buffer(ingest);
	return TRUE;
}

/* Sends the filled segment off; the next begins with the end of this one, which its first chunk
 * may need. */
static gboolean stream_submit(MlvIngest *ingest, gboolean last, GError **error)
{
	Job *job = g_steal_pointer(&ingest->segment);
	LargeFile *large = ingest->stream;

	job->large = large;
	g_atomic_int_inc(&large->refs);
	job->filled = TRUE;
	job->last = last;
	if (!last) {
		Job *next = mlv_ingest_job_new(ingest);

		next->number = job->number + 1;
		next->before = MLV_CHUNK_MAX;
		next->buffer = mlv_ingest_take_buffer(ingest);
		memcpy(next->buffer->bytes,
		       job->buffer->bytes + job->before + job->length - MLV_CHUNK_MAX,
		       MLV_CHUNK_MAX);
		ingest->segment = next;
	}
	return mlv_ingest_submit(ingest, job, error);
}

gboolean mlv_ingest_stream_write(MlvIngest *ingest, const void *data, gsize length, GError **error)
{
	const guint8 *from = data;

	while (length > 0) {
		if (ingest->segment->length == SEGMENT && !stream_submit(ingest, FALSE, error))
			return FALSE;
		Job *job = ingest->segment;
		gsize n = MIN(length, SEGMENT - job->length);
		memcpy(job->buffer->bytes + job->before + job->length, from, n);
		job->length += n;
		ingest->stream->size += n;
		from += n;
		length -= n;
	}
	return !mlv_ingest_cancelled(ingest) || mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
}

gboolean mlv_ingest_stream_end(MlvIngest *ingest, GError **error)
{
	gboolean ok = stream_submit(ingest, TRUE, error);

	g_clear_pointer(&ingest->stream, mlv_ingest_large_unref);
	return ok;
}

/* --- the end ---------------------------------------------------------------------------------- */

gboolean mlv_ingest_finish(MlvIngest *ingest, GError **error)
{
	Job *job;

	if (!submit_batch(ingest, error))
		return FALSE;
	while ((job = mlv_pool_take(ingest->pool)))
		if (!finish_job(ingest, job, error))
			return FALSE;
	return TRUE;
}

guint64 mlv_ingest_bytes(const MlvIngest *ingest)
{
	return __atomic_load_n(&ingest->bytes, __ATOMIC_RELAXED);
}

void mlv_ingest_free(MlvIngest *ingest)
{
	if (!ingest)
		return;
	mlv_pool_free(ingest->pool, job_free);
	job_free(ingest->batch);
	job_free(ingest->segment);
	mlv_ingest_large_unref(ingest->stream);
	for (guint i = 0; i < ingest->idle->len; i++)
		job_free(ingest->idle->pdata[i]);
	g_ptr_array_unref(ingest->idle);
	g_ptr_array_unref(ingest->buffers);
	g_mutex_clear(&ingest->buffers_lock);
	g_mutex_clear(&ingest->turn_lock);
	g_cond_clear(&ingest->turn_cond);
	g_free(ingest);
}
