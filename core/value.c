/* SPDX-License-Identifier: Apache-2.0 */
#include "core/value.h"

#include <string.h>

#include "core/value_private.h"

/* Maps with more keys than this are looked up by hash. */
#define INDEX_FROM 16

/* --- building --------------------------------------------------------------------------------- */

static MlvValue *new_value(MlvValueType type, gsize text_size)
{
	MlvValue *value = g_malloc(sizeof(MlvValue) + text_size);

	memset(value, 0, sizeof *value);
	value->refs = 1;
	value->type = (guint8)type;
	value->weight = 1;
	return value;
}

MlvValue *mlv_value_new_scalar(MlvValueType type, const char *text, gsize length)
{
	MlvValue *value = new_value(type, length + 1);
	char *copy = (char *)(value + 1);

	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	value->text = copy;
	value->length = length;
	return value;
}

static MlvValue *new_word(MlvValueType type, const char *text)
{
	return mlv_value_new_scalar(type, text, strlen(text));
}

MlvValue *mlv_value_new_null(void)
{
	return new_word(MLV_VALUE_NULL, "null");
}

MlvValue *mlv_value_new_bool(gboolean boolean)
{
	MlvValue *value = new_word(MLV_VALUE_BOOL, boolean ? "true" : "false");
	value->boolean = boolean;
	return value;
}

MlvValue *mlv_value_new_int(gint64 integer)
{
	char text[32];

	g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, integer);
	MlvValue *value = new_word(MLV_VALUE_INT, text);
	value->integer = integer;
	return value;
}

MlvValue *mlv_value_new_decimal(const char *text, gsize length)
{
	MlvValue *value = mlv_value_new_scalar(MLV_VALUE_INT, text, length);
	char *end;

	errno = 0;
	value->integer = g_ascii_strtoll(value->text, &end, 10);
	value->big = errno == ERANGE;
	return value;
}

MlvValue *mlv_value_new_float(double real)
{
	g_autofree char *text = mlv_value_float_text(real);
	MlvValue *value = new_word(MLV_VALUE_FLOAT, text);

	value->real = real;
	return value;
}

MlvValue *mlv_value_new_string(const char *text)
{
	return new_word(MLV_VALUE_STRING, text);
}

MlvValue *mlv_value_new_string_length(const char *text, gsize length)
{
	return mlv_value_new_scalar(MLV_VALUE_STRING, text, length);
}

static guint64 add_weight(guint64 sum, guint64 more)
{
	return sum > G_MAXUINT64 - more ? G_MAXUINT64 : sum + more;
}

MlvValue *mlv_value_new_list(GPtrArray *items)
{
	MlvValue *value = new_value(MLV_VALUE_LIST, 0);

	for (guint i = 0; i < items->len; i++)
		value->weight = add_weight(value->weight, ((MlvValue *)items->pdata[i])->weight);
	g_ptr_array_set_free_func(items, NULL);
	value->length = items->len;
	value->items = (MlvValue **)g_ptr_array_steal(items, NULL);
	g_ptr_array_unref(items);
	return value;
}

MlvValue *mlv_value_new_map(GArray *entries)
{
	MlvValue *value = new_value(MLV_VALUE_MAP, 0);

	value->length = entries->len;
	value->entries = (MlvEntry *)g_array_steal(entries, NULL);
	g_array_unref(entries);
	for (gsize i = 0; i < value->length; i++)
		value->weight = add_weight(value->weight, value->entries[i].value->weight);
	if (value->length > INDEX_FROM) {
		value->index = g_hash_table_new(g_str_hash, g_str_equal);
		for (gsize i = 0; i < value->length; i++)
			g_hash_table_insert(value->index, (gpointer)value->entries[i].key->text,
					    &value->entries[i]);
	}
	return value;
}

GArray *mlv_value_new_entries(void)
{
	return g_array_new(FALSE, FALSE, sizeof(MlvEntry));
}

void mlv_value_add(GArray *entries, const char *key, MlvValue *value)
{
	MlvEntry entry = { mlv_value_new_string(key), value, FALSE };
	g_array_append_val(entries, entry);
}

void mlv_value_free_entries(GArray *entries)
{
	for (guint i = 0; i < entries->len; i++) {
		mlv_value_unref(g_array_index(entries, MlvEntry, i).key);
		mlv_value_unref(g_array_index(entries, MlvEntry, i).value);
	}
	g_array_unref(entries);
}

