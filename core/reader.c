/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader.h"

#include <string.h>

#include "storage/file.h"
#include "storage/pack.h"
#include "storage/pool.h"

/* Leaves of one job: with chunks of 64 KiB on average about 1 MiB, and 4 MiB at most. */
#define BATCH_LEAVES 16
/* Batches under way a thread: one being read, one waiting to be written. */
#define BATCHES_A_THREAD 2
/* More threads would only hold more memory: so many outrun what takes the bytes. */
#define THREADS_MAX 12
/* Leaves that are asked for together, where they come from far away: about 8 MiB. */
#define AHEAD 128

typedef struct {
	MlvId id;
	guint64 length;
} Leaf;

/* Leaves that lie one behind the other, read together. A job owns its buffer and its error. */
typedef struct {
	MlvSource *source;
	Leaf leaves[BATCH_LEAVES];
	guint count;
	guint64 offset; /* of the first in the file */
	guint64 length; /* of all */
	guint8 *data;
	GError *error;
} Batch;

struct MlvReader {
	MlvSource *source;
	MlvLeafCursor *cursor;
	guint64 from, end; /* of the range */
	guint threads;
	MlvPool *pool;     /* made when a second batch is needed */
	Leaf ahead[AHEAD]; /* leaves that were asked for */
	guint n_ahead, next_ahead;
	guint64 ahead_at; /* offset of the next of them in the file */
	Batch *planned;   /* the next one, not yet under way */
	gboolean first;   /* none was read yet */
	guint64 at;       /* bytes before this one have been given */
};

static void batch_free(gpointer data)
{
	Batch *batch = data;

	if (!batch)
		return;
	g_free(batch->data);
	g_clear_error(&batch->error);
	g_free(batch);
}

/* In any thread. */
static void read_batch(gpointer job, gpointer user)
{
	Batch *batch = job;
	guint64 at = 0;

	batch->data = g_malloc(batch->length);
	for (guint i = 0; i < batch->count; i++) {
		const Leaf *leaf = &batch->leaves[i];
		g_autoptr(GBytes) bytes =
			batch->source->read(batch->source, MLV_KIND_BLOB, &leaf->id, &batch->error);
		char hex[MLV_ID_HEX + 1];

		if (!bytes)
			return;
		if (g_bytes_get_size(bytes) != leaf->length) {
			mlv_id_format(&leaf->id, hex);
			mlv_fail(&batch->error, MLV_ERROR_CORRUPT,
				 "object sha256:%s is not as long as is said of it", hex);
			return;
		}
		memcpy(batch->data + at, g_bytes_get_data(bytes, NULL), leaf->length);
		at += leaf->length;
	}
}

/* Takes the next leaves of the range from the list and asks for them together. None: the range
 * is at its end. */
static gboolean look_ahead(MlvReader *reader, GError **error)
{
	MlvId ids[AHEAD];
	guint64 offset, end = 0;

	reader->n_ahead = reader->next_ahead = 0;
	while (reader->n_ahead < AHEAD && end < reader->end) {
		Leaf *leaf = &reader->ahead[reader->n_ahead];

		if (!mlv_leaf_cursor_next(reader->cursor, &leaf->id, &offset, &leaf->length, error))
			return FALSE;
		if (leaf->length == 0 || offset >= reader->end)
			break;
		if (leaf->length > MLV_CHUNK_LIMIT)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"a list names an impossible length");
		if (reader->n_ahead == 0)
			reader->ahead_at = offset;
		end = offset + leaf->length;
		ids[reader->n_ahead++] = leaf->id;
	}
	return reader->n_ahead < 2 || !reader->source->prefetch ||
	       reader->source->prefetch(reader->source, MLV_KIND_BLOB, ids, reader->n_ahead, error);
}

/* The next leaves of the range as a batch, or *planned NULL at its end. */
static gboolean plan_batch(MlvReader *reader, Batch **planned, GError **error)
{
	Batch *batch;

	*planned = NULL;
	if (reader->next_ahead == reader->n_ahead && !look_ahead(reader, error))
		return FALSE;
	if (reader->n_ahead == 0)
		return TRUE;
	batch = g_new0(Batch, 1);
	batch->source = reader->source;
	batch->offset = reader->ahead_at;
	while (batch->count < BATCH_LEAVES && reader->next_ahead < reader->n_ahead) {
		const Leaf *leaf = &reader->ahead[reader->next_ahead++];

		batch->leaves[batch->count++] = *leaf;
		batch->length += leaf->length;
	}
	reader->ahead_at += batch->length;
	*planned = batch;
	return TRUE;
}

MlvReader *mlv_reader_new(MlvSource *source, const MlvRef *file, guint64 from, guint64 length,
			  guint threads, GError **error)
{
	g_autoptr(MlvReader) reader = g_new0(MlvReader, 1);

	if (file->kind != MLV_KIND_BLOB) {
		mlv_fail(error, MLV_ERROR_FAILED, "a directory has no bytes to be read");
		return NULL;
	}
	from = MIN(from, file->size);
	reader->source = source;
	reader->from = reader->at = from;
	reader->end = from + MIN(length, file->size - from);
	reader->threads = MIN(threads ? threads : mlv_pool_default_threads(), THREADS_MAX);
	reader->first = TRUE;
	if (reader->from == reader->end && file->size > 0)
		return g_steal_pointer(&reader);
	reader->cursor = mlv_leaf_cursor_new(source, file, from, error);
	if (!reader->cursor || !plan_batch(reader, &reader->planned, error))
		return NULL;
	return g_steal_pointer(&reader);
}

