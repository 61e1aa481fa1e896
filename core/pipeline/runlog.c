/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: "mlv log 1\n", a line with the stage's address, then blocks of at most BLOCK bytes:
 * a head of 9 bytes (codec, raw and stored length, little-endian) and the stored bytes. A block
 * with the codec SKIPPED has no bytes: its two numbers are the low and high half of how many bytes
 * were left out.
 */
#include "core/pipeline/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/codec.h"
#include "storage/error.h"
#include "storage/file.h"

#define FOLDER   "logs"
#define HEADER   "mlv log 1\n"
#define BLOCK    (128u << 10)
#define HEAD     9
#define SKIPPED  255
#define LEVEL    1
#define NAME_HEX 32 /* digits of a file's name: the beginning of the address's SHA-256 */

struct MlvRunLog {
	MlvRepo *repo;
	char *run, *address;
	guint64 max;
	GByteArray *block; /* not written yet */
	MlvFd fd;
	char *path;
	guint64 written; /* raw bytes that went into the file */
	GQueue *tail;    /* of GBytes: blocks behind the first half, as they will be written */
	guint64 tail_raw, skipped;
	GError *error; /* the first */
};

static char *log_name(const char *address)
{
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of(address, strlen(address), &id);
	mlv_id_format(&id, hex);
	return g_strndup(hex, NAME_HEX);
}

MlvRunLog *mlv_runlog_new(MlvRepo *repo, const char *run, const char *address, guint64 max)
{
	MlvRunLog *log = g_new0(MlvRunLog, 1);

	log->repo = repo;
	log->run = g_strdup(run);
	log->address = g_strdup(address);
	log->max = MAX(max, 4 * BLOCK);
	log->fd = -1;
	return log;
}

void mlv_runlog_free(MlvRunLog *log)
{
	if (!log)
		return;
	mlv_fd_clear(&log->fd);
	if (log->block)
		g_byte_array_unref(log->block);
	if (log->tail)
		g_queue_free_full(log->tail, (GDestroyNotify)g_bytes_unref);
	g_clear_error(&log->error);
	g_free(log->run);
	g_free(log->address);
	g_free(log->path);
	g_free(log);
}

