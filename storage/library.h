/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of the libraries under storage/, as the running program found them: for `mlv doctor`.
 * Static texts; any thread.
 */
#ifndef MLV_STORAGE_LIBRARY_H
#define MLV_STORAGE_LIBRARY_H

/* storage/codec_version.c */
const char *mlv_library_zstd(void);
/* storage/id_version.c */
const char *mlv_library_openssl(void);

#endif
