/* SPDX-License-Identifier: Apache-2.0 */
/* From events to values. */
#include <string.h>

#include "core/yaml_private.h"
#include "core/yaml_quote.h"
#include "core/yaml_scalar.h"

#define TAG "tag:yaml.org,2002:"

/* --- scalars ---------------------------------------------------------------------------------- */

static MlvValue *scalar_by_tag(MlvYamlReader *reader, MlvYamlEvent *event, const char *text,
			       gsize length, GError **error)
{
	static const struct {
		const char *tag;
		MlvValueType type;
	} tags[] = {
		{ TAG "str", MLV_VALUE_STRING },  { TAG "int", MLV_VALUE_INT },
		{ TAG "float", MLV_VALUE_FLOAT }, { TAG "bool", MLV_VALUE_BOOL },
		{ TAG "null", MLV_VALUE_NULL },   { "!", MLV_VALUE_STRING },
	};
	g_autofree char *tag = mlv_yaml_token_text(event->scalar.tag);

	for (gsize i = 0; tag && i < G_N_ELEMENTS(tags); i++) {
		if (strcmp(tag, tags[i].tag) != 0)
			continue;
		MlvValue *value = mlv_yaml_scalar_as(tags[i].type, text, length);
		if (!value)
			return mlv_yaml_fail_event(reader, event, error,
						   "'%s' is not %s, as its tag says", text,
						   mlv_value_type_name(tags[i].type));
		return value;
	}
	return mlv_yaml_fail_event(reader, event, error, "the tag '%s' is not known here",
				   tag ? tag : "");
}

/* Marks of a quoted scalar leave the quotes out, those of an alias its '*'. */
static void widen(MlvValue *value, guint before, guint after)
{
	value->start -= before;
	value->end += after;
	value->where.column -= MIN(before, value->where.column - 1);
}

/* A scalar's text; NULL for a bad escape. Caller frees. */
static char *scalar_text(MlvYamlReader *reader, MlvYamlEvent *event, enum fy_scalar_style style,
			 gsize *length)
{
	struct fy_token *token = event->scalar.value;
	const struct fy_mark *start = fy_event_start_mark(event);
	const struct fy_mark *end = fy_event_end_mark(event);
	gboolean quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;

	*length = 0;
	if (quoted && start && end) {
		const char *raw = reader->data + start->input_pos;
		*length = end->input_pos - start->input_pos;
		return style == FYSS_SINGLE_QUOTED ? mlv_yaml_unquote_single(raw, length)
						   : mlv_yaml_unquote_double(raw, length);
	}
	const char *text = token ? fy_token_get_text(token, length) : NULL;
	return g_strndup(text ? text : "", text ? *length : 0);
}

static MlvValue *build_scalar(MlvYamlReader *reader, MlvYamlEvent *event, GError **error)
{
	struct fy_token *token = event->scalar.value;
	enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
	gsize length;
	g_autofree char *text = scalar_text(reader, event, style, &length);
	MlvValue *value;

	if (!text || !g_utf8_validate_len(text, length, NULL))
		return mlv_yaml_fail_event(reader, event, error,
					   "a string has an escape that is no character");
	if (event->scalar.tag)
		value = scalar_by_tag(reader, event, text, length, error);
	else if (style == FYSS_PLAIN)
		value = mlv_yaml_scalar(text, length);
	else
		value = mlv_value_new_string_length(text, length);
	if (!value)
		return NULL;
	gboolean block = style == FYSS_LITERAL || style == FYSS_FOLDED;
	gboolean written = token && fy_event_start_mark(event);
	mlv_yaml_place(reader, value, event,
		       block     ? MLV_STYLE_TEXT
		       : written ? MLV_STYLE_PLAIN
				 : MLV_STYLE_NONE);
	if (written && (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED))
		widen(value, 1, 1);
	return value;
}

/* --- aliases and merge keys ------------------------------------------------------------------- */

