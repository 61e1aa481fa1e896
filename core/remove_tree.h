/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a folder of ours with all that is in it: temporary places, never the user's data. */
#ifndef MLV_CORE_REMOVE_TREE_H
#define MLV_CORE_REMOVE_TREE_H

/* As far as it can be; no symlink is followed, no other file system entered. A file will do. */
void mlv_remove_tree(const char *path);

#endif
