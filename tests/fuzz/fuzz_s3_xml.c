/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as an answer in XML: paths and texts are bounded and are UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/s3/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static gboolean each(const char *path, const char *text, gpointer user, GError **error)
{
	gsize *total = user;
	guint depth = 1;

	for (const char *at = path; *at; at++)
		depth += *at == '/';
	if (!*path || depth > 32 || !g_utf8_validate(path, -1, NULL) ||
	    !g_utf8_validate(text, -1, NULL))
		abort();
	*total += strlen(text);
	return TRUE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *code = NULL;
	gsize total = 0;

	if (!mlv_s3_xml_parse(data, length, 65536, "fuzz", each, &total, &error) != !!error)
		abort();
	/* An encoding of one byte a letter may take up to three in UTF-8; entities only shrink. */
	if (total > 3 * length)
		abort();
	code = mlv_s3_xml_find(data, length, "Error/Code");
	return 0;
}
