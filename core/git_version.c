/* SPDX-License-Identifier: Apache-2.0 */
#include <git2.h>
#include <glib.h>

#include "core/library_version.h"

char *mlv_library_libgit2(void)
{
	int major, minor, revision;

	git_libgit2_version(&major, &minor, &revision);
	return g_strdup_printf("%d.%d.%d", major, minor, revision);
}
