/* SPDX-License-Identifier: Apache-2.0 */
/* Packs being written: payload as a stream, the table at the end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "storage/error.h"
#include "storage/file.h"
#include "storage/pack_private.h"

#define WRITEOUT_STEP \
	(8u << 20) /* bytes after which the kernel is told to begin writing them out */

struct MlvPackWriter {
	int fd;
	MlvClass pack_class;
	char *label;
	guint64 size;    /* bytes so far; 0: not even the header */
	guint64 writing; /* bytes whose writing out has begun */
	gboolean writeout;
	gboolean finished;
	GArray *entries; /* MlvPackEntry */
	guint8 salt[MLV_PACK_SALT];
	/* The end of the last run that was shared, less than a block, is not written yet: the block
	 * may be shared with the run that follows. */
	guint8 tail[MLV_PACK_GAP_MAX];
	gsize tail_length;
	guint64 shared;      /* where in its source that run ended; 0: there is none */
	guint64 shared_size; /* and the pack */
};

MlvPackWriter *mlv_pack_writer_new(int fd, MlvClass pack_class, const char *label)
{
	MlvPackWriter *writer = g_new0(MlvPackWriter, 1);

	writer->fd = fd;
	writer->pack_class = pack_class;
	writer->label = g_strdup(label);
	writer->writeout = TRUE;
	writer->entries = g_array_new(FALSE, FALSE, sizeof(MlvPackEntry));
	mlv_random_bytes(writer->salt, sizeof(writer->salt));
	return writer;
}

void mlv_pack_writer_set_salt(MlvPackWriter *writer, const guint8 salt[MLV_PACK_SALT])
{
	memcpy(writer->salt, salt, sizeof(writer->salt));
}

void mlv_pack_writer_set_writeout(MlvPackWriter *writer, gboolean writeout)
{
	writer->writeout = writeout;
}

guint64 mlv_pack_writer_size(const MlvPackWriter *writer)
{
	return MAX(writer->size, MLV_PACK_HEADER);
}

gsize mlv_pack_writer_count(const MlvPackWriter *writer)
{
	return writer->entries->len;
}

const MlvPackEntry *mlv_pack_writer_entries(const MlvPackWriter *writer)
{
	return (const MlvPackEntry *)(const void *)writer->entries->data;
}

void mlv_pack_writer_free(MlvPackWriter *writer)
{
	if (!writer)
		return;
	g_array_unref(writer->entries);
	g_free(writer->label);
	g_free(writer);
}

/* --- appending -------------------------------------------------------------------------------- */

/* Begins writing out what has piled up, so that the sync at the end has little left to do. Only a
 * hint: what fails here fails again there. */
static void begin_writeout(MlvPackWriter *writer)
{
	if (!writer->writeout || writer->size - writer->writing < WRITEOUT_STEP)
		return;
	sync_file_range(writer->fd, (off_t)writer->writing, (off_t)(writer->size - writer->writing),
			SYNC_FILE_RANGE_WRITE);
	writer->writing = writer->size;
}

/* Writes the header if nothing is written yet. */
static gboolean begin(MlvPackWriter *writer, GError **error)
{
	guint8 header[MLV_PACK_HEADER];

	if (writer->finished)
		return mlv_fail(error, MLV_ERROR_FAILED, "'%s' is finished, nothing can be added",
				writer->label);
	if (writer->size > 0)
		return TRUE;
	mlv_pack_header_format(writer->pack_class, header);
	if (!mlv_file_write_at(writer->fd, header, sizeof(header), 0, writer->label, error))
		return FALSE;
	writer->size = sizeof(header);
	return TRUE;
}

/* Checks the caller's entries and that they fit, padding and table included. Gives the sum of their
 * stored bytes. */
static gboolean prepare(MlvPackWriter *writer, const MlvPackEntry *entries, gsize count,
			guint64 *sum, GError **error)
{
	*sum = 0;
	for (gsize i = 0; i < count; i++) {
		const char *fault = mlv_pack_entry_fault(&entries[i], writer->pack_class);
		if (fault)
			return mlv_fail(error, MLV_ERROR_FAILED, "cannot add a chunk to '%s': %s",
					writer->label, fault);
		*sum += entries[i].stored;
	}
	guint64 table = (writer->entries->len + count) * (guint64)MLV_PACK_ENTRY;
	if (MLV_PACK_MIN + writer->size + MLV_PACK_GAP_MAX + *sum + table > MLV_PACK_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' is full: no pack is longer than %u bytes", writer->label,
				MLV_PACK_MAX);
	return begin(writer, error);
}

/* The chunks' bytes stand at the pack's end: they get their offsets and belong to it. */
static void append(MlvPackWriter *writer, MlvPackEntry *entries, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		entries[i].offset = (guint32)writer->size;
		writer->size += entries[i].stored;
	}
	g_array_append_vals(writer->entries, entries, (guint)count);
}

gboolean mlv_pack_writer_reserve(MlvPackWriter *writer, MlvPackEntry *entries, gsize count,
				 guint64 *offset, GError **error)
{
	guint64 sum;

	if (!prepare(writer, entries, count, &sum, error))
		return FALSE;
	*offset = writer->size;
	append(writer, entries, count);
	writer->writing = writer->size;
	return TRUE;
}

gboolean mlv_pack_writer_add(MlvPackWriter *writer, const guint8 *data, MlvPackEntry *entries,
			     gsize count, GError **error)
{
	guint64 sum;

	if (!prepare(writer, entries, count, &sum, error) ||
	    !mlv_file_write_at(writer->fd, data, sum, writer->size, writer->label, error))
		return FALSE;
	append(writer, entries, count);
	begin_writeout(writer);
	return TRUE;
}

