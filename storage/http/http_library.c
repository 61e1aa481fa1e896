/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl is loaded when the first engine is made. Linked in, it and the seventeen libraries behind
 * it would add half again to the time in which any command starts.
 */
#include "storage/http/http_private.h"

#include <dlfcn.h>

#define SYMBOL(name) "curl_" #name, G_STRUCT_OFFSET(MlvHttpLibrary, name)

static const struct {
	const char *name;
	glong offset; /* of its place in MlvHttpLibrary */
} symbols[] = {
	{ SYMBOL(global_init) },         { SYMBOL(getdate) },
	{ SYMBOL(easy_init) },           { SYMBOL(easy_cleanup) },
	{ SYMBOL(easy_reset) },          { SYMBOL(easy_setopt) },
	{ SYMBOL(easy_getinfo) },        { SYMBOL(slist_append) },
	{ SYMBOL(slist_free_all) },      { SYMBOL(share_init) },
	{ SYMBOL(share_setopt) },        { SYMBOL(share_cleanup) },
	{ SYMBOL(multi_init) },          { SYMBOL(multi_cleanup) },
	{ SYMBOL(multi_setopt) },        { SYMBOL(multi_add_handle) },
	{ SYMBOL(multi_remove_handle) }, { SYMBOL(multi_perform) },
	{ SYMBOL(multi_poll) },          { SYMBOL(multi_info_read) },
};

static gpointer load(gpointer data)
{
	MlvHttpLibrary *library = g_new0(MlvHttpLibrary, 1);
	void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	for (guint i = 0; handle && i < G_N_ELEMENTS(symbols); i++) {
		gpointer *place = G_STRUCT_MEMBER_P(library, symbols[i].offset);

		*place = dlsym(handle, symbols[i].name);
		if (!*place)
			g_clear_pointer(&handle, dlclose);
	}
	if (!handle || library->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		g_clear_pointer(&library, g_free);
	return library;
}

const MlvHttpLibrary *mlv_http_library(void)
{
	static GOnce once = G_ONCE_INIT;

	return g_once(&once, load, NULL);
}
