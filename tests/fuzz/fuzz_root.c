/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a root: whatever is accepted has one spelling, but for its salt. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/root.h"

#define SALT_AT 61 /* where the salt's digits begin */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const guint8 salt[MLV_ROOT_SALT];
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvRoot) root = mlv_root_parse((const char *)data, length, "fuzz", &error);
	MlvId id;

	if (!root != !!error)
		abort();
	if (error)
		return 0;
	g_autoptr(GBytes) again = mlv_root_format(root, mlv_root_time(root), salt, &id);
	const uint8_t *text = g_bytes_get_data(again, NULL);
	if (g_bytes_get_size(again) != length || memcmp(text, data, SALT_AT) != 0 ||
	    memcmp(text + SALT_AT + 2 * MLV_ROOT_SALT, data + SALT_AT + 2 * MLV_ROOT_SALT,
		   length - SALT_AT - 2 * MLV_ROOT_SALT) != 0)
		abort();
	return 0;
}
