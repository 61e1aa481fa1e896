/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What storage/file*.c and their tests share.
 */
#ifndef MLV_STORAGE_FILE_PRIVATE_H
#define MLV_STORAGE_FILE_PRIVATE_H

#include "storage/file.h"

#define MLV_TEMP_PREFIX "tmp-" /* of an MlvTemp */
#define MLV_REPLACE_PREFIX \
	".mlv-tmp-" /* of mlv_file_replace, which also works in a user's folders */

/* fsync, retrying EINTR. -1 with errno. */
int mlv_file_fsync(int fd);

/* mlv_file_open_beneath without openat2: what old kernels get. Apart so that a test can compare
 * both. */
int mlv_file_open_beneath_walk(int rootfd, const char *path, int flags, mode_t mode);

#endif
