/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does with a batch of small files, or with a segment of a large one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/file.h"
#include "storage/ingest_private.h"
#include "storage/pool.h"

/* Of a file that did not shrink in so many chunks others are not tried ... */
#define MISSES_MAX 4
/* ... but the first chunk of every so many segments. */
#define RETRY_SEGMENTS 8

static gboolean statx_fd(int fd, struct statx *st, const char *path, GError **error)
{
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, st) < 0)
		return mlv_fail_errno(error, "cannot stat '%s'", path);
	return TRUE;
}

gboolean mlv_ingest_same_stat(const struct statx *a, const struct statx *b)
{
	return a->stx_size == b->stx_size && a->stx_mtime.tv_sec == b->stx_mtime.tv_sec &&
	       a->stx_mtime.tv_nsec == b->stx_mtime.tv_nsec &&
	       a->stx_ctime.tv_sec == b->stx_ctime.tv_sec &&
	       a->stx_ctime.tv_nsec == b->stx_ctime.tv_nsec && a->stx_ino == b->stx_ino;
}

/* Whether to spend time on compressing, from what the file's chunks before did. */
static gboolean worth_trying(const Job *job, const guint8 *data, gsize length)
{
	if (!job->ingest->compress || length < 64)
		return FALSE;
	if (job->large && g_atomic_int_get(&job->large->misses) >= MISSES_MAX)
		return job->chunks->len == 0 && job->number % RETRY_SEGMENTS == 0;
	return mlv_codec_looks_compressible(data, length);
}

static void compress(Job *job, Chunk *chunk, const guint8 *data, int level)
{
	gsize length = chunk->entry.raw;

	if (!worth_trying(job, data, length)) {
		if (job->large)
			g_atomic_int_inc(&job->large->misses);
		return;
	}
	Buffer *buffer = job->buffer;
	if (!buffer->compressed)
		buffer->compressed = g_malloc(BUFFER_SIZE);
	guint8 *out = buffer->compressed + buffer->compressed_length;
	gsize stored = mlv_codec_compress(data, length, out, level);
	if (job->large) {
		if (stored > 0)
			g_atomic_int_set(&job->large->misses, 0);
		else
			g_atomic_int_inc(&job->large->misses);
	}
	if (stored == 0)
		return;
	buffer->compressed_length += stored;
	chunk->entry.codec = MLV_CODEC_ZSTD;
	chunk->entry.stored = (guint32)stored;
	chunk->bytes = out;
}

/* Hashes one chunk, and readies it for the pack if no store has it. */
static gboolean work_chunk(Job *job, const guint8 *data, gsize length, guint64 offset,
			   GError **error)
{
	Chunk chunk = { .bytes = data, .offset = offset };

	mlv_id_of(data, length, &chunk.entry.id);
	chunk.entry.kind = MLV_KIND_BLOB;
	chunk.entry.raw = chunk.entry.stored = (guint32)length;
	if (job->ingest->writer && length > 0) {
		if (!mlv_store_writer_claim(job->ingest->writer, MLV_KIND_BLOB, &chunk.entry.id,
					    &chunk.mine, error)) {
			job->fatal = TRUE;
			return FALSE;
		}
		if (chunk.mine) {
			compress(job, &chunk, data, 1);
			chunk.entry.check = mlv_pack_check_value(&chunk.entry, chunk.bytes);
		}
	}
	g_array_append_val(job->chunks, chunk);
	return TRUE;
}

/* --- small files ------------------------------------------------------------------------------ */

