/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "core/env/environment_private.h"

/* Variables that change what programs compute, and tell nothing else. */
static const char *const allowed[] = {
	"LANG",
	"LC_*",
	"TZ",
	"PYTHONHASHSEED",
	"OMP_NUM_THREADS",
	"CUDA_VISIBLE_DEVICES",
	"SOURCE_DATE_EPOCH",
	NULL,
};

static const char *const interpreters[] = { "python3", "python", "R", "julia", "node", NULL };

const char *mlv_environment_variable(const MlvEnvironmentOptions *options, const char *name)
{
	gsize length = strlen(name);

	for (const char *const *at = options->variables; at && *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

char *mlv_environment_text(const char *path)
{
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	char *valid = g_utf8_make_valid(g_strstrip(text), -1);
	g_free(text);
	return valid;
}

void mlv_environment_add(GArray *entries, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	mlv_value_add(entries, key, mlv_value_new_string(valid));
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

MlvValue *mlv_environment_table(GHashTable *table)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
	guint count;
	g_autofree gpointer *names = g_hash_table_get_keys_as_array(table, &count);

	qsort(names, count, sizeof *names, by_text);
	for (guint i = 0; i < count; i++) {
		g_autofree char *name = g_utf8_make_valid(names[i], -1);
		const char *text = g_hash_table_lookup(table, names[i]);
		/* names that only bad bytes tell apart */
		gboolean twice = FALSE;
		if (strcmp(name, names[i]) != 0)
			for (guint j = 0; j < entries->len && !twice; j++)
				twice = strcmp(g_array_index(entries, MlvEntry, j).key->text,
					       name) == 0;
		g_autofree char *valid = g_utf8_make_valid(text, -1);
		if (!twice)
			mlv_value_add(entries, name, mlv_value_new_string(valid));
	}
	return mlv_value_new_map(entries);
}

gboolean mlv_environment_is_secret(const char *name)
{
	static const char *const words[] = { "SECRET",  "TOKEN",  "PASS",    "CREDENTIAL",
					     "PRIVATE", "APIKEY", "_KEY",    "KEY_",
					     "AUTH",    "COOKIE", "SESSION", "SIGNATURE",
					     NULL };
	g_autofree char *upper = g_ascii_strup(name, -1);

	if (strcmp(upper, "KEY") == 0 || g_str_has_prefix(upper, "AWS_"))
		return TRUE;
	for (const char *const *word = words; *word; word++)
		if (strstr(upper, *word))
			return TRUE;
	return FALSE;
}

static gboolean is_named(const char *name, const char *const *patterns)
{
	for (; patterns && *patterns; patterns++)
		if (g_pattern_match_simple(*patterns, name))
			return TRUE;
	return FALSE;
}

static MlvValue *read_variables(const MlvEnvironmentOptions *options)
{
	g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (const char *const *at = options->variables; at && *at; at++) {
		const char *equals = strchr(*at, '=');
		if (!equals)
			continue;
		g_autofree char *name = g_strndup(*at, (gsize)(equals - *at));
		if ((is_named(name, allowed) || is_named(name, options->names)) &&
		    !mlv_environment_is_secret(name))
			g_hash_table_replace(table, g_steal_pointer(&name), (char *)equals + 1);
	}
	return mlv_environment_table(table);
}

static MlvValue *describe_program(const MlvEnvironmentProgram *program)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvEntry));

	mlv_environment_add(entries, "path", program->path);
	mlv_environment_add(entries, "version", program->version);
	return mlv_value_new_map(entries);
}

MlvValue *mlv_environment_read(const MlvEnvironmentOptions *options)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
	GArray *programs = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
	MlvEnvironmentProgram python = { 0 };

	mlv_environment_add_system(entries);
	mlv_environment_add_hardware(entries);
	mlv_environment_add_container(entries, options);
	mlv_value_add(entries, "variables", read_variables(options));
	for (const char *const *name = interpreters; *name; name++) {
		MlvEnvironmentProgram program = { 0 };

		if (!mlv_environment_find_program(options, *name, &program))
			continue;
		mlv_value_add(programs, *name, describe_program(&program));
		if (!python.path && g_str_has_prefix(*name, "python"))
			python = program;
		else
			mlv_environment_program_clear(&program);
	}
	mlv_value_add(entries, "interpreters", mlv_value_new_map(programs));
	mlv_environment_add_packages(entries, options, &python);
	mlv_environment_program_clear(&python);
	return mlv_value_new_map(entries);
}

/* --- comparing -------------------------------------------------------------------------------- */

typedef struct {
	MlvEnvironmentEach each;
	gpointer user;
} Compare;

static void compare(const Compare *call, const char *path, const MlvValue *from, const MlvValue *to,
		    guint depth);

static void compare_entry(const Compare *call, const char *path, const char *key,
			  const MlvValue *from, const MlvValue *to, guint depth)
{
	g_autofree char *below = *path ? g_strconcat(path, ".", key, NULL) : g_strdup(key);
	compare(call, below, from, to, depth + 1);
}

static void compare(const Compare *call, const char *path, const MlvValue *from, const MlvValue *to,
		    guint depth)
{
	gboolean maps = (!from || mlv_value_is(from, MLV_VALUE_MAP)) &&
			(!to || mlv_value_is(to, MLV_VALUE_MAP)) && (from || to);

	if (!maps || depth > MLV_VALUE_DEPTH_MAX) {
		if (!from || !to ? from != to : !mlv_value_equal(from, to))
			call->each(path, from, to, call->user);
		return;
	}
	for (gsize i = 0; from && i < from->length; i++) {
		const char *key = from->entries[i].key->text;
		compare_entry(call, path, key, from->entries[i].value, mlv_value_get(to, key),
			      depth);
	}
	for (gsize i = 0; to && i < to->length; i++) {
		const char *key = to->entries[i].key->text;
		if (!mlv_value_get(from, key))
			compare_entry(call, path, key, NULL, to->entries[i].value, depth);
	}
}

void mlv_environment_compare(const MlvValue *from, const MlvValue *to, MlvEnvironmentEach each,
			     gpointer user)
{
	Compare call = { .each = each, .user = user };
	compare(&call, "", from, to, 0);
}
