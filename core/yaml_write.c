/* SPDX-License-Identifier: Apache-2.0 */
/* Values as YAML text, for what is put into a file. */
#include <math.h>
#include <string.h>

#include "core/value_private.h"
#include "core/yaml.h"
#include "core/yaml_scalar.h"

/* --- scalars ---------------------------------------------------------------------------------- */

/* Whether a string can stand unquoted and is read back as that string; `flow` within brackets. */
static gboolean is_plain(const char *text, gsize length, gboolean flow)
{
	if (length == 0 || strpbrk(text, "\n\r\t") || (flow && strpbrk(text, ",[]{}")) ||
	    strchr("-?:#&*!|>'\"%@`=< ,[]{}", *text) || g_str_has_prefix(text, "...") ||
	    text[length - 1] == ' ' || text[length - 1] == ':' || strstr(text, ": ") ||
	    strstr(text, " #"))
		return FALSE;
	for (gsize i = 0; i < length; i++)
		if ((guchar)text[i] < 0x20 || text[i] == 0x7f)
			return FALSE;
	g_autoptr(MlvValue) read = mlv_yaml_scalar(text, length);
	return read->type == MLV_VALUE_STRING;
}

/* Whether no escapes are needed, which only double quotes have. */
static gboolean is_printable(const char *text, gsize length)
{
	for (gsize i = 0; i < length; i++)
		if ((guchar)text[i] < 0x20 || text[i] == 0x7f)
			return FALSE;
	/* NEL, and line and paragraph separators, which some take for line ends. */
	return !strstr(text, "\xc2\x85") && !strstr(text, "\xe2\x80\xa8") &&
	       !strstr(text, "\xe2\x80\xa9") && !strstr(text, "\xef\xbb\xbf");
}

static void append_string(GString *to, const char *text, gsize length, gboolean flow)
{
	if (!is_printable(text, length)) {
		mlv_value_append_json_string(to, text, length);
	} else if (is_plain(text, length, flow)) {
		g_string_append_len(to, text, (gssize)length);
	} else {
		g_string_append_c(to, '\'');
		for (gsize i = 0; i < length; i++)
			g_string_append(to, text[i] == '\'' ? "''" : (char[]){ text[i], '\0' });
		g_string_append_c(to, '\'');
	}
}

/* As it was written where YAML reads that as the same value, else in the usual form. */
static void append_scalar(GString *to, const MlvValue *value, gboolean flow)
{
	if (value->type == MLV_VALUE_STRING) {
		append_string(to, value->text, value->length, flow);
		return;
	}
	g_autoptr(MlvValue) again = mlv_yaml_scalar(value->text, value->length);
	if (value->length > 0 && mlv_value_equal(again, value)) {
		g_string_append(to, value->text);
	} else if (value->type == MLV_VALUE_FLOAT && !isfinite(value->real)) {
		g_string_append(to, isnan(value->real) ? ".nan"
				    : value->real < 0  ? "-.inf"
						       : ".inf");
	} else {
		g_autofree char *text = mlv_value_json(value);
		g_string_append(to, text);
	}
}

/* --- flow ------------------------------------------------------------------------------------- */

static void append_flow(GString *to, const MlvValue *value)
{
	gboolean map = value->type == MLV_VALUE_MAP;

	if (mlv_value_is_scalar(value)) {
		append_scalar(to, value, TRUE);
		return;
	}
	g_string_append_c(to, map ? '{' : '[');
	for (gsize i = 0; i < value->length; i++) {
		if (i)
			g_string_append(to, ", ");
		if (map) {
			append_scalar(to, value->entries[i].key, TRUE);
			g_string_append(to, ": ");
		}
		append_flow(to, map ? value->entries[i].value : value->items[i]);
	}
	g_string_append_c(to, map ? '}' : ']');
}

char *mlv_yaml_flow(const MlvValue *value)
{
	GString *text = g_string_new("");
	append_flow(text, value);
	return g_string_free(text, FALSE);
}

/* --- block ------------------------------------------------------------------------------------ */

static void append_blanks(GString *to, guint count)
{
	g_string_append_printf(to, "%*s", (int)count, "");
}

static gboolean is_block(const MlvValue *value)
{
	return !mlv_value_is_scalar(value) && value->length > 0;
}

/* The lines; the first is not indented. */
static void append_block(GString *to, const MlvValue *value, guint indent);

static void append_block_list(GString *to, const MlvValue *list, guint indent)
{
	for (gsize i = 0; i < list->length; i++) {
		if (i)
			append_blanks(to, indent);
		g_string_append(to, "- ");
		append_block(to, list->items[i], indent + 2);
	}
}

static void append_block_map(GString *to, const MlvValue *map, guint indent)
{
	for (gsize i = 0; i < map->length; i++) {
		const MlvValue *value = map->entries[i].value;

		if (i)
			append_blanks(to, indent);
		append_scalar(to, map->entries[i].key, FALSE);
		g_string_append_c(to, ':');
		if (!is_block(value)) {
			g_string_append_c(to, ' ');
			append_block(to, value, indent);
			continue;
		}
		guint inner = indent + 2;
		g_string_append_c(to, '\n');
		append_blanks(to, inner);
		append_block(to, value, inner);
	}
}

static void append_block(GString *to, const MlvValue *value, guint indent)
{
	if (!is_block(value)) {
		if (mlv_value_is_scalar(value))
			append_scalar(to, value, FALSE);
		else
			append_flow(to, value);
		g_string_append_c(to, '\n');
	} else if (value->type == MLV_VALUE_LIST) {
		append_block_list(to, value, indent);
	} else {
		append_block_map(to, value, indent);
	}
}

char *mlv_yaml_block(const MlvValue *value, guint indent)
{
	GString *text = g_string_new("");

	append_blanks(text, indent);
	append_block(text, value, indent);
	return g_string_free(text, FALSE);
}
