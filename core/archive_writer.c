/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

/* Bytes that go to the sink at once. */
#define BLOCK (256 << 10)
/* What the 11 octal digits of a tar header hold, and the 32 bits, signed, of a zip's. */
#define TAR_TIME_MAX 077777777777LL
#define ZIP_TIME_MIN 315619200LL /* 1980-01-02: the DOS epoch, whatever the time zone */
#define ZIP_TIME_MAX G_MAXINT32

struct MlvArchiveWriter {
	struct archive *archive;
	struct archive_entry *entry;
	MlvArchiveFormat format;
	gint64 time;
	MlvArchiveSink sink;
	gpointer user;
	GError *failure;  /* what the sink said */
	gboolean closing; /* nothing goes to the sink any more */
	locale_t bytes, utf8;
};

gboolean mlv_archive_format_parse(const char *name, MlvArchiveFormat *format)
{
	static const struct {
		const char *name;
		MlvArchiveFormat format;
	} names[] = {
		{ "tar", MLV_ARCHIVE_TAR },      { "tar.gz", MLV_ARCHIVE_TAR_GZ },
		{ "tgz", MLV_ARCHIVE_TAR_GZ },   { "tar.zst", MLV_ARCHIVE_TAR_ZST },
		{ "tzst", MLV_ARCHIVE_TAR_ZST }, { "zip", MLV_ARCHIVE_ZIP },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_ascii_strcasecmp(name, names[i].name) == 0) {
			*format = names[i].format;
			return TRUE;
		}
	}
	return FALSE;
}

gboolean mlv_archive_format_of_file(const char *file, MlvArchiveFormat *format)
{
	const char *slash = strrchr(file, '/');

	for (const char *dot = strchr(slash ? slash : file, '.'); dot; dot = strchr(dot + 1, '.'))
		if (mlv_archive_format_parse(dot + 1, format))
			return TRUE;
	return FALSE;
}

/* Hands on the reason of the sink, if it was the sink that failed, else libarchive's. */
static gboolean fail_archive(MlvArchiveWriter *writer, const char *path, GError **error)
{
	const char *reason = archive_error_string(writer->archive);

	if (writer->failure) {
		g_propagate_error(error, g_steal_pointer(&writer->failure));
		return FALSE;
	}
	if (!reason)
		reason = "no reason is known";
	if (path)
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot put '%s' into the archive: %s",
				path, reason);
	return mlv_fail(error, MLV_ERROR_FAILED, "cannot write the archive: %s", reason);
}

static la_ssize_t give_to_sink(struct archive *archive, void *user, const void *data, size_t length)
{
	MlvArchiveWriter *writer = user;

	if (writer->closing)
		return (la_ssize_t)length;
	/* libarchive tries again when it ends: the first failure is the last call. */
	if (writer->failure)
		return ARCHIVE_FATAL;
	if (writer->sink(data, length, writer->user, &writer->failure))
		return (la_ssize_t)length;
	archive_set_error(archive, EIO, "the bytes cannot be written");
	return ARCHIVE_FATAL;
}

static gboolean set_option(struct archive *archive, const char *module, const char *key,
			   const char *value)
{
	return archive_write_set_option(archive, module, key, value) == ARCHIVE_OK;
}

static gboolean set_format(struct archive *archive, MlvArchiveFormat format)
{
	int r = format == MLV_ARCHIVE_ZIP ? archive_write_set_format_zip(archive)
					  : archive_write_set_format_gnutar(archive);

	if (r != ARCHIVE_OK)
		return FALSE;
	switch (format) {
	case MLV_ARCHIVE_TAR:
		break;
	case MLV_ARCHIVE_TAR_GZ:
		if (archive_write_add_filter_gzip(archive) != ARCHIVE_OK ||
		    !set_option(archive, "gzip", "timestamp", NULL) ||
		    !set_option(archive, "gzip", "compression-level", "6"))
			return FALSE;
		break;
	case MLV_ARCHIVE_TAR_ZST:
		if (archive_write_add_filter_zstd(archive) != ARCHIVE_OK ||
		    !set_option(archive, "zstd", "compression-level", "3"))
			return FALSE;
		break;
	case MLV_ARCHIVE_ZIP:
		if (!set_option(archive, "zip", "compression", "deflate") ||
		    !set_option(archive, "zip", "compression-level", "6"))
			return FALSE;
		break;
	}
	/* No padding behind what a compressor wrote. */
	return archive_write_set_bytes_per_block(archive, BLOCK) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK;
}

