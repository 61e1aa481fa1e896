/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "core/bundle_format.h"
#include "storage/file.h"

#define BLOCK (256u << 10)

struct MlvBundleReader {
	int fd;
	char *label;
	MlvBundleManifest *manifest;
	MlvHash *hash;
	guint64 offset;  /* of what comes next */
	GArray *entries; /* of MlvBundleEntry: packs as they came */
	guint64 left;    /* bytes of the present pack that were not read */
	guint8 *block;
	gsize at, length; /* of the block's bytes that were not taken */
};

static gboolean fail_damaged(const MlvBundleReader *reader, const char *what, GError **error)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT,
			"the bundle '%s' is damaged: %s at byte %" G_GUINT64_FORMAT
			"; get it once more from where it was made",
			reader->label, what, reader->offset);
}

/* Up to `most` bytes, borrowed until the next call; none only at the end of the file. */
static gboolean take_some(MlvBundleReader *reader, gsize most, const guint8 **data, gsize *length,
			  GError **error)
{
	if (reader->at == reader->length) {
		ssize_t n;

		do {
			n = read(reader->fd, reader->block, BLOCK);
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			return mlv_fail_errno(error, "cannot read '%s'", reader->label);
		reader->at = 0;
		reader->length = (gsize)n;
	}
	*data = reader->block + reader->at;
	*length = MIN(most, reader->length - reader->at);
	reader->at += *length;
	return TRUE;
}

static gboolean take(MlvBundleReader *reader, void *out, gsize length, GError **error)
{
	guint8 *to = out;

	while (length > 0) {
		const guint8 *data;
		gsize n;

		if (!take_some(reader, length, &data, &n, error))
			return FALSE;
		if (n == 0)
			return fail_damaged(reader, "it ends", error);
		memcpy(to, data, n);
		reader->offset += n;
		to += n;
		length -= n;
	}
	return TRUE;
}

/* The same, counted into the checksum over the whole. */
static gboolean take_hashed(MlvBundleReader *reader, void *out, gsize length, GError **error)
{
	if (!take(reader, out, length, error))
		return FALSE;
	mlv_hash_update(reader->hash, out, length);
	return TRUE;
}

static gboolean read_manifest(MlvBundleReader *reader, GError **error)
{
	g_autoptr(GByteArray) text = g_byte_array_new();
	guint8 header[MLV_BUNDLE_HEADER];
	guint64 length;
	MlvId id;

	if (!take_hashed(reader, header, sizeof(header), error))
		return FALSE;
	if (memcmp(header, BUNDLE_MAGIC, MAGIC_LENGTH) != 0)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is no bundle of mlv",
				reader->label);
	length = mlv_bundle_get_u64(header + 8);
	if (length == 0 || length > MLV_BUNDLE_MANIFEST_MAX)
		return fail_damaged(reader, "a manifest of impossible length", error);
	/* Grows with what is really there, whatever length it says. */
	while (text->len < length) {
		guint before = text->len;
		gsize n = (gsize)MIN(length - before, BLOCK);

		g_byte_array_set_size(text, before + (guint)n);
		if (!take_hashed(reader, text->data + before, n, error))
			return FALSE;
	}
	mlv_id_of(text->data, text->len, &id);
	if (memcmp(id.b, header + 16, MLV_ID_SIZE) != 0)
		return fail_damaged(reader, "a manifest that does not match its checksum", error);
	reader->manifest = mlv_bundle_manifest_parse((const char *)text->data, text->len,
						     reader->label, error);
	return reader->manifest != NULL;
}

MlvBundleReader *mlv_bundle_reader_new(int fd, const char *label, GError **error)
{
	g_autoptr(MlvBundleReader) reader = g_new0(MlvBundleReader, 1);

	reader->fd = fd;
	reader->label = g_strdup(label);
	reader->hash = mlv_hash_new();
	reader->entries = g_array_new(FALSE, FALSE, sizeof(MlvBundleEntry));
	reader->block = g_malloc(BLOCK);
	return read_manifest(reader, error) ? g_steal_pointer(&reader) : NULL;
}

const MlvBundleManifest *mlv_bundle_reader_manifest(const MlvBundleReader *reader)
{
	return reader->manifest;
}

guint64 mlv_bundle_reader_offset(const MlvBundleReader *reader)
{
	return reader->offset;
}

