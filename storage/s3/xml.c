/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/xml.h"

#include <expat.h>
#include <string.h>

#define DEPTH_MAX      32
#define PATH_MAX_BYTES 1024

typedef struct {
	XML_Parser parser;
	const char *what;
	MlvS3XmlEach each;
	gpointer user;
	GString *path, *text;
	GArray *marks;  /* gsize: length of the path around each open element */
	gboolean leaf;  /* no element in the innermost one so far */
	gboolean ended; /* by the callback, or by `error` */
	GError *error;
} Reader;

static void end_reading(Reader *reader)
{
	reader->ended = TRUE;
	XML_StopParser(reader->parser, XML_FALSE);
}

static void refuse(Reader *reader, const char *why)
{
	mlv_fail(&reader->error, MLV_ERROR_CORRUPT, "%s is damaged: %s in line %lu", reader->what,
		 why, (unsigned long)XML_GetCurrentLineNumber(reader->parser));
	end_reading(reader);
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	Reader *reader = user;
	const char *colon = strrchr(name, ':');
	gsize mark = reader->path->len;

	if (reader->ended)
		return;
	if (colon && colon[1])
		name = colon + 1;
	if (reader->marks->len >= DEPTH_MAX || mark + strlen(name) > PATH_MAX_BYTES) {
		refuse(reader, "elements too deep or with too long names");
		return;
	}
	g_array_append_val(reader->marks, mark);
	if (mark > 0)
		g_string_append_c(reader->path, '/');
	g_string_append(reader->path, name);
	g_string_truncate(reader->text, 0);
	reader->leaf = TRUE;
}

static void on_end(void *user, const XML_Char *name)
{
	Reader *reader = user;
	gsize mark;

	if (reader->ended)
		return;
	if (!reader->each(reader->path->str, reader->leaf ? reader->text->str : "", reader->user,
			  &reader->error)) {
		end_reading(reader);
		return;
	}
	mark = g_array_index(reader->marks, gsize, reader->marks->len - 1);
	g_array_set_size(reader->marks, reader->marks->len - 1);
	g_string_truncate(reader->path, mark);
	reader->leaf = FALSE;
}

static void on_text(void *user, const XML_Char *text, int length)
{
	Reader *reader = user;

	if (!reader->ended && reader->leaf)
		g_string_append_len(reader->text, text, length);
}

/* Entities that expand entities need a document type; no server sends one. */
static void on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
		       const XML_Char *public_id, int internal)
{
	Reader *reader = user;

	if (!reader->ended)
		refuse(reader, "a document type");
}

static void run(Reader *reader, const void *data, int length)
{
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
	if (XML_Parse(reader->parser, data, length, XML_TRUE) != XML_STATUS_ERROR || reader->ended)
		return;
	refuse(reader, XML_ErrorString(XML_GetErrorCode(reader->parser)));
}

gboolean mlv_s3_xml_parse(const void *data, gsize length, gsize max, const char *what,
			  MlvS3XmlEach each, gpointer user, GError **error)
{
	Reader reader = { .what = what, .each = each, .user = user };

	if (length > MIN(max, G_MAXINT))
		return mlv_fail(error, MLV_ERROR_CORRUPT,
				"%s is damaged: %" G_GSIZE_FORMAT
				" bytes, more than %" G_GSIZE_FORMAT,
				what, length, max);
	reader.parser = XML_ParserCreate(NULL);
	if (!reader.parser)
		g_error("cannot allocate an XML parser");
	reader.path = g_string_new(NULL);
	reader.text = g_string_new(NULL);
	reader.marks = g_array_new(FALSE, FALSE, sizeof(gsize));
	run(&reader, data, (int)length);
	XML_ParserFree(reader.parser);
	g_string_free(reader.path, TRUE);
	explicit_bzero(reader.text->str, reader.text->allocated_len);
	g_string_free(reader.text, TRUE);
	g_array_unref(reader.marks);
	if (!reader.error)
		return TRUE;
	g_propagate_error(error, reader.error);
	return FALSE;
}

typedef struct {
	const char *path;
	char *text;
} Search;

static gboolean each_found(const char *path, const char *text, gpointer user, GError **error)
{
	Search *search = user;

	if (!g_str_equal(path, search->path))
		return TRUE;
	search->text = g_strdup(text);
	return FALSE;
}

char *mlv_s3_xml_find(const void *data, gsize length, const char *path)
{
	Search search = { .path = path };

	(void)mlv_s3_xml_parse(data, length, MLV_S3_XML_SMALL, "the answer", each_found, &search,
			       NULL);
	return search.text;
}