MlvArchiveWriter *mlv_archive_writer_new(MlvArchiveFormat format, gint64 time, MlvArchiveSink sink,
					 gpointer user, GError **error)
{
	g_autoptr(MlvArchiveWriter) writer = g_new0(MlvArchiveWriter, 1);

	writer->format = format;
	writer->time = format == MLV_ARCHIVE_ZIP ? CLAMP(time, ZIP_TIME_MIN, ZIP_TIME_MAX)
						 : CLAMP(time, 0, TAR_TIME_MAX);
	writer->sink = sink;
	writer->user = user;
	writer->bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	writer->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	writer->archive = archive_write_new();
	writer->entry = archive_entry_new();
	if (!writer->archive || !writer->entry || !writer->bytes) {
		mlv_fail(error, MLV_ERROR_FAILED, "cannot begin an archive: out of memory");
		return NULL;
	}
	if (!set_format(writer->archive, format) ||
	    archive_write_open(writer->archive, writer, NULL, give_to_sink, NULL) != ARCHIVE_OK) {
		fail_archive(writer, NULL, error);
		return NULL;
	}
	return g_steal_pointer(&writer);
}

/*
 * libarchive looks at the thread's character set: in that of "C" it passes bytes through as they
 * are; in UTF-8 it marks a zip's names as such, which is said only of those that are.
 */
static gboolean put_header(MlvArchiveWriter *writer, const char *path, GError **error)
{
	locale_t wanted =
		writer->utf8 && g_utf8_validate(path, -1, NULL) ? writer->utf8 : writer->bytes;
	locale_t before = uselocale(wanted);
	int r = archive_write_header(writer->archive, writer->entry);

	uselocale(before);
	/* A warning would mean that something was not written as it is. */
	return r == ARCHIVE_OK || fail_archive(writer, path, error);
}

static void begin_entry(MlvArchiveWriter *writer, const char *path, mode_t mode, guint64 size)
{
	struct archive_entry *entry = archive_entry_clear(writer->entry);

	archive_entry_copy_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_mtime(entry, writer->time, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
}

gboolean mlv_archive_writer_directory(MlvArchiveWriter *writer, const char *path, GError **error)
{
	g_autofree char *name = g_strconcat(path, "/", NULL);

	begin_entry(writer, name, S_IFDIR | 0755, 0);
	return put_header(writer, name, error);
}

gboolean mlv_archive_writer_symlink(MlvArchiveWriter *writer, const char *path, const char *target,
				    GError **error)
{
	begin_entry(writer, path, S_IFLNK | 0777, 0);
	archive_entry_copy_symlink(writer->entry, target);
	return put_header(writer, path, error);
}

gboolean mlv_archive_writer_file(MlvArchiveWriter *writer, const char *path, gboolean executable,
				 guint64 size, GError **error)
{
	begin_entry(writer, path, S_IFREG | (executable ? 0755 : 0644), size);
	return put_header(writer, path, error);
}

gboolean mlv_archive_writer_data(MlvArchiveWriter *writer, const void *data, gsize length,
				 GError **error)
{
	const guint8 *at = data;

	while (length > 0) {
		la_ssize_t n = archive_write_data(writer->archive, at, length);

		if (n <= 0)
			return fail_archive(writer, NULL, error);
		at += n;
		length -= (gsize)n;
	}
	return TRUE;
}

gboolean mlv_archive_writer_finish(MlvArchiveWriter *writer, GError **error)
{
	return (archive_write_close(writer->archive) == ARCHIVE_OK && !writer->failure) ||
	       fail_archive(writer, NULL, error);
}

void mlv_archive_writer_free(MlvArchiveWriter *writer)
{
	if (!writer)
		return;
	/* Freeing writes an end, which would make a broken archive look whole. */
	writer->closing = TRUE;
	archive_write_free(writer->archive);
	archive_entry_free(writer->entry);
	if (writer->bytes)
		freelocale(writer->bytes);
	if (writer->utf8)
		freelocale(writer->utf8);
	g_clear_error(&writer->failure);
	g_free(writer);
}