/* The same value at another place. */
static MlvValue *copy_value(const MlvValue *value)
{
	MlvValue *copy;

	if (value->type == MLV_VALUE_LIST) {
		GPtrArray *items = g_ptr_array_sized_new((guint)value->length);
		for (gsize i = 0; i < value->length; i++)
			g_ptr_array_add(items, mlv_value_ref(value->items[i]));
		return mlv_value_new_list(items);
	}
	if (value->type == MLV_VALUE_MAP) {
		GArray *entries = mlv_value_new_entries();
		for (gsize i = 0; i < value->length; i++) {
			MlvEntry entry = value->entries[i];
			mlv_value_ref(entry.key);
			mlv_value_ref(entry.value);
			g_array_append_val(entries, entry);
		}
		return mlv_value_new_map(entries);
	}
	copy = mlv_value_new_scalar((MlvValueType)value->type, value->text, value->length);
	copy->big = value->big;
	copy->integer = value->integer; /* the widest of the union */
	return copy;
}

static MlvValue *build_alias(MlvYamlReader *reader, MlvYamlEvent *event, GError **error)
{
	g_autofree char *name = mlv_yaml_token_text(event->alias.anchor);
	const MlvValue *value = name ? g_hash_table_lookup(reader->anchors, name) : NULL;

	if (!value)
		return mlv_yaml_fail_event(
			reader, event, error,
			"there is no anchor '&%s' before, or the alias lies within it",
			name ? name : "");
	if (!mlv_yaml_count(reader, event, value->weight, error))
		return NULL;
	MlvValue *copy = copy_value(value);
	mlv_yaml_place(reader, copy, event, MLV_STYLE_ALIAS);
	if (copy->where.line)
		widen(copy, 1, 0);
	return copy;
}

/* Puts an entry in: one of the same key has its value replaced. Takes both references. */
static void put_entry(GArray *entries, GHashTable *places, MlvEntry entry)
{
	gpointer at = g_hash_table_lookup(places, entry.key->text);

	if (!at) {
		g_array_append_val(entries, entry);
		g_hash_table_insert(places, (gpointer)entry.key->text,
				    GUINT_TO_POINTER(entries->len));
		return;
	}
	MlvEntry *old = &g_array_index(entries, MlvEntry, GPOINTER_TO_UINT(at) - 1);
	g_hash_table_remove(places, old->key->text);
	mlv_value_unref(old->key);
	mlv_value_unref(old->value);
	*old = entry;
	g_hash_table_insert(places, (gpointer)entry.key->text, at);
}

static void put_merged(GArray *entries, GHashTable *places, const MlvValue *map)
{
	for (gsize i = 0; i < map->length; i++) {
		MlvEntry entry = { mlv_value_ref(map->entries[i].key),
				   mlv_value_ref(map->entries[i].value), TRUE };
		put_entry(entries, places, entry);
	}
}

static gboolean check_merge(const MlvValue *value, GError **error)
{
	gboolean ok = value->type == MLV_VALUE_MAP || value->type == MLV_VALUE_LIST;

	for (gsize i = 0; value->type == MLV_VALUE_LIST && i < value->length; i++)
		ok &= value->items[i]->type == MLV_VALUE_MAP;
	return ok || mlv_fail_at(error, &value->where, MLV_ERROR_CORRUPT,
				 "'<<' merges a map or a list of maps, and this is %s",
				 mlv_value_type_name((MlvValueType)value->type));
}

/* `own` with what `merge` (a map, or a list of which the first wins) has besides; takes `own`. */
static GArray *merge_entries(GArray *own, const MlvValue *merge)
{
	GArray *entries = mlv_value_new_entries();
	g_autoptr(GHashTable) places = g_hash_table_new(g_str_hash, g_str_equal);

	if (merge->type == MLV_VALUE_MAP)
		put_merged(entries, places, merge);
	else
		for (gsize i = merge->length; i > 0; i--)
			put_merged(entries, places, merge->items[i - 1]);
	for (guint i = 0; i < own->len; i++)
		put_entry(entries, places, g_array_index(own, MlvEntry, i));
	g_array_unref(own);
	return entries;
}

/* --- lists and maps --------------------------------------------------------------------------- */

