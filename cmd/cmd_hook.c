/* SPDX-License-Identifier: Apache-2.0 */
/* What git's hooks call: `mlv hook NAME ARGUMENT...`, with the arguments and input that git gives
 * them. */
#include <stdlib.h>
#include <string.h>

#include "cmd/hook_merge.h"
#include "cmd/session.h"
#include "core/follow.h"
#include "core/git_run.h"
#include "core/status.h"

#define LINES_MAX 20

/* FALSE where there is nothing to do: mlv itself runs this git, or this is no repository of
 * mlv's. */
static gboolean wanted(MlvCmd *cmd)
{
	const char *skip = getenv(MLV_HOOK_SKIP_VARIABLE);
	g_autoptr(GError) error = NULL;

	if (skip && *skip && strcmp(skip, "0") != 0)
		return FALSE;
	MlvRepo *repo = mlv_cmd_open_repo(cmd, &error);
	return repo && mlv_repo_id(repo);
}

/* `framework`: the pre-commit framework calls, which hands things on in the environment. */
static gboolean take_options(MlvCmd *cmd, const char *synopsis, int max, int *argc, char ***argv,
			     gboolean *framework, GError **error)
{
	const GOptionEntry entries[] = {
		{ "framework", 0, 0, G_OPTION_ARG_NONE, framework,
		  "take the arguments from the environment, as the pre-commit framework gives them",
		  NULL },
		{ NULL },
	};

	*framework = FALSE;
	return mlv_options_parse(cmd, entries, argc, argv, synopsis, error) &&
	       mlv_options_count(cmd, *argc, 0, max, error);
}

/* --- pre-commit ------------------------------------------------------------------------------- */

typedef struct {
	MlvCmd *cmd;
	MlvRepo *repo;
	guint64 count;
} Unsaved;

static gboolean tell_unsaved(MlvStatusPart part, const MlvChange *change, const char *why,
			     gpointer data, GError **error)
{
	Unsaved *unsaved = data;

	if (part != MLV_PART_WORKSPACE && part != MLV_PART_UNMERGED)
		return TRUE;
	if (++unsaved->count <= LINES_MAX) {
		g_autofree char *shown = mlv_repo_display(unsaved->repo, change->path);
		g_autofree char *name = mlv_ui_name(shown);
		mlv_ui_warn(unsaved->cmd->ui, "%s %s", name,
			    part == MLV_PART_UNMERGED ? "is unmerged"
						      : "was changed and not added");
	}
	return TRUE;
}

static gboolean check_large_files(MlvCmd *cmd, MlvRepo *repo, guint *large, GError **error)
{
	gint64 limit;

	if (!mlv_config_get_int(mlv_repo_config(repo), "mlv.maxGitFile", 10 << 20, 0, G_MAXINT64,
				&limit, error))
		return FALSE;
	g_autoptr(GPtrArray) files = mlv_git_large_staged(repo, (guint64)limit, error);
	if (!files)
		return FALSE;
	*large = files->len;
	for (guint i = 0; i < files->len; i++) {
		const MlvGitFile *file = files->pdata[i];
		g_autofree char *name = mlv_ui_name(file->path);
		g_autofree char *size = mlv_ui_size(file->size);
		mlv_ui_warn(
			cmd->ui,
			"%s has %s and is about to be committed to git; track it with mlv: git rm "
			"--cached %s && mlv add %s",
			name, size, name, name);
	}
	return TRUE;
}

static gboolean pre_commit(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	guint large = 0;
	gboolean framework;
	MlvStatusResult result;

	if (!take_options(cmd, "", -1, &argc, &argv, &framework, error))
		return FALSE;
	if (!wanted(cmd))
		return TRUE;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	if (!local || !check_large_files(cmd, local->repo, &large, error))
		return FALSE;
	Unsaved unsaved = { cmd, local->repo, 0 };
	MlvStatusOptions options = {
		.cancel = cmd->cancel, .unadded = TRUE, .visit = tell_unsaved, .data = &unsaved
	};
	if (!mlv_status_run(local, &options, &result, error))
		return FALSE;
	if (unsaved.count > LINES_MAX)
		mlv_ui_warn(cmd->ui, "... and %" G_GUINT64_FORMAT " more",
			    unsaved.count - LINES_MAX);
	if (unsaved.count > 0)
		mlv_ui_warn(
			cmd->ui,
			"add what is to be committed with 'mlv add' (or commit with 'mlv commit -a'); "
			"'git commit --no-verify' commits without it");
	if (large > 0 || unsaved.count > 0)
		cmd->status = MLV_EXIT_CHECK;
	return TRUE;
}

/* --- post-checkout and post-merge ------------------------------------------------------------- */

static gboolean follow(MlvCmd *cmd, const MlvOid *from, GError **error)
{
	MlvCheckoutTotals totals;
	g_autoptr(GError) problem = NULL;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);

	if (!local)
		return FALSE;
	MlvCheckoutOptions options = { .repo = local->repo,
				       .store = local->store,
				       .cache = local->cache,
				       .partial = local->partial,
				       .cancel = cmd->cancel };
	if (!mlv_cmd_jobs(cmd, &options.threads, error))
		return FALSE;
	if (mlv_follow_checkout(&options, from, &totals, &problem))
		return TRUE;
	/* git has moved already: what cannot follow is said, and stays as it is */
	mlv_ui_warn(cmd->ui, "the data were left as they are: %s", problem->message);
	if (g_error_matches(problem, MLV_ERROR, MLV_ERROR_MISSING))
		mlv_ui_warn(cmd->ui, "'mlv pull' brings what is not here");
	else
		cmd->status = MLV_EXIT_CHECK;
	return TRUE;
}

