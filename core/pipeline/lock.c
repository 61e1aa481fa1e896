/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pipeline/lock_private.h"

#include <string.h>

/* --- entries ---------------------------------------------------------------------------------- */

MlvLockPath *mlv_lock_path_new(const char *path, const MlvPointer *held, const char *etag)
{
	MlvLockPath *entry = g_new0(MlvLockPath, 1);

	entry->path = g_strdup(path);
	entry->etag = g_strdup(etag);
	if (held)
		entry->held = *held;
	return entry;
}

void mlv_lock_path_free(MlvLockPath *path)
{
	if (!path)
		return;
	g_free(path->path);
	g_free(path->etag);
	g_free(path);
}

gboolean mlv_lock_path_same(const MlvLockPath *a, const MlvLockPath *b)
{
	if (a->etag || b->etag)
		return g_strcmp0(a->etag, b->etag) == 0;
	return mlv_pointer_equal(&a->held, &b->held);
}

MlvLockStage *mlv_lock_stage_new(const char *name)
{
	MlvLockStage *stage = g_new0(MlvLockStage, 1);

	stage->name = g_strdup(name);
	stage->cmds = g_ptr_array_new_with_free_func(g_free);
	stage->deps = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_lock_path_free);
	stage->params = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_param_free);
	stage->outs = g_ptr_array_new_with_free_func((GDestroyNotify)mlv_lock_path_free);
	return stage;
}

void mlv_lock_stage_free(MlvLockStage *stage)
{
	if (!stage)
		return;
	g_free(stage->name);
	g_ptr_array_unref(stage->cmds);
	g_ptr_array_unref(stage->deps);
	g_ptr_array_unref(stage->params);
	g_ptr_array_unref(stage->outs);
	g_free(stage);
}

/* Binary search: both arrays are sorted. */
static const MlvLockPath *find_path(const GPtrArray *paths, const char *path)
{
	guint low = 0, high = paths->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const MlvLockPath *entry = paths->pdata[middle];
		int order = strcmp(entry->path, path);
		if (order == 0)
			return entry;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const MlvLockPath *mlv_lock_stage_dep(const MlvLockStage *stage, const char *path)
{
	return find_path(stage->deps, path);
}

const MlvLockPath *mlv_lock_stage_out(const MlvLockStage *stage, const char *path)
{
	return find_path(stage->outs, path);
}

const MlvParam *mlv_lock_stage_param(const MlvLockStage *stage, const char *file, const char *key)
{
	for (guint i = 0; i < stage->params->len; i++) {
		const MlvParam *param = stage->params->pdata[i];
		if (strcmp(param->file, file) == 0 && strcmp(param->key, key) == 0)
			return param;
	}
	return NULL;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	const MlvLockPath *const *first = a, *const *second = b;
	return strcmp((*first)->path, (*second)->path);
}

static gint compare_params(gconstpointer a, gconstpointer b)
{
	const MlvParam *const *first = a, *const *second = b;
	gint order = strcmp((*first)->file, (*second)->file);
	return order ? order : strcmp((*first)->key, (*second)->key);
}

void mlv_lock_stage_sort(MlvLockStage *stage)
{
	g_ptr_array_sort(stage->deps, compare_paths);
	g_ptr_array_sort(stage->outs, compare_paths);
	g_ptr_array_sort(stage->params, compare_params);
}

/* --- the lock --------------------------------------------------------------------------------- */

MlvLock *mlv_lock_new(const char *folder)
{
	MlvLock *lock = g_new0(MlvLock, 1);

	lock->folder = g_strdup(folder);
	lock->stages = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					     (GDestroyNotify)mlv_lock_stage_free);
	return lock;
}

void mlv_lock_free(MlvLock *lock)
{
	if (!lock)
		return;
	g_free(lock->folder);
	g_hash_table_unref(lock->stages);
	g_free(lock);
}

const MlvLockStage *mlv_lock_get(const MlvLock *lock, const char *name)
{
	return g_hash_table_lookup(lock->stages, name);
}

void mlv_lock_set(MlvLock *lock, MlvLockStage *stage)
{
	mlv_lock_stage_sort(stage);
	g_hash_table_replace(lock->stages, stage->name, stage);
}

gboolean mlv_lock_remove(MlvLock *lock, const char *name)
{
	return g_hash_table_remove(lock->stages, name);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *mlv_lock_names(const MlvLock *lock)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, lock->stages);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, compare_names);
	return names;
}

