/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive_pump.h"

#include <string.h>

#include "storage/pool.h"

#define JOB_BYTES  (1u << 20) /* of content that one job reads, about */
#define JOB_PIECES 512
#define WINDOW_MAX 24   /* jobs ahead: with JOB_BYTES the memory */
#define TARGET_MAX 4096 /* no symlink leads further */

typedef enum {
	PIECE_DIRECTORY,
	PIECE_FILE,    /* begins a file; its chunks follow */
	PIECE_SYMLINK, /* `bytes` is the target */
	PIECE_CHUNK,
} PieceType;

typedef struct {
	PieceType type;
	char *path;
	gboolean executable;
	guint64 size;  /* of the file, or of the chunk */
	gboolean read; /* bytes are to be read: those of `id` */
	MlvId id;
	GBytes *bytes;
} Piece;

typedef struct {
	GArray *pieces; /* of Piece */
	guint64 bytes;
	GError *error;
} Job;

struct MlvArchivePump {
	MlvArchiveWriter *writer;
	MlvSource *source;
	MlvPool *pool;
	Job *job; /* being gathered, or NULL */
	char *at; /* the file that the last job ended in, for messages */
	const volatile sig_atomic_t *cancel;
	MlvArchiveMoved moved;
	gpointer user;
};

static void piece_clear(gpointer data)
{
	Piece *piece = data;

	g_free(piece->path);
	if (piece->bytes)
		g_bytes_unref(piece->bytes);
}

static void job_free(gpointer data)
{
	Job *job = data;

	if (!job)
		return;
	g_array_unref(job->pieces);
	g_clear_error(&job->error);
	g_free(job);
}

static gboolean read_piece(MlvSource *source, Piece *piece, GError **error)
{
	char hex[MLV_ID_HEX + 1];

	piece->bytes = source->read(source, MLV_KIND_BLOB, &piece->id, error);
	if (!piece->bytes)
		return FALSE;
	if (g_bytes_get_size(piece->bytes) == piece->size)
		return TRUE;
	mlv_id_format(&piece->id, hex);
	return mlv_fail(error, MLV_ERROR_CORRUPT,
			"object sha256:%.12s is not as long as is said of it", hex);
}

/* In a worker. */
static void run_job(gpointer data, gpointer user)
{
	MlvArchivePump *pump = user;
	Job *job = data;

	for (guint i = 0; i < job->pieces->len; i++) {
		Piece *piece = &g_array_index(job->pieces, Piece, i);

		if (pump->cancel && *pump->cancel)
			return;
		if (piece->read && !read_piece(pump->source, piece, &job->error))
			return;
	}
}

MlvArchivePump *mlv_archive_pump_new(MlvArchiveWriter *writer, MlvSource *source, guint threads,
				     const volatile sig_atomic_t *cancel, MlvArchiveMoved moved,
				     gpointer user)
{
	MlvArchivePump *pump = g_new0(MlvArchivePump, 1);

	if (threads == 0)
		threads = mlv_pool_default_threads();
	pump->writer = writer;
	pump->source = source;
	pump->cancel = cancel;
	pump->moved = moved;
	pump->user = user;
	pump->pool = mlv_pool_new(threads, MIN(2 * threads + 2, WINDOW_MAX), run_job, pump);
	return pump;
}

void mlv_archive_pump_free(MlvArchivePump *pump)
{
	if (!pump)
		return;
	mlv_pool_free(pump->pool, job_free);
	job_free(pump->job);
	g_free(pump->at);
	g_free(pump);
}

/* --- out -------------------------------------------------------------------------------------- */

static gboolean write_symlink(MlvArchivePump *pump, const Piece *piece, GError **error)
{
	gsize length;
	const char *data = g_bytes_get_data(piece->bytes, &length);
	g_autofree char *target = g_strndup(data, length);

	if (length == 0 || length > TARGET_MAX || strlen(target) != length)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the symlink '%s' has an impossible target", piece->path);
	return mlv_archive_writer_symlink(pump->writer, piece->path, target, error);
}

static gboolean write_piece(MlvArchivePump *pump, const Piece *piece, GError **error)
{
	gsize length;
	gconstpointer data;

	if (piece->type != PIECE_CHUNK) {
		g_free(pump->at);
		pump->at = g_strdup(piece->path);
		if (pump->moved)
			pump->moved(0, piece->type != PIECE_DIRECTORY, pump->user);
	}
	switch (piece->type) {
	case PIECE_DIRECTORY:
		return mlv_archive_writer_directory(pump->writer, piece->path, error);
	case PIECE_FILE:
		return mlv_archive_writer_file(pump->writer, piece->path, piece->executable,
					       piece->size, error);
	case PIECE_SYMLINK:
		return write_symlink(pump, piece, error);
	case PIECE_CHUNK:
		break;
	}
	data = g_bytes_get_data(piece->bytes, &length);
	if (pump->moved)
		pump->moved(length, 0, pump->user);
	return mlv_archive_writer_data(pump->writer, data, length, error);
}

