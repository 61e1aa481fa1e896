/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives out: tar, tar.gz, tar.zst and zip as a stream of bytes. With archive_reader.c the home
 * of libarchive.
 *
 *	writer = mlv_archive_writer_new(MLV_ARCHIVE_TAR, time, sink, user, error);
 *	mlv_archive_writer_file(writer, "data/x", FALSE, 3, error)
 *	mlv_archive_writer_data(writer, "abc", 3, error)
 *	mlv_archive_writer_finish(writer, error)
 *
 * The same calls give the same bytes: owner 0, the modes 644, 755 and 777, one time for all, no
 * names of users, no time or name in a gzip header, fixed levels. tar is GNU's: names are bytes
 * as they are, of any length, and files of any size, and no entry has a header more than it
 * needs. zip keeps names as bytes too, marked as UTF-8 where they are; its DOS times are in the
 * process's time zone, so whoever wants the same bytes everywhere sets TZ.
 *
 * An archive writer belongs to one thread.
 */
#ifndef MLV_CORE_ARCHIVE_WRITER_H
#define MLV_CORE_ARCHIVE_WRITER_H

#include "storage/error.h"

typedef enum {
	MLV_ARCHIVE_TAR,
	MLV_ARCHIVE_TAR_GZ,
	MLV_ARCHIVE_TAR_ZST,
	MLV_ARCHIVE_ZIP,
} MlvArchiveFormat;

/* "tar", "tar.gz" or "tgz", "tar.zst" or "tzst", "zip"; FALSE for anything else. */
gboolean mlv_archive_format_parse(const char *name, MlvArchiveFormat *format);
/* By the ending of a file's name, letters of either case. */
gboolean mlv_archive_format_of_file(const char *file, MlvArchiveFormat *format);

/* Takes the archive's bytes as they come. */
typedef gboolean (*MlvArchiveSink)(const void *data, gsize length, gpointer user, GError **error);

typedef struct MlvArchiveWriter MlvArchiveWriter;

/* `time` is every entry's, in unix seconds; one that the format cannot hold becomes the
 * nearest that it can. */
MlvArchiveWriter *mlv_archive_writer_new(MlvArchiveFormat format, gint64 time, MlvArchiveSink sink,
					 gpointer user, GError **error);

/* Begins an entry. Paths are relative, without a slash at the end. After a file come exactly
 * `size` bytes of data. */
gboolean mlv_archive_writer_directory(MlvArchiveWriter *writer, const char *path, GError **error);
gboolean mlv_archive_writer_symlink(MlvArchiveWriter *writer, const char *path, const char *target,
				    GError **error);
gboolean mlv_archive_writer_file(MlvArchiveWriter *writer, const char *path, gboolean executable,
				 guint64 size, GError **error);
gboolean mlv_archive_writer_data(MlvArchiveWriter *writer, const void *data, gsize length,
				 GError **error);

/* Ends the archive; everything has gone to the sink then. */
gboolean mlv_archive_writer_finish(MlvArchiveWriter *writer, GError **error);
/* Frees; what was not finished is left as it is. */
void mlv_archive_writer_free(MlvArchiveWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvArchiveWriter, mlv_archive_writer_free)

#endif
