/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/checkout_tell.h"

#include "cmd/session.h"

#define LISTED_MAX 20 /* paths that are in the way, told one a line */
#define NAMED_MAX  3  /* so many the error itself names */

static void add_progress(guint64 bytes, guint64 files, gpointer data)
{
	MlvCmd *cmd = data;

	/* Set and cleared by the main thread while no worker runs. */
	if (cmd->ui->progress)
		mlv_ui_progress_add(cmd->ui->progress, bytes, files);
}

gboolean mlv_cmd_checkout_options(MlvCmd *cmd, MlvLocal *local, MlvCheckoutOptions *options,
				  GError **error)
{
	*options = (MlvCheckoutOptions){ .repo = local->repo,
					 .store = local->store,
					 .cache = local->cache,
					 .partial = local->partial,
					 .cancel = cmd->cancel,
					 .progress = add_progress,
					 .data = cmd };
	return mlv_cmd_jobs(cmd, &options->threads, error);
}

gboolean mlv_cmd_checkout_plan(MlvCmd *cmd, MlvCheckout *checkout, GError **error)
{
	MlvProgress *progress = mlv_ui_progress_begin(cmd->ui, "looking at files");
	gboolean ok = mlv_checkout_plan(checkout, error);

	mlv_ui_progress_end(progress);
	return ok;
}

gboolean mlv_cmd_checkout_apply(MlvCmd *cmd, MlvCheckout *checkout, GError **error)
{
	g_autoptr(MlvProgress) progress = mlv_ui_progress_begin(cmd->ui, "writing");
	MlvCheckoutTotals totals;

	mlv_checkout_totals(checkout, &totals);
	mlv_ui_progress_total(progress, totals.write_bytes, totals.write_files);
	return mlv_checkout_apply(checkout, error);
}

/* --- text ------------------------------------------------------------------------------------- */

static const char *const action_names[] = {
	[MLV_CHECKOUT_WRITE] = "write",
	[MLV_CHECKOUT_MODE] = "mode",
	[MLV_CHECKOUT_REMOVE] = "remove",
	[MLV_CHECKOUT_MAKE_DIRECTORY] = "make-directory",
	[MLV_CHECKOUT_REMOVE_DIRECTORY] = "remove-directory",
	[MLV_CHECKOUT_CONFLICT] = "conflict",
	[MLV_CHECKOUT_MISSING] = "missing",
};

typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	guint64 listed;
} Tell;

static gboolean list_one(MlvCheckoutAction action, const char *path, guint64 size, gpointer user,
			 GError **error)
{
	Tell *tell = user;

	if (action != MLV_CHECKOUT_CONFLICT && action != MLV_CHECKOUT_MISSING)
		return TRUE;
	if (tell->listed++ >= LISTED_MAX)
		return TRUE;
	g_autofree char *shown = mlv_repo_display(tell->repo, path);
	g_autofree char *name = mlv_ui_name(shown);
	mlv_ui_note(tell->cmd->ui, "  %s: %s",
		    action == MLV_CHECKOUT_CONFLICT ? "unsaved" : "missing", name);
	return TRUE;
}

gboolean mlv_cmd_checkout_check(MlvCmd *cmd, MlvRepo *repo, MlvCheckout *checkout, GError **error)
{
	Tell tell = { cmd, repo, 0 };
	MlvCheckoutTotals totals;

	mlv_checkout_totals(checkout, &totals);
	if (totals.conflicts > NAMED_MAX || totals.missing > NAMED_MAX)
		mlv_checkout_foreach(checkout, list_one, &tell, NULL);
	if (tell.listed > LISTED_MAX)
		mlv_ui_note(cmd->ui, "  and %" G_GUINT64_FORMAT " more", tell.listed - LISTED_MAX);
	return mlv_checkout_check(checkout, error);
}

static gboolean print_one(MlvCheckoutAction action, const char *path, guint64 size, gpointer user,
			  GError **error)
{
	Tell *tell = user;
	g_autofree char *shown = mlv_repo_display(tell->repo, path);
	g_autofree char *name = mlv_ui_name(shown);

	printf("%s %s\n", action_names[action], name);
	return mlv_cmd_keep_going(tell->cmd, error);
}

gboolean mlv_cmd_checkout_print(MlvCmd *cmd, MlvRepo *repo, MlvCheckout *checkout, GError **error)
{
	Tell tell = { cmd, repo, 0 };

	return mlv_checkout_foreach(checkout, print_one, &tell, error);
}

void mlv_cmd_checkout_note(MlvCmd *cmd, MlvCheckout *checkout)
{
	MlvCheckoutTotals totals;
	g_autoptr(GString) text = g_string_new(NULL);

	mlv_checkout_totals(checkout, &totals);
	if (mlv_checkout_is_idle(checkout)) {
		mlv_ui_note(cmd->ui, "the data is up to date");
		return;
	}
	g_autofree char *written = mlv_ui_plural(totals.write_files, "file");
	g_autofree char *size = mlv_ui_size(totals.write_bytes);
	g_autofree char *removed = mlv_ui_plural(totals.remove_files, "file");
	g_autofree char *modes = mlv_ui_plural(totals.mode_files, "file");
	g_string_printf(text, "wrote %s (%s)", written, size);
	if (totals.remove_files > 0)
		g_string_append_printf(text, ", removed %s", removed);
	if (totals.mode_files > 0)
		g_string_append_printf(text, ", changed the mode of %s", modes);
	mlv_ui_note(cmd->ui, "%s", text->str);
}

gboolean mlv_cmd_checkout_warn(MlvCmd *cmd, MlvRepo *repo, const GPtrArray *pointers,
			       const MlvPathspec *paths)
{
	gboolean any = FALSE;

	for (guint i = 0; i < pointers->len; i++) {
		const MlvTracked *tracked = pointers->pdata[i];

		if (!tracked->error ||
		    (paths && !mlv_pathspec_may_match_below(paths, tracked->path)))
			continue;
		mlv_cmd_tell_problem(cmd, repo, tracked->path, tracked->error->message);
		any = TRUE;
	}
	return any;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static gboolean add_row(MlvCheckoutAction action, const char *path, guint64 size, gpointer user,
			GError **error)
{
	json_t *row = json_object();

	mlv_json_set_text(row, "action", action_names[action]);
	mlv_json_set_path(row, "path", path);
	if (action == MLV_CHECKOUT_WRITE)
		mlv_json_set_size(row, "size", size);
	json_array_append_new(user, row);
	return TRUE;
}

gboolean mlv_cmd_checkout_json(MlvCheckout *checkout, json_t *document, gboolean rows,
			       GError **error)
{
	MlvCheckoutTotals totals;

	mlv_checkout_totals(checkout, &totals);
	mlv_json_set_size(document, "written", totals.write_files);
	mlv_json_set_size(document, "bytes", totals.write_bytes);
	mlv_json_set_size(document, "kept", totals.keep_files);
	mlv_json_set_size(document, "mode_changed", totals.mode_files);
	mlv_json_set_size(document, "removed", totals.remove_files);
	if (!rows)
		return TRUE;
	mlv_json_set_size(document, "conflicts", totals.conflicts);
	mlv_json_set_size(document, "missing", totals.missing);
	json_t *actions = json_array();
	json_object_set_new(document, "actions", actions);
	return mlv_checkout_foreach(checkout, add_row, actions, error);
}
