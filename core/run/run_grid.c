/* SPDX-License-Identifier: Apache-2.0 */
#include "core/run/run_grid.h"

#include <math.h>
#include <string.h>

#include "core/yaml.h"

static void free_axis(gpointer data)
{
	MlvGridAxis *axis = data;

	g_free(axis->file);
	g_free(axis->key);
	g_ptr_array_unref(axis->values);
	g_free(axis);
}

/* --- lists of values -------------------------------------------------------------------------- */

/* The next comma (or the end) that is in no brackets and no quotes; NULL if these do not close. */
static const char *find_comma(const char *text)
{
	guint depth = 0;
	char quote = '\0';

	for (; *text; text++) {
		if (quote) {
			if (*text == '\\' && quote == '"' && text[1])
				text++;
			else if (*text == quote)
				quote = '\0';
		} else if (*text == '"' || *text == '\'') {
			quote = *text;
		} else if (strchr("([{", *text)) {
			depth++;
		} else if (strchr(")]}", *text)) {
			if (depth-- == 0)
				return NULL;
		} else if (*text == ',' && depth == 0) {
			return text;
		}
	}
	return quote || depth > 0 ? NULL : text;
}

static GPtrArray *split_values(const char *text)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);

	for (;;) {
		const char *end = find_comma(text);
		if (!end)
			return NULL;
		g_ptr_array_add(parts, g_strstrip(g_strndup(text, (gsize)(end - text))));
		if (!*end)
			break;
		text = end + 1;
	}
	return g_steal_pointer(&parts);
}

/* What is within `name(...)`, or NULL if the text is not that. */
static char *call_arguments(const char *text, const char *name)
{
	gsize length = strlen(name), all = strlen(text);

	if (all < length + 2 || strncmp(text, name, length) != 0 || text[length] != '(' ||
	    text[all - 1] != ')')
		return NULL;
	return g_strndup(text + length + 1, all - length - 2);
}

static gboolean number_of(const MlvValue *value, double *number, gboolean *whole)
{
	if (mlv_value_is(value, MLV_VALUE_INT) && !value->big) {
		*number = (double)value->integer;
		return TRUE;
	}
	*whole = FALSE;
	*number = mlv_value_is(value, MLV_VALUE_FLOAT) ? value->real : NAN;
	return isfinite(*number);
}

/* range(stop), range(start,stop), range(start,stop,step). */
static gboolean add_range(GPtrArray *values, const char *arguments, const char *word,
			  GError **error)
{
	g_autoptr(GPtrArray) parts = split_values(arguments);
	double numbers[3] = { 0, 0, 1 };
	gboolean whole = TRUE, ok = parts && parts->len >= 1 && parts->len <= 3;

	for (guint i = 0; ok && i < parts->len; i++) {
		g_autoptr(MlvValue) value = mlv_yaml_parse_word(parts->pdata[i], NULL);
		ok = value && number_of(value, &numbers[parts->len == 1 ? 1 : i], &whole);
	}
	if (!ok || numbers[2] == 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s': write range(start,stop) or range(start,stop,step) with "
				"numbers, step not 0",
				word);
	double count = ceil((numbers[1] - numbers[0]) / numbers[2] - 1e-9);
	if (!(count >= 1) || count > MLV_GRID_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE,
				count >= 1 ? "'%s' has too many values" : "'%s' has no values",
				word);
	for (guint i = 0; i < (guint)count; i++) {
		double at = numbers[0] + i * numbers[2];
		/* 0.1 + 2 * 0.1 is meant to be 0.3 */
		g_autofree char *rounded = g_strdup_printf("%.15g", at);
		g_ptr_array_add(values, whole ? mlv_value_new_int((gint64)at)
					      : mlv_value_new_float(g_ascii_strtod(rounded, NULL)));
	}
	return TRUE;
}

