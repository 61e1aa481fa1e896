/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a pointer: whatever is accepted must be written back byte for byte. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/pointer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	MlvPointer pointer;
	gsize again;

	if (!mlv_pointer_parse(data, length, "fuzz", &pointer, &error) != !!error)
		abort();
	if (error)
		return 0;
	g_autofree char *text = mlv_pointer_format(&pointer, &again);
	if (again != length || memcmp(text, data, length) != 0)
		abort();
	return 0;
}