static gboolean post_checkout(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean framework;
	MlvOid from;

	if (!take_options(cmd, "FROM TO FLAG", 3, &argc, &argv, &framework, error))
		return FALSE;
	if (!wanted(cmd))
		return TRUE;
	const char *text = framework ? getenv("PRE_COMMIT_FROM_REF") : argc > 1 ? argv[1] : NULL;
	gboolean known = text && mlv_oid_parse(text, &from) && !mlv_oid_is_zero(&from);
	return follow(cmd, known ? &from : NULL, error);
}

static gboolean post_merge(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean framework;
	MlvOid from;

	if (!take_options(cmd, "SQUASH", 1, &argc, &argv, &framework, error))
		return FALSE;
	if (!wanted(cmd))
		return TRUE;
	gboolean known = mlv_git_resolve(cmd->repo, "ORIG_HEAD", &from, NULL);
	return follow(cmd, known ? &from : NULL, error);
}

static gboolean post_rewrite(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean framework;
	MlvOid from;

	if (!take_options(cmd, "COMMAND", 1, &argc, &argv, &framework, error))
		return FALSE;
	const char *by = framework  ? getenv("PRE_COMMIT_REWRITE_COMMAND")
			 : argc > 1 ? argv[1]
				    : NULL;
	/* An amended commit has moved nothing. */
	if (g_strcmp0(by, "rebase") != 0 || !wanted(cmd))
		return TRUE;
	gboolean known = mlv_follow_rebased_onto(cmd->repo, &from);
	return follow(cmd, known ? &from : NULL, error);
}

/* --- pre-push --------------------------------------------------------------------------------- */

static gboolean take_pointer(const MlvOid *commit, const MlvTracked *tracked, gpointer user,
			     GError **error)
{
	*(gboolean *)user = TRUE;
	return TRUE;
}

static char *read_input(GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char buffer[4096];
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
		g_string_append_len(text, buffer, (gssize)n);
	if (ferror(stdin)) {
		mlv_fail_errno(error, "cannot read the standard input");
		return NULL;
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* What the framework says is pushed; for a new branch it says nothing, and HEAD is meant. */
static GArray *framework_refs(MlvRepo *repo, GError **error)
{
	g_autoptr(GArray) refs = g_array_new(FALSE, TRUE, sizeof(MlvPushedRef));
	const char *to = getenv("PRE_COMMIT_TO_REF"), *from = getenv("PRE_COMMIT_FROM_REF");
	MlvPushedRef ref = { 0 };

	if (!mlv_git_resolve(repo, to && *to ? to : "HEAD", &ref.local, error))
		return NULL;
	if (from && *from)
		mlv_git_resolve(repo, from, &ref.remote, NULL);
	g_array_append_val(refs, ref);
	return g_steal_pointer(&refs);
}

/* The refs that are pushed, from git's input or from the framework. */
static GArray *pushed_refs(MlvRepo *repo, gboolean framework, GError **error)
{
	if (framework)
		return framework_refs(repo, error);
	g_autofree char *input = read_input(error);
	return input ? mlv_follow_parse_refs(input, error) : NULL;
}

static gboolean send_data(MlvCmd *cmd, MlvSelection *selection, GError **error)
{
	MlvSyncOptions options = { .cancel = cmd->cancel };
	MlvSyncResult result;
	g_autoptr(MlvLocal) local = mlv_cmd_open_local(cmd, error);
	g_autoptr(MlvSync) sync = local ? mlv_sync_open(local->repo, NULL, TRUE, error) : NULL;

	if (!sync || !mlv_cmd_jobs(cmd, &options.threads, error) ||
	    !mlv_sync_push(sync, local, selection, &options, &result, error))
		return FALSE;
	if (result.chunks > 0) {
		g_autofree char *size = mlv_ui_size(result.bytes);
		mlv_ui_note(cmd->ui, "%s: %s sent", sync->config->name, size);
	}
	return TRUE;
}

static gboolean pre_push(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean any = FALSE, framework;

	if (!take_options(cmd, "REMOTE URL", 2, &argc, &argv, &framework, error))
		return FALSE;
	if (!wanted(cmd))
		return TRUE;
	const char *name = framework ? getenv("PRE_COMMIT_REMOTE_NAME") : argc > 1 ? argv[1] : NULL;
	g_autoptr(GArray) refs = pushed_refs(cmd->repo, framework, error);
	g_autoptr(MlvSelection) selection = mlv_selection_new(cmd->repo);
	if (!refs ||
	    !mlv_follow_select(selection, cmd->repo, name ? name : "origin", refs, error) ||
	    !mlv_selection_foreach(selection, take_pointer, &any, error))
		return FALSE;
	if (!any || send_data(cmd, selection, error))
		return TRUE;
	g_prefix_error(
		error,
		"git's push was stopped, since the data of its commits could not go first: ");
	(*error)->code = MLV_ERROR_CHECK; /* exit status 1, as hooks have it */
	return FALSE;
}

gboolean mlv_cmd_hook(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	static const MlvSubcommand rows[] = {
		{ "pre-commit", pre_commit,
		  "refuse to commit while data are changed and not added" },
		{ "post-checkout", post_checkout, "bring data in line with the pointers" },
		{ "post-merge", post_merge, "bring data in line with the pointers" },
		{ "post-rewrite", post_rewrite, "bring data in line with the pointers" },
		{ "pre-push", pre_push, "send data before git sends the commits" },
		{ "merge", mlv_hook_merge, "git's merge driver for pointers" },
		{ "diff", mlv_hook_diff, "git's diff driver for pointers" },
		{ NULL, NULL, NULL },
	};

	return mlv_options_dispatch(cmd, rows, NULL, argc, argv, error);
}
