/* SPDX-License-Identifier: Apache-2.0 */
#include "core/textdiff.h"

#include <string.h>

#include "core/git_diff.h"

/* A carriage return is part of a line end, and nothing else: elsewhere it would hide what stands
 * before it. */
static gboolean is_harmless(const guint8 *data, gsize length)
{
	for (gsize i = 0; i < length; i++) {
		guint8 c = data[i];

		if (c >= 0x20 && c != 0x7f)
			continue;
		if (c == '\r' ? i + 1 < length && data[i + 1] == '\n'
			      : c == '\t' || c == '\n' || c == '\f')
			continue;
		return FALSE;
	}
	return TRUE;
}

gboolean mlv_textdiff_is_text(GBytes *bytes)
{
	gsize length;
	const guint8 *data = g_bytes_get_data(bytes, &length);

	return length <= MLV_TEXTDIFF_MAX && is_harmless(data, length) &&
	       (length == 0 || g_utf8_validate((const char *)data, (gssize)length, NULL));
}

/* --- JSON in one line ------------------------------------------------------------------------- */

static gboolean is_json_line(const guint8 *data, gsize length)
{
	const guint8 *newline = length ? memchr(data, '\n', length) : NULL;

	return length > 0 && (data[0] == '{' || data[0] == '[') &&
	       (!newline || newline == data + length - 1);
}

static void begin_line(GString *out, guint depth)
{
	g_string_append_c(out, '\n');
	for (guint i = 0; i < MIN(depth, 32); i++)
		g_string_append(out, "  ");
}

/* Breaks the line at braces, brackets and commas outside of strings. Whether it is valid JSON
 * does not matter: no byte but blanks between is changed. */
static GString *lay_out_json(const guint8 *data, gsize length)
{
	GString *out = g_string_sized_new(length * 2);
	gboolean in_string = FALSE;
	guint depth = 0;

	for (gsize i = 0; i < length; i++) {
		char c = (char)data[i];

		if (in_string) {
			g_string_append_c(out, c);
			if (c == '\\' && i + 1 < length)
				g_string_append_c(out, (char)data[++i]);
			in_string = c != '"';
			continue;
		}
		if (c == '}' || c == ']') {
			depth -= depth > 0;
			begin_line(out, depth);
		}
		if (c != ' ' || (out->len && out->str[out->len - 1] != ' '))
			g_string_append_c(out, c);
		if (c == '{' || c == '[') {
			depth++;
			begin_line(out, depth);
		} else if (c == ',') {
			begin_line(out, depth);
		}
		in_string = c == '"';
	}
	return out;
}

/* --- lines ------------------------------------------------------------------------------------ */

char *mlv_textdiff_format(GBytes *from, GBytes *to, guint context, GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GString) old_lines = NULL, new_lines = NULL;
	gsize old_length = 0, new_length = 0;
	const void *old_data = from ? g_bytes_get_data(from, &old_length) : NULL;
	const void *new_data = to ? g_bytes_get_data(to, &new_length) : NULL;

	if (is_json_line(old_data, old_length) && is_json_line(new_data, new_length)) {
		old_lines = lay_out_json(old_data, old_length);
		new_lines = lay_out_json(new_data, new_length);
		old_data = old_lines->str;
		new_data = new_lines->str;
		old_length = old_lines->len;
		new_length = new_lines->len;
	}
	if (!mlv_git_diff_buffers(old_data ? old_data : "", old_length, new_data ? new_data : "",
				  new_length, context, out, error))
		return NULL;
	if (out->len && out->str[out->len - 1] != '\n')
		g_string_append_c(out, '\n');
	return g_string_free(g_steal_pointer(&out), FALSE);
}
