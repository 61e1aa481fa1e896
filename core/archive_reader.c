/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "core/archive_input.h"
#include "storage/file.h"

#define BLOCK      (128u << 10) /* bytes read at once */
#define DATA_BLOCK (256u << 10)
#define PROBE_MAX  (64u << 20) /* bytes of a pipe that are kept until the format is known */
#define MEMBER_MAX (1LL << 44) /* no file system of today has room for a larger file */

struct MlvArchiveReader {
	char *label;
	MlvArchiveInput *input;
	GByteArray *kept; /* first bytes of a stream, to be read again */
	gsize kept_at;
	gboolean probing;
	guint8 *block;
	struct archive *archive;
	locale_t names; /* the character set in which names are read */
	struct archive_entry *entry;
	guint8 *data;
	char *path, *target;
};

/*
 * Not all that the library has: an mtree names files outside of it that would be read, and some
 * compressions are undone by running a program that a hostile archive would so choose.
 */
static const struct {
	const char *name;
	int (*enable)(struct archive *archive);
} formats[] = {
	{ "7zip", archive_read_support_format_7zip },
	{ "ar", archive_read_support_format_ar },
	{ "cab", archive_read_support_format_cab },
	{ "cpio", archive_read_support_format_cpio },
	{ "iso9660", archive_read_support_format_iso9660 },
	{ "lha", archive_read_support_format_lha },
	{ "rar", archive_read_support_format_rar },
	{ "rar5", archive_read_support_format_rar5 },
	{ "tar", archive_read_support_format_tar },
	{ "warc", archive_read_support_format_warc },
	{ "xar", archive_read_support_format_xar },
	{ "zip", archive_read_support_format_zip },
};

/* A library that was built without one of these would run a program for it: it says no version. */
static const struct {
	int (*enable)(struct archive *archive);
	const char *(*version)(void); /* NULL: the library does it by itself */
} filters[] = {
	{ archive_read_support_filter_bzip2, archive_bzlib_version },
	{ archive_read_support_filter_compress, NULL },
	{ archive_read_support_filter_gzip, archive_zlib_version },
	{ archive_read_support_filter_lz4, archive_liblz4_version },
	{ archive_read_support_filter_lzip, archive_liblzma_version },
	{ archive_read_support_filter_lzma, archive_liblzma_version },
	{ archive_read_support_filter_rpm, NULL },
	{ archive_read_support_filter_uu, NULL },
	{ archive_read_support_filter_xz, archive_liblzma_version },
	{ archive_read_support_filter_zstd, archive_libzstd_version },
};

const char *mlv_archive_reader_formats(void)
{
	return "7zip, ar, cab, cpio, iso9660, lha, rar, rar5, tar, warc, xar, zip";
}

static gboolean fail_read(MlvArchiveReader *reader, MlvError code, GError **error)
{
	const char *reason = archive_error_string(reader->archive);

	if (!reason)
		reason = "it is damaged";
	if (code == MLV_ERROR_UNSUPPORTED)
		return mlv_fail(error, code, "cannot read '%s' as an archive: %s", reader->label,
				reason);
	return mlv_fail(error, code, "the archive '%s' is damaged or cut short: %s", reader->label,
			reason);
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* The reason goes through libarchive's own error, which is what is told in the end. */
static la_ssize_t on_read(struct archive *archive, void *user, const void **data)
{
	MlvArchiveReader *reader = user;
	g_autoptr(GError) failed = NULL;
	gsize n;

	if (reader->kept_at < reader->kept->len) {
		*data = reader->kept->data + reader->kept_at;
		n = MIN(reader->kept->len - reader->kept_at, BLOCK);
		reader->kept_at += n;
		return (la_ssize_t)n;
	}
	if (!mlv_archive_input_read(reader->input, reader->block, BLOCK, &n, &failed)) {
		archive_set_error(archive, EIO, "%s", failed->message);
		return -1;
	}
	if (n > 0 && reader->probing && !mlv_archive_input_seekable(reader->input)) {
		g_byte_array_append(reader->kept, reader->block, (guint)n);
		reader->kept_at = reader->kept->len;
		if (reader->kept->len > PROBE_MAX) {
			archive_set_error(archive, EFBIG, "no member begins in its first %u MiB",
					  PROBE_MAX >> 20);
			return -1;
		}
	}
	*data = reader->block;
	return (la_ssize_t)n;
}

static la_int64_t on_seek(struct archive *archive, void *user, la_int64_t offset, int whence)
{
	MlvArchiveReader *reader = user;
	gint64 at = mlv_archive_input_seek(reader->input, offset, whence);

	if (at >= 0)
		return at;
	archive_set_error(archive, errno, "cannot search in it");
	return ARCHIVE_FATAL;
}

/* Skipping is a kind of reading: a file that ends before is noticed by the next read. */
static la_int64_t on_skip(struct archive *archive, void *user, la_int64_t request)
{
	MlvArchiveReader *reader = user;
	gint64 before = mlv_archive_input_seek(reader->input, 0, SEEK_CUR);
	gint64 end = mlv_archive_input_seek(reader->input, 0, SEEK_END);
	gint64 step = MAX(MIN(request, end - before), 0);

	if (before < 0 || end < 0 ||
	    mlv_archive_input_seek(reader->input, before + step, SEEK_SET) < 0)
		return 0;
	return step;
}

/* --- opening ---------------------------------------------------------------------------------- */

static gboolean enable(struct archive *archive, const char *format, GError **error)
{
	gboolean any = FALSE;

	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (format && strcmp(format, formats[i].name) != 0)
			continue;
		formats[i].enable(archive);
		any = TRUE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(filters); i++)
		if (!filters[i].version || filters[i].version())
			filters[i].enable(archive);
	return any ||
	       mlv_fail(error, MLV_ERROR_USAGE, "'%s' is no format of archives; there are %s",
			format, mlv_archive_reader_formats());
}

