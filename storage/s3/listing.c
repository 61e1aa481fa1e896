/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/listing.h"

#include <string.h>

#include "storage/s3/sign.h"
#include "storage/s3/xml.h"

/* --- pages ------------------------------------------------------------------------------------ */

char *mlv_s3_page_query(const char *prefix, const char *token)
{
	g_autofree char *escaped = mlv_s3_escape(prefix, -1, FALSE);
	g_autofree char *from = token ? mlv_s3_escape(token, -1, FALSE) : NULL;

	return g_strconcat(from ? "continuation-token=" : "", from ? from : "", from ? "&" : "",
			   "encoding-type=url&list-type=2&max-keys=1000&prefix=", escaped, NULL);
}

typedef struct {
	MlvS3Page *page;
	MlvS3Listed entry; /* the one being read */
	gboolean has_size, has_time;
	gboolean encoded, truncated, seen;
} Reading;

static void clear_listed(gpointer data)
{
	g_free(((MlvS3Listed *)data)->key);
}

static gboolean parse_time(const char *text, gint64 *mtime)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);

	if (time)
		*mtime = g_date_time_to_unix(time);
	return time != NULL;
}

static gboolean take_key(Reading *reading, GError **error)
{
	if (!reading->entry.key || !reading->has_size || !reading->has_time)
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"an entry of the listing lacks its key, size or time");
	g_array_append_val(reading->page->keys, reading->entry);
	memset(&reading->entry, 0, sizeof(reading->entry));
	reading->has_size = reading->has_time = FALSE;
	return TRUE;
}

#define PAGE "ListBucketResult"

static gboolean take_element(const char *path, const char *text, gpointer user, GError **error)
{
	Reading *reading = user;
	MlvS3Listed *entry = &reading->entry;

	if (strcmp(path, PAGE) == 0) {
		reading->seen = TRUE;
	} else if (strcmp(path, PAGE "/Contents") == 0) {
		return take_key(reading, error);
	} else if (strcmp(path, PAGE "/Contents/Key") == 0) {
		g_free(entry->key);
		entry->key = g_strdup(text);
	} else if (strcmp(path, PAGE "/Contents/Size") == 0) {
		reading->has_size =
			g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &entry->size, NULL);
	} else if (strcmp(path, PAGE "/Contents/LastModified") == 0) {
		reading->has_time = parse_time(text, &entry->mtime);
	} else if (strcmp(path, PAGE "/EncodingType") == 0) {
		reading->encoded = strcmp(text, "url") == 0;
	} else if (strcmp(path, PAGE "/IsTruncated") == 0) {
		reading->truncated = strcmp(text, "true") == 0;
	} else if (strcmp(path, PAGE "/NextContinuationToken") == 0) {
		g_free(reading->page->token);
		reading->page->token = g_strdup(text);
	}
	return TRUE;
}

/* %XX, and '+' for a blank. What is no escape stays as it is. */
static void decode(char *key)
{
	char *to = key;

	for (const char *at = key; *at; at++) {
		if (*at == '%' && g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2])) {
			*to++ = (char)(g_ascii_xdigit_value(at[1]) * 16 +
				       g_ascii_xdigit_value(at[2]));
			at += 2;
		} else {
			*to++ = *at == '+' ? ' ' : *at;
		}
	}
	*to = '\0';
}

MlvS3Page *mlv_s3_page_parse(const void *data, gsize length, GError **error)
{
	g_autoptr(MlvS3Page) page = g_new0(MlvS3Page, 1);
	Reading reading = { .page = page };
	gboolean ok;

	page->keys = g_array_new(FALSE, FALSE, sizeof(MlvS3Listed));
	g_array_set_clear_func(page->keys, clear_listed);
	ok = mlv_s3_xml_parse(data, length, MLV_S3_XML_PAGE, "the listing", take_element, &reading,
			      error);
	g_free(reading.entry.key);
	if (!ok)
		return NULL;
	if (!reading.seen) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "the answer is no listing of an S3 bucket");
		return NULL;
	}
	/* Only now is it known: elements come in any order. */
	for (guint i = 0; reading.encoded && i < page->keys->len; i++)
		decode(g_array_index(page->keys, MlvS3Listed, i).key);
	if (!reading.truncated)
		g_clear_pointer(&page->token, g_free);
	else if (!page->token || !*page->token) {
		mlv_fail(error, MLV_ERROR_CORRUPT,
			 "the listing breaks off without saying how to go on");
		return NULL;
	}
	return g_steal_pointer(&page);
}

void mlv_s3_page_free(MlvS3Page *page)
{
	if (!page)
		return;
	g_array_unref(page->keys);
	g_free(page->token);
	g_free(page);
}

/* --- deleting several ------------------------------------------------------------------------- */

GBytes *mlv_s3_delete_body(const GPtrArray *keys)
{
	GString *body = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				     "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
				     "<Quiet>true</Quiet>");

	for (guint i = 0; i < keys->len; i++) {
		g_autofree char *key = g_markup_escape_text(keys->pdata[i], -1);

		g_string_append_printf(body, "<Object><Key>%s</Key></Object>", key);
	}
	g_string_append(body, "</Delete>");
	return g_string_free_to_bytes(body);
}

typedef struct {
	GArray *failed;
	MlvS3NotDeleted entry;
	gboolean seen;
} Deleting;

static void clear_not_deleted(gpointer data)
{
	MlvS3NotDeleted *entry = data;

	g_free(entry->key);
	g_free(entry->code);
	g_free(entry->message);
}

static void set(char **place, const char *text)
{
	g_free(*place);
	*place = g_strdup(text);
}

#define DELETE "DeleteResult"

static gboolean take_failed(const char *path, const char *text, gpointer user, GError **error)
{
	Deleting *deleting = user;
	MlvS3NotDeleted *entry = &deleting->entry;

	if (strcmp(path, DELETE) == 0) {
		deleting->seen = TRUE;
	} else if (strcmp(path, DELETE "/Error/Key") == 0) {
		set(&entry->key, text);
	} else if (strcmp(path, DELETE "/Error/Code") == 0) {
		set(&entry->code, text);
	} else if (strcmp(path, DELETE "/Error/Message") == 0) {
		set(&entry->message, text);
	} else if (strcmp(path, DELETE "/Error") == 0) {
		if (!entry->key || !entry->code)
			return mlv_fail(error, MLV_ERROR_CORRUPT,
					"an entry of the answer lacks its key or code");
		if (!entry->message)
			set(&entry->message, "");
		if (strcmp(entry->code, "NoSuchKey") == 0)
			clear_not_deleted(entry);
		else
			g_array_append_val(deleting->failed, *entry);
		memset(entry, 0, sizeof(*entry));
	}
	return TRUE;
}

GArray *mlv_s3_delete_parse(const void *data, gsize length, GError **error)
{
	g_autoptr(GArray) failed = g_array_new(FALSE, FALSE, sizeof(MlvS3NotDeleted));
	Deleting deleting = { .failed = failed };
	gboolean ok;

	g_array_set_clear_func(failed, clear_not_deleted);
	ok = mlv_s3_xml_parse(data, length, MLV_S3_XML_SMALL, "the answer to DeleteObjects",
			      take_failed, &deleting, error);
	clear_not_deleted(&deleting.entry);
	if (!ok)
		return NULL;
	if (!deleting.seen) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "the answer is none to DeleteObjects");
		return NULL;
	}
	return g_steal_pointer(&failed);
}