static gboolean write_tail(MlvPackWriter *writer, GError **error)
{
	gsize length = writer->tail_length;

	writer->tail_length = 0;
	writer->shared = 0;
	return length == 0 || mlv_file_write_at(writer->fd, writer->tail, length,
						writer->shared_size - length, writer->label, error);
}

/* Whether the run that begins there follows the one that was shared last, in the pack and in the
 * source; what of it is not written is compared. */
static gboolean follows(const MlvPackWriter *writer, int source, guint64 offset, gsize block)
{
	g_autofree guint8 *data = g_malloc(writer->tail_length + 1);

	return writer->shared > 0 && offset == writer->shared &&
	       writer->size == writer->shared_size && offset % block == writer->size % block &&
	       offset % block == writer->tail_length &&
	       mlv_file_read_at(source, data, writer->tail_length, offset - writer->tail_length,
				"the source", NULL) &&
	       memcmp(data, writer->tail, writer->tail_length) == 0;
}

/* A run on its way from a source: `head` bytes that share a block with what comes before it, whole
 * blocks, and a tail. */
typedef struct {
	int source;
	guint64 offset, target; /* of the first byte, in source and pack */
	const guint8 *data;
	gsize head, body, tail;
} SharedRun;

/* Shares whole blocks, `before` bytes ahead of them too. FALSE with errno. */
static gboolean share(MlvPackWriter *writer, const SharedRun *run, gsize before)
{
	return mlv_file_clone_range(run->source, run->offset + run->head - before,
				    before + run->body, writer->fd,
				    run->target + run->head - before);
}

/* Whether writing would fail as well. */
static gboolean is_final(int code)
{
	return code == ENOSPC || code == EDQUOT || code == EIO;
}

/* All but the run's tail. The block that it begins in goes with the others where that is the
 * source's too; what cannot be shared is written. */
static gboolean share_or_write(MlvPackWriter *writer, const SharedRun *run, gsize block,
			       GError **error)
{
	gboolean joined = run->head > 0 && follows(writer, run->source, run->offset, block);

	errno = 0;
	if (joined && share(writer, run, block)) {
		writer->tail_length = 0;
		return TRUE;
	}
	if (!is_final(errno)) {
		if (!write_tail(writer, error) ||
		    !mlv_file_write_at(writer->fd, run->data, run->head, run->target, writer->label,
				       error))
			return FALSE;
		if (share(writer, run, 0))
			return TRUE;
	}
	return is_final(errno)
		       ? mlv_fail_errno(error, "cannot share blocks with '%s'", writer->label)
		       : mlv_file_write_at(writer->fd, run->data + run->head, run->body,
					   run->target + run->head, writer->label, error);
}

gboolean mlv_pack_writer_clone(MlvPackWriter *writer, int source, guint64 source_offset,
			       gsize block, const guint8 *data, MlvPackEntry *entries, gsize count,
			       GError **error)
{
	guint64 sum;

	if (!prepare(writer, entries, count, &sum, error))
		return FALSE;
	guint64 end = source_offset + sum;
	guint64 first = block > 0 ? (source_offset + block - 1) / block * block : end;
	guint64 last = block > 0 ? end / block * block : end;
	gboolean raw = TRUE;
	for (gsize i = 0; i < count; i++)
		raw = raw && entries[i].codec == MLV_CODEC_RAW;
	if (block == 0 || block > MLV_PACK_GAP_MAX || first >= last || !raw)
		return mlv_pack_writer_add(writer, data, entries, count, error);
	/* The padding is a hole: zero without being written. */
	guint64 start =
		writer->size + (source_offset % block + block - writer->size % block) % block;
	SharedRun run = { .source = source,
			  .offset = source_offset,
			  .target = start,
			  .data = data,
			  .head = (gsize)(first - source_offset),
			  .body = (gsize)(last - first),
			  .tail = (gsize)(end - last) };
	if (!share_or_write(writer, &run, block, error))
		return FALSE;
	memcpy(writer->tail, data + run.head + run.body, run.tail);
	writer->tail_length = run.tail;
	writer->size = start;
	append(writer, entries, count);
	writer->shared = end;
	writer->shared_size = writer->size;
	begin_writeout(writer);
	return TRUE;
}

/* --- the end ---------------------------------------------------------------------------------- */

gboolean mlv_pack_writer_finish(MlvPackWriter *writer, MlvId *name, GError **error)
{
	gsize count = writer->entries->len;
	gsize table = MLV_PACK_SALT + count * MLV_PACK_ENTRY;
	guint8 header[MLV_PACK_HEADER];

	if (!begin(writer, error) || !write_tail(writer, error))
		return FALSE;
	g_autofree guint8 *tail = g_malloc(table + MLV_PACK_FOOTER);
	memcpy(tail, writer->salt, MLV_PACK_SALT);
	for (gsize i = 0; i < count; i++)
		mlv_pack_entry_format(&g_array_index(writer->entries, MlvPackEntry, i),
				      tail + MLV_PACK_SALT + i * MLV_PACK_ENTRY);
	mlv_pack_header_format(writer->pack_class, header);
	g_autoptr(MlvHash) hash = mlv_hash_new();
	mlv_hash_update(hash, header, sizeof(header));
	mlv_hash_update(hash, tail, table);
	mlv_hash_finish(hash, name);
	mlv_pack_footer_format(writer->size, (guint32)count, writer->pack_class, name,
			       tail + table);
	if (!mlv_file_write_at(writer->fd, tail, table + MLV_PACK_FOOTER, writer->size,
			       writer->label, error))
		return FALSE;
	writer->size += table + MLV_PACK_FOOTER;
	writer->finished = TRUE;
	return TRUE;
}
