/* SPDX-License-Identifier: Apache-2.0 */
#include "core/yaml_quote.h"

#include <string.h>

typedef struct {
	const char *at, *end;
	GString *text;
	gsize kept; /* of the text: behind it are only blanks as they are written */
} Scanner;

static gboolean is_break(const Scanner *scanner)
{
	return scanner->at < scanner->end && (*scanner->at == '\n' || *scanner->at == '\r');
}

/* Passes over line ends and the blanks around them; how many line ends there were. */
static gsize skip_lines(Scanner *scanner)
{
	gsize lines = 0;

	while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at)) {
		gboolean both = scanner->end - scanner->at > 1 && scanner->at[0] == '\r' &&
				scanner->at[1] == '\n';
		lines += is_break(scanner);
		scanner->at += both ? 2 : 1;
	}
	return lines;
}

static void append_lines(Scanner *scanner, gsize lines)
{
	for (gsize i = 0; i < lines; i++)
		g_string_append_c(scanner->text, '\n');
	scanner->kept = scanner->text->len;
}

/* Blanks around a line end go; one line end is a blank, more are one less. */
static void fold(Scanner *scanner)
{
	g_string_truncate(scanner->text, scanner->kept);
	gsize lines = skip_lines(scanner);
	if (lines == 1)
		g_string_append_c(scanner->text, ' ');
	append_lines(scanner, lines - 1);
}

/* One byte as it is. */
static void take(Scanner *scanner)
{
	char c = *scanner->at++;

	g_string_append_c(scanner->text, c);
	if (c != ' ' && c != '\t')
		scanner->kept = scanner->text->len;
}

static char *finish(Scanner *scanner, gsize *length)
{
	*length = scanner->text->len;
	return g_string_free(scanner->text, FALSE);
}

char *mlv_yaml_unquote_single(const char *raw, gsize *length)
{
	Scanner scanner = { raw, raw + *length, g_string_sized_new(*length), 0 };

	while (scanner.at < scanner.end) {
		if (is_break(&scanner)) {
			fold(&scanner);
			continue;
		}
		gboolean quote = *scanner.at == '\'';
		take(&scanner);
		scanner.at += quote;
	}
	return finish(&scanner, length);
}

/* `count` hex digits. */
static gboolean read_hex(Scanner *scanner, guint count, gunichar *unit)
{
	*unit = 0;
	if ((gsize)(scanner->end - scanner->at) < count)
		return FALSE;
	for (guint i = 0; i < count; i++) {
		int digit = g_ascii_xdigit_value(*scanner->at++);
		if (digit < 0)
			return FALSE;
		*unit = *unit << 4 | (gunichar)digit;
	}
	return TRUE;
}

/* The code of a character in hex digits; two of four digits may be a pair, as in JSON. */
static gboolean read_code(Scanner *scanner, guint count)
{
	gunichar unit, low;

	if (!read_hex(scanner, count, &unit))
		return FALSE;
	if (count == 4 && unit >= 0xd800 && unit < 0xdc00 && scanner->end - scanner->at >= 6 &&
	    scanner->at[0] == '\\' && scanner->at[1] == 'u') {
		scanner->at += 2;
		if (!read_hex(scanner, 4, &low) || low < 0xdc00 || low >= 0xe000)
			return FALSE;
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	if (unit == 0 || !g_unichar_validate(unit))
		return FALSE;
	g_string_append_unichar(scanner->text, unit);
	return TRUE;
}

/* What follows a backslash. */
static gboolean read_escape(Scanner *scanner)
{
	static const struct {
		char name;
		gunichar unit;
	} escapes[] = {
		{ 'a', 7 },      { 'b', 8 },      { 't', 9 },     { '\t', 9 },   { 'n', 10 },
		{ 'v', 11 },     { 'f', 12 },     { 'r', 13 },    { 'e', 27 },   { ' ', ' ' },
		{ '"', '"' },    { '/', '/' },    { '\\', '\\' }, { 'N', 0x85 }, { '_', 0xa0 },
		{ 'L', 0x2028 }, { 'P', 0x2029 },
	};

	scanner->at++;
	if (scanner->at == scanner->end)
		return FALSE;
	if (is_break(scanner)) {
		/* The line end goes; blanks before it stay, lines that are empty behind it too. */
		append_lines(scanner, skip_lines(scanner) - 1);
		return TRUE;
	}
	char name = *scanner->at++;
	if (name == 'x' || name == 'u' || name == 'U')
		return read_code(scanner, name == 'x' ? 2 : name == 'u' ? 4 : 8);
	for (gsize i = 0; i < G_N_ELEMENTS(escapes); i++)
		if (escapes[i].name == name) {
			g_string_append_unichar(scanner->text, escapes[i].unit);
			return TRUE;
		}
	return FALSE;
}

char *mlv_yaml_unquote_double(const char *raw, gsize *length)
{
	Scanner scanner = { raw, raw + *length, g_string_sized_new(*length), 0 };

	while (scanner.at < scanner.end) {
		if (is_break(&scanner)) {
			fold(&scanner);
		} else if (*scanner.at != '\\') {
			take(&scanner);
		} else if (read_escape(&scanner)) {
			scanner.kept = scanner.text->len;
		} else {
			g_string_free(scanner.text, TRUE);
			return NULL;
		}
	}
	return finish(&scanner, length);
}
