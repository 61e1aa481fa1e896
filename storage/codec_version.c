/* SPDX-License-Identifier: Apache-2.0 */
#include <zstd.h>

#include "storage/library.h"

const char *mlv_library_zstd(void)
{
	return ZSTD_versionString();
}