void mlv_bundle_reader_free(MlvBundleReader *reader)
{
	if (!reader)
		return;
	mlv_bundle_manifest_free(reader->manifest);
	mlv_hash_free(reader->hash);
	g_array_unref(reader->entries);
	g_free(reader->label);
	g_free(reader->block);
	g_free(reader);
}

/* --- packs ------------------------------------------------------------------------------------ */

/* The bytes of the pack that are left; out_fd -1 drops them. */
static gboolean drain_pack(MlvBundleReader *reader, int out_fd, const char *out_label,
			   GError **error)
{
	guint64 to = 0;

	while (reader->left > 0) {
		const guint8 *data;
		gsize n;

		if (!take_some(reader, (gsize)MIN(reader->left, BLOCK), &data, &n, error))
			return FALSE;
		if (n == 0)
			return fail_damaged(reader, "it ends within a pack", error);
		mlv_hash_update(reader->hash, data, n);
		reader->offset += n;
		reader->left -= n;
		if (out_fd >= 0 && !mlv_file_write_at(out_fd, data, n, to, out_label, error))
			return FALSE;
		to += n;
	}
	return TRUE;
}

gboolean mlv_bundle_reader_copy(MlvBundleReader *reader, int out_fd, const char *out_label,
				GError **error)
{
	return drain_pack(reader, out_fd, out_label, error);
}

/* The table must say what came, the footer be right, and nothing follow. */
static gboolean read_end(MlvBundleReader *reader, const guint8 *frame, GError **error)
{
	static const guint8 zero[MLV_ID_SIZE];
	guint64 table = reader->offset - MLV_BUNDLE_FRAME;
	guint8 footer[MLV_BUNDLE_FOOTER];
	const guint8 *rest;
	gsize n;
	MlvId id;

	if (mlv_bundle_get_u64(frame + 8) != reader->entries->len ||
	    memcmp(frame + 16, zero, MLV_ID_SIZE) != 0)
		return fail_damaged(reader, "a table that does not fit the packs", error);
	for (guint i = 0; i < reader->entries->len; i++) {
		guint8 want[MLV_BUNDLE_ENTRY], got[MLV_BUNDLE_ENTRY];

		mlv_bundle_entry_format(&g_array_index(reader->entries, MlvBundleEntry, i), want);
		if (!take_hashed(reader, got, sizeof(got), error))
			return FALSE;
		if (memcmp(want, got, sizeof(got)) != 0)
			return fail_damaged(reader, "a table that does not fit the packs", error);
	}
	if (!take(reader, footer, sizeof(footer), error))
		return FALSE;
	mlv_hash_update(reader->hash, footer, 32);
	mlv_hash_finish(reader->hash, &id);
	if (memcmp(id.b, footer + 32, MLV_ID_SIZE) != 0)
		return fail_damaged(reader, "the checksum over the whole does not match", error);
	if (mlv_bundle_get_u64(footer) != table ||
	    mlv_bundle_get_u64(footer + 8) != reader->offset ||
	    mlv_bundle_get_u64(footer + 16) != 0 ||
	    memcmp(footer + 24, END_MAGIC, MAGIC_LENGTH) != 0)
		return fail_damaged(reader, "a footer that does not fit", error);
	if (!take_some(reader, 1, &rest, &n, error))
		return FALSE;
	return n == 0 || fail_damaged(reader, "there is more behind its end", error);
}

gboolean mlv_bundle_reader_next(MlvBundleReader *reader, MlvBundlePack *pack, gboolean *more,
				GError **error)
{
	guint8 frame[MLV_BUNDLE_FRAME];
	MlvBundleEntry entry;

	*more = FALSE;
	if (!drain_pack(reader, -1, NULL, error) ||
	    !take_hashed(reader, frame, sizeof(frame), error))
		return FALSE;
	if (memcmp(frame, TABLE_MAGIC, MAGIC_LENGTH) == 0)
		return read_end(reader, frame, error);
	entry.offset = reader->offset;
	entry.size = mlv_bundle_get_u64(frame + 8);
	memcpy(entry.name.b, frame + 16, MLV_ID_SIZE);
	if (memcmp(frame, PACK_MAGIC, MAGIC_LENGTH) != 0 || entry.size > MLV_BUNDLE_PACK_MAX)
		return fail_damaged(reader, "no pack where one must be", error);
	g_array_append_val(reader->entries, entry);
	pack->name = entry.name;
	pack->size = entry.size;
	reader->left = entry.size;
	*more = TRUE;
	return TRUE;
}
