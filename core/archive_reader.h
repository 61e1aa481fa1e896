/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives in: whatever libarchive reads, as a stream of members. With archive_writer.c the home of
 * libarchive.
 *
 *	g_autoptr(MlvArchiveReader) reader = mlv_archive_reader_new(fd, -1, "x.tar", NULL, error);
 *	while (mlv_archive_reader_next(reader, &member, error) && member.path)
 *		while (mlv_archive_reader_read(reader, &data, &length, error) && length > 0)
 *			...
 *
 * Nothing is trusted but that bytes are bytes: names come as they stand in the archive, and are the
 * caller's to judge. No program is run, and no file but the one given is opened. In tar, cpio and
 * ar names are the very bytes; formats that keep them as Unicode (7z, rar, zip where it says so)
 * give UTF-8 in composed form (NFC).
 *
 * A reader belongs to one thread.
 */
#ifndef MLV_CORE_ARCHIVE_READER_H
#define MLV_CORE_ARCHIVE_READER_H

#include "storage/error.h"

typedef enum {
	MLV_MEMBER_FILE,
	MLV_MEMBER_DIRECTORY,
	MLV_MEMBER_SYMLINK,
	MLV_MEMBER_HARDLINK, /* another name of a member before; may have data, of all its names */
	MLV_MEMBER_OTHER,    /* device, fifo, socket */
} MlvMemberType;

typedef struct {
	const char *path; /* borrowed until the next call; NULL at the end */
	MlvMemberType type;
	gboolean executable; /* for its owner */
	gboolean has_data;   /* hard links: data follow */
	const char *target;  /* of a link */
	const char *what;    /* of MLV_MEMBER_OTHER: "a fifo"; static */
} MlvMember;

typedef struct MlvArchiveReader MlvArchiveReader;

/* `fd` is borrowed and read from its present position on. Most formats but tar and cpio must
 * be searched in to be read rightly, which a pipe cannot: from a pipe such an archive is first
 * copied, packed as it is, to the empty file `spool` (borrowed; -1: not read then). `label`
 * names it in messages. `format` (may be NULL: any) is one of the names that
 * mlv_archive_reader_formats() gives. What is no archive is MLV_ERROR_UNSUPPORTED. */
MlvArchiveReader *mlv_archive_reader_new(int fd, int spool, const char *label, const char *format,
					 GError **error);
void mlv_archive_reader_free(MlvArchiveReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvArchiveReader, mlv_archive_reader_free)

/* The next member. Damage, truncation and encryption are MLV_ERROR_CORRUPT. */
gboolean mlv_archive_reader_next(MlvArchiveReader *reader, MlvMember *member, GError **error);
/* More of the member's data, holes filled with zeros; *length 0 at its end. Borrowed until the next
 * call. */
gboolean mlv_archive_reader_read(MlvArchiveReader *reader, const void **data, gsize *length,
				 GError **error);

/* Bytes of the archive that were consumed, for progress. */
guint64 mlv_archive_reader_consumed(const MlvArchiveReader *reader);
/* "7zip, ar, cpio ...". */
const char *mlv_archive_reader_formats(void);

#endif
