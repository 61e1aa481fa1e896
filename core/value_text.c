/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: as Python prints them, as JSON, and the one form that equal values share. */
#include <math.h>
#include <string.h>

#include "core/value.h"
#include "core/value_private.h"

/* --- numbers ---------------------------------------------------------------------------------- */

/* The shortest digits that read back the same, as "d.ddde-05". Fifteen digits always survive the
 * way to a normal double and back, so that fewer need no trying; denormals have less precision. */
static void shortest(double real, char *text, int size)
{
	for (int digits = fabs(real) < 2.3e-308 ? 0 : 14; digits <= 16; digits++) {
		char format[8];
		g_snprintf(format, sizeof format, "%%.%de", digits);
		g_ascii_formatd(text, size, format, real);
		if (g_ascii_strtod(text, NULL) == real)
			return;
	}
}

char *mlv_value_float_text(double real)
{
	char text[64], digits[32];

	if (isnan(real))
		return g_strdup("nan");
	if (isinf(real))
		return g_strdup(real < 0 ? "-inf" : "inf");
	if (real == 0)
		return g_strdup(signbit(real) ? "-0.0" : "0.0");
	shortest(real, text, sizeof text);

	const char *sign = real < 0 ? "-" : "";
	char *e = strchr(text, 'e');
	int exponent = (int)g_ascii_strtoll(e + 1, NULL, 10), count = 0;
	for (const char *at = text; at < e; at++)
		if (g_ascii_isdigit(*at))
			digits[count++] = *at;
	while (count > 1 && digits[count - 1] == '0')
		count--;
	digits[count] = '\0';

	if (exponent < -4 || exponent >= 16)
		return g_strdup_printf("%s%c%s%se%c%02d", sign, digits[0], count > 1 ? "." : "",
				       digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
	if (exponent < 0)
		return g_strdup_printf("%s0.%.*s%s", sign, -exponent - 1, "000", digits);
	if (count <= exponent + 1)
		return g_strdup_printf("%s%s%.*s.0", sign, digits, exponent + 1 - count,
				       "0000000000000000");
	return g_strdup_printf("%s%.*s.%s", sign, exponent + 1, digits, digits + exponent + 1);
}

char *mlv_value_digits(const MlvValue *value)
{
	if (!value->big)
		return g_strdup_printf("%" G_GINT64_FORMAT, value->integer);
	const char *at = value->text;
	gboolean negative = *at == '-';
	at += *at == '-' || *at == '+';
	while (*at == '0' && at[1])
		at++;
	return g_strconcat(negative ? "-" : "", at, NULL);
}

/* --- text ------------------------------------------------------------------------------------- */

char *mlv_value_text(const MlvValue *value)
{
	switch (value->type) {
	case MLV_VALUE_NULL:
		return g_strdup("None");
	case MLV_VALUE_BOOL:
		return g_strdup(value->boolean ? "true" : "false");
	case MLV_VALUE_INT:
		return mlv_value_digits(value);
	case MLV_VALUE_FLOAT:
		return mlv_value_float_text(value->real);
	case MLV_VALUE_STRING:
		return g_strndup(value->text, value->length);
	default:
		return mlv_value_json(value);
	}
}

char *mlv_value_written(const MlvValue *value)
{
	if (!mlv_value_is_scalar(value))
		return mlv_value_json(value);
	if (value->type == MLV_VALUE_NULL && value->length == 0)
		return g_strdup("null");
	return g_strndup(value->text, value->length);
}

/* --- JSON ------------------------------------------------------------------------------------- */

void mlv_value_append_json_string(GString *to, const char *text, gsize length)
{
	static const char escapes[] = "btn\0fr"; /* of 8 to 13 */

	g_string_append_c(to, '"');
	for (gsize i = 0; i < length; i++) {
		guchar c = (guchar)text[i];
		if (c == '"' || c == '\\') {
			g_string_append_c(to, '\\');
			g_string_append_c(to, (char)c);
		} else if (c >= 8 && c <= 13 && escapes[c - 8]) {
			g_string_append_c(to, '\\');
			g_string_append_c(to, escapes[c - 8]);
		} else if (c < 0x20 || c == 0x7f) {
			g_string_append_printf(to, "\\u%04x", c);
		} else {
			g_string_append_c(to, (char)c);
		}
	}
	g_string_append_c(to, '"');
}

static void append_float(GString *to, double real, gboolean canonical)
{
	g_autofree char *text = NULL;

	if (isnan(real)) {
		g_string_append(to, "NaN");
		return;
	}
	if (isinf(real)) {
		g_string_append(to, real < 0 ? "-Infinity" : "Infinity");
		return;
	}
	if (canonical && real == floor(real)) {
		/* Like the int of the same amount; all its digits are exact. 0 has no sign. */
		char digits[512];
		g_ascii_formatd(digits, sizeof digits, "%.0f", real == 0 ? 0 : real);
		g_string_append(to, digits);
		return;
	}
	text = mlv_value_float_text(real);
	g_string_append(to, text);
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
	const MlvEntry *const *first = a, *const *second = b;
	return strcmp((*first)->key->text, (*second)->key->text);
}

static void append_json(GString *to, const MlvValue *value, gboolean canonical);

static void append_map(GString *to, const MlvValue *map, gboolean canonical)
{
	g_autofree const MlvEntry **entries = g_new(const MlvEntry *, map->length + 1);

	for (gsize i = 0; i < map->length; i++)
		entries[i] = &map->entries[i];
	if (canonical && map->length > 1)
		qsort(entries, map->length, sizeof *entries, compare_entries);
	g_string_append_c(to, '{');
	for (gsize i = 0; i < map->length; i++) {
		if (i)
			g_string_append(to, canonical ? "," : ", ");
		mlv_value_append_json_string(to, entries[i]->key->text, entries[i]->key->length);
		g_string_append(to, canonical ? ":" : ": ");
		append_json(to, entries[i]->value, canonical);
	}
	g_string_append_c(to, '}');
}

static void append_list(GString *to, const MlvValue *list, gboolean canonical)
{
	g_string_append_c(to, '[');
	for (gsize i = 0; i < list->length; i++) {
		if (i)
			g_string_append(to, canonical ? "," : ", ");
		append_json(to, list->items[i], canonical);
	}
	g_string_append_c(to, ']');
}

static void append_json(GString *to, const MlvValue *value, gboolean canonical)
{
	switch (value->type) {
	case MLV_VALUE_NULL:
		g_string_append(to, "null");
		break;
	case MLV_VALUE_BOOL:
		g_string_append(to, value->boolean ? "true" : "false");
		break;
	case MLV_VALUE_INT: {
		g_autofree char *digits = mlv_value_digits(value);
		g_string_append(to, digits);
		break;
	}
	case MLV_VALUE_FLOAT:
		append_float(to, value->real, canonical);
		break;
	case MLV_VALUE_STRING:
		mlv_value_append_json_string(to, value->text, value->length);
		break;
	case MLV_VALUE_LIST:
		append_list(to, value, canonical);
		break;
	default:
		append_map(to, value, canonical);
	}
}

char *mlv_value_json(const MlvValue *value)
{
	GString *text = g_string_new("");
	append_json(text, value, FALSE);
	return g_string_free(text, FALSE);
}

char *mlv_value_canonical(const MlvValue *value)
{
	GString *text = g_string_new("");
	append_json(text, value, TRUE);
	return g_string_free(text, FALSE);
}

/* --- equality --------------------------------------------------------------------------------- */

static gboolean numbers_equal(const MlvValue *a, const MlvValue *b)
{
	if (a->type == MLV_VALUE_INT && b->type == MLV_VALUE_INT && !a->big && !b->big)
		return a->integer == b->integer;
	if (a->type == MLV_VALUE_FLOAT && b->type == MLV_VALUE_FLOAT)
		return a->real == b->real || (isnan(a->real) && isnan(b->real));
	g_autofree char *first = mlv_value_canonical(a);
	g_autofree char *second = mlv_value_canonical(b);
	return strcmp(first, second) == 0;
}

static gboolean is_number(const MlvValue *value)
{
	return value->type == MLV_VALUE_INT || value->type == MLV_VALUE_FLOAT;
}

static gboolean maps_equal(const MlvValue *a, const MlvValue *b)
{
	for (gsize i = 0; i < a->length; i++)
		if (!mlv_value_equal(a->entries[i].value,
				     mlv_value_get(b, a->entries[i].key->text)))
			return FALSE;
	return TRUE;
}

gboolean mlv_value_equal(const MlvValue *a, const MlvValue *b)
{
	if (a == b)
		return TRUE;
	if (!a || !b)
		return FALSE;
	if (is_number(a) && is_number(b))
		return numbers_equal(a, b);
	if (a->type != b->type)
		return FALSE;
	switch (a->type) {
	case MLV_VALUE_NULL:
		return TRUE;
	case MLV_VALUE_BOOL:
		return !a->boolean == !b->boolean;
	case MLV_VALUE_STRING:
		return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
	case MLV_VALUE_LIST:
		for (gsize i = 0; i < a->length && a->length == b->length; i++)
			if (!mlv_value_equal(a->items[i], b->items[i]))
				return FALSE;
		return a->length == b->length;
	default:
		return a->length == b->length && maps_equal(a, b);
	}
}
