/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/source*.c share. */
#ifndef MLV_STORAGE_SOURCE_PRIVATE_H
#define MLV_STORAGE_SOURCE_PRIVATE_H

#include "storage/source.h"

/* Chunks that are asked for together, where a walk knows what it will read next. */
#define MLV_SOURCE_AHEAD 16

/* A list chunk's records, checked: their lengths add up to `total`. Array of MlvListEntry, or
 * NULL. */
GArray *mlv_source_read_list(MlvSource *source, const MlvId *id, MlvKind leaf_kind, guint level,
			     guint64 total, GError **error);

/* Asks for up to MLV_SOURCE_AHEAD chunks that a list names from entry `from` on. */
gboolean mlv_source_ahead(MlvSource *source, MlvKind kind, const GArray *entries, guint from,
			  GError **error);

/* Adds the object's short id to an error about its content. Returns FALSE. */
gboolean mlv_source_blame(MlvKind kind, const MlvId *id, GError **error);

#endif
