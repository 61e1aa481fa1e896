/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer and the reader of bundles share. Private to core/bundle_*.c. */
#ifndef MLV_CORE_BUNDLE_FORMAT_H
#define MLV_CORE_BUNDLE_FORMAT_H

#include <string.h>

#include "core/bundle.h"

#define BUNDLE_MAGIC "MLVBNDL1"
#define PACK_MAGIC   "MLVBPACK"
#define TABLE_MAGIC  "MLVBTABL"
#define END_MAGIC    "MLVBNDLE"
#define MAGIC_LENGTH 8

/* A pack's row in the table. */
typedef struct {
	MlvId name;
	guint64 offset; /* of the pack's bytes in the bundle */
	guint64 size;
} MlvBundleEntry;

static inline void mlv_bundle_put_u64(guint8 *at, guint64 value)
{
	value = GUINT64_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static inline guint64 mlv_bundle_get_u64(const guint8 *at)
{
	guint64 value;

	memcpy(&value, at, sizeof(value));
	return GUINT64_FROM_LE(value);
}

static inline void mlv_bundle_entry_format(const MlvBundleEntry *entry,
					   guint8 out[MLV_BUNDLE_ENTRY])
{
	memcpy(out, entry->name.b, MLV_ID_SIZE);
	mlv_bundle_put_u64(out + 32, entry->offset);
	mlv_bundle_put_u64(out + 40, entry->size);
}

#endif
