/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/http/http.h"

#include <string.h>

MlvHttpRequest *mlv_http_request_new(const char *method, const char *url)
{
	MlvHttpRequest *request = g_new0(MlvHttpRequest, 1);

	request->method = method;
	request->url = g_strdup(url);
	request->headers = g_ptr_array_new_with_free_func(g_free);
	request->body_fd = request->sink_fd = -1;
	request->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	request->answer = g_byte_array_new();
	return request;
}

void mlv_http_request_free(MlvHttpRequest *request)
{
	if (!request)
		return;
	g_free(request->url);
	g_ptr_array_unref(request->headers);
	g_clear_pointer(&request->body, g_bytes_unref);
	g_hash_table_unref(request->fields);
	g_byte_array_unref(request->answer);
	g_clear_error(&request->error);
	g_free(request);
}

void mlv_http_request_set_header(MlvHttpRequest *request, const char *name, const char *value)
{
	gsize length = strlen(name);

	for (guint i = request->headers->len; i-- > 0;) {
		const char *header = request->headers->pdata[i];

		if (g_ascii_strncasecmp(header, name, length) == 0 && header[length] == ':')
			g_ptr_array_remove_index(request->headers, i);
	}
	g_ptr_array_add(request->headers, g_strconcat(name, ": ", value, NULL));
}

const char *mlv_http_request_field(const MlvHttpRequest *request, const char *name)
{
	return g_hash_table_lookup(request->fields, name);
}

MlvHttpVerdict mlv_http_judge(MlvHttpRequest *request)
{
	switch (request->status) {
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return MLV_HTTP_LATER;
	default:
		return MLV_HTTP_DONE;
	}
}