gboolean mlv_lock_has_conflicts(const MlvLock *lock)
{
	return lock->conflicts;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* A path as it is written from the lock's folder, in quotes. */
static void append_path(GString *text, const char *folder, const char *path)
{
	g_autofree char *relative =
		mlv_files_is_url(path) ? g_strdup(path) : mlv_files_relative(folder, path);
	mlv_value_append_json_string(text, relative, strlen(relative));
}

static void append_held(GString *text, const MlvPointer *held)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&held->ref.id, hex);
	if (held->mode == MLV_MODE_DIRECTORY)
		g_string_append(text, ", \"kind\": \"directory\"");
	else if (held->mode == MLV_MODE_EXECUTABLE)
		g_string_append(text, ", \"executable\": true");
	g_string_append_printf(text, ", \"id\": \"sha256:%s\", \"size\": %" G_GUINT64_FORMAT, hex,
			       held->ref.size);
	if (held->ref.depth > 0)
		g_string_append_printf(text, ", \"depth\": %u", held->ref.depth);
	if (held->mode == MLV_MODE_DIRECTORY)
		g_string_append_printf(
			text, ", \"files\": %" G_GUINT64_FORMAT ", \"bytes\": %" G_GUINT64_FORMAT,
			held->files, held->bytes);
}

static void append_entry(GString *text, const char *folder, const char *kind,
			 const MlvLockPath *entry)
{
	g_string_append_printf(text, "    - %s: {\"path\": ", kind);
	append_path(text, folder, entry->path);
	if (entry->etag) {
		g_string_append(text, ", \"etag\": ");
		mlv_value_append_json_string(text, entry->etag, strlen(entry->etag));
	} else {
		append_held(text, &entry->held);
	}
	if (entry->no_cache)
		g_string_append(text, ", \"cache\": false");
	if (entry->no_push)
		g_string_append(text, ", \"push\": false");
	g_string_append(text, "}\n");
}

static void append_param(GString *text, const char *folder, const MlvParam *param)
{
	g_autofree char *value = mlv_value_json(param->value);

	g_string_append(text, "    - param: {\"file\": ");
	append_path(text, folder, param->file);
	g_string_append(text, ", \"key\": ");
	mlv_value_append_json_string(text, param->key, strlen(param->key));
	g_string_append_printf(text, ", \"value\": %s}\n", value);
}

/* A name that YAML takes as a word stands as it is. */
static void append_name(GString *text, const char *name)
{
	static const char *const other[] = { "null", "true", "false", "yes", "no",
					     "on",   "off",  "y",     "n",   NULL };
	g_autofree char *lower = g_ascii_strdown(name, -1);
	gboolean plain = g_ascii_isalpha(*name) && !g_strv_contains(other, lower);

	for (const char *at = name; *at; at++)
		plain &= g_ascii_isalnum(*at) || strchr("_-@.+/", *at);
	if (plain)
		g_string_append(text, name);
	else
		mlv_value_append_json_string(text, name, strlen(name));
}

char *mlv_lock_sum(const char *block, gsize length)
{
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of(block, length, &id);
	mlv_id_format(&id, hex);
	return g_strndup(hex, MLV_LOCK_SUM_HEX);
}

static void append_stage(GString *text, const char *folder, const MlvLockStage *stage)
{
	gsize start = text->len;

	g_string_append(text, "  ");
	append_name(text, stage->name);
	g_string_append(text, ":\n");
	for (guint i = 0; i < stage->cmds->len; i++) {
		const char *cmd = stage->cmds->pdata[i];
		g_string_append(text, "    - cmd: ");
		mlv_value_append_json_string(text, cmd, strlen(cmd));
		g_string_append_c(text, '\n');
	}
	for (guint i = 0; i < stage->deps->len; i++)
		append_entry(text, folder, "dep", stage->deps->pdata[i]);
	for (guint i = 0; i < stage->params->len; i++)
		append_param(text, folder, stage->params->pdata[i]);
	for (guint i = 0; i < stage->outs->len; i++)
		append_entry(text, folder, "out", stage->outs->pdata[i]);
	g_autofree char *sum = mlv_lock_sum(text->str + start, text->len - start);
	g_string_append_printf(text, "    - sum: \"%s\"\n", sum);
}

char *mlv_lock_format(const MlvLock *lock, gsize *length)
{
	g_autoptr(GPtrArray) names = mlv_lock_names(lock);
	g_autoptr(GString) text = g_string_new(MLV_LOCK_HEAD);
	guint written = 0;

	for (guint i = 0; i < names->len; i++) {
		const MlvLockStage *stage = mlv_lock_get(lock, names->pdata[i]);
		if (stage->conflict)
			continue;
		append_stage(text, lock->folder, stage);
		written++;
	}
	if (written == 0)
		return NULL;
	if (length)
		*length = text->len;
	return g_string_free(g_steal_pointer(&text), FALSE);
}
