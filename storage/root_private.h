/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/root*.c share. */
#ifndef MLV_STORAGE_ROOT_PRIVATE_H
#define MLV_STORAGE_ROOT_PRIVATE_H

#include "storage/root.h"

typedef struct {
	char oid[MLV_ID_HEX + 1];
	MlvRootUse use;
	GArray *needs; /* guint32, numbers in MlvRoot.needs, each once */
} RootEntry;

struct MlvRoot {
	char repo[MLV_ROOT_ID_HEX + 1];
	char clone[MLV_ROOT_ID_HEX + 1];
	gint64 time;
	GPtrArray *needs;    /* MlvRef, each once */
	GHashTable *numbers; /* MlvRef in needs -> number + 1 */
	GPtrArray *entries;  /* RootEntry */
	GHashTable *by_oid;  /* RootEntry, by use and oid */
};

/* The number of a need, a new one if it was not there. */
guint32 mlv_root_number(MlvRoot *root, const MlvRef *ref);
/* The entry, a new one if it was not there. */
RootEntry *mlv_root_entry_for(MlvRoot *root, MlvRootUse use, const char *oid);

#endif
