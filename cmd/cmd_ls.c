/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cmd/look.h"
#include "core/reader.h"

/* A path is at most 4096 bytes, so directories that are nested deeper are nobody's. */
#define NESTING_MAX 2048
#define LINK_MAX    4096

typedef struct {
	gboolean details, recursive, zero, json;
} Options;

typedef struct {
	MlvCmd *cmd;
	const Options *opt;
	MlvView *view;
	MlvJsonStream *stream;
	const MlvSpot *spot; /* the word under way */
} Ls;

/* --- one entry -------------------------------------------------------------------------------- */

/* The target of a symlink, for people: " -> part0"; "" where it is not here. */
static char *link_text(const Ls *ls, const MlvTreeEntry *entry)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *target = NULL, *shown = NULL;

	if (entry->mode != MLV_MODE_SYMLINK)
		return g_strdup("");
	bytes = mlv_read_whole(mlv_view_source(ls->view), &entry->ref, LINK_MAX, NULL);
	if (!bytes)
		return g_strdup("");
	target = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	shown = mlv_ui_name(target);
	return g_strconcat(" -> ", shown, NULL);
}

static void print_details(const Ls *ls, const char *path, const MlvTreeEntry *entry, gboolean here)
{
	static const char *const kinds[] = { [MLV_MODE_FILE] = "file",
					     [MLV_MODE_EXECUTABLE] = "exec",
					     [MLV_MODE_SYMLINK] = "link",
					     [MLV_MODE_DIRECTORY] = "dir" };
	const MlvUi *ui = ls->cmd->ui;
	g_autofree char *name = mlv_ui_name(path);
	g_autofree char *size = mlv_ui_size(entry->bytes);
	g_autofree char *link = link_text(ls, entry);
	g_autofree char *files = entry->mode == MLV_MODE_DIRECTORY
					 ? mlv_ui_plural(entry->files, "file")
					 : g_strdup("");
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(&entry->ref.id, hex);
	printf("%-4s %10s %14s  %.12s  %s%s%s%s%s\n", kinds[entry->mode], size, files, hex, name,
	       link, mlv_ui_color(ui, MLV_COLOR_YELLOW), here ? "" : "  (not here)",
	       mlv_ui_color(ui, MLV_COLOR_RESET));
}

static gboolean add_json(const Ls *ls, const char *path, const char *full,
			 const MlvTreeEntry *entry, gboolean here, GError **error)
{
	json_t *object = json_object();

	mlv_json_set_path(object, "name", path);
	mlv_json_set_path(object, "path", full);
	if (ls->spot->rev)
		mlv_json_set_text(object, "rev", ls->spot->rev);
	mlv_cmd_json_data(object, entry->mode, &entry->ref, entry->files, entry->bytes);
	mlv_json_set_bool(object, "here", here);
	return mlv_json_stream_add(ls->stream, object, error);
}

/* `path` is relative to what was named, `full` to the root. */
static gboolean print_entry(const Ls *ls, const char *path, const char *full,
			    const MlvTreeEntry *entry, GError **error)
{
	gboolean is_dir = entry->mode == MLV_MODE_DIRECTORY, here = TRUE;
	g_autofree char *name = is_dir ? g_strconcat(path, "/", NULL) : g_strdup(path);

	if ((ls->opt->details || ls->stream) && !mlv_view_has(ls->view, &entry->ref, &here, error))
		return FALSE;
	if (ls->stream)
		return add_json(ls, path, full, entry, here, error);
	if (ls->opt->details)
		print_details(ls, name, entry, here);
	else
		mlv_ui_put_name(name, ls->opt->zero);
	return mlv_cmd_keep_going(ls->cmd, error);
}

/* --- directories ------------------------------------------------------------------------------ */

static char *join(const char *folder, const char *name)
{
	return *folder ? g_strconcat(folder, "/", name, NULL) : g_strdup(name);
}

/* The entries of a directory; with -R, instead of a directory what lies in it, if anything does.
 * `path` is "" for the one that was named. */
