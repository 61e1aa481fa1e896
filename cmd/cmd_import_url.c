/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/import_url.h"
#include "storage/http/http_url.h"

typedef struct {
	gboolean force, no_checkout, json;
} Options;

static void show_progress(guint64 done, guint64 total, gpointer user)
{
	mlv_ui_progress_total(user, total, 0);
	mlv_ui_progress_set(user, done, 0);
}

/* --- where from, where to --------------------------------------------------------------------- */

static gboolean is_path(const char *url)
{
	return !strstr(url, "://") || strchr("/.~", url[0]);
}

/* From one folder to another place, both absolute, as "../a/b". */
static char *relative_path(const char *from, const char *to)
{
	g_auto(GStrv) a = g_strsplit(from + 1, "/", -1), b = g_strsplit(to + 1, "/", -1);
	g_autoptr(GString) path = g_string_new(NULL);
	guint same = 0;

	while (a[same] && *a[same] && b[same] && strcmp(a[same], b[same]) == 0)
		same++;
	for (guint i = same; a[i] && *a[i]; i++)
		g_string_append(path, "../");
	for (guint i = same; b[i]; i++)
		g_string_append_printf(path, "%s%s", b[i], b[i + 1] ? "/" : "");
	return g_string_free(g_steal_pointer(&path), FALSE);
}

/* What is recorded: a relative path begins at the root, like a remote's. */
static char *record_url(MlvRepo *repo, const char *url)
{
	g_autofree char *absolute = NULL;

	if (!is_path(url) || url[0] == '/' || url[0] == '~')
		return g_strdup(url);
	absolute = g_canonicalize_filename(url, NULL);
	return relative_path(mlv_repo_main_root(repo), absolute);
}

/* The last part of the address. A bucket's key is literal. */
static char *default_name(const char *url)
{
	g_autofree char *name = NULL;

	if (mlv_http_url_is(url) || g_ascii_strncasecmp(url, "file://", 7) == 0)
		return mlv_http_url_name(url);
	name = g_path_get_basename(url);
	return strcmp(name, "/") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0
		       ? NULL
		       : g_steal_pointer(&name);
}

/* Relative to the root. A word that ends in a slash, or names a folder, is where it goes in. */
static char *choose_path(MlvRepo *repo, const char *url, const char *word, GError **error)
{
	g_autofree char *name = default_name(url);
	g_autofree char *full = NULL;
	struct stat st;

	if (word && !g_str_has_suffix(word, "/") && (stat(word, &st) < 0 || !S_ISDIR(st.st_mode)))
		return mlv_repo_relative(repo, word, error);
	if (!name || !mlv_name_allowed(name, strlen(name))) {
		mlv_fail(error, MLV_ERROR_USAGE,
			 "the address has no name at its end that a file can have; say where it "
			 "goes: mlv import-url URL PATH");
		return NULL;
	}
	full = word ? g_build_filename(word, name, NULL) : g_strdup(name);
	return mlv_repo_relative(repo, full, error);
}

/* --- telling ---------------------------------------------------------------------------------- */

static gboolean print_json(MlvCmd *cmd, const char *path, const char *url,
			   const MlvImportUrlResult *result, GError **error)
{
	json_t *document = mlv_json_new(cmd);
	char hex[MLV_ID_HEX + 1];
	g_autofree char *id = NULL;

	mlv_id_format(&result->pointer.ref.id, hex);
	id = g_strconcat("sha256:", hex, NULL);
	mlv_json_set_path(document, "path", path);
	mlv_json_set_path(document, "url", url);
	mlv_json_set_text(document, "id", id);
	mlv_json_set_size(document, "bytes", result->pointer.bytes);
	mlv_json_set_size(document, "stored", result->stored);
	return mlv_json_print(cmd, document, error);
}

static void say_result(MlvCmd *cmd, MlvRepo *repo, const char *path, const Options *opt,
		       const MlvImportUrlResult *result)
{
	g_autofree char *shown = mlv_repo_display(repo, path);
	g_autofree char *name = mlv_ui_name(shown);
	g_autofree char *size = mlv_ui_size(result->pointer.bytes);
	g_autofree char *stored = mlv_ui_size(result->stored);

	mlv_ui_note(cmd->ui, "%s: %s, stored %s anew%s%s%s", name, size, stored,
		    opt->no_checkout ? "; 'mlv checkout -- " : "", opt->no_checkout ? name : "",
		    opt->no_checkout ? "' brings it here" : "");
}

static gboolean run(MlvCmd *cmd, const Options *opt, const char *word, const char *target,
		    GError **error)
{
	MlvImportUrlOptions options = { .force = opt->force,
					.no_write = opt->no_checkout,
					.cancel = cmd->cancel,
					.progress = show_progress };
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	g_autofree char *path = NULL, *url = NULL;
	MlvImportUrlResult result;
	gboolean ok;

	if (!local || !mlv_cmd_jobs(cmd, &options.threads, error))
		return FALSE;
	url = record_url(local->repo, word);
	if (!mlv_import_url_check(url, error))
		return FALSE;
	path = choose_path(local->repo, word, target, error);
	if (!path)
		return FALSE;
	g_autoptr(MlvProgress) progress = mlv_ui_progress_begin(cmd->ui, "importing");
	options.user = progress;
	ok = mlv_import_url(local, url, path, &options, &result, error);
	g_clear_pointer(&progress, mlv_ui_progress_end);
	if (!ok)
		return FALSE;
	if (opt->json)
		return print_json(cmd, path, url, &result, error);
	say_result(cmd, local->repo, path, opt, &result);
	return TRUE;
}

gboolean mlv_cmd_import_url(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force,
		  "in place of what is tracked or lies at PATH", NULL },
		{ "no-checkout", 0, 0, G_OPTION_ARG_NONE, &opt.no_checkout,
		  "store and track it, and leave the work tree alone", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "URL [PATH]\n"
			       "mlv import-url https://example.org/labels.csv data/\n"
			       "mlv import-url s3://bucket/raw/model.bin",
			       error) ||
	    !mlv_options_count(cmd, argc, 1, 2, error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	for (guint i = 0; i < words.n_before; i++)
		g_ptr_array_add(all, words.before[i]);
	for (guint i = 0; i < words.n_after; i++)
		g_ptr_array_add(all, words.after[i]);
	return run(cmd, &opt, all->pdata[0], all->len > 1 ? all->pdata[1] : NULL, error);
}