static gboolean open_archive(MlvArchiveReader *reader, const char *format, GError **error)
{
	struct archive *archive = archive_read_new();

	g_clear_pointer(&reader->archive, archive_read_free);
	reader->archive = archive;
	if (!archive)
		return mlv_fail(error, MLV_ERROR_FAILED, "cannot read '%s': out of memory",
				reader->label);
	if (!enable(archive, format, error))
		return FALSE;
	archive_read_set_read_callback(archive, on_read);
	if (mlv_archive_input_seekable(reader->input)) {
		archive_read_set_seek_callback(archive, on_seek);
		archive_read_set_skip_callback(archive, on_skip);
	}
	archive_read_set_callback_data(archive, reader);
	return archive_read_open1(archive) >= ARCHIVE_WARN ||
	       fail_read(reader, MLV_ERROR_UNSUPPORTED, error);
}

/* The next header, names in the character set wanted: libarchive asks the thread for it. */
static int next_header(MlvArchiveReader *reader)
{
	locale_t before = uselocale(reader->names);
	int r;

	do {
		r = archive_read_next_header(reader->archive, &reader->entry);
	} while (r == ARCHIVE_RETRY && archive_errno(reader->archive) == EINTR);
	uselocale(before);
	return r;
}

/* Whether the format keeps names as bytes, so that nothing may be done to them. */
static gboolean keeps_bytes(struct archive *archive)
{
	int base = archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK;

	return base == ARCHIVE_FORMAT_TAR || base == ARCHIVE_FORMAT_CPIO ||
	       base == ARCHIVE_FORMAT_AR;
}

/* The first member's header, after which the format is known. */
static gboolean peek(MlvArchiveReader *reader, const char *format, GError **error)
{
	gboolean ok;

	reader->probing = TRUE;
	ok = open_archive(reader, format, error) &&
	     (next_header(reader) >= ARCHIVE_WARN ||
	      fail_read(reader, MLV_ERROR_UNSUPPORTED, error));
	reader->probing = FALSE;
	return ok;
}

/* What was kept of a stream and all that follows go to the spool, which is read instead. */
static gboolean copy_to_spool(MlvArchiveReader *reader, int spool, GError **error)
{
	gsize length = reader->kept->len;
	const guint8 *data = reader->kept->data;

	do {
		if (!mlv_file_write(spool, data, length, reader->label, error) ||
		    !mlv_archive_input_read(reader->input, reader->block, BLOCK, &length, error))
			return FALSE;
		data = reader->block;
	} while (length > 0);
	if (lseek(spool, 0, SEEK_SET) < 0)
		return mlv_fail_errno(error, "cannot read '%s'", reader->label);
	g_byte_array_set_size(reader->kept, 0);
	mlv_archive_input_free(reader->input);
	reader->input = mlv_archive_input_new(spool, reader->label, error);
	return reader->input != NULL;
}

/* Back to where the archive begins. */
static gboolean rewind_input(MlvArchiveReader *reader, GError **error)
{
	reader->kept_at = 0;
	return !mlv_archive_input_seekable(reader->input) ||
	       mlv_archive_input_seek(reader->input, 0, SEEK_SET) == 0 ||
	       mlv_fail_errno(error, "cannot read '%s'", reader->label);
}

/*
 * In the character set "C" libarchive cannot convert names and, in tar, leaves their bytes alone;
 * in UTF-8 it composes them, so that two names can become one. Other formats give no name at all
 * then. So the first member is read once to learn the format, and once more in earnest.
 */
static gboolean open_in_earnest(MlvArchiveReader *reader, int spool, const char *format,
				GError **error)
{
	g_autoptr(GError) failed = NULL;
	gboolean ok;

	reader->names = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	ok = peek(reader, format, &failed);
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_USAGE)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	if (!ok || !keeps_bytes(reader->archive)) {
		locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

		freelocale(reader->names);
		reader->names = utf8;
		if (!mlv_archive_input_seekable(reader->input) && spool >= 0) {
			if (!copy_to_spool(reader, spool, error))
				return FALSE;
			ok = TRUE;
		}
	}
	if (!ok) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	return rewind_input(reader, error) && open_archive(reader, format, error);
}

