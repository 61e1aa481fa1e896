/* SPDX-License-Identifier: Apache-2.0 */
#include "core/remove_tree.h"

#include <ftw.h>
#include <stdio.h>

#define DESCRIPTORS 16

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	remove(path);
	return 0;
}

void mlv_remove_tree(const char *path)
{
	nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