static gboolean list_directory(const Ls *ls, const char *path, const char *full,
			       const MlvTreeEntry *directory, guint nesting, GError **error)
{
	g_autoptr(MlvTreeCursor) cursor = NULL;
	MlvTreeEntry entry;
	gboolean any = FALSE;

	if (nesting > NESTING_MAX)
		return mlv_fail(error, MLV_ERROR_CORRUPT, "directories are nested too deep in '%s'",
				ls->spot->path);
	cursor = mlv_tree_cursor_new(mlv_view_source(ls->view), &directory->ref, error);
	if (!cursor)
		return FALSE;
	for (;;) {
		g_autofree char *name = NULL, *whole = NULL;

		if (!mlv_tree_cursor_next(cursor, &entry, error))
			return FALSE;
		if (!entry.name)
			break;
		any = TRUE;
		name = join(path, entry.name);
		whole = join(full, entry.name);
		if (ls->opt->recursive && entry.mode == MLV_MODE_DIRECTORY
			    ? !list_directory(ls, name, whole, &entry, nesting + 1, error)
			    : !print_entry(ls, name, whole, &entry, error))
			return FALSE;
	}
	return any || !*path || print_entry(ls, path, full, directory, error);
}

/* A target below a folder of git's. */
static gboolean list_target(const Ls *ls, const MlvTracked *target, GError **error)
{
	gsize skip = *ls->spot->path ? strlen(ls->spot->path) + 1 : 0;
	const char *name = target->path + skip;
	MlvTreeEntry entry;

	if (target->error) {
		mlv_ui_warn(ls->cmd->ui, "%s", target->error->message);
		return TRUE;
	}
	mlv_view_entry(&target->pointer, name, &entry);
	if (ls->opt->recursive && entry.mode == MLV_MODE_DIRECTORY)
		return list_directory(ls, name, target->path, &entry, 0, error) ||
		       mlv_view_advise(target->path, error);
	return print_entry(ls, name, target->path, &entry, error);
}

static gboolean list_word(Ls *ls, const char *word, GError **error)
{
	g_autoptr(MlvSpot) spot = mlv_view_find(ls->view, word, error);

	if (!spot)
		return FALSE;
	ls->spot = spot;
	if (spot->folder) {
		for (guint i = 0; i < spot->targets->len; i++)
			if (!list_target(ls, spot->targets->pdata[i], error))
				return FALSE;
		return TRUE;
	}
	if (spot->entry.mode == MLV_MODE_DIRECTORY)
		return list_directory(ls, "", spot->path, &spot->entry, 0, error) ||
		       mlv_view_advise(spot->path, error);
	return print_entry(ls, spot->rev ? spot->path : word, spot->path, &spot->entry, error);
}

static gboolean list_words(Ls *ls, int argc, char **argv, GError **error)
{
	gboolean heading = argc > 2 && !ls->opt->zero && !ls->opt->json;

	if (argc < 2)
		return list_word(ls, ".", error);
	for (int i = 1; i < argc; i++) {
		g_autofree char *name = mlv_ui_name(argv[i]);

		if (heading)
			printf("%s%s:\n", i > 1 ? "\n" : "", name);
		if (!list_word(ls, argv[i], error))
			return FALSE;
	}
	return TRUE;
}

gboolean mlv_cmd_ls(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "long", 'l', 0, G_OPTION_ARG_NONE, &opt.details,
		  "kind, size, files and id, and what is not in the store", NULL },
		{ "recursive", 'R', 0, G_OPTION_ARG_NONE, &opt.recursive,
		  "everything below, not one level", NULL },
		{ "null", 'z', 0, G_OPTION_ARG_NONE, &opt.zero, "names as they are, ended by NUL",
		  NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};
	Ls ls = { .cmd = cmd, .opt = &opt };
	gboolean ok;

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "[[REV:]PATH...]\nmlv ls -l data/images\nmlv ls -R v1.0:data",
			       error))
		return FALSE;
	if (opt.zero && opt.details)
		return mlv_fail(error, MLV_ERROR_USAGE, "-z prints names only, so not with -l");
	g_autoptr(MlvView) view = mlv_cmd_open_view(cmd, TRUE, error);
	if (!view)
		return FALSE;
	ls.view = view;
	if (opt.json)
		ls.stream = mlv_json_stream_new(cmd, NULL, "entries");
	ok = list_words(&ls, argc, argv, error);
	/* A document that failed is ended all the same, and the error told. */
	if (ls.stream && !mlv_json_stream_end(ls.stream, NULL, ok ? error : NULL))
		ok = FALSE;
	return ok;
}
