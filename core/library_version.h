/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of the libraries under core/, as the running program found them: for `mlv doctor`.
 */
#ifndef MLV_CORE_LIBRARY_VERSION_H
#define MLV_CORE_LIBRARY_VERSION_H

/* core/git_version.c. Caller frees. */
char *mlv_library_libgit2(void);
/* core/archive_version.c. Static. */
const char *mlv_library_libarchive(void);

#endif
