/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a repository the pipeline files are. */
#include <string.h>

#include "core/ignore.h"
#include "core/pipeline/graph.h"

typedef struct {
	const MlvFiles *files;
	GPtrArray *found;
} Scan;

/* The rules of a folder: those above it, and those of its own files. New reference, or NULL. */
static MlvIgnoreRules *read_rules(const MlvFiles *files, const char *folder, MlvIgnoreRules *above)
{
	static const char *const names[] = { ".gitignore", ".dvcignore", MLV_IGNORE_FILE };
	g_autoptr(MlvIgnoreRules) rules = above ? mlv_ignore_rules_ref(above) : NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strconcat(folder, *folder ? "/" : "", names[i], NULL);
		g_autoptr(GBytes) bytes = files->read(files->user, path, MLV_IGNORE_FILE_MAX, NULL);
		gsize length;
		if (!bytes)
			continue;
		const char *data = g_bytes_get_data(bytes, &length);
		MlvIgnoreRules *more =
			mlv_ignore_rules_new(rules, folder, data ? data : "", length);
		g_clear_pointer(&rules, mlv_ignore_rules_unref);
		rules = more;
	}
	return g_steal_pointer(&rules);
}

static gboolean has(const GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++)
		if (strcmp(names->pdata[i], name) == 0)
			return TRUE;
	return FALSE;
}

static gboolean has_rules(const GPtrArray *names)
{
	return has(names, ".gitignore") || has(names, ".dvcignore") || has(names, MLV_IGNORE_FILE);
}

static gboolean scan(Scan *state, const char *folder, MlvIgnoreRules *above, gboolean top,
		     GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) names = state->files->list(state->files->user, folder, &problem);

	/* What cannot be looked into has no pipelines of ours. */
	if (!names && !top)
		return TRUE;
	if (!names) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	/* A repository in the repository is another's. */
	if (!top && (has(names, ".git") || has(names, ".git/")))
		return TRUE;
	const char *name = has(names, MLV_PIPELINE_NAME)       ? MLV_PIPELINE_NAME
			   : has(names, MLV_PIPELINE_DVC_NAME) ? MLV_PIPELINE_DVC_NAME
							       : NULL;
	if (name)
		g_ptr_array_add(state->found, g_strconcat(folder, *folder ? "/" : "", name, NULL));

	g_autoptr(MlvIgnoreRules) rules = NULL;
	if (has_rules(names))
		rules = read_rules(state->files, folder, above);
	else if (above)
		rules = mlv_ignore_rules_ref(above);
	for (guint i = 0; i < names->len; i++) {
		const char *entry = names->pdata[i];
		gsize length = strlen(entry);
		if (length < 2 || entry[length - 1] != '/' || strcmp(entry, ".git/") == 0 ||
		    strcmp(entry, ".dvc/") == 0)
			continue;
		g_autofree char *path = g_strdup_printf("%s%s%.*s", folder, *folder ? "/" : "",
							(int)length - 1, entry);
		if (!mlv_ignore_match(rules, path, TRUE) && !scan(state, path, rules, FALSE, error))
			return FALSE;
	}
	return TRUE;
}

/* The rules of the folders above `folder`. */
static MlvIgnoreRules *rules_above(const MlvFiles *files, const char *folder)
{
	g_autoptr(MlvIgnoreRules) rules = NULL;

	for (const char *at = folder; *at; at++) {
		if (at != folder && *at != '/')
			continue;
		g_autofree char *above = g_strndup(folder, (gsize)(at - folder));
		MlvIgnoreRules *more = read_rules(files, above, rules);
		g_clear_pointer(&rules, mlv_ignore_rules_unref);
		rules = more;
	}
	return g_steal_pointer(&rules);
}

static gint compare_folders(gconstpointer a, gconstpointer b)
{
	g_autofree char *first = mlv_files_folder(*(const char *const *)a);
	g_autofree char *second = mlv_files_folder(*(const char *const *)b);
	return strcmp(first, second);
}

GPtrArray *mlv_pipeline_scan(const MlvFiles *files, const char *folder, GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(MlvIgnoreRules) above = rules_above(files, folder);
	Scan state = { files, found };

	if (!scan(&state, folder, above, TRUE, error))
		return NULL;
	g_ptr_array_sort(found, compare_folders);
	return g_steal_pointer(&found);
}
