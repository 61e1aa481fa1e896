/* SPDX-License-Identifier: Apache-2.0 */
/* The variables that templates see. */
#include <string.h>

#include "core/pipeline/scope_private.h"

/* What a scope shares with those around it; the outermost has made it. */
typedef struct {
	GHashTable *cache; /* path -> MlvValue, as it was read */
	guint64 produced;  /* bytes that templates have become */
} Shared;

struct MlvScope {
	const MlvScope *outer;
	GHashTable *vars; /* name -> MlvValue */
	GPtrArray *files; /* of char *: loaded by this scope */
	Shared *shared;
};

MlvScope *mlv_scope_new(const MlvScope *outer)
{
	MlvScope *scope = g_new0(MlvScope, 1);
	GDestroyNotify unref = (GDestroyNotify)mlv_value_unref;

	scope->outer = outer;
	scope->vars = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref);
	scope->files = g_ptr_array_new_with_free_func(g_free);
	if (outer) {
		scope->shared = outer->shared;
		return scope;
	}
	scope->shared = g_new0(Shared, 1);
	scope->shared->cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref);
	return scope;
}

void mlv_scope_free(MlvScope *scope)
{
	if (!scope)
		return;
	g_hash_table_unref(scope->vars);
	g_ptr_array_unref(scope->files);
	if (!scope->outer) {
		g_hash_table_unref(scope->shared->cache);
		g_free(scope->shared);
	}
	g_free(scope);
}

const MlvValue *mlv_scope_get(const MlvScope *scope, const char *name)
{
	for (; scope; scope = scope->outer) {
		const MlvValue *value = g_hash_table_lookup(scope->vars, name);
		if (value)
			return value;
	}
	return NULL;
}

void mlv_scope_set(MlvScope *scope, const char *name, const MlvValue *value)
{
	g_hash_table_insert(scope->vars, g_strdup(name), mlv_value_ref(value));
}

void mlv_scope_names(const MlvScope *scope, GPtrArray *names)
{
	for (; scope; scope = scope->outer) {
		GHashTableIter iter;
		gpointer name;

		g_hash_table_iter_init(&iter, scope->vars);
		while (g_hash_table_iter_next(&iter, &name, NULL))
			g_ptr_array_add(names, name);
	}
}

gboolean mlv_scope_count(const MlvScope *scope, gsize length, const MlvWhere *where, GError **error)
{
	scope->shared->produced += length;
	return scope->shared->produced <= MLV_TEMPLATE_MAX ||
	       mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
			   "the templates of this file have become more than %u MiB of text",
			   MLV_TEMPLATE_MAX >> 20);
}

/* --- adding ----------------------------------------------------------------------------------- */

static gboolean fail_twice(const char *name, const MlvValue *old, const MlvValue *new,
			   GError **error)
{
	g_autofree char *before = NULL;

	if (old->where.line)
		before = g_strdup_printf(" ('%s' line %u)", old->where.file, old->where.line);
	return mlv_fail_at(error, &new->where, MLV_ERROR_CORRUPT,
			   "the variable '%s' has another value already%s; give one of them "
			   "another name",
			   name, before ? before : "");
}

/* Both maps' keys in one; maps under the same key likewise. `name` leads to them. */
static MlvValue *merge(const char *name, const MlvValue *old, const MlvValue *new, GError **error)
{
	if (mlv_value_equal(old, new))
		return mlv_value_ref(old);
	if (old->type != MLV_VALUE_MAP || new->type != MLV_VALUE_MAP) {
		fail_twice(name, old, new, error);
		return NULL;
	}
	GArray *entries = mlv_value_new_entries();
	for (gsize i = 0; i < old->length; i++) {
		const MlvEntry *entry = &old->entries[i];
		const MlvValue *other = mlv_value_get(new, entry->key->text);
		g_autofree char *path = g_strdup_printf("%s.%s", name, entry->key->text);
		MlvValue *both = other ? merge(path, entry->value, other, error)
				       : mlv_value_ref(entry->value);
		if (!both) {
			mlv_value_free_entries(entries);
			return NULL;
		}
		MlvEntry merged = { mlv_value_ref(entry->key), both, FALSE };
		g_array_append_val(entries, merged);
	}
	for (gsize i = 0; i < new->length; i++) {
		const MlvEntry *entry = &new->entries[i];
		if (mlv_value_get(old, entry->key->text))
			continue;
		MlvEntry added = { mlv_value_ref(entry->key), mlv_value_ref(entry->value), FALSE };
		g_array_append_val(entries, added);
	}
	return mlv_value_new_map(entries);
}

