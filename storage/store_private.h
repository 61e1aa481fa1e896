/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/store*.c share. */
#ifndef MLV_STORAGE_STORE_PRIVATE_H
#define MLV_STORAGE_STORE_PRIVATE_H

#include "storage/file.h"
#include "storage/store.h"

/* One pack as this process knows it. Slots are never freed while the store is open. */
typedef struct {
	MlvId name;
	int fd;        /* -1: not open; under fd_lock */
	guint users;   /* under fd_lock */
	guint touched; /* set once a session found a chunk in it; atomic */
} StorePack;

/* An index with the store's numbers of its packs. Immutable. */
typedef struct {
	MlvIndex *index;
	guint *packs; /* index's pack number -> store's */
} StoreIndex;

struct MlvStore {
	MlvSource source; /* first: mlv_store_source() is a cast */
	char *path;
	int fd;
	int lock_fd;
	GRWLock lock;             /* guards indexes and the table of packs */
	GPtrArray *indexes;       /* StoreIndex, newest first */
	GPtrArray *packs;         /* StorePack */
	GHashTable *pack_numbers; /* MlvId in its StorePack -> number + 1 */
	GMutex fd_lock;
	GQueue open_packs; /* numbers of open packs, least recently used first; under fd_lock */
	gsize clone_block;
	gboolean clone_known;
	gboolean damaged; /* opened by mlv_store_open_damaged */
};

/* Under store->lock held for writing: the number of the pack, a new one if need be. */
guint mlv_store_pack_number(MlvStore *store, const MlvId *name);
/* Adds an index that this process wrote, without reading live/. */
void mlv_store_add_index(MlvStore *store, MlvIndex *index);
/* Merges small indexes of a class if too many are live. */
gboolean mlv_store_merge_indexes(MlvStore *store, MlvClass index_class, gboolean sync,
				 GError **error);

#endif