const MlvValue *mlv_value_duplicate_key(const GArray *entries)
{
	const MlvEntry *all = (const MlvEntry *)(gconstpointer)entries->data;

	if (entries->len <= INDEX_FROM) {
		for (guint i = 1; i < entries->len; i++)
			for (guint j = 0; j < i; j++)
				if (strcmp(all[i].key->text, all[j].key->text) == 0)
					return all[i].key;
		return NULL;
	}
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < entries->len; i++)
		if (!g_hash_table_add(seen, (gpointer)all[i].key->text))
			return all[i].key;
	return NULL;
}

void mlv_value_set_where(MlvValue *value, char *file, guint32 line, guint32 column)
{
	value->where.file = g_ref_string_acquire(file);
	value->where.line = line;
	value->where.column = column;
}

MlvValue *mlv_value_ref(const MlvValue *value)
{
	MlvValue *counted = (MlvValue *)value;

	counted->refs++;
	return counted;
}

void mlv_value_unref(MlvValue *value)
{
	if (!value || --value->refs > 0)
		return;
	if (value->type == MLV_VALUE_LIST) {
		for (gsize i = 0; i < value->length; i++)
			mlv_value_unref(value->items[i]);
		g_free(value->items);
	} else if (value->type == MLV_VALUE_MAP) {
		for (gsize i = 0; i < value->length; i++) {
			mlv_value_unref(value->entries[i].key);
			mlv_value_unref(value->entries[i].value);
		}
		g_free(value->entries);
		g_clear_pointer(&value->index, g_hash_table_unref);
	}
	if (value->where.file)
		g_ref_string_release((char *)value->where.file);
	g_free(value);
}

/* --- looking ---------------------------------------------------------------------------------- */

const char *mlv_value_type_name(MlvValueType type)
{
	static const char *const names[] = { "null",     "true or false", "a whole number",
					     "a number", "a string",      "a list",
					     "a map" };

	return names[type];
}

gboolean mlv_value_is(const MlvValue *value, MlvValueType type)
{
	return value && value->type == type;
}

gboolean mlv_value_is_scalar(const MlvValue *value)
{
	return value && value->type < MLV_VALUE_LIST;
}

const MlvEntry *mlv_value_entry(const MlvValue *map, const char *key)
{
	if (!mlv_value_is(map, MLV_VALUE_MAP))
		return NULL;
	if (map->index)
		return g_hash_table_lookup(map->index, key);
	for (gsize i = 0; i < map->length; i++)
		if (strcmp(map->entries[i].key->text, key) == 0)
			return &map->entries[i];
	return NULL;
}

const MlvValue *mlv_value_get(const MlvValue *map, const char *key)
{
	const MlvEntry *entry = mlv_value_entry(map, key);
	return entry ? entry->value : NULL;
}

const MlvValue *mlv_value_item(const MlvValue *list, gint64 index)
{
	if (!mlv_value_is(list, MLV_VALUE_LIST))
		return NULL;
	if (index < 0)
		index += (gint64)list->length;
	return index >= 0 && index < (gint64)list->length ? list->items[index] : NULL;
}

/* --- messages --------------------------------------------------------------------------------- */

gboolean mlv_fail_at(GError **error, const MlvWhere *where, MlvError code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (!where || where->line == 0)
		return mlv_fail(error, code, "%s", text);
	return mlv_fail(error, code, "%s:%u:%u: %s", where->file, where->line, where->column, text);
}

/* --- places ----------------------------------------------------------------------------------- */

void mlv_place_init(MlvPlace *place, const char *data)
{
	*place = (MlvPlace){ .data = data, .line = 1, .column = 1 };
}

void mlv_place_move(MlvPlace *place, gsize offset)
{
	if (offset < place->at)
		mlv_place_init(place, place->data);
	for (; place->at < offset; place->at++) {
		guchar c = (guchar)place->data[place->at];
		if (c == '\n') {
			place->line++;
			place->column = 1;
			place->line_start = place->at + 1;
		} else if ((c & 0xc0) != 0x80) {
			place->column++;
		}
	}
}

gboolean mlv_value_check_text(const char *data, gsize length, const char *label, GError **error)
{
	const char *end;

	if (g_utf8_validate_len(data, length, &end))
		return TRUE;
	MlvPlace place;
	mlv_place_init(&place, data);
	mlv_place_move(&place, (gsize)(end - data));
	MlvWhere where = { label, place.line, place.column };
	return mlv_fail_at(error, &where, MLV_ERROR_CORRUPT,
			   *end ? "the text is not UTF-8"
				: "the text has a NUL byte: is it binary?");
}
