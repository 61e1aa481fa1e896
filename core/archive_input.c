/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive_input.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK        (128u << 10)
#define MAGIC_LENGTH 3

static const guint8 gzip_magic[MAGIC_LENGTH] = { 0x1f, 0x8b, 0x08 };

struct MlvArchiveInput {
	int fd;
	const char *label;
	gint64 start;       /* where the archive begins in a file; -1: a stream */
	GConverter *gunzip; /* or NULL */
	gboolean between;   /* one gzip member has ended, and another may follow */
	gboolean finished;  /* none did */
	guint8 *block;      /* bytes as they were read */
	gsize at, length;   /* of those that were not handed out */
	gboolean end;
	guint64 consumed;
};

/* Adds to what is in the block; input->end tells that there is no more. */
static gboolean fill(MlvArchiveInput *input, GError **error)
{
	ssize_t n;

	memmove(input->block, input->block + input->at, input->length - input->at);
	input->length -= input->at;
	input->at = 0;
	do {
		n = read(input->fd, input->block + input->length, BLOCK - input->length);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return mlv_fail_errno(error, "cannot read '%s'", input->label);
	input->length += (gsize)n;
	input->consumed += (guint64)n;
	input->end = n == 0;
	return TRUE;
}

/* Whether gzip's magic comes next; reads as much as it takes to know. */
static gboolean peek_gzip(MlvArchiveInput *input, gboolean *is, GError **error)
{
	while (input->length - input->at < MAGIC_LENGTH && !input->end)
		if (!fill(input, error))
			return FALSE;
	*is = input->length - input->at >= MAGIC_LENGTH &&
	      memcmp(input->block + input->at, gzip_magic, MAGIC_LENGTH) == 0;
	return TRUE;
}

MlvArchiveInput *mlv_archive_input_new(int fd, const char *label, GError **error)
{
	g_autoptr(MlvArchiveInput) input = g_new0(MlvArchiveInput, 1);
	gboolean gzip;

	input->fd = fd;
	input->label = label;
	input->block = g_malloc(BLOCK);
	input->start = lseek(fd, 0, SEEK_CUR);
	if (!peek_gzip(input, &gzip, error))
		return NULL;
	if (gzip) {
		input->gunzip = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
		input->start = -1;
	} else if (input->start >= 0) {
		if (lseek(fd, input->start, SEEK_SET) < 0) {
			mlv_fail_errno(error, "cannot read '%s'", label);
			return NULL;
		}
		input->at = input->length = 0;
		input->consumed = 0;
		input->end = FALSE;
	}
	return g_steal_pointer(&input);
}

void mlv_archive_input_free(MlvArchiveInput *input)
{
	if (!input)
		return;
	g_clear_object(&input->gunzip);
	g_free(input->block);
	g_free(input);
}

/* Behind a member another may follow, or padding, which is none of ours; so says gzip(1). */
static gboolean next_member(MlvArchiveInput *input, GError **error)
{
	gboolean more;

	if (!peek_gzip(input, &more, error))
		return FALSE;
	g_converter_reset(input->gunzip);
	input->between = FALSE;
	input->finished = !more;
	return TRUE;
}

static gboolean fail_gzip(const MlvArchiveInput *input, gboolean short_, GError **error)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT, "the archive '%s' is %s", input->label,
			short_ ? "cut short: its gzip stream does not end"
			       : "damaged: its gzip stream does not match its checksum");
}

static gboolean read_gzip(MlvArchiveInput *input, void *out, gsize size, gsize *length,
			  GError **error)
{
	gboolean hungry = input->at == input->length;

	*length = 0;
	while (*length == 0) {
		g_autoptr(GError) failed = NULL;
		GConverterResult result;
		gsize taken = 0;

		if (input->between && !next_member(input, error))
			return FALSE;
		if (input->finished)
			return TRUE;
		if (hungry && !input->end && !fill(input, error))
			return FALSE;
		result = g_converter_convert(
			input->gunzip, input->block + input->at, input->length - input->at, out,
			size, input->end ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &taken,
			length, &failed);
		if (result == G_CONVERTER_ERROR) {
			hungry = g_error_matches(failed, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);
			if (!hungry || input->end)
				return fail_gzip(input, hungry, error);
			continue;
		}
		input->at += taken;
		input->between = result == G_CONVERTER_FINISHED;
		hungry = input->at == input->length;
	}
	return TRUE;
}

gboolean mlv_archive_input_read(MlvArchiveInput *input, void *out, gsize size, gsize *length,
				GError **error)
{
	if (input->gunzip)
		return read_gzip(input, out, size, length, error);
	if (input->at == input->length && !input->end && !fill(input, error))
		return FALSE;
	*length = MIN(size, input->length - input->at);
	memcpy(out, input->block + input->at, *length);
	input->at += *length;
	return TRUE;
}

gboolean mlv_archive_input_seekable(const MlvArchiveInput *input)
{
	return input->start >= 0;
}

gint64 mlv_archive_input_seek(MlvArchiveInput *input, gint64 offset, int whence)
{
	off_t at;

	if (whence == SEEK_CUR)
		offset -= (gint64)(input->length - input->at);
	if (whence == SEEK_SET)
		offset += input->start;
	at = lseek(input->fd, offset, whence);
	if (at < 0)
		return -1;
	input->at = input->length = 0;
	input->end = FALSE;
	return at - input->start;
}

guint64 mlv_archive_input_consumed(const MlvArchiveInput *input)
{
	return input->consumed;
}