static MlvValue *build_list(MlvYamlReader *reader, GError **error)
{
	g_autoptr(GPtrArray) items =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_value_unref);
	MlvValue *list = NULL;

	for (;;) {
		MlvYamlEvent *event = mlv_yaml_next_event(reader, error);
		if (!event)
			return NULL;
		gboolean end = event->type == FYET_SEQUENCE_END;
		MlvValue *item = end ? NULL : mlv_yaml_build(reader, event, error);
		if (end) {
			list = mlv_value_new_list(g_steal_pointer(&items));
			mlv_yaml_place(reader, list, event, MLV_STYLE_FLOW);
		} else if (item) {
			g_ptr_array_add(items, item);
		}
		mlv_yaml_event_free(reader, event);
		if (end || !item)
			return list;
	}
}

/* The key that an event begins. */
static MlvValue *build_key(MlvYamlReader *reader, MlvYamlEvent *event, GError **error)
{
	if (event->type != FYET_SCALAR && event->type != FYET_ALIAS)
		return mlv_yaml_fail_event(reader, event, error,
					   "a key is expected to be a word, and this is %s",
					   event->type == FYET_MAPPING_START ? "a map" : "a list");
	g_autoptr(MlvValue) key = mlv_yaml_build(reader, event, error);
	if (!key || key->type == MLV_VALUE_STRING)
		return g_steal_pointer(&key);
	if (!mlv_value_is_scalar(key))
		return mlv_yaml_fail_event(reader, event, error, "a key is expected to be a word");
	g_autofree char *text = mlv_value_text(key);
	MlvValue *string = mlv_value_new_string(text);
	mlv_yaml_place(reader, string, event, MLV_STYLE_PLAIN);
	return string;
}

static gboolean is_merge_key(MlvYamlEvent *event, const MlvValue *key)
{
	return event->type == FYET_SCALAR && !event->scalar.tag && event->scalar.value &&
	       fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN &&
	       strcmp(key->text, "<<") == 0;
}

/* A value that is not written has its key's place, and stands behind its colon. */
static void place_nothing(MlvYamlReader *reader, MlvValue *value, const MlvValue *key)
{
	if (value->where.line || !key->where.line)
		return;
	mlv_value_set_where(value, reader->file, key->where.line, key->where.column);
	gsize colon = key->end + strspn(reader->data + key->end, " \t");
	value->start = value->end =
		(guint32)(reader->data[colon] == ':' ? colon + 1 : (gsize)key->end);
	reader->last_end = MAX(reader->last_end, value->end);
}

/* One entry, whose key `event` begins; a merge key's value goes to *merge. */
static gboolean build_entry(MlvYamlReader *reader, MlvYamlEvent *event, GArray *entries,
			    MlvValue **merge, GError **error)
{
	g_autoptr(MlvValue) key = build_key(reader, event, error);
	if (!key)
		return FALSE;
	MlvYamlEvent *next = mlv_yaml_next_event(reader, error);
	if (!next)
		return FALSE;
	g_autoptr(MlvValue) value = mlv_yaml_build(reader, next, error);
	gboolean ok = value != NULL;
	if (ok) {
		place_nothing(reader, value, key);
		if (is_merge_key(event, key)) {
			ok = check_merge(value, error) &&
			     mlv_yaml_count(reader, next, value->weight, error);
			if (ok && *merge)
				ok = mlv_fail_at(error, &key->where, MLV_ERROR_CORRUPT,
						 "the key '<<' stands twice");
			else if (ok)
				*merge = g_steal_pointer(&value);
		} else {
			MlvEntry entry = { g_steal_pointer(&key), g_steal_pointer(&value), FALSE };
			g_array_append_val(entries, entry);
		}
	}
	mlv_yaml_event_free(reader, next);
	return ok;
}

static MlvValue *finish_map(GArray *entries, const MlvValue *merge, GError **error)
{
	const MlvValue *twice = mlv_value_duplicate_key(entries);

	if (twice) {
		mlv_fail_at(error, &twice->where, MLV_ERROR_CORRUPT, "the key '%s' stands twice",
			    twice->text);
		mlv_value_free_entries(entries);
		return NULL;
	}
	return mlv_value_new_map(merge ? merge_entries(entries, merge) : entries);
}

