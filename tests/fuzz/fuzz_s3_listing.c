/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes as a page of a listing, as an answer to deletions, and as a refusal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/s3/fault.h"
#include "storage/s3/listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void read_page(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvS3Page) page = mlv_s3_page_parse(data, length, &error);

	if (!page != !!error || (page && page->token && !*page->token))
		abort();
	for (guint i = 0; page && i < page->keys->len; i++)
		if (!g_array_index(page->keys, MlvS3Listed, i).key)
			abort();
}

static void read_deletions(const uint8_t *data, size_t length)
{
	g_autoptr(GError) error = NULL;
	GArray *failed = mlv_s3_delete_parse(data, length, &error);

	if (!failed != !!error)
		abort();
	for (guint i = 0; failed && i < failed->len; i++)
		if (!g_array_index(failed, MlvS3NotDeleted, i).key ||
		    !g_array_index(failed, MlvS3NotDeleted, i).code)
			abort();
	if (failed)
		g_array_unref(failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(MlvHttpRequest) request = mlv_http_request_new("GET", "");
	MlvS3Fault fault = { 0 };

	read_page(data, length);
	read_deletions(data, length);
	request->status = length % 2 ? 400 : 200;
	g_byte_array_append(request->answer, data, (guint)length);
	if (mlv_s3_fault_read(&fault, request, TRUE)) {
		mlv_s3_fault_kind(&fault);
		if (!fault.code || !g_utf8_validate(fault.message, -1, NULL))
			abort();
	}
	mlv_s3_fault_clear(&fault);
	return 0;
}
