/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/import_archive.h"
#include "storage/file.h"

#define STRIP_MAX 4096

typedef struct {
	char *format;
	int strip;
	gboolean force, json;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->format);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

typedef struct {
	MlvCmd *cmd;
	MlvProgress *progress;
	json_t *left_out; /* NULL without --json */
} Import;

static void tell_progress(guint64 consumed, guint64 members, gpointer user)
{
	mlv_ui_progress_set(((Import *)user)->progress, consumed, members);
}

static void tell_left_out(const char *member, const char *what, gpointer user)
{
	Import *import = user;
	g_autofree char *name = mlv_ui_name(member);

	mlv_ui_warn(import->cmd->ui, "%s: left out, it is %s", name, what);
	if (import->left_out) {
		json_t *row = json_object();

		mlv_json_set_path(row, "path", member);
		mlv_json_set_text(row, "problem", what);
		json_array_append_new(import->left_out, row);
	}
}

/* The archive's descriptor; "-" is the standard input. */
static gboolean open_input(const char *file, int *fd, GError **error)
{
	struct stat st;

	if (strcmp(file, "-") == 0) {
		if (isatty(STDIN_FILENO))
			return mlv_fail(error, MLV_ERROR_USAGE,
					"an archive does not come from a terminal; name a file, or "
					"redirect the input");
		*fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	} else {
		*fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	}
	if (*fd < 0)
		return mlv_fail_errno(error, "cannot open '%s'", file);
	if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode))
		return mlv_fail(error, MLV_ERROR_FAILED,
				"'%s' is a folder; 'mlv add' tracks folders", file);
	return TRUE;
}

/* Where the dataset goes, relative to the root. */
static char *choose_path(MlvRepo *repo, const char *file, const char *path, GError **error)
{
	g_autofree char *name = NULL;

	if (path)
		return mlv_repo_relative(repo, path, error);
	if (strcmp(file, "-") != 0)
		name = mlv_import_default_name(file);
	if (name)
		return mlv_repo_relative(repo, name, error);
	mlv_fail(error, MLV_ERROR_USAGE, "say where the dataset goes: mlv import %s PATH", file);
	return NULL;
}

static void say_result(MlvCmd *cmd, const char *shown, const MlvImportResult *result)
{
	g_autofree char *name = mlv_ui_name(shown);
	g_autofree char *files = mlv_ui_plural(result->pointer.files, "file");
	g_autofree char *size = mlv_ui_size(result->pointer.bytes);
	g_autofree char *stored = mlv_ui_size(result->stored);

	mlv_ui_note(cmd->ui, "%s: %s, %s, stored %s anew; 'mlv checkout -- %s' brings them here",
		    name, files, size, stored, name);
}

static gboolean print_json(Import *import, const char *path, const MlvImportResult *result,
			   GError **error)
{
	json_t *document = mlv_json_new(import->cmd);
	char hex[MLV_ID_HEX + 1];
	g_autofree char *id = NULL;

	mlv_id_format(&result->pointer.ref.id, hex);
	id = g_strconcat("sha256:", hex, NULL);
	mlv_json_set_path(document, "path", path);
	mlv_json_set_text(document, "id", id);
	mlv_json_set_size(document, "files", result->pointer.files);
	mlv_json_set_size(document, "bytes", result->pointer.bytes);
	mlv_json_set_size(document, "stored", result->stored);
	json_object_set(document, "problems", import->left_out);
	return mlv_json_print(import->cmd, document, error);
}

static gboolean run_import(MlvCmd *cmd, const Options *opt, const char *file, const char *word,
			   GError **error)
{
	g_auto(MlvFd) fd = -1;
	g_autoptr(MlvLocal) local = NULL;
	g_autofree char *path = NULL;
	g_autofree char *shown = NULL;
	g_autoptr(MlvProgress) progress = NULL;
	json_auto_t *left_out = opt->json ? json_array() : NULL;
	Import import = { .cmd = cmd, .left_out = left_out };
	MlvImportOptions options = { .label = file,
				     .format = opt->format,
				     .strip = (guint)opt->strip,
				     .force = opt->force,
				     .cancel = cmd->cancel,
				     .progress = tell_progress,
				     .left_out = tell_left_out,
				     .user = &import };
	MlvImportResult result;
	struct stat st;

	local = mlv_cmd_open_local(cmd, error);
	if (!local || !mlv_cmd_jobs(cmd, &options.threads, error))
		return FALSE;
	path = choose_path(local->repo, file, word, error);
	if (!path || !open_input(file, &fd, error))
		return FALSE;
	import.progress = progress = mlv_ui_progress_begin(cmd->ui, "importing");
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		mlv_ui_progress_total(progress, (guint64)st.st_size, 0);
	options.fd = fd;
	options.path = path;
	if (!mlv_import(local, &options, &result, error))
		return FALSE;
	g_clear_pointer(&progress, mlv_ui_progress_end);
	if (result.left_out > 0)
		cmd->status = MLV_EXIT_CHECK;
	if (opt->json)
		return print_json(&import, path, &result, error);
	shown = mlv_repo_display(local->repo, path);
	say_result(cmd, shown, &result);
	return TRUE;
}

gboolean mlv_cmd_import(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "strip-components", 0, 0, G_OPTION_ARG_INT, &opt.strip,
		  "leave out N leading parts of each path", "N" },
		{ "format", 0, 0, G_OPTION_ARG_STRING, &opt.format,
		  "take it for this format of archive only", "FORMAT" },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force,
		  "in place of what is tracked at PATH", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	const char *file, *path;
	MlvWords words;

	if (!mlv_options_parse(
		    cmd, entries, &argc, &argv,
		    "FILE [PATH]\n"
		    "mlv import images.tar.zst data/images\n"
		    "curl -s https://example.org/x.tgz | mlv import --strip-components 1 - data/x",
		    error) ||
	    !mlv_options_count(cmd, argc, 1, 2, error))
		return FALSE;
	if (opt.strip < 0 || opt.strip > STRIP_MAX)
		return mlv_fail(error, MLV_ERROR_USAGE, "--strip-components takes 0 to %d, not %d",
				STRIP_MAX, opt.strip);
	words = mlv_options_words(cmd, argc, argv);
	file = words.n_before > 0 ? words.before[0] : words.after[0];
	path = words.n_before > 1                   ? words.before[1]
	       : words.n_before + words.n_after < 2 ? NULL
						    : words.after[words.n_before > 0 ? 0 : 1];
	return run_import(cmd, &opt, file, path, error);
}
