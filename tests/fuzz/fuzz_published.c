/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as the list of a remote on a web server: whatever is accepted has one spelling. The
 * sum at the end is made to fit, or else nothing would come past it. */
#include <stdint.h>
#include <stdlib.h>

#include "storage/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void try(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) listed = mlv_published_parse(bytes, "fuzz", &error);

	if (!listed != !!error)
		abort();
	if (!listed)
		return;
	g_autoptr(GBytes) again = mlv_published_format(listed);
	if (!g_bytes_equal(bytes, again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, length);
	g_autoptr(GString) text = g_string_new_len((const char *)data, (gssize)length);
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	try(bytes);
	mlv_id_of(data, length, &id);
	mlv_id_format(&id, hex);
	g_string_append_printf(text, "sha256 %s\n", hex);
	g_autoptr(GBytes) fitting = g_bytes_new(text->str, text->len);
	try(fitting);
	return 0;
}
