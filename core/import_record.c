/* SPDX-License-Identifier: Apache-2.0 */
#include "core/import_record.h"

#include <string.h>

#include "storage/http/http_url.h"
#include "storage/s3/settings.h"

#define FIRST_LINE "mlv import 1\n"
#define ID_PREFIX  "sha256:"
#define NANO       G_GINT64_CONSTANT(1000000000)

/* The keys, in the order in which they stand. */
typedef enum {
	KEY_ETAG,
	KEY_ID,
	KEY_MODIFIED,
	KEY_SIZE,
	KEY_URL,
	N_KEYS
} Key;

static const char *const key_names[N_KEYS] = { "etag", "id", "modified", "size", "url" };

void mlv_import_stamp_clear(MlvImportStamp *stamp)
{
	g_clear_pointer(&stamp->etag, g_free);
}

void mlv_import_record_clear(MlvImportRecord *record)
{
	g_clear_pointer(&record->url, g_free);
	mlv_import_stamp_clear(&record->stamp);
}

char *mlv_import_record_path(const char *data_path)
{
	return g_strconcat(data_path, MLV_IMPORT_RECORD_SUFFIX, NULL);
}

/* --- the text --------------------------------------------------------------------------------- */

/* Letters, digits and signs of ASCII, and blanks inside. */
static gboolean is_etag(const char *text)
{
	gsize length = strlen(text);

	for (gsize i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return FALSE;
	return length > 0 && length <= MLV_IMPORT_ETAG_MAX && text[0] != ' ' &&
	       text[length - 1] != ' ';
}

GBytes *mlv_import_record_format(const MlvImportRecord *record)
{
	GString *text = g_string_new(FIRST_LINE);
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&record->id, hex);
	if (record->stamp.etag && is_etag(record->stamp.etag))
		g_string_append_printf(text, "etag %s\n", record->stamp.etag);
	g_string_append_printf(text, "id " ID_PREFIX "%s\n", hex);
	if (record->stamp.modified > 0)
		g_string_append_printf(text, "modified %" G_GINT64_FORMAT ".%09d\n",
				       record->stamp.modified / NANO,
				       (int)(record->stamp.modified % NANO));
	g_string_append_printf(text, "size %" G_GUINT64_FORMAT "\nurl %s\n", record->stamp.size,
			       record->url);
	return g_string_free_to_bytes(text);
}

static gboolean fail_damaged(const char *label, const char *why, GError **error)
{
	return mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is no record of an import: %s", label, why);
}

/* Lines "key value", cut up in place. */
static gboolean split_lines(char *text, const char *values[N_KEYS], const char *label,
			    GError **error)
{
	char *line = text;
	int last = -1;

	while (*line) {
		char *end = strchr(line, '\n');
		char *space = strchr(line, ' ');
		int key = 0;

		if (!end || !space || space > end)
			return fail_damaged(label, "a line is not 'key value'", error);
		*end = *space = '\0';
		while (key < N_KEYS && strcmp(line, key_names[key]) != 0)
			key++;
		if (key == N_KEYS || key <= last)
			return fail_damaged(label, "a key is not known, or out of order", error);
		values[key] = space + 1;
		last = key;
		line = end + 1;
	}
	return TRUE;
}

static gboolean parse_modified(const char *text, gint64 *modified)
{
	g_auto(GStrv) parts = g_strsplit(text, ".", 3);
	gint64 seconds, nanos;

	if (g_strv_length(parts) != 2 || strlen(parts[1]) != 9 ||
	    strspn(parts[1], "0123456789") != 9 ||
	    !g_ascii_string_to_signed(parts[0], 10, 0, G_MAXINT64 / NANO - 1, &seconds, NULL))
		return FALSE;
	nanos = g_ascii_strtoll(parts[1], NULL, 10);
	*modified = seconds * NANO + nanos;
	return TRUE;
}

static gboolean fill(const char *const values[N_KEYS], MlvImportRecord *record, const char *label,
		     GError **error)
{
	if (!values[KEY_ID] || !g_str_has_prefix(values[KEY_ID], ID_PREFIX) ||
	    !mlv_id_parse(values[KEY_ID] + strlen(ID_PREFIX), &record->id))
		return fail_damaged(label, "its id is not 'sha256:' and 64 hex digits", error);
	if (!values[KEY_SIZE] || !g_ascii_string_to_unsigned(values[KEY_SIZE], 10, 0, G_MAXUINT64,
							     &record->stamp.size, NULL))
		return fail_damaged(label, "its size is not a number", error);
	if (values[KEY_MODIFIED] && !parse_modified(values[KEY_MODIFIED], &record->stamp.modified))
		return fail_damaged(label, "its time is not 'seconds.nanoseconds'", error);
	if (values[KEY_ETAG] && !is_etag(values[KEY_ETAG]))
		return fail_damaged(label, "its etag is none", error);
	record->stamp.etag = g_strdup(values[KEY_ETAG]);
	record->url = g_strdup(values[KEY_URL] ? values[KEY_URL] : "");
	return mlv_import_url_check(record->url, error);
}

