/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bundle_format.h"
#include "storage/file.h"

#define COPY_BLOCK (256u << 10)

struct MlvBundleWriter {
	MlvBundleSink sink;
	gpointer user;
	MlvHash *hash;
	guint64 offset;
	GArray *entries; /* of MlvBundleEntry */
	guint8 *block;
};

static gboolean emit(MlvBundleWriter *writer, const void *data, gsize length, GError **error)
{
	mlv_hash_update(writer->hash, data, length);
	writer->offset += length;
	return writer->sink(data, length, writer->user, error);
}

MlvBundleWriter *mlv_bundle_writer_new(const MlvBundleManifest *manifest, MlvBundleSink sink,
				       gpointer user, GError **error)
{
	g_autoptr(MlvBundleWriter) writer = g_new0(MlvBundleWriter, 1);
	g_autoptr(GBytes) text = mlv_bundle_manifest_format(manifest);
	guint8 header[MLV_BUNDLE_HEADER];
	gsize length;
	gconstpointer data = g_bytes_get_data(text, &length);
	MlvId id;

	writer->sink = sink;
	writer->user = user;
	writer->hash = mlv_hash_new();
	writer->entries = g_array_new(FALSE, FALSE, sizeof(MlvBundleEntry));
	writer->block = g_malloc(COPY_BLOCK);
	if (length > MLV_BUNDLE_MANIFEST_MAX) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "so many revisions do not go into one bundle; make several, with --since");
		return NULL;
	}
	mlv_id_of(data, length, &id);
	memcpy(header, BUNDLE_MAGIC, MAGIC_LENGTH);
	mlv_bundle_put_u64(header + 8, length);
	memcpy(header + 16, id.b, MLV_ID_SIZE);
	if (!emit(writer, header, sizeof(header), error) || !emit(writer, data, length, error))
		return NULL;
	return g_steal_pointer(&writer);
}

gboolean mlv_bundle_writer_pack(MlvBundleWriter *writer, int fd, const MlvId *name, guint64 size,
				GError **error)
{
	MlvBundleEntry entry = { .name = *name, .size = size };
	guint8 frame[MLV_BUNDLE_FRAME];

	if (size > MLV_BUNDLE_PACK_MAX)
		return mlv_fail(error, MLV_ERROR_FAILED, "a pack is too large for a bundle");
	memcpy(frame, PACK_MAGIC, MAGIC_LENGTH);
	mlv_bundle_put_u64(frame + 8, size);
	memcpy(frame + 16, name->b, MLV_ID_SIZE);
	if (!emit(writer, frame, sizeof(frame), error))
		return FALSE;
	entry.offset = writer->offset;
	g_array_append_val(writer->entries, entry);
	for (guint64 at = 0; at < size;) {
		gsize n = (gsize)MIN(size - at, COPY_BLOCK);

		if (!mlv_file_read_at(fd, writer->block, n, at, "a pack", error) ||
		    !emit(writer, writer->block, n, error))
			return FALSE;
		at += n;
	}
	return TRUE;
}

gboolean mlv_bundle_writer_finish(MlvBundleWriter *writer, GError **error)
{
	guint8 frame[MLV_BUNDLE_FRAME] = { 0 };
	guint8 footer[MLV_BUNDLE_FOOTER] = { 0 };
	guint64 table = writer->offset;
	MlvId id;

	memcpy(frame, TABLE_MAGIC, MAGIC_LENGTH);
	mlv_bundle_put_u64(frame + 8, writer->entries->len);
	if (!emit(writer, frame, sizeof(frame), error))
		return FALSE;
	for (guint i = 0; i < writer->entries->len; i++) {
		guint8 row[MLV_BUNDLE_ENTRY];

		mlv_bundle_entry_format(&g_array_index(writer->entries, MlvBundleEntry, i), row);
		if (!emit(writer, row, sizeof(row), error))
			return FALSE;
	}
	mlv_bundle_put_u64(footer, table);
	mlv_bundle_put_u64(footer + 8, writer->offset + sizeof(footer));
	memcpy(footer + 24, END_MAGIC, MAGIC_LENGTH);
	mlv_hash_update(writer->hash, footer, 32);
	mlv_hash_finish(writer->hash, &id);
	memcpy(footer + 32, id.b, MLV_ID_SIZE);
	writer->offset += sizeof(footer);
	return writer->sink(footer, sizeof(footer), writer->user, error);
}

guint64 mlv_bundle_writer_size(const MlvBundleWriter *writer)
{
	return writer->offset;
}

void mlv_bundle_writer_free(MlvBundleWriter *writer)
{
	if (!writer)
		return;
	mlv_hash_free(writer->hash);
	g_array_unref(writer->entries);
	g_free(writer->block);
	g_free(writer);
}
