/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an archive that is being read: a file that can be searched in, or a stream. A
 * stream compressed by gzip is unpacked here, since libarchive does not look at gzip's checksums.
 * Private to core/archive_*.c.
 */
#ifndef MLV_CORE_ARCHIVE_INPUT_H
#define MLV_CORE_ARCHIVE_INPUT_H

#include "storage/error.h"

typedef struct MlvArchiveInput MlvArchiveInput;

/* From fd's position on; fd and label are borrowed. NULL with *error where it cannot be read. */
MlvArchiveInput *mlv_archive_input_new(int fd, const char *label, GError **error);
void mlv_archive_input_free(MlvArchiveInput *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvArchiveInput, mlv_archive_input_free)

/* Up to `size` bytes; the end is success with *length 0. Damage is MLV_ERROR_CORRUPT. */
gboolean mlv_archive_input_read(MlvArchiveInput *input, void *out, gsize size, gsize *length,
				GError **error);

/* Whether it can be searched in; only then: */
gboolean mlv_archive_input_seekable(const MlvArchiveInput *input);
/* As lseek, counted from where the archive begins; -1 with errno. */
gint64 mlv_archive_input_seek(MlvArchiveInput *input, gint64 offset, int whence);

/* Bytes of the packed archive that were read, for progress. */
guint64 mlv_archive_input_consumed(const MlvArchiveInput *input);

#endif
