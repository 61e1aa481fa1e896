/* SPDX-License-Identifier: Apache-2.0 */
/* foreach and matrix: one definition, many stages. */
#include <string.h>

#include "core/pipeline/stages_private.h"
#include "core/value_private.h"

/* "NAME@KEY", a word without control characters. */
static char *member_name(const char *name, const char *key, const MlvWhere *where, GError **error)
{
	for (const char *at = key; *at; at++)
		if ((guchar)*at < 0x20 || *at == 0x7f) {
			mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				    "a stage of '%s' would have a control character in its name",
				    name);
			return NULL;
		}
	return g_strconcat(name, "@", key, NULL);
}

static GPtrArray *with_group(const GPtrArray *groups, const char *name)
{
	GPtrArray *more = g_ptr_array_new();

	for (guint i = 0; i < groups->len; i++)
		g_ptr_array_add(more, groups->pdata[i]);
	g_ptr_array_add(more, (gpointer)name);
	return more;
}

/* What an inner foreach sees of the outer one: {item: ..., key: ..., parent: ...}. */
static MlvValue *parent_of(const MlvScope *scope)
{
	static const char *const names[] = { "item", "key", "parent" };
	GArray *entries = mlv_value_new_entries();

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const MlvValue *value = mlv_scope_get(scope, names[i]);
		if (value)
			mlv_value_add(entries, names[i], mlv_value_ref(value));
	}
	return mlv_value_new_map(entries);
}

static void set_member(MlvScope *inner, const MlvScope *scope, const GPtrArray *groups,
		       const MlvValue *item, const char *key)
{
	if (groups->len > 0) {
		g_autoptr(MlvValue) parent = parent_of(scope);
		mlv_scope_set(inner, "parent", parent);
	}
	mlv_scope_set(inner, "item", item);
	if (key) {
		g_autoptr(MlvValue) text = mlv_value_new_string(key);
		mlv_scope_set(inner, "key", text);
	}
}

/* --- foreach ---------------------------------------------------------------------------------- */

static gboolean has_collections(const MlvValue *list)
{
	for (gsize i = 0; i < list->length; i++)
		if (!mlv_value_is_scalar(list->items[i]))
			return TRUE;
	return FALSE;
}

typedef struct {
	MlvStageLoader *loader;
	const MlvValue *definition;
	const MlvWhere *where;
	const char *name;
	const MlvScope *scope;
	const GPtrArray *groups;
	GHashTable *seen; /* keys so far */
} Group;

static gboolean spread_member(Group *group, const MlvValue *item, const char *key, gboolean is_map,
			      GError **error)
{
	/* As in DVC a value that stands twice in the list is one stage. */
	if (!g_hash_table_add(group->seen, g_strdup(key)))
		return TRUE;
	g_autofree char *name = member_name(group->name, key, group->where, error);
	if (!name)
		return FALSE;
	g_autoptr(MlvScope) inner = mlv_scope_new(group->scope);
	g_autoptr(GPtrArray) groups = with_group(group->groups, group->name);
	set_member(inner, group->scope, group->groups, item, is_map ? key : NULL);
	return mlv_stage_spread(group->loader, group->definition, group->where, name, inner, groups,
				error);
}

