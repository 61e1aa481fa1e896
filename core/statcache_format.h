/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of mlv-statcache(5), shared by core/statcache*.c. */
#ifndef MLV_CORE_STATCACHE_FORMAT_H
#define MLV_CORE_STATCACHE_FORMAT_H

#include "core/statcache.h"

#define STATCACHE_MAGIC "MLVSTAT1"

typedef struct {
	char magic[8];
	guint64 file_size;
	guint64 table_offset;
	guint64 count;      /* directories */
	guint64 sum;        /* of the table and the paths behind it */
	guint64 generation; /* of the store */
	guint64 unused[2];
} StatHeader;

typedef struct {
	guint64 offset, size; /* of the block */
	guint64 path_offset;  /* behind the table */
} StatTableEntry;

typedef struct {
	guint64 sum; /* of the rest of the block */
	guint32 count, names_size;
	guint8 has_tree, depth, unused[2]; /* has_tree 1: known, 2: and stored */
	guint32 unused_2;
	guint64 subdirs; /* sum of their names */
	guint64 tree_size, files, bytes;
	guint8 id[MLV_ID_SIZE];
} StatBlock;

struct MlvStatCache {
	char *path;
	void *map; /* NULL: empty */
	gsize size;
	const StatTableEntry *table; /* sorted by path */
	const char *paths;
	gsize count;
	guint *good;        /* a bit a directory: its block was found to be whole; any thread */
	guint64 generation; /* the store's now */
	gboolean stale;     /* the file is of another generation */
};

guint64 mlv_statcache_sum(const void *data, gsize length);
/* The number of the first directory whose path is not less than `path`. */
gsize mlv_statcache_lower_bound(const MlvStatCache *cache, const char *path);
/* The block of directory `number`, checked. */
gboolean mlv_statcache_block(const MlvStatCache *cache, gsize number, MlvStatDir *dir);

#endif
