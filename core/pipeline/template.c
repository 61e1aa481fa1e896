/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/template.h"

#include <string.h>

#include "core/nearest_word.h"
#include "core/pipeline/scope_private.h"

/* One "${...}" in a text. */
typedef struct {
	const char *start, *end; /* the whole of it */
	char *inner;
} Match;

/* The next one from `at` on that no backslash stands before; it ends on its line. `text` is where
 * looking back ends. */
static gboolean next_match(const char *text, const char *at, Match *match)
{
	for (; (at = strstr(at, "${")); at += 2) {
		if (at > text && at[-1] == '\\')
			continue;
		const char *close = at + 2 + strcspn(at + 2, "}\n");
		if (*close != '}')
			continue;
		match->start = at;
		match->end = close + 1;
		match->inner = g_strstrip(g_strndup(at + 2, (gsize)(close - at - 2)));
		return TRUE;
	}
	return FALSE;
}

gboolean mlv_template_is(const char *text)
{
	Match match;

	if (!next_match(text, text, &match))
		return FALSE;
	g_free(match.inner);
	return TRUE;
}

/* Adds text between templates, in which `\${` is a plain "${". */
static void append_plain(GString *to, const char *text, gsize length)
{
	const char *end = text + length;

	while (text < end) {
		const char *escaped = g_strstr_len(text, end - text, "\\${");
		const char *stop = escaped ? escaped : end;
		g_string_append_len(to, text, stop - text);
		text = stop;
		if (escaped) {
			g_string_append(to, "${");
			text += 3;
		}
	}
}

/* --- variables -------------------------------------------------------------------------------- */

/* Where in its file a match stands, as far as the text is there as it was written. */
static MlvWhere where_of(const MlvValue *value, const Match *match)
{
	MlvWhere where = value->where;
	gsize written = value->end - value->start, offset = (gsize)(match->start - value->text);

	if (value->style != MLV_STYLE_PLAIN || memchr(value->text, '\n', value->length))
		return where;
	if (written == value->length || written == value->length + 2)
		where.column += (guint32)(g_utf8_strlen(value->text, (gssize)offset) +
					  (glong)(written - value->length) / 2);
	return where;
}

static gpointer fail_unknown(const MlvScope *scope, const MlvWhere *where, const char *name,
			     const char *inner, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	mlv_scope_names(scope, names);
	g_ptr_array_add(names, NULL);
	const char *nearest = mlv_nearest_word(name, (const char *const *)names->pdata);
	if (nearest)
		mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
			    "there is no variable '%s'; did you mean '%s'?", name, nearest);
	else
		mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
			    "there is no variable '%s'; one of the shell is written '\\${%s}'",
			    name, inner);
	return NULL;
}

/* What "a.b[0]" holds. Borrowed. */
static const MlvValue *find_variable(const MlvScope *scope, const char *inner,
				     const MlvWhere *where, GError **error)
{
	gsize length = strcspn(inner, ".[");
	g_autofree char *name = g_strstrip(g_strndup(inner, length));
	const char *rest = inner + length;
	g_autoptr(GError) problem = NULL;

	const MlvValue *value = mlv_scope_get(scope, inner);
	if (value)
		return value;
	if (!*name || strchr(name, ']')) {
		mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
			    "expected a variable such as '${name}', '${a.b}' or '${a[0].b}', and "
			    "this is '${%s}'",
			    inner);
		return NULL;
	}
	value = mlv_scope_get(scope, name);
	if (!value)
		return fail_unknown(scope, where, name, inner, error);
	if (!*rest)
		return value;
	value = mlv_value_find(value, *rest == '.' ? rest + 1 : rest, &problem);
	if (!value)
		mlv_fail_at(error, where, MLV_ERROR_CORRUPT, "'${%s}': of '%s' %s", inner, name,
			    problem->message);
	return value;
}

/* --- options of a command --------------------------------------------------------------------- */

/* As Python's shlex.quote() has it, so that a command is the same text as DVC's. */
static void append_quoted(GString *to, const char *text)
{
	if (*text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789@%+=:,./_-")]) {
		g_string_append(to, text);
		return;
	}
	g_string_append_c(to, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			g_string_append(to, "'\"'\"'");
		else
			g_string_append_c(to, *text);
	}
	g_string_append_c(to, '\'');
}

