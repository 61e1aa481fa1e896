/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON: a page of code that is as fast on one line of a log as on a file, takes the NaN
 * that Python writes, and knows where everything stands. */
#include <math.h>
#include <string.h>

#include "core/value_private.h"

typedef struct {
	const char *data, *at, *end;
	const char *label;
	char *file; /* GRefString */
	MlvPlace place;
	guint depth;
} Reader;

static MlvValue *read_value(Reader *reader, GError **error);

/* Fails at `spot`. */
G_GNUC_PRINTF(4, 5)
static gpointer fail(Reader *reader, const char *spot, GError **error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	mlv_place_move(&reader->place, (gsize)(spot - reader->data));
	MlvWhere where = { reader->label, reader->place.line, reader->place.column };
	mlv_fail_at(error, &where, MLV_ERROR_CORRUPT, "%s", text);
	return NULL;
}

static void skip_blanks(Reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
					    *reader->at == '\n' || *reader->at == '\r'))
		reader->at++;
}

/* The byte that comes next, 0 at the end. */
static char peek(const Reader *reader)
{
	return reader->at < reader->end ? *reader->at : '\0';
}

/* Whether "-I" comes next. */
static gboolean starts_infinity(const Reader *reader)
{
	return reader->end - reader->at > 1 && reader->at[1] == 'I';
}

/* Says where a value that began at `start` stands. */
static MlvValue *placed(Reader *reader, MlvValue *value, const char *start, MlvPlace place,
			MlvValueStyle style)
{
	mlv_value_set_where(value, reader->file, place.line, place.column);
	value->start = (guint32)(start - reader->data);
	value->end = (guint32)(reader->at - reader->data);
	value->style = (guint8)style;
	return value;
}

static gboolean read_hex(const char *at, const char *end, gunichar *unit)
{
	*unit = 0;
	if (end - at < 4)
		return FALSE;
	for (int i = 0; i < 4; i++) {
		int digit = g_ascii_xdigit_value(at[i]);
		if (digit < 0)
			return FALSE;
		*unit = *unit * 16 + (gunichar)digit;
	}
	return TRUE;
}

/* What stands behind "\u"; `at` moves behind it. */
static gboolean read_unicode(Reader *reader, GString *text, GError **error)
{
	const char *start = reader->at - 2;
	gunichar unit, low;

	if (!read_hex(reader->at, reader->end, &unit))
		return fail(reader, start, error, "expected four hex digits behind '\\u'") != NULL;
	reader->at += 4;
	if (unit >= 0xd800 && unit < 0xdc00 && reader->end - reader->at >= 6 &&
	    reader->at[0] == '\\' && reader->at[1] == 'u' &&
	    read_hex(reader->at + 2, reader->end, &low) && low >= 0xdc00 && low < 0xe000) {
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
		reader->at += 6;
	}
	if (unit == 0 || (unit >= 0xd800 && unit < 0xe000))
		return fail(reader, start, error, "'\\u%04x' is no character", unit) != NULL;
	g_string_append_unichar(text, unit);
	return TRUE;
}

static gboolean read_escape(Reader *reader, GString *text, GError **error)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = ++reader->at < reader->end ? *reader->at : '\0';
	const char *known = c ? strchr(from, c) : NULL;

	reader->at++;
	if (c == 'u')
		return read_unicode(reader, text, error);
	if (!known)
		return fail(reader, reader->at - 2, error,
			    "'\\%c' is no escape of JSON: a backslash is written '\\\\'",
			    g_ascii_isprint(c) ? c : ' ') != NULL;
	g_string_append_c(text, to[known - from]);
	return TRUE;
}

