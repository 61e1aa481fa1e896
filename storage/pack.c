/* SPDX-License-Identifier: Apache-2.0 */
/* Names, entries, and the decoding of chunks. */
#include "storage/pack.h"

#include <stdio.h>

#include "storage/error.h"
#include "storage/pack_private.h"

/* --- names ------------------------------------------------------------------------------------ */

void mlv_pack_path(const MlvId *name, char path[MLV_PACK_NAME_LENGTH + 1])
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(name, hex);
	g_snprintf(path, MLV_PACK_NAME_LENGTH + 1, "packs/%.2s/%s.pack", hex, hex);
}

gboolean mlv_pack_parse_path(const char *path, MlvId *name)
{
	char hex[MLV_ID_HEX + 1], again[MLV_PACK_NAME_LENGTH + 1];

	if (strlen(path) != MLV_PACK_NAME_LENGTH)
		return FALSE;
	memcpy(hex, path + strlen("packs/ab/"), MLV_ID_HEX);
	hex[MLV_ID_HEX] = '\0';
	if (!mlv_id_parse(hex, name))
		return FALSE;
	mlv_pack_path(name, again);
	return strcmp(path, again) == 0;
}

/* --- entries ---------------------------------------------------------------------------------- */

void mlv_pack_entry_format(const MlvPackEntry *entry, guint8 out[MLV_PACK_ENTRY])
{
	memcpy(out, entry->id.b, MLV_ID_SIZE);
	mlv_le32_put(out + 32, entry->offset);
	mlv_le32_put(out + 36, mlv_length_pack(entry->stored, entry->codec));
	mlv_le32_put(out + 40, mlv_length_pack(entry->raw, entry->kind));
	mlv_le32_put(out + 44, entry->check);
}

const char *mlv_pack_entry_fault(const MlvPackEntry *entry, MlvClass pack_class)
{
	if (entry->kind < MLV_KIND_BLOB || entry->kind > MLV_KIND_TREE)
		return "its kind is unknown";
	if (mlv_class_of(entry->kind) != pack_class)
		return "its kind does not belong into this class";
	if (entry->raw > MLV_CHUNK_LIMIT || entry->stored > MLV_CHUNK_LIMIT)
		return "it is longer than any chunk";
	if (entry->codec == MLV_CODEC_RAW)
		return entry->stored == entry->raw ? NULL : "it is raw and has two lengths";
	if (entry->codec != MLV_CODEC_ZSTD)
		return "its codec is unknown";
	return entry->stored > 0 && entry->raw > 0 ? NULL : "it is compressed and empty";
}

gboolean mlv_pack_entry_parse(const guint8 in[MLV_PACK_ENTRY], MlvClass pack_class,
			      MlvPackEntry *entry, GError **error)
{
	guint32 stored = mlv_le32_get(in + 36), raw = mlv_le32_get(in + 40);
	char hex[MLV_ID_HEX + 1];

	memcpy(entry->id.b, in, MLV_ID_SIZE);
	entry->offset = mlv_le32_get(in + 32);
	entry->stored = stored & 0xffffff;
	entry->codec = (guint8)(stored >> 24);
	entry->raw = raw & 0xffffff;
	entry->kind = (guint8)(raw >> 24);
	entry->check = mlv_le32_get(in + 44);
	const char *fault = mlv_pack_entry_fault(entry, pack_class);
	if (!fault && entry->codec == MLV_CODEC_RAW && entry->check != mlv_le32_get(entry->id.b))
		fault = "its check is not that of its id";
	if (!fault)
		return TRUE;
	mlv_id_format(&entry->id, hex);
	return mlv_fail(error, MLV_ERROR_CORRUPT, "the entry of object %.12s is wrong: %s", hex,
			fault);
}

guint32 mlv_pack_check_value(const MlvPackEntry *entry, const guint8 *stored)
{
	MlvId digest = entry->id;

	if (entry->codec != MLV_CODEC_RAW)
		mlv_id_of(stored, entry->stored, &digest);
	return mlv_le32_get(digest.b);
}

/* --- header and footer ------------------------------------------------------------------------ */

void mlv_pack_header_format(MlvClass pack_class, guint8 header[MLV_PACK_HEADER])
{
	memset(header, 0, MLV_PACK_HEADER);
	memcpy(header, MLV_PACK_MAGIC, MLV_MAGIC_LENGTH);
	mlv_le32_put(header + 8, pack_class);
}

void mlv_pack_footer_format(guint64 table_offset, guint32 count, MlvClass pack_class,
			    const MlvId *name, guint8 footer[MLV_PACK_FOOTER])
{
	MlvId sum;

	mlv_le64_put(footer, table_offset);
	mlv_le32_put(footer + 8, count);
	mlv_le32_put(footer + 12, pack_class);
	memcpy(footer + MLV_PACK_NAME_AT, name->b, MLV_ID_SIZE);
	mlv_id_of(footer, MLV_PACK_SUM_AT, &sum);
	memcpy(footer + MLV_PACK_SUM_AT, sum.b, MLV_PACK_SUM_LENGTH);
	memcpy(footer + MLV_PACK_SUM_AT + MLV_PACK_SUM_LENGTH, MLV_PACK_END_MAGIC,
	       MLV_MAGIC_LENGTH);
}

/* --- chunks ----------------------------------------------------------------------------------- */

gboolean mlv_pack_decode(const MlvPackEntry *entry, const guint8 *stored, guint8 *out,
			 const char *label, GError **error)
{
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_format(&entry->id, hex);
	if (!mlv_codec_decode(entry->codec, stored, entry->stored, out, entry->raw, error)) {
		g_prefix_error(error,
			       "object %s in '%s' at byte %" G_GUINT32_FORMAT " is damaged: ", hex,
			       label, entry->offset);
		return FALSE;
	}
	mlv_id_of(out, entry->raw, &id);
	if (!mlv_id_equal(&id, &entry->id))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"object %s in '%s' at byte %" G_GUINT32_FORMAT
				" is damaged: its bytes have another SHA-256",
				hex, label, entry->offset);
	return TRUE;
}
