/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/markup.h"

#include <math.h>
#include <string.h>

#include "cmd/ui.h"

char *mlv_markdown_text(const char *text)
{
	g_autofree char *plain = mlv_ui_printable(text);
	GString *out = g_string_new(NULL);

	for (const char *at = plain; *at; at++) {
		if (strchr("\\`*_[]|#~!", *at)) {
			g_string_append_c(out, '\\');
			g_string_append_c(out, *at);
		} else if (*at == '<' || *at == '>' || *at == '&' || *at == '@') {
			g_string_append_printf(out, "&#%d;", *at);
		} else {
			g_string_append_c(out, *at);
		}
	}
	return g_string_free(out, FALSE);
}

void mlv_markdown_row(GString *out, const char *const *cells, guint count)
{
	for (guint i = 0; i < count; i++) {
		g_autofree char *cell = mlv_markdown_text(cells[i]);
		g_string_append_printf(out, "| %s ", cell);
	}
	g_string_append(out, "|\n");
}

void mlv_markdown_rule(GString *out, const char *align)
{
	for (; *align; align++)
		g_string_append(out, *align == 'r' ? "| ---: " : "| --- ");
	g_string_append(out, "|\n");
}

char *mlv_csv_field(const char *text)
{
	g_auto(GStrv) parts = NULL;
	g_autofree char *inner = NULL;

	if (!strpbrk(text, "\",\r\n"))
		return g_strdup(text);
	parts = g_strsplit(text, "\"", -1);
	inner = g_strjoinv("\"\"", parts);
	return g_strconcat("\"", inner, "\"", NULL);
}

void mlv_csv_row(GString *out, const char *const *cells, guint count)
{
	for (guint i = 0; i < count; i++) {
		g_autofree char *field = mlv_csv_field(cells[i]);
		g_string_append_printf(out, "%s%s", i ? "," : "", field);
	}
	g_string_append_c(out, '\n');
}

/* The same value without numbers that JSON has not. New reference. */
static MlvValue *for_json(const MlvValue *value)
{
	if (mlv_value_is(value, MLV_VALUE_FLOAT) && !isfinite(value->real))
		return mlv_value_new_string(isnan(value->real) ? "NaN"
					    : value->real < 0  ? "-Infinity"
							       : "Infinity");
	if (mlv_value_is(value, MLV_VALUE_LIST)) {
		GPtrArray *items = g_ptr_array_new();

		for (gsize i = 0; i < value->length; i++)
			g_ptr_array_add(items, for_json(value->items[i]));
		return mlv_value_new_list(items);
	}
	if (mlv_value_is(value, MLV_VALUE_MAP)) {
		GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvEntry));

		for (gsize i = 0; i < value->length; i++)
			mlv_value_add(entries, value->entries[i].key->text,
				      for_json(value->entries[i].value));
		return mlv_value_new_map(entries);
	}
	return mlv_value_ref(value);
}

char *mlv_json_value(const MlvValue *value)
{
	g_autoptr(MlvValue) valid = for_json(value);
	return mlv_value_json(valid);
}

static char *quote(const char *text, const char *for_quote, const char *for_backslash)
{
	GString *quoted = g_string_new("\"");

	for (; *text; text++) {
		if (*text == '"')
			g_string_append(quoted, for_quote);
		else if (*text == '\\')
			g_string_append(quoted, for_backslash);
		else
			g_string_append_c(quoted, *text);
	}
	g_string_append_c(quoted, '"');
	return g_string_free(quoted, FALSE);
}

char *mlv_dot_text(const char *text)
{
	return quote(text, "\\\"", "\\\\");
}

char *mlv_mermaid_text(const char *text)
{
	return quote(text, "#quot;", "\\");
}