static gboolean add_values(GPtrArray *values, const char *text, const char *word, GError **error)
{
	g_autofree char *range = call_arguments(text, "range");
	g_autofree char *choice = call_arguments(text, "choice");

	if (range)
		return add_range(values, range, word, error);
	g_autoptr(GPtrArray) parts = split_values(choice ? choice : text);
	if (!parts)
		return mlv_fail(
			error, MLV_ERROR_USAGE,
			"'%s': brackets or quotes do not match; a value with commas goes in "
			"quotes",
			word);
	for (guint i = 0; i < parts->len; i++) {
		MlvValue *value = mlv_yaml_parse_word(parts->pdata[i], error);
		if (!value) {
			g_prefix_error(error, "'%s': ", word);
			return FALSE;
		}
		g_ptr_array_add(values, value);
	}
	return TRUE;
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *take_mode(const char *word, MlvGridAxis *axis)
{
	if (*word == '~') {
		axis->mode = MLV_CHANGE_REMOVE;
		return word + 1;
	}
	if (g_str_has_prefix(word, "++")) {
		axis->mode = MLV_CHANGE_FORCE;
		return word + 2;
	}
	axis->mode = *word == '+' ? MLV_CHANGE_ADD : MLV_CHANGE_SET;
	return *word == '+' ? word + 1 : word;
}

static gboolean parse_word(const char *word, MlvGridAxis *axis, GError **error)
{
	const char *at = take_mode(word, axis), *equals = strchr(at, '=');
	gboolean remove = axis->mode == MLV_CHANGE_REMOVE;

	if (!remove && !equals)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s': write KEY=VALUE, as in 'train.lr=0.01'", word);
	g_autofree char *key = g_strndup(at, equals ? (gsize)(equals - at) : strlen(at));
	char *colon = strrchr(key, ':');
	if (colon) {
		axis->file = g_strndup(key, (gsize)(colon - key));
		axis->key = g_strdup(colon + 1);
	} else {
		axis->key = g_strdup(key);
	}
	if (!*g_strstrip(axis->key) || (axis->file && !*axis->file))
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' names no parameter: write KEY=VALUE or FILE:KEY=VALUE", word);
	return remove || add_values(axis->values, equals + 1, word, error);
}

static gboolean is_twice(const GPtrArray *axes, const MlvGridAxis *axis)
{
	for (guint i = 0; i < axes->len; i++) {
		const MlvGridAxis *other = axes->pdata[i];
		if (strcmp(other->key, axis->key) == 0 && g_strcmp0(other->file, axis->file) == 0)
			return TRUE;
	}
	return FALSE;
}

GPtrArray *mlv_grid_parse(const char *const *words, GError **error)
{
	g_autoptr(GPtrArray) axes = g_ptr_array_new_with_free_func(free_axis);
	guint64 size = 1;

	for (; words && *words; words++) {
		MlvGridAxis *axis = g_new0(MlvGridAxis, 1);
		axis->values = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_value_unref);
		gboolean ok = parse_word(*words, axis, error);
		if (ok && is_twice(axes, axis))
			ok = mlv_fail(error, MLV_ERROR_USAGE,
				      "'%s' is set twice; several values are written "
				      "%s=VALUE,VALUE",
				      axis->key, axis->key);
		g_ptr_array_add(axes, axis);
		if (!ok)
			return NULL;
		size *= MAX(axis->values->len, 1);
		if (size > MLV_GRID_MAX) {
			mlv_fail(error, MLV_ERROR_USAGE, "the grid has more than %u combinations",
				 MLV_GRID_MAX);
			return NULL;
		}
	}
	return g_steal_pointer(&axes);
}

guint mlv_grid_size(const GPtrArray *axes)
{
	guint size = 1;

	for (guint i = 0; i < axes->len; i++)
		size *= MAX(((MlvGridAxis *)axes->pdata[i])->values->len, 1);
	return size;
}

const MlvValue *mlv_grid_value(const GPtrArray *axes, guint number, guint axis)
{
	for (guint i = axes->len; i-- > axis + 1;)
		number /= MAX(((MlvGridAxis *)axes->pdata[i])->values->len, 1);
	const GPtrArray *values = ((MlvGridAxis *)axes->pdata[axis])->values;
	return values->len > 0 ? values->pdata[number % values->len] : NULL;
}