MlvArchiveReader *mlv_archive_reader_new(int fd, int spool, const char *label, const char *format,
					 GError **error)
{
	g_autoptr(MlvArchiveReader) reader = g_new0(MlvArchiveReader, 1);

	reader->label = g_strdup(label);
	reader->kept = g_byte_array_new();
	reader->input = mlv_archive_input_new(fd, reader->label, error);
	if (!reader->input)
		return NULL;
	reader->block = g_malloc(BLOCK);
	reader->data = g_malloc(DATA_BLOCK);
	return open_in_earnest(reader, spool, format, error) ? g_steal_pointer(&reader) : NULL;
}

void mlv_archive_reader_free(MlvArchiveReader *reader)
{
	if (!reader)
		return;
	if (reader->archive)
		archive_read_free(reader->archive);
	if (reader->names)
		freelocale(reader->names);
	mlv_archive_input_free(reader->input);
	g_byte_array_unref(reader->kept);
	g_free(reader->block);
	g_free(reader->data);
	g_free(reader->path);
	g_free(reader->target);
	g_free(reader->label);
	g_free(reader);
}

/* --- members ---------------------------------------------------------------------------------- */

static gboolean set_type(MlvArchiveReader *reader, MlvMember *member)
{
	struct archive_entry *entry = reader->entry;
	const char *hardlink = archive_entry_hardlink(entry);
	const char *symlink;

	if (hardlink) {
		member->type = MLV_MEMBER_HARDLINK;
		member->has_data =
			archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0;
		reader->target = g_strdup(hardlink);
		return TRUE;
	}
	switch (archive_entry_filetype(entry)) {
	case AE_IFDIR:
		member->type = MLV_MEMBER_DIRECTORY;
		return TRUE;
	case AE_IFLNK:
		member->type = MLV_MEMBER_SYMLINK;
		symlink = archive_entry_symlink(entry);
		reader->target = g_strdup(symlink);
		return symlink != NULL;
	case AE_IFREG:
	case 0: /* formats that know nothing but files */
		member->type = MLV_MEMBER_FILE;
		return TRUE;
	case AE_IFIFO:
		member->what = "a fifo";
		break;
	case AE_IFSOCK:
		member->what = "a socket";
		break;
	default:
		member->what = "a device";
		break;
	}
	member->type = MLV_MEMBER_OTHER;
	return TRUE;
}

static gboolean check_member(MlvArchiveReader *reader, const MlvMember *member, GError **error)
{
	struct archive_entry *entry = reader->entry;

	if (archive_entry_is_encrypted(entry))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"'%s' in '%s' is encrypted; unpack it with its own program first",
				member->path, reader->label);
	if (archive_entry_size_is_set(entry) &&
	    (archive_entry_size(entry) < 0 || archive_entry_size(entry) > MEMBER_MAX))
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' in '%s' has an impossible size",
				member->path, reader->label);
	return TRUE;
}

/* What follows the last member is of no use, but for the checksums over what came before. */
static gboolean drain(MlvArchiveReader *reader, GError **error)
{
	gsize length;

	if (mlv_archive_input_seekable(reader->input))
		return TRUE;
	do {
		if (!mlv_archive_input_read(reader->input, reader->block, BLOCK, &length, error))
			return FALSE;
	} while (length > 0);
	return TRUE;
}

gboolean mlv_archive_reader_next(MlvArchiveReader *reader, MlvMember *member, GError **error)
{
	const char *path;
	int r = next_header(reader);

	memset(member, 0, sizeof(*member));
	g_clear_pointer(&reader->path, g_free);
	g_clear_pointer(&reader->target, g_free);
	if (r == ARCHIVE_EOF)
		return drain(reader, error);
	/* A warning is about names that stay the bytes they are, or about what is not taken
	 * over. */
	if (r < ARCHIVE_WARN)
		return fail_read(reader, MLV_ERROR_CORRUPT, error);
	path = archive_entry_pathname(reader->entry);
	if (!path)
		path = archive_entry_pathname_utf8(reader->entry);
	if (!path)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"a member of '%s' has a name that cannot be read", reader->label);
	member->path = reader->path = g_strdup(path);
	member->executable = (archive_entry_perm(reader->entry) & S_IXUSR) != 0;
	if (!set_type(reader, member))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"the symlink '%s' in '%s' has no target that can be read", path,
				reader->label);
	member->target = reader->target;
	return check_member(reader, member, error);
}

gboolean mlv_archive_reader_read(MlvArchiveReader *reader, const void **data, gsize *length,
				 GError **error)
{
	la_ssize_t n = archive_read_data(reader->archive, reader->data, DATA_BLOCK);

	*length = 0;
	*data = reader->data;
	if (n < 0) {
		fail_read(reader, MLV_ERROR_CORRUPT, error);
		g_prefix_error(error, "'%s': ", reader->path);
		return FALSE;
	}
	*length = (gsize)n;
	return TRUE;
}

guint64 mlv_archive_reader_consumed(const MlvArchiveReader *reader)
{
	return mlv_archive_input_consumed(reader->input);
}
