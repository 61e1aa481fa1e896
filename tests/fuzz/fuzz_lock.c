/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as mlv.lock: what is accepted without conflict is the same when written and read
 * again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/pipeline/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvLock) lock = mlv_lock_parse("sub", (const char *)data, length, "fuzz", &error);

	if (!lock != !!error)
		abort();
	if (!lock)
		return 0;
	gsize written;
	g_autofree char *text = mlv_lock_format(lock, &written);
	if (!text)
		return 0;
	g_autoptr(MlvLock) again = mlv_lock_parse("sub", text, written, "again", NULL);
	if (!again || mlv_lock_has_conflicts(again))
		abort();
	g_autofree char *once_more = mlv_lock_format(again, NULL);
	if (!once_more || strcmp(text, once_more) != 0)
		abort();
	return 0;
}
