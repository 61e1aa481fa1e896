/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/format.h"

#include "storage/chunker.h"

#include <string.h>

#define FORMAT_VERSION 1

char *mlv_format_text(MlvRole role)
{
	return g_strdup_printf("mlv %d\nhash sha256\nchunker 1 %u %u %u\nrole %s\n", FORMAT_VERSION,
			       MLV_CHUNK_MIN, MLV_CHUNK_AVG, MLV_CHUNK_MAX,
			       role == MLV_ROLE_STORE ? "store" : "remote");
}

static gboolean equals(GBytes *bytes, const char *text)
{
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);

	return length == strlen(text) && memcmp(data, text, length) == 0;
}

/* The number behind "mlv " in the first line, or 0. */
static guint64 version_of(GBytes *bytes)
{
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	guint64 version = 0;
	gsize at = 4;

	if (length < 6 || length > MLV_FORMAT_MAX || memcmp(data, "mlv ", 4) != 0)
		return 0;
	while (at < length && at < 13 && g_ascii_isdigit(data[at]))
		version = version * 10 + (guint64)(data[at++] - '0');
	return at < length && data[at] == '\n' ? version : 0;
}

gboolean mlv_format_check(GBytes *bytes, MlvRole role, const char *label, GError **error)
{
	g_autofree char *wanted = mlv_format_text(role);
	g_autofree char *other =
		mlv_format_text(role == MLV_ROLE_STORE ? MLV_ROLE_REMOTE : MLV_ROLE_STORE);
	guint64 version = version_of(bytes);

	if (equals(bytes, wanted))
		return TRUE;
	if (equals(bytes, other))
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			role == MLV_ROLE_REMOTE
				? "'%s' is a repository's local store, not a remote; choose "
				  "another place for the remote"
				: "'%s' is a remote, not a local store; choose another place "
				  "for the store",
			label);
	if (version > FORMAT_VERSION)
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' is of format %" G_GUINT64_FORMAT
				" and this mlv knows format %d; "
				"a newer mlv is needed",
				label, version, FORMAT_VERSION);
	if (version == FORMAT_VERSION)
		return mlv_fail(
			error, MLV_ERROR_UNSUPPORTED,
			"'%s' was made with parameters that this mlv does not know; a newer mlv "
			"is needed",
			label);
	return mlv_fail(error, MLV_ERROR_CORRUPT, "the format file of '%s' is damaged", label);
}

gboolean mlv_format_is_damaged(GBytes *bytes, MlvRole role)
{
	g_autofree char *right = mlv_format_text(role);
	gsize length, wrong = 0;
	const char *data = g_bytes_get_data(bytes, &length);

	if (mlv_format_check(bytes, role, "", NULL))
		return FALSE;
	if (version_of(bytes) > FORMAT_VERSION)
		return FALSE;
	if (version_of(bytes) == 0)
		return TRUE;
	for (gsize i = 0; i < length; i++)
		if (data[i] != '\n' && !g_ascii_isprint(data[i]))
			return TRUE;
	for (gsize i = 0; i < MIN(length, strlen(right)); i++)
		wrong += data[i] != right[i];
	return length == strlen(right) && wrong <= 2;
}