static gboolean spread_list(Group *group, const MlvValue *list, GError **error)
{
	gboolean numbered = has_collections(list);

	for (gsize i = 0; i < list->length; i++) {
		g_autofree char *key = numbered ? g_strdup_printf("%" G_GSIZE_FORMAT, i)
						: mlv_value_text(list->items[i]);
		if (!spread_member(group, list->items[i], key, FALSE, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean spread_foreach(MlvStageLoader *loader, const MlvValue *definition,
			       const MlvWhere *where, const char *name, const MlvScope *scope,
			       const GPtrArray *groups, GError **error)
{
	const MlvValue *written = mlv_value_get(definition, "foreach");
	g_autoptr(MlvValue) each = mlv_template_expand(scope, written, MLV_TEMPLATE_VALUE, error);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Group group = { .loader = loader,
			.definition = mlv_value_get(definition, "do"),
			.where = where,
			.name = name,
			.scope = scope,
			.groups = groups,
			.seen = seen };

	if (!each)
		return FALSE;
	if (each->type == MLV_VALUE_LIST)
		return spread_list(&group, each, error);
	if (each->type != MLV_VALUE_MAP)
		return mlv_fail_at(error, &written->where, MLV_ERROR_CORRUPT,
				   "'foreach' is expected to be a list or a map, and this is %s",
				   mlv_value_type_name((MlvValueType)each->type));
	for (gsize i = 0; i < each->length; i++)
		if (!spread_member(&group, each->entries[i].value, each->entries[i].key->text, TRUE,
				   error))
			return FALSE;
	return TRUE;
}

/* --- matrix ----------------------------------------------------------------------------------- */

/* The definition without its `matrix`. */
static MlvValue *without_matrix(const MlvValue *definition)
{
	GArray *entries = mlv_value_new_entries();

	for (gsize i = 0; i < definition->length; i++) {
		MlvEntry entry = definition->entries[i];
		if (strcmp(entry.key->text, "matrix") == 0)
			continue;
		mlv_value_ref(entry.key);
		mlv_value_ref(entry.value);
		g_array_append_val(entries, entry);
	}
	return mlv_value_new_map(entries);
}

static gboolean check_matrix(const MlvValue *matrix, const MlvWhere *where, guint64 *count,
			     GError **error)
{
	if (matrix->type != MLV_VALUE_MAP || matrix->length == 0)
		return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
				   "'matrix' is expected to be a map of lists, and this is %s",
				   matrix->type == MLV_VALUE_MAP
					   ? "empty"
					   : mlv_value_type_name((MlvValueType)matrix->type));
	*count = 1;
	for (gsize i = 0; i < matrix->length; i++) {
		const MlvEntry *entry = &matrix->entries[i];
		if (entry->value->type != MLV_VALUE_LIST)
			return mlv_fail_at(error, &entry->key->where, MLV_ERROR_CORRUPT,
					   "'%s' of the matrix is expected to be a list, and is %s",
					   entry->key->text,
					   mlv_value_type_name((MlvValueType)entry->value->type));
		*count *= entry->value->length;
		if (*count > MLV_STAGES_MAX)
			return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
					   "the matrix has more than %d stages", MLV_STAGES_MAX);
	}
	return TRUE;
}

/* The combination with this number; the last list runs fastest. *name is "a-1", of a list or map in
 * the matrix its key and index: "set0". */
static MlvValue *combine(const MlvValue *matrix, guint64 number, char **name)
{
	GArray *entries = mlv_value_new_entries();
	g_autoptr(GString) text = g_string_new("");
	g_autofree gsize *picks = g_new(gsize, matrix->length);

	for (gsize i = matrix->length; i-- > 0;) {
		gsize length = matrix->entries[i].value->length;
		picks[i] = (gsize)(number % length);
		number /= length;
	}
	for (gsize i = 0; i < matrix->length; i++) {
		const char *key = matrix->entries[i].key->text;
		const MlvValue *value = matrix->entries[i].value->items[picks[i]];
		g_autofree char *part =
			mlv_value_is_scalar(value)
				? mlv_value_text(value)
				: g_strdup_printf("%s%" G_GSIZE_FORMAT, key, picks[i]);
		g_string_append_printf(text, "%s%s", i ? "-" : "", part);
		mlv_value_add(entries, key, mlv_value_ref(value));
	}
	*name = g_string_free(g_steal_pointer(&text), FALSE);
	return mlv_value_new_map(entries);
}

static gboolean spread_matrix(MlvStageLoader *loader, const MlvValue *definition,
			      const MlvWhere *where, const char *name, const MlvScope *scope,
			      const GPtrArray *outer, GError **error)
{
	const MlvValue *written = mlv_value_get(definition, "matrix");
	g_autoptr(MlvValue) matrix = mlv_template_expand(scope, written, MLV_TEMPLATE_VALUE, error);
	g_autoptr(MlvValue) template = without_matrix(definition);
	g_autoptr(GPtrArray) groups = with_group(outer, name);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							   (GDestroyNotify)mlv_value_unref);
	guint64 count = 0;

	if (!matrix || !check_matrix(matrix, &written->where, &count, error))
		return FALSE;
	for (guint64 i = 0; i < count; i++) {
		char *key;
		g_autoptr(MlvValue) item = combine(matrix, i, &key);
		g_autofree char *member = member_name(name, key, where, error);
		g_autoptr(MlvScope) inner = mlv_scope_new(scope);

		const MlvValue *same = g_hash_table_lookup(seen, key);
		gboolean ok = member && (!same || mlv_value_equal(same, item) ||
					 mlv_fail_at(error, &written->where, MLV_ERROR_CORRUPT,
						     "two stages of the matrix would be called "
						     "'%s'",
						     member));
		if (ok && !same) {
			set_member(inner, scope, outer, item, key);
			ok = mlv_stage_spread(loader, template, where, member, inner, groups,
					      error);
		}
		g_hash_table_insert(seen, key, g_steal_pointer(&item));
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_stage_spread(MlvStageLoader *loader, const MlvValue *definition, const MlvWhere *where,
			  const char *name, const MlvScope *scope, const GPtrArray *groups,
			  GError **error)
{
	if (mlv_value_get(definition, "foreach"))
		return spread_foreach(loader, definition, where, name, scope, groups, error);
	if (mlv_value_get(definition, "matrix"))
		return spread_matrix(loader, definition, where, name, scope, groups, error);
	return mlv_stage_build(loader, definition, where, name, scope, groups, error);
}
