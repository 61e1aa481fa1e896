/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a bundle: lines of text, sorted within each kind. */
#include "core/bundle.h"

#include <string.h>

#define FIRST_LINE "mlv-bundle 1"
/* Characters of paths and refs that stand for themselves, besides letters, digits and "-._~". */
#define PLAIN "/!$&'()*+,;=:@"

static void name_clear(gpointer data)
{
	g_free(((MlvBundleName *)data)->name);
}

MlvBundleManifest *mlv_bundle_manifest_new(void)
{
	MlvBundleManifest *manifest = g_new0(MlvBundleManifest, 1);

	manifest->prerequisites = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	manifest->commits = g_array_new(FALSE, FALSE, sizeof(MlvOid));
	manifest->names = g_array_new(FALSE, FALSE, sizeof(MlvBundleName));
	g_array_set_clear_func(manifest->names, name_clear);
	manifest->paths = g_ptr_array_new_with_free_func(g_free);
	manifest->have = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	manifest->need = g_array_new(FALSE, FALSE, sizeof(MlvRef));
	return manifest;
}

void mlv_bundle_manifest_free(MlvBundleManifest *manifest)
{
	if (!manifest)
		return;
	g_array_unref(manifest->prerequisites);
	g_array_unref(manifest->commits);
	g_array_unref(manifest->names);
	g_ptr_array_unref(manifest->paths);
	g_array_unref(manifest->have);
	g_array_unref(manifest->need);
	g_free(manifest);
}

void mlv_bundle_manifest_add_name(MlvBundleManifest *manifest, const char *name,
				  const MlvOid *commit)
{
	MlvBundleName row = { .name = g_strdup(name), .commit = *commit };

	g_array_append_val(manifest->names, row);
}

/* --- writing ---------------------------------------------------------------------------------- */

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends the lines sorted, each once, and drops them. */
static void flush_lines(GString *text, GPtrArray *lines)
{
	const char *last = NULL;

	g_ptr_array_sort(lines, compare_lines);
	for (guint i = 0; i < lines->len; i++) {
		const char *line = lines->pdata[i];

		if (!last || strcmp(last, line) != 0)
			g_string_append_printf(text, "%s\n", line);
		last = line;
	}
	g_ptr_array_set_size(lines, 0);
}

static void add_commits(GPtrArray *lines, const char *key, const GArray *commits)
{
	char hex[MLV_OID_HEX + 1];

	for (guint i = 0; i < commits->len; i++) {
		mlv_oid_format(&g_array_index(commits, MlvOid, i), hex);
		g_ptr_array_add(lines, g_strdup_printf("%s %s", key, hex));
	}
}

static void add_refs(GPtrArray *lines, const char *key, const GArray *refs)
{
	char hex[MLV_ID_HEX + 1];

	for (guint i = 0; i < refs->len; i++) {
		const MlvRef *ref = &g_array_index(refs, MlvRef, i);

		mlv_id_format(&ref->id, hex);
		g_ptr_array_add(lines,
				g_strdup_printf("%s %s %u %" G_GUINT64_FORMAT " sha256:%s", key,
						ref->kind == MLV_KIND_TREE ? "tree" : "blob",
						ref->depth, ref->size, hex));
	}
}

static char *escape(const char *text)
{
	return g_uri_escape_bytes((const guint8 *)text, strlen(text), PLAIN);
}

static void add_names(GPtrArray *lines, const GArray *names)
{
	char hex[MLV_OID_HEX + 1];

	for (guint i = 0; i < names->len; i++) {
		const MlvBundleName *row = &g_array_index(names, MlvBundleName, i);
		g_autofree char *name = escape(row->name);

		mlv_oid_format(&row->commit, hex);
		g_ptr_array_add(lines, g_strdup_printf("name %s %s", hex, name));
	}
}

GBytes *mlv_bundle_manifest_format(const MlvBundleManifest *manifest)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	GString *text = g_string_new(FIRST_LINE "\n");

	if (*manifest->repo)
		g_string_append_printf(text, "repository %s\n", manifest->repo);
	g_string_append_printf(text, "objects %" G_GUINT64_FORMAT "\nbytes %" G_GUINT64_FORMAT "\n",
			       manifest->objects, manifest->bytes);
	add_commits(lines, "prerequisite", manifest->prerequisites);
	flush_lines(text, lines);
	add_commits(lines, "commit", manifest->commits);
	flush_lines(text, lines);
	add_names(lines, manifest->names);
	flush_lines(text, lines);
	for (guint i = 0; i < manifest->paths->len; i++) {
		g_autofree char *path = escape(manifest->paths->pdata[i]);

		g_ptr_array_add(lines, g_strconcat("path ", path, NULL));
	}
	flush_lines(text, lines);
	add_refs(lines, "have", manifest->have);
	flush_lines(text, lines);
	add_refs(lines, "need", manifest->need);
	flush_lines(text, lines);
	return g_string_free_to_bytes(text);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A text that was escaped; NULL if it was not, or holds a NUL. */
static char *unescape(const char *text)
{
	g_autoptr(GBytes) bytes = g_uri_unescape_bytes(text, -1, NULL, NULL);
	gsize length;
	const char *data;

	if (!bytes)
		return NULL;
	data = g_bytes_get_data(bytes, &length);
	if (length == 0 || memchr(data, '\0', length))
		return NULL;
	return g_strndup(data, length);
}