/* An item of a list is printed by Python itself: True, False. */
static void append_item(GString *to, const MlvValue *item)
{
	g_autofree char *text = mlv_value_text(item);

	g_string_append_c(to, ' ');
	if (item->type == MLV_VALUE_STRING)
		append_quoted(to, text);
	else if (item->type == MLV_VALUE_BOOL)
		g_string_append(to, item->boolean ? "True" : "False");
	else
		g_string_append(to, text);
}

static gboolean append_options(GString *to, const char *prefix, const MlvValue *map, GError **error)
{
	for (gsize i = 0; i < map->length; i++) {
		const MlvValue *value = map->entries[i].value;
		g_autofree char *name =
			g_strconcat(prefix, *prefix ? "." : "", map->entries[i].key->text, NULL);

		if (value->type == MLV_VALUE_MAP) {
			if (!append_options(to, name, value, error))
				return FALSE;
			continue;
		}
		if ((value->type == MLV_VALUE_BOOL && !value->boolean) ||
		    (value->type == MLV_VALUE_LIST && value->length == 0))
			continue;
		g_string_append_printf(to, "%s--%s", to->len ? " " : "", name);
		if (value->type == MLV_VALUE_BOOL)
			continue;
		if (value->type != MLV_VALUE_LIST) {
			append_item(to, value);
			continue;
		}
		for (gsize j = 0; j < value->length; j++) {
			if (!mlv_value_is_scalar(value->items[j]))
				return mlv_fail_at(
					error, &value->items[j]->where, MLV_ERROR_CORRUPT,
					"the list '%s' becomes words of a command, and "
					"has %s in it",
					name,
					mlv_value_type_name((MlvValueType)value->items[j]->type));
			append_item(to, value->items[j]);
		}
	}
	return TRUE;
}

