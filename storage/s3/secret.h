/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that held a secret is overwritten before it is given back.
 *
 *	MLV_AUTO_SECRET char *token = mlv_secret_read(path, 65536, error);
 */
#ifndef MLV_STORAGE_S3_SECRET_H
#define MLV_STORAGE_S3_SECRET_H

#include <string.h>

#include "storage/error.h"

/* Frees a string of g_malloc; NULL is fine. A GDestroyNotify too. */
static inline void mlv_secret_free(gpointer text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	g_free(text);
}

static inline void mlv_secret_free_string(GString *text)
{
	if (!text)
		return;
	explicit_bzero(text->str, text->allocated_len);
	g_string_free(text, TRUE);
}

static inline void mlv_secret_free_bytes(GByteArray *bytes)
{
	if (!bytes)
		return;
	if (bytes->len > 0)
		explicit_bzero(bytes->data, bytes->len);
	g_byte_array_unref(bytes);
}

static inline void mlv_secret_clear(char **text)
{
	mlv_secret_free(*text);
	*text = NULL;
}

#define MLV_AUTO_SECRET __attribute__((cleanup(mlv_secret_clear)))

/* The text of a file (a pipe too) of at most `max` bytes; more is MLV_ERROR_CORRUPT, as is a NUL in
 * it; an absent one MLV_ERROR_MISSING. */
char *mlv_secret_read(const char *path, gsize max, GError **error);

#endif
