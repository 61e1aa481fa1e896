/* SPDX-License-Identifier: Apache-2.0 */
#include "core/yaml_scalar.h"

#include <math.h>
#include <string.h>

#include "core/value_private.h"

static gboolean is_one_of(const char *text, const char *const *words)
{
	return g_strv_contains(words, text);
}

static const char *skip_sign(const char *text)
{
	return text + (*text == '-' || *text == '+');
}

/* How many digits of a base, with '_' among them, come first; *any: there is a digit. */
static gsize digits_at(const char *text, int base, gboolean *any)
{
	gsize i = 0;

	*any = FALSE;
	for (;; i++) {
		int digit = g_ascii_xdigit_value(text[i]);
		if (digit >= 0 && digit < base)
			*any = TRUE;
		else if (text[i] != '_')
			return i;
	}
}

static char *without_underscores(const char *text)
{
	GString *clean = g_string_new("");

	for (; *text; text++)
		if (*text != '_')
			g_string_append_c(clean, *text);
	return g_string_free(clean, FALSE);
}

/* "0x1f", "0o17", "0b11": at most 64 bits. */
static gboolean read_based(const char *text, gint64 *integer)
{
	const char *digits = skip_sign(text);
	int base = 0;
	gboolean any;

	if (*digits == '0')
		base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : digits[1] == 'b' ? 2 : 0;
	if (base == 0 || digits[2 + digits_at(digits + 2, base, &any)] || !any)
		return FALSE;
	g_autofree char *clean = without_underscores(digits + 2);
	errno = 0;
	guint64 amount = g_ascii_strtoull(clean, NULL, (guint)base);
	if (errno == ERANGE || amount > G_MAXINT64)
		return FALSE;
	*integer = *text == '-' ? -(gint64)amount : (gint64)amount;
	return TRUE;
}

static MlvValue *read_int(const char *text, gsize length)
{
	const char *digits = skip_sign(text);
	gboolean any;
	gint64 integer;

	if (read_based(text, &integer)) {
		MlvValue *value = mlv_value_new_scalar(MLV_VALUE_INT, text, length);
		value->integer = integer;
		return value;
	}
	/* "_1" is a word. */
	if (!g_ascii_isdigit(*digits) || digits[digits_at(digits, 10, &any)] || !any)
		return NULL;
	if (!strchr(text, '_'))
		return mlv_value_new_decimal(text, length);
	g_autofree char *clean = without_underscores(text);
	g_autoptr(MlvValue) plain = mlv_value_new_decimal(clean, strlen(clean));
	if (plain->big)
		return g_steal_pointer(&plain);
	MlvValue *value = mlv_value_new_scalar(MLV_VALUE_INT, text, length);
	value->integer = plain->integer;
	return value;
}

/* Digits with a point or an exponent or both; ".5" takes an exponent with a sign only. */
static gboolean is_float(const char *text)
{
	const char *at = skip_sign(text);
	gboolean before = g_ascii_isdigit(*at), any, point = FALSE, behind = FALSE;

	if (before)
		at += digits_at(at, 10, &any);
	if (*at == '.') {
		point = TRUE;
		at++;
		at += digits_at(at, 10, &behind);
	}
	if (!before && !behind)
		return FALSE;
	if (!*at)
		return point;
	if (*at != 'e' && *at != 'E')
		return FALSE;
	at++;
	if (!before && *at != '-' && *at != '+')
		return FALSE;
	at = skip_sign(at);
	if (!g_ascii_isdigit(*at))
		return FALSE;
	while (g_ascii_isdigit(*at))
		at++;
	return !*at;
}

static MlvValue *read_float(const char *text, gsize length)
{
	static const char *const infinite[] = { ".inf", ".Inf", ".INF", NULL };
	static const char *const nan[] = { ".nan", ".NaN", ".NAN", NULL };
	double real;

	if (is_one_of(skip_sign(text), infinite)) {
		real = *text == '-' ? -INFINITY : INFINITY;
	} else if (is_one_of(text, nan)) {
		real = NAN;
	} else if (is_float(text)) {
		g_autofree char *clean = without_underscores(text);
		real = g_ascii_strtod(clean, NULL);
	} else {
		return NULL;
	}
	MlvValue *value = mlv_value_new_scalar(MLV_VALUE_FLOAT, text, length);
	value->real = real;
	return value;
}

static MlvValue *read_null(const char *text, gsize length)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };
	return is_one_of(text, words) ? mlv_value_new_scalar(MLV_VALUE_NULL, text, length) : NULL;
}

static MlvValue *read_bool(const char *text, gsize length)
{
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };
	gboolean boolean = is_one_of(text, yes);

	if (!boolean && !is_one_of(text, no))
		return NULL;
	MlvValue *value = mlv_value_new_scalar(MLV_VALUE_BOOL, text, length);
	value->boolean = boolean;
	return value;
}

MlvValue *mlv_yaml_scalar_as(MlvValueType type, const char *text, gsize length)
{
	MlvValue *value;

	switch (type) {
	case MLV_VALUE_NULL:
		return read_null(text, length);
	case MLV_VALUE_BOOL:
		return read_bool(text, length);
	case MLV_VALUE_INT:
		return read_int(text, length);
	case MLV_VALUE_FLOAT:
		value = read_float(text, length);
		if (!value && (value = read_int(text, length))) {
			double real =
				value->big ? g_ascii_strtod(text, NULL) : (double)value->integer;
			value->type = MLV_VALUE_FLOAT;
			value->big = FALSE;
			value->real = real;
		}
		return value;
	default:
		return mlv_value_new_string_length(text, length);
	}
}

MlvValue *mlv_yaml_scalar(const char *text, gsize length)
{
	MlvValue *value = NULL;

	/* Most scalars are words: only these bytes begin anything else. */
	if (length > 0 && !strchr("~nNtTfF.+-0123456789", *text))
		return mlv_value_new_string_length(text, length);
	value = read_null(text, length);
	if (!value)
		value = read_bool(text, length);
	if (!value)
		value = read_int(text, length);
	if (!value)
		value = read_float(text, length);
	return value ? value : mlv_value_new_string_length(text, length);
}