static gboolean open_file(MlvRunLog *log, GError **error)
{
	g_autofree char *folder =
		g_build_filename(mlv_repo_mlv_dir(log->repo), FOLDER, log->run, NULL);
	g_autofree char *name = log_name(log->address);
	g_autofree char *head = g_strdup_printf(HEADER "%s\n", log->address);

	if (g_mkdir_with_parents(folder, 0777) < 0)
		return mlv_fail_errno(error, "cannot make the folder '%s'", folder);
	log->path = g_build_filename(folder, name, NULL);
	log->fd = open(log->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (log->fd < 0)
		return mlv_fail_errno(error, "cannot make the log '%s'", log->path);
	return mlv_file_write(log->fd, head, strlen(head), log->path, error);
}

static void put_u32(guint8 *to, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(to, &value, sizeof(value));
}

static guint32 get_u32(const guint8 *from)
{
	guint32 value;

	memcpy(&value, from, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* Head and stored bytes of a block. */
static GBytes *make_block(const guint8 *data, gsize length)
{
	guint8 *block = g_malloc(HEAD + length);
	gsize stored = mlv_codec_compress(data, length, block + HEAD, LEVEL);

	block[0] = stored > 0 ? MLV_CODEC_ZSTD : MLV_CODEC_RAW;
	if (stored == 0) {
		memcpy(block + HEAD, data, length);
		stored = length;
	}
	put_u32(block + 1, (guint32)length);
	put_u32(block + 5, (guint32)stored);
	return g_bytes_new_take(block, HEAD + stored);
}

static void write_block(MlvRunLog *log, GBytes *block)
{
	gsize length;
	const guint8 *data = g_bytes_get_data(block, &length);

	if (log->error || (log->fd < 0 && !open_file(log, &log->error)))
		return;
	mlv_file_write(log->fd, data, length, log->path, &log->error);
}

static guint32 raw_length(GBytes *block)
{
	return get_u32((const guint8 *)g_bytes_get_data(block, NULL) + 1);
}

/* What was gathered becomes a block: of the first half it goes to the file, else to the tail. */
static void flush(MlvRunLog *log)
{
	g_autoptr(GBytes) block = NULL;

	if (!log->block || log->block->len == 0)
		return;
	block = make_block(log->block->data, log->block->len);
	g_byte_array_set_size(log->block, 0);
	if (log->written < log->max / 2) {
		log->written += raw_length(block);
		write_block(log, block);
		return;
	}
	if (!log->tail)
		log->tail = g_queue_new();
	log->tail_raw += raw_length(block);
	g_queue_push_tail(log->tail, g_steal_pointer(&block));
	while (log->tail_raw > log->max / 2) {
		g_autoptr(GBytes) oldest = g_queue_pop_head(log->tail);
		log->tail_raw -= raw_length(oldest);
		log->skipped += raw_length(oldest);
	}
}

void mlv_runlog_write(MlvRunLog *log, const guint8 *data, gsize length)
{
	if (!log->block)
		log->block = g_byte_array_new();
	while (length > 0) {
		gsize part = MIN(length, BLOCK - log->block->len);
		g_byte_array_append(log->block, data, (guint)part);
		data += part;
		length -= part;
		if (log->block->len == BLOCK)
			flush(log);
	}
}

gboolean mlv_runlog_finish(MlvRunLog *log, GError **error)
{
	flush(log);
	if (log->skipped > 0) {
		guint8 *gap = g_malloc(HEAD);
		gap[0] = SKIPPED;
		put_u32(gap + 1, (guint32)log->skipped);
		put_u32(gap + 5, (guint32)(log->skipped >> 32));
		g_autoptr(GBytes) block = g_bytes_new_take(gap, HEAD);
		write_block(log, block);
	}
	for (GBytes *block; log->tail && (block = g_queue_pop_head(log->tail));) {
		write_block(log, block);
		g_bytes_unref(block);
	}
	mlv_fd_clear(&log->fd);
	if (!log->error)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&log->error));
	return FALSE;
}

/* --- reading ---------------------------------------------------------------------------------- */

static gboolean read_blocks(int fd, guint64 at, const char *path, MlvRunLogSink sink, gpointer user,
			    GError **error)
{
	g_autofree guint8 *stored = g_malloc(BLOCK);
	g_autofree guint8 *raw = g_malloc(BLOCK);
	guint8 head[HEAD];

	for (;;) {
		if (!mlv_file_read_at(fd, head, sizeof(head), at, path, NULL))
			return TRUE;
		guint32 a = get_u32(head + 1), b = get_u32(head + 5);
		at += HEAD;
		if (head[0] == SKIPPED) {
			if (!sink(NULL, 0, (guint64)b << 32 | a, user, error))
				return FALSE;
			continue;
		}
		if (a > BLOCK || b > BLOCK)
			return mlv_fail(error, MLV_ERROR_CORRUPT, "the log '%s' is damaged", path);
		if (!mlv_file_read_at(fd, stored, b, at, path, NULL))
			return TRUE;
		if (!mlv_codec_decode((MlvCodec)head[0], stored, b, raw, a, error)) {
			g_prefix_error(error, "the log '%s' is damaged: ", path);
			return FALSE;
		}
		if (!sink(raw, a, 0, user, error))
			return FALSE;
		at += b;
	}
}

static gboolean read_file(const char *path, const char *address, MlvRunLogSink sink, gpointer user,
			  GError **error)
{
	g_auto(MlvFd) fd = open(path, O_RDONLY | O_CLOEXEC);
	g_autofree char *head = g_strdup_printf(HEADER "%s\n", address);
	gsize length = strlen(head);
	g_autofree char *there = g_malloc(length);

	if (fd < 0)
		return mlv_fail_errno(error, "cannot read the log '%s'", path);
	if (!mlv_file_read_at(fd, there, length, 0, path, error))
		return FALSE;
	if (memcmp(there, head, length) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is no log of '%s'", path, address);
	return read_blocks(fd, length, path, sink, user, error);
}

/* The newest log of that name. */
static char *find_latest(const char *folder, const char *name)
{
	g_autoptr(GPtrArray) runs = mlv_file_list(AT_FDCWD, folder, NULL);
	char *best = NULL;
	struct timespec newest = { 0, 0 };

	for (guint i = 0; runs && i < runs->len; i++) {
		g_autofree char *path = g_build_filename(folder, runs->pdata[i], name, NULL);
		struct stat st;
		if (stat(path, &st) < 0)
			continue;
		if (!best || st.st_mtim.tv_sec > newest.tv_sec ||
		    (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec > newest.tv_nsec)) {
			newest = st.st_mtim;
			g_free(best);
			best = g_steal_pointer(&path);
		}
	}
	return best;
}

gboolean mlv_runlog_read(MlvRepo *repo, const char *run, const char *address, MlvRunLogSink sink,
			 gpointer user, GError **error)
{
	g_autofree char *folder = g_build_filename(mlv_repo_mlv_dir(repo), FOLDER, NULL);
	g_autofree char *name = log_name(address);
	g_autofree char *path =
		run ? g_build_filename(folder, run, name, NULL) : find_latest(folder, name);

	if (!path || access(path, F_OK) < 0)
		return mlv_fail(error, MLV_ERROR_MISSING,
				"there is no log of '%s': it has not run here, or printed nothing",
				address);
	return read_file(path, address, sink, user, error);
}

gboolean mlv_runlog_sweep(MlvRepo *repo, gint64 before, GError **error)
{
	g_autofree char *folder = g_build_filename(mlv_repo_mlv_dir(repo), FOLDER, NULL);
	g_autoptr(GPtrArray) runs = mlv_file_list(AT_FDCWD, folder, NULL);

	for (guint i = 0; runs && i < runs->len; i++) {
		g_autofree char *run = g_build_filename(folder, runs->pdata[i], NULL);
		g_autoptr(GPtrArray) names = mlv_file_list(AT_FDCWD, run, NULL);
		for (guint j = 0; names && j < names->len; j++) {
			g_autofree char *path = g_build_filename(run, names->pdata[j], NULL);
			struct stat st;
			if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
			    st.st_mtim.tv_sec < before && unlink(path) < 0 && errno != ENOENT)
				return mlv_fail_errno(error, "cannot remove the log '%s'", path);
		}
		rmdir(run); /* if it is empty by now */
	}
	return TRUE;
}
