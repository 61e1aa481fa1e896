/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/session.h"
#include "cmd/ui_json.h"
#include "core/move.h"
#include "core/track.h"

typedef struct {
	gboolean force, skip, dry_run, json;
} Options;

typedef struct {
	MlvCmd *cmd;
	const Options *opt;
	MlvRepo *repo;
	json_t *moved;
} Call;

static void ignore_added(const char *path, const MlvPointer *pointer, gboolean is_new,
			 gboolean changed, gboolean gone, gpointer data)
{
}

static void warn_problem(MlvProblemType type, const char *path, const char *why, gpointer data)
{
	Call *call = data;

	call->cmd->status = MLV_EXIT_CHECK;
	mlv_cmd_tell_problem(call->cmd, call->repo, path, why);
}

static void tell(Call *call, const char *from, const char *to)
{
	json_t *row = json_object();

	mlv_json_set_path(row, "from", from);
	mlv_json_set_path(row, "to", to);
	json_array_append_new(call->moved, row);
	if (call->opt->json || (!call->opt->dry_run && call->cmd->ui->verbose == 0))
		return;
	g_autofree char *shown_from = mlv_repo_display(call->repo, from);
	g_autofree char *shown_to = mlv_repo_display(call->repo, to);
	g_autofree char *name_from = mlv_ui_name(shown_from);
	g_autofree char *name_to = mlv_ui_name(shown_to);
	printf("rename %s to %s\n", name_from, name_to);
}

/* The words but the last are what moves; the last is where to. */
static gboolean add_moves(Call *call, MlvMove *move, const GPtrArray *words, GError **error)
{
	const char *last = words->pdata[words->len - 1];
	g_autofree char *to = mlv_repo_relative(call->repo, last, error);
	struct stat st;

	if (!to)
		return FALSE;
	gboolean is_dir =
		!*to || (fstatat(mlv_repo_root_fd(call->repo), to, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 S_ISDIR(st.st_mode));
	if (!is_dir && (words->len > 2 || g_str_has_suffix(last, "/")))
		return mlv_fail(error, MLV_ERROR_USAGE, "the last path, '%s', is not a directory",
				last);
	for (guint i = 0; i + 1 < words->len; i++) {
		g_autoptr(GError) local = NULL;
		g_autofree char *from = mlv_repo_relative(call->repo, words->pdata[i], error);
		if (!from)
			return FALSE;
		g_autofree char *name = g_path_get_basename(from);
		g_autofree char *path =
			is_dir ? g_strconcat(to, *to ? "/" : "", name, NULL) : g_strdup(to);

		if (mlv_move_add(move, from, path, &local)) {
			tell(call, from, path);
		} else if (call->opt->skip) {
			mlv_ui_warn(call->cmd->ui, "%s", local->message);
		} else {
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean update_parts(Call *call, const GPtrArray *parts, GError **error)
{
	MlvTrackOptions options = { .cancel = call->cmd->cancel,
				    .added = ignore_added,
				    .problem = warn_problem,
				    .data = call };
	MlvTrackResult result;

	if (parts->len == 0)
		return TRUE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(call->cmd, error);
	return local && mlv_cmd_jobs(call->cmd, &options.threads, error) &&
	       mlv_track_add(local, (const char *const *)parts->pdata, parts->len, &options,
			     &result, error);
}

static gboolean run(Call *call, const GPtrArray *words, GError **error)
{
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(call->cmd, error);

	if (!local)
		return FALSE;
	call->repo = local->repo;
	g_autoptr(MlvMove) move = mlv_move_new(local, call->opt->force, error);
	if (!move || !add_moves(call, move, words, error))
		return FALSE;
	if (!call->opt->dry_run &&
	    (!mlv_move_apply(move, error) || !update_parts(call, mlv_move_parts(move), error)))
		return FALSE;
	if (!call->opt->json)
		return TRUE;
	json_t *document = mlv_json_new(call->cmd);
	mlv_json_set_bool(document, "dry_run", call->opt->dry_run);
	json_object_set(document, "moved", call->moved);
	return mlv_json_print(call->cmd, document, error);
}

gboolean mlv_cmd_mv(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	Options opt = { 0 };
	const GOptionEntry entries[] = {
		{ "force", 'f', 0, G_OPTION_ARG_NONE, &opt.force,
		  "replace what stands at the new path", NULL },
		{ "skip-errors", 'k', 0, G_OPTION_ARG_NONE, &opt.skip,
		  "pass over what cannot be moved", NULL },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt.dry_run,
		  "only say what would be moved", NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "print one JSON document", NULL },
		{ NULL },
	};

	if (!mlv_options_parse(cmd, entries, &argc, &argv,
			       "PATH... NEW-PATH\nmlv mv model.pkl models/best.pkl\n"
			       "mlv mv data/train data/test archive/",
			       error) ||
	    !mlv_options_count(cmd, argc, 2, -1, error))
		return FALSE;
	MlvWords words = mlv_options_words(cmd, argc, argv);
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	for (guint i = 0; i < words.n_before; i++)
		g_ptr_array_add(all, words.before[i]);
	for (guint i = 0; i < words.n_after; i++)
		g_ptr_array_add(all, words.after[i]);
	json_auto_t *moved = json_array();
	Call call = { .cmd = cmd, .opt = &opt, .moved = moved };
	return run(&call, all, error);
}
