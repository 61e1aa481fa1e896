/* SPDX-License-Identifier: Apache-2.0 */
/* Paths into values: "a.b[0].c". */
#include <string.h>

#include "core/nearest_word.h"
#include "core/value_private.h"

/* The names of a map's keys that a message lists at most. */
#define NAMED_KEYS 6

/* One step: what stands between dots, or in brackets. `at` moves behind it. FALSE: bad form. */
static gboolean next_part(const char **at, gboolean first, char **part)
{
	const char *begin = *at, *end;

	if (*begin == '[') {
		begin++;
		end = begin + strcspn(begin, "[].");
		if (*end != ']')
			return FALSE;
		*at = end + 1;
	} else {
		if (!first) {
			if (*begin != '.')
				return FALSE;
			begin++;
		}
		end = begin + strcspn(begin, ".[]");
		if (*end == ']')
			return FALSE;
		*at = end;
	}
	*part = g_strstrip(g_strndup(begin, (gsize)(end - begin)));
	if (**part)
		return TRUE;
	g_clear_pointer(part, g_free);
	return FALSE;
}

static GPtrArray *split(const char *path)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	const char *at = path;

	do {
		char *part;
		if (!next_part(&at, parts->len == 0, &part))
			return NULL;
		g_ptr_array_add(parts, part);
	} while (*at);
	return g_steal_pointer(&parts);
}

/* The longest run of parts from `from` on that is a key of the map; *used is its length. */
static const MlvValue *step_map(const MlvValue *map, const GPtrArray *parts, guint from,
				guint *used)
{
	g_autoptr(GString) key = g_string_new(parts->pdata[from]);
	const MlvValue *found = mlv_value_get(map, key->str);

	*used = 1;
	for (guint i = from + 1; i < parts->len; i++) {
		g_string_append_printf(key, ".%s", (const char *)parts->pdata[i]);
		const MlvValue *value = mlv_value_get(map, key->str);
		if (value) {
			found = value;
			*used = i - from + 1;
		}
	}
	return found;
}

/* As far as the parts lead: what lies there, and how many were used. */
static const MlvValue *walk(const MlvValue *root, const GPtrArray *parts, guint *reached)
{
	const MlvValue *value = root;

	for (*reached = 0; *reached < parts->len;) {
		const char *part = parts->pdata[*reached];
		const MlvValue *next = NULL;
		guint used = 1;
		gint64 index;

		if (mlv_value_is(value, MLV_VALUE_MAP))
			next = step_map(value, parts, *reached, &used);
		else if (g_ascii_string_to_signed(part, 10, G_MININT32, G_MAXINT32, &index, NULL))
			next = mlv_value_item(value, index);
		if (!next)
			return value;
		value = next;
		*reached += used;
	}
	return value;
}

const MlvValue *mlv_value_lookup(const MlvValue *root, const char *path)
{
	g_autoptr(GPtrArray) parts = root ? split(path) : NULL;
	guint reached;

	if (!parts)
		return NULL;
	const MlvValue *value = walk(root, parts, &reached);
	return reached == parts->len ? value : NULL;
}

static char *join(const GPtrArray *parts, guint count)
{
	g_autoptr(GString) text = g_string_new("");

	for (guint i = 0; i < count; i++)
		g_string_append_printf(text, "%s%s", i ? "." : "", (char *)parts->pdata[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* "; it has 'a', 'b'", or the key that was likely meant. */
static char *describe_keys(const MlvValue *map, const char *wanted)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autoptr(GString) text = g_string_new("");

	for (gsize i = 0; i < map->length; i++)
		g_ptr_array_add(names, (gpointer)map->entries[i].key->text);
	g_ptr_array_add(names, NULL);
	const char *nearest = mlv_nearest_word(wanted, (const char *const *)names->pdata);
	if (nearest) {
		g_string_printf(text, "; did you mean '%s'?", nearest);
	} else if (map->length > 0) {
		g_string_append(text, "; there is ");
		for (gsize i = 0; i < MIN(map->length, NAMED_KEYS); i++)
			g_string_append_printf(text, "%s'%s'", i ? ", " : "",
					       map->entries[i].key->text);
		if (map->length > NAMED_KEYS)
			g_string_append(text, " ...");
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void fail_form(const char *path, GError **error)
{
	mlv_fail(error, MLV_ERROR_USAGE, "'%s' is not written as 'name', 'a.b' or 'a[0].b'", path);
}

const MlvValue *mlv_value_find(const MlvValue *root, const char *path, GError **error)
{
	g_autoptr(GPtrArray) parts = split(path);
	guint reached;

	if (!parts) {
		fail_form(path, error);
		return NULL;
	}
	const MlvValue *value = root ? walk(root, parts, &reached) : NULL;
	if (value && reached == parts->len)
		return value;
	if (!value) {
		mlv_fail(error, MLV_ERROR_MISSING, "there is no '%s'", path);
		return NULL;
	}
	const char *part = parts->pdata[reached];
	g_autofree char *joined = join(parts, reached);
	g_autofree char *way = reached ? g_strdup_printf(" in '%s'", joined) : g_strdup("");
	if (value->type == MLV_VALUE_MAP) {
		g_autofree char *keys = describe_keys(value, part);
		mlv_fail(error, MLV_ERROR_MISSING, "there is no '%s'%s%s", part, way, keys);
	} else if (value->type == MLV_VALUE_LIST) {
		mlv_fail(error, MLV_ERROR_MISSING,
			 "there is no item '%s'%s, a list of %" G_GSIZE_FORMAT, part, way,
			 value->length);
	} else {
		mlv_fail(error, MLV_ERROR_MISSING, "there is no '%s'%s, which is %s", part, way,
			 mlv_value_type_name((MlvValueType)value->type));
	}
	return NULL;
}

char **mlv_value_path_keys(const MlvValue *root, const char *path, GError **error)
{
	g_autoptr(GPtrArray) parts = split(path);
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	const MlvValue *value = root;

	if (!parts) {
		fail_form(path, error);
		return NULL;
	}
	for (guint i = 0, used = 1; i < parts->len; i += used) {
		g_autoptr(GString) key = g_string_new(parts->pdata[i]);
		gint64 index;

		used = 1;
		if (mlv_value_is(value, MLV_VALUE_MAP))
			value = step_map(value, parts, i, &used);
		else if (g_ascii_string_to_signed(key->str, 10, G_MININT32, G_MAXINT32, &index,
						  NULL))
			value = mlv_value_item(value, index);
		else
			value = NULL;
		for (guint j = i + 1; j < i + used; j++)
			g_string_append_printf(key, ".%s", (const char *)parts->pdata[j]);
		g_ptr_array_add(keys, g_string_free(g_steal_pointer(&key), FALSE));
	}
	g_ptr_array_add(keys, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&keys), FALSE);
}
