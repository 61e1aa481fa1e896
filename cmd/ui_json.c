/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ui_json.h"

#include <string.h>

/* The version of the documents' shape: it grows when a member changes its meaning or goes. */
#define SHAPE_VERSION 1

json_t *mlv_json_new(const MlvCmd *cmd)
{
	json_t *document = json_object();

	json_object_set_new(document, "mlv", json_integer(SHAPE_VERSION));
	json_object_set_new(document, "command", json_string(cmd->name));
	return document;
}

/* jansson's text of a value; the caller frees it. */
static char *dump(json_t *value, size_t flags, GError **error)
{
	char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

	if (!text)
		mlv_fail(error, MLV_ERROR_FAILED, "cannot write the results as JSON");
	return text;
}

gboolean mlv_json_print(MlvCmd *cmd, json_t *document, GError **error)
{
	char *text = dump(document, JSON_INDENT(2), error);

	json_decref(document);
	if (!text)
		return FALSE;
	printf("%s\n", text);
	free(text);
	return mlv_cmd_keep_going(cmd, error);
}

void mlv_json_set_path(json_t *object, const char *key, const char *path)
{
	if (g_utf8_validate(path, -1, NULL)) {
		json_object_set_new(object, key, json_string(path));
	} else {
		g_autofree char *key64 = g_strconcat(key, "_b64", NULL);
		g_autofree char *text = g_base64_encode((const guchar *)path, strlen(path));

		json_object_set_new(object, key64, json_string(text));
	}
}

void mlv_json_set_text(json_t *object, const char *key, const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	json_object_set_new(object, key, valid ? json_string(valid) : json_null());
}

void mlv_json_set_size(json_t *object, const char *key, guint64 value)
{
	json_object_set_new(object, key, json_integer((json_int_t)MIN(value, (guint64)G_MAXINT64)));
}

void mlv_json_set_bool(json_t *object, const char *key, gboolean value)
{
	json_object_set_new(object, key, json_boolean(value));
}

struct MlvJsonStream {
	MlvCmd *cmd;
	gboolean any; /* an element has been written */
};

/* Writes `members` of a document under way, each with what separates it from the one before. */
static gboolean write_members(json_t *members, gboolean *first, GError **error)
{
	const char *key;
	json_t *value;

	json_object_foreach(members, key, value) {
		json_t *name = json_string(key);
		char *left = dump(name, 0, error), *right = left ? dump(value, 0, error) : NULL;

		if (right)
			printf("%s\n  %s: %s", *first ? "" : ",", left, right);
		json_decref(name);
		free(left);
		if (!right)
			return FALSE;
		free(right);
		*first = FALSE;
	}
	return TRUE;
}

MlvJsonStream *mlv_json_stream_new(MlvCmd *cmd, json_t *head, const char *key)
{
	MlvJsonStream *stream = g_new0(MlvJsonStream, 1);
	json_t *document = mlv_json_new(cmd);
	gboolean first = TRUE;

	stream->cmd = cmd;
	if (head)
		json_object_update(document, head);
	printf("{");
	/* Strings and numbers of our own making: always to be written. */
	write_members(document, &first, NULL);
	printf(",\n  \"%s\": [", key);
	json_decref(document);
	json_decref(head);
	return stream;
}

gboolean mlv_json_stream_add(MlvJsonStream *stream, json_t *element, GError **error)
{
	char *text = dump(element, 0, error);

	json_decref(element);
	if (!text)
		return FALSE;
	printf("%s\n    %s", stream->any ? "," : "", text);
	stream->any = TRUE;
	free(text);
	return mlv_cmd_keep_going(stream->cmd, error);
}

gboolean mlv_json_stream_end(MlvJsonStream *stream, json_t *tail, GError **error)
{
	MlvCmd *cmd = stream->cmd;
	gboolean first = FALSE;
	gboolean ok;

	printf("%s]", stream->any ? "\n  " : "");
	ok = !tail || write_members(tail, &first, error);
	printf("\n}\n");
	json_decref(tail);
	g_free(stream);
	return ok && mlv_cmd_keep_going(cmd, error);
}
