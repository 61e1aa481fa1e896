/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline file may have, and how it is told what it may not. */
#include <string.h>

#include "core/nearest_word.h"
#include "core/pipeline/stages_private.h"

static const char *const stage_keys[] = { "cmd",     "wdir",   "deps",           "params",  "outs",
					  "metrics", "plots",  "vars",           "foreach", "do",
					  "matrix",  "frozen", "always_changed", "shell",   "desc",
					  "meta",    NULL };
static const char *const foreach_keys[] = { "foreach", "do", NULL };

/* Keys that DVC has or had elsewhere, and what is to be done about them. */
static const struct {
	const char *key, *advice;
} refused[] = {
	{ "live", "DVC 3 has no 'live' either: list its files under 'metrics' and 'plots'" },
	{ "locked", "it is called 'frozen'" },
	{ "md5", "this is a file of one stage, which belongs under 'stages:' and a name" },
};

gboolean mlv_stage_check_keys(const MlvValue *map, const char *const *names, const char *what,
			      GError **error)
{
	for (gsize i = 0; i < map->length; i++) {
		const MlvValue *key = map->entries[i].key;
		if (g_strv_contains(names, key->text))
			continue;
		for (gsize j = 0; j < G_N_ELEMENTS(refused); j++)
			if (strcmp(key->text, refused[j].key) == 0)
				return mlv_fail_at(error, &key->where, MLV_ERROR_UNSUPPORTED,
						   "%s cannot have '%s': %s", what, key->text,
						   refused[j].advice);
		const char *nearest = mlv_nearest_word(key->text, names);
		g_autofree char *all = g_strjoinv(", ", (char **)names);
		return mlv_fail_at(error, &key->where, MLV_ERROR_CORRUPT,
				   nearest ? "%s has no '%s'; did you mean '%s'?"
					   : "%s has no '%s'; it can have %s",
				   what, key->text, nearest ? nearest : all);
	}
	return TRUE;
}

gboolean mlv_stage_fail_type(const MlvValue *value, const char *key, const char *expected,
			     GError **error)
{
	return mlv_fail_at(error, &value->where, MLV_ERROR_CORRUPT,
			   "'%s' is expected to be %s, and this is %s", key, expected,
			   mlv_value_type_name((MlvValueType)value->type));
}

gboolean mlv_stage_get_bool(const MlvValue *map, const char *key, gboolean *to, GError **error)
{
	const MlvValue *value = mlv_value_get(map, key);

	if (!value || value->type == MLV_VALUE_NULL)
		return TRUE;
	if (value->type != MLV_VALUE_BOOL)
		return mlv_stage_fail_type(value, key, "true or false", error);
	*to = value->boolean;
	return TRUE;
}

gboolean mlv_stage_get_string(const MlvValue *map, const char *key, char **to, GError **error)
{
	const MlvValue *value = mlv_value_get(map, key);

	if (!value || value->type == MLV_VALUE_NULL)
		return TRUE;
	if (!mlv_value_is_scalar(value))
		return mlv_stage_fail_type(value, key, "a string", error);
	g_free(*to);
	*to = mlv_value_text(value);
	return TRUE;
}

gboolean mlv_stage_get_list(const MlvValue *map, const char *key, const MlvValue **to,
			    GError **error)
{
	const MlvValue *value = mlv_value_get(map, key);

	if (!value || value->type == MLV_VALUE_NULL)
		return TRUE;
	if (value->type != MLV_VALUE_LIST)
		return mlv_stage_fail_type(value, key, "a list ('- ' before each item)", error);
	*to = value;
	return TRUE;
}

char *mlv_stage_word(const MlvValue *value, const char *what, GError **error)
{
	if (!mlv_value_is_scalar(value) || value->type == MLV_VALUE_NULL) {
		mlv_fail_at(error, &value->where, MLV_ERROR_CORRUPT,
			    "%s is expected, and this is %s", what,
			    mlv_value_type_name((MlvValueType)value->type));
		return NULL;
	}
	g_autofree char *text = mlv_value_text(value);
	if (!*text) {
		mlv_fail_at(error, &value->where, MLV_ERROR_CORRUPT,
			    "%s is expected, and this is empty", what);
		return NULL;
	}
	for (const char *at = text; *at; at++)
		if ((guchar)*at < 0x20 || *at == 0x7f) {
			mlv_fail_at(error, &value->where, MLV_ERROR_CORRUPT,
				    "%s is expected, and this has a line end or another control "
				    "character",
				    what);
			return NULL;
		}
	return g_steal_pointer(&text);
}

gboolean mlv_stage_check_definition(const MlvValue *definition, const MlvWhere *where,
				    GError **error)
{
	if (definition->type != MLV_VALUE_MAP)
		return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				   "a stage is expected to be a map with at least 'cmd', and this "
				   "is %s",
				   mlv_value_type_name((MlvValueType)definition->type));
	const MlvValue *inner = mlv_value_get(definition, "do");
	if (!inner && !mlv_value_get(definition, "foreach")) {
		if (!mlv_stage_check_keys(definition, stage_keys, "a stage", error))
			return FALSE;
		if (!mlv_value_get(definition, "cmd"))
			return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
					   "a stage needs a 'cmd', and this has none");
		return TRUE;
	}
	if (!inner)
		return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				   "'foreach' needs a 'do' with the stage that is repeated");
	if (!mlv_value_get(definition, "foreach"))
		return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				   "'do' needs a 'foreach' with what it is repeated for");
	for (gsize i = 0; i < definition->length; i++) {
		const MlvValue *key = definition->entries[i].key;
		if (!g_strv_contains(foreach_keys, key->text) &&
		    g_strv_contains(stage_keys, key->text))
			return mlv_fail_at(error, &key->where, MLV_ERROR_CORRUPT,
					   "'%s' stands beside 'foreach', and belongs under 'do'",
					   key->text);
	}
	return mlv_stage_check_keys(definition, foreach_keys, "a stage with 'foreach'", error) &&
	       mlv_stage_check_definition(inner, where, error);
}

gboolean mlv_stage_check_name(const char *name, GError **error)
{
	for (const char *at = name; *at; at++)
		if ((guchar)*at < 0x20 || (g_ascii_ispunct(*at) && *at != '-' && *at != '_'))
			return mlv_fail(error, MLV_ERROR_USAGE,
					"a stage cannot be called '%s': letters, digits, '-' and "
					"'_' are possible",
					name);
	return *name || mlv_fail(error, MLV_ERROR_USAGE, "a stage needs a name");
}