void mlv_reader_free(MlvReader *reader)
{
	if (!reader)
		return;
	mlv_pool_free(reader->pool, batch_free);
	batch_free(reader->planned);
	mlv_leaf_cursor_free(reader->cursor);
	g_free(reader);
}

/* Hands planned batches to the workers, as many as there is room for. */
static gboolean fill_pool(MlvReader *reader, GError **error)
{
	while (reader->planned && !mlv_pool_is_full(reader->pool)) {
		mlv_pool_submit(reader->pool, g_steal_pointer(&reader->planned));
		if (!plan_batch(reader, &reader->planned, error))
			return FALSE;
	}
	return TRUE;
}

/* The next batch, read. NULL at the end, or with *error. */
static Batch *take_batch(MlvReader *reader, GError **error)
{
	Batch *batch = NULL;

	if (reader->first) {
		Batch *only = g_steal_pointer(&reader->planned);

		reader->first = FALSE;
		if (!only)
			return NULL;
		if (!plan_batch(reader, &reader->planned, error)) {
			batch_free(only);
			return NULL;
		}
		if (!reader->planned) {
			/* All there is: not worth a thread. */
			read_batch(only, NULL);
			return only;
		}
		reader->pool = mlv_pool_new(reader->threads, reader->threads * BATCHES_A_THREAD + 1,
					    read_batch, NULL);
		mlv_pool_submit(reader->pool, only);
	}
	if (!reader->pool || !fill_pool(reader, error))
		return NULL;
	batch = mlv_pool_take(reader->pool);
	/* The workers go on while the caller uses this one. */
	if (batch && !fill_pool(reader, error)) {
		batch_free(batch);
		return NULL;
	}
	return batch;
}

gboolean mlv_reader_next(MlvReader *reader, GBytes **bytes, GError **error)
{
	g_autoptr(GError) failed = NULL;
	Batch *batch = take_batch(reader, &failed);
	guint64 skip, keep;

	*bytes = NULL;
	if (!batch && !failed) {
		if (reader->at < reader->end)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"the file ends at byte %" G_GUINT64_FORMAT
					", before it should",
					reader->at);
		return TRUE;
	}
	if (batch && batch->error)
		failed = g_steal_pointer(&batch->error);
	if (failed) {
		batch_free(batch);
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	skip = reader->at > batch->offset ? reader->at - batch->offset : 0;
	keep = MIN(batch->length, reader->end - batch->offset) - skip;
	reader->at += keep;
	if (skip == 0) {
		*bytes = g_bytes_new_take(g_steal_pointer(&batch->data), keep);
	} else {
		g_autoptr(GBytes) whole =
			g_bytes_new_take(g_steal_pointer(&batch->data), batch->length);

		*bytes = g_bytes_new_from_bytes(whole, skip, keep);
	}
	batch_free(batch);
	return TRUE;
}

/* --- all at once ------------------------------------------------------------------------------ */

gboolean mlv_read_range(MlvSource *source, const MlvRef *file, guint64 from, guint64 length,
			guint threads, MlvReadSink sink, gpointer user, GError **error)
{
	g_autoptr(MlvReader) reader = mlv_reader_new(source, file, from, length, threads, error);

	if (!reader)
		return FALSE;
	for (;;) {
		g_autoptr(GBytes) bytes = NULL;
		const guint8 *data;
		gsize count;

		if (!mlv_reader_next(reader, &bytes, error))
			return FALSE;
		if (!bytes)
			return TRUE;
		data = g_bytes_get_data(bytes, &count);
		if (!sink(data, count, user, error))
			return FALSE;
	}
}

static gboolean append(const guint8 *data, gsize length, gpointer user, GError **error)
{
	g_byte_array_append(user, data, (guint)length);
	return TRUE;
}

GBytes *mlv_read_whole(MlvSource *source, const MlvRef *file, gsize max, GError **error)
{
	g_autoptr(GByteArray) all = NULL;

	if (file->size > max) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "a file of %" G_GUINT64_FORMAT " bytes is longer than the %" G_GSIZE_FORMAT
			 " that are allowed here",
			 file->size, max);
		return NULL;
	}
	all = g_byte_array_new();
	/* One thread: what is read as a whole is small. */
	if (!mlv_read_range(source, file, 0, file->size, 1, append, all, error))
		return NULL;
	return g_byte_array_free_to_bytes(g_steal_pointer(&all));
}

typedef struct {
	int fd;
	const char *label;
} FdSink;

static gboolean write_fd(const guint8 *data, gsize length, gpointer user, GError **error)
{
	const FdSink *sink = user;

	return mlv_file_write(sink->fd, data, length, sink->label, error);
}

gboolean mlv_read_to_fd(MlvSource *source, const MlvRef *file, guint64 from, guint64 length,
			guint threads, int fd, const char *label, GError **error)
{
	FdSink sink = { fd, label };

	return mlv_read_range(source, file, from, length, threads, write_fd, &sink, error);
}