static MlvValue *read_string(Reader *reader, GError **error)
{
	const char *start = reader->at++;
	MlvPlace place = reader->place;
	g_autoptr(GString) text = NULL;

	for (;;) {
		const char *run = reader->at;
		while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\' &&
		       (guchar)*reader->at >= 0x20)
			reader->at++;
		if (peek(reader) == '"' && !text) {
			MlvValue *value =
				mlv_value_new_string_length(run, (gsize)(reader->at - run));
			reader->at++;
			return placed(reader, value, start, place, MLV_STYLE_PLAIN);
		}
		if (!text)
			text = g_string_new("");
		g_string_append_len(text, run, reader->at - run);
		if (peek(reader) == '"')
			break;
		if (peek(reader) != '\\')
			return fail(reader, reader->at == reader->end ? start : reader->at, error,
				    "a string that has no end on its line");
		if (!read_escape(reader, text, error))
			return NULL;
	}
	reader->at++;
	return placed(reader, mlv_value_new_string_length(text->str, text->len), start, place,
		      MLV_STYLE_PLAIN);
}

static gsize digits_at(const Reader *reader)
{
	const char *at = reader->at;
	while (at < reader->end && g_ascii_isdigit(*at))
		at++;
	return (gsize)(at - reader->at);
}

static MlvValue *read_number(Reader *reader, GError **error)
{
	const char *start = reader->at;
	MlvPlace place = reader->place;
	gboolean whole = TRUE, bad = FALSE;

	reader->at += *reader->at == '-';
	gsize digits = digits_at(reader);
	bad |= digits == 0 || (digits > 1 && *reader->at == '0');
	reader->at += digits;
	if (peek(reader) == '.') {
		whole = FALSE;
		reader->at++;
		digits = digits_at(reader);
		bad |= digits == 0;
		reader->at += digits;
	}
	if (peek(reader) == 'e' || peek(reader) == 'E') {
		whole = FALSE;
		reader->at++;
		reader->at += peek(reader) == '-' || peek(reader) == '+';
		digits = digits_at(reader);
		bad |= digits == 0;
		reader->at += digits;
	}
	if (bad)
		return fail(reader, start, error, "not a number of JSON");
	gsize length = (gsize)(reader->at - start);
	MlvValue *value = whole ? mlv_value_new_decimal(start, length)
				: mlv_value_new_scalar(MLV_VALUE_FLOAT, start, length);
	if (!whole)
		value->real = g_ascii_strtod(value->text, NULL);
	return placed(reader, value, start, place, MLV_STYLE_PLAIN);
}

static MlvValue *read_word(Reader *reader, GError **error)
{
	static const struct {
		const char *word;
		MlvValueType type;
		gboolean boolean;
		double real;
	} words[] = {
		{ "null", MLV_VALUE_NULL, FALSE, 0 },
		{ "true", MLV_VALUE_BOOL, TRUE, 0 },
		{ "false", MLV_VALUE_BOOL, FALSE, 0 },
		{ "NaN", MLV_VALUE_FLOAT, FALSE, NAN },
		{ "Infinity", MLV_VALUE_FLOAT, FALSE, INFINITY },
		{ "-Infinity", MLV_VALUE_FLOAT, FALSE, -INFINITY },
	};
	const char *start = reader->at;
	MlvPlace place = reader->place;

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		gsize length = strlen(words[i].word);
		if ((gsize)(reader->end - start) < length ||
		    memcmp(start, words[i].word, length) != 0)
			continue;
		reader->at += length;
		MlvValue *value = mlv_value_new_scalar(words[i].type, start, length);
		if (words[i].type == MLV_VALUE_BOOL)
			value->boolean = words[i].boolean;
		else if (words[i].type == MLV_VALUE_FLOAT)
			value->real = words[i].real;
		return placed(reader, value, start, place, MLV_STYLE_PLAIN);
	}
	if (start == reader->end)
		return fail(reader, start, error, "the text ends where a value is expected");
	return fail(reader, start, error, "expected a value of JSON");
}

/* Behind an element: TRUE with *more at a comma, TRUE without at `close`. */
static gboolean read_separator(Reader *reader, char close, gboolean *more, GError **error)
{
	skip_blanks(reader);
	char c = peek(reader);
	*more = c == ',';
	if (c != ',' && c != close)
		return fail(reader, reader->at, error, "expected ',' or '%c'", close) != NULL;
	reader->at++;
	return TRUE;
}

