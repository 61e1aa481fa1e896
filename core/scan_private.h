/* SPDX-License-Identifier: Apache-2.0 */
/* What core/scan*.c share. */
#ifndef MLV_CORE_SCAN_PRIVATE_H
#define MLV_CORE_SCAN_PRIVATE_H

#include "core/scan.h"

typedef enum {
	NODE_QUEUED,
	NODE_RUNNING,
	NODE_DONE,
} NodeState;

struct MlvScanNode {
	char *path;
	MlvIgnoreRules *rules; /* of the folders above */
	NodeState state;       /* under scan->lock */
	MlvScanDir *dir;       /* when done and not taken */
};

/* A large directory whose entries several threads stat. Under scan->lock but for the entries. */
typedef struct {
	MlvScanDir *dir;
	int fd;
	gsize count, next, finished; /* slices */
} ScanSlices;

struct MlvScan {
	int root_fd;
	MlvStatCache *cache;
	GMutex lock;
	GCond work, done;
	GQueue queue;     /* nodes to be read, the next first */
	GQueue slices;    /* ScanSlices */
	GPtrArray *nodes; /* all, to be freed at the end */
	gsize ahead;
	gboolean closing;
	gboolean sweep;
	GThread **threads;
	guint n_threads;
};

/* Reads one directory. Gives in *rules (a new reference or NULL) those for the directories below.
 * Any thread, without the lock. */
MlvScanDir *mlv_scan_read_dir(MlvScan *scan, const char *path, MlvIgnoreRules *above,
			      MlvIgnoreRules **rules);
/* Stats the next slice. With the lock held, which is dropped meanwhile. */
void mlv_scan_run_slice(MlvScan *scan, ScanSlices *slices);

#endif
