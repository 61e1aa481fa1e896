/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the pack and index formats share.
 */
#ifndef MLV_STORAGE_PACK_PRIVATE_H
#define MLV_STORAGE_PACK_PRIVATE_H

#include <string.h>

#include "storage/pack.h"

#define MLV_PACK_MAGIC      "MLVPACK1"
#define MLV_PACK_END_MAGIC  "MLVPACKE"
#define MLV_MAGIC_LENGTH    8u
#define MLV_PACK_GAP_MAX    (64u << 10) /* padding is shorter than this */
#define MLV_PACK_NAME_AT    16u         /* in the footer */
#define MLV_PACK_SUM_AT     48u
#define MLV_PACK_SUM_LENGTH 8u
/* A pack without chunks; no pack is shorter. */
#define MLV_PACK_MIN (MLV_PACK_HEADER + MLV_PACK_SALT + MLV_PACK_FOOTER)

static inline void mlv_le32_put(guint8 *at, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static inline guint32 mlv_le32_get(const guint8 *at)
{
	guint32 value;

	memcpy(&value, at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static inline void mlv_le64_put(guint8 *at, guint64 value)
{
	value = GUINT64_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static inline guint64 mlv_le64_get(const guint8 *at)
{
	guint64 value;

	memcpy(&value, at, sizeof(value));
	return GUINT64_FROM_LE(value);
}

/* Lengths with a byte of flags above them, as both formats keep them. */
static inline guint32 mlv_length_pack(guint32 length, guint8 flags)
{
	return length | (guint32)flags << 24;
}

/* What is wrong with an entry alone (kind, codec, lengths), or NULL. Not its place, not its
 * check. */
const char *mlv_pack_entry_fault(const MlvPackEntry *entry, MlvClass pack_class);

static inline gboolean mlv_class_valid(guint32 value)
{
	return value == MLV_CLASS_DATA || value == MLV_CLASS_META;
}

void mlv_pack_header_format(MlvClass pack_class, guint8 header[MLV_PACK_HEADER]);
/* Fills a footer; its name is the SHA-256 over header and table. */
void mlv_pack_footer_format(guint64 table_offset, guint32 count, MlvClass pack_class,
			    const MlvId *name, guint8 footer[MLV_PACK_FOOTER]);

#endif
