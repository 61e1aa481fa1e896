/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a committed .mlvconfig: nothing that it may not set comes through. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/config_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(MlvConfig) config = mlv_config_new();
	g_autoptr(GError) error = NULL;

	if (!mlv_config_append_shared(config, (const char *)data, length, &error) != !!error)
		abort();
	g_autoptr(GPtrArray) entries = mlv_config_list(config, "");
	for (guint i = 0; i < entries->len; i++) {
		const MlvConfigEntry *entry = entries->pdata[i];
		gboolean known;
		if (!mlv_config_key_is_shared(entry->key, &known) || !known)
			abort();
	}
	return 0;
}
