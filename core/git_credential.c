/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_credential.h"

#include <string.h>

#include "core/git_run.h"
#include "storage/s3/secret.h"

/* One line of what git is told; a value with a line break would be another line. */
static void append_line(GString *text, const char *key, const char *value)
{
	if (value && *value && !strpbrk(value, "\r\n"))
		g_string_append_printf(text, "%s=%s\n", key, value);
}

static GString *describe(const MlvWebPlace *place)
{
	GString *text = g_string_new(NULL);

	append_line(text, "protocol", place->protocol);
	append_line(text, "host", place->host);
	append_line(text, "path", place->path);
	append_line(text, "wwwauth[]", place->challenge);
	return text;
}

static void free_secret_string(GString **text)
{
	mlv_secret_free_string(*text);
}

static char *take_value(const char *text, const char *key)
{
	gsize length = strlen(key);
	const char *at = text;

	while (at) {
		if (strncmp(at, key, length) == 0 && at[length] == '=')
			return g_strndup(at + length + 1, strcspn(at + length + 1, "\n"));
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

static gboolean fill(const MlvWebPlace *place, MlvWebLogin *login, gpointer user, GError **error)
{
	const char *const argv[] = { "credential", "fill", NULL };
	g_autoptr(GBytes) input = g_string_free_to_bytes(describe(place));
	g_autoptr(GBytes) output = NULL;
	gsize length;
	const char *data;

	if (!mlv_git_capture(user, argv, input, &output, NULL, error))
		return FALSE;
	data = g_bytes_get_data(output, &length);
	login->memo = g_strndup(data ? data : "", length);
	login->username = take_value(login->memo, "username");
	login->password = take_value(login->memo, "password");
	if (login->username && login->password)
		return TRUE;
	return mlv_fail(error, MLV_ERROR_FAILED,
			"git's credential helper gave no user name and "
			"password");
}

/* What git said is given back to it: helpers that renew tokens need all of it. */
static void tell(const MlvWebPlace *place, const MlvWebLogin *login, gboolean accepted,
		 gpointer user)
{
	const char *const argv[] = { "credential", accepted ? "approve" : "reject", NULL };
	__attribute__((cleanup(free_secret_string))) GString *text = g_string_new(login->memo);
	g_autoptr(GBytes) input = NULL;
	g_autoptr(GBytes) output = NULL;
	int status;

	g_string_append_c(text, '\n');
	input = g_bytes_new_static(text->str, text->len);
	/* That a helper could not store it changes nothing here. */
	mlv_git_capture(user, argv, input, &output, &status, NULL);
}

MlvWebHelper mlv_git_credential_helper(MlvRepo *repo)
{
	return (MlvWebHelper){ .fill = fill, .tell = tell, .user = repo };
}