/* Writes what a worker has read, up to the piece that it could not read. */
static gboolean write_job(MlvArchivePump *pump, Job *job, GError **error)
{
	for (guint i = 0; i < job->pieces->len; i++) {
		Piece *piece = &g_array_index(job->pieces, Piece, i);

		if (pump->cancel && *pump->cancel)
			return mlv_fail(error, MLV_ERROR_CANCELLED, "interrupted");
		if (piece->read && !piece->bytes) {
			g_propagate_error(error, g_steal_pointer(&job->error));
			g_prefix_error(error, "'%s': ", piece->path ? piece->path : pump->at);
			return FALSE;
		}
		if (!write_piece(pump, piece, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean submit(MlvArchivePump *pump, GError **error)
{
	Job *done;

	if (!pump->job)
		return TRUE;
	while ((done = mlv_pool_is_full(pump->pool) ? mlv_pool_take(pump->pool)
						    : mlv_pool_poll(pump->pool))) {
		gboolean ok = write_job(pump, done, error);

		job_free(done);
		if (!ok)
			return FALSE;
	}
	mlv_pool_submit(pump->pool, g_steal_pointer(&pump->job));
	return TRUE;
}

/* --- in --------------------------------------------------------------------------------------- */

static gboolean add_piece(MlvArchivePump *pump, Piece piece, GError **error)
{
	if (pump->job && (pump->job->bytes >= JOB_BYTES || pump->job->pieces->len >= JOB_PIECES) &&
	    !submit(pump, error)) {
		piece_clear(&piece);
		return FALSE;
	}
	if (!pump->job) {
		pump->job = g_new0(Job, 1);
		pump->job->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
		g_array_set_clear_func(pump->job->pieces, piece_clear);
	}
	if (piece.read || piece.bytes)
		pump->job->bytes += piece.size;
	g_array_append_val(pump->job->pieces, piece);
	return TRUE;
}

gboolean mlv_archive_pump_directory(MlvArchivePump *pump, const char *path, GError **error)
{
	return add_piece(pump, (Piece){ .type = PIECE_DIRECTORY, .path = g_strdup(path) }, error);
}

static gboolean add_chunks(MlvArchivePump *pump, const char *path, const MlvRef *ref,
			   GError **error)
{
	g_autoptr(MlvLeafCursor) leaves = mlv_leaf_cursor_new(pump->source, ref, 0, error);

	if (!leaves) {
		g_prefix_error(error, "'%s': ", path);
		return FALSE;
	}
	for (;;) {
		Piece piece = { .type = PIECE_CHUNK, .read = TRUE };
		guint64 offset;

		if (!mlv_leaf_cursor_next(leaves, &piece.id, &offset, &piece.size, error)) {
			g_prefix_error(error, "'%s': ", path);
			return FALSE;
		}
		if (piece.size == 0)
			return TRUE;
		if (!add_piece(pump, piece, error))
			return FALSE;
	}
}

gboolean mlv_archive_pump_entry(MlvArchivePump *pump, const char *path, const MlvTreeEntry *entry,
				GError **error)
{
	Piece piece = { .size = entry->ref.size };

	if (entry->mode == MLV_MODE_SYMLINK) {
		if (entry->ref.depth > 0 || entry->ref.size > TARGET_MAX)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"the symlink '%s' has an impossible target", path);
		piece.type = PIECE_SYMLINK;
		piece.read = TRUE;
		piece.id = entry->ref.id;
		piece.path = g_strdup(path);
		return add_piece(pump, piece, error);
	}
	piece.type = PIECE_FILE;
	piece.executable = entry->mode == MLV_MODE_EXECUTABLE;
	piece.path = g_strdup(path);
	return add_piece(pump, piece, error) && add_chunks(pump, path, &entry->ref, error);
}

gboolean mlv_archive_pump_bytes(MlvArchivePump *pump, const char *path, MlvMode mode, GBytes *bytes,
				GError **error)
{
	Piece piece = { .path = g_strdup(path), .size = g_bytes_get_size(bytes) };
	Piece chunk = { .type = PIECE_CHUNK, .size = piece.size };

	if (mode == MLV_MODE_SYMLINK) {
		piece.type = PIECE_SYMLINK;
		piece.bytes = g_bytes_ref(bytes);
		return add_piece(pump, piece, error);
	}
	piece.type = PIECE_FILE;
	piece.executable = mode == MLV_MODE_EXECUTABLE;
	if (!add_piece(pump, piece, error))
		return FALSE;
	if (chunk.size == 0)
		return TRUE;
	chunk.bytes = g_bytes_ref(bytes);
	return add_piece(pump, chunk, error);
}

gboolean mlv_archive_pump_finish(MlvArchivePump *pump, GError **error)
{
	Job *job;

	if (!submit(pump, error))
		return FALSE;
	while ((job = mlv_pool_take(pump->pool))) {
		gboolean ok = write_job(pump, job, error);

		job_free(job);
		if (!ok)
			return FALSE;
	}
	return mlv_archive_writer_finish(pump->writer, error);
}