static MlvValue *build_map(MlvYamlReader *reader, GError **error)
{
	GArray *entries = mlv_value_new_entries();
	g_autoptr(MlvValue) merge = NULL;

	for (;;) {
		MlvYamlEvent *event = mlv_yaml_next_event(reader, error);
		gboolean end = event && event->type == FYET_MAPPING_END;
		if (!event || (!end && !build_entry(reader, event, entries, &merge, error))) {
			if (event)
				mlv_yaml_event_free(reader, event);
			mlv_value_free_entries(entries);
			return NULL;
		}
		if (end) {
			MlvValue *map = finish_map(entries, merge, error);
			if (map)
				mlv_yaml_place(reader, map, event, MLV_STYLE_FLOW);
			mlv_yaml_event_free(reader, event);
			return map;
		}
		mlv_yaml_event_free(reader, event);
	}
}

static gboolean check_collection_tag(MlvYamlReader *reader, MlvYamlEvent *event, GError **error)
{
	gboolean list = event->type == FYET_SEQUENCE_START;
	g_autofree char *tag =
		mlv_yaml_token_text(list ? event->sequence_start.tag : event->mapping_start.tag);

	if (!tag || strcmp(tag, "!") == 0 || strcmp(tag, list ? TAG "seq" : TAG "map") == 0)
		return TRUE;
	return mlv_yaml_fail_event(reader, event, error, "the tag '%s' is not known here", tag) !=
	       NULL;
}

static MlvValue *build_collection(MlvYamlReader *reader, MlvYamlEvent *event, GError **error)
{
	const struct fy_mark *start = fy_event_start_mark(event);
	gboolean block = fy_event_get_node_style(event) == FYNS_BLOCK;
	MlvValue *value;

	if (reader->depth == MLV_VALUE_DEPTH_MAX)
		return mlv_yaml_fail_event(reader, event, error, "nested deeper than %d",
					   MLV_VALUE_DEPTH_MAX);
	if (!check_collection_tag(reader, event, error))
		return NULL;
	reader->depth++;
	value = event->type == FYET_SEQUENCE_START ? build_list(reader, error)
						   : build_map(reader, error);
	reader->depth--;
	if (!value)
		return NULL;
	/* It was placed at its end: now it gets its beginning. */
	if (start) {
		if (value->where.file)
			g_ref_string_release((char *)value->where.file);
		mlv_value_set_where(value, reader->file, (guint32)start->line + 1,
				    (guint32)start->column + 1);
		value->start = (guint32)start->input_pos;
	}
	if (block) {
		value->style = MLV_STYLE_BLOCK;
		value->end = MAX(reader->last_end, value->start);
	}
	return value;
}

static struct fy_token *anchor_of(MlvYamlEvent *event)
{
	switch (event->type) {
	case FYET_SCALAR:
		return event->scalar.anchor;
	case FYET_SEQUENCE_START:
		return event->sequence_start.anchor;
	case FYET_MAPPING_START:
		return event->mapping_start.anchor;
	default:
		return NULL;
	}
}

MlvValue *mlv_yaml_build(MlvYamlReader *reader, MlvYamlEvent *event, GError **error)
{
	MlvValue *value = NULL;

	if (!mlv_yaml_count(reader, event, 1, error))
		return NULL;
	g_autofree char *anchor = mlv_yaml_token_text(anchor_of(event));
	switch (event->type) {
	case FYET_SCALAR:
		value = build_scalar(reader, event, error);
		break;
	case FYET_ALIAS:
		value = build_alias(reader, event, error);
		break;
	case FYET_SEQUENCE_START:
	case FYET_MAPPING_START:
		value = build_collection(reader, event, error);
		break;
	default:
		mlv_yaml_fail_event(reader, event, error, "expected a value");
	}
	if (value)
		reader->last_end = MAX(reader->last_end, value->end);
	if (value && anchor)
		g_hash_table_insert(reader->anchors, g_steal_pointer(&anchor),
				    mlv_value_ref(value));
	return value;
}
