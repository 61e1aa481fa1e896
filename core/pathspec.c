/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pathspec.h"

#include <fnmatch.h>
#include <string.h>

#include "core/pointer.h"

typedef struct {
	char *path;    /* relative to the root; "" the root */
	gsize literal; /* bytes in front of the first special character; all if there is none */
	gboolean pattern;
} Spec;

struct MlvPathspec {
	GArray *specs; /* of Spec */
};

static void spec_clear(gpointer data)
{
	g_free(((Spec *)data)->path);
}

static void add_spec(MlvPathspec *paths, const char *path)
{
	Spec spec = { .path = g_strdup(path), .literal = strcspn(path, "*?[\\") };

	spec.pattern = path[spec.literal] != '\0';
	g_array_append_val(paths->specs, spec);
}

MlvPathspec *mlv_pathspec_new(MlvRepo *repo, char *const *words, guint count, GError **error)
{
	g_autoptr(MlvPathspec) paths = g_new0(MlvPathspec, 1);

	paths->specs = g_array_new(FALSE, FALSE, sizeof(Spec));
	g_array_set_clear_func(paths->specs, spec_clear);
	for (guint i = 0; i < count; i++) {
		g_autofree char *path = mlv_repo_relative(repo, words[i], error);

		if (!path)
			return NULL;
		add_spec(paths, path);
		if (mlv_pointer_is_path(path)) {
			g_autofree char *data_path = mlv_pointer_data_path(path);

			add_spec(paths, data_path);
		}
	}
	return g_steal_pointer(&paths);
}

MlvPathspec *mlv_pathspec_literal(const char *const *words, gsize count)
{
	MlvPathspec *paths = g_new0(MlvPathspec, 1);

	paths->specs = g_array_new(FALSE, FALSE, sizeof(Spec));
	g_array_set_clear_func(paths->specs, spec_clear);
	for (gsize i = 0; i < count; i++) {
		Spec spec = { .path = g_strdup(words[i]), .literal = strlen(words[i]) };

		g_array_append_val(paths->specs, spec);
	}
	return paths;
}

void mlv_pathspec_free(MlvPathspec *paths)
{
	if (!paths)
		return;
	g_array_unref(paths->specs);
	g_free(paths);
}

gboolean mlv_pathspec_is_all(const MlvPathspec *paths)
{
	if (!paths || paths->specs->len == 0)
		return TRUE;
	for (guint i = 0; i < paths->specs->len; i++)
		if (!*g_array_index(paths->specs, Spec, i).path)
			return TRUE;
	return FALSE;
}

/* Whether `path` is `folder` or lies below it. */
static gboolean is_within(const char *path, const char *folder)
{
	gsize length = strlen(folder);

	return length == 0 ||
	       (strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]));
}

gboolean mlv_pathspec_matches(const MlvPathspec *paths, const char *path)
{
	if (mlv_pathspec_is_all(paths))
		return TRUE;
	for (guint i = 0; i < paths->specs->len; i++) {
		const Spec *spec = &g_array_index(paths->specs, Spec, i);

		if (is_within(path, spec->path))
			return TRUE;
		if (spec->pattern && fnmatch(spec->path, path, FNM_LEADING_DIR) == 0)
			return TRUE;
	}
	return FALSE;
}

gboolean mlv_pathspec_may_match_below(const MlvPathspec *paths, const char *path)
{
	gsize length = strlen(path);

	if (mlv_pathspec_matches(paths, path))
		return TRUE;
	for (guint i = 0; i < paths->specs->len; i++) {
		const Spec *spec = &g_array_index(paths->specs, Spec, i);

		if (is_within(spec->path, path))
			return TRUE;
		/* Where only the pattern's beginning is known, as much of it as can be must
		 * agree. */
		if (spec->pattern && strncmp(spec->path, path, MIN(spec->literal, length)) == 0)
			return TRUE;
	}
	return FALSE;
}