static MlvValue *read_list(Reader *reader, GError **error)
{
	const char *start = reader->at++;
	MlvPlace place = reader->place;
	g_autoptr(GPtrArray) items =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_value_unref);
	gboolean more = TRUE;

	skip_blanks(reader);
	if (peek(reader) == ']') {
		reader->at++;
		more = FALSE;
	}
	while (more) {
		MlvValue *item = read_value(reader, error);
		if (!item)
			return NULL;
		g_ptr_array_add(items, item);
		if (!read_separator(reader, ']', &more, error))
			return NULL;
	}
	return placed(reader, mlv_value_new_list(g_steal_pointer(&items)), start, place,
		      MLV_STYLE_FLOW);
}

static gboolean read_entry(Reader *reader, GArray *entries, GError **error)
{
	skip_blanks(reader);
	if (peek(reader) != '"')
		return fail(reader, reader->at, error, "expected a key in double quotes") != NULL;
	mlv_place_move(&reader->place, (gsize)(reader->at - reader->data));
	g_autoptr(MlvValue) key = read_string(reader, error);
	if (!key)
		return FALSE;
	skip_blanks(reader);
	if (peek(reader) != ':')
		return fail(reader, reader->at, error, "expected ':' behind the key '%s'",
			    key->text) != NULL;
	reader->at++;
	MlvValue *value = read_value(reader, error);
	if (!value)
		return FALSE;
	MlvEntry entry = { g_steal_pointer(&key), value, FALSE };
	g_array_append_val(entries, entry);
	return TRUE;
}

static MlvValue *read_map(Reader *reader, GError **error)
{
	const char *start = reader->at++;
	MlvPlace place = reader->place;
	GArray *entries = mlv_value_new_entries();
	gboolean more = TRUE, ok = TRUE;

	skip_blanks(reader);
	if (peek(reader) == '}') {
		reader->at++;
		more = FALSE;
	}
	while (ok && more)
		ok = read_entry(reader, entries, error) &&
		     read_separator(reader, '}', &more, error);
	const MlvValue *twice = ok ? mlv_value_duplicate_key(entries) : NULL;
	if (twice) {
		mlv_fail_at(error, &twice->where, MLV_ERROR_CORRUPT, "the key '%s' stands twice",
			    twice->text);
		ok = FALSE;
	}
	if (!ok) {
		mlv_value_free_entries(entries);
		return NULL;
	}
	return placed(reader, mlv_value_new_map(entries), start, place, MLV_STYLE_FLOW);
}

static MlvValue *read_value(Reader *reader, GError **error)
{
	MlvValue *value;

	skip_blanks(reader);
	mlv_place_move(&reader->place, (gsize)(reader->at - reader->data));
	char c = peek(reader);
	if (c == '"')
		return read_string(reader, error);
	if (g_ascii_isdigit(c) || (c == '-' && !starts_infinity(reader)))
		return read_number(reader, error);
	if (c != '[' && c != '{')
		return read_word(reader, error);
	if (reader->depth == MLV_VALUE_DEPTH_MAX)
		return fail(reader, reader->at, error, "nested deeper than %d",
			    MLV_VALUE_DEPTH_MAX);
	reader->depth++;
	value = c == '[' ? read_list(reader, error) : read_map(reader, error);
	reader->depth--;
	return value;
}

MlvValue *mlv_value_parse_json(const char *data, gsize length, const char *label, GError **error)
{
	Reader reader = { .data = data, .at = data, .end = data + length, .label = label };
	g_autoptr(MlvValue) value = NULL;

	if (length > G_MAXINT32) {
		mlv_fail(error, MLV_ERROR_CORRUPT, "'%s' is too large to be read", label);
		return NULL;
	}
	if (!mlv_value_check_text(data, length, label, error))
		return NULL;
	mlv_place_init(&reader.place, data);
	reader.file = g_ref_string_new(label);
	value = read_value(&reader, error);
	g_ref_string_release(reader.file);
	if (!value)
		return NULL;
	skip_blanks(&reader);
	if (reader.at < reader.end)
		return fail(&reader, reader.at, error, "something stands behind the value");
	return g_steal_pointer(&value);
}
