/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/bundle_show.h"

#include "cmd/ui_json.h"

/* --- for programs ----------------------------------------------------------------------------- */

static json_t *commits_json(const GArray *commits)
{
	json_t *rows = json_array();
	char hex[MLV_OID_HEX + 1];

	for (guint i = 0; i < commits->len; i++) {
		mlv_oid_format(&g_array_index(commits, MlvOid, i), hex);
		json_array_append_new(rows, json_string(hex));
	}
	return rows;
}

static json_t *names_json(const GArray *names)
{
	json_t *rows = json_array();
	char hex[MLV_OID_HEX + 1];

	for (guint i = 0; i < names->len; i++) {
		const MlvBundleName *name = &g_array_index(names, MlvBundleName, i);
		json_t *row = json_object();

		mlv_oid_format(&name->commit, hex);
		mlv_json_set_path(row, "name", name->name);
		mlv_json_set_text(row, "commit", hex);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *paths_json(const GPtrArray *paths)
{
	json_t *rows = json_array();

	for (guint i = 0; i < paths->len; i++) {
		json_t *row = json_object();

		mlv_json_set_path(row, "path", paths->pdata[i]);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *manifest_json(const MlvCmd *cmd, const char *file, const MlvBundleManifest *manifest,
			     guint64 size)
{
	json_t *doc = mlv_json_new(cmd);

	mlv_json_set_path(doc, "file", file);
	mlv_json_set_text(doc, "repository", *manifest->repo ? manifest->repo : NULL);
	json_object_set_new(doc, "commits", commits_json(manifest->commits));
	json_object_set_new(doc, "names", names_json(manifest->names));
	json_object_set_new(doc, "prerequisites", commits_json(manifest->prerequisites));
	json_object_set_new(doc, "paths", paths_json(manifest->paths));
	mlv_json_set_size(doc, "objects", manifest->objects);
	mlv_json_set_size(doc, "bytes", manifest->bytes);
	if (size > 0)
		mlv_json_set_size(doc, "size", size);
	return doc;
}

/* --- for people ------------------------------------------------------------------------------- */

static char *summary(const MlvBundleManifest *manifest)
{
	g_autofree char *commits = mlv_ui_plural(manifest->commits->len, "commit");
	g_autofree char *objects = mlv_ui_plural(manifest->objects, "object");
	g_autofree char *bytes = mlv_ui_size(manifest->bytes);

	return g_strdup_printf("%s, %s, %s of data", commits, objects, bytes);
}

void mlv_bundle_note_created(MlvCmd *cmd, const char *file, const MlvBundleManifest *manifest,
			     guint64 size)
{
	g_autofree char *name = mlv_ui_name(file);
	g_autofree char *text = summary(manifest);
	g_autofree char *stored = mlv_ui_size(size);

	mlv_ui_note(cmd->ui, "%s: %s, in a file of %s", name, text, stored);
	if (manifest->objects == 0)
		mlv_ui_note(cmd->ui, "there is no data in it that the other side has not");
}

gboolean mlv_bundle_show_created(MlvCmd *cmd, const char *file, const MlvBundleManifest *manifest,
				 guint64 size, GError **error)
{
	return mlv_json_print(cmd, manifest_json(cmd, file, manifest, size), error);
}

static void print_commits(const char *word, const GArray *commits)
{
	char hex[MLV_OID_HEX + 1];

	for (guint i = 0; i < commits->len; i++) {
		mlv_oid_format(&g_array_index(commits, MlvOid, i), hex);
		printf("%s %s\n", word, hex);
	}
}

gboolean mlv_bundle_show_list(MlvCmd *cmd, gboolean json, const char *file,
			      const MlvBundleManifest *manifest, guint64 size, GError **error)
{
	g_autofree char *text = NULL;
	char hex[MLV_OID_HEX + 1];

	if (json)
		return mlv_json_print(cmd, manifest_json(cmd, file, manifest, size), error);
	if (*manifest->repo)
		printf("repository %s\n", manifest->repo);
	print_commits("needs", manifest->prerequisites);
	print_commits("commit", manifest->commits);
	for (guint i = 0; i < manifest->names->len; i++) {
		const MlvBundleName *row = &g_array_index(manifest->names, MlvBundleName, i);
		g_autofree char *name = mlv_ui_name(row->name);

		mlv_oid_format(&row->commit, hex);
		printf("name   %s %s\n", hex, name);
	}
	for (guint i = 0; i < manifest->paths->len; i++) {
		g_autofree char *path = mlv_ui_name(manifest->paths->pdata[i]);

		printf("path   %s\n", path);
	}
	text = summary(manifest);
	printf("%s\n", text);
	return mlv_cmd_keep_going(cmd, error);
}

gboolean mlv_bundle_show_verified(MlvCmd *cmd, gboolean json, const char *file,
				  const MlvBundleManifest *manifest, const MlvBundleResult *result,
				  gboolean asked, GError **error)
{
	g_autofree char *name = mlv_ui_name(file);
	g_autofree char *text = summary(manifest);

	if (result->lacking > 0)
		cmd->status = MLV_EXIT_CHECK;
	if (json) {
		json_t *doc = manifest_json(cmd, file, manifest, result->bytes);

		mlv_json_set_bool(doc, "whole", TRUE);
		mlv_json_set_size(doc, "packs", result->packs);
		mlv_json_set_size(doc, "lacking", result->lacking);
		return mlv_json_print(cmd, doc, error);
	}
	printf("%s is whole: %s\n", name, text);
	print_commits("needs", manifest->prerequisites);
	if (result->lacking > 0) {
		g_autofree char *lacking = mlv_ui_plural(result->lacking, "object");

		printf("%s of what it builds on %s not here; 'mlv fetch' those commits first\n",
		       lacking, result->lacking == 1 ? "is" : "are");
	} else if (manifest->prerequisites->len > 0 && !asked) {
		printf("whether what it builds on is there can be told only in a repository\n");
	}
	return mlv_cmd_keep_going(cmd, error);
}

gboolean mlv_bundle_show_applied(MlvCmd *cmd, gboolean json, const char *file,
				 const MlvBundleManifest *manifest, const MlvBundleResult *result,
				 GError **error)
{
	g_autofree char *name = mlv_ui_name(file);
	g_autofree char *text = summary(manifest);
	g_autofree char *stored = mlv_ui_size(result->stored);

	if (json) {
		json_t *doc = manifest_json(cmd, file, manifest, result->bytes);

		mlv_json_set_size(doc, "stored", result->stored);
		return mlv_json_print(cmd, doc, error);
	}
	mlv_ui_note(cmd->ui, "%s: %s, stored %s anew", name, text, stored);
	return TRUE;
}