/* Reads the whole file to `out`, which has room for file->size bytes and one more. */
static gboolean read_small(SmallFile *file, guint8 *out, GError **error)
{
	struct statx after;
	gsize got = 0;
	g_auto(MlvFd) fd =
		mlv_file_open_beneath(file->root, file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return mlv_fail_errno(error, "cannot open '%s'", file->path);
	if (!statx_fd(fd, &file->stat, file->path, error))
		return FALSE;
	if (!S_ISREG(file->stat.stx_mode))
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' is not a regular file any more",
				file->path);
	while (got <= file->size) {
		ssize_t n = read(fd, out + got, file->size + 1 - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlv_fail_errno(error, "cannot read '%s'", file->path);
		got += (gsize)n;
		/* No second read for the end: the size that is asked for below tells as much. */
		if (n == 0 || got == file->size)
			break;
	}
	if (!statx_fd(fd, &after, file->path, error))
		return FALSE;
	if (got != file->size || !mlv_ingest_same_stat(&file->stat, &after) ||
	    after.stx_size != got)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' changed while it was read; try again", file->path);
	return TRUE;
}

static void run_batch(Job *job)
{
	guint8 *at = job->buffer->bytes;

	for (guint i = 0; i < job->files->len; i++) {
		SmallFile *file = &g_array_index(job->files, SmallFile, i);

		if (!read_small(file, at, &file->error))
			continue;
		if (!work_chunk(job, at, file->size, 0, &job->error))
			return;
		file->ref.id = g_array_index(job->chunks, Chunk, job->chunks->len - 1).entry.id;
		file->ref.kind = MLV_KIND_BLOB;
		file->ref.size = file->size;
		at += file->size;
		__atomic_fetch_add(&job->ingest->bytes, file->size, __ATOMIC_RELAXED);
	}
}

/* --- segments of large ones ------------------------------------------------------------------- */

/* Reads from the file itself, whose pages are in memory more often than the clone's. What was read
 * is the clone's content if the file's state is afterwards still that of when it was cloned. */
static gboolean read_source(const LargeFile *large, guint8 *out, gsize length, guint64 from)
{
	struct statx after;

	return large->source >= 0 &&
	       mlv_file_read_at(large->source, out, length, from, large->path, NULL) &&
	       statx(large->source, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &after) == 0 &&
	       mlv_ingest_same_stat(&after, &large->stat);
}

/* Bytes [from, to) of the file, where the job's buffer has its place for them. */
static gboolean read_part(Job *job, guint64 from, guint64 to, GError **error)
{
	const LargeFile *large = job->large;
	guint8 *out = job->buffer->bytes + (from - (job->number * large->segment - job->before));

	if (job->filled || from == to || read_source(large, out, (gsize)(to - from), from))
		return TRUE;
	if (!mlv_file_read_at(large->fd, out, (gsize)(to - from), from, large->path, error)) {
		g_prefix_error(error, "it changed, or cannot be read: ");
		return FALSE;
	}
	return TRUE;
}

/* Waits for the cuts of the segment before. FALSE if the file is broken already. */
static gboolean take_turn(Job *job)
{
	LargeFile *large = job->large;

	g_mutex_lock(&large->lock);
	while (large->turn != job->number && !large->broken)
		g_cond_wait(&large->turn_cond, &large->lock);
	gboolean ok = !large->broken;
	g_mutex_unlock(&large->lock);
	return ok;
}

static void pass_turn(Job *job, gboolean broken)
{
	LargeFile *large = job->large;

	g_mutex_lock(&large->lock);
	large->turn++;
	large->broken |= broken;
	g_cond_broadcast(&large->turn_cond);
	g_mutex_unlock(&large->lock);
}

/* Ends of the chunks that end in this segment, as offsets in the file. */
static void find_cuts(Job *job, GArray *cuts)
{
	LargeFile *large = job->large;
	guint64 cut = job->length;

	if (job->number == 0 && job->last && job->length <= MLV_CHUNK_MAX) {
		g_array_append_val(cuts, cut); /* short enough for one chunk */
		return;
	}
	mlv_cutter_feed(&large->cutter, &job->candidates, job->length, job->last);
	while (mlv_cutter_next(&large->cutter, &cut))
		g_array_append_val(cuts, cut);
}

static void run_segment(Job *job)
{
	LargeFile *large = job->large;
	guint64 begin = job->number * large->segment;
	guint8 *bytes = job->buffer->bytes + job->before; /* at `begin` */
	gsize look_back = MIN(job->before, MLV_CHUNK_WINDOW - 1);
	g_autoptr(GArray) cuts = g_array_new(FALSE, FALSE, sizeof(guint64));

	gboolean ok = read_part(job, begin - look_back, begin + job->length, &job->error);
	if (ok)
		mlv_chunker_scan(bytes, look_back, job->length, &job->candidates);
	if (!take_turn(job) || !ok) {
		pass_turn(job, TRUE);
		return;
	}
	guint64 start = large->cutter.start;
	find_cuts(job, cuts);
	pass_turn(job, FALSE);
	/* Only now it is known how much of the segments before the first chunk needs. */
	if (cuts->len > 0 && start < begin - look_back &&
	    !read_part(job, start, begin - look_back, &job->error))
		return;
	for (guint i = 0; i < cuts->len; i++) {
		guint64 cut = g_array_index(cuts, guint64, i);
		if (!work_chunk(job, bytes + ((gint64)start - (gint64)begin), (gsize)(cut - start),
				start, &job->error))
			return;
		start = cut;
	}
	__atomic_fetch_add(&job->ingest->bytes, job->length, __ATOMIC_RELAXED);
}

/* --- writing ---------------------------------------------------------------------------------- */

gboolean mlv_ingest_shares(const Job *job)
{
	return job->ingest->writer && job->large && job->large->shares;
}

/* The new chunks' entries, and their stored bytes in as few pieces as they lie in. */
static void gather_new(const Job *job, GArray *entries, GArray *pieces)
{
	MlvStorePiece *last = NULL;

	for (guint i = 0; i < job->chunks->len; i++) {
		const Chunk *chunk = &g_array_index(job->chunks, Chunk, i);
		MlvStorePiece piece = { chunk->bytes, chunk->entry.stored };

		if (!chunk->mine)
			continue;
		g_array_append_val(entries, chunk->entry);
		if (last && last->bytes + last->length == piece.bytes) {
			last->length += piece.length;
			continue;
		}
		g_array_append_val(pieces, piece);
		last = &g_array_index(pieces, MlvStorePiece, pieces->len - 1);
	}
}

/* In this job's turn, which comes to every job whatever became of it. */
static gboolean reserve_in_turn(Job *job, GArray *entries, MlvStoreRoom *room, GError **error)
{
	MlvIngest *ingest = job->ingest;

	g_mutex_lock(&ingest->turn_lock);
	while (ingest->turn != job->turn)
		g_cond_wait(&ingest->turn_cond, &ingest->turn_lock);
	g_mutex_unlock(&ingest->turn_lock);
	gboolean ok =
		entries->len == 0 ||
		mlv_store_writer_reserve(ingest->writer, &g_array_index(entries, MlvPackEntry, 0),
					 entries->len, room, error);
	g_mutex_lock(&ingest->turn_lock);
	ingest->turn++;
	g_cond_broadcast(&ingest->turn_cond);
	g_mutex_unlock(&ingest->turn_lock);
	return ok;
}

/* What is new goes into a pack, even of a file that failed: others may rely on chunks that this job
 * claimed. All of it is reserved at once: a pack that waits to be filled may be waited for by
 * whoever reserves next. */
static void write_new(Job *job)
{
	MlvIngest *ingest = job->ingest;
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(MlvStorePiece));
	MlvStoreRoom room;
	GError *error = NULL;

	if (ingest->writer && !job->fatal && !mlv_ingest_shares(job))
		gather_new(job, entries, pieces);
	if (reserve_in_turn(job, entries, &room, &error) &&
	    (entries->len == 0 ||
	     mlv_store_writer_fill(ingest->writer, &room, &g_array_index(pieces, MlvStorePiece, 0),
				   pieces->len, &error)))
		return;
	g_clear_error(&job->error);
	job->error = error;
	job->fatal = TRUE;
}

void mlv_ingest_job_run(gpointer data, gpointer user)
{
	Job *job = data;

	if (!job->buffer)
		job->buffer = mlv_ingest_take_buffer(job->ingest);
	if (mlv_ingest_cancelled(job->ingest)) {
		g_set_error(&job->error, MLV_ERROR, MLV_ERROR_CANCELLED, "interrupted");
		job->fatal = TRUE;
		if (job->large)
			pass_turn(job, TRUE);
	} else if (job->large) {
		run_segment(job);
	} else {
		run_batch(job);
	}
	write_new(job);
	if (!mlv_ingest_shares(job))
		mlv_ingest_give_buffer(job->ingest, g_steal_pointer(&job->buffer));
}
