/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stored file's bytes, whole or a range of them, as a stream. Chunks are read ahead, decoded and
 * checked in worker threads and come back in order; memory is a few MiB a thread whatever the
 * file's size.
 *
 *	g_autoptr(MlvReader) reader = mlv_reader_new(source, &ref, 0, ref.size, 0, error);
 *	while (mlv_reader_next(reader, &bytes, error) && bytes) {
 *		...
 *		g_bytes_unref(bytes);
 *	}
 *
 * The source must be thread safe. A reader belongs to one thread.
 */
#ifndef MLV_CORE_READER_H
#define MLV_CORE_READER_H

#include "storage/source.h"

typedef struct MlvReader MlvReader;

/* `length` bytes of the file from byte `from` on, no more than there are. threads 0: one a core.
 * The source is borrowed. */
MlvReader *mlv_reader_new(MlvSource *source, const MlvRef *file, guint64 from, guint64 length,
			  guint threads, GError **error);
/* TRUE with *bytes, some hundred KiB that the caller frees, or NULL at the end. Every byte has
 * been checked. */
gboolean mlv_reader_next(MlvReader *reader, GBytes **bytes, GError **error);
void mlv_reader_free(MlvReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvReader, mlv_reader_free)

/* Gives the whole range to `sink`, in order, in this thread; FALSE from it ends the reading. */
typedef gboolean (*MlvReadSink)(const guint8 *data, gsize length, gpointer user, GError **error);
gboolean mlv_read_range(MlvSource *source, const MlvRef *file, guint64 from, guint64 length,
			guint threads, MlvReadSink sink, gpointer user, GError **error);
/* A whole file of at most `max` bytes; a longer one is MLV_ERROR_FAILED. */
GBytes *mlv_read_whole(MlvSource *source, const MlvRef *file, gsize max, GError **error);
/* Writes the range to a descriptor; `label` names it in messages. */
gboolean mlv_read_to_fd(MlvSource *source, const MlvRef *file, guint64 from, guint64 length,
			guint threads, int fd, const char *label, GError **error);

#endif