static gboolean add_one(MlvScope *scope, const char *name, const MlvValue *value, GError **error)
{
	const MlvValue *old = mlv_scope_get(scope, name);

	if (!old) {
		mlv_scope_set(scope, name, value);
		return TRUE;
	}
	g_autoptr(MlvValue) both = merge(name, old, value, error);
	if (!both)
		return FALSE;
	mlv_scope_set(scope, name, both);
	return TRUE;
}

gboolean mlv_scope_add(MlvScope *scope, const MlvValue *map, GError **error)
{
	for (gsize i = 0; i < map->length; i++)
		if (!add_one(scope, map->entries[i].key->text, map->entries[i].value, error))
			return FALSE;
	return TRUE;
}

/* --- files ------------------------------------------------------------------------------------ */

/* The file's map, read once for all scopes around one another; an empty file is an empty map. */
static const MlvValue *read_file(const MlvScope *scope, const MlvFiles *files, const char *path,
				 GError **error)
{
	const MlvValue *known = g_hash_table_lookup(scope->shared->cache, path);
	if (known)
		return known;
	if (!mlv_yaml_check_name(path, error))
		return NULL;
	g_autoptr(GBytes) bytes = files->read(files->user, path, MLV_YAML_MAX, error);
	if (!bytes)
		return NULL;
	gsize length;
	const char *data = g_bytes_get_data(bytes, &length);
	g_autoptr(MlvValue) root = mlv_yaml_parse(data ? data : "", length, path, error);
	if (!root)
		return NULL;
	if (root->type == MLV_VALUE_NULL) {
		mlv_value_unref(root);
		root = mlv_value_new_map(mlv_value_new_entries());
	}
	if (root->type != MLV_VALUE_MAP) {
		mlv_fail_at(error, &root->where, MLV_ERROR_CORRUPT,
			    "expected a map of variables, and the file holds %s",
			    mlv_value_type_name((MlvValueType)root->type));
		return NULL;
	}
	const MlvValue *borrowed = root;
	g_hash_table_insert(scope->shared->cache, g_strdup(path), g_steal_pointer(&root));
	return borrowed;
}

/* "a,b": those keys of the map alone. */
static gboolean add_keys(MlvScope *scope, const MlvValue *root, const char *path, const char *list,
			 const MlvWhere *where, GError **error)
{
	g_auto(GStrv) keys = g_strsplit(list, ",", -1);

	for (char **key = keys; *key; key++) {
		g_strstrip(*key);
		if (!**key)
			continue;
		const MlvValue *value = mlv_value_get(root, *key);
		if (!value)
			return mlv_fail_at(error, where, MLV_ERROR_CORRUPT,
					   "there is no variable '%s' in '%s'", *key, path);
		if (!add_one(scope, *key, value, error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_scope_load(MlvScope *scope, const MlvFiles *files, const char *folder,
			const char *spec, const MlvWhere *where, GError **error)
{
	const char *colon = strchr(spec, ':');
	g_autofree char *name = g_strndup(spec, colon ? (gsize)(colon - spec) : strlen(spec));
	g_autofree char *path = mlv_files_normal(files, folder, name);
	g_autoptr(GError) problem = NULL;

	const MlvValue *root = read_file(scope, files, path, &problem);
	if (!root) {
		if (problem->code == MLV_ERROR_CORRUPT)
			g_propagate_error(error, g_steal_pointer(&problem));
		else
			mlv_fail_at(error, where, (MlvError)problem->code, "%s", problem->message);
		return FALSE;
	}
	if (!g_ptr_array_find_with_equal_func(scope->files, path, g_str_equal, NULL))
		g_ptr_array_add(scope->files, g_strdup(path));
	if (colon && colon[1])
		return add_keys(scope, root, path, colon + 1, where, error);
	return mlv_scope_add(scope, root, error);
}

GPtrArray *mlv_scope_files(const MlvScope *scope)
{
	GPtrArray *files = g_ptr_array_new();

	for (; scope; scope = scope->outer)
		for (guint i = 0; i < scope->files->len; i++)
			g_ptr_array_add(files, scope->files->pdata[i]);
	return files;
}
