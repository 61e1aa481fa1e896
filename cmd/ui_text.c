/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "cmd/ui.h"

/* Characters that move the cursor, change colours or turn the direction of text, and so could
 * show a name as another. */
static gboolean is_harmful(gunichar c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* The bytes of one character, each as a C escape. */
static void append_escaped(GString *out, const char *bytes, gsize count)
{
	static const char letters[] = "abtnvfr"; /* 7 to 13 */

	for (gsize i = 0; i < count; i++) {
		guchar byte = (guchar)bytes[i];

		if (byte >= 7 && byte <= 13)
			g_string_append_printf(out, "\\%c", letters[byte - 7]);
		else if (byte == '"' || byte == '\\')
			g_string_append_printf(out, "\\%c", byte);
		else
			g_string_append_printf(out, "\\%03o", byte);
	}
}

/* Bytes of the character at `text`, and whether it may be shown. */
static gsize measure(const char *text, gboolean *show)
{
	gunichar c = g_utf8_get_char_validated(text, -1);

	if (c == (gunichar)-1 || c == (gunichar)-2) {
		*show = FALSE;
		return 1;
	}
	*show = !is_harmful(c);
	return (gsize)(g_utf8_next_char(text) - text);
}

static char *escape(const char *text, gboolean quote, gboolean *changed)
{
	GString *out = g_string_sized_new(strlen(text) + 2);

	*changed = FALSE;
	for (gsize length; *text; text += length) {
		gboolean show;

		length = measure(text, &show);
		if (quote && (*text == '"' || *text == '\\'))
			show = FALSE;
		if (show) {
			g_string_append_len(out, text, (gssize)length);
		} else {
			append_escaped(out, text, length);
			*changed = TRUE;
		}
	}
	return g_string_free(out, FALSE);
}

char *mlv_ui_name(const char *name)
{
	gboolean changed;
	g_autofree char *escaped = escape(name, TRUE, &changed);

	return changed ? g_strdup_printf("\"%s\"", escaped) : g_steal_pointer(&escaped);
}

char *mlv_ui_printable(const char *text)
{
	gboolean changed;

	return escape(text, FALSE, &changed);
}

void mlv_ui_put_name(const char *name, gboolean zero)
{
	g_autofree char *shown = zero ? NULL : mlv_ui_name(name);

	if (zero)
		fwrite(name, 1, strlen(name) + 1, stdout);
	else
		printf("%s\n", shown);
}

char *mlv_ui_size(guint64 bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	gsize unit = 0;

	if (bytes < 1024)
		return g_strdup_printf("%d B", (int)bytes);
	/* 1023.95 would be printed as 1024.0 */
	for (; value >= 1023.95 && unit + 1 < G_N_ELEMENTS(units); unit++)
		value /= 1024;
	return g_strdup_printf("%.1f %s", value, units[unit]);
}

char *mlv_ui_duration(gint64 microseconds)
{
	gint64 milliseconds = MAX(0, microseconds) / 1000;
	gint64 seconds = (milliseconds + 500) / 1000;

	if (milliseconds < 1000)
		return g_strdup_printf("%d ms", (int)milliseconds);
	if (milliseconds < 59950)
		return g_strdup_printf("%.1f s", (double)milliseconds / 1000);
	if (seconds < 3600)
		return g_strdup_printf("%d min %d s", (int)(seconds / 60), (int)(seconds % 60));
	return g_strdup_printf("%" G_GINT64_FORMAT " h %d min", seconds / 3600,
			       (int)(seconds % 3600 / 60));
}

/* 1234567 as "1,234,567". */
static char *grouped(guint64 count)
{
	g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, count);
	gsize length = strlen(digits);
	GString *out = g_string_new(NULL);

	for (gsize i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			g_string_append_c(out, ',');
		g_string_append_c(out, digits[i]);
	}
	return g_string_free(out, FALSE);
}

char *mlv_ui_count(guint64 count, const char *one, const char *many)
{
	g_autofree char *number = grouped(count);

	return g_strdup_printf("%s %s", number, count == 1 ? one : many);
}

char *mlv_ui_plural(guint64 count, const char *one)
{
	g_autofree char *many = g_strconcat(one, "s", NULL);

	return mlv_ui_count(count, one, many);
}

struct MlvColumns {
	char *align;
	guint count;
	GPtrArray *cells; /* char *, row by row */
};

MlvColumns *mlv_ui_columns_new(const char *align)
{
	MlvColumns *columns = g_new0(MlvColumns, 1);

	columns->align = g_strdup(align);
	columns->count = (guint)strlen(align);
	columns->cells = g_ptr_array_new_with_free_func(g_free);
	return columns;
}

void mlv_ui_columns_add(MlvColumns *columns, ...)
{
	va_list ap;

	va_start(ap, columns);
	for (guint i = 0; i < columns->count; i++)
		g_ptr_array_add(columns->cells, g_strdup(va_arg(ap, const char *)));
	va_end(ap);
}

void mlv_ui_columns_add_row(MlvColumns *columns, const char *const *cells)
{
	for (guint i = 0; i < columns->count; i++)
		g_ptr_array_add(columns->cells, g_strdup(cells[i]));
}

/* Cells of a terminal that a text takes; colour sequences take none. */
static guint width(const char *text)
{
	guint cells = 0;

	for (const char *p = text; *p;) {
		gunichar c = g_utf8_get_char_validated(p, -1);

		if (*p == '\033') {
			p += strcspn(p, "m");
			p += *p == 'm';
			continue;
		}
		if (c == (gunichar)-1 || c == (gunichar)-2) {
			cells++;
			p++;
			continue;
		}
		if (!g_unichar_iszerowidth(c))
			cells += g_unichar_iswide(c) ? 2 : 1;
		p = g_utf8_next_char(p);
	}
	return cells;
}

/* Without blanks at the end, where the last cells are empty. */
static void print_row(FILE *out, const MlvColumns *columns, char *const *cells, const guint *widths)
{
	guint count = columns->count;

	while (count > 1 && !*cells[count - 1])
		count--;
	for (guint i = 0; i < count; i++) {
		int pad = (int)(widths[i] - width(cells[i]));
		gboolean right = columns->align[i] == 'r', last = i + 1 == count;

		if (right)
			fprintf(out, "%*s", pad, "");
		fputs(cells[i], out);
		if (!right && !last)
			fprintf(out, "%*s", pad, "");
		fputs(last ? "\n" : "  ", out);
	}
}

void mlv_ui_columns_print(MlvColumns *columns, FILE *out)
{
	g_autofree guint *widths = g_new0(guint, columns->count);
	char **cells = (char **)columns->cells->pdata;

	for (guint i = 0; i < columns->cells->len; i++)
		widths[i % columns->count] = MAX(widths[i % columns->count], width(cells[i]));
	for (guint i = 0; i < columns->cells->len; i += columns->count)
		print_row(out, columns, cells + i, widths);
	g_ptr_array_unref(columns->cells);
	g_free(columns->align);
	g_free(columns);
}
