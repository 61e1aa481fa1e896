/* SPDX-License-Identifier: Apache-2.0 */
/* What storage/medium_dir*.c share. */
#ifndef MLV_STORAGE_MEDIUM_DIR_PRIVATE_H
#define MLV_STORAGE_MEDIUM_DIR_PRIVATE_H

#include "storage/medium.h"
#include "storage/pool.h"

typedef struct {
	MlvMedium medium; /* first; url is the directory's path */
	gboolean sync;
	int fd; /* the directory, or -1 while it is not known to exist; atomic */
	int lock_fd;
	gboolean exclusive; /* the lock that is held keeps everybody else out */
	MlvPool *pool;      /* made when two operations are first asked for at once */
} MediumDir;

/* Does one operation; its result, or error, is in it. From any thread. */
void mlv_medium_dir_do(const MediumDir *dir, MlvOp *op);

#endif
