/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders of lists and trees. The first byte chooses which, and what the reference above
 * says. */
#include <stddef.h>
#include <stdint.h>

#include "storage/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MlvTreeReader reader;
	MlvTreeEntry entry;

	if (size == 0)
		return 0;
	if (data[0] & 1) {
		MlvKind kind = data[0] & 2 ? MLV_KIND_TREE : MLV_KIND_BLOB;
		GArray *entries = mlv_list_decode(data + 1, size - 1, kind, data[0] >> 2 & 7, NULL);
		if (entries)
			g_array_unref(entries);
		return 0;
	}
	if (mlv_tree_reader_init(&reader, data + 1, size - 1, NULL))
		while (mlv_tree_reader_next(&reader, &entry, NULL) && entry.name)
			;
	return 0;
}