static gboolean parse_ref(const char *text, GArray *refs)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 5);
	MlvRef ref = { 0 };
	guint64 depth;

	if (g_strv_length(words) != 4 || !g_str_has_prefix(words[3], "sha256:"))
		return FALSE;
	ref.kind = strcmp(words[0], "tree") == 0 ? MLV_KIND_TREE : MLV_KIND_BLOB;
	if (!g_ascii_string_to_unsigned(words[1], 10, 0, MLV_REF_MAX_DEPTH, &depth, NULL) ||
	    !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXINT64, &ref.size, NULL) ||
	    !mlv_id_parse(words[3] + strlen("sha256:"), &ref.id))
		return FALSE;
	ref.depth = (guint8)depth;
	g_array_append_val(refs, ref);
	return TRUE;
}

static gboolean parse_commit(const char *text, GArray *commits)
{
	MlvOid oid;

	if (!mlv_oid_parse(text, &oid))
		return FALSE;
	g_array_append_val(commits, oid);
	return TRUE;
}

static gboolean parse_name(MlvBundleManifest *manifest, const char *text)
{
	g_autofree char *hex = g_strndup(text, MLV_OID_HEX);
	g_autofree char *name = NULL;
	MlvOid oid;

	if (!mlv_oid_parse(hex, &oid) || text[MLV_OID_HEX] != ' ')
		return FALSE;
	name = unescape(text + MLV_OID_HEX + 1);
	if (name)
		mlv_bundle_manifest_add_name(manifest, name, &oid);
	return name != NULL;
}

static gboolean parse_path(MlvBundleManifest *manifest, const char *text)
{
	char *path = unescape(text);

	if (path)
		g_ptr_array_add(manifest->paths, path);
	return path != NULL;
}

static gboolean parse_line(MlvBundleManifest *manifest, const char *key, const char *value)
{
	if (strcmp(key, "repository") == 0)
		return g_strlcpy(manifest->repo, value, sizeof(manifest->repo)) ==
			       MLV_REPO_ID_HEX &&
		       strspn(value, "0123456789abcdef") == MLV_REPO_ID_HEX;
	if (strcmp(key, "objects") == 0)
		return g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &manifest->objects,
						  NULL);
	if (strcmp(key, "bytes") == 0)
		return g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &manifest->bytes, NULL);
	if (strcmp(key, "prerequisite") == 0)
		return parse_commit(value, manifest->prerequisites);
	if (strcmp(key, "commit") == 0)
		return parse_commit(value, manifest->commits);
	if (strcmp(key, "name") == 0)
		return parse_name(manifest, value);
	if (strcmp(key, "path") == 0)
		return parse_path(manifest, value);
	if (strcmp(key, "have") == 0)
		return parse_ref(value, manifest->have);
	if (strcmp(key, "need") == 0)
		return parse_ref(value, manifest->need);
	return FALSE;
}

/* The line that begins at *at, cut at its space; moves *at to the next one. */
static gboolean take_line(char **at, char **key, char **value)
{
	char *end = strchr(*at, '\n');
	char *space;

	if (!end)
		return FALSE;
	*end = '\0';
	space = strchr(*at, ' ');
	if (!space)
		return FALSE;
	*space = '\0';
	*key = *at;
	*value = space + 1;
	*at = end + 1;
	return TRUE;
}

static gboolean parse_lines(MlvBundleManifest *manifest, char *text)
{
	char *key, *value;

	for (char *at = text; *at;)
		if (!take_line(&at, &key, &value) || !parse_line(manifest, key, value))
			return FALSE;
	return TRUE;
}

/* Whether the first line is that of another version. */
static gboolean is_later(const char *text, gsize length)
{
	const char *end = length > 0 ? memchr(text, '\n', length) : NULL;
	gsize digits = strlen(FIRST_LINE) - 1;

	return end && (gsize)(end - text) > digits && strncmp(text, FIRST_LINE, digits) == 0 &&
	       strncmp(text, FIRST_LINE "\n", digits + 2) != 0 &&
	       strspn(text + digits, "0123456789") == (gsize)(end - text) - digits;
}

MlvBundleManifest *mlv_bundle_manifest_parse(const char *text, gsize length, const char *label,
					     GError **error)
{
	g_autoptr(MlvBundleManifest) manifest = mlv_bundle_manifest_new();
	g_autofree char *copy = g_strndup(length > 0 ? text : "", length);
	g_autoptr(GBytes) again = NULL;
	const char *first = FIRST_LINE "\n";
	gsize first_length = strlen(first);

	if (strlen(copy) == length && strncmp(copy, first, first_length) == 0 &&
	    parse_lines(manifest, copy + first_length)) {
		/* One byte sequence a content: order, repetition and the form of numbers in one. */
		again = mlv_bundle_manifest_format(manifest);
		if (g_bytes_get_size(again) == length &&
		    memcmp(g_bytes_get_data(again, NULL), text, length) == 0)
			return g_steal_pointer(&manifest);
	}
	if (is_later(text, length))
		mlv_fail(error, MLV_ERROR_UNSUPPORTED,
			 "the bundle '%s' was made by a later version of mlv", label);
	else
		mlv_fail(error, MLV_ERROR_CORRUPT, "the manifest of the bundle '%s' is damaged",
			 label);
	return NULL;
}