gboolean mlv_import_record_parse(const char *data, gsize length, const char *label,
				 MlvImportRecord *record, GError **error)
{
	g_autofree char *text = g_strndup(data ? data : "", MIN(length, MLV_IMPORT_RECORD_MAX + 1));
	const char *values[N_KEYS] = { NULL };
	g_auto(MlvImportRecord) parsed = { 0 };
	g_autoptr(GBytes) again = NULL;

	if (strstr(text, "\n=======\n") || g_str_has_prefix(text, "<<<<<<< "))
		return mlv_fail(error, MLV_ERROR_CHECK,
				"'%s' has merge conflicts: choose one side, or run 'mlv import-url "
				"-f' again",
				label);
	if (length > MLV_IMPORT_RECORD_MAX || strlen(text) != length ||
	    !g_str_has_prefix(text, "mlv import "))
		return fail_damaged(label, "it does not begin with 'mlv import'", error);
	if (!g_str_has_prefix(text, FIRST_LINE))
		return mlv_fail(error, MLV_ERROR_UNSUPPORTED,
				"'%s' is of another version than 1: install a newer mlv", label);
	if (!split_lines(text + strlen(FIRST_LINE), values, label, error) ||
	    !fill(values, &parsed, label, error))
		return FALSE;
	again = mlv_import_record_format(&parsed);
	if (g_bytes_get_size(again) != length ||
	    memcmp(g_bytes_get_data(again, NULL), data, length) != 0)
		return fail_damaged(label, "it is not written as it would be here", error);
	*record = parsed;
	parsed = (MlvImportRecord){ 0 };
	return TRUE;
}

gboolean mlv_import_record_read(const MlvRepo *repo, const char *data_path, MlvImportRecord *record,
				gboolean *found, GError **error)
{
	g_autofree char *path = mlv_import_record_path(data_path);
	g_autoptr(GError) failed = NULL;
	g_autoptr(GBytes) bytes =
		mlv_repo_read_file(repo, path, 16 * MLV_IMPORT_RECORD_MAX, &failed);

	*found = bytes != NULL;
	if (bytes)
		return mlv_import_record_parse(g_bytes_get_data(bytes, NULL),
					       g_bytes_get_size(bytes), path, record, error);
	if (g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* --- addresses -------------------------------------------------------------------------------- */

/* Parameters by which servers take secrets. */
static gboolean is_secret_name(const char *name)
{
	static const char *const names[] = {
		"x-amz-signature",
		"x-amz-security-token",
		"x-amz-credential",
		"x-goog-signature",
		"signature",
		"sig",
		"token",
		"access_token",
		"auth_token",
		"private_token",
		"api_key",
		"apikey",
		"api-key",
		"secret",
		"password",
		"passwd",
		"awsaccesskeyid",
		"jwt",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strcasecmp(name, names[i]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean check_query(const char *url, GError **error)
{
	const char *query = strchr(url, '?');
	g_auto(GStrv) parts = query ? g_strsplit_set(query + 1, "&;#", -1) : NULL;

	for (char **part = parts; part && *part; part++) {
		g_autofree char *raw = g_strndup(*part, strcspn(*part, "="));
		g_autofree char *name = g_uri_unescape_string(raw, NULL);

		if (name && is_secret_name(name) && strchr(*part, '='))
			return mlv_fail(error, MLV_ERROR_USAGE,
					"the address holds a secret ('%s'), and git would keep it "
					"for everybody; give one without, and let git's credential "
					"helper keep the login, or download the file and add it",
					name);
	}
	return TRUE;
}

gboolean mlv_import_url_check(const char *url, GError **error)
{
	const char *scheme = strstr(url, "://");

	for (const char *at = url; *at; at++)
		if (g_ascii_iscntrl(*at))
			return mlv_fail(error, MLV_ERROR_USAGE,
					"an address cannot hold control characters");
	if (!*url || strlen(url) > MLV_HTTP_URL_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE, "an address has 1 to %d bytes",
				MLV_HTTP_URL_MAX);
	if (mlv_http_url_is(url) || mlv_http_url_has_login(url))
		return mlv_http_url_check(url, error) && check_query(url, error);
	if (g_ascii_strncasecmp(url, "s3://", 5) == 0)
		return mlv_s3_settings_check_url(url, error);
	if (scheme && g_ascii_strncasecmp(url, "file://", 7) != 0 && !strchr("/.~", url[0])) {
		g_autofree char *shown = mlv_http_url_shown(url);

		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' has a scheme that mlv does not know: use http://, https://, "
				"s3://, file:// or a path",
				shown);
	}
	return TRUE;
}
