/* SPDX-License-Identifier: Apache-2.0 */
/* What the encoder and the decoder of lists and trees share. Private to storage/object*.c. */
#ifndef MLV_STORAGE_OBJECT_FORMAT_H
#define MLV_STORAGE_OBJECT_FORMAT_H

#include <string.h>

#include "storage/object.h"

#define MLV_OBJECT_HEAD    4 /* the longest head: a list's */
#define MLV_TREE_HEAD      2
#define MLV_LIST_RECORD    40 /* id, length */
#define MLV_VARINT_MAX     10
#define MLV_TREE_ENTRY_MAX (3 + MLV_NAME_MAX + 3 * MLV_VARINT_MAX + MLV_ID_SIZE)

/* A list ends behind its record number `count` (from 1), whose id is `id`: by content, so that an
 * edit changes few lists. Small lists keep an edit of a large file cheap: it rewrites one of each
 * level. */
#define MLV_LIST_RECORDS_MIN 16u
#define MLV_LIST_RECORDS_MAX 256u
static inline gboolean mlv_list_ends(guint count, const MlvId *id)
{
	return count == MLV_LIST_RECORDS_MAX ||
	       (count >= MLV_LIST_RECORDS_MIN && (id->b[MLV_ID_SIZE - 1] & 63) == 0);
}

static inline void mlv_put_u64(guint8 *at, guint64 value)
{
	value = GUINT64_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static inline guint64 mlv_get_u64(const guint8 *at)
{
	guint64 value;

	memcpy(&value, at, sizeof(value));
	return GUINT64_FROM_LE(value);
}

/* LEB128: seven bits a byte, least significant first, no superfluous zero byte at the end. */
static inline guint8 *mlv_put_varint(guint8 *at, guint64 value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (guint8)(value | 0x80);
	*at++ = (guint8)value;
	return at;
}

#endif
