/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as JSON: whatever is accepted is the same value when written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvValue) value =
		mlv_value_parse_json((const char *)data, length, "fuzz", &error);

	if (!value != !!error)
		abort();
	if (!value)
		return 0;
	g_autofree char *text = mlv_value_json(value);
	g_autofree char *canonical = mlv_value_canonical(value);
	g_autoptr(MlvValue) again = mlv_value_parse_json(text, strlen(text), "again", NULL);
	g_autoptr(MlvValue) same = mlv_value_parse_json(canonical, strlen(canonical), "same", NULL);
	if (!again || !same || !mlv_value_equal(value, again) || !mlv_value_equal(value, same))
		abort();
	g_autofree char *canonical_again = mlv_value_canonical(again);
	if (strcmp(canonical, canonical_again) != 0)
		abort();
	return 0;
}
