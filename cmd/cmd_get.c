/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/elsewhere.h"
#include "core/reader.h"
#include "core/remove_tree.h"
#include "core/work_folder.h"
#include "storage/file.h"

typedef struct {
	char *rev, *output;
	gboolean force, json;
} Options;

static void options_clear(Options *opt)
{
	g_free(opt->rev);
	g_free(opt->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

typedef struct {
	MlvCmd *cmd;
	const Options *opt;
	MlvElsewhere *there;
	MlvThere *what;
	MlvProgress *progress;
	char *folder, *name; /* where it goes */
	guint64 bytes, files;
} Get;

static void get_clear(Get *get)
{
	mlv_ui_progress_end(get->progress);
	mlv_there_free(get->what);
	mlv_elsewhere_close(get->there);
	g_free(get->folder);
	g_free(get->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Get, get_clear)

static void show_progress(guint64 bytes, guint64 files, gpointer user)
{
	Get *get = user;

	get->bytes += bytes;
	get->files += files;
	mlv_ui_progress_add(get->progress, bytes, files);
}

/* --- where it goes ---------------------------------------------------------------------------- */

static gboolean is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* As cp does: into a folder that is there, under another name otherwise. */
static gboolean choose_place(Get *get, GError **error)
{
	const char *output = get->opt->output ? get->opt->output : ".";
	g_autofree char *final = NULL, *trimmed = g_strdup(output);
	struct stat st;

	while (strlen(trimmed) > 1 && g_str_has_suffix(trimmed, "/"))
		trimmed[strlen(trimmed) - 1] = '\0';
	if (is_folder(trimmed) || g_str_has_suffix(output, "/")) {
		if (!*get->what->name)
			return mlv_fail(error, MLV_ERROR_USAGE,
					"all of a repository's data need a folder of their own: "
					"say -o NAME, with a name that is not taken");
		final = g_build_filename(trimmed, get->what->name, NULL);
	} else {
		final = g_strdup(trimmed);
	}
	get->folder = g_path_get_dirname(final);
	get->name = g_path_get_basename(final);
	if (lstat(final, &st) < 0)
		return errno == ENOENT || mlv_fail_errno(error, "cannot write '%s'", final);
	if (S_ISDIR(st.st_mode))
		return mlv_fail(error, MLV_ERROR_EXISTS,
				"'%s' is a folder; remove it, or say another name with -o", final);
	return (get->opt->force && get->what->kind != MLV_THERE_FOLDER &&
		get->what->entry.mode != MLV_MODE_DIRECTORY) ||
	       mlv_fail(error, MLV_ERROR_EXISTS, "'%s' exists; %s", final,
			get->opt->force ? "a folder does not replace it" : "-f replaces it");
}

/* --- writing ---------------------------------------------------------------------------------- */

/* It is written into a folder of its own: what is there under its own name is whole. */
#define WORK_PREFIX ".mlv-get-"

static gboolean move_out(const Get *get, int work, int dir, GError **error)
{
	const char *name = get->name;

	return renameat2(work, name, dir, name, get->opt->force ? 0 : RENAME_NOREPLACE) == 0 ||
	       (!get->opt->force && errno == EINVAL && renameat(work, name, dir, name) == 0) ||
	       mlv_fail_errno(error, "cannot rename the finished '%s'", name);
}

static gboolean write_out(Get *get, GError **error)
{
	MlvExport export = { .source = mlv_elsewhere_source(get->there),
			     .cancel = get->cmd->cancel,
			     .progress = show_progress,
			     .user = get };
	g_auto(MlvFd) dir = open(get->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_auto(MlvFd) work = -1;
	g_autofree char *path = NULL;
	gboolean ok;

	if (dir < 0)
		return mlv_fail_errno(error, "cannot open the folder '%s'", get->folder);
	work = mlv_work_folder_open(get->folder, WORK_PREFIX, &path, error);
	if (work < 0)
		return FALSE;
	ok = mlv_cmd_jobs(get->cmd, &export.threads, error) &&
	     mlv_there_write(get->what, &export, work, get->name, error) &&
	     move_out(get, work, dir, error);
	mlv_remove_tree(path);
	return ok;
}

static gboolean print_part(const guint8 *data, gsize length, gpointer user, GError **error)
{
	return mlv_cmd_write(user, data, length, error);
}

static gboolean write_stdout(Get *get, GError **error)
{
	const MlvThere *what = get->what;
	gsize length;
	guint threads;

	if (what->kind == MLV_THERE_FILE) {
		const void *data = g_bytes_get_data(what->file, &length);
		return mlv_cmd_write(get->cmd, data, length, error);
	}
	if (what->kind == MLV_THERE_FOLDER || what->entry.mode == MLV_MODE_DIRECTORY)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'%s' is a folder, which does not go to the standard output",
				what->path);
	return mlv_cmd_jobs(get->cmd, &threads, error) &&
	       mlv_read_range(mlv_elsewhere_source(get->there), &what->entry.ref, 0,
			      what->entry.ref.size, threads, print_part, get->cmd, error);
}

/* --- the command ------------------------------------------------------------------------------ */

static gboolean tell(Get *get, GError **error)
{
	g_autofree char *output = g_strcmp0(get->folder, ".") == 0
					  ? g_strdup(get->name)
					  : g_build_filename(get->folder, get->name, NULL);
	g_autofree char *shown = mlv_ui_name(output);
	g_autofree char *files = mlv_ui_plural(get->files, "file");
	g_autofree char *size = mlv_ui_size(get->bytes);
	char hex[MLV_OID_HEX + 1];

	if (!get->opt->json) {
		mlv_ui_note(get->cmd->ui, "%s: %s, %s", shown, files, size);
		return TRUE;
	}
	json_t *document = mlv_json_new(get->cmd);
	mlv_oid_format(mlv_elsewhere_commit(get->there), hex);
	mlv_json_set_path(document, "path", get->what->path);
	mlv_json_set_text(document, "revision", hex);
	mlv_json_set_path(document, "output", output);
	mlv_json_set_size(document, "files", get->files);
	mlv_json_set_size(document, "bytes", get->bytes);
	return mlv_json_print(get->cmd, document, error);
}

/* The repository around, or NULL: then no remote has a name. */
static gboolean find_here(MlvCmd *cmd, MlvRepo **here, GError **error)
{
	g_autoptr(GError) failed = NULL;

	*here = mlv_cmd_open_repo(cmd, &failed);
	if (*here || g_error_matches(failed, MLV_ERROR, MLV_ERROR_MISSING))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* What a hook's environment says is of the repository around, not of others. */
static void forget_here(void)
{
	static const char *const names[] = {
		"GIT_DIR",        "GIT_WORK_TREE",        "GIT_INDEX_FILE",
		"GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
		"GIT_PREFIX"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_unsetenv(names[i]);
}

static gboolean run(Get *get, const char *place, const char *path, GError **error)
{
	gboolean to_stdout = g_strcmp0(get->opt->output, "-") == 0;
	MlvRepo *here;
	gboolean ok;

	if (to_stdout && get->opt->json)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"--json and '-o -' would both write to the standard output");
	if (!find_here(get->cmd, &here, error))
		return FALSE;
	forget_here();
	get->progress = mlv_ui_progress_begin(get->cmd->ui, "getting");
	get->there = mlv_elsewhere_open(here, place, get->opt->rev, error);
	if (!get->there)
		return FALSE;
	mlv_cmd_serve(get->cmd, mlv_elsewhere_repo(get->there));
	get->what = mlv_elsewhere_find(get->there, path, error);
	if (!get->what)
		return FALSE;
	mlv_ui_progress_total(get->progress, get->what->entry.bytes, get->what->entry.files);
	ok = to_stdout ? write_stdout(get, error)
		       : choose_place(get, error) && write_out(get, error);
	g_clear_pointer(&get->progress, mlv_ui_progress_end);
	return ok && (to_stdout || tell(get, error));
}

gboolean mlv_cmd_get(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	g_auto(Options) opt = { 0 };
	const GOptionEntry entries[] = {
		{ "rev", 0, 0, G_OPTION_ARG_STRING, &opt.rev, "of this revision, not of HEAD",
		  "REV" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &opt.output,
		  "write it there; - is the standard output", "OUT" },
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force, "replace a file that is there",
		  NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	g_auto(Get) get = { .cmd = cmd, .opt = &opt };

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "REPOSITORY|REMOTE PATH\n"
			       "mlv get https://example.org/project.git data/images --rev v1.0\n"
			       "mlv get origin model.bin -o /tmp/model.bin",
			       error) ||
	    !mlv_options_count(cmd, argc, 2, 2, error))
		return FALSE;
	return run(&get, argv[1], argv[2], error);
}
