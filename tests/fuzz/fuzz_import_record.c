/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a record of an import: whatever is accepted has one spelling, and an address
 * without a login. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/import_record.h"
#include "storage/http/http_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_auto(MlvImportRecord) record = { 0 };
	g_autoptr(GError) error = NULL;
	gboolean ok = mlv_import_record_parse((const char *)data, length, "fuzz", &record, &error);

	if (ok != !error)
		abort();
	if (!ok)
		return 0;
	g_autoptr(GBytes) again = mlv_import_record_format(&record);
	if (g_bytes_get_size(again) != length ||
	    memcmp(g_bytes_get_data(again, NULL), data, length) != 0 ||
	    mlv_http_url_has_login(record.url))
		abort();
	return 0;
}
