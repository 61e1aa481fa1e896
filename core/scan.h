/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a directory of the work tree in parallel: names, stat data, and what the stat cache knows
 * of them.
 *
 * Workers read directories ahead, in about the order in which they will be asked for, and compare
 * each entry with the stat cache; the main thread takes them, top down. What is ahead is bounded.
 * Nothing is followed through a symlink.
 *
 *	MlvScan *scan = mlv_scan_new(root_fd, cache, threads);
 *	MlvScanNode *top = mlv_scan_root(scan, "data/images", rules);
 *	MlvScanDir *dir = mlv_scan_take(scan, top);
 *	for each entry that is a directory: mlv_scan_take(scan, entry->node) ...
 */
#ifndef MLV_CORE_SCAN_H
#define MLV_CORE_SCAN_H

#include "core/ignore.h"
#include "core/statcache.h"

typedef struct MlvScan MlvScan;
typedef struct MlvScanNode MlvScanNode;

typedef enum {
	MLV_SCAN_FILE, /* regular file or symlink: st.mode tells */
	MLV_SCAN_DIRECTORY,
	MLV_SCAN_OTHER,      /* socket, device, fifo */
	MLV_SCAN_UNREADABLE, /* could not be stat'ed: `problem` is the errno */
} MlvScanType;

typedef struct {
	const char *name;            /* in the directory's names */
	MlvScanNode *node;           /* directories: to take */
	const MlvStatRecord *record; /* files: the cache's record of the same state, or NULL */
	MlvStat st;
	int problem;
	guint8 type; /* MlvScanType */
} MlvScanEntry;

typedef struct {
	char *path;            /* relative to the root */
	GError *error;         /* the directory could not be read */
	MlvScanEntry *entries; /* sorted by name, what .mlvignore leaves out not among them */
	gsize count;
	guint64 subdirs; /* mlv_statcache_add_subdir over their names */
	gboolean has_cached;
	MlvStatDir cached;     /* the stat cache's block */
	gboolean same_files;   /* the files are just those of the block, unchanged */
	MlvIgnoreRules *rules; /* what .mlvignore files say here; NULL: nothing */
	/* private */
	GByteArray *names;
} MlvScanDir;

/* `cache` and root_fd are borrowed until the scan is freed. threads 0: one a core. */
MlvScan *mlv_scan_new(int root_fd, MlvStatCache *cache, guint threads);
/* From now on what killed processes left in the folders that are walked is removed. Before the
 * first root. */
void mlv_scan_sweep(MlvScan *scan);
/* Begins with the directory `path`. rules (may be NULL): of the folders above it, borrowed. */
MlvScanNode *mlv_scan_root(MlvScan *scan, const char *path, MlvIgnoreRules *rules);
/* The directory, once; waits for it. Free with mlv_scan_dir_free. The nodes in its entries that
 * are not wanted need not be taken. */
MlvScanDir *mlv_scan_take(MlvScan *scan, MlvScanNode *node);
void mlv_scan_dir_free(MlvScanDir *dir);
void mlv_scan_free(MlvScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvScan, mlv_scan_free)

/* The rules that .mlvignore files in the folders above `path`, from the root on, give. NULL if
 * none. */
MlvIgnoreRules *mlv_scan_rules_above(int root_fd, const char *path);
/* The same on top of other rules (relative to the root; may be NULL). */
MlvIgnoreRules *mlv_scan_rules_from(int root_fd, const char *path, MlvIgnoreRules *first);
/* Whether a .mlvignore leaves `path`, which is there, or a folder above it out. */
gboolean mlv_scan_is_ignored(int root_fd, const char *path);

#endif
