/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder beside where something will be, to be written in first. It is locked as long as its
 * descriptor is open, so that what somebody who was killed left is known, and removed, by the next.
 *
 *	g_auto(MlvFd) work = mlv_work_folder_open("data", ".mlv-get-", &path, error);
 *	... write and rename beneath `work` ...
 *	mlv_remove_tree(path);
 *
 * Any thread.
 */
#ifndef MLV_CORE_WORK_FOLDER_H
#define MLV_CORE_WORK_FOLDER_H

#include "storage/error.h"

/* Removes those of the prefix in `folder` that nobody holds any more, and makes a new one, for
 * this user alone. *path is the caller's to free; -1 with *error. */
int mlv_work_folder_open(const char *folder, const char *prefix, char **path, GError **error);

#endif