char *mlv_template_options(const MlvValue *map, GError **error)
{
	g_autoptr(GString) text = g_string_new("");

	if (!append_options(text, "", map, error))
		return NULL;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* --- expanding -------------------------------------------------------------------------------- */

static gboolean append_variable(GString *to, const MlvValue *value, const char *inner,
				MlvTemplateMode mode, const MlvWhere *where, GError **error)
{
	g_autofree char *text = NULL;

	if (mlv_value_is_scalar(value)) {
		text = mlv_value_text(value);
	} else if (mode == MLV_TEMPLATE_COMMAND && value->type == MLV_VALUE_MAP) {
		text = mlv_template_options(value, error);
		if (!text)
			return FALSE;
	} else {
		return mlv_fail_at(
			error, where, MLV_ERROR_CORRUPT,
			"'%s' is %s, which cannot be put into a text%s", inner,
			mlv_value_type_name((MlvValueType)value->type),
			mode == MLV_TEMPLATE_COMMAND
				? "; name its items, or put the list under a key of a map "
				  "to make options of it"
				: "");
	}
	g_string_append(to, text);
	return TRUE;
}

/* A string made of another, which it takes the place of. */
static MlvValue *derive(const MlvValue *from, const char *text, gsize length)
{
	MlvValue *value = mlv_value_new_string_length(text, length);

	if (from->where.line)
		mlv_value_set_where(value, (char *)from->where.file, from->where.line,
				    from->where.column);
	return value;
}

static MlvValue *expand_string(const MlvScope *scope, const MlvValue *value, MlvTemplateMode mode,
			       GError **error)
{
	g_autoptr(GString) text = NULL;
	const char *at = value->text;
	Match match;

	if (!strstr(at, "${"))
		return mlv_value_ref(value);
	text = g_string_new("");
	while (next_match(value->text, at, &match)) {
		g_autofree char *inner = match.inner;
		MlvWhere where = where_of(value, &match);
		const MlvValue *variable = find_variable(scope, inner, &where, error);

		if (!variable)
			return NULL;
		gboolean whole = match.start == value->text && !*match.end;
		if (whole && (mode == MLV_TEMPLATE_VALUE || mlv_value_is_scalar(variable)))
			return mlv_value_ref(variable);
		gsize before = text->len;
		append_plain(text, at, (gsize)(match.start - at));
		if (!append_variable(text, variable, inner, mode, &where, error) ||
		    !mlv_scope_count(scope, text->len - before, &where, error))
			return NULL;
		at = match.end;
	}
	append_plain(text, at, strlen(at));
	return derive(value, text->str, text->len);
}

static MlvValue *expand_list(const MlvScope *scope, const MlvValue *list, MlvTemplateMode mode,
			     GError **error)
{
	g_autoptr(GPtrArray) items =
		g_ptr_array_new_with_free_func((GDestroyNotify)mlv_value_unref);
	gboolean same = TRUE;

	for (gsize i = 0; i < list->length; i++) {
		MlvValue *item = mlv_template_expand(scope, list->items[i], mode, error);
		if (!item)
			return NULL;
		g_ptr_array_add(items, item);
		same &= item == list->items[i];
	}
	if (same)
		return mlv_value_ref(list);
	MlvValue *value = mlv_value_new_list(g_steal_pointer(&items));
	if (list->where.line)
		mlv_value_set_where(value, (char *)list->where.file, list->where.line,
				    list->where.column);
	return value;
}

/* A key that is a template becomes the text of what it holds. */
static MlvValue *expand_key(const MlvScope *scope, const MlvValue *key, GError **error)
{
	MlvValue *value = mlv_template_expand(scope, key, MLV_TEMPLATE_VALUE, error);

	if (!value || value->type == MLV_VALUE_STRING)
		return value;
	g_autoptr(MlvValue) other = value;
	if (!mlv_value_is_scalar(other)) {
		mlv_fail_at(error, &key->where, MLV_ERROR_CORRUPT,
			    "a key is expected to be a word, and '%s' is %s", key->text,
			    mlv_value_type_name((MlvValueType)other->type));
		return NULL;
	}
	g_autofree char *text = mlv_value_text(other);
	return derive(key, text, strlen(text));
}

static gboolean expand_entries(const MlvScope *scope, const MlvValue *map, MlvTemplateMode mode,
			       GArray *entries, gboolean *same, GError **error)
{
	for (gsize i = 0; i < map->length; i++) {
		const MlvEntry *old = &map->entries[i];
		g_autoptr(MlvValue) key = expand_key(scope, old->key, error);
		g_autoptr(MlvValue) value =
			key ? mlv_template_expand(scope, old->value, mode, error) : NULL;
		if (!value)
			return FALSE;
		*same &= key == old->key && value == old->value;
		MlvEntry entry = { g_steal_pointer(&key), g_steal_pointer(&value), old->merged };
		g_array_append_val(entries, entry);
	}
	const MlvValue *twice = *same ? NULL : mlv_value_duplicate_key(entries);
	return !twice || mlv_fail_at(error, &twice->where, MLV_ERROR_CORRUPT,
				     "the key '%s' stands twice once its templates are expanded",
				     twice->text);
}

static MlvValue *expand_map(const MlvScope *scope, const MlvValue *map, MlvTemplateMode mode,
			    GError **error)
{
	GArray *entries = mlv_value_new_entries();
	gboolean same = TRUE;
	gboolean ok = expand_entries(scope, map, mode, entries, &same, error);

	if (!ok || same) {
		mlv_value_free_entries(entries);
		return ok ? mlv_value_ref(map) : NULL;
	}
	MlvValue *value = mlv_value_new_map(entries);
	if (map->where.line)
		mlv_value_set_where(value, (char *)map->where.file, map->where.line,
				    map->where.column);
	return value;
}

MlvValue *mlv_template_expand(const MlvScope *scope, const MlvValue *value, MlvTemplateMode mode,
			      GError **error)
{
	switch (value->type) {
	case MLV_VALUE_STRING:
		return expand_string(scope, value, mode, error);
	case MLV_VALUE_LIST:
		return expand_list(scope, value, mode, error);
	case MLV_VALUE_MAP:
		return expand_map(scope, value, mode, error);
	default:
		return mlv_value_ref(value);
	}
}
