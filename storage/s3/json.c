/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct MlvS3Json {
	json_t *root;
};

MlvS3Json *mlv_s3_json_parse(const void *data, gsize length, const char *what, GError **error)
{
	MlvS3Json *json;
	json_error_t why;
	json_t *root;

	if (length > MLV_S3_JSON_MAX) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "%s has more than %d bytes", what,
			 MLV_S3_JSON_MAX);
		return NULL;
	}
	/* The library's own text would show what stands at the fault. */
	root = json_loadb(data, length, JSON_REJECT_DUPLICATES, &why);
	if (!root) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "%s is no JSON: a fault in line %d, column %d",
			 what, MAX(why.line, 1), MAX(why.column, 0));
		return NULL;
	}
	json = g_new0(MlvS3Json, 1);
	json->root = root;
	if (json_is_object(root))
		return json;
	mlv_fail(error, MLV_ERROR_CORRUPT, "%s is no JSON object", what);
	mlv_s3_json_free(json);
	return NULL;
}

/* jansson gives a text as const; it is ours, and is about to be freed. */
static void wipe(json_t *value)
{
	const char *key;
	json_t *member;
	size_t index;

	if (json_is_string(value))
		explicit_bzero((char *)(guintptr)json_string_value(value),
			       json_string_length(value));
	json_object_foreach(value, key, member)
		wipe(member);
	json_array_foreach(value, index, member)
		wipe(member);
}

void mlv_s3_json_free(MlvS3Json *json)
{
	if (!json)
		return;
	wipe(json->root);
	json_decref(json->root);
	g_free(json);
}

static json_t *find(const MlvS3Json *json, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	json_t *value = json->root;

	for (char **name = names; *name && value; name++)
		value = json_object_get(value, *name);
	return value;
}

const char *mlv_s3_json_text(const MlvS3Json *json, const char *path)
{
	const char *text = json_string_value(find(json, path));

	return text && *text ? text : NULL;
}

gboolean mlv_s3_json_integer(const MlvS3Json *json, const char *path, gint64 *value)
{
	json_t *found = find(json, path);

	if (!json_is_integer(found))
		return FALSE;
	*value = json_integer_value(found);
	return TRUE;
}

void mlv_s3_json_set_text(MlvS3Json *json, const char *key, const char *text)
{
	json_t *old = json_object_get(json->root, key);

	if (old)
		wipe(old);
	json_object_set_new(json->root, key, json_string(text));
}

char *mlv_s3_json_format(const MlvS3Json *json)
{
	char *text = json_dumps(json->root, JSON_COMPACT);
	char *copy = g_strdup(text);

	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	return copy;
}
