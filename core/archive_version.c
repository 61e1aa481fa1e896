/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <string.h>

#include "core/library_version.h"

const char *mlv_library_libarchive(void)
{
	/* "libarchive 3.6.2" */
	const char *text = archive_version_string();
	const char *blank = strrchr(text, ' ');

	return blank ? blank + 1 : text;
}
